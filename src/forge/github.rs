//! GitHub, behind the [`Forge`] trait.
//!
//! Each method hands over to the file of its subject. A repository is addressed by
//! the name that the mint of its token said, so that a rename needs no care here.
//!
//! Nothing here holds the app's key, repeats a request or trusts a payload.

mod auth;
mod checks;
mod client;
mod comments;
mod deliveries;
mod examine;
mod identity;
mod memory;
pub mod payload;
mod proposals;
mod pulls;
mod required;
mod runs;
pub mod signature;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret;

use self::auth::Access;
pub use self::auth::{Grant, OneToken, Purpose, Tokens, mint, mint_listing};
pub use self::client::{Client, ClientError, Endpoint, Heard, Observer};
pub use self::examine::{ActionsRules, Greeting, Installed};
pub use self::identity::{Identity, Untrusted, Verifier};
use self::memory::Memory;
pub use self::pulls::repository_named;
use super::proposals::{Description, NewCommit, NewPull, Proposals};
use super::runs::{PastRuns, RunPage, Window};
use super::{
    Author, CheckId, CheckRun, CloneAccess, Comment, CommentId, CommentRef, Delivery, Forge,
    ForgeError, Permission, Pull, Reaction, Repository, Run,
};
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::ids::{InstallationId, ObjectId, PullNumber, RepoKey};

/// GitHub through the app.
pub struct GitHub {
    access: Access,
    endpoint: Endpoint,
    app: u64,
    /// Pulls, and pages of lists of them, as they were read last.
    pulls: Memory<Pull>,
    pages: Memory<Vec<Pull>>,
}

impl GitHub {
    /// GitHub at an address, as the app with the given number.
    pub fn new(endpoint: Endpoint, app: u64, client: Client, tokens: Arc<dyn Tokens>) -> Self {
        Self {
            access: Access { client, tokens },
            endpoint,
            app,
            pulls: Memory::default(),
            pages: Memory::default(),
        }
    }
}

#[async_trait]
impl Forge for GitHub {
    async fn installations(&self) -> Result<Vec<InstallationId>, ForgeError> {
        pulls::installations(&self.access).await
    }

    async fn repositories(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<Repository>, ForgeError> {
        pulls::repositories(&self.access, installation).await
    }

    async fn pull(&self, repo: RepoKey, number: PullNumber) -> Result<Pull, ForgeError> {
        pulls::one(&self.access, &self.pulls, repo, number).await
    }

    async fn open_pulls(&self, repo: RepoKey) -> Result<Vec<Pull>, ForgeError> {
        pulls::open(&self.access, &self.pages, repo).await
    }

    async fn sticky_comment(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        marker: &str,
    ) -> Result<Option<Comment>, ForgeError> {
        comments::sticky(&self.access, self.app, repo, pull, marker).await
    }

    async fn write_comment(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        existing: Option<CommentId>,
        body: &str,
    ) -> Result<Comment, ForgeError> {
        comments::write(&self.access, repo, pull, existing, body).await
    }

    async fn comment(&self, repo: RepoKey, at: CommentRef) -> Result<Comment, ForgeError> {
        comments::read(&self.access, repo, at).await
    }

    async fn react(
        &self,
        repo: RepoKey,
        to: CommentRef,
        reaction: Reaction,
    ) -> Result<(), ForgeError> {
        comments::react(&self.access, repo, to, reaction).await
    }

    async fn reply(
        &self,
        repo: RepoKey,
        to: CommentRef,
        body: &str,
    ) -> Result<Comment, ForgeError> {
        comments::write(&self.access, repo, to.pull, None, body).await
    }

    async fn write_check(&self, repo: RepoKey, check: &CheckRun) -> Result<CheckId, ForgeError> {
        checks::write(&self.access, self.app, repo, check).await
    }

    async fn run(&self, repo: RepoKey, number: u64) -> Result<Run, ForgeError> {
        runs::one(&self.access, repo, number).await
    }

    async fn required_checks(
        &self,
        repo: RepoKey,
        branch: &str,
    ) -> Result<Vec<String>, ForgeError> {
        let found = required::checks(&self.access, repo, branch).await?;
        let names: BTreeSet<String> = found.into_iter().map(|it| it.name).collect();
        Ok(names.into_iter().collect())
    }

    async fn permission(&self, repo: RepoKey, user: &Author) -> Result<Permission, ForgeError> {
        pulls::permission(&self.access, repo, user).await
    }

    async fn clone_access(&self, repo: RepoKey) -> Result<CloneAccess, ForgeError> {
        let grant = self.access.tokens.grant(repo, Purpose::Clone).await?;
        let web = self.endpoint.web.as_str().trim_end_matches('/');
        let login = format!("x-access-token:{}", grant.token.expose_secret());
        Ok(CloneAccess {
            url: format!("{web}/{}.git", grant.path),
            authorization: Some(format!("Basic {}", BASE64_STANDARD.encode(login)).into()),
        })
    }

    async fn failed_deliveries(&self) -> Result<Vec<Delivery>, ForgeError> {
        deliveries::failed(&self.access).await
    }

    async fn redeliver(&self, delivery: &Delivery) -> Result<(), ForgeError> {
        deliveries::again(&self.access, delivery).await
    }
}

#[async_trait]
impl PastRuns for GitHub {
    async fn ended_runs(
        &self,
        repo: RepoKey,
        window: Window,
        page: usize,
    ) -> Result<RunPage, ForgeError> {
        runs::ended(&self.access, repo, window, page).await
    }

    async fn attempt(&self, repo: RepoKey, run: u64, attempt: u32) -> Result<Attempt, ForgeError> {
        runs::attempt(&self.access, repo, (run, attempt)).await
    }

    async fn jobs(&self, repo: RepoKey, run: u64, attempt: u32) -> Result<Vec<JobRun>, ForgeError> {
        runs::jobs(&self.access, repo, (run, attempt)).await
    }
}

#[async_trait]
impl Proposals for GitHub {
    async fn branch_tip(
        &self,
        repo: RepoKey,
        branch: &str,
    ) -> Result<Option<ObjectId>, ForgeError> {
        proposals::tip(&self.access, repo, branch).await
    }

    async fn commit_files(
        &self,
        repo: RepoKey,
        commit: &NewCommit,
    ) -> Result<ObjectId, ForgeError> {
        proposals::commit(&self.access, repo, commit).await
    }

    async fn open_pull(&self, repo: RepoKey, pull: &NewPull) -> Result<PullNumber, ForgeError> {
        proposals::open(&self.access, repo, pull).await
    }

    async fn describe_pull(
        &self,
        repo: RepoKey,
        number: PullNumber,
        about: &Description,
    ) -> Result<(), ForgeError> {
        proposals::describe(&self.access, repo, number, about).await
    }
}
