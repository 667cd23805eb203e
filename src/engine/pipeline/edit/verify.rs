//! Does an edited workflow differ from the original exactly as it should?
//!
//! Both texts are read again and compared as data: every value but the intended ones
//! must be equal. An edit inside an anchored mapping changes each of its aliases too,
//! with every editor that was tried; here it is refused.

use std::collections::BTreeMap;

use crate::engine::yaml::{Entry, Node, Value};

/// What an edit means to change of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Its new needs.
    pub needs: Option<Vec<String>>,
    /// Its new condition.
    pub condition: Option<String>,
}

/// Where the data differ although they should not, as a path of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the edit would also change {0}")]
pub struct Unequal(pub String);

/// Compares two workflows: `changes` by job, and `added` jobs, are all that may differ.
///
/// # Errors
/// The first other place that differs.
pub fn verify(
    before: &Node,
    after: &Node,
    changes: &BTreeMap<String, Change>,
    added: &[&str],
) -> Result<(), Unequal> {
    let (old, new) = (keys(before), keys(after));
    same_keys(&old, &new, &[], "the workflow")?;
    for (key, value) in &new {
        let Some(was) = old.get(key) else { continue };
        if *key == "jobs" {
            jobs(was, value, changes, added)?;
        } else {
            same(was, value, key)?;
        }
    }
    Ok(())
}

fn jobs(
    before: &Node,
    after: &Node,
    changes: &BTreeMap<String, Change>,
    added: &[&str],
) -> Result<(), Unequal> {
    let (old, new) = (keys(before), keys(after));
    same_keys(&old, &new, added, "jobs")?;
    for (id, job) in &new {
        let Some(was) = old.get(id) else { continue };
        match changes.get(*id) {
            None => same(was, job, id)?,
            Some(change) => changed(was, job, change, id)?,
        }
    }
    Ok(())
}

/// A job that was edited: every other key is as it was, and the edited ones are as meant.
fn changed(before: &Node, after: &Node, change: &Change, id: &str) -> Result<(), Unequal> {
    let (old, new) = (keys(before), keys(after));
    let mut edited: Vec<&str> = Vec::new();
    if let Some(needs) = &change.needs {
        edited.push("needs");
        let found = new.get("needs").map(|node| node.words());
        let meant: Vec<&str> = needs.iter().map(String::as_str).collect();
        if found.as_deref() != Some(meant.as_slice()) {
            return Err(Unequal(format!("the needs of {id}")));
        }
    }
    if let Some(condition) = &change.condition {
        edited.push("if");
        if new.get("if").and_then(|node| node.as_str()) != Some(condition) {
            return Err(Unequal(format!("the condition of {id}")));
        }
    }
    let kept = |keys: &BTreeMap<&str, &Node>| -> Vec<String> {
        let kept = keys.keys().filter(|key| !edited.contains(key));
        kept.map(|key| (*key).to_owned()).collect()
    };
    if kept(&old) != kept(&new) {
        return Err(Unequal(format!("the keys of {id}")));
    }
    for (key, value) in &new {
        if let Some(was) = old.get(key).filter(|_| !edited.contains(key)) {
            same(was, value, &format!("{id}.{key}"))?;
        }
    }
    Ok(())
}

fn keys(node: &Node) -> BTreeMap<&str, &Node> {
    let entries: &[Entry] = node.entries().unwrap_or_default();
    entries
        .iter()
        .map(|entry| (entry.key.as_ref(), &entry.value))
        .collect()
}

fn same_keys(
    old: &BTreeMap<&str, &Node>,
    new: &BTreeMap<&str, &Node>,
    added: &[&str],
    what: &str,
) -> Result<(), Unequal> {
    let kept = new.keys().filter(|key| !added.contains(key));
    if kept.eq(old.keys()) && added.iter().all(|key| new.contains_key(key)) {
        Ok(())
    } else {
        Err(Unequal(format!("the keys of {what}")))
    }
}

/// Equal as data: the places and the spelling do not count, the order of lists does.
fn same(before: &Node, after: &Node, path: &str) -> Result<(), Unequal> {
    let equal = match (&before.value, &after.value) {
        (Value::Scalar(old), Value::Scalar(new)) => {
            old.text == new.text && old.tag == new.tag && old.kind() == new.kind()
        }
        (Value::Sequence(old), Value::Sequence(new)) => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                same(old, new, &format!("{path}[{index}]"))?;
            }
            old.len() == new.len()
        }
        (Value::Mapping(old), Value::Mapping(new)) => {
            let keys = |entries: &[Entry]| -> Vec<Box<str>> {
                entries.iter().map(|entry| entry.key.clone()).collect()
            };
            for (old, new) in old.iter().zip(new) {
                same(&old.value, &new.value, &format!("{path}.{}", new.key))?;
            }
            keys(old) == keys(new)
        }
        _ => false,
    };
    if equal {
        Ok(())
    } else {
        Err(Unequal(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::yaml;

    fn check(before: &str, after: &str, expected: Option<&str>) {
        let read = |text| yaml::parse("w.yml", text).unwrap();
        let change = Change {
            needs: Some(vec!["plan".to_owned()]),
            condition: Some("x".to_owned()),
        };
        let changes = BTreeMap::from([("a".to_owned(), change)]);
        let found = verify(&read(before), &read(after), &changes, &["plan"]);
        assert_eq!(found.err().map(|unequal| unequal.0).as_deref(), expected);
    }

    const BEFORE: &str = "on: push\njobs:\n  a: {steps: [1]}\n  b: {steps: [2]}\n";

    #[test]
    fn what_is_meant_may_differ_and_spelling_does_not_count() {
        check(
            BEFORE,
            "on: push\njobs:\n  plan: 1\n  a:\n    needs: [plan]\n    if: 'x'\n    steps:\n      - 1\n  b: {steps: [2]}\n",
            None,
        );
    }

    #[test]
    fn everything_else_that_differs_is_named() {
        check(
            BEFORE,
            "on: push\njobs:\n  plan: 1\n  a: {needs: [plan], if: x, steps: [1]}\n  b: {steps: [3]}\n",
            Some("b.steps[0]"),
        );
        check(
            BEFORE,
            "on: pull\njobs:\n  plan: 1\n  a: {needs: [plan], if: x, steps: [1]}\n  b: {steps: [2]}\n",
            Some("on"),
        );
        check(
            BEFORE,
            "on: push\njobs:\n  plan: 1\n  a: {needs: [plan], if: x, steps: [1], env: 1}\n  b: {steps: [2]}\n",
            Some("the keys of a"),
        );
        check(
            BEFORE,
            "on: push\njobs:\n  plan: 1\n  a: {needs: [plan, c], if: x, steps: [1]}\n  b: {steps: [2]}\n",
            Some("the needs of a"),
        );
        check(
            BEFORE,
            "on: push\njobs:\n  a: {needs: [plan], if: x, steps: [1]}\n  b: {steps: [2]}\n",
            Some("the keys of jobs"),
        );
    }
}
