//! Runs of workflows on GitHub.
//!
//! A run is read when somebody says that they are it; what a payload or a token says of
//! it is never enough.

use super::auth::{Access, Purpose, RepoCall};
use super::payload::answers::RunAnswer;
use crate::engine::ids::RepoKey;
use crate::forge::{ForgeError, Run};

const RUN: &str = "a run";

pub(super) async fn one(access: &Access, repo: RepoKey, number: u64) -> Result<Run, ForgeError> {
    let below = format!("/actions/runs/{number}");
    let call = RepoCall::read(RUN, Purpose::Run, below);
    let answer: RunAnswer = access.repo(repo, call).await?.json()?;
    answer
        .of(repo, number)
        .ok_or(ForgeError::Missing { what: RUN })
}
