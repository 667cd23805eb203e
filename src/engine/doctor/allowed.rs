//! Rules that keep the bot's pulls from being opened, or from being tested.
//!
//! The forge shows an app the rules that hold for a branch, but not who may pass them by,
//! and not which people or apps may start workflows. What cannot be seen is said.

use super::{Check, Finding, some};

/// The branch on which the bot proposes a rewrite.
pub const BRANCH: &str = "trimtab/rewrite";

/// Rules of a branch that can stop a push, beside what they say
/// (<https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets>).
const BLOCKING: &[(&str, &str)] = &[
    ("creation", "who may create branches"),
    ("update", "who may push to branches"),
    ("pull_request", "that branches change through pulls alone"),
    ("required_status_checks", "that checks pass first"),
    ("workflows", "that workflows pass first"),
    ("branch_name_pattern", "how branches may be called"),
    (
        "commit_message_pattern",
        "how messages of commits are written",
    ),
    (
        "commit_author_email_pattern",
        "which addresses authors have",
    ),
    ("committer_email_pattern", "which addresses committers have"),
    ("file_path_restriction", "which files may be pushed"),
];

/// The rules that hold for the bot's branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rules {
    /// Nobody asked: the bot may not push, and opens no pulls.
    NotAsked,
    /// There was no answer; why is told elsewhere.
    NotHeard,
    /// Their kinds, in the forge's words.
    Known(Vec<String>),
}

/// What workflows may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actions {
    /// The app may not see it.
    NotSeen,
    /// It is known.
    Known {
        /// Workflows run at all.
        enabled: bool,
        /// Every action may be used.
        all: bool,
    },
}

/// Judges both.
pub fn judge(rules: &Rules, actions: Actions) -> Vec<Finding> {
    let check = Check::AllowList;
    let pushes = match rules {
        Rules::NotHeard => None,
        Rules::NotAsked => Some(Finding::ok(
            check,
            "the bot opens no pulls here, so that no rule can block them",
        )),
        Rules::Known(kinds) => Some(of_branch(kinds)),
    };
    let actions = match actions {
        Actions::NotSeen => Finding::ok(
            check,
            "an app cannot see who may start workflows, nor without `administration: read` which actions are allowed; the jobs that a rewrite adds use none",
        ),
        Actions::Known { enabled: false, .. } => Finding::fault(
            check,
            "GitHub Actions is switched off for this repository: nothing runs, and required checks never come",
            "switch it on: Settings, Actions, General",
        ),
        Actions::Known { all: false, .. } => Finding::ok(
            check,
            "only some actions may be used here; the jobs that a rewrite adds use none",
        ),
        Actions::Known { .. } => Finding::ok(check, "every action may be used here"),
    };
    pushes.into_iter().chain([actions]).collect()
}

fn of_branch(kinds: &[String]) -> Finding {
    let check = Check::AllowList;
    let blocking: Vec<String> = BLOCKING
        .iter()
        .filter(|(kind, _)| kinds.iter().any(|it| it == kind))
        .map(|(_, what)| (*what).to_owned())
        .collect();
    if blocking.is_empty() {
        return Finding::ok(
            check,
            format!("no rule keeps the bot from pushing `{BRANCH}`"),
        );
    }
    Finding::warning(
        check,
        format!(
            "rules say {}, and may keep the bot from pushing `{BRANCH}`",
            some(&blocking).replace('`', "")
        ),
        "let the app pass by in the list of that ruleset, or apply rewrites by hand: `trimtab rewrite --write`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    const ALL: Actions = Actions::Known {
        enabled: true,
        all: true,
    };

    fn kinds(kinds: &[&str]) -> Rules {
        Rules::Known(kinds.iter().map(|kind| (*kind).to_owned()).collect())
    }

    #[test]
    fn rules_that_stop_a_push_are_told() {
        let told = |rules: &Rules| lines(&judge(rules, ALL)[..1]);
        insta::assert_snapshot!(told(&kinds(&["deletion", "required_status_checks"])), @"
        warning allow-list: rules say that checks pass first, and may keep the bot from pushing `trimtab/rewrite`
          -> let the app pass by in the list of that ruleset, or apply rewrites by hand: `trimtab rewrite --write`
        ");
        insta::assert_snapshot!(told(&kinds(&["creation", "deletion", "file_path_restriction"])), @"
        warning allow-list: rules say who may create branches, which files may be pushed, and may keep the bot from pushing `trimtab/rewrite`
          -> let the app pass by in the list of that ruleset, or apply rewrites by hand: `trimtab rewrite --write`
        ");
        assert_eq!(judge(&Rules::NotHeard, ALL).len(), 1);
        insta::assert_snapshot!(lines(&judge(&Rules::NotAsked, Actions::NotSeen)), @"
        ok allow-list: the bot opens no pulls here, so that no rule can block them
        ok allow-list: an app cannot see who may start workflows, nor without `administration: read` which actions are allowed; the jobs that a rewrite adds use none
        ");
    }

    #[test]
    fn actions_may_be_switched_off() {
        let told = |enabled, all| {
            let found = judge(&kinds(&[]), Actions::Known { enabled, all });
            lines(&found[1..])
        };
        insta::assert_snapshot!(told(false, true), @"
        fault allow-list: GitHub Actions is switched off for this repository: nothing runs, and required checks never come
          -> switch it on: Settings, Actions, General
        ");
        insta::assert_snapshot!(told(true, false), @"ok allow-list: only some actions may be used here; the jobs that a rewrite adds use none");
        insta::assert_snapshot!(told(true, true), @"ok allow-list: every action may be used here");
    }
}
