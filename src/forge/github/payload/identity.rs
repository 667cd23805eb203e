//! What the issuer of identities publishes, and what a token of it says.
//!
//! Only what is decided on is read: numbers and the ref, never a name or `sub`, which the
//! owner of a repository can shape
//! ([claims](https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims)).

use serde::Deserialize;
use serde_json::Value;

/// Where the issuer's keys are.
#[derive(Deserialize)]
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
}

/// The keys, as they are published: one that makes no sense spoils no other.
#[derive(Deserialize)]
pub(crate) struct KeySet {
    pub(crate) keys: Vec<Value>,
}

/// One key ([JWK](https://www.rfc-editor.org/rfc/rfc7517)).
#[derive(Deserialize)]
pub(crate) struct KeyAnswer {
    pub(crate) kty: String,
    pub(crate) kid: String,
    pub(crate) n: String,
    pub(crate) e: String,
    pub(crate) alg: Option<String>,
    #[serde(rename = "use")]
    pub(crate) purpose: Option<String>,
}

impl KeyAnswer {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

/// What a token says.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) exp: u64,
    pub(crate) nbf: Option<u64>,
    pub(crate) iat: u64,
    pub(crate) repository_id: String,
    pub(crate) run_id: String,
    pub(crate) event_name: String,
    #[serde(rename = "ref")]
    pub(crate) reference: String,
}

impl Discovery {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

impl KeySet {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}
