//! The shape of code: headers, sizes, names, and marks that hide a fault.
//!
//! The limits are those of CONTRIBUTING.md: a function has at most 60 lines and
//! a file at most 500 lines of production code.

use super::source::{Source, none, rust};

const MAX_FILE: usize = 500;
const MAX_FUNCTION: usize = 60;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "manager", "managers", "common", "types", "misc",
];

fn header_faults(source: &Source) -> Vec<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let fault = match first.strip_prefix("//! ") {
        None => "begins without `//!` and what it is for",
        Some(rest) if rest.starts_with("This ") => {
            "begins with `This ...` and not with its purpose"
        }
        Some(_) => return Vec::new(),
    };
    vec![format!("{}: {fault}", source.path)]
}

fn length_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = source.production().lines().count();
    if lines > MAX_FILE && !source.path.starts_with("tests/") {
        faults.push(format!(
            "{}: {lines} lines of production code, {MAX_FILE} at most",
            source.path
        ));
    }
    for (line, name, length) in functions(source.production()) {
        if length > MAX_FUNCTION {
            faults.push(format!(
                "{}:{line}: `{name}` has {length} lines, {MAX_FUNCTION} at most",
                source.path
            ));
        }
    }
    faults
}

/// Line, name and length of every function: from `fn` to the brace that closes it
/// at the same indentation, which rustfmt sees to.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let before = code.split("fn ").next().unwrap_or_default();
        let is_signature = code.contains("fn ")
            && before.split_whitespace().all(|word| {
                matches!(word, "pub" | "async" | "const" | "unsafe" | "extern")
                    || word.starts_with("pub(")
            });
        if !is_signature {
            continue;
        }
        let closing = format!("{indent}}}");
        let declared = format!("{indent})");
        let end = lines[index..].iter().enumerate().position(|(at, line)| {
            let ends = line.ends_with(';') && (at == 0 || line.starts_with(&declared));
            **line == closing || ends || at == 0 && line.ends_with('}')
        });
        let name: String = code[before.len() + 3..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        found.push((index + 1, name, end.map_or(1, |end| end + 1)));
    }
    found
}

/// A `bool` among the arguments of a function that the whole crate can call: at the call
/// nobody sees what `true` means.
fn bool_faults(source: &Source) -> Vec<String> {
    let text = source.production();
    let mut faults = Vec::new();
    for (line, name, _) in functions(text) {
        let rest = text.lines().skip(line - 1).collect::<Vec<_>>().join(" ");
        let head = rest.split('{').next().unwrap_or_default();
        let head = head.split("->").next().unwrap_or_default();
        let head = head.trim_start();
        let is_open = head.starts_with("pub fn")
            || head.starts_with("pub async fn")
            || head.starts_with("pub const fn")
            || head.starts_with("pub(crate)");
        let mut arguments = head.split([',', '(', ')']);
        if is_open && arguments.any(|argument| argument.trim_end().ends_with(": bool")) {
            let path = &source.path;
            faults.push(format!(
                "{path}:{line}: `{name}` takes a `bool`: name what it means"
            ));
        }
    }
    faults
}

fn name_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let stem = source.path.trim_end_matches(".rs");
    for part in stem.split('/').filter(|part| EMPTY_NAMES.contains(part)) {
        faults.push(format!(
            "{}: `{part}` says nothing about what is inside",
            source.path
        ));
    }
    for (line, code) in (1..).zip(source.text.lines()) {
        let code = code.trim_start().trim_start_matches("pub ");
        if let Some(rest) = code.strip_prefix("mod ") {
            let name = rest.trim_end_matches([' ', '{', ';', '}']);
            if EMPTY_NAMES.contains(&name) {
                faults.push(format!(
                    "{}:{line}: module `{name}` says nothing",
                    source.path
                ));
            }
        }
        if code.strip_prefix("fn test_").is_some() {
            faults.push(format!(
                "{}:{line}: a test is a sentence, without `test_`",
                source.path
            ));
        }
    }
    faults
}

/// Marks that switch a check off, or put work off, without a reason.
fn silence_faults(source: &Source) -> Vec<String> {
    let marks = [
        concat!("#[", "ignore"),
        concat!("#[", "allow("),
        concat!("#![", "allow("),
    ];
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(source.text.lines()) {
        let code = text.trim_start();
        for mark in marks.iter().filter(|mark| code.starts_with(**mark)) {
            faults.push(format!(
                "{}:{line}: `{mark}`: use `#[expect(.., reason = ..)]` or repair it",
                source.path
            ));
        }
        if let Some((_, rest)) = code.split_once(concat!("TO", "DO"))
            && !rest.starts_with("(#")
        {
            faults.push(format!(
                "{}:{line}: an open point names its issue",
                source.path
            ));
        }
    }
    faults
}

/// A file that no `mod` names is never compiled, and its tests never run. Besides a
/// slip, a merge may have dropped the line.
fn orphan_faults(sources: &[Source]) -> Vec<String> {
    let text = |path: &str| {
        let found = sources.iter().find(|source| source.path == path);
        found.map_or("", |source| source.text.as_str())
    };
    let mut faults = Vec::new();
    for source in sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let (parent, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        if !parent.starts_with("src") || matches!(stem, "src/lib" | "src/main" | "src/build") {
            continue;
        }
        let declared = format!("mod {name};");
        let parents = match parent {
            "src" => ["src/lib.rs".to_owned(), "src/main.rs".to_owned()],
            _ => [format!("{parent}.rs"), format!("{parent}/mod.rs")],
        };
        let names = |path: &String| {
            let mut lines = text(path).lines().map(str::trim_start);
            lines.any(|line| line.ends_with(&declared) && !line.starts_with("//"))
        };
        if !parents.iter().any(names) {
            faults.push(format!("{}: `{declared}` stands nowhere", source.path));
        }
    }
    faults
}

fn all(rule: fn(&Source) -> Vec<String>) {
    none(&rust().iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is_for() {
    all(header_faults);
}

#[test]
fn files_and_functions_are_short() {
    all(length_faults);
}

#[test]
fn no_argument_is_a_bool() {
    let sources = rust();
    let sources = sources.iter().filter(|it| it.path.starts_with("src/"));
    none(&sources.flat_map(bool_faults).collect::<Vec<_>>());
}

#[test]
fn no_name_is_empty_of_meaning() {
    all(name_faults);
}

#[test]
fn nothing_is_silenced_without_a_reason() {
    all(silence_faults);
}

#[test]
fn every_file_belongs_to_the_program() {
    none(&orphan_faults(&rust()));
}

#[test]
fn an_orphan_is_seen() {
    let tree = |engine: &str| {
        let sources = [
            Source::sample("src/lib.rs", "pub mod engine;\n"),
            Source::sample("src/engine.rs", engine),
            Source::sample("src/engine/plan.rs", "#[cfg(test)]\nmod tests;\n"),
            Source::sample("src/engine/plan/tests.rs", ""),
        ];
        orphan_faults(&sources).len()
    };
    assert_eq!(tree("pub(crate) mod plan;\n"), 0);
    assert_eq!(tree("// pub mod plan;\n"), 1);
}

fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, expected: usize) {
    let faults = rule(&Source::sample(path, text));
    assert_eq!(faults.len(), expected, "{path}\n{faults:#?}");
}

#[test]
fn a_file_without_a_purpose_is_seen() {
    check(header_faults, "src/a.rs", "use std::fmt;\n", 1);
    check(
        header_faults,
        "src/a.rs",
        "//! This module does things.\n",
        1,
    );
    check(header_faults, "src/a.rs", "//! Counts things.\n", 0);
}

#[test]
fn a_long_file_and_a_long_function_are_seen() {
    let body = "    work();\n".repeat(59);
    check(
        length_faults,
        "src/a.rs",
        &format!("fn long() {{\n{body}}}\n"),
        1,
    );
    let body = "    work();\n".repeat(58);
    check(
        length_faults,
        "src/a.rs",
        &format!("pub(crate) async fn fits() {{\n{body}}}\n"),
        0,
    );
    check(length_faults, "src/a.rs", &"// a line\n".repeat(501), 1);
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "    // a line\n".repeat(600)
    );
    check(length_faults, "src/a.rs", &tests, 0);
    let declared = format!(
        "trait A {{\n    fn a();\n{}}}\n",
        "    fn b();\n".repeat(70)
    );
    check(length_faults, "src/a.rs", &declared, 0);
}

#[test]
fn a_bool_argument_is_seen() {
    let body = " {\n}\n";
    let check = |signature: &str, expected| {
        check(
            bool_faults,
            "src/a.rs",
            &format!("{signature}{body}"),
            expected,
        );
    };
    check("pub fn open(path: &str, quick: bool)", 1);
    check(
        "pub(crate) async fn open(\n    path: &str,\n    quick: bool,\n) -> u8",
        1,
    );
    check("pub fn open(path: &str) -> bool", 0);
    check("pub fn open(fits: impl Fn(&str) -> bool)", 0);
    check("fn open(quick: bool)", 0);
}

#[test]
fn an_empty_name_is_seen() {
    check(name_faults, "src/engine/utils.rs", "", 1);
    check(name_faults, "src/misc/a.rs", "", 1);
    check(name_faults, "src/a.rs", "mod helpers {\n", 1);
    check(name_faults, "src/a.rs", "    fn test_sums() {\n", 1);
    check(
        name_faults,
        "src/engine/commonmark.rs",
        "mod utilities;\n",
        0,
    );
}

#[test]
fn a_silenced_check_is_seen() {
    check(
        silence_faults,
        "src/a.rs",
        concat!("    #[", "ignore]\n"),
        1,
    );
    check(
        silence_faults,
        "src/a.rs",
        concat!("#[", "allow(dead_code)]\n"),
        1,
    );
    check(
        silence_faults,
        "src/a.rs",
        concat!("// TO", "DO: later\n"),
        1,
    );
    check(
        silence_faults,
        "src/a.rs",
        concat!("// TO", "DO(#7): later\n"),
        0,
    );
}
