//! A tunnel, whatever it carries.

use super::context::Context;
use super::entry::Entry;
use super::http1;
use super::tunnel::{self, Tunnel};
use std::sync::Arc;

/// Relays a tunnel, or serves the plain HTTP in it.
pub async fn carry(context: Arc<Context>, tunnel: Tunnel) {
    if let Some(plain) = tunnel::run(&context, tunnel).await {
        // Boxed: what serves HTTP is far larger than what a tunnel needs, and most tunnels never get here. There is no CONNECT
        // inside a tunnel, so nothing is handed over.
        Box::pin(http1::connection(context, plain.client, plain.ahead, Entry::Inner(plain.inner))).await;
    }
}
