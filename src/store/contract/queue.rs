//! The queue: joined, superseded, leased, tried again, buried.

use super::*;

pub(super) async fn tasks_that_ask_for_the_same_join(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 5).await;
    let queued = store
        .enqueue(vec![task(analyse(1, 'b'), 3)], at(3))
        .await
        .unwrap();
    assert_eq!(queued, [Queued::Joined(TaskId(1))]);
    queue(store, answer(1, 10), 9).await;
    queue(store, answer(1, 11), 9).await;
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"
    task 1 plan analyse-pull github/7/42#1@bbbbbbb waiting due=3000 attempt=0
    task 2 plan answer-command github/7/42#1 comment/10 waiting due=9000 attempt=0
    task 3 plan answer-command github/7/42#1 comment/11 waiting due=9000 attempt=0
    "); }
}

pub(super) async fn a_newer_push_supersedes_the_running_analysis(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    queue(store, analyse(1, 'b'), 2).await;
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"
    task 1 plan analyse-pull github/7/42#1@aaaaaaa leased until=61000 superseded attempt=0
    task 2 plan analyse-pull github/7/42#1@bbbbbbb waiting due=2000 attempt=0
    "); }
    assert_eq!(
        store.renew(&lease, at(3), MINUTE).await.unwrap(),
        Renewal::Superseded(at(63))
    );
    store.complete(&lease, Vec::new(), at(4)).await.unwrap();
    assert_eq!(claim(store, 4).await.unwrap().task.task, analyse(1, 'b'));
}

pub(super) async fn the_same_head_does_not_supersede(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    queue(store, analyse(1, 'a'), 2).await;
    assert_eq!(
        store.renew(&lease, at(3), MINUTE).await.unwrap(),
        Renewal::Held(at(63))
    );
    assert_eq!(
        store.tasks(TaskFilter::Live, 9).await.unwrap().len(),
        2,
        "what came while it ran is run after it"
    );
}

pub(super) async fn one_pull_is_worked_on_by_one_worker(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    queue(store, answer(1, 10), 1).await;
    queue(store, analyse(2, 'a'), 1).await;
    let first = claim(store, 1).await.unwrap();
    let second = claim(store, 1).await.unwrap();
    assert_eq!(first.task.task.pull(), Some(PullNumber(1)));
    assert_eq!(second.task.task.pull(), Some(PullNumber(2)));
    assert_eq!(claim(store, 1).await, None);
    store.complete(&first, Vec::new(), at(2)).await.unwrap();
    assert_eq!(claim(store, 2).await.unwrap().task.task, answer(1, 10));
}

pub(super) async fn a_comment_yields_to_every_machine_check(store: &dyn Store) {
    queue(store, report(1), 1).await;
    queue(store, analyse(2, 'a'), 5).await;
    assert_eq!(claim(store, 9).await.unwrap().task.task, analyse(2, 'a'));
    assert_eq!(claim(store, 9).await.unwrap().task.task, report(1));
}

pub(super) async fn a_lease_that_lapsed_is_lost(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lost = claim(store, 1).await.unwrap();
    assert_eq!(claim(store, 60).await, None);
    let taken = claim(store, 61).await.unwrap();
    assert_eq!(taken.task.attempt, 1);
    assert_eq!(taken.task.fault.as_deref(), Some("its worker was lost"));
    assert_eq!(
        store.renew(&lost, at(62), MINUTE).await.unwrap(),
        Renewal::Lost
    );
    let then = vec![task(report(1), 62)];
    assert_eq!(
        store.complete(&lost, then, at(62)).await.unwrap(),
        Settled::Lost
    );
    assert_eq!(
        store.fail(&lost, Next::Bury, "late", at(62)).await.unwrap(),
        Settled::Lost
    );
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa leased until=121000 attempt=1 fault="its worker was lost""#); }
}

pub(super) async fn a_renewed_lease_holds(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    assert_eq!(
        store.renew(&lease, at(50), MINUTE).await.unwrap(),
        Renewal::Held(at(110))
    );
    assert_eq!(claim(store, 100).await, None);
    assert_eq!(
        store.complete(&lease, Vec::new(), at(105)).await.unwrap(),
        Settled::Yes
    );
    assert_eq!(store.dump().await.unwrap(), "");
}

pub(super) async fn a_failed_task_waits_and_counts(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    store
        .fail(&lease, retry_at(5, Asked::No), "no answer", at(2))
        .await
        .unwrap();
    assert_eq!(claim(store, 4).await, None);
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=5000 attempt=1 fault="no answer""#); }
    assert_eq!(claim(store, 5).await.unwrap().task.attempt, 1);
}

pub(super) async fn a_wait_that_the_forge_asked_for_binds_the_task_that_joins(store: &dyn Store) {
    for (asked, due) in [(Asked::Yes, 500), (Asked::No, 3)] {
        queue(store, analyse(1, 'a'), 1).await;
        let lease = claim(store, 1).await.unwrap();
        store
            .fail(&lease, retry_at(500, asked), "slow down", at(2))
            .await
            .unwrap();
        queue(store, analyse(1, 'b'), 3).await;
        assert_eq!(wake(store, 2).await, Some(at(due)));
        let lease = claim(store, due).await.unwrap();
        assert_eq!(lease.task.attempt, 0, "a new head starts anew");
        store.complete(&lease, Vec::new(), at(due)).await.unwrap();
    }
}

pub(super) async fn a_failure_is_dropped_when_newer_work_waits(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    queue(store, analyse(1, 'b'), 2).await;
    store
        .fail(&lease, retry_at(90, Asked::Yes), "slow down", at(3))
        .await
        .unwrap();
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"task 2 plan analyse-pull github/7/42#1@bbbbbbb waiting due=90000 attempt=0"); }
}

pub(super) async fn a_released_task_does_not_count_an_attempt(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    let lease = claim(store, 1).await.unwrap();
    store
        .fail(&lease, Next::Release, "drain", at(2))
        .await
        .unwrap();
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=2000 attempt=0"); }
}

pub(super) async fn a_postponed_task_does_not_count_an_attempt(store: &dyn Store) {
    queue(store, report(1), 1).await;
    let lease = claim(store, 1).await.unwrap();
    store
        .fail(&lease, Next::Postpone(at(60)), "budget", at(2))
        .await
        .unwrap();
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"task 1 plan report-pull github/7/42#1 waiting due=60000 attempt=0"); }
}

pub(super) async fn dead_letters_are_listed_and_retried(store: &dyn Store) {
    bury(store, analyse(1, 'a'), 1).await;
    let dead = store.tasks(TaskFilter::Dead, 9).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(store.tasks(TaskFilter::Live, 9).await.unwrap(), []);
    assert_eq!(claim(store, 99).await, None);
    assert!(store.retry_task(TaskId(1), at(100)).await.unwrap());
    let lease = claim(store, 100).await.unwrap();
    assert_eq!((lease.task.attempt, lease.task.fault.clone()), (0, None));
    assert!(
        !store.retry_task(TaskId(1), at(101)).await.unwrap(),
        "running"
    );
    assert!(
        !store.retry_task(TaskId(9), at(101)).await.unwrap(),
        "unknown"
    );
}

pub(super) async fn newer_work_replaces_a_dead_letter(store: &dyn Store) {
    bury(store, analyse(1, 'a'), 1).await;
    queue(store, analyse(1, 'b'), 2).await;
    assert_eq!(store.tasks(TaskFilter::Dead, 9).await.unwrap(), []);
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"task 2 plan analyse-pull github/7/42#1@bbbbbbb waiting due=2000 attempt=0"); }
}

pub(super) async fn a_waiting_task_can_be_buried(store: &dyn Store) {
    queue(store, analyse(1, 'a'), 1).await;
    assert!(store.bury_task(TaskId(1), at(2)).await.unwrap());
    assert!(!store.bury_task(TaskId(1), at(3)).await.unwrap());
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa dead at=2000 attempt=0 fault="buried by hand""#); }
}

pub(super) async fn an_idle_lane_says_when_to_come_back(store: &dyn Store) {
    assert_eq!(wake(store, 1).await, None);
    queue(store, analyse(1, 'a'), 30).await;
    queue(store, report(2), 20).await;
    assert_eq!(wake(store, 1).await, Some(at(20)));
    let report = claim(store, 20).await.unwrap();
    assert_eq!(wake(store, 20).await, Some(at(30)));
    let analysis = claim(store, 30).await.unwrap();
    assert_eq!(wake(store, 30).await, Some(at(80)), "the first lease ends");
    store.complete(&report, Vec::new(), at(31)).await.unwrap();
    store.complete(&analysis, Vec::new(), at(31)).await.unwrap();
    assert_eq!(wake(store, 32).await, None);
}

pub(super) async fn lanes_do_not_take_from_each_other(store: &dyn Store) {
    queue(store, TaskKind::SyncRepo, 1).await;
    assert_eq!(claim(store, 9).await, None);
    let Claim::Leased(lease) = store.claim(Lane::Background, at(9), MINUTE).await.unwrap() else {
        panic!("nothing was claimed")
    };
    assert_eq!(lease.task.task, TaskKind::SyncRepo);
}

pub(super) async fn dead_letters_are_pruned_after_a_month(store: &dyn Store) {
    bury(store, analyse(1, 'a'), 1).await;
    let month = REMEMBER.as_secs();
    assert_eq!(store.prune(at(month + 1)).await.unwrap(), 0);
    assert_eq!(store.prune(at(month + 2)).await.unwrap(), 1);
    assert_eq!(store.dump().await.unwrap(), "");
    queue(store, analyse(1, 'a'), month + 3).await;
    assert!(claim(store, month + 3).await.is_some());
}

#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Yes,
    No,
}

fn retry_at(due: u64, asked: Asked) -> Next {
    Next::RetryAt {
        due: at(due),
        asked: asked == Asked::Yes,
    }
}

/// Queues a task and buries it after its first try.
async fn bury(store: &dyn Store, kind: TaskKind, now: u64) {
    queue(store, kind, now).await;
    let lease = claim(store, now).await.unwrap();
    store
        .fail(&lease, Next::Bury, "hopeless", at(now))
        .await
        .unwrap();
}
