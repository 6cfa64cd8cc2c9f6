//! A stand-in for the vendor's cloud that can be broken: real TLS under a root that only the drill's proxy trusts.

use super::super::demo::trusting;
use crate::cli::stand_in::{Root, root, server};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The host that it is.
pub const HOST: &str = "api.drill.test";
/// What it answers.
pub const ANSWER: &str = "{\"accepted\":true}";
/// Part of an answer that announces more.
const PART: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{\"accepted\":";

/// What it does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Answers.
    Answers,
    /// Accepts and says nothing, not even TLS.
    SaysNothing,
    /// Takes the request and does not answer it.
    KeepsTheRequest,
    /// Takes the request and resets.
    Resets,
    /// Resets in the middle of its answer.
    ResetsAmid,
    /// Shows a certificate of another root.
    Untrusted,
    /// Shows a certificate for another name.
    AnotherName,
    /// Shows a certificate that was good once.
    Expired,
}

/// The running stand-in.
pub struct Cloud {
    /// Where it is.
    pub address: SocketAddr,
    /// Its root, PEM.
    pub root_pem: String,
    shared: Arc<Shared>,
}

struct Shared {
    conduct: Mutex<Conduct>,
    received: Mutex<Vec<u8>>,
    good: TlsAcceptor,
    untrusted: TlsAcceptor,
    another_name: TlsAcceptor,
    expired: TlsAcceptor,
}

impl Cloud {
    /// Makes its certificates and starts it.
    pub async fn start() -> Result<Self, String> {
        let (root, other) = (root("ucx-egress drill root")?, root("ucx-egress drill root")?);
        let shared = Arc::new(Shared {
            conduct: Mutex::new(Conduct::Answers),
            received: Mutex::default(),
            good: acceptor(&root, HOST, false)?,
            untrusted: acceptor(&other, HOST, false)?,
            another_name: acceptor(&root, "www.drill.test", false)?,
            expired: acceptor(&root, HOST, true)?,
        });
        // The root is one that clients take: otherwise every scenario would break by it.
        trusting(root.der().clone(), b"")?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let accepting = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(accepting.clone(), stream));
            }
        });
        Ok(Self { address, root_pem: root.pem(), shared })
    }

    /// Does this with whoever comes from now on.
    pub fn conduct(&self, conduct: Conduct) {
        *lock(&self.shared.conduct) = conduct;
    }

    /// How often this was received, in whatever was decrypted.
    pub fn traces(&self, of: &str) -> usize {
        String::from_utf8_lossy(&lock(&self.shared.received)).matches(of).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn acceptor(root: &Root, name: &str, is_expired: bool) -> Result<TlsAcceptor, String> {
    server(root, name, b"http/1.1", is_expired).map(|config| TlsAcceptor::from(Arc::new(config)))
}

async fn serve(shared: Arc<Shared>, mut stream: TcpStream) {
    let conduct = *lock(&shared.conduct);
    let acceptor = match conduct {
        Conduct::SaysNothing => {
            // Until the proxy has given up.
            let _ = stream.read_to_end(&mut Vec::new()).await;
            return;
        }
        Conduct::Untrusted => &shared.untrusted,
        Conduct::AnotherName => &shared.another_name,
        Conduct::Expired => &shared.expired,
        _ => &shared.good,
    };
    // A handshake that fails, or a connection that breaks, is what a scenario looks like from here.
    if let Ok(stream) = acceptor.accept(stream).await {
        let _ = converse(&shared, stream).await;
    }
}

async fn converse(shared: &Shared, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
    let mut request = Vec::with_capacity(4096);
    while !is_complete(&request) {
        let before = request.len();
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        lock(&shared.received).extend_from_slice(request.get(before..).unwrap_or_default());
    }
    let conduct = *lock(&shared.conduct);
    match conduct {
        Conduct::KeepsTheRequest => stream.read_to_end(&mut Vec::new()).await.map(drop),
        Conduct::Resets => reset(&stream),
        Conduct::ResetsAmid => {
            stream.write_all(PART).await?;
            stream.flush().await?;
            // What was sent has to be on its way before the reset overtakes it.
            tokio::time::sleep(Duration::from_millis(100)).await;
            reset(&stream)
        }
        _ => {
            stream.write_all(answer().as_bytes()).await?;
            stream.shutdown().await
        }
    }
}

/// The connection is reset when it is dropped.
fn reset(stream: &TlsStream<TcpStream>) -> io::Result<()> {
    socket2::SockRef::from(stream.get_ref().0).set_linger(Some(Duration::ZERO))
}

/// Whether the head is there, and the body it announces.
fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer() -> String {
    let length = ANSWER.len();
    format!("HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{ANSWER}")
}
