//! Requests over a kept connection that is decrypted and inspected.

use crate::support::client::{self, Http2};
use crate::support::world::{API, GET, World};
use crate::telemetry;
use criterion::{Criterion, Throughput};
use std::cell::LazyCell;

/// A beat of a small server.
const BEAT: usize = 8 << 10;

/// A GET in HTTP/1.1 and in HTTP/2, and a message that is inspected before it leaves.
pub(crate) fn exchange(criterion: &mut Criterion) {
    let world = LazyCell::new(World::intercepting);
    let mut group = criterion.benchmark_group("exchange");
    let mut http1 = LazyCell::new(|| client::intercepted(&world));
    group.bench_function("h1", |bencher| {
        let connection = LazyCell::force_mut(&mut http1);
        bencher.iter(|| connection.ask(GET.as_bytes()));
    });
    let mut http2 = LazyCell::new(|| Http2::intercepted(&world));
    group.bench_function("h2", |bencher| {
        let connection = LazyCell::force_mut(&mut http2);
        bencher.iter(|| connection.get());
    });
    let request = post(&telemetry::json(BEAT));
    group.throughput(Throughput::Bytes(request.len() as u64));
    group.bench_function("post", |bencher| {
        let connection = LazyCell::force_mut(&mut http1);
        bencher.iter(|| connection.ask(&request));
    });
    group.finish();
}

fn post(body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST /telemetry/beat HTTP/1.1\r\nhost: {API}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
