//! A parent proxy that follows a script: it shows the heads it was sent, and answers as it is told or connects to one place.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::client::{RawClient, within_deadline};
use super::origin::{ScriptedOrigin, SecureOrigin};

pub const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// What a parent does with each CONNECT.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Connects there, whatever it is asked for.
    To(SocketAddr),
    /// Writes this and waits for the peer to end.
    Answer(Vec<u8>),
    /// Writes this a byte at a time, as slowly as it is read, and never ends it.
    Drip,
}

enum Accepting {
    Plain(ScriptedOrigin),
    Secure(SecureOrigin),
}

/// Ends, with all its connections, when dropped.
pub struct Parent {
    accepting: Accepting,
    heads: watch::Receiver<Vec<String>>,
}

impl Parent {
    pub async fn to(origin: SocketAddr) -> Self {
        Self::start(Manner::To(origin)).await
    }

    pub async fn answering(answer: &[u8]) -> Self {
        Self::start(Manner::Answer(answer.to_vec())).await
    }

    pub async fn start(manner: Manner) -> Self {
        let (sender, heads) = watch::channel(Vec::new());
        let origin = ScriptedOrigin::start(move |_, client| serve(client, manner.clone(), sender.clone())).await;
        Self { accepting: Accepting::Plain(origin), heads }
    }

    /// A parent that speaks TLS itself.
    pub async fn secure(config: Arc<ServerConfig>, origin: SocketAddr) -> Self {
        let (sender, heads) = watch::channel(Vec::new());
        let script = move |_, stream| serve(RawClient::over(stream), Manner::To(origin), sender.clone());
        Self { accepting: Accepting::Secure(SecureOrigin::scripted(config, script).await), heads }
    }

    pub fn addr(&self) -> SocketAddr {
        match &self.accepting {
            Accepting::Plain(origin) => origin.addr(),
            Accepting::Secure(origin) => origin.addr(),
        }
    }

    /// As a configuration names it.
    pub fn url(&self) -> String {
        let scheme = if matches!(self.accepting, Accepting::Plain(_)) { "http" } else { "https" };
        format!("{scheme}://{}", self.addr())
    }

    /// The heads that were sent so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.borrow().clone()
    }

    /// What was asked for so far.
    pub fn targets(&self) -> Vec<String> {
        let target = |head: &String| head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.heads().iter().map(target).collect()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut client: RawClient<S>, manner: Manner, heads: watch::Sender<Vec<String>>) {
    let Some(head) = client.try_read_through(b"\r\n\r\n").await else { return };
    heads.send_modify(|heads| heads.push(String::from_utf8(head).expect("a head is ASCII")));
    match manner {
        Manner::To(origin) => {
            let mut origin = within_deadline("connect", TcpStream::connect(origin)).await.expect("the origin listens");
            client.send(ESTABLISHED).await;
            // Either side may break it: that is a test's own business.
            copy_bidirectional(&mut client.into_inner(), &mut origin).await.ok();
        }
        Manner::Answer(answer) => {
            client.try_send(&answer).await.ok();
            client.try_read_through(b"nothing more comes").await;
        }
        Manner::Drip => {
            client.try_send(b"HTTP/1.1 200 OK\r\nX: ").await.ok();
            client.try_read_through(b"nothing more comes").await;
        }
    }
}
