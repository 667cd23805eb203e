//! Takes secrets out of a text.
//!
//! A secret is known by how it begins, and ends where its alphabet ends. Tokens of
//! GitHub have no fixed length any more
//! (<https://github.blog/changelog/label/authentication/>), so none is assumed.
//!
//! Too much may be taken out; too little may not.

use std::borrow::Cow;

/// What stands in a secret's place.
const REDACTED: &str = "[redacted]";

/// How tokens begin. What follows the beginning is the secret.
const TOKENS: &[&str] = &[
    "ghs_",
    "ghu_",
    "ghp_",
    "gho_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glptt-",
    "glcbt-",
    "xoxb-",
    "eyJ",
];

/// Words, in lower case, that a secret follows after a space.
const SCHEMES: &[&str] = &["bearer ", "basic "];

/// The text without tokens, authorization headers and PEM blocks.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((kept, after)) = first_secret(rest) {
        clean.push_str(kept);
        clean.push_str(REDACTED);
        rest = after;
    }
    if clean.is_empty() && rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// The text before the first secret, with how it begins, and the text after it.
fn first_secret(text: &str) -> Option<(&str, &str)> {
    text.char_indices().find_map(|(start, _)| {
        let here = text.get(start..)?;
        let (begins, ends) = secret(here)?;
        Some((text.get(..start + begins)?, here.get(ends..)?))
    })
}

/// Where a secret that begins here begins and ends, counted from here.
fn secret(here: &str) -> Option<(usize, usize)> {
    if here.starts_with("-----BEGIN ") {
        let end = here.find("-----END ").map_or(here.len(), |end| end + 9);
        let tail = here.get(end..).and_then(|tail| tail.find("-----"));
        return Some((0, tail.map_or(here.len(), |tail| end + tail + 5)));
    }
    let token = TOKENS.iter().find(|token| here.starts_with(**token));
    let scheme = || {
        let begins = |scheme: &&&str| {
            here.get(..scheme.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        };
        SCHEMES.iter().find(begins)
    };
    let begins = token.or_else(scheme)?.len();
    let ends = here.get(begins..)?.find(|c| !in_token(c));
    let ends = ends.map_or(here.len(), |ends| begins + ends);
    (ends > begins).then_some((begins, ends))
}

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-+/=~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn tokens_are_taken_out_however_long_they_are() {
        check("a ghs_abc.DEF-1_2 b", "a ghs_[redacted] b");
        check(
            "https://x:gho_a@h/p?t=glpat-b_c",
            "https://x:gho_[redacted]@h/p?t=glpat-[redacted]",
        );
        check(
            "github_pat_11A ghu_x, ghr_y",
            "github_pat_[redacted] ghu_[redacted], ghr_[redacted]",
        );
        check("ghp_", "ghp_");
    }

    #[test]
    fn authorization_headers_are_taken_out() {
        check(
            "Authorization: Bearer a.b-c=",
            "Authorization: Bearer [redacted]",
        );
        check("BASIC dXNlcjpwYXNz end", "BASIC [redacted] end");
        check("eyJhbGciOiJSUzI1NiJ9.e30.sig", "eyJ[redacted]");
    }

    #[test]
    fn pem_blocks_are_taken_out_also_when_they_are_escaped_or_cut() {
        check(
            "k=-----BEGIN A-----\nx\n-----END A----- e",
            "k=[redacted] e",
        );
        check(
            r#""-----BEGIN A-----\nx\n-----END A-----\n""#,
            r#""[redacted]\n""#,
        );
        check("-----BEGIN A-----\nx", "[redacted]");
        check("-----BEGIN A-----\nx-----END A", "[redacted]");
    }

    #[test]
    fn other_text_is_left_alone_except_what_reads_like_a_header() {
        for text in ["", "the pull bears no secret", "ünïcode ghs"] {
            check(text, text);
        }
        check("a bearer of news", "a bearer [redacted] news");
    }

    proptest! {
        #[test]
        fn no_token_survives_wherever_it_stands(before in ".{0,20}", token in "[A-Za-z0-9_.\\-]{1,60}", after in ".{0,20}") {
            let text = format!("{before} ghs_{token} {after}");
            let clean = redact(&text).into_owned();
            let leaked = format!("ghs_{token}");
            prop_assert!(!clean.contains(&leaked));
            prop_assert_eq!(redact(&clean).contains(&leaked), false);
        }
    }
}
