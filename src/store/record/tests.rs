//! Stored shapes and the version matrix.
//!
//! A snapshot below that changes is a change of what servers have on disk: raise
//! [`FORMAT`], and keep the old text as a case of what must still be read.

use super::*;

const KEY: RepoKey = RepoKey {
    forge: ForgeKind::Github,
    installation: InstallationId(7),
    repo: RepoId(42),
};

#[test]
fn only_an_equal_or_older_minor_format_is_opened() {
    let ours = Format { major: 2, minor: 3 };
    let matrix: Vec<String> = [(1, 0), (1, 9), (2, 2), (2, 3), (2, 4), (3, 0)]
        .into_iter()
        .map(|(major, minor)| {
            let fit = ours.fit(Format { major, minor });
            format!("{major}.{minor} {fit:?}")
        })
        .collect();
    insta::assert_snapshot!(matrix.join("\n"), @"
    1.0 Refuse
    1.9 Refuse
    2.2 Raise
    2.3 Same
    2.4 Refuse
    3.0 Refuse
    ");
}

#[test]
fn the_shape_of_a_task_is_fixed() {
    check(
        &Task {
            id: TaskId(3),
            scope: KEY.into(),
            task: TaskKind::AnalysePull {
                pull: PullNumber(1),
                head: Some(head()),
                cause: Cause::Event,
            },
            state: TaskState::Leased {
                lease: 9,
                until: Timestamp(60),
                superseded: true,
            },
            attempt: 2,
            queued: Timestamp(1),
            held_until: Timestamp(0),
            fault: Some("no answer".to_owned()),
        },
        r#"{"id":3,"scope":{"forge":"github","installation":7,"repo":42},"task":{"kind":"analyse-pull","pull":1,"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","cause":"event"},"state":{"is":"leased","lease":9,"until":60,"superseded":true},"attempt":2,"queued":1,"held_until":0,"fault":"no answer"}"#,
    );
}

#[test]
fn the_shape_of_every_kind_of_task_is_fixed() {
    let pull = PullNumber(1);
    let kinds = [
        (
            TaskKind::Deliver {
                delivery: DeliveryId::parse("d1").unwrap(),
            },
            r#"{"kind":"deliver","delivery":"d1"}"#,
        ),
        (
            TaskKind::ReportPull { pull },
            r#"{"kind":"report-pull","pull":1}"#,
        ),
        (
            TaskKind::AnswerCommand {
                pull,
                comment: CommentRef::Review(5),
                author: "ada".to_owned(),
                line: "/trimtab help".to_owned(),
                head: None,
            },
            r#"{"kind":"answer-command","pull":1,"comment":{"on":"review","id":5},"author":"ada","line":"/trimtab help","head":null}"#,
        ),
        (TaskKind::SyncRepo, r#"{"kind":"sync-repo"}"#),
        (TaskKind::SweepPulls, r#"{"kind":"sweep-pulls"}"#),
        (TaskKind::WithdrawPlans, r#"{"kind":"withdraw-plans"}"#),
        (
            TaskKind::IngestRun { run: 5, attempt: 2 },
            r#"{"kind":"ingest-run","run":5,"attempt":2}"#,
        ),
        (TaskKind::Backfill, r#"{"kind":"backfill"}"#),
        (
            TaskKind::ProposeRewrite { asked: None },
            r#"{"kind":"propose-rewrite","asked":null}"#,
        ),
        (
            TaskKind::ProposeRewrite {
                asked: Some(AskedIn {
                    pull,
                    comment: CommentRef::Comment(5),
                }),
            },
            r#"{"kind":"propose-rewrite","asked":{"pull":1,"comment":{"on":"comment","id":5}}}"#,
        ),
        (
            TaskKind::SyncInstallation,
            r#"{"kind":"sync-installation"}"#,
        ),
        (TaskKind::RedeliverMissed, r#"{"kind":"redeliver-missed"}"#),
    ];
    for (kind, text) in kinds {
        check(&kind, text);
    }
}

#[test]
fn the_shapes_of_runs_are_fixed() {
    use crate::engine::history::run::{Attempt, Conclusion};
    let attempt = Attempt {
        run: 5,
        attempt: 2,
        pipeline: "ci.yml".to_owned(),
        event: "push".to_owned(),
        head: head(),
        branch: None,
        fork: true,
        pulls: vec![PullNumber(1)],
        created: Timestamp(1),
        started: Timestamp(2),
        updated: Timestamp(3),
        conclusion: Some(Conclusion::TimedOut),
    };
    check(
        &AttemptRecord {
            repo: KEY,
            attempt,
            at: Timestamp(4),
        },
        r#"{"repo":{"forge":"github","installation":7,"repo":42},"attempt":{"run":5,"attempt":2,"pipeline":"ci.yml","event":"push","head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":null,"fork":true,"pulls":[1],"created":1,"started":2,"updated":3,"conclusion":"timed-out"},"at":4}"#,
    );
    check(
        &Backfill {
            repo: KEY,
            since: Timestamp(1),
            begun: Timestamp(9),
            reached: Timestamp(5),
            attempts: 3,
            jobs: 7,
            done: false,
        },
        r#"{"repo":{"forge":"github","installation":7,"repo":42},"since":1,"begun":9,"reached":5,"attempts":3,"jobs":7,"done":false}"#,
    );
}

#[test]
fn the_shapes_of_jobs_and_durations_are_fixed() {
    use crate::engine::history::run::{Conclusion, JobRun, StepRun};
    use crate::engine::history::times::{Sample, Times};
    let step = StepRun {
        name: "Run it".to_owned(),
        conclusion: Conclusion::Skipped,
        seconds: 0,
    };
    let job = JobRun {
        run: 5,
        attempt: 2,
        id: 9,
        name: "unit (3.12)".to_owned(),
        conclusion: Conclusion::Success,
        created: Timestamp(1),
        started: Timestamp(2),
        ended: Timestamp(3),
        labels: vec!["x".to_owned()],
        runner: None,
        steps: vec![step],
    };
    check(
        &JobRecord { repo: KEY, job },
        r#"{"repo":{"forge":"github","installation":7,"repo":42},"job":{"run":5,"attempt":2,"id":9,"name":"unit (3.12)","conclusion":"success","created":1,"started":2,"ended":3,"labels":["x"],"runner":null,"steps":[{"name":"Run it","conclusion":"skipped","seconds":0}]}}"#,
    );
    let sample = Sample {
        run: 5,
        attempt: 2,
        ended: Timestamp(3),
        seconds: 60,
    };
    check(
        &TimesRecord {
            repo: KEY,
            pipeline: "ci.yml".to_owned(),
            times: Times {
                names: [("unit".to_owned(), vec![sample])].into(),
                ..Times::default()
            },
        },
        r#"{"repo":{"forge":"github","installation":7,"repo":42},"pipeline":"ci.yml","times":{"names":{"unit":[{"run":5,"attempt":2,"ended":3,"seconds":60}]}}}"#,
    );
}

#[test]
fn the_shape_of_a_delivery_is_fixed() {
    check(
        &Delivery {
            id: DeliveryId::parse("d1").unwrap(),
            scope: Scope {
                forge: ForgeKind::Gitlab,
                installation: None,
                repo: None,
            },
            event: "ping".to_owned(),
            received: Timestamp(1),
            done: None,
            body_bytes: 2,
        },
        r#"{"id":"d1","scope":{"forge":"gitlab","installation":null,"repo":null},"event":"ping","received":1,"done":null,"body_bytes":2}"#,
    );
}

#[test]
fn the_shape_of_a_repository_is_fixed() {
    check(
        &Repository {
            key: KEY,
            full_name: "ada/shop".to_owned(),
            default_branch: "main".to_owned(),
            state: RepositoryState::Suspended,
            paused: false,
            mode: Some(Mode::Advise),
            policy: Some(LastGood {
                commit: head(),
                text: "mode: advise\n".to_owned(),
            }),
            synced: Some(Synced {
                tip: head(),
                at: Timestamp(2),
            }),
            proposal: Some(Proposal {
                seen: "s".to_owned(),
                contents: vec!["c".to_owned()],
                made: true,
                pull: Some(PullNumber(9)),
                described: "d".to_owned(),
                rewritten: vec!["a.yml".to_owned()],
                undone: vec!["b.yml".to_owned()],
            }),
            changed: Timestamp(3),
        },
        r#"{"key":{"forge":"github","installation":7,"repo":42},"full_name":"ada/shop","default_branch":"main","state":"suspended","paused":false,"mode":"advise","policy":{"commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","text":"mode: advise\n"},"synced":{"tip":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","at":2},"proposal":{"seen":"s","contents":["c"],"made":true,"pull":9,"described":"d","rewritten":["a.yml"],"undone":["b.yml"]},"changed":3}"#,
    );
}

#[test]
fn the_shape_of_a_pull_is_fixed() {
    check(
        &Pull {
            repo: KEY,
            number: PullNumber(1),
            open: true,
            head: Some(head()),
            target: Some("main".to_owned()),
            head_since: Some(Timestamp(2)),
            retargeted: true,
            barred: true,
            revision: 8,
            heads: vec![head()],
            planned: None,
            checks: vec![WrittenCheck {
                head: head(),
                name: "trimtab".to_owned(),
                id: 4,
                hash: "h".to_owned(),
                skips: true,
            }],
            comment: Some(WrittenComment {
                id: 5,
                hash: "h".to_owned(),
                at: Timestamp(6),
            }),
            quiet: false,
            paused: true,
            run_all: RunAll::Head(head()),
            forced: vec![ForcedJob {
                head: head(),
                job: "e2e".to_owned(),
            }],
            told: vec![ToldSkip {
                head: head(),
                job: "e2e".to_owned(),
                by: "ada".to_owned(),
                reason: "r".to_owned(),
            }],
            changed: Timestamp(7),
        },
        r#"{"repo":{"forge":"github","installation":7,"repo":42},"number":1,"open":true,"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","target":"main","head_since":2,"retargeted":true,"barred":true,"revision":8,"heads":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],"planned":null,"checks":[{"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","name":"trimtab","id":4,"hash":"h","skips":true}],"comment":{"id":5,"hash":"h","at":6},"quiet":false,"paused":true,"run_all":{"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"forced":[{"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":"e2e"}],"told":[{"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","job":"e2e","by":"ada","reason":"r"}],"changed":7}"#,
    );
}

#[test]
fn rows_of_the_first_format_are_read() {
    let pull = r#"{"repo":{"forge":"github","installation":7,"repo":42},"number":1,"open":true,"head":null,"heads":[],"planned":null,"checks":[{"head":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","name":"trimtab","id":4,"hash":"h"}],"comment":null,"quiet":false,"paused":false,"run_all":"no","forced":[],"changed":7}"#;
    let pull = Pull::decode(pull.as_bytes()).unwrap();
    assert_eq!((pull.revision, pull.barred, pull.target), (0, false, None));
    assert!(!pull.checks[0].skips);
    let repository = r#"{"key":{"forge":"github","installation":7,"repo":42},"full_name":"ada/shop","default_branch":"main","state":"active","paused":false,"policy":null,"synced":null,"changed":3}"#;
    let repository = Repository::decode(repository.as_bytes()).unwrap();
    assert_eq!(repository.mode, None);
}

#[test]
fn the_shape_of_an_audit_entry_is_fixed() {
    check(
        &AuditEntry {
            id: "comment/1".to_owned(),
            scope: KEY.into(),
            pull: Some(PullNumber(1)),
            head: None,
            actor: "ada".to_owned(),
            act: "pause".to_owned(),
            outcome: "done".to_owned(),
            at: Timestamp(1),
        },
        r#"{"id":"comment/1","scope":{"forge":"github","installation":7,"repo":42},"pull":1,"head":null,"actor":"ada","act":"pause","outcome":"done","at":1}"#,
    );
}

#[test]
fn a_delivery_name_that_could_not_be_a_key_is_refused() {
    let long = "a".repeat(129);
    for text in ["", " ", "a b", "a\0b", "naïve", long.as_str()] {
        assert_eq!(DeliveryId::parse(text), None, "{text:?}");
    }
    assert!(DeliveryId::parse("72d3162e-cc78-11e3-81ab-4c9367dc0958").is_some());
}

#[test]
fn a_scope_is_a_repository_only_when_it_is_exactly_one() {
    let scope = Scope::from(KEY);
    assert_eq!(scope.repo_key(), Some(KEY));
    let whole = Scope {
        repo: None,
        ..scope
    };
    assert_eq!(whole.repo_key(), None);
    assert_eq!(whole.to_string(), "github/7/-");
}

fn head() -> ObjectId {
    "a".repeat(40).parse().unwrap()
}

/// The record is written as `text`, and `text` is read as the record.
fn check<T>(record: &T, text: &str)
where
    T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_string(record).unwrap(), text);
    assert_eq!(&serde_json::from_str::<T>(text).unwrap(), record);
}
