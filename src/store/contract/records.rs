//! Repositories, pulls, plans and the audit log.

use super::*;
use crate::engine::plan::{Mode, SCHEMA};

pub(super) async fn a_repository_is_made_by_being_seen(store: &dyn Store) {
    let paused = store
        .change_repository(REPO, RepositoryChange::Paused, at(1))
        .await
        .unwrap();
    assert_eq!(paused, None);
    see(store, REPO, 2).await;
    store
        .change_repository(REPO, RepositoryChange::Paused, at(3))
        .await
        .unwrap();
    see(store, REPO, 4).await;
    let repository = store.repository(REPO).await.unwrap().unwrap();
    assert!(repository.paused, "being seen does not resume");
    assert_eq!(repository.full_name, "ada/shop");
    assert_eq!(repository.changed, at(4));
}

pub(super) async fn a_repository_belongs_to_one_installation(store: &dyn Store) {
    let moved = RepoKey {
        installation: InstallationId(8),
        ..REPO
    };
    see(store, REPO, 1).await;
    see(store, moved, 2).await;
    assert_eq!(state(store, REPO).await, RepositoryState::Removed);
    assert_eq!(state(store, moved).await, RepositoryState::Active);
    see(store, REPO, 3).await;
    assert_eq!(state(store, REPO).await, RepositoryState::Active);
    assert_eq!(state(store, moved).await, RepositoryState::Removed);
}

pub(super) async fn an_installation_changes_all_its_repositories(store: &dyn Store) {
    let second = RepoKey {
        repo: RepoId(43),
        ..REPO
    };
    let foreign = RepoKey {
        installation: InstallationId(70),
        repo: RepoId(44),
        ..REPO
    };
    for key in [REPO, second, foreign] {
        see(store, key, 1).await;
    }
    store
        .change_repository(second, RepositoryChange::Removed, at(2))
        .await
        .unwrap();
    let steps = [
        (InstallationChange::Suspended, RepositoryState::Suspended),
        (InstallationChange::Unsuspended, RepositoryState::Active),
        (InstallationChange::Removed, RepositoryState::Removed),
    ];
    for (change, expected) in steps {
        let changed = store
            .change_installation(REPO.forge, REPO.installation, change, at(3))
            .await
            .unwrap();
        assert_eq!(changed.len(), 2);
        assert_eq!(state(store, REPO).await, expected);
        assert_eq!(state(store, second).await, RepositoryState::Removed);
        assert_eq!(state(store, foreign).await, RepositoryState::Active);
    }
    assert_eq!(
        store.repositories(ForgeKind::Github).await.unwrap().len(),
        3
    );
}

pub(super) async fn the_last_good_configuration_is_kept(store: &dyn Store) {
    see(store, REPO, 1).await;
    let policy = LastGood {
        commit: commit('a'),
        text: "mode: advise\n".to_owned(),
    };
    let accepted = RepositoryChange::PolicyAccepted(Some(policy.clone()));
    store
        .change_repository(REPO, accepted, at(2))
        .await
        .unwrap();
    let tip = RepositoryChange::Synced(commit('b'));
    let repository = store.change_repository(REPO, tip, at(3)).await.unwrap();
    let repository = repository.unwrap();
    assert_eq!(repository.policy, Some(policy));
    let synced = Synced {
        tip: commit('b'),
        at: at(3),
    };
    assert_eq!(repository.synced, Some(synced));
}

pub(super) async fn a_proposal_is_kept(store: &dyn Store) {
    let proposal = Proposal {
        seen: "s".to_owned(),
        made: true,
        pull: Some(PullNumber(9)),
        ..Proposal::default()
    };
    let proposed = || RepositoryChange::Proposed(Box::new(proposal.clone()));
    let unseen = store.change_repository(REPO, proposed(), at(1)).await;
    assert_eq!(unseen.unwrap(), None);
    see(store, REPO, 1).await;
    let changed = store.change_repository(REPO, proposed(), at(2)).await;
    assert_eq!(changed.unwrap().unwrap().proposal, Some(proposal.clone()));
    see(store, REPO, 3).await;
    let kept = store.repository(REPO).await.unwrap().unwrap();
    assert_eq!(kept.proposal, Some(proposal));
}

pub(super) async fn what_was_asked_for_a_head_dies_with_the_next_push(store: &dyn Store) {
    let (a, b) = (commit('a'), commit('b'));
    change(store, 1, PullChange::Seen(a)).await;
    let job = ForcedJob {
        head: a,
        job: "e2e-*".to_owned(),
    };
    change(store, 1, PullChange::JobForced(job.clone())).await;
    change(store, 1, PullChange::JobForced(job.clone())).await;
    change(store, 1, PullChange::RunAll(RunAll::Head(a))).await;
    let seen_again = change(store, 1, PullChange::Seen(a)).await;
    assert_eq!(seen_again.forced, [job]);
    assert_eq!(seen_again.run_all, RunAll::Head(a));
    let pushed = change(store, 1, PullChange::Seen(b)).await;
    assert_eq!((pushed.forced, pushed.run_all), (Vec::new(), RunAll::No));
    change(store, 1, PullChange::RunAll(RunAll::Always)).await;
    change(store, 1, PullChange::Paused).await;
    change(store, 1, PullChange::Quieted).await;
    let pushed = change(store, 1, PullChange::Seen(a)).await;
    assert_eq!(pushed.run_all, RunAll::Always);
    assert!(pushed.paused && pushed.quiet);
    assert!(!change(store, 1, PullChange::Resumed).await.paused);
}

pub(super) async fn two_pulls_may_share_a_head(store: &dyn Store) {
    change(store, 2, PullChange::Seen(commit('a'))).await;
    change(store, 1, PullChange::Seen(commit('a'))).await;
    change(store, 1, PullChange::Seen(commit('b'))).await;
    let at_head = store.pulls_at(REPO, commit('a')).await.unwrap();
    assert_eq!(at_head, [PullNumber(1), PullNumber(2)]);
    assert_eq!(store.pulls_at(REPO, commit('c')).await.unwrap(), []);
    let everywhere = store.pulls_of_head(REPO.forge, commit('a')).await.unwrap();
    let numbers: Vec<PullNumber> = everywhere.iter().map(|pull| pull.number).collect();
    assert_eq!(numbers, [PullNumber(1), PullNumber(2)]);
    let other = ForgeKind::Gitlab;
    assert_eq!(store.pulls_of_head(other, commit('a')).await.unwrap(), []);
}

pub(super) async fn plans_are_kept_by_head_and_bounded(store: &dyn Store) {
    let heads: Vec<ObjectId> = (0..=HEADS_PER_PULL)
        .map(|number| format!("{number:040x}").parse().unwrap())
        .collect();
    for head in &heads {
        let planned = PullChange::Planned(Box::new(plan(*head).into()));
        assert_eq!(change(store, 1, planned).await.planned, Some(*head));
    }
    let kept = store.plan_at(REPO, PullNumber(1), heads[1]).await.unwrap();
    assert_eq!(kept.unwrap().plan, plan(heads[1]));
    let dropped = store.plan_at(REPO, PullNumber(1), heads[0]).await.unwrap();
    assert_eq!(dropped, None);
    assert_eq!(store.pulls_at(REPO, heads[0]).await.unwrap(), []);
    let everywhere = store.pulls_of_head(REPO.forge, heads[0]).await.unwrap();
    assert_eq!(everywhere, [], "a head that is forgotten leads nowhere");
    let other = store.plan_at(REPO, PullNumber(2), heads[1]).await.unwrap();
    assert_eq!(other, None, "a plan belongs to one pull");
}

pub(super) async fn a_check_is_replaced_by_its_name_and_head(store: &dyn Store) {
    let check = |head, name: &str, id| {
        PullChange::CheckWritten(WrittenCheck {
            head: commit(head),
            name: name.to_owned(),
            id,
            hash: format!("hash-{id}"),
            skips: false,
        })
    };
    change(store, 1, check('a', "trimtab", 1)).await;
    change(store, 1, check('a', "trimtab/plan", 2)).await;
    change(store, 1, check('b', "trimtab", 3)).await;
    let pull = change(store, 1, check('a', "trimtab", 4)).await;
    let ids: Vec<u64> = pull.checks.iter().map(|check| check.id).collect();
    assert_eq!(ids, [2, 3, 4]);
    let hash = "body".to_owned();
    let commented = change(store, 1, PullChange::Commented { id: 5, hash }).await;
    assert_eq!(commented.comment.unwrap().id, 5);
    let lost = change(store, 1, PullChange::CommentLost).await;
    assert_eq!(lost.comment, None);
}

pub(super) async fn a_plan_speaks_for_one_revision_of_its_pull(store: &dyn Store) {
    let (a, b) = (commit('a'), commit('b'));
    let read = |head, target: &str, barred| PullChange::Read {
        head,
        target: target.to_owned(),
        barred,
    };
    let revision = async |what: PullChange| change(store, 1, what).await.revision;
    let first = revision(read(a, "main", false)).await;
    assert_eq!(revision(read(a, "main", false)).await, first);
    assert_eq!(revision(PullChange::Seen(a)).await, first);
    assert_eq!(revision(PullChange::Quieted).await, first);
    assert_eq!(
        revision(PullChange::Planned(Box::new(plan(a).into()))).await,
        first
    );
    let told = ToldSkip {
        head: b,
        job: "e2e".to_owned(),
        by: "ada".to_owned(),
        reason: "r".to_owned(),
    };
    let job = "e2e".to_owned();
    let steps = [
        read(a, "next", false),
        read(a, "next", true),
        PullChange::Seen(b),
        PullChange::Seen(a),
        PullChange::Paused,
        PullChange::Resumed,
        PullChange::RunAll(RunAll::Head(a)),
        PullChange::JobForced(ForcedJob { head: a, job }),
        PullChange::Told(told),
        PullChange::Outdated,
        PullChange::Closed,
        PullChange::Seen(a),
    ];
    for (step, what) in (1..).zip(steps) {
        assert_eq!(revision(what.clone()).await, first + step, "{what:?}");
    }
}

pub(super) async fn a_line_that_still_says_the_same_keeps_its_time(store: &dyn Store) {
    let gated = |jobs: &[&str]| Gated {
        workflow: "ci.yml".to_owned(),
        key: "0".repeat(32),
        skip: jobs.iter().map(|job| (*job).to_owned()).collect(),
    };
    let not_after = async |jobs: &[&str], minutes: u64| {
        let new = NewPlan {
            gated: vec![gated(jobs)],
            ..plan(commit('a')).into()
        };
        let (change, now) = (PullChange::Planned(Box::new(new)), at(minutes * 60));
        let changed = store.change_pull(REPO, PullNumber(1), change, now).await;
        changed.unwrap();
        let kept = store.plan_at(REPO, PullNumber(1), commit('a')).await;
        kept.unwrap().unwrap().not_after / 60
    };
    assert_eq!(not_after(&["unit"], 10).await, 70);
    assert_eq!(not_after(&["unit"], 40).await, 70);
    assert_eq!(not_after(&["unit"], 41).await, 101);
    assert_eq!(not_after(&[], 42).await, 102);
}

pub(super) async fn the_key_of_lots_is_made_once(store: &dyn Store) {
    assert_eq!(store.lots_key([1; 32]).await.unwrap(), [1; 32]);
    assert_eq!(store.lots_key([2; 32]).await.unwrap(), [1; 32]);
}

pub(super) async fn a_repository_is_found_by_its_number(store: &dyn Store) {
    let find = async |repo| store.repository_numbered(REPO.forge, repo).await.unwrap();
    assert_eq!(find(REPO.repo).await, None);
    see(store, REPO, 1).await;
    let moved = RepoKey {
        installation: InstallationId(8),
        ..REPO
    };
    see(store, moved, 2).await;
    assert_eq!(find(REPO.repo).await.map(|it| it.key), Some(moved));
    assert_eq!(find(RepoId(43)).await, None);
}

pub(super) async fn closed_pulls_are_not_open(store: &dyn Store) {
    for number in [1, 2, 3] {
        change(store, number, PullChange::Seen(commit('a'))).await;
    }
    change(store, 2, PullChange::Closed).await;
    change(store, 3, PullChange::Closed).await;
    change(store, 3, PullChange::Seen(commit('a'))).await;
    let open = store.open_pulls(REPO).await.unwrap();
    let numbers: Vec<u64> = open.iter().map(|pull| pull.number.0).collect();
    assert_eq!(numbers, [1, 3]);
}

pub(super) async fn a_closed_pull_is_forgotten_with_all_of_it(store: &dyn Store) {
    let at_age = |days: u64| at(days * 86_400);
    let keep = KEEP_PULLS.as_secs() / 86_400;
    let changed = async |number: u64, what: PullChange, day: u64| {
        let number = PullNumber(number);
        let changed = store.change_pull(REPO, number, what, at_age(day)).await;
        changed.unwrap();
    };
    let head = commit('a');
    for number in [1, 2, 3] {
        changed(number, PullChange::Seen(head), 1).await;
        changed(number, PullChange::Planned(Box::new(plan(head).into())), 1).await;
    }
    changed(1, PullChange::Closed, 1).await;
    changed(2, PullChange::Closed, 1).await;
    changed(2, PullChange::Seen(head), 2).await;
    changed(3, PullChange::Closed, 1).await;
    changed(3, PullChange::CommentLost, 3).await;
    while store.prune(at_age(keep + 2)).await.unwrap() > 0 {}
    // One came back, and something of the other changed later.
    let at_head = store.pulls_at(REPO, head).await.unwrap();
    assert_eq!(at_head, [PullNumber(2), PullNumber(3)]);
    let first = PullNumber(1);
    assert_eq!(store.pull(REPO, first).await.unwrap(), None);
    assert_eq!(store.plan_at(REPO, first, head).await.unwrap(), None);
    while store.prune(at_age(keep + 4)).await.unwrap() > 0 {}
    let everywhere = store.pulls_of_head(REPO.forge, head).await.unwrap();
    let numbers: Vec<u64> = everywhere.iter().map(|pull| pull.number.0).collect();
    assert_eq!(numbers, [2], "an open one is never forgotten");
}

pub(super) async fn what_is_bound_to_a_head_knows_since_when_it_is_there(store: &dyn Store) {
    let (a, b) = (commit('a'), commit('b'));
    let read = |head, target: &str| PullChange::Read {
        head,
        target: target.to_owned(),
        barred: false,
    };
    let said = async |what: PullChange, seconds: u64| {
        let changed = store.change_pull(REPO, PullNumber(1), what, at(seconds));
        let pull = changed.await.unwrap();
        (pull.head_since, pull.retargeted)
    };
    assert_eq!(said(PullChange::Quieted, 1).await, (None, false));
    assert_eq!(said(PullChange::Seen(a), 2).await, (Some(at(2)), false));
    assert_eq!(said(read(a, "main"), 3).await, (Some(at(2)), false));
    assert_eq!(said(read(a, "next"), 4).await, (Some(at(2)), true));
    assert_eq!(said(read(a, "main"), 5).await, (Some(at(2)), true));
    assert_eq!(said(read(b, "main"), 6).await, (Some(at(6)), false));
    assert_eq!(said(read(a, "next"), 7).await, (Some(at(7)), true));
}

pub(super) async fn rows_of_two_repositories_do_not_mix(store: &dyn Store) {
    let other = RepoKey {
        repo: RepoId(43),
        ..REPO
    };
    change(store, 1, PullChange::Seen(commit('a'))).await;
    assert_eq!(store.pull(other, PullNumber(1)).await.unwrap(), None);
    assert_eq!(store.open_pulls(other).await.unwrap(), []);
    assert_eq!(store.pulls_at(other, commit('a')).await.unwrap(), []);
    store.append_audit(entry("comment/1", 1)).await.unwrap();
    let filter = AuditFilter {
        repo: other,
        limit: 9,
    };
    assert_eq!(store.audit(filter).await.unwrap(), []);
}

pub(super) async fn an_act_is_audited_once(store: &dyn Store) {
    assert!(store.append_audit(entry("comment/1", 1)).await.unwrap());
    assert!(!store.append_audit(entry("comment/1", 2)).await.unwrap());
    assert!(store.append_audit(entry("comment/2", 2)).await.unwrap());
    assert!(store.append_audit(entry("comment/3", 2)).await.unwrap());
    let filter = AuditFilter {
        repo: REPO,
        limit: 2,
    };
    let lines = store.audit(filter).await.unwrap();
    assert_eq!(lines, [entry("comment/3", 2), entry("comment/2", 2)]);
}

pub(super) async fn a_probe_leaves_the_queue_alone(store: &dyn Store) {
    store.probe(at(1)).await.unwrap();
    assert_eq!(store.dump().await.unwrap(), "");
}

async fn see(store: &dyn Store, key: RepoKey, now: u64) {
    let seen = RepositoryChange::Seen {
        full_name: "ada/shop".to_owned(),
        default_branch: "main".to_owned(),
    };
    let repository = store.change_repository(key, seen, at(now)).await.unwrap();
    assert!(repository.is_some());
}

async fn state(store: &dyn Store, key: RepoKey) -> RepositoryState {
    store.repository(key).await.unwrap().unwrap().state
}

async fn change(store: &dyn Store, number: u64, change: PullChange) -> Pull {
    let number = PullNumber(number);
    let pull = store.change_pull(REPO, number, change, at(1)).await;
    let pull = pull.unwrap();
    assert_eq!(
        store.pull(REPO, number).await.unwrap().as_ref(),
        Some(&pull)
    );
    pull
}

fn entry(id: &str, seconds: u64) -> AuditEntry {
    AuditEntry {
        id: id.to_owned(),
        scope: REPO.into(),
        pull: Some(PullNumber(1)),
        head: Some(commit('a')),
        actor: "ada".to_owned(),
        act: "run all".to_owned(),
        outcome: "done".to_owned(),
        at: at(seconds),
    }
}

fn plan(head: ObjectId) -> Plan {
    Plan {
        schema: SCHEMA.to_owned(),
        repository: "ada/shop".to_owned(),
        pull: Some(PullNumber(1)),
        base: commit('b'),
        head,
        merge: commit('c'),
        mode: Mode::Observe,
        policy_hash: "0".repeat(64),
        model: None,
        jobs: Vec::new(),
        run_everything: Vec::new(),
        diagnostics: Vec::new(),
    }
}
