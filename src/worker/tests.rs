//! The worker on a clock that tests turn: nothing sleeps.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::clock::ManualClock;
use crate::engine::ids::{ForgeKind, InstallationId, PullNumber, RepoId, RepoKey};
use crate::store::{Cause, DeliveryId, NewTask, TaskFilter, TaskKind, memory};

const REPO: RepoKey = RepoKey {
    forge: ForgeKind::Github,
    installation: InstallationId(7),
    repo: RepoId(42),
};

/// What the handler does with its next task.
enum Act {
    Do,
    Fail(Option<u64>),
    Give,
    Panic,
    Postpone(u64),
    /// Does it, and an analysis of this head follows.
    Then(char),
    /// Stays until it is told to stop.
    Obey,
    /// Stays for ever.
    Hang,
}

struct Script {
    acts: Mutex<VecDeque<Act>>,
    seen: watch::Sender<Vec<String>>,
}

#[async_trait]
impl Handler for Script {
    async fn handle(&self, task: Task, mut stop: Stop) -> Ended {
        let act = self.acts.lock().unwrap().pop_front().unwrap();
        let line = format!(
            "{}#{}",
            task.task.as_str(),
            task.task.pull().map_or(0, |p| p.0)
        );
        self.seen.send_modify(|seen| seen.push(line));
        match act {
            Act::Do => Ended::Done(Vec::new()),
            Act::Then(head) => Ended::Done(vec![analysis(1, head)]),
            Act::Fail(wait) => Ended::Failed {
                error: anyhow::anyhow!("no answer"),
                wait: wait.map(Duration::from_secs),
            },
            Act::Give => Ended::Hopeless(anyhow::anyhow!("forbidden")),
            Act::Panic => panic!("on purpose"),
            Act::Postpone(second) => Ended::Postponed(Timestamp(second * 1000)),
            Act::Obey => {
                stop.asked().await;
                Ended::Stopped
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

/// Due at second 100, when every bench begins.
fn analysis(pull: u64, head: char) -> NewTask {
    NewTask {
        scope: REPO.into(),
        kind: TaskKind::AnalysePull {
            pull: PullNumber(pull),
            head: head.to_string().repeat(40).parse().ok(),
            cause: Cause::Event,
        },
        due: Timestamp(100_000),
    }
}

struct Bench {
    worker: Worker,
    clock: Arc<ManualClock>,
    script: Arc<Script>,
    drain: watch::Sender<bool>,
    run: tokio::task::JoinHandle<()>,
}

impl Bench {
    /// A worker at second 100 whose handler does these things.
    fn with(acts: impl IntoIterator<Item = Act>) -> Self {
        let clock = Arc::new(ManualClock::at(100));
        let script = Arc::new(Script {
            acts: Mutex::new(acts.into_iter().collect()),
            seen: watch::Sender::new(Vec::new()),
        });
        let worker = Worker {
            store: Arc::new(memory::open().unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            handler: Arc::clone(&script) as Arc<dyn Handler>,
            bell: Bell::default(),
            width: Width {
                plan: 2,
                background: 1,
            },
        };
        let drain = watch::Sender::new(false);
        let run = tokio::spawn({
            let (worker, asked) = (worker.clone(), drain.subscribe());
            async move { worker.run(asked).await }
        });
        Self {
            worker,
            clock,
            script,
            drain,
            run,
        }
    }

    async fn queue(&self, pull: u64, head: char) {
        let now = self.clock.timestamp();
        let tasks = vec![analysis(pull, head)];
        self.worker.store.enqueue(tasks, now).await.unwrap();
        self.worker.bell.ring();
    }

    /// Waits until the handler has been called this often.
    async fn seen(&self, times: usize) {
        let mut seen = self.script.seen.subscribe();
        within(async { seen.wait_for(|seen| seen.len() >= times).await.is_ok() }).await;
    }

    /// Waits until the queue reads like this.
    async fn reads(&self, expected: &str) {
        within(async {
            while self.worker.store.dump().await.unwrap().trim_end() != expected {
                tokio::task::yield_now().await;
            }
            true
        })
        .await;
    }

    /// Drains, and gives the queue as it was left.
    async fn end(self) -> String {
        self.drain.send_replace(true);
        self.run.await.unwrap();
        self.worker.store.dump().await.unwrap()
    }
}

/// A test that would wait for ever fails instead.
async fn within(condition: impl Future<Output = bool>) {
    let reached = tokio::time::timeout(Duration::from_secs(20), condition).await;
    assert!(reached.unwrap(), "it ended before");
}

#[tokio::test]
async fn a_done_task_leaves_the_queue() {
    let bench = Bench::with([Act::Do]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    bench.reads("").await;
    assert_eq!(bench.end().await, "");
}

#[tokio::test]
async fn a_failed_task_is_tried_again_when_it_is_due() {
    let bench = Bench::with([Act::Fail(None), Act::Fail(Some(300)), Act::Do]);
    bench.queue(1, 'a').await;
    bench.reads(r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=101000 attempt=1 fault="no answer""#).await;
    bench.clock.advance(Duration::from_secs(1));
    bench.reads(r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=401000 attempt=2 fault="no answer""#).await;
    bench.clock.advance(Duration::from_secs(299));
    assert_eq!(bench.script.seen.borrow().len(), 2);
    bench.clock.advance(Duration::from_secs(1));
    bench.reads("").await;
    bench.end().await;
}

#[tokio::test]
async fn a_hopeless_task_becomes_a_dead_letter_at_once() {
    let bench = Bench::with([Act::Give]);
    bench.queue(1, 'a').await;
    bench.reads(r#"task 1 plan analyse-pull github/7/42#1@aaaaaaa dead at=100000 attempt=1 fault="forbidden""#).await;
    bench.end().await;
}

#[tokio::test]
async fn a_panic_is_a_failure_and_ends_in_burial() {
    let bench = Bench::with((0..MAX_ATTEMPTS).map(|_| Act::Panic));
    bench.queue(1, 'a').await;
    for attempt in 1..MAX_ATTEMPTS {
        bench.seen(attempt as usize).await;
        let waiting = within_dump(&bench, &format!("attempt={attempt} ")).await;
        assert!(
            waiting.contains(r#"fault="it panicked: on purpose""#),
            "{waiting}"
        );
        bench.clock.advance(Duration::from_mins(10));
    }
    let dead = within_dump(&bench, " dead ").await;
    assert!(dead.contains("attempt=12"), "{dead}");
    bench.end().await;
}

#[tokio::test]
async fn a_postponed_task_comes_back_at_its_moment() {
    let bench = Bench::with([Act::Postpone(160), Act::Do]);
    bench.queue(1, 'a').await;
    bench
        .reads("task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=160000 attempt=0")
        .await;
    bench.clock.advance(Duration::from_mins(1));
    bench.reads("").await;
    bench.end().await;
}

#[tokio::test]
async fn a_task_past_its_deadline_is_given_up_and_tried_again() {
    let bench = Bench::with([Act::Hang, Act::Do]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    // Step by step, as time passes: a jump would end the lease before it is renewed.
    let kind = TaskKind::AnalysePull {
        pull: PullNumber(1),
        head: None,
        cause: Cause::Event,
    };
    let steps = queue::deadline(&kind).as_secs() / RENEW.as_secs();
    for step in 1..steps {
        bench.clock.advance(RENEW);
        let until = 100 + step * RENEW.as_secs() + LEASE.as_secs();
        within_dump(&bench, &format!("until={until}000")).await;
    }
    bench.clock.advance(RENEW);
    let waiting = within_dump(&bench, "attempt=1").await;
    assert!(
        waiting.contains("it did not end before its deadline"),
        "{waiting}"
    );
    bench.clock.advance(Duration::from_mins(1));
    bench.reads("").await;
    bench.end().await;
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_task_runs() {
    let bench = Bench::with([Act::Hang]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    for until in [140, 150, 160, 170] {
        bench.clock.advance(RENEW);
        within_dump(&bench, &format!("until={until}000")).await;
    }
    assert_eq!(bench.script.seen.borrow().len(), 1);
    bench.run.abort();
}

#[tokio::test]
async fn a_newer_push_stops_the_older_analysis() {
    let bench = Bench::with([Act::Obey, Act::Do]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    bench.queue(1, 'b').await;
    within_dump(&bench, "superseded").await;
    bench.clock.advance(RENEW);
    bench.reads("").await;
    assert_eq!(bench.script.seen.borrow().len(), 2);
    bench.end().await;
}

#[tokio::test]
async fn a_push_that_is_read_here_stops_the_older_analysis_at_once() {
    let bench = Bench::with([Act::Obey, Act::Then('b'), Act::Do]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    let delivery = DeliveryId::parse("d-1").unwrap();
    let kind = TaskKind::Deliver { delivery };
    let (scope, due) = (REPO.into(), Timestamp(100_000));
    let pushed = vec![NewTask { scope, kind, due }];
    bench.worker.store.enqueue(pushed, due).await.unwrap();
    bench.worker.bell.ring();
    // The clock stands still: no lease is renewed.
    bench.seen(3).await;
    bench.reads("").await;
    bench.end().await;
}

#[tokio::test]
async fn one_pull_is_worked_on_by_one_handler_and_two_pulls_by_two() {
    let bench = Bench::with([Act::Obey, Act::Obey]);
    bench.queue(1, 'a').await;
    bench.queue(2, 'a').await;
    bench.seen(2).await;
    bench.queue(1, 'a').await;
    bench.queue(3, 'a').await;
    let left = bench.end().await;
    insta::assert_snapshot!(left, @"
    task 2 plan analyse-pull github/7/42#2@aaaaaaa waiting due=100000 attempt=0
    task 3 plan analyse-pull github/7/42#1@aaaaaaa waiting due=100000 attempt=0
    task 4 plan analyse-pull github/7/42#3@aaaaaaa waiting due=100000 attempt=0
    ");
}

#[tokio::test]
async fn draining_puts_back_what_was_begun_and_claims_no_more() {
    let bench = Bench::with([Act::Obey, Act::Hang]);
    bench.queue(1, 'a').await;
    bench.seen(1).await;
    bench.queue(2, 'a').await;
    bench.seen(2).await;
    bench.drain.send_replace(true);
    within_dump(&bench, "#1@aaaaaaa waiting due=100000 attempt=0").await;
    bench.clock.advance(GRACE);
    let left = bench.end().await;
    insta::assert_snapshot!(left, @"
    task 1 plan analyse-pull github/7/42#1@aaaaaaa waiting due=100000 attempt=0
    task 2 plan analyse-pull github/7/42#2@aaaaaaa waiting due=120000 attempt=0
    ");
}

#[tokio::test]
async fn a_task_that_loses_its_worker_again_and_again_is_buried_unread() {
    let bench = Bench::with([]);
    bench.drain.send_replace(true);
    let store = Arc::clone(&bench.worker.store);
    bench.queue(1, 'a').await;
    bench.end().await;
    let mut now = Timestamp(100_000);
    for _ in 0..=MAX_ATTEMPTS {
        store.claim(Lane::Plan, now, LEASE).await.unwrap();
        now = now.after(LEASE);
    }
    let again = Bench::with([]);
    again.clock.advance(now.since(Timestamp(0)));
    let worker = Worker {
        store: Arc::clone(&store),
        ..again.worker.clone()
    };
    let (drain, asked) = watch::channel(false);
    let run = tokio::spawn(async move { worker.run(asked).await });
    within(async {
        while store.tasks(TaskFilter::Dead, 1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        true
    })
    .await;
    drain.send_replace(true);
    run.await.unwrap();
    again.end().await;
}

/// Waits until the queue says this, and gives it.
async fn within_dump(bench: &Bench, part: &str) -> String {
    let mut dump = String::new();
    within(async {
        while !dump.contains(part) {
            tokio::task::yield_now().await;
            dump = bench.worker.store.dump().await.unwrap();
        }
        true
    })
    .await;
    dump
}
