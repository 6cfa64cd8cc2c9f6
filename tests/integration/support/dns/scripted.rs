//! A name server that says what no honest one would: any bytes, over UDP and TCP.

use super::{AAAA, Query};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

/// A response, authoritative, recursion asked for and given; without an error.
pub const PLAIN: [u8; 2] = [0x85, 0x80];
/// The same, cut short.
pub const TRUNCATED: [u8; 2] = [0x87, 0x80];

/// What is asked.
pub struct Question {
    query: Query,
    pub over_tcp: bool,
}

impl Question {
    /// The name without its final dot, in lower case.
    pub fn name(&self) -> &str {
        &self.query.name
    }

    pub fn wants_ipv6(&self) -> bool {
        self.query.qtype == AAAA
    }

    /// The question alone.
    pub fn echo(&self, flags: [u8; 2]) -> Vec<u8> {
        self.reply(flags, 0, &[])
    }

    /// The question, and records as they are written.
    pub fn reply(&self, flags: [u8; 2], count: u16, records: &[u8]) -> Vec<u8> {
        let counts = [1, count, 0, 0].map(u16::to_be_bytes).concat();
        [&self.query.id[..], &flags, &counts, &self.query.question, records].concat()
    }

    /// These addresses of the name.
    pub fn addresses(&self, addresses: &[Ipv4Addr]) -> Vec<u8> {
        let records: Vec<u8> = addresses.iter().flat_map(|ip| record(ASKED, 1, 60, &ip.octets())).collect();
        self.reply(PLAIN, u16::try_from(addresses.len()).expect("a test's answer fits"), &records)
    }
}

/// The name that was asked for, as a pointer to the question (RFC 1035 section 4.1.4).
pub const ASKED: &[u8] = &[0xc0, 12];

/// One record, its owner in wire format.
pub fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a test's data fits");
    [owner, &kind.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// Ends when dropped.
pub struct ScriptedDns {
    addr: SocketAddr,
    asked: Arc<AtomicUsize>,
    tasks: [JoinHandle<()>; 2],
}

impl ScriptedDns {
    /// Answers each question with the packets of the script, one after the other; over TCP each behind its length.
    pub async fn start(script: impl Fn(&Question) -> Vec<Vec<u8>> + Clone + Send + Sync + 'static) -> Self {
        let (udp, tcp) = sockets().await;
        let addr = udp.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let tasks = [tokio::spawn(serve_udp(udp, script.clone(), asked.clone())), tokio::spawn(serve_tcp(tcp, script, asked.clone()))];
        Self { addr, asked, tasks }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Questions heard so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedDns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// One port of both kinds.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let addr = udp.local_addr().expect("an address");
        if let Ok(tcp) = TcpListener::bind(addr).await {
            return (udp, tcp);
        }
    }
}

async fn serve_udp(socket: UdpSocket, script: impl Fn(&Question) -> Vec<Vec<u8>>, asked: Arc<AtomicUsize>) {
    let mut packet = [0; 1_500];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut packet).await else { continue };
        let Some(query) = Query::parse(&packet[..length]) else { continue };
        asked.fetch_add(1, Ordering::SeqCst);
        for answer in script(&Question { query, over_tcp: false }) {
            socket.send_to(&answer, peer).await.ok(); // the asker may be gone
        }
    }
}

async fn serve_tcp<S>(listener: TcpListener, script: S, asked: Arc<AtomicUsize>)
where
    S: Fn(&Question) -> Vec<Vec<u8>> + Clone + Send + Sync + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(answer_tcp(stream, script.clone(), asked.clone()));
    }
}

/// Until the asker leaves, or there is nothing to say.
async fn answer_tcp(mut stream: TcpStream, script: impl Fn(&Question) -> Vec<Vec<u8>>, asked: Arc<AtomicUsize>) {
    while let Ok(length) = stream.read_u16().await {
        let mut packet = vec![0; usize::from(length)];
        if stream.read_exact(&mut packet).await.is_err() {
            return;
        }
        let Some(query) = Query::parse(&packet) else { return };
        asked.fetch_add(1, Ordering::SeqCst);
        let answers = script(&Question { query, over_tcp: true });
        if answers.is_empty() {
            return;
        }
        for answer in answers {
            let length = u16::try_from(answer.len()).expect("a message over TCP has 16 bits for its length");
            if stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await.is_err() {
                return;
            }
        }
    }
}

/// Addresses where nobody listens, all of this machine.
pub fn deserted(count: usize) -> Vec<Ipv4Addr> {
    let address = |number: usize| Ipv4Addr::from(0x7f09_0001 + u32::try_from(number).expect("few"));
    (0..count).map(address).collect()
}

/// The IPv4 address in an address.
pub fn ipv4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(ip) => ip,
        IpAddr::V6(ip) => panic!("{ip} is no IPv4 address"),
    }
}
