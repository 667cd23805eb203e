//! The grammar of a shell script: text to a tree.
//!
//! Total and bounded: a construct that is not known ends the parse with the line,
//! and nesting deeper than [`DEPTH`] is refused. Expressions of the forge
//! (`${{ }}`) are replaced by the caller before; what remains of them is a part
//! that nobody knows.

use std::rc::Rc;

mod compound;
mod settings;
mod words;

pub(super) use words::plain;
pub(in crate::engine) use words::{UNKNOWN_END, UNKNOWN_START};

/// How deep constructs may nest.
const DEPTH: u32 = 40;

/// How many commands `&&` and `||` may join.
const CHAIN: u32 = 100;
/// How long the subscript of an array may be.
const SUBSCRIPT: usize = 1000;

/// A part of a word.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text; quoted text is neither split nor a glob.
    Text { text: String, quoted: bool },
    /// `$NAME` or `${NAME...}`; the suffix is what follows the name in braces.
    Variable {
        name: String,
        suffix: String,
        quoted: bool,
    },
    /// `$(...)` or backticks.
    Command { body: Rc<Node>, quoted: bool },
    /// `<(...)`: a file with a command's output.
    Process(Rc<Node>),
    /// `$((...))`: nobody computes it, but what it runs and sets counts.
    Arithmetic(RawWord),
    /// `(...)` behind `NAME=` among the arguments of `declare` and its kin.
    List(Vec<RawWord>),
    /// What is not expanded here, such as an expression of the forge that is not known.
    Unknown(String),
}

/// A word before expansion.
pub(super) type RawWord = Vec<Part>;

/// `NAME=value`, `NAME+=value` or `NAME=(...)`.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) append: bool,
    /// Whether it is one element of an array: `NAME[1]=value`.
    pub(super) is_element: bool,
    pub(super) value: AssignedValue,
}

/// The right side of an assignment.
#[derive(Debug, Clone)]
pub(super) enum AssignedValue {
    Word(RawWord),
    List(Vec<RawWord>),
}

/// The body of `<<END`.
#[derive(Debug, Clone)]
pub(super) enum Heredoc {
    /// Its end was quoted, or nothing in it is expanded.
    Literal(String),
    /// A text with variables and substitutions.
    Expanded(RawWord),
}

/// A redirection.
#[derive(Debug, Clone)]
pub(super) enum Redirect {
    /// `< file`
    Read(RawWord),
    /// `> file`, `>> file`
    Write(RawWord),
    /// `<<END`: the position of its body in [`Parsed::heredocs`].
    Heredoc(usize),
    /// `<<< word`
    HereString(RawWord),
}

/// A simple command.
#[derive(Debug, Clone)]
pub(super) struct Simple {
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<RawWord>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) line: u32,
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Simple(Simple),
    Sequence(Vec<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Pipeline(Vec<Self>),
    /// `( )`, `&`: state changes stay inside.
    Subshell(Box<Self>),
    /// Alternatives, each with its condition; `complete` when one is always taken.
    Branches {
        arms: Vec<(Self, Self)>,
        complete: bool,
    },
    /// `while`, `until`.
    Loop(Box<Self>, Box<Self>),
    For {
        name: String,
        words: Option<Vec<RawWord>>,
        body: Box<Self>,
    },
    Function(String, Rc<Self>),
    Redirected(Box<Self>, Vec<Redirect>, u32),
    /// Words of `[[ ]]`, walked for the commands inside them.
    Test(Vec<RawWord>, u32),
    /// `((...))`.
    Arithmetic(RawWord),
}

/// A parsed script.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) body: Node,
    /// Bodies of `<<END`.
    pub(super) heredocs: Vec<Heredoc>,
    /// Where the parse had to end.
    pub(super) fault: Option<(u32, String)>,
}

/// A fault; the line is known to the parser.
type Parse<T> = Result<T, String>;

/// Parses a script whose first line has the given number. Bodies of heredocs are
/// added to those that were there before.
pub(super) fn parse(script: &str, first_line: u32, heredocs: Vec<Heredoc>) -> Parsed {
    let mut parser = Parser {
        chars: script.replace("\r\n", "\n").chars().collect(),
        at: 0,
        first_line,
        counted: (0, first_line),
        depth: 0,
        pending: Vec::new(),
        heredocs,
    };
    let mut nodes = Vec::new();
    let fault = parser.script(&mut nodes).err();
    let line = parser.line();
    Parsed {
        body: Node::Sequence(nodes),
        heredocs: parser.heredocs,
        fault: fault.map(|what| (line, what)),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    first_line: u32,
    /// A position and its line, to count on from.
    counted: (usize, u32),
    depth: u32,
    /// Heredocs whose body has not begun: index, end, quoted, tabs stripped.
    pending: Vec<(usize, String, bool, bool)>,
    heredocs: Vec<Heredoc>,
}

const CLOSERS: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_at(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(i, c)| self.peek_at(i) == Some(c))
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.starts(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// The line at hand; it is counted on from the one that was asked for before.
    fn line(&mut self) -> u32 {
        let (from, line) = match self.counted {
            (at, line) if at <= self.at => (at, line),
            _ => (0, self.first_line),
        };
        let passed = self.chars.get(from..self.at).unwrap_or_default();
        let newlines = passed.iter().filter(|c| **c == '\n').count();
        let line = line.saturating_add(u32::try_from(newlines).unwrap_or(0));
        self.counted = (self.at, line);
        line
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= DEPTH {
            return Err("constructs nested too deep".to_owned());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn script(&mut self, nodes: &mut Vec<Node>) -> Parse<()> {
        loop {
            self.blank_lines()?;
            if self.peek().is_none() {
                return Ok(());
            }
            nodes.push(self.and_or()?);
        }
    }

    /// Spaces, continued lines and comments, up to the end of the line.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Blanks, ends of lines and `;`.
    fn blank_lines(&mut self) -> Parse<()> {
        loop {
            self.blanks();
            match self.peek() {
                Some('\n') => self.newline()?,
                Some(';') if self.peek_at(1) != Some(';') => self.at += 1,
                _ => return Ok(()),
            }
        }
    }

    fn newline(&mut self) -> Parse<()> {
        self.at += 1;
        for (index, end, quoted, strip) in std::mem::take(&mut self.pending) {
            let line = self.line();
            let mut body = String::new();
            while self.peek().is_some() {
                let mut line = String::new();
                while let Some(c) = self.peek().filter(|c| *c != '\n') {
                    line.push(c);
                    self.at += 1;
                }
                self.at += 1;
                let line = if strip {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if line == end {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            self.at = self.at.min(self.chars.len());
            let read = if quoted || !body.contains(['$', '`', '\\', UNKNOWN_START]) {
                Heredoc::Literal(body)
            } else {
                Heredoc::Expanded(self.embedded(&body, line)?)
            };
            if let Some(slot) = self.heredocs.get_mut(index) {
                *slot = read;
            }
        }
        Ok(())
    }

    /// Commands up to one of the closing words or characters, which stays.
    fn list(&mut self) -> Parse<Node> {
        self.deeper(|parser| {
            let mut nodes = Vec::new();
            loop {
                parser.blank_lines()?;
                let closed = parser.peek().is_none_or(|c| c == ')')
                    || parser.starts(";;")
                    || CLOSERS.iter().any(|word| parser.at_keyword(word));
                if closed {
                    return Ok(Node::Sequence(nodes));
                }
                nodes.push(parser.and_or()?);
            }
        })
    }

    fn at_keyword(&self, word: &str) -> bool {
        let next = self.peek_at(word.chars().count());
        self.starts(word)
            && next.is_none_or(|c| {
                c.is_whitespace() || matches!(c, ';' | ')' | '&' | '|' | '(' | '<' | '>')
            })
    }

    fn expect(&mut self, word: &str) -> Parse<()> {
        self.blank_lines()?;
        if self.at_keyword(word) || !word.chars().all(char::is_alphanumeric) && self.starts(word) {
            self.at += word.chars().count();
            return Ok(());
        }
        Err(format!("`{word}` is missing"))
    }

    fn and_or(&mut self) -> Parse<Node> {
        let mut left = self.pipeline()?;
        for members in 1.. {
            self.blanks();
            if members > CHAIN {
                return Err("a chain of too many commands".to_owned());
            }
            if self.eat("&&") {
                self.blank_lines()?;
                left = Node::And(Box::new(left), Box::new(self.pipeline()?));
            } else if self.eat("||") {
                self.blank_lines()?;
                left = Node::Or(Box::new(left), Box::new(self.pipeline()?));
            } else if self.peek() == Some('&') {
                self.at += 1;
                return Ok(Node::Subshell(Box::new(left)));
            } else {
                return match self.peek() {
                    None | Some('\n' | ')') => Ok(left),
                    Some(';') => {
                        if !self.starts(";;") {
                            self.at += 1;
                        }
                        Ok(left)
                    }
                    Some(_) if CLOSERS.iter().any(|word| self.at_keyword(word)) => Ok(left),
                    Some(c) => Err(format!("unexpected `{c}`")),
                };
            }
        }
        Ok(left)
    }

    fn pipeline(&mut self) -> Parse<Node> {
        self.blanks();
        while self.at_keyword("!") || self.at_keyword("time") && self.peek_at(5) != Some('-') {
            self.at += if self.peek() == Some('!') { 1 } else { 4 };
            self.blanks();
        }
        let mut members = vec![self.command()?];
        loop {
            self.blanks();
            if self.starts("||") || self.peek() != Some('|') {
                break;
            }
            self.at += 1;
            self.eat("&");
            self.blank_lines()?;
            members.push(self.command()?);
        }
        Ok(match members.pop() {
            Some(only) if members.is_empty() => only,
            Some(last) => {
                members.push(last);
                Node::Pipeline(members)
            }
            None => Node::Sequence(members),
        })
    }

    fn command(&mut self) -> Parse<Node> {
        self.deeper(|parser| {
            parser.blanks();
            let line = parser.line();
            let Some(node) = parser.compound()? else {
                return parser.simple();
            };
            let mut redirects = Vec::new();
            while parser.redirect(&mut redirects)? {}
            Ok(if redirects.is_empty() {
                node
            } else {
                Node::Redirected(Box::new(node), redirects, line)
            })
        })
    }

    fn simple(&mut self) -> Parse<Node> {
        let mut simple = Simple {
            assignments: Vec::new(),
            words: Vec::new(),
            redirects: Vec::new(),
            line: self.line(),
        };
        loop {
            self.blanks();
            if self.redirect(&mut simple.redirects)? {
                continue;
            }
            if simple.words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                simple.assignments.push(assignment);
                continue;
            }
            match self.word()? {
                Some(word) => simple.words.push(word),
                None => break,
            }
            // `export NAME=(...)` is an argument with a list.
            if self.peek() == Some('(') && ends_with_equals(simple.words.last()) {
                let list = Part::List(self.list_value()?);
                simple
                    .words
                    .last_mut()
                    .into_iter()
                    .for_each(|word| word.push(list.clone()));
            }
        }
        let is_empty =
            simple.words.is_empty() && simple.assignments.is_empty() && simple.redirects.is_empty();
        if is_empty {
            let found = self
                .peek()
                .map_or("the end".to_owned(), |c| format!("`{c}`"));
            return Err(format!("unexpected {found}"));
        }
        Ok(Node::Simple(simple))
    }

    fn list_value(&mut self) -> Parse<Vec<RawWord>> {
        self.at += 1;
        let mut words = Vec::new();
        loop {
            self.blank_lines()?;
            if self.eat(")") {
                return Ok(words);
            }
            words.push(self.word()?.ok_or("`)` is missing")?);
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| {
            c.is_ascii_alphabetic() || *c == '_' || !name.is_empty() && c.is_ascii_digit()
        }) {
            name.push(c);
            self.at += 1;
        }
        name
    }
}

fn ends_with_equals(word: Option<&RawWord>) -> bool {
    word.is_some_and(|word| plain(word).ends_with('='))
}
