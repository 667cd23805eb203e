//! Reads a request's body: bounded in size, in time, and in all bodies together.
//!
//! A body has to be read before anybody knows whether its sender may send one, so
//! that the memory of all unread and unstored bodies is bounded as a whole. It is
//! counted as it arrives: a length that is only announced takes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::WebError;

/// How long a body may take to arrive. GitHub itself gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many of the largest bodies may be in memory at once.
const BODIES: usize = 4;

/// The memory for bodies. Clones share it.
#[derive(Debug, Clone)]
pub struct Room {
    /// The most bytes of one body.
    most: usize,
    left: Arc<Semaphore>,
}

impl Room {
    /// Room for bodies of at most `most` bytes, four of the largest at once.
    pub fn of(most: usize) -> Self {
        Self {
            most,
            left: Arc::new(Semaphore::new(most.saturating_mul(BODIES))),
        }
    }

    /// The whole body; its room is taken for as long as it is held.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held, WebError> {
        let length = headers.get("content-length");
        let announced: Option<usize> = length.and_then(|it| it.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length| length > self.most) {
            return Err(WebError::TooLarge);
        }
        match tokio::time::timeout(PATIENCE, self.gather(body)).await {
            Ok(read) => read,
            Err(_) => Err(WebError::TooSlow),
        }
    }

    async fn gather(&self, mut body: Body) -> Result<Held, WebError> {
        let mut held = Held {
            bytes: Vec::new(),
            room: None,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_cut| WebError::Malformed)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if held.bytes.len() + data.len() > self.most {
                return Err(WebError::TooLarge);
            }
            let count = u32::try_from(data.len()).map_err(|_large| WebError::TooLarge)?;
            let taken = Arc::clone(&self.left).try_acquire_many_owned(count);
            let taken = taken.map_err(|_full| WebError::Busy)?;
            match &mut held.room {
                Some(room) => room.merge(taken),
                None => held.room = Some(taken),
            }
            held.bytes.extend_from_slice(&data);
        }
        Ok(held)
    }
}

/// A body in memory.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(room: &Room, body: &[u8]) -> Result<Held, WebError> {
        room.read(&HeaderMap::new(), Body::from(body.to_vec()))
            .await
    }

    #[tokio::test]
    async fn bodies_share_one_bounded_room_and_give_it_back() {
        let room = Room::of(10);
        let mut held = Vec::new();
        for _ in 0..BODIES {
            held.push(read(&room, b"0123456789").await.unwrap());
        }
        assert!(matches!(read(&room, b"x").await, Err(WebError::Busy)));
        held.pop();
        assert_eq!(read(&room, b"x").await.unwrap().bytes, b"x");
        assert!(matches!(
            read(&room, b"0123456789a").await,
            Err(WebError::TooLarge)
        ));
    }

    #[tokio::test]
    async fn an_announced_length_is_refused_unread_and_takes_no_room() {
        let room = Room::of(10);
        let announced = |length: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-length", length.parse().unwrap());
            headers
        };
        let large = room.read(&announced("11"), Body::empty()).await;
        assert!(matches!(large, Err(WebError::TooLarge)));
        for _ in 0..100 {
            room.read(&announced("10"), Body::empty()).await.unwrap();
        }
    }
}
