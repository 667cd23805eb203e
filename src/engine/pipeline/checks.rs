//! Under which names a job reports to the forge: when it runs, and when it is skipped.
//!
//! Branches are protected by the *names* of checks. A job that is skipped reports once,
//! under its name as it is written; a matrix is not expanded then, and a called workflow
//! not entered, so that the names of their parts never come and a pull that requires one
//! of them waits for ever:
//! <https://github.com/actions/runner/issues/952>.
//!
//! A name of which only the run can tell a part is a pattern. It may be any check that
//! fits, so that doubt never lets a required check vanish.

use std::collections::BTreeMap;

use super::expression::{Expression, Piece, Scope, pieces};
use super::{Job, Leg, Limit, Pipeline};
use crate::engine::yaml::Node;

/// A name, as far as it is known before the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckName {
    /// What is known, in order; between two of them stands anything.
    parts: Vec<Box<str>>,
}

impl CheckName {
    /// A name of which every letter is known.
    pub fn exact(name: &str) -> Self {
        Self {
            parts: vec![name.trim().into()],
        }
    }

    /// Whether a check of this name may be meant.
    pub fn may_be(&self, check: &str) -> bool {
        let check = check.trim();
        let (Some((first, middle)), Some(last)) = (self.parts.split_first(), self.parts.last())
        else {
            return true;
        };
        if middle.is_empty() {
            return **first == *check;
        }
        let Some(mut rest) = check.strip_prefix(first.trim_start()) else {
            return false;
        };
        for part in middle.iter().take(middle.len() - 1) {
            match rest.split_once(part.as_ref()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last.trim_end())
    }

    /// Whether it is surely this check.
    pub fn is(&self, check: &str) -> bool {
        self.parts.len() == 1 && self.may_be(check)
    }
}

impl std::fmt::Display for CheckName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts.join("*"))
    }
}

/// The names of one job of a workflow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// Those that report when it runs.
    pub run: Vec<CheckName>,
    /// The one that reports when it is skipped.
    pub skipped: Box<str>,
}

impl Checks {
    /// A job that reports under one name, whatever happens.
    pub fn plain(name: &str) -> Self {
        Self {
            run: vec![CheckName::exact(name)],
            skipped: name.trim().into(),
        }
    }

    /// Whether it may report a check of this name.
    pub fn may_report(&self, check: &str) -> bool {
        self.run.iter().any(|name| name.may_be(check)) || *self.skipped == *check.trim()
    }

    /// Whether a check of this name may report when the job runs, and does not when it is
    /// skipped.
    pub fn loses(&self, check: &str) -> bool {
        *self.skipped != *check.trim() && self.run.iter().any(|name| name.may_be(check))
    }
}

/// A name as it is written, in which each expression that is not constant stands for
/// anything.
pub fn pattern(name: &str) -> CheckName {
    computed(name, &Scope::new())
}

/// The names of every job of a workflow file, by id in lower case. `root` is the file
/// itself, for names as they are written.
pub fn of(pipeline: &Pipeline, root: &Node) -> BTreeMap<String, Checks> {
    let entries = root.get("jobs").and_then(Node::entries).unwrap_or_default();
    let checks = entries.iter().map(|entry| {
        let written = entry.value.get("name").and_then(Node::as_str);
        let skipped = written.unwrap_or(&entry.key).trim();
        let own = |job: &&Job| *job.caller.as_ref().unwrap_or(&job.id).0 == *entry.key;
        let run = pipeline.jobs.iter().filter(own).flat_map(names);
        let mut run: Vec<CheckName> = run.collect();
        run.sort();
        run.dedup();
        let checks = Checks {
            run,
            skipped: skipped.into(),
        };
        (entry.key.to_ascii_lowercase(), checks)
    });
    checks.collect()
}

fn names(job: &Job) -> Vec<CheckName> {
    let is_open = |limit: &Limit| {
        matches!(
            limit,
            Limit::ForeignCall(_) | Limit::CallDepth | Limit::Unreadable(_)
        )
    };
    if job.limits.iter().any(is_open) {
        return vec![called(job)];
    }
    let is_dynamic = job.limits.contains(&Limit::DynamicMatrix);
    if job.caller.is_some() {
        let is_plain = job.legs.is_empty() && !is_dynamic && !job.name.contains("${{");
        return vec![if is_plain {
            CheckName::exact(&job.name)
        } else {
            called(job)
        }];
    }
    let has_expression = job.name.contains("${{");
    match (job.legs.as_slice(), has_expression) {
        ([], false) if is_dynamic => vec![
            CheckName::exact(&job.name),
            CheckName {
                parts: vec![format!("{} (", job.name).into(), ")".into()],
            },
        ],
        ([], false) => vec![CheckName::exact(&job.name)],
        ([], true) => vec![pattern(&job.name)],
        (legs, true) => legs.iter().map(|leg| of_leg(&job.name, leg)).collect(),
        (legs, false) => legs
            .iter()
            .map(|leg| {
                let shown = pieces(&leg.name);
                let is_known = !shown.iter().any(|it| matches!(it, Piece::Expression(_)));
                let name = format!("{} ({})", job.name, leg.name);
                if is_known {
                    CheckName::exact(&name)
                } else {
                    pattern(&name)
                }
            })
            .collect(),
    }
}

/// A job of a called workflow of which not everything is known: what stands before the
/// first part that the run fills in, and then anything.
fn called(job: &Job) -> CheckName {
    let known = job.name.split("${{").next().unwrap_or_default();
    let known = match &job.caller {
        // The legs of the caller stand behind its own name, before the slash.
        Some(_) => known.split(" / ").next().unwrap_or_default(),
        None => known,
    };
    CheckName {
        parts: vec![known.into(), "".into()],
    }
}

fn of_leg(name: &str, leg: &Leg) -> CheckName {
    computed(name, &Scope::new().with("matrix", leg.matrix()))
}

/// A name with everything put in that is known.
fn computed(name: &str, scope: &Scope) -> CheckName {
    let mut parts: Vec<String> = vec![String::new()];
    for piece in pieces(name) {
        let text = match piece {
            Piece::Text(text) => Some(text.to_owned()),
            Piece::Expression(text) => {
                let value = Expression::parse(text).map(|it| it.evaluate(scope));
                value
                    .ok()
                    .filter(|value| !value.is_partly_unknown())
                    .map(|value| value.to_string())
            }
        };
        match (text, parts.last_mut()) {
            (Some(text), Some(last)) => last.push_str(&text),
            _ => parts.push(String::new()),
        }
    }
    CheckName {
        parts: parts.into_iter().map(Into::into).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::{read, snapshot_of};
    use crate::engine::yaml;

    /// The names of the job `j`: when it runs, then when it is skipped.
    fn check(job: &str, run: &[&str], skipped: &str) {
        let text = format!("on: pull_request\njobs:\n  j:\n{job}");
        let called = "on: workflow_call\njobs:\n  x: {runs-on: x, steps: [{run: a}]}\n  y:\n    name: Y ${{ inputs.z }}\n    runs-on: x\n    steps: [{run: a}]\n";
        let pipelines = read(&snapshot_of(&[
            (".github/workflows/ci.yml", &text),
            (".github/workflows/called.yml", called),
        ]));
        let pipeline = pipelines.iter().find(|it| it.path.ends_with("ci.yml"));
        let root = yaml::parse("ci.yml", &text).unwrap();
        let checks = of(pipeline.unwrap(), &root);
        let names: Vec<String> = checks["j"].run.iter().map(ToString::to_string).collect();
        assert_eq!(
            (names.as_slice(), checks["j"].skipped.as_ref()),
            (
                run.iter()
                    .map(|it| (*it).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice(),
                skipped
            ),
            "{job}"
        );
    }

    const S: &str = "    runs-on: x\n    steps: [{run: a}]\n";

    #[test]
    fn a_job_reports_under_its_name_or_its_id() {
        check(S, &["j"], "j");
        check(
            &format!("    name: Unit tests\n{S}"),
            &["Unit tests"],
            "Unit tests",
        );
    }

    #[test]
    fn a_matrix_reports_once_a_leg_and_unexpanded_when_skipped() {
        let matrix = "    strategy: {matrix: {v: [1, 2], o: [x]}}\n";
        check(&format!("{matrix}{S}"), &["j (1, x)", "j (2, x)"], "j");
        check(
            &format!("    name: T ${{{{ matrix.v }}}} on ${{{{ runner.os }}}}!\n{matrix}{S}"),
            &["T 1 on *!", "T 2 on *!"],
            "T ${{ matrix.v }} on ${{ runner.os }}!",
        );
        check(
            &format!("    strategy: {{matrix: \"${{{{ fromJSON(inputs.m) }}}}\"}}\n{S}"),
            &["j", "j (*)"],
            "j",
        );
    }

    #[test]
    fn a_call_reports_for_the_jobs_that_it_calls() {
        let call = "    uses: ./.github/workflows/called.yml\n";
        check(call, &["j / Y", "j / x"], "j");
        check(
            &format!("    strategy: {{matrix: {{v: [1]}}}}\n{call}"),
            &["j*"],
            "j",
        );
        check("    uses: o/r/.github/workflows/x.yml@v1\n", &["j*"], "j");
    }

    #[test]
    fn a_pattern_may_be_any_check_that_fits() {
        let name = pattern("T ${{ a }} on ${{ b }}!");
        for (check, expected) in [
            ("T 1 on x!", true),
            ("T 1 on x", false),
            ("T 1!", false),
            ("T  on !", true),
        ] {
            assert_eq!(name.may_be(check), expected, "{check}");
            assert!(!name.is(check));
        }
        assert!(CheckName::exact("a").is("a") && !CheckName::exact("a").may_be("a b"));
        let any = pattern("${{ matrix.name }}");
        assert!(any.may_be("anything at all"));
    }
}
