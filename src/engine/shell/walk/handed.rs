//! What a script hands to later steps through the runner's files.
//!
//! A line counts only where it is known as it stands: what another program writes, what
//! is escaped, and what is moved there may set any variable.

use std::rc::Rc;

use super::{ENV_FILE, Output, Walker};
use crate::engine::shell::{Call, Value, Word};

impl Walker<'_, '_> {
    /// A command whose output goes there, or that names the file.
    pub(super) fn emit(&mut self, call: Call) {
        if self.output != Output::Elsewhere || writes_variables(&call) {
            self.hand_over(&call);
        }
        self.script.calls.push(call);
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
            return self.hand("*", Value::Unknown);
        };
        for word in lines {
            let (name, value) = match (word.text.split_once("<<"), word.text.split_once('=')) {
                (_, Some((name, _))) if word.unknown => (name, Value::Unknown),
                (_, Some((name, value))) => (name, Value::Text(value.into())),
                (Some((name, _)), None) => (name, Value::Unknown),
                _ if word.unknown => ("*", Value::Unknown),
                // The body or the end of a value of several lines.
                (None, None) => continue,
            };
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            self.hand(if is_name { name } else { "*" }, value);
        }
    }

    fn hand(&mut self, name: &str, value: Value) {
        let exports = Rc::make_mut(&mut self.state.exports);
        if name == "*" {
            for known in exports.values_mut() {
                *known = Value::Unknown;
            }
            exports.insert(name.into(), Value::Unknown);
        } else {
            exports.insert(name.into(), value);
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

/// Whether a command is given the file: only `echo` and tests do not write it.
fn writes_variables(call: &Call) -> bool {
    let name = call.words.first().map_or("", |word| &*word.text);
    !["echo", "test", "[", "[[", "cat", "ls"].contains(&name)
        && call.words.iter().any(|word| word.text.contains(ENV_FILE))
}

/// The lines that `echo`, `printf` or `cat <<END` writes; `None` for another program.
fn written_lines(call: &Call) -> Option<Vec<Word>> {
    let rest = call.words.iter().skip(1);
    match &*call.words.first()?.text {
        "echo" => {
            let words: Vec<&Word> = rest.skip_while(|word| is_echo_flag(&word.text)).collect();
            let text: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
            let unknown = words.iter().any(|word| word.unknown);
            let text = text.join(" ");
            // `echo -e` reads escapes, and so does every `echo` of some shells: one may
            // even end the line.
            let mut escapes = text.split('\\').skip(1);
            let ends_line =
                escapes.any(|it| it.starts_with(|c: char| "nxuU0123456789".contains(c)));
            let unknown = unknown || text.contains('\\');
            (!ends_line).then(|| lines_of(&text, unknown))
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
