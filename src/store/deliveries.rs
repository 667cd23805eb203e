//! Deliveries: accepted once, kept until done, remembered for a month.
//!
//! A redelivery carries the name of the first one, so a name alone proves nothing:
//! only a delivery that is *done* is turned away. Bodies are cut into pieces,
//! because the engine below rewrites whole pages of sixteen rows, and puts a page of
//! more than 128 KiB into a file of its own that it syncs by itself.
//!
//! A body is never read here.

use super::key::{Key, tag};
use super::rows::Draft;
use super::{
    Accepted, Delivery, DeliveryId, NewDelivery, NewTask, PRUNE_ROWS, REMEMBER, StoreError,
    TaskKind, tasks,
};
use crate::engine::ids::{ForgeKind, Timestamp};

const PIECE: usize = 4 * 1024;

pub(super) fn accept(
    draft: &mut Draft<'_>,
    new: NewDelivery,
    now: Timestamp,
) -> Result<Accepted, StoreError> {
    let forge = new.scope.forge;
    let known: Option<Delivery> = draft.record(&row(forge, &new.id))?;
    let (accepted, scope) = match known {
        Some(Delivery { done: Some(_), .. }) => return Ok(Accepted::Done),
        Some(known) => (Accepted::Again, known.scope),
        None => {
            let scope = new.scope;
            write(draft, &new, now)?;
            (Accepted::New, scope)
        }
    };
    let kind = TaskKind::Deliver { delivery: new.id };
    if !tasks::is_live(draft, &kind, &scope)? {
        let due = now;
        tasks::enqueue(draft, NewTask { scope, kind, due }, now)?;
    }
    Ok(accepted)
}

pub(super) fn find(
    draft: &Draft<'_>,
    forge: ForgeKind,
    id: &DeliveryId,
) -> Result<Option<(Delivery, Vec<u8>)>, StoreError> {
    let Some(delivery) = draft.record::<Delivery>(&row(forge, id))? else {
        return Ok(None);
    };
    let pieces = draft.rows(&body(forge, id))?;
    let body = pieces.into_iter().flat_map(|(_, piece)| piece).collect();
    Ok(Some((delivery, body)))
}

/// Marks a delivery as done and drops its body.
pub(super) fn finish(
    draft: &mut Draft<'_>,
    forge: ForgeKind,
    id: &DeliveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut delivery) = draft.record::<Delivery>(&row(forge, id))? else {
        return Ok(());
    };
    drop_body(draft, &delivery)?;
    delivery.done = Some(delivery.done.unwrap_or(now));
    delivery.body_bytes = 0;
    draft.put_record(row(forge, id), &delivery)
}

/// Forgets what was received too long ago; returns how many.
pub(super) fn prune(draft: &mut Draft<'_>, now: Timestamp) -> Result<usize, StoreError> {
    let from = Key::new(tag::RECEIVED);
    let to = from.clone().number(now.before(REMEMBER).0);
    let mut gone = 0;
    while gone < PRUNE_ROWS
        && let Some((index, primary)) = draft.first(&from, &to)?
    {
        let primary = Key(primary);
        if let Some(delivery) = draft.record::<Delivery>(&primary)? {
            drop_body(draft, &delivery)?;
        }
        draft.remove(primary);
        draft.remove(Key(index));
        gone += 1;
    }
    Ok(gone)
}

/// The deliveries that are not done, by id.
pub(super) fn undone(draft: &Draft<'_>) -> Result<Vec<Delivery>, StoreError> {
    let mut undone = Vec::new();
    for (_, primary) in draft.rows(&Key::new(tag::UNDONE))? {
        undone.extend(draft.record::<Delivery>(&Key(primary))?);
    }
    Ok(undone)
}

fn write(draft: &mut Draft<'_>, new: &NewDelivery, now: Timestamp) -> Result<(), StoreError> {
    let forge = new.scope.forge;
    let primary = row(forge, &new.id);
    let delivery = Delivery {
        id: new.id.clone(),
        scope: new.scope,
        event: new.event.clone(),
        received: now,
        done: None,
        body_bytes: new.body.len() as u64,
    };
    for (place, piece) in (0_u64..).zip(new.body.chunks(PIECE)) {
        draft.put(body(forge, &new.id).number(place), piece.to_vec());
    }
    draft.put(received(&delivery), primary.0.clone());
    draft.put(undone_row(&delivery), primary.0.clone());
    draft.put_record(primary, &delivery)
}

fn drop_body(draft: &mut Draft<'_>, delivery: &Delivery) -> Result<(), StoreError> {
    for (key, _) in draft.rows(&body(delivery.scope.forge, &delivery.id))? {
        draft.remove(Key(key));
    }
    draft.remove(undone_row(delivery));
    Ok(())
}

fn row(forge: ForgeKind, id: &DeliveryId) -> Key {
    Key::new(tag::DELIVERY).forge(forge).text(id.as_str())
}

fn body(forge: ForgeKind, id: &DeliveryId) -> Key {
    Key::new(tag::BODY).forge(forge).text(id.as_str())
}

fn received(delivery: &Delivery) -> Key {
    Key::new(tag::RECEIVED)
        .number(delivery.received.0)
        .forge(delivery.scope.forge)
        .text(delivery.id.as_str())
}

fn undone_row(delivery: &Delivery) -> Key {
    Key::new(tag::UNDONE)
        .forge(delivery.scope.forge)
        .text(delivery.id.as_str())
}
