//! Why a job or a workflow is not gated, and what a maintainer can do about it.

/// Why a job or a workflow is not gated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The workflow can be called by others: a permission that the caller does not give
    /// would make its whole run invalid.
    #[error("other workflows call it, and a plan job could make their runs invalid")]
    Callable,
    /// Pulls do not start the workflow.
    #[error("it does not run on `pull_request`")]
    NotOnPulls,
    /// The workflow runs with the base's secrets.
    #[error("it also runs on pull_request_target")]
    PullTarget,
    /// Another workflow starts when this one ends.
    #[error("{0} starts when it ends, and would see another outcome")]
    ListenedTo(String),
    /// A job has the id of a job of ours.
    #[error("it has a job `trimtab-plan` or `trimtab-ok` that is not ours")]
    HasPlanJob,
    /// A mark of ours is gone, and with it what would take the line back.
    #[error("`trimtab-plan` or `trimtab-ok` is named where our mark ` # trimtab` is gone")]
    Edited,
    /// The file holds text that looks like ours.
    #[error("it holds a mark of ours in a form that we do not write")]
    Marked,
    /// Two ids differ only in case.
    #[error("two job ids differ only in case")]
    SameIds,
    /// The file is no workflow.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// The edit would change something else, or could not be taken back.
    #[error("it cannot be edited without changing something else: {0}")]
    Unequal(String),
    /// A gate would be longer or deeper than GitHub allows.
    #[error("its condition would become longer or deeper than GitHub allows")]
    TooLong,
    /// The job has an environment.
    #[error("it has an environment")]
    Environment,
    /// `${{ }}` stands inside other text, which is always true.
    #[error("its condition has text around ${{{{ }}}}, which is always true")]
    EmbeddedExpression,
    /// A block scalar holds `${{ }}`.
    #[error("its condition is a block with ${{{{ }}}} in it, whose meaning cannot be verified")]
    BlockExpression,
    /// The condition does not parse.
    #[error("its condition cannot be read")]
    Unparsable,
    /// The condition calls `success()` or `failure()`, which would see the plan job.
    #[error("its condition asks for success() or failure(), which would see the plan job too")]
    AsksStatus,
    /// A job above it calls a status function.
    #[error("{0}, above it, has a condition with a status function")]
    StatusAbove(String),
    /// It looks at all its needs at once.
    #[error("it looks at all its needs at once, and would see the plan job among them")]
    OpenNeeds,
    /// A job below it would see the plan job.
    #[error("{0}, below it, would see how the plan job ended")]
    SeenBelow(String),
    /// Its lines cannot be edited.
    #[error("{0}")]
    Format(&'static str),
    /// Nothing would run it later.
    #[error("it runs on pulls only, so that a skip would never be made good")]
    NoBackstop,
    /// The token of the job may write deployments.
    #[error("its token may write deployments")]
    Deploys,
    /// A required check does not report while the job is skipped.
    #[error("the check `{0}` is required, and does not report while the job is skipped")]
    RequiredVanishes(String),
    /// Some of its checks do not report while it is skipped, and may be required.
    #[error("while it is skipped its checks do not report, and nobody said which are required")]
    RequiredUnknown,
    /// The job may be what another app waits for before it reports a required check.
    #[error("it may bring about the check `{0}`, which is required and of another app")]
    RequiredElsewhere(String),
    /// A workflow that starts after this one may read what the job uploads.
    #[error("{0} starts when the workflow ends, and may read what the job uploads")]
    ArtifactsRead(String),
    /// The plan job costs at least as much as all skips could save.
    #[error("skipping every job of it saves no more than asking for the plan costs")]
    NoSaving,
}

impl Refusal {
    /// Whether the job can still have its needs asked for by name.
    pub(super) fn allows_restating(&self) -> bool {
        matches!(
            self,
            Self::Environment
                | Self::OpenNeeds
                | Self::NoBackstop
                | Self::Deploys
                | Self::RequiredVanishes(_)
                | Self::RequiredUnknown
                | Self::RequiredElsewhere(_)
                | Self::ArtifactsRead(_)
        )
    }

    /// Whether the job's own condition is what could not be read.
    pub(super) fn is_of_condition(&self) -> bool {
        matches!(
            self,
            Self::EmbeddedExpression | Self::BlockExpression | Self::Unparsable
        )
    }

    /// Whether gates that a file has are to be taken away, because it may not be gated.
    pub(super) fn ends_gates(&self) -> bool {
        matches!(
            self,
            Self::Callable
                | Self::NotOnPulls
                | Self::PullTarget
                | Self::ListenedTo(_)
                | Self::NoSaving
        )
    }

    /// What a maintainer can do about it; `None` when nothing needs doing.
    pub fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Callable => "gate the workflows that call it",
            Self::EmbeddedExpression => "write the whole condition inside one ${{ }}",
            Self::BlockExpression => "write the condition on one line",
            Self::AsksStatus => "write `!cancelled()` and name the needs whose result counts",
            Self::OpenNeeds => "name each need: needs.ID.result",
            Self::NoBackstop => {
                "let it run on pushes to the default branch too, by the name of that branch under `on: push: branches:`"
            }
            Self::Format(_) => "write the job as a block, with `needs` and `if` of its own",
            Self::HasPlanJob => "give that job another id",
            Self::Edited => {
                "restore the file as the rewrite wrote it, from its history, or put the mark back at the end of the line; then run this again"
            }
            Self::Marked => {
                "restore the lines between trimtab-begin and trimtab-end from its history, or take the mark out"
            }
            Self::RequiredVanishes(_) => {
                "require `trimtab ok / NAME OF THE WORKFLOW` in place of the checks of this job, then run this again"
            }
            Self::RequiredUnknown => {
                "name each required check with `--required NAME`, or say `--required ''` when none is"
            }
            Self::ArtifactsRead(_) => "upload in a job of its own, which needs this one",
            Self::Environment
            | Self::Deploys
            | Self::RequiredElsewhere(_)
            | Self::NoSaving
            | Self::NotOnPulls
            | Self::PullTarget
            | Self::ListenedTo(_)
            | Self::SameIds
            | Self::Unreadable(_)
            | Self::Unequal(_)
            | Self::TooLong
            | Self::Unparsable
            | Self::StatusAbove(_)
            | Self::SeenBelow(_) => return None,
        })
    }

    /// The refusal as one word for counting.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Callable => "callable",
            Self::NotOnPulls => "not-on-pulls",
            Self::PullTarget => "pull-target",
            Self::ListenedTo(_) => "listened-to",
            Self::HasPlanJob => "has-plan-job",
            Self::Edited => "edited",
            Self::Marked => "marked",
            Self::SameIds => "same-ids",
            Self::Unreadable(_) => "unreadable",
            Self::Unequal(_) => "unequal",
            Self::TooLong => "too-long",
            Self::Environment => "environment",
            Self::EmbeddedExpression => "embedded-expression",
            Self::BlockExpression => "block-expression",
            Self::Unparsable => "unparsable",
            Self::AsksStatus => "asks-status",
            Self::StatusAbove(_) => "status-above",
            Self::OpenNeeds => "open-needs",
            Self::SeenBelow(_) => "seen-below",
            Self::Format(_) => "format",
            Self::NoBackstop => "no-backstop",
            Self::Deploys => "deploys",
            Self::RequiredVanishes(_) => "required-vanishes",
            Self::RequiredUnknown => "required-unknown",
            Self::RequiredElsewhere(_) => "required-elsewhere",
            Self::ArtifactsRead(_) => "artifacts-read",
            Self::NoSaving => "no-saving",
        }
    }
}
