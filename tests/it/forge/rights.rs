//! Who may do what: people, the app, and its tokens.

use trimtab::engine::ids::{InstallationId, RepoId, UserId};
use trimtab::forge::{Author, Permission};
use trimtab::repo::{Fetch, Mirror};

use super::*;

#[tokio::test]
async fn permission_is_asked_of_the_forge_and_bound_to_the_user() {
    let stage = Stage::set().await;
    let check = async |login: &str, role: &str, expected: Permission| {
        let user = stage.github.grant(stage.repo, login, role);
        let author = Author {
            id: UserId(user.id),
            login: user.login,
            kind: AuthorKind::User,
        };
        let found = stage.forge.permission(stage.repo, &author).await.unwrap();
        assert_eq!(found, expected, "{role}");
        author
    };
    check("a", "admin", Permission::Admin).await;
    check("m", "maintain", Permission::Maintain).await;
    check("w", "write", Permission::Write).await;
    check("t", "triage", Permission::Triage).await;
    check("r", "read", Permission::Read).await;
    check("n", "none", Permission::None).await;
    let mut reused = check("x", "admin", Permission::Admin).await;
    reused.id = UserId(reused.id.0 + 1);
    let found = stage.forge.permission(stage.repo, &reused).await.unwrap();
    assert_eq!(found, Permission::None, "the login has another owner now");
    reused.login = "nobody".to_owned();
    let found = stage.forge.permission(stage.repo, &reused).await.unwrap();
    assert_eq!(found, Permission::None);
    stage.github.finish();
}

#[tokio::test]
async fn clone_access_fetches_the_repository_and_no_other() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let head = stage.head(pull).await;
    let access = stage.forge.clone_access(stage.repo).await.unwrap();
    assert!(access.url.ends_with("/acme/shop.git") && !access.url.contains('@'));
    let place = tempfile::tempdir().unwrap();
    let fetch = async |url: String, with_token: bool| {
        let authorization = access.authorization.clone().filter(|_| with_token);
        let dir = place.path().join("mirror");
        let work = move || {
            let from = Fetch { url, authorization };
            let refs = ["+refs/pull/1/head:refs/pull/1/head".to_owned()];
            Mirror::open(&dir).unwrap().fetch(&from, &refs)
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    fetch(access.url.clone(), true).await.unwrap();
    let fetched = std::fs::read_to_string(place.path().join("mirror/refs/pull/1/head"));
    assert_eq!(fetched.unwrap().trim(), head.to_string());
    assert!(fetch(access.url.clone(), false).await.is_err());
    stage.github.add_repo("acme/secret", &[]);
    let other = access.url.replace("shop", "secret");
    assert!(fetch(other, true).await.is_err());
    stage.github.finish();
}

#[tokio::test]
async fn installations_and_their_repositories_are_listed() {
    let stage = Stage::set().await;
    let other = stage.github.add_repo("zeta/app", &[]);
    let suspended = stage.github.add_repo("gone/app", &[]);
    {
        let mut state = stage.github.state();
        let it = state.installations.get_mut(&suspended.installation.0);
        it.unwrap().suspended = true;
        state.repos.get_mut(&other.repo.0).unwrap().archived = true;
    }
    let installations = stage.forge.installations().await.unwrap();
    assert_eq!(installations, [stage.repo.installation, other.installation]);
    let repos = stage.forge.repositories(other.installation).await.unwrap();
    assert_eq!(repos.len(), 1);
    assert_eq!((repos[0].key, repos[0].path.as_str()), (other, "zeta/app"));
    assert!(repos[0].archived && repos[0].default_branch == "main");
    stage.github.finish();
}

#[tokio::test]
async fn token_is_minted_once_for_a_repository_and_purpose() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (forge, repo) = (Arc::clone(&stage.forge), stage.repo);
            tokio::spawn(async move { forge.pull(repo, pull).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(stage.mints(), 1);
    stage.clock.advance(Duration::from_mins(54));
    stage.head(pull).await;
    assert_eq!(stage.mints(), 1);
    stage.clock.advance(Duration::from_mins(2));
    stage.head(pull).await;
    assert_eq!(stage.mints(), 2, "five minutes before it ends");
    let state = stage.github.state();
    let narrow = state.tokens.values().all(|token| {
        token.repos == Some([stage.repo.repo.0].into())
            && token.permissions.get("pull_requests") == Some(&model::Level::Read)
            && token.permissions.len() == 2
    });
    assert!(narrow);
}

#[tokio::test]
async fn repository_of_another_installation_is_denied() {
    let stage = Stage::set().await;
    let other = stage.github.add_repo("zeta/app", &[]);
    let confused = RepoKey {
        repo: other.repo,
        ..stage.repo
    };
    let denied = stage.forge.pull(confused, PullNumber(1)).await.unwrap_err();
    assert!(matches!(denied, ForgeError::Denied { .. }), "{denied}");
    let nowhere = RepoKey {
        installation: InstallationId(1),
        repo: RepoId(1),
        ..stage.repo
    };
    let denied = stage.forge.pull(nowhere, PullNumber(1)).await.unwrap_err();
    assert!(matches!(denied, ForgeError::Denied { .. }), "{denied}");
    stage.github.finish();
}

#[tokio::test]
async fn permission_that_was_taken_back_is_denied() {
    let stage = Stage::set().await;
    let head = stage.new_head().await;
    {
        let mut state = stage.github.state();
        let it = state.installations.get_mut(&stage.repo.installation.0);
        it.unwrap().permissions.remove("checks");
    }
    let denied = stage
        .forge
        .write_check(stage.repo, &check_run(head, DONE))
        .await;
    assert!(
        matches!(denied, Err(ForgeError::Denied { .. })),
        "{denied:?}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn revoked_token_and_new_name_are_minted_for_again() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    stage.github.state().tokens.clear();
    let revoked = stage.unread(pull).await;
    assert_eq!(revoked.retry_after(), Some(Duration::ZERO));
    stage.head(pull).await;
    let moved = vec![("location", "https://url-of-a-header.invalid/".to_owned())];
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(301, moved));
    stage
        .github
        .state()
        .repos
        .get_mut(&stage.repo.repo.0)
        .unwrap()
        .name = "store".to_owned();
    let moved = stage.unread(pull).await;
    assert_eq!(moved.retry_after(), Some(Duration::ZERO));
    stage.head(pull).await;
    assert!(
        stage
            .github
            .requests()
            .last()
            .unwrap()
            .contains("/repos/acme/store/pulls/1")
    );
    stage.github.finish();
}
