//! GitHub's glob dialect for branches, tags and paths.
//!
//! `*` stops at a slash, `**` does not, `?` and `+` repeat the character or class
//! before them. `**/` at the start of a part also matches no directory at all.

/// A longer pattern matches everything: whoever plans then runs more, not less.
const MAX_PATTERN: usize = 2_000;

/// Whether a pattern, without its `!`, matches the whole of a name.
pub fn matches(pattern: &str, name: &str) -> bool {
    if pattern.len() > MAX_PATTERN {
        return true;
    }
    let name: Vec<char> = name.chars().collect();
    // One row for each part of the pattern, from its end: whether the rest of the
    // pattern matches the rest of the name from each position on.
    let mut row: Vec<bool> = vec![false; name.len()];
    row.push(true);
    for part in parts(pattern).iter().rev() {
        row = row_before(part, &name, &row);
    }
    row.first().copied().unwrap_or(false)
}

enum Part {
    /// `*`
    Segment,
    /// `**`
    Anything,
    /// `**/` at the start of a part of the path
    Directories,
    /// One character, so often.
    Char(Class, Times),
}

enum Class {
    One(char),
    Ranges(Vec<(char, char)>),
}

#[derive(PartialEq)]
enum Times {
    Once,
    Optional,
    Repeated,
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    let mut is_at_start = true;
    while let Some(c) = chars.next() {
        let was_at_start = std::mem::replace(&mut is_at_start, c == '/');
        let class = match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                if was_at_start && chars.next_if_eq(&'/').is_some() {
                    parts.push(Part::Directories);
                    is_at_start = true;
                } else {
                    parts.push(Part::Anything);
                }
                continue;
            }
            '*' => {
                parts.push(Part::Segment);
                continue;
            }
            '[' => class(&mut chars),
            '\\' => Class::One(chars.next().unwrap_or('\\')),
            c => Class::One(c),
        };
        let times = match chars.peek() {
            Some('?') => Times::Optional,
            Some('+') => Times::Repeated,
            _ => Times::Once,
        };
        if times != Times::Once {
            chars.next();
        }
        parts.push(Part::Char(class, times));
    }
    parts
}

/// The class after `[`; without its `]` it is the bracket itself and nothing else.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Class {
    let mut rest = chars.clone();
    let mut ranges: Vec<(char, char)> = Vec::new();
    while let Some(c) = rest.next() {
        if c == ']' && !ranges.is_empty() {
            *chars = rest;
            return Class::Ranges(ranges);
        }
        let end = match rest.peek() {
            Some('-') => {
                let mut ahead = rest.clone();
                ahead.next();
                ahead.next_if(|end| *end != ']').inspect(|_| rest = ahead)
            }
            _ => None,
        };
        ranges.push((c, end.unwrap_or(c)));
    }
    Class::One('[')
}

fn row_before(part: &Part, name: &[char], next: &[bool]) -> Vec<bool> {
    let mut row = vec![false; next.len()];
    let at = |row: &[bool], index: usize| row.get(index).copied().unwrap_or(false);
    let mut below_slash = false;
    for index in (0..next.len()).rev() {
        let here = at(next, index);
        let c = name.get(index);
        let value = match part {
            Part::Anything => here || at(&row, index + 1),
            Part::Segment => here || c.is_some_and(|c| *c != '/') && at(&row, index + 1),
            Part::Directories => {
                below_slash |= c == Some(&'/') && at(next, index + 1);
                here || below_slash
            }
            Part::Char(class, times) => {
                let fits = c.is_some_and(|c| class.holds(*c));
                match times {
                    Times::Once => fits && at(next, index + 1),
                    Times::Optional => here || fits && at(next, index + 1),
                    Times::Repeated => fits && (at(next, index + 1) || at(&row, index + 1)),
                }
            }
        };
        if let Some(slot) = row.get_mut(index) {
            *slot = value;
        }
    }
    row
}

impl Class {
    fn holds(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Ranges(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The dialect as one reads it, by trying everything.
    fn tried(pattern: &[char], name: &[char], is_start: bool) -> bool {
        let until = |stop: fn(char) -> bool| name.iter().take_while(|c| !stop(**c)).count();
        match pattern {
            [] => name.is_empty(),
            ['*', '*', '/', rest @ ..] if is_start => {
                let mut below = (0..name.len()).filter(|at| name[*at] == '/');
                tried(rest, name, true) || below.any(|at| tried(rest, &name[at + 1..], true))
            }
            ['*', '*', rest @ ..] => (0..=name.len()).any(|at| tried(rest, &name[at..], false)),
            ['*', rest @ ..] => (0..=until(|c| c == '/')).any(|at| tried(rest, &name[at..], false)),
            [c, '?', rest @ ..] => {
                let after = name.strip_prefix(&[*c]);
                tried(rest, name, *c == '/')
                    || after.is_some_and(|name| tried(rest, name, *c == '/'))
            }
            [c, '+', rest @ ..] => {
                let most = name.iter().take_while(|other| *other == c).count();
                (1..=most).any(|at| tried(rest, &name[at..], *c == '/'))
            }
            [c, rest @ ..] => {
                let after = name.strip_prefix(&[*c]);
                after.is_some_and(|name| tried(rest, name, *c == '/'))
            }
        }
    }

    proptest! {
        #[test]
        fn globs_match_what_trying_everything_matches(
            pattern in "(a|b|/|\\*|\\*\\*|\\*\\*/|a\\?|b\\+|/\\*){0,7}",
            name in "[ab/]{0,8}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = tried(&chars(&pattern), &chars(&name), true);
            prop_assert_eq!(matches(&pattern, &name), expected, "{} on {}", pattern, name);
        }
    }
}
