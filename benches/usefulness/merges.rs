//! What would have been skipped on the last merges of a repository.
//!
//! Every pull is planned as the bot would plan it, in one process: base and proposed
//! commit, merged by us. A pull that cannot be planned ends the measurement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context as _;
use trimtab::engine::history::History;
use trimtab::engine::plan::{Mode, Plan, Reason, ReasonId, Verdict};
use trimtab::flow::analyse::{self, Question};
use trimtab::repo::Loader;

use super::pulls::{Pull, is_prose, pulls};
use super::{Subject, git};

/// The most reasons that are printed.
const REASONS: usize = 15;

#[derive(Debug, Default)]
struct Sum {
    pulls: usize,
    runs: usize,
    skipped: usize,
    with_skip: usize,
    prose: usize,
    all_skipped: usize,
    only_readers: usize,
    kinds: BTreeMap<&'static str, usize>,
    reasons: BTreeMap<String, usize>,
}

/// The row of one repository, and the reasons of its runs.
pub(crate) fn measure(subject: &Subject, last: usize) -> anyhow::Result<String> {
    let log = git(
        &subject.repo,
        &[
            "log",
            "--first-parent",
            "--format=%H %P",
            "-n",
            "5000",
            "HEAD",
        ],
    )?;
    let mut loader = Loader::new(&subject.repo, subject.facts());
    let mut sum = Sum::default();
    for pull in pulls(&log, last) {
        let what = || format!("plan {} against {}", pull.head, pull.base);
        let plan = plan(subject, &mut loader, &pull).with_context(what)?;
        let diff = subject
            .repo
            .diff(plan.base, plan.merge)
            .with_context(what)?;
        let is_prose = !diff.is_empty() && diff.iter().all(|change| is_prose(&change.path));
        sum.add(&plan, is_prose);
        if sum.pulls.is_multiple_of(25) {
            // A terminal shows that it goes on; the table stays clean.
            progress(sum.pulls);
        }
    }
    text(&subject.name, &sum)
}

#[expect(clippy::print_stderr, reason = "progress of a long measurement")]
fn progress(pulls: usize) {
    eprintln!("{pulls} pulls planned");
}

fn plan(subject: &Subject, loader: &mut Loader<'_>, pull: &Pull) -> anyhow::Result<Plan> {
    let history = History::default();
    let question = Question {
        pull: None,
        base: subject.repo.commit(&pull.base)?,
        head: subject.repo.commit(&pull.head)?,
        event: subject.event(),
        mode: Some(Mode::Advise),
        terms: None,
        last_good: None,
        history: &history,
        forced: Vec::new(),
        asked: Vec::new(),
        told: Vec::new(),
    };
    let answer = analyse::run(&subject.repo, loader, &question, &mut |_| Ok(()))?;
    Ok(answer.plan)
}

impl Sum {
    fn add(&mut self, plan: &Plan, is_prose: bool) {
        let skipped = plan.jobs.iter().filter(|job| job.verdict == Verdict::Skip);
        let skipped = skipped.count();
        self.pulls += 1;
        self.runs += plan.jobs.len();
        self.skipped += skipped;
        self.with_skip += usize::from(skipped > 0);
        if is_prose {
            self.prose += 1;
            match prose(plan) {
                Prose::AllSkipped => self.all_skipped += 1,
                Prose::OnlyReadersRun => self.only_readers += 1,
                Prose::OthersRun => {}
            }
        }
        let running = plan.jobs.iter().filter(|job| job.verdict != Verdict::Skip);
        for reason in running.filter_map(|job| job.reasons.first()) {
            *self.kinds.entry(reason.id.as_str()).or_default() += 1;
            *self.reasons.entry(key(reason)).or_default() += 1;
        }
    }
}

/// The kind of a reason and what it is about: the place of the first file on its way.
fn key(reason: &Reason) -> String {
    let about = match reason.id {
        ReasonId::InputChanged | ReasonId::NeedsChanged => {
            reason.path.first().unwrap_or(&reason.subject)
        }
        _ => &reason.subject,
    };
    let about: String = about.chars().take(80).collect();
    format!("{} {about}", reason.id.as_str())
}

fn text(name: &str, sum: &Sum) -> anyhow::Result<String> {
    let mut out = String::from(
        "| repository | pulls | job-runs | skipped | pulls with a skip | docs-only pulls | of these: all skipped, only readers run |\n|---|---|---|---|---|---|---|\n",
    );
    let share = (sum.skipped * 1000).checked_div(sum.runs).unwrap_or(0);
    writeln!(
        out,
        "| {name} | {} | {} | {}.{} % | {} | {} | {}, {} |\n",
        sum.pulls,
        sum.runs,
        share / 10,
        share % 10,
        sum.with_skip,
        sum.prose,
        sum.all_skipped,
        sum.only_readers
    )?;
    let kinds = sum
        .kinds
        .iter()
        .map(|(kind, runs)| format!("{runs} {kind}"));
    let kinds: Vec<String> = kinds.collect();
    writeln!(out, "Ran, by kind: {}\n", kinds.join(", "))?;
    let mut ranked: Vec<(&String, &usize)> = sum.reasons.iter().collect();
    ranked.sort_by_key(|(_, runs)| std::cmp::Reverse(**runs));
    for (reason, runs) in ranked.into_iter().take(REASONS) {
        writeln!(out, "- {runs}: {reason}")?;
    }
    Ok(out)
}

/// What became of the jobs of a pull that changed only prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prose {
    /// Every job that may be skipped at all is skipped.
    AllSkipped,
    /// The others that run read one of the changed files.
    OnlyReadersRun,
    /// A job runs for another reason.
    OthersRun,
}

/// Judges the plan of such a pull. Jobs that are never skipped do not count.
fn prose(plan: &Plan) -> Prose {
    let reasons = plan
        .jobs
        .iter()
        .filter(|job| job.verdict != Verdict::Skip)
        .filter_map(|job| job.reasons.first());
    let mut outcome = Prose::AllSkipped;
    for reason in reasons {
        match reason.id {
            ReasonId::NeverSkipped | ReasonId::NoBackstop => {}
            ReasonId::InputChanged | ReasonId::NeedsChanged => {
                outcome = Prose::OnlyReadersRun;
            }
            _ => return Prose::OthersRun,
        }
    }
    outcome
}
