//! Check runs on GitHub.
//!
//! For us a check is one per head and name. GitHub keeps every run that was ever
//! created and shows the latest of a name, so that the present one is looked up and
//! changed, and a new one is created only where changing would not say the same:
//! annotations are added to and never replaced, and a completed run does not begin
//! again ([check runs](https://docs.github.com/en/rest/checks/runs)).

use http::Method;

use super::auth::{Access, Purpose, RepoCall};
use super::payload::answers::{CheckAnswer, ChecksAnswer};
use super::payload::requests;
use crate::engine::ids::RepoKey;
use crate::forge::{ANNOTATIONS_MAX, CHECK_OUTPUT_MAX, CheckId, CheckRun, CheckStatus, ForgeError};

const CHECK: &str = "a check";

pub(super) async fn write(
    access: &Access,
    app: u64,
    repo: RepoKey,
    check: &CheckRun,
) -> Result<CheckId, ForgeError> {
    within_limits(check)?;
    let present = latest(access, app, repo, check).await?;
    let (method, below) = match present.filter(|present| can_become(present, check)) {
        Some(present) => (Method::PATCH, format!("/check-runs/{}", present.id)),
        None => (Method::POST, "/check-runs".to_owned()),
    };
    let call = RepoCall {
        what: CHECK,
        purpose: Purpose::Check,
        method,
        below,
        body: Some(requests::check(check)),
    };
    let answer: CheckAnswer = access.repo(repo, call).await?.json()?;
    Ok(CheckId(answer.id))
}

fn within_limits(check: &CheckRun) -> Result<(), ForgeError> {
    let refuse = |message: String| {
        Err(ForgeError::Refused {
            what: CHECK,
            message,
        })
    };
    let texts = [Some(&check.summary), check.text.as_ref()];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.chars().count() > CHECK_OUTPUT_MAX)
    {
        return refuse(format!(
            "its output is longer than {CHECK_OUTPUT_MAX} characters"
        ));
    }
    if check.annotations.len() > ANNOTATIONS_MAX {
        return refuse(format!("it has more than {ANNOTATIONS_MAX} annotations"));
    }
    Ok(())
}

async fn latest(
    access: &Access,
    app: u64,
    repo: RepoKey,
    check: &CheckRun,
) -> Result<Option<CheckAnswer>, ForgeError> {
    let name: String = url::form_urlencoded::byte_serialize(check.name.as_bytes()).collect();
    let below = format!(
        "/commits/{}/check-runs?check_name={name}&app_id={app}&filter=latest&per_page=1",
        check.head
    );
    let call = RepoCall::read(CHECK, Purpose::Check, below);
    let answer: ChecksAnswer = access.repo(repo, call).await?.json()?;
    Ok(answer.check_runs.into_iter().next())
}

fn can_become(present: &CheckAnswer, check: &CheckRun) -> bool {
    let annotated = present
        .output
        .as_ref()
        .is_some_and(|output| output.annotations_count > 0);
    let begins_again =
        present.status == "completed" && !matches!(check.status, CheckStatus::Completed(_));
    !annotated && !begins_again
}
