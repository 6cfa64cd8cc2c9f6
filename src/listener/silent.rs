//! Who has a place and says nothing: where no place is left, one of those has to go, so that they keep nobody else out.

use crate::error::{Reason, Refusal, RuleName};
use crate::quota::host_of;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A client replaces its own silent connections so many times later than others do: one that opens them without end would keep all of
/// them young, and nobody else would find one that may go.
const OWN: u32 = 3;

/// The silent connections of one gate.
#[derive(Debug)]
pub struct Silent {
    /// How long each may be silent in peace.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers connections as they fall silent.
    last: u64,
    hosts: HashMap<IpAddr, BTreeMap<u64, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    leave: Arc<Notify>,
}

/// Whose connections may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The newcomer's own: it has its share of the places.
    Own,
    /// Anybody's: all places are taken.
    Anyones,
}

impl State {
    fn begin(&mut self, host: IpAddr, since: Instant, leave: Arc<Notify>) -> u64 {
        self.last += 1;
        self.hosts.entry(host).or_default().insert(self.last, Waiting { since, leave });
        self.last
    }

    fn end(&mut self, host: IpAddr, number: u64) -> Option<Waiting> {
        let own = self.hosts.get_mut(&host)?;
        let ended = own.remove(&number);
        if own.is_empty() {
            self.hosts.remove(&host);
        }
        ended
    }

    /// The one that goes: of the client with the most silent connections the one that is silent for longest. A newcomer takes none from
    /// a client that is as silent as itself; so clients that open silent connections without end share what they took among them,
    /// and do not renew it.
    fn goes(&self, newcomer: IpAddr, whose: Whose, patience: Duration, now: Instant) -> Option<(IpAddr, u64)> {
        let own = self.hosts.get(&newcomer).map_or(0, BTreeMap::len);
        let candidate = |(host, silent): (&IpAddr, &BTreeMap<u64, Waiting>)| {
            let (number, longest) = silent.first_key_value()?;
            let (may_go, patience) = if *host == newcomer {
                (true, patience * OWN)
            } else {
                (whose == Whose::Anyones && (own == 0 || silent.len() > own + 1), patience)
            };
            let is_due = now.saturating_duration_since(longest.since) >= patience;
            (may_go && is_due).then_some((silent.len(), Reverse(*number), *host))
        };
        self.hosts.iter().filter_map(candidate).max().map(|(_, Reverse(number), host)| (host, number))
    }
}

impl Silent {
    /// Nobody is silent; each may be for `patience` before it has to go.
    #[must_use]
    pub fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self { patience, state: Mutex::default() })
    }

    /// A connection of this client falls silent.
    #[must_use]
    pub fn begin(self: &Arc<Self>, client: IpAddr) -> Silence {
        let (host, leave) = (host_of(client), Arc::<Notify>::default());
        let number = self.lock().begin(host, Instant::now(), leave.clone());
        Silence { all: self.clone(), host, number: AtomicU64::new(number), leave }
    }

    /// Ends a connection that has been silent for long enough, in favour of one of this client; false where there is none.
    pub fn make_room(&self, newcomer: IpAddr, whose: Whose) -> bool {
        let mut state = self.lock();
        let goes = state.goes(host_of(newcomer), whose, self.patience, Instant::now());
        let Some(ended) = goes.and_then(|(host, number)| state.end(host, number)) else { return false };
        drop(state);
        ended.leave.notify_one();
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is right between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's silence. It lasts until it is ended or dropped.
#[derive(Debug)]
pub struct Silence {
    all: Arc<Silent>,
    host: IpAddr,
    /// Its number; zero where it is over.
    number: AtomicU64,
    leave: Arc<Notify>,
}

impl Silence {
    /// Waits for what the connection is to say, as long as nobody needs its place. How slowly that comes makes no difference: only
    /// [`Silence::end`] says that it was all.
    ///
    /// # Errors
    /// `overloaded`: another one has the place.
    pub async fn bear<T>(&self, waiting: impl Future<Output = T>) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            said = waiting => Ok(said),
            () = self.leave.notified() => Err(made_room()),
        }
    }

    /// The connection has said what it was waited for, or is being refused: from now on nobody takes its place.
    ///
    /// # Errors
    /// `overloaded`: somebody has taken it already.
    pub fn end(&self) -> Result<(), Refusal> {
        let number = self.number.swap(0, Ordering::Relaxed);
        if number == 0 || self.all.lock().end(self.host, number).is_some() { Ok(()) } else { Err(made_room()) }
    }

    /// The connection is silent again.
    pub fn again(&self) {
        let number = self.all.lock().begin(self.host, Instant::now(), self.leave.clone());
        self.number.store(number, Ordering::Relaxed);
    }

    /// The connection is this client's, and has been silent as long as it was.
    pub fn belongs_to(&mut self, client: IpAddr) {
        let (host, number) = (host_of(client), self.number.get_mut());
        let mut state = self.all.lock();
        // One that has to go meanwhile is told so.
        if let Some(waiting) = state.end(self.host, *number) {
            state.hosts.entry(host).or_default().insert(*number, waiting);
            self.host = host;
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Said of whoever had to go, and to it where it understands.
fn made_room() -> Refusal {
    let detail = "all connections that limits.max_connections and the file descriptors allow were taken, or the client's share of them, and \
                  this one had asked nothing: its place went to another; connect when there is something to ask";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("silent-connections"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn host(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    /// So many silent connections of each client, in this order, each a millisecond after the one before.
    fn silent(since: Instant, counts: &[(u8, u32)]) -> State {
        let mut state = State::default();
        let all = counts.iter().flat_map(|(of, count)| (0..*count).map(|_| host(*of)));
        for (at, of) in (0..).zip(all) {
            state.begin(of, since + Duration::from_millis(at), Arc::default());
        }
        state
    }

    #[test]
    fn nobody_goes_in_its_first_moments() {
        let now = Instant::now();
        let state = silent(now, &[(1, 5)]);
        let goes = |newcomer, after| state.goes(host(newcomer), Whose::Anyones, PATIENCE, now + after);
        let almost = Duration::from_millis(999);
        assert_eq!(goes(9, almost), None);
        assert_eq!(goes(9, PATIENCE), Some((host(1), 1)));
        assert_eq!(goes(1, Duration::from_millis(2_999)), None, "its own");
        assert_eq!(goes(1, PATIENCE * OWN), Some((host(1), 1)));
    }

    #[test]
    fn the_most_silent_client_goes_first_and_of_it_the_longest_silent_connection() {
        let now = Instant::now();
        let mut state = silent(now, &[(1, 1), (2, 3), (3, 2)]);
        let order = std::iter::from_fn(|| {
            let (host, number) = state.goes(host(9), Whose::Anyones, PATIENCE, now + PATIENCE * 2)?;
            state.end(host, number).map(|_| number)
        });
        assert_eq!(order.collect::<Vec<_>>(), [2, 3, 5, 1, 4, 6]);
        assert!(state.hosts.is_empty());
    }

    #[test]
    fn silent_clients_take_nothing_from_each_other_and_nothing_that_is_new() {
        let now = Instant::now();
        let state = silent(now, &[(1, 20), (2, 20), (3, 21)]);
        let goes = |newcomer, whose| state.goes(host(newcomer), whose, PATIENCE, now + PATIENCE * 2);
        assert_eq!((goes(1, Whose::Anyones), goes(3, Whose::Anyones)), (None, None));
        assert_eq!(goes(9, Whose::Own), None, "others are not its own");
        assert_eq!(goes(9, Whose::Anyones), Some((host(3), 41)));
    }

    #[tokio::test]
    async fn whoever_has_to_go_is_told_and_whoever_has_spoken_is_not() {
        let all = Silent::new(Duration::ZERO);
        let (mut first, second) = (all.begin(host(1)), all.begin(host(1)));
        first.belongs_to(host(2));
        assert!(all.make_room(host(1), Whose::Own));
        assert_eq!(second.bear(std::future::pending::<()>()).await.unwrap_err().reason, Reason::Overloaded);
        assert_eq!(second.end().unwrap_err().reason, Reason::Overloaded, "also if it spoke meanwhile");
        assert!(!all.make_room(host(1), Whose::Own));
        assert!(first.end().is_ok() && !all.make_room(host(3), Whose::Anyones));
        first.again();
        assert!(all.make_room(host(3), Whose::Anyones));
        drop((first, second));
        assert!(all.lock().hosts.is_empty());
    }
}
