//! Who is connected to a listener that only shows: so many at once, and whoever says nothing keeps nobody else out.

use crate::access::limit::Origin;
use crate::listener::Accepted;
use crate::listener::accept::Counted;
use std::cmp::Reverse;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Connections to one listener at once.
pub const MOST: usize = 64;
/// Of these from one address: some are left for others even where all of these are answered, however slowly they are read.
const SHARE: usize = 48;

/// The connections of one listener, over reloads.
#[derive(Debug, Default)]
pub struct Places(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Numbers what happens: connections as they come, and as they fall silent.
    next: u64,
    taken: Vec<Taken>,
}

#[derive(Debug)]
struct Taken {
    number: u64,
    origin: Origin,
    /// Since when nothing is answered; none while something is.
    silent_since: Option<u64>,
    leave: Arc<Notify>,
    _open: Counted,
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn of(&self, origin: Origin) -> usize {
        self.taken.iter().filter(|taken| taken.origin == origin).count()
    }

    /// Whether there is a place for one more from there. For it, a silent connection may have to go: of the address that has most, and of
    /// these the one that is silent for longest.
    fn make_room(&mut self, origin: Origin) -> bool {
        let is_over = self.of(origin) >= SHARE;
        if !is_over && self.taken.len() < MOST {
            return true;
        }
        let may_go = |taken: &&Taken| taken.silent_since.is_some() && (!is_over || taken.origin == origin);
        let goes = self.taken.iter().filter(may_go).max_by_key(|taken| (self.of(taken.origin), Reverse(taken.silent_since)));
        let Some(number) = goes.map(|taken| taken.number) else { return false };
        self.release(number);
        true
    }

    fn release(&mut self, number: u64) {
        if let Some(index) = self.taken.iter().position(|taken| taken.number == number) {
            self.taken.swap_remove(index).leave.notify_one();
        }
    }

    fn is_silent(&mut self, number: u64, is_silent: bool) {
        let now = self.number();
        if let Some(taken) = self.taken.iter_mut().find(|taken| taken.number == number) {
            taken.silent_since = is_silent.then_some(now);
        }
    }
}

/// A connection that has a place.
#[derive(Debug)]
pub struct Seated {
    /// The socket.
    pub stream: TcpStream,
    /// The client's address.
    pub client: SocketAddr,
    /// Kept as long as the connection is.
    pub place: Arc<Place>,
}

impl Places {
    /// A place for a connection; none where all are taken by connections that are being answered.
    #[must_use]
    pub fn seat(self: &Arc<Self>, accepted: Accepted) -> Option<Seated> {
        let Accepted { stream, client, open } = accepted;
        let (origin, leave) = (Origin::of(client.ip()), Arc::new(Notify::new()));
        let mut state = self.lock();
        if !state.make_room(origin) {
            return None;
        }
        let number = state.number();
        state.taken.push(Taken { number, origin, silent_since: Some(number), leave: leave.clone(), _open: open });
        drop(state);
        Some(Seated { stream, client, place: Arc::new(Place { places: self.clone(), number, leave }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    number: u64,
    leave: Arc<Notify>,
}

impl Place {
    /// Resolves when another connection needs the place.
    pub async fn is_needed(&self) {
        self.leave.notified().await;
    }

    /// Something is answered until what this gives is dropped; meanwhile nobody takes the place.
    #[must_use]
    pub fn answering(self: &Arc<Self>) -> Answering {
        self.places.lock().is_silent(self.number, false);
        Answering(self.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().release(self.number);
    }
}

/// An answer under way.
#[derive(Debug)]
pub struct Answering(Arc<Place>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.places.lock().is_silent(self.0.number, true);
    }
}
