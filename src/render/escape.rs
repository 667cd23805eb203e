//! The one way for foreign text into Markdown.
//!
//! Paths, job names, test names, branch names and messages are written by
//! whoever opens a pull. Two shapes come out of here: *words* (plain text in
//! which nothing can act) and *code* (a code span). Neither can mention, link,
//! embed, close a table cell, start a line, or run a quick action.
//!
//! <https://github.github.com/gfm/> and
//! <https://docs.gitlab.com/user/markdown/#gitlab-specific-references>

/// The most characters of one foreign text that are shown.
const LONGEST: usize = 200;

/// Separates what would otherwise act together; it has no width and breaks no line.
const JOINER: char = '\u{2060}';

/// Foreign text as plain words.
pub fn words(text: &str) -> String {
    let clean = clean(text);
    let mut out = String::with_capacity(clean.len() + 8);
    let mut previous = ' ';
    for c in clean.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '{' | '}' => out.extend(['\\', c]),
            // Mentions and references of both forges begin with one of these.
            '@' | '#' | '!' | '~' | '%' | '$' => out.extend([c, JOINER]),
            // `http://` and `www.` become links by themselves.
            '/' if previous == ':' => out.extend([JOINER, c]),
            '.' if previous.eq_ignore_ascii_case(&'w') => out.extend([JOINER, c]),
            c => out.push(c),
        }
        previous = c;
    }
    if out.starts_with(['/', '-', '+', '=', ':', '('])
        || out.starts_with(|c: char| c.is_ascii_digit())
    {
        // At the start of a line these would be a quick action, a list or a heading.
        out.insert(0, JOINER);
    }
    out
}

/// Foreign text as a code span, outside of tables.
pub fn code(text: &str) -> String {
    let clean = clean(text);
    let longest_run = clean.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run + 1);
    // A space is taken off at both ends when there is one at both ends.
    let pad = if clean.is_empty() || clean.starts_with(['`', ' ']) || clean.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{clean}{pad}{fence}")
}

/// Foreign text as a code span inside a table cell, where `|` ends the cell even
/// in code unless it is escaped (<https://github.github.com/gfm/#example-200>).
pub fn cell(text: &str) -> String {
    // A backslash before it would escape the escape.
    let apart = format!("\\{JOINER}|");
    code(text).replace("\\|", &apart).replace('|', "\\|")
}

/// One line without control, bidirectional or invisible characters, bounded.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut count = 0;
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c.is_control() || is_invisible(c) || c == ' ' && out.ends_with(' ') {
            continue;
        }
        if count == LONGEST {
            out.push('…');
            return out;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// Marks that turn the writing direction, have no width, or tag other characters.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_act_is_taken_apart() {
        assert_eq!(
            words("see @team and #12"),
            "see @\u{2060}team and #\u{2060}12"
        );
        assert_eq!(
            words("<!-- x --><img>"),
            "&lt;!\u{2060}-- x --&gt;&lt;img&gt;"
        );
        assert_eq!(words("https://x.example"), "https:\u{2060}//x.example");
        assert_eq!(words("/merge"), "\u{2060}/merge");
        assert_eq!(words("a|b*c_d"), "a\\|b\\*c\\_d");
        assert_eq!(words("a\nb\u{202e}c\u{1b}[31m"), "a bc\\[31m");
    }

    #[test]
    fn a_code_span_is_longer_than_the_ticks_inside() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "`  `");
        assert_eq!(cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(words(&"x".repeat(500)).chars().count(), LONGEST + 1);
    }

    proptest! {
        #[test]
        fn words_never_act(text in any::<String>()) {
            let out = words(&text);
            let chars: Vec<char> = out.chars().collect();
            for pair in chars.windows(2) {
                prop_assert!(!(matches!(pair[0], '@' | '#' | '!' | '~' | '%' | '$') && pair[1] != JOINER), "{out:?}");
            }
            prop_assert!(!out.contains("://") && !out.to_lowercase().contains("www."), "{out:?}");
            prop_assert!(!out.contains(['<', '>', '\n', '\r']), "{out:?}");
            prop_assert!(!out.starts_with(['/', '-', '+', '=']), "{out:?}");
        }

        #[test]
        fn nothing_raw_survives(text in "[\\\\`*_|{}<>&\\[\\]()!a@#./: ]{0,24}") {
            let out = words(&text);
            let chars: Vec<char> = out.chars().collect();
            for (at, c) in chars.iter().enumerate().filter(|(_, c)| "`*_[]|{}".contains(**c)) {
                let before = chars[..at].iter().rev().take_while(|c| **c == '\\').count();
                prop_assert!(before % 2 == 1, "{c} acts in {out:?}");
            }
            for rest in out.split('&').skip(1) {
                let is_entity = ["amp;", "lt;", "gt;"].iter().any(|it| rest.starts_with(it));
                prop_assert!(is_entity, "{out:?}");
            }
        }

        #[test]
        fn cell_cannot_be_left(text in "[\\\\|`a ]{0,24}") {
            let chars: Vec<char> = cell(&text).chars().collect();
            for at in (0..chars.len()).filter(|at| chars[*at] == '|') {
                let before = chars[..at].iter().rev().take_while(|c| **c == '\\').count();
                prop_assert_eq!(before, 1, "{:?}", cell(&text));
            }
        }

        #[test]
        fn code_cannot_be_left(text in any::<String>()) {
            let out = code(&text);
            let fence = out.chars().take_while(|c| *c == '`').count();
            let inner = &out[fence..out.len() - fence];
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() != fence), "{out:?}");
            prop_assert!(!out.contains(['\n', '\r']));
        }
    }
}
