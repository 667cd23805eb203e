//! pre-commit: which files its hooks see.
//!
//! `pre-commit run` gives each hook the files that the hook's types and the patterns of
//! the configuration let through (<https://pre-commit.com/#filtering-files-with-types>).
//! A hook that is in the list here reads those files and its own settings; any other
//! one may read everything. A pattern that is more than literal text excepts nothing.

use std::collections::BTreeSet;

use super::programs::list;
use super::table;
use super::walk::{Invocation, Walk, below};
use super::{Input, Never, OpaqueCause};
use crate::engine::globs::Glob;
use crate::engine::shell::Word;
use crate::engine::yaml::{self, Node};

const FILE: &str = ".pre-commit-config.yaml";

/// Hooks that read commits or the name of the branch.
const HISTORY_HOOKS: &[&str] = &[
    "commitizen",
    "commitizen-branch",
    "gitlint",
    "commitlint",
    "no-commit-to-branch",
    "conventional-pre-commit",
    "gitleaks",
    "trufflehog",
];

/// Hooks that read the files they are given, each by itself, and the extensions of
/// those files: a set of `commands.toml`, extensions, or `*` for every file.
const READERS: &[(&str, &str)] = &[
    (
        "trailing-whitespace end-of-file-fixer mixed-line-ending fix-byte-order-marker \
         check-byte-order-marker check-merge-conflict detect-private-key check-added-large-files \
         check-executables-have-shebangs check-shebang-scripts-are-executable check-symlinks \
         destroyed-symlinks check-vcs-permalinks check-case-conflict forbid-crlf remove-crlf \
         forbid-tabs remove-tabs codespell typos text-unicode-replacement-char",
        "*",
    ),
    (
        "check-ast check-builtin-literals check-docstring-first debug-statements \
         double-quote-string-fixer fix-encoding-pragma requirements-txt-fixer name-tests-test \
         black black-jupyter isort flake8 pyupgrade autoflake reorder-python-imports \
         add-trailing-comma ruff ruff-check ruff-format pydocstyle bandit setup-cfg-fmt \
         python-check-blanket-noqa python-check-blanket-type-ignore python-check-mock-methods \
         python-no-eval python-no-log-warn python-use-type-annotations blacken-docs docformatter",
        "python script rst md txt pyx cfg",
    ),
    (
        "rst-backticks rst-directive-colons rst-inline-touching-normal",
        "rst md markdown",
    ),
    (
        "check-yaml yamllint yamlfmt check-github-workflows check-github-actions actionlint \
      check-dependabot check-readthedocs zizmor",
        "yaml",
    ),
    (
        "check-toml taplo-format taplo-lint toml-sort toml-sort-fix",
        "toml lock",
    ),
    ("check-json pretty-format-json", "json"),
    ("check-xml", "xml svg"),
    ("shellcheck shfmt", "shell"),
    ("prettier", "pretty"),
    ("markdownlint markdownlint-cli2 mdformat", "markdown"),
];

/// Files that govern one of these hooks, wherever they lie.
const SETTINGS: &str = "pyproject.toml setup.cfg tox.ini .flake8 ruff.toml .ruff.toml .codespellrc \
    .isort.cfg .pydocstyle .bandit .editorconfig .prettierrc* .prettierignore .yamllint* .yamlfmt* \
    .markdownlint* .mdformat.toml .shellcheckrc typos.toml _typos.toml .typos.toml taplo.toml .taplo.toml \
    zizmor.yml .gitattributes .gitignore";

impl Walk<'_> {
    /// `pre-commit run`: what its hooks see.
    pub(super) fn pre_commit(&mut self, call: &Invocation) {
        let texts = call.texts();
        let own = list("install --version install-hooks clean gc autoupdate");
        if texts.iter().any(|text| own.contains(text)) {
            return;
        }
        if texts.iter().any(|text| {
            text.starts_with("--from-ref")
                || text.starts_with("--to-ref")
                || *text == "-s"
                || *text == "-o"
        }) {
            self.never(call, Never::ReadsHistory);
        }
        let Some(text) = self.text(FILE) else {
            if !self.has_file(FILE) {
                self.opaque(call, OpaqueCause::Missing(FILE.into()));
            }
            return;
        };
        let Ok(root) = yaml::parse(FILE, text) else {
            return self.opaque(call, OpaqueCause::UnknownUse(FILE.into()));
        };
        let mut globs = vec![Glob::path(FILE)];
        globs.extend(
            list(SETTINGS)
                .iter()
                .map(|name| below("", &format!("**/{name}"))),
        );
        self.exact(call, globs);
        let general = excepted(&root);
        for repository in root.get("repos").and_then(Node::items).unwrap_or_default() {
            let source = repository
                .get("repo")
                .and_then(Node::as_str)
                .unwrap_or_default();
            for hook in repository
                .get("hooks")
                .and_then(Node::items)
                .unwrap_or_default()
            {
                self.hook(call, source, hook, &general);
            }
        }
    }

    fn hook(&mut self, call: &Invocation, source: &str, hook: &Node, general: &[Glob]) {
        let id = hook.get("id").and_then(Node::as_str).unwrap_or_default();
        let is_message = hook.get("stages").is_some_and(|stages| {
            let words = stages.words();
            !words.is_empty()
                && words.iter().all(|stage| {
                    stage.contains("msg") || stage.contains("push") || *stage == "manual"
                })
        });
        if HISTORY_HOOKS.contains(&id)
            && !is_message
            && (id == "no-commit-to-branch" || id.starts_with("git"))
        {
            // The name of the branch is nothing that the plan can see.
            self.never(call, Never::ReadsHistory);
        }
        let kinds = kinds_of(id).filter(|_| source.contains("://"));
        // A hook whose program or types are replaced is another one.
        let is_own = [
            "entry",
            "language",
            "types",
            "types_or",
            "files",
            "always_run",
        ];
        let Some(kinds) = kinds.filter(|_| is_own.iter().all(|key| hook.get(key).is_none())) else {
            return self.whole(call);
        };
        let arguments = hook.get("args").map(Node::words).unwrap_or_default();
        for word in arguments {
            let value = word.split_once('=').map_or(word, |(_, value)| value);
            if self.has_file(value) {
                self.read_path(call, &Word::literal(value));
            }
        }
        let mut except = general.to_vec();
        except.extend(excepted(hook));
        if id == "check-case-conflict" && self.has_case_twins() {
            except.clear();
        }
        self.add(
            call,
            Input::Except {
                extensions: kinds,
                except,
            },
        );
    }

    /// Whether two paths differ in case alone.
    fn has_case_twins(&self) -> bool {
        let mut seen = BTreeSet::new();
        let mut paths = self.context.snapshot.tree.iter();
        paths.any(|(_, entry)| !seen.insert(entry.path.to_lowercase()))
    }
}

/// The extensions of the files that a known hook reads; empty means all.
fn kinds_of(id: &str) -> Option<Vec<Box<str>>> {
    let mut readers = READERS.iter();
    let (_, kinds) = readers.find(|(ids, _)| list(ids).contains(&id))?;
    if *kinds == "*" {
        return Some(Vec::new());
    }
    let mut all: Vec<Box<str>> = list(kinds)
        .iter()
        .flat_map(|kind| match table::extensions(kind) {
            set if set.is_empty() => vec![(*kind).into()],
            set => set,
        })
        .collect();
    // The kind of a file without an extension shows in its first line.
    all.push("".into());
    Some(all)
}

/// What `exclude` takes out, as globs whose `*` crosses directories; nothing where the
/// expression is more than alternatives of literal text.
fn excepted(node: &Node) -> Vec<Glob> {
    let pattern = node
        .get("exclude")
        .and_then(Node::as_str)
        .unwrap_or_default();
    let alternatives: Option<Vec<Glob>> = pattern.split('|').map(literal).collect();
    alternatives
        .filter(|_| !pattern.is_empty())
        .unwrap_or_default()
}

/// One literal alternative of a regular expression that is searched in a path.
fn literal(alternative: &str) -> Option<Glob> {
    let (start, rest) = match alternative.strip_prefix('^') {
        Some(rest) => ("", rest),
        None => ("*", alternative),
    };
    let (rest, end) = match rest.strip_suffix('$') {
        Some(rest) => (rest, ""),
        None => (rest, "*"),
    };
    let rest = rest.trim_end_matches(".*");
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|c| "./-_".contains(*c))?),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            c if c.is_whitespace() => return None,
            c => text.push(c),
        }
    }
    let glob = || Glob::written(format!("{start}{}{end}", Glob::path(&text).as_str()));
    (!text.is_empty()).then(glob)
}
