//! The numbers of a running bot: who may see them, and that each of them moves.

use std::sync::Arc;

use trimtab::flow;
use trimtab::store::fault::{Faults, PlannedFault, Point};
use trimtab::store::keyed::Keyed;
use trimtab::store::memory::Memory;
use trimtab::telemetry::{Metric, Metrics};

use super::super::support::bot::Bot;
use super::super::support::github::model::Quota;
use super::DOCS;
use super::audit::experienced_shop;

/// The store never gets a probe onto the disk.
struct NoProbe;

impl Faults for NoProbe {
    fn reached(&self, operation: &'static str, point: Point) -> Result<(), PlannedFault> {
        match operation {
            "probe" => Err(PlannedFault { operation, point }),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn every_metric_moves() {
    let metrics = Arc::new(Metrics::default());
    let store = Keyed::open_with(Memory::default(), Arc::new(NoProbe)).unwrap();
    let store = store.with_observer(flow::counting_faults(&metrics));
    let bot = Bot::counted(Arc::new(store), metrics).await;
    let (left, reset) = (4_000, u64::MAX);
    bot.github.state().quota = Some(Quota { left, reset });
    let repo = experienced_shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    bot.github
        .comment(repo, pull, "ann", "/trimtab status")
        .await;
    bot.settle().await;
    let ready = http::Request::get(bot.url("/readyz").as_str());
    assert_eq!(bot.ask(ready, b"").await.0, 503);
    let page = bot.numbers().await;
    for metric in Metric::all() {
        let moved = page.lines().any(|line| line.starts_with(metric.name()));
        assert!(moved, "{metric:?} has no series:\n{page}");
    }
    let installation = repo.installation;
    for series in [
        r#"trimtab_deliveries_total{outcome="new"} 10"#,
        r#"trimtab_verdicts_total{verdict="skip"} 1"#,
        r#"trimtab_verdicts_total{verdict="run"} 1"#,
        r#"trimtab_commands_total{verb="status"} 1"#,
        r#"trimtab_runner_seconds_total{what="skipped"} 90"#,
        r#"trimtab_runner_seconds_total{what="planning"} 20"#,
        r#"trimtab_store_faults_total{operation="probe"} 1"#,
        r#"trimtab_tasks{lane="plan"} 0"#,
        &format!(r#"trimtab_forge_quota_remaining{{installation="{installation}"}} 39"#),
    ] {
        assert!(page.contains(series), "{series} is not in:\n{page}");
    }
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn numbers_want_their_token() {
    let bot = Bot::start().await;
    for given in ["", "Bearer ", "Bearer wrong", "only for the operator"] {
        let request = http::Request::get(bot.url("/metrics").as_str());
        let (status, text) = bot.ask(request.header("authorization", given), b"").await;
        assert_eq!(status, 401, "{given:?}");
        assert!(!text.contains("trimtab_"), "{text}");
    }
    assert!(bot.numbers().await.contains("# TYPE trimtab_tasks gauge"));
    bot.finish().await;
}
