//! What the bot answers to a command.
//!
//! A reply is short, names nobody, and shows foreign text in code spans only.

use handlebars::RenderError;

use super::escape::{self, code};
use super::explain::{Explained, explain};
use super::view::duration;
use super::{About, check_summary};
use crate::engine::audit::savings::Savings;
use crate::engine::command::{NotUnderstood, VERBS};
use crate::engine::plan::Plan;
use crate::engine::side::Side;

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

/// What skipping came to over the last days, in a paragraph.
pub fn savings(of: &Savings, days: u64) -> String {
    if of.skipped == 0 {
        return format!("No job was skipped in an audited run of the last {days} days.\n");
    }
    let (net, cost) = (of.net(), duration(of.cost));
    let came_to = match u64::try_from(net) {
        Ok(net) => format!("saved {} of runners net", duration(net)),
        Err(_) => format!(
            "cost {} of runners more than it saved",
            duration(net.unsigned_abs())
        ),
    };
    let mut sentences = vec![format!(
        "Over the last {days} days skipping {came_to}: {} in {} would have taken {}, and planning took {cost}.",
        counted(of.skipped, "job"),
        counted(of.runs, "audited run"),
        duration(of.seconds),
    )];
    if of.unknown > 0 {
        sentences.push(format!(
            "{} of them count nothing, because nobody knows how long they take.",
            of.unknown
        ));
    }
    if of.failed > 0 {
        sentences.push(format!(
            "In {} a skip did not hold; the check of each says why.",
            counted(of.failed, "run")
        ));
    }
    sentences.join(" ") + "\n"
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// There is no plan for this head yet.
pub fn no_plan() -> String {
    "There is no plan for this head yet, so everything runs. `/trimtab plan` computes one.\n"
        .to_owned()
}

/// Why somebody may not: words of ours, as they are or as the audit log kept them.
pub fn refused(why: &str) -> String {
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

/// The first line of an answer to the command that `to` names, by which the bot sees
/// that it has answered already.
pub fn reply_marker(to: &str) -> String {
    format!("<!-- trimtab:reply {to} -->")
}

/// The most characters of a chain.
const CHAIN: usize = 20_000;

/// The whole chain behind a job, a file, a directory or a test, folded: what `trimtab why` prints.
pub fn why(plan: &Plan, merge: &Side, asked: &str) -> String {
    let head = plan.head.short();
    let listed = |names: &[String]| {
        let names = names.iter().take(NAMES).map(|name| code(name));
        names.collect::<Vec<_>>().join(", ")
    };
    match explain(plan, merge, asked) {
        Explained::Told(chain) => {
            let block = block(&chain);
            format!("<details><summary>Why, at {head}</summary>\n\n{block}\n</details>\n")
        }
        Explained::Several(names) => {
            let (asked, listed) = (code(asked), listed(&names));
            format!("Several workflows have a job {asked}. Ask for one of {listed}.\n")
        }
        Explained::Nothing(names) if names.is_empty() => {
            let asked = code(asked);
            format!("No file of {head} is called {asked}, and no job starts for this pull.\n")
        }
        Explained::Nothing(names) => {
            let (asked, listed) = (code(asked), listed(&names));
            format!(
                "No job, file, directory or test of {head} is called {asked}. The jobs are {listed}.\n"
            )
        }
    }
}

/// The most jobs that an answer lists.
const NAMES: usize = 40;

/// Text as a block of code that it cannot leave.
fn block(text: &str) -> String {
    let shown: String = text.chars().take(CHAIN).collect();
    let cut = if shown.len() < text.len() {
        "\n... and more, which `trimtab why` prints in a checkout"
    } else {
        ""
    };
    escape::block("text", &format!("{}{cut}", shown.trim_end()))
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

    #[test]
    fn a_chain_cannot_leave_its_block() {
        let hostile = "a\n```\n@team <img src=x> /merge\n`````\n";
        let shown = block(hostile);
        insta::assert_snapshot!(shown, @r"
        ``````text
        a
        ```
        @team <img src=x> /merge
        `````
        ``````
        ");
        let long = block(&"x".repeat(CHAIN * 2));
        assert!(long.chars().count() < CHAIN + 200 && long.contains("and more"));
    }
}
