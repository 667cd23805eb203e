//! Originals against rewrites, in worlds of every kind.
//!
//! A plan job that says nothing must change nothing: the same jobs run, under the same
//! names. A plan must change nothing but what it names.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use trimtab::engine::pipeline::rewrite::gates::Gates;
use trimtab::engine::pipeline::rewrite::{Done, Rewrite};
use trimtab::engine::yaml::{self, Node};

use super::judge::{Answer, Ended, ask};
use super::worlds::{Dice, Shape, with_plan, without_plan};

/// A rewrite that is tried.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    /// What it is called in what is found.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) rewrite: Rewrite,
}

/// The data of a text; `None` when it is no YAML.
pub(crate) fn parse(text: &str) -> Option<Node> {
    yaml::parse("w.yml", text).ok()
}

/// What worlds need of a workflow.
pub(crate) fn shape(text: &str) -> Shape {
    let root = parse(text).unwrap();
    let jobs = root.get("jobs").and_then(Node::entries).unwrap_or_default();
    let needs = |node: &Node| {
        node.get("needs")
            .map(Node::words)
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    Shape::of(
        jobs.iter()
            .map(|job| (job.key.to_string(), needs(&job.value)))
            .collect(),
        text,
    )
}

/// A rewritten workflow in one world: the world and what was planned in each state.
struct Trial {
    before: usize,
    state: String,
    skipped: BTreeSet<String>,
    world: Value,
}

/// Tries rewrites in so many worlds each, and says where they differ from the originals by
/// more than planned skips. `root` is the directory of this project.
pub(crate) fn differences(root: &Path, tried: &[Tried], count: usize) -> Vec<String> {
    let mut draws: Vec<(Shape, Dice)> = tried
        .iter()
        .map(|tried| (shape(&tried.rewrite.original), Dice::of(&tried.name)))
        .collect();
    let worlds: Vec<Vec<Value>> = draws
        .iter_mut()
        .map(|(shape, dice)| (0..count).map(|_| shape.world(dice)).collect())
        .collect();
    let questions = tried.iter().zip(&worlds);
    let questions: Vec<(String, Vec<Value>)> = questions
        .map(|(tried, worlds)| (tried.rewrite.original.clone(), worlds.clone()))
        .collect();
    let before = ask(root, &questions);
    let mut trials = Vec::new();
    for (at, (shape, dice)) in draws.iter_mut().enumerate() {
        let originals = (worlds[at].as_slice(), &before[at]);
        trials.push(trials_of(&tried[at], shape, originals, dice));
    }
    let questions = tried.iter().zip(&trials).map(|(tried, trials)| {
        let worlds = trials.iter().map(|trial| trial.world.clone());
        (tried.rewrite.text.clone(), worlds.collect())
    });
    let after = ask(root, &questions.collect::<Vec<_>>());
    let mut found = BTreeSet::new();
    for (at, tried) in tried.iter().enumerate() {
        let faults = new_faults(&before[at], &after[at]);
        found.extend(faults.into_iter().map(|it| format!("{}: {it}", tried.name)));
        for (trial, outcome) in trials[at].iter().zip(&after[at].worlds) {
            let was = &before[at].worlds[trial.before];
            let differing = was
                .iter()
                .filter_map(|(job, was)| trial.differs(job, was, outcome.get(job)));
            found.extend(differing.map(|it| format!("{}, {}: {it}", tried.name, trial.state)));
        }
    }
    found.into_iter().collect()
}

impl Trial {
    /// How a job differs from what it was, if by more than a planned skip.
    fn differs(&self, job: &str, was: &Ended, is: Option<&Ended>) -> Option<String> {
        let Some(is) = is else {
            return Some(format!("{job} {} -> gone", was.word()));
        };
        let is_planned = self.skipped.contains(job) && is.word() == "skipped";
        let is_same = was.word() == is.word() && was.checks == is.checks;
        (!is_planned && !is_same).then(|| format!("{job} {} -> {}", was.word(), is.word()))
    }
}

fn trials_of(
    tried: &Tried,
    shape: &Shape,
    (worlds, before): (&[Value], &Answer),
    dice: &mut Dice,
) -> Vec<Trial> {
    let jobs = tried
        .rewrite
        .jobs
        .iter()
        .filter(|job| job.what == Done::Gated);
    let gated: Vec<String> = jobs.map(|job| job.job.clone()).collect();
    let gates = Gates::read(&tried.path, &tried.rewrite.text);
    let mut found = Vec::new();
    for (at, (world, outcome)) in worlds.iter().zip(&before.worlds).enumerate() {
        let trial = |state: &str, skipped: BTreeSet<String>, world: Value| Trial {
            before: at,
            state: state.to_owned(),
            skipped,
            world,
        };
        for (state, world) in without_plan(world) {
            found.push(trial(state, BTreeSet::new(), world));
        }
        if world["github"]["event_name"] != "pull_request" {
            continue;
        }
        let ran: BTreeSet<&str> = outcome
            .iter()
            .filter(|(_, it)| it.word() != "skipped")
            .map(|(id, _)| id.as_str())
            .collect();
        let skipped = shape.plan(&gated, &ran, dice);
        found.push(trial(
            "planned",
            skipped.clone(),
            with_plan(world, &skipped),
        ));
        if let Some(gates) = &gates {
            let verdicts = ran
                .iter()
                .map(|id| (id.to_ascii_lowercase(), dice.chance(60)))
                .collect();
            let skipped: BTreeSet<String> = gates.closed(&verdicts).into_iter().collect();
            found.push(trial(
                "planned by the bot",
                skipped.clone(),
                with_plan(world, &skipped),
            ));
        }
    }
    found
}

/// What a parser finds in a text and did not find in the original.
pub(crate) fn new_faults(before: &Answer, after: &Answer) -> Vec<String> {
    let mut known = faults(before);
    let mut is_new = |fault: &String| {
        let at = known.iter().position(|it| it == fault);
        at.map(|at| known.remove(at)).is_none()
    };
    let faults = faults(after).into_iter();
    faults.filter(|fault| is_new(fault)).collect()
}

/// The faults of a text without the places, which a rewrite moves.
fn faults(answer: &Answer) -> Vec<String> {
    let place = |fault: &str| {
        let rest = fault.split_once("): ").map_or(fault, |(_, rest)| rest);
        rest.lines()
            .next()
            .unwrap_or_default()
            .split(" at line ")
            .next()
            .unwrap()
            .to_owned()
    };
    answer.errors.iter().map(|fault| place(fault)).collect()
}
