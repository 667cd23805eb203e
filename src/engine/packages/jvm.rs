//! Reads Gradle's and Maven's manifests.
//!
//! A Gradle build is a program: only literal coordinates, project paths and
//! catalogue accessors are found, so that its requirements are never complete.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Declared;

/// What a `build.gradle` or `build.gradle.kts` declares.
pub(super) fn build_gradle(text: &str) -> Declared {
    let mut declared = Declared {
        open: true,
        ..Declared::default()
    };
    for literal in literals(text) {
        let parts: Vec<&str> = literal.split(':').collect();
        match parts.as_slice() {
            [group, name, ..] if group.contains('.') && !name.is_empty() => {
                declared.require(&format!("{group}:{name}"));
            }
            ["", ..] => declared.require(literal),
            _ => {}
        }
    }
    for (start, _) in text.match_indices("libs.") {
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'));
        let accessor = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        declared.require(accessor.trim_end_matches('.'));
    }
    declared
}

/// What a `settings.gradle` or `settings.gradle.kts` declares.
pub(super) fn settings_gradle(text: &str) -> Declared {
    let mut declared = Declared {
        open: true,
        ..Declared::default()
    };
    let after = |line: &str| line.split_once('=').map(|(_, right)| right.to_owned());
    for line in text.lines().map(str::trim) {
        if line.starts_with("rootProject.name") {
            let right = after(line).unwrap_or_default();
            declared.name = literals(&right).next().map(Box::from);
        } else if line.starts_with("include") {
            let paths = literals(line).map(|path| path.trim_start_matches(':').replace(':', "/"));
            declared.members.extend(paths.map(Box::from));
        }
    }
    declared
}

/// What a `pom.xml` declares.
pub(super) fn pom(text: &str) -> Declared {
    let mut declared = Declared::default();
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let (mut group, mut artifact) = (String::new(), String::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                open.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
            }
            Ok(Event::End(_)) => {
                let closed = open.pop();
                if matches!(closed.as_deref(), Some("dependency" | "plugin" | "parent")) {
                    declared.require(&format!("{group}:{artifact}"));
                    group.clear();
                    artifact.clear();
                }
            }
            Ok(Event::Text(words)) => {
                let words = String::from_utf8_lossy(&words).trim().to_owned();
                let path: Vec<&str> = open.iter().map(String::as_str).collect();
                match path.as_slice() {
                    ["project", "artifactId"] => declared.name = Some(words.into()),
                    ["project", .., "module"] => declared.members.push(words.into()),
                    [.., "dependency" | "plugin" | "parent", "groupId"] => group = words,
                    [.., "dependency" | "plugin" | "parent", "artifactId"] => artifact = words,
                    _ => {}
                }
            }
            Ok(Event::Eof) => break,
            Err(_) => return Declared::unreadable(),
            Ok(_) => {}
        }
    }
    declared.open = !open.is_empty();
    declared
}

/// The string literals of a build script, without escapes and interpolation.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = rest.get(start..=start)?;
        let inner = rest.get(start + 1..)?;
        let end = inner.find([quote.chars().next()?, '\n'])?;
        let literal = inner.get(..end)?;
        rest = inner.get(end + 1..)?;
        Some(literal)
    })
}
