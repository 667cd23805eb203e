//! Tests of [`Packages`](super::Packages): what is a package, and what it asks for.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::engine::ids::ObjectId;
use crate::engine::tree::Tree;

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let blob = |index: usize| ObjectId::from_bytes(&[u8::try_from(index).unwrap(); 20]).unwrap();
    let entries = files.iter().enumerate().map(|(index, (path, _))| Entry {
        path: (*path).into(),
        mode: Mode::File,
        blob: blob(index),
    });
    let mut snapshot = Snapshot::new(Tree::new(entries.collect()));
    for (index, (_, text)) in files.iter().enumerate() {
        snapshot.insert_text(blob(index), Arc::from(*text));
    }
    snapshot
}

fn check(files: &[(&str, &str)], expected: &str) {
    let mut lines = String::new();
    for package in Packages::read(&snapshot(files)).list {
        let dir = if package.dir.is_empty() {
            "."
        } else {
            &package.dir
        };
        let name = package.name.as_deref().unwrap_or("-");
        let open = if package.complete { "" } else { " ..." };
        write!(lines, "{dir} {:?} {name}:", package.ecosystem).unwrap();
        package
            .requires
            .iter()
            .for_each(|name| write!(lines, " {name}").unwrap());
        write!(lines, "{open}").unwrap();
        if !package.members.is_empty() {
            write!(lines, " | {}", package.members.join(" ")).unwrap();
        }
        lines.push('\n');
    }
    assert_eq!(lines.trim_end(), expected);
}

#[test]
fn every_builder_of_pyproject_is_read() {
    check(
        &[(
            "pyproject.toml",
            r#"
            [build-system]
            requires = ["hatchling>=1"]
            [project]
            name = "shop"
            dependencies = ["requests[socks] >= 2", "PyYAML; python_version < '3.9'", "x @ https://e.org/x.whl"]
            [project.optional-dependencies]
            dev = ["pytest~=8.0"]
            [dependency-groups]
            lint = ["ruff", {include-group = "types"}]
            types = ["mypy"]
            [tool.uv]
            dev-dependencies = ["tox"]
            [tool.uv.workspace]
            members = ["libs/*"]
            [tool.pdm.dev-dependencies]
            test = ["coverage"]
            "#,
        )],
        ". Python shop: PyYAML coverage hatchling mypy pytest requests ruff tox x | libs/*",
    );
    check(
        &[(
            "pyproject.toml",
            r#"
            [tool.poetry]
            name = "shop"
            [tool.poetry.dependencies]
            python = "^3.12"
            Django = "^5"
            [tool.poetry.group.dev.dependencies]
            pytest = { version = "8", extras = ["x"] }
            "#,
        )],
        ". Python shop: Django pytest",
    );
}

#[test]
fn setup_py_with_a_computed_list_leaves_the_requirements_open() {
    check(
        &[(
            "setup.py",
            "setup(name='a', install_requires=[\n  'six>=1',  # old\n  \"attrs\"],\n extras_require={'t': ['pytest']})",
        )],
        ". Python a: attrs pytest six",
    );
    check(
        &[(
            "setup.py",
            "setup(name='a', install_requires=read('r.txt'))",
        )],
        ". Python a: ...",
    );
    check(
        &[("setup.py", "setup(install_requires=BASE + ['six'])")],
        ". Python -: ...",
    );
    check(
        &[("setup.py", "setup(install_requires=['six', *MORE])")],
        ". Python -: six ...",
    );
}

#[test]
fn setup_cfg_lists_are_read() {
    check(
        &[(
            "setup.cfg",
            "[metadata]\nname = a\n[options]\ninstall_requires =\n    six>=1\n    attrs; python_version < '3'\n[options.extras_require]\ntest = pytest\n[flake8]\nmax = 3\n",
        )],
        ". Python a: attrs pytest six",
    );
}

#[test]
fn requirements_join_the_package_above_and_make_one_only_alone() {
    check(
        &[
            ("docs/requirements.txt", "sphinx==7\n"),
            ("pyproject.toml", "[project]\nname = \"a\"\n"),
            (
                "requirements/dev.txt",
                "-r base.txt\npytest\ngit+https://e.org/x\n",
            ),
        ],
        ". Python a: pytest sphinx",
    );
    check(
        &[
            ("app/requirements.txt", "flask\n"),
            ("app/requirements/dev.txt", "pytest\n"),
        ],
        "app Python -: flask pytest",
    );
}

#[test]
fn a_pyproject_that_only_configures_tools_makes_no_second_package() {
    check(
        &[
            ("pyproject.toml", "[project]\nname = \"a\"\n"),
            ("scripts/pyproject.toml", "[tool.ruff]\nline-length = 9\n"),
        ],
        ". Python a:",
    );
    check(&[("pyproject.toml", "[tool.ruff]\n")], ". Python -:");
}

#[test]
fn package_json_with_fields_of_wrong_type_is_still_read() {
    check(
        &[(
            "package.json",
            r#"{"name": "web", "dependencies": ["x"], "devDependencies": {"jest": 3, "a": "1"},
                "peerDependencies": {"react": "*"}, "workspaces": {"packages": ["p/*"], "nohoist": []}}"#,
        )],
        ". Node web: a jest react | p/*",
    );
    check(&[("package.json", r#"{"type": "module"}"#)], "");
    check(&[("package.json", "{")], ". Node -: ...");
}

#[test]
fn a_virtual_workspace_is_a_package_without_a_name() {
    check(
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n"),
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\nold = { package = \"new\", version = \"1\" }\n[target.'cfg(unix)'.dev-dependencies]\nlibc = \"0.2\"\n",
            ),
        ],
        ". Cargo -: | a\na Cargo a: libc new serde",
    );
}

#[test]
fn go_mod_blocks_and_lines_are_read() {
    check(
        &[(
            "go.mod",
            "module example.org/shop // x\n\ngo 1.24\n\nrequire golang.org/x/net v0.1.0\nrequire (\n\tgithub.com/a/b v1.0.0 // indirect\n)\nreplace (\n\tgithub.com/a/b => ../b\n)\n",
        )],
        ". Go example.org/shop: github.com/a/b golang.org/x/net",
    );
}

#[test]
fn gradle_and_maven_modules_are_packages() {
    check(
        &[
            (
                "settings.gradle.kts",
                "rootProject.name = \"shop\"\ninclude(\":api\", \":lib:core\")\n",
            ),
            (
                "api/build.gradle",
                "dependencies {\n implementation 'org.slf4j:slf4j-api:2.0'\n api project(':lib:core')\n testImplementation libs.junit.jupiter\n}",
            ),
        ],
        ". Gradle shop: ... | api lib/core\napi Gradle -: :lib:core libs.junit.jupiter org.slf4j:slf4j-api ...",
    );
    check(
        &[(
            "pom.xml",
            "<project><parent><groupId>p</groupId><artifactId>q</artifactId></parent><artifactId>shop</artifactId><modules><module>api</module></modules><dependencies><dependency><groupId>org.a</groupId><artifactId>b</artifactId></dependency></dependencies></project>",
        )],
        ". Maven shop: org.a:b p:q | api",
    );
}

#[test]
fn only_the_top_of_a_native_build_is_a_package() {
    check(
        &[
            ("A/x/CMakeLists.txt", ""),
            ("CMakeLists.txt", ""),
            ("src/CMakeLists.txt", ""),
        ],
        ". Native -:",
    );
    check(
        &[
            ("a/meson.build", ""),
            ("a/b/meson.build", ""),
            ("c/CMakeLists.txt", ""),
        ],
        "a Native -:\nc Native -:",
    );
}

#[test]
fn a_manifest_inside_test_data_is_data() {
    let files = [
        ("package.json", r#"{"name": "a"}"#),
        ("test/fixtures/b/package.json", r#"{"name": "b"}"#),
        ("testdata/go.mod", "module x\n"),
    ];
    check(&files, ". Node a:");
}

#[test]
fn a_file_belongs_to_the_nearest_package_only() {
    let packages = Packages::read(&snapshot(&[
        ("package.json", r#"{"name": "root"}"#),
        ("packages/a/package.json", r#"{"name": "a"}"#),
        ("packages/a-b/x.json", ""),
    ]));
    assert_eq!(
        packages.owner_dir("packages/a/src/deep/x.json"),
        Some("packages/a")
    );
    assert_eq!(packages.owner_dir("packages/a-b/x.json"), Some(""));
    assert_eq!(packages.owner_dir("x"), Some(""));
    assert_eq!(Packages::default().owner_dir("a/b"), None);
    let node = packages.owner_in("packages/a/x.js", Ecosystem::Node);
    assert_eq!(node.and_then(|package| package.name.as_deref()), Some("a"));
    assert_eq!(packages.owner_in("packages/a/x.js", Ecosystem::Go), None);
}

proptest! {
    #[test]
    fn no_manifest_makes_the_reader_panic(text in "[\\[\\]{}()'\"=:,#\n\\-a-z<>/é ]{0,80}") {
        for name in [
            "pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "requirements.txt", "package.json",
            "go.mod", "Cargo.toml", "build.gradle", "settings.gradle", "pom.xml",
        ] {
            let packages = Packages::read(&snapshot(&[(name, &text)]));
            prop_assert!(packages.list.len() <= 1);
        }
    }
}
