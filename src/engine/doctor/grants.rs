//! What the app may do and what it hears, against what each part of Trimtab needs.
//!
//! The app's settings say what is asked for, an installation what was granted: a
//! permission that was added to the app later waits until somebody approves it. Which of
//! the two is missing decides where it is mended.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Finding, some};

/// What an app asks for, or what an installation granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Name and level: `contents`, `read`.
    pub permissions: BTreeMap<String, String>,
    /// Names of events.
    pub events: BTreeSet<String>,
}

impl Granted {
    /// Whether a permission of this level, or of a higher one, is among them.
    pub fn may(&self, name: &str, level: &str) -> bool {
        let granted = self.permissions.get(name);
        granted.is_some_and(|granted| rank(granted) >= rank(level))
    }
}

fn rank(level: &str) -> u8 {
    match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    }
}

/// Permissions without which a part of Trimtab does not work.
const NEEDED: &[(&str, &str, &str)] = &[
    (
        "metadata",
        "read",
        "to know the repository and who may give commands",
    ),
    (
        "contents",
        "read",
        "to mirror the repository and to learn which checks are required",
    ),
    (
        "pull_requests",
        "write",
        "to read pulls, and to write the comment, replies and reactions",
    ),
    (
        "checks",
        "write",
        "to write the checks, in which runs find their plan",
    ),
    (
        "actions",
        "read",
        "to know runs that ask for their plan, for durations and for the audit",
    ),
];

/// Permissions that something works better with.
const OPTIONAL: &[(&str, &str)] = &[
    ("merge_queues", "read"),
    ("contents", "write"),
    ("workflows", "write"),
    ("administration", "read"),
];

/// Events, and what happens while they are not heard.
const EVENTS: &[(&str, Hearing, &str)] = &[
    (
        "pull_request",
        Hearing::Needed,
        "pulls are seen only once an hour",
    ),
    (
        "push",
        Hearing::Needed,
        "a changed configuration does not empty plans that were published",
    ),
    (
        "issue_comment",
        Hearing::Needed,
        "commands in comments are not seen",
    ),
    (
        "workflow_run",
        Hearing::Needed,
        "runs are not audited, and no durations are learned",
    ),
    (
        "repository",
        Hearing::Needed,
        "a transfer does not end the trust in a repository",
    ),
    (
        "pull_request_review",
        Hearing::Useful,
        "commands in reviews are not seen",
    ),
    (
        "check_run",
        Hearing::Useful,
        "asking for a check again does nothing",
    ),
    (
        "check_suite",
        Hearing::Useful,
        "asking for all checks again does nothing",
    ),
    (
        "workflow_job",
        Hearing::Useful,
        "waiting times of jobs are learned later",
    ),
    ("merge_group", Hearing::Unread, ""),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Needed,
    Useful,
    Unread,
}

/// Judges the permissions that an installation granted.
pub fn permissions(app: &Granted, installation: &Granted) -> Vec<Finding> {
    let check = Check::Permissions;
    let mut found: Vec<Finding> = NEEDED
        .iter()
        .filter(|(name, level, _)| !installation.may(name, level))
        .map(|(name, level, why)| {
            let says = format!("`{name}: {level}` is not granted; it is needed {why}");
            Finding::fault(check, says, approval(app.may(name, level), name, level))
        })
        .collect();
    if found.is_empty() {
        let says = "everything that Trimtab needs is granted";
        found.push(Finding::ok(check, says));
    }
    found.push(onboarding(app, installation));
    let superfluous: Vec<String> = installation
        .permissions
        .iter()
        .filter(|(name, level)| !is_known(name, level))
        .map(|(name, level)| format!("{name}: {level}"))
        .collect();
    if !superfluous.is_empty() {
        found.push(Finding::warning(
            check,
            format!("granted and never used: {}", some(&superfluous)),
            "take them out of the app's settings: what was not granted cannot be stolen",
        ));
    }
    found
}

fn approval(asks: bool, name: &str, level: &str) -> String {
    if asks {
        format!(
            "the app asks for it: an owner of the account approves `{name}: {level}` on the page of the installation"
        )
    } else {
        format!(
            "add `{name}: {level}` to the permissions of the app (docs/operations.md), then approve it on the page of the installation"
        )
    }
}

/// Whether the bot may open a pull with a rewrite: both permissions, or neither.
fn onboarding(app: &Granted, installation: &Granted) -> Finding {
    let check = Check::Permissions;
    let one = |name: &str| installation.may(name, "write");
    match (one("contents"), one("workflows")) {
        (true, true) => Finding::ok(
            check,
            "the bot may propose a rewrite as a pull: `contents: write` and `workflows: write` are granted",
        ),
        (false, false) => Finding::ok(
            check,
            "the bot may not push, and gives a rewrite as a patch; with `contents: write` and `workflows: write` it could open a pull",
        ),
        (contents, _) => {
            let (has, lacks) = if contents {
                ("contents", "workflows")
            } else {
                ("workflows", "contents")
            };
            Finding::warning(
                check,
                format!(
                    "`{has}: write` is granted without `{lacks}: write`: alone it serves nothing"
                ),
                format!(
                    "take it away, or: {}",
                    approval(app.may(lacks, "write"), lacks, "write")
                ),
            )
        }
    }
}

fn is_known(name: &str, level: &str) -> bool {
    let needed = NEEDED.iter().map(|(name, level, _)| (name, level));
    let optional = OPTIONAL.iter().map(|(name, level)| (name, level));
    needed
        .chain(optional)
        .any(|(known, most)| *known == name && rank(level) <= rank(most))
}

/// Judges the events that an installation is told of.
pub fn events(app: &Granted, installation: &Granted) -> Vec<Finding> {
    let check = Check::Events;
    let missing = EVENTS
        .iter()
        .filter(|(name, hearing, _)| {
            *hearing != Hearing::Unread && !installation.events.contains(*name)
        })
        .map(|(name, hearing, lost)| {
            let says = format!("`{name}` is not sent: {lost}");
            let remedy = if app.events.contains(*name) {
                format!(
                    "the app asks for `{name}`: an owner of the account approves what it lacks on the page of the installation"
                )
            } else {
                format!("subscribe to `{name}` in the app's settings: Permissions & events")
            };
            match hearing {
                Hearing::Needed => Finding::fault(check, says, remedy),
                Hearing::Useful | Hearing::Unread => Finding::warning(check, says, remedy),
            }
        });
    let mut found: Vec<Finding> = missing.collect();
    if found.is_empty() {
        found.push(Finding::ok(check, "everything that Trimtab reads is sent"));
    }
    let is_known = |name: &&String| EVENTS.iter().any(|(known, ..)| known == *name);
    let superfluous: Vec<String> = installation
        .events
        .iter()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    if !superfluous.is_empty() {
        found.push(Finding::warning(
            check,
            format!("sent and never read: {}", some(&superfluous)),
            "take them out of the app's settings: each costs a delivery",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;

    /// `contents: read, push` as what is granted: events have no level.
    fn granted(words: &str) -> Granted {
        let mut granted = Granted::default();
        for word in words.split(", ").filter(|word| !word.is_empty()) {
            match word.split_once(": ") {
                Some((name, level)) => {
                    granted
                        .permissions
                        .insert(name.to_owned(), level.to_owned());
                }
                None => drop(granted.events.insert(word.to_owned())),
            }
        }
        granted
    }

    const ALL: &str =
        "metadata: read, contents: read, pull_requests: write, checks: write, actions: read";

    #[test]
    fn the_manifest_asks_for_what_is_known_here() {
        let manifest = include_str!("../../../app-manifest.yml");
        let root = crate::engine::yaml::parse("app-manifest.yml", manifest).unwrap();
        let asked = root.get("default_permissions").unwrap();
        let asked: BTreeSet<(String, String)> = asked
            .entries()
            .unwrap()
            .iter()
            .map(|entry| {
                let level = entry.value.as_str().unwrap();
                (entry.key.to_string(), level.to_owned())
            })
            .collect();
        let known = NEEDED.iter().map(|(name, level, _)| (*name, *level));
        let known = known.chain([("merge_queues", "read")]);
        let known = known.map(|(name, level)| (name.to_owned(), level.to_owned()));
        assert_eq!(asked, known.collect());
        let asked: BTreeSet<&str> = root
            .get("default_events")
            .unwrap()
            .words()
            .into_iter()
            .collect();
        assert_eq!(asked, EVENTS.iter().map(|(name, ..)| *name).collect());
    }

    #[test]
    fn what_the_manifest_asks_for_is_enough() {
        let all = granted(ALL);
        insta::assert_snapshot!(lines(&permissions(&all, &all)), @"
        ok permissions: everything that Trimtab needs is granted
        ok permissions: the bot may not push, and gives a rewrite as a patch; with `contents: write` and `workflows: write` it could open a pull
        ");
        let events_of_it: Vec<&str> = EVENTS.iter().map(|(name, ..)| *name).collect();
        let all = granted(&events_of_it.join(", "));
        insta::assert_snapshot!(lines(&events(&all, &all)), @"ok events: everything that Trimtab reads is sent");
    }

    #[test]
    fn what_is_missing_is_mended_where_it_is_missing() {
        let app = granted(ALL);
        let installation =
            granted("metadata: read, contents: write, pull_requests: read, actions: read");
        insta::assert_snapshot!(lines(&permissions(&app, &installation)), @"
        fault permissions: `pull_requests: write` is not granted; it is needed to read pulls, and to write the comment, replies and reactions
          -> the app asks for it: an owner of the account approves `pull_requests: write` on the page of the installation
        fault permissions: `checks: write` is not granted; it is needed to write the checks, in which runs find their plan
          -> the app asks for it: an owner of the account approves `checks: write` on the page of the installation
        warning permissions: `contents: write` is granted without `workflows: write`: alone it serves nothing
          -> take it away, or: add `workflows: write` to the permissions of the app (docs/operations.md), then approve it on the page of the installation
        ");
        let app = granted("metadata: read");
        let installation = granted(
            "metadata: read, contents: write, workflows: write, pull_requests: admin, checks: write, actions: read",
        );
        insta::assert_snapshot!(lines(&permissions(&app, &installation)), @"
        ok permissions: everything that Trimtab needs is granted
        ok permissions: the bot may propose a rewrite as a pull: `contents: write` and `workflows: write` are granted
        warning permissions: granted and never used: `pull_requests: admin`
          -> take them out of the app's settings: what was not granted cannot be stolen
        ");
    }

    #[test]
    fn what_nothing_uses_is_named() {
        let installation = granted(&format!(
            "{ALL}, issues: write, members: read, administration: read, merge_queues: write"
        ));
        let found = permissions(&Granted::default(), &installation);
        let last = found.last().unwrap();
        assert!(
            last.says
                .ends_with("`issues: write`, `members: read`, `merge_queues: write`"),
            "{last:?}"
        );
    }

    #[test]
    fn an_event_that_is_not_sent_is_told_with_what_is_lost() {
        let app = granted("push, pull_request");
        let heard = granted(
            "pull_request, issue_comment, workflow_run, repository, check_run, check_suite, workflow_job, star",
        );
        insta::assert_snapshot!(lines(&events(&app, &heard)), @"
        fault events: `push` is not sent: a changed configuration does not empty plans that were published
          -> the app asks for `push`: an owner of the account approves what it lacks on the page of the installation
        warning events: `pull_request_review` is not sent: commands in reviews are not seen
          -> subscribe to `pull_request_review` in the app's settings: Permissions & events
        warning events: sent and never read: `star`
          -> take them out of the app's settings: each costs a delivery
        ");
    }
}
