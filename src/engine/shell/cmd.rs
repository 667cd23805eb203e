//! cmd.exe, as far as its lines are plain commands.
//!
//! A line of a program and its words means the same to a POSIX shell, but for the few
//! words that cmd itself knows by the same name. Variables, blocks, pipes, redirections
//! and everything else that is written differently make the script one that is not read.
//! <https://learn.microsoft.com/windows-server/administration/windows-commands/windows-commands>

/// What either shell reads in a way of its own.
const MARKS: &[char] = &[
    '$', '`', '(', ')', '{', '}', '|', ';', '&', '%', '^', '<', '>', '\\', '#', '~', '[', ']', '!',
    '\'', '+', ',',
];

/// First words that mean something else to a POSIX shell, or change what later lines do.
const FOREIGN: &[&str] = &[
    ".", "call", "date", "eval", "exec", "export", "for", "goto", "if", "path", "prompt", "set",
    "setx", "shift", "source", "start", "subst", "time", "unset",
];

/// The POSIX script that runs the same programs, with the same lines; `None` when it
/// cannot be told.
pub fn rewrite(script: &str) -> Option<String> {
    let lines: Option<Vec<String>> = script.lines().map(line).collect();
    lines.map(|lines| lines.join("\n"))
}

fn line(line: &str) -> Option<String> {
    if line.contains(MARKS) || line.contains(super::UNKNOWN_START) {
        return None;
    }
    let line = line.trim();
    let (first, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let rest = rest.trim();
    let name = first.to_ascii_lowercase();
    match name.as_str() {
        // Without a directory it only says where it is.
        "cd" | "chdir" if rest.is_empty() => Some("true".to_owned()),
        // `/d` changes the drive as well.
        "cd" | "chdir" => (!rest.starts_with('/')).then(|| format!("cd {rest}")),
        "type" => Some(format!("cat {rest}")),
        _ if FOREIGN.contains(&name.as_str()) || name.contains('=') => None,
        _ => Some(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    fn check(script: &str, expected: Option<&str>) {
        assert_eq!(rewrite(script).as_deref(), expected, "{script}");
    }

    #[test]
    fn words_that_cmd_knows_by_another_name_are_replaced() {
        check("cd sub\ntype b.txt", Some("cd sub\ncat b.txt"));
        check("cd\nTYPE b.txt", Some("true\ncat b.txt"));
        check("pytest tests", Some("pytest tests"));
    }

    #[test]
    fn what_is_written_differently_is_not_read() {
        for script in [
            "echo %A%",
            "set A=b",
            "cd /d sub",
            "call x.bat",
            "if exist b.txt exit 1",
            "type b.txt | more",
            "A=1 pytest",
            "copy a+b c",
        ] {
            check(script, None);
        }
    }
}
