//! Where the links of comments and checks lead: to the pull's checks on the forge.
//!
//! What a plan says stands in the check for people, and the forge knows who may
//! read it; so this page only points there and shows nothing itself. The address is
//! built from the configured forge and from what the store knows, never from the
//! request.

use anyhow::Context as _;
use axum::extract::{Path, State};
use axum::response::Redirect;

use super::Edge;
use super::error::WebError;
use crate::engine::ids::{ForgeKind, ObjectId};

/// `GET /plans/{head}`: the newest pull with that head.
pub(super) async fn lead(
    State(edge): State<Edge>,
    Path(head): Path<String>,
) -> Result<Redirect, WebError> {
    let head: ObjectId = head.parse().map_err(|_other| WebError::NoPlan)?;
    let store = &edge.store;
    let pulls = store.pulls_of_head(ForgeKind::Github, head).await;
    let pulls = pulls.context("find the pull").map_err(WebError::Internal)?;
    let pull = pulls.iter().max_by_key(|pull| pull.changed);
    let pull = pull.ok_or(WebError::NoPlan)?;
    let repository = store.repository(pull.repo).await;
    let repository = repository
        .context("find the repository")
        .map_err(WebError::Internal)?;
    let path = repository.ok_or(WebError::NoPlan)?.full_name;
    let mut to = edge.forge_web.clone();
    let below = to.path().trim_end_matches('/').to_owned();
    // Setting the path escapes whatever a name may hold.
    to.set_path(&format!("{below}/{path}/pull/{}/checks", pull.number));
    to.set_query(Some(&format!("sha={head}")));
    Ok(Redirect::to(to.as_str()))
}
