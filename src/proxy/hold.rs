//! Hold: a request body is kept back whole until it was judged. What is kept is bounded, for one message and for all.

use super::budget::{Budget, Reservation};
use crate::error::{Reason, Refusal, RuleName};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// By so much at a time a body takes its share of the budget.
pub const STEP: usize = 64 * 1024;

/// What is held of a body.
pub struct Held {
    /// Its bytes, as they came. Their part of the budget is given back when the last copy of them is gone, however far they went.
    pub bytes: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
}

/// A body that was held, or as much of it as may be.
#[derive(Debug)]
pub enum Outcome {
    /// All of it.
    Whole(Held),
    /// It cannot be held whole, and why; the rest was not read.
    Partly(Held, Incoming, Refusal),
}

/// Bytes with their part of the budget.
struct Owned {
    bytes: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Ties a part of the budget to bytes: every copy of them keeps it.
#[must_use]
pub fn owned(bytes: Bytes, reservation: Reservation) -> Bytes {
    if bytes.is_empty() { bytes } else { Bytes::from_owner(Owned { bytes, _reservation: reservation }) }
}

/// The bytes so far. What comes in one piece, as most messages do, is not copied.
#[derive(Debug, Default)]
struct Gathered {
    first: Bytes,
    joined: BytesMut,
}

impl Gathered {
    fn length(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn add(&mut self, piece: Bytes) {
        if self.length() == 0 {
            self.first = piece;
            return;
        }
        if self.joined.is_empty() {
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&piece);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}

/// Reads a body to its end, or as far as size, budget and time allow.
///
/// # Errors
/// `bad_request` when it breaks off.
pub async fn hold(body: Incoming, max: usize, budget: &Arc<Budget>, deadline: Duration) -> Result<Outcome, Refusal> {
    if body.is_end_stream() {
        // Most requests have none, and need neither room nor a clock.
        return Ok(Outcome::Whole(Held { bytes: Bytes::new(), trailers: None }));
    }
    let announced = usize::try_from(body.size_hint().exact().unwrap_or_default()).unwrap_or(usize::MAX);
    if announced > max {
        return Ok(Outcome::Partly(Held { bytes: Bytes::new(), trailers: None }, body, too_large(max)));
    }
    let reservation = match budget.reserve(announced.min(STEP)) {
        Ok(reservation) => reservation,
        Err(refusal) => return Ok(Outcome::Partly(Held { bytes: Bytes::new(), trailers: None }, body, refusal)),
    };
    let expected = if announced > 0 { announced } else { max };
    let mut reading = Reading { body, gathered: Gathered::default(), trailers: None, reservation, expected };
    let outcome = timeout(deadline, reading.read(max)).await;
    let stopped = match outcome {
        Ok(stopped) => stopped?,
        Err(_) => Some(Refusal::bad_request("the request body did not arrive in time (limits.message)")),
    };
    let Reading { body, gathered, trailers, reservation, .. } = reading;
    let held = Held { bytes: owned(gathered.into_bytes(), reservation), trailers };
    Ok(match stopped {
        None => Outcome::Whole(held),
        Some(refusal) => Outcome::Partly(held, body, refusal),
    })
}

/// A body that is being read.
struct Reading {
    body: Incoming,
    gathered: Gathered,
    trailers: Option<HeaderMap>,
    reservation: Reservation,
    /// The length that was announced, or the largest there may be.
    expected: usize,
}

impl Reading {
    /// Why it stopped before the end, if it did.
    async fn read(&mut self, max: usize) -> Result<Option<Refusal>, Refusal> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad_request("the request body broke off or is malformed"))?;
            match frame.into_data() {
                Ok(data) => {
                    let length = self.gathered.length() + data.len();
                    self.gathered.add(data);
                    if length > max {
                        return Ok(Some(too_large(max)));
                    }
                    // The share grows with what has come: whoever only announces much takes little from the others.
                    let share = length.next_multiple_of(STEP).min(self.expected.max(length));
                    if let Err(refusal) = self.reservation.grow_to(share) {
                        return Ok(Some(refusal));
                    }
                }
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(None)
    }
}

/// The refusal of a body above the limit.
#[must_use]
pub fn too_large(max: usize) -> Refusal {
    let detail = format!("the message is larger than inspection.max_message ({max} bytes), so it cannot be inspected");
    Refusal::new(Reason::MessageTooLarge, detail, RuleName::Builtin("inspection.max_message"))
}

crate::hidden::hidden!(Held);
