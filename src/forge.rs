//! What Trimtab asks of a forge.
//!
//! One trait, implemented in full by every forge: the flow never asks which one it
//! talks to. Above each method stand the GitHub and the GitLab endpoint that carry
//! it, so that a method which only one of them could serve does not slip in. An
//! error is named after what the caller does next, not after its status code.
//!
//! State is always read from the forge when it is needed; an
//! [event](event::ForgeEvent) says only where to look. Nothing here decides what runs,
//! retries a request, or follows a URL that a payload brought.

pub mod event;
pub mod github;
pub mod proposals;
pub mod runs;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::engine::ids::{
    InstallationId, ObjectId, PullNumber, RepoId, RepoKey, Timestamp, UserId,
};

/// Most characters in a check's summary, and in its text.
///
/// <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
pub const CHECK_OUTPUT_MAX: usize = 65_535;

/// Most annotations that one write of a check may carry.
///
/// <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
pub const ANNOTATIONS_MAX: usize = 50;

/// Most characters in a comment.
pub const COMMENT_MAX: usize = 65_536;

/// What the caller of a forge has to do next.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The installation was removed or its permission was narrowed: stop asking.
    #[error("the forge refuses access to {what}")]
    Denied {
        /// What was asked for.
        what: &'static str,
    },
    /// It does not exist, or no longer: forget what was known about it.
    #[error("the forge does not have {what}")]
    Missing {
        /// What was asked for.
        what: &'static str,
    },
    /// The request itself is wrong; sending it again cannot help.
    #[error("the forge does not accept {what}: {message}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// What the forge said, bounded in length.
        message: String,
    },
    /// The quota is used up until the given time has passed.
    #[error("the forge asks to wait {}s", .wait.as_secs())]
    Throttled {
        /// How long, counted from now.
        wait: Duration,
    },
    /// Network, 5xx or an answer that does not parse: try again later. Whether a
    /// write took place is not known.
    #[error("the forge did not answer {what}")]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// Why there is no answer.
        #[source]
        source: anyhow::Error,
    },
}

impl ForgeError {
    /// The least time until it may be tried again; `None` when that cannot help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Denied { .. } | Self::Missing { .. } | Self::Refused { .. } => None,
            Self::Throttled { wait } => Some(*wait),
            Self::Unavailable { .. } => Some(Duration::ZERO),
        }
    }
}

/// Everything that Trimtab asks of a forge.
///
/// Reads are idempotent. Of the writes, `write_check`, `react` and `redeliver` may
/// be repeated; before repeating `write_comment` without a comment, look for the
/// comment with `sticky_comment`, and likewise for the mark that a `reply` begins with.
#[async_trait]
pub trait Forge: runs::PastRuns + proposals::Proposals {
    /// Every installation that gave access.
    ///
    /// GitHub: [`GET /app/installations`](https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app).
    /// GitLab: the configured tokens, each proved by [`GET /personal_access_tokens/self`](https://docs.gitlab.com/api/personal_access_tokens/).
    async fn installations(&self) -> Result<Vec<InstallationId>, ForgeError>;

    /// The repositories that an installation reaches.
    ///
    /// GitHub: [`GET /installation/repositories`](https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation).
    /// GitLab: [`GET /projects?membership=true`](https://docs.gitlab.com/api/projects/#list-all-projects).
    async fn repositories(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<Repository>, ForgeError>;

    /// A pull as it is now.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/pulls/{number}`](https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request).
    /// GitLab: [`GET /projects/:id/merge_requests/:iid`](https://docs.gitlab.com/api/merge_requests/#get-single-mr).
    async fn pull(&self, repo: RepoKey, number: PullNumber) -> Result<Pull, ForgeError>;

    /// All open pulls, by number.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/pulls?state=open`](https://docs.github.com/en/rest/pulls/pulls#list-pull-requests).
    /// GitLab: [`GET /projects/:id/merge_requests?state=opened`](https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests).
    async fn open_pulls(&self, repo: RepoKey) -> Result<Vec<Pull>, ForgeError>;

    /// The comment in the pull's conversation that we wrote and that begins with the
    /// marker. A comment of somebody else with the same marker is not ours.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/issues/{number}/comments`](https://docs.github.com/en/rest/issues/comments#list-issue-comments), ours by `performed_via_github_app.id`.
    /// GitLab: [`GET /projects/:id/merge_requests/:iid/notes`](https://docs.gitlab.com/api/notes/#list-all-merge-request-notes), ours by author id.
    async fn sticky_comment(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        marker: &str,
    ) -> Result<Option<Comment>, ForgeError>;

    /// Writes into the pull's conversation: replaces the body of `existing`, or
    /// begins a new comment. [`ForgeError::Missing`] when `existing` was deleted.
    ///
    /// GitHub: [`PATCH /repos/{owner}/{repo}/issues/comments/{id}`](https://docs.github.com/en/rest/issues/comments#update-an-issue-comment)
    /// or [`POST /repos/{owner}/{repo}/issues/{number}/comments`](https://docs.github.com/en/rest/issues/comments#create-an-issue-comment).
    /// GitLab: [`PUT` or `POST /projects/:id/merge_requests/:iid/notes`](https://docs.gitlab.com/api/notes/#create-a-merge-request-note).
    async fn write_comment(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        existing: Option<CommentId>,
        body: &str,
    ) -> Result<Comment, ForgeError>;

    /// What somebody wrote, read again: the payload that announced it may be old.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/issues/comments/{id}`](https://docs.github.com/en/rest/issues/comments#get-an-issue-comment)
    /// or [`GET /repos/{owner}/{repo}/pulls/{number}/reviews/{id}`](https://docs.github.com/en/rest/pulls/reviews#get-a-review-for-a-pull-request).
    /// GitLab: [`GET /projects/:id/merge_requests/:iid/notes/:note_id`](https://docs.gitlab.com/api/notes/#get-single-merge-request-note).
    async fn comment(&self, repo: RepoKey, at: CommentRef) -> Result<Comment, ForgeError>;

    /// Puts a reaction under a comment; a second one of the same kind changes nothing.
    ///
    /// GitHub: [`POST /repos/{owner}/{repo}/issues/comments/{id}/reactions`](https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment);
    /// a review has no such endpoint, there it is the GraphQL mutation [`addReaction`](https://docs.github.com/en/graphql/reference/mutations#addreaction).
    /// GitLab: [`POST /projects/:id/merge_requests/:iid/notes/:note_id/award_emoji`](https://docs.gitlab.com/api/emoji_reactions/#add-an-emoji-reaction-to-a-comment).
    async fn react(
        &self,
        repo: RepoKey,
        to: CommentRef,
        reaction: Reaction,
    ) -> Result<(), ForgeError>;

    /// Answers a comment with a new one. After [`ForgeError::Unavailable`] it may have
    /// arrived.
    ///
    /// GitHub: [`POST /repos/{owner}/{repo}/issues/{number}/comments`](https://docs.github.com/en/rest/issues/comments#create-an-issue-comment).
    /// GitLab: [`POST /projects/:id/merge_requests/:iid/notes`](https://docs.gitlab.com/api/notes/#create-a-merge-request-note).
    async fn reply(&self, repo: RepoKey, to: CommentRef, body: &str)
    -> Result<Comment, ForgeError>;

    /// Makes the check of this name on this head say the given thing; writing again
    /// replaces it.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/commits/{sha}/check-runs?check_name=&app_id=`](https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference), then
    /// [`PATCH /repos/{owner}/{repo}/check-runs/{id}`](https://docs.github.com/en/rest/checks/runs#update-a-check-run)
    /// or [`POST /repos/{owner}/{repo}/check-runs`](https://docs.github.com/en/rest/checks/runs#create-a-check-run).
    /// GitLab: [`POST /projects/:id/statuses/:sha`](https://docs.gitlab.com/api/commits/#set-commit-pipeline-status), which replaces by name.
    async fn write_check(&self, repo: RepoKey, check: &CheckRun) -> Result<CheckId, ForgeError>;

    /// A run of a pipeline as it is now.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/actions/runs/{run_id}`](https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run).
    /// GitLab: [`GET /projects/:id/pipelines/:pipeline_id`](https://docs.gitlab.com/api/pipelines/#get-a-single-pipeline).
    async fn run(&self, repo: RepoKey, number: u64) -> Result<Run, ForgeError>;

    /// The names of the checks that a branch requires, by rulesets and by protection, sorted.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/rules/branches/{branch}`](https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch) and
    /// [`GET /repos/{owner}/{repo}/branches/{branch}`](https://docs.github.com/en/rest/branches/branches#get-a-branch).
    /// GitLab: [`GET /projects/:id/external_status_checks`](https://docs.gitlab.com/api/status_checks/), and whether pipelines must succeed.
    async fn required_checks(&self, repo: RepoKey, branch: &str)
    -> Result<Vec<String>, ForgeError>;

    /// What a user may do in the repository. The user is identified by number: when
    /// the login now belongs to somebody else, the answer is [`Permission::None`].
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/collaborators/{login}/permission`](https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user), field `role_name`.
    /// GitLab: [`GET /projects/:id/members/all/:user_id`](https://docs.gitlab.com/api/project_members/#get-details-of-a-member-of-a-group-or-project), field `access_level`.
    async fn permission(&self, repo: RepoKey, user: &Author) -> Result<Permission, ForgeError>;

    /// Where and how to fetch the repository's objects for the next few minutes.
    ///
    /// GitHub: a token with `contents: read` for this repository alone
    /// ([HTTP access](https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation)).
    /// GitLab: the configured token with [`read_repository`](https://docs.gitlab.com/user/project/settings/project_access_tokens/).
    async fn clone_access(&self, repo: RepoKey) -> Result<CloneAccess, ForgeError>;

    /// The deliveries of the forge's memory (three days on github.com) that never
    /// got through, each listed once, newest first.
    ///
    /// GitHub: [`GET /app/hook/deliveries`](https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook).
    /// GitLab: [`GET /projects/:id/hooks/:hook_id/events`](https://docs.gitlab.com/api/project_webhooks/#list-all-events-for-a-project-webhook).
    async fn failed_deliveries(&self) -> Result<Vec<Delivery>, ForgeError>;

    /// Asks the forge to send a delivery again.
    ///
    /// GitHub: [`POST /app/hook/deliveries/{id}/attempts`](https://docs.github.com/en/rest/apps/webhooks#redeliver-a-delivery-for-an-app-webhook).
    /// GitLab: [`POST /projects/:id/hooks/:hook_id/events/:event_id/resend`](https://docs.gitlab.com/api/project_webhooks/#resend-a-project-webhook-event).
    async fn redeliver(&self, delivery: &Delivery) -> Result<(), ForgeError>;
}

/// A repository as its installation lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its identity, which survives renames.
    pub key: RepoKey,
    /// `owner/name`, for people and logs; never a key.
    pub path: String,
    /// The branch that pulls target by default.
    pub default_branch: String,
    /// Archived repositories take no comments and no checks.
    pub archived: bool,
}

/// A pull request or merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number inside the repository.
    pub number: PullNumber,
    /// Foreign text: escape it before showing it.
    pub title: String,
    /// Open, closed or merged.
    pub state: PullState,
    /// The author says that it is not ready.
    pub draft: bool,
    /// Who opened it.
    pub author: Author,
    /// The names of its labels, sorted.
    pub labels: Vec<String>,
    /// The commit that is proposed.
    pub head: ObjectId,
    /// The branch of the head, without `refs/heads/`; foreign text.
    pub head_ref: String,
    /// The head lives in another repository, or in one that was deleted.
    pub from_fork: bool,
    /// The target branch, without `refs/heads/`.
    pub base_ref: String,
    /// The tip of the target branch when the forge last looked. The branch may have
    /// moved since: the mirror knows the present tip.
    pub base: ObjectId,
}

/// A run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The forge's number of it.
    pub number: u64,
    /// What started it, in the forge's word.
    pub event: String,
    /// The head of the pull, or the commit that was pushed.
    pub head: ObjectId,
    /// Nothing of it runs any more.
    pub ended: bool,
}

/// Whether a pull still takes pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// It can be merged.
    Open,
    /// It was closed without merging.
    Closed,
    /// It was merged.
    Merged,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The identity.
    pub id: UserId,
    /// The present name; it can change hands.
    pub login: String,
    /// A person or a program.
    pub kind: AuthorKind,
}

/// What stands behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// A person.
    User,
    /// An app or a token.
    Bot,
    /// An organization, a ghost, or a kind that we do not know.
    Other,
}

/// The forge's number of a comment, a note or a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId(pub u64);

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentRef {
    /// The pull that it belongs to.
    pub pull: PullNumber,
    /// Its number, unique among those of its place.
    pub id: CommentId,
    /// The conversation or a review.
    pub place: CommentPlace,
}

/// The two places where people write to a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommentPlace {
    /// The conversation under the pull.
    Conversation,
    /// The text of a submitted review.
    Review,
}

/// Something that was written to a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Where it stands.
    pub at: CommentRef,
    /// Who wrote it first. Others may have edited it since.
    pub author: Author,
    /// The text; foreign unless it is ours.
    pub body: String,
    /// The text was changed after it was written, perhaps by somebody else.
    pub edited: bool,
    /// When it was written, by the forge's clock; `None` for a review, which names the
    /// commit that it was said of.
    pub written: Option<Timestamp>,
}

/// A reaction as the commands use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Received.
    Eyes,
    /// Done.
    ThumbsUp,
    /// Refused.
    ThumbsDown,
    /// Not understood.
    Confused,
}

/// What a user may do, least first, so that `>=` asks "at least".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Not a collaborator.
    None,
    /// May read.
    Read,
    /// May sort issues and pulls.
    Triage,
    /// May push.
    Write,
    /// May change settings that are not dangerous.
    Maintain,
    /// May do everything.
    Admin,
}

/// The forge's number of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u64);

/// What a check is to say; it is found by head and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// `trimtab` or `trimtab/plan`.
    pub name: String,
    /// The commit that it is about.
    pub head: ObjectId,
    /// For machines: the plan line.
    pub external_id: Option<String>,
    /// How far it is.
    pub status: CheckStatus,
    /// One line.
    pub title: String,
    /// Markdown, at most [`CHECK_OUTPUT_MAX`] characters.
    pub summary: String,
    /// Markdown, at most [`CHECK_OUTPUT_MAX`] characters.
    pub text: Option<String>,
    /// Remarks on lines, at most [`ANNOTATIONS_MAX`].
    pub annotations: Vec<Annotation>,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// Waiting.
    Queued,
    /// Being computed.
    InProgress,
    /// Done.
    Completed(Conclusion),
}

/// How a check ended. The bot blocks nobody: there is no failure unless a
/// maintainer asked for one, or a skip does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// All is well.
    Success,
    /// There is something to read.
    Neutral,
    /// A gate that a maintainer set does not hold, or a job was skipped that should have run.
    Failure,
}

/// A remark on lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file, from the repository's root.
    pub path: String,
    /// The first line, from one.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// How loud.
    pub level: AnnotationLevel,
    /// At most 64 KiB.
    pub message: String,
}

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// For information.
    Notice,
    /// Worth a look.
    Warning,
    /// Wrong.
    Failure,
}

/// How to fetch a repository. The secret is valid for some minutes: ask again for
/// each fetch, and never store it.
#[derive(Debug, Clone)]
pub struct CloneAccess {
    /// A URL without credentials.
    pub url: String,
    /// The value of the `Authorization` header, when one is needed.
    pub authorization: Option<SecretString>,
}

/// A delivery that the forge recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The forge's number of this attempt.
    pub id: u64,
    /// The same for every attempt of one delivery; what we deduplicate on.
    pub guid: String,
    /// The event's name, such as `pull_request`.
    pub event: String,
    /// The installation that it was about, when it was about one.
    pub installation: Option<InstallationId>,
    /// The repository that it was about, when it was about one.
    pub repo: Option<RepoId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_ordered_from_least_to_most() {
        use Permission::{Admin, Maintain, None, Read, Triage, Write};
        assert!([None, Read, Triage, Write, Maintain, Admin].is_sorted());
    }

    #[test]
    fn only_throttling_and_silence_are_worth_another_try() {
        let wait = Duration::from_secs(7);
        let silent = ForgeError::Unavailable {
            what: "a pull",
            source: anyhow::anyhow!("timed out"),
        };
        assert_eq!(ForgeError::Throttled { wait }.retry_after(), Some(wait));
        assert_eq!(silent.retry_after(), Some(Duration::ZERO));
        assert_eq!(ForgeError::Denied { what: "a pull" }.retry_after(), None);
        assert_eq!(ForgeError::Missing { what: "a pull" }.retry_after(), None);
    }

    #[test]
    fn clone_access_shows_no_secret() {
        let access = CloneAccess {
            url: "https://forge.example/a/b.git".to_owned(),
            authorization: Some("Basic c2VjcmV0".to_owned().into()),
        };
        assert!(!format!("{access:?}").contains("c2VjcmV0"));
    }
}
