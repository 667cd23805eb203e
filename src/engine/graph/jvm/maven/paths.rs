//! What a `pom.xml` names by a path: files behind properties, and directories of sources
//! and resources wherever they lie.
//!
//! A property is replaced by what Maven or a `pom.xml` gives it. What stays unknown in
//! front of a path may be any directory that has what follows. A directory is all of it,
//! or what the patterns of its resource fit.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::ancestors;
use super::MAX_DEPTH;
use crate::engine::globs::{Glob, fitting};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// How many values a text with properties may have.
const VALUES: usize = 16;
/// How often properties are replaced in one text.
const ROUNDS: usize = 12;

/// Stands for a property at the head of a text that nobody knows.
const UNKNOWN: char = '\u{1}';

/// The texts of a `pom.xml` that may be paths.
#[derive(Debug, Default)]
pub(super) struct Texts {
    named: BTreeSet<Named>,
    properties: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    text: String,
    /// What of a directory is meant; empty for all.
    pattern: String,
    role: Role,
}

/// What becomes of a directory that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// Its own module and what holds it only tell where they are.
    Told,
    /// A program runs there, as it does in its own module anyway.
    Runs,
    /// Maven or a plugin reads it.
    Read,
}

impl Role {
    fn of(element: &str) -> Self {
        match element {
            "workingDirectory" => Self::Runs,
            "directory" | "sourceDirectory" | "testSourceDirectory" | "scriptSourceDirectory" => {
                Self::Read
            }
            _ => Self::Told,
        }
    }
}

/// Elements that join a directory with patterns.
const SETS: &[&str] = &["resource", "testResource", "fileSet", "fileset"];

impl Texts {
    /// Reads the text of a `pom.xml`, as far as it can be read.
    pub(super) fn read(text: &str) -> Self {
        let mut texts = Self::default();
        let mut reader = Reader::from_str(text);
        let mut path: Vec<String> = Vec::new();
        let (mut value, mut set) = (String::new(), Set::default());
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    texts.attributes(&start);
                    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                    if SETS.contains(&name.as_str()) {
                        set = Set::default();
                    }
                    path.push(name);
                    value.clear();
                }
                Ok(Event::Empty(start)) => texts.attributes(&start),
                Ok(Event::Text(part)) => value.push_str(&String::from_utf8_lossy(&part)),
                Ok(Event::CData(part)) => value.push_str(&String::from_utf8_lossy(&part)),
                Ok(Event::End(_)) => {
                    texts.close(&path, value.trim(), &mut set);
                    path.pop();
                    value.clear();
                }
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
            if path.len() > MAX_DEPTH {
                break;
            }
        }
        texts
    }

    fn attributes(&mut self, start: &BytesStart<'_>) {
        for attribute in start.attributes().flatten() {
            self.name(&String::from_utf8_lossy(&attribute.value), "", Role::Told);
        }
    }

    fn close(&mut self, path: &[String], value: &str, set: &mut Set) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let is_in_set = names.iter().any(|name| SETS.contains(name));
        match names.as_slice() {
            [] | [.., "modules" | "parent", _] => {}
            [.., name] if SETS.contains(name) => set.close(self),
            [.., "directory"] if is_in_set => value.clone_into(&mut set.directory),
            [.., "includes", _] if is_in_set => set.includes.push(value.to_owned()),
            [.., "properties", name] => {
                let values = self.properties.entry((*name).to_owned()).or_default();
                values.push(value.to_owned());
                self.name(value, "", Role::Told);
            }
            [.., "sources", "source"] => self.name(value, "", Role::Read),
            // A version of Java.
            [.., "source"] => {}
            [.., name] => self.name(value, "", Role::of(name)),
        }
    }

    fn name(&mut self, text: &str, pattern: &str, role: Role) {
        let text = text.strip_prefix("file:").unwrap_or(text);
        let text = text.strip_prefix("//").unwrap_or(text);
        let is_path = !text.contains("://")
            && !text.contains(char::is_whitespace)
            && (1..400).contains(&text.len())
            && (role != Role::Told || text.contains(['/', '$']));
        if is_path {
            self.named.insert(Named {
                text: text.to_owned(),
                pattern: pattern.to_owned(),
                role,
            });
        }
    }
}

/// A directory with patterns, in the making.
#[derive(Debug, Default)]
struct Set {
    directory: String,
    includes: Vec<String>,
}

impl Set {
    fn close(&mut self, texts: &mut Texts) {
        if self.includes.is_empty() {
            texts.name(&self.directory, "", Role::Read);
        }
        for include in &self.includes {
            texts.name(&self.directory, include.trim_start_matches('/'), Role::Read);
        }
        *self = Self::default();
    }
}

/// Where a module lies, and what is above it.
pub(super) struct Home<'h> {
    pub(super) dir: &'h str,
    /// The directory of its parent.
    pub(super) parent: Option<&'h str>,
    /// The texts of the module and of its parents, nearest first.
    pub(super) texts: Vec<&'h Texts>,
}

impl Home<'_> {
    /// The files that the module's `pom.xml` and those of its parents name.
    pub(super) fn files(&self, snapshot: &Snapshot) -> BTreeSet<FileId> {
        let mut files = BTreeSet::new();
        let named: BTreeSet<&Named> = self.texts.iter().flat_map(|it| &it.named).collect();
        for named in named {
            for text in self.values(&named.text) {
                self.look_up(snapshot, &text, named, &mut files);
            }
        }
        files
    }

    /// The values of a text, with a mark for a property at its head that stays unknown.
    fn values(&self, text: &str) -> BTreeSet<String> {
        let mut open = vec![text.to_owned()];
        let mut done = BTreeSet::new();
        for _ in 0..ROUNDS {
            let mut next = Vec::new();
            for text in open {
                let Some((before, inner, after)) = property(&text) else {
                    done.insert(text);
                    continue;
                };
                let values = self.property(inner);
                let put = |value: &str| format!("{before}{value}{after}");
                match before {
                    _ if !values.is_empty() => next.extend(values.iter().map(|it| put(it))),
                    "" => next.push(format!("{UNKNOWN}{after}")),
                    before if before.ends_with('/') && after.starts_with('/') => {
                        next.push(put("**"));
                    }
                    before if before.ends_with('/') => next.push(put("**/*")),
                    _ => next.push(put("*")),
                }
            }
            next.truncate(VALUES);
            open = next;
        }
        done
    }

    /// What a property stands for: directories from the root, with a slash before them.
    fn property(&self, name: &str) -> Vec<String> {
        let at = |dir: &str| vec![format!("/{dir}")];
        let name = name.strip_prefix("pom.").unwrap_or(name);
        let name = name.strip_prefix("project.").unwrap_or(name);
        let built = |dir: &str| vec![format!("/{}/{dir}", self.dir)];
        match name {
            "basedir" | "baseUri" => at(self.dir),
            "parent.basedir" => at(self.parent.unwrap_or_else(|| dir_of(self.dir))),
            "build.directory" => built("target"),
            "build.outputDirectory" => built("target/classes"),
            "build.testOutputDirectory" => built("target/test-classes"),
            "build.sourceDirectory" => built("src/main/java"),
            "build.testSourceDirectory" => built("src/test/java"),
            "maven.multiModuleProjectDirectory"
            | "session.executionRootDirectory"
            | "session.topLevelProject.basedir"
            | "session.rootDirectory"
            | "rootDirectory"
            | "session.request.multiModuleProjectDirectory"
            | "session.request.baseDirectory" => {
                ancestors(self.dir).map(|dir| format!("/{dir}")).collect()
            }
            // Outside of the repository.
            "java.home" | "user.home" | "maven.home" | "java.io.tmpdir" => {
                vec!["/..".to_owned()]
            }
            "file.separator" | "/" => vec!["/".to_owned()],
            name if name.starts_with("env.JAVA") || name.starts_with("settings.") => {
                vec!["/..".to_owned()]
            }
            name => {
                let given = self.texts.iter().filter_map(|it| it.properties.get(name));
                given.flatten().take(VALUES).cloned().collect()
            }
        }
    }

    fn look_up(
        &self,
        snapshot: &Snapshot,
        text: &str,
        named: &Named,
        files: &mut BTreeSet<FileId>,
    ) {
        let Some(tail) = text.strip_prefix(UNKNOWN) else {
            // What a property gives begins at the root; what is written, in the module.
            let base = if text.starts_with('/') { "" } else { self.dir };
            self.take(snapshot, base, (text, named), files);
            return;
        };
        if !tail.starts_with('/') || tail.trim_matches('/').is_empty() {
            return;
        }
        // It begins in the module or above it, or else wherever there is such a path.
        if ancestors(self.dir).any(|above| self.take(snapshot, above, (tail, named), files)) {
            return;
        }
        let tail = tail.trim_start_matches("/..").trim_matches('/');
        let ending = format!("/{tail}");
        let alike = snapshot.tree.named(base_name(tail));
        let alike = alike.filter(|(_, entry)| entry.path.ends_with(&ending));
        files.extend(alike.map(|(file, _)| file));
    }

    /// A file, or what is meant of a directory; `false` where there is no such path.
    fn take(
        &self,
        snapshot: &Snapshot,
        base: &str,
        (text, named): (&str, &Named),
        files: &mut BTreeSet<FileId>,
    ) -> bool {
        let (fixed, rest) = fixed(text);
        let Some(path) = join(base, fixed.trim_start_matches('/')) else {
            return false;
        };
        if let Some(file) = snapshot.tree.find(&path) {
            files.insert(file);
            return true;
        }
        if !snapshot.tree.has_dir(&path) {
            return false;
        }
        let is_own = path == self.dir;
        let is_above = ancestors(self.dir).any(|dir| dir == path);
        // The sources of a module are its members already.
        let sources = join(self.dir, "src").unwrap_or_default();
        let is_member = ancestors(&path).any(|dir| dir == sources);
        let below: Vec<&str> = [rest, &named.pattern].into_iter().collect();
        let glob = below.join("/");
        let glob = glob.trim_matches('/');
        let is_read = match named.role {
            Role::Told => !is_above || !rest.is_empty(),
            Role::Runs => !is_own,
            Role::Read => true,
        };
        if !is_read || is_member {
            return true;
        }
        if glob.is_empty() {
            files.extend(snapshot.tree.under(&path).map(|(file, _)| file));
            return true;
        }
        let told = Glob::readings(glob).into_iter();
        let told = told.map(|glob| Glob::below(&path, glob.as_str()));
        for glob in told.flat_map(|glob| [glob.clone(), glob.and_below("**")]) {
            files.extend(fitting(&snapshot.tree, &glob));
        }
        true
    }
}

/// The first property of a text, with what stands before and behind it.
fn property(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (inner, after) = rest.split_once('}')?;
    (!inner.is_empty()).then_some((before, inner.trim(), after))
}

/// The parts of a path that are no glob, and the rest.
fn fixed(text: &str) -> (&str, &str) {
    let Some(at) = text.find(['*', '?', '[', '{', '$']) else {
        return (text, "");
    };
    let head = text.get(..at).unwrap_or_default();
    text.split_at(head.rfind('/').map_or(0, |cut| cut + 1))
}
