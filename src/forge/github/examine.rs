//! What GitHub says of the app itself, of an installation, and of a repository's rules.
//!
//! Reads only, for whoever wants to know why something does not work. Each question is
//! asked with the least right that answers it, and none is asked whose answer could hold
//! a secret.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::DATE;

use super::GitHub;
use super::auth::{Purpose, RepoCall};
use super::client::{Answer, Call};
use super::payload::answers::RepositoryAnswer;
use super::payload::examined::{
    ActionsAnswer, AppAnswer, BlobAnswer, InstalledAnswer, RuleShape, TreeAnswer, TreeEntry,
};
use super::required::{self, escaped};
use crate::clock::Timestamp;
use crate::engine::doctor::grants::Granted;
use crate::engine::doctor::workflows::RequiredCheck;
use crate::engine::ids::{InstallationId, RepoKey};
use crate::engine::policy;
use crate::forge::{ForgeError, Repository};

/// What the forge said when it was asked who we are.
#[derive(Debug)]
pub struct Greeting {
    /// What time it was for the forge; `None` when it did not say.
    pub date: Option<Timestamp>,
    /// What the app asks for, or why nobody knows.
    pub app: Result<Granted, ForgeError>,
}

/// The app, as it is installed on a repository.
#[derive(Debug)]
pub struct Installed {
    /// Its number.
    pub id: InstallationId,
    /// What was granted.
    pub granted: Granted,
    /// It was suspended, and nothing can be asked.
    pub suspended: bool,
}

/// Which actions the workflows of a repository may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionsRules {
    /// Workflows run at all.
    pub enabled: bool,
    /// Every action may be used.
    pub all: bool,
}

/// Most workflow files that are read.
const FILES_MAX: usize = 300;

/// The largest one, in bytes.
const FILE_MAX: u64 = 1 << 20;

impl GitHub {
    /// Who we are, what the app asks for, and what time it is there
    /// ([`GET /app`](https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app)).
    pub async fn greeting(&self) -> Greeting {
        let call = Call::read("the app", "/app".to_owned());
        let asked = async {
            let token = self.access.tokens.app()?;
            self.access.client.send(&token, call).await
        };
        match asked.await {
            Err(fault) => Greeting {
                date: None,
                app: Err(fault),
            },
            Ok(answer) => Greeting {
                date: date(&answer),
                app: self.access.client.judge(answer).and_then(|answer| {
                    let app: AppAnswer = answer.json()?;
                    Ok(app.granted())
                }),
            },
        }
    }

    /// The installation on a repository, `owner/name`
    /// ([`GET /repos/{owner}/{repo}/installation`](https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app)).
    pub async fn installed(&self, path: &str) -> Result<Installed, ForgeError> {
        let call = Call::read("the installation", format!("/repos/{path}/installation"));
        let answer: InstalledAnswer = self.access.app(call).await?.json()?;
        Ok(Installed {
            id: InstallationId(answer.id),
            suspended: answer.suspended_at.is_some(),
            granted: answer.granted(),
        })
    }

    /// A repository by its name, `owner/name`, as an installation reaches it
    /// ([`GET /repos/{owner}/{repo}`](https://docs.github.com/en/rest/repos/repos#get-a-repository)).
    pub async fn repository(
        &self,
        installation: InstallationId,
        path: &str,
    ) -> Result<Repository, ForgeError> {
        let token = self.access.tokens.listing(installation).await?;
        let call = Call::read("the repository", format!("/repos/{path}"));
        let answer: RepositoryAnswer = self.access.client.ask(&token, call).await?.json()?;
        Ok(answer.reached_by(installation))
    }

    /// The checks that a branch requires, each with who has to report it.
    pub async fn required(
        &self,
        repo: RepoKey,
        branch: &str,
    ) -> Result<Vec<RequiredCheck>, ForgeError> {
        let found = required::checks(&self.access, repo, branch).await?;
        Ok(found.into_iter().collect())
    }

    /// The kinds of rules that hold for a branch, which need not exist.
    pub async fn rules(&self, repo: RepoKey, branch: &str) -> Result<Vec<String>, ForgeError> {
        let rules = required::rules(&self.access, repo, branch).await?;
        let kinds: BTreeSet<String> = rules.into_iter().map(RuleShape::kind).collect();
        Ok(kinds.into_iter().collect())
    }

    /// Which actions workflows may use; wants `administration: read`
    /// ([`GET /repos/{owner}/{repo}/actions/permissions`](https://docs.github.com/en/rest/actions/permissions#get-github-actions-permissions-for-a-repository)).
    pub async fn actions_rules(&self, repo: RepoKey) -> Result<ActionsRules, ForgeError> {
        let below = "/actions/permissions".to_owned();
        let call = RepoCall::read("the rules for actions", Purpose::Settings, below);
        let answer: ActionsAnswer = self.access.repo(repo, call).await?.json()?;
        Ok(ActionsRules {
            enabled: answer.enabled,
            all: answer.allowed_actions.is_none_or(|word| word == "all"),
        })
    }

    /// The files below `.github` that workflows are made of, on a branch, by path
    /// ([trees](https://docs.github.com/en/rest/git/trees#get-a-tree),
    /// [blobs](https://docs.github.com/en/rest/git/blobs#get-a-blob)).
    pub async fn workflow_files(
        &self,
        repo: RepoKey,
        branch: &str,
    ) -> Result<BTreeMap<String, String>, ForgeError> {
        const WHAT: &str = "the workflow files";
        let root = self.tree(repo, &escaped(branch)).await?;
        let found = root.tree.into_iter().find(TreeEntry::is_github);
        let Some(found) = found else {
            return Ok(BTreeMap::new());
        };
        let below = self
            .tree(repo, &format!("{}?recursive=1", found.sha))
            .await?;
        let wanted: Vec<TreeEntry> = below.tree.into_iter().filter(TreeEntry::is_yaml).collect();
        let large = wanted
            .iter()
            .any(|entry| entry.size.unwrap_or(0) > FILE_MAX);
        if below.truncated || large || wanted.len() > FILES_MAX {
            return Err(ForgeError::Refused {
                what: WHAT,
                message: "there are too many of them, or one is too large".to_owned(),
            });
        }
        let mut files = BTreeMap::new();
        for entry in wanted {
            let path = format!(".github/{}", entry.path);
            let text = self.text(repo, WHAT, (&path, &entry.sha)).await?;
            files.insert(path, text);
        }
        Ok(files)
    }

    /// The configuration on a branch; `None` where there is none.
    pub async fn configuration(
        &self,
        repo: RepoKey,
        branch: &str,
    ) -> Result<Option<String>, ForgeError> {
        const WHAT: &str = "the configuration";
        let root = self.tree(repo, &escaped(branch)).await?;
        let mut entries = root.tree.into_iter();
        let Some(entry) = entries.find(|entry| entry.path == policy::FILE) else {
            return Ok(None);
        };
        if !entry.is_file() || entry.size.unwrap_or(0) > FILE_MAX {
            return Err(ForgeError::Refused {
                what: WHAT,
                message: format!("{} is no file, or too large", policy::FILE),
            });
        }
        let text = self.text(repo, WHAT, (policy::FILE, &entry.sha)).await;
        text.map(Some)
    }

    /// What a file says.
    async fn text(
        &self,
        repo: RepoKey,
        what: &'static str,
        (path, sha): (&str, &str),
    ) -> Result<String, ForgeError> {
        let call = RepoCall::read(what, Purpose::Clone, format!("/git/blobs/{sha}"));
        let blob: BlobAnswer = self.access.repo(repo, call).await?.json()?;
        let letters: String = blob.content.split_whitespace().collect();
        let bytes = BASE64_STANDARD.decode(letters).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| ForgeError::Refused {
            what,
            message: format!("{path} is not UTF-8"),
        })
    }

    async fn tree(&self, repo: RepoKey, name: &str) -> Result<TreeAnswer, ForgeError> {
        let call = RepoCall::read("a tree", Purpose::Clone, format!("/git/trees/{name}"));
        self.access.repo(repo, call).await?.json()
    }
}

/// When an answer was given, by the clock of whoever gave it
/// ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#name-date)).
fn date(answer: &Answer) -> Option<Timestamp> {
    let text = answer.headers.get(DATE)?.to_str().ok()?;
    let moment = httpdate::parse_http_date(text).ok()?;
    let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp(0).after(since))
}
