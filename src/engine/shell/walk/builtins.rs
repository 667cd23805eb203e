//! Commands that the shell itself answers: `cd`, `export`, `source`, functions.

use std::rc::Rc;

use super::{DEPTH, State, Walker};
use crate::engine::shell::{Call, Located, Place, Source, Word, locate};

impl Walker<'_, '_> {
    /// One command with its words known or marked.
    pub(super) fn command(&mut self, call: Call) {
        let name = call.words.first().map(|word| word.text.clone());
        let is_function = |name: &str| self.state.functions.contains_key(name);
        match name {
            Some(name) if is_function(&name) => self.function(call),
            _ => self.builtin(call),
        }
    }

    /// A command that is no function.
    fn builtin(&mut self, mut call: Call) {
        let name = call.words.first().map(|word| word.text.clone());
        match name.as_deref().unwrap_or_default() {
            "cd" | "pushd" => self.change_directory(&call),
            "popd" => self.state.place = self.popped(&call),
            "export" | "declare" | "local" | "readonly" | "typeset" => self.declare(call),
            "unset" | "read" | "mapfile" | "readarray" | "getopts" => self.forget(call),
            "printf" => self.print(call),
            "let" => self.compute(&call),
            "set" => self.set(&call),
            "shift" => self.shift(&call),
            "break" | "continue" => self.jump(),
            "return" => {
                self.go_back();
                self.emit(call);
            }
            "source" | "." => {
                let before = self.set_in_front(&call);
                self.source_command(call);
                self.doubt(before);
            }
            "eval" => {
                let before = self.set_in_front(&call);
                self.eval(&call);
                self.doubt(before);
            }
            "trap" => self.trap(&call),
            "alias" if sets_alias(&call) => self.unread(call.line, "alias"),
            name @ ("hash" | "enable") if call.words.len() > 1 => {
                let asks = call.words.iter().skip(1).all(|word| {
                    !word.unknown && (!word.text.starts_with('-') || &*word.text == "-r")
                });
                if !asks {
                    self.unread(call.line, name);
                }
            }
            "exec" | "command" | "builtin" if call.words.len() > 1 => {
                call.words.remove(0);
                if call
                    .words
                    .first()
                    .is_some_and(|word| word.text.starts_with('-'))
                {
                    // `command -v NAME` asks whether a program is there; other flags
                    // stand before a program that runs.
                    let asks = |word: &&Word| matches!(&*word.text, "-v" | "-V");
                    if call.words.iter().take(1).find(asks).is_none() {
                        self.unread(call.line, &name.unwrap_or_default());
                    }
                    return;
                }
                self.builtin(call);
            }
            _ => self.emit(call),
        }
    }

    fn change_directory(&mut self, call: &Call) {
        let is_push = call
            .words
            .first()
            .is_some_and(|word| &*word.text == "pushd");
        let target = call
            .words
            .iter()
            .skip(1)
            .find(|word| !matches!(&*word.text, "--" | "-P" | "-L" | "-e"));
        let place = match target {
            // Another directory that is remembered.
            _ if is_push && target.is_none_or(|word| word.text.starts_with(['+', '-'])) => {
                self.state.stack.clear();
                Place::Unknown
            }
            None => Place::Outside,
            Some(word) => self.state.place.enter(word),
        };
        let before = std::mem::replace(&mut self.state.place, place);
        if is_push {
            self.state.push(before);
        }
    }

    fn popped(&mut self, call: &Call) -> Place {
        if call.words.len() > 1 {
            self.state.stack.clear();
        }
        self.state.stack.pop().unwrap_or(Place::Unknown)
    }

    fn source_command(&mut self, call: Call) {
        let Some(path) = call.words.get(1) else {
            return;
        };
        let text = path.text.clone();
        let is_environment = ["/activate", ".cargo/env", ".nvm/nvm.sh", "/emsdk_env.sh"]
            .iter()
            .any(|end| text.ends_with(end));
        let is_own = matches!(locate(&call.place, &text), Located::Inside(path)
            if (self.start.text)(&path) != Source::Absent);
        if !is_own && (is_environment || text.starts_with("/opt/") || text.starts_with("/etc/")) {
            return;
        }
        if path.unknown || path.glob || text.starts_with("/dev/fd") {
            let what = format!("source {text}");
            return self.unread(call.line, &what);
        }
        let given = call.words.get(2..).unwrap_or_default().to_vec();
        let outer = self.state.arguments.clone();
        if !given.is_empty() {
            let zero = outer.as_ref().and_then(|all| all.first()).cloned();
            let zero = zero.unwrap_or_else(|| path.clone());
            let all = std::iter::once(zero).chain(given.iter().cloned());
            self.state.arguments = Some(Rc::new(all.collect()));
        }
        let found = match locate(&call.place, &text) {
            Located::Inside(path) => self.source(&path, call.line),
            Located::Outside | Located::Unknown => false,
        };
        if !given.is_empty() {
            self.state.arguments = outer;
        }
        if !found {
            self.unread(call.line, &format!("source {text}"));
        }
        self.script.calls.push(call);
    }

    /// The file that a script sources, walked in its state.
    fn source(&mut self, path: &str, line: u32) -> bool {
        match (self.start.text)(path) {
            Source::Text(text) => {
                let outer = self.line.replace(self.line.unwrap_or(line));
                let depth = self.depth;
                self.depth += 4;
                if self.depth < DEPTH {
                    let returned = self.returned.take();
                    self.frames += 1;
                    self.run_text(text, 1);
                    self.frames -= 1;
                    self.come_back(returned);
                } else {
                    self.unread(line, "files that source each other too deep");
                }
                self.depth = depth;
                self.line = outer;
                true
            }
            Source::NotRead => {
                self.script.missing.push(path.into());
                true
            }
            Source::Absent => false,
        }
    }

    fn eval(&mut self, call: &Call) {
        let words: Vec<&Word> = call.words.iter().skip(1).collect();
        let text = words.iter().map(|word| word.text.as_ref());
        let text = text.collect::<Vec<_>>().join(" ");
        if words.iter().any(|word| word.unknown) || self.depth + 2 >= DEPTH {
            return self.unread(call.line, &format!("eval {text}"));
        }
        self.depth += 2;
        self.run_text(&text, call.line);
        self.depth -= 2;
    }

    fn trap(&mut self, call: &Call) {
        let Some(word) = call.words.iter().skip(1).find(|word| &*word.text != "--") else {
            return;
        };
        if word.unknown {
            return self.unread(call.line, "trap with a command that is not known");
        }
        if !word.text.starts_with('-') && self.depth + 2 < DEPTH {
            let state = self.copied();
            self.depth += 2;
            self.run_text(&word.text.clone(), call.line);
            self.depth -= 2;
            self.leave(state);
        }
    }

    fn function(&mut self, call: Call) {
        let name = call.words.first().map(|word| word.text.to_string());
        let bodies = name.and_then(|name| self.state.functions.get(&name).cloned());
        self.read_patterns(&call.words, call.line);
        if self.depth + 4 >= DEPTH {
            return self.unread(call.line, "functions that call each other too deep");
        }
        let in_front = self.set_in_front(&call);
        let outer = self.state.arguments.replace(Rc::new(call.words));
        let locals = std::mem::take(&mut self.state.locals);
        let returned = self.returned.take();
        self.depth += 4;
        self.frames += 1;
        let before = self.copied();
        for (index, body) in bodies.unwrap_or_default().iter().enumerate() {
            if index > 0 {
                let after = std::mem::replace(&mut self.state, before.clone());
                self.node(body);
                self.merge(after);
            } else {
                self.node(body);
            }
        }
        self.frames -= 1;
        self.depth -= 4;
        self.come_back(returned);
        self.state.end_locals();
        self.state.locals = locals;
        self.state.arguments = outer;
        self.put_back(in_front);
    }

    /// The end of a function or of a file: it may have been left before.
    fn come_back(&mut self, outer: Option<State>) {
        let returned = std::mem::replace(&mut self.returned, outer);
        if let Some(returned) = returned {
            self.merge(returned);
        }
    }
}

/// Whether `alias` gives a name another meaning, and does not only show the known ones.
fn sets_alias(call: &Call) -> bool {
    let mut words = call.words.iter();
    words.any(|word| word.unknown || word.text.contains('='))
}
