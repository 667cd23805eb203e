//! The configuration of a repository: `.trimtab.yml`, read from the base commit.
//!
//! Every key has a default, and a file with faults is never half-used: faults
//! are reported with line and column, and the last good configuration stays.

use std::collections::BTreeMap;

use super::globs::Glob;
use super::plan::{Basis, Diagnostic, Mode};
use super::yaml::Node;

mod fit;
mod parse;
mod spelling;

pub use fit::{brought, unfit};
pub use parse::{Key, parse, policy_hash, reference};

/// The name of the file at the root.
pub const FILE: &str = ".trimtab.yml";

/// One configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `mode`; `None` where the file does not say it.
    pub mode: Option<Mode>,
    /// `enforce`
    pub enforce: Cohort,
    /// `holdout`: percent of pulls that run in full.
    pub holdout: u8,
    /// `rollback`
    pub rollback: Rollback,
    /// `always_full`: globs added to the built-in ones.
    pub always_full: Vec<Glob>,
    /// `jobs`: by glob over job ids, in the order of the file.
    pub jobs: Vec<(Box<str>, JobPolicy)>,
    /// `owns`: a package's directory for files that none owns, by glob.
    pub owns: BTreeMap<Glob, Box<str>>,
    /// `tests.reports`
    pub reports: Vec<Box<str>>,
    /// `tests.coverage`
    pub coverage: Vec<Box<str>>,
    /// `perf`
    pub perf: Perf,
    /// `size`
    pub size: Size,
    /// `gates`
    pub gates: Gates,
    /// `notify.slack`: the name of a channel.
    pub slack: Option<Box<str>>,
}

/// Who takes part in `enforce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Percent of pulls.
    pub percent: u8,
    /// Percent of job-minutes, the least likely to fail first.
    pub ramp: u8,
    /// Labels that bring a pull in; empty means no restriction.
    pub labels: Vec<Box<str>>,
    /// Logins that bring a pull in; empty means no restriction.
    pub users: Vec<Box<str>>,
    /// Path globs that bring a pull in; empty means no restriction.
    pub paths: Vec<Glob>,
    /// Which bases may skip.
    pub bases: Vec<Basis>,
}

/// When the mode falls by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// Percent of true failures missed.
    pub miss_rate: u8,
    /// Skip verdicts that the window holds.
    pub window: u32,
}

/// What is said of some jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobPolicy {
    /// `inputs`: globs of entry points.
    pub inputs: Option<Vec<Glob>>,
    /// `exact`: the globs are all there is; they are not closed over the graph.
    pub exact: bool,
    /// `skip`: `auto` or `never`.
    pub skip: Skip,
}

/// Whether a job may be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Skip {
    /// As the evidence says.
    #[default]
    Auto,
    /// Never.
    Never,
}

/// `perf`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perf {
    /// Globs of profiles.
    pub profiles: Vec<Box<str>>,
    /// Globs of benchmark results.
    pub benchmarks: Vec<Box<str>>,
    /// Percent that counts as slower.
    pub threshold: u8,
}

/// `size`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Changed lines of a pull.
    pub pull_lines: u32,
    /// Bytes of a new file.
    pub file_bytes: u64,
    /// Percent that an artifact may grow, by glob.
    pub artifacts: BTreeMap<Box<str>, u32>,
}

/// `gates`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gates {
    /// Percent of lines covered in all.
    pub coverage_min: Option<u8>,
    /// Percent of changed lines covered.
    pub coverage_patch: Option<u8>,
}

/// What is wrong at a place of the file.
fn fault(node: &Node, message: &str) -> Diagnostic {
    Diagnostic {
        path: FILE.to_owned(),
        line: node.line,
        column: node.column,
        message: message.to_owned(),
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: None,
            enforce: Cohort {
                percent: 100,
                ramp: 100,
                labels: Vec::new(),
                users: Vec::new(),
                paths: Vec::new(),
                bases: vec![Basis::Unaffected, Basis::Traced],
            },
            holdout: 5,
            rollback: Rollback {
                miss_rate: 2,
                window: 200,
            },
            always_full: Vec::new(),
            jobs: Vec::new(),
            owns: BTreeMap::new(),
            reports: vec!["**/junit*.xml".into()],
            coverage: vec!["**/lcov.info".into()],
            perf: Perf {
                profiles: vec!["**/*.folded".into()],
                benchmarks: vec!["**/bench*.json".into()],
                threshold: 5,
            },
            size: Size {
                pull_lines: 500,
                file_bytes: 1_048_576,
                artifacts: BTreeMap::new(),
            },
            gates: Gates::default(),
            slack: None,
        }
    }
}
