//! The client side of the demonstration: real sockets, real TLS.

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Longer than every deadline of the proxy.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer of the proxy: its status line, header fields and body, as text.
#[derive(Debug)]
pub struct Answer(pub String);

impl Answer {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// A member of the problem document.
    pub fn member(&self, name: &str) -> Option<String> {
        let (_, body) = self.0.split_once("\r\n\r\n")?;
        let problem: serde_json::Value = serde_json::from_str(body).ok()?;
        Some(problem.get(name)?.as_str()?.to_owned())
    }

    /// The decision id of the header.
    pub fn decision(&self) -> String {
        let line = self.0.lines().find_map(|line| line.strip_prefix("x-decision-id: "));
        line.unwrap_or("-").to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a client of the proxy, not the proxy")]
pub async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("{address}: {error}"))
}

/// Sends a request and reads the whole answer.
pub async fn ask(proxy: SocketAddr, request: &str) -> Result<Answer, String> {
    let mut stream = connect(proxy).await?;
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    Ok(Answer(String::from_utf8_lossy(&read_all(&mut stream).await?).into_owned()))
}

/// Opens a tunnel, or gives the refusal.
pub async fn tunnel(proxy: SocketAddr, authority: &str) -> Result<Result<(TcpStream, Answer), Answer>, String> {
    let mut stream = connect(proxy).await?;
    let request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.map_err(|_| "the proxy does not answer".to_owned())?;
        head.push(byte.map_err(|error| error.to_string())?);
    }
    let answer = Answer(String::from_utf8_lossy(&head).into_owned());
    if answer.status() == 200 {
        return Ok(Ok((stream, answer)));
    }
    let body = read_all(&mut stream).await?;
    Ok(Err(Answer(answer.0 + &String::from_utf8_lossy(&body))))
}

/// Says something over TLS and reads what comes back until the end, or gives the TLS error.
pub async fn say(stream: TcpStream, config: Arc<ClientConfig>, name: &str, words: &[u8]) -> Result<Vec<u8>, String> {
    let (answer, broke) = hear(stream, config, name, words).await?;
    broke.map_or(Ok(answer), Err)
}

/// The same; of a connection that breaks, what came before, and how it broke.
pub async fn hear(stream: TcpStream, config: Arc<ClientConfig>, name: &str, words: &[u8]) -> Result<(Vec<u8>, Option<String>), String> {
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let conversation = async {
        let mut stream = TlsConnector::from(config).connect(name, stream).await?;
        stream.write_all(words).await?;
        stream.read_to_end(&mut answer).await
    };
    let heard = timeout(PATIENCE, conversation).await.map_err(|_| "no answer".to_owned())?;
    Ok((answer, heard.err().map(|error| error.to_string())))
}

/// Reads until the other side closes.
pub async fn read_all(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.map_err(|_| "no end of the answer".to_owned())?;
    read.map_err(|error| error.to_string())?;
    Ok(bytes)
}
