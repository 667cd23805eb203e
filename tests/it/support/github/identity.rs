//! The issuer of identities for runs: real keys, real signatures, published as state.
//!
//! Scenarios sign what they like, also what no real issuer would sign; what is published
//! is the model's list of keys, and the bot fetches it over HTTP.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use trimtab::engine::ids::RepoKey;

use super::super::bot::PUBLIC_URL;
use super::http::Reply;
use super::model::{Level, Model, Token};
use super::{FakeGithub, Shared, key};

/// The path of the issuer, as on a server of one's own.
pub(crate) const PATH: &str = "/_services/token";

/// Where a runner asks for the identity of its run.
const RUNNER: &str = "/_services/runner";

static FOREIGN: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static OURS: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signer {
    /// The issuer.
    Issuer,
    /// Somebody who has a key of their own.
    Stranger,
}

impl Signer {
    fn pair(self) -> &'static KeyPair {
        match self {
            Self::Issuer => &OURS,
            Self::Stranger => &FOREIGN,
        }
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        let pem = key::pem(self.pair());
        let key = EncodingKey::from_rsa_pem(pem.expose_secret().as_bytes()).unwrap();
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }

    /// The public key as the issuer would publish it.
    pub(crate) fn published(self, kid: &str) -> Value {
        let der = self.pair().public_key().as_ref();
        // A sequence of two numbers: the modulus of 256 bytes, and the exponent of 3.
        let modulus = &der[der.len() - 261..der.len() - 5];
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
            "n": BASE64_URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB",
        })
    }

    /// The public key as its holder's certificate has it; for who confuses keys.
    pub(crate) fn public_der(self) -> Vec<u8> {
        self.pair().public_key().as_ref().to_vec()
    }
}

/// The name of the issuer's key.
pub(crate) const KID: &str = "issuer-1";

impl FakeGithub {
    /// Where identities come from.
    pub(crate) fn issuer(&self) -> url::Url {
        format!("http://{}{PATH}", self.address).parse().unwrap()
    }

    /// What the identity of a run says, now and for this bot.
    pub(crate) fn claims(&self, repo: RepoKey, run: u64) -> Value {
        let now = self.shared.clock.unix_seconds();
        let issuer = self.issuer();
        claims(&self.state(), (repo.repo.0, run), (issuer.as_str(), now))
    }

    /// Where the runner of a run asks for its identity.
    pub(crate) fn runner_service(&self, repo: RepoKey, run: u64) -> String {
        let (address, repo) = (self.address, repo.repo);
        format!("http://{address}{RUNNER}?repo={repo}&run={run}")
    }

    /// The token that a run of the repository gets for reading checks.
    pub(crate) fn runner_token(&self, repo: RepoKey) -> String {
        let mut model = self.state();
        let token = format!("ghs_runner{}", model.fresh_id());
        let minted = Token {
            installation: repo.installation.0,
            repos: Some([repo.repo.0].into()),
            permissions: [("checks".to_owned(), Level::Read)].into(),
            ends: u64::MAX,
        };
        model.tokens.insert(token.clone(), minted);
        token
    }

    /// A token of a person who may read the runs of a repository.
    pub(crate) fn reader_token(&self, repo: RepoKey) -> String {
        let mut model = self.state();
        let token = format!("github_pat_{}", model.fresh_id());
        let rights = ["metadata", "actions"].map(|name| (name.to_owned(), Level::Read));
        let minted = Token {
            installation: repo.installation.0,
            repos: Some([repo.repo.0].into()),
            permissions: rights.into(),
            ends: u64::MAX,
        };
        model.tokens.insert(token.clone(), minted);
        token
    }

    /// The identity of a run, as its runner gets it.
    pub(crate) fn identity(&self, repo: RepoKey, run: u64) -> String {
        Signer::Issuer.sign(KID, &self.claims(repo, run))
    }
}

fn claims(model: &Model, (repo, run): (u64, u64), (issuer, now): (&str, u64)) -> Value {
    let of = &model.repos[&repo];
    let run = &of.runs[&run];
    let path = model.path(of);
    json!({
        "jti": format!("j{}", run.number),
        "sub": format!("repo:{path}:pull_request"),
        "aud": PUBLIC_URL.trim_end_matches('/'),
        "iss": issuer,
        "iat": now, "nbf": now - 300, "exp": now + 600,
        "ref": run.reference,
        "repository": path,
        "repository_id": of.id.to_string(),
        "run_id": run.number.to_string(),
        "run_attempt": "1",
        "event_name": run.event,
        "runner_environment": "github-hosted",
    })
}

/// The answer to a request that is about identities.
pub(super) fn answer(shared: &Shared, parts: &http::request::Parts) -> Option<Reply> {
    let (uri, host) = (&parts.uri, parts.headers["host"].to_str().unwrap());
    if let Some(below) = uri.path().strip_prefix(PATH) {
        return Some(publish(&shared.model(), below, host));
    }
    let (query, now) = (uri.query().unwrap_or_default(), shared.clock.unix_seconds());
    (uri.path() == RUNNER).then(|| hand_out(&shared.model(), query, (host, now)))
}

/// The identity that a runner hands to a job of its run.
fn hand_out(model: &Model, query: &str, (host, now): (&str, u64)) -> Reply {
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let number = |name: &str| query[name].parse().unwrap();
    let issuer = format!("http://{host}{PATH}");
    let of = (number("repo"), number("run"));
    let mut claims = claims(model, of, (&issuer, now));
    claims["aud"] = query["audience"].clone().into();
    Reply::new(
        200,
        json!({"count": 2_000, "value": Signer::Issuer.sign(KID, &claims)}),
    )
}

/// What the issuer publishes.
fn publish(model: &Model, below: &str, host: &str) -> Reply {
    match below {
        "/.well-known/openid-configuration" => {
            let issuer = format!("http://{host}{PATH}");
            let place = model.keys_at.clone();
            let place = place.unwrap_or_else(|| format!("{issuer}/.well-known/jwks"));
            Reply::new(200, json!({"issuer": issuer, "jwks_uri": place}))
        }
        "/.well-known/jwks" => {
            let ours = || vec![Signer::Issuer.published(KID)];
            let keys = model.published.clone().unwrap_or_else(ours);
            Reply::new(200, json!({ "keys": keys }))
        }
        _ => Reply::fault(599, "the issuer has no such page"),
    }
}
