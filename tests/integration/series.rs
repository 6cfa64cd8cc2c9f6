//! Metrics as an operator meets them: every family from the start, no series that traffic can make, counters that add up.

use crate::support::client::{RawClient, client_hello, exchange};
use crate::support::dns::DnsServer;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{Scrape, wait_until, wait_until_idle};
use futures_util::stream::{StreamExt as _, iter};
use std::collections::HashSet;

/// The families of the contract, by their type.
const FAMILIES: [(&str, &str); 27] = [
    ("build_info", "gauge"),
    ("connections", "gauge"),
    ("connections_total", "counter"),
    ("decisions_total", "counter"),
    ("cuts_total", "counter"),
    ("requests_total", "counter"),
    ("request_duration_seconds", "histogram"),
    ("tunnels", "gauge"),
    ("bytes_total", "counter"),
    ("upstream_connect_seconds", "histogram"),
    ("tls_handshakes_total", "counter"),
    ("leaf_certificates_total", "counter"),
    ("inspected_messages_total", "counter"),
    ("inspected_bytes_total", "counter"),
    ("inspection_seconds", "histogram"),
    ("findings_total", "counter"),
    ("coverage_total", "counter"),
    ("config_reloads_total", "counter"),
    ("config_last_reload_timestamp_seconds", "gauge"),
    ("config_last_reload_successful", "gauge"),
    ("ca_expiry_timestamp_seconds", "gauge"),
    ("audit_records_total", "counter"),
    ("audit_healthy", "gauge"),
    ("panics_total", "counter"),
    ("process_cpu_seconds_total", "counter"),
    ("process_open_fds", "gauge"),
    ("process_resident_memory_bytes", "gauge"),
];

/// Families that say something before anything happened. The scrape's own connection is one.
const NOT_ZERO: [&str; 6] = [
    "build_info{",
    "connections{listener=\"admin\"}",
    "connections_total{listener=\"admin\"}",
    "config_last_reload_timestamp_seconds ",
    "config_last_reload_successful ",
    "audit_healthy ",
];

fn named(family: &str) -> String {
    if family.starts_with("process_") { family.to_owned() } else { format!("ucx_egress_{family}") }
}

#[tokio::test]
async fn every_family_is_there_at_zero_from_the_start() {
    let proxy = Setup::new().start();
    let scrape = Scrape::get(proxy.admin()).await;
    for (family, kind) in FAMILIES {
        let name = named(family);
        assert!(scrape.text().contains(&format!("# TYPE {name} {kind}\n")), "{name} is no {kind}");
        assert!(scrape.text().contains(&format!("# HELP {name} ")), "{name} is not explained");
        assert!(scrape.text().lines().any(|line| line.starts_with(&name)), "{name} has no series");
    }
    for line in scrape.text().lines().filter(|line| line.starts_with("ucx_egress_")) {
        let zero = line.ends_with(" 0");
        let speaks = NOT_ZERO.iter().any(|start| line["ucx_egress_".len()..].starts_with(start));
        assert!(zero != speaks, "{line}");
    }
}

/// The text format 0.0.4: HELP and TYPE before a family's samples, each family once, each series once.
#[tokio::test]
async fn the_text_is_well_formed() {
    let proxy = Setup::new().start();
    exchange(proxy.proxy(), b"CONNECT example.org:443 HTTP/1.1\r\n\r\n").await;
    let scrape = Scrape::get(proxy.admin()).await;
    let (mut families, mut series, mut family) = (HashSet::new(), HashSet::new(), "");
    for line in scrape.text().lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap_or_default();
            assert!(families.insert(family), "{family} stands twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').expect("a sample is a series and a value");
            assert!(series.insert(name), "{name} stands twice");
            assert!(name.starts_with(family), "{name} stands in {family}");
            value.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
    assert!(scrape.text().ends_with('\n') && series.len() == scrape.series());
    assert_eq!(scrape.families().len(), families.len());
}

/// A client that makes up names: hosts, ports, server names, methods, all of them new each time.
struct Fuzz<'a> {
    proxy: &'a Proxy,
    hello: Vec<u8>,
}

impl Fuzz<'_> {
    const KINDS: usize = 10;

    /// One exchange of a kind; `number` makes its words its own.
    async fn say(&self, kind: usize, number: usize) {
        let word = format!("w{number:x}{}", number.wrapping_mul(2_654_435_761) % 100_003);
        let port = 1 + number.wrapping_mul(7_919) % 65_535;
        let request = match kind {
            0 => format!("CONNECT {word}.example.org:{port} HTTP/1.1\r\n\r\n"),
            1 => format!("CONNECT {word}.imagicle.com:{} HTTP/1.1\r\n\r\n", if port == 443 { 444 } else { port }),
            2 => format!("CONNECT {word}.imagicle.com:443 HTTP/1.1\r\n\r\n"),
            3 => format!("GET http://{word}.example.org:{port}/{word} HTTP/1.1\r\nHost: {word}.example.org\r\n\r\n"),
            4 => format!("{word} http://api.imagicle.com/{word} HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n"),
            5 => format!("GET http://api.imagicle.com:443/{word} HTTP/1.1\r\nHost: api.imagicle.com\r\nX-{word}: {word}\r\n\r\n"),
            6 => format!("CONNECT {}.{}.{}.{}:{port} HTTP/1.1\r\n\r\n", 1 + number % 200, number % 251, number % 241, number % 239),
            7 => format!("{word} {word} {word}\r\n\r\n"),
            8 => format!("CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: {word}.test\r\n\r\n"),
            _ => return self.misnamed(&word).await,
        };
        let (head, _) = exchange(self.proxy.proxy(), request.as_bytes()).await;
        assert!(head.status >= 400, "{request} was let through");
    }

    /// A tunnel to a host that is allowed, with a hello to one that was made up: the name is written over one of its length.
    async fn misnamed(&self, word: &str) {
        let mut client = RawClient::connect(self.proxy.proxy()).await;
        client.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\n\r\n").await;
        assert_eq!(client.read_head().await.status, 200);
        let mut hello = self.hello.clone();
        let at = hello.windows(HELLO_NAME.len()).position(|window| window == HELLO_NAME.as_bytes()).expect("the hello holds its name");
        let end = at + HELLO_NAME.len() - 5;
        hello[end - word.len()..end].copy_from_slice(word.as_bytes());
        client.send(&hello).await;
        assert_eq!(client.read_to_end().await, [21, 3, 3, 0, 2, 2, 112]);
    }
}

const HELLO_NAME: &str = "xxxxxxxxxxxxxxxxxxxxxxxx.test";

/// Who can make series fills an operator's disk; so the figure after one exchange of each kind is the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_makes_no_series() {
    const EXCHANGES: usize = 5_000;
    let origin = RawOrigin::start().await;
    let dns = DnsServer::start().await;
    let proxy = Setup::new().host("api.imagicle.com", origin.addr()).name_server(dns.addr()).start();
    let fuzz = Fuzz { proxy: &proxy, hello: client_hello(Some(HELLO_NAME)) };
    for kind in 0..Fuzz::KINDS {
        fuzz.say(kind, 0).await;
    }
    let counted = |exchanges: usize| move |scrape: &Scrape| scrape.all_decisions() >= exchanges;
    let warm = wait_until(proxy.admin(), counted(Fuzz::KINDS)).await;
    iter(1..=EXCHANGES).for_each_concurrent(16, |number| fuzz.say(number % Fuzz::KINDS, number)).await;
    let exchanges = Fuzz::KINDS + EXCHANGES;
    let scrape = wait_until(proxy.admin(), counted(exchanges)).await;
    assert_eq!(scrape.series(), warm.series(), "{}", scrape.text());
    assert!(scrape.series() < 2_000, "{} series", scrape.series());
    for family in ["decisions_total", "requests_total", "request_duration_seconds_count"] {
        assert_eq!(scrape.count(&format!("ucx_egress_{family}"), &[]), exchanges, "{family} counts each exchange once");
    }
    assert_eq!(scrape.count("ucx_egress_connections_total", &[("listener", "proxy")]), exchanges);
    assert_eq!((scrape.decisions("allow", ""), scrape.count("ucx_egress_panics_total", &[])), (0, 0));
}

/// Allowed, refused, cut: one exchange is one decision, whatever becomes of it later.
#[tokio::test]
async fn counters_add_up() {
    let echo = RawOrigin::scripted(Behaviour::Echo).await;
    let deadly = RawOrigin::scripted(Behaviour::ResetAfter(client_hello(Some("deadly.test")).len())).await;
    let plain = HttpOrigin::start().await;
    let endpoints = [("tls.test", 443, "https"), ("deadly.test", 443, "https"), ("plain.test", 80, "http")];
    let setup = Setup::new().host("tls.test", echo.addr()).host("deadly.test", deadly.addr()).host("plain.test", plain.addr());
    let proxy = setup.policy(PolicyFile::of("site", "400ms", &endpoints)).start();
    let open = async |host: &str| {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(format!("CONNECT {host}:443 HTTP/1.1\r\n\r\n").as_bytes()).await;
        assert_eq!(client.read_head().await.status, 200);
        client.send(&client_hello(Some(host))).await;
        client
    };
    let mut completed = open("tls.test").await;
    completed.finish().await;
    assert!(!completed.read_to_end().await.is_empty());
    open("deadly.test").await.read_until_closed().await;
    open("tls.test").await.read_until_closed().await; // idle
    for (request, status) in [
        (&b"GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n"[..], 200),
        (b"GET http://plain.test/status/500 HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n", 500),
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", 403),
        (b"BAD\r\n\r\n", 400),
    ] {
        assert_eq!(exchange(proxy.proxy(), request).await.0.status, status);
    }
    let scrape = wait_until_idle(proxy.admin()).await;
    assert_eq!(scrape.count("ucx_egress_requests_total", &[]), 7);
    assert_eq!(scrape.count("ucx_egress_request_duration_seconds_count", &[]), 7);
    assert_eq!(scrape.count("ucx_egress_requests_total", &[("code", "200")]), 4);
    assert_eq!(scrape.count("ucx_egress_decisions_total", &[("verdict", "allow")]), 5);
    assert_eq!(scrape.count("ucx_egress_coverage_total", &[("service", "site"), ("state", "tunnelled")]), 5, "in the clear, too");
    assert_eq!(scrape.all_decisions(), 7, "a tunnel that is cut later is still one decision");
    for (reason, count) in [("upstream_failed", 1), ("idle_timeout", 1), ("shutting_down", 0)] {
        assert_eq!(scrape.count("ucx_egress_cuts_total", &[("service", "site"), ("reason", reason)]), count, "{reason}");
    }
}
