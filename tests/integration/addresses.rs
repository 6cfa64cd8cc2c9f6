//! What a name may resolve to: public addresses only, looked up once, and never this proxy itself.
//!
//! The names are allowed by the policy; whoever controls their DNS must still not get into the customer's network.

use crate::support::client::{Head, Problem, RawClient, connect_tunnel};
use crate::support::dns::{A, AAAA, DnsServer};
use crate::support::origin::RawOrigin;
use crate::support::policy::{service, text};
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::wait_until;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tempfile::NamedTempFile;
use tokio::net::TcpSocket;

/// Addresses that no cloud has: the special-purpose registries of IANA (RFC 6890), cloud metadata, every disguise of these.
const SPECIAL: &[&str] = &[
    // this network, loopback
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "127.0.0.1",
    "127.0.0.53",
    "127.1.2.3",
    "127.255.255.255",
    // private, shared by carriers
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.20.10.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    // link-local and cloud metadata
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "192.0.0.192",
    // protocol assignments, documentation, benchmarking, relays
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    // multicast, reserved, broadcast
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    // loopback and unspecified, and IPv4 in the clothes of IPv6
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:192.168.0.1",
    "::ffff:169.254.169.254",
    "::ffff:168.63.129.16",
    "::ffff:0.0.0.0",
    // NAT64 and 6to4 reach any IPv4 address
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::a00:1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:808:808::1",
    // unique local, link-local, site-local, multicast
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff05::2",
    "ff0e::1",
    // discard, protocol assignments, documentation, segment routing
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The refusal of a CONNECT to a name on the documented port.
async fn refused(proxy: SocketAddr, name: &str) -> (Head, Problem) {
    match connect_tunnel(proxy, &format!("{name}:443")).await {
        Ok(_) => panic!("{name} was connected"),
        Err(refusal) => refusal,
    }
}

async fn reason(proxy: SocketAddr, name: &str) -> String {
    refused(proxy, name).await.1.reason
}

/// A policy that allows `*.imagicle.com` on one more port: DNS has no ports, and no test listens on 443.
fn policy_for(port: u16) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file");
    let site = service("site", "personal_data = \"unstated\"", &[("*.imagicle.com", port, "https")]);
    std::fs::write(file.path(), text(&site)).expect("the policy is written");
    file
}

/// A proxy that asks `dns`, may reach `allowed` beside public addresses, and allows `*.imagicle.com:port`.
fn proxy_for(port: u16, dns: &DnsServer, allowed: &[&str]) -> Proxy {
    let policy = policy_for(port);
    let section = format!("[policy]\nfile = \"{}\"", policy.path().display());
    let setup = Setup::new().without_loopback().name_server(dns.addr()).section(&section);
    let mut config = setup.config();
    config.allow_addresses = networks(allowed);
    Proxy::start(config)
}

fn networks(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

#[tokio::test]
async fn a_name_with_a_special_address_is_refused() {
    assert!(SPECIAL.len() >= 60, "{} addresses", SPECIAL.len());
    let dns = DnsServer::start().await;
    let proxy = Setup::new().without_loopback().name_server(dns.addr()).start();
    for (index, address) in SPECIAL.iter().enumerate() {
        let name = format!("s{index}.imagicle.com");
        dns.set(&name, vec![ip(address)], 60);
        let (head, problem) = refused(proxy.proxy(), &name).await;
        assert_eq!((problem.status, problem.reason.as_str()), (403, "address_not_allowed"), "{address}");
        assert_eq!(problem.rule.as_deref(), Some("public-addresses-only"), "{address}");
        assert!(problem.detail.contains("upstream.allow_addresses"), "{address}: {}", problem.detail);
        assert!(head.header("proxy-status").is_some_and(|value| value.contains("error=destination_ip_prohibited")), "{address}: {head:?}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn a_fixed_special_address_is_refused_too() {
    let names: Vec<String> = (0..SPECIAL.len()).map(|index| format!("s{index}.imagicle.com")).collect();
    let setup = names.iter().zip(SPECIAL).fold(Setup::new().without_loopback(), |setup, (name, address)| setup.addresses(name, &[address]));
    let proxy = setup.start();
    for (name, address) in names.iter().zip(SPECIAL) {
        assert_eq!(reason(proxy.proxy(), name).await, "address_not_allowed", "{address}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn what_listens_on_a_refused_address_hears_nothing() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    let port = origin.addr().port();
    let proxy = proxy_for(port, &dns, &[]);
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1"] {
        dns.set("t.imagicle.com", vec![ip(address)], 0);
        let (_, problem) = connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{port}")).await.expect_err("refused");
        assert_eq!(problem.reason, "address_not_allowed", "{address}");
    }
    proxy.stop().await;
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_bad_address_beside_a_good_one_is_never_fallen_back_to() {
    let (dns, bad) = (DnsServer::start().await, RawOrigin::start().await);
    let port = bad.addr().port();
    // Nothing listens on the good address, so it refuses the connection.
    let proxy = proxy_for(port, &dns, &["127.0.0.2/32"]);
    for answer in [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "::ffff:127.0.0.1"], ["::1", "127.0.0.2"]] {
        dns.set("t.imagicle.com", answer.map(ip).to_vec(), 0);
        let (_, problem) = connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{port}")).await.expect_err("refused");
        assert_eq!((problem.status, problem.reason.as_str()), (502, "connect_failed"), "{answer:?}");
    }
    proxy.stop().await;
    assert_eq!(bad.connections(), 0);
}

#[tokio::test]
async fn a_good_address_beside_bad_ones_is_connected() {
    let (dns, good) = (DnsServer::start().await, RawOrigin::start().await);
    let port = good.addr().port();
    let proxy = proxy_for(port, &dns, &["127.0.0.1/32"]);
    dns.set("t.imagicle.com", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "fd00::1", "::1"].map(ip).to_vec(), 0);
    connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{port}")).await.expect("the good one is taken");
    good.wait_for_connections(1).await;
    proxy.stop().await;
    assert_eq!(good.connections(), 1);
}

#[tokio::test]
async fn no_more_than_8_addresses_of_a_family_are_tried() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    let port = origin.addr().port();
    let proxy = proxy_for(port, &dns, &["127.0.0.0/8"]);
    let answer = |refusing: u8| (2..2 + refusing).map(|last| IpAddr::from([127, 0, 0, last])).chain([origin.addr().ip()]).collect();
    dns.set("t.imagicle.com", answer(7), 0);
    connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{port}")).await.expect("the eighth address is tried");
    dns.set("t.imagicle.com", answer(8), 0);
    let (_, problem) = connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{port}")).await.map(drop).expect_err("the ninth is not");
    assert_eq!(problem.reason, "connect_failed");
    proxy.stop().await;
    assert_eq!(origin.connections(), 1);
}

/// Queries so far for IPv4 and for IPv6 addresses of a name: a dial asks once for each.
fn lookups(dns: &DnsServer, name: &str) -> (usize, usize) {
    let count = |kind| dns.queries().iter().filter(|query| **query == (name.to_owned(), kind)).count();
    (count(A), count(AAAA))
}

#[tokio::test]
async fn each_dial_looks_up_once_and_connects_to_what_was_checked() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    let authority = format!("t.imagicle.com:{}", origin.addr().port());
    let proxy = proxy_for(origin.addr().port(), &dns, &["127.0.0.1/32"]);
    dns.set_sequence("t.imagicle.com", [["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"]].map(|turn| turn.map(ip).to_vec()).to_vec());
    connect_tunnel(proxy.proxy(), &authority).await.expect("the first answer is good, and no second one is asked for");
    assert_eq!(lookups(&dns, "t.imagicle.com"), (1, 1));
    let (_, problem) = connect_tunnel(proxy.proxy(), &authority).await.expect_err("the second answer is private");
    assert_eq!(problem.reason, "address_not_allowed");
    assert_eq!(lookups(&dns, "t.imagicle.com"), (2, 2));
    connect_tunnel(proxy.proxy(), &authority).await.expect("the third answer is good");
    assert_eq!(lookups(&dns, "t.imagicle.com"), (3, 3));
    origin.wait_for_connections(2).await;
    proxy.stop().await;
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn an_answer_is_kept_as_long_as_its_ttl_says() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    let authority = format!("t.imagicle.com:{}", origin.addr().port());
    let proxy = proxy_for(origin.addr().port(), &dns, &["127.0.0.1/32"]);
    dns.set("t.imagicle.com", vec![ip("127.0.0.1")], 600);
    for _ in 0..3 {
        connect_tunnel(proxy.proxy(), &authority).await.expect("the name resolves");
    }
    assert_eq!(lookups(&dns, "t.imagicle.com").0, 1);
    proxy.stop().await;
}

#[tokio::test]
async fn names_are_asked_as_they_are_and_never_with_a_suffix() {
    let dns = DnsServer::start().await;
    let proxy = Setup::new().name_server(dns.addr()).start();
    for name in ["missing.imagicle.com", "MISSING.imagicle.com.", "x.imagicle.cloud"] {
        assert_eq!(reason(proxy.proxy(), name).await, "resolve_failed", "{name}");
    }
    let asked: Vec<String> = dns.queries().into_iter().map(|(name, _)| name).collect();
    assert!(asked.len() >= 2, "{asked:?}");
    assert!(asked.iter().all(|name| ["missing.imagicle.com", "x.imagicle.cloud"].contains(&name.as_str())), "{asked:?}");
    proxy.stop().await;
}

#[tokio::test]
async fn an_alias_leads_to_its_address_and_is_judged_by_it() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    let port = origin.addr().port();
    let proxy = proxy_for(port, &dns, &["127.0.0.1/32"]);
    dns.set("inside.corp.test", vec![ip("10.0.0.1")], 60);
    dns.set("cloud.provider.test", vec![ip("127.0.0.1")], 60);
    dns.set_alias("private.imagicle.com", "inside.corp.test", 60);
    dns.set_alias("two.imagicle.com", "private.imagicle.com", 60);
    dns.set_alias("good.imagicle.com", "cloud.provider.test", 60);
    for name in ["private", "two"] {
        let (_, problem) = connect_tunnel(proxy.proxy(), &format!("{name}.imagicle.com:{port}")).await.expect_err("private");
        assert_eq!(problem.reason, "address_not_allowed", "{name}");
    }
    connect_tunnel(proxy.proxy(), &format!("good.imagicle.com:{port}")).await.expect("an alias of a good address");
    proxy.stop().await;
}

#[tokio::test]
async fn what_dns_says_is_told_in_the_detail() {
    let dns = DnsServer::start().await;
    dns.set("empty.imagicle.com", Vec::new(), 60);
    dns.set_alias("dangling.imagicle.com", "nowhere.test", 60);
    dns.set_alias("loop.imagicle.com", "pool.imagicle.com", 60);
    dns.set_alias("pool.imagicle.com", "loop.imagicle.com", 60);
    let proxy = Setup::new().name_server(dns.addr()).start();
    for (name, detail) in [
        ("missing.imagicle.com", "the name does not exist (NXDOMAIN)"),
        ("empty.imagicle.com", "the name exists but has no address"),
        ("dangling.imagicle.com", "the name does not exist (NXDOMAIN)"),
        ("loop.imagicle.com", "the name exists but has no address"),
    ] {
        let (_, problem) = refused(proxy.proxy(), name).await;
        assert_eq!((problem.status, problem.reason.as_str(), problem.detail.as_str()), (502, "resolve_failed", detail), "{name}");
        assert_eq!(problem.rule.as_deref(), Some("resolution"), "{name}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn a_silent_name_server_costs_the_deadline_and_no_more() {
    let silent = DnsServer::start().await;
    silent.go_silent();
    let gone = DnsServer::start().await.addr();
    for server in [silent.addr(), gone] {
        let proxy = Setup::new().name_server(server).section("[limits]\nresolve = \"300ms\"").start();
        let (_, problem) = refused(proxy.proxy(), "t.imagicle.com").await;
        assert_eq!((problem.status, problem.reason.as_str()), (502, "resolve_failed"));
        assert_eq!(problem.detail, "the name servers did not answer in time");
        proxy.stop().await;
    }
    assert!(!silent.queries().is_empty(), "it was asked");
}

#[tokio::test]
async fn an_exception_opens_its_own_network_only() {
    let origin = RawOrigin::start().await;
    let port = origin.addr().port();
    let hosts = [("inside.imagicle.com", "127.0.0.1"), ("mapped.imagicle.com", "[::ffff:127.0.0.1]"), ("beside.imagicle.com", "127.0.0.2")];
    let setup = hosts.iter().fold(Setup::new().without_loopback(), |setup, (name, ip)| setup.addresses(name, &[&format!("{ip}:{port}")]));
    for (exceptions, open) in [
        (&["127.0.0.1/32"][..], &["inside", "mapped"][..]),
        (&["127.0.0.0/31"], &["inside", "mapped"]),
        (&["10.0.0.0/8", "::1/128", "::/0"], &[]),
        (&["128.0.0.0/1"], &[]),
    ] {
        let mut config = setup.config();
        config.allow_addresses = networks(exceptions);
        let proxy = Proxy::start(config);
        for (name, _) in hosts {
            let label = name.split('.').next().expect("a label");
            let result = connect_tunnel(proxy.proxy(), &format!("{name}:443")).await.map(drop).map_err(|(_, problem)| problem.reason);
            let expected = if open.contains(&label) { Ok(()) } else { Err("address_not_allowed".to_owned()) };
            assert_eq!(result, expected, "{name} with {exceptions:?}");
        }
        proxy.stop().await;
    }
    origin.wait_for_connections(4).await;
    assert_eq!(origin.connections(), 4);
}

/// A port kept for one listener: bound and not listening, so that nobody else is given it and the proxy can still have it.
fn reserved(ip: Ipv4Addr) -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a fresh socket takes options");
    socket.bind(SocketAddr::from((ip, 0))).expect("a free port");
    let address = socket.local_addr().expect("a bound socket has an address");
    (socket, address)
}

#[tokio::test]
async fn the_proxy_never_connects_to_itself() {
    let (_proxy_port, proxy_address) = reserved(Ipv4Addr::LOCALHOST);
    let (_admin_port, admin_address) = reserved(Ipv4Addr::LOCALHOST);
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", admin_address.port()).parse().expect("an address");
    let setup = Setup::new()
        .host("proxy.imagicle.com", proxy_address)
        .host("admin.imagicle.com", admin_address)
        .host("mapped.imagicle.com", mapped);
    let mut config = setup.config();
    (config.listener.address, config.admin) = (proxy_address, admin_address);
    let proxy = Proxy::start(config);
    for name in ["proxy.imagicle.com", "admin.imagicle.com", "mapped.imagicle.com"] {
        let (head, problem) = refused(proxy.proxy(), name).await;
        assert_eq!((problem.status, problem.reason.as_str()), (403, "loop_detected"), "{name}");
        assert!(head.header("proxy-status").is_some_and(|value| value.contains("error=proxy_loop_detected")), "{head:?}");
        assert!(problem.detail.contains("upstream.hosts"), "{}", problem.detail);
    }
    let scrape = wait_until(proxy.admin(), |scrape| {
        scrape.value("ucx_egress_decisions_total", &[("verdict", "deny"), ("reason", "loop_detected")]) == Some(3.0)
    })
    .await;
    assert_eq!(scrape.value("ucx_egress_connections_total", &[("listener", "proxy")]), Some(3.0), "none but the test's own");
    proxy.stop().await;
}

#[tokio::test]
async fn a_proxy_on_every_address_knows_each_of_them() {
    let (_port, every) = reserved(Ipv4Addr::UNSPECIFIED);
    let port = every.port();
    let setup = [("a", "127.0.0.1"), ("b", "127.0.0.2"), ("c", "0.0.0.0")]
        .iter()
        .fold(Setup::new(), |setup, (name, ip)| setup.addresses(&format!("{name}.imagicle.com"), &[&format!("{ip}:{port}")]));
    let mut config = setup.config();
    config.listener.address = every;
    let proxy = Proxy::start(config);
    let reachable = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for name in ["a.imagicle.com", "b.imagicle.com", "c.imagicle.com"] {
        assert_eq!(reason(reachable, name).await, "loop_detected", "{name}");
    }
    proxy.stop().await;
}

/// Connecting to the unspecified address reaches loopback: an exception for it is no way back in.
#[tokio::test]
async fn the_unspecified_address_is_the_proxy_too() {
    let (_port, address) = reserved(Ipv4Addr::LOCALHOST);
    let mut config = Setup::new().addresses("u.imagicle.com", &[&format!("0.0.0.0:{}", address.port())]).config();
    config.listener.address = address;
    config.allow_addresses = networks(&["0.0.0.0/0"]);
    let proxy = Proxy::start(config);
    assert_eq!(reason(proxy.proxy(), "u.imagicle.com").await, "loop_detected");
    proxy.stop().await;
}

#[tokio::test]
async fn a_relay_to_itself_stops_at_the_first_turn() {
    let (_port, address) = reserved(Ipv4Addr::LOCALHOST);
    let mut config = Setup::new().host("tenant.imagicle.cloud", address).relay("tenant.imagicle.cloud:1636").config();
    config.relays[0].address = address;
    let proxy = Proxy::start(config);
    let mut client = RawClient::connect(proxy.relay()).await;
    assert!(client.is_closed().await, "a relay has no words for a refusal");
    let scrape = wait_until(proxy.admin(), |scrape| {
        scrape.value("ucx_egress_decisions_total", &[("verdict", "deny"), ("reason", "loop_detected")]) == Some(1.0)
    })
    .await;
    assert_eq!(scrape.value("ucx_egress_connections_total", &[("listener", "relay")]), Some(1.0));
    proxy.stop().await;
}
