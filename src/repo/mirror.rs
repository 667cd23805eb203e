//! The bot's own bare copy of a repository.
//!
//! A mirror is made at installation and refreshed by pushes and pulls. It only
//! ever fetches; the token travels in the environment of the git process, never
//! on a command line, in a file or in a log.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::{ExposeSecret as _, SecretString};

use super::program::{ANSWER_MAX, bare_git, bounded, failed, start_failure};
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
        let fetched = self.fetch_once(from, refspecs);
        if fetched.is_err() && self.clear_the_way(refspecs)? {
            return self.fetch_once(from, refspecs);
        }
        fetched
    }

    /// Drops refs that keep others from being made: a forge that has a branch `a/b` has no
    /// branch `a` any more. Whether there was one.
    fn clear_the_way(&self, refspecs: &[String]) -> Result<bool, RepoError> {
        let list = ["for-each-ref", "--format=%(refname)"];
        let output = bounded("for-each-ref", self.git().args(list), ANSWER_MAX)?;
        let known = String::from_utf8_lossy(&output.stdout);
        let mut dropped = false;
        for name in known
            .lines()
            .filter(|name| stands_in_the_way(name, refspecs))
        {
            let mut drop = self.git();
            drop.args(["update-ref", "--no-deref", "-d", name]);
            let output = bounded("update-ref", &mut drop, ANSWER_MAX)?;
            if !output.status.success() {
                return Err(failed("update-ref", &output.stderr));
            }
            dropped = true;
        }
        Ok(dropped)
    }

    fn git(&self) -> Command {
        let mut command = bare_git();
        command.arg("--git-dir").arg(&self.dir);
        command
    }

    /// Packs what fetches have left behind, where that is due. What nobody can reach is
    /// kept for two weeks; who reads meanwhile is not disturbed
    /// (<https://git-scm.com/docs/git-gc>).
    pub fn tidy(&self) -> Result<(), RepoError> {
        let mut command = self.git();
        for setting in [
            "gc.auto=5000",
            "gc.autoPackLimit=40",
            "gc.autoDetach=false",
            "gc.pruneExpire=2.weeks.ago",
        ] {
            command.args(["-c", setting]);
        }
        command.args(["gc", "--auto", "--quiet"]);
        let output = bounded("gc", &mut command, ANSWER_MAX)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(failed("gc", &output.stderr))
        }
    }

    fn fetch_once(&self, from: &Fetch, refspecs: &[String]) -> Result<(), RepoError> {
        let mut command = self.git();
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
        let output = bounded("fetch", &mut command, ANSWER_MAX)?;
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

/// Whether a ref is a directory of one that is fetched, or lies below one.
fn stands_in_the_way(known: &str, refspecs: &[String]) -> bool {
    let is_below = |name: &str, dir: &str| {
        name.strip_prefix(dir)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    refspecs.iter().any(|refspec| {
        let (_, to) = refspec.split_once(':').unwrap_or(("", refspec));
        is_below(to, known) || is_below(known, to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A forge on this machine, whose branches are these.
    fn forge(dir: &Path) -> impl Fn(&[&str]) {
        let git = |dir: &Path, args: &[&str]| {
            let mut command = bare_git();
            command.arg("-C").arg(dir).args(args);
            let identity = [
                "AUTHOR_NAME",
                "AUTHOR_EMAIL",
                "COMMITTER_NAME",
                "COMMITTER_EMAIL",
            ];
            for name in identity {
                command.env(format!("GIT_{name}"), "a@example.org");
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{args:?}: {output:?}");
        };
        git(dir, &["init", "-q", "-b", "main"]);
        git(dir, &["commit", "-q", "--allow-empty", "-m", "first"]);
        let dir = dir.to_owned();
        move |args| git(&dir, args)
    }

    #[test]
    fn a_branch_that_is_gone_keeps_none_below_it_from_being_fetched() {
        let scratch = tempfile::tempdir().unwrap();
        let (there, here) = (scratch.path().join("there"), scratch.path().join("here"));
        std::fs::create_dir(&there).unwrap();
        let git = forge(&there);
        let mirror = Mirror::open(&here).unwrap();
        let from = Fetch {
            url: there.to_str().unwrap().to_owned(),
            authorization: None,
        };
        let branches = |names: &[&str]| -> Vec<String> {
            let name = |name: &&str| format!("+refs/heads/{name}:refs/heads/{name}");
            names.iter().map(name).collect()
        };
        git(&["branch", "topic"]);
        mirror.fetch(&from, &branches(&["main", "topic"])).unwrap();
        git(&["branch", "-D", "topic"]);
        git(&["branch", "topic/one"]);
        mirror.fetch(&from, &branches(&["topic/one"])).unwrap();
        git(&["branch", "-D", "topic/one"]);
        git(&["branch", "topic"]);
        mirror.fetch(&from, &branches(&["topic"])).unwrap();
        // What the forge does not have is a fault as before.
        assert!(mirror.fetch(&from, &branches(&["topics"])).is_err());
        let repo = mirror.repo(&scratch.path().join("scratch")).unwrap();
        assert!(repo.commit("refs/heads/main").is_ok());
        assert!(repo.commit("refs/heads/topic").is_ok());
        mirror.tidy().unwrap();
        assert!(repo.commit("refs/heads/topic").is_ok());
    }

    #[test]
    fn only_directories_of_a_name_and_what_lies_below_it_stand_in_its_way() {
        let refspecs = ["+refs/heads/a/b:refs/heads/a/b".to_owned()];
        let check = |name: &str| stands_in_the_way(name, &refspecs);
        assert!(check("refs/heads/a") && check("refs/heads/a/b/c"));
        assert!(!check("refs/heads/a/b") && !check("refs/heads/a/c"));
        assert!(!check("refs/heads/ab") && !check("refs/heads/a/bc"));
    }
}
