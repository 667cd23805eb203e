//! Programs of the table, wrappers, and programs of the repository itself.

use super::environment::is_assignment;
use super::table::{self, Class, Command};
use super::walk::{Invocation, Text, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::shell::{Located, Place, Value, Word, locate};
use crate::engine::tree::base_name;

/// Programs of the table that run what stands on their standard input.
const INTERPRETERS: &str = "ruby php Rscript R lua luajit deno julia elixir groovy tclsh swift";

/// The arguments of a command, sorted by what they are.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// What is no flag and no value of one.
    pub(super) operands: Vec<Word>,
    /// Values of flags that name files.
    pub(super) reads: Vec<Word>,
    /// Flags, without their values.
    pub(super) flags: Vec<Word>,
    /// Values of other flags, except of those that leave files out.
    pub(super) taken: Vec<Word>,
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
            } else if !leaves_out(flag) {
                let mut value = Word::literal(value);
                value.unknown = word.unknown;
                sorted.taken.push(value);
            }
            sorted.flags.push(word.clone());
        } else if paths.contains(&text) {
            sorted.reads.extend(words.next().cloned());
            sorted.flags.push(word.clone());
        } else {
            if values.contains(&text) {
                let value = words.next().filter(|_| !leaves_out(text));
                sorted.taken.extend(value.cloned());
            }
            sorted.flags.push(word.clone());
        }
    }
    sorted
}

/// Whether a flag says what is not read.
fn leaves_out(flag: &str) -> bool {
    ["exclude", "ignore", "skip", "omit"]
        .iter()
        .any(|word| flag.contains(word))
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
            // Not even with `--version`: the program may be the repository's own.
            return self.opaque(call, OpaqueCause::UnknownProgram(name.into()));
        };
        let title: Vec<&Word> = plain.operands.iter().take(used).collect();
        let mut own = rest.iter().filter(|word| !title.contains(word));
        let first = own.next().map_or("", |word| word.text.as_ref());
        let is_alone = own.next().is_none();
        let asks_itself = is_alone && ["--version", "--help", "-h", "-V"].contains(&first);
        if asks_itself || command.harmless.iter().any(|word| **word == *first) {
            return;
        }
        let has = |list: &[Box<str>]| {
            rest.iter().any(|word| {
                let flag = word.text.split('=').next().unwrap_or_default();
                list.iter().any(|known| **known == *flag)
            })
        };
        if has(&command.history) {
            self.never(call, Never::ReadsHistory);
        }
        if has(&command.whole) {
            self.whole(call);
        }
        match command.class {
            Class::Text => self.globs_among(call, rest),
            Class::Neutral => self.named_among(call, rest),
            Class::History => self.never(call, Never::ReadsHistory),
            Class::Delivers => self.never(call, Never::Delivers),
            Class::Scans => self.never(call, Never::Scans),
            Class::Parent => self.parent(call, name, &names),
            Class::Wrapper => self.wrapper(call, command),
            Class::Whole => self.whole(call),
            Class::Reads | Class::Runs => self.reader(call, command, used),
            Class::Tree | Class::Follows | Class::Checks => self.tree_wide(call, command, used),
        }
    }

    /// A program whose sub-commands are in the table, without one of them.
    fn parent(&mut self, call: &Invocation, name: &str, names: &[&str]) {
        let is_bare = call.words.len() == 1 && call.input.is_none() && !call.piped;
        if !is_bare {
            let sub = names.first().copied().unwrap_or_default();
            let name = format!("{name} {sub}");
            self.opaque(call, OpaqueCause::UnknownProgram(name.trim().into()));
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
            if text == "--" && skip == 0 {
                at += 1;
                break;
            } else if text.starts_with('-') {
                at += if values.contains(&text) { 2 } else { 1 };
            } else if is_assignment(text) {
                self.assigned_among(call, std::slice::from_ref(word));
                at += 1;
            } else if skip > 0 {
                skip -= 1;
                at += 1;
            } else {
                break;
            }
        }
        if at >= call.words.len() && (call.input.is_some() || call.piped) {
            // `sudo -s` takes its commands from there.
            return self.opaque(call, OpaqueCause::Shell(call.origin.what.clone()));
        }
        self.program(&call.without(at));
    }

    /// Variables that are set for one command: `env A=1 COMMAND`.
    pub(super) fn assigned_among(&mut self, call: &Invocation, words: &[Word]) {
        for word in words {
            if let Some((name, value)) = word.text.split_once('=') {
                let value = if word.unknown {
                    Value::Unknown
                } else {
                    Value::Text(value.into())
                };
                self.assignment(call, name, &value);
            }
        }
    }

    fn reader(&mut self, call: &Invocation, command: &Command, used: usize) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &refs(&command.values), &refs(&command.paths));
        self.named_among(call, &sorted.taken);
        let operands = sorted.operands.get(used..).unwrap_or_default();
        let is_captured_list = operands.is_empty()
            && call.captured
            && list("ls ll dir du tree").contains(&call.words.first().map_or("", |it| &*it.text));
        if is_captured_list {
            self.read_path(call, &Word::literal("."));
        }
        let name = call.words.first().map_or("", |word| &*word.text);
        if operands.is_empty() && call.piped && list(INTERPRETERS).contains(&name) {
            self.opaque(call, OpaqueCause::Shell("code from a pipe".into()));
        }
        if let Some(dir) = call.dir().filter(|_| !command.config.is_empty()) {
            self.governed(call, command, dir);
        }
        for word in sorted.reads.iter().chain(operands) {
            if command.class == Class::Runs {
                self.run_path(call, word);
            } else {
                self.read_path(call, word);
            }
        }
    }

    /// Words of a program that needs no files, where they name some nevertheless: an
    /// archive to install, a key, `@FILE`, a file that must be there to be changed.
    ///
    /// A word that is not known is taken for something else. A directory counts only
    /// when it is written as a path, because names of packages are words too.
    pub(super) fn named_among(&mut self, call: &Invocation, words: &[Word]) {
        for word in words.iter().filter(|word| !word.unknown) {
            let value = word.text.split_once('=').map(|(_, value)| value);
            for text in [Some(&*word.text), value].into_iter().flatten() {
                let text = text.trim_start_matches('@');
                let Located::Inside(path) = locate(&call.place, text) else {
                    continue;
                };
                let is_dir = text.contains('/') && !path.is_empty() && self.has_dir(&path);
                if self.has_file(&path) || is_dir {
                    self.read_path(call, &Word::literal(text));
                }
            }
        }
    }

    /// `echo *.py` is a list of files.
    fn globs_among(&mut self, call: &Invocation, words: &[Word]) {
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
            // Quoted, the program itself expands it.
            Located::Inside(path) if word.glob || path.contains('*') => {
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
        if self.is_installer(call, call.words.first()) {
            return;
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
            Some(end @ ("ps1" | "bat" | "cmd")) => {
                self.opaque(call, OpaqueCause::ForeignShell(end.into()));
            }
            _ => self.repository_script(call, path, 0),
        }
    }

    fn entry_program(&mut self, call: &Invocation, path: &str) {
        self.run_entry(call, path);
        let rest = call.words.get(1..).unwrap_or_default().to_vec();
        self.program_arguments(call, &rest);
    }

    /// A program of the repository that the graph follows; it may set variables for later
    /// steps.
    pub(super) fn run_entry(&mut self, call: &Invocation, path: &str) {
        self.runs(call, path);
        self.entry(call, vec![globset::escape(path).into()]);
        let text = self.text(path).unwrap_or_default();
        if text.contains("GITHUB_ENV") || text.contains("GITHUB_PATH") {
            self.floating.insert("*".into());
        }
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
        self.refuse_asking_where_it_lies(call, path, text);
        let mut arguments = call.words.get(program..).unwrap_or_default().to_vec();
        if let Some(zero) = arguments.first_mut() {
            *zero = Word::literal(&format!("{}/{path}", crate::engine::shell::WORKSPACE));
        }
        self.runs(call, path);
        let key = format!(
            "script {path} {:?} {arguments:?} {}",
            call.place,
            self.variables_key()
        );
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
                if flags.contains('s') {
                    // Whatever follows is an argument of the script on standard input.
                    at = call.words.len();
                }
            } else {
                break;
            }
        }
        let file = call.words.get(at).filter(|word| &*word.text != "-");
        let by_pipe = file.is_none() || call.texts().contains(&"-s");
        if self.is_installer(call, file.filter(|_| !by_pipe)) {
            return;
        }
        match file {
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
