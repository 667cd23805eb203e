//! What GitHub tried to deliver and could not.
//!
//! GitHub does not repeat a failed delivery by itself; it remembers the attempts and
//! repeats one when asked
//! ([handling failed deliveries](https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries)).
//! A delivery is lost when none of its attempts got a 2xx.

use std::collections::BTreeSet;

use http::Method;

use super::auth::Access;
use super::client::{Call, PAGE};
use super::payload::answers::DeliveryAnswer;
use crate::forge::{Delivery, ForgeError};

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
    };
    access.app(call).await.map(drop)
}

fn lost(attempts: Vec<DeliveryAnswer>) -> Vec<Delivery> {
    let arrived: BTreeSet<String> = attempts
        .iter()
        .filter(|it| (200..300).contains(&it.status_code))
        .map(|it| it.guid().to_owned())
        .collect();
    let mut seen = arrived;
    attempts
        .into_iter()
        .filter(|it| seen.insert(it.guid().to_owned()))
        .map(Delivery::from)
        .collect()
}
