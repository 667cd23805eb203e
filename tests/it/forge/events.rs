//! What a forge sends by itself, and sends again.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use tokio::sync::mpsc;
use trimtab::forge::event::{ForgeEvent, InstallationChange, PullChange, RepoEventKind};
use trimtab::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER};
use trimtab::forge::github::{payload, signature};

use super::*;

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
