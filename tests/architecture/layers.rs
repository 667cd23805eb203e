//! Who may know whom, and which file alone may name a thing.
//!
//! `main → cli → web | worker → flow → {forge, store, repo, render} → engine`:
//! each module of the crate's root has the list of those it may name. The list
//! cannot contain a circle, so neither can the program.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, none, rust};

/// A module of the crate's root, and the others that it may name.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("clock", &["engine"]),
    ("telemetry", &["clock"]),
    ("config", &["engine"]),
    ("queue", &["engine", "clock", "store"]),
    ("signer", &["engine", "clock", "forge"]),
    ("repo", &["engine", "clock"]),
    ("forge", &["engine", "clock"]),
    ("store", &["engine", "clock"]),
    ("render", &["engine"]),
    (
        "flow",
        &[
            "engine",
            "clock",
            "queue",
            "repo",
            "forge",
            "store",
            "render",
            "telemetry",
        ],
    ),
    (
        "worker",
        &[
            "engine",
            "clock",
            "queue",
            "store",
            "flow",
            "telemetry",
            "config",
        ],
    ),
    (
        "web",
        &[
            "engine",
            "clock",
            "queue",
            "forge",
            "store",
            "render",
            "flow",
            "telemetry",
            "config",
        ],
    ),
    (
        "cli",
        &[
            "engine",
            "clock",
            "telemetry",
            "config",
            "queue",
            "signer",
            "repo",
            "forge",
            "store",
            "render",
            "flow",
            "worker",
            "web",
        ],
    ),
    ("build", &[]),
    ("lib", &[]),
    ("main", &["cli", "telemetry", "config"]),
];

/// What the engine cannot name: I/O, time, chance, concurrency, untyped data.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant::",
    "tokio",
    "async fn",
    "async move",
    ".await",
    "serde_json::Value",
    "serde_json::json",
    "RandomState",
    "tracing::",
    "println!",
    "eprintln!",
];

/// A name, the paths that alone may hold it, and why.
const ONLY: &[(&str, &[&str], &str)] = &[
    (
        "SystemTime::now",
        &["src/clock.rs"],
        "only clock.rs reads time",
    ),
    ("Instant::now", &[], "only clock.rs reads time"),
    ("Utc::now", &[], "only clock.rs reads time"),
    (
        "env::var",
        &["src/config"],
        "only config.rs reads the environment",
    ),
    (", env = \"", &[], "only config.rs reads the environment"),
    (
        "sled::",
        &["src/store/embedded"],
        "one file names the embedded store",
    ),
    (
        "octocrab::",
        &["src/forge/github"],
        "GitHub's client stays inside its forge",
    ),
    (
        "handlebars::",
        &["src/render"],
        "one module renders and escapes",
    ),
    ("unsafe {", &[], "nothing here needs it"),
];

/// Where types may be written to and read from bytes: published formats, foreign
/// files, foreign payloads, stored records, what templates are given.
const SERDE: &[&str] = &[
    "src/engine/ids.rs",
    "src/engine/plan.rs",
    "src/engine/lock/document.rs",
    "src/engine/packages/node.rs",
    "src/engine/pipeline/expression/functions.rs",
    "src/engine/pipeline/rewrite/document.rs",
    "src/engine/graph/document.rs",
    "src/engine/history",
    "src/forge/github/payload",
    "src/store/record",
    "src/render",
];

fn module(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap_or(path);
    rest.split(['/', '.']).next().unwrap_or(rest)
}

/// How many modules lie above the one of this file; the crate's root has none.
fn depth(path: &str) -> usize {
    let rest = path.trim_start_matches("src/").trim_end_matches(".rs");
    rest.trim_end_matches("/mod").split('/').count()
}

/// The modules of the crate's root that a piece of code names.
fn named(source: &Source) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let code: Vec<_> = source.code().collect();
    for (index, (number, line)) in code.iter().enumerate() {
        for prefix in ["crate::", "trimtab::"] {
            for (at, _) in line.match_indices(prefix) {
                let rest = &line[at + prefix.len()..];
                let following: String = code[index..].iter().skip(1).map(|(_, l)| *l).collect();
                found.extend(heads(rest, &following).map(|name| (*number, name)));
            }
        }
        let up = "super::".repeat(depth(&source.path));
        if let Some(at) = line.find(&up) {
            let rest = &line[at + up.len()..];
            found.extend(heads(rest, "").map(|name| (*number, name)));
        }
    }
    found
}

/// `a::b` gives `a`; `{a::b, c}` gives `a` and `c`, also over several lines.
fn heads(rest: &str, following: &str) -> impl Iterator<Item = String> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut names = Vec::new();
    if let Some(group) = rest.strip_prefix('{') {
        let text = format!("{group}{following}");
        let mut level = 1;
        let mut start = 0;
        for (at, c) in text.char_indices() {
            match c {
                '{' => level += 1,
                '}' => level -= 1,
                _ => {}
            }
            if level == 0 || level == 1 && c == ',' {
                names.push(word(&text[start..at]));
                start = at + 1;
            }
            if level == 0 {
                break;
            }
        }
    } else {
        names.push(word(rest));
    }
    names.into_iter().filter(|name| !name.is_empty())
}

fn direction_faults(source: &Source) -> Vec<String> {
    let own = module(&source.path);
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == own) else {
        return vec![format!(
            "{}: `{own}` has no place in MAY_KNOW (tests/architecture/layers.rs) yet",
            source.path
        )];
    };
    let known: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    named(source)
        .into_iter()
        .filter(|(_, name)| name != own && known.contains(name.as_str()))
        .filter(|(_, name)| !allowed.contains(&name.as_str()))
        .map(|(line, name)| format!("{}:{line}: `{own}` may not know `{name}`", source.path))
        .collect()
}

fn purity_faults(source: &Source) -> Vec<String> {
    if module(&source.path) != "engine" {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, code) in source.code() {
        for name in IMPURE.iter().filter(|name| code.contains(**name)) {
            faults.push(format!(
                "{}:{line}: the engine is pure, but names `{name}`",
                source.path
            ));
        }
    }
    faults
}

fn monopoly_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, code) in source.code() {
        for (name, paths, why) in ONLY {
            if code.contains(name) && !paths.iter().any(|path| source.path.starts_with(path)) {
                faults.push(format!("{}:{line}: `{name}`: {why}", source.path));
            }
        }
        if names_serde(code) && !SERDE.iter().any(|path| source.path.starts_with(path)) {
            faults.push(format!(
                "{}:{line}: serde has no place here; move the type to a payload, record or format",
                source.path
            ));
        }
    }
    faults
}

fn names_serde(code: &str) -> bool {
    let names = ["Serialize", "Deserialize", "serde::"];
    names.iter().any(|name| code.contains(name))
}

/// Lines of the lists above that hold for nothing: a module or a place that is gone, or
/// a right that nobody uses.
fn idle_faults(sources: &[Source]) -> Vec<String> {
    let is_used = |path: &str, uses: &dyn Fn(&str) -> bool| {
        let mut here = sources.iter().filter(|it| it.path.starts_with(path));
        here.any(|it| it.code().any(|(_, code)| uses(code)))
    };
    let modules: BTreeSet<&str> = sources.iter().map(|it| module(&it.path)).collect();
    let gone = MAY_KNOW.iter().filter(|(name, _)| !modules.contains(name));
    let gone = gone.map(|(name, _)| format!("MAY_KNOW: there is no module `{name}`"));
    let named = ONLY.iter().flat_map(|(name, paths, _)| {
        let idle = paths
            .iter()
            .filter(move |path| !is_used(path, &|code| code.contains(name)));
        idle.map(move |path| format!("ONLY: nothing in {path} names `{name}`"))
    });
    let serde = SERDE.iter().filter(|path| !is_used(path, &names_serde));
    let serde = serde.map(|path| format!("SERDE: nothing in {path} needs it"));
    gone.chain(named).chain(serde).collect()
}

fn production() -> impl Iterator<Item = Source> {
    rust()
        .into_iter()
        .filter(|source| source.path.starts_with("src/"))
}

#[test]
fn every_module_knows_only_those_to_its_right() {
    none(
        &production()
            .flat_map(|source| direction_faults(&source))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_engine_is_pure() {
    none(
        &production()
            .flat_map(|source| purity_faults(&source))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_thing_with_one_place_is_named_there_only() {
    none(
        &production()
            .flat_map(|source| monopoly_faults(&source))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_direction_has_no_circle() {
    let known: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    while settled.len() < known.len() {
        let next = known.iter().find(|(name, needs)| {
            !settled.contains(*name) && needs.iter().all(|need| settled.contains(need))
        });
        let (name, _) = next.expect("MAY_KNOW has a circle or names an unknown module");
        settled.insert(name);
    }
}

#[test]
fn every_line_of_these_lists_holds_for_something() {
    none(&idle_faults(&production().collect::<Vec<_>>()));
}

#[test]
fn a_line_that_holds_for_nothing_is_seen() {
    let faults = idle_faults(&[Source::sample(
        "src/render/view.rs",
        "use serde::Serialize;\n",
    )]);
    let has = |fault: &str| faults.iter().any(|it| it == fault);
    assert!(has("MAY_KNOW: there is no module `engine`"), "{faults:#?}");
    assert!(
        has("ONLY: nothing in src/store/embedded names `sled::`"),
        "{faults:#?}"
    );
    assert!(
        has("SERDE: nothing in src/engine/plan.rs needs it"),
        "{faults:#?}"
    );
    assert!(!has("SERDE: nothing in src/render needs it"), "{faults:#?}");
}

fn check(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, expected: usize) {
    let faults = rule(&Source::sample(path, text));
    assert_eq!(faults.len(), expected, "{path}: {text}\n{faults:#?}");
}

#[test]
fn a_step_against_the_direction_is_seen() {
    let rule = direction_faults;
    check(rule, "src/engine/graph.rs", "use crate::forge::Forge;\n", 1);
    check(
        rule,
        "src/engine/graph/c.rs",
        "use super::super::super::repo::Repo;\n",
        1,
    );
    check(rule, "src/forge.rs", "use super::store::Store;\n", 1);
    check(
        rule,
        "src/store/embedded.rs",
        "fn f(x: crate::forge::Event) {}\n",
        1,
    );
    check(
        rule,
        "src/repo.rs",
        "use crate::{\n    engine::ids::{self},\n    store,\n};\n",
        1,
    );
    check(rule, "src/novelty.rs", "", 1);
    check(
        rule,
        "src/flow/analyse_pull.rs",
        "use crate::{engine, forge, store};\n",
        0,
    );
    check(
        rule,
        "src/engine/plan.rs",
        "// crate::forge\nuse crate::engine::ids;\n",
        0,
    );
    check(
        rule,
        "src/engine/plan.rs",
        "#[cfg(test)]\nmod tests { use crate::web; }\n",
        0,
    );
}

#[test]
fn an_impure_engine_is_seen() {
    let rule = purity_faults;
    check(
        rule,
        "src/engine/diff.rs",
        "let text = std::fs::read(path);\n",
        1,
    );
    check(
        rule,
        "src/engine/diff.rs",
        "let now = SystemTime::now();\n",
        1,
    );
    check(
        rule,
        "src/engine/diff.rs",
        "fn f(v: serde_json::Value) {}\n",
        1,
    );
    check(rule, "src/repo.rs", "let text = std::fs::read(path);\n", 0);
}

#[test]
fn a_thing_out_of_its_place_is_seen() {
    let rule = monopoly_faults;
    check(rule, "src/web/router.rs", "let now = Instant::now();\n", 1);
    check(rule, "src/cli/plan.rs", "std::env::var(\"HOME\")\n", 1);
    check(rule, "src/store.rs", "fn open() -> sled::Db {}\n", 1);
    check(
        rule,
        "src/store/embedded.rs",
        "fn open() -> sled::Db {}\n",
        0,
    );
    check(rule, "src/engine/diff.rs", "#[derive(Serialize)]\n", 1);
    check(rule, "src/engine/plan.rs", "#[derive(Serialize)]\n", 0);
}
