//! What GitHub's REST interface answers, as far as Trimtab reads it.
//!
//! Thin on purpose: the documented shapes have hundreds of fields, most of them
//! URLs, and a client that reads all of them breaks when one changes. Nothing here
//! decides anything; each struct only becomes a value of [`crate::forge`].

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Account, Id};
use crate::engine::ids::{
    ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey, Timestamp, UserId,
};
use crate::forge::github::client::Answer;
use crate::forge::{
    Author, AuthorKind, Comment, CommentId, CommentPlace, CommentRef, Delivery, ForgeError, Pull,
    PullState, Repository, Run,
};

impl Answer {
    /// The body as the documented shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|fault| ForgeError::Unavailable {
            what: self.what,
            // The text of the fault may quote the answer, which may hold a token.
            source: anyhow::anyhow!(
                "the answer does not parse ({:?} at line {} column {})",
                fault.classify(),
                fault.line(),
                fault.column()
            ),
        })
    }
}

/// The account that GitHub shows for users who were deleted, <https://github.com/ghost>.
const GHOST: UserId = UserId(10_137);

#[derive(Deserialize)]
pub(crate) struct PullAnswer {
    number: u64,
    title: String,
    state: String,
    #[serde(default)]
    draft: bool,
    merged_at: Option<String>,
    user: Option<Account>,
    labels: Vec<LabelAnswer>,
    head: EndAnswer,
    base: EndAnswer,
}

#[derive(Deserialize)]
struct LabelAnswer {
    name: String,
}

#[derive(Deserialize)]
struct EndAnswer {
    #[serde(rename = "ref")]
    branch: String,
    sha: ObjectId,
    /// Nothing, when the fork was deleted.
    repo: Option<Id>,
}

impl From<PullAnswer> for Pull {
    fn from(answer: PullAnswer) -> Self {
        let mut labels: Vec<String> = answer.labels.into_iter().map(|it| it.name).collect();
        labels.sort_unstable();
        let lives_in = |end: &EndAnswer| end.repo.as_ref().map(|repo| repo.id);
        Self {
            number: PullNumber(answer.number),
            title: answer.title,
            state: match (answer.state.as_str(), answer.merged_at) {
                ("open", _) => PullState::Open,
                (_, Some(_)) => PullState::Merged,
                (_, None) => PullState::Closed,
            },
            draft: answer.draft,
            author: author(answer.user),
            labels,
            from_fork: lives_in(&answer.head) != lives_in(&answer.base),
            head: answer.head.sha,
            head_ref: answer.head.branch,
            base_ref: answer.base.branch,
            base: answer.base.sha,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct CommentAnswer {
    id: u64,
    body: Option<String>,
    user: Option<Account>,
    created_at: String,
    updated_at: String,
    issue_url: String,
    performed_via_github_app: Option<Id>,
}

impl CommentAnswer {
    /// The comment, if it stands under the given pull.
    pub(crate) fn under(self, pull: PullNumber) -> Option<Comment> {
        let number = self.issue_url.rsplit('/').next()?;
        (number == pull.to_string()).then(|| Comment {
            at: CommentRef {
                pull,
                id: CommentId(self.id),
                place: CommentPlace::Conversation,
            },
            author: author(self.user),
            body: self.body.unwrap_or_default(),
            edited: self.created_at != self.updated_at,
            written: Timestamp::of_text(&self.created_at),
        })
    }

    /// Whether the app itself wrote it. A person's comment that was sent through the
    /// app also names the app, so that the kind of the author counts too.
    pub(crate) fn is_by_app(&self, app: u64) -> bool {
        let through = self.performed_via_github_app.as_ref().map(|it| it.id);
        let by_bot = self.user.as_ref().is_some_and(|user| user.kind == "Bot");
        through == Some(app) && by_bot
    }

    /// Whether it begins with the marker: further down it may be a quotation.
    pub(crate) fn begins_with(&self, marker: &str) -> bool {
        self.body
            .as_deref()
            .is_some_and(|body| body.trim_start().starts_with(marker))
    }
}

#[derive(Deserialize)]
pub(crate) struct ReviewAnswer {
    pub(crate) node_id: String,
    id: u64,
    body: Option<String>,
    user: Option<Account>,
}

impl ReviewAnswer {
    pub(crate) fn into_comment(self, pull: PullNumber) -> Comment {
        Comment {
            at: CommentRef {
                pull,
                id: CommentId(self.id),
                place: CommentPlace::Review,
            },
            author: author(self.user),
            body: self.body.unwrap_or_default(),
            // A review does not say; its reader compares the text with what arrived.
            edited: false,
            // It names the commit that it was said of.
            written: None,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct PermissionAnswer {
    pub(crate) role_name: String,
    pub(crate) permission: String,
    pub(crate) user: Option<Id>,
}

#[derive(Deserialize)]
pub(crate) struct RepositoriesAnswer {
    pub(crate) repositories: Vec<RepositoryAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct RepositoryAnswer {
    id: u64,
    full_name: String,
    default_branch: String,
    archived: bool,
}

impl RepositoryAnswer {
    pub(crate) fn reached_by(self, installation: InstallationId) -> Repository {
        Repository {
            key: RepoKey {
                forge: ForgeKind::Github,
                installation,
                repo: RepoId(self.id),
            },
            path: self.full_name,
            default_branch: self.default_branch,
            archived: self.archived,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct InstallationAnswer {
    pub(crate) id: u64,
    pub(crate) suspended_at: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ChecksAnswer {
    pub(crate) check_runs: Vec<CheckAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct CheckAnswer {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) status: String,
    pub(crate) output: Option<OutputAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct OutputAnswer {
    pub(crate) annotations_count: u64,
}

#[derive(Deserialize)]
pub(crate) struct RunAnswer {
    id: u64,
    event: String,
    status: Option<String>,
    head_sha: ObjectId,
    repository: Id,
}

impl RunAnswer {
    /// The run, if it is the one that was asked for, of the repository asked about.
    pub(crate) fn of(self, repo: RepoKey, number: u64) -> Option<Run> {
        let is_it = self.id == number && self.repository.id == repo.repo.0;
        is_it.then(|| Run {
            number,
            event: self.event,
            head: self.head_sha,
            ended: self.status.as_deref() == Some("completed"),
        })
    }
}

/// A branch by its full name.
#[derive(Deserialize)]
pub(crate) struct ReferenceAnswer {
    pub(crate) object: MadeAnswer,
}

/// A commit as git has it.
#[derive(Deserialize)]
pub(crate) struct CommitAnswer {
    pub(crate) tree: MadeAnswer,
}

/// An object by its name.
#[derive(Deserialize)]
pub(crate) struct MadeAnswer {
    pub(crate) sha: ObjectId,
}

#[derive(Deserialize)]
pub(crate) struct DeliveryAnswer {
    id: u64,
    guid: String,
    pub(crate) status_code: u16,
    event: String,
    installation_id: Option<u64>,
    repository_id: Option<u64>,
}

impl DeliveryAnswer {
    pub(crate) fn guid(&self) -> &str {
        &self.guid
    }
}

impl From<DeliveryAnswer> for Delivery {
    fn from(answer: DeliveryAnswer) -> Self {
        Self {
            id: answer.id,
            guid: answer.guid,
            event: answer.event,
            installation: answer.installation_id.map(InstallationId),
            repo: answer.repository_id.map(RepoId),
        }
    }
}

/// The mint of a token. Its `Debug` and its parse errors would hold the token.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) repositories: Vec<MintedRepository>,
}

#[derive(Deserialize)]
pub(crate) struct MintedRepository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
}

#[derive(Deserialize)]
pub(crate) struct GraphAnswer {
    #[serde(default)]
    pub(crate) errors: Vec<GraphFault>,
}

#[derive(Deserialize)]
pub(crate) struct GraphFault {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// How GitHub explains a refusal.
#[derive(Deserialize)]
pub(crate) struct FaultAnswer {
    pub(crate) message: String,
}

fn author(user: Option<Account>) -> Author {
    user.map_or_else(
        || Author {
            id: GHOST,
            login: "ghost".to_owned(),
            kind: AuthorKind::Other,
        },
        Author::from,
    )
}
