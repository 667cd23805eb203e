//! One small fault in the text of one file.
//!
//! The edits know just enough of a language to land in code: a comparison turned
//! round, a constant changed, a function that fails at once or is gone, a syntax
//! error. They need not compile; whether a fault is noticed is what is measured.

use crate::random::Random;

/// What the text is written in, as far as the edits care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Python,
    JavaScript,
    Go,
    Rust,
    /// Templates, fixtures, configuration, prose.
    Other,
}

impl Dialect {
    pub(crate) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "py" | "pyi" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Self::JavaScript,
            "go" => Self::Go,
            "rs" => Self::Rust,
            _ => Self::Other,
        }
    }

    /// A statement that ends the program that reaches it.
    pub(crate) fn failure(self) -> &'static str {
        match self {
            Self::Python => "raise RuntimeError('fault')",
            Self::JavaScript => "throw new Error('fault');",
            Self::Go => "panic(\"fault\")",
            Self::Rust => "panic!(\"fault\");",
            Self::Other => "fault",
        }
    }
}

/// The text after the fault, and which line was touched.
pub(crate) type Edited = Option<(String, usize)>;

const COMPARISONS: &[(&str, &str)] = &[
    (" === ", " !== "),
    (" !== ", " === "),
    (" == ", " != "),
    (" != ", " == "),
    (" < ", " >= "),
    (" > ", " <= "),
    (" <= ", " > "),
    (" >= ", " < "),
    (" is None", " is not None"),
    (" not in ", " in "),
    ("if not ", "if "),
    (" && ", " || "),
    (" || ", " && "),
    (" and ", " or "),
];

/// Turns one comparison round.
pub(crate) fn comparison(text: &str, random: &mut Random) -> Edited {
    replace_line(text, random, |line, _| {
        let (from, to) = COMPARISONS.iter().find(|(from, _)| line.contains(from))?;
        Some(line.replacen(from, to, 1))
    })
}

/// Changes one number.
pub(crate) fn number(text: &str, random: &mut Random) -> Edited {
    replace_line(text, random, |line, _| {
        let start = line.find(|letter: char| letter.is_ascii_digit())?;
        let (head, rest) = line.split_at_checked(start)?;
        let bare = head
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let digit = rest.chars().next()?.to_digit(10)?;
        bare.then(|| {
            format!(
                "{head}{}{}",
                (digit + 1) % 10,
                rest.get(1..).unwrap_or_default()
            )
        })
    })
}

/// Changes one string.
pub(crate) fn string(text: &str, random: &mut Random) -> Edited {
    replace_line(text, random, |line, _| {
        let start = line.find(['"', '\''])?;
        let quote = line.get(start..=start)?;
        let rest = line.get(start + 1..)?;
        let end = rest.find(quote).filter(|end| *end > 0)?;
        let (inside, tail) = rest.split_at_checked(end)?;
        Some(format!("{}{inside}Fault{tail}", line.get(..=start)?))
    })
}

/// Makes one function fail as soon as it is called.
pub(crate) fn failure(text: &str, script: Dialect, random: &mut Random) -> Edited {
    let functions = functions(text, script);
    let (start, _) = random.pick(&functions)?;
    let lines: Vec<&str> = text.lines().collect();
    let body = lines
        .get(start + 1..)?
        .iter()
        .find(|line| !line.trim().is_empty())?;
    let indent: String = body
        .chars()
        .take_while(|letter| letter.is_whitespace())
        .collect();
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    changed.insert(start + 1, format!("{indent}{}", script.failure()));
    Some((changed.join("\n") + "\n", start + 2))
}

/// Deletes one function.
pub(crate) fn without_function(text: &str, script: Dialect, random: &mut Random) -> Edited {
    let functions = functions(text, script);
    let (start, end) = random.pick(&functions)?;
    let kept = text
        .lines()
        .enumerate()
        .filter(|(at, _)| at < start || at > end);
    let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
    Some((kept.join("\n") + "\n", start + 1))
}

/// Breaks the syntax at one line.
pub(crate) fn syntax(text: &str, random: &mut Random) -> Edited {
    replace_line(text, random, |line, _| Some(format!("{line} )({{")))
}

/// Alters one line of any text.
pub(crate) fn line(text: &str, random: &mut Random) -> Edited {
    replace_line(text, random, |line, random| {
        let words: Vec<&str> = line.split(' ').collect();
        let word = random.pick(&words)?;
        let middle = word.char_indices().nth(word.chars().count() / 2)?.0;
        let (left, right) = word.split_at_checked(middle)?;
        Some(line.replacen(word, &format!("{left}Fault{right}"), 1))
    })
}

/// Deletes one line of any text.
pub(crate) fn without_line(text: &str, random: &mut Random) -> Edited {
    let places = filled(text);
    let place = *random.pick(&places)?;
    let kept = text.lines().enumerate().filter(|(at, _)| *at != place);
    let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
    Some((kept.join("\n") + "\n", place + 1))
}

/// Tries lines from a random one on, until one can be changed.
fn replace_line(
    text: &str,
    random: &mut Random,
    change: impl Fn(&str, &mut Random) -> Option<String>,
) -> Edited {
    let places = filled(text);
    let first = places
        .iter()
        .position(|place| Some(place) == random.pick(&places))?;
    let order = places.iter().cycle().skip(first).take(places.len());
    for place in order {
        let old = text.lines().nth(*place)?;
        if let Some(new) = change(old, random).filter(|new| new != old) {
            let lines = text.lines().enumerate();
            let lines: Vec<&str> = lines
                .map(|(at, line)| if at == *place { new.as_str() } else { line })
                .collect();
            return Some((lines.join("\n") + "\n", place + 1));
        }
    }
    None
}

/// The lines that hold more than a comment.
fn filled(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .map(|(at, _)| at)
        .collect()
}

/// First and last line of every function that spans lines.
fn functions(text: &str, script: Dialect) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let opens = |line: &str| {
        let bare = line.trim_start();
        match script {
            Dialect::Python => {
                (bare.starts_with("def ") || bare.starts_with("async def ")) && bare.ends_with(':')
            }
            Dialect::JavaScript => {
                bare.ends_with('{') && (bare.contains("function") || bare.contains("=> {"))
            }
            Dialect::Go => bare.starts_with("func ") && bare.ends_with('{'),
            Dialect::Rust => bare.contains("fn ") && bare.ends_with('{'),
            Dialect::Other => false,
        }
    };
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| opens(line)) {
        let after = lines.iter().enumerate().skip(start + 1);
        let mut closing = after.filter(|(_, other)| !other.trim().is_empty());
        let end = closing.find(|(_, other)| depth(other) <= depth(line));
        let end = match (script, end) {
            (Dialect::Python, Some((end, _))) => end - 1,
            (_, Some((end, _))) => end,
            (_, None) => lines.len() - 1,
        };
        if end > start {
            found.push((start, end));
        }
    }
    found
}
