//! Builds git repositories whose commits have the same names in every run.
//!
//! A [`GitRepo`] is bare, as on a forge. Commits are made with a fixed author and a
//! clock that moves one minute a commit, so that object names may stand in a
//! snapshot. The machine's git configuration has no say.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trimtab::engine::ids::ObjectId;

/// One change of a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edit<'a> {
    /// A file with this text.
    Write(&'a str, &'a str),
    /// An executable file with this text.
    Script(&'a str, &'a str),
    /// A symbolic link: where it stands, and what it names.
    Link(&'a str, &'a str),
    /// No such file or directory any more.
    Remove(&'a str),
}

/// A bare repository on disk.
#[derive(Debug)]
pub(crate) struct GitRepo {
    dir: PathBuf,
    now: u64,
}

impl GitRepo {
    /// An empty repository in a directory that does not exist yet.
    pub(crate) fn init(dir: &Path) -> Self {
        let made = Self {
            dir: dir.to_owned(),
            now: 1_700_000_000,
        };
        std::fs::create_dir_all(dir).unwrap();
        made.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        made.git(&["config", "uploadpack.allowFilter", "true"]);
        made.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        made
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Puts a commit on a branch and returns its name. A branch that does not exist
    /// begins with this commit.
    pub(crate) fn commit(&mut self, branch: &str, message: &str, edits: &[Edit<'_>]) -> ObjectId {
        self.now += 60;
        let who = format!("Ann Author <ann@example.org> {} +0000", self.now);
        let mut script = format!(
            "commit refs/heads/{branch}\nauthor {who}\ncommitter {who}\ndata {}\n{message}\n",
            message.len()
        );
        if let Some(tip) = self.find(&format!("refs/heads/{branch}")) {
            writeln!(script, "from {tip}").unwrap();
        }
        for edit in edits {
            script.push_str(&import(*edit));
        }
        self.pipe(&["fast-import", "--quiet", "--force"], &script);
        self.tip(branch)
    }

    /// Begins a branch at a commit, or moves it there.
    pub(crate) fn branch(&self, name: &str, at: ObjectId) {
        self.update(&format!("refs/heads/{name}"), at);
    }

    /// The tip of a branch that exists.
    pub(crate) fn tip(&self, branch: &str) -> ObjectId {
        self.find(&format!("refs/heads/{branch}")).unwrap()
    }

    /// Sets the refs that a forge keeps for a pull: the head, and its merge into the
    /// base unless they conflict. Returns the merge.
    pub(crate) fn pull_refs(
        &self,
        number: u64,
        head: ObjectId,
        base: ObjectId,
    ) -> Option<ObjectId> {
        self.update(&format!("refs/pull/{number}/head"), head);
        let merge = self.merge(head, base)?;
        self.update(&format!("refs/pull/{number}/merge"), merge);
        Some(merge)
    }

    /// Whether a commit is here.
    pub(crate) fn has(&self, commit: &str) -> bool {
        self.find(&format!("{commit}^{{commit}}")).is_some()
    }

    /// What an object is.
    pub(crate) fn kind(&self, object: &str) -> Option<String> {
        let output = self.command(&["cat-file", "-t", object]).output().unwrap();
        let kind = String::from_utf8(output.stdout).unwrap();
        Some(kind.trim().to_owned()).filter(|kind| !kind.is_empty())
    }

    /// Whether one commit is an ancestor of another, or the same.
    pub(crate) fn leads_to(&self, from: ObjectId, to: ObjectId) -> bool {
        let (from, to) = (from.to_string(), to.to_string());
        let mut command = self.command(&["merge-base", "--is-ancestor", &from, &to]);
        command.status().unwrap().success()
    }

    /// Whether two commits differ below a path.
    pub(crate) fn differs(&self, a: ObjectId, b: ObjectId, path: &str) -> bool {
        let (a, b) = (a.to_string(), b.to_string());
        let mut command = self.command(&["diff", "--quiet", &a, &b, "--", path]);
        !command.status().unwrap().success()
    }

    /// A tree with the files of another one, but for some: path, mode and text.
    pub(crate) fn tree(&self, base: &str, files: &[(&str, &str, &str)]) -> ObjectId {
        let index = self.dir.join("trimtab-test-index");
        let run = |args: &[&str], input: &str| {
            let mut command = self.command(args);
            command.env("GIT_INDEX_FILE", &index);
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(input.as_bytes()).unwrap();
            drop(stdin);
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "git {args:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        run(&["read-tree", base], "");
        for (path, mode, text) in files {
            let blob = run(&["hash-object", "-w", "--stdin"], text);
            let entry = format!("{mode},{blob},{path}");
            run(&["update-index", "--add", "--cacheinfo", &entry], "");
        }
        run(&["write-tree"], "").parse().unwrap()
    }

    /// A commit that no branch names yet.
    pub(crate) fn commit_tree(
        &self,
        tree: &str,
        parents: &[&str],
        (message, now): (&str, u64),
    ) -> ObjectId {
        let mut command = self.command(&["commit-tree", tree, "-m", message]);
        for parent in parents {
            command.args(["-p", parent]);
        }
        let date = format!("{now} +0000");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "trimtab[bot]")
                .env(format!("GIT_{role}_EMAIL"), "trimtab@example.org")
                .env(format!("GIT_{role}_DATE"), &date);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    /// The text of a file, as `REVISION:PATH` names it.
    pub(crate) fn text(&self, spec: &str) -> String {
        let output = self.command(&["show", spec]).output().unwrap();
        assert!(output.status.success(), "git show {spec}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A tree as `git ls-tree` tells it, with sizes; none when there is no such tree.
    pub(crate) fn list(&self, name: &str, flags: &[&str]) -> Option<String> {
        let args = [&["ls-tree", "--long"], flags, &[name]].concat();
        let output = self.command(&args).output().unwrap();
        let found = output.status.success();
        found.then(|| String::from_utf8(output.stdout).unwrap())
    }

    fn merge(&self, head: ObjectId, base: ObjectId) -> Option<ObjectId> {
        let (head, base) = (head.to_string(), base.to_string());
        let mut merged = self.command(&["merge-tree", "--write-tree", &base, &head]);
        let output = merged.output().unwrap();
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let tree = text.lines().next().unwrap().to_owned();
        let date = format!("{} +0000", self.now);
        let mut command = self.command(&["commit-tree", &tree, "-p", &base, "-p", &head]);
        command.args(["-m", "Merge"]);
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Forge")
                .env(format!("GIT_{role}_EMAIL"), "forge@example.org")
                .env(format!("GIT_{role}_DATE"), &date);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Some(
            String::from_utf8(output.stdout)
                .unwrap()
                .trim()
                .parse()
                .unwrap(),
        )
    }

    fn update(&self, name: &str, at: ObjectId) {
        self.git(&["update-ref", name, &at.to_string()]);
    }

    /// The object that a name leads to.
    pub(crate) fn find(&self, name: &str) -> Option<ObjectId> {
        let output = self
            .command(&["rev-parse", "--verify", "--quiet", name])
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse()
            .ok()
    }

    fn git(&self, args: &[&str]) {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
    }

    fn pipe(&self, args: &[&str], input: &str) {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let status = child.wait().unwrap();
        assert!(status.success(), "git {args:?}: {status}");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(args)
            .current_dir(&self.dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_COUNT", "2")
            .env("GIT_CONFIG_KEY_0", "gc.auto")
            .env("GIT_CONFIG_VALUE_0", "0")
            .env("GIT_CONFIG_KEY_1", "safe.directory")
            .env("GIT_CONFIG_VALUE_1", "*")
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE");
        command
    }
}

/// A change in the language of `git fast-import`.
fn import(edit: Edit<'_>) -> String {
    let file = |mode: &str, path: &str, text: &str| {
        format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len())
    };
    match edit {
        Edit::Write(path, text) => file("100644", path, text),
        Edit::Script(path, text) => file("100755", path, text),
        Edit::Link(path, target) => file("120000", path, target),
        Edit::Remove(path) => format!("D {path}\n"),
    }
}

#[test]
fn the_same_steps_make_the_same_commits() {
    let build = || {
        let place = tempfile::tempdir().unwrap();
        let mut repo = GitRepo::init(&place.path().join("a.git"));
        let base = repo.commit("main", "First", &[Edit::Write("a.py", "x = 1\n")]);
        repo.branch("topic", base);
        let head = repo.commit(
            "topic",
            "Second",
            &[
                Edit::Remove("a.py"),
                Edit::Link("b", "a.py"),
                Edit::Script("run", "true\n"),
            ],
        );
        (base, head, repo.pull_refs(1, head, base))
    };
    let first = build();
    assert_eq!(first, build());
    assert!(first.2.is_some());
}

#[test]
fn a_conflict_has_no_merge() {
    let place = tempfile::tempdir().unwrap();
    let mut repo = GitRepo::init(&place.path().join("a.git"));
    let base = repo.commit("main", "First", &[Edit::Write("a.py", "x = 1\n")]);
    repo.branch("topic", base);
    let head = repo.commit("topic", "Second", &[Edit::Write("a.py", "x = 2\n")]);
    let tip = repo.commit("main", "Third", &[Edit::Write("a.py", "x = 3\n")]);
    assert_eq!(repo.pull_refs(1, head, tip), None);
}
