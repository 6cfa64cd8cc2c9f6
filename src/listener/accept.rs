//! The accept loop: counts, limits, survives running out of descriptors, contains panics.

use super::silent::{Silence, Silent, Whose};
use crate::contain::{contained, defect, step};
use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::{ListenerKind, Metrics, Open};
use crate::quota::tally::{Share, Tally};
use crate::socket::answer_promptly;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Pause after an accept that failed for want of descriptors or memory: long enough not to spin, short enough not to notice.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Connections that are let in after the word to stop: as many as the kernel's queue holds, and not for ever.
const MAX_WAITING: u32 = 4_096;

/// What a panic in the accept loop ends.
const ARRIVAL: &str = "a connection at the door";

/// The part of all places that one client must leave to others: an eighth, where there are so many.
const LEFT_TO_OTHERS: usize = 8;

/// A client that has asked nothing keeps its place so long, also where others need it: more than the first round trip takes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Handshakes of one client at once. One takes some milliseconds: a site whose thousand clients come at once behind one address stays
/// below, and whoever never finishes holds a part of the places only.
const MOST_HANDSHAKES: usize = 2_048;

/// How many connections of clients may be open at once, and of one of them; and how many of its TLS handshakes may be under way.
/// Those cost the proxy a signature and their client nothing: one client could hold all places with them, and begin anew as each ends.
///
/// Where no place is free, a connection that has asked nothing makes room: otherwise a few clients that connect and say nothing would
/// keep everybody out. It counts until it is closed, which is at once: meanwhile there is one more than the limit.
#[derive(Debug)]
pub struct Gate {
    open: AtomicUsize,
    limit: AtomicUsize,
    /// The part that one client must leave to others.
    left_to_others: usize,
    silent: Arc<Silent>,
    shares: Arc<Tally>,
    handshakes: Arc<Tally>,
}

impl Gate {
    /// A gate for `limit` connections.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Self::with(limit, LEFT_TO_OTHERS, PATIENCE)
    }

    /// A gate for `limit` connections: one client leaves such a part to others, and has its silence borne so long where there is no place.
    #[must_use]
    pub fn with(limit: usize, left_to_others: usize, patience: Duration) -> Arc<Self> {
        let (shares, handshakes) = <(Arc<Tally>, Arc<Tally>)>::default();
        let (open, limit) = (AtomicUsize::new(0), AtomicUsize::new(limit));
        Arc::new(Self { open, limit, left_to_others, silent: Silent::new(patience), shares, handshakes })
    }

    /// Another limit from now on; whoever is in stays in.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// A place for this client, if one is free that it may take, or is given up by a connection that has asked nothing. Who gives up its
    /// place is refused as `overloaded` by the rule `silent-connections`.
    ///
    /// # Errors
    /// `overloaded`: all are taken, or all but those that are left to other clients, and none of these can be had.
    pub fn enter(self: &Arc<Self>, client: IpAddr) -> Result<Seat, Refusal> {
        let place = Occupied::of(self.clone());
        let is_full = place.before >= self.limit();
        if let Some(share) = self.free_share(client) {
            return if !is_full || self.silent.make_room(client, Whose::Anyones) { Ok(Seat { place, share }) } else { Err(no_seat()) };
        }
        // One of its own that goes leaves a place and a share.
        let share = self.freed_share(client).map_err(|large_share| if is_full { no_seat() } else { large_share })?;
        Ok(Seat { place, share })
    }

    /// One more place for a client.
    fn share(&self, client: IpAddr) -> Result<Share, Refusal> {
        self.free_share(client).map_or_else(|| self.freed_share(client), Ok)
    }

    fn free_share(&self, client: IpAddr) -> Option<Share> {
        let limit = self.limit();
        self.shares.take(client, limit - limit / self.left_to_others)
    }

    fn freed_share(&self, client: IpAddr) -> Result<Share, Refusal> {
        let freed = self.silent.make_room(client, Whose::Own).then(|| self.shares.take(client, usize::MAX));
        freed.flatten().ok_or_else(large_share)
    }

    /// One more handshake for a client.
    fn handshake(&self, client: IpAddr) -> Result<Share, Refusal> {
        let most = (self.limit() / 2).clamp(1, MOST_HANDSHAKES);
        self.handshakes.take(client, most).ok_or_else(too_many_handshakes)
    }

    fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// One of all places.
#[derive(Debug)]
struct Occupied {
    gate: Arc<Gate>,
    /// How many were taken before.
    before: usize,
}

impl Occupied {
    fn of(gate: Arc<Gate>) -> Self {
        let before = gate.open.fetch_add(1, Ordering::Relaxed);
        Self { gate, before }
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.gate.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection's place under the limit.
#[derive(Debug)]
pub struct Seat {
    place: Occupied,
    share: Share,
}

impl Seat {
    /// Whoever sits there is silent: another one may have the place.
    #[must_use]
    pub fn silence(&self) -> Silence {
        self.place.gate.silent.begin(self.share.host())
    }
}

/// A connection and what keeps it counted while it is open.
#[derive(Debug)]
pub struct Accepted {
    /// The socket.
    pub stream: TcpStream,
    /// The client's address.
    pub client: SocketAddr,
    /// It has asked nothing yet.
    pub silence: Silence,
    /// Kept as long as the connection is.
    pub open: Counted,
}

/// Holds a connection's place in limit and gauge.
#[derive(Debug)]
pub struct Counted {
    seat: Seat,
    /// A connection in the gauge, or a share of one that is there already.
    _gauge: Option<Open>,
    _share: Option<Arc<()>>,
    listener: SocketAddr,
}

impl Counted {
    /// One more place of the same client, if one is free: for a tunnel that shares its client's connection with others. It keeps
    /// `share` as long as it is taken.
    ///
    /// # Errors
    /// As [`Gate::enter`].
    pub fn another(&self, share: Arc<()>) -> Result<Self, Refusal> {
        let seat = self.seat.place.gate.enter(self.seat.share.host())?;
        Ok(Self { seat, _gauge: None, _share: Some(share), listener: self.listener })
    }

    /// Counts the place to the client that a balancer speaks for.
    ///
    /// # Errors
    /// `overloaded`: that client has as many as one may have.
    pub fn belongs_to(&mut self, client: IpAddr) -> Result<(), Refusal> {
        self.seat.share = self.seat.place.gate.share(client)?;
        Ok(())
    }

    /// Nothing is done for the client until it says something: another one may have its place meanwhile.
    #[must_use]
    pub fn silence(&self) -> Silence {
        self.seat.silence()
    }

    /// Counts a TLS handshake of the client, as long as it is under way.
    ///
    /// # Errors
    /// `overloaded`: the client has as many under way as one may have.
    pub fn handshake(&self) -> Result<Share, Refusal> {
        self.seat.place.gate.handshake(self.seat.share.host())
    }

    /// The listener that the connection came to.
    #[must_use]
    pub fn listener(&self) -> SocketAddr {
        self.listener
    }
}

/// Accepts until `stop` turns true. Each connection runs `serve` in a task of its own; one that `door` does not let in, or that is
/// over the limit, goes to `turn_away`.
#[expect(clippy::too_many_arguments, reason = "a listener is wired in one place, each part by its name")]
pub async fn accept_loop<S, F>(
    (listener, address): (Arc<TcpListener>, SocketAddr),
    kind: ListenerKind,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    mut stop: watch::Receiver<bool>,
    serve: S,
    door: impl Fn(SocketAddr) -> Result<(), Refusal>,
    turn_away: impl Fn(TcpStream, SocketAddr, &Refusal),
) where
    S: Fn(Accepted) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let take = |stream: TcpStream, client| {
        let gauge = metrics.connection(kind);
        // A panic here would leave the listener deaf: it is this connection's alone.
        let admitted = step(&metrics.panics, ARRIVAL, || door(client).and_then(|()| gate.enter(client.ip())));
        let seat = match admitted.unwrap_or_else(|| Err(defect())) {
            Ok(seat) => seat,
            Err(refusal) => {
                step(&metrics.panics, ARRIVAL, || turn_away(stream, client, &refusal));
                return;
            }
        };
        answer_promptly(&stream);
        let (silence, open) = (seat.silence(), Counted { seat, _gauge: Some(gauge), _share: None, listener: address });
        let serving = step(&metrics.panics, ARRIVAL, || serve(Accepted { stream, client, silence, open }));
        if let Some(serving) = serving {
            tokio::spawn(contained(serving, metrics.clone()));
        }
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, client)) => take(stream, client),
            Err(error) => survive(&error).await,
        }
    }
    // Nobody else has the socket: it is closed here.
    if let Some(last) = Arc::into_inner(listener) {
        empty(last, take);
    }
}

/// Takes those that wait in the kernel's queue, which would be reset with the socket, and closes it at once when there is none.
fn empty(listener: TcpListener, take: impl Fn(TcpStream, SocketAddr)) {
    let Ok(listener) = listener.into_std() else { return };
    for _ in 0..MAX_WAITING {
        match listener.accept() {
            Ok((stream, client)) => {
                // One that cannot be waited for cannot be served either.
                if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                    take(stream, client);
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            Err(_) => return,
        }
    }
}

/// Said to whoever finds no place free.
fn no_seat() -> Refusal {
    let detail = "as many connections are open as limits.max_connections and the file descriptors allow; try again, or raise them";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("limits.max_connections"))
}

/// Said to whoever has nearly all places to itself.
fn large_share() -> Refusal {
    let detail = "this client has seven eighths of all connections that limits.max_connections and the file descriptors allow; the rest is \
                  for others: close some, or raise them";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("limits.share-of-one-client"))
}

/// Said to whoever begins more than it finishes.
fn too_many_handshakes() -> Refusal {
    let detail = "the client has as many unfinished TLS handshakes as one may have: 2,048, or half of all connections; try again";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("unfinished-handshakes"))
}

async fn survive(error: &io::Error) {
    match error.kind() {
        // The client gave up between the kernel's accept and ours.
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset => {}
        _ => {
            tracing::warn!(%error, "cannot accept connections; if descriptors ran out, raise LimitNOFILE or lower limits.max_connections");
            tokio::time::sleep(BACK_OFF).await;
        }
    }
}
