//! How a proxy stops: whoever has just come in may still ask, what is under way may finish within the drain time, tunnels on which
//! nothing moves are not waited for.

use crate::listener::accept::Gate;
use crate::proxy::Live;
use crate::proxy::standing::{Pulse, Standing};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a stopping proxy looks whether it is done.
const TICK: Duration = Duration::from_millis(20);
/// Time for those who were let in to ask what they came for: the listener is another process's already, and a client that has connected
/// to this one must not be sent away.
const GRACE: Duration = Duration::from_secs(1);
/// A tunnel that is silent for so long behind an answer is not waited for: presence streams are silent for hours, and end by themselves
/// never.
const SILENCE: Duration = Duration::from_secs(3);
/// And so long where the client spoke last: an answer may be on its way.
const AWAITED: Duration = Duration::from_secs(10);
/// Of a short drain time, these are parts.
const PARTS: [u32; 3] = [4, 4, 2];

/// Since when tunnels have been silent.
struct Silences<'a> {
    standing: &'a Standing,
    seen: HashMap<u64, (Pulse, Instant)>,
    silence: Duration,
    awaited: Duration,
}

impl<'a> Silences<'a> {
    fn new(standing: &'a Standing, silence: Duration, awaited: Duration) -> Self {
        let now = Instant::now();
        let seen = standing.pulses().into_iter().map(|(number, pulse)| (number, (pulse, now))).collect();
        Self { standing, seen, silence, awaited }
    }

    /// Ends those that were silent for too long; how many those are.
    fn dismiss(&mut self) -> usize {
        let now = Instant::now();
        let before = std::mem::take(&mut self.seen);
        for (number, pulse) in self.standing.pulses() {
            let since = before.get(&number).filter(|(seen, _)| *seen == pulse).map_or(now, |(_, since)| *since);
            self.seen.insert(number, (pulse, since));
        }
        let limit = |pulse: &Pulse| if pulse.awaits { self.awaited } else { self.silence };
        let silent = self.seen.iter().filter(|(_, (pulse, since))| now - *since >= limit(pulse));
        let silent: Vec<u64> = silent.map(|(number, _)| *number).collect();
        self.standing.dismiss(&silent);
        silent.len()
    }
}

/// Waits until all connections are gone, or the drain time is over. Tunnels that are silent are ended meanwhile.
pub(super) async fn drained(gate: &Gate, live: &Live, drain: Duration) {
    let deadline = Instant::now() + drain;
    let [grace, silence, awaited] =
        [(GRACE, PARTS[0]), (SILENCE, PARTS[1]), (AWAITED, PARTS[2])].map(|(time, part)| time.min(drain / part));
    let mut silences = Silences::new(live.standing(), silence, awaited);
    tracing::info!(connections = gate.open(), tunnels = silences.seen.len(), drain = drain.as_secs(), "draining");
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asked_by = Instant::now() + grace;
    while gate.open() > 0 && Instant::now() < asked_by {
        tick.tick().await;
    }
    live.context().journal.stopping();
    let mut look_again = Instant::now();
    while gate.open() > 0 && Instant::now() < deadline {
        if Instant::now() >= look_again {
            look_again = Instant::now() + grace;
            let silent = silences.dismiss();
            if silent > 0 {
                tracing::info!(silent, "tunnels on which nothing moved were ended");
            }
        }
        tick.tick().await;
    }
    if gate.open() > 0 {
        tracing::warn!(connections = gate.open(), "the drain time is over; what is still open is cut");
    }
}
