//! Merges as the forge computes them, without the programs of a configuration.

use super::program::{ANSWER_MAX, bounded, failed};
use super::{Repo, RepoError};
use crate::engine::ids::ObjectId;

/// What git does by itself where no driver is configured.
const PLAIN_DRIVER: &str = "git merge-file --quiet %A %O %B";

/// The merge of head into base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// The tree that CI tests.
    Clean(ObjectId),
    /// Head cannot be merged; these paths conflict.
    Conflict(Vec<String>),
    /// The two have no common commit, as far as this clone reaches.
    Unrelated,
}

impl Repo {
    /// The merge of `head` into `base`, as the forge's CI tests it. A base that is
    /// an ancestor of head merges to head's own tree.
    pub fn merge(&self, base: ObjectId, head: ObjectId) -> Result<Merge, RepoError> {
        std::fs::create_dir_all(&self.scratch).map_err(|source| RepoError::File {
            what: "create",
            path: self.scratch.clone(),
            source,
        })?;
        let (base, head) = (base.to_string(), head.to_string());
        let drivers = self.drivers()?;
        let args = [
            "-c",
            "merge.default=text",
            "-c",
            "merge.renames=true",
            "merge-tree",
            "--write-tree",
            "--no-messages",
            "--name-only",
            "-z",
            &base,
            &head,
        ];
        let mut command = self.git();
        command.env("GIT_CONFIG_COUNT", drivers.len().to_string());
        for (at, driver) in drivers.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), driver);
            command.env(format!("GIT_CONFIG_VALUE_{at}"), PLAIN_DRIVER);
        }
        let output = bounded("merge-tree", command.args(args), ANSWER_MAX)?;
        let mut parts = output
            .stdout
            .split(|byte| *byte == 0)
            .map(|part| String::from_utf8_lossy(part).into_owned());
        let tree = parts.next().and_then(|text| text.trim().parse().ok());
        match (output.status.code(), tree) {
            (Some(0), Some(tree)) => Ok(Merge::Clean(tree)),
            (Some(1), Some(_)) => Ok(Merge::Conflict(
                parts.filter(|path| !path.is_empty()).collect(),
            )),
            _ if String::from_utf8_lossy(&output.stderr).contains("unrelated histories") => {
                Ok(Merge::Unrelated)
            }
            _ => Err(failed("merge-tree", &output.stderr)),
        }
    }

    /// The merge drivers of the configuration: programs that a merge would run. Forges
    /// run none, so that a plain merge stands in for each.
    fn drivers(&self) -> Result<Vec<String>, RepoError> {
        let pattern = r"^merge\..*\.driver$";
        let args = ["config", "-z", "--name-only", "--get-regexp", pattern];
        let output = self.output("config", args)?;
        let keys = output.stdout.split(|byte| *byte == 0);
        let keys = keys.map(|key| String::from_utf8_lossy(key).into_owned());
        Ok(keys.filter(|key| !key.is_empty()).collect())
    }
}
