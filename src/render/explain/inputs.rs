//! What a job reads, line by line of its workflow and of what that calls.
//!
//! A tool reads by many patterns, most of which fit nothing in a given repository:
//! those are counted and not listed, and so are the lines that a matrix repeats.

use std::collections::{BTreeMap, BTreeSet};

use super::{MOST, brief, count, grouped, plain};
use crate::engine::facts::Reach;
use crate::engine::globs::Glob;
use crate::engine::impact::opaque_words;
use crate::engine::inputs::{Input, JobInputs};
use crate::engine::side::Side;
use crate::engine::tree::FileId;

/// The most names of one input that are shown.
const NAMES: usize = 4;

/// How many characters they may fill: a line that people read in one go.
const WIDTH: usize = 100;

/// The most inputs of one line that are shown.
const BLOCK: usize = 10;

/// What the job of this id reads, and what to do where that is not known.
pub(super) fn explain(side: &Side, job: &str, inputs: &JobInputs) -> String {
    if !inputs.opaque.is_empty() {
        return opaque(side, job, inputs);
    }
    let files = side.files(inputs).files.len();
    let is_unread = inputs.never.iter().any(|(never, _)| never.reads_unasked());
    if files == 0 && is_unread {
        return "\nWhat the lines above read is not asked, since it is never skipped. No other line of it reads a file of the repository.\n".to_owned();
    }
    if files == 0 {
        return "\nNo line of it reads a file of the repository.\n".to_owned();
    }
    let beside = if is_unread {
        ", and whatever the lines above read, which is not asked since it is never skipped"
    } else {
        ""
    };
    let (files, all) = (grouped(files), count(side.snapshot.tree.len(), "file"));
    let (told, unfit) = lines(side, inputs);
    format!(
        "\nIt reads {files} of {all}{beside}:\n\n{told}{}{}",
        widenings(side, inputs),
        unfit_patterns(unfit)
    )
}

fn opaque(side: &Side, job: &str, inputs: &JobInputs) -> String {
    let all = count(side.snapshot.tree.len(), "file");
    let mut out = vec![format!(
        "\nIt may read all {all}, since it is not understood here:\n\n"
    )];
    for opaque in inputs.opaque.iter().take(MOST) {
        out.push(format!("  {}\n", brief(&opaque_words(opaque))));
    }
    out.push(more(inputs.opaque.len()));
    out.push(format!(
        "\nTo make it known, name all that it reads in .trimtab.yml on the default branch, such as\n\n  jobs:\n    \"{}\": {{ inputs: [\"src/**\", \"tests/**\"] }}\n",
        plain(job)
    ));
    let (told, _) = lines(side, inputs);
    if !told.is_empty() {
        out.push(format!("\nWhat is understood of it reads:\n\n{told}"));
    }
    out.concat()
}

/// What one line says, and what that reads.
#[derive(Default)]
struct Line<'i> {
    says: BTreeSet<&'i str>,
    reads: BTreeSet<&'i Input>,
}

/// The lines with what they read, and how many patterns fit nothing here.
fn lines(side: &Side, inputs: &JobInputs) -> (String, usize) {
    let mut lines: BTreeMap<(&str, u32), Line<'_>> = BTreeMap::new();
    for (input, origin) in &inputs.parts {
        let line = lines.entry((&origin.file, origin.line)).or_default();
        line.says.insert(&origin.what);
        line.reads.insert(input);
    }
    let mut unfit: BTreeSet<&Glob> = BTreeSet::new();
    let mut told: Vec<(Vec<String>, BTreeSet<String>)> = Vec::new();
    for ((file, number), line) in &lines {
        let patterns = line.reads.iter().flat_map(|input| patterns(input));
        unfit.extend(patterns.filter(|glob| side.fitting(glob).is_empty()));
        let words = line.reads.iter().filter_map(|input| words(side, input));
        let words: BTreeSet<String> = words.collect();
        let title = format!("  {}\n", title(file, *number, &line.says));
        match told.iter_mut().find(|(_, known)| *known == words) {
            _ if words.is_empty() => {}
            Some((titles, _)) => titles.push(title),
            None => told.push((vec![title], words)),
        }
    }
    let (shown, hidden) = told.split_at(told.len().min(MOST));
    let shown: String = shown.iter().map(block).collect();
    (shown + &more(MOST + hidden.len()), unfit.len())
}

/// Lines that read the same, and what that is.
fn block((titles, words): &(Vec<String>, BTreeSet<String>)) -> String {
    let shown = words.iter().take(BLOCK);
    let shown: Vec<String> = shown.map(|words| format!("      {words}\n")).collect();
    let hidden = match words.len().saturating_sub(BLOCK) {
        0 => String::new(),
        hidden => format!("      and {hidden} more\n"),
    };
    titles.concat() + &shown.concat() + &hidden
}

/// `Makefile:8  python -m pytest tests`, for all that a matrix makes of the line.
pub(super) fn title(file: &str, line: u32, says: &BTreeSet<&str>) -> String {
    let place = if line == 0 {
        plain(file)
    } else {
        format!("{}:{line}", plain(file))
    };
    let first = says.first().copied().unwrap_or_default();
    let others = match says.len() {
        0 | 1 => String::new(),
        many => format!(" (and {} more like it)", many - 1),
    };
    format!("{place}  {}{others}", brief(&without_digests(first)))
}

/// `actions/checkout@1a2b3c4…` with as much of the commit as people write.
fn without_digests(text: &str) -> String {
    let word = |word: &str| match word.rsplit_once('@') {
        Some((name, commit)) if is_object_name(commit) => {
            let short: String = commit.chars().take(7).collect();
            format!("{name}@{short}")
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn is_object_name(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn patterns(input: &Input) -> &[Glob] {
    match input {
        Input::Entry(globs)
        | Input::Checked(globs)
        | Input::Compiled(globs)
        | Input::Exact(globs)
        | Input::Shape(globs) => globs,
        Input::Unit(_)
        | Input::Built(_)
        | Input::Tree { .. }
        | Input::Except { .. }
        | Input::External { .. } => &[],
    }
}

/// What a compiler reads beside what it is given, of one and of several.
const COMPILED: (&str, &str) = ("what it is built with", "what they are built with");

/// An input in words; `None` when nothing here fits it.
fn words(side: &Side, input: &Input) -> Option<String> {
    Some(match input {
        Input::Entry(globs) => listed(side, globs)?.and(("all it needs", "all they need")),
        Input::Checked(globs) => listed(side, globs)?.and(("what it imports", "what they import")),
        Input::Compiled(globs) => listed(side, globs)?.and(COMPILED),
        Input::Exact(globs) => listed(side, globs)?.text,
        Input::Shape(globs) => {
            let listed = listed(side, globs)?.text;
            if globs.iter().all(|glob| glob.as_str().ends_with(".py")) {
                format!("that there are {listed}, not what they say")
            } else {
                format!("{listed}, but for versions and dependencies")
            }
        }
        Input::Unit(dir) => units(side, dir)?.and(("all it needs", "all they need")),
        Input::Built(dir) => units(side, dir)?.and(COMPILED),
        Input::Tree { dir, extensions } => {
            let place = match &**dir {
                "" => String::new(),
                dir => format!(" in {}/", plain(dir)),
            };
            of_kind(side, input, extensions, &place)?
        }
        Input::Except { extensions, except } => {
            let place = match except.as_slice() {
                [] => String::new(),
                globs => {
                    let shown: Vec<String> = globs.iter().map(ToString::to_string).collect();
                    format!(", except {}", folded(&shown, "more pattern"))
                }
            };
            of_kind(side, input, extensions, &place)?
        }
        Input::External { dir, name } => external(side, dir, name),
    })
}

/// What is read, in words.
struct Listed {
    text: String,
    is_one: bool,
}

impl Listed {
    /// Adds what follows from it: said of one, and of several.
    fn and(self, (one, several): (&str, &str)) -> String {
        format!(
            "{}, and {}",
            self.text,
            if self.is_one { one } else { several }
        )
    }
}

/// The patterns that fit something here, and how many files that is.
fn listed(side: &Side, globs: &[Glob]) -> Option<Listed> {
    let mut files: BTreeSet<FileId> = BTreeSet::new();
    let mut fitting: Vec<&Glob> = Vec::new();
    for glob in globs {
        let found = side.fitting(glob);
        if !found.is_empty() && !fitting.contains(&glob) {
            fitting.push(glob);
            files.extend(found);
        }
    }
    if fitting.is_empty() {
        return None;
    }
    let names =
        files.len() == fitting.len() && fitting.iter().all(|glob| glob.parts().1.is_empty());
    let what = if names { "more file" } else { "more pattern" };
    let shown: Vec<String> = fitting.iter().map(ToString::to_string).collect();
    let mut text = folded(&shown, what);
    if !names {
        text = format!("{text} ({})", count(files.len(), "file"));
    }
    Some(Listed {
        text,
        is_one: files.len() == 1,
    })
}

/// The first names that fit into a line, at least one, and how many others there are.
pub(super) fn folded<T: AsRef<str>>(names: &[T], what: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut width = 0;
    for name in names.iter().take(NAMES) {
        let name = brief(name.as_ref());
        width += name.chars().count();
        if width > WIDTH && !shown.is_empty() {
            break;
        }
        shown.push(name);
    }
    let text = shown.join(", ");
    match names.len() - shown.len() {
        0 => text,
        hidden => format!("{text} and {}", count(hidden, what)),
    }
}

fn units(side: &Side, dir: &str) -> Option<Listed> {
    let units = side.graph.units().iter();
    let units = units.filter(|unit| unit.dir.as_deref() == Some(dir));
    let names = units.map(|unit| unit.name.as_ref());
    // What a package owns comes with its code.
    let names: Vec<&str> = names.filter(|name| !name.starts_with("data of ")).collect();
    (!names.is_empty()).then(|| Listed {
        text: folded(&names, "other"),
        is_one: names.len() == 1,
    })
}

/// Files that go by their endings.
fn of_kind(side: &Side, input: &Input, extensions: &[Box<str>], place: &str) -> Option<String> {
    let files = side.named(input).len();
    let mut kinds: Vec<String> = extensions
        .iter()
        .filter(|extension| !extension.is_empty())
        .map(|extension| format!("*.{}", plain(extension)))
        .collect();
    let hidden = kinds.len().saturating_sub(NAMES);
    kinds.truncate(NAMES);
    let mut told = match kinds.as_slice() {
        [] if extensions.is_empty() => vec!["every file".to_owned()],
        [] => Vec::new(),
        [only] => vec![format!("every {only} file")],
        [others @ .., last] => vec![format!("every {} and {last} file", others.join(", "))],
    };
    if hidden > 0 {
        told.push(count(hidden, "more kind"));
    }
    if extensions.iter().any(|extension| extension.is_empty()) {
        told.push("every file without an ending".to_owned());
    }
    let kinds = told.join(", ");
    (files > 0).then(|| format!("{kinds}{place} ({})", count(files, "file")))
}

fn external(side: &Side, dir: &str, name: &str) -> String {
    let packages = side.survey.packages.in_dir(dir);
    let manifests: Vec<&str> = packages.map(|package| package.manifest.as_ref()).collect();
    let (asker, ask) = match (manifests.as_slice(), dir) {
        ([], "") => ("the root".to_owned(), "asks"),
        ([], dir) => (plain(dir), "asks"),
        ([one], _) => (plain(one), "asks"),
        (many, _) => (folded(many, "more manifest"), "ask"),
    };
    if name == "*" {
        format!("the packages from outside that {asker} {ask} for")
    } else {
        format!("the package {} that {asker} {ask} for", plain(name))
    }
}

/// Constructs that may load anything, by what that makes the job read.
fn widenings(side: &Side, inputs: &JobInputs) -> String {
    let mut found: BTreeMap<Option<(&str, bool)>, Vec<String>> = BTreeMap::new();
    for (widening, reach) in side.widenings(inputs) {
        let path = side.snapshot.tree.path(widening.file);
        let all = match reach {
            Reach::Package | Reach::Visible | Reach::Composed => {
                let owner = side.survey.packages.owner_dir(path);
                owner.map(|dir| (dir, reach == Reach::Package))
            }
            Reach::Repository => None,
        };
        let what = brief(&widening.what);
        let place = format!("{}:{}  {what}", plain(path), widening.line);
        found.entry(all).or_default().push(place);
    }
    let line = |(all, places): (Option<(&str, bool)>, &Vec<String>)| {
        let whole = match all {
            None => "everything".to_owned(),
            Some(("", _)) => "all of the root package".to_owned(),
            Some((dir, _)) => format!("all of {}/", plain(dir)),
        };
        let all = match all {
            Some((_, false)) => format!("{whole} but hidden files"),
            _ => whole,
        };
        let first = places.first().map_or("", String::as_str);
        let others = match places.len() {
            1 => String::new(),
            many => format!(" (and {} more like it)", many - 1),
        };
        format!("  {first}{others}\n      {all}\n")
    };
    let lines: Vec<String> = found
        .iter()
        .map(|(reach, places)| line((*reach, places)))
        .take(MOST)
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\nThese load what no literal names, so more counts as read:\n\n{}",
        lines.concat()
    )
}

fn unfit_patterns(count_of: usize) -> String {
    match count_of {
        0 => String::new(),
        1 => "\nA file that came to fit 1 more pattern would be read too.\n".to_owned(),
        many => {
            format!("\nA file that came to fit one of {many} more patterns would be read too.\n")
        }
    }
}

fn more(of: usize) -> String {
    if of > MOST {
        format!("  and {} more\n", of - MOST)
    } else {
        String::new()
    }
}
