//! From tokens to a tree, with GitHub's precedence and depth limit.

use super::lexer::{Kind, Token};
use super::{Fault, Value, functions};

/// GitHub's limit.
const MAX_DEPTH: usize = 50;

/// Comparisons in one chain; GitHub has no limit, our stack has.
const MAX_CHAIN: usize = 200;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Literal(Value),
    /// A context by name, in lower case.
    Context(Box<str>),
    /// A function by name, in lower case.
    Call(Box<str>, Vec<Self>),
    Index(Box<Self>, Box<Self>),
    Star(Box<Self>),
    Not(Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Parses all tokens as one expression.
pub(super) fn parse(tokens: &[Token]) -> Result<Node, Fault> {
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: 0,
    };
    let node = parser.expression()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected()),
    }
}

impl Node {
    /// Whether any node of the tree is such.
    pub(super) fn any(&self, such: &dyn Fn(&Self) -> bool) -> bool {
        such(self) || self.children().any(|child| child.any(such))
    }

    /// Collects the properties of a context that the tree names.
    pub(super) fn properties_of(&self, context: &str, found: &mut Vec<Box<str>>) {
        let is_it = |node: &Self| matches!(node, Self::Context(name) if **name == *context);
        match self {
            Self::Index(of, index) if is_it(of) => match index.as_ref() {
                Self::Literal(Value::Text(name)) => found.push(name.to_lowercase().into()),
                _ => found.push("*".into()),
            },
            node if is_it(node) => found.push("*".into()),
            _ => {}
        }
        for child in self.children() {
            if !(is_it(child) && matches!(self, Self::Index(of, _) if is_it(of))) {
                child.properties_of(context, found);
            }
        }
    }

    /// Collects what stands beside `== 'true'` and is `needs.JOB.outputs.NAME`.
    pub(super) fn outputs_held_to_true(&self, found: &mut Vec<(Box<str>, Box<str>)>) {
        if let Self::Compare(Comparison::Equal, left, right) = self {
            let is_true = |node: &Self| matches!(node, Self::Literal(Value::Text(text)) if text.eq_ignore_ascii_case("true"));
            for (output, other) in [(left, right), (right, left)] {
                found.extend(output.output_of_need().filter(|_| is_true(other)));
            }
        }
        for child in self.children() {
            child.outputs_held_to_true(found);
        }
    }

    fn output_of_need(&self) -> Option<(Box<str>, Box<str>)> {
        let (outputs, output) = self.property_of()?;
        let (need, word) = outputs.property_of()?;
        let (needs, job) = need.property_of()?;
        let is_output = word.eq_ignore_ascii_case("outputs")
            && matches!(needs, Self::Context(name) if **name == *"needs");
        is_output.then(|| (job.to_lowercase().into(), output.to_lowercase().into()))
    }

    /// What this is a property of, and its name.
    fn property_of(&self) -> Option<(&Self, &str)> {
        match self {
            Self::Index(of, name) => match name.as_ref() {
                Self::Literal(Value::Text(name)) => Some((of, name)),
                _ => None,
            },
            _ => None,
        }
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        let (some, more): ([Option<&Self>; 2], &[Self]) = match self {
            Self::Literal(_) | Self::Context(_) => ([None, None], &[]),
            Self::Star(of) | Self::Not(of) => ([Some(of), None], &[]),
            Self::Index(a, b) | Self::Compare(_, a, b) => ([Some(a), Some(b)], &[]),
            Self::Call(_, args) | Self::And(args) | Self::Or(args) => ([None, None], args),
        };
        some.into_iter().flatten().chain(more)
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn expression(&mut self) -> Result<Node, Fault> {
        self.deeper(Self::or)
    }

    fn or(&mut self) -> Result<Node, Fault> {
        let first = self.and()?;
        if self.peek() != Some(&Kind::Or) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take(&Kind::Or) {
            terms.push(self.deeper(Self::and)?);
        }
        Ok(Node::Or(terms))
    }

    fn and(&mut self) -> Result<Node, Fault> {
        let first = self.equality()?;
        if self.peek() != Some(&Kind::And) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take(&Kind::And) {
            terms.push(self.deeper(Self::equality)?);
        }
        Ok(Node::And(terms))
    }

    fn equality(&mut self) -> Result<Node, Fault> {
        self.chain(Self::order, |kind| match kind {
            Kind::Equal => Some(Comparison::Equal),
            Kind::Unequal => Some(Comparison::Unequal),
            _ => None,
        })
    }

    fn order(&mut self) -> Result<Node, Fault> {
        self.chain(Self::unary, |kind| match kind {
            Kind::Less => Some(Comparison::Less),
            Kind::LessEqual => Some(Comparison::LessEqual),
            Kind::Greater => Some(Comparison::Greater),
            Kind::GreaterEqual => Some(Comparison::GreaterEqual),
            _ => None,
        })
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Node, Fault>,
        operator: fn(&Kind) -> Option<Comparison>,
    ) -> Result<Node, Fault> {
        let mut left = operand(self)?;
        let mut links = 0;
        while let Some(comparison) = self.peek().and_then(operator) {
            links += 1;
            if links > MAX_CHAIN {
                return Err(self.fault("too many comparisons in one chain"));
            }
            self.next += 1;
            let right = operand(self)?;
            left = Node::Compare(comparison, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Fault> {
        if self.take(&Kind::Not) {
            let of = self.deeper(Self::unary)?;
            return Ok(Node::Not(Box::new(of)));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Node, Fault> {
        let (mut node, can_be_indexed) = self.primary()?;
        let depth = self.depth;
        if !can_be_indexed {
            return Ok(node);
        }
        loop {
            if self.take(&Kind::OpenIndex) {
                self.depth += 1;
                if self.take(&Kind::Star) {
                    node = Node::Star(Box::new(node));
                } else {
                    let index = self.expression()?;
                    node = Node::Index(Box::new(node), Box::new(index));
                }
                self.expect(&Kind::CloseIndex)?;
            } else if self.take(&Kind::Dot) {
                self.depth += 1;
                node = self.property(node)?;
            } else {
                break;
            }
            if self.depth > MAX_DEPTH {
                return Err(self.fault("too many levels inside each other"));
            }
        }
        self.depth = depth;
        Ok(node)
    }

    fn property(&mut self, of: Node) -> Result<Node, Fault> {
        if self.take(&Kind::Star) {
            return Ok(Node::Star(Box::new(of)));
        }
        let Some(Kind::Name(name)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.next += 1;
        let index = Node::Literal(Value::Text(name));
        Ok(Node::Index(Box::new(of), Box::new(index)))
    }

    /// A term, and whether `.x` or `[x]` may follow it.
    fn primary(&mut self) -> Result<(Node, bool), Fault> {
        let Some(kind) = self.peek().cloned() else {
            return Err(self.fault("the expression ends too early"));
        };
        let literal = match kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number(value) => Value::Number(value),
            Kind::Text(text) => Value::Text(text),
            Kind::Open => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect(&Kind::Close)?;
                return Ok((inner, true));
            }
            Kind::Name(name) => {
                self.next += 1;
                let name: Box<str> = name.to_lowercase().into();
                if self.take(&Kind::Open) {
                    let args = self.arguments()?;
                    if !functions::takes(&name, args.len()) {
                        let what = format!("wrong number of arguments for `{name}`");
                        return Err(self.fault(&what));
                    }
                    return Ok((Node::Call(name, args), true));
                }
                return Ok((Node::Context(name), true));
            }
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok((Node::Literal(literal), false))
    }

    fn arguments(&mut self) -> Result<Vec<Node>, Fault> {
        let mut args = Vec::new();
        while !self.take(&Kind::Close) {
            args.push(self.expression()?);
            if self.peek() != Some(&Kind::Close) {
                self.expect(&Kind::Comma)?;
            }
        }
        Ok(args)
    }

    fn deeper(&mut self, rule: fn(&mut Self) -> Result<Node, Fault>) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("too many levels inside each other"));
        }
        let node = rule(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let is_it = self.peek() == Some(kind);
        self.next += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, kind: &Kind) -> Result<(), Fault> {
        if self.take(kind) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn unexpected(&self) -> Fault {
        if self.next >= self.tokens.len() {
            return self.fault("the expression ends too early");
        }
        self.fault("something unexpected")
    }

    fn fault(&self, what: &str) -> Fault {
        let token = self.tokens.get(self.next).or_else(|| self.tokens.last());
        Fault {
            what: what.into(),
            at: token.map_or(1, |token| token.span.start + 1),
        }
    }
}
