//! Which checks a branch requires before a pull may be merged into it.
//!
//! Two mechanisms say it: rulesets, of the repository and of its organization, and the older
//! protection of branches. Both are read with rights that the app has anyway. What only
//! administrators see is not asked for.

use std::collections::BTreeSet;

use super::auth::{Access, Purpose, RepoCall};
use super::client::{PAGE, every_page};
use super::payload::answers::{BranchAnswer, RuleAnswer};
use crate::engine::ids::RepoKey;
use crate::forge::ForgeError;

pub(super) async fn checks(
    access: &Access,
    repo: RepoKey,
    branch: &str,
) -> Result<Vec<String>, ForgeError> {
    const RULES: &str = "the rules of a branch";
    let branch: String = url::form_urlencoded::byte_serialize(branch.as_bytes()).collect();
    let pages = every_page(RULES, async |page| {
        let below = format!("/rules/branches/{branch}?per_page={PAGE}&page={page}");
        let call = RepoCall::read(RULES, Purpose::Clone, below);
        let answers: Vec<RuleAnswer> = access.repo(repo, call).await?.json()?;
        Ok(answers)
    });
    let rules = pages.await?;
    let below = format!("/branches/{branch}");
    let call = RepoCall::read("a branch", Purpose::Clone, below);
    let protected: BranchAnswer = access.repo(repo, call).await?.json()?;
    let ruled = rules.into_iter().flat_map(RuleAnswer::contexts);
    let all: BTreeSet<String> = ruled.chain(protected.contexts()).collect();
    Ok(all.into_iter().collect())
}
