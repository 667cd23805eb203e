//! Which files sources of Python need, by every way that there is.

use super::*;
use crate::engine::graph::sample;

/// What the first file needs by the edges that it writes.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    check_kinds(
        files,
        &[EdgeKind::Import, EdgeKind::Type, EdgeKind::Named],
        expected,
    );
}

fn check_kinds(files: &[(&str, &str)], kinds: &[EdgeKind], expected: &[&str]) {
    let snapshot = sample::snapshot(files);
    let graph = sample::graph(&snapshot, &[resolve]);
    let found = sample::needs(&snapshot, &graph, files[0].0, kinds);
    assert_eq!(found, expected.join("\n"), "{files:?}");
}

#[test]
fn packages_modules_and_stubs_are_found_from_the_root_and_from_src() {
    check(
        &[
            ("a.py", "import p.m\nfrom q import n, attr\nimport s"),
            ("p/__init__.py", ""),
            ("p/m.py", ""),
            ("src/q/__init__.py", ""),
            ("src/q/n.py", ""),
            ("s.pyi", ""),
        ],
        &[
            "import p/m.py",
            "import s.pyi",
            "import src/q/__init__.py",
            "import src/q/n.py",
        ],
    );
}

#[test]
fn relative_imports_climb() {
    check(
        &[
            (
                "p/a/b.py",
                "from . import c\nfrom ..d import e\nfrom .. import f",
            ),
            ("p/__init__.py", ""),
            ("p/a/__init__.py", ""),
            ("p/a/c.py", ""),
            ("p/d.py", ""),
            ("p/f/__init__.py", ""),
        ],
        &[
            "import p/__init__.py",
            "import p/a/__init__.py",
            "import p/a/c.py",
            "import p/d.py",
            "import p/f/__init__.py",
        ],
    );
    check(&[("a.py", "from ... import x")], &["unresolved ..."]);
}

#[test]
fn namespace_packages_need_no_init() {
    check(
        &[
            ("a.py", "from ns.deep import m\nimport ns.deep.n"),
            ("ns/deep/m.py", ""),
            ("ns/deep/n.py", ""),
        ],
        &["import ns/deep/m.py", "import ns/deep/n.py"],
    );
}

#[test]
fn a_directory_of_the_same_name_does_not_hide_an_external_package() {
    check(
        &[("a.py", "import docker"), ("docker/build.py", "")],
        &["external docker"],
    );
    check(
        &[("a.py", "import yaml.x\nimport os.path"), ("b.py", "")],
        &["external yaml"],
    );
    check(
        &[
            ("src/a.py", "import requests"),
            ("pyproject.toml", ""),
            ("tests/data/requests/__init__.py", ""),
        ],
        &[
            "import tests/data/requests/__init__.py",
            "external requests",
        ],
    );
}

#[test]
fn what_should_be_here_and_is_not_is_reported() {
    check(
        &[("a.py", "import p._version"), ("p/__init__.py", "")],
        &["import p/__init__.py", "unresolved p._version"],
    );
    check(
        &[("p/a.py", "from .gone import x"), ("p/__init__.py", "")],
        &["unresolved .gone"],
    );
}

#[test]
fn siblings_and_conftest_directories_are_on_the_path_of_tests() {
    check(
        &[
            ("tests/unit/test_a.py", "import helper\nimport shared"),
            ("tests/unit/helper.py", ""),
            ("tests/conftest.py", ""),
            ("tests/shared.py", ""),
        ],
        &["import tests/shared.py", "import tests/unit/helper.py"],
    );
}

#[test]
fn one_name_in_two_packages_means_the_importers_own() {
    let files = [
        ("a/tests/test_x.py", "import app"),
        ("a/pyproject.toml", ""),
        ("a/app/__init__.py", ""),
        ("b/pyproject.toml", ""),
        ("b/app/__init__.py", ""),
    ];
    check(&files, &["import a/app/__init__.py"]);
}

#[test]
fn several_candidates_are_all_needed() {
    check(
        &[("x.py", "import m"), ("m.py", ""), ("src/m.py", "")],
        &["import m.py", "import src/m.py"],
    );
    check(
        &[("x.py", "import m"), ("tools/m.py", ""), ("jobs/m.py", "")],
        &["import jobs/m.py", "import tools/m.py", "external m"],
    );
}

#[test]
fn declared_roots_count() {
    check(
        &[
            ("tests/test_a.py", "import m\nimport n"),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]\npythonpath = ['code']\n[tool.setuptools.packages.find]\nwhere = ['py']",
            ),
            ("code/m.py", ""),
            ("py/n.py", ""),
        ],
        &["import code/m.py", "import py/n.py"],
    );
}

#[test]
fn inits_conftests_and_settings_are_needed_without_being_written() {
    check_kinds(
        &[
            ("p/tests/test_a.py", ""),
            ("conftest.py", ""),
            ("p/__init__.py", ""),
            ("p/tests/__init__.py", ""),
            ("p/tests/conftest.py", ""),
            ("pyproject.toml", ""),
            ("p/tox.ini", ""),
        ],
        &[],
        &[
            "implicit conftest.py",
            "implicit p/tests/__init__.py",
            "implicit p/tests/conftest.py",
            "config p/tox.ini",
            "config pyproject.toml",
        ],
    );
    check_kinds(
        &[("p/tests/__init__.py", ""), ("p/__init__.py", "")],
        &[],
        &["implicit p/__init__.py"],
    );
}

#[test]
fn a_package_hides_the_module_of_its_name() {
    check_kinds(
        &[("tests/test_a.py", ""), ("tests/test_a/__init__.py", "")],
        &[],
        &["implicit tests/test_a/__init__.py"],
    );
}

#[test]
fn a_module_hides_the_namespace_of_its_name() {
    let implicit = |files: &[(&str, &str)], expected: &[&str]| check_kinds(files, &[], expected);
    let x = ("ns/a/x.py", "");
    implicit(
        &[x, ("ns/a.py", ""), ("ns/c.py", "")],
        &["implicit ns/a.py"],
    );
    implicit(&[x, ("ns.py", "")], &["implicit ns.py"]);
    // A package with an `__init__` wins over the module.
    let package = ("ns/a/__init__.py", "");
    implicit(
        &[x, package, ("ns/a.py", "")],
        &["implicit ns/a/__init__.py"],
    );
}

#[test]
fn entry_points_and_settings_lead_from_the_manifest_to_modules() {
    let manifest = "[project.entry-points.pytest11]\nplug = 'p.plugin'\n[tool.pytest.ini_options]\naddopts = '-q -p p.extra'\nDJANGO_SETTINGS_MODULE = 'p.settings'\n[project.scripts]\nprog = 'p.cli:main'\n";
    let files = [
        ("pyproject.toml", manifest),
        ("p/__init__.py", ""),
        ("p/plugin.py", ""),
        ("p/extra.py", ""),
        ("p/settings.py", ""),
        ("p/cli.py", ""),
    ];
    check_kinds(
        &files,
        &[],
        &[
            "implicit p/extra.py",
            "implicit p/plugin.py",
            "implicit p/settings.py",
        ],
    );
    let mut files = files.to_vec();
    files.insert(0, ("test_a.py", "subprocess.run(['prog', '-x'])"));
    check(&files, &["named p/cli.py"]);
    check_kinds(
        &[
            (
                "setup.cfg",
                "[options.entry_points]\ngroup =\n    x = p.plugin:X\n",
            ),
            ("p/__init__.py", ""),
            ("p/plugin.py", ""),
        ],
        &[],
        &["implicit p/plugin.py"],
    );
}

#[test]
fn dotted_strings_name_modules_of_the_repository_only() {
    check(
        &[
            (
                "a.py",
                "MIDDLEWARE = ['p.m.Handler', 'django.x.Y', 'p.json', 'p:app']",
            ),
            ("p/__init__.py", ""),
            ("p/m.py", ""),
        ],
        &["named p/m.py"],
    );
    check(
        &[("a.py", "patch('p.func')"), ("p.py", "")],
        &["import p.py", "named p.py"],
    );
}

#[test]
fn a_star_takes_the_submodules_that_all_names() {
    check(
        &[
            ("a.py", "from p import *"),
            ("p/__init__.py", "__all__ = ['one']"),
            ("p/one.py", ""),
            ("p/two.py", ""),
        ],
        &["import p/__init__.py", "import p/one.py"],
    );
}

#[test]
fn installed_apps_are_needed_as_a_whole() {
    check(
        &[
            (
                "settings.py",
                "INSTALLED_APPS = ['polls', 'rest_framework']",
            ),
            ("polls/__init__.py", ""),
            ("polls/models.py", ""),
            ("polls/migrations/0001.py", ""),
        ],
        &[
            "import polls/__init__.py",
            "import polls/migrations/0001.py",
            "import polls/models.py",
            "external rest_framework",
        ],
    );
}

#[test]
fn doubtful_constructs_and_broken_files_are_widened() {
    check(
        &[("a.py", "x = 1\nexec(x)")],
        &["widened exec(...):2 Package"],
    );
    check(&[("a.py", "def (:")], &["widened a syntax error:1 Package"]);
}
