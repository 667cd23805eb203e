//! From words as they are written to words as a program would get them.

use super::parse::{Node, Part, RawWord};
use super::walk::{TEXT, WORDS, Walker};
use super::{Located, Place, Value, WORKSPACE, Word, locate};

/// How many steps it takes to look for the names that a command prints.
const LISTING: usize = 200;

/// A word that is being put together.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is found on its own")]
struct Field {
    text: String,
    unknown: bool,
    glob: bool,
    exists: bool,
    /// Whether a brace stands open that is not quoted.
    has_brace: bool,
}

impl Field {
    fn push(&mut self, text: &str) {
        if self.text.len() + text.len() > TEXT {
            self.unknown = true;
        } else {
            self.text.push_str(text);
        }
        self.exists = true;
    }

    /// Text that is not quoted, with its patterns; ranges in braces are not expanded.
    fn push_open(&mut self, text: &str) {
        self.push(text);
        self.glob |= text.contains(['*', '?', '[']);
        let open = text.find('{');
        let inner = match (self.has_brace, open) {
            (true, _) => text,
            (false, Some(at)) => text.get(at..).unwrap_or_default(),
            (false, None) => "",
        };
        self.has_brace |= open.is_some();
        self.glob |= inner.contains(',');
        self.unknown |= inner.contains("..");
    }

    fn finish(&mut self, into: &mut Vec<Word>) {
        let field = std::mem::take(self);
        if field.exists {
            into.push(Word {
                text: field.text.into(),
                unknown: field.unknown,
                glob: field.glob,
            });
        }
    }
}

impl Walker<'_, '_> {
    /// The words that one written word becomes.
    pub(super) fn fields(&mut self, raw: &RawWord) -> Vec<Word> {
        let mut done = Vec::new();
        let mut field = Field::default();
        for part in raw {
            self.part(part, &mut field, &mut done);
            if done.len() > WORDS {
                done.truncate(WORDS);
                field.push("…");
                field.unknown = true;
                break;
            }
        }
        field.finish(&mut done);
        let length: usize = done.iter().map(|word| word.text.len()).sum();
        if !self.spend(length / 128) {
            done.clear();
        }
        done
    }

    fn part(&mut self, part: &Part, field: &mut Field, done: &mut Vec<Word>) {
        match part {
            Part::Text { text, quoted: true } => field.push(text),
            Part::Text { text, .. } => field.push_open(text),
            Part::Variable {
                name,
                suffix,
                quoted,
            } => {
                let value = self.variable(name, suffix);
                let is_joined = *quoted && (name == "*" || suffix == "[*]");
                let value = match value {
                    Value::List(words) if is_joined => self.joined(&words),
                    value => value,
                };
                if !quoted && !self.splits_as_usual(&value) {
                    field.push(&format!("${name}"));
                    field.unknown = true;
                } else {
                    add(field, done, value, name, *quoted);
                }
            }
            Part::Command { body, quoted } => {
                if let Some(text) = self.evaluate(body) {
                    add(field, done, Value::Text(text.into()), "", *quoted);
                } else {
                    self.subshell(body);
                    field.push("$(…)");
                    field.unknown = true;
                }
            }
            Part::Process(body) => {
                self.subshell(body);
                field.push("/dev/fd/63");
            }
            Part::Arithmetic(words) => {
                self.arithmetic(words);
                field.push("$((…))");
                field.unknown = true;
            }
            Part::List(words) => {
                for word in words {
                    let words = self.fields(word);
                    self.read_patterns(&words, self.latest);
                }
                field.push("(…)");
                field.unknown = true;
            }
            Part::Unknown(text) => {
                field.push(text);
                field.unknown = true;
            }
        }
    }

    /// Whether a value that is not quoted becomes words at spaces alone.
    fn splits_as_usual(&self, value: &Value) -> bool {
        match (value, self.state.variables.get("IFS")) {
            // Each of them is split again.
            (Value::List(words), _) if words.iter().any(|it| it.text.contains(' ')) => false,
            (_, None) => true,
            (Value::Text(text), Some(Value::Text(marks))) => {
                !text.contains(|c: char| c.is_whitespace() || marks.contains(c))
            }
            _ => false,
        }
    }

    /// The one word that a written word becomes where the shell does not split.
    pub(super) fn single(&mut self, raw: &RawWord) -> Word {
        let fields = self.fields(raw);
        Word {
            unknown: fields.iter().any(|word| word.unknown),
            glob: fields.iter().any(|word| word.glob),
            text: fields
                .iter()
                .map(|word| word.text.as_ref())
                .collect::<Vec<_>>()
                .join(" ")
                .into(),
        }
    }

    fn variable(&mut self, name: &str, suffix: &str) -> Value {
        let value = self.value(name);
        let sets = suffix.starts_with('=') || suffix.starts_with(":=");
        let value = match (name, suffix) {
            // All arguments, and not the first of them.
            ("@" | "*", "") => value,
            _ => with_suffix(value, suffix),
        };
        if sets {
            // `${NAME:=x}` sets what it finds empty.
            self.state.assign(name.into(), value.clone());
        }
        value
    }

    /// `"$*"`: one word of all.
    fn joined(&self, words: &[Word]) -> Value {
        let is_plain = |word: &Word| !word.unknown && !word.glob;
        if self.state.variables.contains_key("IFS") || !words.iter().all(is_plain) {
            return Value::Unknown;
        }
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
        Value::Text(texts.join(" ").into())
    }

    fn value(&self, name: &str) -> Value {
        match name {
            "@" | "*" => match &self.state.arguments {
                Some(arguments) => Value::List(arguments.iter().skip(1).cloned().collect()),
                None => Value::Unknown,
            },
            _ if name.chars().all(|c| c.is_ascii_digit()) && !name.is_empty() => {
                self.argument(name)
            }
            "PWD" => path_of(&self.state.place).map_or(Value::Unknown, |p| Value::Text(p.into())),
            _ => self
                .state
                .variables
                .get(name)
                .cloned()
                .unwrap_or(Value::Unknown),
        }
    }

    fn argument(&self, name: &str) -> Value {
        let (Some(arguments), Ok(index)) = (&self.state.arguments, name.parse::<usize>()) else {
            return Value::Unknown;
        };
        // A pattern stands for any number of arguments.
        if arguments.iter().skip(1).take(index).any(|word| word.glob) {
            return Value::Unknown;
        }
        match arguments.get(index) {
            Some(word) if word.unknown || word.glob => Value::Unknown,
            Some(word) => Value::Text(word.text.clone()),
            None => Value::Text("".into()),
        }
    }

    /// The output of the few commands that scripts use to find themselves.
    fn evaluate(&mut self, body: &Node) -> Option<String> {
        let Node::Sequence(nodes) = body else {
            return None;
        };
        let [node] = nodes.as_slice() else {
            return None;
        };
        self.evaluate_node(node)
    }

    fn evaluate_node(&mut self, node: &Node) -> Option<String> {
        if let Node::And(left, right) = node {
            let words = self.plain_words(left)?;
            let [cd, dir] = words.as_slice() else {
                return None;
            };
            let last = self.plain_words(right)?;
            let is_pwd = last.first().is_some_and(|word| &*word.text == "pwd");
            let place = self.state.place.enter(dir);
            return (&*cd.text == "cd" && is_pwd).then(|| path_of(&place))?;
        }
        let words = self.plain_words(node)?;
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
        match texts.as_slice() {
            ["pwd"] => path_of(&self.state.place),
            ["git", "rev-parse", "--show-toplevel"] => {
                let is_inside = matches!(self.state.place, Place::Inside(_));
                is_inside.then(|| WORKSPACE.to_owned())
            }
            ["dirname", path] | ["dirname", "--", path] => {
                let dir = path.trim_end_matches('/').rsplit_once('/');
                Some(dir.map_or(".", |(dir, _)| dir).to_owned())
            }
            ["basename", path] => path.rsplit('/').next().map(str::to_owned),
            ["realpath" | "readlink", .., path] => match locate(&self.state.place, path) {
                Located::Inside(path) => path_of(&Place::Inside(path)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The patterns of the names that a substitution prints, where it does nothing else
    /// and the shell splits them as usual.
    pub(super) fn listed(&mut self, program: &[Word], raw: &RawWord) -> Option<Vec<Word>> {
        let [
            Part::Command {
                body,
                quoted: false,
            },
        ] = raw.as_slice()
        else {
            return None;
        };
        let Node::Sequence(nodes) = &**body else {
            return None;
        };
        let [node @ Node::Simple(simple)] = nodes.as_slice() else {
            return None;
        };
        let is_odd = |name: &str| name == "IFS" || name.starts_with("GIT_");
        let known = &self.state.variables;
        if !simple.redirects.is_empty() || known.keys().any(|name| is_odd(name)) {
            return None;
        }
        let command = self.plain_words(node)?;
        let is_function = |words: &[Word]| {
            let name = words.first().map_or("", |word| &*word.text);
            self.state.functions.contains_key(name)
        };
        if is_function(program) || is_function(&command) || !self.spend(LISTING) {
            return None;
        }
        (self.start.listed)(program, &command, &self.state.place)
    }

    fn plain_words(&mut self, node: &Node) -> Option<Vec<Word>> {
        let Node::Simple(simple) = node else {
            return None;
        };
        let has_command = |word: &RawWord| {
            word.iter().any(|part| match part {
                Part::Command { body, .. } => !is_locating(body),
                Part::Text { .. } | Part::Variable { .. } => false,
                _ => true,
            })
        };
        if !simple.assignments.is_empty() || simple.words.iter().any(has_command) {
            return None;
        }
        let words: Vec<Word> = simple
            .words
            .iter()
            .flat_map(|raw| self.fields(raw))
            .collect();
        words
            .iter()
            .all(|word| !word.unknown && !word.glob)
            .then_some(words)
    }
}

/// Whether a substitution only asks for a path, so that expanding it walks nothing.
fn is_locating(body: &Node) -> bool {
    let Node::Sequence(nodes) = body else {
        return false;
    };
    matches!(nodes.as_slice(), [Node::Simple(simple)] if simple.words.first().is_some_and(|word| {
        matches!(word.as_slice(), [Part::Text { text, .. }]
            if ["dirname", "pwd", "realpath", "readlink", "basename"].contains(&text.as_str()))
    }))
}

/// The absolute path of a place, as the job would see it.
pub(super) fn path_of(place: &Place) -> Option<String> {
    match place {
        Place::Inside(dir) if dir.is_empty() => Some(WORKSPACE.to_owned()),
        Place::Inside(dir) => Some(format!("{WORKSPACE}/{dir}")),
        Place::Outside | Place::Unknown => None,
    }
}

fn has_glob(text: &str) -> bool {
    text.contains(['*', '?', '[']) || text.contains('{') && text.contains(',')
}

fn with_suffix(value: Value, suffix: &str) -> Value {
    match (value, suffix) {
        (value @ (Value::Text(_) | Value::Unknown), "" | "[@]" | "[*]")
        | (value @ Value::List(_), "[@]" | "[*]") => value,
        (Value::List(words), "" | "[0]") => match words.first() {
            Some(word) if !word.unknown && !word.glob => Value::Text(word.text.clone()),
            _ => Value::Unknown,
        },
        (Value::Text(text), "[0]") => Value::Text(text),
        (Value::Text(text), _) => operated(&text, suffix),
        _ => Value::Unknown,
    }
}

/// `${NAME:-x}` and its kin over a known text.
fn operated(text: &str, suffix: &str) -> Value {
    let known = |text: &str| Value::Text(text.into());
    let is_plain = |text: &str| !text.contains(['$', '`', '*', '?', '[', '\\', '"', '\'']);
    for (operator, when_empty) in [(":-", true), (":=", true), ("-", false), ("=", false)] {
        if let Some(default) = suffix.strip_prefix(operator) {
            if !text.is_empty() || !when_empty {
                return known(text);
            }
            let default = default.trim_matches(['"', '\'']);
            return if is_plain(default) {
                known(default)
            } else {
                Value::Unknown
            };
        }
    }
    for operator in [":?", "?"] {
        if suffix.starts_with(operator) {
            return known(text);
        }
    }
    let strip = |operator: &str| suffix.strip_prefix(operator).filter(|rest| is_plain(rest));
    if suffix.starts_with("##") || suffix.starts_with("%%") {
        return Value::Unknown;
    }
    if let Some(end) = strip("%") {
        return known(text.strip_suffix(end).unwrap_or(text));
    }
    if let Some(start) = strip("#") {
        return known(text.strip_prefix(start).unwrap_or(text));
    }
    Value::Unknown
}

/// Adds a value to the word at hand, splitting it where the shell would.
fn add(field: &mut Field, done: &mut Vec<Word>, value: Value, name: &str, quoted: bool) {
    match value {
        Value::Unknown | Value::OneOf(_) => {
            field.push(&format!("${name}"));
            field.unknown = true;
        }
        Value::Text(text) if quoted => field.push(&text),
        Value::Text(text) => {
            let mut pieces = text.split_whitespace();
            if text.starts_with(char::is_whitespace) {
                field.finish(done);
            }
            if let Some(first) = pieces.next() {
                field.push(first);
                field.glob |= has_glob(first);
            }
            for piece in pieces {
                field.finish(done);
                field.push(piece);
                field.glob |= has_glob(piece);
            }
        }
        Value::List(words) => {
            for (index, word) in words.iter().enumerate() {
                if index > 0 {
                    field.finish(done);
                }
                field.push(&word.text);
                field.unknown |= word.unknown;
                field.glob |= word.glob;
            }
        }
    }
}
