//! Modules that are named and not imported: in strings, in manifests, and by the programs
//! that they are started as.
//!
//! A name that reads like a module's and is none makes no edge and no fault: most strings
//! with a dot are something else.

use super::super::around::Program;
use super::super::calls::is_dotted;
use super::{Resolver, Site};
use crate::engine::graph::EdgeKind;
use crate::engine::tree::FileId;

impl Resolver<'_, '_, '_> {
    /// A program of the repository, started by name.
    pub(super) fn program(&mut self, site: Site<'_>, name: &str) {
        let Some(programs) = self.programs.get(name) else {
            return;
        };
        let mut modules: Vec<(Box<str>, Box<str>)> = Vec::new();
        for program in programs {
            match program {
                Program::File(file) => self.builder.edge(site.file, *file, EdgeKind::Named),
                Program::Module(dir, module) => modules.push((dir.clone(), module.clone())),
            }
        }
        for (dir, module) in modules {
            self.by_name(site.file, &dir, &module, EdgeKind::Named);
        }
    }

    /// A string that reads like `package.module.attribute` names its module.
    pub(super) fn literal(&mut self, site: Site<'_>, literal: &str) {
        let target = literal
            .rsplit_once('=')
            .map_or(literal, |(_, target)| target);
        let target = target.split(':').next().unwrap_or(target);
        if memchr::memchr(b'.', target.as_bytes()).is_none() || !is_dotted(target) {
            return;
        }
        self.named(site.file, site.path, target, EdgeKind::Named);
    }

    /// The modules that a dotted name means to a manifest in a directory.
    pub(super) fn by_name(&mut self, from: FileId, dir: &str, name: &str, kind: EdgeKind) {
        let path = format!("{dir}/");
        self.named(from, path.trim_start_matches('/'), name, kind);
    }

    /// The longest modules that a dotted name starts with, from near roots if any.
    fn named(&mut self, from: FileId, path: &str, name: &str, kind: EdgeKind) {
        let top = name.split('.').next().unwrap_or_default();
        let parts = name.split('.').count();
        let (mut near, mut far): (Vec<FileId>, Vec<FileId>) = (Vec::new(), Vec::new());
        for root in self.modules.roots_of(top) {
            let Some(walk) = self.modules.walk(root.dir, name) else {
                continue;
            };
            if walk.parts == 1 && !names_attribute(name, parts) {
                continue;
            }
            let is_near = root.scope.is_empty()
                || path
                    .strip_prefix(root.scope)
                    .is_some_and(|rest| rest.starts_with('/'));
            let files = if is_near { &mut near } else { &mut far };
            files.extend(self.modules.files(walk.child));
        }
        for file in if near.is_empty() { far } else { near } {
            self.builder.edge(from, file, kind);
        }
    }
}

/// Whether `module.rest` reads like an attribute rather than a file's name.
fn names_attribute(name: &str, parts: usize) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    parts == 1
        || parts <= 3
            && !matches!(
                last,
                "py" | "pyi"
                    | "txt"
                    | "md"
                    | "rst"
                    | "json"
                    | "toml"
                    | "yml"
                    | "yaml"
                    | "cfg"
                    | "ini"
                    | "html"
                    | "xml"
                    | "csv"
                    | "log"
                    | "sh"
                    | "js"
                    | "css"
                    | "zip"
                    | "gz"
                    | "com"
                    | "org"
                    | "net"
                    | "io"
                    | "db"
                    | "png"
                    | "svg"
            )
}
