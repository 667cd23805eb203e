//! What the bot answers to a command.
//!
//! A reply is short, names nobody, and shows foreign text in code spans only.

use handlebars::RenderError;
use serde::Serialize;

use super::escape::code;
use super::rows::{self, Explained};
use super::{About, TEMPLATES, check_summary};
use crate::engine::command::{NotUnderstood, VERBS};
use crate::engine::plan::{JobPlan, Plan};

/// What there is to say, folded.
pub fn help() -> String {
    let lines = VERBS.iter().map(|(verb, arguments, what)| {
        let line = format!("/trimtab {verb} {arguments}");
        format!("| `{}` | {what} |", line.trim_end().replace('|', "\\|"))
    });
    let rows: Vec<String> = lines.collect();
    format!(
        "<details><summary>{} commands, on the first line of a comment</summary>\n\n| | |\n|---|---|\n{}\n\n</details>\n",
        rows.len(),
        rows.join("\n")
    )
}

/// Where the pull stands, folded.
///
/// # Errors
/// Only when a template is broken; a test renders every one of them.
pub fn status(plan: &Plan) -> Result<String, RenderError> {
    let summary = check_summary(plan, &About::default())?;
    Ok(format!(
        "<details><summary>{}</summary>\n\n{summary}\n</details>\n",
        super::headline(plan)
    ))
}

/// There is no plan for this head yet.
pub fn no_plan() -> String {
    "There is no plan for this head yet, so everything runs. `/trimtab plan` computes one.\n"
        .to_owned()
}

/// Why somebody may not.
pub fn refused(why: &'static str) -> String {
    format!("Refused: {why}.\n")
}

/// What was not understood, and what was probably meant.
pub fn not_understood(fault: &NotUnderstood) -> String {
    let meant = fault.meant.map_or_else(String::new, |meant| {
        format!(" Did you mean `/trimtab {meant}`?")
    });
    let word = if fault.word.is_empty() {
        String::new()
    } else {
        format!("{} ", code(&fault.word))
    };
    format!(
        "Not understood: {word}{}.{meant} `/trimtab help` lists the commands.\n",
        fault.problem
    )
}

#[derive(Debug, Serialize)]
struct Why {
    head: String,
    asked: String,
    jobs: Vec<Explained>,
    known: Vec<String>,
}

/// The most jobs that one answer explains.
const MOST: usize = 5;

/// The chain of reasons of a job, or of every job that a file or test leads to.
///
/// # Errors
/// Only when a template is broken; a test renders every one of them.
pub fn why(plan: &Plan, asked: &str) -> Result<String, RenderError> {
    let named = |job: &&JobPlan| job.job.eq_ignore_ascii_case(asked);
    let mentions = |job: &&JobPlan| {
        job.reasons
            .iter()
            .any(|reason| reason.subject == asked || reason.path.iter().any(|part| part == asked))
    };
    let mut jobs: Vec<&JobPlan> = plan.jobs.iter().filter(named).collect();
    if jobs.is_empty() {
        jobs = plan.jobs.iter().filter(mentions).collect();
    }
    let mut known: Vec<String> = plan.jobs.iter().map(|job| job.job.clone()).collect();
    known.dedup();
    known.truncate(40);
    let why = Why {
        head: plan.head.short(),
        asked: asked.to_owned(),
        jobs: jobs.into_iter().take(MOST).map(rows::explained).collect(),
        known,
    };
    TEMPLATES.render("why_reply", &why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_verb() {
        let help = help();
        for (verb, _, what) in VERBS {
            assert!(
                help.contains(&format!("`/trimtab {verb}")) && help.contains(what),
                "{help}"
            );
        }
    }

    #[test]
    fn a_misunderstanding_cannot_act() {
        let fault = NotUnderstood {
            word: "@team `x`".to_owned(),
            problem: "is no command",
            meant: Some("status"),
        };
        insta::assert_snapshot!(not_understood(&fault), @"Not understood: `` @team `x` `` is no command. Did you mean `/trimtab status`? `/trimtab help` lists the commands.");
    }
}
