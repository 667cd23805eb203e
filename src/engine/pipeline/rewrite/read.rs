//! A workflow file as the rules of rewriting see it: jobs with needs, conditions and lines.
//!
//! This is the file itself, not the expanded model: what a job calls is not looked at,
//! and a value that an anchor brings from elsewhere is not the job's to edit.

use std::collections::BTreeMap;

use super::Refusal;
use crate::engine::pipeline::edit;
use crate::engine::pipeline::expression::{Expression, Piece, pieces};
use crate::engine::yaml::{Entry, Node, Style, Value};

/// A job of the file.
#[derive(Debug)]
pub(super) struct WorkflowJob {
    pub(super) id: String,
    pub(super) needs: Vec<String>,
    pub(super) condition: Option<Condition>,
    /// Whether its checks have other names than its own: a matrix, a call, a computed name.
    pub(super) expands: bool,
    /// Why the job itself forbids a gate.
    pub(super) refusal: Option<Refusal>,
    /// Where it can be edited, or why it cannot.
    pub(super) place: Result<Place, Refusal>,
}

/// A condition without `${{ }}` around it.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) text: String,
    /// Which of GitHub's four status functions it calls.
    pub(super) statuses: Vec<&'static str>,
}

impl Condition {
    /// Whether its outcome depends on how jobs above it ended.
    pub(super) fn asks_success(&self) -> bool {
        self.statuses
            .iter()
            .any(|name| matches!(*name, "success" | "failure"))
    }
}

/// The lines of a job, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The line of its key.
    pub(super) key: usize,
    /// By how many spaces its own keys are indented.
    pub(super) indent: usize,
    /// First and last line of `needs`.
    pub(super) needs: Option<(usize, usize)>,
    /// First and last line of `if`.
    pub(super) condition: Option<(usize, usize)>,
}

/// The jobs in the order of the file.
pub(super) fn jobs(root: &Node, text: &str) -> Vec<WorkflowJob> {
    let lines: Vec<&str> = edit::lines(text).collect();
    let entries = root.get("jobs").and_then(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| job(entry, &lines)).collect()
}

fn job(entry: &Entry, lines: &[&str]) -> WorkflowJob {
    let node = &entry.value;
    let (condition, fault) = match condition(node.get("if")) {
        Ok(condition) => (condition, None),
        Err(fault) => (None, Some(fault)),
    };
    let refusal = if node.get("environment").is_some() {
        Some(Refusal::Environment)
    } else if fault.is_some() {
        fault
    } else if condition.as_ref().is_some_and(Condition::asks_success) {
        Some(Refusal::AsksStatus)
    } else {
        uses_needs_openly(entry).then_some(Refusal::OpenNeeds)
    };
    let name = node.get("name").and_then(Node::as_str);
    WorkflowJob {
        id: entry.key.to_string(),
        needs: node
            .get("needs")
            .map(Node::words)
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        condition,
        expands: node.get("uses").is_some()
            || node
                .get("strategy")
                .is_some_and(|it| it.get("matrix").is_some())
            || name.is_some_and(|name| name.contains("${{")),
        refusal,
        place: place(entry, lines),
    }
}

/// What the condition of a job may name:
/// <https://docs.github.com/actions/reference/workflows-and-actions/contexts#context-availability>.
const CONTEXTS: &[&str] = &["github", "needs", "vars", "inputs"];

/// The condition of a job; absent and blank ones are none.
fn condition(node: Option<&Node>) -> Result<Option<Condition>, Refusal> {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return Ok(None);
    };
    let Some(scalar) = node.scalar() else {
        return Err(Refusal::Unparsable);
    };
    let text = scalar.text.trim();
    let is_block = matches!(scalar.style, Style::Literal | Style::Folded);
    if is_block && text.contains("${{") {
        return Err(Refusal::BlockExpression);
    }
    let text = match pieces(text).as_slice() {
        [] => return Ok(None),
        [Piece::Expression(inner)] => *inner,
        [Piece::Text(text)] if !text.contains("${{") => *text,
        _ => return Err(Refusal::EmbeddedExpression),
    };
    let parsed = Expression::parse(text).ok();
    let Some(parsed) = parsed.filter(|it| it.is_within(CONTEXTS)) else {
        return Err(Refusal::Unparsable);
    };
    Ok(Some(Condition {
        text: text.to_owned(),
        statuses: parsed.statuses(),
    }))
}

/// Whether anything in a job sees all its needs at once, and so would see one more.
///
/// What does not parse may.
fn uses_needs_openly(job: &Entry) -> bool {
    let open = |text: &str| {
        Expression::parse(text).map_or(true, |parsed| {
            parsed
                .properties_of("needs")
                .iter()
                .any(|name| **name == *"*")
        })
    };
    let mut nodes: Vec<(&str, &Node)> = vec![(&job.key, &job.value)];
    while let Some((key, node)) = nodes.pop() {
        match &node.value {
            Value::Mapping(entries) => {
                nodes.extend(entries.iter().map(|it| (it.key.as_ref(), &it.value)));
            }
            Value::Sequence(items) => nodes.extend(items.iter().map(|it| ("", it))),
            Value::Scalar(scalar) => {
                let text = scalar.text.as_ref();
                if !text.to_ascii_lowercase().contains("needs") {
                    continue;
                }
                let bare = key == "if" && !text.contains("${{");
                let found = pieces(text).into_iter().any(|piece| match piece {
                    Piece::Expression(inner) => open(inner),
                    Piece::Text(_) => false,
                });
                if found || bare && open(text.trim()) {
                    return true;
                }
            }
        }
    }
    false
}

/// Where a job can be edited: it is a block of its own, and so are the keys to edit.
fn place(entry: &Entry, lines: &[&str]) -> Result<Place, Refusal> {
    let key = index(entry.line);
    let indent = index(entry.column) - 1;
    let head = value_on(lines, key, indent, &entry.key).ok_or(Refusal::Format(FLOW))?;
    if !(head.is_empty() || head.starts_with('#')) {
        return Err(Refusal::Format(FLOW));
    }
    let last = extent(lines, key, indent);
    let entries = entry.value.entries().unwrap_or_default();
    let first = entries.first().ok_or(Refusal::Format(FLOW))?;
    let own = index(first.column) - 1;
    let is_own = |entry: &&Entry| {
        (key + 1..=last).contains(&index(entry.line)) && index(entry.column) - 1 == own
    };
    if own <= indent || !entries.iter().all(|entry| is_own(&entry)) {
        return Err(Refusal::Format("keys of it come from an anchor"));
    }
    let lines_of = |name: &str| -> Result<Option<(usize, usize)>, Refusal> {
        let Some(entry) = entries.iter().find(|entry| *entry.key == *name) else {
            return Ok(None);
        };
        let first = index(entry.line);
        let value = value_on(lines, first, own, name).ok_or(Refusal::Format(FLOW))?;
        if value.starts_with(['&', '*', '!']) {
            return Err(Refusal::Format(
                "a key that would be edited has an anchor or a tag",
            ));
        }
        Ok(Some((first, extent(lines, first, own))))
    };
    Ok(Place {
        key,
        indent: own,
        needs: lines_of("needs")?,
        condition: lines_of("if")?,
    })
}

const FLOW: &str = "it is not written as a block";

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// What stands behind a key on its line; `None` when the line does not begin with it.
fn value_on<'t>(lines: &[&'t str], line: usize, indent: usize, key: &str) -> Option<&'t str> {
    let text = lines.get(line.checked_sub(1)?)?;
    let text = text.trim_start_matches('\u{feff}');
    let (before, rest) = text.split_at_checked(indent)?;
    if !before.bytes().all(|byte| byte == b' ') {
        return None;
    }
    let plain = rest.strip_prefix(key);
    let quoted = ['\'', '"'].into_iter().find_map(|quote| {
        rest.strip_prefix(quote)?
            .strip_prefix(key)?
            .strip_prefix(quote)
    });
    let value = plain
        .or(quoted)?
        .trim_start_matches(' ')
        .strip_prefix(':')?;
    Some(value.trim())
}

/// The last line that belongs to a key: comments and empty lines after it do not.
fn extent(lines: &[&str], line: usize, indent: usize) -> usize {
    let mut last = line;
    for (number, text) in (1..).zip(lines).skip(line) {
        let body = text.trim();
        let depth = text.len() - text.trim_start_matches(' ').len();
        let closes =
            depth == indent && body.starts_with(['-', ']', '}']) && !body.starts_with("---");
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        if depth <= indent && !closes {
            break;
        }
        last = number;
    }
    last
}

/// Where the key `jobs` stands: its line, and the indentation of the jobs.
pub(super) fn jobs_place(root: &Node, text: &str) -> Option<(usize, usize)> {
    let entry = root.entry("jobs")?;
    let lines: Vec<&str> = edit::lines(text).collect();
    let line = index(entry.line);
    let value = value_on(&lines, line, index(entry.column) - 1, "jobs")?;
    let first = entry.value.entries()?.first()?;
    let is_block = (value.is_empty() || value.starts_with('#')) && index(first.line) > line;
    is_block.then(|| (line, index(first.column) - 1))
}

/// Jobs by id, in lower case as GitHub compares them; `None` when two ids are equal so.
pub(super) fn by_id(jobs: &[WorkflowJob]) -> Option<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for (index, job) in jobs.iter().enumerate() {
        if found.insert(job.id.to_ascii_lowercase(), index).is_some() {
            return None;
        }
    }
    Some(found)
}
