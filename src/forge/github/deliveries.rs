//! What GitHub tried to deliver and could not.
//!
//! GitHub does not repeat a failed delivery by itself; it remembers the attempts and
//! repeats one when asked
//! ([handling failed deliveries](https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries)).
//! A delivery is lost when none of its attempts got a 2xx. One that was refused, or
//! that failed again and again, is not asked for any more: the sweep over open pulls
//! finds what it was about.

use std::collections::BTreeMap;

use http::Method;

use super::auth::Access;
use super::client::{Call, PAGE};
use super::payload::answers::DeliveryAnswer;
use crate::forge::{Delivery, ForgeError};

/// How often a delivery is attempted in all when there was no answer, or a fault.
const ATTEMPTS_MAX: usize = 8;

/// The same when we have refused it: a newer server may read what an older one did
/// not, and a wrong secret may have been put right.
const REFUSALS_MAX: usize = 3;

/// Where the list stops being read: what is older has been seen by an earlier start.
const PAGES_MAX: usize = 100;

pub(super) async fn failed(access: &Access) -> Result<Vec<Delivery>, ForgeError> {
    const WHAT: &str = "the deliveries";
    let mut attempts: Vec<DeliveryAnswer> = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let path = format!("/app/hook/deliveries?per_page={PAGE}{cursor}");
        let answer = access.app(Call::read(WHAT, path)).await?;
        attempts.extend(answer.json::<Vec<DeliveryAnswer>>()?);
        let Some(next) = answer.next_cursor() else {
            break;
        };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        cursor = format!("&cursor={next}");
    }
    Ok(lost(attempts))
}

pub(super) async fn again(access: &Access, delivery: &Delivery) -> Result<(), ForgeError> {
    let call = Call {
        what: "a delivery",
        method: Method::POST,
        path: format!("/app/hook/deliveries/{}/attempts", delivery.id),
        body: None,
        installation: None,
        known: None,
    };
    access.app(call).await.map(drop)
}

fn lost(attempts: Vec<DeliveryAnswer>) -> Vec<Delivery> {
    let mut tried: BTreeMap<String, Tries> = BTreeMap::new();
    for attempt in &attempts {
        let tries = tried.entry(attempt.guid().to_owned()).or_default();
        tries.count += 1;
        tries.arrived |= (200..300).contains(&attempt.status_code);
        tries.refused += usize::from((400..500).contains(&attempt.status_code));
    }
    attempts
        .into_iter()
        // The newest attempt stands for all.
        .filter(|it| {
            tried
                .remove(it.guid())
                .is_some_and(|tries| tries.may_help())
        })
        .map(Delivery::from)
        .collect()
}

/// What is known of all attempts of one delivery.
#[derive(Default)]
struct Tries {
    count: usize,
    refused: usize,
    arrived: bool,
}

impl Tries {
    fn may_help(&self) -> bool {
        !self.arrived && self.count < ATTEMPTS_MAX && self.refused < REFUSALS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guids that are asked for again, when these attempts were made, newest first.
    fn check(attempts: &[(&str, u16)], expected: &[&str]) {
        let answers = (1..).zip(attempts).map(|(id, (guid, status))| {
            let answer = serde_json::json!({
                "id": id, "guid": guid, "status_code": status, "event": "push",
            });
            serde_json::from_value(answer).unwrap()
        });
        let lost = lost(answers.collect());
        let guids: Vec<&str> = lost.iter().map(|it| it.guid.as_str()).collect();
        assert_eq!(guids, expected, "{attempts:?}");
    }

    #[test]
    fn a_delivery_is_lost_when_no_attempt_arrived() {
        check(&[("a", 0), ("b", 502), ("a", 202), ("b", 0)], &["b"]);
        check(&[], &[]);
    }

    #[test]
    fn what_we_always_refuse_is_not_asked_for_for_ever() {
        check(&[("a", 400), ("a", 400)], &["a"]);
        check(&[("a", 400); 3], &[]);
        check(&[("a", 401), ("a", 413), ("a", 0), ("a", 400)], &[]);
    }

    #[test]
    fn what_always_fails_is_attempted_eight_times() {
        check(&[("a", 0); 7], &["a"]);
        check(&[("a", 503); 8], &[]);
    }
}
