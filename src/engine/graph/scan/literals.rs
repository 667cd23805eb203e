//! String literals that could name a path, collected from one source.
//!
//! A literal is kept as it is written, and again without what is filled in at
//! run time: `data/%s.json` also names `data`. A literal that only climbs
//! (`../..`) names nothing and may reach everything, so it becomes a [`Dynamic`].

use crate::engine::facts::{Dynamic, Facts, Reach, When, could_name_a_path};

/// The literals of one source, in the making.
#[derive(Debug, Default)]
pub struct Literals<'a> {
    kept: Vec<&'a str>,
    climbs: Vec<Dynamic>,
}

impl<'a> Literals<'a> {
    /// Takes a literal, or a word that stands for one, from a line.
    pub fn push(&mut self, text: &'a str, line: u32) {
        if text.len() > 400 {
            return;
        }
        if climbs_far(text) {
            self.climbs.push(Dynamic {
                when: When::Used,
                reach: Reach::Repository,
                what: format!("\"{text}\"").into(),
                line,
            });
            return;
        }
        self.keep(text);
        let below = text.trim_start_matches('/');
        if below.len() < text.len() {
            self.keep(below);
        }
        if let Some(filled) = text.find(['%', '{', '$'])
            && let Some((dir, _)) = text.get(..filled).and_then(|fixed| fixed.rsplit_once('/'))
        {
            self.keep(dir.trim_start_matches('/'));
        }
    }

    /// Puts what was collected into the facts of the source.
    pub fn finish(mut self, facts: &mut Facts) {
        self.kept.sort_unstable();
        self.kept.dedup();
        facts.literals = self.kept.into_iter().map(Into::into).collect();
        facts.dynamic.append(&mut self.climbs);
    }

    fn keep(&mut self, text: &'a str) {
        if could_name_a_path(text) {
            self.kept.push(text);
        }
    }
}

/// Whether a literal is two or more steps up and nothing else.
pub fn climbs_far(text: &str) -> bool {
    let steps = text.trim_matches('/');
    steps.len() >= 5 && steps.split('/').all(|step| step == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&'static str], expected: &[&str]) {
        let mut literals = Literals::default();
        for text in texts {
            literals.push(text, 1);
        }
        let mut facts = Facts::default();
        literals.finish(&mut facts);
        let mut found: Vec<&str> = facts.literals.iter().map(AsRef::as_ref).collect();
        found.extend(facts.dynamic.iter().map(|dynamic| dynamic.what.as_ref()));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_filled_in_leaves_its_directory() {
        check(
            &["data/in/%s.json", "a b", "x"],
            &["data/in", "data/in/%s.json"],
        );
        check(
            &["conf/${name}.yml", "/etc/app"],
            &["/etc/app", "conf", "conf/${name}.yml", "etc/app"],
        );
    }

    #[test]
    fn a_climb_of_two_steps_reaches_the_repository() {
        check(
            &["../..", "../../../", ".."],
            &["\"../..\"", "\"../../../\""],
        );
        check(&["../../go.mod"], &["../../go.mod"]);
    }
}
