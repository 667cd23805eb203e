//! uv, poetry, pipenv, pdm, hatch, rye and pipx.

use super::super::programs::list;
use super::super::walk::{Invocation, Walk, below};
use crate::engine::shell::Word;
use crate::engine::tree::{dir_of, join};

/// Sub-commands that resolve or install what the project asks for.
const SYNCS: &str = "sync install lock export update add check requirements remove";

impl Walk<'_> {
    /// `uv`, `poetry`, `pipenv`, `pdm`, `hatch`, `rye`, `pipx`.
    pub(in crate::engine::inputs) fn python_manager(&mut self, call: &Invocation, name: &str) {
        if name == "uvx" {
            return self.run_tool(&call.without(1));
        }
        let inner = self.after_globals(call);
        let texts = inner.texts();
        let sub = texts.first().copied().unwrap_or_default();
        let dir = inner.dir().unwrap_or("").to_owned();
        match (name, sub) {
            ("pipx", "run") => self.run_tool(&inner.without(1)),
            ("pipx", "install" | "inject") => self.install(&inner),
            ("uv", "tool") if texts.get(1) == Some(&"install") => self.install(&inner.without(1)),
            ("uv", "tool") if texts.get(1) == Some(&"run") => self.run_tool(&inner.without(2)),
            ("uv", "pip") => self.manager_pip(call, &inner.without(1)),
            (_, "run") => {
                self.project(&inner, &dir, "run");
                self.run_in_environment(&inner.without(1), name);
            }
            (_, sub) if name != "hatch" && list(SYNCS).contains(&sub) => {
                self.project(&inner, &dir, sub);
            }
            (_, "build") if name != "pipenv" => self.python_build(&inner.other(&["build"])),
            ("hatch" | "rye", "test") => self.program(&inner.other(&["pytest"])),
            ("hatch", "fmt") => self.program(&inner.other(&["ruff", "check"])),
            _ => self.listed(call, name),
        }
    }

    /// The project at or above a directory, which is installed first.
    fn project(&mut self, call: &Invocation, dir: &str, sub: &str) {
        let has_manifest = |at: &&str| {
            let path = join(at, "pyproject.toml");
            path.is_some_and(|path| self.has_file(&path))
        };
        let dir = above(dir).find(has_manifest).unwrap_or(dir);
        self.packaging(call, dir);
        self.locked(call, dir, sub);
    }

    /// What resolving reads: the manifests of a workspace, wherever in it the command is
    /// given, and the lockfile as it stands where the command judges it.
    fn locked(&mut self, call: &Invocation, dir: &str, sub: &str) {
        let mut globs = Vec::new();
        let mut roots = vec![dir];
        for at in above(dir) {
            let project = self.text(&join(at, "pyproject.toml").unwrap_or_default());
            if project.is_some_and(is_workspace) {
                globs.push(below(at, "**/pyproject.toml"));
                roots.push(at);
            }
        }
        if matches!(sub, "lock" | "check") {
            let locks =
                list("uv.lock poetry.lock pdm.lock Pipfile Pipfile.lock requirements*.lock");
            for root in roots {
                globs.extend(locks.iter().map(|name| below(root, name)));
            }
        }
        if !globs.is_empty() {
            self.exact(call, globs);
        }
    }

    /// The command from its sub-command on, in the directory that global flags say.
    fn after_globals(&mut self, call: &Invocation) -> Invocation {
        let values =
            list("--directory --project -C -p --python -e --env --color --cache-dir --config-file");
        let mut inner = call.clone();
        let mut at = 1;
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            let (flag, value) = word.flag();
            let takes = value.is_none() && values.contains(&flag);
            let value = value.or_else(|| call.words.get(at + 1).cloned());
            if let Some(dir) = value.filter(|_| ["--directory", "--project", "-C"].contains(&flag))
            {
                inner.place = self.elsewhere(call, &dir);
            }
            at += if takes { 2 } else { 1 };
        }
        inner.words.drain(..at.min(inner.words.len()));
        inner
    }

    pub(in crate::engine::inputs) fn manager_pip(&mut self, call: &Invocation, inner: &Invocation) {
        match inner.words.first().map_or("", |word| &*word.text) {
            "install" | "sync" | "compile" => {
                let mut inner = inner.clone();
                if inner
                    .words
                    .first()
                    .is_some_and(|word| &*word.text != "install")
                {
                    let files: Vec<Word> = inner
                        .words
                        .drain(1..)
                        .flat_map(|word| {
                            let is_file = word.text.ends_with(".txt")
                                || word.text.ends_with(".in")
                                || word.text.ends_with(".toml");
                            if is_file {
                                vec![Word::literal("-r"), word]
                            } else {
                                vec![word]
                            }
                        })
                        .collect();
                    inner.words.extend(files);
                }
                self.install(&inner);
            }
            _ => self.listed(call, "uv"),
        }
    }

    /// What a flag adds to an environment: a package, a directory, a file of either.
    fn environment_part(&mut self, call: &Invocation, flag: &str, what: &Word) {
        let mut install = call.other(&["install"]);
        match flag {
            "--with-requirements" => install.words.push(Word::literal("-r")),
            "--from" | "--with" | "--with-editable" | "--spec" => {}
            "--env-file" => return self.read_path(call, what),
            _ => return,
        }
        install.words.push(what.clone());
        self.install(&install);
    }

    /// A tool from outside: its name may carry a version.
    pub(in crate::engine::inputs) fn run_tool(&mut self, call: &Invocation) {
        let values = list(
            "--from --with --python -p --spec --pip-args --index-url --with-editable \
            --with-requirements --extra-index-url",
        );
        let mut at = 0;
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            let (flag, value) = word.flag();
            let takes = value.is_none() && values.contains(&flag);
            let next = call.words.get(at + 1).filter(|_| takes);
            if let Some(what) = value.as_ref().or(next) {
                self.environment_part(call, flag, what);
            }
            at += if takes { 2 } else { 1 };
        }
        let mut inner = call.without(at);
        if let Some(first) = inner.words.first_mut() {
            let name = first
                .text
                .split(['@', '=', '[', '>', '<', '~'])
                .next()
                .unwrap_or_default();
            first.text = name.into();
        }
        self.program(&inner);
    }

    /// `uv run` and its kin: own flags, then a program or a script of the project.
    pub(in crate::engine::inputs) fn run_in_environment(
        &mut self,
        call: &Invocation,
        manager: &str,
    ) {
        let values = list(
            "--with --python -p --extra --group --no-group --only-group --package \
            --env-file --index --with-editable --with-requirements --no-extra -e \
            --index-url --resolution --color --config-setting --upgrade-package -P",
        );
        let mut at = 0;
        let mut inner = call.clone();
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            let (flag, value) = word.flag();
            let is_alone = value.is_none();
            let value = value.or_else(|| call.words.get(at + 1).cloned());
            let takes = match (flag, value) {
                ("-m" | "--module", _) if is_alone => {
                    let module = call.without(at + 1);
                    return self.python_module(&module);
                }
                ("--directory" | "--project", Some(dir)) => {
                    inner.place = self.elsewhere(call, &dir);
                    true
                }
                (_, Some(what)) if !is_alone || values.contains(&flag) => {
                    self.environment_part(call, flag, &what);
                    true
                }
                _ => false,
            };
            at += if takes && is_alone { 2 } else { 1 };
        }
        inner.words.drain(..at.min(inner.words.len()));
        let Some(first) = inner.words.first().cloned() else {
            return;
        };
        if self.project_script(&inner, manager, &first.text) {
            return;
        }
        if first.text.ends_with(".py") {
            return self.python_file(&inner);
        }
        self.program(&inner);
    }
}

/// A directory and all above it, the root last.
fn above(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)))
}

/// Whether a manifest is the root of a workspace of uv.
fn is_workspace(text: &str) -> bool {
    text.contains("tool.uv.workspace") || text.contains("[tool.uv]") && text.contains("workspace")
}
