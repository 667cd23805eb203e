//! Whether the program of a filter reads or runs more than its operands.
//!
//! `sed` is read command by command, because a single letter makes the difference; the
//! others are searched for words. What is not understood counts as reaching further:
//! never may a program pass because its text is odd.

use crate::engine::inputs::walk::Invocation;
use crate::engine::shell::UNKNOWN_START;

/// Modules of perl that open no files.
const MODULES: &[&str] = &[
    "List::Util",
    "Scalar::Util",
    "POSIX",
    "strict",
    "warnings",
    "utf8",
    "feature",
    "JSON::PP",
    "Data::Dumper",
    "Time::HiRes",
    "MIME::Base64",
];

/// Whether flags bring a program that is not on the command line, or hide one.
pub(super) fn has_hidden(name: &str, call: &Invocation) -> bool {
    let words = call.words.iter().skip(1);
    let mut flags = words
        .map(|word| word.text.as_ref())
        .take_while(|text| *text != "--")
        .filter(|text| text.starts_with('-') && text.len() > 1);
    match name {
        "sed" | "gsed" => flags.any(|flag| {
            if let Some(long) = flag.strip_prefix("--") {
                return long.starts_with("fi");
            }
            let rest = flag.trim_start_matches(['-', 'n', 'E', 'r', 's', 'u', 'z', 'b']);
            rest.starts_with('f') || rest.starts_with('e') && rest.len() > 1
        }),
        "awk" | "gawk" | "mawk" | "nawk" => flags.any(|flag| match flag.strip_prefix("--") {
            Some(long) => ["fil", "inc", "loa", "exe"]
                .iter()
                .any(|it| long.starts_with(it)),
            None => {
                ["-f", "-i", "-l", "-E"]
                    .iter()
                    .any(|it| flag.starts_with(it))
                    || flag.starts_with("-e") && flag.len() > 2
            }
        }),
        "perl" => flags.any(perl_flag_hides),
        "grep" | "egrep" | "fgrep" | "zgrep" | "rg" | "ag" | "ack" | "ugrep" => false,
        _ => flags.any(|flag| match flag.strip_prefix("--") {
            Some(long) => long == "file" || long.contains("from-file") || long.contains("exp-file"),
            None => flag.starts_with("-L") || flag.contains('f'),
        }),
    }
}

fn perl_flag_hides(flag: &str) -> bool {
    if let Some(module) = flag.strip_prefix("-M") {
        let module = module.split('=').next().unwrap_or_default();
        return !MODULES.contains(&module);
    }
    let hides = flag.contains(['I', 'M', 'm', 'x']) && !flag.starts_with("-i.");
    let inner = flag
        .get(1..flag.len().saturating_sub(1))
        .unwrap_or_default();
    hides || flag.len() > 2 && inner.contains(['e', 'E']) && !flag.starts_with("-i.")
}

/// Whether a program says that it reads or runs something.
pub(super) fn reaches(name: &str, words: &[&str], program: &str) -> bool {
    match name {
        "sed" | "gsed" => return !sed_is_plain(program),
        "grep" | "egrep" | "fgrep" | "zgrep" | "rg" | "ag" | "ack" | "ugrep" => return false,
        _ => {}
    }
    let of_its_own = match name {
        "awk" | "gawk" | "mawk" | "nawk" => program.replace("||", "").contains('|'),
        "perl" => has_word(program, "do") || tests_files(program),
        _ => false,
    };
    of_its_own
        || program.starts_with(UNKNOWN_START)
        || words.iter().any(|word| program.contains(word))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|part| part == word)
}

/// `-e "FILE"` in perl: a dash and one letter.
fn tests_files(program: &str) -> bool {
    program.split('-').skip(1).any(|rest| {
        let mut chars = rest.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars
                .next()
                .is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

/// Whether all commands of `sed` are known to stay with its operands.
/// <https://www.gnu.org/software/sed/manual/sed.html#sed-commands-list>
fn sed_is_plain(program: &str) -> bool {
    let mut rest = program;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ";{}".contains(c));
        let Some(after) = sed_addresses(rest) else {
            return false;
        };
        rest = after;
        let mut chars = rest.chars();
        let Some(command) = chars.next() else {
            return true;
        };
        let after = chars.as_str();
        let next = match command {
            '{' => Some(after),
            's' | 'y' => sed_substitution(after),
            'a' | 'i' | 'c' => Some(sed_text(after)),
            'b' | 't' | 'T' | ':' => Some(after.trim_start_matches(|c| !";\n}".contains(c))),
            '#' => Some(after.trim_start_matches(|c| c != '\n')),
            c if "pdDPnNgGhHxqQlFz=".contains(c) => {
                let after = after.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
                Some(after).filter(|it| it.is_empty() || it.starts_with([';', '}', '\n', '#']))
            }
            _ => None,
        };
        match next {
            Some(next) => rest = next,
            None => return false,
        }
    }
}

/// What stands behind the addresses of a command.
fn sed_addresses(mut rest: &str) -> Option<&str> {
    loop {
        rest = rest.trim_start_matches(|c: char| {
            c.is_ascii_digit() || c.is_whitespace() || "$,+~!".contains(c)
        });
        let mut chars = rest.chars();
        match chars.next() {
            Some('/') => rest = sed_section(chars.as_str(), '/')?,
            Some('\\') => {
                let delimiter = chars.next()?;
                rest = sed_section(chars.as_str(), delimiter)?;
            }
            _ => return Some(rest),
        }
        rest = rest.trim_start_matches(['I', 'M']);
    }
}

/// What stands behind the next delimiter that is not escaped.
fn sed_section(text: &str, delimiter: char) -> Option<&str> {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == delimiter {
            return Some(chars.as_str());
        }
        if c == '\\' {
            chars.next();
        }
    }
    None
}

/// What stands behind `s/A/B/FLAGS`, when no flag writes or runs.
fn sed_substitution(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let delimiter = chars.next()?;
    let replacement = sed_section(chars.as_str(), delimiter)?;
    let flags = sed_section(replacement, delimiter)?;
    let after = flags.trim_start_matches(|c: char| c.is_ascii_digit() || "gpiImM ".contains(c));
    Some(after).filter(|it| it.is_empty() || it.starts_with([';', '}', '\n', '#']))
}

/// What stands behind a text that is put in: its lines go on after a backslash.
fn sed_text(text: &str) -> &str {
    sed_section(text, '\n').unwrap_or_default()
}
