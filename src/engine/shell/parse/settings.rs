//! What stands around the words of a command: assignments and redirections.
//!
//! A subscript of an array is skipped, unless it runs something: then the parse ends.

use super::words::plain;
use super::{
    AssignedValue, Assignment, Heredoc, Parse, Parser, Part, RawWord, Redirect, SUBSCRIPT,
};

impl Parser {
    pub(super) fn assignment(&mut self) -> Parse<Option<Assignment>> {
        let start = self.at;
        let name = self.name();
        let is_element = !name.is_empty() && self.peek() == Some('[');
        if is_element {
            let from = self.at;
            let is_open = |c: char| c != ']' && c != '\n';
            while self.peek().is_some_and(is_open) && self.at < from + SUBSCRIPT {
                self.at += 1;
            }
            let subscript = self.chars.get(from..self.at).unwrap_or_default();
            let runs = subscript.contains(&'`') || subscript.windows(2).any(|it| it == ['$', '(']);
            self.at += 1;
            if runs && self.peek().is_some_and(|c| c == '=' || c == '+') {
                return Err("a command inside of a subscript".to_owned());
            }
        }
        let append = self.starts("+=");
        if name.is_empty() || !(self.eat("+=") || self.eat("=")) {
            self.at = start;
            return Ok(None);
        }
        let value = if self.peek() == Some('(') {
            AssignedValue::List(self.list_value()?)
        } else {
            AssignedValue::Word(self.word()?.unwrap_or_default())
        };
        Ok(Some(Assignment {
            name,
            append,
            is_element,
            value,
        }))
    }

    /// Reads one redirection if there is one.
    pub(super) fn redirect(&mut self, into: &mut Vec<Redirect>) -> Parse<bool> {
        self.blanks();
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        if self.starts("<(") || self.starts(">(") {
            self.at = start;
            return Ok(false);
        }
        let operators = [
            "&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", "<", ">>", ">&", ">|", ">",
        ];
        let Some(operator) = operators.into_iter().find(|operator| self.eat(operator)) else {
            self.at = start;
            return Ok(false);
        };
        self.blanks();
        let word = self.word()?.ok_or("a redirection without a file")?;
        match operator {
            "<<" | "<<-" => {
                let index = self.heredocs.len();
                let quoted = word
                    .iter()
                    .any(|part| matches!(part, Part::Text { quoted: true, .. }));
                self.heredocs.push(Heredoc::Literal(String::new()));
                let end = plain(&word);
                self.pending.push((index, end, quoted, operator == "<<-"));
                into.push(Redirect::Heredoc(index));
            }
            "<<<" => into.push(Redirect::HereString(word)),
            "<" | "<>" => into.push(Redirect::Read(word)),
            "<&" => {}
            ">&" if is_descriptor(&word) => {}
            _ => into.push(Redirect::Write(word)),
        }
        Ok(true)
    }
}

fn is_descriptor(word: &RawWord) -> bool {
    let text = plain(word);
    let is_text = word.iter().all(|part| matches!(part, Part::Text { .. }));
    is_text && text.chars().all(|c| c.is_ascii_digit() || c == '-')
}
