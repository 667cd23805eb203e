//! GitHub's own parser and expressions, asked about workflows.
//!
//! `tests/conformance/judge.mjs` runs them; this is its other end. What is asked goes
//! through one process: a question is a text with worlds, an answer says what is wrong
//! with the text and what becomes of each job in each world.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What is said of one text.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Why it is no workflow, or not entirely.
    pub(crate) errors: Vec<String>,
    /// What becomes of the jobs, by id, in each world.
    pub(crate) worlds: Vec<BTreeMap<String, Ended>>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub(crate) result: String,
    /// Why its condition or its matrix could not be computed.
    pub(crate) error: Option<String>,
    /// The names under which it reports.
    pub(crate) checks: Vec<String>,
}

impl Ended {
    /// Whether it was skipped, ran, or could not be computed.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.error, self.result.as_str()) {
            (Some(_), _) => "fault",
            (None, "skipped") => "skipped",
            (None, _) => "ran",
        }
    }
}

/// The answers to texts with worlds, in their order. `root` is the directory of this
/// project, where the packages are installed.
pub(crate) fn ask(root: &Path, questions: &[(String, Vec<Value>)]) -> Vec<Answer> {
    let mut node = Command::new("node")
        .arg(root.join("tests/conformance/judge.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|fault| panic!("install node, then run this again: {fault}"));
    let mut input = node.stdin.take().unwrap();
    let lines: Vec<String> = questions
        .iter()
        .map(|(text, worlds)| json!({"text": text, "worlds": worlds}).to_string())
        .collect();
    let writing = std::thread::spawn(move || {
        for line in lines {
            input.write_all(line.as_bytes()).unwrap();
            input.write_all(b"\n").unwrap();
        }
    });
    let output = node.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success(), "the judge failed");
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Answer> = answers.lines().map(answer).collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn answer(line: &str) -> Answer {
    let value: Value = serde_json::from_str(line).unwrap();
    let worlds = value["worlds"].as_array().unwrap().iter();
    Answer {
        errors: texts(&value["errors"]),
        worlds: worlds
            .map(|world| {
                let jobs = world.as_object().unwrap().iter();
                jobs.map(|(id, it)| (id.clone(), ended(it))).collect()
            })
            .collect(),
    }
}

fn ended(value: &Value) -> Ended {
    Ended {
        result: value["result"].as_str().unwrap().to_owned(),
        error: value["error"].as_str().map(str::to_owned),
        checks: texts(&value["checks"]),
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}
