//! PowerShell, as far as it says the same as a POSIX script.
//!
//! A script is rewritten line by line: commands, pipelines, redirections, variables,
//! `if`, `try` and the commands of PowerShell that have a twin (`Set-Location` is `cd`).
//! What is rewritten is then read by the one reader there is, so that every branch and
//! every unknown word is treated alike. A backslash is a slash: paths of Windows.
//!
//! What has no twin (script blocks, loops, functions, methods at the start of a command)
//! is a fault with its line, never a guess. A value that PowerShell computes is unknown.

use super::{UNKNOWN_END, UNKNOWN_START};

mod branches;
mod pipes;
mod words;

/// Where and why a script cannot be rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u32,
    /// The construct, for people.
    pub what: Box<str>,
}

/// The POSIX script that runs the same programs, with the same lines.
pub fn rewrite(script: &str) -> Result<String, Fault> {
    let lower = script.to_lowercase().replace('\\', "/");
    // Where the repository lies on a machine with Windows: a path that is not followed.
    if lower.contains("d:/a/") {
        let what = "a path of the workspace".into();
        return Err(Fault { line: 1, what });
    }
    let mut reader = Reader {
        chars: script.replace("\r\n", "\n").chars().collect(),
        at: 0,
        out: String::new(),
        depth: 0,
        is_cmdlet: false,
        takes_names: false,
    };
    let result = reader.statements(None);
    result.map_err(|what| Fault {
        line: reader.line(),
        what: what.into(),
    })?;
    Ok(reader.out)
}

/// How deep constructs may nest.
const DEPTH: u32 = 16;

/// Commands of PowerShell and the program that reads the same of a repository.
const TWINS: &[(&str, &str)] = &[
    ("write-host", "echo"),
    ("write-output", "echo"),
    ("write-error", "echo"),
    ("write-warning", "echo"),
    ("write-verbose", "echo"),
    ("write-information", "echo"),
    ("set-location", "cd"),
    ("sl", "cd"),
    ("chdir", "cd"),
    ("push-location", "pushd"),
    ("pop-location", "popd"),
    ("get-location", "pwd"),
    ("remove-item", "rm"),
    ("ri", "rm"),
    ("del", "rm"),
    ("erase", "rm"),
    ("rd", "rmdir"),
    ("md", "mkdir"),
    ("copy-item", "cp"),
    ("cpi", "cp"),
    ("copy", "cp"),
    ("xcopy", "cp"),
    ("robocopy", "cp"),
    ("move-item", "mv"),
    ("mi", "mv"),
    ("move", "mv"),
    ("get-content", "cat"),
    ("gc", "cat"),
    ("type", "cat"),
    ("get-childitem", "ls"),
    ("gci", "ls"),
    ("get-item", "ls"),
    ("get-filehash", "cat"),
    ("test-path", "ls"),
    ("expand-archive", "unzip"),
    ("invoke-webrequest", "curl"),
    ("invoke-restmethod", "curl"),
    ("iwr", "curl"),
    ("start-sleep", "sleep"),
    ("get-date", "date"),
    ("get-command", "true"),
    ("get-process", "true"),
    ("stop-process", "true"),
    ("get-service", "true"),
    ("start-service", "true"),
    ("set-service", "true"),
    ("stop-service", "true"),
    ("set-psdebug", "true"),
    ("set-strictmode", "true"),
    ("throw", "exit"),
    ("out-null", "cat"),
    ("out-string", "cat"),
    ("out-host", "cat"),
    ("select-object", "true"),
    ("sort-object", "true"),
    ("measure-object", "true"),
];

/// Programs of POSIX whose names are commands of PowerShell on Windows, and that take
/// names of files from a pipe.
const ALIASES: &[&str] = &["cat", "ls", "dir", "cp", "mv", "rm", "unzip"];

/// Words that begin what is not read.
const FOREIGN: &[&str] = &[
    "foreach",
    "for",
    "while",
    "do",
    "switch",
    "function",
    "filter",
    "param",
    "class",
    "enum",
    "using",
    "begin",
    "process",
    "end",
    "trap",
    "data",
    "workflow",
    "iex",
    "invoke-expression",
    "icm",
    "invoke-command",
    "start-process",
    "start-job",
    "import-module",
    "add-type",
    "new-object",
    "foreach-object",
    "start-threadjob",
    "set-alias",
    "new-alias",
    "elseif",
    "else",
    "catch",
    "finally",
];

type Read<T> = Result<T, String>;

struct Reader {
    chars: Vec<char>,
    at: usize,
    out: String,
    depth: u32,
    /// Whether the command at hand is one of PowerShell, not a program.
    is_cmdlet: bool,
    /// Whether it takes names of files from a pipe.
    takes_names: bool,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    fn peek_at(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    fn line(&self) -> u32 {
        let newlines = self.chars.iter().take(self.at).filter(|c| **c == '\n');
        1 + u32::try_from(newlines.count()).unwrap_or(u32::MAX - 1)
    }

    fn take(&mut self) {
        self.out.extend(self.peek());
        self.at += 1;
    }

    /// Blanks and continued lines; with `lines`, ends of lines and comments too.
    fn blanks(&mut self, lines: bool) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(' ' | '\t'), _) => self.take(),
                (Some('`'), Some('\n')) => {
                    self.at += 2;
                    self.out.push_str("\\\n");
                }
                (Some('<'), Some('#')) => self.block_comment(),
                (Some('#'), _) => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                (Some('\n' | ';'), _) if lines => self.take(),
                _ => return,
            }
        }
    }

    fn block_comment(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' && self.peek_at(1) == Some('>') && self.at > 0 {
                self.at += 2;
                return;
            }
            if c == '\n' {
                self.out.push('\n');
            }
            self.at += 1;
        }
    }

    /// Statements up to a closing character, which stays.
    fn statements(&mut self, close: Option<char>) -> Read<()> {
        if self.depth >= DEPTH {
            return Err("constructs nested too deep".to_owned());
        }
        self.depth += 1;
        let mut any = false;
        loop {
            self.blanks(true);
            match self.peek() {
                c if c == close => break,
                None => return Err("a construct without its end".to_owned()),
                Some(_) if any => self.separate(""),
                Some(_) => {}
            }
            self.statement()?;
            any = true;
        }
        if !any && close.is_some() {
            self.out.push_str(" true");
        }
        self.depth -= 1;
        Ok(())
    }

    /// Ends a command where nothing has ended it yet, and goes on with a word.
    fn separate(&mut self, word: &str) {
        let so_far = self.out.trim_end_matches([' ', '\t']);
        if !so_far.ends_with([';', '\n']) {
            self.out.push(';');
        }
        self.out.push(' ');
        self.out.push_str(word);
    }

    fn statement(&mut self) -> Read<()> {
        match self.keyword().as_deref() {
            Some("if") => return self.condition(),
            Some("try") => return self.attempt(),
            _ => {}
        }
        if self.peek() == Some('$') && self.assignment()? {
            return Ok(());
        }
        self.pipeline()
    }

    /// The bare word that begins here, in lower case.
    fn keyword(&self) -> Option<String> {
        let rest = self.chars.get(self.at..)?;
        let word: String = rest
            .iter()
            .take_while(|c| c.is_alphanumeric() || **c == '-' || **c == '_')
            .collect();
        (!word.is_empty()).then(|| word.to_lowercase())
    }

    /// `$NAME = value` and `$env:NAME = value`; `false` where none begins.
    fn assignment(&mut self) -> Read<bool> {
        let start = self.at;
        self.at += 1;
        let (name, is_plain) = self.name();
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let append = self.peek() == Some('+');
        self.at += usize::from(append);
        if !is_plain || self.peek() != Some('=') || self.peek_at(1) == Some('=') {
            self.at = start;
            return Ok(false);
        }
        self.at += 1;
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        self.out.push_str(&name);
        self.out.push_str(if append { "+=" } else { "=" });
        self.assigned()?;
        Ok(true)
    }

    /// One literal or variable is a value; a command gives one that nobody knows.
    fn assigned(&mut self) -> Read<()> {
        let start = self.out.len();
        let is_value = self
            .peek()
            .is_some_and(|c| matches!(c, '\'' | '"' | '$') || c.is_ascii_digit());
        if is_value {
            self.word()?;
            let spaces = self.chars.get(self.at..).unwrap_or_default();
            let next = spaces.iter().find(|c| !matches!(c, ' ' | '\t'));
            if matches!(next, None | Some('\n' | ';' | '}' | '#')) {
                return Ok(());
            }
            // An operator follows: the whole value is computed.
            if !matches!(next, Some('+' | '-')) {
                return Err("a computed value".to_owned());
            }
            self.out.truncate(start);
            while self.peek().is_some_and(|c| !matches!(c, '\n' | ';' | '}')) {
                if self.peek() == Some('(') {
                    return Err("a computed value".to_owned());
                }
                self.at += 1;
            }
            self.out.push_str(&unknown("value"));
            return Ok(());
        }
        if !self.peek().is_some_and(char::is_alphabetic) && self.peek() != Some('&') {
            return Err("a computed value".to_owned());
        }
        self.out.push_str("\"$(");
        self.pipeline()?;
        self.out.push(')');
        self.out.push_str(&unknown("value"));
        self.out.push('"');
        Ok(())
    }

    /// Commands joined by `|`, `&&` and `||`, up to the end of the statement.
    fn pipeline(&mut self) -> Read<()> {
        let mut given = None;
        loop {
            let start = self.out.len();
            self.command()?;
            self.blanks(false);
            self.give(given.take());
            match (self.peek(), self.peek_at(1)) {
                (Some('|'), Some('|')) | (Some('&'), Some('&')) => {
                    self.take();
                    self.take();
                }
                (Some('|'), _) => {
                    if self.written()? {
                        continue;
                    }
                    given = self.text_from(start);
                    self.take();
                }
                (Some('\n' | ';'), _) => {
                    self.take();
                    return Ok(());
                }
                (None | Some('}' | ')'), _) => return Ok(()),
                (Some(c), _) => return Err(format!("unexpected `{c}`")),
            }
            self.blanks(true);
        }
    }

    fn command(&mut self) -> Read<()> {
        self.is_cmdlet = false;
        self.takes_names = false;
        self.blanks(false);
        match self.peek() {
            None | Some('\n' | ';' | '}' | ')') => return Ok(()),
            Some('&') if self.peek_at(1) != Some('&') => {
                self.at += 1;
                self.blanks(false);
                self.program()?;
            }
            Some('"' | '\'') => {
                self.out.push_str("echo ");
                self.word()?;
            }
            Some('.') if matches!(self.peek_at(1), Some(' ')) => {
                return Err("a script that is taken in".to_owned());
            }
            Some(c)
                if c.is_alphanumeric()
                    || matches!(c, '.' | '/' | '\\' | '~' | UNKNOWN_START | '_') =>
            {
                self.program()?;
            }
            Some('$') => {
                self.out.push_str("echo ");
                self.word()?;
                self.blanks(false);
                if !matches!(self.peek(), None | Some('\n' | ';' | '|' | '}' | ')' | '>')) {
                    return Err("a computed value".to_owned());
                }
            }
            Some(c) => return Err(format!("a command that begins with `{c}`")),
        }
        self.arguments()
    }

    /// The name of a program, without an ending that Windows needs.
    fn program(&mut self) -> Read<()> {
        let start = self.out.len();
        self.word()?;
        let name = self.out.split_off(start);
        let lower = name.to_lowercase();
        if FOREIGN.contains(&lower.as_str()) {
            return Err(format!("`{name}`"));
        }
        let twin = TWINS.iter().find(|(own, _)| *own == lower);
        let plain_twin = twin.map_or(lower.as_str(), |(_, twin)| twin);
        self.is_cmdlet = twin.is_some() || ALIASES.contains(&lower.as_str());
        self.takes_names = !lower.starts_with("out-") && ALIASES.contains(&plain_twin);
        let plain = [".bat", ".cmd", ".exe"];
        let plain = plain.iter().find_map(|end| {
            lower
                .ends_with(end)
                .then(|| name.get(..name.len() - end.len()))?
        });
        self.out
            .push_str(twin.map_or(plain.unwrap_or(&name), |(_, twin)| twin));
        Ok(())
    }

    fn arguments(&mut self) -> Read<()> {
        loop {
            self.blanks(false);
            match (self.peek(), self.peek_at(1)) {
                (None | Some('\n' | ';' | '|' | '}' | ')'), _) | (Some('&'), Some('&')) => {
                    return Ok(());
                }
                (Some('>'), _) => self.redirect(),
                (Some('1' | '2' | '*'), Some('>')) => {
                    self.at += 1;
                    self.redirect();
                }
                (Some('{' | '<' | '&'), _) => {
                    return Err("a block as an argument".to_owned());
                }
                (Some('@'), Some('(' | '{' | '"' | '\'')) => {
                    return Err("a list as an argument".to_owned());
                }
                _ => self.argument()?,
            }
            self.out.push(' ');
        }
    }

    /// `>`, `>>`, `2>&1`: what is read is the same whatever goes where.
    fn redirect(&mut self) {
        while self.peek() == Some('>') {
            self.take();
        }
        if self.peek() == Some('&') {
            self.take();
            self.take();
            self.out.push(' ');
        }
    }

    fn argument(&mut self) -> Read<()> {
        let is_flag = self.peek() == Some('-');
        let start = self.out.len();
        self.word()?;
        let word = self.out.get(start..).unwrap_or_default();
        if word == "--%" {
            return Err("arguments that are not read".to_owned());
        }
        if self.is_cmdlet {
            // `-Path:FILE`, and lists: `A,B`.
            let apart = words::apart(word, is_flag);
            self.out.truncate(start);
            self.out.push_str(&apart);
        } else if is_flag && word.contains("${") {
            // A flag with a variable in it is not expanded in every case.
            self.out.push_str(&unknown("flag"));
        }
        Ok(())
    }
}

/// A part of a word that only the run can tell.
fn unknown(what: &str) -> String {
    format!("{UNKNOWN_START}{what}{UNKNOWN_END}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(script: &str) -> String {
        let found = rewrite(script).unwrap();
        let lines: Vec<String> = found
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.join("\n").replace(" ;", ";")
    }

    fn check(script: &str, expected: &str) {
        assert_eq!(plain(script), expected, "{script}");
    }

    fn check_fault(script: &str, expected: &str) {
        let fault = rewrite(script).unwrap_err();
        assert_eq!(
            format!("{}: {}", fault.line, fault.what),
            expected,
            "{script}"
        );
    }

    #[test]
    fn commands_keep_their_words() {
        check(
            "cargo test --all; npm run 'a b'",
            "cargo test --all; npm run 'a b'",
        );
        check(
            "cd test_suite && cargo test -- --skip ui",
            "cd test_suite && cargo test -- --skip ui",
        );
        check(
            "cargo build --features rc,alloc",
            "cargo build --features rc,alloc",
        );
        check(".\\gradlew.bat check", "./gradlew check");
        check("& \"tools/x.exe\" a", "\"tools/x.exe\" a");
        check("cargo build `\n  --all", "cargo build \\\n--all");
    }

    #[test]
    fn variables_of_the_environment_keep_their_name() {
        check(
            "echo \"A=$env:B\" >> $env:Github_Env",
            "echo \"A=${B}\" >> ${GITHUB_ENV}",
        );
        check("$env:A = 'b'\necho $Env:A", "A='b'\necho ${A}");
        check("$Dir = \"x\"; ls $dir/y", "ps_dir=\"x\"; ls ${ps_dir}/y");
        check(
            "echo \"A=b\" | Out-File -FilePath $env:GITHUB_ENV -Encoding utf8 -Append",
            "echo \"A=b\" >> ${GITHUB_ENV}",
        );
    }

    #[test]
    fn a_computed_value_is_unknown() {
        assert!(plain("$x = $y + 'a'").contains(UNKNOWN_START));
        assert!(plain("$x = go list ./...").contains("$(go list ./..."));
        assert!(plain("echo (Get-Item a).FullName").contains("$(ls a"));
        assert!(plain("echo $x.Length").contains(UNKNOWN_START));
        assert!(plain("cmd --flag=$x").contains(UNKNOWN_START));
    }

    #[test]
    fn every_branch_is_kept() {
        check(
            "if ($IsWindows -and (Test-Path 'a b')) {\n  pytest\n} else { tox }",
            "if true && echo ${ps_iswindows} && ls 'a b'; then\npytest\nelse tox; fi",
        );
        check(
            "try { pytest } catch { exit 1 }",
            "if true; then pytest; fi; if true; then exit 1; fi",
        );
        check(
            "$t = go list ./... | Where-Object { $_ -NotMatch \"(a|b)\" }"
                .replace("|b", "b")
                .as_str(),
            &format!("ps_t=\"$(go list ./... | cat){}\"", unknown("value")),
        );
    }

    #[test]
    fn what_has_no_twin_is_a_fault_with_its_line() {
        check_fault("pytest\nforeach ($x in 1,2) { y }", "2: `foreach`");
        check_fault("a | ForEach-Object { rm $_ }", "1: `ForEach-Object`");
        check_fault(
            "[IO.File]::ReadAllText('x')",
            "1: a command that begins with `[`",
        );
        check_fault("$x.Run()", "1: a method");
        check_fault("if (frob x) { y }", "1: `frob` in a condition");
        check_fault(
            "if ([IO.File]::Exists('x')) { y }",
            "1: a type in a condition",
        );
        check_fault("iex $x", "1: `iex`");
        check_fault(". ./x.ps1", "1: a script that is taken in");
        check_fault("x --% $y", "1: arguments that are not read");
        check_fault("cat D:\\a\\r\\r\\x", "1: a path of the workspace");
        check_fault("echo 'a", "1: a text without its end");
        check_fault("if ($a) {", "1: a construct without its end");
    }
}
