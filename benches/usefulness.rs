//! How useful plans are on real repositories: what is understood, what is skipped.
//!
//! Two steps, each a subcommand of `cargo bench --bench usefulness --`:
//! `jobs --repo DIR...` reads HEAD of each repository and prints, of the jobs that a
//! pull would start, how many are test or lint jobs, how many of those are understood,
//! and why the others are not. `merges --repo DIR [--last 300]` plans the last merges
//! and prints one row of a table: what was skipped, and why jobs ran.
//!
//! `DIR` may be `OWNER/NAME=DIR`: conditions of pipelines compare the name. Nothing is
//! written but facts in the cache directory; no network is used.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

#[path = "usefulness/jobs.rs"]
mod jobs;
#[path = "usefulness/merges.rs"]
mod merges;
#[path = "usefulness/pulls.rs"]
mod pulls;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use trimtab::config;
use trimtab::engine::pipeline::EventContext;
use trimtab::engine::policy;
use trimtab::repo::{FactsCache, Repo};

const USAGE: &str = "usage: cargo bench --bench usefulness -- jobs [--verbose] --repo DIR... | merges --repo DIR [--last N] (see the head of benches/usefulness.rs)";

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let step = words.next().context(USAGE)?;
    let mut subjects = Vec::new();
    let (mut last, mut verbose) = (300, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--repo" => {}
            "--verbose" => verbose = true,
            "--last" => {
                let count = words.next().context(USAGE)?;
                last = count.parse().context("read --last")?;
            }
            flag if flag.starts_with('-') => bail!("{flag} is not known\n{USAGE}"),
            dir => subjects.push(Subject::open(dir)?),
        }
    }
    ensure!(!subjects.is_empty(), USAGE);
    match step.as_str() {
        "jobs" => {
            let detail = if verbose {
                jobs::Detail::EveryCause
            } else {
                jobs::Detail::Frequent
            };
            print!("{}", jobs::measure(&subjects, detail)?);
        }
        "merges" => {
            for subject in &subjects {
                print!("{}", merges::measure(subject, last)?);
            }
        }
        other => bail!("{other} is no step\n{USAGE}"),
    }
    Ok(())
}

/// One repository that is measured.
pub(crate) struct Subject {
    /// `owner/name`, or the directory's name.
    pub(crate) name: String,
    pub(crate) repo: Repo,
    /// The branch that pulls are meant for.
    branch: String,
}

impl Subject {
    fn open(word: &str) -> anyhow::Result<Self> {
        let (name, dir) = match word.split_once('=') {
            Some((name, dir)) => (Some(name.to_owned()), Path::new(dir)),
            None => (None, Path::new(word)),
        };
        let scratch = cache().join("scratch");
        let repo = Repo::open(dir, &scratch).with_context(|| format!("open {}", dir.display()))?;
        let base = dir.file_name().unwrap_or_default().to_string_lossy();
        let head = git(&repo, &["symbolic-ref", "--short", "-q", "HEAD"]).unwrap_or_default();
        let known = repo.default_branch().unwrap_or_default();
        let known = known.rsplit('/').next().unwrap_or_default();
        let branch = [head.trim(), known, "main"];
        let branch = branch.into_iter().find(|name| !name.is_empty());
        Ok(Self {
            name: name.unwrap_or_else(|| base.into_owned()),
            branch: branch.unwrap_or_default().to_owned(),
            repo,
        })
    }

    /// A pull of an unknown author against the default branch.
    pub(crate) fn event(&self) -> EventContext {
        EventContext {
            target: self.branch.as_str().into(),
            source: "".into(),
            activity: "synchronize".into(),
            draft: false,
            fork: false,
            author: "".into(),
            labels: Vec::new(),
            repository: self.name.as_str().into(),
            default_branch: self.branch.as_str().into(),
        }
    }

    /// The facts of this repository that were extracted before.
    pub(crate) fn facts(&self) -> FactsCache {
        let path = self.repo.git_dir().to_string_lossy();
        let hash = policy::policy_hash(&path);
        FactsCache::open(&cache().join(format!("{}.bin", hash.get(..16).unwrap_or(&hash))))
    }
}

fn cache() -> PathBuf {
    let dir = config::cache_dir().unwrap_or_else(std::env::temp_dir);
    dir.join("usefulness")
}

/// What git prints.
pub(crate) fn git(repo: &Repo, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(repo.git_dir())
        .args(arguments)
        .output()
        .context("start git")?;
    ensure!(output.status.success(), "git {arguments:?} failed");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
