//! What every backend does: one contract, run on each.
//!
//! A case is a sentence and an async function over `&dyn Store`. The macro at the
//! end runs all of them on all backends; a new backend adds one line. Cases name
//! moments in seconds, so that a dump reads like a story.

use std::time::Duration;

use super::*;
use crate::engine::ids::RepoId;

mod deliveries;
mod queue;
mod records;
mod runs;

const REPO: RepoKey = RepoKey {
    forge: ForgeKind::Github,
    installation: InstallationId(7),
    repo: RepoId(42),
};
const MINUTE: Duration = Duration::from_mins(1);

/// `seconds` after the epoch.
fn at(seconds: u64) -> Timestamp {
    Timestamp(0).after(Duration::from_secs(seconds))
}

/// A commit whose digits are all `digit`.
fn commit(digit: char) -> ObjectId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn id(text: &str) -> DeliveryId {
    DeliveryId::parse(text).unwrap()
}

fn push(name: &str) -> NewDelivery {
    NewDelivery {
        id: id(name),
        scope: REPO.into(),
        event: "push".to_owned(),
        body: b"{}".to_vec(),
    }
}

fn analyse(pull: u64, head: char) -> TaskKind {
    TaskKind::AnalysePull {
        pull: PullNumber(pull),
        head: Some(commit(head)),
        cause: Cause::Event,
    }
}

fn report(pull: u64) -> TaskKind {
    TaskKind::ReportPull {
        pull: PullNumber(pull),
    }
}

fn answer(pull: u64, comment: u64) -> TaskKind {
    TaskKind::AnswerCommand {
        pull: PullNumber(pull),
        comment: CommentRef::Comment(comment),
        author: "ada".to_owned(),
        line: "/trimtab why api".to_owned(),
        head: None,
    }
}

fn task(kind: TaskKind, due: u64) -> NewTask {
    NewTask {
        scope: REPO.into(),
        kind,
        due: at(due),
    }
}

async fn queue(store: &dyn Store, kind: TaskKind, due: u64) {
    store.enqueue(vec![task(kind, due)], at(due)).await.unwrap();
}

/// Claims from the plan lane, for a minute.
async fn claim(store: &dyn Store, now: u64) -> Option<Lease> {
    match store.claim(Lane::Plan, at(now), MINUTE).await.unwrap() {
        Claim::Leased(lease) => Some(*lease),
        Claim::Idle(_) => None,
    }
}

/// When the plan lane says that a claim can succeed.
async fn wake(store: &dyn Store, now: u64) -> Option<Timestamp> {
    match store.claim(Lane::Plan, at(now), MINUTE).await.unwrap() {
        Claim::Leased(lease) => panic!("{} was claimed", lease.task),
        Claim::Idle(wake) => wake,
    }
}

macro_rules! store_contract {
    ($($topic:ident: [$($case:ident),+ $(,)?])+) => {
        mod memory_backend {
            $($(
                #[tokio::test]
                async fn $case() {
                    super::$topic::$case(&crate::store::memory::open().unwrap()).await;
                }
            )+)+
        }
        mod embedded_backend {
            $($(
                #[tokio::test]
                async fn $case() {
                    let dir = tempfile::tempdir().unwrap();
                    let opened = crate::store::embedded::open(dir.path(), 1 << 20).unwrap();
                    assert_eq!(opened.set_aside, None);
                    super::$topic::$case(&opened.store).await;
                }
            )+)+
        }
    };
}

store_contract! {
    deliveries: [
        a_delivery_is_accepted_once_and_queues_one_task,
        a_redelivery_of_what_is_not_done_is_run_again,
        a_done_delivery_is_turned_away_for_a_month,
        a_body_of_25_megabytes_survives,
        equal_names_on_two_forges_are_two_deliveries,
        what_follows_is_queued_in_the_same_step,
    ]
    queue: [
        tasks_that_ask_for_the_same_join,
        a_newer_push_supersedes_the_running_analysis,
        the_same_head_does_not_supersede,
        one_pull_is_worked_on_by_one_worker,
        a_comment_yields_to_every_machine_check,
        a_lease_that_lapsed_is_lost,
        a_renewed_lease_holds,
        a_failed_task_waits_and_counts,
        a_wait_that_the_forge_asked_for_binds_the_task_that_joins,
        a_failure_is_dropped_when_newer_work_waits,
        a_released_task_does_not_count_an_attempt,
        a_postponed_task_does_not_count_an_attempt,
        dead_letters_are_listed_and_retried,
        newer_work_replaces_a_dead_letter,
        a_waiting_task_can_be_buried,
        an_idle_lane_says_when_to_come_back,
        lanes_do_not_take_from_each_other,
        dead_letters_are_pruned_after_a_month,
    ]
    records: [
        a_repository_is_made_by_being_seen,
        a_repository_belongs_to_one_installation,
        an_installation_changes_all_its_repositories,
        the_last_good_configuration_is_kept,
        a_proposal_is_kept,
        what_was_asked_for_a_head_dies_with_the_next_push,
        two_pulls_may_share_a_head,
        plans_are_kept_by_head_and_bounded,
        a_check_is_replaced_by_its_name_and_head,
        closed_pulls_are_not_open,
        a_closed_pull_is_forgotten_with_all_of_it,
        what_is_bound_to_a_head_knows_since_when_it_is_there,
        a_plan_speaks_for_one_revision_of_its_pull,
        a_line_that_still_says_the_same_keeps_its_time,
        the_key_of_lots_is_made_once,
        a_repository_is_found_by_its_number,
        rows_of_two_repositories_do_not_mix,
        an_act_is_audited_once,
        a_probe_leaves_the_queue_alone,
    ]
    runs: [
        an_attempt_is_kept_once,
        attempts_are_listed_newest_first,
        runs_are_forgotten_by_age_and_what_was_learned_stays,
        what_runs_came_to_is_forgotten_with_them,
        the_oldest_attempts_make_room,
        durations_are_kept_of_so_many_pipelines,
        a_backfill_is_remembered,
    ]
}
