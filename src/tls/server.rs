//! TLS towards the client: the leaf by name, the upstream's protocols mirrored, sessions resumed.

use super::leaf::{ByName, Leaves};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use std::sync::Arc;

/// TLS 1.2 sessions kept by the server; TLS 1.3 and tickets keep theirs at the client.
const SESSIONS: usize = 4_096;

/// One configuration for each set of protocols the upstream may speak.
#[derive(Debug, Clone)]
pub struct Servers {
    /// The upstream speaks h2: both are offered.
    pub http2: Arc<ServerConfig>,
    /// The upstream speaks HTTP/1.1 only.
    pub http1: Arc<ServerConfig>,
}

impl Servers {
    /// Makes both configurations.
    ///
    /// # Errors
    /// When the ticket key cannot be made.
    pub fn new(leaves: &Arc<Leaves>) -> Result<Self, String> {
        Ok(Self { http2: server(leaves, &[b"h2", b"http/1.1"])?, http1: server(leaves, &[b"http/1.1"])? })
    }

    /// The configuration that mirrors the upstream.
    #[must_use]
    pub fn mirroring(&self, upstream_speaks_h2: bool) -> Arc<ServerConfig> {
        if upstream_speaks_h2 { self.http2.clone() } else { self.http1.clone() }
    }
}

fn server(leaves: &Arc<Leaves>, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, String> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName(leaves.clone())));
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| error.to_string())?;
    // One ticket is enough for a client that opens its next connection later; each costs a write.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}
