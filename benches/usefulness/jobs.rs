//! Which jobs are understood at HEAD, and why the others are not.
//!
//! Counted are the jobs that a pull against the default branch would start, whatever
//! it changes. A *test or lint job* is one of them that may be skipped at all: not
//! one that deploys, publishes, releases, scans, reads the history or the pull, or
//! writes; nor one whose id or pipeline says that it publishes. A job is one of the
//! file, with all legs of its matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use trimtab::engine::inputs::{JobInputs, OpaqueCause};
use trimtab::engine::pipeline::github::event::Occasion;
use trimtab::engine::pipeline::{Job, Truth, filter};
use trimtab::engine::policy::Policy;
use trimtab::engine::side::Survey;
use trimtab::engine::sources::want;
use trimtab::engine::tree::Snapshot;
use trimtab::repo::{FactsCache, Loader};

use super::Subject;

/// How much is said of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The causes by frequency.
    Frequent,
    /// Every job with every cause, too.
    EveryCause,
}

/// What was counted in one repository.
#[derive(Debug, Default)]
struct Count {
    started: usize,
    counted: usize,
    understood: usize,
}

/// One row a repository, the sum, and the causes.
pub(crate) fn measure(subjects: &[Subject], detail: Detail) -> anyhow::Result<String> {
    let mut out = String::from(
        "| repository | jobs a pull starts | test and lint jobs | understood | |\n|---|---|---|---|---|\n",
    );
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let mut every = String::new();
    let mut sum = Count::default();
    for subject in subjects {
        let count = one(subject, &mut causes, &mut every)
            .with_context(|| format!("measure {}", subject.name))?;
        row(&mut out, &subject.name, &count)?;
        sum.started += count.started;
        sum.counted += count.counted;
        sum.understood += count.understood;
    }
    row(&mut out, "all", &sum)?;
    out += "\n| cause | jobs |\n|---|---|\n";
    let mut ranked: Vec<(String, usize)> = causes.into_iter().collect();
    ranked.sort_by_key(|(_, jobs)| std::cmp::Reverse(*jobs));
    for (cause, jobs) in ranked {
        writeln!(out, "| {cause} | {jobs} |")?;
    }
    if detail == Detail::EveryCause {
        out += "\n";
        out += &every;
    }
    Ok(out)
}

fn row(out: &mut String, name: &str, count: &Count) -> anyhow::Result<()> {
    let share = (count.understood * 1000)
        .checked_div(count.counted)
        .unwrap_or(0);
    writeln!(
        out,
        "| {name} | {} | {} | {} | {}.{} % |",
        count.started,
        count.counted,
        count.understood,
        share / 10,
        share % 10
    )?;
    Ok(())
}

fn one(
    subject: &Subject,
    causes: &mut BTreeMap<String, usize>,
    every: &mut String,
) -> anyhow::Result<Count> {
    let (snapshot, survey) = survey(subject)?;
    let event = subject.event();
    let occasion = Occasion::Pull(&event);
    let paths: Vec<&str> = snapshot
        .tree
        .iter()
        .map(|(_, entry)| entry.path.as_ref())
        .collect();
    let mut count = Count::default();
    for (pipeline, job, inputs) in survey.jobs() {
        let starts = filter::starts(pipeline, &event, &paths) != Truth::No;
        if !starts || filter::runs(pipeline, job, &occasion) == Truth::No {
            continue;
        }
        count.started += 1;
        if delivers(job, &pipeline.path) || !inputs.never.is_empty() {
            continue;
        }
        count.counted += 1;
        let found = causes_of(inputs);
        count.understood += usize::from(found.is_empty());
        if !found.is_empty() {
            writeln!(every, "{} {} {}", subject.name, pipeline.path, job.id)?;
        }
        for opaque in &inputs.opaque {
            let origin = &opaque.origin;
            let place = format!("{}:{}", origin.file, origin.line);
            writeln!(
                every,
                "    {place}: {} ({})",
                words(&opaque.cause),
                origin.what
            )?;
        }
        for cause in found {
            *causes.entry(cause).or_default() += 1;
        }
    }
    Ok(count)
}

/// HEAD without facts of sources, which say nothing of what jobs run.
fn survey(subject: &Subject) -> anyhow::Result<(Snapshot, Survey)> {
    let head = subject.repo.commit("HEAD").context("find HEAD")?;
    let tree = subject.repo.tree(head).context("list the tree")?;
    let wanted = tree.iter().filter(|(_, entry)| want(&entry.path).text);
    let mut missing: BTreeSet<Box<str>> = wanted.map(|(_, entry)| entry.path.clone()).collect();
    let mut snapshot = Snapshot::new(tree);
    let mut loader = Loader::new(&subject.repo, FactsCache::none());
    let (policy, event) = (Policy::default(), subject.event());
    loop {
        let more = loader.load_texts(&mut snapshot, &missing);
        let more = more.context("read texts")?;
        let survey = Survey::of(&snapshot, &policy, Some(&event));
        missing = survey.missing_texts();
        if !more || missing.is_empty() {
            return Ok((snapshot, survey));
        }
    }
}

/// Whether a name says that the job publishes, releases or deploys.
fn delivers(job: &Job, pipeline: &str) -> bool {
    let file = pipeline.rsplit('/').next().unwrap_or(pipeline);
    let name = format!("{file} {}", job.id).to_lowercase();
    ["publish", "release", "deploy"]
        .iter()
        .any(|word| name.contains(word))
}

/// The different causes of one job; a text that could not be read is one.
fn causes_of(inputs: &JobInputs) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = inputs
        .opaque
        .iter()
        .map(|opaque| words(&opaque.cause))
        .collect();
    if !inputs.missing_texts.is_empty() {
        found.insert("a script that could not be read".to_owned());
    }
    found
}

fn words(cause: &OpaqueCause) -> String {
    match cause {
        OpaqueCause::UnknownProgram(name) => format!("unknown program {name}"),
        OpaqueCause::UnknownAction(name) => format!("unknown action {name}"),
        OpaqueCause::UnknownUse(what) => format!("unknown use: {what}"),
        OpaqueCause::Shell(what) => format!("shell: {what}"),
        OpaqueCause::ForeignShell(name) => format!("the shell {name}"),
        OpaqueCause::Missing(name) => format!("{name} was not found"),
        OpaqueCause::Unexpanded(what) => format!("{what}: not expanded"),
        OpaqueCause::Reaches(what) => format!("may reach anything: {what}"),
    }
}
