//! The contract of a forge, with GitHub's adapter against the fake GitHub.

mod checks;
mod comments;
mod events;
mod faults;
mod proposals;
mod pulls;
mod rights;

use std::sync::Arc;
use std::time::Duration;

use trimtab::clock::ManualClock;
use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};
use trimtab::forge::github::{Client, GitHub};
use trimtab::forge::{
    Annotation, AnnotationLevel, AuthorKind, CheckRun, CheckStatus, CommentRef, Conclusion, Forge,
    ForgeError, Pull,
};
use trimtab::signer::Signer;

use super::support::github::model::{CLIENT_ID, FaultKind};
use super::support::github::{FakeGithub, key, model};
use super::support::repo::Edit;

const START: u64 = 1_795_251_661;
/// How long the adapter waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
const MARKER: &str = "<!-- trimtab:v1 -->";

/// The fake GitHub with one repository, and the real adapter that talks to it.
struct Stage {
    github: FakeGithub,
    forge: Arc<GitHub>,
    clock: Arc<ManualClock>,
    repo: RepoKey,
}

impl Stage {
    async fn set() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let github = FakeGithub::start(Arc::clone(&clock) as _).await;
        let repo = github.add_repo("acme/shop", &[Edit::Write("a.py", "x = 1\n")]);
        let client = Client::new(&github.endpoint(), Arc::clone(&clock) as _).unwrap();
        let client = client.with_patience(PATIENCE);
        let signer = Signer::new(
            CLIENT_ID.to_owned(),
            &key::private(),
            client.clone(),
            Arc::clone(&clock) as _,
        );
        let tokens = Arc::new(signer.unwrap());
        let forge = GitHub::new(github.endpoint(), model::APP, client, tokens);
        Self {
            github,
            forge: Arc::new(forge),
            clock,
            repo,
        }
    }

    async fn pull(&self) -> PullNumber {
        let edits = [Edit::Write("a.py", "x = 2\n")];
        self.github
            .open_pull(self.repo, ("ann", "topic"), &edits)
            .await
    }

    fn mints(&self) -> usize {
        let requests = self.github.requests();
        let mints = requests
            .iter()
            .filter(|line| line.contains("access_tokens"));
        mints.count()
    }

    async fn head(&self, pull: PullNumber) -> ObjectId {
        self.read(pull).await.head
    }

    /// The head of a new pull.
    async fn new_head(&self) -> ObjectId {
        let pull = self.pull().await;
        self.head(pull).await
    }

    async fn read(&self, pull: PullNumber) -> Pull {
        self.forge.pull(self.repo, pull).await.unwrap()
    }

    /// Why a pull cannot be read.
    async fn unread(&self, pull: PullNumber) -> ForgeError {
        self.forge.pull(self.repo, pull).await.unwrap_err()
    }

    /// The check for machines, as the fake has it.
    fn machine(&self, head: ObjectId) -> model::Check {
        let check = self.github.check(self.repo, head, "trimtab/plan");
        check.unwrap()
    }

    async fn says(&self, pull: PullNumber, who: &str, what: &str) -> CommentRef {
        self.github.comment(self.repo, pull, who, what).await
    }

    /// Somebody changes a pull by an action that the fake announces.
    async fn change(&self, pull: PullNumber, action: &str, change: impl FnOnce(&mut model::Pull)) {
        let action = ("ann", action);
        self.github
            .change_pull(self.repo, pull, action, change)
            .await;
    }
}

fn check_run(head: ObjectId, status: CheckStatus) -> CheckRun {
    CheckRun {
        name: "trimtab/plan".to_owned(),
        head,
        external_id: Some("trimtab-plan-1".to_owned()),
        status,
        title: "Plan".to_owned(),
        summary: "4 of 11 jobs needed".to_owned(),
        text: None,
        annotations: Vec::new(),
    }
}

fn remark(message: &str) -> Annotation {
    Annotation {
        path: ".trimtab.yml".to_owned(),
        start_line: 1,
        end_line: 1,
        level: AnnotationLevel::Warning,
        message: message.to_owned(),
    }
}

const DONE: CheckStatus = CheckStatus::Completed(Conclusion::Success);
