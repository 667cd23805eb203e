//! The shape of a manifest: what a tool reads of a module that it does not build.
//!
//! Only the versions of what the module uses are left out, and its own for Cargo: they
//! decide for who builds it. A version counts as one only when it is plainly valid,
//! because a tool that reads the manifest fails on any other. Every other byte stays.
//!
//! A manifest that cannot be read has no shape.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::engine::packages::{Ecosystem, Packages};
use crate::engine::tree::base_name;

/// Where a manifest of Cargo names what it uses.
const DEPENDENCIES: &[&str] = &[
    "dependencies",
    "dev-dependencies",
    "build-dependencies",
    "dev_dependencies",
    "build_dependencies",
];

/// How many requirements a version may have; Cargo bounds them as well.
const MOST: usize = 8;

/// Whether of a file only that it is there counts: a module of Python, whose name says
/// which imports are the project's own.
pub(super) fn is_only_there(path: &str) -> bool {
    path.ends_with(".py")
}

/// The text that stands for a manifest; `None` for one that has no shape.
pub(super) fn shape(path: &str, text: &str, packages: &Packages) -> Option<String> {
    let mut versions = match base_name(path) {
        "pom.xml" => pom(text, packages)?,
        "Cargo.toml" => cargo(text)?,
        _ => return None,
    };
    versions.sort_by_key(|range| range.start);
    let mut shape = String::with_capacity(text.len());
    let mut at = 0;
    for version in versions {
        shape.push_str(text.get(at..version.start)?);
        shape.push('\0');
        at = version.end;
    }
    shape.push_str(text.get(at..)?);
    Some(shape)
}

/// The versions of what a project uses. Its own and its parent's stay, because Maven
/// looks for parents by them; so do those of what is managed (it may be imported), of
/// plugins (they may extend Maven) and of modules of the build, whose order they decide
/// (<https://maven.apache.org/guides/mini/guide-multiple-modules.html>).
fn pom(text: &str, packages: &Packages) -> Option<Vec<Range<usize>>> {
    let mut versions = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut artifact = "";
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once('<') {
        let end = match tail {
            _ if tail.starts_with("!--") => "-->",
            _ if tail.starts_with("![CDATA[") => "]]>",
            _ if tail.starts_with('?') => "?>",
            _ if tail.starts_with('!') => return None,
            _ => ">",
        };
        let (mark, after) = tail.split_once(end)?;
        rest = after;
        if end != ">" {
            continue;
        }
        let words = after.split('<').next().unwrap_or_default();
        if let Some(name) = mark.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                return None;
            }
        } else if !mark.ends_with('/') {
            open.push(mark.split_whitespace().next()?);
            match *open.as_slice() {
                ["project", "dependencies", "dependency"] => artifact = "",
                ["project", "dependencies", "dependency", "artifactId"] => artifact = words,
                ["project", "dependencies", "dependency", "version"]
                    if is_foreign(artifact, packages) && is_version_of_maven(words) =>
                {
                    let start = text.len() - after.len();
                    versions.push(start..start + words.len());
                }
                _ => {}
            }
        }
    }
    open.is_empty().then_some(versions)
}

/// Whether an artifact is none of the build's own.
fn is_foreign(artifact: &str, packages: &Packages) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let mut modules = packages
        .list
        .iter()
        .filter(|package| package.ecosystem == Ecosystem::Maven);
    !artifact.is_empty()
        && artifact.chars().all(is_word)
        && modules.all(|module| module.name.as_deref().is_some_and(|name| name != artifact))
}

fn is_version_of_maven(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
}

/// The versions of a manifest of Cargo: its own, the shared one, and of dependencies.
fn cargo(text: &str) -> Option<Vec<Range<usize>>> {
    let manifest = DeTable::parse(text).ok()?;
    let manifest = manifest.get_ref();
    let mut own = Vec::new();
    let mut used = Vec::new();
    let workspace = table_of(manifest, "workspace");
    let shared = workspace.and_then(|table| table_of(table, "package"));
    for package in table_of(manifest, "package").into_iter().chain(shared) {
        own.extend(package.get("version"));
    }
    let targets = table_of(manifest, "target").into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
    for users in [manifest].into_iter().chain(workspace).chain(targets) {
        for dependencies in DEPENDENCIES.iter().filter_map(|key| table_of(users, key)) {
            for (_, dependency) in dependencies {
                match dependency.get_ref().as_table() {
                    Some(table) => used.extend(table.get("version")),
                    None => used.push(dependency),
                }
            }
        }
    }
    let own = own.into_iter().filter(|it| is_plain(it, text, is_version));
    let used = used
        .into_iter()
        .filter(|it| is_plain(it, text, is_requirement));
    Some(own.chain(used).map(Spanned::span).collect())
}

fn table_of<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    table.get(key)?.get_ref().as_table()
}

/// Whether a value is valid, and written without escapes: not every reader knows all.
fn is_plain(value: &Spanned<DeValue<'_>>, text: &str, is_valid: fn(&str) -> bool) -> bool {
    let version = value.get_ref().as_str().filter(|text| is_valid(text));
    let written = text.get(value.span());
    version
        .zip(written)
        .is_some_and(|(version, it)| it.len() == version.len() + 2 && it.contains(version))
}

/// Whether a text is plainly a list of requirements on versions
/// (<https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html>).
fn is_requirement(text: &str) -> bool {
    let operators = ["^", "~", ">=", "<=", ">", "<", "="];
    let is_one = |part: &str| {
        let version = operators.iter().find_map(|it| part.strip_prefix(it));
        let version = version.map_or(part, |it| it.strip_prefix(' ').unwrap_or(it));
        let mut numbers = version.split('.');
        is_version(version) || numbers.clone().count() < 3 && numbers.all(is_number)
    };
    let mut parts = text.split(',').enumerate();
    let is_rest = |(at, part): (usize, &str)| match part.strip_prefix(' ') {
        Some(part) if at > 0 => is_one(part),
        _ => at < MOST && is_one(part),
    };
    text == "*" || parts.all(is_rest)
}

/// Whether a text is plainly a whole version, with or without a pre-release.
fn is_version(text: &str) -> bool {
    let (numbers, release) = match text.split_once('-') {
        Some((numbers, release)) => (numbers, Some(release)),
        None => (text, None),
    };
    let is_word = |part: &str| {
        let is_name = part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric());
        is_name || is_number(part)
    };
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && release.is_none_or(|release| release.split('.').all(is_word))
}

fn is_number(text: &str) -> bool {
    (1..10).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, (one, other): (&str, &str), is_equal: bool) {
        let packages = Packages::default();
        let both = [one, other].map(|text| shape(path, text, &packages));
        assert_eq!(both[0] == both[1], is_equal, "{one}\n{other}");
    }

    #[test]
    fn only_a_plain_version_of_what_a_pom_uses_is_left_out() {
        let uses = |version: &str| {
            format!(
                "<project><dependencies><dependency><artifactId>a</artifactId>\
                 <version>{version}</version></dependency></dependencies></project>"
            )
        };
        check("a/pom.xml", (&uses("1.0-jre"), &uses("2")), true);
        for other in ["", " ", "${x}", "[1,", "1<!--", "2</version><version>3"] {
            check("a/pom.xml", (&uses("1"), &uses(other)), false);
        }
        let comment = uses("1").replace("<dependency>", "<!-- <dependency> --><dependency>");
        check(
            "a/pom.xml",
            (&comment, &comment.replace(">1<", ">2<")),
            true,
        );
        let inside = format!("<!-- {} -->", uses("1"));
        check("a/pom.xml", (&inside, &inside.replace(">1<", ">2<")), false);
        assert_eq!(shape("pom.xml", "<project>", &Packages::default()), None);
    }

    #[test]
    fn versions_by_which_maven_loads_projects_stay() {
        let thing = "<artifactId>a</artifactId><version>1</version>";
        for (open, close) in [
            ("", ""),
            ("<parent>", "</parent>"),
            ("<build><plugins><plugin>", "</plugin></plugins></build>"),
            (
                "<dependencyManagement><dependencies><dependency>",
                "</dependency></dependencies></dependencyManagement>",
            ),
        ] {
            let pom = format!("<project>{open}{thing}{close}</project>");
            check("pom.xml", (&pom, &pom.replace(">1<", ">2<")), false);
        }
    }

    #[test]
    fn a_plain_version_of_cargo_is_left_out_and_nothing_else() {
        let text = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nserde = \"1\"\n\
                    b = { path = \"b\", version = \"1\", optional = true }\n";
        let newer = text
            .replace("1.0.0", "1.1.0-rc.1")
            .replace("\"1\"", "\">= 2.1, <3\"");
        check("Cargo.toml", (text, &newer), true);
        for (from, to) in [
            ("\"b\"", "\"c\""),
            (", optional = true", ""),
            ("serde = \"1\"\n", ""),
            ("serde = \"1\"", "serde = 1"),
            ("serde = \"1\"", "serde = { workspace = true }"),
            ("1.0.0", "1.0"),
        ] {
            check("Cargo.toml", (text, &text.replace(from, to)), false);
        }
        assert_eq!(shape("Cargo.toml", "[package", &Packages::default()), None);
    }

    #[test]
    fn a_version_that_cargo_may_not_parse_stays() {
        let with = |version: &str| format!("[workspace.dependencies]\nserde = \"{version}\"\n");
        for good in ["*", "1.2", "=1.2.3", "^0.1.0-alpha.1", ">= 1, < 3"] {
            check("Cargo.toml", (&with("1"), &with(good)), true);
        }
        for bad in [
            "",
            "not a version",
            "1.",
            ".1",
            "01",
            "1.2.3.4",
            "1,",
            "1 2",
            "==1",
            "1.0-x",
            "^*",
            "1.2.3-",
            "1.2.3-01",
            "99999999999999999999",
            "\\u0031",
            " 1",
        ] {
            check("Cargo.toml", (&with("1"), &with(bad)), false);
        }
    }
}
