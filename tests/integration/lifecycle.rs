//! The life of a tunnel: opened only to a living upstream, exact to the byte while it lasts, ended on both sides as it ended
//! on one, and recorded once.

mod broken;
mod bytes;
mod dialling;
mod drain;
mod idle;

use crate::support::client::{RawClient, client_hello, connect_tunnel};
use crate::support::daemon::Daemon;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use serde_json::Value;
use std::net::SocketAddr;

const HOST: &str = "api.imagicle.com";
const AUTHORITY: &str = "api.imagicle.com:443";

/// An open tunnel whose hello is on its way to the origin.
async fn tunnel(proxy: SocketAddr) -> RawClient {
    let mut client = connect_tunnel(proxy, AUTHORITY).await.expect("the host is allowed and its origin lives");
    client.send(&client_hello(Some(HOST))).await;
    client
}

/// An open tunnel to an origin that sends everything back; the hello is back already.
async fn echoing_tunnel(proxy: SocketAddr) -> RawClient {
    let mut client = tunnel(proxy).await;
    client.read_exact(client_hello(Some(HOST)).len()).await;
    client
}

/// A word there and back: the tunnel lives.
async fn echoes(client: &mut RawClient) {
    client.send(b"still there?").await;
    assert_eq!(client.read_exact(12).await, b"still there?");
}

/// The origin as a host whose tunnels may be silent for `idle`.
fn idle_after(idle: &str, origin: SocketAddr) -> Setup {
    Setup::new().host(HOST, origin).policy(PolicyFile::of("site", idle, &[(HOST, 443, "https")]))
}

/// The record of the one exchange of the client at `address`.
async fn record_of(daemon: &mut Daemon, address: SocketAddr) -> Value {
    let address = address.to_string();
    daemon.wait_for_line("the exchange is recorded", |line| line["client"] == address.as_str()).await
}
