//! The contract of what a forge lets Trimtab change: a branch of its own, and its pull.

use trimtab::engine::tree::Mode;
use trimtab::forge::proposals::{Description, NewCommit, NewFile, NewPull, Proposals as _};

use super::*;

const CI: &str = ".github/workflows/ci.yml";

async fn granted() -> Stage {
    let stage = Stage::set().await;
    stage.github.allow_proposals(stage.repo);
    stage
}

impl Stage {
    fn tip(&self, branch: &str) -> ObjectId {
        self.github.state().repos[&self.repo.repo.0].git.tip(branch)
    }

    fn commit(&self, from: Option<ObjectId>, text: &str) -> NewCommit {
        NewCommit {
            branch: "trimtab/rewrite".to_owned(),
            from,
            base: self.tip("main"),
            files: vec![NewFile {
                path: CI.to_owned(),
                mode: Mode::File,
                text: text.to_owned(),
            }],
            message: "ci: Change".to_owned(),
        }
    }

    fn text(&self) -> String {
        let spec = format!("trimtab/rewrite:{CI}");
        self.github.state().repos[&self.repo.repo.0].git.text(&spec)
    }
}

fn about(body: &str) -> Description {
    Description {
        title: "A change".to_owned(),
        body: body.to_owned(),
    }
}

fn proposed(body: &str) -> NewPull {
    NewPull {
        head: "trimtab/rewrite".to_owned(),
        base: "main".to_owned(),
        about: about(body),
    }
}

#[tokio::test]
async fn a_branch_is_made_and_moves_forward_with_its_base() {
    let stage = granted().await;
    let (forge, repo) = (&stage.forge, stage.repo);
    let tip = forge.branch_tip(repo, "trimtab/rewrite").await.unwrap();
    assert_eq!(tip, None);
    let first = stage.commit(None, "on: push\r\n");
    let first = forge.commit_files(repo, &first).await.unwrap();
    let tip = forge.branch_tip(repo, "trimtab/rewrite").await.unwrap();
    assert_eq!(tip, Some(first));
    assert_eq!(stage.text(), "on: push\r\n");
    let edit = [Edit::Write("b.py", "x = 1\n")];
    let moved = stage.github.push_branch(repo, ("ann", "main"), &edit).await;
    let second = stage.commit(Some(first), "on: pull_request\n");
    let second = forge.commit_files(repo, &second).await.unwrap();
    assert_eq!(stage.text(), "on: pull_request\n");
    let state = stage.github.state();
    let git = &state.repos[&repo.repo.0].git;
    assert!(git.leads_to(first, second) && git.leads_to(moved, second));
    assert_eq!(git.text("trimtab/rewrite:b.py"), "x = 1\n");
    drop(state);
    stage.github.finish();
}

#[tokio::test]
async fn a_branch_that_is_there_or_has_moved_is_not_overwritten() {
    let stage = granted().await;
    let (forge, repo) = (&stage.forge, stage.repo);
    let refused = async |commit: NewCommit| {
        let refused = forge.commit_files(repo, &commit).await;
        assert!(
            matches!(refused, Err(ForgeError::Refused { .. })),
            "{refused:?}"
        );
    };
    let first = stage.commit(None, "on: push\n");
    let first = forge.commit_files(repo, &first).await.unwrap();
    refused(stage.commit(None, "on: pull_request\n")).await;
    let theirs = [Edit::Write(CI, "theirs\n")];
    let branch = ("ann", "trimtab/rewrite");
    let tip = stage.github.push_branch(repo, branch, &theirs).await;
    refused(stage.commit(Some(first), "on: pull_request\n")).await;
    assert_eq!(stage.tip("trimtab/rewrite"), tip);
    assert_eq!(stage.text(), "theirs\n");
    stage.github.finish_refused();
}

#[tokio::test]
async fn who_was_not_granted_it_changes_nothing() {
    let stage = Stage::set().await;
    let denied = async || {
        let commit = stage.commit(None, "on: push\n");
        let denied = stage.forge.commit_files(stage.repo, &commit).await;
        assert!(
            matches!(denied, Err(ForgeError::Denied { .. })),
            "{denied:?}"
        );
    };
    denied().await;
    stage.github.allow_proposals(stage.repo);
    let permissions = |take: &str| {
        let mut state = stage.github.state();
        let it = state.installations.get_mut(&stage.repo.installation.0);
        it.unwrap().permissions.remove(take);
        for token in state.tokens.values_mut() {
            token.permissions.remove(take);
        }
    };
    permissions("workflows");
    denied().await;
    // Taken away while a token of before is still in use.
    stage.github.allow_proposals(stage.repo);
    let commit = stage.commit(None, "on: push\n");
    stage.forge.commit_files(stage.repo, &commit).await.unwrap();
    permissions("workflows");
    let commit = stage.commit(Some(stage.tip("trimtab/rewrite")), "on: pull_request\n");
    let denied = stage.forge.commit_files(stage.repo, &commit).await;
    assert!(
        matches!(denied, Err(ForgeError::Denied { .. })),
        "{denied:?}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn a_pull_is_opened_once_and_described_again() {
    let stage = granted().await;
    let (forge, repo) = (&stage.forge, stage.repo);
    let nowhere = forge.open_pull(repo, &proposed("first")).await;
    assert!(
        matches!(nowhere, Err(ForgeError::Refused { .. })),
        "{nowhere:?}"
    );
    let commit = stage.commit(None, "on: push\n");
    forge.commit_files(repo, &commit).await.unwrap();
    let number = forge.open_pull(repo, &proposed("first")).await.unwrap();
    let again = forge.open_pull(repo, &proposed("first")).await;
    assert!(
        matches!(again, Err(ForgeError::Refused { .. })),
        "{again:?}"
    );
    let pull = stage.read(number).await;
    assert_eq!(pull.head_ref, "trimtab/rewrite");
    assert_eq!(pull.author.kind, AuthorKind::Bot);
    forge
        .describe_pull(repo, number, &about("second"))
        .await
        .unwrap();
    let said = stage.github.state().repos[&repo.repo.0].pulls[&number.0]
        .body
        .clone();
    assert_eq!(said, "second");
    let long = about(&"ü".repeat(65_537));
    let refused = forge.describe_pull(repo, number, &long).await;
    assert!(
        matches!(refused, Err(ForgeError::Refused { .. })),
        "{refused:?}"
    );
    stage.github.finish_refused();
}
