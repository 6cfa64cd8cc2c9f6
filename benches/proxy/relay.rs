//! The relay between two pairs of connections on loopback. One thread runs it and both its peers, so the time is that of the whole
//! way and no thread waits for another one to wake up.

use criterion::{Criterion, Throughput};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use ucx_egress::metrics::Metrics;
use ucx_egress::relay::{End, Relay};

/// What goes up in one go.
const LARGE: usize = 1 << 20;
/// A small message, there and back.
const SMALL: usize = 64;
/// Nothing here is silent for so long.
const IDLE: Duration = Duration::from_mins(10);

/// Both ends of a relayed connection.
struct Chain {
    client: TcpStream,
    origin: TcpStream,
    relaying: JoinHandle<End>,
}

impl Chain {
    async fn new() -> Self {
        let ((client, inner), (outer, origin)) = (pair().await, pair().await);
        let relay = Relay::new(inner.into(), outer.into(), Vec::new(), IDLE, Arc::new(Metrics::new().service("bench")));
        Self { client, origin, relaying: tokio::spawn(relay) }
    }

    async fn up(&mut self, bytes: &[u8], taken: &mut [u8]) {
        let (sent, received) = tokio::join!(self.client.write_all(bytes), self.origin.read_exact(taken));
        sent.expect("the relay takes it");
        received.expect("the relay gives it");
    }

    async fn there_and_back(&mut self, message: &[u8], taken: &mut [u8]) {
        self.up(message, taken).await;
        self.origin.write_all(taken).await.expect("the relay takes it");
        self.client.read_exact(taken).await.expect("the relay gives it");
    }

    async fn end(self) {
        drop((self.client, self.origin));
        self.relaying.await.expect("the relay ends");
    }
}

/// Throughput of what is large, time of what is small.
pub(crate) fn bytes(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("relay/bytes");
    group.throughput(Throughput::Bytes(LARGE as u64));
    group.bench_function("1MiB-up", |bencher| {
        let mut chain = runtime.block_on(Chain::new());
        let (bytes, mut taken) = (vec![7; LARGE], vec![0; LARGE]);
        bencher.iter(|| runtime.block_on(chain.up(&bytes, &mut taken)));
        runtime.block_on(chain.end());
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("64B-there-and-back", |bencher| {
        let mut chain = runtime.block_on(Chain::new());
        let (message, mut taken) = ([7; SMALL], [0; SMALL]);
        bencher.iter(|| runtime.block_on(chain.there_and_back(&message, &mut taken)));
        runtime.block_on(chain.end());
    });
    group.finish();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Two ends of one connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (one, (other, _)) = (one.expect("it listens"), other.expect("somebody connects"));
    for end in [&one, &other] {
        end.set_nodelay(true).expect("a connected socket takes TCP_NODELAY");
    }
    (one, other)
}
