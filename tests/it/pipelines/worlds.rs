//! Worlds in which a workflow is tried: how jobs end, what they put out, who started it.
//!
//! Drawn by a generator that starts with the text itself, so that a failure comes again
//! in every run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A workflow as far as worlds need it: jobs with their needs, and the outputs that its
/// text names.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Needs by job, as they are written.
    pub(crate) jobs: BTreeMap<String, Vec<String>>,
    /// Outputs that are named, by job, and whether they are read as JSON.
    outputs: BTreeMap<String, BTreeMap<String, bool>>,
}

/// A generator of numbers: splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(text: &str) -> Self {
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let count = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.next() % count).unwrap()].clone()
    }
}

impl Shape {
    /// The shape of a workflow with these jobs and this text.
    pub(crate) fn of(jobs: BTreeMap<String, Vec<String>>, text: &str) -> Self {
        let mut outputs: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for (at, _) in text.match_indices(".outputs.") {
            let before = &text[..at];
            let job = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
            let is_need = before[..before.len() - job.len()].ends_with("needs.");
            let after = &text[at + ".outputs.".len()..];
            let name = after.split(|c| !is_word(c)).next().unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            let is_json = line.to_lowercase().contains("fromjson");
            if is_need && !name.is_empty() {
                let named = outputs.entry(job.to_owned()).or_default();
                *named.entry(name.to_owned()).or_default() |= is_json;
            }
        }
        Self { jobs, outputs }
    }

    /// Everything that a job needs, directly or not.
    pub(crate) fn above(&self, job: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![job];
        while let Some(job) = open.pop() {
            for need in self.jobs.get(job).into_iter().flatten() {
                if found.insert(need.as_str()) {
                    open.push(need);
                }
            }
        }
        found
    }

    /// A world without a plan.
    pub(crate) fn world(&self, dice: &mut Dice) -> Value {
        let failing = dice.pick(&[0, 15, 15, 40]);
        let mut results = serde_json::Map::new();
        for job in self.jobs.keys() {
            if dice.chance(failing) {
                let result = dice.pick(&["failure", "failure", "cancelled"]);
                results.insert(job.clone(), json!(result));
            }
        }
        let mut outputs = serde_json::Map::new();
        for (job, names) in &self.outputs {
            let told = names.iter().map(|(name, is_json)| {
                let value = if *is_json {
                    "[\"a\", \"b\"]"
                } else {
                    dice.pick(&["true", "true", "false", "", "x"])
                };
                (name.clone(), json!(value))
            });
            let told: serde_json::Map<String, Value> = told.collect();
            outputs.insert(job.clone(), Value::Object(told));
        }
        let event = dice.pick(&[
            "pull_request",
            "pull_request",
            "push",
            "schedule",
            "workflow_dispatch",
        ]);
        let head = json!({"sha": "x", "ref": "topic", "repo": {"full_name": dice.pick(&["o/r", "f/r"]), "fork": dice.chance(30)}});
        let labels: Vec<Value> = if dice.chance(30) {
            vec![json!({"name": "x"})]
        } else {
            Vec::new()
        };
        let pull = json!({"draft": dice.chance(20), "labels": labels, "head": head, "base": {"ref": "main"}, "title": "fix: y", "user": {"login": "ann"}});
        let of_pull = event == "pull_request";
        let payload = if of_pull {
            json!({"pull_request": pull, "action": "synchronize"})
        } else {
            json!({})
        };
        let reference = if of_pull {
            "refs/pull/1/merge"
        } else {
            dice.pick(&["refs/heads/main", "refs/heads/master", "refs/tags/v1"])
        };
        json!({
            "github": {"event_name": event, "ref": reference, "repository": "o/r", "repository_owner": "o", "actor": dice.pick(&["ann", "bot"]), "event": payload},
            "cancelled": dice.chance(10),
            "results": results,
            "outputs": outputs,
        })
    }

    /// A plan that skips some of the gated jobs, and never one above a job that ran
    /// without it and is to run again. `ran` are those that did.
    pub(crate) fn plan(
        &self,
        gated: &[String],
        ran: &BTreeSet<&str>,
        dice: &mut Dice,
    ) -> BTreeSet<String> {
        let share = dice.pick(&[30, 50, 80, 100]);
        let chosen = gated.iter().filter(|_| dice.chance(share));
        let mut skipped: BTreeSet<String> = chosen.cloned().collect();
        loop {
            let running = ran.iter().filter(|job| !skipped.contains(**job));
            let needed: BTreeSet<&str> = running.flat_map(|job| self.above(job)).collect();
            let before = skipped.len();
            skipped.retain(|job| !needed.contains(job.as_str()));
            if skipped.len() == before {
                return skipped;
            }
        }
    }
}

/// The ways in which a plan job says nothing, and the worlds they make of one.
pub(crate) fn without_plan(world: &Value) -> Vec<(&'static str, Value)> {
    let with = |result: Option<&str>, outputs: Option<Value>| {
        let mut world = world.clone();
        if let Some(result) = result {
            world["results"]["trimtab-plan"] = json!(result);
        }
        if let Some(outputs) = outputs {
            world["outputs"]["trimtab-plan"] = outputs;
        }
        world
    };
    vec![
        ("empty", with(None, Some(json!({"skip": ""})))),
        ("missing", with(None, None)),
        ("failed", with(Some("failure"), None)),
        ("cancelled", with(Some("cancelled"), None)),
        ("skipped", with(Some("skipped"), None)),
        ("closed", with(None, Some(json!({"skip": "|"})))),
    ]
}

/// The same world with a plan that skips these jobs.
pub(crate) fn with_plan(world: &Value, skipped: &BTreeSet<String>) -> Value {
    let mut world = world.clone();
    let names: Vec<&str> = skipped.iter().map(String::as_str).collect();
    world["outputs"]["trimtab-plan"] = json!({"skip": format!("|{}|", names.join("|"))});
    world
}
