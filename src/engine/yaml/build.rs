//! From the parser's events to documents, within the limits.
//!
//! One explicit stack, so that depth is a number and not the machine's stack.
//! What an alias copies is counted as if it were written out, so that nine lines
//! of nested aliases cannot fill the memory.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::{Entry, Limits, Node, Scalar, Style, Value};
use crate::engine::plan::Diagnostic;

/// Scalar text that costs as much as one node.
const TEXT_PER_NODE: usize = 64;

/// A file that stops at the first fault of grammar, but names up to this many of meaning.
const MAX_FAULTS: usize = 20;

/// Reads every document; one fault of any kind refuses the file.
pub(super) fn documents(
    path: &str,
    text: &str,
    limits: Limits,
) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut text = std::borrow::Cow::Borrowed(text);
    let mut builder = Builder::of(&text, limits);
    for _ in 0..MAX_REPAIRS {
        let Some(repaired) = builder.repaired() else {
            break;
        };
        text = repaired.into();
        builder = Builder::of(&text, limits);
    }
    if builder.faults.is_empty() {
        return Ok(builder.documents);
    }
    let located = |fault: Fault| Diagnostic {
        path: path.to_owned(),
        line: fault.line,
        column: fault.column,
        message: fault.message,
    };
    Err(builder
        .faults
        .into_iter()
        .take(MAX_FAULTS)
        .map(located)
        .collect())
}

/// Brackets of one file that are moved to where the parser wants them.
const MAX_REPAIRS: usize = 50;

struct Fault {
    line: u32,
    column: u32,
    message: String,
}

/// A list or mapping that is still open.
struct Frame {
    line: u32,
    column: u32,
    anchor: usize,
    cost: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        merged: Vec<Node>,
        key: Option<Key>,
    },
}

/// A key that waits for its value.
struct Key {
    text: Box<str>,
    line: u32,
    column: u32,
    is_merge: bool,
}

#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    /// The lines of the text; filled when the first is looked up.
    lines: Vec<&'a str>,
    limits: Limits,
    stack: Vec<Frame>,
    /// What each anchor stands for, with its cost.
    anchors: BTreeMap<usize, (Node, usize)>,
    documents: Vec<Node>,
    spent: usize,
    faults: Vec<Fault>,
}

impl<'a> Builder<'a> {
    fn of(text: &'a str, limits: Limits) -> Self {
        let mut builder = Builder {
            limits,
            ..Builder::default()
        };
        if let Err(fault) = builder.read(text) {
            builder.faults.push(fault);
        }
        builder
    }

    /// The text with one more space before a closing bracket that begins a line at the
    /// indentation of its key: not YAML by the letter, but libyaml and GitHub read it.
    fn repaired(&self) -> Option<String> {
        let fault = self.faults.last()?;
        if !fault.message.ends_with("invalid indentation") {
            return None;
        }
        let index = usize::try_from(fault.line).ok()?.checked_sub(1)?;
        let mut lines = self.text.split_inclusive('\n');
        let before: usize = lines.by_ref().take(index).map(str::len).sum();
        let is_closing = lines.next()?.trim_start().starts_with([']', '}']);
        let (head, tail) = self.text.split_at_checked(before)?;
        is_closing.then(|| format!("{head} {tail}"))
    }

    fn read(&mut self, text: &'a str) -> Result<(), Fault> {
        if text.len() > self.limits.bytes {
            let message = format!("the file is larger than {} bytes", self.limits.bytes);
            return Err(fault(0, 0, message));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.text = text;
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| {
                let (line, column) = place(error.marker());
                fault(line, column, format!("this is not YAML: {}", error.info()))
            })?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let (line, column) = place(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let cost = 1 + text.len() / TEXT_PER_NODE;
                let line = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded if anchor != 0 || tag.is_some() => {
                        self.line_after_header(line, column)
                    }
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        line.saturating_sub(leading_breaks(&text))
                    }
                    _ => line,
                };
                let scalar = Scalar {
                    text: text.into(),
                    style: style_of(style),
                    tag: tag.map(|tag| tag_text(&tag)),
                };
                let node = Node {
                    value: Value::Scalar(scalar),
                    line,
                    column,
                };
                self.spend(cost, line, column)?;
                self.anchor(anchor, &node, cost)?;
                self.place_node(node, cost);
            }
            Event::SequenceStart(anchor, _) => {
                self.open(Content::Sequence(Vec::new()), anchor, line, column)?;
            }
            Event::MappingStart(anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    key: None,
                };
                self.open(content, anchor, line, column)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(anchor) => {
                let Some((node, cost)) = self.anchors.get(&anchor).cloned() else {
                    return Err(fault(
                        line,
                        column,
                        "this alias stands inside its own anchor",
                    ));
                };
                self.spend(cost, line, column)?;
                self.place_node(node, cost);
            }
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Where a block's text begins when an anchor or a tag stands before its header:
    /// the parser gives the place of the anchor or tag.
    fn line_after_header(&mut self, line: u32, column: u32) -> u32 {
        if self.lines.is_empty() {
            self.lines = self.text.lines().collect();
        }
        let mut skip = column.saturating_sub(1) as usize;
        let lines = self.lines.get(line.saturating_sub(1) as usize..);
        for (index, text) in (line..).zip(lines.unwrap_or_default()) {
            let byte = text.char_indices().nth(skip).map_or(text.len(), |at| at.0);
            skip = 0;
            let header = text
                .get(byte..)
                .unwrap_or_default()
                .split_whitespace()
                .find(|word| !word.starts_with(['&', '!']));
            if header.is_some_and(|word| word.starts_with(['|', '>'])) {
                return index.saturating_add(1);
            }
        }
        line
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        line: u32,
        column: u32,
    ) -> Result<(), Fault> {
        self.spend(1, line, column)?;
        if self.stack.len() >= self.limits.depth {
            let message = format!("more than {} levels inside each other", self.limits.depth);
            return Err(fault(line, column, message));
        }
        self.stack.push(Frame {
            line,
            column,
            anchor,
            cost: 1,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping {
                entries, merged, ..
            } => {
                self.report_duplicates(&entries);
                Value::Mapping(self.merge(entries, merged))
            }
        };
        let node = Node {
            value,
            line: frame.line,
            column: frame.column,
        };
        self.anchor(frame.anchor, &node, frame.cost)?;
        self.place_node(node, frame.cost);
        Ok(())
    }

    /// Puts a finished node where it belongs: the open list or mapping, or the documents.
    fn place_node(&mut self, node: Node, cost: usize) {
        let Some(frame) = self.stack.last_mut() else {
            self.documents.push(node);
            return;
        };
        frame.cost = frame.cost.saturating_add(cost);
        let (entries, merged, key) = match &mut frame.content {
            Content::Sequence(items) => return items.push(node),
            Content::Mapping {
                entries,
                merged,
                key,
            } => (entries, merged, key),
        };
        match (key.take(), node.value) {
            (Some(key), value) => {
                let value = Node { value, ..node };
                if key.is_merge {
                    merged.push(value);
                } else {
                    entries.push(Entry {
                        key: key.text,
                        line: key.line,
                        column: key.column,
                        value,
                    });
                }
            }
            (None, Value::Scalar(scalar)) => {
                *key = Some(Key {
                    is_merge: scalar.style == Style::Plain && scalar.text.as_ref() == "<<",
                    text: scalar.text,
                    line: node.line,
                    column: node.column,
                });
            }
            (None, Value::Sequence(_) | Value::Mapping(_)) => {
                *key = Some(Key {
                    text: "".into(),
                    line: node.line,
                    column: node.column,
                    is_merge: false,
                });
                let message = "a key must be a word, not a list or a mapping";
                self.faults.push(fault(node.line, node.column, message));
            }
        }
    }

    /// Adds the keys of merged mappings that are not there yet; earlier ones win.
    ///
    /// <https://yaml.org/type/merge.html>
    fn merge(&mut self, mut entries: Vec<Entry>, merged: Vec<Node>) -> Vec<Entry> {
        if merged.is_empty() {
            return entries;
        }
        let mut known: std::collections::BTreeSet<Box<str>> =
            entries.iter().map(|entry| entry.key.clone()).collect();
        let sources = merged.into_iter().flat_map(|node| match node.value {
            Value::Sequence(items) => items,
            _ => vec![node],
        });
        for source in sources {
            let (line, column) = (source.line, source.column);
            let Value::Mapping(more) = source.value else {
                let message = "`<<` takes a mapping or a list of mappings";
                self.faults.push(fault(line, column, message));
                continue;
            };
            let new = more
                .into_iter()
                .filter(|entry| known.insert(entry.key.clone()));
            entries.extend(new);
        }
        entries
    }

    fn report_duplicates(&mut self, entries: &[Entry]) {
        let mut order: Vec<&Entry> = entries.iter().collect();
        order.sort_by(|a, b| a.key.cmp(&b.key));
        for pair in order.windows(2) {
            if let [first, second] = pair
                && first.key == second.key
            {
                let message = format!(
                    "the key `{}` stands twice; the first is in line {}",
                    second.key, first.line
                );
                self.faults.push(fault(second.line, second.column, message));
            }
        }
        if self.faults.len() > MAX_FAULTS {
            self.faults.truncate(MAX_FAULTS);
        }
    }

    /// Keeps what an anchor stands for; the copy is counted too.
    fn anchor(&mut self, anchor: usize, node: &Node, cost: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.spend(cost, node.line, node.column)?;
            self.anchors.insert(anchor, (node.clone(), cost));
        }
        Ok(())
    }

    fn spend(&mut self, cost: usize, line: u32, column: u32) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.limits.nodes {
            let message = format!(
                "the file has more than {} values after its aliases are resolved",
                self.limits.nodes
            );
            return Err(fault(line, column, message));
        }
        Ok(())
    }
}

fn fault(line: u32, column: u32, message: impl Into<String>) -> Fault {
    Fault {
        line,
        column,
        message: message.into(),
    }
}

/// The parser counts columns from 0.
fn place(marker: &Marker) -> (u32, u32) {
    let line = u32::try_from(marker.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(marker.col()).map_or(u32::MAX, |column| column.saturating_add(1));
    (line, column)
}

/// Empty lines at the start of a block: the parser gives the place of what follows them.
fn leading_breaks(text: &str) -> u32 {
    let content = text.trim_start_matches('\n');
    if content.is_empty() {
        return 0;
    }
    u32::try_from(text.len() - content.len()).unwrap_or(0)
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn tag_text(tag: &Tag) -> Box<str> {
    format!("{}{}", tag.handle, tag.suffix).into()
}
