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

/// What is held of a body.
#[derive(Debug)]
pub struct Held {
    /// Its bytes, as they came.
    pub bytes: Bytes,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
    /// Kept until the bytes are gone.
    pub reservation: Reservation,
}

/// A body that was held, or as much of it as may be.
#[derive(Debug)]
pub enum Outcome {
    /// All of it.
    Whole(Held),
    /// It is larger than the limit; the rest was not read.
    TooLarge(Held, Incoming),
}

/// The bytes so far. What comes in one piece, as most messages do, is not copied.
#[derive(Debug)]
struct Gathered {
    first: Bytes,
    joined: BytesMut,
    expected: usize,
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
            self.joined.reserve(self.expected.max(self.first.len() + piece.len()));
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.joined.extend_from_slice(&piece);
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}

/// Reads a body to its end or to the limit.
///
/// # Errors
/// `overloaded` before anything is read that there is no room for, `bad_request` when it breaks off or does not arrive in time.
pub async fn hold(body: Incoming, max: usize, budget: &Arc<Budget>, deadline: Duration) -> Result<Outcome, Refusal> {
    let announced = usize::try_from(body.size_hint().exact().unwrap_or_default()).unwrap_or(usize::MAX);
    let reservation = budget.reserve(announced.min(max))?;
    if announced > max {
        return Ok(Outcome::TooLarge(Held { bytes: Bytes::new(), trailers: None, reservation }, body));
    }
    let mut reading = Reading {
        body,
        gathered: Gathered { first: Bytes::new(), joined: BytesMut::new(), expected: announced },
        trailers: None,
        reservation,
    };
    let outcome = timeout(deadline, reading.read(max)).await;
    let is_whole = outcome.map_err(|_| Refusal::bad_request("the request body did not arrive in time (limits.message)"))??;
    let Reading { body, gathered, trailers, reservation } = reading;
    let held = Held { bytes: gathered.into_bytes(), trailers, reservation };
    Ok(if is_whole { Outcome::Whole(held) } else { Outcome::TooLarge(held, body) })
}

/// A body that is being read.
struct Reading {
    body: Incoming,
    gathered: Gathered,
    trailers: Option<HeaderMap>,
    reservation: Reservation,
}

impl Reading {
    /// Whether the end was reached before the limit.
    async fn read(&mut self, max: usize) -> Result<bool, Refusal> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad_request("the request body broke off or is malformed"))?;
            match frame.into_data() {
                Ok(data) => {
                    // The piece is there already, within the bounds of its connection; it counts all the same.
                    self.reservation.grow_to(self.gathered.length() + data.len())?;
                    self.gathered.add(data);
                    if self.gathered.length() > max {
                        return Ok(false);
                    }
                }
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(true)
    }
}

/// The refusal of a body above the limit.
#[must_use]
pub fn too_large(max: usize) -> Refusal {
    let detail = format!("the message is larger than inspection.max_message ({max} bytes), so it cannot be inspected");
    Refusal::new(Reason::MessageTooLarge, detail, RuleName::Builtin("inspection.max_message"))
}
