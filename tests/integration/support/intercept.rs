//! Interception around a test: a CA of the proxy's own, clients that trust it alone, connections through it.

use super::client::{RawClient, connect_tunnel, within_deadline};
use super::pki::{self, Pki};
use super::proxy::Setup;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use ucx_egress::tls::authority::{self, Paths};

mod world;

pub use world::{ANSWER, API, World, request, stream_request, text};

/// A request body of a test client.
pub type TestBody = BoxBody<Bytes, Infallible>;

/// The proxy's CA, made as `ca init` makes it, and the root it verifies the cloud with.
pub struct Ca {
    folder: TempDir,
    root: CertificateDer<'static>,
}

impl Ca {
    /// Makes a CA for the hosts; the proxy trusts `cloud` upstream.
    pub fn new(cloud: &Pki, hosts: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let paths = Paths { certificate: folder.path().join("ca.pem"), key: folder.path().join("ca.key") };
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        authority::create(&paths, &hosts, SystemTime::now()).expect("a CA is made");
        std::fs::write(folder.path().join("cloud.pem"), cloud.root_pem()).expect("the root is written");
        let root = CertificateDer::from_pem_file(&paths.certificate).expect("the CA is PEM");
        Self { folder, root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Switches interception on.
    pub fn configure(&self, setup: Setup) -> Setup {
        self.configure_with(setup, "")
    }

    /// Switches interception on, with more lines in its section.
    pub fn configure_with(&self, setup: Setup, lines: &str) -> Setup {
        let (certificate, key, cloud) = (self.path("ca.pem"), self.path("ca.key"), self.path("cloud.pem"));
        let section = format!("[interception]\nca_certificate = \"{}\"\nca_key = \"{}\"\n{lines}", certificate.display(), key.display());
        setup.upstream_line(&format!("ca_files = [\"{}\"]", cloud.display())).section(&section)
    }

    /// A TLS client that trusts this CA and nothing else: through a mere tunnel its handshake fails.
    pub fn client(&self, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        pki::client_config(Some(self.root.clone()), alpn)
    }

    /// A decrypted connection to `host` through the proxy.
    pub async fn connect(&self, proxy: SocketAddr, host: &str, alpn: &[&[u8]]) -> io::Result<TlsStream<TcpStream>> {
        let tunnel = connect_tunnel(proxy, &format!("{host}:443")).await.unwrap_or_else(|(head, problem)| panic!("{head:?} {problem:?}"));
        tunnel.tls(self.client(alpn), host).await
    }

    /// The same, to be spoken to byte by byte in HTTP/1.1.
    pub async fn raw(&self, proxy: SocketAddr, host: &str) -> RawClient<TlsStream<TcpStream>> {
        RawClient::over(self.connect(proxy, host, &[b"http/1.1"]).await.expect("the client takes the certificate"))
    }

    /// An HTTP/1.1 client over such a connection.
    pub async fn http1(&self, proxy: SocketAddr, host: &str) -> http1::SendRequest<TestBody> {
        let stream = self.connect(proxy, host, &[b"http/1.1"]).await.expect("the client takes the certificate");
        let (sender, connection) = within_deadline("http1", http1::handshake(TokioIo::new(stream))).await.expect("a connection");
        tokio::spawn(connection);
        sender
    }

    /// An HTTP/2 client over such a connection.
    pub async fn http2(&self, proxy: SocketAddr, host: &str) -> http2::SendRequest<TestBody> {
        let stream = self.connect(proxy, host, &[b"h2"]).await.expect("the client takes the certificate");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            within_deadline("http2", http2::handshake(TokioExecutor::new(), TokioIo::new(stream))).await.expect("a connection");
        tokio::spawn(connection);
        sender
    }
}
