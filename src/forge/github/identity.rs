//! Who asks: the identity that GitHub Actions gives to a job.
//!
//! A job can ask GitHub for a signed token that says of which repository and run it is
//! ([OIDC](https://docs.github.com/en/actions/concepts/security/openid-connect)). It is
//! believed when the configured issuer signed it with RS256, for this server, and for now.
//! Whoever is told an [`Identity`] still asks the forge whether there is such a run.
//!
//! No token decides where its key is fetched or how it is verified: the issuer and the
//! algorithm are fixed, keys are fetched from the issuer's own address, bounded, cached,
//! and no more than once a minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::sync::OnceCell;
use url::Url;

use super::client::{ClientError, connector};
use super::payload::identity::{Claims, Discovery, KeyAnswer, KeySet};
use crate::clock::{Clock, Timestamp};
use crate::engine::ids::RepoId;

/// The longest token that is looked at. GitHub's have about two thousand characters.
const TOKEN_MAX: usize = 8 * 1024;
/// How far the clocks may differ, in seconds.
const LEEWAY: u64 = 60;
/// How long a token may hold in all, in seconds; GitHub's hold a few minutes.
const LONGEST: u64 = 3_600;
/// How long fetched keys are used without being asked for again.
const FRESH: Duration = Duration::from_hours(1);
/// How long they are used when the issuer does not answer.
const USABLE: Duration = Duration::from_hours(24);
/// The least time between two requests for keys.
const PAUSE: Duration = Duration::from_mins(1);
/// How long the issuer may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer of the issuer that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;
/// The most keys of an issuer that are kept.
const KEYS_MAX: usize = 32;

/// What a believed token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The repository in which the run is.
    pub repository: RepoId,
    /// The number of the run.
    pub run: u64,
    /// The event that started it.
    pub event: String,
    /// The ref that it runs on: `refs/pull/7/merge`.
    pub reference: String,
}

/// Why a token is not believed, as a sentence for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is none, or far too long, or says less than is needed.
    #[error("the token is not one that GitHub Actions gives to a job")]
    Malformed,
    /// It is signed in another way, or not at all.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the token is signed with a key that the issuer does not have")]
    UnknownKey,
    /// The key is the issuer's, and did not make this signature.
    #[error("the signature of the token does not fit")]
    Signature,
    /// Somebody else issued it.
    #[error("the token is of another issuer than ACTIONS_ISSUER")]
    Issuer,
    /// It is meant for somebody else.
    #[error("the token is for another audience: ask for the server's PUBLIC_URL")]
    Audience,
    /// It has expired, or is not valid yet.
    #[error("the token has expired or is not valid yet")]
    Time,
    /// The issuer's keys are not known, so nothing can be believed.
    #[error("the issuer's keys cannot be had now: try again later")]
    NoKeys,
}

type Keys = BTreeMap<String, DecodingKey>;

/// Verifies tokens of one issuer for one audience.
pub struct Verifier {
    issuer: Url,
    audience: String,
    http: HttpClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Arc<Fetch>>>,
}

/// One request for keys, or its result.
struct Fetch {
    asked: Timestamp,
    /// What was known before; it is used for a while when the issuer does not answer.
    before: Option<Fetched>,
    keys: OnceCell<Option<Fetched>>,
}

#[derive(Clone)]
struct Fetched {
    at: Timestamp,
    keys: Arc<Keys>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("issuer", &self.issuer.as_str())
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Believes tokens of `issuer` that are meant for `audience`. Asks nobody yet.
    ///
    /// # Errors
    /// When the machine has no certificates to trust.
    pub fn new(issuer: Url, audience: &Url, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        Ok(Self {
            issuer,
            audience: plain(audience).to_owned(),
            http: HttpClient::builder(TokioExecutor::new()).build(connector()?),
            clock,
            kept: Mutex::default(),
        })
    }

    /// What a token says, if it is to be believed.
    pub async fn verify(&self, token: &str) -> Result<Identity, Untrusted> {
        if token.len() > TOKEN_MAX {
            return Err(Untrusted::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|fault| match fault.kind() {
            // `none`, and names that the library does not have.
            ErrorKind::Json(_) if token.contains('.') => Untrusted::Algorithm,
            _ => Untrusted::Malformed,
        })?;
        if header.alg != Algorithm::RS256 {
            return Err(Untrusted::Algorithm);
        }
        let kid = header.kid.ok_or(Untrusted::UnknownKey)?;
        let keys = self.keys(&kid).await.ok_or(Untrusted::NoKeys)?;
        let key = keys.get(&kid).ok_or(Untrusted::UnknownKey)?;
        let mut rules = Validation::new(Algorithm::RS256);
        // Times are read from our clock, and the rest below, so that each has its sentence.
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules);
        let claims = claims.map_err(|fault| match fault.kind() {
            ErrorKind::InvalidSignature => Untrusted::Signature,
            _ => Untrusted::Malformed,
        })?;
        self.identity(claims.claims)
    }

    fn identity(&self, claims: Claims) -> Result<Identity, Untrusted> {
        if claims.iss != plain(&self.issuer) {
            return Err(Untrusted::Issuer);
        }
        if claims.aud != self.audience {
            return Err(Untrusted::Audience);
        }
        let now = self.clock.unix_seconds();
        let begins = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        let holds = claims.exp.saturating_add(LEEWAY) > now
            && begins <= now.saturating_add(LEEWAY)
            && claims.exp.saturating_sub(claims.iat) <= LONGEST;
        if !holds {
            return Err(Untrusted::Time);
        }
        let number = |text: &str| text.parse().map_err(|_fault| Untrusted::Malformed);
        Ok(Identity {
            repository: RepoId(number(&claims.repository_id)?),
            run: number(&claims.run_id)?,
            event: claims.event_name,
            reference: claims.reference,
        })
    }

    /// The issuer's keys; fetched when they are old, or when they lack this one and were
    /// not asked for within the last minute. `None` when there are none to be had.
    async fn keys(&self, kid: &str) -> Option<Arc<Keys>> {
        let fetch = self.fetch(kid);
        // Keys that hold need not wait until somebody else's are looked for.
        if let (None, Some(before)) = (fetch.keys.get(), &fetch.before)
            && before.keys.contains_key(kid)
            && fetch.asked.since(before.at) < FRESH
        {
            return Some(Arc::clone(&before.keys));
        }
        let get = || async {
            match self.ask().await {
                Ok(keys) => Some(Fetched {
                    at: fetch.asked,
                    keys: Arc::new(keys),
                }),
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "no keys of the issuer");
                    let before = fetch.before.clone();
                    before.filter(|it| fetch.asked.since(it.at) < USABLE)
                }
            }
        };
        let fetched = fetch.keys.get_or_init(get).await.as_ref()?;
        Some(Arc::clone(&fetched.keys))
    }

    /// The request whose result is to be waited for.
    fn fetch(&self, kid: &str) -> Arc<Fetch> {
        let now = self.clock.timestamp();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.as_ref().and_then(|fetch| match fetch.keys.get() {
            Some(known) => known.clone(),
            None => fetch.before.clone(),
        });
        if let Some(fetch) = kept.as_ref() {
            let has = known.as_ref().is_some_and(|it| it.keys.contains_key(kid));
            let age = now.since(fetch.asked);
            if age < PAUSE || has && age < FRESH {
                return Arc::clone(fetch);
            }
        }
        let fetch = Arc::new(Fetch {
            asked: now,
            before: known,
            keys: OnceCell::new(),
        });
        *kept = Some(Arc::clone(&fetch));
        fetch
    }

    async fn ask(&self) -> anyhow::Result<Keys> {
        let issuer = plain(&self.issuer);
        let place = format!("{issuer}/.well-known/openid-configuration");
        let found = self.get(&place).await.context("ask where the keys are")?;
        let found = Discovery::read(&found).context("the answer says not where")?;
        anyhow::ensure!(found.issuer == issuer, "the issuer gives another name");
        let keys = Url::parse(&found.jwks_uri).context("read where the keys are")?;
        anyhow::ensure!(
            keys.origin() == self.issuer.origin(),
            "the keys are not at the issuer's own address"
        );
        let found = self.get(keys.as_str()).await.context("ask for the keys")?;
        let found = KeySet::read(&found).context("the answer holds no keys")?;
        let mut keys = Keys::new();
        for (kid, key) in found.keys.iter().take(KEYS_MAX).filter_map(usable) {
            keys.entry(kid).or_insert(key);
        }
        Ok(keys)
    }

    /// A body of at most [`ANSWER_MAX`] bytes; redirects are not followed.
    async fn get(&self, place: &str) -> anyhow::Result<Vec<u8>> {
        let uri: Uri = place.parse().context("read the address")?;
        let request = Request::get(uri)
            .header("user-agent", super::client::NAME)
            .header("accept", "application/json")
            .body(Empty::new())?;
        let read = async {
            let answer = self.http.request(request).await?;
            anyhow::ensure!(
                answer.status() == StatusCode::OK,
                "status {}",
                answer.status()
            );
            let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            let body = body.map_err(anyhow::Error::from_boxed)?;
            Ok(body.to_bytes().to_vec())
        };
        tokio::time::timeout(PATIENCE, read).await?
    }
}

/// An address without the slash at its end, as issuers and audiences are written.
fn plain(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// A key with which a signature can be believed: RSA for RS256, of 2,048 to 8,192 bits,
/// with the one exponent that is in use.
fn usable(value: &serde_json::Value) -> Option<(String, DecodingKey)> {
    let key = KeyAnswer::read(value)?;
    let fits = key.kty == "RSA"
        && key.alg.as_deref().is_none_or(|alg| alg == "RS256")
        && key
            .purpose
            .as_deref()
            .is_none_or(|purpose| purpose == "sig")
        && (1..=200).contains(&key.kid.len());
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(&key.n).ok()?;
    let exponent = BASE64_URL_SAFE_NO_PAD.decode(&key.e).ok()?;
    let strong = (256..=1024).contains(&modulus.len())
        && modulus.first().is_some_and(|byte| *byte >= 0x80)
        && exponent == [1, 0, 1];
    (fits && strong).then(|| {
        let decoding = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        (key.kid, decoding)
    })
}
