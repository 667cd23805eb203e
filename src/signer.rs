//! The only holder of the app's key.
//!
//! Who wants to ask GitHub something gets a token for one repository and one purpose,
//! never the key and never a token for more. A token is kept until five minutes
//! before it ends, and when several tasks want the same one it is minted once.
//!
//! Nothing here has a `Debug` that shows a key or a token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::engine::ids::{InstallationId, RepoKey};
use crate::forge::ForgeError;
use crate::forge::github::{self, Client, Grant, Purpose, Tokens};

/// How long a token is used: GitHub's hour, less five minutes
/// ([expiry](https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app)).
const USED: Duration = Duration::from_mins(55);

/// GitHub's clock may be behind ours, and takes at most ten minutes in all
/// ([about JWTs](https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app)).
const BACKDATED: u64 = 60;
const VALID: u64 = 9 * 60;

/// The key is not an RSA private key in PEM form.
#[derive(Debug, thiserror::Error)]
#[error("the app's key is not an RSA private key in PEM form")]
pub struct BadKey(#[source] jsonwebtoken::errors::Error);

/// Signs for the app, and mints and keeps tokens.
pub struct Signer {
    issuer: String,
    key: EncodingKey,
    client: Client,
    clock: Arc<dyn Clock>,
    kept: Mutex<BTreeMap<(RepoKey, Purpose), Arc<Slot>>>,
}

/// One token, or the place where it is being waited for.
struct Slot {
    ends: SystemTime,
    grant: OnceCell<Grant>,
}

impl Signer {
    /// Signs with a key. `issuer` is the app's client id, or its number.
    pub fn new(
        issuer: String,
        pem: &SecretString,
        client: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadKey> {
        let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).map_err(BadKey)?;
        Ok(Self {
            issuer,
            key,
            client,
            clock,
            kept: Mutex::default(),
        })
    }

    fn sign(&self) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let now = self.clock.unix_seconds();
        let claims = json!({
            "iat": now.saturating_sub(BACKDATED),
            "exp": now.saturating_add(VALID),
            "iss": self.issuer,
        });
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key).map(Into::into)
    }

    /// The slot of a token that is good for now; tokens that ended are dropped.
    fn slot(&self, repo: RepoKey, purpose: Purpose) -> Arc<Slot> {
        let now = self.clock.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, slot| slot.ends > now);
        let slot = kept.entry((repo, purpose)).or_insert_with(|| {
            Arc::new(Slot {
                ends: now + USED,
                grant: OnceCell::new(),
            })
        });
        Arc::clone(slot)
    }
}

#[async_trait]
impl Tokens for Signer {
    async fn grant(&self, repo: RepoKey, purpose: Purpose) -> Result<Grant, ForgeError> {
        let slot = self.slot(repo, purpose);
        let mint = async || github::mint(&self.client, &self.app()?, repo, purpose).await;
        slot.grant.get_or_try_init(mint).await.cloned()
    }

    fn forget(&self, repo: RepoKey, purpose: Purpose) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(repo, purpose));
    }

    async fn listing(&self, installation: InstallationId) -> Result<SecretString, ForgeError> {
        github::mint_listing(&self.client, &self.app()?, installation).await
    }

    fn app(&self) -> Result<SecretString, ForgeError> {
        self.sign().map_err(|error| ForgeError::Unavailable {
            what: "a signature",
            source: error.into(),
        })
    }
}
