//! Deciding about a destination, and reading one.

use crate::support::hosts;
use criterion::{BenchmarkId, Criterion};
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use ucx_egress::destination::Destination;
use ucx_egress::policy::{Mode, Options, Policy, Profile, Subject, Verdict, document};
use ucx_egress::source::Source;

/// Hosts of a policy that is much larger than what is documented.
const HOSTS: usize = 100_000;
/// A client on this machine.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The documented policy and a large one, each asked for a host that it names, one that a wildcard of it covers and one that it does
/// not have.
pub(crate) fn lookup(criterion: &mut Criterion) {
    lookup_in(criterion, "documented", document::IMAGICLE, ["api.imagicle.com", "tenant.imagicle.cloud"]);
    let (exact, covered) = (hosts::exact(HOSTS / 2), hosts::covered(HOSTS / 2));
    lookup_in(criterion, "100000-hosts", &hosts::policy(HOSTS), [&exact, &covered]);
}

fn lookup_in(criterion: &mut Criterion, name: &str, text: &str, [exact, covered]: [&str; 2]) {
    let policy = LazyCell::new(|| compile(name, text));
    let mut group = criterion.benchmark_group("policy/lookup");
    let rows = [("exact", exact, Verdict::Allow), ("wildcard", covered, Verdict::Allow), ("refused", "www.example.org", Verdict::Deny)];
    for (case, host, verdict) in rows {
        let destination = Destination::from_authority(format!("{host}:443").as_bytes()).expect("a destination");
        let subject = Subject { client: CLIENT, destination: &destination };
        group.bench_function(BenchmarkId::new(name, case), |bencher| {
            let policy: &Policy = &policy;
            assert_eq!(policy.decide(&subject).verdict, verdict, "{name}/{case}");
            bencher.iter(|| policy.decide(black_box(&subject)));
        });
    }
    group.finish();
}

fn compile(name: &str, text: &str) -> Policy {
    let options = Options {
        profile: Profile::Documented,
        mode: Mode::Enforce,
        groups: Vec::new(),
        exact_hosts: Vec::new(),
        clients: vec!["127.0.0.0/8".parse().expect("a network")],
        service_clients: BTreeMap::new(),
    };
    Policy::compile(&Source::embedded(name, text), options).expect("the policy compiles")
}

/// The target of CONNECT, as clients write it and as one writes it who tries to have it read in two ways.
pub(crate) fn parse(criterion: &mut Criterion) {
    let rows = [
        ("name", "api.imagicle.com:443", true),
        ("ipv4", "203.0.113.7:443", true),
        ("ipv6", "[2001:db8::7]:443", true),
        ("hostile", "api.imagicle.com%2f@evil.example:443", false),
        ("disguised", "api.imagicle.com\u{ff0e}evil.example:443", false),
    ];
    let mut group = criterion.benchmark_group("destination/parse");
    for (name, authority, is_taken) in rows {
        assert_eq!(Destination::from_authority(authority.as_bytes()).is_ok(), is_taken, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| Destination::from_authority(black_box(authority.as_bytes()))));
    }
    group.finish();
}
