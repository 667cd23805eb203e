//! Git, through the git program: revisions, trees, merges and blobs.
//!
//! A [`Repo`] is a checkout that somebody works in, or a bare mirror that the bot
//! keeps. Merges are computed in a scratch object directory, so that nothing is
//! ever written into a checkout.
//!
//! Repository content is never executed: hooks, filters, external diffs and
//! credential prompts are switched off for every call. The git program is used
//! because rename detection and merges must be git's own (see ARCHITECTURE.md).

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::engine::diff::{Change, Side};
use crate::engine::ids::ObjectId;
use crate::engine::tree::{Entry, Mode, Tree};

mod blobs;
mod cache;
mod made;
mod merge;
mod mirror;
mod program;
mod snapshot;

pub use blobs::{Blob, read_blobs};
pub use cache::FactsCache;
pub use merge::Merge;
pub use mirror::{Fetch, Mirror};
pub use snapshot::{Loader, Loading};

use program::{ANSWER_MAX, bare_git, bounded, closed, failed, path_of, shown};

/// What went wrong, as the caller has to tell it.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is no git program.
    #[error("the git program was not found; install git 2.38 or newer")]
    NoGit(std::io::Error),
    /// There is no such directory.
    #[error("{} does not exist; name a checkout with --repo", shown(.0))]
    NoDirectory(PathBuf),
    /// The directory is not inside a repository.
    #[error("{} is not inside a git repository; name a checkout with --repo", shown(.0))]
    NotARepository(PathBuf),
    /// Git does not trust a repository of somebody else.
    #[error("{} belongs to another user, so git does not open it; see `safe.directory` in `git help config`", shown(.0))]
    Distrusted(PathBuf),
    /// A revision does not name a commit.
    #[error("`{rev}` does not name a commit here{hint}")]
    UnknownRevision {
        /// As it was given.
        rev: String,
        /// What may help, with a leading `; `, or nothing.
        hint: &'static str,
    },
    /// The git program failed.
    #[error("git {what} failed: {message}")]
    Failed {
        /// The sub-command.
        what: &'static str,
        /// The first line that it wrote to standard error.
        message: String,
    },
    /// The git program answered something that cannot be read.
    #[error("git {what} answered something unexpected")]
    Unreadable {
        /// The sub-command.
        what: &'static str,
    },
    /// The git program said more than anybody should have to hold in memory.
    #[error("git {what} answered more than {} MiB; a repository of so many paths is not planned", ANSWER_MAX >> 20)]
    TooMuch {
        /// The sub-command.
        what: &'static str,
    },
    /// A file of ours could not be read or written.
    #[error("cannot {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// A repository on this machine.
#[derive(Debug)]
pub struct Repo {
    git_dir: PathBuf,
    work_dir: Option<PathBuf>,
    scratch: PathBuf,
}

impl Repo {
    /// Opens the repository that a directory lies in. `scratch` takes the objects
    /// of merges; it may be shared and deleted at any time between two calls.
    pub fn open(dir: &Path, scratch: &Path) -> Result<Self, RepoError> {
        // A bare repository has no top, and fails to say it: that needs a call of its own,
        // and neither waits for the other.
        let top = bare_git()
            .arg("-C")
            .arg(dir)
            .args(["rev-parse", "--show-toplevel"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let output = bare_git()
            .arg("-C")
            .arg(dir)
            .args(["rev-parse", "--path-format=absolute", "--absolute-git-dir"])
            .output()
            .map_err(RepoError::NoGit)?;
        let top = top.and_then(Child::wait_with_output);
        if !output.status.success() {
            return Err(closed(dir, &output.stderr));
        }
        let git_dir = path_of(&output.stdout);
        let repo = Self {
            git_dir,
            work_dir: None,
            scratch: scratch.to_owned(),
        };
        let work_dir = top.ok().filter(|output| output.status.success());
        let work_dir = work_dir.map(|output| path_of(&output.stdout));
        Ok(Self { work_dir, ..repo })
    }

    /// The repository's own directory.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The directory that is checked out; `None` in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// The commit that a revision names.
    pub fn commit(&self, rev: &str) -> Result<ObjectId, RepoError> {
        let spec = format!("{rev}^{{commit}}");
        let output = self.output(
            "rev-parse",
            [
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &spec,
            ],
        )?;
        let unknown = || RepoError::UnknownRevision {
            rev: rev.chars().take(200).collect(),
            hint: if self.is_shallow() {
                "; the clone is shallow, fetch more with `git fetch --unshallow`"
            } else if rev == "HEAD" {
                "; the repository has no commit yet"
            } else {
                "; `git branch --all` lists the branches"
            },
        };
        if !output.status.success() {
            return Err(unknown());
        }
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .ok()
            .ok_or_else(unknown)
    }

    /// The best common ancestor; `None` when the histories are unrelated, or the
    /// clone is too shallow to know.
    pub fn merge_base(&self, a: ObjectId, b: ObjectId) -> Result<Option<ObjectId>, RepoError> {
        let output = self.output("merge-base", ["merge-base", &a.to_string(), &b.to_string()])?;
        let text = String::from_utf8_lossy(&output.stdout);
        match output.status.code() {
            Some(0) => Ok(text.trim().parse().ok()),
            // <https://git-scm.com/docs/git-merge-base#_description>
            Some(1) => Ok(None),
            _ => Err(failed("merge-base", &output.stderr)),
        }
    }

    /// Whether history is cut off.
    pub fn is_shallow(&self) -> bool {
        self.git_dir.join("shallow").exists()
    }

    /// The default branch as a revision: what the remote `origin` calls HEAD, else
    /// the first of `main`, `master`, `trunk`, `develop` that exists, here or there.
    pub fn default_branch(&self) -> Option<String> {
        let head = self
            .output(
                "symbolic-ref",
                ["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"],
            )
            .ok()?;
        if head.status.success() {
            return Some(String::from_utf8_lossy(&head.stdout).trim().to_owned());
        }
        let names = ["main", "master", "trunk", "develop"];
        let refs = names.iter().flat_map(|name| {
            [
                format!("refs/remotes/origin/{name}"),
                format!("refs/heads/{name}"),
            ]
        });
        refs.into_iter().find(|name| self.commit(name).is_ok())
    }

    /// The name of the repository at its forge, as `owner/name`, by the address of the remote
    /// `origin`. `None` where that has no such form, or another remote has another name: in
    /// the clone of a fork nobody knows which of them runs the jobs.
    pub fn forge_name(&self) -> Option<String> {
        let pattern = r"^remote\..*\.url$";
        let output = self.output("config", ["config", "--get-regexp", pattern]);
        let text = output.ok().filter(|output| output.status.success())?;
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        let remotes: Vec<(&str, Option<&str>)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(key, url)| (key, name_of_url(url)))
            .collect();
        let mut own = remotes
            .iter()
            .filter(|(key, _)| *key == "remote.origin.url");
        let own = own.next().and_then(|(_, name)| *name)?;
        let is_other =
            |name: Option<&str>| name.is_some_and(|name| !name.eq_ignore_ascii_case(own));
        let is_doubtful = remotes.iter().any(|(_, name)| is_other(*name));
        (!is_doubtful).then(|| own.to_owned())
    }

    /// All paths of a commit or tree.
    pub fn tree(&self, treeish: ObjectId) -> Result<Tree, RepoError> {
        let raw = self.stdout(
            "ls-tree",
            ["ls-tree", "-r", "-z", "--full-tree", &treeish.to_string()],
        )?;
        let entries = raw.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        let entries: Option<Vec<Entry>> = entries.map(parse_entry).collect();
        entries
            .map(Tree::new)
            .ok_or(RepoError::Unreadable { what: "ls-tree" })
    }

    /// What differs between two commits or trees, with git's rename detection.
    pub fn diff(&self, before: ObjectId, after: ObjectId) -> Result<Vec<Change>, RepoError> {
        let (before, after) = (before.to_string(), after.to_string());
        let args = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-abbrev",
            "--find-renames",
            "-l4000",
            "--no-ext-diff",
            // `.gitmodules` may say that a submodule is not looked at.
            "--ignore-submodules=none",
        ];
        let raw = self.stdout(
            "diff-tree",
            args.into_iter().chain([before.as_str(), after.as_str()]),
        )?;
        parse_raw_diff(&raw).ok_or(RepoError::Unreadable { what: "diff-tree" })
    }

    /// The messages of the commits that head adds to base, newest first, bounded.
    pub fn messages(&self, base: ObjectId, head: ObjectId) -> Result<Vec<String>, RepoError> {
        let range = format!("{base}..{head}");
        let raw = self.stdout(
            "log",
            [
                "log",
                "-z",
                "--format=%B",
                "--no-show-signature",
                "--max-count=250",
                &range,
            ],
        )?;
        let messages = raw
            .split(|byte| *byte == 0)
            .map(|message| String::from_utf8_lossy(message).into_owned());
        Ok(messages
            .filter(|message| !message.trim().is_empty())
            .collect())
    }

    /// The git program for this repository, with everything risky switched off.
    fn git(&self) -> Command {
        let mut command = bare_git();
        // Nothing is fetched here, whatever a partial clone lacks.
        command.args(["-c", "protocol.allow=never"]);
        command.arg("--git-dir").arg(&self.git_dir);
        if self.scratch.is_dir() {
            command.env("GIT_OBJECT_DIRECTORY", &self.scratch);
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.objects_dir());
        }
        command
    }

    fn objects_dir(&self) -> PathBuf {
        let common = std::fs::read_to_string(self.git_dir.join("commondir"));
        common.map_or_else(
            |_| self.git_dir.join("objects"),
            |common| self.git_dir.join(common.trim_end()).join("objects"),
        )
    }

    fn output<S: AsRef<OsStr>>(
        &self,
        what: &'static str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<std::process::Output, RepoError> {
        bounded(what, self.git().args(args), ANSWER_MAX)
    }

    fn stdout<S: AsRef<OsStr>>(
        &self,
        what: &'static str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, RepoError> {
        let output = self.output(what, args)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(failed(what, &output.stderr))
        }
    }
}

/// The `owner/name` in the address of a forge: `https://HOST/OWNER/NAME.git` or
/// `git@HOST:OWNER/NAME.git`.
fn name_of_url(url: &str) -> Option<&str> {
    let path = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.split_once('/')?.1,
        Some(_) => return None,
        // One letter is a drive.
        None => {
            url.split_once(':')
                .filter(|(host, _)| !host.contains('/') && host.len() > 1)?
                .1
        }
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owner, name) = path.split_once('/')?;
    let is_plain = |part: &str| {
        let mut letters = part.chars();
        !part.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (is_plain(owner) && is_plain(name)).then_some(path)
}

/// Writes bytes that are no UTF-8 as `\xNN`, so that every path has one spelling.
fn path_text(raw: &[u8]) -> Box<str> {
    let mut text = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.extend(["\\x".to_owned(), format!("{byte:02x}")]);
        }
    }
    text.into()
}

fn parse_mode(raw: &[u8]) -> Option<Mode> {
    match raw {
        b"100755" => Some(Mode::Executable),
        b"120000" => Some(Mode::Symlink),
        b"160000" => Some(Mode::Submodule),
        b"100644" | b"100664" => Some(Mode::File),
        _ => None,
    }
}

fn parse_id(raw: &[u8]) -> Option<ObjectId> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// `100644 blob a1b2…<TAB>path`
fn parse_entry(line: &[u8]) -> Option<Entry> {
    let tab = memchr::memchr(b'\t', line)?;
    let mut fields = line.get(..tab)?.split(|byte| *byte == b' ');
    let mode = parse_mode(fields.next()?)?;
    let _kind = fields.next()?;
    let blob = parse_id(fields.next()?)?;
    Some(Entry {
        path: path_text(line.get(tab + 1..)?),
        mode,
        blob,
    })
}

/// `:100644 100644 a1… b2… M<NUL>path<NUL>`, with two paths for `R`.
fn parse_raw_diff(raw: &[u8]) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let mut fields = raw.split(|byte| *byte == 0);
    while let Some(header) = fields.next().filter(|header| !header.is_empty()) {
        let columns: Vec<&[u8]> = header
            .strip_prefix(b":")?
            .split(|byte| *byte == b' ')
            .collect();
        let [old_mode, new_mode, old_id, new_id, status] = columns.as_slice() else {
            return None;
        };
        let side = |mode: &[u8], id: &[u8]| {
            Some(Side {
                mode: parse_mode(mode)?,
                blob: parse_id(id)?,
            })
        };
        let (before, after) = (side(old_mode, old_id), side(new_mode, new_id));
        // `000000` stands for "no such path"; any other mode must be one that is known.
        if before.is_none() && *old_mode != b"000000" || after.is_none() && *new_mode != b"000000" {
            return None;
        }
        let path = path_text(fields.next()?);
        if status.starts_with(b"R") {
            let new_path = path_text(fields.next()?);
            changes.push(Change {
                path: new_path,
                before: None,
                after,
                renamed_from: Some(path.clone()),
            });
            changes.push(Change {
                path,
                before,
                after: None,
                renamed_from: None,
            });
        } else {
            changes.push(Change {
                path,
                before,
                after,
                renamed_from: None,
            });
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Some(changes)
}

/// Replaces a file by new content in one step.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), RepoError> {
    let fault = |what: &'static str| {
        move |source| RepoError::File {
            what,
            path: path.to_owned(),
            source,
        }
    };
    let beside = path.with_extension(format!("new{}", std::process::id()));
    let mut file = std::fs::File::create(&beside).map_err(fault("create"))?;
    file.write_all(content).map_err(fault("write"))?;
    std::fs::rename(&beside, path).map_err(fault("replace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository in a temporary directory, driven by the git program.
    struct Scratch {
        dir: tempfile::TempDir,
    }

    impl Scratch {
        fn new() -> Self {
            let scratch = Self {
                dir: tempfile::tempdir().unwrap(),
            };
            scratch.git(&["init", "-q", "-b", "main"]);
            scratch
        }

        fn git(&self, args: &[&str]) -> String {
            let identity = [
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@example.org",
                "-c",
                "commit.gpgsign=false",
            ];
            let output = bare_git()
                .arg("-C")
                .arg(self.dir.path())
                .args(identity)
                .args(args)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "git {args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }

        fn commit(&self, files: &[(&str, &str)]) -> ObjectId {
            for (path, content) in files {
                let path = self.dir.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content).unwrap();
            }
            self.git(&["add", "-A"]);
            self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
            self.git(&["rev-parse", "HEAD"]).parse().unwrap()
        }

        fn open(&self) -> Repo {
            Repo::open(self.dir.path(), &self.dir.path().join(".git/scratch")).unwrap()
        }
    }

    #[test]
    fn the_name_at_the_forge_is_that_of_every_remote() {
        let scratch = Scratch::new();
        let name = || scratch.open().forge_name();
        assert_eq!(name(), None);
        scratch.git(&["remote", "add", "origin", "../p.git"]);
        for (url, expected) in [
            ("../p.git", None),
            ("/srv/git/o/p", None),
            ("file:///srv/o/p", None),
            ("https://github.com/o/p", Some("o/p")),
            ("https://x@github.com/o/p.git/", Some("o/p")),
            ("ssh://git@github.com:22/o/p.git", Some("o/p")),
            ("git@github.com:o/p.git", Some("o/p")),
            ("https://gitlab.com/a/b/c", None),
            ("c:/o/p", None),
        ] {
            scratch.git(&["remote", "set-url", "origin", url]);
            assert_eq!(name().as_deref(), expected, "{url}");
        }
        scratch.git(&["remote", "set-url", "origin", "https://github.com/me/p"]);
        scratch.git(&["remote", "add", "mirror", "git@github.com:Me/P.git"]);
        assert_eq!(name().as_deref(), Some("me/p"));
        scratch.git(&["remote", "add", "upstream", "https://github.com/o/p"]);
        assert_eq!(name(), None);
    }

    #[test]
    fn a_merge_is_what_git_merges_and_leaves_the_checkout_alone() {
        let scratch = Scratch::new();
        let root = scratch.commit(&[("a", "1\n"), ("b", "1\n")]);
        let base = scratch.commit(&[("a", "2\n")]);
        scratch.git(&["checkout", "-q", "-b", "pull", &root.to_string()]);
        let head = scratch.commit(&[("b", "2\n")]);
        let before = scratch.git(&["count-objects"]);
        let repo = scratch.open();
        assert_eq!(repo.merge_base(base, head).unwrap(), Some(root));
        let absent: ObjectId = "1".repeat(40).parse().unwrap();
        assert!(
            repo.merge_base(base, absent).is_err(),
            "no answer is not none"
        );
        let Merge::Clean(tree) = repo.merge(base, head).unwrap() else {
            panic!("conflict")
        };
        assert_eq!(
            scratch.git(&["count-objects"]),
            before,
            "nothing was written into the checkout"
        );
        let changed: Vec<String> = repo
            .diff(base, tree)
            .unwrap()
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        assert_eq!(changed, ["b"]);
        let blob = repo
            .tree(tree)
            .unwrap()
            .iter()
            .last()
            .map(|(_, entry)| entry.blob)
            .unwrap();
        let read = std::sync::Mutex::new(Vec::new());
        read_blobs(&repo, &[blob], 100, &|_, blob| {
            read.lock().unwrap().push(format!("{blob:?}"));
        })
        .unwrap();
        assert_eq!(read.into_inner().unwrap(), ["Content([50, 10])"]);
    }

    #[test]
    fn a_conflict_names_its_paths() {
        let scratch = Scratch::new();
        let root = scratch.commit(&[("a", "1\n")]);
        let base = scratch.commit(&[("a", "2\n")]);
        scratch.git(&["checkout", "-q", "-b", "pull", &root.to_string()]);
        let head = scratch.commit(&[("a", "3\n")]);
        assert_eq!(
            scratch.open().merge(base, head).unwrap(),
            Merge::Conflict(vec!["a".to_owned()])
        );
    }

    #[test]
    fn a_rename_is_a_delete_and_an_add_that_know_each_other() {
        let scratch = Scratch::new();
        let body = "line\n".repeat(50);
        let before = scratch.commit(&[("old.py", &body)]);
        scratch.git(&["mv", "old.py", "new.py"]);
        let after = scratch.commit(&[("new.py", &format!("{body}more\n"))]);
        let changes = scratch.open().diff(before, after).unwrap();
        let lines: Vec<String> = changes
            .iter()
            .map(|c| format!("{} {} {:?}", c.path, c.after.is_some(), c.renamed_from))
            .collect();
        assert_eq!(lines, ["new.py true Some(\"old.py\")", "old.py false None"]);
    }

    #[test]
    fn a_path_that_is_no_utf8_has_one_spelling() {
        assert_eq!(&*path_text(b"a/\xff\xfe.py"), "a/\\xff\\xfe.py");
    }

    #[test]
    fn faults_are_sentences_that_say_what_to_do() {
        let scratch = Scratch::new();
        let head = scratch.commit(&[("a", "1")]);
        let repo = scratch.open();
        let unknown = repo.commit("no-such-branch").unwrap_err().to_string();
        assert_eq!(
            unknown,
            "`no-such-branch` does not name a commit here; `git branch --all` lists the branches"
        );
        std::fs::write(repo.git_dir().join("shallow"), format!("{head}\n")).unwrap();
        let shallow = repo.commit("older").unwrap_err().to_string();
        assert_eq!(
            shallow,
            "`older` does not name a commit here; the clone is shallow, fetch more with `git fetch --unshallow`"
        );
        let outside = tempfile::tempdir().unwrap();
        let error = Repo::open(outside.path(), outside.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("is not inside a git repository; name a checkout with --repo"),
            "{error}"
        );
    }

    #[test]
    fn blobs_over_the_limit_and_missing_ones_are_told_apart() {
        let scratch = Scratch::new();
        scratch.commit(&[("big", &"x".repeat(5000)), ("small", "y")]);
        let repo = scratch.open();
        let mut ids: Vec<ObjectId> = repo
            .tree(repo.commit("HEAD").unwrap())
            .unwrap()
            .iter()
            .map(|(_, e)| e.blob)
            .collect();
        ids.push(ObjectId::from_bytes(&[9; 20]).unwrap());
        let read = std::sync::Mutex::new(Vec::new());
        read_blobs(&repo, &ids, 100, &|_, blob| {
            read.lock().unwrap().push(format!("{blob:?}"));
        })
        .unwrap();
        let mut read = read.into_inner().unwrap();
        read.sort();
        assert_eq!(read, ["Content([121])", "Missing", "TooLarge(5000)"]);
    }
}
