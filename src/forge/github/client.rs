//! One request to GitHub, and what its answer means.
//!
//! octocrab carries the requests; the connections below it are ours, so that every
//! request has a deadline and none is sent twice or follows a redirect. The answer's
//! status becomes the caller's decision in one place
//! ([limits](https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)).
//!
//! Nothing here knows which endpoint it talks to, holds a key, or repeats a request:
//! repeating belongs to the queue, which knows what may be repeated.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, LINK, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use serde_json::Value;
use tower::timeout::TimeoutLayer;

use super::payload::answers::FaultAnswer;
use crate::clock::Clock;
use crate::engine::ids::InstallationId;
use crate::forge::ForgeError;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// Until the answer begins.
const FIRST_BYTE: Duration = Duration::from_secs(20);
/// Until the answer is complete.
const COMPLETE: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// The wait that GitHub asks for when it names none.
const UNNAMED_WAIT: Duration = Duration::from_mins(1);
/// As much of a refusal as is worth a line.
const MESSAGE_MAX: usize = 300;
/// What one page of a list holds at most.
pub(super) const PAGE: usize = 100;
/// Where a list stops being read.
const PAGES_MAX: usize = 100;

/// How many requests the quota still has, and when it is full again.
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

pub(super) const NAME: &str = concat!("trimtab/", env!("CARGO_PKG_VERSION"));

/// Where GitHub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The REST interface: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api: url::Url,
    /// Where repositories are fetched: `https://github.com`, or `https://HOST`.
    pub web: url::Url,
}

impl Endpoint {
    /// What `/graphql` stands below: beside the REST interface, not inside it
    /// ([forming calls](https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql)).
    fn graph(&self) -> url::Url {
        let mut graph = self.api.clone();
        let path = self.api.path().trim_end_matches('/');
        graph.set_path(path.strip_suffix("/v3").unwrap_or(path));
        graph
    }
}

/// The connections to GitHub could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The machine has no certificates to trust.
    #[error("no root certificates")]
    Certificates(#[source] std::io::Error),
    /// The address is not one that requests can be sent to.
    #[error("`{base}` is not an address that requests can be sent to")]
    Address {
        /// The address.
        base: url::Url,
        /// What is wrong with it.
        source: http::uri::InvalidUri,
    },
}

/// One request; what is missing stays out.
pub(crate) struct Call {
    /// What is asked for, as an error will name it.
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    /// Path and query below the base address.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// Whose quota it is taken from; the app's own when there is none.
    pub(crate) installation: Option<InstallationId>,
    /// The tag of the answer that is known, which is not sent again.
    pub(crate) known: Option<String>,
}

impl Call {
    pub(crate) fn read(what: &'static str, path: String) -> Self {
        Self {
            what,
            method: Method::GET,
            path,
            body: None,
            installation: None,
            known: None,
        }
    }
}

/// What one request came to, for whoever counts them.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// `ok`, `unchanged`, `throttled`, `denied`, `missing`, `refused` or `unavailable`.
    pub outcome: &'static str,
    /// Whose quota it was taken from; `None` for the app's own.
    pub installation: Option<InstallationId>,
    /// How many requests that quota still has, when the answer says so.
    pub remaining: Option<u64>,
}

/// Told of every request.
pub type Observer = Arc<dyn Fn(Heard) + Send + Sync>;

/// An answer whose status has not been judged.
pub(crate) struct Answer {
    pub(super) what: &'static str,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What the status of an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Accepted,
    Unchanged,
    /// A limit; it holds for this long.
    Throttled(Duration),
    Denied,
    Missing,
    Refused,
    Unavailable,
}

impl Meaning {
    /// As it is counted.
    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "ok",
            Self::Unchanged => "unchanged",
            Self::Throttled(_) => "throttled",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The connections to one GitHub.
#[derive(Clone)]
pub struct Client {
    rest: Octocrab,
    graph: Octocrab,
    clock: Arc<dyn Clock>,
    patience: Duration,
    observer: Option<Observer>,
}

impl Client {
    /// Sets up connections; none is opened yet. Needs a running tokio.
    pub fn new(endpoint: &Endpoint, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        Ok(Self {
            rest: connect(&endpoint.api)?,
            graph: connect(&endpoint.graph())?,
            clock,
            patience: COMPLETE,
            observer: None,
        })
    }

    /// Tells of every request from now on.
    #[must_use]
    pub fn with_observer(self, observer: Observer) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Waits this long for a complete answer, and no longer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a REST request with a token and judges the answer.
    pub(crate) async fn ask(&self, token: &SecretString, call: Call) -> Result<Answer, ForgeError> {
        self.send(token, call).await?.judge(self.clock.as_ref())
    }

    /// Sends a REST request with a token; the status is for the caller to look at.
    pub(crate) async fn send(
        &self,
        token: &SecretString,
        call: Call,
    ) -> Result<Answer, ForgeError> {
        self.deliver(&self.rest, token, call).await
    }

    /// Sends a GraphQL request with a token; the status is for the caller to look at.
    pub(super) async fn send_graph(
        &self,
        token: &SecretString,
        call: Call,
    ) -> Result<Answer, ForgeError> {
        self.deliver(&self.graph, token, call).await
    }

    pub(super) fn judge(&self, answer: Answer) -> Result<Answer, ForgeError> {
        answer.judge(self.clock.as_ref())
    }

    async fn deliver(
        &self,
        octocrab: &Octocrab,
        token: &SecretString,
        call: Call,
    ) -> Result<Answer, ForgeError> {
        let (what, installation) = (call.what, call.installation);
        let answer = tokio::time::timeout(self.patience, exchange(octocrab, token, call))
            .await
            .map_err(anyhow::Error::from)
            .flatten();
        if let Some(observer) = &self.observer {
            let heard = answer.as_ref().ok();
            let outcome = heard.map_or(Meaning::Unavailable, |it| it.meaning(self.clock.as_ref()));
            observer(Heard {
                outcome: outcome.word(),
                installation,
                remaining: heard.and_then(|it| it.number(&REMAINING)),
            });
        }
        answer.map_err(|source| ForgeError::Unavailable { what, source })
    }
}

impl Answer {
    /// The value of a query parameter of the link to the next page. Only the value
    /// is used, at our own address; the link itself is never followed.
    pub(super) fn next_cursor(&self) -> Option<String> {
        let links = self.headers.get(LINK)?.to_str().ok()?;
        let next = links
            .split(',')
            .find(|link| link.contains("rel=\"next\""))?;
        let target = next.split(['<', '>']).nth(1)?;
        let (_, query) = target.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "cursor")
            .map(|(_, value)| value.into_owned())
    }

    /// The tag by which this answer can be asked for again.
    pub(super) fn tag(&self) -> Option<String> {
        Some(self.headers.get(ETAG)?.to_str().ok()?.to_owned())
    }

    /// What the status means. What is not known of the client's faults will not be
    /// accepted another time either; what is not known of all others may pass.
    fn meaning(&self, clock: &dyn Clock) -> Meaning {
        match self.status {
            status if status.is_success() => Meaning::Accepted,
            StatusCode::NOT_MODIFIED => Meaning::Unchanged,
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                self.wait(clock).map_or(Meaning::Denied, Meaning::Throttled)
            }
            // Blocked by law, or by the forge itself, until somebody lifts that.
            StatusCode::UNAUTHORIZED | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => Meaning::Denied,
            StatusCode::NOT_FOUND | StatusCode::GONE => Meaning::Missing,
            // It waited for us too long, or somebody else holds the thing for now.
            StatusCode::REQUEST_TIMEOUT | StatusCode::LOCKED => Meaning::Unavailable,
            status if status.is_client_error() => Meaning::Refused,
            _ => Meaning::Unavailable,
        }
    }

    fn judge(self, clock: &dyn Clock) -> Result<Self, ForgeError> {
        let what = self.what;
        match self.meaning(clock) {
            Meaning::Accepted => Ok(self),
            Meaning::Throttled(wait) => Err(ForgeError::Throttled { wait }),
            Meaning::Denied => Err(ForgeError::Denied { what }),
            Meaning::Missing => Err(ForgeError::Missing { what }),
            Meaning::Refused => Err(ForgeError::Refused {
                what,
                message: self.message(),
            }),
            // Who asks whether something changed looks at the status before.
            Meaning::Unchanged | Meaning::Unavailable => Err(ForgeError::Unavailable {
                what,
                source: anyhow::anyhow!("status {}: {}", self.status, self.message()),
            }),
        }
    }

    /// How long GitHub asks to wait, if this is a limit and not a refusal
    /// ([exceeding the limit](https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit)).
    fn wait(&self, clock: &dyn Clock) -> Option<Duration> {
        if let Some(seconds) = self.number(&RETRY_AFTER) {
            return Some(Duration::from_secs(seconds));
        }
        if let (Some(0), Some(reset)) = (self.number(&REMAINING), self.number(&RESET)) {
            let wait = reset.saturating_sub(clock.unix_seconds());
            return Some(Duration::from_secs(wait.max(1)));
        }
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS
            || self.message().contains("secondary rate limit");
        limited.then_some(UNNAMED_WAIT)
    }

    fn number(&self, header: &HeaderName) -> Option<u64> {
        self.headers.get(header)?.to_str().ok()?.trim().parse().ok()
    }

    fn message(&self) -> String {
        let text = serde_json::from_slice::<FaultAnswer>(&self.body).map_or_else(
            |_| String::from_utf8_lossy(&self.body).into_owned(),
            |fault| fault.message,
        );
        text.chars()
            .filter(|letter| !letter.is_control())
            .take(MESSAGE_MAX)
            .collect()
    }
}

/// Asks for page after page until one is not full.
pub(super) async fn every_page<T, F, Fut>(
    what: &'static str,
    mut page: F,
) -> Result<Vec<T>, ForgeError>
where
    F: FnMut(usize) -> Fut,
    Fut: Future<Output = Result<Vec<T>, ForgeError>>,
{
    let mut all = Vec::new();
    for number in 1..=PAGES_MAX {
        let items = page(number).await?;
        let last = items.len() < PAGE;
        all.extend(items);
        if last {
            return Ok(all);
        }
    }
    Err(ForgeError::Refused {
        what,
        message: format!("the list is longer than {}", PAGE * PAGES_MAX),
    })
}

/// Connections with the machine's certificates, and a limit of time until they stand.
pub(super) fn connector() -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.enforce_http(false);
    Ok(HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(ClientError::Certificates)?
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp))
}

fn connect(base: &url::Url) -> Result<Octocrab, ClientError> {
    let uri: Uri = base
        .as_str()
        .trim_end_matches('/')
        .parse()
        .map_err(|source| ClientError::Address {
            base: base.clone(),
            source,
        })?;
    let tls = connector()?;
    let service = HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_mins(1))
        .build::<_, octocrab::OctoBody>(tls);
    let headers = vec![
        (USER_AGENT, HeaderValue::from_static(NAME)),
        (
            ACCEPT,
            HeaderValue::from_static("application/vnd.github+json"),
        ),
    ];
    let built = OctocrabBuilder::new_empty()
        .with_service(service)
        .with_layer(&TimeoutLayer::new(FIRST_BYTE))
        .with_layer(&BaseUriLayer::new(uri))
        .with_layer(&ExtraHeadersLayer::new(Arc::new(headers)))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(client) => Ok(client),
        Err(never) => match never {},
    }
}

async fn exchange(octocrab: &Octocrab, token: &SecretString, call: Call) -> anyhow::Result<Answer> {
    let octocrab = octocrab.user_access_token(token.clone())?;
    let mut request = http::Request::builder().method(call.method).uri(call.path);
    if let Some(tag) = call.known {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let request = octocrab.build_request(request, call.body.as_ref())?;
    let (parts, body) = octocrab.execute(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_MAX)
        .collect()
        .await
        .map_err(anyhow::Error::from_boxed)?;
    Ok(Answer {
        what: call.what,
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes().to_vec(),
    })
}

#[cfg(test)]
mod tests;
