//! What of a configuration has no effect, because nothing in the repository fits it.
//!
//! A rule for a job that does not exist, a glob with a slip of the pen or a file under
//! another name look as if they worked. Nobody is refused for that, since jobs and
//! directories come and go: whoever reads a plan is told.

use super::{Diagnostic, FILE, fault, parse, spelling};
use crate::engine::globs::{self, Glob};
use crate::engine::tree::{Snapshot, Tree};
use crate::engine::yaml::{self, Node};

/// Names that people give to the configuration, none of which is read.
const OTHER_NAMES: &[&str] = &[
    ".github/.trimtab.yaml",
    ".github/.trimtab.yml",
    ".github/trimtab.yaml",
    ".github/trimtab.yml",
    ".trimtab.yaml",
    "trimtab.yaml",
    "trimtab.yml",
];

/// What of a configuration without faults has no effect on a tree with these jobs, with
/// its places; and files that are taken for one and are none.
pub fn unfit(text: Option<&str>, tree: &Tree, jobs: &[&str]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = OTHER_NAMES
        .iter()
        .filter(|name| tree.find(name).is_some())
        .map(|name| {
            let message =
                format!("this file is not read; the configuration is `{FILE}` at the root");
            whole(name, message)
        })
        .collect();
    found.extend(
        text.map(|text| without_effect(text, tree, jobs))
            .unwrap_or_default(),
    );
    found
}

/// What is wrong with the configuration that a pull brings, and what of it has no effect,
/// said as what it is: the plan of the pull does not rest on that file.
pub fn brought(merge: &Snapshot, jobs: &[&str]) -> Vec<Diagnostic> {
    let tree = &merge.tree;
    let text = merge.text(FILE);
    let mut found = match text.map(parse) {
        Some(Ok(_)) => text
            .map(|text| without_effect(text, tree, jobs))
            .unwrap_or_default(),
        Some(Err(faults)) => faults,
        None if tree.find(FILE).is_some() => {
            vec![whole(
                FILE,
                "it is no file of text that can be read".to_owned(),
            )]
        }
        None => Vec::new(),
    };
    for it in &mut found {
        it.message = format!("after the merge: {}", it.message);
    }
    found
}

/// What is to be said of a whole file.
fn whole(path: &str, message: String) -> Diagnostic {
    Diagnostic {
        path: path.to_owned(),
        line: 0,
        column: 0,
        message,
    }
}

/// The rules and globs of a configuration that fit nothing.
fn without_effect(text: &str, tree: &Tree, jobs: &[&str]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Ok(root) = yaml::parse(FILE, text) else {
        return found;
    };
    let always = root.get("always_full").and_then(Node::items);
    found.extend(missed(always.unwrap_or_default(), tree));
    let rules = root.get("jobs").and_then(Node::entries);
    for rule in rules.unwrap_or_default() {
        let glob = globs::compile_crossing(&Glob::written(&*rule.key));
        let fits =
            |id: &&str| **id == *rule.key || glob.as_ref().is_ok_and(|glob| glob.is_match(id));
        if !jobs.iter().any(fits) {
            found.push(Diagnostic {
                path: FILE.to_owned(),
                line: rule.line,
                column: rule.column,
                message: format!("no job has an id that fits `{}`", rule.key),
            });
        }
        let Some(list) = rule.value.get("inputs") else {
            continue;
        };
        let items = list.items().unwrap_or_default();
        let missed = missed(items, tree);
        if missed.len() < items.len() {
            found.extend(missed);
        } else if !list.is_null() {
            let what = "no file fits these `inputs`, so it is not known what is read";
            found.push(fault(list, what));
        }
    }
    found
}

/// The globs of a list that no file fits.
fn missed(items: &[Node], tree: &Tree) -> Vec<Diagnostic> {
    let misses = |item: &&Node| {
        let globs = item.as_str().and_then(spelling::meant).unwrap_or_default();
        let mut globs = globs.iter();
        globs.all(|glob| globs::fitting(tree, glob).is_empty())
    };
    let shown = |item: &Node| {
        let glob = item.as_str().unwrap_or_default();
        fault(item, &format!("no file fits `{glob}`"))
    };
    items.iter().filter(misses).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::graph::sample;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::{Entry, Mode};

    fn check(text: &str, others: &[&str], expected: &str) {
        let paths = ["d/x", "src/a.py"].iter().chain(others);
        let entries = paths.map(|path| Entry {
            path: (*path).into(),
            mode: Mode::File,
            blob: ObjectId::from_bytes(&[1; 20]).unwrap(),
        });
        let tree = Tree::new(entries.collect());
        let found = unfit(Some(text), &tree, &["test", "call / build"]);
        let shown = found
            .iter()
            .map(|it| format!("{}:{} {}", it.path, it.line, it.message));
        assert_eq!(shown.collect::<Vec<_>>().join("\n"), expected, "{text}");
    }

    #[test]
    fn what_fits_is_not_spoken_of() {
        check("", &[], "");
        check(
            "always_full: [src/]\njobs:\n  te*: {inputs: [./d, /src/**]}\n  call / *: {skip: never}\n",
            &[".trimtab.yml"],
            "",
        );
        check("jobs: {test: {inputs: }}", &[], "");
    }

    #[test]
    fn rules_and_globs_that_fit_nothing_are_told_with_their_lines() {
        check(
            "always_full: [absent/]\njobs:\n  ci/test: {skip: never}\n  test: {inputs: [d, docs/]}\n  call*:\n    inputs: [b/**]\n",
            &[],
            ".trimtab.yml:1 no file fits `absent/`\n\
             .trimtab.yml:3 no job has an id that fits `ci/test`\n\
             .trimtab.yml:4 no file fits `docs/`\n\
             .trimtab.yml:6 no file fits these `inputs`, so it is not known what is read",
        );
        check(
            "jobs: {test: {inputs: []}}",
            &[],
            ".trimtab.yml:1 no file fits these `inputs`, so it is not known what is read",
        );
    }

    #[test]
    fn what_a_pull_brings_is_told_as_what_holds_after_the_merge() {
        let check = |text: &str, expected: &str| {
            let merge = sample::snapshot(&[(FILE, text), ("src/a.py", ""), ("trimtab.yml", "")]);
            let found = brought(&merge, &["test"]);
            let shown = found
                .iter()
                .map(|it| format!("{}:{} {}", it.path, it.line, it.message));
            assert_eq!(shown.collect::<Vec<_>>().join("\n"), expected, "{text}");
        };
        check("jobs: {test: {inputs: [src/]}}", "");
        check(
            "mode: advise\njobs: {tset: {skip: never}}",
            ".trimtab.yml:2 after the merge: no job has an id that fits `tset`",
        );
        check(
            "mod: advise",
            ".trimtab.yml:1 after the merge: the key `mod` is not known; did you mean `mode`?",
        );
        let linked = "-> src/a.py";
        check(
            linked,
            ".trimtab.yml:0 after the merge: it is no file of text that can be read",
        );
        assert_eq!(brought(&sample::snapshot(&[]), &[]), []);
    }

    #[test]
    fn a_configuration_under_another_name_is_told() {
        check(
            "",
            &[".github/trimtab.yml", ".trimtab.yaml"],
            ".github/trimtab.yml:0 this file is not read; the configuration is `.trimtab.yml` at the root\n\
             .trimtab.yaml:0 this file is not read; the configuration is `.trimtab.yml` at the root",
        );
    }
}
