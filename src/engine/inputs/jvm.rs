//! Gradle and Maven: all modules of the build.

use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::globs::Glob;
use crate::engine::packages::{Ecosystem, Package};
use crate::engine::shell::{Place, Word};
use crate::engine::tree::{base_name, dir_of, join};

/// Parts of names of Gradle tasks that build, test or check; in lower case.
const TASKS: &str = "build test check assemble compile classes jar javadoc clean dependencies tasks help \
    projects properties integration jacoco kover detekt ktlint lint spotless pmd spotbugs connected \
    bundle install run all verify unit functional dokka apicheck binarycompat wrapper publishtomavenlocal \
    android jvm ios macos linux disttar distzip format animalsniffer errorprone nullaway jmh stage smoke \
    e2e asciidoctor antora japicmp";

/// Phases and the starts of goals of Maven that build, test or check.
const GOALS: &str = "clean validate initialize compile test package verify integration-test install site \
    generate- process- prepare- pre- post- dependency: surefire: failsafe: jacoco: compiler: javadoc: source: \
    wrapper: versions: org.codehaus.mojo:versions- spotless: checkstyle: pmd: spotbugs: animal-sniffer: enforcer: jar: license: \
    apache-rat: fmt: formatter: artifact: japicmp: revapi: flatten: help: build-helper: native: \
    com.spotify.fmt org.apache.maven.plugins:maven- org.jacoco:";

impl Walk<'_> {
    /// `gradle TASKS`: all modules of the build.
    pub(super) fn gradle(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let values = list(
            "-x --exclude-task --tests -P -D --console --max-workers --warning-mode -g \
             --gradle-user-home -I --init-script --project-cache-dir",
        );
        let paths = list("-p --project-dir -b --build-file -c --settings-file --include-build");
        let sorted = arguments(rest, &values, &paths);
        for word in &sorted.operands {
            self.gradle_task(call, word);
        }
        let place = match sorted.reads.first() {
            Some(dir) if !dir.text.ends_with(".gradle") && !dir.text.ends_with(".kts") => {
                self.elsewhere(call, dir)
            }
            _ => call.place.clone(),
        };
        self.jvm_build(call, &place, &list("gradle kts properties toml lockfile"));
        if let Place::Inside(dir) = &place {
            self.whole_build(call, dir);
        }
    }

    /// Gradle configures all projects of a build before it runs a task of one
    /// (<https://docs.gradle.org/current/userguide/build_lifecycle.html>), and a project
    /// needs what its scripts name.
    fn whole_build(&mut self, call: &Invocation, dir: &str) {
        let list = self.context.packages.list.iter();
        let is_inside = |it: &&Package| {
            let rest = it.dir.strip_prefix(dir);
            let is_below = rest.is_some_and(|it| it.is_empty() || it.starts_with('/'));
            it.ecosystem == Ecosystem::Gradle && (dir.is_empty() || is_below)
        };
        let units: Vec<Box<str>> = list.filter(is_inside).map(|it| it.dir.clone()).collect();
        for unit in units {
            self.add(call, Input::Unit(unit));
        }
        let mut above =
            std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)));
        let is_root = |at: &&str| {
            let mut names = ["settings.gradle", "settings.gradle.kts"].iter();
            names.any(|name| join(at, name).is_some_and(|path| self.has_file(&path)))
        };
        let Some(root) = above.find(is_root) else {
            return;
        };
        let names = [
            "*.gradle",
            "*.gradle.kts",
            "gradle.properties",
            "*.versions.toml",
        ];
        let scripts = names.iter().map(|name| below(root, &format!("**/{name}")));
        self.exact(call, scripts.collect());
        self.named_from_root(call, dir, root);
    }

    /// Files and directories that the scripts of some projects name from the root.
    fn named_from_root(&mut self, call: &Invocation, dir: &str, root: &str) {
        const ROOTS: &[&str] = &["rootProject.projectDir", "rootDir", "rootProject.rootDir"];
        let tree = &self.context.snapshot.tree;
        let inside = tree.under(dir).chain(tree.in_dir(root));
        let scripts = inside.map(|(_, entry)| &*entry.path);
        let is_script = |path: &&str| path.ends_with(".gradle") || path.ends_with(".gradle.kts");
        let scripts: Vec<&str> = scripts.filter(is_script).collect();
        let mut globs = Vec::new();
        for script in scripts {
            let text = self.text(script).unwrap_or_default();
            let tails = ROOTS.iter().flat_map(|root| text.split(root).skip(1));
            for tail in tails {
                let tail = tail.trim_start_matches('}');
                let Some(tail) = tail.strip_prefix('/') else {
                    continue;
                };
                let end = tail.find(|c: char| "\"'$)".contains(c) || c.is_whitespace());
                let name = tail.get(..end.unwrap_or(tail.len())).unwrap_or_default();
                let Some(path) = join(root, name).filter(|path| !path.is_empty()) else {
                    continue;
                };
                globs.extend([Glob::path(&path), below(&path, "**")]);
            }
        }
        if !globs.is_empty() {
            self.entry(call, globs);
        }
    }

    fn gradle_task(&mut self, call: &Invocation, word: &Word) {
        let task = word
            .text
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let starts = |words: &'static str| list(words).iter().any(|start| task.starts_with(start));
        if task != "publishtomavenlocal" && starts("publish upload release deploy close") {
            self.never(call, Never::Delivers);
        } else if starts("dependencycheck sonar") {
            self.never(call, Never::Scans);
        } else if word.unknown || !list(TASKS).iter().any(|known| task.contains(known)) {
            let what = format!("gradle {}", word.text);
            self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        }
    }

    /// `mvn GOALS`: all modules below.
    pub(super) fn maven(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let values = list(
            "-pl --projects -P --activate-profiles -s --settings -T --threads -l --log-file -gs \
             --global-settings -rf --resume-from -b --builder -D --define",
        );
        let sorted = arguments(rest, &values, &["-f", "--file"]);
        for word in &sorted.operands {
            let goal = word.text.as_ref();
            let starts =
                |words: &'static str| list(words).iter().any(|start| goal.starts_with(start));
            if starts("deploy release") || goal.contains("nexus-staging") {
                self.never(call, Never::Delivers);
            } else if goal.contains("sonar") || goal.contains("dependency-check") {
                self.never(call, Never::Scans);
            } else if word.unknown || !starts(GOALS) {
                self.opaque(call, OpaqueCause::UnknownUse(format!("mvn {goal}").into()));
            }
        }
        let place = match sorted.reads.first() {
            Some(file) if file.text.ends_with(".xml") => {
                let dir = match dir_of(&file.text) {
                    "" => ".",
                    dir => dir,
                };
                self.elsewhere(
                    call,
                    &Word {
                        text: dir.into(),
                        ..file.clone()
                    },
                )
            }
            Some(dir) => self.elsewhere(call, dir),
            None => call.place.clone(),
        };
        self.reactor(call, &place);
    }

    pub(super) fn jvm_build(&mut self, call: &Invocation, place: &Place, build: &[&str]) {
        let Place::Inside(dir) = place else {
            return self.unknown_use(call);
        };
        // Plugins that look at every file, prose included.
        let wide = list(
            "spotless apache-rat license-maven com.mycila com.github.hierynomus.license \
            nohttp markdown asciidoc",
        );
        let scripts: Vec<String> = self
            .context
            .snapshot
            .tree
            .under(dir)
            .map(|(_, entry)| entry.path.to_string())
            .filter(|path| {
                let base = base_name(path);
                base.ends_with(".gradle")
                    || base.ends_with(".gradle.kts")
                    || base == "pom.xml"
                    || base.ends_with(".versions.toml")
            })
            .collect();
        let snapshot = &self.context.snapshot;
        let is_wide = scripts.iter().any(|path| {
            snapshot
                .text(path)
                .is_none_or(|text| wide.iter().any(|word| text.contains(word)))
        });
        if is_wide {
            self.add(
                call,
                Input::Tree {
                    dir: dir.clone(),
                    extensions: Vec::new(),
                },
            );
        }
        let mut globs = Vec::new();
        for extension in list("java kt kts groovy scala").iter().chain(build) {
            globs.push(below(dir, &format!("**/*.{extension}")));
        }
        globs.push(below(dir, "**/src/**"));
        self.entry(call, globs);
    }
}
