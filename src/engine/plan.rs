//! The plan: the answer for one pull at one head, as `trimtab.plan/1`.
//!
//! For every job that the pull would start: run, skip or narrow, with a basis,
//! reasons and a counterfactual. This is a published format: fields and reason
//! ids are added, never renamed or removed; `docs/api.md` documents each, and a
//! test holds the two together.
//!
//! A skip without a basis cannot be written down: [`Verdict::Skip`] carries it.

use serde::{Deserialize, Serialize};

use super::ids::{ObjectId, PullNumber};

/// The name of the format, in every plan's `schema`.
pub const SCHEMA: &str = "trimtab.plan/1";

/// One plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// `owner/name`, or the directory's name in a local checkout.
    pub repository: String,
    /// The pull; `None` for a local checkout.
    pub pull: Option<PullNumber>,
    /// The tip of the base that was compared with.
    pub base: ObjectId,
    /// The pull's head.
    pub head: ObjectId,
    /// The tree that CI tests: the merge of head into base, as a tree id.
    pub merge: ObjectId,
    /// The mode in force.
    pub mode: Mode,
    /// SHA-256 of the configuration in force, in hex.
    pub policy_hash: String,
    /// The failure model's version; `None` while there is none.
    pub model: Option<String>,
    /// One entry for each job and leg that the pull would start.
    pub jobs: Vec<JobPlan>,
    /// Why everything runs; empty when nothing forces that.
    pub run_everything: Vec<RunEverything>,
    /// What could not be read or understood.
    pub diagnostics: Vec<Diagnostic>,
}

/// The plan of one job or leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobPlan {
    /// The pipeline's path.
    pub workflow: String,
    /// The key of the gated workflow; `None` while it is not gated.
    pub workflow_key: Option<String>,
    /// The job's id in that file.
    pub job: String,
    /// The leg of its matrix; `None` when all legs share the verdict.
    pub leg: Option<String>,
    /// What is to happen.
    pub verdict: Verdict,
    /// What a skip rests on; `None` for a job that runs.
    pub basis: Option<Basis>,
    /// Why, the most telling first; never empty.
    pub reasons: Vec<Reason>,
    /// What would change the verdict: `would run if an input in api/ changed`.
    pub counterfactual: String,
    /// How long it takes.
    pub estimate: Option<Estimate>,
    /// Where a skipped job runs anyway.
    pub backstop: Option<String>,
    /// Which tests go first, or alone.
    pub narrow: Option<Narrow>,
    /// What its skip would rest on if the holdout had not drawn the pull; `None` where it
    /// would run as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<Basis>,
}

/// What is to happen with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It runs.
    Run,
    /// It does not run.
    Skip,
    /// It runs with the tests named in `narrow`.
    Narrow,
}

/// What a skip rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Its inferred inputs are equal on base and merge.
    Unaffected,
    /// The inputs it was seen to use are equal on base and merge.
    Traced,
    /// An execution with equal inputs passed.
    Unchanged,
    /// The failure model is under its threshold.
    Improbable,
    /// A maintainer said so.
    Told,
}

/// The mode of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Plans are recorded and scored; only the check is written.
    #[default]
    Observe,
    /// The comment is written too.
    Advise,
    /// Jobs are skipped.
    Enforce,
}

impl Mode {
    /// The word in files, tables and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Advise => "advise",
            Self::Enforce => "enforce",
        }
    }
}

/// One reason, with the chain that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The kind of reason.
    pub id: ReasonId,
    /// What it is about: a path, a job, a rule, a line.
    pub subject: String,
    /// From the changed file to the job's entry point; empty where there is no way.
    pub path: Vec<String>,
}

macro_rules! reason_ids {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// The kinds of reason. Ids are added, never renamed or removed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ReasonId {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl ReasonId {
            /// Every id, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The id as it stands in a plan.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

reason_ids! {
    // Why a job runs.
    /// A changed file is one of the job's inputs; `path` leads to an entry point.
    InputChanged = "input-changed",
    /// The job's own definition changed.
    DefinitionChanged = "definition-changed",
    /// The slice of a lockfile that the job reaches changed.
    LockChanged = "lock-changed",
    /// The job is new on this pull.
    JobIsNew = "job-is-new",
    /// A job that runs needs it.
    NeededBy = "needed-by",
    /// A job that it needs has changed inputs, and theirs are among its own.
    NeedsChanged = "needs-changed",
    /// It is opaque: everything is its input, and something changed.
    Opaque = "opaque",
    /// It is never skipped; the subject says why.
    NeverSkipped = "never-skipped",
    /// It would not run anywhere else.
    NoBackstop = "no-backstop",
    /// Something forces everything to run; see `run_everything`.
    EverythingRuns = "everything-runs",
    /// A person asked for it.
    Asked = "asked",
    /// The configuration says `always`.
    AlwaysRuns = "always-runs",
    /// The configuration does not let skips rest on what this one would.
    BasisNotAllowed = "basis-not-allowed",
    /// `enforce.ramp` does not let so many job-minutes be skipped yet.
    OutsideRamp = "outside-ramp",
    // Why a job is skipped.
    /// None of its inferred inputs changed.
    InputsEqual = "inputs-equal",
    /// None of its traced inputs changed.
    TracedInputsEqual = "traced-inputs-equal",
    /// An execution with equal inputs passed.
    ReceiptHolds = "receipt-holds",
    /// The failure model is under its threshold.
    UnderThreshold = "under-threshold",
    /// A maintainer said so.
    Told = "told",
    // Why everything runs.
    /// A file that no package owns changed.
    UnownedFile = "unowned-file",
    /// A toolchain file, base image or build script that no single package owns changed,
    /// or what git does to a checkout: its attributes, or a symbolic link.
    ToolchainFile = "toolchain-file",
    /// A submodule moved.
    SubmoduleMoved = "submodule-moved",
    /// An added path cannot be checked out on every system, or not beside another one.
    UnportablePath = "unportable-path",
    /// A rule of `always_full` matched.
    AlwaysFull = "always-full",
    /// A lockfile has a format that is not known, or does not parse.
    UnknownLockfile = "unknown-lockfile",
    /// The pull edits the gate, the plan job or Trimtab's configuration.
    GateEdited = "gate-edited",
    /// The list of changes is not complete.
    DiffTruncated = "diff-truncated",
    /// The base is unknown, or head and base have no common history.
    BaseUnknown = "base-unknown",
    /// Head cannot be merged into base.
    MergeConflict = "merge-conflict",
    /// The mirror of the repository is not ready.
    MirrorNotReady = "mirror-not-ready",
    /// The configuration on the base has faults, and no earlier good one is known.
    ConfigurationUnreadable = "configuration-unreadable",
    /// The pull is in a merge queue or train.
    InQueue = "in-queue",
    /// The event is not a pull: a push, a tag, a schedule.
    NotAPull = "not-a-pull",
    /// No backstop covers the target branch.
    TargetNotCovered = "target-not-covered",
    /// The holdout chose this pull.
    Holdout = "holdout",
    /// A person, a label or a trailer asked for everything.
    AskedForAll = "asked-for-all",
    /// The pull or the repository is paused.
    Paused = "paused",
    /// A pipeline file could not be read.
    PipelineUnreadable = "pipeline-unreadable",
}

/// Why everything runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEverything {
    /// The kind of reason.
    pub id: ReasonId,
    /// The path, rule or person.
    pub subject: String,
}

/// How long a job takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Seconds of runner time.
    pub seconds: u64,
    /// Where the number comes from.
    pub kind: EstimateKind,
    /// How many runs stand behind it; 0 for a guess from nothing.
    pub n: u32,
}

/// Where a number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EstimateKind {
    /// The median of this job's own runs.
    Measured,
    /// From other jobs, or from nothing.
    Estimated,
}

/// Which tests of a job go first, or alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    /// First, or only these.
    pub how: NarrowHow,
    /// The tests, as their runner writes them.
    pub tests: Vec<String>,
}

/// How a narrowed job treats its tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NarrowHow {
    /// These first, then the others.
    First,
    /// Only these.
    Only,
}

/// Something that could not be read or understood, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnostic {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
    /// One sentence that says what to do.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_id_is_spelled_alike_in_code_and_json() {
        for id in ReasonId::ALL {
            assert_eq!(
                serde_json::to_string(id).unwrap(),
                format!("\"{}\"", id.as_str())
            );
        }
    }
}
