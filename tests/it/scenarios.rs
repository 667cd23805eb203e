//! Scenarios: what people do on the forge, and what the bot answers.

mod attacks;
mod audit;
mod backfill;
mod bad_input;
mod command_line;
mod commands;
mod delivery;
mod doctor;
mod history;
mod identity;
mod intake;
mod numbers;
mod outages;
mod process;
mod pulls;
mod rewrite;

use std::time::Duration;

use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};

use super::support::bot::Bot;
use super::support::repo::Edit;

/// How long a comment rests between two edits.
const MINUTE: Duration = Duration::from_mins(1);

const WORKFLOW: &str = "\
name: CI
on:
  push:
    branches: [main]
  pull_request:
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
      - run: python -m pytest tests
  docs:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cat docs/index.md
";

const SHOP: &[Edit<'_>] = &[
    Edit::Write(".github/workflows/ci.yml", WORKFLOW),
    Edit::Write(".trimtab.yml", "mode: advise\n"),
    Edit::Write("docs/index.md", "# Shop\n"),
    Edit::Write("shop/__init__.py", ""),
    Edit::Write("shop/tax.py", "RATE = 0.2\n"),
    Edit::Write(
        "tests/test_tax.py",
        "from shop import tax\n\ndef test_rate():\n    assert tax.RATE\n",
    ),
];

/// A change of documentation alone.
const DOCS: &[Edit<'_>] = &[Edit::Write("docs/index.md", "# The shop\n")];

/// A Python repository with one workflow of two jobs, installed.
async fn shop(bot: &Bot) -> RepoKey {
    bot.install("acme/shop", SHOP).await
}

/// The head of a pull, as the forge has it now.
fn head(bot: &Bot, repo: RepoKey, pull: PullNumber) -> ObjectId {
    bot.github.state().repos[&repo.repo.0].pulls[&pull.0].head
}
