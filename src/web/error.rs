//! Refusals: a status, one sentence that says what to do, and nothing from inside.
//!
//! The cause of an internal fault goes to the log; the client learns that there
//! was one.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::forge::github::Untrusted;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// The signature does not fit, or there is none.
    #[error("the signature does not fit: check the webhook secret\n")]
    BadSignature,
    /// The delivery is for another app.
    #[error("the delivery is for another app: check the webhook's address\n")]
    OtherApp,
    /// A header is missing or malformed.
    #[error("the header {0} is missing or malformed\n")]
    BadHeader(&'static str),
    /// The body did not arrive, or is not what the event's documentation says.
    #[error("the payload is malformed: send JSON as GitHub documents it\n")]
    Malformed,
    /// The body is larger than what is read.
    #[error("the body is too large\n")]
    TooLarge,
    /// Bodies of others take all the room.
    #[error("too much at once: send it again later\n")]
    Busy,
    /// No pull has the commit as its head.
    #[error("no pull with this head is known here\n")]
    NoPlan,
    /// The question names no head and workflow.
    #[error("ask with `sha`, a commit, and `workflow`, a key of 32 digits\n")]
    BadQuestion,
    /// Nobody believes who asks.
    #[error("{0}\n")]
    Untrusted(Untrusted),
    /// Who asks is known and may not.
    #[error("{0}\n")]
    Refused(&'static str),
    /// The token of the metrics is missing or another one.
    #[error("the metrics want their token: send `Authorization: Bearer METRICS_TOKEN`\n")]
    NoToken,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time: send it again\n")]
    TooSlow,
    /// The server drains, or its store does not work.
    #[error("not ready: try again later\n")]
    NotReady,
    /// Ours.
    #[error("the server failed: try again later\n")]
    Internal(anyhow::Error),
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotReady | Self::Busy | Self::Untrusted(Untrusted::NoKeys) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::BadSignature | Self::OtherApp | Self::NoToken | Self::Untrusted(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::BadHeader(_) | Self::Malformed | Self::BadQuestion => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoPlan => StatusCode::NOT_FOUND,
            Self::Internal(cause) => {
                tracing::error!(error = format!("{cause:#}"), "request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (status, self.to_string()).into_response()
    }
}
