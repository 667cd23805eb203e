//! Runs ask what they may skip, and show who they are; strangers show what they have.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};
use trimtab::engine::plan_line::PlanLine;

use super::super::support::bot::Bot;
use super::super::support::github::identity::{KID, Signer};
use super::delivery::{enforcing_shop, gated_workflow, lines};
use super::{DOCS, MINUTE, WORKFLOW, head};

/// A pull with a run, and the key of its workflow.
struct Scene {
    bot: Bot,
    repo: RepoKey,
    pull: PullNumber,
    head: ObjectId,
    run: u64,
    key: String,
}

impl Scene {
    async fn start() -> Self {
        let bot = Bot::start().await;
        let repo = enforcing_shop(&bot).await;
        let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
        bot.settle().await;
        let head = head(&bot, repo, pull);
        let run = bot.github.start_run(repo, pull);
        let key = lines(&bot, repo, head)[0].workflow.as_str().to_owned();
        Self {
            bot,
            repo,
            pull,
            head,
            run,
            key,
        }
    }

    async fn ask(&self, token: &str) -> (u16, String) {
        let (head, key) = (self.head, &self.key);
        let url = self
            .bot
            .url(&format!("/api/v1/plan?sha={head}&workflow={key}"));
        let request = http::Request::get(url.as_str());
        let request = request.header("authorization", format!("Bearer {token}"));
        self.bot.ask(request, b"").await
    }

    fn token(&self) -> String {
        self.bot.github.identity(self.repo, self.run)
    }

    fn claims(&self) -> Value {
        self.bot.github.claims(self.repo, self.run)
    }

    /// The token of this run with one claim changed.
    fn altered(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        Signer::Issuer.sign(KID, &claims)
    }

    async fn check(&self, what: &str, token: &str, expected: (u16, &str)) {
        let (status, text) = self.ask(token).await;
        let (wanted, words) = expected;
        assert_eq!(status, wanted, "{what}: {text}");
        assert!(text.contains(words), "{what}: {text}");
        assert!(text.lines().count() <= 1, "{what}: {text}");
    }

    async fn finish(self) {
        self.bot.pass(MINUTE).await;
        self.bot.said(self.repo, self.pull);
        self.bot.finish().await;
    }
}

#[tokio::test]
async fn a_run_is_told_what_it_may_skip() {
    let scene = Scene::start().await;
    let (status, text) = scene.ask(&scene.token()).await;
    assert_eq!(status, 200, "{text}");
    let line = PlanLine::parse(text.trim_end()).unwrap();
    assert_eq!((line.head, line.pull), (scene.head, scene.pull));
    assert_eq!(line.workflow.as_str(), scene.key);
    assert_eq!(line.skip, ["test"]);
    // An hour from now, however old the plan is.
    scene.bot.pass(Duration::from_hours(5)).await;
    let (_, text) = scene.ask(&scene.token()).await;
    let later = PlanLine::parse(text.trim_end()).unwrap();
    assert_eq!(later.not_after, line.not_after + 5 * 3_600);
    scene.finish().await;
}

#[tokio::test]
async fn what_forbids_skipping_is_told_at_once() {
    let scene = Scene::start().await;
    let (bot, repo, pull) = (&scene.bot, scene.repo, scene.pull);
    bot.github
        .comment(repo, pull, "ann", "/trimtab run all")
        .await;
    bot.settle().await;
    let (status, text) = scene.ask(&scene.token()).await;
    assert_eq!(status, 200, "{text}");
    let line = PlanLine::parse(text.trim_end()).unwrap();
    assert_eq!(line.skip, Vec::<String>::new());
    scene.finish().await;
}

/// Tokens whose claims or keys are not for us, not of the issuer, or not for now.
fn altered(scene: &Scene, now: u64) -> Vec<(&'static str, String, &'static str)> {
    const NONE: &str = "not one that GitHub Actions";
    let two = json!([scene.bot.github.issuer(), "x"]);
    let claims = [
        ("iss", json!("https://token.example"), "another issuer"),
        ("iss", two, NONE),
        ("aud", json!("https://github.com/acme"), "another audience"),
        ("aud", json!(["https://bot.example", "x"]), NONE),
        ("exp", json!(now - 61), "has expired"),
        ("exp", json!(now + 86_400), "has expired"),
        ("nbf", json!(now + 61), "not valid yet"),
        ("iat", json!(now + 61), "not valid yet"),
        ("repository_id", json!("x"), NONE),
    ];
    let mut cases = vec![
        ("nothing", String::new(), NONE),
        ("no token", "a.b".to_owned(), NONE),
        ("a huge one", "a".repeat(9_000), NONE),
    ];
    for (name, value, words) in claims {
        cases.push((name, scene.altered(name, value), words));
    }
    let stranger = |kid: &str| Signer::Stranger.sign(kid, &scene.claims());
    cases.push(("a stranger's", stranger(KID), "signature"));
    cases.push(("an unknown key", stranger("other"), "does not have"));
    cases
}

/// Tokens that nobody signed, or not with what the algorithm asks for.
fn forged(scene: &Scene) -> Vec<(&'static str, String, &'static str)> {
    let mut cases = Vec::new();
    let body = |claims: &Value| BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let header = |header: Value| BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let unsigned = header(json!({"alg": "none", "typ": "JWT", "kid": KID}));
    let unsigned = format!("{unsigned}.{}.", body(&scene.claims()));
    cases.push(("no signature", unsigned, "not signed with RS256"));
    // The public key, taken for a shared secret.
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some(KID.to_owned());
    let secret = EncodingKey::from_secret(&Signer::Issuer.public_der());
    let confused = jsonwebtoken::encode(&confused, &scene.claims(), &secret).unwrap();
    cases.push(("a confused algorithm", confused, "not signed with RS256"));
    let mut parts: Vec<String> = scene.token().split('.').map(str::to_owned).collect();
    let mut claims = scene.claims();
    claims["repository_id"] = json!("1");
    parts[1] = body(&claims);
    cases.push(("other claims", parts.join("."), "signature"));
    cases
}

#[tokio::test]
async fn only_a_token_of_the_issuer_for_this_server_and_for_now_is_believed() {
    let scene = Scene::start().await;
    let now = scene.claims()["iat"].as_u64().unwrap();
    let mut cases = altered(&scene, now);
    cases.extend(forged(&scene));
    for (what, token, words) in cases {
        scene.check(what, &token, (401, words)).await;
    }
    // The clocks of both sides may differ a little.
    let late = scene.altered("exp", json!(now - 59));
    scene
        .check("a little late", &late, (200, "trimtab-plan-1"))
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn an_identity_is_bound_to_its_repository_run_head_and_pull() {
    let scene = Scene::start().await;
    let cases = [
        ("repository_id", json!("1"), (403, "not installed")),
        ("run_id", json!("1"), (403, "no such run")),
        ("ref", json!("refs/heads/main"), (403, "on no pull")),
        ("event_name", json!("push"), (200, "")),
        ("event_name", json!("merge_group"), (200, "")),
    ];
    for (name, value, expected) in cases {
        let token = scene.altered(name, value);
        let (status, text) = scene.ask(&token).await;
        assert_eq!(status, expected.0, "{name}: {text}");
        assert!(text.contains(expected.1), "{name}: {text}");
        assert!(!text.contains("trimtab-plan-1"), "{name}: {text}");
    }
    let change = |change: &dyn Fn(&mut super::super::support::github::model::Run)| {
        let mut state = scene.bot.github.state();
        let of = state.repos.get_mut(&scene.repo.repo.0).unwrap();
        change(of.runs.get_mut(&scene.run).unwrap());
    };
    let token = scene.token();
    change(&|run| "push".clone_into(&mut run.event));
    scene
        .check("a push", &token, (403, "no pull started"))
        .await;
    change(&|run| "pull_request".clone_into(&mut run.event));
    change(&|run| "completed".clone_into(&mut run.status));
    scene
        .check("it has ended", &token, (403, "has ended"))
        .await;
    change(&|run| "in_progress".clone_into(&mut run.status));
    let elsewhere: ObjectId = "a".repeat(40).parse().unwrap();
    change(&|run| run.head = elsewhere);
    scene
        .check("another head", &token, (403, "another head"))
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn a_run_of_another_repository_is_told_nothing_of_this_one() {
    let scene = Scene::start().await;
    let other = scene.bot.install("evil/shop", super::SHOP).await;
    let pull = scene
        .bot
        .github
        .open_pull(other, ("eve", "topic"), DOCS)
        .await;
    scene.bot.settle().await;
    scene.bot.said(other, pull);
    let theirs = scene.bot.github.start_run(other, pull);
    // Their own token, asking for a head of ours.
    let token = scene.bot.github.identity(other, theirs);
    scene
        .check("their run", &token, (403, "another head"))
        .await;
    // Their repository, and a run of ours.
    let mut claims = scene.bot.github.claims(other, theirs);
    claims["run_id"] = json!(scene.run.to_string());
    let token = Signer::Issuer.sign(KID, &claims);
    scene.check("our run", &token, (403, "no such run")).await;
    scene.finish().await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_before_anybody_is_asked() {
    let scene = Scene::start().await;
    let before = scene.bot.github.requests().len();
    for query in ["", "?sha=x&workflow=y", "?sha=../..&workflow=0"] {
        let url = scene.bot.url(&format!("/api/v1/plan{query}"));
        let request = http::Request::get(url.as_str());
        let request = request.header("authorization", format!("Bearer {}", scene.token()));
        let (status, text) = scene.bot.ask(request, b"").await;
        assert_eq!(status, 400, "{text}");
    }
    let url = scene.bot.url(&format!(
        "/api/v1/plan?sha={}&workflow={}",
        scene.head, scene.key
    ));
    let (status, _) = scene.bot.ask(http::Request::get(url.as_str()), b"").await;
    assert_eq!(status, 401);
    assert_eq!(scene.bot.github.requests().len(), before);
    scene.finish().await;
}

fn key_requests(bot: &Bot) -> usize {
    let requests = bot.github.requests();
    requests
        .iter()
        .filter(|line| line.contains("/jwks"))
        .count()
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once_a_minute() {
    let scene = Scene::start().await;
    for number in 0..5 {
        let token = Signer::Stranger.sign(&format!("k{number}"), &scene.claims());
        scene.check("unknown", &token, (401, "does not have")).await;
    }
    assert_eq!(key_requests(&scene.bot), 1);
    // A key that the issuer began to use is found within the minute, once.
    let both = vec![
        Signer::Issuer.published(KID),
        Signer::Issuer.published("new"),
    ];
    scene.bot.github.state().published = Some(both);
    let token = Signer::Issuer.sign("new", &scene.claims());
    scene
        .check("too soon", &token, (401, "does not have"))
        .await;
    scene.bot.pass(MINUTE).await;
    scene.check("found", &token, (200, "trimtab-plan-1")).await;
    scene
        .check("kept", &scene.token(), (200, "trimtab-plan-1"))
        .await;
    assert_eq!(key_requests(&scene.bot), 2);
    scene.finish().await;
}

#[tokio::test]
async fn hostile_keys_are_not_used_and_do_no_harm() {
    let scene = Scene::start().await;
    let good = Signer::Issuer.published(KID);
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        vec![key]
    };
    let sets = [
        with("e", json!("AQ")),
        with("e", json!("")),
        with("n", json!("AQAB")),
        with("n", json!("A".repeat(40_000))),
        with("kty", json!("oct")),
        with("alg", json!("HS256")),
        with("use", json!("enc")),
        with("kid", json!(7)),
        vec![json!(null), json!([]), json!("key")],
        vec![Signer::Stranger.published("x"); 40],
    ];
    for set in sets {
        scene.bot.github.state().published = Some(set.clone());
        let (status, text) = scene.ask(&scene.token()).await;
        assert_eq!(status, 401, "{set:?}: {text}");
        scene.bot.pass(MINUTE).await;
    }
    // Far too many to read, and keys at an address of somebody else.
    scene.bot.github.state().published = Some(vec![good.clone(); 400]);
    let (status, _) = scene.ask(&scene.token()).await;
    assert_ne!(status, 200);
    scene.bot.pass(MINUTE).await;
    scene.bot.github.state().published = None;
    scene.bot.github.state().keys_at = Some("http://169.254.169.254/keys".to_owned());
    let (status, _) = scene.ask(&scene.token()).await;
    assert_ne!(status, 200);
    scene.bot.pass(MINUTE).await;
    scene.bot.github.state().keys_at = None;
    scene
        .check("good again", &scene.token(), (200, "trimtab-plan-1"))
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn known_keys_are_used_while_the_issuer_is_away() {
    use super::super::support::github::model::FaultKind;
    let scene = Scene::start().await;
    scene
        .check("known", &scene.token(), (200, "trimtab-plan-1"))
        .await;
    scene.bot.pass(Duration::from_hours(2)).await;
    let away = FaultKind::Answer(500, Vec::new());
    scene
        .bot
        .github
        .fail_next("/.well-known/openid-configuration", away);
    scene
        .check("away", &scene.token(), (200, "trimtab-plan-1"))
        .await;
    scene.bot.pass(Duration::from_hours(25)).await;
    let away = FaultKind::Answer(500, Vec::new());
    scene
        .bot
        .github
        .fail_next("/.well-known/openid-configuration", away);
    scene
        .check("away for a day", &scene.token(), (503, "cannot be had now"))
        .await;
    scene.finish().await;
}

#[tokio::test]
async fn a_plan_that_is_being_made_is_waited_for() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    bot.github.connect(None);
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.github.connect(Some(bot.url("/webhook/github")));
    let head = head(&bot, repo, pull);
    let run = bot.github.start_run(repo, pull);
    let workflow = gated_workflow(WORKFLOW);
    let key = workflow.split("TRIMTAB_WORKFLOW: \"").nth(1).unwrap();
    let key = key.split('"').next().unwrap().to_owned();
    let scene = Scene {
        bot,
        repo,
        pull,
        head,
        run,
        key,
    };
    let token = scene.token();
    let (told, ()) = tokio::join!(scene.ask(&token), async {
        scene.bot.recover().await;
    });
    assert_eq!(told.0, 200);
    let line = PlanLine::parse(told.1.trim_end()).unwrap();
    assert_eq!(line.skip, ["test"]);
    scene.finish().await;
}

/// Runs the step that a rewritten workflow holds, as a runner would.
async fn plan_step(scene: &Scene, server: bool) -> String {
    plan_step_on("pull_request", scene, server).await
}

/// The same in a run of another event.
async fn plan_step_on(event: &str, scene: &Scene, server: bool) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("output");
    let step = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/plan_step.sh");
    let api = scene.bot.github.endpoint().api;
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-e", step])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("GITHUB_OUTPUT", &output)
        .env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_API_URL", api.as_str().trim_end_matches('/'))
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GH_TOKEN", scene.bot.github.runner_token(scene.repo))
        .env("HEAD_SHA", scene.head.to_string())
        .env("PR_NUMBER", scene.pull.to_string())
        .env("TRIMTAB_WORKFLOW", &scene.key)
        .env("TRIMTAB_APP_ID", "4711");
    if server {
        let runner = scene.bot.github.runner_service(scene.repo, scene.run);
        command
            .env("PLAN_URL", scene.bot.url("/api/v1/plan").as_str())
            .env("PLAN_AUD", "https://bot.example")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", runner);
    }
    // Its clock is the machine's, and that of the scenario stands still: see below.
    let ended = command.output().await.unwrap();
    assert!(ended.status.success(), "{ended:?}");
    std::fs::read_to_string(&output).unwrap()
}

#[tokio::test]
async fn the_step_of_a_workflow_reads_both_ways() {
    let scene = Scene::start().await;
    // A line of a clock that is far ahead has not ended for any machine.
    let ahead = Duration::from_hours(24 * 365 * 20);
    scene.bot.pass(ahead).await;
    let (bot, repo, pull) = (&scene.bot, scene.repo, scene.pull);
    bot.github.comment(repo, pull, "ann", "/trimtab plan").await;
    bot.settle().await;
    assert_eq!(plan_step(&scene, false).await, "skip=|test|\n");
    let before = bot.github.requests().len();
    assert_eq!(plan_step(&scene, true).await, "skip=|test|\n");
    let requests = bot.github.requests();
    let looks = |line: &&String| line.contains("check_name=trimtab%2Fplan&app_id=4711&status");
    assert_eq!(requests[before..].iter().filter(looks).count(), 0);
    // What a review starts was not planned, and may read more.
    for server in [false, true] {
        let told = plan_step_on("pull_request_review", &scene, server).await;
        assert_eq!(told, "skip=\n");
    }
    scene.finish().await;
}
