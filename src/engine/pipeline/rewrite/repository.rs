//! All workflows of a repository, rewritten with what they know of each other.
//!
//! A workflow alone does not tell who listens to it, nor where else its jobs run. Here
//! are all of them: a job that would run nowhere else is not gated, and neither is a
//! workflow whose end starts another.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Around, Refusal, Rewrite, Settings, rewrite};
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::{EventContext, Pipeline, edit, filter, github};
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};

/// One workflow file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRewrite {
    /// Its path from the root.
    pub path: String,
    /// Its text as it was found.
    pub found: String,
    /// The rewrite.
    pub rewrite: Rewrite,
}

impl FileRewrite {
    /// Whether the file holds a rewrite that is not what it would be today: the workflow
    /// changed around it, or somebody edited it by hand.
    pub fn is_stale(&self) -> bool {
        let refused = self.rewrite.refused.is_some();
        self.is_rewritten() && (refused || self.found != self.rewrite.text)
    }

    /// Whether the file holds a rewrite, or what is left of one.
    pub fn is_rewritten(&self) -> bool {
        edit::is_marked(&self.found)
    }
}

/// Rewrites every workflow among the files, given by path; `branch` is the default branch.
pub fn rewrite_all(
    files: &BTreeMap<String, String>,
    branch: &str,
    settings: &Settings,
) -> Vec<FileRewrite> {
    let originals: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| {
            let original = edit::undo(text).unwrap_or_else(|| text.clone());
            (path.as_str(), original)
        })
        .collect();
    let snapshot = snapshot(&originals);
    let pipelines = github::read(&snapshot);
    let one = |pipeline: &Pipeline| {
        let found = files.get(pipeline.path.as_ref())?;
        let around = around(&pipelines, pipeline, branch);
        Some(FileRewrite {
            path: pipeline.path.to_string(),
            found: found.clone(),
            rewrite: rewrite(&pipeline.path, found, &around, settings),
        })
    };
    pipelines.iter().filter_map(one).collect()
}

fn snapshot(files: &[(&str, String)]) -> Snapshot {
    let blob = |text: &str| ObjectId::from_bytes(&Sha256::digest(text.as_bytes()));
    let entry = |(path, text): &(&str, String)| {
        Some(Entry {
            path: (*path).into(),
            mode: Mode::File,
            blob: blob(text)?,
        })
    };
    let tree = Tree::new(files.iter().filter_map(entry).collect());
    let mut snapshot = Snapshot::new(tree);
    for (_, text) in files {
        if let Some(blob) = blob(text) {
            snapshot.insert_text(blob, Arc::from(text.as_str()));
        }
    }
    snapshot
}

fn around(pipelines: &[Pipeline], pipeline: &Pipeline, branch: &str) -> Around {
    let listens = |other: &&Pipeline| other.listens_to.contains(&pipeline.name);
    let listeners = pipelines.iter().filter(listens);
    Around {
        listeners: listeners.map(|other| other.path.to_string()).collect(),
        blocked: without_backstop(pipelines, pipeline, branch),
    }
}

/// Jobs of the file of which a part runs on pulls only.
fn without_backstop(
    pipelines: &[Pipeline],
    pipeline: &Pipeline,
    branch: &str,
) -> BTreeMap<String, Refusal> {
    let event = EventContext {
        target: branch.into(),
        source: "".into(),
        activity: "synchronize".into(),
        draft: false,
        fork: false,
        author: "".into(),
        labels: Vec::new(),
        repository: "".into(),
        default_branch: branch.into(),
    };
    let has_none =
        |job: &&_| filter::backstops(pipelines, pipeline, job, branch, &event).is_empty();
    let jobs = pipeline.jobs.iter().filter(has_none);
    let ids = jobs.map(|job| job.caller.as_ref().unwrap_or(&job.id).to_string());
    ids.map(|id| (id, Refusal::NoBackstop)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let files = files
            .iter()
            .map(|(name, text)| (format!(".github/workflows/{name}"), (*text).to_owned()))
            .collect();
        let done = rewrite_all(&files, "main", &Settings::default());
        let mut lines = Vec::new();
        for file in &done {
            assert!(!file.is_stale());
            let name = file.path.rsplit('/').next().unwrap();
            lines.extend(
                file.rewrite
                    .refused
                    .iter()
                    .map(|why| format!("{name}: {}", why.id())),
            );
            lines.extend(file.rewrite.jobs.iter().map(|job| {
                let why = job.why.as_ref().map_or("gated", Refusal::id);
                format!("{name} {}: {why}", job.job)
            }));
        }
        assert_eq!(lines, expected);
    }

    const JOBS: &str = "jobs:\n  unit:\n    runs-on: x\n    steps: [{run: a}]\n";

    #[test]
    fn a_job_that_runs_on_pulls_only_is_not_gated() {
        let on_both = format!("on: [pull_request, push]\n{JOBS}");
        let on_pulls = format!("on: pull_request\n{JOBS}");
        let elsewhere = format!("on:\n  pull_request:\n  push:\n    branches: [release]\n{JOBS}");
        check(
            &[
                ("a.yml", &on_both),
                ("b.yml", &on_pulls),
                ("c.yml", &elsewhere),
            ],
            &[
                "a.yml unit: gated",
                "b.yml unit: no-backstop",
                "c.yml unit: no-backstop",
            ],
        );
    }

    #[test]
    fn a_workflow_whose_end_starts_another_is_left_alone() {
        let heard = format!("name: CI\non: [pull_request, push]\n{JOBS}");
        let hears = format!("on:\n  workflow_run:\n    workflows: [CI]\n{JOBS}");
        check(
            &[("a.yml", &heard), ("b.yml", &hears)],
            &["a.yml: listened-to", "b.yml: not-on-pulls"],
        );
    }

    #[test]
    fn a_rewrite_that_was_edited_by_hand_is_stale() {
        let path = ".github/workflows/a.yml".to_owned();
        let text = format!("on: [pull_request, push]\n{JOBS}");
        let files = BTreeMap::from([(path.clone(), text)]);
        let first = rewrite_all(&files, "main", &Settings::default());
        let again = |text: String| {
            let files = BTreeMap::from([(path.clone(), text)]);
            rewrite_all(&files, "main", &Settings::default())[0].is_stale()
        };
        let written = first[0].rewrite.text.clone();
        assert!(!again(written.clone()));
        assert!(again(written.replace("'|unit|'", "'|units|'")));
        assert!(again(
            written.replace("timeout-minutes: 3", "timeout-minutes: 30")
        ));
    }
}
