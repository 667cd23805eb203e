//! Jobs that only sum up the results of the jobs they need.
//!
//! Branch protection often requires one job that runs `always()` and fails when one of
//! its needs failed. Such a job needs no work to have been done: where it judges a
//! skipped need as it judges a successful one, the need may be skipped while the job
//! runs. Whether it does is not guessed from its looks: every text of the job that
//! names `needs` is evaluated with the need successful and with it skipped, and must
//! come to the same.
//!
//! What is not understood accepts nothing, so that the plan stays closed under `needs`.

use std::collections::BTreeSet;

use super::expression::{Expression, Piece, Scope, Value, pieces};
use super::{Action, Job, JobId, Limit, Step};

/// So many needs are tried in every combination; more of them singly and together.
const COMBINED: usize = 8;

/// The action that judges `needs`, given as JSON, with a list of those that may be
/// skipped. <https://github.com/re-actors/alls-green>
const ALLS_GREEN: &str = "re-actors/alls-green@";

/// The needs that may be skipped without any effect on what a job does; empty for a
/// job that is itself skipped with its needs, or that uses what they made.
pub fn accepted_skips(job: &Job) -> Vec<JobId> {
    if !runs_whatever_happens(job) || uses_needs_elsewhere(job) {
        return Vec::new();
    }
    let worlds = Worlds { job };
    let mut accepted: Vec<&JobId> = job
        .needs
        .iter()
        .filter(|need| !need.0.contains('/') && worlds.are_equal(&BTreeSet::from([*need])))
        .collect();
    if !worlds.combinations(&accepted) {
        accepted.clear();
    }
    accepted.into_iter().cloned().collect()
}

/// Whether its condition asks for `always()` or `!cancelled()`, and not for results.
fn runs_whatever_happens(job: &Job) -> bool {
    let condition = job.condition.as_deref().unwrap_or_default();
    Expression::parse(condition).is_ok_and(|expression| {
        let statuses = expression.statuses();
        !statuses.is_empty()
            && statuses
                .iter()
                .all(|it| matches!(*it, "always" | "cancelled"))
            && expression.properties_of("needs").is_empty()
    })
}

/// Whether `needs` stands where it is not judged below, or where nothing is known.
fn uses_needs_elsewhere(job: &Job) -> bool {
    let is_limited = job.limits.iter().any(|limit| {
        matches!(
            limit,
            Limit::DynamicMatrix | Limit::ForeignCall(_) | Limit::CallDepth | Limit::Unreadable(_)
        )
    });
    let mut texts = job
        .runner
        .iter()
        .chain(&job.images)
        .chain(&job.directory)
        .chain(job.legs.iter().flat_map(|leg| leg.values.values()))
        .chain(job.env.values());
    is_limited || texts.any(|text| names_needs(text))
}

fn names_needs(text: &str) -> bool {
    pieces(text).iter().any(|piece| match piece {
        Piece::Text(_) => false,
        Piece::Expression(text) => expression_names_needs(text),
    })
}

fn expression_names_needs(text: &str) -> bool {
    Expression::parse(text).map_or(true, |it| !it.properties_of("needs").is_empty())
}

/// A job with some of its needs skipped.
struct Worlds<'a> {
    job: &'a Job,
}

impl Worlds<'_> {
    fn combinations(&self, accepted: &[&JobId]) -> bool {
        if accepted.len() > COMBINED {
            let all: BTreeSet<&JobId> = accepted.iter().copied().collect();
            let without = |need| all.iter().copied().filter(|it| *it != need).collect();
            return self.are_equal(&all)
                && accepted.iter().all(|need| self.are_equal(&without(*need)));
        }
        (1_u32..1 << accepted.len()).all(|mask| {
            let chosen = accepted.iter().enumerate();
            let chosen = chosen.filter(|(index, _)| mask >> index & 1 == 1);
            self.are_equal(&chosen.map(|(_, need)| *need).collect())
        })
    }

    /// Whether every step comes to the same when these needs are skipped.
    fn are_equal(&self, skipped: &BTreeSet<&JobId>) -> bool {
        let scopes = [self.scope(&BTreeSet::new()), self.scope(skipped)];
        self.job
            .steps
            .iter()
            .all(|step| step_is_equal(step, skipped, &scopes))
    }

    fn scope(&self, skipped: &BTreeSet<&JobId>) -> Scope {
        let result = |need: &JobId| {
            let result = if skipped.contains(need) {
                "skipped"
            } else {
                "success"
            };
            Value::open([("result", Value::text(result))])
        };
        let needs = self.job.needs.iter();
        // The jobs of a called workflow are one need, by the name of their caller.
        let name = |need: &JobId| need.0.split(" / ").next().unwrap_or_default().to_owned();
        let needs: Vec<(String, Value)> = needs.map(|need| (name(need), result(need))).collect();
        let needs = needs
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        Scope::new().with("needs", Value::object(needs))
    }
}

fn step_is_equal(step: &Step, skipped: &BTreeSet<&JobId>, scopes: &[Scope; 2]) -> bool {
    let condition = step.condition.as_deref();
    match condition.map(|condition| truth_in_both(condition, scopes)) {
        Some(None) => return false,
        Some(Some(false)) => return true,
        Some(Some(true)) | None => {}
    }
    match &step.action {
        Action::Run {
            script,
            env,
            shell,
            directory,
            ..
        } => {
            let rest = env.values().chain(shell).chain(directory);
            let is_equal = rest
                .map(AsRef::as_ref)
                .all(|text| text_is_equal(text, scopes));
            is_equal && script.lines().all(|line| line_is_equal(line, scopes))
        }
        Action::Use { reference, with } if reference.starts_with(ALLS_GREEN) => {
            let allowed = with.get("allowed-skips").map_or("", AsRef::as_ref);
            skipped.iter().all(|need| is_listed(allowed, &need.0))
        }
        // It may fetch what the needs made.
        Action::Use { .. } => false,
    }
}

/// Whether a condition lets its step run; `None` where that depends on what was skipped.
fn truth_in_both(condition: &str, scopes: &[Scope; 2]) -> Option<bool> {
    let expression = Expression::parse(condition).ok()?;
    if expression.properties_of("needs").is_empty() {
        return Some(true);
    }
    let [one, other] = scopes.each_ref().map(|scope| expression.evaluate(scope));
    let is_known = !one.is_partly_unknown() && !other.is_partly_unknown();
    (is_known && one.truth() == other.truth()).then(|| one.truth() == super::Truth::Yes)
}

fn text_is_equal(text: &str, scopes: &[Scope; 2]) -> bool {
    pieces(text).iter().all(|piece| {
        let Piece::Expression(text) = piece else {
            return true;
        };
        let Ok(expression) = Expression::parse(text) else {
            return false;
        };
        if expression.properties_of("needs").is_empty() {
            return true;
        }
        let [one, other] = scopes.each_ref().map(|scope| expression.evaluate(scope));
        !one.is_partly_unknown() && one == other
    })
}

/// Whether a line of a script does the same, and does nothing but say and end.
fn line_is_equal(line: &str, scopes: &[Scope; 2]) -> bool {
    if is_known_judge(line) {
        return true;
    }
    if !text_is_equal(line, scopes) {
        return false;
    }
    let told: String = pieces(line)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Expression(text) => said(text, &scopes[0]),
        })
        .collect();
    let told = told.trim();
    let command = told.split_whitespace().next().unwrap_or("#");
    let is_plain = matches!(
        command,
        "echo" | "printf" | "exit" | "true" | "false" | "set"
    );
    let reaches = ["$(", "`", "|", "&", ";", ">", "<"]
        .iter()
        .any(|it| told.contains(it));
    command.starts_with('#') || is_plain && !reaches
}

/// What an expression writes into a script; nothing is known of most.
fn said(expression: &str, scope: &Scope) -> String {
    match Expression::parse(expression).map(|it| it.evaluate(scope)) {
        Ok(Value::Text(text)) => text.into(),
        Ok(Value::Bool(value)) => value.to_string(),
        _ => "?".to_owned(),
    }
}

/// Whether a line is known to judge a skipped need as a successful one, or to print the
/// needs alone.
fn is_known_judge(line: &str) -> bool {
    let bare: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = bare.to_lowercase();
    let Some(command) = lower.strip_suffix("<<<'${{tojson(needs)}}'") else {
        return lower == "echo'${{tojson(needs)}}'";
    };
    let accepts = [
        r#"'all(.result=="success"or.result=="skipped")'"#,
        r#"'all(.result=="skipped"or.result=="success")'"#,
    ];
    let judge = ["jq--exit-status", "jq-e"]
        .iter()
        .find_map(|start| command.strip_prefix(start));
    matches!(command, "jq" | "jq." | "jq-c" | "jq'.'")
        || judge.is_some_and(|program| accepts.contains(&program))
}

/// Whether a list, in JSON or with commas, holds a name as it stands.
fn is_listed(list: &str, name: &str) -> bool {
    list.split(|c: char| c.is_whitespace() || ",[]\"'".contains(c))
        .any(|item| item == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::{read, snapshot_of};

    /// Which needs a job accepts as skipped: the job's text, without its id and `needs`.
    fn check(body: &str, expected: &str) {
        let text = format!(
            "on: pull_request\njobs:\n  a: {{runs-on: x, steps: [{{run: a}}]}}\n  b: {{runs-on: x, steps: [{{run: b}}]}}\n  \
             ok:\n    needs: [a, b]\n    runs-on: x\n{body}"
        );
        let pipelines = read(&snapshot_of(&[(".github/workflows/ci.yml", &text)]));
        let job = pipelines[0].jobs.iter().find(|job| &*job.id.0 == "ok");
        let accepted = accepted_skips(job.unwrap());
        let names: Vec<&str> = accepted.iter().map(|need| &*need.0).collect();
        assert_eq!(names.join(" "), expected, "{body}");
    }

    #[test]
    fn a_job_that_fails_on_failures_alone_accepts_skips() {
        for steps in [
            "    if: always()\n    steps:\n    - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')\n      run: exit 1\n",
            "    if: ${{ !cancelled() }}\n    steps:\n    - run: ${{ contains(needs.*.result, 'failure') && 'false' || 'true' }}\n",
            "    if: always()\n    steps:\n    - run: |\n        jq -C <<< '${{ toJson(needs) }}'\n        jq --exit-status 'all(.result == \"success\" or .result == \"skipped\")' <<< '${{ toJson(needs) }}'\n",
            "    if: always()\n    steps:\n    - uses: re-actors/alls-green@v1\n      with: {jobs: '${{ toJSON(needs) }}', allowed-skips: 'a, b'}\n",
            "    if: always() && github.event_name == 'pull_request'\n    steps:\n    - if: needs.a.result == 'failure'\n      run: exit 1\n",
        ] {
            check(steps, "a b");
        }
    }

    #[test]
    fn each_need_is_judged_for_itself() {
        check(
            "    if: always()\n    steps:\n    - if: needs.a.result != 'success' || needs.b.result == 'failure'\n      run: exit 1\n",
            "b",
        );
        check(
            "    if: always()\n    steps:\n    - uses: re-actors/alls-green@v1\n      with: {jobs: '${{ toJSON(needs) }}', allowed-skips: '[\"b\"]'}\n",
            "b",
        );
    }

    #[test]
    fn whoever_fails_on_a_skip_or_uses_what_was_made_accepts_nothing() {
        for body in [
            "    if: always()\n    steps:\n    - if: contains(needs.*.result, 'skipped')\n      run: exit 1\n",
            "    if: always()\n    steps:\n    - uses: re-actors/alls-green@v1\n      with: {jobs: '${{ toJSON(needs) }}'}\n",
            "    if: always()\n    steps:\n    - uses: re-actors/alls-green@v1\n      with: {jobs: '${{ toJSON(needs) }}', allowed-failures: 'a, b', allowed-skips: a-b}\n",
            "    if: always()\n    steps:\n    - run: ./deploy ${{ needs.a.outputs.version }} ${{ needs.b.outputs.version }}\n",
            "    if: always()\n    steps:\n    - uses: actions/download-artifact@v4\n    - run: echo\n",
            "    if: always()\n    steps:\n    - run: gh run download\n",
            "    if: always()\n    steps:\n    - run: echo $(cat coverage/*)\n",
            "    if: always()\n    env: {N: '${{ toJSON(needs) }}'}\n    steps:\n    - run: python judge.py\n",
            "    if: always()\n    steps:\n    - env: {N: '${{ toJSON(needs) }}'}\n      run: python judge.py\n",
            "    if: always()\n    steps:\n    - run: jq -e 'all(.result == \"success\")' <<< '${{ toJSON(needs) }}'\n",
            "    if: always() && needs.a.result == 'success'\n    steps:\n    - run: echo\n",
            "    if: success() || failure()\n    steps:\n    - run: echo\n",
            "    steps:\n    - run: echo\n",
        ] {
            check(body, "");
        }
    }

    #[test]
    fn skips_that_are_harmless_alone_and_not_together_are_not_accepted() {
        check(
            "    if: always()\n    steps:\n    - if: needs.a.result == 'skipped' && needs.b.result == 'skipped'\n      run: exit 1\n",
            "",
        );
    }
}
