//! Filters of text: `grep`, `sed`, `awk`, `jq`, `perl -pe` and their kin.
//!
//! Their first operand is a pattern or a program, the others are files. The first one
//! counts as a file too where there is such a file, so that a flag that is not known
//! here cannot hide one. A program that opens files by itself is an unknown use.

mod programs;

use std::borrow::Cow;

use super::walk::{Invocation, Walk};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};

/// How a filter reads its command line.
struct Kind {
    names: &'static [&'static str],
    /// Flags that take the next word.
    values: &'static [&'static str],
    /// Flags that take the next two words: a name, and a text or a file.
    pairs: &'static [&'static str],
    /// Flags whose value is a file; with one of `programs` there is no first operand.
    files: &'static [&'static str],
    /// Flags that carry the pattern or the program.
    programs: &'static [&'static str],
    /// What a program says when it reads more than its operands, or runs something.
    reaches: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        names: &[
            "grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack", "ugrep",
        ],
        values: &[
            "-A",
            "-B",
            "-C",
            "-m",
            "--max-count",
            "-g",
            "--glob",
            "-t",
            "--type",
            "-T",
            "-d",
            "-D",
            "-r",
            "--replace",
            "-j",
            "--max-depth",
            "--color",
            "--include",
            "--sort",
        ],
        pairs: &[],
        files: &["-f", "--file"],
        programs: &["-e", "--regexp"],
        reaches: &[],
    },
    Kind {
        names: &["sed", "gsed"],
        values: &["-l"],
        pairs: &[],
        files: &["-f", "--file"],
        programs: &["-e", "--expression"],
        reaches: &[],
    },
    Kind {
        names: &["awk", "gawk", "mawk", "nawk"],
        values: &["-F", "-v", "--field-separator", "--assign"],
        pairs: &[],
        files: &["-f", "--file", "-i", "--include"],
        programs: &["-e", "--source"],
        reaches: &["getline", "system", "ARGV", "@include", "@load"],
    },
    Kind {
        names: &[
            "jq", "gojq", "jaq", "yq", "xq", "tomlq", "dasel", "gron", "htmlq", "pup",
        ],
        values: &[
            "--indent",
            "-o",
            "-p",
            "--output-format",
            "--input-format",
            "-I",
        ],
        pairs: &[
            "--arg",
            "--argjson",
            "--slurpfile",
            "--rawfile",
            "--argfile",
        ],
        files: &["-f", "--file", "--from-file", "-L", "--split-exp-file"],
        programs: &[],
        reaches: &["import", "include", "load"],
    },
    Kind {
        names: &["perl"],
        values: &[],
        pairs: &[],
        files: &[],
        programs: &["-e", "-E"],
        reaches: &[
            "open",
            "require",
            "system",
            "qx",
            "`",
            "glob",
            "exec",
            "use ",
            "<",
            "ARGV",
            "read_file",
            "slurp",
            "stat",
            "::",
        ],
    },
];

impl Kind {
    /// A flag, its value after `=`, and the letters that stand together: `-nre` is `-n -r -e`.
    fn flag<'t>(&self, text: &'t str) -> (Cow<'t, str>, Option<&'t str>, &'t str) {
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) if text.starts_with("--") => (flag, Some(value)),
            _ => (text, None),
        };
        if flag.starts_with("--") || flag.len() < 3 {
            return (flag.into(), value, "");
        }
        let last = flag.chars().last().map(|last| format!("-{last}"));
        let takes = |last: &String| {
            self.programs.contains(&last.as_str())
                || self.files.contains(&last.as_str()) && self.names.contains(&"grep")
        };
        let flag = last.filter(takes).map_or(flag.into(), Cow::Owned);
        (flag, value, text)
    }
}

/// Whether a program is one of these filters.
pub(super) fn is_one(name: &str) -> bool {
    kind(name).is_some()
}

fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.names.contains(&name))
}

impl Walk<'_> {
    /// One filter with its pattern and its files.
    pub(super) fn filter(&mut self, call: &Invocation, name: &str) {
        let Some(kind) = kind(name) else {
            return;
        };
        let given = self.filter_words(call, kind);
        if name == "perl" && given.program.is_empty() {
            // A script, or code on standard input: it may open any file.
            let is_bare = given.operands.is_empty() && call.input.is_none() && !call.piped;
            if !is_bare {
                self.unknown_use(call);
            }
            return;
        }
        if programs::has_hidden(name, call) || programs::reaches(name, kind.reaches, &given.program)
        {
            return self.unknown_use(call);
        }
        let mut operands = given.operands.as_slice();
        if let [first, rest @ ..] = operands
            && kind.names.contains(&"sed")
            && first.text.is_empty()
        {
            // `sed -i ''`.
            operands = rest;
        }
        let subs = ["eval", "e", "eval-all", "ea", "query", "select"];
        if let [first, rest @ ..] = operands
            && matches!(name, "yq" | "dasel")
            && subs.contains(&first.text.as_ref())
        {
            operands = rest;
        }
        let files = if given.has_program {
            operands
        } else {
            let pattern = operands.first();
            if let Some(pattern) = pattern.filter(|it| self.is_file_here(call, it)) {
                self.read_path(call, pattern);
            }
            if pattern.is_some_and(|it| programs::reaches(name, kind.reaches, &it.text)) {
                return self.unknown_use(call);
            }
            operands.get(1..).unwrap_or_default()
        };
        let heeds_ignores = matches!(name, "rg" | "ag" | "ack" | "ugrep");
        if heeds_ignores {
            self.ignore_files(call);
        }
        let searches = heeds_ignores || given.is_recursive;
        if files.is_empty() && searches && (!call.piped || given.is_recursive) {
            self.read_path(call, &Word::literal("."));
        }
        // `sed -i ''`, and `NAME=value` among the operands of awk.
        let is_value =
            |word: &Word| word.text.is_empty() || name.ends_with("awk") && word.text.contains('=');
        for word in files.iter().filter(|word| !is_value(word)) {
            self.read_path(call, word);
        }
    }

    /// Files that say what a search leaves out, whatever directory they lie in, above what
    /// is searched or below.
    fn ignore_files(&mut self, call: &Invocation) {
        let names = [".gitignore", ".ignore", ".rgignore", ".agignore", ".ackrc"];
        let globs = names.map(|name| Glob::written(format!("**/{name}")));
        self.exact(call, globs.into());
    }

    fn is_file_here(&self, call: &Invocation, word: &Word) -> bool {
        matches!(locate(&call.place, &word.text), Located::Inside(path) if self.has_file(&path))
    }

    fn filter_words(&mut self, call: &Invocation, kind: &Kind) -> Given {
        let mut given = Given::default();
        let mut words = call.words.iter().skip(1);
        let mut only_operands = false;
        let is_grep = kind.names.contains(&"grep");
        while let Some(word) = words.next() {
            let text = word.text.as_ref();
            if only_operands || !text.starts_with('-') || text == "-" {
                given.operands.push(word.clone());
                continue;
            }
            let (flag, value, cluster) = kind.flag(text);
            let flag = flag.as_ref();
            let is_search = matches!(
                flag,
                "-r" | "-R" | "--recursive" | "--dereference-recursive"
            );
            let in_cluster = cluster.contains(['r', 'R']) && !cluster.contains('=');
            if is_grep && (is_search || in_cluster) {
                given.is_recursive = true;
            }
            if flag == "--" {
                only_operands = true;
            } else if kind.programs.contains(&flag) {
                let code = value.map(Word::literal).or_else(|| words.next().cloned());
                given.has_program = true;
                given
                    .program
                    .push_str(code.as_ref().map_or("", |code| &*code.text));
                given.program.push('\n');
            } else if kind.files.contains(&flag) {
                given.has_program |= !matches!(flag, "-L" | "-i" | "--include");
                let file = value.map(Word::literal).or_else(|| words.next().cloned());
                if let Some(file) = file {
                    self.read_path(call, &file);
                }
            } else if kind.pairs.contains(&flag) {
                words.next();
                let second = words.next();
                if let Some(file) = second.filter(|_| flag.ends_with("file")) {
                    self.read_path(call, file);
                }
            } else if value.is_none() && kind.values.contains(&flag) && !is_search {
                // Should it take no value after all, the word may be a file.
                let taken = words.next().filter(|word| self.is_file_here(call, word));
                if let Some(taken) = taken {
                    self.read_path(call, taken);
                }
            }
        }
        given
    }
}

/// The words of a filter, sorted.
#[derive(Default)]
struct Given {
    operands: Vec<Word>,
    program: String,
    has_program: bool,
    is_recursive: bool,
}
