//! `trimtab why`: everything behind one verdict.

use super::checkout::{Checkout, Revisions};
use super::plan::clean;
use super::terminal::Text;
use super::{Failure, Terminal};
use crate::engine::inputs::{Input, JobInputs};
use crate::engine::plan::{JobPlan, Verdict};
use crate::flow::analyse::Answer;

/// Arguments of `trimtab why`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A job's id, a path, or a test's file
    #[arg(value_name = "JOB|TEST|FILE")]
    subject: String,
    #[command(flatten)]
    revisions: Revisions,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.quiet(args.revisions.quiet);
    let checkout = Checkout::open(&args.revisions)?;
    let answer = checkout.analyse(None, terminal)?;
    let jobs: Vec<&JobPlan> = answer
        .plan
        .jobs
        .iter()
        .filter(|job| job.job.eq_ignore_ascii_case(&args.subject))
        .collect();
    let path = args.subject.trim_start_matches("./");
    let text = if !jobs.is_empty() {
        jobs.iter()
            .map(|job| explain_job(&answer, job))
            .collect::<Vec<_>>()
            .join("\n")
    } else if let Some(text) = explain_path(&answer, path) {
        text
    } else {
        let known: Vec<String> = answer.plan.jobs.iter().map(|job| clean(&job.job)).collect();
        let message = format!(
            "no job and no file here is called `{}`; the jobs are: {}",
            clean(&args.subject),
            known.join(", ")
        );
        return Err(Failure::Expected(message));
    };
    terminal.answer(&text);
    Ok(())
}

/// The most lines of one list.
const MOST: usize = 20;

fn explain_job(answer: &Answer, job: &JobPlan) -> String {
    let verdict = match job.verdict {
        Verdict::Run => "runs",
        Verdict::Skip => "is skipped",
        Verdict::Narrow => "runs in part",
    };
    let mut out = Text::begin(format!(
        "{} of {} {verdict}\n",
        clean(&job.job),
        clean(&job.workflow)
    ));
    for forced in answer.plan.run_everything.iter().take(MOST) {
        out.add(format!(
            "  everything runs: {} {}\n",
            forced.id.as_str(),
            clean(&forced.subject)
        ));
    }
    for reason in &job.reasons {
        out.add(format!(
            "  because  {}: {}\n",
            reason.id.as_str(),
            clean(&reason.subject)
        ));
        for (depth, step) in reason.path.iter().enumerate() {
            out.add(format!(
                "           {}{}\n",
                "  ".repeat(depth.min(8)),
                clean(step)
            ));
        }
    }
    out.add(format!("  otherwise  {}\n", clean(&job.counterfactual)));
    if let Some(backstop) = &job.backstop {
        out.add(format!("  runs again  {}\n", clean(backstop)));
    }
    if let Some((_, _, inputs)) = answer.merge.survey.find(&job.workflow, &job.job) {
        out.add(explain_inputs(answer, inputs));
    }
    out.end()
}

fn explain_inputs(answer: &Answer, inputs: &JobInputs) -> String {
    let files = answer.merge.files(inputs).files.len();
    let mut out = Text::begin(format!("  inputs  {files} files\n"));
    for (input, origin) in inputs.parts.iter().take(MOST) {
        let what = match input {
            Input::Entry(globs) => format!("{} and all that they need", globs.join(" ")),
            Input::Exact(globs) => globs.join(" "),
            Input::Unit(dir) => format!("the unit in {dir} and all that it needs"),
            Input::Tree { dir, extensions } if extensions.is_empty() => {
                format!("everything in {dir}/")
            }
            Input::Tree { dir, extensions } => format!("{dir}/**/*.{{{}}}", extensions.join(",")),
            Input::External { dir, name } => format!("the package {name} as {dir}/ asks for it"),
        };
        out.add(format!(
            "    {}  ({}:{} {})\n",
            clean(&what),
            clean(&origin.file),
            origin.line,
            clean(&origin.what)
        ));
    }
    if inputs.parts.len() > MOST {
        out.add(format!("    and {} more\n", inputs.parts.len() - MOST));
    }
    for opaque in &inputs.opaque {
        let origin = &opaque.origin;
        out.add(format!(
            "  not understood  {}:{}: {:?}\n",
            clean(&origin.file),
            origin.line,
            opaque.cause
        ));
    }
    if !inputs.opaque.is_empty() {
        out.add("  to make it known, say what it reads in .trimtab.yml:\n    jobs:\n      JOB: { inputs: [\"path/**\"] }\n".to_owned());
    }
    out.end()
}

/// Which jobs a file leads to, and by which way.
fn explain_path(answer: &Answer, path: &str) -> Option<String> {
    let side = &answer.merge;
    let file = side.snapshot.tree.find(path)?;
    let mut out = Text::begin(format!("{}\n", clean(path)));
    for (pipeline, job, inputs) in side.survey.jobs() {
        if !answer
            .plan
            .jobs
            .iter()
            .any(|plan| plan.workflow == *pipeline.path && plan.job == *job.id.0)
        {
            continue;
        }
        let chain = side.closure(inputs).path(file.into());
        let is_input = side.files(inputs).files.binary_search(&file).is_ok();
        let words = match (is_input, chain.as_slice()) {
            (false, _) => "is no input".to_owned(),
            (true, []) if !inputs.opaque.is_empty() => {
                "is an input: the job is not understood, so everything is".to_owned()
            }
            (true, [] | [_]) => "is an input by itself".to_owned(),
            (true, chain) => {
                let steps: Vec<String> = chain
                    .iter()
                    .map(|(node, _)| clean(&side.label(*node)))
                    .collect();
                format!("is an input: {}", steps.join(" → "))
            }
        };
        out.add(format!(
            "  {} of {}: {words}\n",
            clean(&job.id.0),
            clean(&pipeline.path)
        ));
    }
    Some(out.end())
}
