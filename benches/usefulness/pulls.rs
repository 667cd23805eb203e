//! Pulls of the past, read from the first-parent line of a branch.
//!
//! A project that merges has a second parent for each pull; one that squashes or
//! rebases has a commit. The commits tell which of both it is.

/// One pull: what it was compared with, and what it proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pull {
    pub(crate) base: String,
    pub(crate) head: String,
}

/// The last pulls of a list of `COMMIT PARENT...` lines, the newest first: second
/// parents where at least half of the newest commits are merges, else commits.
pub(crate) fn pulls(log: &str, last: usize) -> Vec<Pull> {
    let lines: Vec<Vec<&str>> = log
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let newest = lines.iter().take(last);
    let merges = newest.filter(|line| line.len() == 3).count();
    let only_merges = merges * 2 >= lines.len().min(last);
    let pull = |line: &Vec<&str>| match line.as_slice() {
        [_, base, head] => Some(Pull {
            base: (*base).to_owned(),
            head: (*head).to_owned(),
        }),
        [head, base] if !only_merges => Some(Pull {
            base: (*base).to_owned(),
            head: (*head).to_owned(),
        }),
        _ => None,
    };
    lines.iter().filter_map(pull).take(last).collect()
}

/// Whether a path is prose: under a directory of documentation, or by its name.
pub(crate) fn is_prose(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let (dir, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let text = [".md", ".markdown", ".rst", ".txt", ".adoc"];
    let is_text = text.iter().any(|ending| name.ends_with(ending));
    let is_licence = name.starts_with("licen") || name.starts_with("copying");
    // A list of requirements is a manifest, whatever its ending.
    let is_list = name.contains("requirements") || name.contains("cmakelists");
    let is_picture = [".png", ".jpg", ".svg", ".gif", ".webp"]
        .iter()
        .any(|ending| name.ends_with(ending));
    let in_docs = dir
        .split('/')
        .any(|part| matches!(part, "docs" | "doc" | "documentation"));
    !is_list && (is_text || is_licence || in_docs && is_picture)
}
