//! What goes in comes out, in both directions at once, at whatever pace the ends keep; and each direction ends on its own.

use super::{AUTHORITY, HOST, tunnel};
use crate::support::client::{RawClient, client_hello, connect_tunnel, within_deadline};
use crate::support::origin::{Behaviour, RawOrigin, ScriptedOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until_idle;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::yield_now;

/// Each way; more than the kernel's buffers on it hold, so that a slow end is felt at the other.
const LENGTH: usize = 12 * 1024 * 1024;
/// What the kernel keeps for a slow end: less than the proxy reads at once.
const SMALL_BUFFER: usize = 32 * 1024;

/// How an end reads and writes.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// As much as there is.
    Fast,
    /// A few bytes at a time out of a small buffer, and everyone else in between.
    Slow,
}

/// Noise that a seed repeats (xorshift64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn up_to(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).expect("below a usize") + 1
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length.div_ceil(8)).flat_map(|_| self.next().to_ne_bytes()).take(length).collect()
    }
}

/// Sends `bytes` in pieces of random size and says that there are no more, while it receives all that the other end sends.
async fn converse(stream: TcpStream, pace: Pace, bytes: &[u8]) -> Vec<u8> {
    if matches!(pace, Pace::Slow) {
        let socket = socket2::SockRef::from(&stream);
        socket.set_recv_buffer_size(SMALL_BUFFER).expect("SO_RCVBUF can be set");
    }
    let (mut reader, mut writer) = stream.into_split();
    let most = match pace {
        Pace::Fast => 200_000,
        Pace::Slow => 4_000,
    };
    let sending = async {
        let (mut noise, mut left) = (Noise(4), bytes);
        while !left.is_empty() {
            let (piece, rest) = left.split_at(noise.up_to(most).min(left.len()));
            writer.write_all(piece).await.expect("the tunnel takes every byte");
            left = rest;
            if matches!(pace, Pace::Slow) {
                yield_now().await;
            }
        }
        writer.shutdown().await.expect("the tunnel takes the end");
    };
    let receiving = async {
        let (mut noise, mut received, mut buffer) = (Noise(5), Vec::new(), vec![0; most]);
        loop {
            let room = noise.up_to(most);
            match reader.read(&mut buffer[..room]).await.expect("the tunnel stays up") {
                0 => return received,
                read => received.extend_from_slice(&buffer[..read]),
            }
            if matches!(pace, Pace::Slow) {
                yield_now().await;
            }
        }
    };
    within_deadline("both directions end", async { tokio::join!(sending, receiving).1 }).await
}

async fn both_ways(client_pace: Pace, origin_pace: Pace) {
    let (up, down) = (Noise(2).bytes(LENGTH), Noise(3).bytes(LENGTH));
    let (report, mut received) = mpsc::unbounded_channel();
    let from_origin = down.clone();
    let origin = ScriptedOrigin::start(move |_, connection: RawClient| {
        let (report, bytes) = (report.clone(), from_origin.clone());
        async move {
            let received = converse(connection.into_stream(), origin_pace, &bytes).await;
            report.send(received).expect("the test waits for it");
        }
    });
    let origin = origin.await;
    let proxy = Setup::new().host(HOST, origin.addr()).start();
    let client = connect_tunnel(proxy.proxy(), AUTHORITY).await.expect("the tunnel opens");
    let said = [client_hello(Some(HOST)), up].concat();
    let heard = converse(client.into_stream(), client_pace, &said).await;
    assert!(heard == down, "the client receives what the origin sent ({} of {} bytes)", heard.len(), down.len());
    let arrived = within_deadline("the origin is done", received.recv()).await.expect("one connection");
    assert!(arrived == said, "the origin receives what the client sent ({} of {} bytes)", arrived.len(), said.len());
    let scrape = wait_until_idle(proxy.admin()).await;
    for (direction, length) in [("up", said.len()), ("down", down.len())] {
        assert_eq!(scrape.count("ucx_egress_bytes_total", &[("service", "licensing"), ("direction", direction)]), length);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_fast_ends_get_every_byte() {
    both_ways(Pace::Fast, Pace::Fast).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_every_byte() {
    both_ways(Pace::Slow, Pace::Fast).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_origin_gets_every_byte() {
    both_ways(Pace::Fast, Pace::Slow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_slow_ends_get_every_byte() {
    both_ways(Pace::Slow, Pace::Slow).await;
}

/// The client has nothing more to say and still listens.
#[tokio::test]
async fn the_clients_end_leaves_the_way_back_open() {
    let words = b"the last word".repeat(10_000);
    let origin = RawOrigin::scripted(Behaviour::SpeakAtEnd(words.clone())).await;
    let proxy = Setup::new().host(HOST, origin.addr()).start();
    let mut client = tunnel(proxy.proxy()).await;
    client.send(b"question").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, words);
    assert!(origin.received().ends_with(b"question"));
}

/// The origin has nothing more to say and still listens.
#[tokio::test]
async fn the_origins_end_leaves_the_way_up_open() {
    let origin = RawOrigin::scripted(Behaviour::HalfClose).await;
    let proxy = Setup::new().host(HOST, origin.addr()).start();
    let mut client = tunnel(proxy.proxy()).await;
    assert_eq!(client.read_to_end().await, b"");
    client.send(&b"said after the end".repeat(10_000)).await;
    client.finish().await;
    origin.wait_for_closed(1).await;
    assert_eq!(origin.received().len(), client_hello(Some(HOST)).len() + 180_000);
}

/// Both have said all before either has heard anything.
#[tokio::test]
async fn both_ends_may_finish_before_they_read() {
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.send(b"from the origin").await;
        connection.finish().await;
        assert!(connection.read_to_end().await.ends_with(b"from the client"));
    });
    let origin = origin.await;
    let proxy = Setup::new().host(HOST, origin.addr()).start();
    let mut client = tunnel(proxy.proxy()).await;
    client.send(b"from the client").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"from the origin");
    wait_until_idle(proxy.admin()).await;
}
