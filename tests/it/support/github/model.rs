//! What exists on the fake GitHub: plain state, nothing of HTTP.
//!
//! Scenarios change the state as people would, and the answers to the bot are
//! derived from it. Times are seconds since 1970 from the scenario's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use trimtab::engine::ids::ObjectId;

use super::super::repo::GitRepo;

/// The number of the app on the fake GitHub.
pub(crate) const APP: u64 = 4_711;
/// The issuer that the app signs with.
pub(crate) const CLIENT_ID: &str = "Iv23liTrimtab";
/// The name of the app in URLs and of its user.
pub(crate) const SLUG: &str = "trimtab";
/// The user that the app writes as.
pub(crate) const BOT: u64 = 900;

/// Everything that exists.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) installations: BTreeMap<u64, Installation>,
    pub(crate) repos: BTreeMap<u64, Repo>,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) comments: BTreeMap<u64, Comment>,
    pub(crate) reviews: BTreeMap<u64, Review>,
    pub(crate) checks: BTreeMap<u64, Check>,
    /// Every attempt to deliver, oldest first.
    pub(crate) deliveries: Vec<Delivery>,
    /// Every request that the bot made, oldest first.
    pub(crate) requests: Vec<Request>,
    /// The keys that the issuer publishes, when they are not its own.
    pub(crate) published: Option<Vec<Value>>,
    /// Where it says that they are, when that is not where they are.
    pub(crate) keys_at: Option<String>,
    /// What goes wrong next.
    pub(crate) faults: Vec<Fault>,
    /// How many requests are left until the reset, if that is counted.
    pub(crate) quota: Option<Quota>,
    /// How long every answer takes.
    pub(crate) pace: Duration,
    /// By how many seconds its clock is ahead of the scenario's.
    pub(crate) ahead: i64,
    last_id: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) login: String,
    /// `User`, `Bot` or `Organization`.
    pub(crate) kind: &'static str,
}

#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) id: u64,
    pub(crate) account: u64,
    pub(crate) repos: BTreeSet<u64>,
    pub(crate) permissions: Permissions,
    /// Events of the app that are not sent.
    pub(crate) unheard: BTreeSet<&'static str>,
    pub(crate) suspended: bool,
}

/// Name and level, `read` before `write`.
pub(crate) type Permissions = BTreeMap<String, Level>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read,
    Write,
}

#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) owner: u64,
    pub(crate) name: String,
    pub(crate) default_branch: String,
    pub(crate) archived: bool,
    pub(crate) git: GitRepo,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) runs: BTreeMap<u64, Run>,
    /// Checks that a ruleset requires for every branch, and those of its protection.
    pub(crate) required: [Vec<String>; 2],
    /// Whether workflows run at all.
    pub(crate) actions_enabled: bool,
    /// Kinds of other rules that a ruleset has for every branch.
    pub(crate) rules: Vec<&'static str>,
    /// What users may do: the role's name. Who is missing has none.
    pub(crate) roles: BTreeMap<u64, String>,
}

impl Repo {
    /// Brings the open pulls from a branch to where it stands.
    pub(crate) fn follow(&mut self, branch: &str) {
        let from = |it: &&mut Pull| it.open && it.head_ref == branch;
        for pull in self.pulls.values_mut().filter(from) {
            pull.head = self.git.tip(branch);
            pull.base = self.git.tip(&pull.base_ref);
            self.git.pull_refs(pull.number, pull.head, pull.base);
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) author: u64,
    pub(crate) open: bool,
    pub(crate) merged: bool,
    pub(crate) draft: bool,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) head: ObjectId,
    pub(crate) head_ref: String,
    /// The repository of the head; none when the fork was deleted.
    pub(crate) head_repo: Option<u64>,
    pub(crate) base: ObjectId,
    pub(crate) base_ref: String,
}

/// A run of a workflow.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) number: u64,
    pub(crate) event: String,
    pub(crate) status: String,
    pub(crate) head: ObjectId,
    pub(crate) reference: String,
    /// The path of the workflow's file.
    pub(crate) workflow: String,
    pub(crate) branch: String,
    /// The repository of the head; none when the fork was deleted.
    pub(crate) head_repo: Option<u64>,
    pub(crate) pull: Option<u64>,
    pub(crate) created: u64,
    pub(crate) attempts: Vec<Attempt>,
}

/// One attempt of a run.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) started: u64,
    pub(crate) updated: u64,
    /// None while it runs.
    pub(crate) conclusion: Option<String>,
    /// The jobs that have ended.
    pub(crate) jobs: Vec<RunJob>,
}

/// A job of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct RunJob {
    pub(crate) id: u64,
    pub(crate) attempt: u32,
    pub(crate) name: String,
    pub(crate) conclusion: String,
    pub(crate) created: u64,
    pub(crate) started: u64,
    pub(crate) completed: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) installation: u64,
    /// None: all repositories of the installation.
    pub(crate) repos: Option<BTreeSet<u64>>,
    pub(crate) permissions: Permissions,
    pub(crate) ends: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) repo: u64,
    pub(crate) pull: u64,
    pub(crate) author: u64,
    pub(crate) body: String,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    /// How often the body was replaced.
    pub(crate) edits: u32,
    /// Through which app it was written.
    pub(crate) app: Option<u64>,
    pub(crate) reactions: Vec<(u64, String)>,
    /// A scenario has looked at it since it was last written.
    pub(crate) seen: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) repo: u64,
    pub(crate) pull: u64,
    pub(crate) author: u64,
    pub(crate) body: String,
    pub(crate) commit: ObjectId,
    pub(crate) reactions: Vec<(u64, String)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) id: u64,
    pub(crate) repo: u64,
    pub(crate) name: String,
    pub(crate) head: ObjectId,
    pub(crate) app: u64,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) external_id: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) text: Option<String>,
    pub(crate) annotations: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) guid: String,
    pub(crate) at: u64,
    pub(crate) redelivery: bool,
    /// What the bot answered; zero when nothing did.
    pub(crate) status: u16,
    pub(crate) event: String,
    pub(crate) payload: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) status: u16,
    /// No route of the fake knows it.
    pub(crate) unmatched: bool,
    /// A scenario planned its answer.
    pub(crate) planned: bool,
}

/// Something that goes wrong once, at the first request whose line holds the text.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) line: String,
    pub(crate) kind: FaultKind,
}

#[derive(Debug, Clone)]
pub(crate) enum FaultKind {
    /// The request is not looked at; this is the answer.
    Answer(u16, Vec<(&'static str, String)>),
    /// The request is carried out, but its answer is lost on the way.
    LostAnswer,
    /// The answer takes this long.
    Delay(Duration),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) left: u64,
    pub(crate) reset: u64,
}

impl Model {
    /// A number that nothing else has.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        10_000 + self.last_id
    }

    /// The user with a login; made on first use.
    pub(crate) fn user(&mut self, login: &str) -> u64 {
        if let Some(user) = self.users.values().find(|user| user.login == login) {
            return user.id;
        }
        let id = self.fresh_id();
        let user = User {
            id,
            login: login.to_owned(),
            kind: "User",
        };
        self.users.insert(id, user);
        id
    }

    /// `owner/name`.
    pub(crate) fn path(&self, repo: &Repo) -> String {
        format!("{}/{}", self.users[&repo.owner].login, repo.name)
    }

    /// The installation that reaches a repository.
    pub(crate) fn installation_of(&self, repo: u64) -> Option<&Installation> {
        self.installations
            .values()
            .find(|installation| installation.repos.contains(&repo))
    }

    /// The fault that a request runs into; it is used up.
    pub(crate) fn take_fault(&mut self, line: &str) -> Option<FaultKind> {
        let at = self
            .faults
            .iter()
            .position(|fault| line.contains(&fault.line))?;
        Some(self.faults.remove(at).kind)
    }
}
