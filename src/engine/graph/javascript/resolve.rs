//! From specifiers to files.
//!
//! In this order: relative paths, `imports` of the own package, `paths` and `baseUrl`
//! of configurations above, aliases of test runners, packages of the repository, then
//! packages from outside. The first step that finds a file ends the search, as in the
//! tools themselves; within a step everything counts.

use super::aliases::{self, Settings};
use super::around::{self, ancestors};
use super::files::Files;
use super::tsconfig::Configs;
use super::workspace::Workspace;
use crate::engine::facts::{Import, ImportKind, Language, Reach, When};
use crate::engine::globs::{self, Glob};
use crate::engine::graph::{Builder, EdgeKind, Widening};
use crate::engine::tree::{FileId, base_name, dir_of, join};

mod compilers;

/// Adds the edges of JavaScript and TypeScript.
pub fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let is_script = |path: &str| Language::of_path(path) == Some(Language::JavaScript);
    if !snapshot
        .tree
        .iter()
        .any(|(_, entry)| is_script(&entry.path))
    {
        return;
    }
    let workspace = Workspace::read(snapshot);
    let mut resolver = Resolver {
        files: Files::new(&snapshot.tree),
        configs: Configs::read(snapshot, &workspace),
        settings: aliases::read(snapshot),
        workspace,
        builder,
    };
    for (file, entry) in snapshot.tree.iter() {
        if is_script(&entry.path) {
            resolver.file(file, &entry.path);
        }
        if compilers::is_settings(base_name(&entry.path)) {
            resolver.compiler(file, entry);
        }
    }
    let Resolver {
        builder,
        files,
        configs,
        settings,
        ..
    } = resolver;
    around::resolve(builder, &settings, &files, &configs);
}

struct Resolver<'b, 'a> {
    builder: &'b mut Builder<'a>,
    files: Files<'a>,
    configs: Configs,
    settings: Vec<Settings>,
    workspace: Workspace,
}

/// What came of looking for a bare name.
#[derive(Default)]
struct Found {
    files: Vec<FileId>,
    /// Manifests that decided.
    manifests: Vec<FileId>,
    /// It may as well be a package from outside.
    may_be_external: bool,
    /// It should be here and is not.
    is_missing: bool,
}

impl Resolver<'_, '_> {
    fn file(&mut self, file: FileId, path: &str) {
        let Some(facts) = self.builder.snapshot.facts(file) else {
            return;
        };
        let dir = dir_of(path);
        for import in &facts.imports {
            self.import(file, dir, import);
        }
        self.builder.widen_as(file, facts);
        if facts.broken {
            self.widen(file, Reach::Package, "a syntax error", 1);
        }
    }

    fn widen(&mut self, file: FileId, reach: Reach, what: &str, line: u32) {
        self.builder.widen(Widening {
            when: When::Used,
            file,
            reach,
            what: what.into(),
            line,
        });
    }

    fn import(&mut self, from: FileId, dir: &str, import: &Import) {
        let kind = match import.kind {
            ImportKind::Type => EdgeKind::Type,
            ImportKind::Embed => EdgeKind::Embed,
            _ => EdgeKind::Import,
        };
        let specifier = plain(&import.specifier);
        if specifier.is_empty() || specifier.contains("://") || specifier.starts_with("data:") {
            return;
        }
        if specifier.contains('*') {
            return self.glob(from, dir, import);
        }
        if specifier.starts_with('.') || specifier.starts_with('/') {
            return self.relative(from, dir, import, kind);
        }
        let found = self.bare(dir, specifier);
        for file in &found.files {
            self.builder.edge(from, *file, kind);
        }
        for manifest in &found.manifests {
            self.builder.edge(from, *manifest, EdgeKind::Config);
        }
        if found.is_missing {
            self.builder.unresolved(from, specifier);
        } else if found.files.is_empty() || found.may_be_external {
            self.external(from, dir, specifier);
        }
    }

    fn relative(&mut self, from: FileId, dir: &str, import: &Import, kind: EdgeKind) {
        let specifier = plain(&import.specifier);
        if let Some(rooted) = specifier.strip_prefix('/') {
            // Bundlers take `/x` from the package's own root; elsewhere it means nothing.
            let root = self
                .workspace
                .owner(dir)
                .map_or("", |package| package.dir.as_str());
            for base in [join(root, rooted), join(root, &format!("public/{rooted}"))] {
                for file in base
                    .iter()
                    .flat_map(|path| self.path(path, false))
                    .collect::<Vec<_>>()
                {
                    self.builder.edge(from, file, kind);
                }
            }
            return;
        }
        let is_dir = specifier.ends_with('/') || specifier.ends_with("..") || specifier == ".";
        let path = join(dir, specifier);
        let mut found = path
            .as_deref()
            .map(|path| self.path(path, is_dir))
            .unwrap_or_default();
        if found.is_empty() && is_module(specifier) && import.kind != ImportKind::Embed {
            found = path.map(|path| self.built(&path)).unwrap_or_default();
            if found.is_empty() {
                self.builder.unresolved(from, specifier);
            }
        }
        for file in found {
            self.builder.edge(from, file, kind);
        }
    }

    /// The files of a path from the root: a file, else a directory's entry.
    fn path(&self, path: &str, is_dir: bool) -> Vec<FileId> {
        let mut found = if is_dir {
            Vec::new()
        } else {
            self.files.file(path)
        };
        if found.is_empty() {
            found = match self.workspace.at(path) {
                Some(package) => {
                    let mut entry = package.resolve("", &self.files);
                    entry.push(package.manifest);
                    entry
                }
                None => self.files.index(path),
            };
        }
        found
    }

    /// The sources of a file that a build would put into a package's output directory.
    fn built(&self, path: &str) -> Vec<FileId> {
        let Some(package) = self.workspace.owner(dir_of(path)) else {
            return Vec::new();
        };
        let below = path.strip_prefix(package.dir.as_str()).unwrap_or(path);
        let below = below.trim_start_matches('/');
        let first = below.split('/').next().unwrap_or_default();
        if !OUTPUTS.contains(&first) {
            return Vec::new();
        }
        let mut found = package.source_of(below, &self.files);
        if found.is_empty() {
            found = package.resolve("", &self.files);
        }
        if !found.is_empty() {
            found.push(package.manifest);
        }
        found
    }

    fn bare(&self, dir: &str, specifier: &str) -> Found {
        let mut found = Found::default();
        if specifier.starts_with('#')
            && let Some(package) = self.workspace.owner(dir)
        {
            found.files = package.internal(specifier, &self.files);
            if !found.files.is_empty() {
                found.manifests.push(package.manifest);
                return found;
            }
        }
        found.files = self.mapped(dir, specifier);
        if !found.files.is_empty() || is_builtin(specifier) {
            found.may_be_external = false;
            return found;
        }
        let (name, subpath) = split_package(specifier);
        let linked = self.workspace.linked(dir, name);
        let (packages, is_sure) = match linked {
            Some(package) => (vec![package], true),
            None => self.workspace.named(name),
        };
        for package in packages {
            let mut files = package.resolve(subpath, &self.files);
            let first = subpath.split('/').next().unwrap_or_default();
            if files.is_empty() && OUTPUTS.contains(&first) {
                files = package.resolve("", &self.files);
            }
            if !files.is_empty() || is_sure {
                found.manifests.push(package.manifest);
            }
            found.files.extend(files);
        }
        found.may_be_external = !is_sure;
        found.is_missing = is_sure && found.files.is_empty();
        if found.files.is_empty() && self.files.has_vendored {
            let bases =
                ancestors(dir).filter_map(|base| join(base, &format!("node_modules/{specifier}")));
            found.files = bases.flat_map(|path| self.path(&path, false)).collect();
        }
        found
    }

    /// What `paths`, `baseUrl` and aliases make of a specifier, nearest first.
    fn mapped(&self, dir: &str, specifier: &str) -> Vec<FileId> {
        for scope in self.configs.above(dir) {
            let aliased = scope
                .aliases
                .iter()
                .flat_map(|alias| alias.apply(specifier));
            let found: Vec<FileId> = aliased.flat_map(|path| self.path(&path, false)).collect();
            if !found.is_empty() {
                return found;
            }
            let based = scope.bases.iter().filter_map(|base| join(base, specifier));
            let found: Vec<FileId> = based.flat_map(|path| self.path(&path, false)).collect();
            if !found.is_empty() {
                return found;
            }
        }
        let is_above = |settings: &&Settings| {
            let above = settings.dir.as_str();
            above.is_empty()
                || dir == above
                || dir
                    .strip_prefix(above)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let aliases = self
            .settings
            .iter()
            .filter(is_above)
            .flat_map(|settings| &settings.aliases);
        let paths = aliases.flat_map(|alias| alias.apply(specifier));
        paths.flat_map(|path| self.path(&path, false)).collect()
    }

    fn external(&mut self, from: FileId, dir: &str, specifier: &str) {
        if is_builtin(specifier) {
            return;
        }
        if specifier.starts_with('#') {
            let owner = self.workspace.owner(dir);
            let names = owner
                .map(|package| package.internal_externals(specifier))
                .unwrap_or_default();
            if names.is_empty() {
                self.builder.unresolved(from, specifier);
            }
            for name in names {
                self.builder.external(from, split_package(&name).0);
            }
            return;
        }
        let (name, _) = split_package(specifier);
        self.builder.external(from, name);
        let types = format!("@types/{}", name.trim_start_matches('@').replace('/', "__"));
        if self.workspace.declares(&types) {
            self.builder.external(from, types);
        }
    }

    /// Every file that a pattern below the importer, or below its package, matches.
    fn glob(&mut self, from: FileId, dir: &str, import: &Import) {
        let pattern = plain(&import.specifier);
        let (base, pattern) = match pattern.strip_prefix('/') {
            Some(rest) => (
                self.workspace
                    .owner(dir)
                    .map_or("", |package| package.dir.as_str()),
                rest,
            ),
            None => (dir, pattern),
        };
        // Brackets are no classes in the paths of templates, and are in `import.meta.glob`.
        let readings = Glob::readings(pattern).into_iter();
        let read = |glob: Glob| {
            let glob = Glob::join(base, glob.as_str())?;
            Some((globs::compile_crossing(&glob).ok()?, glob.parts().0))
        };
        let Some(read) = readings.map(read).collect::<Option<Vec<_>>>() else {
            return self.widen(from, Reach::Package, &import.specifier, import.line);
        };
        for (glob, dir) in read {
            for (file, entry) in self.builder.snapshot.tree.under(&dir) {
                // A template leaves the extension out where a resolver would add it.
                let stem =
                    super::files::split(&entry.path).map_or(entry.path.as_ref(), |(stem, _)| stem);
                if glob.is_match(entry.path.as_ref()) || glob.is_match(stem) {
                    self.builder.edge(from, file, EdgeKind::Embed);
                }
            }
        }
    }
}

/// A specifier without loaders before it and a query after it.
fn plain(specifier: &str) -> &str {
    let specifier = specifier.rsplit('!').next().unwrap_or(specifier);
    specifier.split('?').next().unwrap_or(specifier)
}

/// Whether a relative path means a module; assets may be made by a build.
fn is_module(specifier: &str) -> bool {
    let extension = base_name(specifier)
        .rsplit_once('.')
        .map(|(_, extension)| extension);
    !extension.is_some_and(|extension| {
        matches!(
            extension,
            "css"
                | "scss"
                | "sass"
                | "less"
                | "styl"
                | "svg"
                | "png"
                | "jpg"
                | "jpeg"
                | "gif"
                | "webp"
                | "avif"
                | "ico"
                | "woff"
                | "woff2"
                | "ttf"
                | "otf"
                | "eot"
                | "mp3"
                | "mp4"
                | "webm"
                | "wasm"
                | "md"
                | "mdx"
                | "html"
                | "txt"
                | "json"
                | "json5"
                | "yaml"
                | "yml"
                | "graphql"
                | "gql"
                | "glsl"
                | "csv"
                | "node"
                | "pdf"
        )
    })
}

/// `@scope/name/sub/path` as the package and what follows it.
pub(super) fn split_package(specifier: &str) -> (&str, &str) {
    let start = if specifier.starts_with('@') {
        specifier
            .find('/')
            .map_or(specifier.len(), |slash| slash + 1)
    } else {
        0
    };
    let rest = specifier.get(start..).unwrap_or_default();
    match rest.find('/') {
        Some(slash) => {
            let (name, subpath) = specifier.split_at(start + slash);
            (name, subpath.trim_start_matches('/'))
        }
        None => (specifier, ""),
    }
}

/// Directories that builds write and trees leave out.
const OUTPUTS: &[&str] = &[
    "dist", "build", "lib", "out", "es", "esm", "cjs", "umd", "types",
];

/// Modules that node brings along (<https://nodejs.org/api/module.html#modulebuiltinmodules>).
const BUILTINS: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

fn is_builtin(specifier: &str) -> bool {
    let (name, subpath) = split_package(specifier);
    // `buffer/` and `process/browser` are packages from an index.
    let is_part = matches!(
        subpath,
        "promises" | "posix" | "win32" | "web" | "strict" | "consumers" | "types"
    );
    let schemes = ["node:", "bun:", "cloudflare:", "virtual:"];
    schemes.iter().any(|scheme| specifier.starts_with(scheme))
        || (is_part || specifier == name) && BUILTINS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    /// What the first file needs.
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let snapshot = sample::snapshot(files);
        let graph = sample::graph(&snapshot, &[resolve]);
        let found = sample::needs(&snapshot, &graph, files[0].0, &[]);
        assert_eq!(found, expected.join("\n"), "{files:?}");
    }

    #[test]
    fn relative_paths_are_completed() {
        check(
            &[
                (
                    "a/x.ts",
                    "import './y'\nimport '../b'\nimport './z.js'\nimport '.'",
                ),
                ("a/y.ts", ""),
                ("b/index.tsx", ""),
                ("a/z.ts", ""),
                ("a/index.ts", ""),
            ],
            &[
                "import a/index.ts",
                "import a/y.ts",
                "import a/z.ts",
                "import b/index.tsx",
            ],
        );
        check(
            &[
                ("x.ts", "import './d'"),
                ("d/package.json", r#"{"main": "lib/e.js"}"#),
                ("d/lib/e.js", ""),
            ],
            &["import d/lib/e.js", "import d/package.json"],
        );
        check(
            &[
                (
                    "x.ts",
                    "import a from './a.svg?raw'\nimport './gone.css'\nimport './gone'",
                ),
                ("a.svg", ""),
            ],
            &["import a.svg", "unresolved ./gone"],
        );
    }

    #[test]
    fn names_from_outside_are_external_and_builtins_are_nothing() {
        check(
            &[(
                "x.ts",
                "import 'fs'\nimport 'node:test'\nimport 'fs/promises'\nimport 'lodash/fp'\nimport '@s/p/q'\nimport 'buffer/'",
            )],
            &["external @s/p", "external buffer", "external lodash"],
        );
        check(
            &[
                ("x.ts", "import 'lodash'"),
                (
                    "package.json",
                    r#"{"devDependencies": {"@types/lodash": "1"}}"#,
                ),
            ],
            &["external @types/lodash", "external lodash"],
        );
    }

    #[test]
    fn paths_and_base_url_are_followed_through_extends() {
        check(
            &[
                (
                    "app/src/x.ts",
                    "import '@/y'\nimport 'lib/z'\nimport 'react'",
                ),
                (
                    "app/tsconfig.json",
                    r#"{ "extends": "../tsconfig.base.json" }"#,
                ),
                (
                    "tsconfig.base.json",
                    r#"{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["app/src/*"] } } }"#,
                ),
                ("app/src/y.ts", ""),
                ("lib/z.ts", ""),
            ],
            &["import app/src/y.ts", "import lib/z.ts", "external react"],
        );
        check(
            &[
                ("x.ts", "import '~a'"),
                (
                    "tsconfig.json",
                    r#"{ "references": [{ "path": "./tsconfig.app.json" }] }"#,
                ),
                (
                    "tsconfig.app.json",
                    r#"{ "compilerOptions": { "paths": { "~a": ["./a.ts"] } } }"#,
                ),
                ("a.ts", ""),
            ],
            &["import a.ts"],
        );
    }

    #[test]
    fn circles_of_extends_end() {
        check(
            &[
                ("x.ts", "import 'y'"),
                ("tsconfig.json", r#"{ "extends": ["./tsconfig.b.json"] }"#),
                ("tsconfig.b.json", r#"{ "extends": "./tsconfig.json" }"#),
            ],
            &["external y"],
        );
    }

    #[test]
    fn workspace_packages_lead_to_sources_of_what_they_export() {
        let member = r#"{ "name": "@s/b", "main": "dist/index.js", "exports": { ".": { "import": "./dist/index.mjs" }, "./sub/*": "./dist/sub/*.js", "./deep": "./lib/esm/deep.js" } }"#;
        check(
            &[
                (
                    "packages/a/x.ts",
                    "import '@s/b'\nimport '@s/b/sub/y'\nimport '@s/b/deep'\nimport '@s/b/gone'",
                ),
                ("package.json", r#"{ "workspaces": ["packages/*"] }"#),
                ("packages/b/package.json", member),
                ("packages/b/src/index.ts", ""),
                ("packages/b/src/sub/y.ts", ""),
                ("packages/b/src/deep.ts", ""),
            ],
            &[
                "config packages/b/package.json",
                "import packages/b/src/deep.ts",
                "import packages/b/src/index.ts",
                "import packages/b/src/sub/y.ts",
                "unresolved @s/b/gone",
            ],
        );
    }

    #[test]
    fn every_workspace_file_lists_members() {
        let files = |list: (&'static str, &'static str)| {
            vec![
                ("x.ts", "import 'b'"),
                list,
                ("libs/b/package.json", r#"{ "name": "b" }"#),
                ("libs/b/index.js", ""),
            ]
        };
        for list in [
            ("pnpm-workspace.yaml", "packages:\n  - 'libs/*' # all\n"),
            (
                "package.json",
                r#"{ "workspaces": { "packages": ["libs/*"] } }"#,
            ),
            ("lerna.json", r#"{ "packages": ["libs/*"] }"#),
        ] {
            check(
                &files(list),
                &["import libs/b/index.js", "config libs/b/package.json"],
            );
        }
    }

    #[test]
    fn a_package_that_no_workspace_lists_does_not_hide_the_one_from_outside() {
        check(
            &[
                ("x.ts", "import 'b'"),
                ("fixtures/b/package.json", r#"{ "name": "b" }"#),
                ("fixtures/b/index.js", ""),
            ],
            &[
                "import fixtures/b/index.js",
                "config fixtures/b/package.json",
                "external b",
            ],
        );
    }

    #[test]
    fn a_package_finds_its_own_imports_and_itself() {
        check(
            &[
                ("src/x.ts", "import '#y'\nimport 'me/z'\nimport '#dep'"),
                (
                    "package.json",
                    r##"{ "name": "me", "imports": { "#y": { "default": "./src/y.js" }, "#dep": "chalk" }, "exports": { "./z": "./src/z.ts" } }"##,
                ),
                ("src/y.ts", ""),
                ("src/z.ts", ""),
            ],
            &[
                "config package.json",
                "import src/y.ts",
                "import src/z.ts",
                "external chalk",
            ],
        );
    }

    #[test]
    fn aliases_of_runners_count() {
        check(
            &[
                ("src/x.ts", "import '@/y'"),
                (
                    "jest.config.js",
                    "module.exports = { moduleNameMapper: { '^@/(.*)$': '<rootDir>/src/$1' } }",
                ),
                ("src/y.ts", ""),
            ],
            &["import src/y.ts"],
        );
        check(
            &[
                ("src/x.ts", "import '@/y'"),
                (
                    "vite.config.ts",
                    "export default defineConfig({ resolve: { alias: { '@': path.resolve(__dirname, './src') } } })",
                ),
                ("src/y.ts", ""),
            ],
            &["import src/y.ts"],
        );
    }

    #[test]
    fn globs_take_every_file_that_fits() {
        check(
            &[
                ("src/x.ts", "import(`./l/${x}.json`)\nimport(`./m/${y}`)"),
                ("src/l/de.json", ""),
                ("src/l/de.txt", ""),
                ("src/m/a.ts", ""),
            ],
            &["embed src/l/de.json", "embed src/m/a.ts"],
        );
    }

    #[test]
    fn mocks_snapshots_and_settings_are_needed_without_being_written() {
        check(
            &[
                ("src/x.test.ts", "import './y'"),
                ("src/y.ts", ""),
                ("src/__mocks__/y.ts", ""),
                ("__mocks__/lodash.js", ""),
                ("src/__snapshots__/x.test.ts.snap", ""),
                (
                    "jest.config.js",
                    "module.exports = { setupFiles: ['<rootDir>/setup.ts'] }",
                ),
                ("setup.ts", ""),
                ("tsconfig.json", "{}"),
                ("package.json", "{}"),
            ],
            &[
                "implicit __mocks__/lodash.js",
                "config jest.config.js",
                "config package.json",
                "implicit src/__snapshots__/x.test.ts.snap",
                "import src/y.ts",
                "config tsconfig.json",
            ],
        );
        check(
            &[("src/y.ts", ""), ("src/__mocks__/y.ts", "")],
            &["implicit src/__mocks__/y.ts"],
        );
        check(
            &[
                (
                    "jest.config.js",
                    "module.exports = { setupFiles: ['<rootDir>/setup.ts'] }",
                ),
                ("setup.ts", ""),
            ],
            &["implicit setup.ts"],
        );
    }

    #[test]
    fn a_built_file_stands_for_its_source_or_for_the_whole_package() {
        let manifest = r#"{ "name": "p", "main": "dist/p.js" }"#;
        check(
            &[
                (
                    "p/index.js",
                    "require('./dist/one.js'); require('./dist/p.cjs.prod.js'); require('./gone')",
                ),
                ("p/package.json", manifest),
                ("p/src/index.ts", ""),
                ("p/src/one.ts", ""),
            ],
            &[
                "import p/package.json",
                "import p/src/index.ts",
                "import p/src/one.ts",
                "unresolved ./gone",
            ],
        );
    }

    #[test]
    fn a_directory_whose_name_looks_like_a_pattern_is_taken_as_it_is() {
        check(
            &[
                ("app/[slug]/{a}/x.ts", "import(`./parts/${y}.ts`)"),
                ("app/[slug]/{a}/parts/one.ts", ""),
                ("app/s/a/parts/two.ts", ""),
            ],
            &["embed app/[slug]/{a}/parts/one.ts"],
        );
        check(
            &[
                ("x.ts", "import(`./app/[slug]/${y}.ts`)"),
                ("app/[slug]/one.ts", ""),
                ("app/s/two.ts", ""),
            ],
            &["embed app/[slug]/one.ts", "embed app/s/two.ts"],
        );
    }

    #[test]
    fn doubtful_constructs_are_widened() {
        check(&[("x.ts", "import(y)")], &["widened import(...):1 Package"]);
        check(
            &[("x.ts", "import a from 'a'; let = = ;")],
            &["widened a syntax error:1 Package"],
        );
    }

    #[test]
    fn the_list_of_builtins_is_sorted() {
        assert!(BUILTINS.is_sorted());
    }
}
