//! go: packages by pattern, and the module around them.

use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use super::{Input, compiled};
use crate::engine::globs::Glob;
use crate::engine::packages::go::directives;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, dir_of, join};

/// Flags of go and gotestsum that take the next word.
const GO_VALUES: &str = "-run -bench -count -timeout -tags -coverprofile -covermode -coverpkg -p \
    -parallel -o -ldflags -gcflags -mod -cpu -benchtime -skip -shuffle -fuzz -fuzztime \
    -asmflags -buildmode --format --junitfile --jsonfile -f \
    --rerun-fails --packages";

impl Walk<'_> {
    /// Tidying and verifying judge the file of checksums, not only what stands in it.
    fn go_versions(&mut self, call: &mut Invocation) {
        call.words.truncate(1);
        let dir: Box<str> = call.dir().unwrap_or("").into();
        let sums = ["go.sum", "go.work.sum"];
        self.exact(call, sums.iter().map(|name| below(&dir, name)).collect());
        let name = "*".into();
        self.add(call, Input::External { dir, name });
        self.go_packages(call);
    }

    /// `go test ./...` and its kin; `gotestsum -- ARGUMENTS`.
    pub(super) fn go(&mut self, call: &Invocation) {
        let texts = call.texts();
        if texts.first() == Some(&"gotestsum") {
            let at = texts.iter().position(|text| *text == "--");
            let mut inner = call.without(at.map_or(texts.len(), |at| at + 1));
            inner.words.insert(0, Word::literal("test"));
            if at.is_none() {
                inner.words.push(Word::literal("./..."));
            }
            return self.go_packages(&inner);
        }
        if texts.first() == Some(&"gox") {
            return self.gox(call);
        }
        let mut inner = call.without(1);
        self.go_elsewhere(&mut inner, 0);
        self.go_elsewhere(&mut inner, 1);
        match inner.words.first().map_or("", |word| &*word.text) {
            "install" | "get"
                if inner
                    .texts()
                    .iter()
                    .skip(1)
                    .any(|text| text.contains('@') && !text.starts_with('-')) => {}
            "test" | "build" | "vet" | "list" | "fix" | "doc" | "install" => {
                self.go_packages(&inner);
            }
            "get" => self.exact(call, vec![below(call.dir().unwrap_or(""), "go.mod")]),
            "fmt" => {
                inner.words.truncate(1);
                self.go_packages(&inner);
            }
            "run" => self.go_run(&inner),
            "mod" | "work" => self.go_versions(&mut inner),
            "tool"
                if inner.texts().get(1).is_some_and(|tool| {
                    matches!(
                        *tool,
                        "cover" | "covdata" | "pprof" | "dist" | "trace" | "test2json" | "nm"
                    )
                }) => {}
            "tool" => self.program(&inner.without(1)),
            "env" | "version" | "clean" | "help" | "telemetry" | "" => {}
            _ => self.unknown_use(call),
        }
    }

    /// `gox PACKAGES`: `go build` for several systems
    /// (<https://github.com/mitchellh/gox#usage>).
    fn gox(&mut self, call: &Invocation) {
        let mut inner = call.without(1);
        let tells = |word: &Word| word.text.trim_start_matches('-').starts_with("gocmd");
        if inner.words.iter().any(tells) {
            // Another program builds.
            return self.unknown_use(call);
        }
        let own = list("-os -arch -osarch -output");
        let mut at = 0;
        while let Some(word) = inner.words.get(at) {
            let text = word.text.replacen("--", "-", 1);
            let (flag, value) = text
                .split_once('=')
                .map_or((&*text, None), |(flag, value)| (flag, Some(value)));
            let count = match (own.contains(&flag), value) {
                (true, Some(_)) => 1,
                (true, None) => 2,
                (false, _) => {
                    at += 1;
                    continue;
                }
            };
            let end = inner.words.len().min(at + count);
            inner.words.drain(at..end);
        }
        inner.words.insert(0, Word::literal("build"));
        self.go_packages(&inner);
    }

    /// `-C DIR`, before the sub-command or behind it: what follows happens there.
    fn go_elsewhere(&mut self, call: &mut Invocation, at: usize) {
        let Some(word) = call.words.get(at).cloned() else {
            return;
        };
        let text = word.text.replacen("--", "-", 1);
        let (dir, count) = match text.strip_prefix("-C=") {
            Some(dir) => {
                let mut word = word;
                word.text = dir.into();
                (Some(word), 1)
            }
            None if text == "-C" => (call.words.get(at + 1).cloned(), 2),
            None => return,
        };
        if let Some(dir) = dir {
            call.place = self.elsewhere(call, &dir);
        }
        call.words.drain(at..(at + count).min(call.words.len()));
    }

    /// Packages that are measured are compiled into every test, wherever they lie.
    fn go_covered(call: &Invocation) -> Vec<Word> {
        let mut found = Vec::new();
        let mut words = call.words.iter();
        while let Some(word) = words.next() {
            let text = word.text.replacen("--", "-", 1);
            let (value, is_unknown) = match text.strip_prefix("-coverpkg=") {
                Some(value) => (value.to_owned(), word.unknown),
                None if text == "-coverpkg" => match words.next() {
                    Some(next) => (next.text.to_string(), next.unknown),
                    None => break,
                },
                None => continue,
            };
            found.extend(value.split(',').map(|value| {
                let mut word = Word::literal(value);
                word.unknown = is_unknown;
                word
            }));
        }
        found
    }

    /// The packages that a command names; the words begin with the sub-command.
    fn go_packages(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let own = rest
            .iter()
            .position(|word| &*word.text == "-args" || &*word.text == "--args");
        let sorted = arguments(
            rest.get(..own.unwrap_or(rest.len())).unwrap_or_default(),
            &list(GO_VALUES),
            &["-modfile", "-overlay", "-pgo", "-exec", "-vettool"],
        );
        for word in &sorted.reads {
            self.read_path(call, word);
        }
        self.go_overlay(call, rest);
        let covered = Self::go_covered(call);
        let here = [Word::literal(".")];
        let operands = if sorted.operands.is_empty() {
            &here[..]
        } else {
            &sorted.operands
        };
        let sub = call.words.first().map_or("", |word| &*word.text);
        let everywhere = [Word::literal("./...")];
        let operands = if matches!(sub, "mod" | "work" | "fmt") {
            &everywhere[..]
        } else {
            operands
        };
        for word in operands.iter().chain(&covered) {
            let text = word.text.as_ref();
            let is_import_path =
                !text.starts_with('.') && !text.starts_with('/') && !self.is_here(call, text);
            let text = if is_import_path { "./..." } else { text };
            // A part that is not known may be any package: all of the module are taken,
            // which only widens, unless the module itself is not known.
            let text = if word.unknown { "./..." } else { text };
            if call.dir().is_none() {
                return self.unknown_use(call);
            }
            self.go_package(call, text);
        }
        self.go_module(call);
    }

    /// Files that stand in the place of others, by a list in JSON
    /// (<https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies>).
    fn go_overlay(&mut self, call: &Invocation, words: &[Word]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let list = match word.text.trim_start_matches('-').split_once('=') {
                Some(("overlay", list)) => list,
                None if word.text.trim_start_matches('-') == "overlay" => {
                    words.next().map_or("", |list| &list.text)
                }
                _ => continue,
            };
            if let Located::Inside(path) = locate(&call.place, list)
                && let Some(text) = self.text(&path)
            {
                self.names_of_text(call, text);
            }
        }
    }

    /// One package, or all below a directory, that a sub-command compiles or runs.
    fn go_package(&mut self, call: &Invocation, text: &str) {
        let sub = call.words.first().map_or("", |word| &*word.text);
        let (path, deep) = match text.strip_suffix("...") {
            Some(path) => (path.trim_end_matches('/'), true),
            None => (text, false),
        };
        let path = if path.is_empty() { "." } else { path };
        let glob = match locate(&call.place, path) {
            Located::Inside(path) if base_name(&path).ends_with(".go") => Glob::path(&path),
            Located::Inside(dir) if deep => below(&dir, "**/*.go"),
            Located::Inside(dir) => below(&dir, "*.go"),
            Located::Outside => return,
            Located::Unknown => return self.unknown_use(call),
        };
        if list(compiled::GO).contains(&sub) {
            self.compiled(call, vec![glob]);
        } else {
            self.entry(call, vec![glob]);
        }
    }

    fn is_here(&self, call: &Invocation, text: &str) -> bool {
        matches!(locate(&call.place, text.trim_end_matches("/...")), Located::Inside(path) if self.has_dir(&path) || self.has_file(&path))
    }

    fn go_module(&mut self, call: &Invocation) {
        let place = call.dir().unwrap_or("").to_owned();
        let mut dir = place.as_str();
        let mut globs = Vec::new();
        loop {
            globs.push(below(dir, "go.mod"));
            globs.push(below(dir, "go.work"));
            globs.push(below(dir, "vendor/modules.txt"));
            globs.extend(self.used_modules(dir));
            if dir.is_empty() {
                break;
            }
            dir = dir_of(dir);
        }
        self.exact(call, globs);
    }

    /// Manifests of the modules that a workspace uses: the versions of all of them are
    /// chosen together (<https://go.dev/ref/mod#workspaces>).
    fn used_modules(&mut self, dir: &str) -> Vec<Glob> {
        let path = join(dir, "go.work").unwrap_or_default();
        let Some(text) = self.text(&path) else {
            return Vec::new();
        };
        let used = directives(text).filter(|(directive, _)| *directive == "use");
        let dirs = used.filter_map(|(_, it)| join(dir, it.trim_matches(['"', '`'])));
        let manifests = dirs.flat_map(|used| {
            let names = ["go.mod", "go.sum"];
            names.map(|name| below(&used, name))
        });
        manifests.chain([below(dir, "go.work.sum")]).collect()
    }

    fn go_run(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let at = rest.iter().position(|word| !word.text.starts_with('-'));
        let Some(target) = at.and_then(|at| rest.get(at)) else {
            return;
        };
        let name = target.text.split('@').next().unwrap_or_default();
        if !name.starts_with('.') && !name.ends_with(".go") && !self.is_here(call, name) {
            // A program from outside, by the last part of its path.
            let parts: Vec<&str> = name.split('/').collect();
            let last = parts
                .iter()
                .rev()
                .find(|part| !(part.starts_with('v') && part.len() < 4))
                .copied()
                .unwrap_or(name);
            let mut inner = call.without(at.unwrap_or(0) + 1);
            if let Some(first) = inner.words.first_mut() {
                *first = Word::literal(last);
            }
            return self.program(&inner);
        }
        let mut package = call.clone();
        package.words = vec![Word::literal("run"), target.clone()];
        self.go_packages(&package);
        let more = rest.get(at.unwrap_or(0) + 1..).unwrap_or_default().to_vec();
        self.program_arguments(call, &more);
    }
}
