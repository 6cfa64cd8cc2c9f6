//! Whether an operation costs more when much else is there: open tunnels, addresses of clients, hosts in the policy.
//!
//! What is measured is the processor time of the proxy's process alone, per operation. Some clients act at the same time, so that the
//! proxy is not woken for each of them: what waking a thread costs has more to do with the rest of the machine than with the proxy.
//! For ratios the machine has to be quiet, and `--quick` is too short.

use crate::support::client::{self, Connection};
use crate::support::world::{GET, SILENT, World};
use crate::support::{descriptors, hosts, pki};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};
use std::cell::LazyCell;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Other tunnels that are open and silent.
const TUNNELS: [usize; 3] = [10, 1_000, 10_000];
/// The same when everything is only tried once.
const FEW_TUNNELS: [usize; 3] = [10, 100, 1_000];
/// Addresses that clients come from.
const SOURCES: [u8; 2] = [1, 16];
/// Clients that act at the same time, from however many addresses.
const CLIENTS: u8 = 16;
/// Hosts in the policy.
const HOSTS: [usize; 2] = [10, 100_000];
/// The same when everything is only tried once.
const FEW_HOSTS: [usize; 2] = [10, 1_000];
/// Rounds of a measurement at least: criterion asks for few where the preparations took long and it is to be quick.
const ROUNDS: u32 = 100;
/// Connections beside those of silent tunnels, and twice as many descriptors.
const SPARE: usize = 100;

/// What an operation cost among so much else: the time of one, each time it was measured.
struct Cost {
    operation: &'static str,
    size: usize,
    times: Vec<Duration>,
}

impl Cost {
    /// The median.
    fn micros(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

/// What is measured: which operation, among how much else, and how many of them are done at a time.
struct Operation {
    name: &'static str,
    size: usize,
    at_once: u32,
}

/// Measures the processor time of the proxy.
struct Growth<'c> {
    group: BenchmarkGroup<'c, WallTime>,
    costs: Vec<Cost>,
}

impl Growth<'_> {
    /// Measures an operation; what it needs is made when it is first done.
    fn measure(&mut self, operation: &Operation, world: &LazyCell<World, impl FnOnce() -> World>, mut act: impl FnMut(&World)) {
        let Operation { name, size, at_once } = *operation;
        let mut cost = Cost { operation: name, size, times: Vec::new() };
        self.group.bench_function(BenchmarkId::new(name, size), |bencher| {
            let world: &World = world;
            act(world);
            bencher.iter_custom(|times| {
                let times = u32::try_from(times).expect("fewer operations than that");
                let rounds = if is_smoke() { times } else { times.max(ROUNDS) };
                let before = world.product.processor_time();
                (0..rounds).for_each(|_| act(world));
                let time = world.product.processor_time().saturating_sub(before);
                cost.times.push(time / (rounds * at_once));
                time * times / (rounds * at_once)
            });
        });
        if !cost.times.is_empty() {
            self.costs.push(cost);
        }
    }
}

pub(crate) fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    group.sampling_mode(SamplingMode::Flat);
    let mut growth = Growth { group, costs: Vec::new() };
    tunnels(&mut growth);
    sources(&mut growth);
    policies(&mut growth);
    let Growth { group, costs } = growth;
    group.finish();
    table(&costs);
}

/// A GET over a kept tunnel while others are open.
fn tunnels(growth: &mut Growth<'_>) {
    let wanted = if is_smoke() { FEW_TUNNELS } else { TUNNELS };
    let most = wanted.into_iter().max().unwrap_or_default();
    let affordable = affordable(most);
    let world = LazyCell::new(|| {
        if affordable < most {
            println!("growth: file descriptors are permitted for {affordable} tunnels and not for {most}; raise `ulimit -n`");
        }
        World::roomy(most + SPARE)
    });
    let mut sizes: Vec<usize> = wanted.into_iter().map(|size| size.min(affordable)).collect();
    sizes.dedup();
    let hello = pki::client_hello(SILENT);
    let (mut others, mut kept) = (Vec::new(), Vec::new());
    for size in sizes {
        growth.measure(&Operation { name: "get/tunnels", size, at_once: CLIENTS.into() }, &world, |world| {
            others.extend((others.len()..size).map(|_| client::silent(world, &hello)));
            get_at_once(&mut kept, world, 1);
        });
    }
}

/// How many silent tunnels there can be: each takes two descriptors here, and two of the proxy, whose limit is ours; one address may
/// have seven eighths of those.
fn affordable(wanted: usize) -> usize {
    let descriptors = descriptors::make_room(2 * (wanted + SPARE).div_ceil(7) * 8);
    (descriptors / 2 / 8 * 7).saturating_sub(SPARE).min(wanted)
}

/// A GET over a kept tunnel, from one address and from several.
fn sources(growth: &mut Growth<'_>) {
    let world = LazyCell::new(|| World::roomy(SPARE));
    for sources in SOURCES {
        let mut kept = Vec::new();
        growth.measure(&Operation { name: "get/sources", size: sources.into(), at_once: CLIENTS.into() }, &world, |world| {
            get_at_once(&mut kept, world, sources);
        });
    }
}

/// One GET of each client.
fn get_at_once(kept: &mut Vec<Connection>, world: &World, sources: u8) {
    if kept.is_empty() {
        let source = |client: u8| Ipv4Addr::new(127, 0, 0, 2 + client % sources);
        kept.extend((0..CLIENTS).map(|client| client::tunnelled_from(source(client), world)));
    }
    for connection in &mut *kept {
        connection.send(GET.as_bytes());
    }
    for connection in kept {
        connection.answer();
    }
}

/// CONNECT and the end of the tunnel, under policies of several sizes.
fn policies(growth: &mut Growth<'_>) {
    for size in if is_smoke() { FEW_HOSTS } else { HOSTS } {
        let host = hosts::exact(size / 2);
        let world = LazyCell::new(|| World::ruled(&hosts::policy(size), &host));
        growth.measure(&Operation { name: "connect/hosts", size, at_once: CLIENTS.into() }, &world, |world| {
            client::come_and_go(world.product.proxy, &host, CLIENTS);
        });
    }
}

/// Whether everything is tried once and nothing is measured: `--test`, or no benchmark run at all.
fn is_smoke() -> bool {
    let has = |word: &str| std::env::args().any(|argument| argument == word);
    has("--test") || !has("--bench")
}

/// What criterion shows one by one, side by side.
fn table(costs: &[Cost]) {
    if costs.is_empty() || is_smoke() {
        return;
    }
    println!("\n{:<16} {:>8} {:>14} {:>8}", "operation", "size", "CPU us each", "ratio");
    for cost in costs {
        let smallest = costs.iter().find(|other| other.operation == cost.operation).map_or(f64::NAN, Cost::micros);
        println!("{:<16} {:>8} {:>14.1} {:>8.2}", cost.operation, cost.size, cost.micros(), cost.micros() / smallest);
    }
}
