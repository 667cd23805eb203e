//! Which blobs the engine wants to see, and in which form.
//!
//! The caller lists a tree, asks [`want`] for every path and reads only those
//! blobs. A script that a pipeline step names is asked for later, by path.

use super::facts::Language;
use super::tree::base_name;

/// What is needed of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// Facts in this language.
    pub facts: Option<Language>,
    /// The text itself: manifests, lockfiles, CI files, build files, scripts.
    pub text: bool,
}

/// What the engine needs of a path.
pub fn want(path: &str) -> Want {
    Want {
        facts: Language::of_path(path),
        text: is_text_wanted(path),
    }
}

/// Settings of Rust's libraries of templates, beside a manifest:
/// <https://askama.readthedocs.io/en/stable/configuration.html>,
/// <https://rust-sailfish.github.io/sailfish/options/>.
pub const TEMPLATE_SETTINGS: &[&str] = &[
    "askama.toml",
    "rinja.toml",
    "yarte.toml",
    "sailfish.toml",
    "sailfish.yml",
    "sailfish.yaml",
];

/// Files of the runners of tasks, which people start by the name of a task.
pub const RUNNERS: &[&str] = &[
    "Makefile",
    "GNUmakefile",
    "makefile",
    "justfile",
    "Justfile",
    ".justfile",
    "Taskfile.yml",
    "Taskfile.yaml",
];

/// Other base names that are read as text wherever they lie.
const NAMES: &[&str] = &[
    // Python
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "noxfile.py",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
    "MANIFEST.in",
    ".coveragerc",
    "mypy.ini",
    "ruff.toml",
    ".ruff.toml",
    // JavaScript
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "yarn.lock",
    "lerna.json",
    "turbo.json",
    "nx.json",
    "project.json",
    "rush.json",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".babelrc",
    ".babelrc.json",
    ".swcrc",
    "deno.json",
    // Go, Rust, the JVM, C
    "go.mod",
    "go.sum",
    "go.work",
    "Cargo.toml",
    "Cargo.lock",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "libs.versions.toml",
    "gradle.properties",
    "CMakeLists.txt",
    "meson.build",
    // Tools
    "Dockerfile",
    "compose.yml",
    "compose.yaml",
    "docker-compose.yml",
    "docker-compose.yaml",
    ".pre-commit-config.yaml",
    ".gitattributes",
    ".gitmodules",
    ".trimtab.yml",
    "CODEOWNERS",
];

/// Endings of base names that are read as text.
const ENDINGS: &[&str] = &[
    ".sh",
    ".bash",
    ".mk",
    ".cmake",
    ".gradle",
    ".gradle.kts",
    ".csproj",
    ".sln",
    // Definitions of messages, which import others.
    ".proto",
    ".capnp",
    ".fbs",
    ".thrift",
    // Assembly of Go, which includes headers.
    ".s",
    ".S",
];

fn is_text_wanted(path: &str) -> bool {
    let name = base_name(path);
    let has_stem = |stems: &[&str], endings: &[&str]| {
        stems.iter().any(|stem| {
            name.strip_prefix(stem)
                .is_some_and(|rest| endings.iter().any(|end| rest.ends_with(end)))
        })
    };
    let lists = [NAMES, RUNNERS, TEMPLATE_SETTINGS];
    lists.iter().any(|names| names.contains(&name))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || has_stem(
            &[
                "requirements",
                "constraints",
                "dev-requirements",
                "test-requirements",
            ],
            &[".txt", ".in"],
        )
        || path.contains("requirements/") && (name.ends_with(".txt") || name.ends_with(".in"))
        || has_stem(&["tsconfig", "jsconfig"], &[".json"])
        || has_stem(
            &[
                "jest.config",
                "vitest.config",
                "vitest.workspace",
                "vite.config",
                ".mocharc",
                "babel.config",
            ],
            &[""],
        )
        || path.starts_with(".github/") && (name.ends_with(".yml") || name.ends_with(".yaml"))
        || path.starts_with(".gitlab") && (name.ends_with(".yml") || name.ends_with(".yaml"))
        || name.ends_with("action.yml")
        || name.ends_with("action.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_and_workflows_are_read_as_text() {
        for path in [
            "a/package.json",
            "requirements-dev.txt",
            "requirements/base.txt",
            ".github/workflows/ci.yml",
            "tsconfig.build.json",
            "vitest.config.ts",
            "tools/run.sh",
            ".github/actions/x/action.yml",
        ] {
            assert!(want(path).text, "{path}");
        }
        for path in ["README.md", "src/main.rs", "data/x.json", "a.yml"] {
            assert!(!want(path).text, "{path}");
        }
    }
}
