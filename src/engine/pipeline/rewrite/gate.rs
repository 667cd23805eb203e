//! The text of gates and of the jobs that are added.
//!
//! A gate is one line in double quotes, without `${{ }}`: a block scalar that holds one
//! is always true. When the plan job is lost, its output is nothing, nothing contains no
//! name, and every job runs.

use super::read::WorkflowJob;
use super::{PLAN_JOB, Settings};
use crate::engine::pipeline::expression::Expression;
use crate::engine::plan_line::WorkflowKey;

/// GitHub refuses expressions of 21,000 characters; a gate stays below it.
const LONGEST: usize = 20_000;

/// GitHub refuses expressions deeper than 50; a gate stays this far below it.
const SPARE_DEPTH: usize = 5;

/// The condition of a gated job.
pub(super) fn gate(job: &WorkflowJob) -> String {
    let asked = asks(&job.id);
    match &job.condition {
        Some(condition) if !condition.statuses.is_empty() => {
            format!("{asked} && ({})", condition.text)
        }
        _ => restated(job, &["!cancelled()", &asked]),
    }
}

/// The term by which a gate looks for the id of its job in the answer.
pub(super) fn asks(job: &str) -> String {
    format!("!contains(needs.{PLAN_JOB}.outputs.skip, '|{job}|')")
}

/// The condition of a job that asks for its needs by name.
pub(super) fn restatement(job: &WorkflowJob) -> String {
    restated(job, &["!cancelled()"])
}

fn restated(job: &WorkflowJob, first: &[&str]) -> String {
    let mut terms: Vec<String> = first.iter().map(|term| (*term).to_owned()).collect();
    let needs = job.needs.iter();
    terms.extend(needs.map(|need| format!("needs.{need}.result == 'success'")));
    terms.extend(
        job.condition
            .iter()
            .map(|condition| format!("({})", condition.text)),
    );
    terms.join(" && ")
}

/// Whether GitHub would take the expression, with room to spare.
pub(super) fn fits(expression: &str) -> bool {
    let deeper = format!(
        "{}{expression}{}",
        "(".repeat(SPARE_DEPTH),
        ")".repeat(SPARE_DEPTH)
    );
    expression.chars().count() <= LONGEST && Expression::parse(&deeper).is_ok()
}

/// A YAML scalar in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str("\\u");
                out.extend(hex(u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Four digits; characters beyond them need no escape.
fn hex(code: u32) -> impl Iterator<Item = char> {
    (0..4)
        .rev()
        .filter_map(move |place| char::from_digit(code >> (4 * place) & 0xf, 16))
}

/// The plan job, indented as the first of the jobs.
///
/// It runs one script and nothing else: no action, no checkout, no cache. Its one right is
/// to read checks, and where a server can be asked, to show it who asks; whatever goes wrong
/// in it leaves its output empty. It names a directory that is there without a checkout, because a workflow may name another for all steps.
pub(super) fn plan_job(workflow: &str, key: &WorkflowKey, settings: &Settings) -> String {
    let server = settings.server.as_deref().filter(|it| !it.is_empty());
    let identity = server.map_or("", |_| "    id-token: write\n");
    let mut out = format!(
        "{PLAN_JOB}:\n  name: {}\n  runs-on: {}\n  timeout-minutes: 3\n  continue-on-error: true\n  permissions:\n    checks: read\n{identity}  outputs:\n    skip: ${{{{ steps.plan.outputs.skip }}}}\n  steps:\n    - id: plan\n      name: Ask which jobs can be skipped\n      continue-on-error: true\n      timeout-minutes: 1\n      shell: sh\n      working-directory: /\n      env:\n",
        quoted(&format!("trimtab plan / {workflow}")),
        quoted(settings.runner()),
    );
    let variables = [
        (
            "HEAD_SHA",
            "${{ github.event.pull_request.head.sha }}".to_owned(),
        ),
        (
            "PR_NUMBER",
            "${{ github.event.pull_request.number }}".to_owned(),
        ),
        ("GH_TOKEN", "${{ github.token }}".to_owned()),
        ("TRIMTAB_WORKFLOW", quoted(key.as_str())),
        (
            "TRIMTAB_APP_ID",
            quoted(settings.app_id.as_deref().unwrap_or_default()),
        ),
    ];
    let asked = server.map(|server| {
        [
            ("PLAN_URL", quoted(&format!("{server}/api/v1/plan"))),
            ("PLAN_AUD", quoted(server)),
        ]
    });
    for (name, value) in variables.into_iter().chain(asked.into_iter().flatten()) {
        out.extend(["        ", name, ": ", &value, "\n"]);
    }
    out.push_str("      run: |\n");
    for line in STEP.lines() {
        if !line.is_empty() {
            out.push_str("        ");
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// The script of the plan job.
const STEP: &str = include_str!("../../../../templates/plan_step.sh");
