//! Judges a run that has ended: the plan is made again on the merge that really ran.
//!
//! Which merge that was is not said by the forge: a run of a pull names the head. The ref
//! of the merge names it, as long as it was made before the run and of that head; it is
//! looked at when the plan is made and once more here. Where none fits, skips are written
//! down as not proven.
//!
//! What a run came to is written once, and what people see follows from it.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::Context;
use super::analyse::Answer;
use super::analyse_pull::{self, Matter};
use super::sync_repo::{Place, branch_ref, fetch, merge_refs, pull_ref};
use crate::engine::audit::elsewhere::{self, Ended};
use crate::engine::audit::{self, Audit, Case, File};
use crate::engine::history::run::{Attempt, Conclusion, JobRun};
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::engine::pipeline::rewrite::gates::{Gates, job_lines};
use crate::engine::plan::{Basis, Mode, ReasonId, Verdict};
use crate::forge::{ForgeError, Pull};
use crate::repo::RepoError;
use crate::store::{
    self, AuditEntry, AuditFinding, Gated, NewTask, PlanRecord, Repository, RunAll, RunAudit, Scope,
};
use crate::telemetry::Metric;

/// Judges an attempt and writes down what it came to.
pub(super) async fn run(
    context: &Context,
    repository: &Repository,
    (attempt, jobs): (&Attempt, &[JobRun]),
) -> anyhow::Result<Vec<NewTask>> {
    if attempt.event != "pull_request" {
        return Ok(Vec::new());
    }
    let Some(subject) = subject(context, repository.key, attempt).await? else {
        return Ok(Vec::new());
    };
    let planned = subject.planned(&attempt.pipeline);
    let skips = jobs.iter().any(|job| job.conclusion == Conclusion::Skipped);
    let gated = subject.is_gated(&attempt.pipeline);
    if gated == Some(false) || gated.is_none() && !skips {
        return Ok(Vec::new());
    }
    // A job that ran after all ends what was found of it.
    let open = open_findings(context, repository.key, attempt.head).await?;
    let (audit, base) = if skips || !planned.is_empty() || !open.is_empty() {
        let judged = judge(context, repository, &subject, (attempt, jobs)).await?;
        let Some(judged) = judged else {
            return Ok(Vec::new());
        };
        judged
    } else {
        (nothing_skipped(attempt, jobs), None)
    };
    record(context, (repository.key, &subject), attempt, (audit, base)).await
}

/// The pull that a run tested.
struct Subject {
    pull: store::Pull,
    plan: Option<PlanRecord>,
}

impl Subject {
    /// Whether the workflow is gated, or was before this pull; `None` without a plan.
    fn is_gated(&self, workflow: &str) -> Option<bool> {
        let plan = self.plan.as_ref()?;
        let has = |gated: &Gated| gated.workflow == workflow;
        let edited = plan.plan.run_everything.iter();
        let mut edited = edited.filter(|it| it.id == ReasonId::GateEdited);
        Some(plan.gated.iter().any(has) || edited.any(|it| it.subject == workflow))
    }

    /// The jobs of a workflow that a line of this head may have named, and what each
    /// rests on, by id in lower case.
    fn planned(&self, workflow: &str) -> BTreeMap<String, Basis> {
        let Some(plan) = &self.plan else {
            return BTreeMap::new();
        };
        let now = store::may_be_issued(plan).then_some(&plan.gated);
        let lines = plan.issued.iter().chain(now.into_iter().flatten());
        let of_it = lines.filter(|gated| gated.workflow == workflow);
        let ids = of_it.flat_map(|gated| &gated.skip);
        ids.map(|id| (id.to_ascii_lowercase(), self.basis(workflow, id)))
            .collect()
    }

    /// `told` only where all of the job rests on that.
    fn basis(&self, workflow: &str, id: &str) -> Basis {
        let jobs = self.plan.iter().flat_map(|plan| &plan.plan.jobs);
        let of_it = jobs.filter(|job| {
            let of_file = job.job.split(" / ").next().unwrap_or_default();
            job.workflow == workflow && of_file.eq_ignore_ascii_case(id)
        });
        let mut bases = of_it.filter(|job| job.verdict == Verdict::Skip);
        let first = bases.next().and_then(|job| job.basis);
        match first {
            Some(Basis::Told) if bases.all(|job| job.basis == first) => Basis::Told,
            _ => Basis::Unaffected,
        }
    }
}

/// The pull whose head the run tested; among several with that head, the one whose plan
/// may skip most.
async fn subject(
    context: &Context,
    repo: RepoKey,
    attempt: &Attempt,
) -> anyhow::Result<Option<Subject>> {
    let store = &context.store;
    let pulls = store.pulls_at(repo, attempt.head).await;
    let mut best: Option<Subject> = None;
    for number in pulls.context("find the pulls of a head")? {
        if !attempt.pulls.is_empty() && !attempt.pulls.contains(&number) {
            continue;
        }
        let pull = store.pull(repo, number).await.context("read the pull")?;
        let plan = store.plan_at(repo, number, attempt.head).await;
        let plan = plan.context("read the plan")?;
        let Some(pull) = pull else { continue };
        let found = Subject { pull, plan };
        let skips = |subject: &Subject| subject.planned(&attempt.pipeline).len();
        if best.as_ref().is_none_or(|best| skips(best) < skips(&found)) {
            best = Some(found);
        }
    }
    Ok(best)
}

/// What an attempt came to in which nothing was skipped and nothing was to be.
fn nothing_skipped(attempt: &Attempt, jobs: &[JobRun]) -> Audit {
    Audit {
        cost: audit::cost(attempt, jobs),
        ..Audit::default()
    }
}

/// Compares with the plan on the merge that ran; `None` when the pull is gone.
async fn judge(
    context: &Context,
    repository: &Repository,
    subject: &Subject,
    (attempt, jobs): (&Attempt, &[JobRun]),
) -> anyhow::Result<Option<(Audit, Option<ObjectId>)>> {
    let (repo, number) = (repository.key, subject.pull.number);
    let pull = match context.forge.pull(repo, number).await {
        Err(ForgeError::Missing { .. }) => return Ok(None),
        other => other.context("read the pull")?,
    };
    let base = tested_base(context, repo, &pull, attempt).await?;
    let planned_from = subject.plan.as_ref().map(|plan| plan.plan.base);
    let matter = Matter {
        repository: Repository {
            paused: false,
            ..repository.clone()
        },
        pull: neutral(&pull, attempt.head),
        record: unsaid(&subject.pull),
        base: base.or(planned_from),
        lots: analyse_pull::lots(context, repo, number).await?,
    };
    let event = analyse_pull::event(&matter.pull, repository);
    let answer = analyse_pull::answer_as(context, matter, Some(Mode::Enforce)).await?;
    let history = analyse_pull::history(context, repo).await?;
    let path = attempt.pipeline.as_str();
    let before = answer.base.snapshot.text(path);
    let before = before.and_then(|text| Gates::read(path, text));
    let after = answer.merge.snapshot.text(path);
    let lines = after.map_or_else(BTreeMap::new, |text| job_lines(path, text));
    let audit = audit::audit(&Case {
        attempt,
        jobs,
        base: File {
            pipeline: answer
                .base
                .survey
                .pipelines
                .iter()
                .find(|it| &*it.path == path),
            gates: before.as_ref(),
        },
        merge: merged(&answer, path),
        lines: &lines,
        event: &event,
        planned: &subject.planned(path),
        again: base.map(|_| answer.plan.jobs.as_slice()),
        history: &history,
    });
    Ok(Some((audit, base)))
}

fn merged<'a>(answer: &'a Answer, path: &str) -> File<'a> {
    let mut pipelines = answer.merge.survey.pipelines.iter();
    File {
        pipeline: pipelines.find(|it| &*it.path == path),
        gates: answer.gates.iter().find(|gates| gates.path == path),
    }
}

/// The base of the merge that an attempt tested, as far as a merge is known that is of its
/// head and older than the run.
async fn tested_base(
    context: &Context,
    repo: RepoKey,
    pull: &Pull,
    attempt: &Attempt,
) -> anyhow::Result<Option<ObjectId>> {
    let place = Place::of(context, repo);
    let before = merge_made(&place, pull.number, attempt).await?;
    let base = branch_ref(&pull.base_ref)?;
    let head = pull_ref(repo.forge, pull.number);
    let mut refs = vec![format!("+{base}:{base}"), format!("+{head}:{head}")];
    refs.extend(merge_refs(repo.forge, pull.number));
    fetch(context, repo, refs).await?;
    let after = merge_made(&place, pull.number, attempt).await?;
    // The newer of the two is the one that the run was created for.
    Ok(after.or(before))
}

/// The base of the merge that the mirror knows, if it can be the one that was tested.
async fn merge_made(
    place: &Place,
    pull: PullNumber,
    attempt: &Attempt,
) -> anyhow::Result<Option<ObjectId>> {
    let (place, head, created) = (place.clone(), attempt.head, attempt.created);
    let looking = tokio::task::spawn_blocking(move || {
        let mirror = place.open()?;
        let merge = match mirror.commit(&format!("refs/pull/{pull}/merge")) {
            Ok(merge) => merge,
            Err(RepoError::UnknownRevision { .. }) => return Ok(None),
            Err(fault) => return Err(fault).context("find the merge"),
        };
        let made = mirror.made(merge).context("read the merge")?;
        let fits = |[base, of]: [ObjectId; 2]| (of == head && made.at <= created).then_some(base);
        anyhow::Ok(<[ObjectId; 2]>::try_from(made.parents).ok().and_then(fits))
    });
    looking
        .await
        .context("look for the merge that was tested")?
}

/// The pull at a head, without what people said of it.
fn neutral(pull: &Pull, head: ObjectId) -> Pull {
    Pull {
        head,
        labels: Vec::new(),
        ..pull.clone()
    }
}

/// The same of its record: what a run skipped is judged by files alone.
fn unsaid(pull: &store::Pull) -> store::Pull {
    store::Pull {
        paused: false,
        run_all: RunAll::No,
        forced: Vec::new(),
        told: Vec::new(),
        ..pull.clone()
    }
}

/// Writes down what an attempt came to, once, and has the check say it.
async fn record(
    context: &Context,
    (repo, subject): (RepoKey, &Subject),
    attempt: &Attempt,
    (audit, base): (Audit, Option<ObjectId>),
) -> anyhow::Result<Vec<NewTask>> {
    let now = context.now();
    let number = subject.pull.number;
    let findings = audit.findings.iter().take(store::FINDINGS);
    let findings: Vec<AuditFinding> = findings
        .map(|found| AuditFinding {
            kind: found.kind.as_str().to_owned(),
            fails: found.kind.fails(),
            job: found.job.clone(),
            path: found.path.clone(),
            line: found.line,
            words: found.words.clone(),
        })
        .collect();
    for found in &findings {
        let entry = entry(context, (repo, number), attempt, found);
        let appended = context.store.append_audit(entry).await;
        appended.context("write the audit log")?;
    }
    if findings.iter().any(|found| found.fails) {
        tracing::warn!(
            pull.number = number.0,
            run = attempt.run,
            "a skip does not hold"
        );
    }
    let (saved, cost) = (audit.saved, audit.cost);
    let entry = RunAudit {
        repo,
        run: attempt.run,
        attempt: attempt.attempt,
        pull: number,
        head: attempt.head,
        pipeline: attempt.pipeline.clone(),
        target: (subject.pull.target.clone()).filter(|_| !subject.pull.retargeted),
        base,
        at: now,
        findings,
        skipped: audit.skipped,
        ran: audit.ran,
        saved,
        unknown: audit.unknown,
        cost,
    };
    let appended = context.store.append_run_audit(entry).await;
    if appended.context("write down what the run came to")? {
        for (what, seconds) in [("skipped", saved), ("planning", cost)] {
            context.metrics.add(Metric::RunnerSeconds, what, seconds);
        }
    }
    Ok(vec![context.report(repo, number)])
}

/// The line of the audit log about one finding.
fn entry(
    context: &Context,
    (repo, pull): (RepoKey, PullNumber),
    attempt: &Attempt,
    found: &AuditFinding,
) -> AuditEntry {
    let Attempt {
        run,
        attempt: number,
        pipeline,
        head,
        ..
    } = attempt;
    AuditEntry {
        id: format!("run/{run}/{number}/{}/{}", found.kind, found.job),
        scope: Scope::from(repo),
        pull: Some(pull),
        head: Some(*head),
        actor: "trimtab".to_owned(),
        act: format!("audit {pipeline} {}", found.job),
        outcome: format!("{}: {} ({})", found.kind, found.words, found.place()),
        at: context.now(),
    }
}

/// What was found of the runs of a head and holds still, as place and sentence: a job that
/// ran later on the same head needs no more proof. A skip that was made for another target
/// than that of an open pull with this head is judged by the plan of that pull.
pub(super) async fn open_findings(
    context: &Context,
    repo: RepoKey,
    head: ObjectId,
) -> anyhow::Result<Vec<(String, String)>> {
    let audits = context.store.audits_at(repo, head).await;
    let mut audits = audits.context("read what runs came to")?;
    audits.sort_by_key(|audit| (audit.at, audit.run, audit.attempt));
    let mut found = unresolved(&audits);
    if audits.iter().any(|audit| !audit.skipped.is_empty()) {
        found.extend(made_elsewhere(context, (repo, head), &audits).await?);
    }
    Ok(found)
}

/// What audits found, without what later attempts made good.
fn unresolved(audits: &[RunAudit]) -> Vec<(String, String)> {
    let mut open: BTreeMap<(&str, &str), (String, String)> = BTreeMap::new();
    for audit in audits {
        for job in &audit.ran {
            open.remove(&(audit.pipeline.as_str(), job.as_str()));
        }
        for found in audit.findings.iter().filter(|found| found.fails) {
            let words = format!("{}: {}", found.job, found.words);
            let key = (audit.pipeline.as_str(), found.job.as_str());
            open.insert(key, (found.place(), words));
        }
    }
    open.into_values().collect()
}

/// The skips on a head that one of its open pulls would not have made.
async fn made_elsewhere(
    context: &Context,
    (repo, head): (RepoKey, ObjectId),
    audits: &[RunAudit],
) -> anyhow::Result<Vec<(String, String)>> {
    let attempts: Vec<Ended<'_>> = audits
        .iter()
        .map(|audit| Ended {
            pipeline: &audit.pipeline,
            target: audit.target.as_deref(),
            skipped: &audit.skipped,
            ran: &audit.ran,
        })
        .collect();
    let mut found = Vec::new();
    let pulls = context.store.pulls_at(repo, head).await;
    for number in pulls.context("find the pulls of a head")? {
        let pull = context.store.pull(repo, number).await;
        let Some(pull) = pull.context("read the pull")? else {
            continue;
        };
        if !pull.open || pull.head != Some(head) {
            continue;
        }
        let plan = context.store.plan_at(repo, number, head).await;
        if let Some(planned) = plan.context("read the plan")? {
            let about = (&planned.plan, pull.target.as_deref());
            found.extend(elsewhere::outdated(about, &attempts));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
