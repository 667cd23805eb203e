//! Files that a fault adds: what tools pick up without being told.
//!
//! A program looks up more names than it finds: a hook, a configuration, a module
//! that would come first. Each addition is such a name, with a content that is
//! noticed when somebody reads it.

use crate::edits::Dialect;

/// A path and its content.
pub(crate) type Added = (String, String);

/// Code that a test runner, a compiler or an import finds by itself.
pub(crate) fn code(script: Dialect, dir: &str, sibling: Option<&str>) -> Vec<Added> {
    let failure = script.failure();
    let loud = format!("{failure}\n");
    let names: Vec<(&str, String)> = match script {
        Dialect::Python => vec![
            ("zz_fault.py", loud.clone()),
            (
                "test_zz_fault.py",
                format!("def test_fault():\n    {failure}\n"),
            ),
            ("conftest.py", loud.clone()),
            ("__init__.py", loud),
        ],
        Dialect::JavaScript => vec![
            ("zz-fault.js", loud.clone()),
            ("zz-fault.test.js", loud.clone()),
            ("index.js", loud.clone()),
            ("index.mjs", loud.clone()),
            ("__mocks__/fs.js", loud),
        ],
        Dialect::Go => {
            let package = sibling.and_then(package_clause).unwrap_or("main");
            vec![
                (
                    "zz_fault.go",
                    format!("package {package}\n\nfunc init() {{ {failure} }}\n"),
                ),
                (
                    "zz_fault_test.go",
                    format!("package {package}\n\nfunc init() {{ {failure} }}\n"),
                ),
                (
                    "zz_fault_linux.go",
                    format!("package {package}\n\nfunc init() {{ {failure} }}\n"),
                ),
                ("zzfault/fault.go", "package zzfault\n\nfunc {\n".to_owned()),
            ]
        }
        Dialect::Rust => vec![
            ("zz_fault.rs", "fn {\n".to_owned()),
            ("build.rs", format!("fn main() {{ {failure} }}\n")),
            (
                "tests/zz_fault.rs",
                format!("#[test]\nfn fault() {{ {failure} }}\n"),
            ),
            ("src/bin/zz_fault.rs", "fn {\n".to_owned()),
            ("src/main.rs", "fn {\n".to_owned()),
            ("examples/zz_fault.rs", "fn {\n".to_owned()),
        ],
        Dialect::Other => vec![("zz-fault.txt", loud)],
    };
    placed(dir, names)
}

/// Configuration that a tool would find there; wrong on purpose.
pub(crate) fn configuration(script: Dialect, dir: &str) -> Vec<Added> {
    let own = match script {
        Dialect::Python => FOR_PYTHON,
        Dialect::JavaScript => FOR_JAVASCRIPT,
        Dialect::Go => FOR_GO,
        Dialect::Rust => FOR_RUST,
        Dialect::Other => &[],
    };
    let all = own.iter().chain(FOR_ANY);
    placed(
        dir,
        all.map(|(name, text)| (*name, (*text).to_owned()))
            .collect(),
    )
}

const FOR_PYTHON: &[(&str, &str)] = &[
    ("pytest.ini", "[pytest]\naddopts = --fault\n"),
    ("tox.ini", "[pytest]\naddopts = --fault\n"),
    (
        "setup.cfg",
        "[tool:pytest]\naddopts = --fault\n[mypy]\nfault = 1\n",
    ),
    (
        "pyproject.toml",
        "[tool.pytest.ini_options]\naddopts = '--fault'\n[tool.mypy]\nfault = 1\n",
    ),
    ("mypy.ini", "[mypy]\nfiles = fault\n"),
    ("ruff.toml", "fault = 1\n"),
    (".ruff.toml", "fault = 1\n"),
    (".coveragerc", "[fault\n"),
    ("sitecustomize.py", "raise SystemExit(3)\n"),
    ("usercustomize.py", "raise SystemExit(3)\n"),
    ("py.typed", "partial\n"),
];

const FOR_JAVASCRIPT: &[(&str, &str)] = &[
    (
        "package.json",
        "{\"type\": \"module\", \"main\": \"fault.js\"}\n",
    ),
    (".mocharc.json", "{\"require\": \"./fault.js\"}\n"),
    (".mocharc.yml", "require: ./fault.js\n"),
    (".eslintrc.json", "{\"fault\": 1}\n"),
    ("eslint.config.js", "throw new Error('fault');\n"),
    (".npmrc", "node-options=--fault\n"),
    ("tsconfig.json", "{\"extends\": \"./fault\"}\n"),
    ("babel.config.js", "throw new Error('fault');\n"),
    ("vitest.config.js", "throw new Error('fault');\n"),
    ("jest.config.js", "throw new Error('fault');\n"),
    (".nycrc", "{\"check-coverage\": true, \"lines\": 101}\n"),
    ("node_modules/debug/index.js", "throw new Error('fault');\n"),
];

const FOR_GO: &[(&str, &str)] = &[
    ("go.mod", "module fault.example/fault\n\ngo 1.18\n"),
    ("go.work", "go 1.18\n\nuse ./fault\n"),
    (
        "vendor/modules.txt",
        "# fault.example/fault v1.0.0\n## explicit\nfault.example/fault\n",
    ),
    ("testdata/fault.txt", "fault\n"),
];

const FOR_RUST: &[(&str, &str)] = &[
    (".cargo/config.toml", "[build]\nrustflags = [\"--fault\"]\n"),
    (".cargo/config", "[build]\nrustflags = [\"--fault\"]\n"),
    (
        "Cargo.toml",
        "[package]\nname = \"fault\"\nversion = \"0.0.0\"\n",
    ),
    ("clippy.toml", "fault = 1\n"),
    ("rustfmt.toml", "fault = 1\n"),
    (".rustfmt.toml", "fault = 1\n"),
];

const FOR_ANY: &[(&str, &str)] = &[
    (".gitattributes", "* text eol=crlf\n"),
    (".gitignore", "*\n"),
    (".env", "FAULT=1\n"),
    ("Makefile", "fault:\n\tfalse\n"),
    (".editorconfig", "[*]\nindent_style = fault\n"),
];

/// A file that would be found before the one at `path`.
pub(crate) fn shadows(path: &str) -> Vec<Added> {
    let (stem, extension) = path.rsplit_once('.').unwrap_or((path, ""));
    let loud = Dialect::of(path).failure().to_owned() + "\n";
    let in_dir = |name: &str| (format!("{stem}/{name}"), loud.clone());
    match extension {
        "py" => vec![
            in_dir("__init__.py"),
            (format!("{stem}.pyi"), "def fault(\n".to_owned()),
        ],
        "js" | "mjs" | "cjs" | "ts" => {
            let mut found = vec![in_dir("index.js"), in_dir("package.json")];
            let others = ["js", "json", "mjs", "ts", "cjs"]
                .into_iter()
                .filter(|other| *other != extension);
            found.extend(others.map(|other| (format!("{stem}.{other}"), loud.clone())));
            if let Some(dir) = stem.strip_suffix("/index") {
                found.push((format!("{dir}.js"), loud));
            }
            found
        }
        "rs" => vec![(format!("{stem}/mod.rs"), "fn {\n".to_owned())],
        "go" => vec![
            (format!("{stem}_test.go"), "package fault\n".to_owned()),
            (format!("{stem}_amd64.go"), "package fault\n".to_owned()),
        ],
        _ => vec![
            (format!("{path}.local"), loud.clone()),
            (format!("{stem}.local.{extension}"), loud),
        ],
    }
}

/// A module of this name in this directory, which an import would find first.
pub(crate) fn module(script: Dialect, dir: &str, name: &str) -> Vec<Added> {
    let loud = script.failure().to_owned() + "\n";
    match script {
        Dialect::Python => placed(
            dir,
            vec![
                (&format!("{name}.py"), loud.clone()),
                (&format!("{name}/__init__.py"), loud),
            ],
        ),
        Dialect::JavaScript => placed(
            dir,
            vec![
                (&format!("{name}.js"), loud.clone()),
                (&format!("{name}/index.js"), loud.clone()),
                (&format!("node_modules/{name}/index.js"), loud),
            ],
        ),
        Dialect::Go | Dialect::Rust | Dialect::Other => Vec::new(),
    }
}

fn package_clause(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("package "))
        .map(str::trim)
}

fn placed(dir: &str, names: Vec<(&str, String)>) -> Vec<Added> {
    let place = |name: &str| {
        if dir.is_empty() {
            name.to_owned()
        } else {
            format!("{dir}/{name}")
        }
    };
    names
        .into_iter()
        .map(|(name, text)| (place(name), text))
        .collect()
}
