//! The listeners that only show: to admins, and to clients what they need to use the proxy.

use super::listening::{LINGERING_ANSWERS, turn_away};
use super::sockets::At;
use crate::admin::places::MOST;
use crate::admin::{self, Shown};
use crate::error::Reason;
use crate::listener::accept::{Gate, accept_loop};
use crate::metrics::{ListenerKind, Protocol};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// One more than may stay: it has somebody who is silent make room, or is sent away.
const CONNECTIONS: usize = MOST + 1;

pub(super) fn to_admins(shown: &Arc<Shown>, at: At, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let serving = shown.clone();
    accept_loop(
        at,
        ListenerKind::Admin,
        Gate::new(CONNECTIONS),
        shown.live.context().metrics.clone(),
        stop,
        move |accepted| admin::connection(serving.clone(), accepted),
        |_| Ok(()),
        |_, _, _| {},
    )
}

/// Open to those who may use the proxy.
pub(super) fn to_clients(shown: &Arc<Shown>, at: At, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let (serving, asked, refusing) = (shown.clone(), shown.live.clone(), shown.live.clone());
    let lingering = Gate::new(LINGERING_ANSWERS);
    accept_loop(
        at,
        ListenerKind::Discovery,
        Gate::new(CONNECTIONS),
        shown.live.context().metrics.clone(),
        stop,
        move |accepted| admin::discovery_connection(serving.clone(), accepted),
        move |client: SocketAddr| asked.context().engine.policy.admit(client.ip()),
        move |stream, client, refusal| {
            // One too many is only closed, as on the admin listener: limits.max_connections is not about these.
            if refusal.reason == Reason::ClientNotAllowed {
                turn_away(&refusing.context(), stream, client, refusal, Protocol::Http1, Some(&lingering));
            }
        },
    )
}
