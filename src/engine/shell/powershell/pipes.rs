//! Ends of pipelines of PowerShell that only write to a file, or choose among what came.

use super::{Read, Reader};

impl Reader {
    /// The texts that the command from a position on writes, if it only writes texts.
    pub(super) fn text_from(&self, start: usize) -> Option<String> {
        let said = self.out.get(start..)?.trim();
        let texts = said.strip_prefix("echo ")?;
        (!texts.contains(['>', '\n'])).then(|| texts.to_owned())
    }

    /// Gives texts from a pipe to a command that takes them for names of files.
    pub(super) fn give(&mut self, texts: Option<String>) {
        if let Some(texts) = texts.filter(|_| self.takes_names) {
            self.out.push(' ');
            self.out.push_str(&texts);
            self.out.push(' ');
        }
    }

    /// `| Out-File -FilePath X -Append` is a redirection; `| Where-Object { }` only
    /// chooses among what came.
    pub(super) fn written(&mut self) -> Read<bool> {
        let (at, length) = (self.at, self.out.len());
        self.at += 1;
        self.blanks(true);
        let Some(word) = self.keyword() else {
            self.at = at;
            self.out.truncate(length);
            return Ok(false);
        };
        match word.as_str() {
            "out-file" | "add-content" | "set-content" | "tee-object" => {
                self.at += word.chars().count();
                self.out.truncate(length);
                self.out.push_str(" >> ");
                self.target()?;
            }
            "where-object" | "where" => {
                self.at += word.chars().count();
                self.out.truncate(length);
                self.chosen()?;
                self.out.push_str(" | cat");
            }
            _ => {
                self.at = at;
                self.out.truncate(length);
                return Ok(false);
            }
        }
        self.blanks(false);
        match self.peek() {
            None | Some('\n' | ';' | '}' | ')') => Ok(true),
            Some(_) => Err("a pipeline that goes on".to_owned()),
        }
    }

    /// The file of `Out-File`, without its other flags.
    fn target(&mut self) -> Read<()> {
        let mut any = false;
        loop {
            self.blanks(false);
            match self.peek() {
                None | Some('\n' | ';' | '|' | '}' | ')') => break,
                Some('-') => {
                    let flag = self.keyword().unwrap_or_default();
                    self.at += flag.chars().count();
                    if matches!(flag.as_str(), "-encoding" | "-width" | "-value") {
                        self.blanks(false);
                        let length = self.out.len();
                        self.word()?;
                        self.out.truncate(length);
                    }
                }
                Some(_) if any => return Err("two files to write".to_owned()),
                Some(_) => {
                    self.word()?;
                    any = true;
                }
            }
        }
        if any {
            Ok(())
        } else {
            Err("a file without its name".to_owned())
        }
    }

    /// `{ $_ -NotMatch "x" }`: a block that only compares.
    fn chosen(&mut self) -> Read<()> {
        self.blanks(false);
        if self.peek() != Some('{') {
            return Err("a filter without a block".to_owned());
        }
        let rest = self.chars.get(self.at + 1..).unwrap_or_default();
        let block: String = rest.iter().take_while(|c| **c != '}').collect();
        let is_plain = block.trim_start().starts_with("$_")
            && !block.contains(['{', '|', ';', '&', '`', '\n'])
            && !block.contains("$(");
        if !is_plain {
            return Err("a block that does more than compare".to_owned());
        }
        self.at += block.chars().count() + 2;
        Ok(())
    }
}
