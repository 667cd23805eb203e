//! Paths on a command line: what a word names, and which of its parts name a file.
//!
//! A table may take a word for a text, or miss the value behind the letter of a flag.
//! What names a file of the tree is an input all the same: the whole word, and every
//! part of it behind a mark such as `=`, `:`, `,` or `@`, or behind the letters of short
//! flags.
//!
//! It only adds: never may a word that names a file be passed over because its program
//! is known.

use std::collections::BTreeSet;

use super::table::{self, Class};
use super::walk::{Invocation, Walk, below};
use super::{Input, OpaqueCause};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::base_name;

/// The longest word of which parts are looked at, in bytes.
const LONGEST: usize = 16 << 10;
/// How many bytes of a word cost a step of the job's scripts.
const BYTES_OF_STEP: usize = 64;
/// How many letters of short flags may stand in front of a value.
const LETTERS: usize = 6;

/// Programs whose words are texts, or that are read word by word elsewhere.
const TEXTS: &[&str] = &[
    "test", "[", "[[", "bash", "sh", "zsh", "dash", "ksh", "cd", "git",
];

/// Programs that run files which they are told, beside those that the table says so of.
const RUNNERS: &[&str] = &[
    "py",
    "pytest",
    "py.test",
    "coverage",
    "tox",
    "nox",
    "node",
    "tsx",
    "ts-node",
    "bun",
    "deno",
    "c8",
    "nyc",
    "jest",
    "vitest",
    "mocha",
    "ava",
    "jasmine",
    "playwright",
    "cypress",
    "karma",
    "tap",
    "uvu",
    "wdio",
    "tsd",
    "turbo",
    "nx",
    "lerna",
    "go",
    "gotestsum",
    "gox",
    "cargo",
    "gradle",
    "mvn",
];

impl Walk<'_> {
    /// Files that the words of a command name, whole or in part, and that none of the
    /// parts from `first` on says already.
    pub(super) fn files_among(&mut self, call: &Invocation, name: &str, first: usize) {
        let is_text = || table::command(name, &[]).is_some_and(|(it, _)| it.class == Class::Text);
        if TEXTS.contains(&name) || is_text() {
            return;
        }
        let mut found: BTreeSet<Glob> = BTreeSet::new();
        let mut modules = Vec::new();
        for word in call.words.iter().skip(1) {
            let Some(left) = self.left_after(&word.text) else {
                let what = format!("a long word of {name}");
                return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
            };
            self.steps().set(left);
            for part in parts(&word.text) {
                if let Located::Inside(path) = locate(&call.place, part)
                    && self.names_file(&path)
                {
                    found.insert(Glob::path(&path));
                }
                modules.extend(self.modules(part));
            }
        }
        if !modules.is_empty() {
            self.entry(call, modules);
        }
        if found.is_empty() {
            return;
        }
        let runs = runs_files(name);
        let said = self.out.parts.get(first..).unwrap_or_default();
        found.retain(|glob| {
            !said.iter().any(|(input, _)| match input {
                Input::Entry(globs) | Input::Checked(globs) | Input::Compiled(globs) => {
                    globs.contains(glob)
                }
                Input::Exact(globs) => !runs && globs.contains(glob),
                _ => false,
            })
        });
        let found: Vec<Glob> = found.into_iter().collect();
        match (found.is_empty(), runs) {
            (true, _) => {}
            (false, true) => self.entry(call, found),
            (false, false) => self.exact(call, found),
        }
    }

    /// The steps that are left when a word was looked at; `None` when there are too few.
    fn left_after(&self, text: &str) -> Option<u32> {
        let cost = u32::try_from(text.len() / BYTES_OF_STEP).ok()?;
        let left = self.steps().get().checked_sub(cost)?;
        (text.len() <= LONGEST).then_some(left)
    }

    /// The modules of Python in the tree that a dotted name may mean, wherever they lie:
    /// a plugin, a module of settings.
    pub(super) fn modules(&self, name: &str) -> Vec<Glob> {
        let is_word =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !name.contains('.') || !name.split('.').all(is_word) {
            return Vec::new();
        }
        let path = name.replace('.', "/");
        let tree = &self.context.snapshot.tree;
        let forms = [format!("{path}.py"), format!("{path}/__init__.py")];
        let found = forms.iter().flat_map(|form| {
            let named = tree.named(base_name(form)).map(|(_, entry)| &*entry.path);
            named.filter(move |path| {
                let rest = path.strip_suffix(form.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            })
        });
        found.map(Glob::path).collect()
    }

    /// Words of a program that needs no files, where they name some nevertheless: an
    /// archive to install, a key, `@FILE`, a file that must be there to be changed.
    ///
    /// A word that is not known is taken for something else. A directory counts only
    /// when it is written as a path, because names of packages are words too.
    pub(super) fn named_among(&mut self, call: &Invocation, words: &[Word]) {
        for word in words.iter().filter(|word| !word.unknown) {
            for part in parts(&word.text) {
                let Located::Inside(path) = locate(&call.place, part) else {
                    continue;
                };
                let is_dir = part.contains('/') && !path.is_empty() && self.has_dir(&path);
                if self.has_file(&path) || is_dir {
                    self.read_path(call, &Word::literal(part));
                }
            }
        }
    }

    /// Files that a text of a configuration names, and directories that are written as
    /// paths: whatever they are for, they may run.
    pub(super) fn names_of_text(&mut self, call: &Invocation, text: &str) {
        let mut globs = Vec::new();
        for part in parts(text) {
            let Located::Inside(path) = locate(&call.place, part) else {
                continue;
            };
            if self.names_file(&path) {
                globs.push(Glob::path(&path));
            } else if part.contains('/') && !path.is_empty() && self.has_dir(&path) {
                globs.push(below(&path, "**"));
            }
        }
        if !globs.is_empty() {
            self.entry(call, globs);
        }
    }

    /// `echo *.py` is a list of files.
    pub(super) fn globs_among(&mut self, call: &Invocation, words: &[Word]) {
        let is_pattern = |word: &&Word| {
            word.glob
                && word
                    .text
                    .contains(|c: char| c.is_ascii_alphanumeric() || c == '/')
        };
        for word in words.iter().filter(is_pattern) {
            self.read_path(call, word);
        }
    }

    /// Arguments of a program of the repository: paths that exist are read.
    pub(super) fn program_arguments(&mut self, call: &Invocation, words: &[Word]) {
        for word in words {
            if word.unknown {
                self.unknown_use(call);
                continue;
            }
            for part in parts(&word.text) {
                if let Located::Inside(path) = locate(&call.place, part)
                    && (self.names_file(&path) || self.has_dir(&path))
                {
                    self.run_path(call, &Word::literal(part));
                }
                let modules = self.modules(part);
                if !modules.is_empty() {
                    self.entry(call, modules);
                }
            }
        }
    }

    /// A file or directory that is read as it is.
    pub(super) fn read_path(&mut self, call: &Invocation, word: &Word) {
        if let Some(globs) = self.path_globs(call, word) {
            self.exact(call, globs);
        }
    }

    /// A file or directory that runs, or is copied to run.
    pub(super) fn run_path(&mut self, call: &Invocation, word: &Word) {
        if let Some(globs) = self.path_globs(call, word) {
            self.entry(call, globs);
        }
    }

    /// What a path on a command line matches; `None` outside of the repository.
    pub(super) fn path_globs(&mut self, call: &Invocation, word: &Word) -> Option<Vec<Glob>> {
        if word.text.is_empty() || word.text.contains("://") {
            return None;
        }
        if word.unknown {
            self.unknown_use(call);
            return None;
        }
        match locate(&call.place, &word.text) {
            Located::Outside => None,
            Located::Unknown => {
                self.unknown_use(call);
                None
            }
            // Quoted, the program itself expands it.
            Located::Inside(path) if word.glob || path.contains('*') => {
                let told = expanded(call.dir().unwrap_or_default(), &path).into_iter();
                Some(
                    told.flat_map(|glob| [glob.clone(), glob.and_below("**")])
                        .collect(),
                )
            }
            Located::Inside(path) if self.has_file(&path) => Some(vec![Glob::path(&path)]),
            Located::Inside(path) if path.is_empty() => Some(vec![below("", "**")]),
            Located::Inside(path) => Some(vec![Glob::path(&path), below(&path, "**")]),
        }
    }
}

/// What a path may mean in which the shell, or the program itself, expands patterns. The
/// directory in which it is said is no part of them.
pub(super) fn expanded(dir: &str, path: &str) -> Vec<Glob> {
    let mut all = Glob::readings(path);
    let said = path
        .strip_prefix(dir)
        .and_then(|rest| rest.strip_prefix('/'));
    let here = said.map(|rest| Glob::below(dir, rest));
    all.extend(here.filter(|glob| !all.contains(glob)));
    all
}

/// Whether a program runs files that it is told, so that what these need counts too.
fn runs_files(name: &str) -> bool {
    let of_table = table::command(name, &[]).map(|(command, _)| command.class);
    RUNNERS.contains(&name)
        || ["python", "pypy"].iter().any(|it| name.starts_with(it))
        || matches!(of_table, Some(Class::Runs | Class::Follows))
}

/// A word, and its parts: between marks, behind the first mark of a kind, and behind
/// the letters of short flags.
pub(super) fn parts(text: &str) -> BTreeSet<&str> {
    let is_mark = |c: char| c.is_whitespace() || "=:,;@'\"`()<>[]{}|&".contains(c);
    let mut parts: BTreeSet<&str> = text.split(is_mark).collect();
    parts.insert(text);
    for mark in ['=', ':', ',', '@'] {
        parts.extend(text.split_once(mark).map(|(_, tail)| tail));
    }
    let short = |part: &&'_ str| part.starts_with('-') && !part.starts_with("--");
    for part in parts.clone().into_iter().filter(short) {
        let letters = part.trim_start_matches('-');
        let tails = letters.char_indices().skip(1).take(LETTERS);
        let tails = tails.map_while(|(at, _)| {
            let (flags, tail) = letters.split_at_checked(at)?;
            let are_flags = flags.chars().all(|c| c.is_ascii_alphanumeric());
            are_flags.then_some(tail)
        });
        parts.extend(tails.collect::<Vec<_>>());
    }
    let local: Vec<&str> = parts
        .iter()
        .filter_map(|it| it.strip_prefix("//"))
        .collect();
    parts.extend(local);
    parts.remove("");
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    fn check(word: &str, expected: &[&str]) {
        let parts = parts(word);
        for part in expected {
            assert!(parts.contains(part), "{part} in {word}: {parts:?}");
        }
    }

    #[test]
    fn a_word_is_taken_apart_at_every_mark() {
        check("b.txt", &["b.txt"]);
        check("--exclude-from=b.txt", &["b.txt"]);
        check("file=@b.txt;type=text/plain", &["b.txt"]);
        check("a.txt,b.txt", &["a.txt", "b.txt"]);
        check("\\copy t from 'b.txt'", &["b.txt"]);
        check("x=a=b.txt", &["a=b.txt", "b.txt"]);
        check("file:///srv/b.txt", &["/srv/b.txt"]);
    }

    #[test]
    fn values_behind_letters_are_parts() {
        check("-fb.txt", &["b.txt"]);
        check("-xffix.tgz", &["fix.tgz"]);
        check("-r./pk/b.js", &["./pk/b.js"]);
        check("-c../../x.js", &["../../x.js"]);
        check("-d@b.txt", &["b.txt"]);
        check("-é/x", &["-é/x"]);
        check("link-arg=-Tlink/x.md", &["link/x.md"]);
    }

    #[test]
    fn nothing_of_a_word_is_empty() {
        for word in ["", "=", "-", "--", "a=", "://"] {
            assert!(!parts(word).contains(""), "{word}");
        }
    }
}
