//! Rewrites of a corpus of workflows, one hazard each, judged by GitHub's own parser and
//! expressions.
//!
//! The corpus is `tests/data/pipelines`; the name of a file says its hazard. What must hold
//! of every rewrite: GitHub's parser finds nothing new in it, undoing gives back every
//! byte, a second run changes nothing, only the lines change that are meant to, and no
//! world tells the rewrite from the original but by the jobs that a plan skips.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trimtab::engine::pipeline::edit;
use trimtab::engine::pipeline::expression::{Scope, Value as Known};
use trimtab::engine::pipeline::rewrite::repository::{FileRewrite, rewrite_all};
use trimtab::engine::pipeline::rewrite::{Refusal, Settings};
use trimtab::engine::pipeline::simulate::{Workflow, World};
use trimtab::engine::yaml::Node;

use super::conformance::install;

mod judge;
mod tried;
mod worlds;

use judge::ask;
use tried::{Tried, differences, new_faults, parse, shape};
use worlds::{Dice, with_plan, without_plan};

/// Worlds in which each workflow of the corpus is tried.
const WORLDS: usize = 12;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus_dir() -> PathBuf {
    root().join("tests/data/pipelines")
}

/// The corpus by name.
fn corpus() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(corpus_dir()).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == "yml"));
    let found: BTreeMap<String, String> = paths
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                String::from_utf8(std::fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    assert!(found.len() >= 60);
    found
}

/// A workflow too long to be written by hand, rewritten.
fn long() -> FileRewrite {
    let mut long = "on: [pull_request, push]\njobs:\n".to_owned();
    for job in 0..250 {
        let needs = if job % 7 == 0 {
            String::new()
        } else {
            format!("    needs: [j{}]\n", job - 1)
        };
        let run = "          echo one\n          echo two\n".repeat(4);
        write!(
            long,
            "  j{job}:\n{needs}    runs-on: x\n    # steps\n    steps:\n      - run: |\n{run}"
        )
        .unwrap();
    }
    assert!(long.lines().count() >= 3_000);
    let path = ".github/workflows/long.yml".to_owned();
    let done = rewrite_all(
        &BTreeMap::from([(path, long)]),
        "main",
        &Settings::default(),
        None,
    );
    let file = done.files.into_iter().next().unwrap();
    assert!(file.rewrite.jobs.iter().all(|job| job.why.is_none()));
    file
}

/// The rewrites of the corpus: each file is a repository of its own, but for the two that
/// are about each other.
fn rewrites(required: &dyn Fn(&str, &str) -> Vec<String>) -> BTreeMap<String, FileRewrite> {
    let corpus = corpus();
    let path = |name: &str| format!(".github/workflows/{name}.yml");
    let twins = ["equal-ids-in-one-workflow", "equal-ids-in-another-workflow"];
    let one = |name: &String| {
        let of_it: Vec<&str> = if twins.contains(&name.as_str()) {
            twins.to_vec()
        } else {
            vec![name]
        };
        let files = of_it.iter().map(|name| (path(name), corpus[*name].clone()));
        let settings = Settings {
            app_id: Some("4711".to_owned()),
            required: Some(required(&path(name), &corpus[name])),
            ..Settings::default()
        };
        let done = rewrite_all(&files.collect(), "main", &settings, None);
        let own = done.files.into_iter().find(|file| file.path == path(name));
        (name.clone(), own.unwrap())
    };
    corpus.keys().map(one).collect()
}

fn nothing(_: &str, _: &str) -> Vec<String> {
    Vec::new()
}

/// The sum of all jobs.
fn sum(path: &str, text: &str) -> Vec<String> {
    let root = parse(text);
    let name = root.as_ref().and_then(|root| root.get("name")?.as_str());
    vec![format!("trimtab ok / {}", name.unwrap_or(path))]
}

#[test]
fn githubs_parser_finds_nothing_new_in_a_rewrite() {
    install(root());
    let mut rewrites = rewrites(&nothing);
    rewrites.insert("three-thousand-lines".to_owned(), long());
    let tried = tried(rewrites);
    let texts = tried
        .iter()
        .flat_map(|it| [&it.rewrite.original, &it.rewrite.text]);
    let questions: Vec<(String, Vec<Value>)> =
        texts.map(|text| (text.clone(), Vec::new())).collect();
    let answers = ask(root(), &questions);
    for (tried, pair) in tried.iter().zip(answers.chunks(2)) {
        let [before, after] = pair else {
            unreachable!("two answers a file")
        };
        assert_eq!(
            new_faults(before, after),
            Vec::<String>::new(),
            "{}",
            tried.name
        );
    }
}

#[test]
fn every_byte_comes_back_and_a_second_run_changes_nothing() {
    let mut rewrites = rewrites(&nothing);
    rewrites.insert("three-thousand-lines".to_owned(), long());
    let changed = |file: &FileRewrite| file.rewrite.text != file.found;
    assert!(rewrites.values().filter(|file| changed(file)).count() > 60);
    // Two workflows with equal ids of jobs are told apart by standing beside each other.
    let is_twin = |name: &str| name.starts_with("equal-ids");
    let (twins, alone): (Vec<_>, Vec<_>) = rewrites.iter().partition(|(name, _)| is_twin(name));
    assert_eq!(twins.len(), 2);
    let alone = alone.into_iter().map(|one| vec![one]);
    for files in alone.chain([twins]) {
        let texts = files
            .iter()
            .map(|(_, file)| (file.path.clone(), file.rewrite.text.clone()));
        let again = rewrite_all(&texts.collect(), "main", &Settings::default(), None).files;
        for (name, file) in files {
            if changed(file) {
                let undone = edit::undo(&file.rewrite.text);
                assert_eq!(undone.as_ref(), Some(&file.found), "{name}");
            }
            let again = again.iter().find(|again| again.path == file.path);
            let again = again.map(|again| &again.rewrite.text);
            assert_eq!(again, Some(&file.rewrite.text), "{name}");
        }
    }
}

#[test]
fn exactly_the_intended_lines_change() {
    let mut told = String::new();
    for (name, file) in rewrites(&nothing) {
        told.push_str(&changes(&name, &file));
    }
    let path = corpus_dir().join("changes.txt");
    let intended = std::fs::read_to_string(&path).unwrap();
    if intended != told {
        let next = root().join("target/changes.txt");
        std::fs::write(&next, &told).unwrap();
        panic!(
            "other lines change than {} says; what changes now is in {}",
            path.display(),
            next.display()
        );
    }
}

/// What is done with each job, and every line that comes or goes.
fn changes(name: &str, file: &FileRewrite) -> String {
    let mut out = format!("== {name}\n");
    if let Some(why) = &file.rewrite.refused {
        writeln!(out, "refused: {}", why.id()).unwrap();
    }
    for job in &file.rewrite.jobs {
        let why = job.why.as_ref().map_or("", Refusal::id);
        out.push_str(format!("{}: {} {why}", job.job, job.what.as_str()).trim_end());
        out.push('\n');
    }
    let mut old = (1..).zip(file.rewrite.original.lines());
    let mut is_block = false;
    for line in file.rewrite.text.lines() {
        let (body, is_ours) = (line.trim(), line.trim_end().ends_with("# trimtab"));
        is_block |= body.starts_with("# trimtab-begin");
        if !(is_block || is_ours && file.rewrite.key.is_some()) {
            let (place, was) = old.next().unwrap();
            let kept = body.strip_prefix("# trimtab-was:").filter(|_| line != was);
            match kept {
                Some(_) => {
                    assert!(line.ends_with(was), "{name}: {line}");
                    writeln!(out, "-{place}: {}", shown(was)).unwrap();
                }
                None => assert_eq!(line, was, "{name}"),
            }
        } else if !is_block {
            writeln!(out, "+ {}", shown(line)).unwrap();
        }
        is_block &= !body.starts_with("# trimtab-end");
    }
    assert_eq!(old.next(), None, "{name}");
    out
}

/// A line as it can be read: cut, and without characters that hide.
fn shown(line: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::new();
    for c in line.trim_end().chars().take(240) {
        if hides(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// What is tried of rewrites.
fn tried(rewrites: BTreeMap<String, FileRewrite>) -> Vec<Tried> {
    let changed = rewrites
        .into_iter()
        .filter(|(_, file)| file.rewrite.text != file.rewrite.original);
    changed
        .map(|(name, file)| Tried {
            name,
            path: file.path,
            rewrite: file.rewrite,
        })
        .collect()
}

#[test]
fn no_world_tells_a_rewrite_from_the_original_but_by_planned_skips() {
    install(root());
    let tried = tried(rewrites(&nothing));
    assert!(tried.len() >= 60, "{}", tried.len());
    assert_eq!(differences(root(), &tried, WORLDS), Vec::<String>::new());
}

#[test]
fn the_judge_sees_a_gate_that_is_written_wrongly() {
    install(root());
    let mut broken = tried(rewrites(&nothing));
    broken.retain(|tried| tried.name == "diamond");
    let text = broken[0].rewrite.text.replace("!cancelled() && ", "");
    broken[0].rewrite.text = text;
    let found = differences(root(), &broken, WORLDS);
    assert!(
        found
            .iter()
            .any(|it| it == "diamond, failed: b ran -> skipped"),
        "{found:?}"
    );
}

/// Jobs of a workflow that have a condition, or stand below one that has.
fn may_be_skipped(text: &str) -> BTreeSet<String> {
    let root = parse(text).unwrap();
    let shape = shape(text);
    let has_condition = |id: &str| {
        let condition = root
            .get("jobs")
            .unwrap()
            .get(id)
            .and_then(|job| job.get("if")?.as_str());
        condition.is_some_and(|it| !it.trim().is_empty())
    };
    let jobs = shape.jobs.keys();
    let may = jobs.filter(|id| has_condition(id) || shape.above(id).into_iter().any(has_condition));
    may.cloned().collect()
}

#[test]
fn the_sum_fails_for_every_failure_and_every_skip_that_nobody_planned() {
    install(root());
    let mut with_sum = tried(rewrites(&sum));
    with_sum.retain(|it| it.rewrite.text.contains("  trimtab-ok:"));
    assert!(with_sum.len() >= 60, "{}", with_sum.len());
    let mut questions = Vec::new();
    for tried in &with_sum {
        let shape = shape(&tried.rewrite.original);
        let mut dice = Dice::of(&tried.name);
        let mut worlds: Vec<Value> = Vec::new();
        for _ in 0..4 {
            let world = shape.world(&mut dice);
            let any = shape
                .jobs
                .keys()
                .filter(|_| dice.chance(30))
                .cloned()
                .collect();
            worlds.extend(without_plan(&world).into_iter().map(|(_, world)| world));
            worlds.push(with_plan(&world, &any));
        }
        for world in &mut worlds {
            world["judged"] = "trimtab-ok".into();
        }
        questions.push((tried.rewrite.text.clone(), worlds));
    }
    let answers = ask(root(), &questions);
    let (mut passed, mut failed) = (0, 0);
    for ((tried, answer), (_, worlds)) in with_sum.iter().zip(&answers).zip(&questions) {
        let may_be_skipped = may_be_skipped(&tried.rewrite.original);
        for (world, outcome) in worlds.iter().zip(&answer.worlds) {
            let skip = world["outputs"]["trimtab-plan"]["skip"]
                .as_str()
                .unwrap_or_default();
            let is_planned = |id: &str| {
                skip.contains(&format!("|{id}|"))
                    && tried.rewrite.text.contains(&format!("'|{id}|'"))
            };
            let jobs = outcome.iter().filter(|(id, _)| !id.starts_with("trimtab-"));
            let is_bad = |(id, ended): (&String, &judge::Ended)| match ended.result.as_str() {
                "success" => false,
                "skipped" => !may_be_skipped.contains(id) && !is_planned(id),
                _ => true,
            };
            let fails = world["cancelled"] == true || jobs.into_iter().any(is_bad);
            let expected = if fails { "failure" } else { "success" };
            assert_eq!(
                outcome["trimtab-ok"].result, expected,
                "{} in {world}",
                tried.name
            );
            *(if fails { &mut failed } else { &mut passed }) += 1;
        }
    }
    assert!(
        passed > 500 && failed > 500,
        "{passed} passed, {failed} failed"
    );
}

/// A JSON value as the engine's expressions know it.
fn known(value: &Value) -> Known {
    match value {
        Value::Null => Known::Null,
        Value::Bool(it) => Known::Bool(*it),
        Value::Number(it) => Known::Number(it.as_f64().unwrap()),
        Value::String(it) => Known::text(it),
        Value::Array(items) => Known::Array(items.iter().map(known).collect()),
        Value::Object(entries) => {
            Known::object(entries.iter().map(|(key, it)| (key.as_str(), known(it))))
        }
    }
}

fn simulated(world: &Value, workflow: &Node) -> World {
    let word = |it: &Value| match it.as_str().unwrap() {
        "failure" => "failure",
        "cancelled" => "cancelled",
        _ => "skipped",
    };
    let lower = |key: &String| key.to_ascii_lowercase();
    let jobs = |key: &str| world[key].as_object().unwrap().iter();
    let texts = |it: &Value| {
        let texts = it.as_object().unwrap().iter();
        texts
            .map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()))
            .collect()
    };
    let ids = workflow.get("jobs").and_then(Node::entries).unwrap();
    let silent = ids
        .iter()
        .map(|job| (job.key.to_ascii_lowercase(), BTreeMap::new()));
    World {
        scope: Scope::new()
            .with("github", known(&world["github"]))
            .with("vars", Known::object([]))
            .with("inputs", Known::object([])),
        cancelled: world["cancelled"].as_bool().unwrap(),
        results: jobs("results")
            .map(|(id, it)| (lower(id), word(it)))
            .collect(),
        outputs: silent
            .chain(jobs("outputs").map(|(id, it)| (lower(id), texts(it))))
            .collect(),
    }
}

#[test]
fn the_simulator_comes_to_what_github_comes_to() {
    install(root());
    let mut questions = Vec::new();
    // GitHub starts no workflow that cannot be read; ids like ours would be mixed up with
    // ours; and of a block with `${{ }}` the package makes a text that is always true.
    let is_apart = |file: &FileRewrite| {
        let refused = file.rewrite.refused.as_ref().map(Refusal::id);
        let is_block = |why: &Refusal| *why == Refusal::BlockExpression;
        let mut jobs = file.rewrite.jobs.iter();
        matches!(
            refused,
            Some("unreadable" | "same-ids" | "has-plan-job" | "marked" | "not-on-pulls")
        ) || jobs.any(|job| job.why.as_ref().is_some_and(is_block))
    };
    for (name, file) in rewrites(&nothing) {
        if is_apart(&file) {
            continue;
        }
        let shape = shape(&file.rewrite.original);
        let mut dice = Dice::of(&name);
        let worlds: Vec<Value> = (0..3)
            .flat_map(|_| without_plan(&shape.world(&mut dice)))
            .map(|(_, world)| world)
            .collect();
        for text in [&file.rewrite.original, &file.rewrite.text] {
            questions.push((text.clone(), worlds.clone()));
        }
    }
    let answers = ask(root(), &questions);
    let (mut compared, mut unknown) = (0, 0);
    for ((text, worlds), answer) in questions.iter().zip(&answers) {
        let root = parse(text).unwrap();
        let workflow = Workflow::read(&root, &BTreeMap::new());
        for (world, expected) in worlds.iter().zip(&answer.worlds) {
            let outcomes = workflow.simulate(&simulated(world, &root));
            for (id, ended) in expected.iter().filter(|(_, it)| it.error.is_none()) {
                match outcomes[&id.to_ascii_lowercase()].result {
                    Some(result) => assert_eq!(result, ended.result, "{id} in {world} of {text}"),
                    None => unknown += 1,
                }
                compared += 1;
            }
        }
    }
    assert!(
        compared > 4_000 && unknown * 50 < compared,
        "{unknown} of {compared}"
    );
}
