//! What is read of pulls, and how seldom.

use trimtab::forge::PullState;

use super::*;

#[tokio::test]
async fn pull_is_read_as_it_is_now() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let change = |pull: &mut model::Pull| {
        pull.labels.insert("b".to_owned());
        pull.labels.insert("a".to_owned());
        pull.draft = true;
    };
    let action = ("ann", "labeled");
    stage
        .github
        .change_pull(stage.repo, number, action, change)
        .await;
    let pull = stage.read(number).await;
    assert_eq!(pull.number, number);
    assert_eq!(pull.state, PullState::Open);
    assert_eq!(
        (pull.base_ref.as_str(), pull.head_ref.as_str()),
        ("main", "topic")
    );
    assert_eq!(
        (pull.author.login.as_str(), pull.author.kind),
        ("ann", AuthorKind::User)
    );
    assert_eq!(pull.labels, ["a", "b"]);
    assert!(pull.draft && !pull.from_fork);
    stage.github.finish();
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let statuses = || {
        let state = stage.github.state();
        let reads = state
            .requests
            .iter()
            .filter(|it| it.line.contains("/pulls"));
        reads.map(|it| it.status).collect::<Vec<_>>()
    };
    let first = stage.read(number).await;
    let again = stage.read(number).await;
    assert_eq!(first, again);
    let listed = stage.forge.open_pulls(stage.repo).await.unwrap();
    assert_eq!(listed, stage.forge.open_pulls(stage.repo).await.unwrap());
    assert_eq!(statuses(), [200, 304, 200, 304]);
    let edits = [Edit::Write("a.py", "x = 3\n")];
    let head = stage.github.push(stage.repo, number, &edits).await;
    let pushed = stage.read(number).await;
    assert_eq!(pushed.head, head);
    assert_eq!(stage.forge.open_pulls(stage.repo).await.unwrap(), [pushed]);
    assert_eq!(statuses()[4..], [200, 200]);
    stage.github.finish();
}

#[tokio::test]
async fn head_in_a_fork_or_in_a_deleted_fork_is_told() {
    let stage = Stage::set().await;
    let edits = [Edit::Write("a.py", "x = 2\n")];
    let number = stage
        .github
        .open_fork_pull(stage.repo, ("eve", "topic"), &edits)
        .await;
    assert!(stage.read(number).await.from_fork);
    let delete = |pull: &mut model::Pull| pull.head_repo = None;
    stage
        .github
        .change_pull(stage.repo, number, ("eve", "edited"), delete)
        .await;
    assert!(stage.read(number).await.from_fork);
    stage.github.finish();
}

#[tokio::test]
async fn all_pages_of_open_pulls_are_read() {
    let stage = Stage::set().await;
    let first = stage.pull().await;
    {
        let mut state = stage.github.state();
        let repo = state.repos.get_mut(&stage.repo.repo.0).unwrap();
        let pattern = repo.pulls[&first.0].clone();
        for number in 2..=250 {
            let pull = model::Pull {
                number,
                ..pattern.clone()
            };
            repo.pulls.insert(number, pull);
        }
        repo.pulls.get_mut(&7).unwrap().open = false;
    }
    let pulls = stage.forge.open_pulls(stage.repo).await.unwrap();
    assert_eq!(pulls.len(), 249);
    assert!(pulls.is_sorted_by_key(|pull| pull.number));
    stage.github.finish();
}

#[tokio::test]
async fn merged_and_closed_are_told_apart() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let close = |pull: &mut model::Pull| pull.open = false;
    stage.change(number, "closed", close).await;
    let pull = stage.read(number).await;
    assert_eq!(pull.state, PullState::Closed);
    let merge = |pull: &mut model::Pull| pull.merged = true;
    stage.change(number, "closed", merge).await;
    let pull = stage.read(number).await;
    assert_eq!(pull.state, PullState::Merged);
    stage.github.finish();
}
