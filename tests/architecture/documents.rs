//! The documents against the tree: what they name exists.
//!
//! Paths in backticks, links, commands in fences, reason ids and glossary words
//! are compared with the files, the recipes and the code that they speak of.

use std::process::Command;

use trimtab::engine::plan::ReasonId;

use super::source::{Source, files, none, read, root};

/// Directories whose paths are checked wherever a document names them.
const CHECKED: &[&str] = &[
    "src/",
    "tests/",
    "docs/",
    "benches/",
    "templates/",
    "assets/",
    ".github/workflows/ci",
    ".ci/",
];

/// One word each; the glossary defines them all.
const WORDS: &[&str] = &[
    "pull",
    "change",
    "unit",
    "inputs",
    "impact",
    "basis",
    "reason",
    "run",
    "outcome",
    "plan",
    "verdict",
    "skip",
    "confidence",
    "miss",
    "holdout",
    "quarantine",
    "budget",
    "baseline",
    "finding",
    "edit",
    "report",
    "delivery",
    "job",
    "task",
    "lease",
    "dead letter",
    "lane",
    "receipt",
    "trace",
    "drill",
    "backstop",
    "escape",
    "next",
];

fn documents() -> Vec<Source> {
    let top = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ];
    let mut all: Vec<Source> = top
        .iter()
        .map(|path| Source::sample(path, &read(path)))
        .collect();
    all.extend(files(&["docs"], "md"));
    all
}

/// Numbered lines of a document, with whether they stand in a fence.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, Option<&str>)> {
    let mut fence = None;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(kind) };
            return None;
        }
        Some((number, line, fence))
    })
}

fn path_faults(document: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line, fence) in lines(&document.text) {
        if fence.is_some() {
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        let named = quoted.filter(|word| CHECKED.iter().any(|dir| word.starts_with(dir)));
        for path in named.filter(|word| !word.contains(['*', '<', '{', ' '])) {
            let path = path.split(':').next().unwrap_or(path);
            if !root().join(path).exists() {
                faults.push(format!(
                    "{}:{number}: `{path}` does not exist",
                    document.path
                ));
            }
        }
        for target in line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            faults.extend(link_fault(document, number, target));
        }
    }
    faults
}

fn link_fault(document: &Source, number: usize, target: &str) -> Option<String> {
    let path = target.split('#').next().unwrap_or_default();
    if target.contains("://") || path.is_empty() {
        return None;
    }
    let from = root().join(&document.path);
    let found = from.parent()?.join(path).exists();
    (!found).then(|| {
        format!(
            "{}:{number}: the link to `{path}` leads nowhere",
            document.path
        )
    })
}

/// The commands of the fences marked `sh`, one a line, without the prompt.
fn commands(document: &Source) -> Vec<(usize, String)> {
    lines(&document.text)
        .filter(|(_, _, fence)| *fence == Some("sh"))
        .map(|(number, line, _)| (number, line.trim_start_matches("$ ").to_owned()))
        .collect()
}

fn command_faults(document: &Source, knows: &impl Fn(&str, &str) -> bool) -> Vec<String> {
    commands(document)
        .into_iter()
        .flat_map(|(number, line)| {
            let path = &document.path;
            asked(&line)
                .into_iter()
                .filter(|(kind, name)| !knows(kind, name))
                .map(|(kind, name)| format!("{path}:{number}: there is no {kind} `{name}`"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What a command line takes for granted: a subcommand, a recipe, a target, a file.
fn asked(line: &str) -> Vec<(&'static str, String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|found| *found == word)?;
        words.get(at + 1).map(|next| (*next).to_owned())
    };
    let own = match words.as_slice() {
        ["cargo", "run", ..] => after("--"),
        ["trimtab", ..] => after("trimtab"),
        _ => None,
    };
    let mut found: Vec<(&'static str, String)> = Vec::new();
    found.extend(
        own.filter(|name| !name.starts_with('-'))
            .map(|name| ("subcommand", name)),
    );
    found.extend(after("just").map(|name| ("recipe", name)));
    found.extend(after("--bench").map(|name| ("bench target", name)));
    found.extend(after("--test").map(|name| ("test target", name)));
    found.extend(after("bash").map(|name| ("file", name)));
    found
}

fn exists(kind: &str, name: &str) -> bool {
    match kind {
        "subcommand" => is_subcommand(name),
        "recipe" => read("justfile")
            .lines()
            .any(|line| line.split([':', ' ']).next() == Some(name)),
        "file" => root().join(name).exists(),
        _ => read("Cargo.toml").contains(&format!("name = \"{name}\"")),
    }
}

/// Asks the program itself, so that a renamed subcommand is noticed.
fn is_subcommand(name: &str) -> bool {
    let output = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args([name, "--help"])
        .output()
        .unwrap();
    output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage")
}

#[test]
fn every_path_and_link_leads_somewhere() {
    none(&documents().iter().flat_map(path_faults).collect::<Vec<_>>());
}

#[test]
fn every_command_exists() {
    let all = documents();
    let count: usize = all.iter().map(|document| commands(document).len()).sum();
    assert!(
        count >= 5,
        "only {count} commands found: are the fences marked `sh`?"
    );
    none(
        &all.iter()
            .flat_map(|document| command_faults(document, &exists))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = Source::sample("README.md", &read("README.md"));
    let test = commands(&readme)
        .into_iter()
        .find(|(_, line)| line.starts_with("cargo test"));
    let (_, command) = test.expect("README gives a test command");
    let ci = read(".ci/run");
    assert!(
        ci.lines().any(|line| line.trim_end().ends_with(&command)),
        "{command}"
    );
}

#[test]
fn the_api_page_lists_the_reason_ids_in_order() {
    let page = read("docs/api.md");
    let section = page
        .split("### Reason ids")
        .nth(1)
        .expect("a section `Reason ids`");
    let section = section.split("\n### ").next().unwrap_or(section);
    let listed: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let known: Vec<&str> = ReasonId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(listed, known);
}

/// The words in backticks of a table's last column.
fn tests_named(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let page = read("SECURITY.md");
    let section = page.split("## Traps and their tests").nth(1);
    let section = section.and_then(|rest| rest.split("\n## ").next());
    let named = tests_named(section.expect("a section of traps"));
    assert!(named.len() > 30, "only {} tests are named", named.len());
    let sources = files(&["src", "tests"], "rs");
    let exists = |name: &str| {
        let head = format!("fn {name}(");
        sources.iter().any(|source| source.text.contains(&head))
    };
    let missing = named.into_iter().filter(|name| !exists(name));
    none(&missing.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn the_glossary_defines_every_word() {
    let page = read("docs/glossary.md");
    let defined: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("**")?.split("**").next())
        .collect();
    for word in WORDS {
        assert!(
            defined.contains(word),
            "docs/glossary.md does not define `{word}`"
        );
    }
}

#[test]
fn the_changelog_has_a_place_for_what_is_not_released() {
    assert!(
        read("CHANGELOG.md")
            .lines()
            .any(|line| line == "## [Unreleased]")
    );
}

#[test]
fn a_dead_path_and_a_dead_link_are_seen() {
    let dead = |text: &str| path_faults(&Source::sample("docs/x.md", text)).len();
    assert_eq!(
        dead("see `src/engine/plan.rs` and [the plan](api.md#plan)"),
        0
    );
    assert_eq!(dead("see `src/engine/nothing.rs`"), 1);
    assert_eq!(dead("see [nothing](nothing.md)"), 1);
    assert_eq!(
        dead("see `src/<language>.rs` and [far](https://example.org/x)"),
        0
    );
}

#[test]
fn a_dead_command_is_seen() {
    let faults = |command: &str| {
        let text = format!("```sh\n{command}\n```\n");
        command_faults(&Source::sample("x.md", &text), &exists).len()
    };
    assert_eq!(faults("cargo run --release -- plan --repo DIR"), 0);
    assert_eq!(faults("cargo run -- levitate"), 1);
    assert_eq!(faults("just levitate"), 1);
    assert_eq!(faults("just check"), 0);
    assert_eq!(faults("bash .ci/run"), 0);
    assert_eq!(faults("bash levitate.sh"), 1);
    assert_eq!(faults("cargo bench --bench levitate"), 1);
    assert_eq!(faults("cargo test --test architecture"), 0);
}

#[test]
fn the_operations_page_lists_the_settings_in_order() {
    let rows: Vec<String> = trimtab::config::reference()
        .iter()
        .map(|setting| {
            let default = match setting.default {
                None => "must be set".to_owned(),
                Some("") => "empty".to_owned(),
                Some(default) => format!("`{default}`"),
            };
            format!("| `{}` | {default} | {} |", setting.name, setting.meaning)
        })
        .collect();
    let page = read("docs/operations.md");
    assert!(page.contains(&rows.join("\n")), "{}", rows.join("\n"));
}
