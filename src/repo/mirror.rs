//! The bot's own bare copy of a repository.
//!
//! A mirror is made at installation and refreshed by pushes and pulls. It only
//! ever fetches; the token travels in the environment of the git process, never
//! on a command line, in a file or in a log.

use std::fs::File;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::program::{bare_git, failed, start_failure};
use super::{Repo, RepoError};

/// Where a mirror fetches from, and with which right.
#[derive(Debug)]
pub struct Fetch {
    /// The repository's address.
    pub url: String,
    /// The value of the `Authorization` header; `None` for a public address.
    pub authorization: Option<SecretString>,
}

/// A bare repository that belongs to the bot.
#[derive(Debug)]
pub struct Mirror {
    dir: PathBuf,
}

impl Mirror {
    /// Opens the mirror in a directory, making an empty one if there is none.
    pub fn open(dir: &Path) -> Result<Self, RepoError> {
        if !dir.join("HEAD").exists() {
            let output = bare_git()
                .args(["init", "--quiet", "--bare"])
                .arg(dir)
                .output();
            let output = output.map_err(|source| start_failure("init", source))?;
            if !output.status.success() {
                return Err(failed("init", &output.stderr));
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Brings refs up to date: `+refs/heads/main:refs/heads/main`. Refs that the
    /// forge does not have make the whole fetch fail. Two fetches into one mirror
    /// wait for each other: git refuses to move one ref twice at once.
    pub fn fetch(&self, from: &Fetch, refspecs: &[String]) -> Result<(), RepoError> {
        let _alone = self.lock()?;
        let mut command = bare_git();
        command.arg("--git-dir").arg(&self.dir);
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--force",
            "--",
        ]);
        command.arg(&from.url).args(refspecs);
        command.env("GIT_CONFIG_COUNT", "2");
        command
            .env("GIT_CONFIG_KEY_0", "http.followRedirects")
            .env("GIT_CONFIG_VALUE_0", "false");
        command.env("GIT_CONFIG_KEY_1", "http.extraHeader");
        let header = from
            .authorization
            .as_ref()
            .map_or_else(String::new, |secret| {
                format!("Authorization: {}", secret.expose_secret())
            });
        command.env("GIT_CONFIG_VALUE_1", header);
        let output = command
            .output()
            .map_err(|source| start_failure("fetch", source))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(failed("fetch", &output.stderr))
        }
    }

    /// Held until it is dropped; the system releases what a killed process held.
    fn lock(&self) -> Result<File, RepoError> {
        let path = self.dir.join("trimtab.lock");
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| RepoError::File {
            what: "lock",
            path,
            source,
        })
    }

    /// The mirror as a repository to read.
    pub fn repo(&self, scratch: &Path) -> Result<Repo, RepoError> {
        Repo::open(&self.dir, scratch)
    }
}
