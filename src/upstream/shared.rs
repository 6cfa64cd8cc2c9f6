//! HTTP/2 connections that exchanges share: each carries as many streams as the upstream takes, then another one is opened.

use super::form::RequestBody;
use crate::contain::Executor;
use crate::destination::Destination;
use crate::frames::{Peer, metered};
use crate::patience::PatientTimer;
use crate::stall::{StallLimit, Stalling};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};

/// Streams of one connection, whatever more its upstream would take: one stalled connection must not stall everybody.
const MAX_STREAMS: usize = 100;
/// Connections to one destination.
const MAX_EACH: usize = 32;
/// Idle connections kept in all, as of HTTP/1.1: each holds a descriptor that no client accounts for.
const MAX_IDLE: usize = 128;
/// An idle connection is not used any more after this long.
const MAX_IDLE_TIME: Duration = Duration::from_secs(50);
/// What an upstream may send of one answer before its client took it.
const STREAM_WINDOW: u32 = 128 * 1024;
/// For all streams together, which never comes to that: each has its own window, so that one that stands still leaves the others
/// theirs. The HTTP/2 library gives a connection up when small frames that wait cost more than half of this, and a hundred clients
/// that do not read small messages must not end the connection for those that do.
const CONNECTION_WINDOW: u32 = 1 << 30;
/// What is kept of a request body that the upstream does not take.
const SEND_BUFFER: usize = 64 * 1024;
/// Largest header section of an answer.
const MAX_HEADERS: u32 = 64 * 1024;
/// While streams are open, the upstream is asked so often whether it is there.
const ASK: Duration = Duration::from_secs(30);
/// And must answer within.
const ANSWER: Duration = Duration::from_secs(20);

/// The shared connections of all destinations.
#[derive(Debug)]
pub struct Shared {
    executor: Executor,
    members: Mutex<HashMap<Destination, Vec<Arc<Member>>>>,
}

/// One connection.
struct Member {
    sender: Mutex<SendRequest<RequestBody>>,
    streams: AtomicUsize,
    limit: Arc<AtomicUsize>,
    last_used: Mutex<Instant>,
    /// Whether it was seen to end: the streams on it may still finish, others go elsewhere.
    ends: AtomicBool,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("streams", &self.streams).finish_non_exhaustive()
    }
}

/// A place for one stream on a shared connection.
#[derive(Debug)]
pub struct Lease {
    member: Arc<Member>,
    sender: SendRequest<RequestBody>,
}

impl Lease {
    /// Sends on it.
    pub fn sender(&mut self) -> &mut SendRequest<RequestBody> {
        &mut self.sender
    }

    /// The connection ends: a stream may learn that before the connection's own task does, and must not be given it again.
    pub fn give_up(&self) {
        self.member.ends.store(true, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *lock(&self.member.last_used) = Instant::now();
        self.member.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Member {
    fn sender(&self) -> SendRequest<RequestBody> {
        lock(&self.sender).clone()
    }

    fn is_usable(&self) -> bool {
        let is_idle_too_long = self.streams.load(Ordering::Relaxed) == 0 && lock(&self.last_used).elapsed() >= MAX_IDLE_TIME;
        !is_idle_too_long && !self.ends.load(Ordering::Relaxed) && !lock(&self.sender).is_closed()
    }

    fn lease(self: &Arc<Self>, limit: usize) -> Option<Lease> {
        let mut taken = self.streams.load(Ordering::Relaxed);
        loop {
            if taken >= limit {
                return None;
            }
            match self.streams.compare_exchange_weak(taken, taken + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Lease { member: self.clone(), sender: self.sender() }),
                Err(now) => taken = now,
            }
        }
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed).clamp(1, MAX_STREAMS)
    }
}

impl Shared {
    /// No connection yet.
    #[must_use]
    pub fn new(executor: Executor) -> Self {
        Self { executor, members: Mutex::default() }
    }

    /// A stream on a connection that lives and has room.
    #[must_use]
    pub fn lease(&self, destination: &Destination) -> Option<Lease> {
        let mut members = lock(&self.members);
        let of_destination = members.get_mut(destination)?;
        of_destination.retain(|member| member.is_usable());
        let free = of_destination.iter().find_map(|member| member.lease(member.limit()));
        if free.is_some() || of_destination.len() < MAX_EACH {
            return free;
        }
        // As many connections as may be: the least busy takes it, and the stream waits for its turn there.
        of_destination.iter().min_by_key(|member| member.streams.load(Ordering::Relaxed))?.lease(usize::MAX)
    }

    /// Whether a connection lives.
    #[must_use]
    pub fn lives(&self, destination: &Destination) -> bool {
        lock(&self.members).get(destination).is_some_and(|members| members.iter().any(|member| member.is_usable()))
    }

    /// Speaks HTTP/2 on a fresh connection and shares it; an upstream that takes nothing for `idle` is given up.
    ///
    /// # Errors
    /// When the connection is gone already.
    pub async fn add<S>(&self, destination: &Destination, stream: S, idle: Duration) -> hyper::Result<Lease>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, watch) = metered(Stalling::new(stream, StallLimit::new(idle)), Peer::Server);
        let (sender, connection) = builder(self.executor.clone(), ASK, ANSWER).handshake(TokioIo::new(stream)).await?;
        let limit = Arc::new(AtomicUsize::new(MAX_STREAMS));
        let observed = limit.clone();
        let streams = move |most: usize| observed.store(most, Ordering::Relaxed);
        let host = destination.host.clone();
        tokio::spawn(async move {
            let mut connection = connection;
            let driving = std::future::poll_fn(|cx| {
                let polled = Pin::new(&mut connection).poll(cx);
                streams(connection.current_max_send_streams());
                polled
            });
            match (driving.await, watch.flood()) {
                (_, Some(flood)) => tracing::warn!(%host, flood = flood.words(), "an upstream connection was ended for what came over it"),
                (Err(error), None) => tracing::debug!(%error, "upstream connection ended"),
                (Ok(()), None) => {}
            }
        });
        let member = Arc::new(Member {
            sender: Mutex::new(sender.clone()),
            streams: AtomicUsize::new(1),
            limit,
            last_used: Mutex::new(Instant::now()),
            ends: AtomicBool::new(false),
        });
        let mut members = lock(&self.members);
        make_room(&mut members);
        members.entry(destination.clone()).or_default().push(member.clone());
        drop(members);
        Ok(Lease { member, sender })
    }

    /// Gives up the connections to other destinations than these: streams on them may finish, none is begun.
    pub fn retain(&self, mut may_stay: impl FnMut(&Destination) -> bool) {
        lock(&self.members).retain(|destination, _| may_stay(destination));
    }

    /// Closes what nobody used for too long, or what the upstream closed.
    pub fn sweep(&self) {
        let mut all = lock(&self.members);
        all.retain(|_, members| {
            members.retain(|member| member.is_usable());
            !members.is_empty()
        });
        make_room(&mut all);
    }
}

/// Closes the idle connections that were not used for longest, where there are too many of them.
fn make_room(members: &mut HashMap<Destination, Vec<Arc<Member>>>) {
    let is_idle = |member: &Arc<Member>| member.streams.load(Ordering::Relaxed) == 0;
    let mut idle: Vec<Instant> =
        members.values().flatten().filter(|member| is_idle(member)).map(|member| *lock(&member.last_used)).collect();
    let Some(surplus) = idle.len().checked_sub(MAX_IDLE).filter(|surplus| *surplus > 0) else { return };
    idle.sort_unstable();
    let Some(newest) = idle.get(surplus - 1).copied() else { return };
    members.retain(|_, of_destination| {
        of_destination.retain(|member| !is_idle(member) || *lock(&member.last_used) > newest);
        !of_destination.is_empty()
    });
}

fn builder(executor: Executor, ask: Duration, answer: Duration) -> http2::Builder<Executor> {
    let mut builder = http2::Builder::new(executor);
    builder
        .timer(PatientTimer)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(ask)
        .keep_alive_timeout(answer)
        .keep_alive_while_idle(false);
    builder
}

#[cfg(test)]
mod tests;
