//! What Trimtab changes in a repository, where it was allowed to: one branch of its own,
//! and the pull from it.
//!
//! A branch only ever moves forward, from the commit at which it was last seen: when
//! somebody pushed meanwhile the forge refuses, and nothing of theirs is lost. Nothing
//! here deletes, forces or merges.

use async_trait::async_trait;

use super::ForgeError;
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::engine::tree::Mode;

/// Most characters in the description of a pull.
///
/// The documentation does not say; GitHub answers 422 beyond it.
pub const DESCRIPTION_MAX: usize = 65_536;

/// The part of a forge that changes a repository.
///
/// Each write may be repeated after [`ForgeError::Unavailable`], once the state was read
/// again: the first try may have arrived.
#[async_trait]
pub trait Proposals: Send + Sync {
    /// The commit that a branch stands at; `None` when there is no such branch.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/git/ref/heads/{branch}`](https://docs.github.com/en/rest/git/refs#get-a-reference).
    /// GitLab: [`GET /projects/:id/repository/branches/:branch`](https://docs.gitlab.com/api/branches/#get-single-repository-branch).
    async fn branch_tip(&self, repo: RepoKey, branch: &str)
    -> Result<Option<ObjectId>, ForgeError>;

    /// Puts one commit on a branch, which begins with it or moves forward to it; returns
    /// the commit. [`ForgeError::Denied`] when the installation did not grant it, and
    /// [`ForgeError::Refused`] when the branch is not where it was said to be.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/git/commits/{sha}`](https://docs.github.com/en/rest/git/commits#get-a-commit-object),
    /// [`POST .../git/trees`](https://docs.github.com/en/rest/git/trees#create-a-tree),
    /// [`POST .../git/commits`](https://docs.github.com/en/rest/git/commits#create-a-commit), then
    /// [`POST .../git/refs`](https://docs.github.com/en/rest/git/refs#create-a-reference) or
    /// [`PATCH .../git/refs/heads/{branch}`](https://docs.github.com/en/rest/git/refs#update-a-reference) without `force`.
    /// GitLab: [`POST /projects/:id/repository/commits`](https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions) with `start_sha`, or with `last_commit_id` of each file.
    async fn commit_files(&self, repo: RepoKey, commit: &NewCommit)
    -> Result<ObjectId, ForgeError>;

    /// Opens a pull. [`ForgeError::Refused`] when there is an open one from that branch.
    ///
    /// GitHub: [`POST /repos/{owner}/{repo}/pulls`](https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request).
    /// GitLab: [`POST /projects/:id/merge_requests`](https://docs.gitlab.com/api/merge_requests/#create-mr).
    async fn open_pull(&self, repo: RepoKey, pull: &NewPull) -> Result<PullNumber, ForgeError>;

    /// Replaces title and description of a pull.
    ///
    /// GitHub: [`PATCH /repos/{owner}/{repo}/pulls/{number}`](https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request).
    /// GitLab: [`PUT /projects/:id/merge_requests/:iid`](https://docs.gitlab.com/api/merge_requests/#update-mr).
    async fn describe_pull(
        &self,
        repo: RepoKey,
        number: PullNumber,
        about: &Description,
    ) -> Result<(), ForgeError>;
}

/// A commit of some files upon a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Where the branch was last seen; `None` when it is to be made.
    pub from: Option<ObjectId>,
    /// The commit whose files it has, but for those below.
    pub base: ObjectId,
    /// The files that are other than in the base.
    pub files: Vec<NewFile>,
    /// Its message.
    pub message: String,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the root.
    pub path: String,
    /// A file, or an executable one.
    pub mode: Mode,
    /// Its content.
    pub text: String,
}

/// A pull that is to be opened, inside one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    /// The branch that is proposed.
    pub head: String,
    /// The branch that it is proposed for.
    pub base: String,
    /// What it says.
    pub about: Description,
}

/// What a pull says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// One line.
    pub title: String,
    /// Markdown, at most [`DESCRIPTION_MAX`] characters.
    pub body: String,
}
