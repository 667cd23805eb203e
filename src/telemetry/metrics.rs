//! Counters, gauges and histograms, in the text format of Prometheus
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! The list of metrics is closed, and each keeps a bounded number of label values:
//! what comes after them is counted as `other`.
//!
//! Nothing here asks a store or a clock; callers bring their numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many label values one metric keeps.
const MOST_LABELS: usize = 64;

/// The upper bounds of a histogram's buckets, in seconds.
const BOUNDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Deliveries by what became of them: `new`, `again`, `done`, `refused`, `malformed`.
    Deliveries,
    /// Seconds until a delivery was verified and durable.
    DeliverySeconds,
    /// Tasks in the queue by lane, and `dead`.
    Tasks,
    /// Seconds that the task which is longest overdue has waited, by lane.
    TaskLagSeconds,
    /// Tasks that ended, by what came of them: `done`, `retried`, `buried`, `put back`.
    TasksEnded,
    /// Seconds that a task ran, by kind.
    TaskSeconds,
    /// Seconds from the queueing of an analysis to its machine check, by cause.
    CheckSeconds,
    /// Calls to the forge by what they brought: `ok`, `unchanged`, `throttled`,
    /// `denied`, `missing`, `refused`, `unavailable`.
    ForgeCalls,
    /// What the forge last said is left of a quota, by installation, and `app`.
    ForgeQuota,
    /// Verdicts of plans: `run`, `skip`, `narrow`.
    Verdicts,
    /// Commands by verb.
    Commands,
    /// Seconds of runners in audited runs: `skipped`, `planning`.
    RunnerSeconds,
    /// Operations that the store did not do, by name; `read` for all that read.
    StoreFaults,
}

/// Every metric in the order of the page: name, kind, label name and help.
const TABLE: [(Metric, [&str; 4]); 13] = [
    (
        Metric::Deliveries,
        [
            "trimtab_deliveries_total",
            "counter",
            "outcome",
            "Webhook deliveries",
        ],
    ),
    (
        Metric::DeliverySeconds,
        [
            "trimtab_delivery_seconds",
            "histogram",
            "outcome",
            "Time until a delivery was durable",
        ],
    ),
    (
        Metric::Tasks,
        ["trimtab_tasks", "gauge", "lane", "Tasks in the queue"],
    ),
    (
        Metric::TaskLagSeconds,
        [
            "trimtab_task_lag_seconds",
            "gauge",
            "lane",
            "How long the most overdue task has waited",
        ],
    ),
    (
        Metric::TasksEnded,
        [
            "trimtab_tasks_ended_total",
            "counter",
            "outcome",
            "Tasks that ended",
        ],
    ),
    (
        Metric::TaskSeconds,
        [
            "trimtab_task_seconds",
            "histogram",
            "kind",
            "Time that a task ran",
        ],
    ),
    (
        Metric::CheckSeconds,
        [
            "trimtab_check_seconds",
            "histogram",
            "cause",
            "Time from webhook to machine check",
        ],
    ),
    (
        Metric::ForgeCalls,
        [
            "trimtab_forge_calls_total",
            "counter",
            "outcome",
            "Calls to the forge",
        ],
    ),
    (
        Metric::ForgeQuota,
        [
            "trimtab_forge_quota_remaining",
            "gauge",
            "installation",
            "Requests that the forge still allows",
        ],
    ),
    (
        Metric::Verdicts,
        [
            "trimtab_verdicts_total",
            "counter",
            "verdict",
            "Verdicts of plans",
        ],
    ),
    (
        Metric::Commands,
        [
            "trimtab_commands_total",
            "counter",
            "verb",
            "Commands of people",
        ],
    ),
    (
        Metric::RunnerSeconds,
        [
            "trimtab_runner_seconds_total",
            "counter",
            "what",
            "Time of runners that skipped jobs would have taken, and that planning took",
        ],
    ),
    (
        Metric::StoreFaults,
        [
            "trimtab_store_faults_total",
            "counter",
            "operation",
            "Operations that the store refused",
        ],
    ),
];

impl Metric {
    /// All of them, in the order of the page.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(metric, _)| *metric)
    }

    /// The name on the page, without what a histogram appends.
    pub fn name(self) -> &'static str {
        let row = TABLE.iter().find(|(metric, _)| *metric == self);
        row.map_or("", |(_, [name, ..])| name)
    }
}

/// The numbers of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    families: Mutex<BTreeMap<Metric, BTreeMap<String, Series>>>,
}

#[derive(Debug, Default, Clone)]
struct Series {
    /// The value of a counter or gauge.
    value: u64,
    /// How many observations fell under each bound.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, metric: Metric, label: &str, by: u64) {
        self.change(metric, label, |series| {
            series.value = series.value.saturating_add(by);
        });
    }

    /// Sets a gauge.
    pub fn set(&self, metric: Metric, label: &str, value: u64) {
        self.change(metric, label, |series| series.value = value);
    }

    /// Notes how long something took, in a histogram.
    pub fn observe(&self, metric: Metric, label: &str, took: Duration) {
        let seconds = took.as_secs_f64();
        self.change(metric, label, |series| {
            for (bucket, bound) in series.buckets.iter_mut().zip(BOUNDS) {
                *bucket += u64::from(seconds <= bound);
            }
            series.count += 1;
            series.sum += seconds;
        });
    }

    /// The page.
    pub fn render(&self) -> String {
        let families = self.families();
        let mut page = String::new();
        for (metric, [name, kind, label, help]) in TABLE {
            line(&mut page, format_args!("# HELP {name} {help}"));
            line(&mut page, format_args!("# TYPE {name} {kind}"));
            for (value, series) in families.get(&metric).into_iter().flatten() {
                let label = format!("{label}=\"{}\"", escape(value));
                match kind {
                    "histogram" => histogram(&mut page, name, &label, series),
                    _ => line(
                        &mut page,
                        format_args!("{name}{{{label}}} {}", series.value),
                    ),
                }
            }
        }
        page
    }

    fn change(&self, metric: Metric, label: &str, change: impl FnOnce(&mut Series)) {
        let mut families = self.families();
        let family = families.entry(metric).or_default();
        let label = if family.contains_key(label) || family.len() < MOST_LABELS {
            label
        } else {
            "other"
        };
        change(family.entry(label.to_owned()).or_default());
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<Metric, BTreeMap<String, Series>>> {
        // A number that was half changed is still a number.
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn histogram(page: &mut String, name: &str, label: &str, series: &Series) {
    for (count, bound) in series.buckets.iter().zip(BOUNDS) {
        line(
            page,
            format_args!("{name}_bucket{{{label},le=\"{bound}\"}} {count}"),
        );
    }
    let Series { count, sum, .. } = series;
    line(
        page,
        format_args!("{name}_bucket{{{label},le=\"+Inf\"}} {count}"),
    );
    line(page, format_args!("{name}_sum{{{label}}} {sum}"));
    line(page, format_args!("{name}_count{{{label}}} {count}"));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    writeln!(page, "{text}").unwrap_or_default();
}

fn escape(label: &str) -> String {
    let escaped = label.replace('\\', "\\\\").replace('"', "\\\"");
    escaped.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(metrics: &Metrics) -> String {
        let page = metrics.render();
        let values = page.lines().filter(|line| !line.starts_with('#'));
        values.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn counters_and_gauges_are_rendered_with_their_label() {
        let metrics = Metrics::default();
        metrics.add(Metric::Deliveries, "new", 1);
        metrics.add(Metric::Deliveries, "new", 2);
        metrics.set(Metric::Tasks, "plan", 9);
        metrics.set(Metric::Tasks, "plan", 4);
        insta::assert_snapshot!(page(&metrics), @r#"
        trimtab_deliveries_total{outcome="new"} 3
        trimtab_tasks{lane="plan"} 4
        "#);
    }

    #[test]
    fn a_histogram_counts_under_every_bound() {
        let metrics = Metrics::default();
        for millis in [4, 40, 90_000] {
            metrics.observe(
                Metric::TaskSeconds,
                "deliver",
                Duration::from_millis(millis),
            );
        }
        insta::assert_snapshot!(page(&metrics), @r#"
        trimtab_task_seconds_bucket{kind="deliver",le="0.005"} 1
        trimtab_task_seconds_bucket{kind="deliver",le="0.01"} 1
        trimtab_task_seconds_bucket{kind="deliver",le="0.025"} 1
        trimtab_task_seconds_bucket{kind="deliver",le="0.05"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="0.1"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="0.25"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="0.5"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="1"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="2.5"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="5"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="15"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="60"} 2
        trimtab_task_seconds_bucket{kind="deliver",le="+Inf"} 3
        trimtab_task_seconds_sum{kind="deliver"} 90.044
        trimtab_task_seconds_count{kind="deliver"} 3
        "#);
    }

    #[test]
    fn labels_are_bounded_and_escaped() {
        let metrics = Metrics::default();
        metrics.add(Metric::Commands, "a\"b\\c\nd", 1);
        for number in 0..10_000 {
            metrics.add(Metric::Commands, &format!("verb-{number}"), 1);
        }
        let page = page(&metrics);
        assert_eq!(page.lines().count(), MOST_LABELS + 1);
        assert!(page.contains(r#"verb="a\"b\\c\nd""#), "{page}");
        assert!(page.contains(&format!(r#"verb="other"}} {}"#, 10_001 - MOST_LABELS)));
    }

    #[test]
    fn every_metric_has_a_head_on_the_page() {
        let page = Metrics::default().render();
        assert_eq!(page.matches("# TYPE").count(), Metric::all().count());
        for metric in Metric::all() {
            let head = format!("# TYPE {} ", metric.name());
            assert_eq!(page.matches(&head).count(), 1, "{metric:?}");
        }
    }
}
