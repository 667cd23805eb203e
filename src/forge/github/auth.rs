//! With which token GitHub is asked, and for which repository.
//!
//! Every request about a repository carries a token that was minted for that
//! repository and for that kind of request alone, so that a mistake in one place
//! cannot reach another repository or another permission
//! ([scoping a token](https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app)).
//! The mint also says the repository's present name, which the endpoints want.
//!
//! The app's key is not here; see [`crate::signer`].

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;

use super::client::{Answer, Call, Client};
use super::memory::Memory;
use super::payload::answers::TokenAnswer;
use super::payload::requests;
use crate::engine::ids::{InstallationId, RepoKey};
use crate::forge::ForgeError;

/// What a token is for; each kind carries the least permissions that do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To read pulls, comments and permissions.
    Read,
    /// To write comments and reactions, and to open and describe the pulls of the bot.
    Comment,
    /// To find and write our checks.
    Check,
    /// To fetch the repository's objects.
    Clone,
    /// To read runs of workflows.
    Run,
    /// To read which actions workflows may use; no other code asks for this.
    Settings,
    /// To put workflow files on a branch of the bot. Most installations do not grant it.
    Propose,
}

/// A token for one repository and one purpose.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token. Its length and form are GitHub's business and change.
    pub token: SecretString,
    /// The repository's owner and name when the token was minted.
    pub path: String,
}

/// Gives out tokens. The one implementation is the signer.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is valid for some minutes at least.
    async fn grant(&self, repo: RepoKey, purpose: Purpose) -> Result<Grant, ForgeError>;

    /// Drops a token that GitHub no longer accepts.
    fn forget(&self, repo: RepoKey, purpose: Purpose);

    /// A token that sees the names of an installation's repositories and nothing else.
    async fn listing(&self, installation: InstallationId) -> Result<SecretString, ForgeError>;

    /// A token of the app itself, for what belongs to no installation.
    fn app(&self) -> Result<SecretString, ForgeError>;
}

/// A token that a person gave, for one repository and whatever it may do there.
#[derive(Debug)]
pub struct OneToken {
    repo: RepoKey,
    grant: Grant,
}

impl OneToken {
    /// Uses a token for the repository with this name.
    pub fn new(token: SecretString, repo: RepoKey, path: String) -> Self {
        Self {
            repo,
            grant: Grant { token, path },
        }
    }
}

#[async_trait]
impl Tokens for OneToken {
    async fn grant(&self, repo: RepoKey, _purpose: Purpose) -> Result<Grant, ForgeError> {
        if repo == self.repo {
            Ok(self.grant.clone())
        } else {
            Err(ForgeError::Denied { what: TOKEN })
        }
    }

    fn forget(&self, _repo: RepoKey, _purpose: Purpose) {
        // There is no other one.
    }

    async fn listing(&self, _of: InstallationId) -> Result<SecretString, ForgeError> {
        Err(ForgeError::Denied { what: TOKEN })
    }

    fn app(&self) -> Result<SecretString, ForgeError> {
        Err(ForgeError::Denied { what: TOKEN })
    }
}

/// Asks about repositories, each with its own token.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) client: Client,
    pub(super) tokens: Arc<dyn Tokens>,
}

/// A request about a repository; `below` is the path under `/repos/OWNER/NAME`.
pub(super) struct RepoCall {
    pub(super) what: &'static str,
    pub(super) purpose: Purpose,
    pub(super) method: Method,
    pub(super) below: String,
    pub(super) body: Option<Value>,
}

impl RepoCall {
    pub(super) fn read(what: &'static str, purpose: Purpose, below: String) -> Self {
        Self {
            what,
            purpose,
            method: Method::GET,
            below,
            body: None,
        }
    }
}

impl Access {
    /// Asks about a repository.
    pub(super) async fn repo(&self, repo: RepoKey, call: RepoCall) -> Result<Answer, ForgeError> {
        let (what, purpose) = (call.what, call.purpose);
        let answer = self.send(repo, call, None).await?;
        self.judge(repo, purpose, what, answer)
    }

    /// Reads something about a repository, but only if it has changed since the last
    /// time.
    pub(super) async fn repo_again<T: Clone>(
        &self,
        repo: RepoKey,
        call: RepoCall,
        memory: &Memory<T>,
        read: impl FnOnce(&Answer) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        let (what, purpose) = (call.what, call.purpose);
        let place = (repo, call.below.clone());
        let (tag, known) = memory.recall(&place).unzip();
        let answer = self.send(repo, call, tag).await?;
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (answer.status, known) {
            return Ok(known);
        }
        let answer = self.judge(repo, purpose, what, answer)?;
        let value = read(&answer)?;
        if let Some(tag) = answer.tag() {
            memory.keep(place, tag, (value.clone(), answer.body.len()));
        }
        Ok(value)
    }

    async fn send(
        &self,
        repo: RepoKey,
        call: RepoCall,
        known: Option<String>,
    ) -> Result<Answer, ForgeError> {
        let grant = self.tokens.grant(repo, call.purpose).await?;
        let request = Call {
            what: call.what,
            method: call.method,
            path: format!("/repos/{}{}", grant.path, call.below),
            body: call.body,
            installation: Some(repo.installation),
            known,
        };
        self.client.send(&grant.token, request).await
    }

    /// Sends a GraphQL mutation about a repository.
    pub(super) async fn graph(
        &self,
        repo: RepoKey,
        purpose: Purpose,
        what: &'static str,
        body: Value,
    ) -> Result<Answer, ForgeError> {
        let grant = self.tokens.grant(repo, purpose).await?;
        let call = Call {
            what,
            method: Method::POST,
            path: "/graphql".to_owned(),
            body: Some(body),
            installation: Some(repo.installation),
            known: None,
        };
        let answer = self.client.send_graph(&grant.token, call).await?;
        self.judge(repo, purpose, what, answer)
    }

    /// Asks with the app's own token.
    pub(super) async fn app(&self, call: Call) -> Result<Answer, ForgeError> {
        self.client.ask(&self.tokens.app()?, call).await
    }

    /// A token that is no longer accepted, or a repository that has moved, shows in
    /// the status: with a fresh mint the next attempt knows better.
    fn judge(
        &self,
        repo: RepoKey,
        purpose: Purpose,
        what: &'static str,
        answer: Answer,
    ) -> Result<Answer, ForgeError> {
        if answer.status == StatusCode::UNAUTHORIZED || answer.status.is_redirection() {
            self.tokens.forget(repo, purpose);
            return Err(ForgeError::Unavailable {
                what,
                source: anyhow::anyhow!("status {}: the token is dropped", answer.status),
            });
        }
        self.client.judge(answer)
    }
}

/// Mints a token for one repository and one purpose. `app` is the app's own token.
///
/// A repository that the installation does not reach, and a permission that it does
/// not have, are refused by GitHub here, before any request about the repository.
pub async fn mint(
    client: &Client,
    app: &SecretString,
    repo: RepoKey,
    purpose: Purpose,
) -> Result<Grant, ForgeError> {
    let scope = requests::scope(Some(purpose), Some(repo.repo));
    let answer = mint_scope(client, app, repo.installation, scope).await?;
    let named = answer
        .repositories
        .into_iter()
        .find(|it| it.id == repo.repo.0)
        .ok_or(ForgeError::Denied { what: TOKEN })?;
    Ok(Grant {
        token: answer.token.into(),
        path: named.full_name,
    })
}

/// Mints the token that lists an installation's repositories.
pub async fn mint_listing(
    client: &Client,
    app: &SecretString,
    installation: InstallationId,
) -> Result<SecretString, ForgeError> {
    let scope = requests::scope(None, None);
    let answer = mint_scope(client, app, installation, scope).await?;
    Ok(answer.token.into())
}

const TOKEN: &str = "a token";

async fn mint_scope(
    client: &Client,
    app: &SecretString,
    installation: InstallationId,
    scope: Value,
) -> Result<TokenAnswer, ForgeError> {
    let call = Call {
        what: TOKEN,
        method: Method::POST,
        path: format!("/app/installations/{installation}/access_tokens"),
        body: Some(scope),
        installation: None,
        known: None,
    };
    match client.ask(app, call).await {
        Ok(answer) => answer.json(),
        // The installation is gone, or does not reach this far.
        Err(ForgeError::Missing { what } | ForgeError::Refused { what, .. }) => {
            Err(ForgeError::Denied { what })
        }
        Err(error) => Err(error),
    }
}
