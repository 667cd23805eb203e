//! Patterns of make: rules for `build-%`, and `$(NAME:%.c=%.o)`
//! (<https://www.gnu.org/software/make/manual/make.html#Pattern-Rules>).

use std::collections::BTreeMap;

use super::Rule;
use crate::engine::shell::UNKNOWN_START;

/// The pattern rule that makes a goal, with what `%` stands for. Of several the one
/// with the shortest stem counts.
pub(super) fn rule<'g>(targets: &BTreeMap<String, Rule>, goal: &'g str) -> Option<(Rule, &'g str)> {
    let found = targets.iter().filter_map(|(pattern, rule)| {
        let stem = stem(pattern, goal).filter(|stem| !stem.is_empty())?;
        Some((rule, stem))
    });
    let (rule, stem) = found.min_by_key(|(_, stem)| stem.len())?;
    let mut rule = rule.clone();
    for need in &mut rule.needs {
        *need = need.replacen('%', stem, 1);
    }
    Some((rule, stem))
}

/// What `%` of a pattern stands for in a text; `None` where it does not fit.
fn stem<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let (start, end) = pattern.split_once('%')?;
    text.strip_prefix(start)?.strip_suffix(end)
}

/// `NAME:from=to` over the words of a variable; `None` for anything else.
pub(super) fn rewritten(inner: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (name, rule) = inner.split_once(':')?;
    let (from, to) = rule.split_once('=')?;
    if name.contains([' ', '(']) || inner.contains(UNKNOWN_START) {
        return None;
    }
    let value = value(name).filter(|value| !value.contains(UNKNOWN_START))?;
    let words = value.split_whitespace().map(|word| {
        if from.contains('%') {
            let stem = stem(from, word);
            return stem.map_or(word.to_owned(), |stem| to.replacen('%', stem, 1));
        }
        let start = word.strip_suffix(from);
        start.map_or(word.to_owned(), |start| format!("{start}{to}"))
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_stem_wins() {
        let needs = |name: &str| Rule {
            needs: vec![name.to_owned()],
            recipe: Vec::new(),
        };
        let targets = [
            ("test-%".to_owned(), needs("a-%")),
            ("test-ui-%".to_owned(), needs("b-%")),
        ];
        let found = |goal| rule(&targets.clone().into(), goal).map(|(rule, _)| rule.needs.concat());
        assert_eq!(found("test-ui-x").as_deref(), Some("b-x"));
        assert_eq!(found("test-x").as_deref(), Some("a-x"));
        assert_eq!(found("test-"), None);
    }

    #[test]
    fn words_of_a_variable_are_rewritten() {
        let of = |inner| rewritten(inner, |name| (name == "@").then(|| "check-a x".to_owned()));
        assert_eq!(of("@:check-%=%").as_deref(), Some("a x"));
        assert_eq!(of("@:a=b").as_deref(), Some("check-b x"));
        assert_eq!(of("OTHER:a=b"), None);
    }
}
