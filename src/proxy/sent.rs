//! How far a request body has got on its way up, however it goes: streamed, held, or as the messages of a call.

use super::call::Call;
use super::upload::Upload;
use crate::error::Refusal;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A request body on its way up.
#[derive(Debug, Clone)]
pub enum Sent {
    /// It passes as it comes.
    Streamed(Arc<Upload>),
    /// It was held, so many bytes, and went up at once.
    Held(u64),
    /// It is the messages of a gRPC call.
    Call(Arc<Call>),
}

impl Sent {
    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Streamed(upload) => upload.bytes(),
            Self::Held(bytes) => *bytes,
            Self::Call(call) => call.bytes(),
        }
    }

    /// Whether all of it went up: its connection is free for another exchange.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Streamed(upload) => upload.is_complete(),
            Self::Held(_) => true,
            Self::Call(call) => call.is_complete(),
        }
    }

    /// The refusal if it failed on the client's side, or was refused on its way.
    #[must_use]
    pub fn failure(&self) -> Option<Refusal> {
        match self {
            Self::Streamed(upload) => upload.failure(),
            Self::Held(_) => None,
            Self::Call(call) => call.refusal(),
        }
    }

    /// Resolves when the answer is overdue: so long after the body was complete, or after the last message of a call.
    pub async fn overdue(&self, limit: Duration) {
        match self {
            Self::Streamed(upload) => upload.overdue(limit).await,
            Self::Held(_) => sleep(limit).await,
            Self::Call(call) => loop {
                let before = call.bytes();
                sleep(limit).await;
                if call.bytes() == before {
                    return;
                }
            },
        }
    }

    /// Resolves with the refusal of a call.
    pub async fn refused(&self) -> Refusal {
        match self {
            Self::Streamed(_) | Self::Held(_) => std::future::pending().await,
            Self::Call(call) => std::future::poll_fn(|cx| call.poll_refused(cx)).await,
        }
    }
}
