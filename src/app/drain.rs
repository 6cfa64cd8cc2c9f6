//! How a proxy stops: whoever has just come in may still ask, what is under way may finish within the drain time, tunnels on which
//! nothing moves are not waited for.

use crate::listener::accept::Gate;
use crate::proxy::Live;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a stopping proxy looks whether it is done.
const TICK: Duration = Duration::from_millis(20);
/// A tunnel on which nothing moved for so long is not waited for: presence streams are silent for hours, and end by themselves never.
/// Of a short drain time, a part.
const SILENCE: Duration = Duration::from_secs(3);
const PART: u32 = 4;

/// Time for those who were let in to ask what they came for: the listener is another process's already, and a client that has connected
/// to this one must not be sent away. Of a short drain time, a part.
const GRACE: Duration = Duration::from_secs(1);

/// Waits until all connections are gone, or the drain time is over. Tunnels that are silent are ended meanwhile.
pub(super) async fn drained(gate: &Gate, live: &Live, drain: Duration) {
    let (deadline, standing) = (Instant::now() + drain, live.standing());
    let silence = SILENCE.min(drain / PART);
    let (mut pulses, mut look_again) = (standing.pulses(), Instant::now() + silence);
    tracing::info!(connections = gate.open(), tunnels = pulses.len(), drain = drain.as_secs(), "draining");
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asked_by = Instant::now() + GRACE.min(drain / PART);
    while gate.open() > 0 && Instant::now() < asked_by {
        tick.tick().await;
    }
    live.context().journal.stopping();
    while gate.open() > 0 && Instant::now() < deadline {
        if Instant::now() >= look_again {
            let silent = standing.dismiss_silent(&pulses);
            if silent > 0 {
                tracing::info!(silent, "tunnels on which nothing moved were ended");
            }
            (pulses, look_again) = (standing.pulses(), Instant::now() + silence);
        }
        tick.tick().await;
    }
    if gate.open() > 0 {
        tracing::warn!(connections = gate.open(), "the drain time is over; what is still open is cut");
    }
}
