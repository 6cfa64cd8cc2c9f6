//! A TCP server that keeps every byte it is sent and otherwise follows a script.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::super::client::within_deadline;
use super::Accepting;

/// What every connection to a [`RawOrigin`] meets. Unless it says otherwise, the origin reads
/// until the peer finishes, then closes.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Says nothing.
    Hold,
    /// Sends every byte back.
    Echo,
    /// Closes once that many bytes have arrived; 0 closes at once. The peer sees FIN, or RST when
    /// more bytes were on their way.
    CloseAfter(usize),
    /// Resets once that many bytes have arrived; 0 resets at once.
    ResetAfter(usize),
    /// Speaks first.
    Speak(Vec<u8>),
    /// Finishes its own direction at once and goes on reading.
    HalfClose,
    /// Speaks only after the peer has finished: proof that a half-close went through.
    SpeakAtEnd(Vec<u8>),
}

#[derive(Default)]
struct Seen {
    connections: usize,
    received: Vec<u8>,
    closed: usize,
    resets: usize,
}

/// Ends, with all its connections, when dropped.
pub struct RawOrigin {
    accepting: Accepting,
    seen: watch::Receiver<Seen>,
}

impl RawOrigin {
    /// An origin that reads and says nothing.
    pub async fn start() -> Self {
        Self::scripted(Behaviour::Hold).await
    }

    pub async fn scripted(behaviour: Behaviour) -> Self {
        Self::on(Ipv4Addr::LOCALHOST.into(), behaviour).await
    }

    /// On this address of the machine.
    pub async fn on(ip: IpAddr, behaviour: Behaviour) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let accepting = Accepting::start_on(ip, move |stream| {
            let connection = Connection { stream, seen: sender.clone() };
            connection.run(behaviour.clone())
        });
        Self { accepting: accepting.await, seen }
    }

    pub fn addr(&self) -> SocketAddr {
        self.accepting.addr
    }

    /// How many connections arrived so far, open or not.
    pub fn connections(&self) -> usize {
        self.seen.borrow().connections
    }

    /// Everything received so far, from all connections in order of arrival.
    pub fn received(&self) -> Vec<u8> {
        self.seen.borrow().received.clone()
    }

    /// How many connections the peer ended with RST.
    pub fn resets(&self) -> usize {
        self.seen.borrow().resets
    }

    pub async fn wait_for_connections(&self, count: usize) {
        self.wait_for("connections", |seen| seen.connections >= count).await;
    }

    pub async fn wait_for_bytes(&self, count: usize) {
        self.wait_for("bytes", |seen| seen.received.len() >= count).await;
    }

    /// Waits until the script is over on `count` connections: the peer finished or reset, or the
    /// behaviour closed them.
    pub async fn wait_for_closed(&self, count: usize) {
        self.wait_for("closed connections", |seen| seen.closed >= count).await;
    }

    async fn wait_for(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        let met = within_deadline(what, seen.wait_for(|seen| condition(seen)));
        met.await.expect("the origin runs");
    }
}

struct Connection {
    stream: TcpStream,
    seen: watch::Sender<Seen>,
}

impl Connection {
    async fn run(mut self, behaviour: Behaviour) {
        self.seen.send_modify(|seen| seen.connections += 1);
        let outcome = self.follow(behaviour).await;
        drop(self.stream);
        self.seen.send_modify(|seen| {
            seen.closed += 1;
            seen.resets += usize::from(outcome.is_err());
        });
    }

    async fn follow(&mut self, behaviour: Behaviour) -> io::Result<()> {
        match behaviour {
            Behaviour::Hold => self.read(usize::MAX).await,
            Behaviour::Echo => self.echo().await,
            Behaviour::CloseAfter(count) => self.read(count).await,
            Behaviour::ResetAfter(count) => {
                self.read(count).await?;
                self.stream.set_zero_linger()
            }
            Behaviour::Speak(bytes) => {
                self.stream.write_all(&bytes).await?;
                self.read(usize::MAX).await
            }
            Behaviour::HalfClose => {
                self.stream.shutdown().await?;
                self.read(usize::MAX).await
            }
            Behaviour::SpeakAtEnd(bytes) => {
                self.read(usize::MAX).await?;
                self.stream.write_all(&bytes).await
            }
        }
    }

    /// Reads until `count` bytes have arrived, or the peer has finished.
    async fn read(&mut self, count: usize) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut left = count;
        while left > 0 {
            let read = self.read_some(&mut buffer).await?;
            if read == 0 {
                break;
            }
            left = left.saturating_sub(read);
        }
        Ok(())
    }

    async fn echo(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = self.read_some(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            self.stream.write_all(&buffer[..read]).await?;
        }
    }

    async fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).await?;
        self.seen.send_modify(|seen| seen.received.extend_from_slice(&buffer[..read]));
        Ok(read)
    }
}
