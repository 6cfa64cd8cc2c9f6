//! Hold: a request body is kept back whole until it was judged. What is kept is bounded, for one message and for all.

use super::budget::{Budget, Reservation};
use crate::error::{Reason, Refusal, RuleName};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What is held of a body.
#[derive(Debug)]
pub struct Held {
    /// Its bytes, as they came.
    pub pieces: Vec<Bytes>,
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

impl Held {
    /// The bytes in one piece; copied only if they came in more.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self.pieces.as_slice() {
            [] => Cow::Borrowed(&[]),
            [only] => Cow::Borrowed(only),
            pieces => {
                let mut joined = BytesMut::with_capacity(self.length());
                for piece in pieces {
                    joined.extend_from_slice(piece);
                }
                Cow::Owned(joined.into())
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn length(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

/// Reads a body to its end or to the limit.
///
/// # Errors
/// `overloaded` before anything is read that there is no room for, `bad_request` when it breaks off or does not arrive in time.
pub async fn hold(body: Incoming, max: usize, budget: &Arc<Budget>, deadline: Duration) -> Result<Outcome, Refusal> {
    let announced = usize::try_from(body.size_hint().exact().unwrap_or_default()).unwrap_or(usize::MAX);
    let mut held = Held { pieces: Vec::new(), trailers: None, reservation: budget.reserve(announced.min(max))? };
    if announced > max {
        return Ok(Outcome::TooLarge(held, body));
    }
    let mut body = body;
    match timeout(deadline, read(&mut body, &mut held, max)).await {
        Ok(Ok(true)) => Ok(Outcome::Whole(held)),
        Ok(Ok(false)) => Ok(Outcome::TooLarge(held, body)),
        Ok(Err(refusal)) => Err(refusal),
        Err(_) => Err(Refusal::bad_request("the request body did not arrive in time (limits.message)")),
    }
}

/// Whether the end was reached.
async fn read(body: &mut Incoming, held: &mut Held, max: usize) -> Result<bool, Refusal> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::bad_request("the request body broke off or is malformed"))?;
        match frame.into_data() {
            Ok(data) => {
                length += data.len();
                // The piece is there already, within the bounds of its connection; it counts all the same.
                held.reservation.grow_to(length)?;
                held.pieces.push(data);
                if length > max {
                    return Ok(false);
                }
            }
            Err(frame) => held.trailers = frame.into_trailers().ok(),
        }
    }
    Ok(true)
}

/// The refusal of a body above the limit.
#[must_use]
pub fn too_large(max: usize) -> Refusal {
    let detail = format!("the message is larger than inspection.max_message ({max} bytes), so it cannot be inspected");
    Refusal::new(Reason::MessageTooLarge, detail, RuleName::Builtin("inspection.max_message"))
}
