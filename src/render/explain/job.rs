//! A job: its verdict, why, what would change it, and what it reads.

use super::{MOST, inputs, plain};
use crate::engine::impact::never_words;
use crate::engine::job_name;
use crate::engine::plan::{JobPlan, Plan, Reason, ReasonId, Verdict};
use crate::engine::side::Side;
use crate::render::view::what_of;

/// The chain behind the verdicts of one job, which has several when its legs differ.
pub(super) fn explain(plan: &Plan, merge: &Side, jobs: &[&JobPlan]) -> String {
    let verdicts = jobs.iter().map(|job| verdict(plan, job));
    let verdicts: Vec<String> = verdicts.collect();
    let found = jobs.first();
    let read = found
        .and_then(|job| merge.survey.find(&job.workflow, &job.job))
        .map(|(_, job, read)| inputs::explain(merge, &job.id.0, read));
    verdicts.join("\n") + &read.unwrap_or_default()
}

/// A job that is there and that this pull does not start.
pub(super) fn explain_unstarted(merge: &Side, subject: &str) -> Option<String> {
    let mut jobs = merge.survey.jobs();
    let (pipeline, job, read) =
        jobs.find(|(pipeline, job, _)| job_name::names(subject, &pipeline.path, &job.id.0))?;
    let (id, path) = (plain(&job.id.0), plain(&pipeline.path));
    let never = read.never.iter().map(|why| {
        let why = plain(&never_words(why));
        format!("  elsewhere   it is never skipped: {why}\n")
    });
    let never: String = never.take(MOST).collect();
    let read = inputs::explain(merge, &job.id.0, read);
    Some(format!(
        "{id} of {path} does not start for this pull\n\n  because     an event, a filter or a condition of the workflow leaves it out\n{never}{read}"
    ))
}

fn verdict(plan: &Plan, job: &JobPlan) -> String {
    let verdict = match job.verdict {
        Verdict::Run => "runs",
        Verdict::Skip => "is skipped",
        Verdict::Narrow => "runs in part",
    };
    let leg = job.leg.as_deref();
    let leg = leg.map_or_else(String::new, |leg| format!(" ({})", plain(leg)));
    let (id, path) = (plain(&job.job), plain(&job.workflow));
    let mut out = vec![format!("{id}{leg} of {path} {verdict}\n\n")];
    let mut is_opaque = false;
    for reason in &job.reasons {
        // The lines that are not understood stand below, all of them.
        if reason.id != ReasonId::Opaque || !std::mem::replace(&mut is_opaque, true) {
            out.push(because(reason));
        }
    }
    for forced in plan.run_everything.iter().take(MOST) {
        let (what, subject) = (what_of(forced.id), plain(&forced.subject));
        let id = forced.id.as_str();
        out.push(format!("              {what} {subject} ({id})\n"));
    }
    out.push(format!("  otherwise   {}\n", plain(&job.counterfactual)));
    if let Some(backstop) = &job.backstop {
        out.push(format!("  runs again  {}\n", plain(backstop)));
    }
    out.concat()
}

fn because(reason: &Reason) -> String {
    let subject = plain(&reason.subject);
    let words = match reason.id {
        ReasonId::InputChanged => format!("its input {subject} changed"),
        ReasonId::DefinitionChanged => format!("its definition changed in {subject}"),
        ReasonId::LockChanged => format!("a package that it uses changed: {subject}"),
        ReasonId::NeededBy => format!("{subject} runs and needs it"),
        ReasonId::NeedsChanged => format!("it needs {subject}, which the change reaches"),
        ReasonId::NeverSkipped => format!("it is never skipped: {subject}"),
        ReasonId::Asked => format!("it was asked for by {subject}"),
        ReasonId::EverythingRuns => "everything runs".to_owned(),
        ReasonId::Opaque => "something changed, and it may read anything".to_owned(),
        _ => subject,
    };
    let because = format!("  because     {words} ({})\n", reason.id.as_str());
    if reason.path.len() < 2 {
        return because;
    }
    let steps: Vec<String> = reason.path.iter().map(|step| plain(step)).collect();
    format!("{because}              {}\n", steps.join(" → "))
}
