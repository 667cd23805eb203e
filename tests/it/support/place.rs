//! A repository on this machine, and the command line in it.
//!
//! Its commits are written raw, so that it may hold what no editor would make. Nothing
//! is checked out: a plan reads commits.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trimtab");

/// A repository with a checkout's layout, and a cache of its own.
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) cache: PathBuf,
    _room: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::called("shop")
    }

    pub(crate) fn called(name: impl AsRef<OsStr>) -> Self {
        let room = tempfile::tempdir().unwrap();
        let place = Self {
            dir: room.path().join(name.as_ref()),
            cache: room.path().join("cache"),
            _room: room,
        };
        std::fs::create_dir_all(&place.dir).unwrap();
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place
    }

    /// A repository whose branch `topic` changes something that `main` has.
    pub(crate) fn with(files: &[(&str, &str)], changed: &[(&str, &str)]) -> Self {
        let place = Self::new();
        place.commit("main", files);
        place.branch("topic");
        place.commit("topic", changed);
        place
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = git(&self.dir).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn branch(&self, name: &str) {
        self.git(&["branch", "--quiet", name, "main"]);
    }

    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) {
        let edits = files
            .iter()
            .map(|(path, text)| (path.as_bytes(), "100644", text.as_bytes()));
        self.commit_raw(branch, edits);
    }

    /// A commit of files by raw path, mode and content.
    pub(crate) fn commit_raw<'f>(
        &self,
        branch: &str,
        files: impl IntoIterator<Item = (&'f [u8], &'f str, &'f [u8])>,
    ) {
        let mut stream = format!(
            "commit refs/heads/{branch}\ncommitter A <a@example.org> 1700000000 +0000\ndata 2\nx\n"
        )
        .into_bytes();
        let from = format!("refs/heads/{branch}^0");
        let known = git(&self.dir)
            .args(["rev-parse", "--verify", "--quiet", &from])
            .output()
            .unwrap();
        if known.status.success() {
            stream.extend(format!("from {from}\n").bytes());
        }
        for (path, mode, content) in files {
            // An object that is there already, or a submodule's commit, by its name.
            let is_named = content.len() == 40 && content.iter().all(u8::is_ascii_hexdigit);
            let name = if is_named {
                String::from_utf8_lossy(content).into_owned()
            } else {
                "inline".to_owned()
            };
            stream.extend(format!("M {mode} {name} \"").bytes());
            for byte in path {
                stream.extend(format!("\\{byte:03o}").bytes());
            }
            stream.extend(b"\"\n");
            if !is_named {
                stream.extend(format!("data {}\n", content.len()).bytes());
                stream.extend(content);
                stream.push(b'\n');
            }
        }
        let mut child = git(&self.dir)
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&stream).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(crate) fn trimtab(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .current_dir(&self.dir)
            .env("XDG_CACHE_HOME", &self.cache)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// The plan of `topic` against `main`, as text.
    pub(crate) fn plan(&self) -> String {
        let output = self.trimtab(&["plan", "--head", "topic"]).output().unwrap();
        answer(&output)
    }

    /// The one sentence with which a command ends that cannot be carried out.
    pub(crate) fn refusal(&self, args: &[&str]) -> String {
        refusal(&self.trimtab(args).output().unwrap())
    }
}

pub(crate) fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.org",
            "-c",
            "core.compression=1",
        ])
        .args(["-c", "protocol.file.allow=always"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE");
    command
}

pub(crate) fn answer(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn refusal(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert_eq!(output.stdout, b"", "{error}");
    let line = error.strip_prefix("trimtab: ").unwrap();
    assert_eq!(line.trim_end_matches('\n').lines().count(), 1, "{error}");
    line.trim_end_matches('\n').to_owned()
}
