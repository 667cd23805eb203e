//! What nothing reads unless something names it.
//!
//! The lists are short on purpose: a kind of file enters them only when no build,
//! test or lint tool is known to look for it by itself. `.gitignore`,
//! `.editorconfig` and `.mdx` are read by tools and are not here.

use super::{base_name, dir_of};

/// Whether a path is prose, a licence, a picture under docs, or of a CI service.
pub(super) fn is_inert(path: &str) -> bool {
    let name = base_name(path);
    is_prose(name) || is_service(path, name) || is_under_docs(path) && is_picture(name)
}

fn is_prose(name: &str) -> bool {
    const ENDINGS: &[&str] = &[".md", ".markdown", ".rst", ".adoc", ".asciidoc"];
    const STEMS: &[&str] = &[
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "authors",
        "contributors",
        "contributing",
        "changelog",
        "changes",
        "history",
        "news",
        "security",
        "code_of_conduct",
        "maintainers",
        "owners",
        "codeowners",
        "patents",
        "thanks",
    ];
    let lower = name.to_ascii_lowercase();
    let (stem, ending) = lower.split_once(['.', '-']).unwrap_or((&lower, ""));
    ENDINGS.iter().any(|ending| lower.ends_with(ending))
        || STEMS.contains(&stem) && matches!(ending, "" | "txt" | "mit" | "apache" | "bsd")
        || matches!(
            lower.as_str(),
            "citation.cff" | ".mailmap" | ".git-blame-ignore-revs"
        )
}

/// Files that belong to a forge, a CI service or an editor.
fn is_service(path: &str, name: &str) -> bool {
    const DIRS: &[&str] = &[
        ".github/",
        ".gitlab/",
        ".circleci/",
        ".buildkite/",
        ".vscode/",
        ".idea/",
        ".changeset/",
    ];
    const ROOT: &[&str] = &[
        ".gitlab-ci.yml",
        ".travis.yml",
        ".cirrus.yml",
        ".appveyor.yml",
        "appveyor.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        "bitbucket-pipelines.yml",
        ".trimtab.yml",
        "renovate.json",
        "renovate.json5",
        ".renovaterc",
        ".all-contributorsrc",
        // Each is read by one tool alone, and a job that runs the tool has it as an input.
        ".pre-commit-config.yaml",
        ".golangci.yml",
        ".golangci.yaml",
        ".readthedocs.yml",
        ".readthedocs.yaml",
        ".codecov.yml",
        "codecov.yml",
    ];
    DIRS.iter().any(|dir| path.starts_with(dir)) || path == name && ROOT.contains(&name)
}

fn is_under_docs(path: &str) -> bool {
    dir_of(path)
        .split('/')
        .any(|part| matches!(part, "docs" | "doc" | "documentation" | "Documentation"))
}

fn is_picture(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "pdf", "mp4", "webm", "drawio",
    ];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}
