//! What programs of the tables read by their words, and programs of the repository.
//!
//! The tables say which flags of a program have a value, and which of its words are paths.
//! A wrapper is left out of the command that it starts; a script of the repository is
//! walked, and code of it is an entry point of the graph.
//!
//! A flag that no table lists stands alone: the word behind it counts as an operand, so
//! that more is read and not less. A program in no table makes the job opaque.

use super::environment::is_assignment;
use super::table::{self, Class, Command};
use super::walk::{Invocation, Text, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::facts::Language;
use crate::engine::globs::Glob;
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
/// value is read, whether it stands apart, behind `=` or behind the letter.
pub(super) fn arguments(words: &[Word], values: &[&str], paths: &[&str]) -> Arguments {
    let mut sorted = Arguments::default();
    let mut words = words.iter();
    let mut only_operands = false;
    while let Some(word) = words.next() {
        let text = word.text.as_ref();
        if only_operands || !text.starts_with('-') || text == "-" {
            sorted.operands.push(word.clone());
            continue;
        }
        if text == "--" {
            only_operands = true;
            continue;
        }
        sorted.flags.push(word.clone());
        match word.flag() {
            (flag, Some(value)) if paths.contains(&flag) => sorted.reads.push(value),
            (flag, Some(value)) if !leaves_out(flag) => sorted.taken.push(value),
            (_, Some(_)) => {}
            (flag, None) if paths.contains(&flag) => sorted.reads.extend(words.next().cloned()),
            (flag, None) if values.contains(&flag) => {
                let value = words.next().filter(|_| !leaves_out(flag));
                sorted.taken.extend(value.cloned());
            }
            (flag, None) => match attached(flag, paths) {
                Some("") => sorted.reads.extend(words.next().cloned()),
                Some(value) => sorted.reads.push(word.part(value)),
                None => {}
            },
        }
    }
    sorted
}

/// The value of a short flag in the same word; empty where the flag ends it, behind
/// letters of others: `-qr FILE`.
fn attached<'t>(text: &'t str, flags: &[&str]) -> Option<&'t str> {
    let mut short = flags.iter().filter(|flag| flag.len() == 2);
    let begins = short.clone().find_map(|flag| text.strip_prefix(flag));
    let letters = text.get(1..).unwrap_or_default();
    let is_cluster = letters.len() <= 4 && letters.chars().all(|c| c.is_ascii_alphabetic());
    let is_last = short.any(|flag| text.ends_with(flag.trim_start_matches('-')));
    begins.or((is_cluster && is_last).then_some(""))
}

/// Whether a flag says what is not read. A file that it names is read all the same.
fn leaves_out(flag: &str) -> bool {
    ["exclude", "ignore", "skip", "omit"]
        .iter()
        .any(|word| flag.contains(word))
}

/// Whether a word is one of some flags or operands of a command: by itself, with its
/// value, among letters that stand together, or in a text of several words.
fn says(command: &Command, text: &str, list: &[Box<str>]) -> bool {
    let is_one = |part: &str| list.iter().any(|known| **known == *part);
    let takes = |flag: &str| {
        let mut known = command.values.iter().chain(&command.paths);
        known.any(|it| **it == *flag)
    };
    let is_text = matches!(command.class, Class::Reads | Class::Neutral);
    if is_one(text.split('=').next().unwrap_or_default())
        || is_text && text.split_whitespace().any(is_one)
    {
        return true;
    }
    let is_short = text.starts_with('-') && !text.starts_with("--") && !takes(text);
    // Linters of Go and their kin have long names behind one dash.
    let most = match command.class {
        Class::Tree | Class::Follows | Class::Checks => 1,
        _ => usize::MAX,
    };
    let letters = text.chars().skip(1).take(most);
    let letters = letters.take_while(char::is_ascii_alphabetic);
    for flag in letters.filter(|_| is_short).map(|c| format!("-{c}")) {
        if is_one(&flag) {
            return true;
        }
        if takes(&flag) {
            break;
        }
    }
    false
}

impl Arguments {
    /// Flags whose value may stand behind their letter, but for those that leave files
    /// out.
    pub(super) fn including(&self) -> Vec<Word> {
        let flags = self.flags.iter().filter(|word| !leaves_out(&word.text));
        flags.cloned().collect()
    }

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
        let has = |list: &[Box<str>]| rest.iter().any(|word| says(command, &word.text, list));
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
        self.named_among(call, &sorted.including());
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

    /// A program by its path: a script of the repository.
    pub(super) fn repository_program(&mut self, call: &Invocation, path: &str) {
        let base = base_name(path);
        if matches!(base, "gradlew" | "mvnw") {
            self.exact(call, vec![Glob::path(path)]);
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
        self.exact(call, vec![Glob::path(path)]);
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

    /// A program of the repository that the graph follows, which it does by the ending of
    /// its name; it may set variables for later steps.
    pub(super) fn run_entry(&mut self, call: &Invocation, path: &str) {
        if Language::of_path(path).is_none() {
            let what = format!("code in {path}, whose name has no ending");
            self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
        self.runs(call, path);
        self.entry(call, vec![Glob::path(path)]);
        let text = self.text(path).unwrap_or_default();
        if text.contains("GITHUB_ENV") || text.contains("GITHUB_PATH") {
            self.handed.floating.insert("*".into());
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
        if program == 0 && first.starts_with("#!") && !is_posix(first) {
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
                    self.exact(call, vec![Glob::path(&path)]);
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

/// Whether the first line of a script names a shell whose language is read here: of zsh
/// and of others the same words mean other things.
fn is_posix(first: &str) -> bool {
    let words = first.trim_start_matches("#!").split_whitespace();
    let mut names = words.map(base_name).filter(|name| !name.starts_with('-'));
    let name = names.find(|name| *name != "env" && !name.contains('='));
    name.is_some_and(|name| ["sh", "bash", "dash", "ash", "ksh"].contains(&name))
}

/// Globs of all files with these extensions below a directory.
pub(super) fn by_extension(dir: &str, extensions: &[Box<str>]) -> Vec<Glob> {
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
