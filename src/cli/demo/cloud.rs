//! A stand-in for the vendor's cloud: real TLS under the real names, on loopback, with a root nobody else trusts.

use crate::cli::stand_in::{Root, protocols, root, server};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the documented connectivity test answers.
pub const TEST_BODY: &str = "{\"message\":\"successfully connected!\"}";
/// What the stand-in says to a telemetry message.
pub const TELEMETRY_BODY: &str = "{\"accepted\":true}";
/// An anonymous LDAP bind, message 1 (RFC 4511 section 4.2).
pub const LDAP_BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
/// Its success (RFC 4511 section 4.2.2).
pub const LDAP_BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";
/// An empty HTTP/2 SETTINGS frame (RFC 9113 section 6.5): what a gRPC server says first.
pub const H2_SETTINGS: &[u8] = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// The running stand-in.
pub struct Cloud {
    /// api.imagicle.com:443
    pub https: SocketAddr,
    /// grpc.imagicle.com:443
    pub grpc: SocketAddr,
    /// tenant.imagicle.cloud:1636
    pub ldaps: SocketAddr,
    root: Root,
}

/// What an endpoint does with a connection.
#[derive(Clone, Copy)]
enum Role {
    Https,
    Grpc,
    Ldaps,
}

impl Cloud {
    /// Makes the root and starts the endpoints.
    ///
    /// # Errors
    /// When loopback ports or keys are not to be had.
    pub async fn start() -> Result<Self, String> {
        let root = root("ucx-egress demo root")?;
        let https = endpoint(&root, "api.imagicle.com", b"http/1.1", Role::Https).await?;
        let grpc = endpoint(&root, "grpc.imagicle.com", b"h2", Role::Grpc).await?;
        let ldaps = endpoint(&root, "tenant.imagicle.cloud", b"", Role::Ldaps).await?;
        Ok(Self { https, grpc, ldaps, root })
    }

    /// The root certificate, for clients.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// A TLS client that trusts this root alone.
    ///
    /// # Errors
    /// When the root is not accepted.
    pub fn client_config(&self, alpn: &[u8]) -> Result<Arc<ClientConfig>, String> {
        trusting(self.root.der().clone(), alpn)
    }
}

/// A TLS client that trusts one root alone.
///
/// # Errors
/// When the root is not accepted.
pub fn trusting(root: CertificateDer<'static>, alpn: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(root).map_err(text)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(text)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols(alpn);
    Ok(Arc::new(config))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn endpoint(root: &Root, name: &str, alpn: &[u8], role: Role) -> Result<SocketAddr, String> {
    let acceptor = TlsAcceptor::from(Arc::new(server(root, name, alpn, false)?));
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
    let address = listener.local_addr().map_err(text)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(acceptor.clone(), stream, role));
        }
    });
    Ok(address)
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, role: Role) {
    // A handshake that fails is what the refused cases look like from here.
    if let Ok(stream) = acceptor.accept(stream).await {
        let _ = converse(stream, role).await;
    }
}

async fn converse(mut stream: TlsStream<TcpStream>, role: Role) -> std::io::Result<()> {
    let mut request = Vec::with_capacity(4096);
    stream.read_buf(&mut request).await?;
    while matches!(role, Role::Https) && !is_complete(&request) && stream.read_buf(&mut request).await? > 0 {}
    match role {
        Role::Https => stream.write_all(https_answer(&request).as_bytes()).await?,
        Role::Grpc => stream.write_all(H2_SETTINGS).await?,
        Role::Ldaps if request == LDAP_BIND => stream.write_all(LDAP_BOUND).await?,
        Role::Ldaps => {}
    }
    stream.shutdown().await
}

/// Whether the head is there, and the body it announces.
fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn https_answer(request: &[u8]) -> String {
    let (status, body) = if request.starts_with(b"GET /test ") {
        ("200 OK", TEST_BODY)
    } else if request.starts_with(b"POST /telemetry ") {
        ("202 Accepted", TELEMETRY_BODY)
    } else {
        ("404 Not Found", "{}")
    };
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
