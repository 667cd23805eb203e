//! C and C++: includes, by file.
//!
//! A quoted include means the file beside the one that asks, else every file of the
//! tree whose path ends with it, as any of these may be on the include path; so it
//! is with angled ones. What a header declares is defined elsewhere, and only a
//! build system knows where: this graph alone does not bound what a build reads.

use rustc_hash::{FxHashMap, FxHashSet};

use super::scan::literals::Literals;
use super::scan::{Dialect, Kind, Scanner, Token};
use super::{Builder, EdgeKind};
use crate::engine::facts::{Dynamic, Facts, Import, ImportKind, Language, Reach, When};
use crate::engine::tree::{FileId, Tree, base_name, dir_of, join};

/// Reads a source file or a header.
pub fn extract(_path: &str, source: &str) -> Facts {
    let mut facts = Facts::default();
    let mut literals = Literals::default();
    let mut tokens = Scanner::new(Dialect::C, source);
    while let Some(token) = tokens.next() {
        match token.kind {
            Kind::Punct if token.is_first && token.text == "#" => {
                directive(&mut tokens, &mut facts);
            }
            Kind::Text => literals.push(token.text, token.line),
            Kind::Word if token.is_first => test(&tokens, token, &mut facts),
            _ => {}
        }
    }
    literals.finish(&mut facts);
    facts.broken = tokens.is_broken();
    facts
}

/// Adds an edge for every include that is found in the tree.
pub fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let sources: Vec<(FileId, &str, &Facts)> = snapshot
        .tree
        .iter()
        .filter(|(_, entry)| Language::of_path(&entry.path) == Some(Language::C))
        .filter_map(|(file, entry)| Some((file, &*entry.path, snapshot.facts(file)?)))
        .collect();
    let endings = Endings::of(&snapshot.tree, sources.iter().map(|(_, _, facts)| *facts));
    for (file, path, facts) in sources {
        builder.widen_as(file, facts);
        for import in &facts.imports {
            include(builder, &endings, (file, path), import);
        }
    }
}

/// After `#`: an include, an embedded file, or a directive that imports nothing.
fn directive(tokens: &mut Scanner<'_>, facts: &mut Facts) {
    let Some(name) = tokens.next_if(|token| token.kind == Kind::Word && !token.is_first) else {
        return;
    };
    let is_embed = name.text == "embed";
    if !is_embed && !matches!(name.text, "include" | "include_next" | "import") {
        return;
    }
    let rest = tokens.rest_of_line();
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    let between = |open: char, close: char| {
        let inner = rest.strip_prefix(open)?;
        inner.split_once(close).map(|(inner, _)| inner)
    };
    let (specifier, kind) = match (between('"', '"'), between('<', '>')) {
        (Some(quoted), _) => (quoted, ImportKind::IncludeQuoted),
        (None, Some(angled)) => (angled, ImportKind::IncludeAngled),
        (None, None) => {
            facts.dynamic.push(Dynamic {
                when: When::Used,
                reach: Reach::Package,
                what: format!("#{} {}", name.text, rest.trim_end()).into(),
                line: name.line,
            });
            return;
        }
    };
    facts.imports.push(Import {
        specifier: specifier.replace('\\', "/").into(),
        names: Vec::new(),
        kind: if is_embed { ImportKind::Embed } else { kind },
        line: name.line,
    });
}

/// Tests of `GoogleTest`, `Suite.Name`, and of Catch2 and doctest, by their title.
fn test(tokens: &Scanner<'_>, token: Token<'_>, facts: &mut Facts) {
    const SUITES: &[&str] = &["TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P"];
    const TITLES: &[&str] = &[
        "TEST_CASE",
        "SCENARIO",
        "TEST_CASE_METHOD",
        "BOOST_AUTO_TEST_CASE",
    ];
    let mut ahead = tokens.clone();
    let is_suite = SUITES.contains(&token.text);
    let is_title = TITLES.contains(&token.text);
    if !(is_suite || is_title) || !ahead.next().is_some_and(|token| token.is("(")) {
        return;
    }
    let mut names = ahead
        .take_while(|token| !token.is(")"))
        .filter(|token| matches!(token.kind, Kind::Word | Kind::Text))
        .take(2);
    match (names.next(), names.next()) {
        (Some(suite), Some(name)) if is_suite => {
            facts
                .tests
                .push(format!("{}.{}", suite.text, name.text).into());
        }
        (Some(title), _) => facts.tests.push(title.text.into()),
        (None, _) => {}
    }
}

/// Files by base name, of the base names that somebody includes.
struct Endings<'a> {
    files: FxHashMap<&'a str, Vec<(FileId, &'a str)>>,
}

impl<'a> Endings<'a> {
    fn of(tree: &'a Tree, facts: impl Iterator<Item = &'a Facts>) -> Self {
        let imports = facts.flat_map(|facts| &facts.imports);
        let wanted: FxHashSet<&str> = imports.map(|import| base_name(&import.specifier)).collect();
        let mut files: FxHashMap<&str, Vec<(FileId, &str)>> = FxHashMap::default();
        if !wanted.is_empty() {
            for (file, entry) in tree.iter() {
                let name = base_name(&entry.path);
                if wanted.contains(name) {
                    files.entry(name).or_default().push((file, &entry.path));
                }
            }
        }
        Self { files }
    }

    /// Every file whose path ends with what is included.
    fn find(&self, specifier: &str) -> Vec<FileId> {
        let mut wanted = specifier;
        while let Some(rest) = wanted
            .strip_prefix("../")
            .or_else(|| wanted.strip_prefix("./"))
        {
            wanted = rest;
        }
        let ends = |path: &str| {
            path.strip_suffix(wanted)
                .is_some_and(|above| above.is_empty() || above.ends_with('/'))
        };
        let named = self.files.get(base_name(wanted)).into_iter().flatten();
        named
            .filter(|(_, path)| ends(path))
            .map(|(file, _)| *file)
            .collect()
    }
}

fn include(
    builder: &mut Builder<'_>,
    endings: &Endings<'_>,
    (file, path): (FileId, &str),
    import: &Import,
) {
    let is_angled = import.kind == ImportKind::IncludeAngled;
    let kind = if import.kind == ImportKind::Embed {
        EdgeKind::Embed
    } else {
        EdgeKind::Import
    };
    let beside = join(dir_of(path), &import.specifier).filter(|_| !is_angled);
    if let Some(found) = beside.and_then(|path| builder.snapshot.tree.find(&path)) {
        builder.edge(file, found, kind);
        return;
    }
    let found = endings.find(&import.specifier);
    if found.is_empty() && !is_angled {
        builder.unresolved(file, import.specifier.clone());
    }
    for target in found {
        builder.edge(file, target, kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::graph::sample;

    fn check(files: &[(&str, &str)], expected: &str) {
        let snapshot = sample::snapshot(files);
        let graph = sample::graph(&snapshot, &[resolve]);
        assert_eq!(sample::edges(&snapshot, &graph, EdgeKind::Import), expected);
    }

    #[test]
    fn a_quoted_include_means_the_file_beside_first() {
        check(
            &[
                ("a/x.c", "#include \"x.h\"\n#  include \"sub/y.h\""),
                ("a/x.h", ""),
                ("b/x.h", ""),
                ("a/sub/y.h", ""),
            ],
            "a/x.c -> a/sub/y.h\na/x.c -> a/x.h",
        );
    }

    #[test]
    fn an_include_is_found_by_the_end_of_its_path_in_every_place() {
        check(
            &[
                (
                    "src/x.cpp",
                    "#include <lib/y.h>\n#include \"../z.hpp\"\n#include <vector>",
                ),
                ("one/include/lib/y.h", ""),
                ("two/include/lib/y.h", ""),
                ("two/include/otherlib/y.h", ""),
                ("deep/z.hpp", ""),
            ],
            "src/x.cpp -> deep/z.hpp\nsrc/x.cpp -> one/include/lib/y.h\n\
             src/x.cpp -> two/include/lib/y.h",
        );
    }

    #[test]
    fn a_directive_may_be_continued_commented_or_switched_off() {
        check(
            &[
                (
                    "x.c",
                    "/* a */ #include \\\n \"a.h\" // \"no.h\"\n#if 0 // don't\n#include \"b.h\"\n\
                     #endif\n// #include \"c.h\"\nchar *s = R\"(\n#include \"d.h\"\n)\";",
                ),
                ("a.h", ""),
                ("b.h", ""),
                ("c.h", ""),
                ("d.h", ""),
            ],
            "x.c -> a.h\nx.c -> b.h",
        );
    }

    #[test]
    fn an_include_that_a_macro_names_widens_to_its_package() {
        let facts = extract("x.c", "#include CONFIG_H\n#define A \"x/y.txt\"\n");
        assert_eq!(&*facts.dynamic[0].what, "#include CONFIG_H");
        assert_eq!(facts.dynamic[0].reach, Reach::Package);
        assert_eq!(facts.literals.len(), 1);
    }

    #[test]
    fn a_quoted_include_that_is_nowhere_is_unresolved() {
        let snapshot = sample::snapshot(&[("x.c", "#include \"config.h\"\n#include <stdio.h>")]);
        let graph = sample::graph(&snapshot, &[resolve]);
        let found: Vec<&str> = graph.unresolved.iter().map(|one| &*one.specifier).collect();
        assert_eq!(found, ["config.h"]);
    }

    #[test]
    fn tests_are_named_as_their_runner_names_them() {
        let facts = extract(
            "t.cc",
            "TEST_F(Cart, Adds) {}\nTEST_CASE(\"rounds half up\", \"[tax]\") {}\nint TEST;",
        );
        let names: Vec<&str> = facts.tests.iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["Cart.Adds", "rounds half up"]);
    }
}
