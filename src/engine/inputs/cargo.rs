//! What cargo reads: the crates that a command builds, and what governs them.
//!
//! A crate is a unit, which the graph closes. Cargo loads every manifest of a workspace
//! before it builds one member; its own settings count from where it is started, up to
//! the root.
//!
//! Where the words of a command do not say which crates it means, all of the workspace
//! count. No source is read here.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use super::compiled::only_compiles;
use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use super::{Input, OpaqueCause};
use crate::engine::globs::{self, Glob};
use crate::engine::packages::{Ecosystem, Package};
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{dir_of, join};

mod settings;
mod targets;

/// Sub-commands that build the crates they name.
const CARGO_BUILDS: &str = "build b check c test t bench run r doc rustdoc rustc clippy fix nextest llvm-cov \
    tarpaulin hack miri careful install udeps machete shear minimal-versions msrv ndk \
    apk criterion codspeed  package bloat insta all-features \
    zigbuild check-external-types auditable fuzz kani wasi component leptos expand docs-rs tree \
    metadata";

/// Flags that take the next word.
const CARGO_VALUES: &str = "--features -F --target --profile --test --bin --example --bench -j --jobs \
    --target-dir --message-format --color --exclude --config -Z --filter-expr -E \
    --partition --retries --exclude-features --skip --package -p --output-path --timeout \
    --out --feature-powerset --depth --ignore-filename-regex --version --root --git \
    --tag --branch --rev --edition --group-features --version-range";

impl Walk<'_> {
    /// `cargo SUB`: crates as units.
    pub(super) fn cargo(&mut self, call: &Invocation) {
        let mut inner = call.without(1);
        while let Some(word) = inner.words.first().cloned() {
            match word.text.as_ref() {
                "--config" => {
                    if let Some(setting) = inner.words.get(1).cloned() {
                        self.cargo_setting(call, &setting);
                    }
                    drop(inner.words.drain(..2.min(inner.words.len())));
                }
                "-Z" | "--color" => {
                    drop(inner.words.drain(..2.min(inner.words.len())));
                }
                "-C" => {
                    if let Some(dir) = inner.words.get(1).cloned() {
                        inner.place = self.elsewhere(call, &dir);
                    }
                    inner.words.drain(..2.min(inner.words.len()));
                }
                "--version" | "-V" | "--list" => return,
                text if text.starts_with(['+', '-']) => drop(inner.words.remove(0)),
                _ => break,
            }
        }
        let Some(sub) = inner.words.first().cloned() else {
            return;
        };
        if sub.unknown {
            return self.unknown_use(call);
        }
        let texts = inner.texts();
        match sub.text.as_ref() {
            "fmt" => self.cargo_format(&inner),
            "install" if !texts.contains(&"--path") => {}
            "publish" if texts.contains(&"--dry-run") => self.crates(&inner),
            "fetch" | "update" | "generate-lockfile" | "vendor" | "pkgid" | "add" | "remove"
            | "prefetch" | "locate-project" => self.cargo_versions(&inner),
            "clean" | "login" | "search" | "version" | "cache" | "binstall" | "help" => {}
            "sort" | "spellcheck" | "readme" | "rdme" | "sync-readme" | "deadlinks" => {
                self.whole(&inner);
            }
            name if list(CARGO_BUILDS).contains(&name) => self.crates(&inner),
            name if super::table::command("cargo", &[name]).is_some() => self.listed(call, "cargo"),
            name => self.opaque(
                call,
                OpaqueCause::UnknownProgram(format!("cargo {name}").into()),
            ),
        }
    }

    /// What settles versions compares the manifests of all members with the lockfile.
    fn cargo_versions(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &list(CARGO_VALUES), &["--manifest-path"]);
        let Some(dir) = cargo_directory(call, &sorted.reads) else {
            return self.unknown_use(call);
        };
        self.cargo_configuration(call, &dir);
        let root = self.workspace_root(&dir);
        self.exact(
            call,
            vec![below(&root, "Cargo.lock"), below(&dir, "Cargo.lock")],
        );
    }

    /// Formatting needs to know which targets there are, and of no version.
    fn cargo_format(&mut self, call: &Invocation) {
        let dir = call.dir().unwrap_or("").to_owned();
        self.add(
            call,
            Input::Tree {
                dir: dir.as_str().into(),
                extensions: vec!["rs".into()],
            },
        );
        let names = list(
            "rust-toolchain rust-toolchain.toml .cargo/config.toml .cargo/config rustfmt.toml \
             .rustfmt.toml",
        );
        let (mut settings, mut manifests) = (Vec::new(), vec![below(&dir, "**/Cargo.toml")]);
        let mut at = dir.as_str();
        loop {
            settings.extend(names.iter().map(|name| below(at, name)));
            manifests.push(below(at, "Cargo.toml"));
            if at.is_empty() {
                break;
            }
            at = dir_of(at);
        }
        // It looks beside each file.
        settings.push(below(&dir, "**/rustfmt.toml"));
        settings.push(below(&dir, "**/.rustfmt.toml"));
        self.exact(call, settings);
        self.add(call, Input::Shape(manifests));
    }

    fn cargo_configuration(&mut self, call: &Invocation, dir: &str) {
        let names = list(
            "Cargo.toml rust-toolchain rust-toolchain.toml .cargo/config.toml .cargo/config \
            rustfmt.toml .rustfmt.toml clippy.toml .clippy.toml .config/nextest.toml \
            Cross.toml tarpaulin.toml build.rs",
        );
        let mut globs = Vec::new();
        let mut at = dir;
        loop {
            globs.extend(names.iter().map(|name| below(at, name)));
            if at.is_empty() {
                break;
            }
            at = dir_of(at);
        }
        // Cargo loads every member of a workspace before it builds one.
        let root = self.workspace_root(dir);
        globs.push(below(&root, "**/Cargo.toml"));
        globs.extend(self.bare_members(&root).iter().cloned());
        self.cargo_programs(call, dir, &root);
        // Settings count from where it is started, and not from the manifest.
        let mut place = call.dir().filter(|place| *place != dir).unwrap_or_default();
        if !place.is_empty() {
            self.cargo_programs(call, place, &root);
        }
        while !place.is_empty() {
            let names = [".cargo/config.toml", ".cargo/config", "rust-toolchain*"];
            globs.extend(names.map(|name| below(place, name)));
            place = dir_of(place);
        }
        // rustfmt looks beside each file, clippy beside each manifest.
        let nested = list("rustfmt.toml .rustfmt.toml clippy.toml .clippy.toml");
        globs.extend(nested.iter().map(|name| below(dir, &format!("**/{name}"))));
        self.exact(call, globs);
        let faults: Vec<String> = self
            .all_crates()
            .filter(|package| package.fault.is_some() && self.is_loaded(&root, package))
            .filter_map(|package| {
                Some(format!(
                    "{} of {}",
                    package.fault.as_ref()?,
                    package.manifest
                ))
            })
            .collect();
        for fault in faults {
            self.opaque(call, OpaqueCause::Missing(fault.into()));
        }
    }

    /// The directory of the workspace that a directory lies in; itself where there is none.
    fn workspace_root(&self, dir: &str) -> String {
        let above = std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)));
        let is_root = |dir: &&str| {
            self.all_crates()
                .any(|package| package.is_workspace && &*package.dir == *dir)
        };
        above.into_iter().find(is_root).unwrap_or(dir).to_owned()
    }

    /// Directories without a manifest that a pattern of the members of a workspace fits: for
    /// one of them Cargo refuses to load the workspace, unless it is left out
    /// (<https://doc.rust-lang.org/cargo/reference/workspaces.html#the-members-and-exclude-fields>).
    fn bare_members(&self, root: &str) -> Rc<[Glob]> {
        self.context.memo.bare_members(root, || {
            let snapshot = self.context.snapshot;
            let manifest = join(root, "Cargo.toml").unwrap_or_default();
            let text = snapshot.text(&manifest);
            let table = text.and_then(|text| text.parse::<toml::Table>().ok());
            let workspace = table.as_ref().and_then(|table| table.get("workspace"));
            let list = |key: &str| {
                let listed = workspace.and_then(|it| it.get(key)?.as_array());
                listed.into_iter().flatten().filter_map(toml::Value::as_str)
            };
            let patterns = list("members").filter(|it| it.contains(['*', '?', '[']));
            let patterns = patterns.filter_map(|it| globs::compile(&Glob::join(root, it)?).ok());
            let patterns: Vec<_> = patterns.collect();
            let excluded: Vec<_> = list("exclude").filter_map(|it| join(root, it)).collect();
            let is_bare = |dir: &str| {
                let manifest = join(dir, "Cargo.toml").unwrap_or_default();
                patterns.iter().any(|pattern| pattern.is_match(dir))
                    && snapshot.tree.find(&manifest).is_none()
                    && !excluded.iter().any(|out| Path::new(dir).starts_with(out))
            };
            let mut dirs = BTreeSet::new();
            for (_, entry) in snapshot.tree.under(root).filter(|_| !patterns.is_empty()) {
                let mut dir = dir_of(&entry.path);
                while !dir.is_empty() && dirs.insert(dir) {
                    dir = dir_of(dir);
                }
            }
            let bare = dirs.into_iter().filter(|dir| is_bare(dir));
            bare.map(|dir| below(dir, "**")).collect()
        })
    }

    /// Whether a package may be a member of the workspace of this root: by its list,
    /// or because some manifest asks for a package of this name.
    fn is_loaded(&self, root: &str, package: &Package) -> bool {
        if &*package.dir == root {
            return true;
        }
        let (true, Some(workspace)) = (
            self.workspace_root(&package.dir) == root,
            self.all_crates().find(|other| &*other.dir == root),
        ) else {
            return false;
        };
        let is_listed = workspace.members.iter().any(|member| {
            let glob = below(root, member.trim_start_matches("./").trim_end_matches('/'));
            let glob = globs::compile_crossing(&glob);
            glob.is_ok_and(|glob| glob.is_match(&*package.dir))
        });
        let is_required = |name: &str| {
            self.all_crates()
                .any(|other| other.requires.iter().any(|required| &**required == name))
        };
        is_listed || package.name.as_deref().is_some_and(is_required)
    }

    /// The crates that a command builds.
    fn crates(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let own = rest.iter().position(|word| &*word.text == "--");
        let own = rest.get(..own.unwrap_or(rest.len())).unwrap_or_default();
        let paths = ["--manifest-path", "--path"];
        let sorted = arguments(own, &list(CARGO_VALUES), &paths);
        let Some(dir) = cargo_directory(call, &sorted.reads) else {
            return self.unknown_use(call);
        };
        self.cargo_settings(call, own);
        self.cargo_configuration(call, &dir);
        let units = match self.named_crates(own) {
            Some(units) => units,
            None => self.crates_at(&dir, sorted.has(&["--workspace", "--all"])),
        };
        if units.is_empty() {
            let what = format!("a crate in {}/", if dir.is_empty() { "." } else { &dir });
            return self.opaque(call, OpaqueCause::Missing(what.into()));
        }
        let sub = call.words.first().map(|word| &*word.text);
        let compiles = only_compiles(&call.texts());
        let is_lean = leaves_tests_out(&call.texts());
        for unit in units {
            if let Some(globs) = is_lean.then(|| self.code_of(&unit)).flatten() {
                self.compiled(call, globs);
                continue;
            }
            if compiles {
                self.crates_below(call, &unit);
                continue;
            }
            self.entry(
                call,
                vec![below(&unit, "**/*.rs"), below(&unit, "Cargo.toml")],
            );
            if matches!(sub, Some("package" | "publish")) {
                // It packs prose and licences as well, and fails where one is missing.
                self.exact(call, vec![below(&unit, "**")]);
            }
            self.add(call, Input::Unit(unit));
        }
        if matches!(sub, Some("run" | "r")) {
            let more = rest.get(own.len()..).unwrap_or_default().to_vec();
            self.program_arguments(call, &more);
        }
    }

    /// All crates at and below a directory, with their tests: where a workspace has no
    /// package of its own, its members are meant.
    fn crates_below(&mut self, call: &Invocation, dir: &str) {
        let names = list("**/*.rs Cargo.toml");
        self.compiled(call, names.iter().map(|name| below(dir, name)).collect());
        let is_below = |it: &&Package| {
            let rest = it.dir.strip_prefix(dir);
            dir.is_empty() || rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let dirs: Vec<Box<str>> = (self.all_crates().filter(is_below))
            .map(|package| package.dir.clone())
            .chain([dir.into()])
            .collect();
        for dir in dirs {
            self.add(call, Input::Built(dir));
        }
    }

    /// The crates named by `-p`; `None` when none is, or one of them is not known.
    fn named_crates(&self, own: &[Word]) -> Option<Vec<Box<str>>> {
        let mut units = Vec::new();
        let mut words = own.iter();
        while let Some(word) = words.next() {
            let name = match word.text.as_ref() {
                "-p" | "--package" => words.next()?.clone(),
                text => {
                    let short = text.strip_prefix("-p").filter(|name| !name.is_empty());
                    match text.strip_prefix("--package=").or(short) {
                        Some(name) => Word {
                            text: name.into(),
                            ..word.clone()
                        },
                        None => continue,
                    }
                }
            };
            let plain = name.text.split('@').next().filter(|_| !name.unknown)?;
            let mut crates = self.all_crates();
            units.push(
                crates
                    .find(|it| it.name.as_deref() == Some(plain))?
                    .dir
                    .clone(),
            );
        }
        (!units.is_empty()).then_some(units)
    }

    /// The crate at hand; the whole workspace when there is none, when it is asked for,
    /// or when the manifest says which members are the default.
    fn crates_at(&self, dir: &str, whole: bool) -> Vec<Box<str>> {
        let manifest = if dir.is_empty() {
            "Cargo.toml".to_owned()
        } else {
            format!("{dir}/Cargo.toml")
        };
        let owner = self.context.packages.owner_in(&manifest, Ecosystem::Cargo);
        let text = self.context.snapshot.text(&manifest);
        let has_defaults = text.is_none_or(|text| text.contains("default-members"));
        match owner {
            // Without a manifest here, the one above is meant.
            Some(package) if !whole && (*package.dir != *dir || !has_defaults) => {
                vec![package.dir.clone()]
            }
            // A member may ask for the whole workspace that lies above it.
            _ => self
                .all_crates()
                .map(|package| package.dir.clone())
                .collect(),
        }
    }

    fn all_crates(&self) -> impl Iterator<Item = &Package> {
        let list = self.context.packages.list.iter();
        list.filter(|package| package.ecosystem == Ecosystem::Cargo)
    }
}

/// Whether a command compiles libraries and programs alone, without what only tests,
/// benches and examples need.
fn leaves_tests_out(words: &[&str]) -> bool {
    let more = list(
        "--tests --test --benches --bench --examples --example --all-targets --profile \
         -Zrustdoc-scrape-examples -Z",
    );
    let is_more = |word: &&str| {
        let flag = word.split('=').next().unwrap_or_default();
        more.contains(&flag)
    };
    only_compiles(words) && !words.iter().any(is_more)
}

/// The directory of the manifest at hand; `None` when it is not known.
fn cargo_directory(call: &Invocation, told: &[Word]) -> Option<String> {
    let Some(word) = told.first() else {
        return call.dir().map(str::to_owned);
    };
    match locate(&call.place, &word.text) {
        Located::Inside(path) if !word.unknown && path.ends_with(".toml") => {
            Some(dir_of(&path).to_owned())
        }
        Located::Inside(path) if !word.unknown => Some(path.into()),
        _ => None,
    }
}
