//! The expression language of GitHub Actions, evaluated as far as it can be known.
//!
//! What a run alone can tell (`needs`, `steps`, `vars`, a status) is a value too:
//! [`Value::Unknown`], perhaps with a [`Clue`]. It spreads through operators and
//! functions only where it could change the answer, so `false && needs.x.y` is no,
//! and `github.ref == 'refs/heads/main'` is no on a pull whose number nobody told.
//!
//! The language: <https://docs.github.com/actions/reference/workflows-and-actions/expressions>.
//! Where the manual is silent, GitHub's own npm package `@actions/expressions`
//! decides. Length and depth are bounded as GitHub bounds them.
//!
//! ```
//! use trimtab::engine::pipeline::Truth;
//! use trimtab::engine::pipeline::expression::{Scope, Value, condition};
//!
//! let scope = Scope::new().with("github", Value::object([("event_name", Value::text("push"))]));
//! assert_eq!(condition("github.event_name == 'PUSH'", &scope), Truth::Yes);
//! assert_eq!(condition("success() && github.event_name != 'push'", &scope), Truth::No);
//! assert_eq!(condition("needs.changes.outputs.api == 'true'", &scope), Truth::Unknown);
//! ```

use std::collections::BTreeMap;

use super::Truth;

mod evaluate;
mod functions;
mod lexer;
mod parser;
mod template;
mod value;

pub use template::{Piece, Reference, fold, pieces, substitute};
pub use value::{Clue, Object, Value};

/// GitHub refuses longer expressions.
const MAX_LENGTH: usize = 21_000;

/// An expression that was parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    root: parser::Node,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at position {at} of the expression")]
pub struct Fault {
    /// What is wrong.
    pub what: Box<str>,
    /// Where, in bytes from 1.
    pub at: usize,
}

/// The contexts that an expression can name, without regard to case.
///
/// A context that is not there is unknown.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    contexts: BTreeMap<Box<str>, Value>,
    statuses: BTreeMap<&'static str, Truth>,
}

impl Scope {
    /// A scope in which every context is unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same scope with one context told.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.contexts.insert(name.to_lowercase().into(), value);
        self
    }

    /// The same scope with the answer of a status function told: `success`, `failure`
    /// or `cancelled`. What is not told is unknown; `always()` is true anyway.
    #[must_use]
    pub fn with_status(mut self, name: &'static str, truth: Truth) -> Self {
        self.statuses.insert(name, truth);
        self
    }

    fn status(&self, name: &str) -> Option<Truth> {
        self.statuses.get(name).copied()
    }

    fn context(&self, name: &str) -> Value {
        self.contexts
            .get(name.to_lowercase().as_str())
            .cloned()
            .unwrap_or(Value::UNKNOWN)
    }
}

impl Expression {
    /// Parses the text between `${{` and `}}`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_LENGTH {
            let what = format!("more than {MAX_LENGTH} bytes");
            return Err(Fault {
                what: what.into(),
                at: MAX_LENGTH,
            });
        }
        let root = parser::parse(&lexer::tokens(text)?)?;
        Ok(Self { root })
    }

    /// Its value, as far as it can be known.
    pub fn evaluate(&self, scope: &Scope) -> Value {
        evaluate::node(&self.root, scope)
    }

    /// Every value that it may have, where a few known ones stand behind unknown
    /// conditions (`A && 'x' || 'y'`); `None` when it may have any other.
    pub fn alternatives(&self, scope: &Scope) -> Option<Vec<Value>> {
        evaluate::alternatives(&self.root, scope)
    }

    /// Whether it calls `success`, `failure`, `cancelled` or `always`; where none is
    /// called, GitHub puts `success() &&` in front of a condition.
    pub fn asks_status(&self) -> bool {
        !self.statuses().is_empty()
    }

    /// Which of the four status functions it calls, each once.
    pub fn statuses(&self) -> Vec<&'static str> {
        const STATUSES: [&str; 4] = ["success", "failure", "cancelled", "always"];
        let calls = |wanted: &str| {
            self.root
                .any(&|node| matches!(node, parser::Node::Call(name, _) if name.as_ref() == wanted))
        };
        STATUSES.into_iter().filter(|name| calls(name)).collect()
    }

    /// The properties of a context that it names, in lower case; `*` when it uses the
    /// context in any other way.
    pub fn properties_of(&self, context: &str) -> Vec<Box<str>> {
        let mut found = Vec::new();
        self.root.properties_of(context, &mut found);
        found.sort();
        found.dedup();
        found
    }

    /// The outputs of needed jobs that it compares with the text `true`, as job and output,
    /// in lower case.
    pub fn outputs_held_to_true(&self) -> Vec<(Box<str>, Box<str>)> {
        let mut found = Vec::new();
        self.root.outputs_held_to_true(&mut found);
        found.sort();
        found.dedup();
        found
    }

    /// Whether it names these contexts alone, and calls only functions that a condition of a
    /// job may call: GitHub refuses a workflow with any other.
    pub fn is_within(&self, contexts: &[&str]) -> bool {
        !self.root.any(&|node| match node {
            parser::Node::Context(name) => !contexts.contains(&name.as_ref()),
            parser::Node::Call(name, _) => !functions::is_of_conditions(name),
            _ => false,
        })
    }

    /// Whether it names any context, or calls a function that only a run can answer.
    pub fn is_constant(&self) -> bool {
        !self.root.any(&|node| {
            matches!(node, parser::Node::Context(_))
                || matches!(node, parser::Node::Call(name, _) if functions::asks_the_run(name))
        })
    }
}

/// Whether two values are equal, as `==` compares them.
pub fn equal(left: &Value, right: &Value) -> Truth {
    evaluate::equals(left, right)
}

/// The value of a JSON text; unknown when it is none.
pub fn json(text: &str) -> Value {
    functions::from_json(&Value::text(text))
}

/// Whether a condition holds. One that does not parse is unknown, and so is one that
/// fails while it is evaluated: neither lets anybody say that a job does not start.
pub fn condition(text: &str, scope: &Scope) -> Truth {
    Expression::parse(text).map_or(Truth::Unknown, |expression| {
        expression.evaluate(scope).truth()
    })
}

#[cfg(test)]
mod tests;
