//! What the proxy costs: `cargo bench --bench proxy`, one group alone with `-- growth` behind it.
//!
//! `policy`, `destination`, `hello`, `leaf` and `relay` measure one part each in this process. `exchange`, `kept` and `end-to-end` go
//! through the real binary in a process of its own, to a stand-in for the cloud with real TLS; the latter two have the same way without
//! a proxy beside them. `growth` measures the processor time of that process alone, so neither clients nor the stand-in are in it:
//! whether an operation costs more when much else is there.
//!
//! Every TLS handshake of a client is a full one: sessions are not resumed.

#![expect(clippy::disallowed_methods, reason = "benchmarks are clients themselves, they connect")]

use criterion::{criterion_group, criterion_main};

mod exchange;
mod growth;
mod parts;
mod relay;
mod support;
mod tls;
mod ways;

#[path = "../support/telemetry.rs"]
#[expect(dead_code, reason = "the benchmarks of inspection use the rest")]
mod telemetry;

criterion_group!(
    benches,
    parts::lookup,
    parts::parse,
    tls::peek,
    tls::leaf,
    relay::bytes,
    exchange::exchange,
    ways::kept,
    ways::end_to_end,
    growth::growth
);
criterion_main!(benches);
