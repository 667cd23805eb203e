//! `if` and `try` of PowerShell: every branch is kept, no condition is decided.

use super::{Read, Reader};

impl Reader {
    /// `if (...) { } elseif (...) { } else { }`
    pub(super) fn condition(&mut self) -> Read<()> {
        self.at += "if".len();
        self.out.push_str("if ");
        self.tested()?;
        self.out.push_str("; then ");
        self.block()?;
        loop {
            let (at, length) = (self.at, self.out.len());
            self.blanks(true);
            match self.keyword().as_deref() {
                Some("elseif") => {
                    self.at += "elseif".len();
                    self.separate("elif ");
                    self.tested()?;
                    self.out.push_str("; then ");
                    self.block()?;
                }
                Some("else") => {
                    self.at += "else".len();
                    self.separate("else ");
                    self.block()?;
                    break;
                }
                _ => {
                    self.at = at;
                    self.out.truncate(length);
                    break;
                }
            }
        }
        self.separate("fi");
        Ok(())
    }

    /// The condition in brackets: values and comparisons, and `Test-Path`.
    fn tested(&mut self) -> Read<()> {
        self.blanks(true);
        if self.peek() != Some('(') {
            return Err("a condition without brackets".to_owned());
        }
        self.at += 1;
        let (mut open, mut asks) = (1_u32, false);
        self.out.push_str("true");
        while open > 0 {
            self.blanks(true);
            match self.peek() {
                Some('(') => {
                    open += 1;
                    self.at += 1;
                }
                Some(')') => {
                    open -= 1;
                    self.at += 1;
                }
                Some('!' | ',') => self.at += 1,
                Some(_) => asks = self.tested_word(asks)?,
                None => return Err("a condition without its end".to_owned()),
            }
        }
        Ok(())
    }

    /// One word of a condition; whether the next one is the path of a `Test-Path`.
    fn tested_word(&mut self, asks: bool) -> Read<bool> {
        match self.keyword().as_deref() {
            Some("test-path") => {
                self.at += "test-path".len();
                self.out.push_str(" && ls ");
                return Ok(true);
            }
            Some(word) if word.starts_with('-') || word.chars().all(|c| c.is_ascii_digit()) => {
                self.at += word.chars().count();
                return Ok(asks);
            }
            // A command, or a method of a type, that may read anything.
            Some(word) if !asks => return Err(format!("`{word}` in a condition")),
            None if self.peek() == Some('[') => return Err("a type in a condition".to_owned()),
            None if !asks => self.out.push_str(" && echo "),
            _ => {}
        }
        self.word()?;
        Ok(false)
    }

    fn block(&mut self) -> Read<()> {
        self.blanks(true);
        if self.peek() != Some('{') {
            return Err("a block is missing".to_owned());
        }
        self.at += 1;
        self.statements(Some('}'))?;
        self.at += 1;
        Ok(())
    }

    /// `try { } catch { } finally { }`: either part may run.
    pub(super) fn attempt(&mut self) -> Read<()> {
        self.at += "try".len();
        self.out.push_str("if true; then ");
        self.block()?;
        self.separate("fi");
        loop {
            let (at, length) = (self.at, self.out.len());
            self.blanks(true);
            let word = self.keyword();
            let Some(word @ ("catch" | "finally")) = word.as_deref() else {
                self.at = at;
                self.out.truncate(length);
                return Ok(());
            };
            self.at += word.len();
            self.separate("if true; then ");
            self.block()?;
            self.separate("fi");
        }
    }
}
