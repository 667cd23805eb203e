//! The contract of a forge, with GitHub's adapter against the fake GitHub.

mod proposals;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use tokio::sync::mpsc;
use trimtab::clock::ManualClock;
use trimtab::engine::ids::{InstallationId, ObjectId, PullNumber, RepoId, RepoKey, UserId};
use trimtab::forge::event::{ForgeEvent, InstallationChange, PullChange, RepoEventKind};
use trimtab::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER};
use trimtab::forge::github::{Client, GitHub, payload, signature};
use trimtab::forge::{
    Annotation, AnnotationLevel, Author, AuthorKind, CheckRun, CheckStatus, CommentId, CommentRef,
    Conclusion, Forge, ForgeError, Permission, Pull, PullState, Reaction,
};
use trimtab::repo::{Fetch, Mirror};
use trimtab::signer::Signer;

use super::support::github::model::{CLIENT_ID, FaultKind, Quota};
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

#[tokio::test]
async fn pull_is_read_as_it_is_now() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let change = |pull: &mut model::Pull| {
        pull.labels.insert("b".to_owned());
        pull.labels.insert("a".to_owned());
        pull.draft = true;
    };
    let action = ("ann", "labeled");
    stage
        .github
        .change_pull(stage.repo, number, action, change)
        .await;
    let pull = stage.read(number).await;
    assert_eq!(pull.number, number);
    assert_eq!(pull.state, PullState::Open);
    assert_eq!(
        (pull.base_ref.as_str(), pull.head_ref.as_str()),
        ("main", "topic")
    );
    assert_eq!(
        (pull.author.login.as_str(), pull.author.kind),
        ("ann", AuthorKind::User)
    );
    assert_eq!(pull.labels, ["a", "b"]);
    assert!(pull.draft && !pull.from_fork);
    stage.github.finish();
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let statuses = || {
        let state = stage.github.state();
        let reads = state
            .requests
            .iter()
            .filter(|it| it.line.contains("/pulls"));
        reads.map(|it| it.status).collect::<Vec<_>>()
    };
    let first = stage.read(number).await;
    let again = stage.read(number).await;
    assert_eq!(first, again);
    let listed = stage.forge.open_pulls(stage.repo).await.unwrap();
    assert_eq!(listed, stage.forge.open_pulls(stage.repo).await.unwrap());
    assert_eq!(statuses(), [200, 304, 200, 304]);
    let edits = [Edit::Write("a.py", "x = 3\n")];
    let head = stage.github.push(stage.repo, number, &edits).await;
    let pushed = stage.read(number).await;
    assert_eq!(pushed.head, head);
    assert_eq!(stage.forge.open_pulls(stage.repo).await.unwrap(), [pushed]);
    assert_eq!(statuses()[4..], [200, 200]);
    stage.github.finish();
}

#[tokio::test]
async fn head_in_a_fork_or_in_a_deleted_fork_is_told() {
    let stage = Stage::set().await;
    let edits = [Edit::Write("a.py", "x = 2\n")];
    let number = stage
        .github
        .open_fork_pull(stage.repo, ("eve", "topic"), &edits)
        .await;
    assert!(stage.read(number).await.from_fork);
    let delete = |pull: &mut model::Pull| pull.head_repo = None;
    stage
        .github
        .change_pull(stage.repo, number, ("eve", "edited"), delete)
        .await;
    assert!(stage.read(number).await.from_fork);
    stage.github.finish();
}

#[tokio::test]
async fn all_pages_of_open_pulls_are_read() {
    let stage = Stage::set().await;
    let first = stage.pull().await;
    {
        let mut state = stage.github.state();
        let repo = state.repos.get_mut(&stage.repo.repo.0).unwrap();
        let pattern = repo.pulls[&first.0].clone();
        for number in 2..=250 {
            let pull = model::Pull {
                number,
                ..pattern.clone()
            };
            repo.pulls.insert(number, pull);
        }
        repo.pulls.get_mut(&7).unwrap().open = false;
    }
    let pulls = stage.forge.open_pulls(stage.repo).await.unwrap();
    assert_eq!(pulls.len(), 249);
    assert!(pulls.is_sorted_by_key(|pull| pull.number));
    stage.github.finish();
}

#[tokio::test]
async fn merged_and_closed_are_told_apart() {
    let stage = Stage::set().await;
    let number = stage.pull().await;
    let close = |pull: &mut model::Pull| pull.open = false;
    stage.change(number, "closed", close).await;
    let pull = stage.read(number).await;
    assert_eq!(pull.state, PullState::Closed);
    let merge = |pull: &mut model::Pull| pull.merged = true;
    stage.change(number, "closed", merge).await;
    let pull = stage.read(number).await;
    assert_eq!(pull.state, PullState::Merged);
    stage.github.finish();
}

#[tokio::test]
async fn sticky_comment_is_found_by_marker_and_author() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let body = format!("{MARKER}\nplan");
    // Whoever copies the marker does not get our comment.
    stage.says(pull, "eve", &body).await;
    let find = async || {
        stage
            .forge
            .sticky_comment(stage.repo, pull, MARKER)
            .await
            .unwrap()
    };
    assert_eq!(find().await, None);
    let write = stage.forge.write_comment(stage.repo, pull, None, &body);
    let written = write.await.unwrap();
    // Some conversations are longer than one page.
    for _ in 0..120 {
        stage.says(pull, "ann", "hm").await;
    }
    assert_eq!(find().await.as_ref(), Some(&written));
    assert_eq!(written.author.kind, AuthorKind::Bot);
    stage.github.bot_comments(stage.repo, pull);
    stage.github.finish();
}

#[tokio::test]
async fn comment_is_edited_in_place() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let write = async |existing: Option<CommentId>, body: &str| {
        stage
            .forge
            .write_comment(stage.repo, pull, existing, body)
            .await
    };
    let first = write(None, "one").await.unwrap();
    stage.clock.advance(Duration::from_secs(5));
    let second = write(Some(first.at.id), "two").await.unwrap();
    assert_eq!(second.at, first.at);
    assert!(second.edited && !first.edited);
    let comments = stage.github.bot_comments(stage.repo, pull);
    assert_eq!(comments.len(), 1);
    assert_eq!((comments[0].body.as_str(), comments[0].edits), ("two", 1));
    stage.github.state().comments.clear();
    let gone = write(Some(first.at.id), "three").await.unwrap_err();
    assert!(matches!(gone, ForgeError::Missing { .. }), "{gone}");
    stage.github.finish();
}

#[tokio::test]
async fn comment_that_is_too_long_is_refused_before_it_is_sent() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let body = "x".repeat(65_537);
    let refused = stage
        .forge
        .write_comment(stage.repo, pull, None, &body)
        .await;
    assert!(matches!(refused, Err(ForgeError::Refused { .. })));
    assert_eq!(stage.github.requests().len(), 0);
    stage.github.finish();
}

#[tokio::test]
async fn comments_and_reviews_are_read_again() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let plain = stage.says(pull, "ann", "/trimtab help").await;
    let review = stage
        .github
        .review(stage.repo, pull, "bob", "/trimtab plan")
        .await;
    let read = stage.forge.comment(stage.repo, plain).await.unwrap();
    assert_eq!(
        (read.body.as_str(), read.author.login.as_str()),
        ("/trimtab help", "ann")
    );
    let read = stage.forge.comment(stage.repo, review).await.unwrap();
    assert_eq!(
        (read.body.as_str(), read.author.login.as_str()),
        ("/trimtab plan", "bob")
    );
    // The number of a comment under another pull is not taken for this one.
    let elsewhere = CommentRef {
        pull: PullNumber(99),
        ..plain
    };
    let missing = stage
        .forge
        .comment(stage.repo, elsewhere)
        .await
        .unwrap_err();
    assert!(matches!(missing, ForgeError::Missing { .. }), "{missing}");
    stage.github.finish();
}

#[tokio::test]
async fn reactions_reach_comments_and_reviews_once() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let plain = stage.says(pull, "ann", "/trimtab help").await;
    let review = stage
        .github
        .review(stage.repo, pull, "bob", "/trimtab plan")
        .await;
    for to in [plain, plain, review, review] {
        stage
            .forge
            .react(stage.repo, to, Reaction::Eyes)
            .await
            .unwrap();
    }
    stage
        .forge
        .react(stage.repo, plain, Reaction::ThumbsDown)
        .await
        .unwrap();
    {
        let state = stage.github.state();
        let of = |reactions: &[(u64, String)]| -> Vec<String> {
            reactions
                .iter()
                .map(|(_, content)| content.clone())
                .collect()
        };
        assert_eq!(of(&state.comments[&plain.id.0].reactions), ["eyes", "-1"]);
        assert_eq!(of(&state.reviews[&review.id.0].reactions), ["EYES"]);
    }
    stage.github.state().reviews.clear();
    let gone = stage.forge.react(stage.repo, review, Reaction::Eyes).await;
    assert!(matches!(gone, Err(ForgeError::Missing { .. })));
    stage.github.finish();
}

#[tokio::test]
async fn reply_is_a_new_comment() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let asked = stage
        .github
        .review(stage.repo, pull, "bob", "/trimtab nonsense")
        .await;
    stage
        .forge
        .reply(stage.repo, asked, "Did you mean `why`?")
        .await
        .unwrap();
    let comments = stage.github.bot_comments(stage.repo, pull);
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0].body, "Did you mean `why`?");
    stage.github.finish();
}

#[tokio::test]
async fn check_of_one_head_and_name_is_one() {
    let stage = Stage::set().await;
    let head = stage.new_head().await;
    let write = async |check: CheckRun| stage.forge.write_check(stage.repo, &check).await;
    let first = write(check_run(head, CheckStatus::InProgress))
        .await
        .unwrap();
    let second = write(check_run(head, DONE)).await.unwrap();
    assert_eq!(first, second);
    let check = stage.machine(head);
    assert_eq!(check.conclusion.as_deref(), Some("success"));
    assert_eq!(check.external_id, "trimtab-plan-1");
    // What has ended begins again as a new one.
    let third = write(check_run(head, CheckStatus::Queued)).await.unwrap();
    assert_ne!(third, second);
    let check = stage.machine(head);
    assert_eq!(check.status, "queued");
    stage.github.finish();
}

#[tokio::test]
async fn annotations_are_replaced_and_not_piled_up() {
    let stage = Stage::set().await;
    let head = stage.new_head().await;
    for message in ["unknown key `mod`", "unknown key `jops`"] {
        let mut check = check_run(head, DONE);
        check.annotations.push(remark(message));
        stage.forge.write_check(stage.repo, &check).await.unwrap();
    }
    let check = stage.machine(head);
    assert_eq!(check.annotations.len(), 1);
    assert_eq!(check.annotations[0]["message"], "unknown key `jops`");
    stage.github.finish();
}

#[tokio::test]
async fn check_beyond_the_limits_is_refused() {
    let stage = Stage::set().await;
    let head = stage.new_head().await;
    let mut long = check_run(head, DONE);
    long.text = Some("ü".repeat(65_536));
    let mut many = check_run(head, DONE);
    many.annotations = vec![remark("again"); 51];
    let elsewhere = check_run(
        "a1b2c3d4e5f60718293a4b5c6d7e8f9011223344".parse().unwrap(),
        DONE,
    );
    for check in [long, many, elsewhere] {
        let refused = stage.forge.write_check(stage.repo, &check).await;
        assert!(
            matches!(refused, Err(ForgeError::Refused { .. })),
            "{refused:?}"
        );
    }
    stage.github.finish();
}

#[tokio::test]
async fn permission_is_asked_of_the_forge_and_bound_to_the_user() {
    let stage = Stage::set().await;
    let check = async |login: &str, role: &str, expected: Permission| {
        let user = stage.github.grant(stage.repo, login, role);
        let author = Author {
            id: UserId(user.id),
            login: user.login,
            kind: AuthorKind::User,
        };
        let found = stage.forge.permission(stage.repo, &author).await.unwrap();
        assert_eq!(found, expected, "{role}");
        author
    };
    check("a", "admin", Permission::Admin).await;
    check("m", "maintain", Permission::Maintain).await;
    check("w", "write", Permission::Write).await;
    check("t", "triage", Permission::Triage).await;
    check("r", "read", Permission::Read).await;
    check("n", "none", Permission::None).await;
    let mut reused = check("x", "admin", Permission::Admin).await;
    reused.id = UserId(reused.id.0 + 1);
    let found = stage.forge.permission(stage.repo, &reused).await.unwrap();
    assert_eq!(found, Permission::None, "the login has another owner now");
    reused.login = "nobody".to_owned();
    let found = stage.forge.permission(stage.repo, &reused).await.unwrap();
    assert_eq!(found, Permission::None);
    stage.github.finish();
}

#[tokio::test]
async fn clone_access_fetches_the_repository_and_no_other() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let head = stage.head(pull).await;
    let access = stage.forge.clone_access(stage.repo).await.unwrap();
    assert!(access.url.ends_with("/acme/shop.git") && !access.url.contains('@'));
    let place = tempfile::tempdir().unwrap();
    let fetch = async |url: String, with_token: bool| {
        let authorization = access.authorization.clone().filter(|_| with_token);
        let dir = place.path().join("mirror");
        let work = move || {
            let from = Fetch { url, authorization };
            let refs = ["+refs/pull/1/head:refs/pull/1/head".to_owned()];
            Mirror::open(&dir).unwrap().fetch(&from, &refs)
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    fetch(access.url.clone(), true).await.unwrap();
    let fetched = std::fs::read_to_string(place.path().join("mirror/refs/pull/1/head"));
    assert_eq!(fetched.unwrap().trim(), head.to_string());
    assert!(fetch(access.url.clone(), false).await.is_err());
    stage.github.add_repo("acme/secret", &[]);
    let other = access.url.replace("shop", "secret");
    assert!(fetch(other, true).await.is_err());
    stage.github.finish();
}

#[tokio::test]
async fn installations_and_their_repositories_are_listed() {
    let stage = Stage::set().await;
    let other = stage.github.add_repo("zeta/app", &[]);
    let suspended = stage.github.add_repo("gone/app", &[]);
    {
        let mut state = stage.github.state();
        let it = state.installations.get_mut(&suspended.installation.0);
        it.unwrap().suspended = true;
        state.repos.get_mut(&other.repo.0).unwrap().archived = true;
    }
    let installations = stage.forge.installations().await.unwrap();
    assert_eq!(installations, [stage.repo.installation, other.installation]);
    let repos = stage.forge.repositories(other.installation).await.unwrap();
    assert_eq!(repos.len(), 1);
    assert_eq!((repos[0].key, repos[0].path.as_str()), (other, "zeta/app"));
    assert!(repos[0].archived && repos[0].default_branch == "main");
    stage.github.finish();
}

#[tokio::test]
async fn token_is_minted_once_for_a_repository_and_purpose() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (forge, repo) = (Arc::clone(&stage.forge), stage.repo);
            tokio::spawn(async move { forge.pull(repo, pull).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(stage.mints(), 1);
    stage.clock.advance(Duration::from_mins(54));
    stage.head(pull).await;
    assert_eq!(stage.mints(), 1);
    stage.clock.advance(Duration::from_mins(2));
    stage.head(pull).await;
    assert_eq!(stage.mints(), 2, "five minutes before it ends");
    let state = stage.github.state();
    let narrow = state.tokens.values().all(|token| {
        token.repos == Some([stage.repo.repo.0].into())
            && token.permissions.get("pull_requests") == Some(&model::Level::Read)
            && token.permissions.len() == 2
    });
    assert!(narrow);
}

#[tokio::test]
async fn repository_of_another_installation_is_denied() {
    let stage = Stage::set().await;
    let other = stage.github.add_repo("zeta/app", &[]);
    let confused = RepoKey {
        repo: other.repo,
        ..stage.repo
    };
    let denied = stage.forge.pull(confused, PullNumber(1)).await.unwrap_err();
    assert!(matches!(denied, ForgeError::Denied { .. }), "{denied}");
    let nowhere = RepoKey {
        installation: InstallationId(1),
        repo: RepoId(1),
        ..stage.repo
    };
    let denied = stage.forge.pull(nowhere, PullNumber(1)).await.unwrap_err();
    assert!(matches!(denied, ForgeError::Denied { .. }), "{denied}");
    stage.github.finish();
}

#[tokio::test]
async fn permission_that_was_taken_back_is_denied() {
    let stage = Stage::set().await;
    let head = stage.new_head().await;
    {
        let mut state = stage.github.state();
        let it = state.installations.get_mut(&stage.repo.installation.0);
        it.unwrap().permissions.remove("checks");
    }
    let denied = stage
        .forge
        .write_check(stage.repo, &check_run(head, DONE))
        .await;
    assert!(
        matches!(denied, Err(ForgeError::Denied { .. })),
        "{denied:?}"
    );
    stage.github.finish();
}

#[tokio::test]
async fn revoked_token_and_new_name_are_minted_for_again() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    stage.github.state().tokens.clear();
    let revoked = stage.unread(pull).await;
    assert_eq!(revoked.retry_after(), Some(Duration::ZERO));
    stage.head(pull).await;
    let moved = vec![("location", "https://url-of-a-header.invalid/".to_owned())];
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(301, moved));
    stage
        .github
        .state()
        .repos
        .get_mut(&stage.repo.repo.0)
        .unwrap()
        .name = "store".to_owned();
    let moved = stage.unread(pull).await;
    assert_eq!(moved.retry_after(), Some(Duration::ZERO));
    stage.head(pull).await;
    assert!(
        stage
            .github
            .requests()
            .last()
            .unwrap()
            .contains("/repos/acme/store/pulls/1")
    );
    stage.github.finish();
}

#[tokio::test]
async fn limits_say_how_long_to_wait() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    let wait = vec![("retry-after", "17".to_owned())];
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(403, wait));
    let slow = stage.unread(pull).await;
    assert_eq!(slow.retry_after(), Some(Duration::from_secs(17)));
    stage.github.state().quota = Some(Quota {
        left: 1,
        reset: START + 600,
    });
    stage.head(pull).await;
    let slow = stage.unread(pull).await;
    assert_eq!(slow.retry_after(), Some(Duration::from_mins(10)));
    stage.clock.advance(Duration::from_mins(10));
    stage.head(pull).await;
    stage.github.finish();
}

#[tokio::test]
async fn write_is_sent_once_even_when_its_answer_is_lost() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage
        .github
        .fail_next("POST /api/v3/repos/acme/shop/issues", FaultKind::LostAnswer);
    let body = format!("{MARKER}\nplan");
    let lost = stage
        .forge
        .write_comment(stage.repo, pull, None, &body)
        .await;
    assert!(matches!(lost, Err(ForgeError::Unavailable { .. })));
    assert_eq!(stage.github.bot_comments(stage.repo, pull).len(), 1);
    // Who tries again looks first, and finds it.
    let found = stage.forge.sticky_comment(stage.repo, pull, MARKER).await;
    assert!(found.unwrap().is_some());
    stage.github.finish();
}

#[tokio::test]
async fn slow_answers_and_failing_servers_are_unavailable() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(503, Vec::new()));
    let down = stage.unread(pull).await;
    assert!(matches!(down, ForgeError::Unavailable { .. }), "{down}");
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Delay(PATIENCE * 10));
    let slow = stage.unread(pull).await;
    assert!(matches!(slow, ForgeError::Unavailable { .. }), "{slow}");
    stage.github.finish();
}

/// A bot that only reads what arrives; it refuses everything until it is ready.
async fn listen(ready: bool) -> (url::Url, mpsc::Receiver<Option<ForgeEvent>>) {
    let (events, received) = mpsc::channel(100);
    let take = |State((ready, events)): State<(bool, mpsc::Sender<Option<ForgeEvent>>)>,
                headers: HeaderMap,
                body: Bytes| async move {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let secrets = [FakeGithub::secret()];
        if !signature::is_signed(&secrets, &header(signature::SIGNATURE_HEADER), &body) {
            return StatusCode::UNAUTHORIZED;
        }
        if !ready {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let event = payload::event(&header(EVENT_HEADER), &header(DELIVERY_HEADER), &body);
        events.send(event.unwrap()).await.unwrap();
        StatusCode::ACCEPTED
    };
    let router = Router::new().fallback(take).with_state((ready, events));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook/github", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url.parse().unwrap(), received)
}

async fn kind(events: &mut mpsc::Receiver<Option<ForgeEvent>>) -> RepoEventKind {
    match events.recv().await {
        Some(Some(ForgeEvent::Repo(event))) => event.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_people_do_arrives_as_events() {
    let stage = Stage::set().await;
    let (url, mut events) = listen(true).await;
    stage.github.connect(Some(url));
    let (github, repo) = (&stage.github, stage.repo);
    github.announce_installation(repo, "created").await;
    let Some(Some(ForgeEvent::Installation(event))) = events.recv().await else {
        panic!("an installation is announced")
    };
    assert_eq!(event.change, InstallationChange::Created(vec![repo.repo]));
    let number = stage.pull().await;
    let head = stage.head(number).await;
    let pull = |head, change| RepoEventKind::Pull {
        number,
        head,
        change,
    };
    assert_eq!(kind(&mut events).await, pull(head, PullChange::Opened));
    let pushed = github.push(repo, number, &[Edit::Write("b.py", "")]).await;
    assert_eq!(kind(&mut events).await, pull(pushed, PullChange::Pushed));
    github
        .change_pull(repo, number, ("ann", "edited"), |_| ())
        .await;
    assert_eq!(
        kind(&mut events).await,
        pull(pushed, PullChange::Retargeted)
    );
    let after = github
        .push_branch(repo, ("bob", "main"), &[Edit::Write("c.py", "")])
        .await;
    let RepoEventKind::Push {
        branch, after: tip, ..
    } = kind(&mut events).await
    else {
        panic!("a push is announced")
    };
    assert_eq!((branch.as_str(), tip), ("main", Some(after)));
    let said = github.comment(repo, number, "ann", "/trimtab help").await;
    let RepoEventKind::Comment { at, .. } = kind(&mut events).await else {
        panic!("a comment is announced")
    };
    assert_eq!(at, said);
    let check = check_run(pushed, DONE);
    stage.forge.write_check(repo, &check).await.unwrap();
    github.rerequest(repo, pushed, &check.name, "ann").await;
    let again = RepoEventKind::CheckRerequested {
        head: pushed,
        name: Some(check.name),
    };
    assert_eq!(kind(&mut events).await, again);
    stage.github.finish();
}

#[tokio::test]
async fn lost_delivery_is_listed_once_and_sent_again() {
    let stage = Stage::set().await;
    let (down, _events) = listen(false).await;
    let (up, mut events) = listen(true).await;
    stage.github.connect(Some(down));
    let number = stage.pull().await;
    stage
        .github
        .push(stage.repo, number, &[Edit::Write("b.py", "")])
        .await;
    stage.github.connect(Some(up));
    for _ in 0..150 {
        stage
            .github
            .announce_installation(stage.repo, "suspend")
            .await;
        events.recv().await;
    }
    let failed = stage.forge.failed_deliveries().await.unwrap();
    assert_eq!(failed.len(), 2, "over two pages, each once");
    assert_eq!(failed[0].event, "pull_request");
    assert_eq!(failed[0].repo, Some(stage.repo.repo));
    for delivery in &failed {
        stage.forge.redeliver(delivery).await.unwrap();
        let Some(Some(ForgeEvent::Repo(event))) = events.recv().await else {
            panic!("the delivery arrives")
        };
        assert_eq!(event.delivery, delivery.guid);
    }
    stage.github.finish();
}
