//! Tests of [`lock`](super): every format; the rules and laws of slices are in `laws`.

use std::sync::Arc;

use super::*;
use crate::engine::ids::ObjectId;
use crate::engine::tree::{Mode, Tree};

mod laws;

type File<'a> = (&'a str, &'a str);

fn snapshot(files: &[File<'_>]) -> Snapshot {
    let blob = |text: &str| ObjectId::from_bytes(&Sha256::digest(text)[..20]).unwrap();
    let entry = |(path, text): &File<'_>| Entry {
        path: (*path).into(),
        mode: Mode::File,
        blob: blob(text),
    };
    let mut snapshot = Snapshot::new(Tree::new(files.iter().map(entry).collect()));
    for (_, text) in files {
        snapshot.insert_text(blob(text), Arc::from(*text));
    }
    snapshot
}

fn read(files: &[File<'_>]) -> Locks {
    let snapshot = snapshot(files);
    let (locks, faults) = Locks::read(&snapshot, &Packages::read(&snapshot));
    assert_eq!(faults, []);
    locks
}

/// Which of `DIR:NAME` change when the text of the first file is edited.
fn check(files: &[File<'_>], (from, to): (&str, &str), asked: &[&str], expected: &[&str]) {
    let (path, text) = files[0];
    let edited = text.replace(from, to);
    assert_ne!(text, edited, "the edit of {from} does nothing");
    let mut after = files.to_vec();
    after[0] = (path, &edited);
    let (before, after) = (read(files), read(&after));
    let differs = |pair: &&&str| {
        let (dir, name) = pair.split_once(':').unwrap();
        let slice = |locks: &Locks| match name {
            "TOOLS" => locks.tools_slice(dir, &BTreeSet::new()),
            _ => locks.slice(dir, name),
        };
        slice(&before) != slice(&after)
    };
    let changed: Vec<&str> = asked.iter().filter(differs).copied().collect();
    assert_eq!(changed, expected, "{path}: {from} → {to}");
}

const CARGO: &[File<'_>] = &[
    (
        "Cargo.lock",
        r#"
version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["core", "serde 1.0.0"]
[[package]]
name = "core"
version = "0.1.0"
dependencies = ["libc"]
[[package]]
name = "libc"
version = "0.2.1"
source = "registry+https://example.org"
checksum = "aa"
[[package]]
name = "serde"
version = "1.0.0"
source = "registry+https://example.org"
checksum = "bb"
[[package]]
name = "serde"
version = "0.9.0"
source = "registry+https://example.org"
checksum = "cc"
[[package]]
name = "tool"
version = "0.1.0"
dependencies = ["serde 0.9.0 (registry+https://example.org)"]
"#,
    ),
    ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
    ("core/Cargo.toml", "[package]\nname = \"core\"\n"),
    ("tool/Cargo.toml", "[package]\nname = \"tool\"\n"),
];

#[test]
fn a_crate_gets_what_its_own_entry_reaches() {
    let asked = &["app:*", "core:libc", "tool:serde"];
    check(
        CARGO,
        ("checksum = \"aa\"", "checksum = \"ab\""),
        asked,
        &["app:*", "core:libc"],
    );
    check(
        CARGO,
        ("checksum = \"bb\"", "checksum = \"ab\""),
        asked,
        &["app:*"],
    );
    check(
        CARGO,
        ("checksum = \"cc\"", "checksum = \"ab\""),
        asked,
        &["tool:serde"],
    );
    check(CARGO, ("1.0.0", "1.0.1"), asked, &["app:*"]);
}

#[test]
fn a_cargo_lock_that_spells_the_same_dependency_longer_is_the_same() {
    let longer = "serde 1.0.0 (registry+https://example.org)\"]\n[[package]]\nname = \"core";
    let shorter = "serde 1.0.0\"]\n[[package]]\nname = \"core";
    check(CARGO, (shorter, longer), &["app:*", "tool:*"], &[]);
}

#[test]
fn an_old_cargo_lock_keeps_its_checksums_apart() {
    let files = &[
        (
            "Cargo.lock",
            "[root]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"a 1.0.0 (registry+r)\"]\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+r\"\n[metadata]\n\"checksum a 1.0.0 (registry+r)\" = \"aa\"\n",
        ),
        ("Cargo.toml", "[package]\nname = \"app\"\n"),
    ];
    check(files, ("\"aa\"", "\"bb\""), &[":a"], &[":a"]);
}

#[test]
fn go_sums_are_one_slice_unless_the_modules_are_vendored() {
    let sum = (
        "go.sum",
        "example.org/a v1.0.0 h1:x=\nexample.org/b v1.0.0 h1:y=\n",
    );
    let module = ("go.mod", "module m\nrequire example.org/a v1.0.0\n");
    check(
        &[sum, module],
        ("h1:y=", "h1:z="),
        &["pkg:example.org/a"],
        &["pkg:example.org/a"],
    );
    check(&[module, sum], ("v1.0.0", "v1.1.0"), &[":x"], &[":x"]);
    check(
        &[sum, module, ("vendor/modules.txt", "")],
        ("h1:y=", "h1:z="),
        &[":x"],
        &[],
    );
}

const NPM: &[File<'_>] = &[
    (
        "package-lock.json",
        r#"{"name": "root", "lockfileVersion": 3, "packages": {
        "": {"workspaces": ["w"], "devDependencies": {"jest": "1"}},
        "w": {"dependencies": {"a": "^1", "b": "^2"}},
        "node_modules/w": {"resolved": "w", "link": true},
        "node_modules/a": {"version": "1.0.0", "integrity": "aa", "dependencies": {"b": "^1"}},
        "node_modules/a/node_modules/b": {"version": "1.5.0", "integrity": "bb"},
        "node_modules/b": {"version": "2.0.0", "integrity": "cc", "dev": true},
        "node_modules/jest": {"version": "1.0.0", "integrity": "dd", "bin": {"jest": "x"}}}}"#,
    ),
    (
        "package.json",
        r#"{"name": "root", "devDependencies": {"jest": "1"}}"#,
    ),
    ("w/package.json", r#"{"name": "w"}"#),
];

#[test]
fn npm_finds_packages_as_node_does() {
    let asked = &["w:a", "w:b", "w:TOOLS", "w:unknown"];
    check(
        NPM,
        ("\"bb\"", "\"xx\""),
        asked,
        &["w:a", "w:TOOLS", "w:unknown"],
    );
    check(
        NPM,
        ("\"cc\"", "\"xx\""),
        asked,
        &["w:b", "w:TOOLS", "w:unknown"],
    );
    check(NPM, ("\"dd\"", "\"xx\""), asked, &["w:TOOLS", "w:unknown"]);
}

#[test]
fn marks_of_who_needs_a_package_are_no_part_of_it() {
    check(NPM, (", \"dev\": true", ""), &["w:b", "w:unknown"], &[]);
}

#[test]
fn npm_version_one_is_listed_by_place() {
    let files = &[(
        "package-lock.json",
        r#"{"lockfileVersion": 1, "dependencies": {
        "a": {"version": "1.0.0", "requires": {"b": "^1"}, "dependencies": {"b": {"version": "1.0.0"}}},
        "b": {"version": "2.0.0", "integrity": "cc"}, "c": {"version": "3.0.0", "requires": {"b": "^2"}}}}"#,
    )];
    check(
        files,
        ("\"cc\"", "\"xx\""),
        &[":a", ":b", ":c"],
        &[":b", ":c"],
    );
    check(
        files,
        (
            "b\": {\"version\": \"1.0.0\"",
            "b\": {\"version\": \"1.0.1\"",
        ),
        &[":a", ":b", ":c"],
        &[":a"],
    );
}

#[test]
fn pnpm_nine_keeps_peers_apart() {
    let files = &[(
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\nsettings:\n  autoInstallPeers: true\nimporters:\n  .:\n    devDependencies:\n      typescript:\n        specifier: ^5\n        version: 5.0.0\n  packages/a:\n    dependencies:\n      ui:\n        specifier: ^1\n        version: 1.0.0(react@18.0.0)\n      shared:\n        specifier: workspace:*\n        version: link:../shared\n  packages/b:\n    dependencies:\n      ui:\n        specifier: ^1\n        version: 1.0.0(react@17.0.0)\npackages:\n  react@17.0.0:\n    resolution: {integrity: r17}\n  react@18.0.0:\n    resolution: {integrity: r18}\n  typescript@5.0.0:\n    resolution: {integrity: ts}\n  ui@1.0.0:\n    resolution: {integrity: ui}\nsnapshots:\n  react@17.0.0: {}\n  react@18.0.0: {}\n  typescript@5.0.0: {}\n  ui@1.0.0(react@17.0.0):\n    dependencies:\n      react: 17.0.0\n  ui@1.0.0(react@18.0.0):\n    dependencies:\n      react: 18.0.0\n",
    )];
    let asked = &[
        "packages/a:ui",
        "packages/b:ui",
        "packages/b:TOOLS",
        "packages/a:shared",
    ];
    check(
        files,
        ("r17", "x"),
        asked,
        &["packages/b:ui", "packages/b:TOOLS", "packages/a:shared"],
    );
    check(
        files,
        ("integrity: ts", "integrity: x"),
        asked,
        &["packages/b:TOOLS", "packages/a:shared"],
    );
    check(
        files,
        ("autoInstallPeers: true", "autoInstallPeers: false"),
        asked,
        asked,
    );
    check(files, ("specifier: ^5", "specifier: ^4"), asked, &[]);
}

#[test]
fn older_pnpm_keys_are_read() {
    let five = &[(
        "pnpm-lock.yaml",
        "lockfileVersion: 5.4\nspecifiers:\n  a: ^1\n  '@s/b': ^2\ndependencies:\n  a: 1.0.0_react@17.0.2\n  '@s/b': 2.0.0\npackages:\n  /@s/b/2.0.0:\n    resolution: {integrity: bb}\n  /a/1.0.0_react@17.0.2:\n    resolution: {integrity: aa}\n    dependencies:\n      c_d: 3.0.0\n  /c_d/3.0.0:\n    resolution: {integrity: cc}\n",
    )];
    check(
        five,
        ("integrity: cc", "integrity: x"),
        &[":a", ":@s/b", ":c_d"],
        &[":a", ":c_d"],
    );
    let six = &[(
        "pnpm-lock.yaml",
        "lockfileVersion: '6.0'\ndependencies:\n  a:\n    specifier: ^1\n    version: 1.0.0(react@17.0.2)\npackages:\n  /a@1.0.0(react@17.0.2):\n    resolution: {integrity: aa}\n    dependencies:\n      c_d: 3.0.0\n  /c_d@3.0.0:\n    resolution: {integrity: cc}\n",
    )];
    check(
        six,
        ("integrity: cc", "integrity: x"),
        &[":a", ":c_d"],
        &[":a", ":c_d"],
    );
    check(
        six,
        ("integrity: aa", "integrity: x"),
        &[":a", ":c_d"],
        &[":a"],
    );
    let names = |files| -> Vec<String> {
        let locks = read(files);
        let shown = |package: &Locked| format!("{} {}", package.name, package.version);
        locks.list[0].packages.iter().map(shown).collect()
    };
    assert_eq!(names(five), ["@s/b 2.0.0", "a 1.0.0", "c_d 3.0.0"]);
    assert_eq!(names(six), ["a 1.0.0", "c_d 3.0.0"]);
}

#[test]
fn pnpms_own_document_governs_everything() {
    let files = &[(
        "pnpm-lock.yaml",
        "---\nlockfileVersion: '9.0'\npackages:\n  pnpm@11.0.0:\n    resolution: {integrity: pp}\n---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a: {specifier: ^1, version: 1.0.0}\npackages:\n  a@1.0.0:\n    resolution: {integrity: aa}\nsnapshots:\n  a@1.0.0: {}\n",
    )];
    check(files, ("integrity: pp", "integrity: x"), &[":a"], &[":a"]);
}

const YARN: &[File<'_>] = &[(
    "yarn.lock",
    "# THIS IS AN AUTOGENERATED FILE.\n# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.1.0\"\n  resolved \"https://example.org/a\"\n  integrity aa\n  dependencies:\n    b \"^1.0.0\"\n\nb@^1.0.0:\n  version \"1.0.0\"\n  integrity b1\n\nb@^2.0.0:\n  version \"2.0.0\"\n  integrity b2\n  optionalDependencies:\n    \"@s/a\" \"^1.1.0\"\n",
)];

#[test]
fn yarn_one_resolves_descriptors() {
    check(
        YARN,
        ("integrity b1", "integrity x"),
        &[":@s/a", ":b"],
        &[":@s/a", ":b"],
    );
    check(
        YARN,
        ("integrity b2", "integrity x"),
        &[":@s/a", ":b"],
        &[":b"],
    );
    check(
        YARN,
        ("integrity aa", "integrity x"),
        &[":@s/a", ":b"],
        &[":@s/a", ":b"],
    );
}

#[test]
fn yarn_berry_workspaces_are_importers() {
    let files = &[(
        "yarn.lock",
        "__metadata:\n  version: 8\n  cacheKey: 10\n\n\"a@npm:^1.0.0, a@npm:^1.1.0\":\n  version: 1.1.0\n  resolution: \"a@npm:1.1.0\"\n  dependencies:\n    b: \"npm:^1.0.0\"\n  checksum: aa\n  languageName: node\n  linkType: hard\n\n\"b@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n  checksum: b1\n  linkType: hard\n\n\"b@npm:^2.0.0\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n  checksum: b2\n  linkType: hard\n\n\"w@workspace:packages/w\":\n  version: 0.0.0-use.local\n  resolution: \"w@workspace:packages/w\"\n  dependencies:\n    a: \"npm:^1.1.0\"\n    b: \"npm:^2.0.0\"\n  linkType: soft\n\n\"v@workspace:packages/v\":\n  version: 0.0.0-use.local\n  resolution: \"v@workspace:packages/v\"\n  dependencies:\n    b: \"npm:^1.0.0\"\n  linkType: soft\n",
    )];
    let asked = &["packages/w:a", "packages/w:b", "packages/v:b"];
    check(
        files,
        ("checksum: b1", "checksum: x"),
        asked,
        &["packages/w:a", "packages/v:b"],
    );
    check(
        files,
        ("checksum: b2", "checksum: x"),
        asked,
        &["packages/w:b"],
    );
    check(files, ("cacheKey: 10", "cacheKey: 11"), asked, asked);
}

#[test]
fn poetry_maps_imports_to_distributions() {
    let files = &[
        (
            "poetry.lock",
            "[[package]]\nname = \"pyyaml\"\nversion = \"6.0\"\noptional = false\ngroups = [\"main\"]\nfiles = [{file = \"p\", hash = \"h1\"}]\n[[package]]\nname = \"requests\"\nversion = \"2.0\"\nfiles = []\n[package.dependencies]\nURLLib3 = \">=1\"\n[[package]]\nname = \"urllib3\"\nversion = \"2.1\"\nfiles = [{file = \"u\", hash = \"h2\"}]\n[[package]]\nname = \"pytest-cov\"\nversion = \"5\"\nfiles = [{file = \"c\", hash = \"h3\"}]\n[metadata]\nlock-version = \"2.0\"\ncontent-hash = \"zz\"\n",
        ),
        (
            "pyproject.toml",
            "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nPyYAML = \"*\"\nrequests = \"*\"\n[tool.poetry.group.dev.dependencies]\npytest-cov = \"*\"\n",
        ),
    ];
    let asked = &[":yaml", "src:requests", ":unknown", ":TOOLS"];
    check(
        files,
        ("\"h1\"", "\"x\""),
        asked,
        &[":yaml", ":unknown", ":TOOLS"],
    );
    check(
        files,
        ("\"h2\"", "\"x\""),
        asked,
        &["src:requests", ":unknown", ":TOOLS"],
    );
    check(files, ("\"zz\"", "\"x\""), asked, &[]);
    check(files, ("[\"main\"]", "[\"dev\"]"), asked, &[]);
    let imported: BTreeSet<&str> = ["yaml", "requests"].into();
    let edited = files[0].1.replace("\"h2\"", "\"x\"");
    let (before, after) = (read(files), read(&[("poetry.lock", &edited), files[1]]));
    assert_eq!(
        before.tools_slice("", &imported),
        after.tools_slice("", &imported)
    );
    let plugins: BTreeSet<&str> = ["yaml", "requests", "pytest_cov"].into();
    let edited = files[0].1.replace("\"h3\"", "\"x\"");
    let after = read(&[("poetry.lock", &edited), files[1]]);
    assert_ne!(
        before.tools_slice("", &plugins),
        after.tools_slice("", &plugins)
    );
}

#[test]
fn old_poetry_files_are_part_of_their_package() {
    let files = &[(
        "poetry.lock",
        "[[package]]\nname = \"a\"\nversion = \"1\"\ncategory = \"main\"\n[[package]]\nname = \"b\"\nversion = \"1\"\n[metadata.files]\na = [{file = \"a\", hash = \"h1\"}]\nb = []\n",
    )];
    check(files, ("\"h1\"", "\"x\""), &[":a", ":b"], &[":a"]);
}

#[test]
fn uv_needs_are_read_from_groups_and_extras() {
    let files = &[(
        "uv.lock",
        "version = 1\nrequires-python = \">=3.12\"\n[[package]]\nname = \"app\"\nversion = \"0.1\"\nsource = { editable = \".\" }\ndependencies = [{ name = \"flask\" }]\n[package.dev-dependencies]\ndev = [{ name = \"ruff\" }]\n[package.metadata]\nrequires-dist = [{ name = \"flask\", specifier = \">=2\" }]\n[[package]]\nname = \"flask\"\nversion = \"3.0\"\nsource = { registry = \"r\" }\ndependencies = [{ name = \"numpy\", version = \"1.0\", source = { registry = \"r\" }, marker = \"m\" }]\nwheels = [{ url = \"f\", hash = \"h1\", size = 3 }]\n[[package]]\nname = \"numpy\"\nversion = \"1.0\"\nsource = { registry = \"r\" }\nsdist = { url = \"n\", hash = \"h2\", upload-time = \"t1\" }\n[[package]]\nname = \"numpy\"\nversion = \"2.0\"\nsource = { registry = \"r\" }\nsdist = { url = \"n\", hash = \"h3\" }\n[[package]]\nname = \"ruff\"\nversion = \"1.0\"\nsource = { registry = \"r\" }\nsdist = { url = \"n\", hash = \"h4\" }\n",
    )];
    let asked = &[":flask", ":numpy", ":TOOLS"];
    check(files, ("\"h2\"", "\"x\""), asked, asked);
    check(files, ("\"h3\"", "\"x\""), asked, &[":numpy"]);
    check(files, ("\"h4\"", "\"x\""), asked, &[":TOOLS"]);
    check(files, ("\"t1\"", "\"t2\""), asked, &[]);
    check(files, ("size = 3", "size = 4"), asked, &[]);
}

#[test]
fn pdm_and_pipenv_are_read() {
    let pdm = &[(
        "pdm.lock",
        "[metadata]\ngroups = [\"default\"]\n[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"b>=1; python_version < '4'\"]\nfiles = []\n[[package]]\nname = \"b\"\nversion = \"1\"\nfiles = [{file = \"b\", hash = \"h1\"}]\n",
    )];
    check(pdm, ("\"h1\"", "\"x\""), &[":a", ":b"], &[":a", ":b"]);
    let pipenv = &[(
        "Pipfile.lock",
        r#"{"_meta": {"hash": {}}, "default": {"a": {"version": "==1.0", "hashes": ["h1"]}, "b": {"version": "==2.0"}}}"#,
    )];
    check(pipenv, ("\"h1\"", "\"x\""), &[":a", ":b"], &[":a", ":b"]);
}

#[test]
fn requirements_without_a_graph_are_one_slice() {
    let files = &[
        (
            "requirements/base.txt",
            "flask==3.0\nrequests==2.0 ; python_version > '3' # note\n",
        ),
        ("requirements/dev.txt", "-r base.txt\npytest==8.0\n"),
        ("pyproject.toml", "[project]\nname = \"a\"\n"),
    ];
    check(
        files,
        ("requests==2.0", "requests==2.1"),
        &[":flask", ":pytest"],
        &[":flask", ":pytest"],
    );
}

#[test]
fn compiled_requirements_say_who_asked() {
    let files = &[(
        "requirements.txt",
        "# compiled\n--index-url https://example.org\nflask==3.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via -r requirements.in\njinja2==3.1 \\\n    --hash=sha256:cc\n    # via\n    #   flask\n    #   sphinx\nsphinx==7.0\n    # via -r requirements.in\nurllib3==2.0  # via sphinx\n",
    )];
    let asked = &[":flask", ":jinja2", ":sphinx", ":urllib3"];
    check(files, ("sha256:bb", "sha256:xx"), asked, &[":flask"]);
    check(
        files,
        ("sha256:cc", "sha256:xx"),
        asked,
        &[":flask", ":jinja2", ":sphinx"],
    );
    check(
        files,
        ("urllib3==2.0", "urllib3==2.1"),
        asked,
        &[":sphinx", ":urllib3"],
    );
    check(files, ("example.org", "example.com"), asked, asked);
}

#[test]
fn a_comment_of_a_person_is_no_graph() {
    let files = &[(
        "requirements.txt",
        "flask==3.0 # web\n# for tests\npytest==8.0 # viable\n",
    )];
    check(
        files,
        ("8.0", "8.1"),
        &[":flask", ":pytest"],
        &[":flask", ":pytest"],
    );
}

#[test]
fn requirements_that_include_each_other_end() {
    let files = [
        ("requirements.txt", "-r requirements-b.txt\na\n"),
        ("requirements-b.txt", "-r requirements.txt\nb\n"),
    ];
    assert_eq!(read(&files).list.len(), 2);
}
