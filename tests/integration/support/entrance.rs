//! TLS to the proxy itself: its certificate in files, and clients that trust it.

use super::client::within_deadline;
use super::http2::Http2;
use super::pki::Pki;
use super::proxy::Setup;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The name in the proxy's certificate.
pub const NAME: &str = "proxy.corp.example";

/// The proxy's certificate.
pub struct Reception {
    folder: TempDir,
    pub pki: Pki,
}

impl Reception {
    pub fn new() -> Self {
        let new = Self { folder: TempDir::new().expect("a temporary folder"), pki: Pki::new() };
        new.write(&new.pki);
        new
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the certificate by one of `pki`, as renewals do: new files under the old names.
    pub fn write(&self, pki: &Pki) {
        let leaf = pki.leaf(&[NAME]);
        for (name, text) in [("proxy.key", leaf.key_pem()), ("proxy.pem", leaf.certificate_pem())] {
            self.replace(name, &text);
        }
    }

    pub fn replace(&self, name: &str, text: &str) {
        let fresh = self.path("fresh");
        std::fs::write(&fresh, text).expect("the file is written");
        std::fs::rename(&fresh, self.path(name)).expect("the file is replaced");
    }

    /// The proxy's listener speaks TLS, with more lines in its section.
    pub fn configure(&self, setup: Setup, lines: &str) -> Setup {
        let [certificate, key] = ["proxy.pem", "proxy.key"].map(|name| self.path(name).display().to_string());
        setup.listener_line(&format!("[listener.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n{lines}"))
    }

    /// Shakes hands with the proxy.
    pub async fn connect(&self, proxy: SocketAddr, alpn: &[&[u8]]) -> io::Result<TlsStream<TcpStream>> {
        connect(proxy, self.pki.client_config(alpn)).await
    }

    /// HTTP/2 with the proxy.
    pub async fn http2(&self, proxy: SocketAddr) -> Http2 {
        Http2::over(self.connect(proxy, &[b"h2"]).await.expect("a handshake")).await
    }
}

/// Shakes hands with the proxy.
pub async fn connect(proxy: SocketAddr, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = within_deadline("connect", TcpStream::connect(proxy)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(NAME).expect("a name");
    within_deadline("tls handshake", TlsConnector::from(config).connect(name, stream)).await
}
