//! Installations, repositories, pulls and permissions on GitHub.
//!
//! Reads only. The author's association that a payload brings is not a permission
//! (private members show as contributors); the permission is asked for.

use secrecy::SecretString;

use super::auth::{Access, Purpose, RepoCall};
use super::client::{Answer, Call, Client, PAGE, every_page};
use super::memory::Memory;
use super::payload::answers::{
    InstallationAnswer, PermissionAnswer, PullAnswer, RepositoriesAnswer, RepositoryAnswer,
};
use crate::engine::ids::{InstallationId, PullNumber, RepoId, RepoKey};
use crate::forge::{Author, ForgeError, Permission, Pull, Repository};

pub(super) async fn installations(access: &Access) -> Result<Vec<InstallationId>, ForgeError> {
    const WHAT: &str = "the installations";
    let pages = every_page(WHAT, async |page| {
        let path = format!("/app/installations?per_page={PAGE}&page={page}");
        let answers: Vec<InstallationAnswer> = access.app(Call::read(WHAT, path)).await?.json()?;
        Ok(answers)
    });
    let answers = pages.await?;
    let active = answers.iter().filter(|it| it.suspended_at.is_none());
    Ok(active.map(|it| InstallationId(it.id)).collect())
}

pub(super) async fn repositories(
    access: &Access,
    installation: InstallationId,
) -> Result<Vec<Repository>, ForgeError> {
    const WHAT: &str = "the repositories";
    let token = access.tokens.listing(installation).await?;
    let pages = every_page(WHAT, async |page| {
        let path = format!("/installation/repositories?per_page={PAGE}&page={page}");
        let answer = access.client.ask(&token, Call::read(WHAT, path)).await?;
        Ok(answer.json::<RepositoriesAnswer>()?.repositories)
    });
    let answers = pages.await?.into_iter();
    Ok(answers.map(|it| it.reached_by(installation)).collect())
}

/// Number and present name of a repository, with a token that a person gave.
pub async fn repository_named(
    client: &Client,
    token: &SecretString,
    path: &str,
) -> Result<(RepoId, String), ForgeError> {
    const WHAT: &str = "the repository";
    let call = Call::read(WHAT, format!("/repos/{path}"));
    let answer: RepositoryAnswer = client.ask(token, call).await?.json()?;
    let found = answer.reached_by(InstallationId(0));
    Ok((found.key.repo, found.path))
}

pub(super) async fn one(
    access: &Access,
    memory: &Memory<Pull>,
    repo: RepoKey,
    number: PullNumber,
) -> Result<Pull, ForgeError> {
    let call = RepoCall::read("a pull", Purpose::Read, format!("/pulls/{number}"));
    let read = |answer: &Answer| answer.json().map(|it: PullAnswer| it.into());
    access.repo_again(repo, call, memory, read).await
}

pub(super) async fn open(
    access: &Access,
    memory: &Memory<Vec<Pull>>,
    repo: RepoKey,
) -> Result<Vec<Pull>, ForgeError> {
    const WHAT: &str = "the open pulls";
    let pages = every_page(WHAT, async |page| {
        let below =
            format!("/pulls?state=open&sort=created&direction=asc&per_page={PAGE}&page={page}");
        let call = RepoCall::read(WHAT, Purpose::Read, below);
        let read = |answer: &Answer| {
            let answers: Vec<PullAnswer> = answer.json()?;
            Ok(answers.into_iter().map(Pull::from).collect())
        };
        access.repo_again(repo, call, memory, read).await
    });
    let mut pulls = pages.await?;
    pulls.sort_by_key(|pull| pull.number);
    pulls.dedup_by_key(|pull| pull.number);
    Ok(pulls)
}

pub(super) async fn permission(
    access: &Access,
    repo: RepoKey,
    user: &Author,
) -> Result<Permission, ForgeError> {
    let login: String = url::form_urlencoded::byte_serialize(user.login.as_bytes()).collect();
    let below = format!("/collaborators/{login}/permission");
    let call = RepoCall::read("a permission", Purpose::Read, below);
    let answer: PermissionAnswer = match access.repo(repo, call).await {
        Ok(answer) => answer.json()?,
        // No account has this login any more.
        Err(ForgeError::Missing { .. }) => return Ok(Permission::None),
        Err(error) => return Err(error),
    };
    let same = answer.user.is_some_and(|found| found.id == user.id.0);
    Ok(if same {
        role(&answer.role_name, &answer.permission)
    } else {
        Permission::None
    })
}

/// A custom role counts as the base role that it extends
/// ([custom roles](https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/about-custom-repository-roles)),
/// which the older field tells, coarser by two roles.
fn role(role_name: &str, permission: &str) -> Permission {
    match role_name {
        "admin" => Permission::Admin,
        "maintain" => Permission::Maintain,
        "write" => Permission::Write,
        "triage" => Permission::Triage,
        "read" => Permission::Read,
        _ => match permission {
            "admin" => Permission::Admin,
            "write" => Permission::Write,
            "read" => Permission::Read,
            _ => Permission::None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintainers_are_told_from_writers() {
        assert_eq!(role("maintain", "write"), Permission::Maintain);
        assert_eq!(role("triage", "read"), Permission::Triage);
        assert_eq!(role("none", "none"), Permission::None);
    }

    #[test]
    fn custom_role_counts_as_its_base_role() {
        assert_eq!(role("release-captain", "write"), Permission::Write);
        assert_eq!(role("release-captain", "something new"), Permission::None);
    }
}
