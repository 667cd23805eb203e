//! A GitHub of our own: state on the inside, HTTP and git on the outside.
//!
//! Scenarios say what people do ([`FakeGithub::open_pull`], [`FakeGithub::comment`]);
//! the state changes and the bot gets the signed webhook that the real forge would
//! send. The bot asks back over HTTP, with tokens that are really verified, and is
//! answered from the state. [`FakeGithub::finish`] fails for whatever was left over:
//! requests that no route knows, planned faults that never happened, and what the
//! bot wrote without anybody looking at it.

mod changes;
mod checks;
mod conversation;
mod git;
mod http;
pub(crate) mod identity;
mod json;
pub(crate) mod key;
mod manifest;
pub(crate) mod model;
mod rights;
mod routes;
pub(crate) mod runner;
pub(crate) mod runs;
mod webhooks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use secrecy::SecretString;
use trimtab::clock::Clock;
use trimtab::engine::ids::{ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey};
use trimtab::forge::github::Endpoint;
use trimtab::forge::{CommentId, CommentPlace, CommentRef};

use self::model::{
    APP, BOT, Check, Comment, Fault, FaultKind, Installation, Level, Model, Pull, Repo, Request,
    Review, User,
};
use super::repo::{Edit, GitRepo};

/// The secret that webhooks are signed with.
const SECRET: &str = "a secret between the fake forge and the bot";

/// A running GitHub.
pub(crate) struct FakeGithub {
    shared: Arc<Shared>,
    address: SocketAddr,
    place: tempfile::TempDir,
}

struct Shared {
    model: Mutex<Model>,
    clock: Arc<dyn Clock>,
    /// Where the bot takes webhooks; until then every delivery fails.
    bot: Mutex<Option<url::Url>>,
}

impl Shared {
    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    /// What time it is for the forge.
    fn now(&self) -> u64 {
        let ahead = self.model().ahead;
        self.clock.unix_seconds().saturating_add_signed(ahead)
    }
}

impl FakeGithub {
    /// Starts an empty one.
    pub(crate) async fn start(clock: Arc<dyn Clock>) -> Self {
        let mut model = Model::default();
        model.users.insert(BOT, json::bot());
        let shared = Arc::new(Shared {
            model: Mutex::new(model),
            clock,
            bot: Mutex::new(None),
        });
        Self {
            address: http::serve(Arc::clone(&shared)).await,
            shared,
            place: tempfile::tempdir().unwrap(),
        }
    }

    /// Where the bot finds it; like a server of one's own, below a path.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: format!("http://{}{}", self.address, http::API)
                .parse()
                .unwrap(),
            web: format!("http://{}", self.address).parse().unwrap(),
        }
    }

    /// The secret that webhooks are signed with.
    pub(crate) fn secret() -> SecretString {
        SECRET.into()
    }

    /// Sends webhooks to this address from now on; with none, they fail.
    pub(crate) fn connect(&self, bot: Option<url::Url>) {
        *self.shared.bot.lock().unwrap() = bot;
    }

    /// All state, to look at or to change in ways that no method offers. Never keep
    /// it across an `await`.
    pub(crate) fn state(&self) -> MutexGuard<'_, Model> {
        self.shared.model()
    }

    /// A repository `owner/name` with one commit on `main`, reached by an installation
    /// of its own.
    pub(crate) fn add_repo(&self, path: &str, edits: &[Edit<'_>]) -> RepoKey {
        let (owner, name) = path.split_once('/').unwrap();
        let mut git = GitRepo::init(&self.place.path().join(format!("{path}.git")));
        git.commit("main", "First", edits);
        let mut model = self.state();
        let owner = model.user(owner);
        model.users.get_mut(&owner).unwrap().kind = "Organization";
        let (id, installation) = (model.fresh_id(), model.fresh_id());
        let repo = Repo {
            id,
            owner,
            name: name.to_owned(),
            default_branch: "main".to_owned(),
            archived: false,
            git,
            pulls: [].into(),
            runs: [].into(),
            required: [Vec::new(), Vec::new()],
            actions_enabled: true,
            rules: Vec::new(),
            roles: [].into(),
        };
        model.repos.insert(id, repo);
        let installed = Installation {
            id: installation,
            account: owner,
            repos: [id].into(),
            permissions: manifest::permissions(),
            unheard: [].into(),
            suspended: false,
        };
        model.installations.insert(installation, installed);
        RepoKey {
            forge: ForgeKind::Github,
            installation: InstallationId(installation),
            repo: RepoId(id),
        }
    }

    /// Gives a user a role: `read`, `triage`, `write`, `maintain` or `admin`.
    pub(crate) fn grant(&self, repo: RepoKey, login: &str, role: &str) -> User {
        let mut model = self.state();
        let id = model.user(login);
        let repo = model.repos.get_mut(&repo.repo.0).unwrap();
        repo.roles.insert(id, role.to_owned());
        model.users[&id].clone()
    }

    /// Somebody commits to a new branch and opens a pull from it.
    pub(crate) async fn open_pull(
        &self,
        repo: RepoKey,
        (login, branch): (&str, &str),
        edits: &[Edit<'_>],
    ) -> PullNumber {
        let number = self.create_pull(repo, (login, branch), edits, false);
        self.announce_pull(repo, number, login, "opened").await;
        number
    }

    /// The same from a fork.
    pub(crate) async fn open_fork_pull(
        &self,
        repo: RepoKey,
        (login, branch): (&str, &str),
        edits: &[Edit<'_>],
    ) -> PullNumber {
        let number = self.create_pull(repo, (login, branch), edits, true);
        self.announce_pull(repo, number, login, "opened").await;
        number
    }

    /// The author commits to the branch of a pull.
    pub(crate) async fn push(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        edits: &[Edit<'_>],
    ) -> ObjectId {
        let (head, login) = {
            let mut model = self.state();
            let of = model.repos.get_mut(&repo.repo.0).unwrap();
            let it = of.pulls.get_mut(&pull.0).unwrap();
            it.head = of.git.commit(&it.head_ref, "More", edits);
            it.base = of.git.tip(&it.base_ref);
            of.git.pull_refs(pull.0, it.head, it.base);
            (it.head, it.author)
        };
        let login = self.state().users[&login].login.clone();
        self.announce_pull(repo, pull, &login, "synchronize").await;
        head
    }

    /// Somebody commits to a branch of the repository itself.
    pub(crate) async fn push_branch(
        &self,
        repo: RepoKey,
        (login, branch): (&str, &str),
        edits: &[Edit<'_>],
    ) -> ObjectId {
        let (before, after) = {
            let mut model = self.state();
            let of = model.repos.get_mut(&repo.repo.0).unwrap();
            let before = of.git.tip(branch);
            let after = of.git.commit(branch, "More", edits);
            of.follow(branch);
            (before, after)
        };
        self.announce_push(repo, login, branch, (before, after))
            .await;
        after
    }

    /// Somebody merges a pull with a merge commit; the branch stays.
    pub(crate) async fn merge(&self, repo: RepoKey, pull: PullNumber, login: &str) {
        let (branch, before, after) = {
            let mut model = self.state();
            let of = model.repos.get_mut(&repo.repo.0).unwrap();
            let it = of.pulls.get_mut(&pull.0).unwrap();
            let before = of.git.tip(&it.base_ref);
            let after = of.git.pull_refs(pull.0, it.head, before).unwrap();
            of.git.branch(&it.base_ref, after);
            (it.open, it.merged) = (false, true);
            (it.base_ref.clone(), before, after)
        };
        self.announce_pull(repo, pull, login, "closed").await;
        self.announce_push(repo, login, &branch, (before, after))
            .await;
    }

    /// Lets the installation of a repository change branches and workflows.
    pub(crate) fn allow_proposals(&self, repo: RepoKey) {
        let mut state = self.state();
        let installation = state.installations.get_mut(&repo.installation.0);
        let permissions = &mut installation.unwrap().permissions;
        for name in ["contents", "workflows"] {
            permissions.insert(name.to_owned(), Level::Write);
        }
    }

    /// Somebody changes a pull; `change` does it, `action` is the webhook's word.
    pub(crate) async fn change_pull(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        (login, action): (&str, &str),
        change: impl FnOnce(&mut Pull),
    ) {
        {
            let mut model = self.state();
            let of = model.repos.get_mut(&repo.repo.0).unwrap();
            let it = of.pulls.get_mut(&pull.0).unwrap();
            let target = it.base_ref.clone();
            change(it);
            if let Some(base) = of.git.find(&it.base_ref).filter(|_| it.base_ref != target) {
                it.base = base;
                of.git.pull_refs(pull.0, it.head, base);
            }
        }
        self.announce_pull(repo, pull, login, action).await;
    }

    /// Somebody writes into a pull's conversation.
    pub(crate) async fn comment(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        login: &str,
        body: &str,
    ) -> CommentRef {
        let id = {
            let mut model = self.state();
            let now = self.shared.clock.unix_seconds();
            let (author, id) = (model.user(login), model.fresh_id());
            let comment = Comment {
                id,
                repo: repo.repo.0,
                pull: pull.0,
                author,
                body: body.to_owned(),
                created: now,
                updated: now,
                edits: 0,
                app: None,
                reactions: Vec::new(),
                seen: true,
            };
            model.comments.insert(id, comment);
            id
        };
        self.announce_comment(id).await;
        CommentRef {
            pull,
            id: CommentId(id),
            place: CommentPlace::Conversation,
        }
    }

    /// Somebody submits a review.
    pub(crate) async fn review(
        &self,
        repo: RepoKey,
        pull: PullNumber,
        login: &str,
        body: &str,
    ) -> CommentRef {
        let id = {
            let mut model = self.state();
            let (author, id) = (model.user(login), model.fresh_id());
            let review = Review {
                id,
                repo: repo.repo.0,
                pull: pull.0,
                author,
                body: body.to_owned(),
                commit: model.repos[&repo.repo.0].pulls[&pull.0].head,
                reactions: Vec::new(),
            };
            model.reviews.insert(id, review);
            id
        };
        self.announce_review(id).await;
        CommentRef {
            pull,
            id: CommentId(id),
            place: CommentPlace::Review,
        }
    }

    /// What the bot has written into a pull's conversation, oldest first; counts as
    /// seen.
    pub(crate) fn bot_comments(&self, repo: RepoKey, pull: PullNumber) -> Vec<Comment> {
        let mut model = self.state();
        let here =
            |it: &&mut Comment| it.app == Some(APP) && it.repo == repo.repo.0 && it.pull == pull.0;
        let ours = model.comments.values_mut().filter(here);
        ours.map(|comment| {
            comment.seen = true;
            comment.clone()
        })
        .collect()
    }

    /// The bot's check of a name on a commit, as people see it: the latest.
    pub(crate) fn check(&self, repo: RepoKey, head: ObjectId, name: &str) -> Option<Check> {
        let model = self.state();
        let here = |it: &&Check| it.repo == repo.repo.0 && it.head == head && it.name == name;
        model.checks.values().rev().find(here).cloned()
    }

    /// The next request whose method and path hold this text runs into a fault.
    pub(crate) fn fail_next(&self, line: &str, kind: FaultKind) {
        let line = line.to_owned();
        self.state().faults.push(Fault { line, kind });
    }

    /// Method and path of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let model = self.state();
        model.requests.iter().map(|it| it.line.clone()).collect()
    }

    /// Fails for whatever is left over.
    pub(crate) fn finish(self) {
        self.end(&[400, 422]);
    }

    /// The same, where the scenario asks for what the forge has to refuse.
    pub(crate) fn finish_refused(self) {
        self.end(&[400]);
    }

    fn end(&self, wrong: &[u16]) {
        let model = self.state();
        let unmatched = model.requests.iter().filter(|it| it.unmatched);
        let unmatched = unmatched.map(|it| format!("no route for {}", it.line));
        // A token for more than was granted is asked for in order to learn that.
        let is_wrong = |it: &&Request| {
            let is_token = it.status == 422 && it.line.contains("access_tokens");
            wrong.contains(&it.status) && !it.planned && !is_token
        };
        let refused = model.requests.iter().filter(is_wrong);
        let refused = refused.map(|it| format!("malformed request {}: {}", it.line, it.status));
        let faults = model
            .faults
            .iter()
            .map(|it| format!("{it:?} never happened"));
        let unseen = model.comments.values().filter(|it| !it.seen);
        let unseen = unseen.map(|it| format!("nobody looked at comment: {}", it.body));
        let left: Vec<String> = unmatched
            .chain(refused)
            .chain(faults)
            .chain(unseen)
            .collect();
        assert!(left.is_empty(), "left over:\n{}", left.join("\n"));
    }

    fn create_pull(
        &self,
        repo: RepoKey,
        (login, branch): (&str, &str),
        edits: &[Edit<'_>],
        from_fork: bool,
    ) -> PullNumber {
        let mut model = self.state();
        let author = model.user(login);
        let fork = if from_fork {
            model.fresh_id()
        } else {
            repo.repo.0
        };
        let of = model.repos.get_mut(&repo.repo.0).unwrap();
        let number = of.pulls.keys().max().map_or(1, |last| last + 1);
        let base = of.git.tip(&of.default_branch);
        // The commits of a fork are in the base's objects too, under no branch.
        let head_ref = if from_fork {
            format!("fork-{fork}-{branch}")
        } else {
            branch.to_owned()
        };
        of.git.branch(&head_ref, base);
        let head = of.git.commit(&head_ref, "Change", edits);
        of.git.pull_refs(number, head, base);
        let pull = Pull {
            number,
            title: format!("Change {branch}"),
            body: String::new(),
            author,
            open: true,
            merged: false,
            draft: false,
            labels: [].into(),
            head,
            head_ref,
            head_repo: Some(fork),
            base,
            base_ref: of.default_branch.clone(),
        };
        of.pulls.insert(number, pull);
        PullNumber(number)
    }
}
