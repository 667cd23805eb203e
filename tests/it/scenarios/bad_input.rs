//! Bad input on the command line: a plan or one clear sentence, never a panic.
//!
//! Every repository is built for its test out of raw commits, so that it may hold
//! what no editor would make. Nothing is checked out: a plan reads commits.

use super::super::support::place::Place;
use super::WORKFLOW;

mod checkouts;
mod files;
mod hostile;
mod machine;
mod settings;

const CI: (&str, &str) = (".github/workflows/ci.yml", WORKFLOW);

/// The files of a small Python repository with one workflow.
const FILES: &[(&str, &str)] = &[
    CI,
    ("docs/index.md", "# Shop\n"),
    ("shop/__init__.py", ""),
    ("shop/tax.py", "RATE = 0.2\n"),
    ("tests/test_tax.py", "from shop import tax\n"),
];

/// The verdicts of a plan: `run test`, `skip docs`.
fn verdicts(plan: &str) -> Vec<String> {
    let lines = plan.lines().filter(|line| line.starts_with("  "));
    let words = lines.map(|line| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    });
    words.collect()
}

#[test]
fn ordinary_change_of_documentation_is_the_measure() {
    let plan = Place::with(FILES, &[("docs/index.md", "# The shop\n")]).plan();
    assert_eq!(verdicts(&plan), ["skip test", "run docs"], "{plan}");
}
