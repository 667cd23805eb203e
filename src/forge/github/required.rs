//! Which checks a branch requires before a pull may be merged into it, and by whom.
//!
//! Two mechanisms say it: rulesets, of the repository and of its organization, and the older
//! protection of branches. Both are read with rights that the app has anyway. What only
//! administrators see is not asked for.

use std::collections::BTreeSet;

use super::auth::{Access, Purpose, RepoCall};
use super::client::{PAGE, every_page};
use super::payload::examined::{BranchShape, RuleShape};
use crate::engine::doctor::workflows::RequiredCheck;
use crate::engine::ids::RepoKey;
use crate::forge::ForgeError;

/// The checks that a branch requires, each with who has to report it
/// ([`GET /repos/{owner}/{repo}/rules/branches/{branch}`](https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch),
/// [`GET /repos/{owner}/{repo}/branches/{branch}`](https://docs.github.com/en/rest/branches/branches#get-a-branch)).
pub(super) async fn checks(
    access: &Access,
    repo: RepoKey,
    branch: &str,
) -> Result<BTreeSet<RequiredCheck>, ForgeError> {
    let rules = rules(access, repo, branch).await?;
    let below = format!("/branches/{}", escaped(branch));
    let call = RepoCall::read("a branch", Purpose::Clone, below);
    let protected: BranchShape = access.repo(repo, call).await?.json()?;
    let ruled = rules.into_iter().flat_map(RuleShape::required);
    Ok(ruled.chain(protected.required()).collect())
}

/// The rules that hold for a branch, which need not exist.
pub(super) async fn rules(
    access: &Access,
    repo: RepoKey,
    branch: &str,
) -> Result<Vec<RuleShape>, ForgeError> {
    const RULES: &str = "the rules of a branch";
    let branch = escaped(branch);
    every_page(RULES, async |page| {
        let below = format!("/rules/branches/{branch}?per_page={PAGE}&page={page}");
        let call = RepoCall::read(RULES, Purpose::Clone, below);
        access.repo(repo, call).await?.json()
    })
    .await
}

/// The name of a branch as it stands in an address.
pub(super) fn escaped(branch: &str) -> String {
    url::form_urlencoded::byte_serialize(branch.as_bytes()).collect()
}
