//! What the bot says of a rewrite: the description of its pull, and what it answers when
//! it may not open one.
//!
//! A patch is shown only as it is: one that holds what a comment would lose, such as the
//! ends of lines of another system, is not shown, and the commands stand alone.

use handlebars::RenderError;
use serde::Serialize;

use super::escape::{block, code, is_invisible};
use super::{TEMPLATES, within};
use crate::engine::ids::PullNumber;
use crate::engine::pipeline::rewrite::document::Check;
use crate::engine::pipeline::rewrite::findings::Finding;
use crate::engine::pipeline::rewrite::outlook::CheckRow;
use crate::engine::pipeline::rewrite::repository::{BackstopPatch, FileRewrite, Rewrites};
use crate::engine::pipeline::rewrite::{Disposition, Done, Refusal, patch};

/// What is known beside the rewrites.
#[derive(Debug, Clone, Copy)]
pub struct Rewriting<'a> {
    /// The rewrites.
    pub rewrites: &'a Rewrites,
    /// The default branch.
    pub branch: &'a str,
    /// The number of the app.
    pub app: u64,
    /// The checks that the branch requires; `None` when they could not be read.
    pub required: Option<&'a [String]>,
}

/// The title of the pull.
pub const REWRITE_TITLE: &str = "Let Trimtab skip CI jobs that a pull cannot affect";

/// The most characters of a description or an answer: GitHub takes 65,536.
const BUDGET: usize = 60_000;

/// The most rows of one table.
const ROWS: usize = 40;

/// The most names of one list.
const NAMES: usize = 40;

/// The most findings, and the most patches for a backstop.
const BESIDE: usize = 10;

/// The most characters of one patch for a backstop.
const BACKSTOP: usize = 2_000;

/// The most characters of a patch in an answer.
const PATCH: usize = 40_000;

/// The most characters of a command.
const COMMAND: usize = 4_000;

#[derive(Debug, Serialize)]
struct View {
    headline: String,
    branch: String,
    known: bool,
    required: Vec<String>,
    required_more: Option<usize>,
    workflows: Vec<Workflow>,
    cut: Option<String>,
    backstops: Vec<Backstop>,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Workflow {
    path: String,
    refused: Option<String>,
    remedy: Option<&'static str>,
    gated: Vec<String>,
    gated_more: Option<usize>,
    checks: Vec<Check>,
    checks_more: Option<usize>,
    left: Vec<Left>,
    left_more: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Left {
    job: String,
    why: String,
    remedy: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Backstop {
    path: String,
    jobs: Vec<String>,
    diff: Option<String>,
}

#[derive(Debug, Serialize)]
struct Found {
    place: String,
    message: String,
    remedy: String,
}

/// The description of the pull that carries a rewrite.
///
/// # Errors
/// Only when a template is broken; a test renders it.
pub fn rewrite_pull(of: &Rewriting<'_>) -> Result<String, RenderError> {
    within(BUDGET, of.rewrites.files.len(), |most| {
        TEMPLATES.render("rewrite_pull", &view(of, most))
    })
}

/// The answer to a command for which the pull stands.
pub fn rewrite_stands(pull: PullNumber, rewrites: &Rewrites) -> String {
    format!("The rewrite stands as #{pull}: {}.\n", summary(rewrites))
}

/// The answer when there is nothing to change.
pub fn rewrite_of_nothing(rewrites: &Rewrites) -> String {
    let is_rewritten = rewrites.files.iter().any(FileRewrite::is_rewritten);
    if is_rewritten {
        return "The workflows of the default branch are rewritten as they should be.\n".to_owned();
    }
    "No job can be gated here; `trimtab rewrite` in a checkout says why, and what would help.\n"
        .to_owned()
}

/// The answer when a workflow cannot be read at all.
pub fn rewrite_unreadable(why: &str) -> String {
    format!("The workflows cannot be rewritten: {}.\n", code(why))
}

/// The answer when somebody else's commits are on the branch, or the branch is not ours.
pub fn rewrite_kept(branch: &str, pull: Option<PullNumber>) -> String {
    let of = pull.map_or_else(String::new, |pull| format!(" of #{pull}"));
    let branch = code(branch);
    format!(
        "The branch {branch}{of} holds what I did not put there, so I leave it as it is. To have the rewrite proposed afresh, merge or delete that branch, then say `/trimtab rewrite` again.\n"
    )
}

/// Why there is no pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPull {
    /// The installation did not grant it.
    NotGranted,
    /// The forge did not accept it, in its words.
    NotAccepted(String),
}

/// The answer that carries the patch, or the commands alone where it is too long.
pub fn rewrite_patch(of: &Rewriting<'_>, why: &NoPull) -> String {
    let why = match why {
        NoPull::NotGranted => "I may not open a pull for it: the installation does not grant `contents: write` and `workflows: write`.".to_owned(),
        NoPull::NotAccepted(message) => {
            format!("The forge did not accept a pull for it: {}.", code(message))
        }
    };
    let commands = block("sh", &commands(of));
    let files = of.rewrites.files.iter();
    let diffs = files.map(|file| patch::unified(&file.path, &file.found, &file.rewrite.text));
    let patch: String = diffs.collect();
    let shown = if is_whole(&patch) && patch.chars().count() <= PATCH {
        let lines = patch.lines().count();
        let patch = block("diff", &patch);
        format!("<details><summary>The patch, {lines} lines</summary>\n\n{patch}\n</details>\n")
    } else {
        "The patch cannot be shown in a comment; the first command makes it.\n".to_owned()
    };
    let summary = capitalized(&summary(of.rewrites));
    format!(
        "{summary}. {why}\n\n{shown}\nIn a checkout of {}:\n\n{commands}",
        code(of.branch)
    )
}

/// Whether a comment would show a text as it is, so that it can be copied.
fn is_whole(text: &str) -> bool {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || is_invisible(c);
    !text.contains(odd)
}

/// What makes the same change by hand. Names that a shell line cannot hold are left out,
/// all of them: then fewer jobs are gated, and no check is lost.
fn commands(of: &Rewriting<'_>) -> String {
    let write = format!("trimtab rewrite --write --app-id {}", of.app);
    let required = match of.required {
        Some([]) => " --required ''".to_owned(),
        Some(names)
            if names
                .iter()
                .all(|name| is_whole(name) && !name.contains('\n')) =>
        {
            let names = names.iter().map(|name| name.replace('\'', r"'\''"));
            let names: Vec<String> = names.map(|name| format!(" --required '{name}'")).collect();
            names.concat()
        }
        Some(_) | None => String::new(),
    };
    let required = Some(required).filter(|it| it.len() <= COMMAND);
    let required = required.unwrap_or_default();
    format!("{write}{required}\ngit commit --message \"ci: {REWRITE_TITLE}\" -- .github\n")
}

/// `3 jobs of 1 workflow are gated, 2 others are not`
fn summary(rewrites: &Rewrites) -> String {
    let count = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    let jobs = |file: &FileRewrite, gated: bool| {
        let jobs = file.rewrite.jobs.iter();
        jobs.filter(|job| (job.what == Done::Gated) == gated)
            .count()
    };
    let files = &rewrites.files;
    let gated: usize = files.iter().map(|file| jobs(file, true)).sum();
    let left: usize = files.iter().map(|file| jobs(file, false)).sum();
    let workflows = files.iter().filter(|file| jobs(file, true) > 0).count();
    let others = match left {
        0 => String::new(),
        left => format!(", {} {} not", count(left, "other"), are(left)),
    };
    format!(
        "{} of {} {} gated{others}",
        count(gated, "job"),
        count(workflows, "workflow"),
        are(gated)
    )
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn view(of: &Rewriting<'_>, most: usize) -> View {
    let rewrites = of.rewrites;
    let speaks = |file: &&FileRewrite| file.rewrite.refused.as_ref().is_none_or(matters);
    let mut files: Vec<&FileRewrite> = rewrites.files.iter().filter(speaks).collect();
    // What the pull changes comes first.
    files.sort_by_key(|file| (file.found == file.rewrite.text, file.path.as_str()));
    let hidden = files.len().saturating_sub(most);
    let required = of.required.unwrap_or_default();
    View {
        headline: format!("{}.", capitalized(&summary(rewrites))),
        branch: of.branch.to_owned(),
        known: of.required.is_some(),
        required: required.iter().take(NAMES).cloned().collect(),
        required_more: more(required.len(), NAMES),
        workflows: files.into_iter().take(most).map(workflow).collect(),
        cut: (hidden > 0).then(|| {
            format!(
                "{hidden} more workflows are not shown; `trimtab rewrite` in a checkout shows all."
            )
        }),
        backstops: rewrites
            .backstops
            .iter()
            .take(BESIDE)
            .map(backstop)
            .collect(),
        findings: rewrites.findings.iter().take(BESIDE).map(found).collect(),
    }
}

/// Whether people expect to hear why a file is left alone.
fn matters(why: &Refusal) -> bool {
    !matches!(why, Refusal::NotOnPulls)
}

fn more(all: usize, shown: usize) -> Option<usize> {
    all.checked_sub(shown).filter(|more| *more > 0)
}

fn workflow(file: &FileRewrite) -> Workflow {
    let jobs = &file.rewrite.jobs;
    let refused = file.rewrite.refused.as_ref();
    let gated: Vec<&Disposition> = jobs.iter().filter(|job| job.why.is_none()).collect();
    let left: Vec<Left> = jobs.iter().filter_map(left).collect();
    let mut checks: Vec<&CheckRow> = file.checks.iter().collect();
    checks.sort_by_key(|row| (!row.required, !row.vanishes()));
    Workflow {
        path: file.path.clone(),
        refused: refused.map(ToString::to_string),
        remedy: refused.and_then(Refusal::remedy),
        gated_more: more(gated.len(), NAMES),
        gated: gated
            .iter()
            .take(NAMES)
            .map(|job| job.job.clone())
            .collect(),
        checks_more: more(checks.len(), ROWS),
        checks: checks.into_iter().take(ROWS).map(Check::from).collect(),
        left_more: more(left.len(), ROWS),
        left: left.into_iter().take(ROWS).collect(),
    }
}

fn left(job: &Disposition) -> Option<Left> {
    let why = job.why.as_ref()?;
    Some(Left {
        job: job.job.clone(),
        why: why.to_string(),
        remedy: why.remedy(),
    })
}

fn backstop(patch: &BackstopPatch) -> Backstop {
    let fits = is_whole(&patch.diff) && patch.diff.chars().count() <= BACKSTOP;
    Backstop {
        path: patch.path.clone(),
        jobs: patch.jobs.iter().take(NAMES).cloned().collect(),
        diff: fits.then(|| block("diff", &patch.diff)),
    }
}

fn found(of: &Finding) -> Found {
    let place = match (of.path.as_str(), of.line) {
        ("", _) => String::new(),
        (path, 0) => path.to_owned(),
        (path, line) => format!("{path}:{line}"),
    };
    Found {
        place,
        message: of.message.clone(),
        remedy: of.remedy.clone(),
    }
}

#[cfg(test)]
mod tests;
