//! The scratch checkout: faults as commits, and the tree that the suite sees.
//!
//! A fault is made of git objects alone; then the checkout is moved there, and it
//! is proven that what lies on the disk is that tree, file by file, nothing more.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::seed::{Edits, Files};

/// A clone that only this measurement uses.
#[derive(Debug)]
pub(crate) struct Checkout {
    pub(crate) dir: PathBuf,
    /// Paths that are not part of the tree and stay: `node_modules`, `vendor`.
    keep: Vec<String>,
}

impl Checkout {
    /// Opens the clone at `dir`, or makes it from `source`.
    pub(crate) fn open(source: &Path, dir: &Path, keep: &[String]) -> anyhow::Result<Self> {
        if !dir.join(".git").is_dir() {
            let status = Command::new("git")
                .args(["clone", "--quiet", "--shared", "--no-checkout"])
                .arg(source)
                .arg(dir)
                .status()
                .context("start git")?;
            ensure!(status.success(), "git clone failed");
        }
        let exclude: Vec<String> = keep.iter().map(|path| format!("/{path}\n")).collect();
        std::fs::create_dir_all(dir.join(".git/info"))?;
        std::fs::write(dir.join(".git/info/exclude"), exclude.concat())
            .context("exclude what is kept")?;
        Ok(Self {
            dir: dir.canonicalize().context("find the scratch checkout")?,
            keep: keep.to_vec(),
        })
    }

    /// The commit that a revision names.
    pub(crate) fn commit_of(&self, revision: &str) -> anyhow::Result<String> {
        self.git(
            &["rev-parse", "--verify", &format!("{revision}^{{commit}}")],
            "",
        )
    }

    /// Commits the edits on top of `parent`, without touching the checkout.
    pub(crate) fn commit(&self, parent: &str, edits: &Edits) -> anyhow::Result<String> {
        self.git(&["read-tree", parent], "")?;
        for (path, content) in edits {
            match content {
                None => self.git(&["update-index", "--force-remove", "--", path], "")?,
                Some(content) => {
                    let blob = self.hash(content)?;
                    let listed = self.git(&["ls-files", "-s", "--", path], "")?;
                    let mode = listed.split(' ').next().filter(|mode| *mode == "100755");
                    let entry = format!("{} {blob}\t{path}\n", mode.unwrap_or("100644"));
                    self.git(&["update-index", "--add", "--index-info"], &entry)?
                }
            };
        }
        let tree = self.git(&["write-tree"], "")?;
        self.git(&["commit-tree", &tree, "-p", parent, "-m", "fault"], "")
    }

    /// Lays a commit into the checkout and proves that the disk holds it.
    pub(crate) fn enter(&self, commit: &str) -> anyhow::Result<()> {
        self.plain(&["checkout", "--quiet", "--force", "--detach", commit])?;
        let kept = self
            .keep
            .iter()
            .flat_map(|path| ["-e".to_owned(), format!("/{path}")]);
        let clean = ["clean", "-ffdxq"]
            .map(str::to_owned)
            .into_iter()
            .chain(kept);
        let clean: Vec<String> = clean.collect();
        self.plain(&clean.iter().map(String::as_str).collect::<Vec<_>>())?;
        let wanted = self.git(&["rev-parse", &format!("{commit}^{{tree}}")], "")?;
        let found = self.tree_on_disk(commit)?;
        ensure!(
            wanted == found,
            "the checkout holds {found}, not the tree {wanted} of the fault"
        );
        Ok(())
    }

    /// Every file on the disk hashed afresh: an index without any remembered state.
    fn tree_on_disk(&self, commit: &str) -> anyhow::Result<String> {
        self.git(&["read-tree", "--empty"], "")?;
        self.git(&["read-tree", commit], "")?;
        self.git(&["add", "--all", "."], "")?;
        self.git(&["write-tree"], "")
    }

    /// The files of a commit, with the text of those that are text.
    pub(crate) fn files(&self, commit: &str) -> anyhow::Result<Files> {
        let list = self.git(&["ls-tree", "-r", "-z", "--full-tree", commit], "")?;
        let mut files = Files::new();
        for line in list.split_terminator('\0') {
            let Some((entry, path)) = line.split_once('\t') else {
                continue;
            };
            if !entry.starts_with("100") {
                continue;
            }
            let bytes =
                std::fs::read(self.dir.join(path)).with_context(|| format!("read {path}"))?;
            let text = String::from_utf8(bytes)
                .ok()
                .filter(|text| !text.contains('\0'));
            files.insert(path.to_owned(), text);
        }
        Ok(files)
    }

    fn hash(&self, content: &[u8]) -> anyhow::Result<String> {
        self.feed(&["hash-object", "-w", "--stdin"], content)
    }

    fn git(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        self.feed(arguments, input.as_bytes())
    }

    /// Runs git with an index of its own.
    fn feed(&self, arguments: &[&str], input: &[u8]) -> anyhow::Result<String> {
        let date = "2026-01-01T00:00:00Z";
        let mut child = Command::new("git")
            .arg("-C")
            .arg(&self.dir)
            .args(["-c", "user.name=fault", "-c", "user.email=fault@localhost"])
            .args(arguments)
            .env("GIT_INDEX_FILE", self.dir.join(".git/faults-index"))
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("start git")?;
        let mut pipe = child.stdin.take().context("open the input of git")?;
        let bytes = input.to_vec();
        let writer = std::thread::spawn(move || pipe.write_all(&bytes));
        let output = child.wait_with_output()?;
        let failed = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "git {arguments:?} failed: {failed}"
        );
        writer
            .join()
            .ok()
            .context("write to git")?
            .context("write to git")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs git with the index of the checkout.
    fn plain(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = Command::new("git")
            .arg("-C")
            .arg(&self.dir)
            .args(arguments)
            .status();
        ensure!(
            status.context("start git")?.success(),
            "git {arguments:?} failed"
        );
        Ok(())
    }
}
