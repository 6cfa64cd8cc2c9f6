//! The listeners that only show: to admins, and to clients what they need to use the proxy.

use super::listening::{self, turn_away};
use super::sockets::At;
use crate::admin::{self, Shown};
use crate::error::Reason;
use crate::listener::accept::accept_loop;
use crate::metrics::{ListenerKind, Protocol};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) fn to_admins(shown: &Arc<Shown>, at: At, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let serving = shown.clone();
    accept_loop(
        at,
        ListenerKind::Admin,
        shown.admins.clone(),
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
    let lingering = listening::lingering();
    accept_loop(
        at,
        ListenerKind::Discovery,
        shown.clients.clone(),
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
