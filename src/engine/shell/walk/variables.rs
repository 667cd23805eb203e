//! Commands that set and forget variables: `export`, `local`, `read`, `set`, `printf -v`.

use std::rc::Rc;

use super::Walker;
use super::state::Outer;
use crate::engine::shell::{Call, Value, Word};

/// What `declare` and its kin were told.
struct Declared {
    /// Whether the variable is of the function at hand alone.
    is_local: bool,
    is_exported: bool,
    /// Whether values change while they are set: numbers, other cases.
    changes: bool,
}

impl Walker<'_, '_> {
    pub(super) fn declare(&mut self, mut call: Call) {
        let words = std::mem::take(&mut call.words);
        let command = words.first().map_or("", |word| &*word.text);
        let is_flag = |word: &&Word| word.text.starts_with(['-', '+']);
        let flags: String = words
            .iter()
            .skip(1)
            .take_while(is_flag)
            .fold(String::new(), |flags, word| {
                flags + word.text.trim_start_matches(['-', '+'])
            });
        let declares = matches!(command, "declare" | "local" | "typeset");
        if declares && flags.contains('n') {
            return self.unread(call.line, &format!("{command} -n"));
        }
        let is_local = command == "local" || declares && self.frames > 0 && !flags.contains('g');
        let told = Declared {
            is_local,
            is_exported: command == "export" && !flags.contains('n') || flags.contains('x'),
            changes: declares && flags.contains(['i', 'l', 'u', 'c', 'a', 'A']),
        };
        if flags.contains(['f', 'p']) {
            return;
        }
        for word in words.iter().skip(1).skip_while(is_flag) {
            self.declare_one(&mut call, word, &told);
        }
        if !call.assignments.is_empty() {
            call.environment = self.state.environment();
            self.script.calls.push(call);
        }
    }

    fn declare_one(&mut self, call: &mut Call, word: &Word, told: &Declared) {
        let (written, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&*word.text, None),
        };
        let name = written.trim_end_matches('+');
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        if !name.chars().all(is_name) || word.unknown && value.is_none() {
            // `export "$LINE"`, or an element of an array.
            let base = name.split('[').next().unwrap_or_default();
            if name.contains('[') && base.chars().all(is_name) && !word.unknown {
                return self.state.assign(base.into(), Value::Unknown);
            }
            self.state.forget_all();
            call.assignments.push(("*".into(), Value::Unknown));
            return;
        }
        if told.is_local {
            self.state.localise(name);
        }
        let value = match value {
            _ if told.changes => Some(Value::Unknown),
            Some(_) if word.unknown => Some(Value::Unknown),
            Some(more) if written.ends_with('+') => Some(self.appended(name, more)),
            Some(value) => Some(Value::Text(value.into())),
            None => told.is_local.then_some(Value::Unknown),
        };
        if told.is_exported {
            self.state.export(name, true);
        }
        if let Some(value) = value {
            self.state.assign(name.into(), value.clone());
            call.assignments.push((name.into(), value));
            self.tell_path(name, word, call.line);
        } else if told.is_exported
            && let Some(known) = self.state.variables.get(name)
        {
            call.assignments.push((name.into(), known.clone()));
        }
    }

    /// Of a `PATH` that is not known as a whole, the directories that are.
    pub(super) fn tell_path(&mut self, name: &str, word: &Word, line: u32) {
        if name != "PATH" || !word.unknown {
            return;
        }
        let text = word.text.strip_prefix("PATH=").unwrap_or(&word.text);
        let known = text.split(':').filter(|part| !part.contains(['$', '…']));
        let known: Vec<&str> = known.collect();
        if !known.is_empty() {
            let mut call = self.bare_call(line);
            call.assignments = vec![("PATH".into(), Value::Text(known.join(":").into()))];
            self.script.calls.push(call);
        }
    }

    fn appended(&self, name: &str, more: &str) -> Value {
        match self.state.variables.get(name) {
            Some(Value::Text(old)) => Value::Text(format!("{old}{more}").into()),
            _ => Value::Unknown,
        }
    }

    /// `unset`, `read` and their kin: what the variables hold is not known.
    pub(super) fn forget(&mut self, call: Call) {
        let command = call.words.first().map_or("", |word| &*word.text);
        if command == "unset" {
            let has_function = |word: &Word| self.state.functions.contains_key(&*word.text);
            if call.words.iter().skip(1).any(has_function) {
                self.unread(call.line, "unset of a function");
            }
        }
        for name in ["REPLY", "MAPFILE", "OPTARG"] {
            if self.state.variables.contains_key(name) {
                self.state.assign(name.into(), Value::Unknown);
            }
        }
        let words: Vec<Word> = call.words.iter().skip(1).cloned().collect();
        for word in &words {
            self.forget_one(word);
        }
        if !call.reads.is_empty() {
            let mut call = call;
            call.words = vec![Word::literal("cat")];
            self.script.calls.push(call);
        }
    }

    fn forget_one(&mut self, word: &Word) {
        if word.unknown {
            return self.state.forget_all();
        }
        let name = word.text.split('[').next().unwrap_or_default();
        self.state.assign(name.into(), Value::Unknown);
    }

    /// `printf -v NAME`.
    pub(super) fn print(&mut self, call: Call) {
        let mut words = call.words.iter().skip(1);
        let Some(flag) = words.next().filter(|word| word.text.starts_with("-v")) else {
            return self.emit(call);
        };
        let attached = flag.text.get(2..).filter(|name| !name.is_empty());
        let name = match attached {
            Some(name) => Some(Word::literal(name)),
            None => words.next().cloned(),
        };
        if let Some(name) = name {
            self.forget_one(&name);
        }
    }

    /// `let`: arithmetic in words.
    pub(super) fn compute(&mut self, call: &Call) {
        for word in call.words.iter().skip(1) {
            if word.unknown {
                self.state.forget_all();
            }
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            for name in word.text.split(|c| !is_name(c)) {
                if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                    self.state.assign(name.into(), Value::Unknown);
                }
            }
        }
    }

    /// `set`: options, and perhaps new arguments.
    pub(super) fn set(&mut self, call: &Call) {
        let mut words = call.words.iter().skip(1).peekable();
        while let Some(word) = words.peek().copied() {
            let text = word.text.as_ref();
            if word.unknown {
                self.state.arguments = None;
                return;
            }
            if matches!(text, "--" | "-") {
                words.next();
                let has_more = words.peek().is_some();
                if text == "--" || has_more {
                    self.set_arguments(words.cloned().collect(), call.line);
                }
                return;
            }
            let Some(options) = text.strip_prefix(['-', '+']) else {
                return self.set_arguments(words.cloned().collect(), call.line);
            };
            words.next();
            let sets = text.starts_with('-');
            let mut all = options.contains('a');
            if options.ends_with('o')
                && let Some(option) = words.next()
            {
                all |= &*option.text == "allexport";
            }
            if all {
                self.state.exports_all = sets;
            }
        }
    }

    fn set_arguments(&mut self, words: Vec<Word>, line: u32) {
        self.read_patterns(&words, line);
        let program = self.state.arguments.as_ref().and_then(|old| old.first());
        let program = program.cloned().unwrap_or(Word {
            text: "$0".into(),
            unknown: true,
            glob: false,
        });
        let all = std::iter::once(program).chain(words).collect();
        self.state.arguments = Some(Rc::new(all));
    }

    pub(super) fn shift(&mut self, call: &Call) {
        // A pattern stands for any number of arguments.
        let is_pattern = |words: &Rc<Vec<Word>>| words.get(1).is_some_and(|word| word.glob);
        if call.words.len() > 1 || self.state.arguments.as_ref().is_some_and(is_pattern) {
            self.state.arguments = None;
        } else if let Some(arguments) = &mut self.state.arguments
            && arguments.len() > 1
        {
            Rc::make_mut(arguments).remove(1);
        }
    }

    /// Sets what stands in front of a function or of a command of the shell, and gives
    /// what was set before.
    pub(super) fn set_in_front(&mut self, call: &Call) -> Vec<(Box<str>, Outer)> {
        let mut before = Vec::new();
        for (name, value) in &call.assignments {
            before.push((name.clone(), self.state.outer(name)));
            self.state.assign(name.clone(), value.clone());
            self.state.export(name, true);
        }
        before
    }

    /// After a function the old values hold again.
    pub(super) fn put_back(&mut self, before: Vec<(Box<str>, Outer)>) {
        for (name, outer) in before.into_iter().rev() {
            self.state.restore(&name, outer);
        }
    }

    /// After `eval` and `source` some shells keep what stood in front of them.
    pub(super) fn doubt(&mut self, before: Vec<(Box<str>, Outer)>) {
        for (name, (value, _)) in before {
            if self.state.variables.get(&name) != value.as_ref() {
                self.state.export(&name, false);
                self.state.assign(name, Value::Unknown);
            }
        }
    }
}
