//! What a text reads of the pull that is neither a file nor the same for its whole life.
//!
//! A job that reads such a thing may end otherwise although its files are equal. What is
//! decided when the pull is opened, such as its number, counts for nothing here, and so
//! does what an event of a pull does not have at all.
//!
//! A property that is not known is one that changes.

/// Texts, small and without spaces, that stand for a changing property however they are
/// reached: names and functions of expressions may be written in any case.
const CHANGING: &[&str] = &[
    "pull_request.title",
    "pull_request.body",
    "pull_request.labels",
    "github_event_path",
    "tojson(github)",
    "tojson(github.event",
    "github.event[",
    "github['event']",
];

/// Properties of the event that stay, or that pulls do not have.
/// <https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request>
const FIXED: &[&str] = &[
    "action",
    "base_ref",
    "check_run",
    "check_suite",
    "client_payload",
    "comment",
    "commits",
    "created",
    "deleted",
    "deployment",
    "discussion",
    "forced",
    "head_commit",
    "inputs",
    "installation",
    "issue",
    "merge_group",
    "number",
    "organization",
    "pull_request._links",
    "pull_request.author_association",
    "pull_request.base",
    "pull_request.created_at",
    "pull_request.draft",
    "pull_request.head",
    "pull_request.html_url",
    "pull_request.id",
    "pull_request.merge_commit_sha",
    "pull_request.node_id",
    "pull_request.number",
    "pull_request.url",
    "pull_request.user",
    "pusher",
    "ref",
    "ref_name",
    "ref_type",
    "release",
    "repository",
    "review",
    "schedule",
    "sender",
    "workflow",
    "workflow_job",
    "workflow_run",
];

/// A changing property that a text reads, in small letters.
pub(super) fn property(text: &str) -> Option<String> {
    let small = small(text);
    let known = CHANGING.iter().find(|it| small.contains(**it));
    let known = known.map(|known| (*known).to_owned());
    known.or_else(|| of_event(&small).map(str::to_owned))
}

/// The name of the branch or of who pushed, where a command gets it: a script may judge it.
pub(super) fn branch(text: &str) -> Option<String> {
    const NAMES: &[&str] = &[
        "github.head_ref",
        "github.actor",
        "github.triggering_actor",
        "github.event.sender",
        "github_head_ref",
        "github_actor",
        "github_triggering_actor",
    ];
    let small = small(text);
    let found = NAMES.iter().find(|name| small.contains(**name));
    found.map(|name| (*name).to_owned())
}

fn small(text: &str) -> String {
    let letters = text.chars().filter(|c| !c.is_whitespace());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn of_event(text: &str) -> Option<&str> {
    const START: &str = "github.event.";
    text.match_indices(START).find_map(|(at, _)| {
        let path = text.get(at + START.len()..).unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '*');
        let end = path.find(|c| !is_name(c)).unwrap_or(path.len());
        let path = path.get(..end).unwrap_or_default().trim_end_matches('.');
        // The pull as a whole is asked for to see whether there is one.
        let is_fixed = path == "pull_request"
            || FIXED.iter().any(|fixed| {
                let rest = path.strip_prefix(fixed);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            });
        (!is_fixed).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(property(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn what_changes_while_a_pull_is_open_is_found() {
        check(
            "test \"${{ github.event.pull_request.additions }}\" -lt 500",
            Some("pull_request.additions"),
        );
        check("${{ github.event.label.name }}", Some("label.name"));
        check("${{ github.event.before }}", Some("before"));
        check("${{ github.event.new_property }}", Some("new_property"));
        check("${{ GitHub.Event.Label.name }}", Some("label.name"));
        check("${{ github . event . label . name }}", Some("label.name"));
        check("jq .pull_request.title x", Some("pull_request.title"));
        check(
            "${{ github.event.pull_request.*.x }}",
            Some("pull_request.*.x"),
        );
        check("${{ toJSON(github.event) }}", Some("tojson(github.event"));
    }

    #[test]
    fn what_is_decided_when_a_pull_is_opened_is_not() {
        for fixed in [
            "pull_request",
            "pull_request.number",
            "pull_request.head.repo.full_name",
            "pull_request.base.ref",
            "repository.default_branch",
            "action",
            "inputs.level",
        ] {
            check(&format!("${{{{ github.event.{fixed} == 'x' }}}}"), None);
        }
        check("echo ${{ github.sha }} $GITHUB_REF", None);
    }

    #[test]
    fn the_name_of_the_branch_counts_for_commands() {
        let found = |text| branch(text).unwrap_or_default();
        assert_eq!(found("echo $GITHUB_HEAD_REF"), "github_head_ref");
        assert_eq!(found("echo ${{ github.Head_Ref }}"), "github.head_ref");
        assert_eq!(found("echo $GITHUB_SHA"), "");
    }
}
