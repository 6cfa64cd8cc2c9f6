//! The accept loop: counts, limits, survives running out of descriptors, contains panics.

use crate::contain::{contained, defect, step};
use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::{ListenerKind, Metrics, Open};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
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

/// How many connections of clients may be open at once.
#[derive(Debug)]
pub struct Gate {
    open: AtomicUsize,
    limit: AtomicUsize,
}

impl Gate {
    /// A gate for `limit` connections.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { open: AtomicUsize::new(0), limit: AtomicUsize::new(limit) })
    }

    /// Another limit from now on; whoever is in stays in.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// A place under the limit, if one is free.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        let seat = Seat(self.clone());
        (self.open.fetch_add(1, Ordering::Relaxed) < self.limit.load(Ordering::Relaxed)).then_some(seat)
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// One connection's place under the limit.
#[derive(Debug)]
pub struct Seat(Arc<Gate>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection and what keeps it counted while it is open.
#[derive(Debug)]
pub struct Accepted {
    /// The socket.
    pub stream: TcpStream,
    /// The client's address.
    pub client: SocketAddr,
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
    /// One more place under the same limit, if one is free: for a tunnel that shares its client's connection with others. It keeps
    /// `share` as long as it is taken.
    #[must_use]
    pub fn another(&self, share: Arc<()>) -> Option<Self> {
        self.seat.0.enter().map(|seat| Self { seat, _gauge: None, _share: Some(share), listener: self.listener })
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
        let admitted = step(&metrics.panics, ARRIVAL, || door(client).and_then(|()| gate.enter().ok_or_else(no_seat)));
        let seat = match admitted.unwrap_or_else(|| Err(defect())) {
            Ok(seat) => seat,
            Err(refusal) => {
                step(&metrics.panics, ARRIVAL, || turn_away(stream, client, &refusal));
                return;
            }
        };
        // Answers are small and wait for nothing; a socket that cannot take the option is gone already.
        let _ = stream.set_nodelay(true);
        let open = Counted { seat, _gauge: Some(gauge), _share: None, listener: address };
        let serving = step(&metrics.panics, ARRIVAL, || serve(Accepted { stream, client, open }));
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
#[must_use]
pub fn no_seat() -> Refusal {
    let detail = "as many connections are open as limits.max_connections and the file descriptors allow; try again, or raise them";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("limits.max_connections"))
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
