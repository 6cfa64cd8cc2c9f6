//! A `[[relay]]`: a listener for clients that know no proxy, with one fixed destination. Same decision, dial, checks, record.

use super::arrive::{Arrived, arrive_raw};
use super::carry::carry;
use super::establish::allow;
use super::live::Live;
use super::tunnel::Tunnel;
use crate::audit::Start;
use crate::destination::Destination;
use crate::listener::Accepted;
use crate::listener::entrance::Entrance;
use crate::metrics::Protocol;
use std::sync::Arc;

/// Serves one connection to a relay.
pub async fn connection(live: Arc<Live>, entrance: Arc<Entrance>, destination: Destination, accepted: Accepted) {
    let arrived = arrive_raw(&live.context(), &entrance, accepted, Protocol::Relay).await;
    let Some(Arrived { socket, peer, silence, open, .. }) = arrived else { return };
    // Nothing is waited for here: it is silent again once the cloud is there.
    drop(silence);
    let context = live.context();
    let client = peer.address;
    let mut record = context.record(Start { client, protocol: Protocol::Relay, method: "-" });
    match allow(&context, &mut record, client, &destination).await {
        Ok((permit, way)) => {
            record.answered(200);
            let tunnel = Tunnel { context, client: socket, way, ahead: Vec::new(), permit, record, open };
            carry(live, tunnel).await;
        }
        // There is no protocol yet to say it in: the log and the metrics carry the reason.
        Err(refusal) => {
            record.answered_with(&refusal);
        }
    }
}
