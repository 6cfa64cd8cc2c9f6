//! The first bytes of a tunnel, and certificates for intercepted hosts.

use crate::support::pki;
use crate::support::world::API;
use criterion::Criterion;
use prometheus::IntCounter;
use std::cell::LazyCell;
use std::hint::black_box;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use ucx_egress::destination::Host;
use ucx_egress::tls::authority::{Authority, Paths, create};
use ucx_egress::tls::client_hello::{HelloReader, Progress};
use ucx_egress::tls::leaf::{Counters, Leaves};

/// After so long a leaf is minted anew, a day before it expires.
const DUE: Duration = Duration::from_hours(24 * 6);

/// A real ClientHello, in one piece and in two.
pub(crate) fn peek(criterion: &mut Criterion) {
    let hello = pki::client_hello(API);
    let (front, back) = hello.split_at(hello.len() / 2);
    let mut group = criterion.benchmark_group("hello/peek");
    for (name, pieces) in [("whole", &[&hello[..]][..]), ("cut-in-two", &[front, back])] {
        assert!(matches!(read(pieces), Progress::Complete(_)), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| read(black_box(pieces))));
    }
    group.finish();
}

fn read(pieces: &[&[u8]]) -> Progress {
    let mut reader = HelloReader::new();
    pieces.iter().fold(Progress::NeedMore, |_, piece| reader.push(piece))
}

/// A leaf that has to be minted, and one that is there already.
pub(crate) fn leaf(criterion: &mut Criterion) {
    let leaves = LazyCell::new(leaves);
    let host = Host::parse(API.as_bytes()).expect("a host");
    let now = SystemTime::now();
    let mut group = criterion.benchmark_group("leaf");
    let mut at = now;
    group.bench_function("mint", |bencher| {
        bencher.iter(|| {
            // To and fro: a leaf that is due is minted anew, and so is one from the future.
            at = if at == now { now + DUE } else { now };
            leaves.get(black_box(&host), at)
        });
    });
    group.bench_function("cached", |bencher| {
        leaves.get(&host, now).expect("a leaf");
        bencher.iter(|| leaves.get(black_box(&host), now));
    });
    group.finish();
}

fn leaves() -> Leaves {
    let folder = TempDir::new().expect("a temporary folder");
    let paths = Paths { certificate: folder.path().join("ca.pem"), key: folder.path().join("ca.key") };
    let hosts = ["imagicle.com".to_owned()];
    create(&paths, &hosts, SystemTime::now()).expect("a CA");
    let authority = Authority::load(&paths, &hosts, SystemTime::now()).expect("the CA loads");
    let counter = |name: &str| IntCounter::new(name, "counted").expect("a valid name");
    Leaves::new(authority, Counters { cached: counter("cached"), minted: counter("minted") }).expect("a key")
}
