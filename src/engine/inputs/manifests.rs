//! The shape of a manifest: what a tool reads of a module that it does not build.
//!
//! Versions and dependencies are left out: they decide for who builds the module.
//! Whatever else is written stays, so that a module that appears, moves or ceases to
//! be one is seen.
//!
//! A manifest that cannot be read has no shape.

use toml::{Table, Value};

use crate::engine::tree::base_name;

/// The text that stands for a manifest; `None` for one that has no shape.
pub(super) fn shape(path: &str, text: &str) -> Option<String> {
    match base_name(path) {
        "pom.xml" => Some(pom(text)),
        "Cargo.toml" => cargo(text),
        _ => None,
    }
}

/// A pom without the text of its `version` elements, and without white space around
/// elements. A text that is no XML any more differs in its marks. The version of a
/// parent, of what is managed (it may be imported) and of what extends Maven stay:
/// Maven looks for these before it chooses modules.
fn pom(text: &str) -> String {
    const KEPT: &[&str] = &[
        "parent",
        "dependencyManagement",
        "extensions",
        "pluginManagement",
    ];
    let extends = text.contains("<extensions>true");
    let mut shape = String::with_capacity(text.len());
    let (mut is_version, mut kept) = (false, 0_u32);
    for part in text.split('<') {
        let (mark, words) = part.split_once('>').unwrap_or((part, ""));
        shape.push('<');
        shape.push_str(mark);
        if KEPT.contains(&mark) {
            kept += 1;
        } else if mark
            .strip_prefix('/')
            .is_some_and(|name| KEPT.contains(&name))
        {
            kept = kept.saturating_sub(1);
        }
        let is_free = kept == 0 && !extends;
        is_version = is_free && (mark == "version" || is_version && mark.starts_with("!--"));
        if !is_version {
            shape.push_str(words.trim());
        }
    }
    shape
}

/// A manifest of Cargo without its version and dependencies but those by path.
fn cargo(text: &str) -> Option<String> {
    let mut table: Table = text.parse().ok()?;
    for key in ["package", "workspace"] {
        if let Some(Value::Table(inner)) = table.get_mut(key) {
            inner.remove("version");
            without_dependencies(inner);
            if let Some(Value::Table(shared)) = inner.get_mut("package") {
                shared.remove("version");
            }
        }
    }
    without_dependencies(&mut table);
    if let Some(Value::Table(targets)) = table.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            if let Value::Table(target) = target {
                without_dependencies(target);
            }
        }
    }
    Some(format!("{table:?}"))
}

fn without_dependencies(table: &mut Table) {
    for key in [
        "dependencies",
        "dev-dependencies",
        "build-dependencies",
        "dev_dependencies",
        "build_dependencies",
    ] {
        if let Some(Value::Table(dependencies)) = table.get_mut(key) {
            dependencies.retain(|_, value| value.get("path").is_some());
            for (_, value) in dependencies.iter_mut() {
                if let Value::Table(value) = value {
                    value.remove("version");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, (one, other): (&str, &str), is_equal: bool) {
        assert_eq!(
            shape(path, one) == shape(path, other),
            is_equal,
            "{one}\n{other}"
        );
    }

    #[test]
    fn a_version_of_a_pom_is_left_out_and_nothing_else() {
        let pom = |version: &str, artifact: &str| {
            format!(
                "<project><artifactId>{artifact}</artifactId>\n<version>{version}</version></project>"
            )
        };
        check("a/pom.xml", (&pom("1", "a"), &pom("2", "a")), true);
        check("a/pom.xml", (&pom("1", "a"), &pom("1", "b")), false);
        check(
            "a/pom.xml",
            (&pom("1", "a"), &pom("1</version><version>2", "a")),
            false,
        );
        check(
            "a/pom.xml",
            ("<a><skip>1</skip></a>", "<a><skip>2</skip></a>"),
            false,
        );
        check(
            "a/pom.xml",
            ("<a><version>1</version></a>", "<a><version>1</a>"),
            false,
        );
        let parent =
            |version: &str| format!("<a><parent><version>{version}</version></parent></a>");
        check("a/pom.xml", (&parent("1"), &parent("2")), false);
        let plugin = |version: &str| {
            format!("<plugin><version>{version}</version><extensions>true</extensions></plugin>")
        };
        check("a/pom.xml", (&plugin("1"), &plugin("2")), false);
    }

    #[test]
    fn a_dependency_of_cargo_counts_only_by_path() {
        let crate_ = |rest: &str| format!("[package]\nname = \"a\"\nversion = \"1.0.0\"\n{rest}");
        let with = crate_("[dependencies]\nserde = \"1\"\n");
        let newer = with.replace("1.0.0", "1.1.0").replace("\"1\"", "\"2\"");
        check("Cargo.toml", (&with, &newer), true);
        let path = crate_("[dependencies]\nb = { path = \"b\", version = \"1\" }\n");
        check("Cargo.toml", (&path, &path.replace("\"1\"", "\"2\"")), true);
        check(
            "Cargo.toml",
            (&path, &path.replace("\"b\"", "\"c\"")),
            false,
        );
        check(
            "Cargo.toml",
            (&with, &crate_("edition = \"2024\"\n")),
            false,
        );
        assert_eq!(shape("Cargo.toml", "[package"), None);
    }
}
