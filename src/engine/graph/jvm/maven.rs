//! Maven's modules: every directory with a `pom.xml`, and who depends on whom.
//!
//! A dependency on `group:artifact` is a dependency on the module of the tree that
//! has these coordinates. Profiles count, and so does what a parent declares. A
//! coordinate with a property is matched by the part that is written.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Layout, Link, Part, Shared};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

mod paths;

use paths::{Home, Texts};

/// Adds every Maven module of the tree.
pub(super) fn read(snapshot: &Snapshot, layout: &mut Layout) {
    let mut poms: BTreeMap<&str, Pom> = BTreeMap::new();
    for (file, entry) in snapshot.tree.iter() {
        if base_name(&entry.path) == "pom.xml" {
            let text = snapshot.text(&entry.path).unwrap_or_default();
            poms.insert(dir_of(&entry.path), parse(file, text));
        }
    }
    let modules = Modules { poms: &poms };
    for (dir, pom) in &poms {
        layout
            .modules
            .entry((*dir).to_owned())
            .or_insert_with(|| pom.artifact.clone());
        modules.connect(snapshot, layout, dir, pom);
    }
}

/// What one `pom.xml` says.
#[derive(Debug)]
struct Pom {
    file: FileId,
    group: String,
    artifact: String,
    parent: Option<Parent>,
    needs: Vec<Need>,
    texts: Texts,
    is_broken: bool,
}

#[derive(Debug, Default)]
struct Parent {
    group: String,
    artifact: String,
    relative: Option<String>,
}

#[derive(Debug, Default)]
struct Need {
    group: String,
    artifact: String,
    is_for_tests: bool,
    is_of_tests: bool,
}

/// More nested elements than this are not a pom.
const MAX_DEPTH: usize = 64;

/// Reads a `pom.xml`; what cannot be read makes a module that needs all others.
fn parse(file: FileId, text: &str) -> Pom {
    let mut pom = Pom {
        file,
        group: String::new(),
        artifact: String::new(),
        parent: None,
        needs: Vec::new(),
        texts: Texts::read(text),
        is_broken: false,
    };
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                let name = String::from_utf8_lossy(name.as_ref()).into_owned();
                pom.open(&name);
                path.push(name);
                value.clear();
                if path.len() > MAX_DEPTH {
                    break;
                }
            }
            Ok(Event::Text(part)) => {
                value.push_str(&String::from_utf8_lossy(&part));
            }
            Ok(Event::CData(part)) => {
                value.push_str(&String::from_utf8_lossy(&part));
            }
            Ok(Event::End(_)) => {
                pom.close(&path, value.trim());
                path.pop();
                value.clear();
            }
            Ok(Event::Eof) => {
                pom.is_broken |= !path.is_empty() || pom.artifact.is_empty();
                break;
            }
            Ok(_) => {}
            Err(_) => {
                pom.is_broken = true;
                break;
            }
        }
    }
    if pom.group.is_empty() {
        let parent = pom.parent.as_ref();
        pom.group = parent
            .map(|parent| parent.group.clone())
            .unwrap_or_default();
    }
    pom
}

impl Pom {
    fn open(&mut self, name: &str) {
        if matches!(name, "dependency" | "plugin" | "extension") {
            self.needs.push(Need::default());
        }
    }

    fn close(&mut self, path: &[String], value: &str) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let parent = self.parent.get_or_insert_with(Parent::default);
        match names.as_slice() {
            ["project", "groupId"] => value.clone_into(&mut self.group),
            ["project", "artifactId"] => value.clone_into(&mut self.artifact),
            ["project", "parent", "groupId"] => value.clone_into(&mut parent.group),
            ["project", "parent", "artifactId"] => value.clone_into(&mut parent.artifact),
            ["project", "parent", "relativePath"] => parent.relative = Some(value.to_owned()),
            [.., "dependency" | "plugin" | "extension", field] => self.field(field, value),
            _ => {}
        }
    }

    fn field(&mut self, field: &str, value: &str) {
        let Some(need) = self.needs.last_mut() else {
            return;
        };
        match (field, value) {
            ("groupId", group) => group.clone_into(&mut need.group),
            ("artifactId", artifact) => artifact.clone_into(&mut need.artifact),
            ("scope", "test") => need.is_for_tests = true,
            ("type", "test-jar") | ("classifier", "tests" | "test") => need.is_of_tests = true,
            _ => {}
        }
    }
}

struct Modules<'p> {
    poms: &'p BTreeMap<&'p str, Pom>,
}

impl Modules<'_> {
    fn connect(&self, snapshot: &Snapshot, layout: &mut Layout, dir: &str, pom: &Pom) {
        let mut files = vec![pom.file];
        let chain = self.chain(dir, pom);
        for (above, parent) in &chain {
            files.push(parent.file);
            let settings = join(above, ".mvn").unwrap_or_default();
            files.extend(snapshot.tree.under(&settings).map(|(file, _)| file));
        }
        let sources = std::iter::once(pom).chain(chain.iter().map(|(_, parent)| *parent));
        let home = Home {
            dir,
            parent: chain.first().map(|(above, _)| *above),
            texts: sources.map(|source| &source.texts).collect(),
        };
        files.extend(home.files(snapshot));
        for (_, source) in chain.iter().chain([&(dir, pom)]) {
            for need in &source.needs {
                self.need(layout, dir, pom, need);
            }
        }
        let is_broken = pom.is_broken || chain.iter().any(|(_, parent)| parent.is_broken);
        for other in self.poms.keys().filter(|_| is_broken) {
            layout.links.insert(Link {
                from: (dir.to_owned(), Part::Code),
                to: ((*other).to_owned(), Part::Code),
            });
        }
        layout.shared.push(Shared {
            label: format!("maven build ./{dir}"),
            dir: dir.to_owned(),
            files,
            modules: vec![dir.to_owned()],
        });
    }

    /// The parents of a module that lie in the tree, nearest first.
    fn chain(&self, dir: &str, pom: &Pom) -> Vec<(&str, &Pom)> {
        let mut chain: Vec<(&str, &Pom)> = Vec::new();
        let (mut dir, mut pom) = (dir.to_owned(), pom);
        while chain.len() < MAX_DEPTH {
            let Some(parent) = pom
                .parent
                .as_ref()
                .filter(|parent| !parent.artifact.is_empty())
            else {
                break;
            };
            let relative = parent.relative.as_deref().unwrap_or("../pom.xml");
            let place = join(&dir, relative.trim_end_matches("pom.xml"));
            let beside = place.and_then(|place| self.poms.get_key_value(place.as_str()));
            let fits = |pom: &Pom| pom.artifact == parent.artifact;
            let named = || self.poms.iter().find(|(_, pom)| fits(pom));
            let found = beside.filter(|(_, pom)| fits(pom)).or_else(named);
            let Some((above, next)) = found else { break };
            if chain.iter().any(|(seen, _)| seen == above) {
                break;
            }
            chain.push((above, next));
            (dir, pom) = ((*above).to_owned(), next);
        }
        chain
    }

    fn need(&self, layout: &mut Layout, dir: &str, pom: &Pom, need: &Need) {
        let is_open = |text: &str| text.contains("${");
        let fits = |other: &Pom| {
            let group = is_open(&need.group) || need.group.is_empty() || is_open(&other.group);
            let artifact = is_open(&need.artifact) && need.artifact != "${project.artifactId}";
            (artifact || need.artifact == other.artifact) && (group || need.group == other.group)
        };
        let mut is_here = false;
        for (other, _) in self.poms.iter().filter(|(_, other)| fits(other)) {
            is_here = true;
            let part = if need.is_for_tests {
                Part::Tests
            } else {
                Part::Code
            };
            let mut link = |target| {
                layout.links.insert(Link {
                    from: (dir.to_owned(), part),
                    to: ((*other).to_owned(), target),
                });
            };
            link(Part::Code);
            if need.is_of_tests {
                link(Part::Tests);
            }
        }
        if !is_here && !need.artifact.is_empty() {
            let name = format!("{}:{}", need.group, need.artifact);
            layout.externals.insert((pom.file, name));
        }
    }
}
