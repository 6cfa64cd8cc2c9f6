//! How a proxy stops: what is under way may finish within the drain time, tunnels on which nothing moves are not waited for.

use crate::listener::accept::Gate;
use crate::proxy::standing::Standing;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a stopping proxy looks whether it is done.
const TICK: Duration = Duration::from_millis(20);
/// A tunnel on which nothing moved for so long is not waited for: presence streams are silent for hours, and end by themselves never.
/// Of a short drain time, a part.
const SILENCE: Duration = Duration::from_secs(3);
const PART: u32 = 4;

/// Waits until all connections are gone, or the drain time is over. Tunnels that are silent are ended meanwhile.
pub(super) async fn drained(gate: &Gate, standing: &Standing, drain: Duration) {
    let deadline = Instant::now() + drain;
    let silence = SILENCE.min(drain / PART);
    let (mut pulses, mut look_again) = (standing.pulses(), Instant::now() + silence);
    tracing::info!(connections = gate.open(), tunnels = pulses.len(), drain = drain.as_secs(), "draining");
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
