//! Upstreams for the proxy to reach: one that shows raw bytes ([`RawOrigin`]), one that answers
//! requests ([`HttpOrigin`]), and the same behind TLS ([`TlsOrigin`]).
//!
//! What an origin has seen lives in a watch channel, so a test waits for the event itself. Every
//! task belongs to its origin and ends when the origin is dropped.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

mod absent;
mod frames;
mod http;
mod raw;
mod scripted;
mod secure;
mod tapped;

pub use absent::{Deserted, Full};
pub use frames::{Code, Frames};
pub use http::{HttpOrigin, TlsOrigin};
pub use raw::{Behaviour, RawOrigin};
pub use scripted::ScriptedOrigin;
pub use secure::SecureOrigin;
pub use tapped::{OriginBody, Tapped, TappedOrigin, by_hand, echo, full};

/// An accept loop on loopback that takes its connections along when it is dropped.
struct Accepting {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Accepting {
    async fn start<F, C>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> C + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), serve).await
    }

    async fn start_on<F, C>(ip: IpAddr, serve: F) -> Self
    where
        F: Fn(TcpStream) -> C + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, 0)).await.expect("the address has a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("an open listener accepts");
                stream.set_nodelay(true).ok(); // a peer that is gone again is a test's own business
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { addr, task }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.task.abort();
    }
}
