//! Whether the go command can read the head of a file.
//!
//! Before anything is compiled the go command reads the head of *every* file of a
//! package, tests included: constraints, package clause, imports
//! (<https://pkg.go.dev/go/build#Context.Import>). A head that it cannot read fails
//! whoever imports the package, so that a test file with such a head is no longer
//! a matter of its tests alone.
//!
//! Stricter than the go command is fine; more lenient is not.

use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

/// Whether constraints, package clause and imports are well formed.
pub(super) fn is_sound(path: &str, source: &str) -> bool {
    let mut head = Head {
        is_test: path.ends_with("_test.go"),
        tokens: Scanner::new(Dialect::Go, source),
        line: 0,
        constraints: Vec::new(),
    };
    !source.contains('\0') && head.read().is_some() && head.is_constrained_well()
}

struct Head<'a> {
    is_test: bool,
    tokens: Scanner<'a>,
    /// The line of the token before.
    line: u32,
    constraints: Vec<&'a str>,
}

impl<'a> Head<'a> {
    /// `None` as soon as something is out of place.
    fn read(&mut self) -> Option<()> {
        self.next().filter(|token| token.is_word("package"))?;
        self.next().filter(|token| token.kind == Kind::Word)?;
        self.end()?;
        while self.peek().is_some_and(|token| token.is_word("import")) {
            self.next()?;
            if self.takes("(") {
                while !self.takes(")") {
                    self.import()?;
                    if !self.peek().is_some_and(|token| token.is(")")) {
                        self.end()?;
                    }
                }
            } else {
                self.import()?;
            }
            self.end()?;
        }
        Some(())
    }

    /// A name or a dot, then a string; tests cannot use cgo.
    fn import(&mut self) -> Option<()> {
        if !self.takes(".") && self.peek().is_some_and(|token| token.kind == Kind::Word) {
            self.next()?;
        }
        let path = self.next().filter(|token| token.kind == Kind::Text)?.text;
        let is_foreign =
            |letter: char| !letter.is_ascii_graphic() || "!\"'\\`*?<>|;,".contains(letter);
        let is_wrong = path.is_empty() || path.contains(is_foreign);
        (!is_wrong && (path != "C" || !self.is_test)).then_some(())
    }

    /// A statement ends with a semicolon or its line.
    fn end(&mut self) -> Option<()> {
        let line = self.line;
        let is_ended = self.takes(";") || self.peek().is_none_or(|token| token.line > line);
        is_ended.then_some(())
    }

    fn takes(&mut self, punct: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(punct));
        found && self.next().is_some()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_comments();
        let token = self.tokens.next()?;
        self.line = token.line;
        Some(token)
    }

    fn peek(&mut self) -> Option<Token<'a>> {
        self.skip_comments();
        self.tokens.peek()
    }

    fn skip_comments(&mut self) {
        while let Some(comment) = self.tokens.next_if(|token| token.kind == Kind::Comment) {
            self.constraints
                .extend(comment.text.strip_prefix("//go:build"));
        }
    }

    fn is_constrained_well(&self) -> bool {
        self.constraints.len() < 2 && self.constraints.iter().all(|text| is_constraint(text))
    }
}

/// `linux && !(cgo || arm64)`: <https://pkg.go.dev/go/build/constraint>.
fn is_constraint(text: &str) -> bool {
    let spaced = ["(", ")", "!", "&&", "||"]
        .iter()
        .fold(text.to_owned(), |text, mark| {
            text.replace(mark, &format!(" {mark} "))
        });
    let (mut depth, mut wants_operand) = (0_usize, true);
    for word in spaced.split_whitespace() {
        let is_tag = word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        match (word, wants_operand) {
            ("!", true) => {}
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            ("&&" | "||", false) => wants_operand = true,
            (_, true) if is_tag => wants_operand = false,
            _ => return false,
        }
    }
    depth == 0 && !wants_operand
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sources: &[&str], expected: bool) {
        for source in sources {
            assert_eq!(is_sound("a/a_test.go", source), expected, "{source}");
        }
    }

    #[test]
    fn what_gofmt_writes_is_sound() {
        check(
            &[
                "package a\n",
                "// Copyright\n\n//go:build linux && !(cgo || go1.21)\n\n/* a */ package a // b\n",
                "package a\n\nimport \"fmt\"\n\nimport (\n\t\"os\" // c\n\n\t_ \"x/y\"\n\t. \"z\"\n\tb \"c.d/e\"\n)\n\nfunc {",
                "package a; import (\"os\"; \"io\"); var x = 1 )({",
            ],
            true,
        );
    }

    #[test]
    fn cgo_is_for_code_alone() {
        let source = "package a\n\n// #include <a.h>\nimport \"C\"\n";
        assert!(is_sound("a/a.go", source));
        assert!(!is_sound("a/a_test.go", source));
    }

    #[test]
    fn a_head_that_the_go_command_rejects_is_not() {
        check(
            &[
                "",
                "func main() {}\n",
                "package\n",
                "package a )({\n",
                "package a\nimport fmt\n",
                "package a\nimport \"fmt\" )({\n",
                "package a\nimport (\n\"fmt\" \"os\"\n)\n",
                "package a\nimport (\n\"fmt\"\n",
                "package a\nimport \"\"\n",
                "package a\nimport \"C\"\n",
                "//go:build linux &&\npackage a\n",
                "//go:build a\n//go:build b\npackage a\n",
                "package a\0\n",
            ],
            false,
        );
    }
}
