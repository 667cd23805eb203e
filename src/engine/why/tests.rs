//! Ways into the jobs of one small repository.

use super::*;
use crate::engine::graph::sample;
use crate::engine::policy::Policy;
use crate::engine::side::Survey;

const CI: &str = "\
on: pull_request
jobs:
  test: {runs-on: ubuntu-latest, steps: [{run: pytest tests}]}
  types: {runs-on: ubuntu-latest, steps: [{run: mypy app}]}
  docs: {runs-on: ubuntu-latest, steps: [{run: cat docs/index.md}]}
  all: {runs-on: ubuntu-latest, steps: [{run: frobnicate}, {run: cat docs/index.md}]}
";

const FILES: &[(&str, &str)] = &[
    (".github/workflows/ci.yml", CI),
    ("pyproject.toml", "[project]\nname = 'shop'\n"),
    ("app/__init__.py", ""),
    ("app/tax.py", "import app.rate\n"),
    ("app/rate.py", ""),
    ("app/extra.py", ""),
    (
        "lib/plug.py",
        "import importlib\nimportlib.import_module(name)\n",
    ),
    ("tests/test_tax.py", "import app.tax\n"),
    ("plugged/pyproject.toml", "[project]\nname = 'plugged'\n"),
    (
        "plugged/tests/test_plug.py",
        "import importlib\nimportlib.import_module(name)\n",
    ),
    ("plugged/one.py", ""),
    ("docs/index.md", "# Shop\n"),
    ("docs/other.md", ""),
];

/// The way as `why` shows it: the chain, the construct, the lines.
fn way(job: &str, path: &str) -> String {
    let snapshot = sample::snapshot(FILES);
    let policy = Policy::default();
    let survey = Survey::of(&snapshot, &policy, None);
    let side = Side::complete(snapshot, survey, &policy);
    let mut jobs = side.survey.jobs();
    let (_, _, inputs) = jobs.find(|(_, found, _)| &*found.id.0 == job).unwrap();
    let file = side.snapshot.tree.find(path).unwrap();
    let Some(way) = Ways::of(&side, inputs).of_file(file) else {
        return "no way".to_owned();
    };
    let chain: Vec<String> = way.chain.iter().map(|node| side.label(*node)).collect();
    let widening = way.widening.map(|it| format!(" ({})", it.what));
    let lines = way.lines.iter();
    let mut lines: Vec<&str> = lines.map(|(_, origin)| origin.what.as_ref()).collect();
    lines.dedup();
    let widening = widening.unwrap_or_default();
    format!("{}{widening} by {}", chain.join(" → "), lines.join(", "))
}

fn check(job: &str, path: &str, expected: &str) {
    assert_eq!(way(job, path), expected, "{job} {path}");
}

#[test]
fn an_imported_file_is_reached_over_its_importers() {
    check(
        "test",
        "app/rate.py",
        "app/rate.py → app/tax.py → tests/test_tax.py by pytest tests",
    );
}

#[test]
fn what_a_type_checker_reads_has_a_way_too() {
    check("types", "app/extra.py", "app/extra.py by mypy app");
}

#[test]
fn a_named_file_is_read_by_its_line() {
    check(
        "docs",
        "docs/index.md",
        "docs/index.md by cat docs/index.md",
    );
    check("docs", "docs/other.md", "no way");
}

#[test]
fn an_opaque_job_has_the_ways_that_are_understood() {
    check("all", "docs/index.md", "docs/index.md by cat docs/index.md");
    check("all", "app/rate.py", "no way");
}
