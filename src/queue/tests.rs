//! The law, case by case, and what holds for every history of writes.

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * 1000)
}

#[test]
fn the_wait_doubles_up_to_ten_minutes_and_ends_in_burial() {
    let law: Vec<String> = (1..=MAX_ATTEMPTS)
        .map(|attempt| match after_failure(attempt, None, at(0)) {
            Next::RetryAt { due, asked } => format!("{attempt}: {}s {asked}", due.seconds()),
            other => format!("{attempt}: {other:?}"),
        })
        .collect();
    insta::assert_snapshot!(law.join("\n"), @"
    1: 1s false
    2: 2s false
    3: 4s false
    4: 8s false
    5: 16s false
    6: 32s false
    7: 64s false
    8: 128s false
    9: 256s false
    10: 512s false
    11: 600s false
    12: Bury
    ");
}

#[test]
fn a_wait_that_the_forge_asked_for_is_never_shortened() {
    for (hint, waited) in [(0, 4), (72, 72), (73, 73), (3_600, 3_600), (90_000, 90_000)] {
        let next = after_failure(3, Some(Duration::from_secs(hint)), at(10));
        let due = at(10 + waited);
        assert_eq!(next, Next::RetryAt { due, asked: true }, "{hint}");
    }
}

#[test]
fn a_comment_is_edited_once_a_minute() {
    assert_eq!(comment_due(None, at(5)), at(5));
    assert_eq!(comment_due(Some(at(5)), at(20)), at(65));
    assert_eq!(comment_due(Some(at(5)), at(100)), at(100));
}

#[test]
fn the_81st_write_of_a_minute_waits_for_the_first_to_be_a_minute_old() {
    let mut budget = WriteBudget::default();
    for number in 0..80 {
        assert_eq!(budget.take(Write::ForPeople, Timestamp(number)), Ok(()));
    }
    assert_eq!(
        budget.take(Write::ForPeople, Timestamp(100)),
        Err(Timestamp(60_000))
    );
    assert_eq!(budget.take(Write::ForPeople, Timestamp(60_000)), Ok(()));
    assert_eq!(
        budget.take(Write::ForPeople, Timestamp(60_000)),
        Err(Timestamp(60_001))
    );
}

#[test]
fn the_501st_write_of_an_hour_waits_for_the_hour() {
    let mut budget = WriteBudget::default();
    for second in 0..500 {
        assert_eq!(budget.take(Write::ForPeople, at(second)), Ok(()));
    }
    assert_eq!(budget.take(Write::ForPeople, at(600)), Err(at(3_600)));
}

#[test]
fn a_machine_check_never_waits_and_is_counted() {
    let mut budget = WriteBudget::default();
    for _ in 0..2_000 {
        assert_eq!(budget.take(Write::MachineCheck, at(1)), Ok(()));
    }
    assert_eq!(budget.take(Write::ForPeople, at(2)), Err(at(3_601)));
    assert!(budget.written.len() <= 501, "memory is bounded");
}

proptest! {
    #[test]
    fn no_window_holds_more_writes_than_allowed(steps in prop::collection::vec(0_u64..4_000, 1..1_500)) {
        let mut budget = WriteBudget::default();
        let mut now = Timestamp(0);
        let mut written = Vec::new();
        for step in steps {
            now = now.after(Duration::from_millis(step));
            match budget.take(Write::ForPeople, now) {
                Ok(()) => written.push(now),
                Err(moment) => prop_assert!(moment > now),
            }
        }
        for (window, limit) in WINDOWS {
            for pair in written.windows(limit + 1) {
                prop_assert!(pair[limit].since(pair[0]) >= window);
            }
        }
    }
}
