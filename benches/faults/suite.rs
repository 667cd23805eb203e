//! The commands of a project's jobs, and what came of them.
//!
//! A project file says which command stands for which jobs. A command runs in the
//! checkout, under a time limit, and its result is its exit status together with
//! what its report says of each test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::report::{self, Format, Outcomes};

/// A project, as its file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    /// `owner/name`, for the table.
    pub(crate) name: String,
    /// The commit that faults are seeded into.
    pub(crate) revision: String,
    /// The target branch of the pulls.
    pub(crate) branch: String,
    /// Directories beside the tree that stay between faults.
    #[serde(default)]
    pub(crate) keep: Vec<String>,
    /// A workflow that is added to the project's own before anything is measured.
    pub(crate) pipeline: Option<String>,
    /// Runs after each checkout, for build tools that go by time stamps.
    pub(crate) before: Option<String>,
    pub(crate) run: Vec<Run>,
}

/// One command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// The jobs it stands for, as `WORKFLOW:JOB`.
    pub(crate) jobs: Vec<String>,
    pub(crate) command: String,
    pub(crate) report: Format,
    /// Where it runs.
    #[serde(default)]
    pub(crate) dir: String,
    /// What the places in a report are relative to: the import path of a Go module,
    /// the directory of a crate.
    #[serde(default)]
    pub(crate) home: String,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) passed: bool,
    /// `None` when there was no whole report.
    pub(crate) tests: Option<Outcomes>,
}

/// A command whose processes take more processor time has failed, and so has one
/// that takes this much time of any sort: a busy machine alone fails nothing.
const SECONDS: (u32, u32) = (60, 1800);

/// Runs commands in one checkout.
#[derive(Debug)]
pub(crate) struct Suite<'a> {
    pub(crate) project: &'a Project,
    pub(crate) checkout: &'a Path,
    /// For outputs and reports; outside the checkout.
    pub(crate) scratch: PathBuf,
}

impl Suite<'_> {
    /// What has to happen after a checkout.
    ///
    /// # Errors
    /// When it fails: what is measured afterwards would say nothing of the fault.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        let Some(command) = &self.project.before else {
            return Ok(());
        };
        let status = Command::new("bash")
            .arg("-c")
            .arg(command)
            .current_dir(self.checkout)
            .status();
        let status = status.context("prepare the checkout")?;
        ensure!(
            status.success(),
            "the checkout cannot be prepared, {status}: `{command}`; repair `before` in the project's file"
        );
        Ok(())
    }

    pub(crate) fn run(&self, run: &Run) -> anyhow::Result<Ran> {
        let (output, report) = (self.scratch.join("output"), self.scratch.join("report"));
        if report.exists() {
            std::fs::remove_file(&report).context("remove the last report")?;
        }
        let file = File::create(&output).context("create the output")?;
        let dir = self.checkout.join(&run.dir);
        if !dir.is_dir() {
            // The fault took the whole directory away.
            return Ok(Ran {
                passed: false,
                tests: None,
            });
        }
        let status = Command::new("timeout")
            .args(["--kill-after=5", &SECONDS.1.to_string(), "bash", "-c"])
            .arg(format!("ulimit -t {}; {}", SECONDS.0, run.command))
            .current_dir(dir)
            .env("REPORT", &report)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .status()
            .with_context(|| format!("start {}", run.command))?;
        let source = match run.report {
            Format::Go | Format::Cargo => &output,
            Format::None | Format::Junit | Format::Mocha | Format::Vitest => &report,
        };
        let bytes = std::fs::read(source).unwrap_or_default();
        let root = self.checkout.to_string_lossy();
        let tests = report::read(run.report, &String::from_utf8_lossy(&bytes), &root).ok();
        Ok(Ran {
            passed: status.success(),
            tests: tests.filter(|tests| !tests.is_empty()),
        })
    }
}
