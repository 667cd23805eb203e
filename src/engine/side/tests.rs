//! A side that is derived from another against one that is made from nothing.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::engine::diff;
use crate::engine::facts::Language;
use crate::engine::ids::ObjectId;
use crate::engine::tree::{Entry, Mode, Tree};

/// A repository of two languages with a pipeline that calls a script.
const FILES: &[(&str, &str)] = &[
    (
        ".github/workflows/ci.yml",
        "on: pull_request\njobs:\n  py: {runs-on: ubuntu-latest, steps: [{run: pytest api}]}\n  js: {runs-on: ubuntu-latest, steps: [{run: bash tools/js.sh}]}\n  lint: {runs-on: ubuntu-latest, steps: [{run: npx eslint .}]}\n  all: {runs-on: ubuntu-latest, steps: [{run: frobnicate}]}\n",
    ),
    ("api/__init__.py", ""),
    ("api/login.py", "from api import token\n"),
    (
        "api/test_login.py",
        "import api.login\nDATA = 'data/users.json'\n",
    ),
    (
        "api/token.py",
        "import importlib\nimportlib.import_module(name)\n",
    ),
    ("data/users.json", "{}"),
    ("eslint.config.js", "import js from '@eslint/js'\n"),
    (
        "package.json",
        "{\"name\": \"web\", \"scripts\": {\"test\": \"jest\"}}",
    ),
    ("pyproject.toml", "[project]\nname = 'api'\n"),
    ("tools/js.sh", "npm test\n"),
    ("web/a.js", "import './b'\n"),
    ("web/a.test.js", "import './a'\n"),
    ("web/b.js", ""),
];

/// What an edited file may hold: nothing, what others hold, something new.
const CONTENTS: &[&str] = &[
    "",
    "from api import login\n",
    "import './b'\nconst it = 'data/users.json'\n",
    "npm run build\n",
    "\n\nimport importlib\nimportlib.import_module(name)\n",
];

type Files = BTreeMap<String, String>;

fn files() -> Files {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    FILES.iter().map(owned).collect()
}

fn blob(text: &str) -> ObjectId {
    ObjectId::from_bytes(&Sha256::digest(text.as_bytes())).unwrap()
}

/// What the loader reads of a tree; the scripts of jobs are read when they are asked for.
fn snapshot(files: &Files, asked: &BTreeSet<Box<str>>) -> Snapshot {
    let entries = files.iter().map(|(path, text)| Entry {
        path: path.as_str().into(),
        mode: Mode::File,
        blob: blob(text),
    });
    let mut snapshot = Snapshot::new(Tree::new(entries.collect()));
    for (path, text) in files {
        if let Some(language) = Language::of_path(path) {
            let facts = graph::extract(language, path, text);
            snapshot.insert_facts(blob(text), language, Arc::new(facts));
        }
        if want(path).text || asked.contains(path.as_str()) {
            snapshot.insert_text(blob(text), Arc::from(text.as_str()));
        }
    }
    snapshot
}

fn surveyed(files: &Files) -> (Snapshot, Survey, BTreeSet<Box<str>>) {
    let policy = Policy::default();
    let mut asked = BTreeSet::new();
    let mut read = snapshot(files, &asked);
    let mut survey = Survey::of(&read, &policy, None);
    while !survey.missing_texts().is_subset(&asked) {
        asked.extend(survey.missing_texts());
        read = snapshot(files, &asked);
        survey = survey.again(&read, &policy, None);
    }
    (read, survey, asked)
}

/// Everything that a side says, as text.
fn said_of(side: &Side) -> String {
    let jobs = side.survey.jobs();
    let jobs =
        jobs.map(|(_, job, inputs)| format!("{} {inputs:?} {:?}", job.id, side.files(inputs)));
    let edges = side
        .graph
        .edges()
        .map(|(from, to, kind)| format!("{} {kind:?} {}", side.label(from), side.label(to)));
    let named = side.snapshot.tree.iter().map(|(_, entry)| {
        let is_named = side.names.contains(&side.snapshot.tree, &entry.path);
        format!("{} {is_named}", entry.path)
    });
    let rest = format!(
        "{:?}\n{:?}\n{:?}\n{:?}",
        side.graph.unresolved, side.graph.widenings, side.graph.externals, side.diagnostics
    );
    let lines: Vec<String> = jobs.chain(edges).chain(named).chain([rest]).collect();
    lines.join("\n")
}

/// Derives the side of the files after an edit; `None` when it may not be derived.
fn derived(before: &Files, after: &Files) -> Option<Side> {
    let policy = Policy::default();
    let (base, survey, asked) = surveyed(before);
    let merge = snapshot(after, &asked);
    let changes = diff::between(&base.tree, &merge.tree);
    if !shares_survey(&base, &merge, &changes) {
        return None;
    }
    Some(Side::complete(base, survey, &policy).edited(merge, &changes, &policy))
}

fn from_nothing(files: &Files) -> Side {
    let (read, survey, _) = surveyed(files);
    Side::complete(read, survey, &Policy::default())
}

#[test]
fn an_edit_that_says_the_same_shares_the_graph() {
    let before = files();
    let mut after = before.clone();
    after.insert("web/b.js".to_owned(), "let x = 1\n".to_owned());
    let base = from_nothing(&before);
    let tree = snapshot(&after, &BTreeSet::new());
    let changes = diff::between(&base.snapshot.tree, &tree.tree);
    let side = base.edited(tree, &changes, &Policy::default());
    assert!(side.has_graph_of(&base));
    assert_eq!(said_of(&side), said_of(&from_nothing(&after)));
}

#[test]
fn a_script_of_a_job_a_manifest_and_a_new_file_forbid_it() {
    for (path, text) in [
        ("tools/js.sh", "pytest\n"),
        ("eslint.config.js", "import './web/rules.js'\n"),
        ("package.json", "{}"),
        ("web/c.js", "1"),
        (".github/workflows/ci.yml", "on: push\n"),
    ] {
        let mut after = files();
        after.insert(path.to_owned(), text.to_owned());
        assert!(derived(&files(), &after).is_none(), "{path}");
    }
}

proptest! {
    #[test]
    fn what_is_derived_is_what_is_made_from_nothing(
        edits in proptest::collection::vec((0..FILES.len(), 0..CONTENTS.len()), 1..4),
    ) {
        let before = files();
        let mut after = before.clone();
        for (file, content) in edits {
            after.insert(FILES[file].0.to_owned(), CONTENTS[content].to_owned());
        }
        if let Some(side) = derived(&before, &after) {
            prop_assert_eq!(said_of(&side), said_of(&from_nothing(&after)));
        }
    }
}
