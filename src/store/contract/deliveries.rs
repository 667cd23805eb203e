//! Deliveries: accepted once, re-run until done, then turned away.

use super::*;

pub(super) async fn a_delivery_is_accepted_once_and_queues_one_task(store: &dyn Store) {
    assert_eq!(
        store.accept(push("d1"), at(1)).await.unwrap(),
        Accepted::New
    );
    assert_eq!(
        store.accept(push("d1"), at(2)).await.unwrap(),
        Accepted::Again
    );
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"
    task 1 plan deliver github/7/42 d1 waiting due=1000 attempt=0
    delivery d1 github/7/42 push 2 bytes
    "); }
}

pub(super) async fn a_redelivery_of_what_is_not_done_is_run_again(store: &dyn Store) {
    store.accept(push("d1"), at(1)).await.unwrap();
    let lease = claim(store, 1).await.unwrap();
    store
        .fail(&lease, Next::Bury, "unreadable", at(2))
        .await
        .unwrap();
    assert_eq!(
        store.accept(push("d1"), at(3)).await.unwrap(),
        Accepted::Again
    );
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"
    task 2 plan deliver github/7/42 d1 waiting due=3000 attempt=0
    delivery d1 github/7/42 push 2 bytes
    "); }
}

pub(super) async fn a_done_delivery_is_turned_away_for_a_month(store: &dyn Store) {
    store.accept(push("d1"), at(0)).await.unwrap();
    let lease = claim(store, 1).await.unwrap();
    assert_eq!(
        store.complete(&lease, Vec::new(), at(1)).await.unwrap(),
        Settled::Yes
    );
    let (delivery, body) = store
        .delivery(ForgeKind::Github, &id("d1"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((delivery.done, body), (Some(at(1)), Vec::new()));

    let month = REMEMBER.as_secs();
    assert_eq!(store.prune(at(month)).await.unwrap(), 0);
    assert_eq!(
        store.accept(push("d1"), at(month)).await.unwrap(),
        Accepted::Done
    );
    assert_eq!(store.prune(at(month + 1)).await.unwrap(), 1);
    let gone = store.delivery(ForgeKind::Github, &id("d1")).await.unwrap();
    assert_eq!(gone, None);
    assert_eq!(store.dump().await.unwrap(), "");
}

pub(super) async fn a_body_of_25_megabytes_survives(store: &dyn Store) {
    let body: Vec<u8> = (0..25_u32 << 20)
        .map(|place| u8::try_from(place % 251).unwrap())
        .collect();
    let big = NewDelivery {
        body: body.clone(),
        ..push("big")
    };
    store.accept(big, at(1)).await.unwrap();
    let (delivery, read) = store
        .delivery(ForgeKind::Github, &id("big"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivery.body_bytes, 25 << 20);
    assert!(read == body, "the body differs");
}

pub(super) async fn equal_names_on_two_forges_are_two_deliveries(store: &dyn Store) {
    let mut other = push("d1");
    other.scope.forge = ForgeKind::Gitlab;
    store.accept(push("d1"), at(1)).await.unwrap();
    assert_eq!(store.accept(other, at(1)).await.unwrap(), Accepted::New);
}

pub(super) async fn what_follows_is_queued_in_the_same_step(store: &dyn Store) {
    store.accept(push("d1"), at(1)).await.unwrap();
    let lease = claim(store, 1).await.unwrap();
    let then = vec![task(analyse(3, 'a'), 2), task(TaskKind::SyncRepo, 2)];
    store.complete(&lease, then, at(2)).await.unwrap();
    let text = store.dump().await.unwrap();
    insta::allow_duplicates! { insta::assert_snapshot!(text, @"
    task 2 plan analyse-pull github/7/42#3@aaaaaaa waiting due=2000 attempt=0
    task 3 background sync-repo github/7/42 waiting due=2000 attempt=0
    "); }
}
