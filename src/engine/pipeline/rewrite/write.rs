//! From fates to text: the edits of one workflow, checked as data and as bytes.
//!
//! Nothing is written that does not read back as exactly what was meant, or that cannot be
//! taken back to the byte.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{self, WorkflowJob};
use super::rules::Fate;
use super::{Around, OK_JOB, PLAN_JOB, Refusal, Settings, gate, parse, sum};
use crate::engine::pipeline::edit::{self, Change, Edit};
use crate::engine::plan_line::WorkflowKey;
use crate::engine::yaml::{self, Node};

/// The comment in which a rewrite notes which required checks it knew of.
const REQUIRED: &str = "# required checks: ";

/// A workflow with what becomes of its jobs.
pub(super) struct Draft<'a> {
    pub(super) path: &'a str,
    pub(super) original: &'a str,
    pub(super) root: &'a Node,
    pub(super) jobs: &'a [WorkflowJob],
    pub(super) by_id: &'a BTreeMap<String, usize>,
    pub(super) fates: &'a [Fate],
}

impl Draft<'_> {
    /// The rewritten text and the key of its gates; the original where nothing is to be
    /// added.
    pub(super) fn write(
        &self,
        around: &Around,
        settings: &Settings,
    ) -> Result<(String, Option<WorkflowKey>), Refusal> {
        let gated = self.gated();
        let members = sum::members(self.jobs, self.by_id, &around.summed);
        if gated.is_empty() && members.is_empty() {
            return Ok((self.original.to_owned(), None));
        }
        let (line, indent) = read::jobs_place(self.root, self.original)
            .ok_or(Refusal::Format("`jobs` is not written as a block"))?;
        let key = (!gated.is_empty()).then(|| WorkflowKey::of(self.path, &gated));
        let text = self.added(key.as_ref(), &members, around, settings);
        let mut edits = vec![Edit::Block { line, text, indent }];
        let mut changes = BTreeMap::new();
        for (job, fate) in self.jobs.iter().zip(self.fates) {
            if let Some(change) = change(job, fate) {
                edits.extend(edits_of(job, &change)?);
                changes.insert(job.id.clone(), change);
            }
        }
        let text = edit::apply(self.original, &edits);
        let plan = key.as_ref().map(|_| PLAN_JOB);
        let ok = (!members.is_empty()).then_some(OK_JOB);
        let added: Vec<&str> = plan.into_iter().chain(ok).collect();
        self.prove(&text, &changes, &added)?;
        Ok((text, key))
    }

    fn gated(&self) -> Vec<&str> {
        let fates = self.jobs.iter().zip(self.fates);
        let gated = fates.filter(|(_, fate)| **fate == Fate::Gated);
        gated.map(|(job, _)| job.id.as_str()).collect()
    }

    /// The jobs that are added, with what is to be remembered before them.
    fn added(
        &self,
        key: Option<&WorkflowKey>,
        members: &BTreeSet<usize>,
        around: &Around,
        settings: &Settings,
    ) -> String {
        let label = around.label(self.path, self.root);
        let known = around.required.as_ref().map(|checks| {
            let checks: Vec<String> = checks.iter().map(|check| gate::quoted(check)).collect();
            format!("{REQUIRED}[{}]\n", checks.join(", "))
        });
        let plan = key.map(|key| gate::plan_job(&label, key, settings));
        let jobs = (self.jobs, self.fates);
        let ok = sum::job(&label, jobs, self.by_id, members, settings);
        known.into_iter().chain(plan).chain([ok]).collect()
    }

    fn prove(
        &self,
        text: &str,
        changes: &BTreeMap<String, Change>,
        added: &[&str],
    ) -> Result<(), Refusal> {
        let reread = parse(self.path, text).map_err(Refusal::Unequal)?;
        edit::verify(self.root, &reread, changes, added)
            .map_err(|unequal| Refusal::Unequal(unequal.to_string()))?;
        if edit::undo(text).as_deref() == Some(self.original) {
            Ok(())
        } else {
            let why = "undoing it would not give back every byte";
            Err(Refusal::Unequal(why.to_owned()))
        }
    }
}

/// The required checks that a rewritten text remembers; `None` when nobody ever said.
pub(super) fn remembered(path: &str, text: &str) -> Option<Vec<String>> {
    let ours = edit::split(text)?.ours;
    let mut lines = ours.lines().map(str::trim_start);
    let list = lines.find_map(|line| line.strip_prefix(REQUIRED))?;
    let root = yaml::parse_written(path, list).ok()?;
    Some(root.words().into_iter().map(str::to_owned).collect())
}

/// What is to change of a job; `None` when nothing is.
fn change(job: &WorkflowJob, fate: &Fate) -> Option<Change> {
    match fate {
        Fate::Refused(_) => None,
        Fate::Restated(_) => Some(Change {
            needs: None,
            condition: Some(gate::restatement(job)),
        }),
        Fate::Gated => {
            let plan = std::iter::once(PLAN_JOB.to_owned());
            Some(Change {
                needs: Some(plan.chain(job.needs.iter().cloned()).collect()),
                condition: Some(gate::gate(job)),
            })
        }
    }
}

fn edits_of(job: &WorkflowJob, change: &Change) -> Result<Vec<Edit>, Refusal> {
    let place = job.place.clone()?;
    let indent = " ".repeat(place.indent);
    let needs = change.needs.as_ref().map(|needs| {
        (
            place.needs,
            format!("{indent}needs: [{}]", needs.join(", ")),
        )
    });
    let condition = change.condition.as_ref().map(|condition| {
        (
            place.condition,
            format!("{indent}if: {}", gate::quoted(condition)),
        )
    });
    let edit = |(place_of, text): (Option<(usize, usize)>, String)| match place_of {
        Some((first, last)) => Edit::Instead { first, last, text },
        None => Edit::After {
            line: place.key,
            text,
        },
    };
    Ok(needs.into_iter().chain(condition).map(edit).collect())
}
