//! Commands that the shell itself answers: `cd`, `export`, `source`, functions.

use std::rc::Rc;

use super::{DEPTH, Output, Walker};
use crate::engine::shell::{Call, Located, Place, Source, Value, Word, locate};

impl Walker<'_, '_> {
    /// One command with its words known or marked.
    pub(super) fn command(&mut self, mut call: Call) {
        let name = call.words.first().map(|word| word.text.clone());
        match name.as_deref().unwrap_or_default() {
            "cd" | "pushd" => self.change_directory(&call),
            "popd" => self.state.place = self.state.stack.pop().unwrap_or(Place::Unknown),
            "export" | "declare" | "local" | "readonly" | "typeset" => self.declare(call),
            "unset" | "read" | "mapfile" | "readarray" | "getopts" => self.forget(call),
            "set" => self.set(&call),
            "shift" => self.shift(&call),
            "source" | "." => self.source_command(call),
            "eval" => self.eval(&call),
            "trap" => self.trap(&call),
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
                self.command(call);
            }
            name if self.state.functions.contains_key(name) => self.function(call),
            _ => self.emit(call),
        }
    }

    fn emit(&mut self, call: Call) {
        if self.output != Output::Elsewhere || writes_variables(&call) {
            self.hand_over(&call);
        }
        self.script.calls.push(call);
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
            .find(|word| !matches!(&*word.text, "--" | "-P" | "-L"));
        let place = match target {
            None => Place::Outside,
            Some(word) => self.state.place.enter(word),
        };
        let before = std::mem::replace(&mut self.state.place, place);
        if is_push {
            self.state.stack.push(before);
        }
    }

    fn declare(&mut self, mut call: Call) {
        let words = std::mem::take(&mut call.words);
        for word in words.iter().skip(1) {
            if let Some((name, value)) = word.text.split_once('=') {
                let value = if word.unknown && value.contains('$') || name.contains('$') {
                    Value::Unknown
                } else {
                    Value::Text(value.into())
                };
                self.state.assign(name.into(), value.clone());
                call.assignments.push((name.into(), value));
            }
        }
        if !call.assignments.is_empty() {
            self.script.calls.push(call);
        }
    }

    fn forget(&mut self, call: Call) {
        for word in call.words.iter().skip(1) {
            self.state.assign(word.text.clone(), Value::Unknown);
        }
        if !call.reads.is_empty() {
            let mut call = call;
            call.words = vec![Word::literal("cat")];
            self.script.calls.push(call);
        }
    }

    fn set(&mut self, call: &Call) {
        if call.words.get(1).is_some_and(|word| &*word.text == "--") {
            let program = Word::literal("");
            let rest = call.words.iter().skip(2).cloned();
            let all = std::iter::once(program).chain(rest).collect();
            self.state.arguments = Some(Rc::new(all));
        }
    }

    fn shift(&mut self, call: &Call) {
        if call.words.len() > 1 {
            self.state.arguments = None;
        } else if let Some(arguments) = &mut self.state.arguments
            && arguments.len() > 1
        {
            Rc::make_mut(arguments).remove(1);
        }
    }

    fn source_command(&mut self, call: Call) {
        let Some(path) = call.words.get(1) else {
            return;
        };
        let text = path.text.clone();
        let is_environment = ["/activate", ".cargo/env", ".nvm/nvm.sh", "/emsdk_env.sh"]
            .iter()
            .any(|end| text.ends_with(end));
        if is_environment || text.starts_with("/opt/") || text.starts_with("/etc/") {
            return;
        }
        if path.unknown || path.glob || text.starts_with("/dev/fd") {
            let what = format!("source {text}");
            return self.unread(call.line, &what);
        }
        let found = match locate(&call.place, &text) {
            Located::Inside(path) => self.source(&path, call.line),
            Located::Outside | Located::Unknown => false,
        };
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
                    self.run_text(text, 1);
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
            let state = self.state.clone();
            self.depth += 2;
            self.run_text(&word.text.clone(), call.line);
            self.depth -= 2;
            self.state = state;
        }
    }

    fn function(&mut self, call: Call) {
        let name = call.words.first().map(|word| word.text.to_string());
        let bodies = name.and_then(|name| self.state.functions.get(&name).cloned());
        let outer = self.state.arguments.replace(Rc::new(call.words));
        if self.depth + 4 >= DEPTH {
            self.unread(call.line, "functions that call each other too deep");
            self.state.arguments = outer;
            return;
        }
        self.depth += 4;
        let before = self.state.clone();
        for (index, body) in bodies.unwrap_or_default().iter().enumerate() {
            if index > 0 {
                let after = std::mem::replace(&mut self.state, before.clone());
                self.node(body);
                self.merge(after);
            } else {
                self.node(body);
            }
        }
        self.depth -= 4;
        self.state.arguments = outer;
    }

    /// What a command writes into the runner's files for later steps.
    fn hand_over(&mut self, call: &Call) {
        let lines = written_lines(call);
        if self.output == Output::Path {
            for word in lines.unwrap_or_else(|| vec![unknown_word()]) {
                let mut path = self.bare_call(call.line);
                let value = if word.unknown {
                    Value::Unknown
                } else {
                    Value::Text(word.text)
                };
                path.assignments = vec![("PATH".into(), value)];
                self.script.calls.push(path);
            }
            return;
        }
        let Some(lines) = lines else {
            self.script.exports.push(("*".into(), Value::Unknown));
            return;
        };
        for word in lines {
            let export = match (word.text.split_once("<<"), word.text.split_once('=')) {
                (_, Some((name, _))) if word.unknown => (name.into(), Value::Unknown),
                (_, Some((name, value))) => (name.into(), Value::Text(value.into())),
                (Some((name, _)), None) => (name.into(), Value::Unknown),
                _ if word.unknown => ("*".into(), Value::Unknown),
                // The body or the end of a value of several lines.
                (None, None) => continue,
            };
            let (name, value): (Box<str>, Value) = export;
            let name = if name.contains('$') { "*".into() } else { name };
            self.script.exports.push((name, value));
        }
    }
}

fn unknown_word() -> Word {
    Word {
        text: "".into(),
        unknown: true,
        glob: false,
    }
}

fn writes_variables(call: &Call) -> bool {
    call.words.first().is_some_and(|word| &*word.text == "tee")
        && call.words.iter().any(|word| &*word.text == super::ENV_FILE)
}

/// The lines that `echo`, `printf` or `cat <<END` writes; `None` for another program.
fn written_lines(call: &Call) -> Option<Vec<Word>> {
    let rest = call.words.iter().skip(1);
    match &*call.words.first()?.text {
        "echo" => {
            let words: Vec<&Word> = rest.skip_while(|word| is_echo_flag(&word.text)).collect();
            let text: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
            let unknown = words.iter().any(|word| word.unknown);
            Some(lines_of(&text.join(" "), unknown))
        }
        "cat" if call.words.len() == 1 => {
            let input = call.input.as_ref()?;
            Some(lines_of(&input.text, input.unknown))
        }
        _ => None,
    }
}

fn is_echo_flag(text: &str) -> bool {
    matches!(text, "-n" | "-e" | "-ne" | "-en" | "-E")
}

fn lines_of(text: &str, unknown: bool) -> Vec<Word> {
    text.lines()
        .map(|line| Word {
            text: line.into(),
            unknown,
            glob: false,
        })
        .collect()
}
