//! `on:` in all its shapes: a word, a list, a mapping with filters.

use super::fault;
use crate::engine::pipeline::{EventKind, Patterns, Pipeline, Trigger};
use crate::engine::plan::Diagnostic;
use crate::engine::yaml::Node;

/// Reads the triggers into the pipeline, with whether it can be called and to whom it
/// listens.
pub(super) fn read(
    root: &Node,
    path: &str,
    pipeline: &mut Pipeline,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // Tools that follow YAML 1.1 write `true` for `on`; GitHub does not read that.
    let Some(on) = root.get("on").filter(|on| !on.is_null()) else {
        diagnostics.push(fault(
            path,
            None,
            "`on` is missing: nothing starts this workflow",
        ));
        return;
    };
    let events: Vec<(&str, Option<&Node>)> = match on.entries() {
        Some(entries) => entries
            .iter()
            .map(|entry| (entry.key.as_ref(), Some(&entry.value)))
            .collect(),
        None => on.words().into_iter().map(|event| (event, None)).collect(),
    };
    for (event, filters) in events {
        match event {
            "workflow_call" => pipeline.callable = true,
            "workflow_run" => {
                let names = filters.and_then(|node| node.get("workflows"));
                let names = names.map(Node::words).unwrap_or_default();
                pipeline.listens_to = names.into_iter().map(Into::into).collect();
            }
            _ => {}
        }
        pipeline.triggers.push(trigger(event, filters));
    }
}

fn trigger(event: &str, filters: Option<&Node>) -> Trigger {
    let kind = match event {
        "pull_request" => EventKind::Pull,
        "pull_request_target" => EventKind::PullTarget,
        "push" => EventKind::Push,
        "merge_group" => EventKind::Queue,
        "schedule" => EventKind::Schedule,
        other => EventKind::Other(other.into()),
    };
    let words = |key: &str| -> Vec<Box<str>> {
        let words = filters.and_then(|node| node.get(key)).map(Node::words);
        words
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect()
    };
    let patterns = |key: &str| {
        let ignored = words(&format!("{key}-ignore"));
        if ignored.is_empty() {
            return Patterns {
                globs: words(key),
                ignore: false,
            };
        }
        Patterns {
            globs: ignored,
            ignore: true,
        }
    };
    let types = match (&kind, filters.and_then(Node::items)) {
        (EventKind::Schedule, Some(items)) => items
            .iter()
            .filter_map(|item| item.get("cron")?.as_str())
            .map(Into::into)
            .collect(),
        _ => words("types"),
    };
    Trigger {
        event: kind,
        branches: patterns("branches"),
        tags: patterns("tags"),
        paths: patterns("paths"),
        types,
    }
}
