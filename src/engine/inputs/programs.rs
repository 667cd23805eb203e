//! Programs of the table, wrappers, and programs of the repository itself.

use super::table::{self, Class, Command};
use super::walk::{Invocation, Text, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::shell::{Located, Place, Word, locate};
use crate::engine::tree::{base_name, dir_of};

/// The arguments of a command, sorted by what they are.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// What is no flag and no value of one.
    pub(super) operands: Vec<Word>,
    /// Values of flags that name files.
    pub(super) reads: Vec<Word>,
    /// Flags, without their values.
    pub(super) flags: Vec<Word>,
}

/// Sorts arguments: `values` are flags that take the next word, `paths` those whose
/// value is read.
pub(super) fn arguments(words: &[Word], values: &[&str], paths: &[&str]) -> Arguments {
    let mut sorted = Arguments::default();
    let mut words = words.iter();
    let mut only_operands = false;
    while let Some(word) = words.next() {
        let text = word.text.as_ref();
        if only_operands || !text.starts_with('-') || text == "-" {
            sorted.operands.push(word.clone());
        } else if text == "--" {
            only_operands = true;
        } else if let Some((flag, value)) = text.split_once('=') {
            if paths.contains(&flag) {
                let mut value = Word::literal(value);
                value.unknown = word.unknown;
                sorted.reads.push(value);
            }
            sorted.flags.push(word.clone());
        } else if paths.contains(&text) {
            sorted.reads.extend(words.next().cloned());
            sorted.flags.push(word.clone());
        } else {
            if values.contains(&text) {
                words.next();
            }
            sorted.flags.push(word.clone());
        }
    }
    sorted
}

impl Arguments {
    /// Whether one of the flags was given.
    pub(super) fn has(&self, flags: &[&str]) -> bool {
        self.flags.iter().any(|word| {
            let name = word.text.split('=').next().unwrap_or_default();
            flags.contains(&name)
        })
    }
}

impl Walk<'_> {
    /// A program by the table.
    pub(super) fn listed(&mut self, call: &Invocation, name: &str) {
        let parent = table::command(name, &[]).map(|(command, _)| command);
        let rest = call.words.get(1..).unwrap_or_default();
        let values = refs(parent.map_or(&[][..], |command| &command.values));
        let plain = arguments(rest, &values, &[]);
        let names: Vec<&str> = plain
            .operands
            .iter()
            .map(|word| word.text.as_ref())
            .collect();
        let Some((command, used)) = table::command(name, &names) else {
            if rest
                .iter()
                .any(|word| matches!(&*word.text, "--version" | "--help" | "-V"))
                && rest.len() == 1
            {
                return;
            }
            return self.opaque(call, OpaqueCause::UnknownProgram(name.into()));
        };
        let is_one_of = |list: &[Box<str>]| rest.iter().any(|word| list.contains(&word.text));
        if is_one_of(&command.harmless) {
            return;
        }
        if is_one_of(&command.history) {
            self.never(call, Never::ReadsHistory);
        }
        match command.class {
            Class::Neutral => {}
            Class::History => self.never(call, Never::ReadsHistory),
            Class::Delivers => self.never(call, Never::Delivers),
            Class::Scans => self.never(call, Never::Scans),
            Class::Parent if names.is_empty() => {}
            Class::Parent => {
                let name = names
                    .first()
                    .map_or(name.to_owned(), |sub| format!("{name} {sub}"));
                self.opaque(call, OpaqueCause::UnknownProgram(name.into()));
            }
            Class::Wrapper => self.wrapper(call, command),
            Class::Whole => self.whole(call),
            Class::Reads | Class::Runs | Class::Tree | Class::Follows => {
                self.reader(call, command, used);
            }
        }
    }

    /// Everything in the repository.
    pub(super) fn whole(&mut self, call: &Invocation) {
        let tree = Input::Tree {
            dir: "".into(),
            extensions: Vec::new(),
        };
        self.add(call, tree);
    }

    fn wrapper(&mut self, call: &Invocation, command: &Command) {
        let values = refs(&command.values);
        let mut at = 1;
        let mut skip = command.skip;
        while let Some(word) = call.words.get(at) {
            let text = word.text.as_ref();
            if text.starts_with('-') {
                at += if values.contains(&text) { 2 } else { 1 };
                if text == "--" && skip == 0 {
                    break;
                }
            } else if is_assignment(text) {
                at += 1;
            } else if skip > 0 {
                skip -= 1;
                at += 1;
            } else {
                break;
            }
        }
        self.program(&call.without(at));
    }

    fn reader(&mut self, call: &Invocation, command: &Command, used: usize) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &refs(&command.values), &refs(&command.paths));
        for word in &sorted.reads {
            self.read_path(call, word);
        }
        let operands = sorted.operands.get(used..).unwrap_or_default();
        let is_wide = matches!(command.class, Class::Tree | Class::Follows);
        if !is_wide {
            let patterns = usize::from(
                list("grep egrep fgrep rg sed awk jq yq")
                    .contains(&call.origin.what.split(' ').next().unwrap_or_default()),
            );
            for word in operands.iter().skip(patterns) {
                if command.class == Class::Runs {
                    self.run_path(call, word);
                } else {
                    self.read_path(call, word);
                }
            }
            return;
        }
        let here = [Word::literal(".")];
        let operands = if operands.is_empty() {
            &here[..]
        } else {
            operands
        };
        for word in operands {
            self.wide(call, command, word);
        }
    }

    /// What a tree-wide tool reads below one operand.
    fn wide(&mut self, call: &Invocation, command: &Command, word: &Word) {
        // A package pattern of Go, and a glob: everything below its fixed part.
        let text = word.text.trim_end_matches("/...").trim_end_matches("...");
        let fixed = match text.find(['*', '?', '[', '{']) {
            Some(end) => text.get(..end).map_or("", dir_of),
            None => text,
        };
        let fixed = if fixed.is_empty() { "." } else { fixed };
        let path = match (word.unknown, locate(&call.place, fixed)) {
            (true, _) | (_, Located::Unknown) => return self.unknown_use(call),
            (_, Located::Outside) => return,
            (_, Located::Inside(path)) => path,
        };
        let is_file = self.has_file(&path);
        let dir: Box<str> = if is_file {
            dir_of(&path).into()
        } else {
            path.clone()
        };
        let mut config = Vec::new();
        for name in &command.config {
            config.push(below(&dir, &format!("**/{name}")));
            let mut above = dir.as_ref();
            while !above.is_empty() {
                above = dir_of(above);
                config.push(below(above, name));
            }
        }
        if !config.is_empty() {
            self.exact(call, config);
        }
        match (command.class, is_file) {
            (Class::Follows, true) => self.entry(call, vec![globset::escape(&path).into()]),
            (_, true) => self.exact(call, vec![globset::escape(&path).into()]),
            (Class::Follows, false) => {
                let globs = by_extension(&path, &command.extensions);
                self.entry(call, globs);
            }
            (_, false) => self.add(
                call,
                Input::Tree {
                    dir: path,
                    extensions: command.extensions.clone(),
                },
            ),
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
    pub(super) fn path_globs(&mut self, call: &Invocation, word: &Word) -> Option<Vec<Box<str>>> {
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
            Located::Inside(path) if word.glob => {
                Some(vec![path.clone(), format!("{path}/**").into()])
            }
            Located::Inside(path) if self.has_file(&path) => {
                Some(vec![globset::escape(&path).into()])
            }
            Located::Inside(path) if path.is_empty() => Some(vec!["**".into()]),
            Located::Inside(path) => Some(vec![globset::escape(&path).into(), below(&path, "**")]),
        }
    }

    /// A program by its path: a script of the repository.
    pub(super) fn repository_program(&mut self, call: &Invocation, path: &str) {
        let base = base_name(path);
        if matches!(base, "gradlew" | "mvnw") {
            self.exact(call, vec![globset::escape(path).into()]);
            return if base == "gradlew" {
                self.gradle(call);
            } else {
                self.maven(call);
            };
        }
        if !self.has_file(path) {
            // Programs that package managers put into the tree.
            if path.contains("node_modules/.bin/")
                || path.contains("venv/")
                || path.contains("env/bin/")
                || path.starts_with("vendor/bin/")
            {
                let mut inner = call.clone();
                if let Some(first) = inner.words.first_mut() {
                    *first = Word::literal(base);
                }
                return self.program(&inner);
            }
            return self.opaque(
                call,
                OpaqueCause::UnknownProgram(format!("./{path}").into()),
            );
        }
        self.exact(call, vec![globset::escape(path).into()]);
        match base.rsplit_once('.').map(|(_, extension)| extension) {
            Some("py" | "js" | "mjs" | "cjs" | "ts" | "mts") => self.entry_program(call, path),
            _ => self.repository_script(call, path, 0),
        }
    }

    fn entry_program(&mut self, call: &Invocation, path: &str) {
        self.entry(call, vec![globset::escape(path).into()]);
        let rest = call.words.get(1..).unwrap_or_default().to_vec();
        self.program_arguments(call, &rest);
    }

    /// Arguments of a program of the repository: paths that exist are read.
    pub(super) fn program_arguments(&mut self, call: &Invocation, words: &[Word]) {
        for word in words {
            let value = word
                .text
                .split_once('=')
                .map_or(&*word.text, |(_, value)| value);
            if word.unknown {
                self.unknown_use(call);
            } else if let Located::Inside(path) = locate(&call.place, value)
                && (self.has_file(&path)
                    || self.has_dir(&path) && (value.contains('/') || value == "."))
            {
                let mut word = word.clone();
                word.text = value.into();
                self.run_path(call, &word);
            }
        }
    }

    /// A script of the repository, by its first line or its ending.
    pub(super) fn repository_script(&mut self, call: &Invocation, path: &str, program: usize) {
        let Some(text) = self.text(path) else {
            if !self.has_file(path) {
                self.opaque(call, OpaqueCause::Missing(path.into()));
            }
            return;
        };
        let first = text.lines().next().unwrap_or_default();
        if program == 0 && first.starts_with("#!") && !first.contains("sh") {
            if first.contains("python") || first.contains("node") {
                return self.entry_program(call, path);
            }
            return self.opaque(call, OpaqueCause::UnknownProgram(first.into()));
        }
        let mut arguments = call.words.get(program..).unwrap_or_default().to_vec();
        if let Some(zero) = arguments.first_mut() {
            *zero = Word::literal(&format!("{}/{path}", crate::engine::shell::WORKSPACE));
        }
        let key = format!("script {path} {:?} {arguments:?}", call.place);
        if self.seen.insert(key) {
            self.script(&Text {
                file: path,
                line: 1,
                text,
                place: call.place.clone(),
                arguments: Some(arguments),
            });
        }
    }

    /// `bash -c TEXT`, `bash FILE`, `bash` with its script as input.
    pub(super) fn shell_program(&mut self, call: &Invocation) {
        let mut at = 1;
        while let Some(word) = call.words.get(at) {
            let text = word.text.as_ref();
            if text.starts_with("--") && text.len() > 2 {
                at += 1;
            } else if let Some(flags) = text.strip_prefix('-').filter(|flags| !flags.is_empty()) {
                at += if flags.ends_with(['o', 'O']) { 2 } else { 1 };
                if flags.contains('c') {
                    return self.inline(call, call.words.get(at));
                }
            } else {
                break;
            }
        }
        match call.words.get(at) {
            None if call.input.is_some() => self.inline(call, call.input.as_ref()),
            None if call.piped => {
                self.opaque(call, OpaqueCause::Shell("a script from a pipe".into()));
            }
            None => {}
            Some(word) if word.unknown => self.unknown_use(call),
            Some(word) => match locate(&call.place, &word.text) {
                Located::Inside(path) => {
                    self.exact(call, vec![globset::escape(&path).into()]);
                    self.repository_script(call, &path, at);
                }
                Located::Outside | Located::Unknown => self.unknown_use(call),
            },
        }
    }

    fn inline(&mut self, call: &Invocation, text: Option<&Word>) {
        match text {
            Some(word) if !word.unknown => {
                let text = word.text.clone();
                self.script(&Text {
                    file: &call.origin.file,
                    line: call.origin.line,
                    text: &text,
                    place: call.place.clone(),
                    arguments: None,
                });
            }
            _ => self.opaque(call, OpaqueCause::Shell(call.origin.what.clone())),
        }
    }

    /// The command after the first words, in a directory that was told.
    pub(super) fn elsewhere(&mut self, call: &Invocation, dir: &Word) -> Place {
        let place = call.place.enter(dir);
        if place == Place::Unknown {
            self.unknown_use(call);
        }
        place
    }
}

/// Globs of all files with these extensions below a directory.
pub(super) fn by_extension(dir: &str, extensions: &[Box<str>]) -> Vec<Box<str>> {
    if extensions.is_empty() {
        return vec![below(dir, "**")];
    }
    extensions
        .iter()
        .map(|extension| below(dir, &format!("**/*.{extension}")))
        .collect()
}

/// The words of a constant list.
pub(super) fn list(words: &'static str) -> Vec<&'static str> {
    words.split_whitespace().collect()
}

pub(super) fn refs(list: &[Box<str>]) -> Vec<&str> {
    list.iter().map(AsRef::as_ref).collect()
}

/// Whether a word sets a variable.
pub(super) fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
