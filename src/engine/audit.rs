//! What really ran, compared with what the plan said, on the commit that CI tested.
//!
//! A plan is made before the run, from the base as it was then; the run tests a merge that
//! may rest on a newer base, and its workflow comes from the pull itself. So the skips of
//! a run are judged afterwards: each needs a plan that named it, and inputs that are equal
//! where it ran. What ran although it could have been skipped costs time and nothing else;
//! it is written down. Doubt about a plan's skip is said as such and never taken for proof.
//!
//! Nothing here asks a forge, and nothing here decides what follows.

use std::collections::{BTreeMap, BTreeSet};

use super::history::History;
use super::history::run::{Attempt, Conclusion, JobRun};
use super::history::shown;
use super::pipeline::expression::Expression;
use super::pipeline::github::event::Occasion;
use super::pipeline::rewrite::gates::Gates;
use super::pipeline::{EventContext, Job, Pipeline, Truth, file_id, filter};
use super::plan::{Basis, JobPlan, ReasonId, Verdict};

pub mod elsewhere;
pub mod savings;

/// One workflow file, as it lies on one of the trees.
#[derive(Debug, Clone, Copy, Default)]
pub struct File<'a> {
    /// As it is read, without gates.
    pub pipeline: Option<&'a Pipeline>,
    /// Its gates.
    pub gates: Option<&'a Gates>,
}

/// Everything that is compared.
#[derive(Debug)]
pub struct Case<'a> {
    /// The attempt that ended.
    pub attempt: &'a Attempt,
    /// Its jobs.
    pub jobs: &'a [JobRun],
    /// The workflow on the base.
    pub base: File<'a>,
    /// The workflow on the merge that ran.
    pub merge: File<'a>,
    /// The lines of the jobs in the file that ran, by id in lower case.
    pub lines: &'a BTreeMap<String, u32>,
    /// The pull as its pipelines see it.
    pub event: &'a EventContext,
    /// The jobs of the file that a plan line may have named, and what each rests on.
    pub planned: &'a BTreeMap<String, Basis>,
    /// The plan, made again on the merge that ran; `None` while that is not known.
    pub again: Option<&'a [JobPlan]>,
    /// How long jobs take.
    pub history: &'a History,
}

/// What was found of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was skipped, no plan said so, and nothing else explains it.
    Unplanned,
    /// A plan skipped it, and its inputs differ on the merge that ran.
    Differs,
    /// A plan skipped it, and the merge that ran is not known.
    Unproven,
    /// A plan named it, and it ran.
    RanAnyway,
}

impl Kind {
    /// Whether the bot's check fails for it.
    pub fn fails(self) -> bool {
        matches!(self, Self::Unplanned | Self::Differs)
    }

    /// The word in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unplanned => "unplanned-skip",
            Self::Differs => "inputs-differ",
            Self::Unproven => "unproven",
            Self::RanAnyway => "ran-anyway",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The job's id in the file.
    pub job: String,
    /// The file or path that it is about.
    pub path: String,
    /// The line in that file; 0 when the file as a whole is meant.
    pub line: u32,
    /// One sentence.
    pub words: String,
}

/// What an attempt came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// The jobs that were skipped as a plan said.
    pub skipped: Vec<String>,
    /// The gated jobs that ran to a result.
    pub ran: Vec<String>,
    /// Seconds of runners that the skipped jobs would have taken, as far as it is known.
    pub saved: u64,
    /// How many of the skipped jobs have no duration yet.
    pub unknown: u32,
    /// Seconds of runners that the plan job took.
    pub cost: u64,
}

/// The beginning of a plan job's name.
const PLAN_JOB: &str = "trimtab plan";

/// Judges one attempt of one workflow.
pub fn audit(case: &Case<'_>) -> Audit {
    let view = View::of(case);
    let mut audit = Audit {
        cost: cost(case.attempt, case.jobs),
        ..Audit::default()
    };
    for (id, place) in gated(case) {
        match view.state(&id) {
            State::Absent => {}
            State::Ran => {
                if case.planned.contains_key(&id) {
                    let words = "a plan said to skip it, and it ran";
                    audit
                        .findings
                        .push(finding(Kind::RanAnyway, &id, &place, words));
                }
                if view.ended(&id) {
                    audit.ran.push(id);
                }
            }
            State::Skipped => view.skipped(&id, &place, &mut audit),
        }
    }
    audit
        .findings
        .sort_by(|a, b| (a.kind, &a.job).cmp(&(b.kind, &b.job)));
    audit
}

/// Seconds of runners that the plan job of an attempt took.
pub fn cost(attempt: &Attempt, jobs: &[JobRun]) -> u64 {
    let is_ours = |it: &&JobRun| it.name.starts_with(PLAN_JOB) && it.attempt == attempt.attempt;
    jobs.iter().filter(is_ours).map(JobRun::seconds).sum()
}

/// Where something stands: a path and a line.
type Place = (String, u32);

/// The gated jobs of either side, in lower case, with their place in the file that ran.
fn gated(case: &Case<'_>) -> BTreeMap<String, Place> {
    let mut found = BTreeMap::new();
    for gates in [case.base.gates, case.merge.gates].into_iter().flatten() {
        for (job, line) in gates.gated() {
            found.insert(
                job.to_owned(),
                (
                    gates.path.clone(),
                    case.lines.get(job).copied().unwrap_or(line),
                ),
            );
        }
    }
    found
}

fn finding(kind: Kind, job: &str, (path, line): &Place, words: &str) -> Finding {
    Finding {
        kind,
        job: job.to_owned(),
        path: path.clone(),
        line: *line,
        words: words.to_owned(),
    }
}

/// How a job of the file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known of it.
    Absent,
    /// All of it was skipped.
    Skipped,
    /// Some of it ran, or was ended.
    Ran,
}

/// Why a job was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    /// Its own condition, what it needs, or a person: as without us.
    Own,
    /// The pull has put another condition on it.
    Edited,
    /// A need of it that the plan skipped.
    Ours(String),
    /// Nothing that is known.
    None,
}

struct View<'a> {
    case: &'a Case<'a>,
    /// The rows of each job of the file, by id in lower case.
    rows: BTreeMap<String, Vec<&'a JobRun>>,
}

impl<'a> View<'a> {
    fn of(case: &'a Case<'a>) -> Self {
        let mut rows: BTreeMap<String, Vec<&JobRun>> = BTreeMap::new();
        let pipelines = [case.merge.pipeline, case.base.pipeline];
        for job in case.jobs {
            let mut known = pipelines.into_iter().flatten();
            if let Some(id) = known.find_map(|it| shown::file_job_of(it, &job.name)) {
                rows.entry(id.to_ascii_lowercase()).or_default().push(job);
            }
        }
        Self { case, rows }
    }

    fn state(&self, id: &str) -> State {
        match self.rows.get(id) {
            None => State::Absent,
            Some(rows) if rows.iter().all(|it| it.conclusion == Conclusion::Skipped) => {
                State::Skipped
            }
            Some(_) => State::Ran,
        }
    }

    /// Whether a job came to a result: one that was cancelled proves nothing.
    fn ended(&self, id: &str) -> bool {
        let mut rows = self.rows.get(id).into_iter().flatten();
        rows.any(|it| {
            matches!(
                it.conclusion,
                Conclusion::Success | Conclusion::Failure | Conclusion::TimedOut
            )
        })
    }

    fn skipped(&self, id: &str, place: &Place, audit: &mut Audit) {
        let Some(basis) = self.case.planned.get(id) else {
            if let Some(words) = self.unexplained(id) {
                audit
                    .findings
                    .push(finding(Kind::Unplanned, id, place, &words));
            }
            return;
        };
        // A later attempt does not skip it once more.
        if self.case.attempt.attempt == 1 {
            match self.seconds(id) {
                Some(seconds) => audit.saved += seconds,
                None => audit.unknown += 1,
            }
        }
        audit.skipped.push(id.to_owned());
        let is_told = *basis == Basis::Told;
        match self.case.again {
            _ if is_told => {}
            Some(plan) => audit.findings.extend(difference(plan, id, place)),
            None => {
                let words = "a plan skipped it; the merge that ran is not known, so that its inputs there were not compared";
                audit
                    .findings
                    .push(finding(Kind::Unproven, id, place, words));
            }
        }
    }

    /// Seconds that the job would have taken.
    fn seconds(&self, id: &str) -> Option<u64> {
        let pipeline = self.case.merge.pipeline?;
        let jobs = pipeline.jobs.iter().filter(|job| job.file_id() == id);
        let each = jobs.map(|job| Some(self.case.history.of_job(pipeline, job)?.seconds));
        each.sum()
    }

    /// Why nothing explains that a job was skipped; `None` when something does.
    fn unexplained(&self, id: &str) -> Option<String> {
        if self.case.attempt.conclusion == Some(Conclusion::Cancelled) {
            return None;
        }
        match self.cause(id, &mut BTreeSet::new()) {
            Cause::Own => None,
            Cause::Edited => Some(
                "it was skipped and no plan said so: this pull has changed its condition or what it needs"
                    .to_owned(),
            ),
            Cause::Ours(need) => Some(format!(
                "it was skipped and no plan said so: {need}, which it needs, was skipped by a plan"
            )),
            Cause::None => Some(
                "it was skipped, no plan said so, and neither its condition nor what it needs explains it"
                    .to_owned(),
            ),
        }
    }

    /// Judged by the base's file where it has the job: what the pull itself writes into the
    /// workflow explains nothing.
    fn cause(&self, id: &str, seen: &mut BTreeSet<String>) -> Cause {
        let (base, merge) = (self.case.base.pipeline, self.case.merge.pipeline);
        let (before, after) = (job_of(base, id), job_of(merge, id));
        let Some((pipeline, job)) = before.or(after) else {
            return Cause::None;
        };
        if !seen.insert(id.to_owned()) {
            return Cause::Own;
        }
        let mut ours = None;
        for need in needs(pipeline, job) {
            match self.state(&need) {
                State::Ran if !self.passed(&need) => return Cause::Own,
                State::Skipped if self.case.planned.contains_key(&need) => ours = Some(need),
                State::Skipped => return self.cause(&need, seen),
                State::Ran | State::Absent => {}
            }
        }
        let any = self.case.event.at_any_activity();
        let truth = filter::runs(pipeline, job, &Occasion::Pull(&any));
        let edited = before.zip(after).is_some_and(|(before, after)| {
            before.1.condition != after.1.condition
                || needs(before.0, before.1) != needs(after.0, after.1)
        });
        match ours {
            _ if truth == Truth::No => Cause::Own,
            _ if edited => Cause::Edited,
            Some(need) => Cause::Ours(need),
            None if truth == Truth::Unknown || rests_on_moment(pipeline, job) => Cause::Own,
            None => Cause::None,
        }
    }

    fn passed(&self, id: &str) -> bool {
        let rows = self.rows.get(id).into_iter().flatten();
        rows.copied()
            .all(|it| matches!(it.conclusion, Conclusion::Success | Conclusion::Skipped))
    }
}

/// Why a skip does not hold on the merge that ran.
fn difference(plan: &[JobPlan], id: &str, place: &Place) -> Option<Finding> {
    let of_it = |job: &&JobPlan| job.workflow == place.0 && file_id(&job.job) == id;
    let runs = |job: &&JobPlan| job.verdict != Verdict::Skip;
    let job = plan.iter().filter(of_it).find(runs)?;
    // The ramp goes by what was known of durations and failures then, and not by files.
    let reason = job.reasons.first()?;
    if reason.id == ReasonId::OutsideRamp {
        return None;
    }
    let path = reason.path.first().unwrap_or(&reason.subject);
    let words = format!(
        "a plan skipped it; on the merge that ran it would not be skipped: {} {}",
        reason.id.as_str(),
        reason.subject
    );
    Some(finding(Kind::Differs, id, &(path.clone(), 0), &words))
}

/// The first job behind an id of the file.
fn job_of<'a>(pipeline: Option<&'a Pipeline>, id: &str) -> Option<(&'a Pipeline, &'a Job)> {
    let pipeline = pipeline?;
    let job = pipeline.jobs.iter().find(|job| job.file_id() == id)?;
    Some((pipeline, job))
}

/// The jobs of the file that a job needs, directly.
fn needs(pipeline: &Pipeline, job: &Job) -> BTreeSet<String> {
    let needed = pipeline.jobs.iter().filter(|it| job.needs.contains(&it.id));
    needed.map(Job::file_id).collect()
}

/// What of `github` is the same whenever a run of a pull is looked at; labels, drafts and
/// branches may be others by now.
const LASTING: &[&str] = &["event_name", "repository", "repository_owner"];

/// Whether a condition of the job, or of one that it needs, may have been another when
/// the run was created.
fn rests_on_moment(pipeline: &Pipeline, job: &Job) -> bool {
    let mut open = vec![job];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        if !seen.insert(&next.id) {
            continue;
        }
        let condition = next.condition.as_deref().map(Expression::parse);
        let is_open = |condition: Result<Expression, _>| {
            condition.map_or(true, |condition| {
                let read = condition.properties_of("github");
                read.iter().any(|name| !LASTING.contains(&name.as_ref()))
            })
        };
        if condition.is_some_and(is_open) {
            return true;
        }
        let needed = pipeline.jobs.iter();
        open.extend(needed.filter(|other| next.needs.contains(&other.id)));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::Timestamp;
    use crate::engine::pipeline::github::{read, snapshot_of};
    use crate::engine::pipeline::rewrite::gates::job_lines;
    use crate::engine::pipeline::rewrite::{Around, Settings, rewrite};

    const PATH: &str = ".github/workflows/ci.yml";
    const S: &str = "    runs-on: x\n    steps: [{run: a}]\n";

    fn gated(jobs: &str) -> String {
        let text = format!("on: [pull_request, push]\njobs:\n{jobs}");
        rewrite(PATH, &text, &Around::default(), &Settings::default()).text
    }

    fn attempt(conclusion: Conclusion) -> Attempt {
        Attempt {
            run: 7,
            attempt: 1,
            pipeline: PATH.to_owned(),
            event: "pull_request".to_owned(),
            head: "a".repeat(40).parse().unwrap(),
            branch: None,
            fork: false,
            pulls: Vec::new(),
            created: Timestamp(0),
            started: Timestamp(0),
            updated: Timestamp(0),
            conclusion: Some(conclusion),
        }
    }

    fn row(name: &str, conclusion: Conclusion) -> JobRun {
        JobRun {
            run: 7,
            attempt: 1,
            id: 1,
            name: name.to_owned(),
            conclusion,
            created: Timestamp(0),
            started: Timestamp(0),
            ended: Timestamp(20_000),
            labels: Vec::new(),
            runner: None,
            steps: Vec::new(),
        }
    }

    /// What is found when the base has these jobs, the merge those, and jobs ended so:
    /// `unit=skipped`. `planned` are the jobs that a plan named.
    fn check((base, merge): (&str, &str), ended: &[&str], planned: &[&str], expected: &[&str]) {
        let (base, merge) = (snapshot_of(&[(PATH, base)]), snapshot_of(&[(PATH, merge)]));
        let (old, new) = (read(&base), read(&merge));
        let gates = [&base, &merge].map(|it| Gates::read(PATH, it.text(PATH).unwrap()));
        let rows: Vec<JobRun> = ended
            .iter()
            .map(|text| {
                let (name, word) = text.split_once('=').unwrap();
                row(name, Conclusion::of(word))
            })
            .collect();
        let is = |word| rows.iter().any(|row| row.conclusion == word);
        let worst = [Conclusion::Cancelled, Conclusion::Failure];
        let worst = worst.into_iter().find(|word| is(*word));
        let audit = audit(&Case {
            attempt: &attempt(worst.unwrap_or(Conclusion::Success)),
            jobs: &rows,
            base: File {
                pipeline: old.first(),
                gates: gates[0].as_ref(),
            },
            merge: File {
                pipeline: new.first(),
                gates: gates[1].as_ref(),
            },
            lines: &job_lines(PATH, merge.text(PATH).unwrap()),
            event: &EventContext::sample(),
            planned: &planned
                .iter()
                .map(|job| ((*job).to_owned(), Basis::Unaffected))
                .collect(),
            again: Some(&[]),
            history: &History::default(),
        });
        let word = |found: &Finding| format!("{} {}", found.kind.as_str(), found.job);
        let found: Vec<String> = audit.findings.iter().map(word).collect();
        assert_eq!(found, expected, "{ended:?} planned {planned:?}");
    }

    fn same(jobs: &str) -> (String, String) {
        (gated(jobs), gated(jobs))
    }

    #[test]
    fn a_planned_skip_holds_and_an_unplanned_one_does_not() {
        let (base, merge) = same(&format!("  unit:\n{S}  lint:\n{S}"));
        let files = (base.as_str(), merge.as_str());
        check(files, &["unit=skipped", "lint=success"], &["unit"], &[]);
        check(
            files,
            &["unit=skipped", "lint=success"],
            &[],
            &["unplanned-skip unit"],
        );
        check(
            files,
            &["unit=success", "lint=success"],
            &["unit"],
            &["ran-anyway unit"],
        );
        check(files, &["lint=success"], &["unit"], &[]);
        check(files, &["Unit=skipped"], &[], &[]);
    }

    #[test]
    fn what_would_have_skipped_it_without_us_explains_a_skip() {
        let jobs = format!(
            "  build:\n{S}  unit:\n    needs: build\n{S}  push:\n    if: github.event_name == 'push'\n{S}  \
             open:\n    if: vars.x == 'y'\n{S}  ready:\n    if: github.event.pull_request.draft == false\n{S}"
        );
        let (base, merge) = same(&jobs);
        let files = (base.as_str(), merge.as_str());
        check(files, &["build=failure", "unit=skipped"], &[], &[]);
        check(files, &["build=cancelled", "unit=skipped"], &[], &[]);
        check(
            files,
            &["build=success", "push=skipped", "open=skipped"],
            &[],
            &[],
        );
        // Whether it was a draft then is not known any more.
        check(files, &["ready=skipped"], &[], &[]);
        check(
            files,
            &["build=success", "unit=skipped"],
            &[],
            &["unplanned-skip unit"],
        );
    }

    #[test]
    fn a_skip_that_follows_from_a_planned_one_is_no_planned_one() {
        let jobs = format!("  build:\n{S}  unit:\n    needs: build\n{S}");
        let (base, merge) = same(&jobs);
        let files = (base.as_str(), merge.as_str());
        let ended = ["build=skipped", "unit=skipped"];
        check(files, &ended, &["build", "unit"], &[]);
        check(files, &ended, &["build"], &["unplanned-skip unit"]);
        check(
            files,
            &ended,
            &[],
            &["unplanned-skip build", "unplanned-skip unit"],
        );
    }

    #[test]
    fn what_a_pull_writes_into_its_workflow_explains_nothing() {
        let base = gated(&format!("  unit:\n{S}"));
        let plain = |jobs: &str| format!("on: [pull_request, push]\njobs:\n{jobs}");
        for jobs in [
            format!("  unit:\n    if: false\n{S}"),
            format!("  unit:\n    if: vars.x == 'y'\n{S}"),
            format!("  never:\n    if: false\n{S}  unit:\n    needs: never\n{S}"),
            format!("  fails:\n{S}  unit:\n    needs: fails\n{S}"),
        ] {
            let ended = ["unit=skipped", "never=skipped", "fails=failure"];
            let found = &["unplanned-skip unit"];
            check((&base, &plain(&jobs)), &ended, &[], found);
            check((&base, &gated(&jobs)), &ended[..1], &[], found);
        }
        // A job that the base does not have is the pull's own affair.
        let new = format!("  unit:\n{S}  new:\n    if: false\n{S}");
        check(
            (&base, &gated(&new)),
            &["unit=success", "new=skipped"],
            &[],
            &[],
        );
    }

    #[test]
    fn a_matrix_and_a_called_workflow_are_skipped_as_a_whole() {
        let matrix = "    strategy: {matrix: {py: [a, b]}}\n";
        let (base, merge) = same(&format!("  unit:\n{matrix}{S}"));
        let files = (base.as_str(), merge.as_str());
        check(files, &["unit=skipped"], &["unit"], &[]);
        check(files, &["unit=skipped"], &[], &["unplanned-skip unit"]);
        check(
            files,
            &["unit (a)=success", "unit (b)=success"],
            &["unit"],
            &["ran-anyway unit"],
        );
    }

    #[test]
    fn the_plan_job_costs_what_it_took() {
        let jobs = [
            row("trimtab plan / CI", Conclusion::Success),
            row("unit", Conclusion::Success),
        ];
        assert_eq!(cost(&attempt(Conclusion::Success), &jobs), 20);
    }
}
