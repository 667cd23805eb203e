//! What a workflow can read of the event that starts it, as far as it is known.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/contexts#github-context>.
//! A property that is not listed here is unknown, except where the event cannot
//! have it at all: then it is null, as on GitHub.

use crate::engine::pipeline::EventContext;
use crate::engine::pipeline::expression::{Clue, Scope, Value};

/// An event that could start a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion<'a> {
    /// The pull itself (`pull_request`).
    Pull(&'a EventContext),
    /// The pull, with the base's secrets (`pull_request_target`).
    PullTarget(&'a EventContext),
    /// A push to a branch of the same repository.
    Push(&'a EventContext, &'a str),
    /// The merge queue on its way to a branch.
    Queue(&'a EventContext, &'a str),
    /// A schedule, with its cron line.
    Schedule(&'a EventContext, &'a str),
}

impl Occasion<'_> {
    /// The contexts that a job's condition may read.
    pub fn scope(&self) -> Scope {
        Scope::new()
            .with("github", Value::open(self.github()))
            .with("inputs", Value::object([]))
    }

    /// The pull, or what stands for one.
    pub fn context(&self) -> &EventContext {
        match self {
            Self::Pull(context)
            | Self::PullTarget(context)
            | Self::Push(context, _)
            | Self::Queue(context, _)
            | Self::Schedule(context, _) => context,
        }
    }

    fn github(&self) -> Vec<(&'static str, Value)> {
        let context = self.context();
        let (name, reference, short) = self.references();
        let is_pull = matches!(self, Self::Pull(_) | Self::PullTarget(_));
        let pull_only = |text: &str| {
            if is_pull {
                known(text)
            } else {
                Value::text("")
            }
        };
        let owner = context.repository.split_once('/');
        vec![
            ("event_name", Value::text(name)),
            ("event", self.event()),
            ("ref", reference),
            ("ref_name", short),
            ("ref_type", Value::text("branch")),
            ("base_ref", pull_only(&context.target)),
            ("head_ref", pull_only(&context.source)),
            ("repository", full_name(context)),
            (
                "repository_owner",
                owner.map_or(Value::UNKNOWN, |(owner, _)| Value::text(owner)),
            ),
            ("actor", self.actor()),
        ]
    }

    /// The event's name, its ref and the short name of that.
    fn references(&self) -> (&'static str, Value, Value) {
        let between = |prefix: &str, suffix: &str| {
            Value::Unknown(Clue::Between(prefix.into(), suffix.into()))
        };
        let branch = |branch: &str| match branch {
            "" => (between("refs/heads/", ""), Value::UNKNOWN),
            branch => (
                Value::text(&format!("refs/heads/{branch}")),
                Value::text(branch),
            ),
        };
        let with = |name, (reference, short)| (name, reference, short);
        match self {
            // A merged pull is closed on its target branch.
            Self::Pull(context) if context.activity.as_ref() == "closed" => {
                ("pull_request", Value::UNKNOWN, Value::UNKNOWN)
            }
            Self::Pull(_) => (
                "pull_request",
                between("refs/pull/", "/merge"),
                between("", "/merge"),
            ),
            Self::PullTarget(context) => with("pull_request_target", branch(&context.target)),
            Self::Push(_, name) => with("push", branch(name)),
            Self::Schedule(context, _) => with("schedule", branch(&context.default_branch)),
            Self::Queue(_, name) => {
                let short = format!("gh-readonly-queue/{name}/");
                (
                    "merge_group",
                    between(&format!("refs/heads/{short}"), ""),
                    between(&short, ""),
                )
            }
        }
    }

    /// Who opened a pull is its author; who pushes to it later may be somebody else.
    fn actor(&self) -> Value {
        match self {
            Self::Pull(context) | Self::PullTarget(context)
                if context.activity.as_ref() == "opened" =>
            {
                known(&context.author)
            }
            _ => Value::UNKNOWN,
        }
    }

    fn event(&self) -> Value {
        let context = self.context();
        let mut entries = vec![("repository", repository(context))];
        match self {
            Self::Pull(_) | Self::PullTarget(_) => {
                let activity = context.activity.as_ref();
                let action = if activity.is_empty() {
                    Value::UNKNOWN
                } else {
                    known(activity)
                };
                entries.push(("action", action));
                entries.push(("pull_request", pull_request(context)));
                if !matches!(activity, "" | "labeled" | "unlabeled") {
                    entries.push(("label", Value::Null));
                }
                entries.extend(nulls(&[
                    "merge_group",
                    "schedule",
                    "head_commit",
                    "commits",
                ]));
                entries.extend(nulls(&["ref"]));
            }
            Self::Push(..) => {
                let (_, reference, _) = self.references();
                entries.push(("ref", reference));
                entries.push(("deleted", Value::Bool(false)));
                entries.extend(nulls(&[
                    "action",
                    "pull_request",
                    "merge_group",
                    "schedule",
                ]));
            }
            Self::Queue(..) => {
                entries.push(("action", Value::text("checks_requested")));
                entries.extend(nulls(&["pull_request", "schedule", "head_commit", "ref"]));
            }
            Self::Schedule(_, cron) => {
                entries.push(("schedule", known(cron)));
                entries.extend(nulls(&[
                    "action",
                    "pull_request",
                    "merge_group",
                    "head_commit",
                ]));
            }
        }
        entries.extend(nulls(&[
            "inputs",
            "workflow_run",
            "issue",
            "comment",
            "release",
            "client_payload",
        ]));
        Value::open(entries)
    }
}

fn nulls(names: &[&'static str]) -> impl Iterator<Item = (&'static str, Value)> {
    names.iter().map(|name| (*name, Value::Null))
}

/// A text, unknown where nobody told it.
fn known(text: &str) -> Value {
    if text.is_empty() {
        return Value::UNKNOWN;
    }
    Value::text(text)
}

/// The name of the repository; a checkout on a machine may know only a directory.
fn full_name(context: &EventContext) -> Value {
    if context.repository.contains('/') {
        return Value::text(&context.repository);
    }
    Value::UNKNOWN
}

fn repository(context: &EventContext) -> Value {
    Value::open([
        ("full_name", full_name(context)),
        ("default_branch", known(&context.default_branch)),
    ])
}

fn pull_request(context: &EventContext) -> Value {
    let label = |label: &str| Value::open([("name", Value::text(label))]);
    let source = match (context.fork, full_name(context)) {
        (true, Value::Text(name)) => Value::Unknown(Clue::Not(name)),
        (true, _) => Value::UNKNOWN,
        (false, name) => name,
    };
    let head_repository = Value::open([("fork", Value::Bool(context.fork)), ("full_name", source)]);
    let is_open = context.activity.as_ref() != "closed";
    let open = |value: Value| if is_open { value } else { Value::UNKNOWN };
    Value::open([
        ("draft", Value::Bool(context.draft)),
        (
            "labels",
            Value::Array(context.labels.iter().map(|name| label(name)).collect()),
        ),
        ("user", Value::open([("login", known(&context.author))])),
        ("merged", open(Value::Bool(false))),
        ("state", open(Value::text("open"))),
        (
            "base",
            Value::open([
                ("ref", known(&context.target)),
                ("repo", repository(context)),
            ]),
        ),
        (
            "head",
            Value::open([("ref", known(&context.source)), ("repo", head_repository)]),
        ),
    ])
}
