//! Maven's reactor: which modules a command builds.
//!
//! `--projects` names modules by directory or artifact, `!` leaves some out, and
//! `--also-make` adds what they need with its tests
//! (<https://maven.apache.org/guides/mini/guide-multiple-modules.html>). Maven reads the
//! pom of every module before it chooses, so that the others are inputs too, but for
//! the versions of what they use. A name that is not found means every module.

use std::collections::BTreeSet;

use super::Input;
use super::programs::list;
use super::walk::{Invocation, Walk, below};
use crate::engine::packages::{Ecosystem, Package};
use crate::engine::shell::Place;
use crate::engine::tree::join;

/// Phases that include `verify`, to which checks of formatting are bound.
const LATE: &str = "verify install deploy site integration-test post-integration-test";

/// Plugins that look at every file, prose included.
const WIDE: &str = "apache-rat license-maven com.mycila com.github.hierynomus.license nohttp markdown \
    asciidoc";

impl Walk<'_> {
    /// What the chosen modules below a directory read; the words are Maven's arguments.
    pub(super) fn reactor(&mut self, call: &Invocation, place: &Place) {
        let Place::Inside(dir) = place else {
            return self.unknown_use(call);
        };
        let Some(chosen) = self.chosen_modules(call, dir) else {
            return self.jvm_build(call, place, &["xml", "properties", "config"]);
        };
        if self.has_wide_plugin(call, dir) {
            let extensions = Vec::new();
            let dir = dir.clone();
            self.add(call, Input::Tree { dir, extensions });
        }
        let skips_tests = call
            .texts()
            .iter()
            .any(|text| matches!(*text, "-Dmaven.test.skip" | "-Dmaven.test.skip=true"));
        let sources = if skips_tests { "src/main/**" } else { "src/**" };
        for module in &chosen {
            let globs = [sources, "pom.xml", "*.properties", "*.bnd"];
            self.entry(call, globs.iter().map(|glob| below(module, glob)).collect());
        }
        self.exact(call, vec![below(dir, ".mvn/**")]);
        self.add(call, Input::Shape(vec![below(dir, "**/pom.xml")]));
    }

    /// The directories of the modules that are built; `None` for all.
    fn chosen_modules(&self, call: &Invocation, dir: &str) -> Option<Vec<String>> {
        let told = told_projects(call)?;
        let flags = call.texts();
        let has = |names: &'static str| flags.iter().any(|flag| list(names).contains(flag));
        if has("-amd --also-make-dependents") {
            return None;
        }
        let modules: Vec<&Package> = self.context.packages.list.iter().collect();
        let modules: Vec<&Package> = modules
            .into_iter()
            .filter(|package| package.ecosystem == Ecosystem::Maven)
            .filter(|package| dir.is_empty() || package.dir.starts_with(dir))
            .collect();
        let find = |name: &str| {
            let path = join(dir, name);
            modules.iter().find(|module| match name.rsplit_once(':') {
                Some((_, artifact)) => module.name.as_deref() == Some(artifact),
                None => path.as_deref() == Some(&*module.dir),
            })
        };
        let (without, with): (Vec<&str>, Vec<&str>) = told
            .split(',')
            .map(str::trim)
            .partition(|name| name.starts_with(['!', '-']));
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        for name in &with {
            let name = name.trim_start_matches(['+', '?']);
            chosen.insert(&find(name)?.dir);
        }
        if with.is_empty() {
            chosen.extend(modules.iter().map(|module| &*module.dir));
        }
        for name in without {
            // What is not found is not left out.
            if let Some(module) = find(name.trim_start_matches(['!', '-', '?'])) {
                chosen.remove(&*module.dir);
            }
        }
        if has("-am --also-make") {
            also_make(&mut chosen, &modules);
        }
        Some(chosen.into_iter().map(str::to_owned).collect())
    }

    /// Whether a plugin that runs in this build looks at every file.
    fn has_wide_plugin(&self, call: &Invocation, dir: &str) -> bool {
        let is_late = call
            .texts()
            .iter()
            .any(|goal| list(LATE).contains(goal) || goal.starts_with("spotless:"));
        let mut poms = self.context.snapshot.tree.under(dir);
        poms.any(|(_, entry)| {
            entry.path.ends_with("pom.xml")
                && self.context.snapshot.text(&entry.path).is_none_or(|text| {
                    list(WIDE).iter().any(|word| text.contains(word))
                        || text.contains("spotless") && (is_late || is_bound_early(text))
                })
        })
    }
}

/// The value of `--projects`; `None` when there is none, or it is not known.
fn told_projects(call: &Invocation) -> Option<String> {
    let mut words = call.words.iter();
    let mut told: Option<String> = None;
    while let Some(word) = words.next() {
        let value = match word.text.as_ref() {
            "-pl" | "--projects" => words.next()?.clone(),
            text => match text.strip_prefix("--projects=") {
                Some(value) => {
                    let mut value_word = word.clone();
                    value_word.text = value.into();
                    value_word
                }
                None if word.unknown => return None,
                None => continue,
            },
        };
        if value.unknown || told.is_some() {
            return None;
        }
        told = Some(value.text.into());
    }
    told
}

/// Adds the modules that the chosen ones need.
fn also_make<'p>(chosen: &mut BTreeSet<&'p str>, modules: &[&'p Package]) {
    loop {
        let needs = |module: &&&Package, other: &Package| {
            let name = other.name.as_deref().unwrap_or_default();
            module.requires.iter().any(|needed| {
                needed
                    .rsplit_once(':')
                    .map_or(&**needed, |(_, artifact)| artifact)
                    == name
            })
        };
        let is_needed = |other: &&&'p Package| {
            let mut users = modules
                .iter()
                .filter(|module| chosen.contains(&*module.dir));
            !chosen.contains(&*other.dir) && users.any(|module| needs(&module, other))
        };
        let more: Vec<&'p str> = modules
            .iter()
            .filter(is_needed)
            .map(|it| &*it.dir)
            .collect();
        if more.is_empty() {
            return;
        }
        chosen.extend(more);
    }
}

/// Whether a pom runs the formatter in another phase than its own, which is `verify`.
fn is_bound_early(text: &str) -> bool {
    let sections = text.split("spotless-maven-plugin").skip(1);
    let mut sections = sections.map(|rest| rest.split("</plugin>").next().unwrap_or(rest));
    sections.any(|section| {
        let phases = section.split("<phase>").skip(1);
        let mut phases = phases.filter_map(|rest| rest.split("</phase>").next());
        phases.any(|phase| phase.trim() != "none")
    })
}
