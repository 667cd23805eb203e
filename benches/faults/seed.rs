//! Which fault comes next.
//!
//! A fault is one small change of the tree, chosen by a seed: the same seed on the
//! same tree gives the same faults. The kinds take turns, so that each of them is
//! tried as often as the tree allows.

use std::collections::{BTreeMap, BTreeSet};

use crate::additions;
use crate::edits::{self, Dialect};
use crate::random::Random;

/// New contents by path; `None` deletes.
pub(crate) type Edits = BTreeMap<String, Option<Vec<u8>>>;

/// What is done to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Comparison,
    Number,
    Text,
    FailingFunction,
    DeletedFunction,
    Syntax,
    Data,
    DataLineDeleted,
    Emptied,
    Deleted,
    Renamed,
    Prose,
    Pipeline,
    Lockfile,
    Configuration,
    NewFile,
    NewConfiguration,
    Shadow,
    ShadowedModule,
}

impl Kind {
    pub(crate) const ALL: &[Self] = &[
        Self::Comparison,
        Self::Number,
        Self::Text,
        Self::FailingFunction,
        Self::DeletedFunction,
        Self::Syntax,
        Self::Data,
        Self::DataLineDeleted,
        Self::Emptied,
        Self::Deleted,
        Self::Renamed,
        Self::Prose,
        Self::Pipeline,
        Self::Lockfile,
        Self::Configuration,
        Self::NewFile,
        Self::NewConfiguration,
        Self::Shadow,
        Self::ShadowedModule,
    ];
}

/// One fault.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// For people: where and what.
    pub(crate) what: String,
    pub(crate) edits: Edits,
}

/// Texts of the tree by path; `None` for what is no text.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// The faults of one tree, one after the other.
#[derive(Debug)]
pub(crate) struct Faults<'a> {
    files: &'a Files,
    paths: Vec<&'a str>,
    dirs: Vec<String>,
    script: Dialect,
    modules: Vec<String>,
    random: Random,
    turn: usize,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(files: &'a Files, seed: u64) -> Self {
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        let script = main_script(&paths);
        let mut dirs: BTreeSet<String> = BTreeSet::new();
        for path in &paths {
            let mut dir = *path;
            while let Some((parent, _)) = dir.rsplit_once('/') {
                dirs.insert(parent.to_owned());
                dir = parent;
            }
        }
        dirs.insert(String::new());
        Self {
            files,
            paths,
            dirs: dirs.into_iter().collect(),
            script,
            modules: modules(files, script),
            random: Random::new(seed),
            turn: 0,
        }
    }

    /// The next fault that changes anything.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        for _ in 0..10_000 {
            let kind = *Kind::ALL.get(self.turn % Kind::ALL.len())?;
            self.turn += 1;
            let found = self.try_kind(kind);
            if let Some((what, edits)) = found.filter(|(_, edits)| self.changes(edits)) {
                return Some(Fault { kind, what, edits });
            }
        }
        None
    }

    /// Whether git could hold the result, and it is another tree.
    fn changes(&self, edits: &Edits) -> bool {
        let old = |path: &str| self.files.get(path);
        edits.iter().all(|(path, new)| {
            let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            let free = new.is_none()
                || (above
                    .into_iter()
                    .all(|dir| old(dir).is_none() || edits.get(dir) == Some(&None))
                    && !self.dirs.contains(path));
            free && match (old(path), new) {
                (None, None) => false,
                (Some(Some(old)), Some(new)) => old.as_bytes() != new.as_slice(),
                _ => true,
            }
        })
    }

    fn try_kind(&mut self, kind: Kind) -> Option<(String, Edits)> {
        match kind {
            Kind::Comparison => {
                self.edit(is_code, |text, _, random| edits::comparison(text, random))
            }
            Kind::Number => self.edit(is_code, |text, _, random| edits::number(text, random)),
            Kind::Text => self.edit(is_code, |text, _, random| edits::string(text, random)),
            Kind::FailingFunction => self.edit(is_code, edits::failure),
            Kind::DeletedFunction => self.edit(is_code, edits::without_function),
            Kind::Syntax => self.edit(is_code, |text, _, random| edits::syntax(text, random)),
            Kind::Data => self.edit(is_data, |text, _, random| edits::line(text, random)),
            Kind::DataLineDeleted => {
                self.edit(is_data, |text, _, random| edits::without_line(text, random))
            }
            Kind::Prose => self.edit(is_prose, |text, _, random| edits::line(text, random)),
            Kind::Pipeline => self.edit(is_pipeline, |text, _, random| edits::line(text, random)),
            Kind::Lockfile => self.edit(is_lockfile, |text, _, random| edits::number(text, random)),
            Kind::Configuration => self.edit(is_configuration, |text, _, random| {
                edits::line(text, random)
            }),
            Kind::Emptied => self.whole(|path| {
                (
                    format!("empty {path}"),
                    vec![(path.to_owned(), Some(String::new()))],
                )
            }),
            Kind::Deleted => {
                self.whole(|path| (format!("delete {path}"), vec![(path.to_owned(), None)]))
            }
            Kind::Renamed => self.rename(),
            Kind::NewFile => self.new_file(),
            Kind::NewConfiguration => {
                let dir = self.random.pick(&self.dirs)?.clone();
                self.add(additions::configuration(self.script, &dir))
            }
            Kind::Shadow => {
                let path = *self.random.pick(&self.paths)?;
                self.add(additions::shadows(path))
            }
            Kind::ShadowedModule => {
                let dir = self.random.pick(&self.dirs)?.clone();
                let name = self.random.pick(&self.modules)?.clone();
                self.add(additions::module(self.script, &dir, &name))
            }
        }
    }

    fn edit(
        &mut self,
        fits: impl Fn(&str) -> bool,
        change: impl Fn(&str, Dialect, &mut Random) -> edits::Edited,
    ) -> Option<(String, Edits)> {
        let paths: Vec<&str> = self
            .paths
            .iter()
            .copied()
            .filter(|path| fits(path))
            .collect();
        let path = *self.random.pick(&paths)?;
        let text = self.files.get(path)?.as_deref()?;
        let (new, line) = change(text, Dialect::of(path), &mut self.random)?;
        let edits = Edits::from([(path.to_owned(), Some(new.into_bytes()))]);
        Some((format!("{path}:{line}"), edits))
    }

    fn whole(
        &mut self,
        change: impl Fn(&str) -> (String, Vec<(String, Option<String>)>),
    ) -> Option<(String, Edits)> {
        let path = *self.random.pick(&self.paths)?;
        let (what, changes) = change(path);
        let edits = changes
            .into_iter()
            .map(|(path, text)| (path, text.map(String::into_bytes)));
        Some((what, edits.collect()))
    }

    fn rename(&mut self) -> Option<(String, Edits)> {
        let path = *self.random.pick(&self.paths)?;
        let text = self.files.get(path)?.clone()?;
        let (stem, extension) = path.rsplit_once('.')?;
        let other = self.random.pick(&self.dirs)?;
        let base = path.rsplit('/').next()?;
        let moved = if other.is_empty() {
            base.to_owned()
        } else {
            format!("{other}/{base}")
        };
        let beside = format!("{stem}_moved.{extension}");
        let to = self.random.pick(&[beside, moved])?.clone();
        let edits = Edits::from([
            (path.to_owned(), None),
            (to.clone(), Some(text.into_bytes())),
        ]);
        Some((format!("rename {path} to {to}"), edits))
    }

    fn new_file(&mut self) -> Option<(String, Edits)> {
        let dir = self.random.pick(&self.dirs)?.clone();
        let inside = format!("{dir}/");
        let sibling = self.paths.iter().find(|path| {
            let rest = if dir.is_empty() {
                Some(**path)
            } else {
                path.strip_prefix(&inside)
            };
            rest.is_some_and(|rest| !rest.contains('/') && Dialect::of(rest) == self.script)
        });
        let text = sibling.and_then(|path| self.files.get(*path)?.as_deref());
        self.add(additions::code(self.script, &dir, text))
    }

    fn add(&mut self, candidates: Vec<additions::Added>) -> Option<(String, Edits)> {
        let new: Vec<additions::Added> = candidates
            .into_iter()
            .filter(|(path, _)| !self.files.contains_key(path))
            .collect();
        let (path, text) = self.random.pick(&new)?.clone();
        Some((
            format!("add {path}"),
            Edits::from([(path, Some(text.into_bytes()))]),
        ))
    }
}

fn is_code(path: &str) -> bool {
    Dialect::of(path) != Dialect::Other
}

fn is_prose(path: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    [".md", ".rst", ".txt"]
        .iter()
        .any(|end| base.ends_with(end))
        || ["LICENSE", "COPYING", "CHANGE", "AUTHORS"]
            .iter()
            .any(|start| base.starts_with(start))
}

fn is_pipeline(path: &str) -> bool {
    path.starts_with(".github/") || path.starts_with(".circleci/")
}

fn is_lockfile(path: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    base.ends_with(".lock")
        || base.starts_with("requirements")
        || ["package-lock.json", "pnpm-lock.yaml", "go.sum"].contains(&base)
}

fn is_configuration(path: &str) -> bool {
    let base = path.rsplit('/').next().unwrap_or(path);
    let by_end = [".toml", ".cfg", ".ini", ".json", ".yml", ".yaml"];
    (base.starts_with('.')
        || base.ends_with("go.mod")
        || by_end.iter().any(|end| base.ends_with(end)))
        && !is_pipeline(path)
        && !is_lockfile(path)
}

/// Templates, fixtures, anything that is none of the others.
fn is_data(path: &str) -> bool {
    !is_code(path) && !is_pipeline(path) && !is_lockfile(path)
}

fn main_script(paths: &[&str]) -> Dialect {
    let all = [
        Dialect::Python,
        Dialect::JavaScript,
        Dialect::Go,
        Dialect::Rust,
    ];
    let count = |script: &Dialect| {
        paths
            .iter()
            .filter(|path| Dialect::of(path) == *script)
            .count()
    };
    all.into_iter().max_by_key(count).unwrap_or(Dialect::Other)
}

/// The first name of every import, found roughly.
fn modules(files: &Files, script: Dialect) -> Vec<String> {
    let mut found = BTreeSet::new();
    let sources = files.iter().filter(|(path, _)| Dialect::of(path) == script);
    for line in sources
        .filter_map(|(_, text)| text.as_deref())
        .flat_map(str::lines)
    {
        let name = match script {
            Dialect::Python => line
                .trim_start()
                .strip_prefix("import ")
                .or_else(|| line.trim_start().strip_prefix("from ")),
            Dialect::JavaScript => line
                .split_once("require('")
                .or_else(|| line.split_once(" from '"))
                .map(|(_, rest)| rest),
            Dialect::Go | Dialect::Rust | Dialect::Other => None,
        };
        let end = |letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-';
        let first = name.and_then(|name| name.split(end).next());
        found.extend(first.filter(|first| !first.is_empty()).map(str::to_owned));
    }
    found.into_iter().collect()
}
