//! A tunnel, whatever it carries.

use super::entry::Entry;
use super::live::Live;
use super::tunnel::{self, Next, Tunnel};
use super::{http1, intercept};
use std::sync::Arc;

/// Relays a tunnel, or serves what is in it.
pub async fn carry(live: Arc<Live>, tunnel: Tunnel) {
    // Boxed: what serves HTTP is far larger than what a tunnel needs, and most tunnels never get here. There is no CONNECT
    // inside a tunnel, so nothing is handed over.
    match tunnel::run(&live, tunnel).await {
        Next::Done => {}
        Next::Plain(plain) => {
            Box::pin(http1::connection(live, plain.client, plain.ahead, Entry::Inner(plain.inner))).await;
        }
        Next::Intercept(opened) => intercept::start(&live, opened),
    }
}
