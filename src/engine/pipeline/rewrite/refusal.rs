//! Why a job or a workflow is not gated, and what a maintainer can do about it.

/// Why a job or a workflow is not gated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The workflow can be called by others: a permission that the caller does not give
    /// would make its whole run invalid.
    #[error("other workflows call it, and a plan job could make their runs invalid")]
    Callable,
    /// Pulls do not start the workflow.
    #[error("pulls do not start it")]
    NotOnPulls,
    /// The workflow runs with the base's secrets.
    #[error("it also runs on pull_request_target")]
    PullTarget,
    /// Another workflow starts when this one ends.
    #[error("{0} starts when it ends, and would see another outcome")]
    ListenedTo(String),
    /// A job has the id of the plan job.
    #[error("it has a job `trimtab-plan` that is not ours")]
    HasPlanJob,
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
}

impl Refusal {
    /// Whether the job can still have its needs asked for by name.
    pub(super) fn allows_restating(&self) -> bool {
        matches!(self, Self::Environment | Self::OpenNeeds | Self::NoBackstop)
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
            Self::Callable | Self::NotOnPulls | Self::PullTarget | Self::ListenedTo(_)
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
                "let it run on pushes to the default branch too: `on: { push: { branches: [main] } }`"
            }
            Self::Format(_) => "write the job as a block, with `needs` and `if` of its own",
            Self::HasPlanJob => "give that job another id",
            Self::Marked => {
                "restore the lines between trimtab-begin and trimtab-end from its history, or take the mark out"
            }
            Self::Environment
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
        }
    }
}
