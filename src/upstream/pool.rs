//! HTTP/1.1 connections kept: the next request of any client to the same destination uses one that is idle. Connections with
//! and without TLS are kept in pools of their own.

use super::form::RequestBody;
use crate::destination::Destination;
use crate::stall::{StallLimit, Stalling};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// Idle connections kept for one destination.
const MAX_IDLE_EACH: usize = 64;
/// Idle connections kept in all: each holds a descriptor that no client accounts for.
const MAX_IDLE: usize = 128;
/// An idle connection is not used any more after this long: servers close theirs after 60 to 75 seconds.
const MAX_IDLE_TIME: Duration = Duration::from_secs(50);
/// A connection whose last exchange is over gets ready at once; one that does not is not waited for.
const READY: Duration = Duration::from_millis(50);
/// Largest head of an upstream's answer.
const MAX_HEAD: usize = 64 * 1024;
/// Most bytes that are held of a connection in each direction: what the client does not take is not taken from the cloud.
const MAX_HELD: usize = MAX_HEAD + 8 * 1024;

/// A connection and the task that drives it.
#[derive(Debug)]
pub struct Http1 {
    /// Takes requests.
    pub sender: SendRequest<RequestBody>,
    /// Ends it at once, whatever it still has to write.
    pub task: AbortHandle,
}

struct Idle {
    connection: Http1,
    since: Instant,
}

impl Idle {
    fn is_usable(&self) -> bool {
        !self.connection.sender.is_closed() && self.since.elapsed() < MAX_IDLE_TIME
    }
}

/// The idle connections of all destinations.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<HashMap<Destination, Vec<Idle>>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    /// An idle connection that still lives, the most recently used first.
    pub async fn take(&self, destination: &Destination) -> Option<Http1> {
        while let Some(mut idle) = self.pop(destination) {
            let is_ready = timeout(READY, idle.connection.sender.ready());
            if idle.since.elapsed() < MAX_IDLE_TIME && is_ready.await.is_ok_and(|ready| ready.is_ok()) {
                return Some(idle.connection);
            }
        }
        None
    }

    /// Whether a connection waits for its next request.
    #[must_use]
    pub fn is_warm(&self, destination: &Destination) -> bool {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get(destination).is_some_and(|kept| kept.iter().any(Idle::is_usable))
    }

    fn pop(&self, destination: &Destination) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(destination)?;
        let last = kept.pop();
        if kept.is_empty() {
            idle.remove(destination);
        }
        last
    }

    /// Keeps a connection whose answer was read to its end.
    pub fn put(&self, destination: &Destination, connection: Http1) {
        if connection.sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(destination.clone()).or_default();
        kept.retain(Idle::is_usable);
        if kept.len() < MAX_IDLE_EACH {
            kept.push(Idle { connection, since: Instant::now() });
        }
        if idle.values().map(Vec::len).sum::<usize>() > MAX_IDLE {
            forget_oldest(&mut idle);
        }
    }

    /// Closes what waits for a next request to other destinations than these.
    pub fn retain(&self, mut may_stay: impl FnMut(&Destination) -> bool) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|destination, _| may_stay(destination));
    }

    /// Closes what nobody used for too long, or what the upstream closed.
    pub fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, kept| {
            kept.retain(Idle::is_usable);
            !kept.is_empty()
        });
    }
}

/// Makes room by closing the connection that was not used for longest.
fn forget_oldest(idle: &mut HashMap<Destination, Vec<Idle>>) {
    let since = |kept: &Vec<Idle>| kept.first().map(|idle| idle.since);
    let oldest = idle.iter().filter_map(|(destination, kept)| Some((since(kept)?, destination.clone()))).min_by_key(|(since, _)| *since);
    let Some((_, destination)) = oldest else { return };
    if let Some(kept) = idle.get_mut(&destination) {
        kept.remove(0);
        if kept.is_empty() {
            idle.remove(&destination);
        }
    }
}

/// Speaks HTTP/1.1 on a fresh connection; an upstream that takes nothing for `idle` is given up. Its task ends when the sender is
/// dropped or the upstream hangs up.
///
/// # Errors
/// When the connection is gone already.
pub async fn open<S>(stream: S, idle: Duration) -> hyper::Result<Http1>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = Stalling::new(stream, StallLimit::new(idle));
    let (sender, connection) =
        http1::Builder::new().max_header_size(MAX_HEAD).max_buf_size(MAX_HELD).handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(async move {
        // What went wrong is told to the request that was under way; an idle connection that ends is no event.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "upstream connection ended");
        }
    });
    Ok(Http1 { sender, task: driving.abort_handle() })
}
