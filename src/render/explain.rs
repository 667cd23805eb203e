//! Everything behind one verdict, as text: for `trimtab why` and for the command in
//! a comment, which give the same chain.
//!
//! A subject is a job, else a file, a directory, or a test. What it says needs the analysed
//! merge: a plan alone does not hold the way from a file to a job.
//!
//! Foreign text stands here without control characters and is not escaped for
//! Markdown: whoever puts this into a comment puts it into a block of code.

use std::collections::BTreeSet;

use super::escape;
use crate::engine::job_name;
use crate::engine::plan::{JobPlan, Plan};
use crate::engine::side::Side;

mod dir;
mod file;
mod inputs;
mod job;
mod readers;

/// What there is to say of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explained {
    /// The chain behind it.
    Told(String),
    /// Jobs of several workflows are called that: names that tell them apart.
    Several(Vec<String>),
    /// Nothing here is called that: names of all jobs, none of them twice.
    Nothing(Vec<String>),
}

/// The chain behind a subject.
pub fn explain(plan: &Plan, merge: &Side, subject: &str) -> Explained {
    let named = |job: &&JobPlan| job_name::names(subject, &job.workflow, &job.job);
    let jobs: Vec<&JobPlan> = plan.jobs.iter().filter(named).collect();
    let names: BTreeSet<String> = jobs.iter().map(|job| name_in(plan, job)).collect();
    if names.len() > 1 {
        return Explained::Several(names.into_iter().collect());
    }
    if !jobs.is_empty() {
        return Explained::Told(job::explain(plan, merge, &jobs));
    }
    let path = subject.trim_start_matches("./");
    // `tests/test_a.py::test_b` is a test of that file.
    let file = path.split("::").next().unwrap_or(path);
    let told = file::explain(plan, merge, path)
        .or_else(|| file::explain(plan, merge, file))
        .or_else(|| dir::explain(plan, merge, subject))
        .or_else(|| explain_test(plan, merge, subject))
        .or_else(|| job::explain_unstarted(merge, subject));
    told.map_or_else(|| Explained::Nothing(all_names(plan)), Explained::Told)
}

/// The shortest name of a job that no other job of the plan has.
pub fn name_in(plan: &Plan, job: &JobPlan) -> String {
    let all = plan.jobs.iter();
    let all = all.map(|job| (job.workflow.as_str(), job.job.as_str()));
    job_name::shortest((&job.workflow, &job.job), all)
}

fn all_names(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = plan.jobs.iter().map(|job| name_in(plan, job)).collect();
    names.dedup();
    names
}

/// The files that define a test of this name, each with the jobs that read it. The name
/// may stand behind those of its module, package or suite.
fn explain_test(plan: &Plan, side: &Side, subject: &str) -> Option<String> {
    let last = |separator: &str| subject.rsplit(separator).next().unwrap_or(subject);
    let names = [subject, last("::"), last("."), last(" > "), last("/")];
    let files = side.snapshot.tree.iter().filter(|(file, _)| {
        let tests = side
            .snapshot
            .facts(*file)
            .map(|facts| facts.tests.as_slice());
        let mut tests = tests.unwrap_or_default().iter();
        tests.any(|test| names.contains(&test.as_ref()))
    });
    let told: Vec<String> = files
        .filter_map(|(_, entry)| {
            let told = file::explain(plan, side, &entry.path)?;
            let (subject, path) = (plain(subject), plain(&entry.path));
            Some(format!("{subject} is a test of {path}\n\n{told}"))
        })
        .take(MOST)
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// Foreign text as one line in which nothing moves a cursor or turns the writing.
pub fn plain(text: &str) -> String {
    let printable = |c: &char| !c.is_control() && !escape::is_invisible(*c);
    text.chars().filter(printable).take(300).collect()
}

/// Foreign text as one short line, cut with a mark.
fn brief(text: &str) -> String {
    const LONGEST: usize = 90;
    let text = plain(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    let kept: String = text.chars().take(LONGEST).collect();
    format!("{}…", kept.trim_end())
}

/// The most lines of one list.
const MOST: usize = 20;

/// `1 file`, `12 files`, `2,809 files`.
fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number))
}

/// `2,809`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
