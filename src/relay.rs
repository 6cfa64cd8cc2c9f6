//! The byte relay behind every tunnel: both directions, half-close, idle limits, and no buffer while nothing moves.
//!
//! Bytes are read into one buffer of the thread and written on at once; only what the peer did not take is kept, until it is
//! taken. An idle tunnel therefore owns two sockets and a few counters.

mod half;

use crate::metrics::ServiceMetrics;
use crate::quota::pace::Pace;
use crate::socket::Socket;
use half::{Broke, Half};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

pub use half::with_scratch;

/// Counters reach the metrics after so many bytes, and at the end.
const FLUSH: u64 = 256 * 1024;
/// Silence is noticed by looking so often within the idle limit whether anything moved: no clock is read while bytes move, and a tunnel
/// that is silent ends at most this fraction of the limit late.
const LOOKS: u32 = 16;
/// While a side takes nothing, the other is looked at so often: whether it is still there.
const LOOK_WHILE_BLOCKED: Duration = Duration::from_secs(5);
/// With one direction finished, the other may be silent no longer than this.
const HALF_CLOSED: Duration = Duration::from_mins(5);

/// How a relay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both directions were finished in order.
    Completed,
    /// The client's connection broke.
    ClientBroke,
    /// The upstream's connection broke.
    UpstreamBroke,
    /// Nothing moved for the idle limit.
    Idle,
}

/// A running relay. Resolves with how it ended; the byte counts stay readable.
#[derive(Debug)]
pub struct Relay {
    client: Socket,
    upstream: Socket,
    up: Half,
    down: Half,
    /// How a side broke that took nothing more, while the other direction still runs.
    broken: Option<End>,
    /// Bytes of both directions at the last look.
    seen: u64,
    /// When the last move was known of.
    last_move: Instant,
    /// Whether it was noted that a direction has ended.
    is_half_closed: bool,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    metrics: Arc<ServiceMetrics>,
    /// What slows it, where a quota does.
    pace: Option<Box<Pace>>,
}

impl Relay {
    /// Joins two connections. `first` was read from the client already and goes up before anything else.
    #[must_use]
    pub fn new(client: Socket, upstream: Socket, first: Vec<u8>, idle: Duration, metrics: Arc<ServiceMetrics>) -> Self {
        let now = Instant::now();
        client.keep_alive();
        upstream.keep_alive();
        Self {
            client,
            upstream,
            up: Half::starting_with(first),
            down: Half::default(),
            broken: None,
            seen: 0,
            last_move: now,
            is_half_closed: false,
            idle,
            timer: Box::pin(sleep_until(now + idle / LOOKS)),
            metrics,
            pace: None,
        }
    }

    /// Slowed by this.
    #[must_use]
    pub fn paced(mut self, pace: Option<Box<Pace>>) -> Self {
        self.pace = pace;
        self
    }

    /// Bytes relayed so far: up, down.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.up.total, self.down.total)
    }

    /// Neither side takes what follows for an orderly end: both are reset when this is dropped.
    pub fn fail(&mut self) {
        self.client.fail();
        self.upstream.fail();
    }

    fn poll_halves(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if !self.up.done
            && let Poll::Ready(Err(broke)) = self.up.poll_move(cx, &mut self.client, &mut self.upstream)
        {
            match broke {
                Broke::Source => return Poll::Ready(self.end_by_reset(End::ClientBroke)),
                Broke::Sink => {
                    self.up.abandon();
                    self.broken.get_or_insert(End::UpstreamBroke);
                }
            }
        }
        if !self.down.done
            && let Poll::Ready(Err(broke)) = self.down.poll_move(cx, &mut self.upstream, &mut self.client)
        {
            match broke {
                Broke::Source => return Poll::Ready(self.end_by_reset(End::UpstreamBroke)),
                Broke::Sink => {
                    self.down.abandon();
                    self.broken.get_or_insert(End::ClientBroke);
                }
            }
        }
        if self.up.done && self.down.done { Poll::Ready(self.broken.unwrap_or(End::Completed)) } else { Poll::Pending }
    }

    /// A side broke within what it was saying. That must not look to the other like an orderly end: the other is reset, unless
    /// the break was known before and what followed it has to arrive.
    fn end_by_reset(&mut self, end: End) -> End {
        if let Some(known) = self.broken {
            return known;
        }
        let survivor = if end == End::ClientBroke { &mut self.upstream } else { &mut self.client };
        survivor.fail();
        end
    }

    /// One timer for the whole relay, moved when it fires, which is at each look.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.is_blocked() {
            self.look_by(Instant::now() + LOOK_WHILE_BLOCKED);
        }
        // Whatever else this task did in its turn: a timer that is not asked is not set.
        while Pin::new(&mut unconstrained(self.timer.as_mut())).poll(cx).is_ready() {
            self.flush();
            if let Some(broken) = self.hidden_break() {
                return Poll::Ready(self.end_by_reset(broken));
            }
            let now = Instant::now();
            self.look(now);
            let idle = self.last_move + self.limit();
            if idle <= now {
                return Poll::Ready(End::Idle);
            }
            let next = self.limit() / LOOKS;
            let next = if self.is_blocked() { next.min(LOOK_WHILE_BLOCKED) } else { next };
            self.timer.as_mut().reset(idle.min(now + next));
        }
        Poll::Pending
    }

    /// Looks no later than then.
    fn look_by(&mut self, due: Instant) {
        if self.timer.deadline() > due {
            self.timer.as_mut().reset(due);
        }
    }

    /// Notes whether anything moved since the last look.
    fn look(&mut self, now: Instant) {
        if self.seen != self.moved() {
            self.seen = self.moved();
            self.last_move = now;
        }
    }

    fn moved(&self) -> u64 {
        self.up.total + self.down.total
    }

    fn limit(&self) -> Duration {
        if self.up.done || self.down.done { self.idle.min(HALF_CLOSED) } else { self.idle }
    }

    /// Whether a side does not take what the other sent: that other side is not read meanwhile, so its end is not seen.
    fn is_blocked(&self) -> bool {
        !self.up.pending.is_empty() || !self.down.pending.is_empty()
    }

    /// A side that broke while it was not being read.
    fn hidden_break(&self) -> Option<End> {
        if !self.is_blocked() {
            return None;
        }
        if self.client.is_broken() {
            return Some(End::ClientBroke);
        }
        self.upstream.is_broken().then_some(End::UpstreamBroke)
    }

    /// A direction that ends is a move too: the other has its time from now on.
    fn note_half_close(&mut self) {
        if !self.is_half_closed && (self.up.done || self.down.done) {
            self.is_half_closed = true;
            self.seen = self.moved();
            self.last_move = Instant::now();
            self.look_by(self.last_move + self.limit() / LOOKS);
        }
    }

    fn flush(&mut self) {
        self.metrics.bytes_up.inc_by(self.up.unflushed());
        self.metrics.bytes_down.inc_by(self.down.unflushed());
    }
}

impl Future for Relay {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let this = &mut *self;
        let before = this.moved();
        if let Some(pace) = &mut this.pace
            && pace.poll_paid(cx, before).is_pending()
        {
            return Poll::Pending;
        }
        let ended = this.poll_halves(cx);
        if this.moved() - this.up.flushed - this.down.flushed >= FLUSH {
            this.flush();
        }
        if ended.is_ready() {
            return ended;
        }
        this.note_half_close();
        // While bytes move nobody is silent: the timer is asked once, to be set, and when it has fired.
        let is_moving = before != 0 && before != this.moved() && !this.is_blocked();
        if is_moving && !this.timer.is_elapsed() {
            return Poll::Pending;
        }
        this.poll_idle(cx)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test is its own client")]
    async fn a_half_closed_tunnel_is_silent_from_its_half_close_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let client = TcpStream::connect(address).await.expect("it listens");
        let upstream = TcpStream::connect(address).await.expect("it listens");
        let metrics = Arc::new(crate::metrics::Metrics::new().service("x"));
        let mut relay = Relay::new(client.into(), upstream.into(), Vec::new(), Duration::from_hours(8), metrics);
        relay.up.total = 1;
        relay.up.done = true;
        relay.note_half_close();
        let closed = relay.last_move;
        assert!(relay.timer.deadline() <= closed + HALF_CLOSED / LOOKS, "the next look comes soon enough for the shorter limit");
        relay.look(closed + Duration::from_secs(1));
        assert_eq!(relay.last_move, closed, "what moved before is no move afterwards");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test is its own client")]
    async fn silent_peers_are_asked_whether_they_are_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let stream = TcpStream::connect(listener.local_addr().expect("its address")).await.expect("it listens");
        let is_asked = |socket: &Socket| {
            let stream = socket.tcp().expect("it is one");
            socket2::SockRef::from(stream).keepalive().expect("the option is readable")
        };
        let socket = Socket::from(stream);
        assert!(!is_asked(&socket));
        socket.keep_alive();
        assert!(is_asked(&socket));
    }
}
