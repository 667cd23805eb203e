//! Checks of a head: one for each name, within the limits of the forge.

use super::*;

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
    stage.github.finish_refused();
}
