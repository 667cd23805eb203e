//! Reads `.trimtab.yml`: all its faults at once, each with its place.
//!
//! [`reference()`] is the one list of keys: what it does not name is unknown, and the
//! documentation is made from it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Basis, Diagnostic, FILE, JobPolicy, Mode, Policy, Skip, fault, spelling};
use crate::engine::globs::{self, Glob, GlobFault};
use crate::engine::tree::join;
use crate::engine::yaml::{self, Node};

/// A setting of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its path: `enforce.percent`; `*` stands for a name that people choose.
    pub name: &'static str,
    /// What it takes, in words.
    pub kind: &'static str,
    /// Its default as YAML; empty where there is none.
    pub default: &'static str,
    /// One sentence on what it does.
    pub about: &'static str,
}

macro_rules! keys {
    ($($name:literal, $kind:literal, $default:literal, $about:literal;)+) => {
        const KEYS: &[Key] = &[$(Key { name: $name, kind: $kind, default: $default, about: $about },)+];
    };
}

keys! {
    "mode", "observe, advise or enforce", "observe", "How far Trimtab goes: it only records, it also comments, or it also skips jobs.";
    "enforce.percent", "percent", "100", "The share of pulls in which jobs are skipped; the others run in full.";
    "enforce.ramp", "percent", "100", "The share of job-minutes that may be skipped, the least likely to fail first.";
    "enforce.labels", "list of labels", "[]", "Only pulls with one of these labels take part; an empty list admits all.";
    "enforce.users", "list of logins", "[]", "Only pulls of these authors take part; an empty list admits all.";
    "enforce.paths", "list of globs", "[]", "Only pulls that change such a path take part; an empty list admits all.";
    "enforce.bases", "list of unaffected, traced, unchanged, improbable", "[unaffected, traced]", "What a skip may rest on.";
    "holdout", "percent", "5", "The share of pulls that run in full, to measure what would have been missed.";
    "rollback.miss_rate", "percent", "2", "The share of true failures missed at which the mode falls by itself.";
    "rollback.window", "whole number", "200", "How many skip verdicts the rollback looks back on.";
    "always_full", "list of globs", "[]", "Everything runs when such a path changes; added to the built-in list.";
    "jobs.*.inputs", "list of globs", "", "The entry points of the jobs whose id matches; inference is not asked.";
    "jobs.*.exact", "true or false", "false", "Whether the inputs are all that the job reads, without what they import.";
    "jobs.*.skip", "auto or never", "auto", "Whether the jobs may be skipped at all.";
    "owns.*", "directory", "", "The package to which files that match belong, when no package owns them.";
    "tests.reports", "list of globs", "[\"**/junit*.xml\"]", "Where test reports lie in the artifacts.";
    "tests.coverage", "list of globs", "[\"**/lcov.info\"]", "Where coverage lies in the artifacts.";
    "perf.profiles", "list of globs", "[\"**/*.folded\"]", "Where profiles lie in the artifacts.";
    "perf.benchmarks", "list of globs", "[\"**/bench*.json\"]", "Where benchmark results lie in the artifacts.";
    "perf.threshold", "percent", "5", "By how much something must be slower to be mentioned.";
    "size.pull_lines", "whole number", "500", "The changed lines above which a pull is called large.";
    "size.file_bytes", "whole number", "1048576", "The bytes above which a new file is called large.";
    "size.artifacts.*.grow", "percent, also above 100", "", "By how much an artifact that matches may grow.";
    "gates.coverage.min", "percent", "", "The share of lines that tests must cover.";
    "gates.coverage.patch", "percent", "", "The share of changed lines that tests must cover.";
    "notify.slack", "text", "", "The name of the Slack channel; its secret is set on the settings page.";
}

/// Every key of the file, in the order of the documentation.
pub fn reference() -> &'static [Key] {
    KEYS
}

/// Reads the configuration. A file with any fault is refused as a whole.
pub fn parse(text: &str) -> Result<Policy, Vec<Diagnostic>> {
    let limits = yaml::Limits::for_people();
    let documents = yaml::parse_all(FILE, text, limits)?;
    let root = match documents.as_slice() {
        [] => return Ok(Policy::default()),
        [root] => root,
        [_, second, ..] => return Err(vec![fault(second, "a second document starts here")]),
    };
    let mut reader = Reader::default();
    if root.is_null() {
        return Ok(Policy::default());
    }
    reader.known(root, "");
    let policy = reader.policy(root);
    if reader.faults.is_empty() {
        return Ok(policy);
    }
    reader
        .faults
        .sort_by_key(|fault| (fault.line, fault.column));
    Err(reader.faults)
}

/// The SHA-256 of a configuration's text, in hex.
pub fn policy_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[derive(Default)]
struct Reader {
    faults: Vec<Diagnostic>,
}

impl Reader {
    /// Reports keys that the reference does not name, and mappings that are none.
    fn known(&mut self, node: &Node, prefix: &str) {
        let children: Vec<&str> = KEYS
            .iter()
            .filter_map(|key| key.name.strip_prefix(prefix)?.split('.').next())
            .collect();
        if node.is_null() {
            return;
        }
        let Some(entries) = node.entries() else {
            let place = prefix.trim_end_matches('.');
            let what = if place.is_empty() { "this file" } else { place };
            return self.fault(node, &format!("`{what}` takes a mapping of keys"));
        };
        for entry in entries {
            let name = if children.contains(&"*") {
                "*"
            } else {
                &entry.key
            };
            if !children.contains(&name) {
                let hint = nearest(&entry.key, &children);
                let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
                let key = format!("{prefix}{}", entry.key);
                self.faults.push(Diagnostic {
                    path: FILE.to_owned(),
                    line: entry.line,
                    column: entry.column,
                    message: format!("the key `{key}` is not known{hint}"),
                });
                continue;
            }
            let path = format!("{prefix}{name}.");
            if KEYS.iter().any(|key| key.name.starts_with(&path)) {
                self.known(&entry.value, &path);
            }
        }
    }

    fn policy(&mut self, root: &Node) -> Policy {
        let mut policy = Policy::default();
        let at = |path: &str| find(root, path);
        let modes = &[
            ("observe", Mode::Observe),
            ("advise", Mode::Advise),
            ("enforce", Mode::Enforce),
        ];
        self.set(&mut policy.mode, at("mode"), |reader, node| {
            reader.word(node, modes).map(Some)
        });
        self.cohort(&mut policy, root);
        self.set(&mut policy.holdout, at("holdout"), Self::percent);
        self.set(
            &mut policy.rollback.miss_rate,
            at("rollback.miss_rate"),
            Self::percent,
        );
        self.set(
            &mut policy.rollback.window,
            at("rollback.window"),
            Self::count,
        );
        self.set(&mut policy.always_full, at("always_full"), Self::paths);
        self.jobs(&mut policy, at("jobs"));
        self.owns(&mut policy, at("owns"));
        self.measures(&mut policy, root);
        policy
    }

    fn measures(&mut self, policy: &mut Policy, root: &Node) {
        let at = |path: &str| find(root, path);
        self.set(&mut policy.reports, at("tests.reports"), Self::globs);
        self.set(&mut policy.coverage, at("tests.coverage"), Self::globs);
        self.set(&mut policy.perf.profiles, at("perf.profiles"), Self::globs);
        self.set(
            &mut policy.perf.benchmarks,
            at("perf.benchmarks"),
            Self::globs,
        );
        self.set(
            &mut policy.perf.threshold,
            at("perf.threshold"),
            Self::percent,
        );
        self.set(
            &mut policy.size.pull_lines,
            at("size.pull_lines"),
            Self::count,
        );
        self.set(
            &mut policy.size.file_bytes,
            at("size.file_bytes"),
            |reader, node| reader.count(node).map(u64::from),
        );
        self.artifacts(&mut policy.size.artifacts, at("size.artifacts"));
        let some = |reader: &mut Self, node: &Node| reader.percent(node).map(Some);
        self.set(
            &mut policy.gates.coverage_min,
            at("gates.coverage.min"),
            some,
        );
        self.set(
            &mut policy.gates.coverage_patch,
            at("gates.coverage.patch"),
            some,
        );
        self.set(&mut policy.slack, at("notify.slack"), |reader, node| {
            reader.text(node).map(Some)
        });
    }

    fn cohort(&mut self, policy: &mut Policy, root: &Node) {
        let at = |path: &str| find(root, path);
        let cohort = &mut policy.enforce;
        self.set(&mut cohort.percent, at("enforce.percent"), Self::percent);
        self.set(&mut cohort.ramp, at("enforce.ramp"), Self::percent);
        self.set(&mut cohort.labels, at("enforce.labels"), Self::texts);
        self.set(&mut cohort.users, at("enforce.users"), Self::texts);
        self.set(&mut cohort.paths, at("enforce.paths"), Self::paths);
        let bases = &[
            ("unaffected", Basis::Unaffected),
            ("traced", Basis::Traced),
            ("unchanged", Basis::Unchanged),
            ("improbable", Basis::Improbable),
        ];
        self.set(&mut cohort.bases, at("enforce.bases"), |reader, node| {
            let items = reader.list(node)?;
            Some(
                items
                    .iter()
                    .filter_map(|item| reader.word(item, bases))
                    .collect(),
            )
        });
    }

    fn jobs(&mut self, policy: &mut Policy, node: Option<&Node>) {
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            self.glob(&entry.value, &entry.key);
            let mut job = JobPolicy::default();
            let paths = |reader: &mut Self, node: &Node| reader.paths(node).map(Some);
            self.set(&mut job.inputs, entry.value.get("inputs"), paths);
            self.set(&mut job.exact, entry.value.get("exact"), |reader, node| {
                let value = node.scalar().and_then(yaml::Scalar::as_bool);
                reader.wanted(node, value, "true or false")
            });
            let words = &[("auto", Skip::Auto), ("never", Skip::Never)];
            self.set(&mut job.skip, entry.value.get("skip"), |reader, node| {
                reader.word(node, words)
            });
            policy.jobs.push((entry.key.clone(), job));
        }
    }

    fn owns(&mut self, policy: &mut Policy, node: Option<&Node>) {
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            self.glob(&entry.value, &entry.key);
            let Some(text) = self.text(&entry.value) else {
                continue;
            };
            match join("", &text) {
                Some(dir) => {
                    let dir: Box<str> = dir.into();
                    let globs = [
                        Glob::written(&*entry.key),
                        Glob::without_classes(&entry.key),
                    ];
                    policy.owns.extend(globs.map(|glob| (glob, dir.clone())));
                }
                None => self.fault(&entry.value, "this directory lies outside the repository"),
            }
        }
    }

    fn artifacts(&mut self, artifacts: &mut BTreeMap<Box<str>, u32>, node: Option<&Node>) {
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            self.glob(&entry.value, &entry.key);
            let Some(grow) = entry.value.get("grow") else {
                continue;
            };
            let value = grow.scalar().and_then(yaml::Scalar::as_integer);
            let value = value.and_then(|value| u32::try_from(value).ok());
            if let Some(value) = self.wanted(grow, value, "a percentage, 0 or more") {
                artifacts.insert(entry.key.clone(), value);
            }
        }
    }

    /// Replaces a default by what the file says, if it says anything that can be read.
    fn set<T>(
        &mut self,
        slot: &mut T,
        node: Option<&Node>,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) {
        if let Some(value) = node
            .filter(|node| !node.is_null())
            .and_then(|node| read(self, node))
        {
            *slot = value;
        }
    }

    fn percent(&mut self, node: &Node) -> Option<u8> {
        let value = node.scalar().and_then(yaml::Scalar::as_integer);
        let value = value.and_then(|value| u8::try_from(value).ok());
        let value = value.filter(|value| *value <= 100);
        self.wanted(node, value, "a whole number from 0 to 100")
    }

    fn count(&mut self, node: &Node) -> Option<u32> {
        let value = node.scalar().and_then(yaml::Scalar::as_integer);
        let value = value.and_then(|value| u32::try_from(value).ok());
        let value = value.filter(|value| *value > 0);
        self.wanted(node, value, "a whole number from 1 on")
    }

    fn text(&mut self, node: &Node) -> Option<Box<str>> {
        let value = node.as_str().filter(|text| !text.is_empty());
        self.wanted(node, value.map(Into::into), "a text")
    }

    fn list<'a>(&mut self, node: &'a Node) -> Option<&'a [Node]> {
        self.wanted(node, node.items(), "a list")
    }

    fn texts(&mut self, node: &Node) -> Option<Vec<Box<str>>> {
        let items = self.list(node)?;
        Some(items.iter().filter_map(|item| self.text(item)).collect())
    }

    /// Globs over what artifacts hold.
    fn globs(&mut self, node: &Node) -> Option<Vec<Box<str>>> {
        let items = self.list(node)?;
        let mut globs = Vec::new();
        for item in items {
            if let Some(text) = self.text(item) {
                self.glob(item, &text);
                globs.push(text);
            }
        }
        Some(globs)
    }

    /// Globs over the files of the repository, as they are meant.
    fn paths(&mut self, node: &Node) -> Option<Vec<Glob>> {
        let items = self.list(node)?;
        let mut globs = Vec::new();
        for item in items {
            let Some(text) = self.text(item) else {
                continue;
            };
            self.glob(item, &text);
            match spelling::meant(&text) {
                _ if text.starts_with('!') => self.fault(
                    item,
                    &format!("`{text}`: these lists have no exceptions; name what counts"),
                ),
                None => self.fault(item, &format!("`{text}` lies outside the repository")),
                Some(meant) => globs.extend(meant),
            }
        }
        Some(globs)
    }

    fn glob(&mut self, at: &Node, glob: &str) {
        let why = match globs::compile(&Glob::written(glob)) {
            Ok(_) => return,
            Err(GlobFault::Syntax(error)) => error.kind().to_string(),
            Err(fault @ GlobFault::TooLarge) => fault.to_string(),
        };
        self.fault(at, &format!("`{glob}` is not a glob: {why}"));
    }

    fn word<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let text = node.as_str().unwrap_or_default();
        let found = words.iter().find(|(name, _)| *name == text);
        let hint = nearest(text, &names).filter(|_| found.is_none());
        let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        let wanted = format!("one of {}{hint}", names.join(", "));
        self.wanted(node, found.map(|(_, value)| *value), &wanted)
    }

    fn wanted<T>(&mut self, node: &Node, value: Option<T>, wanted: &str) -> Option<T> {
        if value.is_none() {
            let shown = node
                .as_str()
                .map_or(String::new(), |text| format!("`{text}`: "));
            self.fault(node, &format!("{shown}this must be {wanted}"));
        }
        value
    }

    fn fault(&mut self, node: &Node, message: &str) {
        self.faults.push(fault(node, message));
    }
}

fn find<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('.').try_fold(root, |node, key| node.get(key))
}

/// The word that was probably meant: at most half of its letters away.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|name| (distance(word, name), *name));
    near.filter(|(away, name)| *name != "*" && away * 2 <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance; words longer than any key are far from all.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 {
        return usize::MAX / 4;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        let mut next = vec![left];
        for (y, above) in b.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y))
                .min(left + 1)
                .min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match parse(text) {
            Ok(_) => "fine".to_owned(),
            Err(faults) => faults
                .iter()
                .map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.message))
                .collect::<Vec<_>>()
                .join("\n"),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn the_example_of_the_manual_is_read() {
        let policy = parse(
            r#"
mode: observe                    # observe | advise | enforce
enforce: { percent: 100, ramp: 100, labels: [], users: [], bases: [unaffected, traced] }
holdout: 5
rollback: { miss_rate: 2, window: 200 }
always_full: ["tools/ci/**"]
jobs:
  "e2e-*": { inputs: ["apps/web/**", "e2e/**"] }
  deploy: { skip: never }
owns: { "schemas/**": packages/api }
tests: { reports: ["**/junit*.xml"], coverage: ["**/lcov.info"] }
perf: { profiles: ["**/*.folded"], benchmarks: ["**/bench*.json"], threshold: 5 }
size: { pull_lines: 500, file_bytes: 1048576, artifacts: { "dist*": { grow: 5 } } }
gates: { coverage: { min: 85, patch: 80 } }
notify: { slack: ci-alerts }
"#,
        )
        .unwrap();
        assert_eq!(policy.always_full, [Glob::written("tools/ci/**")]);
        assert_eq!(policy.jobs[0].0.as_ref(), "e2e-*");
        assert_eq!(policy.jobs[0].1.inputs.as_ref().map(Vec::len), Some(2));
        assert_eq!(policy.jobs[1].1.skip, Skip::Never);
        assert_eq!(
            policy.owns[&Glob::written("schemas/**")].as_ref(),
            "packages/api"
        );
        assert_eq!(policy.size.artifacts["dist*"], 5);
        assert_eq!(policy.gates.coverage_min, Some(85));
        assert_eq!(policy.slack.as_deref(), Some("ci-alerts"));
        assert_eq!(policy.enforce, Policy::default().enforce);
    }

    #[test]
    fn an_empty_file_is_the_default() {
        for text in ["", "# nothing\n", "mode:\n", "{}"] {
            assert_eq!(parse(text).unwrap(), Policy::default(), "{text}");
        }
    }

    #[test]
    fn all_faults_are_reported_at_once_with_their_places() {
        check(
            "moed: advise\nenforce: {percent: 101, bases: [traced, lucky], pct: 1}\nholdout: -1\n\
             jobs: {a: {skip: nver, inputs: 'x'}, '[': {}}\nowns: {'a/**': ../b}\n\
             rollback: 3\nsize: {pull_lines: 0}\nperf: {threshold: 5.5, profiles: ['{']}\n",
            "1:1 the key `moed` is not known; did you mean `mode`?
2:20 `101`: this must be a whole number from 0 to 100
2:41 `lucky`: this must be one of unaffected, traced, unchanged, improbable
2:49 the key `enforce.pct` is not known
3:10 `-1`: this must be a whole number from 0 to 100
4:18 `nver`: this must be one of auto, never; did you mean `never`?
4:32 `x`: this must be a list
4:43 `[` is not a glob: unclosed character class; missing ']'
5:16 this directory lies outside the repository
6:11 `rollback` takes a mapping of keys
7:20 `0`: this must be a whole number from 1 on
8:19 `5.5`: this must be a whole number from 0 to 100
8:35 `{` is not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        );
    }

    #[test]
    fn globs_are_read_as_they_are_meant() {
        let policy = parse(
            "always_full: [tools/, ./b.txt]\njobs: {j: {inputs: [/d/**, d]}}\nenforce: {paths: [./e/]}\n",
        )
        .unwrap();
        let shown = |globs: &[Glob]| globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(&policy.always_full), "tools/** b.txt b.txt/**");
        let inputs = policy.jobs[0].1.inputs.as_ref().unwrap();
        assert_eq!(shown(inputs), "d/** d d/**");
        assert_eq!(shown(&policy.enforce.paths), "e/**");
    }

    #[test]
    fn exceptions_and_paths_outside_are_refused() {
        check(
            "always_full: ['!a.txt', ../b]\n",
            "1:15 `!a.txt`: these lists have no exceptions; name what counts
1:25 `../b` lies outside the repository",
        );
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        check(
            "mode: [",
            "2:1 this is not YAML: while parsing a node, did not find expected node content",
        );
        check(
            "mode: a\nmode: b\n",
            "2:1 the key `mode` stands twice; the first is in line 1",
        );
        check("- a", "1:1 `this file` takes a mapping of keys");
    }

    #[test]
    fn every_default_of_the_reference_is_the_default_in_force() {
        for key in reference().iter().filter(|key| !key.default.is_empty()) {
            let mut text = key.default.to_owned();
            for part in key.name.rsplit('.') {
                text = format!("{{{}: {text}}}", if part == "*" { "x" } else { part });
            }
            let mut policy = parse(&text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            // To state the default is another thing than to be silent, for the mode alone.
            policy.mode = policy.mode.filter(|mode| *mode != Mode::default());
            let mut expected = Policy::default();
            if key.name.starts_with("jobs.") {
                expected.jobs.push(("x".into(), JobPolicy::default()));
            }
            assert_eq!(policy, expected, "{text}");
        }
    }

    #[test]
    fn the_hash_is_of_the_text() {
        assert_eq!(
            policy_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
