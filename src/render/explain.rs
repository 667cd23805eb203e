//! Everything behind one verdict, as text: for `trimtab why` and for the command in
//! a comment, which give the same chain.
//!
//! A subject is a job, else a file, else the file of a test. What it says needs the
//! analysed merge: a plan alone does not hold the way from a file to a job.
//!
//! Foreign text stands here without control characters and is not escaped for
//! Markdown: whoever puts this into a comment puts it into a code block.

use crate::engine::facts::Reach;
use crate::engine::impact::opaque_words;
use crate::engine::inputs::{Input, JobInputs};
use crate::engine::plan::{JobPlan, Plan, Verdict};
use crate::engine::side::Side;

/// The chain behind a subject; `None` when nothing here is called that.
pub fn explain(plan: &Plan, merge: &Side, subject: &str) -> Option<String> {
    let named = |job: &&JobPlan| job.job.eq_ignore_ascii_case(subject);
    let jobs: Vec<&JobPlan> = plan.jobs.iter().filter(named).collect();
    if !jobs.is_empty() {
        let told = jobs.iter().map(|job| explain_job(plan, merge, job));
        return Some(told.collect::<Vec<_>>().join("\n"));
    }
    let path = subject.trim_start_matches("./");
    // `tests/test_a.py::test_b` is a test of that file.
    let file = path.split("::").next().unwrap_or(path);
    explain_path(plan, merge, path)
        .or_else(|| explain_path(plan, merge, file))
        .or_else(|| explain_test(plan, merge, subject))
}

/// The files that define a test of this name, each with the jobs that it leads to. The
/// name may stand behind those of its module, package or suite.
fn explain_test(plan: &Plan, side: &Side, subject: &str) -> Option<String> {
    let last = |separator: &str| subject.rsplit(separator).next().unwrap_or(subject);
    let names = [subject, last("::"), last("."), last(" > "), last("/")];
    let files = side.snapshot.tree.iter().filter(|(file, _)| {
        let tests = side
            .snapshot
            .facts(*file)
            .map(|facts| facts.tests.as_slice());
        let mut tests = tests.unwrap_or_default().iter();
        tests.any(|test| names.contains(&test.as_ref()))
    });
    let told: Vec<String> = files
        .filter_map(|(_, entry)| explain_path(plan, side, &entry.path))
        .take(MOST)
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// Foreign text as one line in which nothing moves a cursor or turns the writing.
pub fn plain(text: &str) -> String {
    let printable = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars().filter(printable).take(300).collect()
}

/// The most lines of one list.
const MOST: usize = 20;

fn explain_job(plan: &Plan, merge: &Side, job: &JobPlan) -> String {
    let verdict = match job.verdict {
        Verdict::Run => "runs",
        Verdict::Skip => "is skipped",
        Verdict::Narrow => "runs in part",
    };
    let mut out = vec![format!(
        "{} of {} {verdict}\n",
        plain(&job.job),
        plain(&job.workflow)
    )];
    for forced in plan.run_everything.iter().take(MOST) {
        out.push(format!(
            "  everything runs: {} {}\n",
            forced.id.as_str(),
            plain(&forced.subject)
        ));
    }
    for reason in &job.reasons {
        out.push(format!(
            "  because  {}: {}\n",
            reason.id.as_str(),
            plain(&reason.subject)
        ));
        for (depth, step) in reason.path.iter().enumerate() {
            out.push(format!(
                "           {}{}\n",
                "  ".repeat(depth.min(8)),
                plain(step)
            ));
        }
    }
    out.push(format!("  otherwise  {}\n", plain(&job.counterfactual)));
    if let Some(backstop) = &job.backstop {
        out.push(format!("  runs again  {}\n", plain(backstop)));
    }
    if let Some((_, _, inputs)) = merge.survey.find(&job.workflow, &job.job) {
        out.push(explain_inputs(merge, &job.job, inputs));
    }
    out.concat()
}

fn explain_inputs(merge: &Side, job: &str, inputs: &JobInputs) -> String {
    let files = merge.files(inputs).files.len();
    let mut out = vec![format!("  inputs  {files} files\n")];
    for (input, origin) in inputs.parts.iter().take(MOST) {
        let what = match input {
            Input::Entry(globs) => format!("{} and all that they need", globs.join(" ")),
            Input::Checked(globs) => format!("{} and what they import", globs.join(" ")),
            Input::Exact(globs) => globs.join(" "),
            Input::Shape(globs) => format!("{} without versions", globs.join(" ")),
            Input::Except { extensions, except } => format!(
                "**/*.{{{}}} without {}",
                extensions.join(","),
                except.join(" ")
            ),
            Input::Unit(dir) => format!("the unit in {dir} and all that it needs"),
            Input::Tree { dir, extensions } if extensions.is_empty() => {
                format!("everything in {dir}/")
            }
            Input::Tree { dir, extensions } => format!("{dir}/**/*.{{{}}}", extensions.join(",")),
            Input::External { dir, name } => format!("the package {name} as {dir}/ asks for it"),
        };
        out.push(format!(
            "    {}  ({}:{} {})\n",
            plain(&what),
            plain(&origin.file),
            origin.line,
            plain(&origin.what)
        ));
    }
    if inputs.parts.len() > MOST {
        out.push(format!("    and {} more\n", inputs.parts.len() - MOST));
    }
    for widening in merge.widenings(inputs).iter().take(MOST) {
        let reach = match widening.reach {
            Reach::Package => "its package",
            Reach::Repository => "everything",
        };
        out.push(format!(
            "    {reach}, because of {}:{} {}\n",
            plain(merge.snapshot.tree.path(widening.file)),
            widening.line,
            plain(&widening.what)
        ));
    }
    for opaque in &inputs.opaque {
        out.push(format!(
            "  not understood  {}\n",
            plain(&opaque_words(opaque))
        ));
    }
    if !inputs.opaque.is_empty() {
        out.push(format!(
            "  to make it known, name what it reads in .trimtab.yml on the default branch:\n    jobs:\n      \"{}\": {{ inputs: [\"path/**\"] }}\n",
            plain(job)
        ));
    }
    out.concat()
}

/// Which jobs a file leads to, and by which way.
fn explain_path(plan: &Plan, side: &Side, path: &str) -> Option<String> {
    let file = side.snapshot.tree.find(path)?;
    let mut out = vec![format!("{}\n", plain(path))];
    for (pipeline, job, inputs) in side.survey.jobs() {
        if !plan
            .jobs
            .iter()
            .any(|plan| plan.workflow == *pipeline.path && plan.job == *job.id.0)
        {
            continue;
        }
        let chain = side.closure(inputs).path(file.into());
        let set = side.files(inputs);
        let is_input = set.files.binary_search(&file).is_ok();
        let words = match (is_input, chain.as_slice()) {
            (false, _) if set.shapes.contains_key(side.snapshot.tree.path(file)) => {
                "is an input but for versions and what it depends on".to_owned()
            }
            (false, _) => "is no input".to_owned(),
            (true, []) if !inputs.opaque.is_empty() => {
                "is an input: the job is not understood, so everything is".to_owned()
            }
            (true, [] | [_]) => "is an input by itself".to_owned(),
            (true, chain) => {
                let steps: Vec<String> = chain
                    .iter()
                    .map(|(node, _)| plain(&side.label(*node)))
                    .collect();
                format!("is an input: {}", steps.join(" → "))
            }
        };
        out.push(format!(
            "  {} of {}: {words}\n",
            plain(&job.id.0),
            plain(&pipeline.path)
        ));
    }
    Some(out.concat())
}
