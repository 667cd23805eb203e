//! Reads what test runners say of each test.
//!
//! A test is known by a place (the file that holds it, or the directory where the
//! runner tells no file) and its name. Whatever a runner says other than passed or
//! skipped counts as failed.

use std::collections::BTreeMap;

use anyhow::Context as _;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// No report: the exit status alone.
    None,
    /// `pytest --junitxml=$REPORT -o junit_family=xunit1`.
    Junit,
    /// `mocha --reporter json --reporter-option output=$REPORT`.
    Mocha,
    /// `vitest --reporter json --outputFile=$REPORT`.
    Vitest,
    /// `go test -json`, on standard output.
    Go,
    /// What `cargo test` prints, on standard output.
    Cargo,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// Outcomes by place and name.
pub(crate) type Outcomes = BTreeMap<(String, String), Outcome>;

/// The outcomes in a report; `root` is cut off absolute paths.
pub(crate) fn read(format: Format, text: &str, root: &str) -> anyhow::Result<Outcomes> {
    match format {
        Format::None => Ok(Outcomes::new()),
        Format::Junit => junit(text),
        Format::Mocha => mocha(text, root),
        Format::Vitest => vitest(text, root),
        Format::Go => go(text),
        Format::Cargo => Ok(cargo(text)),
    }
}

fn junit(text: &str) -> anyhow::Result<Outcomes> {
    let mut reader = Reader::from_str(text);
    let mut outcomes = Outcomes::new();
    let mut current: Option<(String, String)> = None;
    loop {
        let event = reader.read_event().context("read the report")?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::Eof => return Ok(outcomes),
            _ => continue,
        };
        let mut outcome = None;
        match element.name().as_ref() {
            b"testcase" => {
                let name = format!(
                    "{}::{}",
                    attribute(element, "classname"),
                    attribute(element, "name")
                );
                let key = (attribute(element, "file"), name);
                outcomes.entry(key.clone()).or_insert(Outcome::Passed);
                current = (!is_empty).then_some(key);
            }
            b"failure" | b"error" => outcome = Some(Outcome::Failed),
            b"skipped" => outcome = Some(Outcome::Skipped),
            _ => {}
        }
        if let (Some(key), Some(outcome)) = (&current, outcome) {
            outcomes.insert(key.clone(), outcome);
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> String {
    let found = element.try_get_attribute(name).ok().flatten();
    found.map_or_else(String::new, |attribute| {
        String::from_utf8_lossy(&attribute.value).into_owned()
    })
}

#[derive(Deserialize)]
struct MochaReport {
    tests: Vec<MochaTest>,
    pending: Vec<MochaTest>,
    failures: Vec<MochaTest>,
}

#[derive(Deserialize)]
struct MochaTest {
    #[serde(rename = "fullTitle")]
    title: String,
    file: Option<String>,
}

fn mocha(text: &str, root: &str) -> anyhow::Result<Outcomes> {
    let report: MochaReport = serde_json::from_str(text).context("read the report")?;
    let key = |test: MochaTest| (relative(&test.file.unwrap_or_default(), root), test.title);
    let mut outcomes = Outcomes::new();
    let lists = [
        (report.tests, Outcome::Passed),
        (report.pending, Outcome::Skipped),
        (report.failures, Outcome::Failed),
    ];
    for (tests, outcome) in lists {
        outcomes.extend(tests.into_iter().map(|test| (key(test), outcome)));
    }
    Ok(outcomes)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VitestReport {
    test_results: Vec<VitestFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VitestFile {
    name: String,
    status: String,
    assertion_results: Vec<VitestTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VitestTest {
    full_name: String,
    status: String,
}

fn vitest(text: &str, root: &str) -> anyhow::Result<Outcomes> {
    let report: VitestReport = serde_json::from_str(text).context("read the report")?;
    let mut outcomes = Outcomes::new();
    for file in report.test_results {
        let place = relative(&file.name, root);
        let loaded = if file.status == "passed" || !file.assertion_results.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        outcomes.insert((place.clone(), "(load)".to_owned()), loaded);
        for test in file.assertion_results {
            let outcome = match test.status.as_str() {
                "passed" => Outcome::Passed,
                "pending" | "skipped" | "todo" => Outcome::Skipped,
                _ => Outcome::Failed,
            };
            outcomes.insert((place.clone(), test.full_name), outcome);
        }
    }
    Ok(outcomes)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoLine {
    action: String,
    package: Option<String>,
    test: Option<String>,
}

/// The place is the package's import path; whoever runs it knows its directory.
fn go(text: &str) -> anyhow::Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let line: GoLine = serde_json::from_str(line).context("read the report")?;
        let outcome = match line.action.as_str() {
            "pass" => Outcome::Passed,
            "skip" => Outcome::Skipped,
            "fail" => Outcome::Failed,
            _ => continue,
        };
        // A line without a test is about the whole package.
        if let (Some(package), Some(name)) = (line.package, line.test) {
            outcomes.insert((package, name), outcome);
        }
    }
    Ok(outcomes)
}

/// The place is what cargo says it is running: `tests/it.rs`, `unittests src/lib.rs`.
fn cargo(text: &str) -> Outcomes {
    let mut outcomes = Outcomes::new();
    let mut place = String::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(rest) = line
            .strip_prefix("Running ")
            .or_else(|| line.strip_prefix("Doc-tests "))
        {
            let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
            name.clone_into(&mut place);
        } else if let Some((name, outcome)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        {
            let outcome = match outcome.split(',').next() {
                Some("ok") => Outcome::Passed,
                Some("ignored") => Outcome::Skipped,
                _ => Outcome::Failed,
            };
            outcomes.insert((place.clone(), name.to_owned()), outcome);
        }
    }
    outcomes
}

fn relative(path: &str, root: &str) -> String {
    let rest = path.strip_prefix(root).unwrap_or(path);
    rest.trim_start_matches('/').to_owned()
}
