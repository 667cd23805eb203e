//! `GET /api/v1/plan`: a run of a pipeline asks what it may skip.
//!
//! Strangers can send anything here, so that everything is bounded before it is looked
//! at: the token, how many ask at once, and how many of one repository. An answer is one
//! line or nothing; a refusal is one sentence, and to a runner it means the same as
//! nothing.
//!
//! No secret is in any answer: a plan is derived from what the run tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::{Query, State};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};
use tokio::sync::Semaphore;

use super::Edge;
use super::error::WebError;
use crate::engine::ids::RepoId;
use crate::engine::plan_line::WorkflowKey;
use crate::flow;
use crate::flow::serve_plan::{self, Question, Served};
use crate::forge::github::{Untrusted, Verifier};

/// How many runs may wait at once.
const WAITING: usize = 512;

/// How many of one repository.
const WAITING_OF_ONE: usize = 64;

/// Where runs ask. Clones share it.
#[derive(Debug, Clone)]
pub struct Door {
    context: flow::Context,
    verifier: Arc<Verifier>,
    waiting: Arc<Semaphore>,
    of_one: Arc<Mutex<BTreeMap<RepoId, usize>>>,
}

impl Door {
    /// A door at which the verifier decides who is believed.
    pub fn new(context: flow::Context, verifier: Verifier) -> Self {
        Self {
            context,
            verifier: Arc::new(verifier),
            waiting: Arc::new(Semaphore::new(WAITING)),
            of_one: Arc::default(),
        }
    }

    /// A place for a run of a repository; `None` when too many of it wait already.
    fn place(&self, repo: RepoId) -> Option<Place> {
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_one.entry(repo).or_default();
        if *count >= WAITING_OF_ONE {
            return None;
        }
        *count += 1;
        Some(Place {
            of_one: Arc::clone(&self.of_one),
            repo,
        })
    }
}

/// A run that waits.
struct Place {
    of_one: Arc<Mutex<BTreeMap<RepoId, usize>>>,
    repo: RepoId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_one.get_mut(&self.repo) {
            *count -= 1;
            if *count == 0 {
                of_one.remove(&self.repo);
            }
        }
    }
}

const HEADERS: [(HeaderName, &str); 2] = [
    (CONTENT_TYPE, "text/plain; charset=utf-8"),
    (CACHE_CONTROL, "no-store"),
];

/// The plan line of one workflow, or an empty body.
pub(super) async fn plan(
    State(edge): State<Edge>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<([(HeaderName, &'static str); 2], String), WebError> {
    let door = &edge.door;
    let _waiting = door.waiting.try_acquire().map_err(|_full| WebError::Busy)?;
    let question = question(&query).ok_or(WebError::BadQuestion)?;
    let token = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = token.and_then(|it| it.strip_prefix("Bearer "));
    let token = token.ok_or(WebError::Untrusted(Untrusted::Malformed))?;
    let identity = door.verifier.verify(token).await;
    let identity = identity.map_err(WebError::Untrusted)?;
    let _place = door.place(identity.repository).ok_or(WebError::Busy)?;
    let told = serve_plan::run(&door.context, &identity, &question).await;
    match told.context("serve a plan").map_err(WebError::Internal)? {
        Served::Line(line) => Ok((HEADERS, line + "\n")),
        Served::Nothing => Ok((HEADERS, String::new())),
        Served::Refused(why) => Err(WebError::Refused(why)),
    }
}

fn question(query: &BTreeMap<String, String>) -> Option<Question> {
    Some(Question {
        head: query.get("sha")?.parse().ok()?,
        workflow: WorkflowKey::parse(query.get("workflow")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_a_head_and_a_workflow() {
        let of = |sha: &str, workflow: &str| {
            let pairs = [("sha", sha), ("workflow", workflow)];
            let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            question(&BTreeMap::from(owned)).is_some()
        };
        assert!(of(&"a1".repeat(20), &"0f".repeat(16)));
        assert!(!of("a1", &"0f".repeat(16)));
        assert!(!of(&"a1".repeat(20), "../../x"));
        assert!(question(&BTreeMap::new()).is_none());
    }
}
