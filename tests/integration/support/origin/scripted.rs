//! An origin whose every connection is a test's own function, for answers no well-behaved server gives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::client::RawClient;
use super::Accepting;

/// Ends, with all its connections, when dropped.
pub struct ScriptedOrigin {
    accepting: Accepting,
    accepted: Arc<AtomicUsize>,
}

impl ScriptedOrigin {
    /// Runs `script` on each connection. It is told how many came before, and reads and writes as a client does: the same
    /// type serves both ends of a connection.
    pub async fn start<F, C>(script: F) -> Self
    where
        F: Fn(usize, RawClient) -> C + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let accepting = Accepting::start(move |stream| {
            let before = counter.fetch_add(1, Ordering::SeqCst);
            script(before, RawClient::over(stream))
        });
        Self { accepting: accepting.await, accepted }
    }

    pub fn addr(&self) -> SocketAddr {
        self.accepting.addr
    }

    /// How many connections arrived so far, open or not.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}
