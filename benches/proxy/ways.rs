//! The three ways to the cloud: straight, through a tunnel, decrypted on the way. What the proxy adds is the difference to the first.

use crate::support::client::{self, Connection};
use crate::support::world::{GET, World};
use criterion::Criterion;
use std::cell::LazyCell;

/// Opens a connection one of the ways.
type Open = fn(&World) -> Connection;

const WAYS: [(&str, Open); 3] = [("direct", client::direct), ("tunnel", client::tunnelled), ("intercepted", client::intercepted)];

/// A GET over a connection that is kept.
pub(crate) fn kept(criterion: &mut Criterion) {
    let world = LazyCell::new(World::intercepting);
    let mut group = criterion.benchmark_group("kept");
    for (name, open) in WAYS {
        let mut connection = LazyCell::new(|| open(&world));
        group.bench_function(name, |bencher| {
            let connection = LazyCell::force_mut(&mut connection);
            bencher.iter(|| connection.ask(GET.as_bytes()));
        });
    }
    group.finish();
}

/// A connection with its TLS handshake, one GET, and its end.
pub(crate) fn end_to_end(criterion: &mut Criterion) {
    let world = LazyCell::new(World::intercepting);
    let mut group = criterion.benchmark_group("end-to-end");
    for (name, open) in WAYS {
        group.bench_function(name, |bencher| {
            let world: &World = &world;
            bencher.iter(|| {
                let mut connection = open(world);
                connection.ask(GET.as_bytes());
                connection.close();
            });
        });
    }
    group.finish();
}
