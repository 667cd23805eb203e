//! What somebody with bad intentions tries. SECURITY.md lists each trap and its test.

use std::collections::BTreeSet;

use serde_json::Value;
use trimtab::engine::command;
use trimtab::engine::ids::{PullNumber, RepoKey};
use trimtab::forge::CommentRef;
use trimtab::forge::github::payload::event;

use super::super::conformance::{as_sent_to_an_app, examples};
use super::super::support::bot::Bot;
use super::super::support::github::model::Pull;
use super::super::support::repo::Edit;
use super::{DOCS, MINUTE, SHOP, head, shop};

/// A pull whose first plan is there.
async fn planned(bot: &Bot) -> (RepoKey, PullNumber) {
    let repo = shop(bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.said(repo, pull);
    (repo, pull)
}

/// Name and payload of the newest delivery.
fn newest(bot: &Bot) -> (String, Value) {
    let state = bot.github.state();
    let delivery = state.deliveries.last().unwrap();
    (delivery.event.clone(), delivery.payload.clone())
}

/// What somebody writes while the bot does not listen; its delivery is never sent.
async fn unheard(bot: &Bot, of: (RepoKey, PullNumber), login: &str, body: &str) -> CommentRef {
    bot.github.connect(None);
    let said = bot.github.comment(of.0, of.1, login, body).await;
    bot.github.connect(Some(bot.url("/webhook/github")));
    said
}

fn reactions(bot: &Bot, to: CommentRef) -> Vec<String> {
    let state = bot.github.state();
    let reactions = &state.comments[&to.id.0].reactions;
    reactions.iter().map(|(_, word)| word.clone()).collect()
}

async fn is_paused(bot: &Bot, (repo, pull): (RepoKey, PullNumber)) -> bool {
    bot.store.pull(repo, pull).await.unwrap().unwrap().paused
}

#[tokio::test]
async fn replayed_command_is_not_carried_out_again() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github.grant(repo, "rob", "write");
    bot.github
        .comment(repo, pull, "rob", "/trimtab pause")
        .await;
    let (event, payload) = newest(&bot);
    bot.settle().await;
    assert!(is_paused(&bot, (repo, pull)).await);
    bot.github
        .comment(repo, pull, "rob", "/trimtab resume")
        .await;
    bot.settle().await;
    // The signature covers the body and not the delivery's name.
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    assert!(!is_paused(&bot, (repo, pull)).await);
    bot.pass(MINUTE).await;
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn replayed_question_is_answered_once() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github
        .comment(repo, pull, "eve", "/trimtab status")
        .await;
    let (event, payload) = newest(&bot);
    bot.settle().await;
    for _ in 0..3 {
        bot.github.deliver(&event, payload.clone()).await;
    }
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 2);
    bot.finish().await;
}

#[tokio::test]
async fn what_was_edited_after_it_was_announced_is_no_command() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github.grant(repo, "rob", "admin");
    // Within its first second a comment does not tell that it was edited.
    let said = unheard(&bot, (repo, pull), "rob", "/trimtab status").await;
    let (event, payload) = newest(&bot);
    let edited = "/trimtab pause repo".to_owned();
    bot.github
        .state()
        .comments
        .get_mut(&said.id.0)
        .unwrap()
        .body = edited.clone();
    bot.github.deliver(&event, payload).await;
    bot.github.connect(None);
    let review = bot
        .github
        .review(repo, pull, "rob", "/trimtab status")
        .await;
    bot.github.connect(Some(bot.url("/webhook/github")));
    let (event, payload) = newest(&bot);
    bot.github
        .state()
        .reviews
        .get_mut(&review.id.0)
        .unwrap()
        .body = edited;
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    assert_eq!(reactions(&bot, said), Vec::<String>::new());
    assert!(
        bot.github.state().reviews[&review.id.0]
            .reactions
            .is_empty()
    );
    assert!(!bot.store.repository(repo).await.unwrap().unwrap().paused);
    bot.finish().await;
}

#[tokio::test]
async fn permission_is_what_holds_when_a_command_is_carried_out() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github.grant(repo, "rob", "write");
    let said = unheard(&bot, (repo, pull), "rob", "/trimtab pause").await;
    let (event, mut payload) = newest(&bot);
    payload["comment"]["author_association"] = "OWNER".into();
    bot.github.grant(repo, "rob", "read");
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    assert_eq!(reactions(&bot, said), ["eyes", "-1"]);
    assert!(!is_paused(&bot, (repo, pull)).await);
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn push_between_a_comment_and_its_handling_voids_it() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    let said = unheard(&bot, (repo, pull), "ann", "/trimtab run test").await;
    let (event, payload) = newest(&bot);
    bot.github.connect(None);
    let code = [Edit::Write("shop/tax.py", "RATE = 0.3\n")];
    bot.github.push(repo, pull, &code).await;
    bot.github.connect(Some(bot.url("/webhook/github")));
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    assert_eq!(reactions(&bot, said), ["eyes", "-1"]);
    let said = bot.said(repo, pull);
    assert!(said[1].contains("the head has moved since"), "{said:?}");
    bot.finish().await;
}

#[tokio::test]
async fn programs_and_strangers_behind_a_comment_command_nothing() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    let robot = bot.github.grant(repo, "robot[bot]", "admin");
    bot.github.state().users.get_mut(&robot.id).unwrap().kind = "Bot";
    let by_robot = bot
        .github
        .comment(repo, pull, "robot[bot]", "/trimtab pause");
    let by_robot = by_robot.await;
    // Somebody else than the author caused the event.
    bot.github.grant(repo, "rob", "admin");
    let of_rob = unheard(&bot, (repo, pull), "rob", "/trimtab pause").await;
    let (event, mut payload) = newest(&bot);
    payload["sender"]["id"] = 1.into();
    bot.github.deliver(&event, payload.clone()).await;
    // The payload says a person, the forge says a program.
    let said = unheard(&bot, (repo, pull), "robot[bot]", "/trimtab pause").await;
    let (event, mut payload) = newest(&bot);
    payload["comment"]["user"]["type"] = "User".into();
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    for said in [by_robot, of_rob, said] {
        assert_eq!(reactions(&bot, said), Vec::<String>::new());
    }
    assert!(!is_paused(&bot, (repo, pull)).await);
    bot.finish().await;
}

#[test]
fn look_alikes_are_no_commands() {
    let understood = |body: &str| matches!(command::parse(body, Some("trimtab")), Some(Ok(_)));
    assert!(understood("/trimtab pause"));
    for body in [
        "\u{ff0f}trimtab pause",
        "/trimt\u{430}b pause",
        "/trimtab\u{200b} pause",
        "\u{200b}/trimtab pause",
        "\u{feff}/trimtab pause",
        "\u{202e}/trimtab pause",
        "/trimtab p\u{430}use",
        "/trimtab \u{202e}pause",
        "/trimtab pause\u{2028}now",
        "\u{ff20}trimtab pause",
        "<!-- -->/trimtab pause",
        "\t/trimtab pause",
    ] {
        assert!(!understood(body), "{body:?}");
    }
}

#[tokio::test]
async fn configuration_of_the_pull_itself_is_never_in_force() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let loose = "mode: enforce\njobs:\n  \"*\": { inputs: [\"nothing/**\"] }\n";
    let edits = [Edit::Write(".trimtab.yml", loose)];
    let pull = bot.github.open_pull(repo, ("eve", "topic"), &edits).await;
    bot.settle().await;
    let machine = bot
        .github
        .check(repo, head(&bot, repo, pull), "trimtab/plan");
    let machine = machine.unwrap();
    assert_eq!(machine.title, "0 of 2 jobs could be skipped");
    assert!(
        machine
            .summary
            .starts_with("Mode: advise. Everything runs.")
    );
    bot.said(repo, pull);
    bot.finish().await;
}

/// What stands outside of code spans, as GitHub reads them.
fn outside_code(text: &str) -> String {
    let mut outside = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let fence = rest[start..].chars().take_while(|c| *c == '`').count();
        let inner = &rest[start + fence..];
        let ticks = "`".repeat(fence);
        let closes = |at: &usize| {
            let after = inner[at + fence..].starts_with('`');
            !after && !inner[..*at].ends_with('`')
        };
        let end = inner.match_indices(&ticks).map(|(at, _)| at).find(closes);
        rest = end.map_or("", |end| &inner[end + fence..]);
    }
    outside + rest
}

#[tokio::test]
async fn names_in_a_pull_cannot_act_in_what_the_bot_writes() {
    let bot = Bot::start().await;
    let hostile = "@team `x` <img src=x onerror=a> [y](http://evil.example) #1 !2 a|b";
    let workflow =
        super::WORKFLOW.replace("  docs:\n", &format!("  docs:\n    name: {hostile:?}\n"));
    let shop: Vec<Edit<'_>> = SHOP
        .iter()
        .map(|edit| match edit {
            Edit::Write(path, _) if path.ends_with("ci.yml") => Edit::Write(path, &workflow),
            other => *other,
        })
        .collect();
    let repo = bot.install("acme/shop", &shop).await;
    let file = format!("tests/test_{hostile}.py").replace('/', "\u{2215}");
    let file = file.replacen('\u{2215}', "/", 1);
    let edits = [Edit::Write(&file, "def test_x(): pass\n"), DOCS[0]];
    let pull = bot.github.open_pull(repo, ("eve", "topic"), &edits).await;
    bot.settle().await;
    let asked = format!("/trimtab why {hostile}");
    bot.github.comment(repo, pull, "eve", &asked).await;
    bot.github
        .comment(repo, pull, "eve", &format!("/trimtab {hostile}"))
        .await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let head = head(&bot, repo, pull);
    let check = bot.github.check(repo, head, "trimtab").unwrap();
    let mut written = bot.said(repo, pull);
    assert_eq!(written.len(), 2, "two answers, and no skip to speak of");
    written.push(check.title + "\n" + &check.summary);
    for text in written {
        let outside = outside_code(&text);
        for act in ["@team", "<img", "](http", "http://", "#1", "!2"] {
            assert!(!outside.contains(act), "{act} acts in:\n{text}");
        }
        assert!(!text.lines().any(|line| line.starts_with('/')), "{text}");
    }
    let machine = bot.github.check(repo, head, "trimtab/plan").unwrap();
    assert!(
        !format!("{machine:?}").contains("team"),
        "nothing foreign for machines"
    );
    bot.finish().await;
}

#[tokio::test]
async fn quoted_marker_makes_no_comment_ours_to_edit() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    // A draft, of which the bot does not speak.
    bot.github.connect(None);
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.github.connect(Some(bot.url("/webhook/github")));
    let draft = |draft: bool| move |pull: &mut Pull| pull.draft = draft;
    let action = ("ann", "converted_to_draft");
    bot.github
        .change_pull(repo, pull, action, draft(true))
        .await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 0);
    let asked = "/trimtab why <!-- trimtab:v1 -->";
    bot.github.comment(repo, pull, "eve", asked).await;
    bot.settle().await;
    let quoted = bot.github.bot_comments(repo, pull).last().unwrap().clone();
    assert!(
        quoted.body.contains("<!-- trimtab:v1 -->"),
        "{}",
        quoted.body
    );
    let action = ("ann", "ready_for_review");
    bot.github
        .change_pull(repo, pull, action, draft(false))
        .await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let comments = bot.github.bot_comments(repo, pull);
    let ours = comments
        .iter()
        .filter(|it| it.body.starts_with("<!-- trimtab:v1 -->"));
    assert_eq!(ours.count(), 1);
    assert!(
        comments
            .iter()
            .any(|it| it.id == quoted.id && it.edits == 0)
    );
    bot.finish().await;
}

#[tokio::test]
async fn repository_of_another_installation_is_not_reached() {
    let bot = Bot::start().await;
    let ours = shop(&bot).await;
    let theirs = bot.github.add_repo("other/vault", SHOP);
    let pull = bot.github.open_pull(ours, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let (event, mut payload) = newest(&bot);
    payload["repository"]["id"] = theirs.repo.0.into();
    payload["repository"]["full_name"] = "other/vault".into();
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    let reached: Vec<String> = bot.github.requests();
    assert!(
        !reached.iter().any(|line| line.contains("other/vault")),
        "{reached:?}"
    );
    assert!(!bot.dead().await.is_empty(), "it is given up, and listed");
    assert_eq!(bot.said(ours, pull).len(), 1);
}

/// Puts another address in the place of every address.
fn redirect(value: &mut Value, to: &str) {
    match value {
        Value::String(text) if text.starts_with("http") => to.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, to)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redirect(field, to)),
        _ => {}
    }
}

#[tokio::test]
async fn no_address_of_a_payload_is_ever_asked() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    unheard(&bot, (repo, pull), "ann", "/trimtab status").await;
    let (event, mut payload) = newest(&bot);
    let trap = bot.github.endpoint().web.join("trap").unwrap();
    redirect(&mut payload, trap.as_str());
    assert!(payload.to_string().contains("/trap"));
    bot.github.deliver(&event, payload).await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 2);
    let asked = bot.github.requests();
    assert!(!asked.iter().any(|line| line.contains("trap")), "{asked:?}");
    bot.finish().await;
}

#[tokio::test]
async fn questions_of_one_person_are_bounded_and_commands_are_not() {
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github.grant(repo, "rob", "write");
    for _ in 0..25 {
        bot.github
            .comment(repo, pull, "rob", "/trimtab status")
            .await;
        bot.settle().await;
        bot.pass(MINUTE / 6).await;
    }
    assert_eq!(bot.said(repo, pull).len(), 21);
    // Whoever was answered often enough gets not even a reaction: two for each answer.
    let reactions = |line: &&String| line.contains("/reactions") && line.starts_with("POST");
    let asked = bot.github.requests();
    assert_eq!(asked.iter().filter(reactions).count(), 40);
    bot.github
        .comment(repo, pull, "rob", "/trimtab pause")
        .await;
    bot.github
        .comment(repo, pull, "ann", "/trimtab status")
        .await;
    bot.settle().await;
    assert!(is_paused(&bot, (repo, pull)).await);
    bot.pass(MINUTE * 20).await;
    bot.github
        .comment(repo, pull, "rob", "/trimtab status")
        .await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 23);
    bot.finish().await;
}

#[tokio::test]
async fn installation_only_reads() {
    let bot = Bot::start().await;
    shop(&bot).await;
    let requests = bot.github.requests();
    let is_read = |line: &str| line.starts_with("GET") || line.ends_with("/git-upload-pack");
    let writes = requests.iter().filter(|line| !is_read(line));
    let beyond: Vec<&String> = writes
        .filter(|line| !line.contains("access_tokens"))
        .collect();
    assert_eq!(beyond, Vec::<&String>::new());
    bot.finish().await;
}

/// What the manifest asks for and nothing uses yet: a permission that is added later
/// must be approved by every installation.
const LATER: [&str; 2] = ["merge_group", "merge_queues"];

/// The names in a block of the manifest, with what follows the colon, and whether its
/// comment says that it is for later.
fn block(of: &str) -> Vec<(String, String, bool)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/app-manifest.yml");
    let text = std::fs::read_to_string(path).unwrap();
    let start = format!("{of}:");
    let lines = text.lines().skip_while(move |line| *line != start).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let entry = |line: &str| {
        let (entry, comment) = line.split_once(" # ").unwrap();
        let (name, level) = entry.split_once(": ").unwrap_or((entry, ""));
        let name = name.trim().trim_start_matches("- ");
        (
            name.to_owned(),
            level.to_owned(),
            comment.contains(" yet: "),
        )
    };
    lines.map(entry).collect()
}

#[tokio::test]
async fn the_manifest_has_what_the_code_handles_and_asks_for() {
    let mut used = BTreeSet::new();
    for (name, payload) in examples("api.github.com") {
        let mut payload = as_sent_to_an_app(payload);
        // The examples of comments are about issues.
        if name == "issue_comment" {
            payload["issue"]["pull_request"] = serde_json::json!({});
        }
        if payload["review"].is_object() {
            payload["review"]["body"] = "/trimtab help".into();
        }
        let read = event(&name, "d-1", payload.to_string().as_bytes()).unwrap();
        // Every app hears of its installations.
        used.extend(
            read.filter(|_| !name.starts_with("installation"))
                .map(|_| (name, String::new())),
        );
    }
    let bot = Bot::start().await;
    let (repo, pull) = planned(&bot).await;
    bot.github
        .comment(repo, pull, "ann", "/trimtab status")
        .await;
    bot.settle().await;
    bot.said(repo, pull);
    let run = bot.github.start_run(repo, pull);
    let (head, key) = (head(&bot, repo, pull), "0".repeat(32));
    let url = bot.url(&format!("/api/v1/plan?sha={head}&workflow={key}"));
    let identity = format!("Bearer {}", bot.github.identity(repo, run));
    let request = http::Request::get(url.as_str()).header("authorization", identity);
    let told = bot.ask(request, b"").await;
    assert_eq!(told, (200, String::new()));
    for token in bot.github.state().tokens.values() {
        for (name, level) in &token.permissions {
            used.insert((name.clone(), format!("{level:?}").to_lowercase()));
        }
    }
    // Who may write may read.
    let writes: Vec<String> = used
        .iter()
        .filter(|it| it.1 == "write")
        .map(|it| it.0.clone())
        .collect();
    used.retain(|(name, level)| level != "read" || !writes.contains(name));
    let asked = [block("default_permissions"), block("default_events")].concat();
    let later: BTreeSet<&str> = asked
        .iter()
        .filter(|it| it.2)
        .map(|it| it.0.as_str())
        .collect();
    assert_eq!(later, LATER.into());
    let now = asked.iter().filter(|it| !it.2);
    let now: BTreeSet<_> = now.map(|it| (it.0.clone(), it.1.clone())).collect();
    assert_eq!(now, used);
    bot.finish().await;
}
