//! Groups, conditions, loops and functions.

use std::rc::Rc;

use super::{Node, Parse, Parser, Part, RawWord};

impl Parser {
    pub(super) fn compound(&mut self) -> Parse<Option<Node>> {
        if self.starts("((") {
            return self.arithmetic().map(Node::Arithmetic).map(Some);
        }
        if self.eat("(") {
            let body = self.list()?;
            self.expect(")")?;
            return Ok(Some(Node::Subshell(Box::new(body))));
        }
        for (word, read) in [
            ("{", Self::group as fn(&mut Self) -> Parse<Node>),
            ("if", Self::branches),
            ("while", Self::condition_loop),
            ("until", Self::condition_loop),
            ("for", Self::for_loop),
            ("case", Self::case),
            ("function", Self::function),
            ("[[", Self::test),
        ] {
            if self.at_keyword(word) {
                self.at += word.len();
                return read(self).map(Some);
            }
        }
        if ["select", "coproc"]
            .iter()
            .any(|word| self.at_keyword(word))
        {
            return Err("`select` and `coproc` are not read".to_owned());
        }
        self.short_function()
    }

    fn group(&mut self) -> Parse<Node> {
        let body = self.list()?;
        self.expect("}")?;
        Ok(body)
    }

    fn branches(&mut self) -> Parse<Node> {
        let mut arms = Vec::new();
        let mut complete = false;
        loop {
            let condition = self.list()?;
            self.expect("then")?;
            arms.push((condition, self.list()?));
            if self.at_keyword("elif") {
                self.at += 4;
                continue;
            }
            if self.at_keyword("else") {
                self.at += 4;
                arms.push((Node::Sequence(Vec::new()), self.list()?));
                complete = true;
            }
            self.expect("fi")?;
            return Ok(Node::Branches { arms, complete });
        }
    }

    fn condition_loop(&mut self) -> Parse<Node> {
        let condition = self.list()?;
        self.expect("do")?;
        let body = self.list()?;
        self.expect("done")?;
        Ok(Node::Loop(Box::new(condition), Box::new(body)))
    }

    fn for_loop(&mut self) -> Parse<Node> {
        self.blanks();
        if self.starts("((") {
            let condition = Box::new(Node::Arithmetic(self.arithmetic()?));
            self.expect("do")?;
            let body = self.list()?;
            self.expect("done")?;
            return Ok(Node::Loop(condition, Box::new(body)));
        }
        let name = self.name();
        self.blank_lines()?;
        let mut words = None;
        if self.at_keyword("in") {
            self.at += 2;
            let mut list = Vec::new();
            self.blanks();
            while let Some(word) = self.word()? {
                list.push(word);
                self.blanks();
            }
            words = Some(list);
        }
        self.expect("do")?;
        let body = Box::new(self.list()?);
        self.expect("done")?;
        Ok(Node::For { name, words, body })
    }

    fn case(&mut self) -> Parse<Node> {
        self.blanks();
        let line = self.line();
        let subject = self.word()?.ok_or("`case` without a word")?;
        self.expect("in")?;
        let mut arms = vec![];
        let mut asked = vec![subject];
        loop {
            self.blank_lines()?;
            if self.at_keyword("esac") {
                self.at += 4;
                return Ok(Node::Branches {
                    arms,
                    complete: false,
                });
            }
            self.eat("(");
            loop {
                self.blanks();
                let pattern = self.word()?.ok_or("a pattern is missing")?;
                if pattern.iter().any(runs) {
                    asked.push(pattern);
                }
                self.blanks();
                if !self.eat("|") {
                    break;
                }
            }
            self.expect(")")?;
            let body = self.list()?;
            let condition = if asked.is_empty() {
                Node::Sequence(Vec::new())
            } else {
                Node::Test(std::mem::take(&mut asked), line)
            };
            arms.push((condition, body));
            for end in [";;&", ";;", ";&"] {
                if self.eat(end) {
                    break;
                }
            }
        }
    }

    fn function(&mut self) -> Parse<Node> {
        self.blanks();
        let name = self.function_name();
        self.blanks();
        if self.eat("(") {
            self.expect(")")?;
        }
        self.function_body(name)
    }

    fn short_function(&mut self) -> Parse<Option<Node>> {
        let start = self.at;
        let name = self.function_name();
        self.blanks();
        if !name.is_empty() && self.eat("(") {
            self.blanks();
            if self.eat(")") {
                return self.function_body(name).map(Some);
            }
            return Err("unexpected `(`".to_owned());
        }
        self.at = start;
        Ok(None)
    }

    fn function_body(&mut self, name: String) -> Parse<Node> {
        self.blank_lines()?;
        let body = self.command()?;
        Ok(Node::Function(name, Rc::new(body)))
    }

    fn function_name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))
        {
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn test(&mut self) -> Parse<Node> {
        let line = self.line();
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.at_keyword("]]") {
                self.at += 2;
                return Ok(Node::Test(words, line));
            }
            match self.peek() {
                None => return Err("`]]` is missing".to_owned()),
                Some('<' | '>' | '(' | ')' | '&' | '|' | '\n' | ';') => self.at += 1,
                Some(_) => words.extend(self.word()?),
            }
        }
    }

    /// `((...))` from here, as the words that are expanded in it.
    pub(super) fn arithmetic(&mut self) -> Parse<RawWord> {
        let line = self.line();
        let from = self.at;
        let mut open = 0_u32;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            if c == ')' && open == 1 && self.peek() != Some(')') {
                // Two shells inside of each other.
                return Err("unexpected `((`".to_owned());
            }
            if open == 0 {
                let all = self.chars.get(from..self.at).unwrap_or_default();
                let [_, _, inner @ .., ')', ')'] = all else {
                    return Err("unexpected `((`".to_owned());
                };
                let inner: String = inner.iter().collect();
                return self.embedded(&inner, line);
            }
        }
        Err("`))` is missing".to_owned())
    }
}

/// Whether expanding a part may run something.
fn runs(part: &Part) -> bool {
    matches!(
        part,
        Part::Command { .. } | Part::Process(_) | Part::Arithmetic(_)
    )
}
