//! What the policy decides: profiles, groups, exact hosts, wildcards, observing, clients, the hash.

use crate::support::client::{RawClient, connect_tunnel};
use crate::support::dns::DnsServer;
use crate::support::policy::{service, text};
use crate::support::proxy::{Proxy, Setup};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tempfile::NamedTempFile;
use ucx_egress::config::Config;
use ucx_egress::destination::Destination;
use ucx_egress::error::Reason;
use ucx_egress::policy::document::IMAGICLE;
use ucx_egress::policy::{HelloCheck, Policy, Subject, Treatment, Verdict};
use ucx_egress::source::Source;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The built-in policy under a `[policy]` section.
fn policy(section: &str) -> Policy {
    configured(&format!("[policy]\n{section}\n"))
}

fn configured(text: &str) -> Policy {
    Config::read(&Source::embedded("c.toml", text)).unwrap_or_else(|error| panic!("{error}\n{text}")).policy
}

/// A policy file of a site's own, and the policy it makes.
fn from_file(text: &str) -> Policy {
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("the policy is written");
    policy(&format!("file = \"{}\"", file.path().display()))
}

fn destination(authority: &str) -> Destination {
    Destination::from_authority(authority.as_bytes()).unwrap_or_else(|error| panic!("{authority}: {error}"))
}

/// `allow RULE`, or the verdict with its reason.
fn decided(policy: &Policy, authority: &str) -> String {
    let decision = policy.decide(&Subject { client: CLIENT, destination: &destination(authority) });
    assert_eq!(decision.permit.is_some(), decision.verdict != Verdict::Deny, "a permit is what lets through: {decision:?}");
    match decision.refusal {
        None => format!("allow {}", decision.rule),
        Some(refusal) => format!("{} {}", decision.verdict.label(), refusal.reason),
    }
}

fn assert_decides(policy: &Policy, cases: &[(&str, &str)]) {
    for (authority, expected) in cases {
        assert_eq!(decided(policy, authority), *expected, "{authority}");
    }
}

fn rule_names(policy: &Policy) -> BTreeSet<String> {
    policy.rules().iter().map(|rule| rule.name.to_string()).collect()
}

#[test]
fn the_documented_profile_is_the_default_and_has_all_that_is_documented() {
    for policy in [configured(""), policy("profile = \"documented\"")] {
        let expected = [
            "licensing/api.imagicle.com:443",
            "presence/grpc.imagicle.com:443",
            "user-sync/*.imagicle.cloud:1636",
            "user-sync/*.imagicle.cloud:443",
            "cloud-connection/*.imagicle.com:443",
        ];
        assert_eq!(rule_names(&policy), expected.map(str::to_owned).into());
    }
}

#[test]
fn strict_has_exact_hosts_only() {
    let strict = policy("profile = \"strict\"");
    assert_eq!(rule_names(&strict), ["licensing/api.imagicle.com:443", "presence/grpc.imagicle.com:443"].map(str::to_owned).into());
    assert_decides(
        &strict,
        &[
            ("api.imagicle.com:443", "allow licensing/api.imagicle.com:443"),
            ("www.imagicle.com:443", "deny host_not_allowed"),
            ("tenant.imagicle.cloud:1636", "deny host_not_allowed"),
            ("api.imagicle.com:80", "deny port_not_allowed"),
        ],
    );
}

#[test]
fn strict_allows_an_exact_host_on_every_port_that_a_wildcard_documents() {
    let strict = policy("profile = \"strict\"\nexact_hosts = [\"tenant.imagicle.cloud\", \"status.imagicle.com\"]");
    assert_decides(
        &strict,
        &[
            ("tenant.imagicle.cloud:1636", "allow user-sync/tenant.imagicle.cloud:1636"),
            ("tenant.imagicle.cloud:443", "allow user-sync/tenant.imagicle.cloud:443"),
            ("tenant.imagicle.cloud:636", "deny port_not_allowed"),
            ("other.imagicle.cloud:1636", "deny host_not_allowed"),
            ("status.imagicle.com:443", "allow cloud-connection/status.imagicle.com:443"),
            ("www.imagicle.com:443", "deny host_not_allowed"),
            ("api.imagicle.com:443", "allow licensing/api.imagicle.com:443"),
        ],
    );
    let sourced = strict.rules().iter().find(|rule| rule.host == "tenant.imagicle.cloud").and_then(|rule| rule.source.as_ref());
    assert!(sourced.is_some_and(|source| source.quote.contains("*.imagicle.cloud")), "the wildcard's source supports the exact host");
}

#[test]
fn groups_are_off_until_they_are_named() {
    const GROUPED: [(&str, &str, &str); 4] = [
        ("voice-analytics", "eu.api.imagicle.com:443", "allow voice-analytics/eu.api.imagicle.com:443"),
        ("voice-analytics", "us.api.imagicle.com:443", "allow voice-analytics/*.api.imagicle.com:443"),
        ("webex", "webexapis.com:443", "allow webex/webexapis.com:443"),
        ("cognito", "pool.amazoncognito.com:443", "allow cognito/*.amazoncognito.com:443"),
    ];
    for on in ["", "voice-analytics", "webex", "cognito"] {
        let groups = if on.is_empty() { String::new() } else { format!("{on:?}") };
        let policy = policy(&format!("groups = [{groups}]"));
        for (group, authority, allowed) in GROUPED {
            let expected = if group == on { allowed } else { "deny host_not_allowed" };
            assert_eq!(decided(&policy, authority), expected, "{authority} with {on:?}");
        }
    }
    let strict = policy("profile = \"strict\"\ngroups = [\"voice-analytics\", \"webex\", \"cognito\"]");
    assert_decides(
        &strict,
        &[
            ("eu.api.imagicle.com:443", "allow voice-analytics/eu.api.imagicle.com:443"),
            ("us.api.imagicle.com:443", "deny host_not_allowed"),
            ("webexapis.com:443", "allow webex/webexapis.com:443"),
            ("pool.amazoncognito.com:443", "deny host_not_allowed"),
        ],
    );
}

#[test]
fn a_wildcard_covers_exactly_one_label_and_the_exact_host_comes_first() {
    let policy = policy("groups = [\"voice-analytics\"]");
    assert_decides(
        &policy,
        &[
            ("api.imagicle.com:443", "allow licensing/api.imagicle.com:443"),
            ("www.imagicle.com:443", "allow cloud-connection/*.imagicle.com:443"),
            ("imagicle.com:443", "deny host_not_allowed"),
            ("eu.api.imagicle.com:443", "allow voice-analytics/eu.api.imagicle.com:443"),
            ("x.api.imagicle.com:443", "allow voice-analytics/*.api.imagicle.com:443"),
            ("x.eu.api.imagicle.com:443", "deny host_not_allowed"),
            ("x.grpc.imagicle.com:443", "deny host_not_allowed"),
        ],
    );
}

#[test]
fn each_protocol_demands_its_first_bytes() {
    let keys = "personal_data = \"none\"\nidle_timeout = \"7m\"";
    let of = |id, keys: &str, [(port, protocol), (another, of_it)]: [(u16, &str); 2]| {
        service(id, keys, &[("a.test.org", port, protocol), ("a.test.org", another, of_it)])
    };
    let intercepted = of("s", &format!("{keys}\ntreatment = \"intercept\""), [(443, "https"), (444, "grpc")]);
    let policy = from_file(&text(&(intercepted + &of("t", keys, [(636, "ldaps"), (80, "http")]))));
    for (port, check, treatment, service) in [
        (443, HelloCheck::NameRequired, Treatment::Intercept, "s"),
        (444, HelloCheck::NameRequired, Treatment::Intercept, "s"),
        (636, HelloCheck::NameIfSent, Treatment::Tunnel, "t"),
        (80, HelloCheck::PlainHttp, Treatment::Tunnel, "t"),
    ] {
        let destination = destination(&format!("a.test.org:{port}"));
        let permit = policy.decide(&Subject { client: CLIENT, destination: &destination }).permit.expect("allowed");
        assert_eq!((permit.check(), permit.destination()), (check, &destination));
        assert_eq!((permit.treatment(), permit.idle_timeout().as_secs()), (treatment, 420));
        assert_eq!(&*policy.service(permit.service()).id, service);
    }
}

#[test]
fn observing_lets_pass_what_the_policy_refuses_and_nothing_else() {
    let observing = policy("mode = \"observe\"");
    assert_decides(
        &observing,
        &[
            ("api.imagicle.com:443", "allow licensing/api.imagicle.com:443"),
            ("example.org:443", "would_deny host_not_allowed"),
            ("api.imagicle.com:80", "would_deny port_not_allowed"),
            ("203.0.113.7:443", "would_deny ip_literal"),
        ],
    );
    let stranger = Subject { client: [203, 0, 113, 9].into(), destination: &destination("api.imagicle.com:443") };
    let decision = observing.decide(&stranger);
    assert_eq!((decision.verdict, decision.permit.is_none()), (Verdict::Deny, true), "who may use the proxy is no matter of observing");

    let enforcing = policy("mode = \"enforce\"");
    let observed: Vec<Reason> = Reason::ALL.iter().copied().filter(|reason| observing.verdict(*reason) == Verdict::WouldDeny).collect();
    assert_eq!(
        observed.iter().map(|reason| reason.label()).collect::<Vec<_>>(),
        [
            "method_not_allowed",
            "host_not_allowed",
            "port_not_allowed",
            "ip_literal",
            "not_tls",
            "sni_missing",
            "sni_mismatch",
            "ech_refused",
            "authority_mismatch",
            "upgrade_not_allowed",
            "personal_data",
            "undocumented_field",
            "uninspectable",
            "message_too_large"
        ]
    );
    assert!(Reason::ALL.iter().all(|reason| enforcing.verdict(*reason) == Verdict::Deny));
}

#[tokio::test]
async fn observing_never_opens_the_own_network() {
    let dns = DnsServer::start().await;
    dns.set("inside.example.org", vec![[10, 0, 0, 1].into()], 60);
    let setup = Setup::new().without_loopback().name_server(dns.addr()).section("[policy]\nmode = \"observe\"");
    let proxy = setup.start();
    for (authority, reason) in [
        ("inside.example.org:443", "address_not_allowed"),
        ("10.0.0.1:443", "address_not_allowed"),
        ("127.0.0.1:443", "address_not_allowed"),
        ("0x7f.1:443", "address_not_allowed"),
        ("[::ffff:169.254.169.254]:80", "address_not_allowed"),
        ("[fd00:ec2::254]:80", "address_not_allowed"),
        (&proxy.admin().to_string(), "loop_detected"),
        ("example.org", "bad_request"),
        ("missing.example.org:443", "resolve_failed"),
    ] {
        let (_, problem) = connect_tunnel(proxy.proxy(), authority).await.map(drop).expect_err(authority);
        assert_eq!(problem.reason, reason, "{authority}");
    }
    proxy.stop().await;
}

fn client_verdict(policy: &Policy, client: &str) -> Option<&'static str> {
    let client: IpAddr = client.parse().unwrap_or_else(|error| panic!("{client}: {error}"));
    let decision = policy.decide(&Subject { client, destination: &destination("api.imagicle.com:443") });
    decision.refusal.map(|refusal| refusal.reason.label())
}

#[test]
fn clients_are_told_by_their_network() {
    let chosen = configured("[clients]\nallow = [\"10.1.0.0/16\", \"203.0.113.7\", \"2001:db8:1::/48\"]");
    for client in ["10.1.0.0", "10.1.255.255", "203.0.113.7", "2001:db8:1::1", "::ffff:10.1.2.3", "::ffff:203.0.113.7"] {
        assert_eq!(client_verdict(&chosen, client), None, "{client}");
    }
    for client in ["10.2.0.0", "10.0.255.255", "203.0.113.8", "127.0.0.1", "::1", "2001:db8:2::1", "::ffff:10.2.0.1", "::10.1.0.1", "::"] {
        assert_eq!(client_verdict(&chosen, client), Some("client_not_allowed"), "{client}");
    }
    let default = configured("");
    for client in ["127.0.0.1", "::1", "10.0.0.1", "172.31.255.255", "192.168.1.1", "::ffff:192.168.1.1"] {
        assert_eq!(client_verdict(&default, client), None, "{client}");
    }
    for client in ["8.8.8.8", "172.32.0.1", "169.254.0.1", "fe80::1", "fd00::1", "2001:db8::1", "::ffff:8.8.8.8"] {
        assert_eq!(client_verdict(&default, client), Some("client_not_allowed"), "{client}");
    }
    assert_eq!(client_verdict(&configured("[clients]\nallow = []"), "127.0.0.1"), Some("client_not_allowed"));
}

#[tokio::test]
async fn a_stranger_is_refused_before_anything_is_looked_up() {
    let dns = DnsServer::start().await;
    let proxy = Setup::new().name_server(dns.addr()).section("[clients]\nallow = [\"10.0.0.0/8\"]").relay("t.imagicle.cloud:1636").start();
    for authority in ["api.imagicle.com:443", "example.org:443", "10.0.0.1:443"] {
        let (_, problem) = connect_tunnel(proxy.proxy(), authority).await.map(drop).expect_err(authority);
        assert_eq!((problem.status, problem.reason.as_str()), (403, "client_not_allowed"), "{authority}");
        assert_eq!(problem.rule.as_deref(), Some("clients.allow"));
    }
    assert!(RawClient::connect(proxy.relay()).await.is_closed().await, "a relay asks the same");
    proxy.stop().await;
    assert_eq!(dns.queries(), []);
}

#[tokio::test]
async fn an_ipv4_client_of_an_ipv6_listener_is_told_by_its_ipv4_address() {
    for (allow, reason) in [("127.0.0.0/8", "resolve_failed"), ("::/0", "client_not_allowed")] {
        let dns = DnsServer::start().await;
        let mut config = Setup::new().name_server(dns.addr()).section(&format!("[clients]\nallow = [{allow:?}]")).config();
        config.listener.address = "[::]:0".parse().expect("an address");
        let proxy = Proxy::start(config);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, proxy.proxy().port()));
        let (_, problem) = connect_tunnel(address, "api.imagicle.com:443").await.map(drop).expect_err("no such name");
        assert_eq!(problem.reason, reason, "{allow}");
        proxy.stop().await;
    }
}

#[test]
fn the_hash_changes_with_all_that_decides() {
    let site = "[clients]\nallow = [\"10.0.0.0/8\"]\n[policy]\n";
    let mut seen = BTreeSet::new();
    for text in [
        "",
        site,
        "[policy]\nprofile = \"strict\"",
        "[policy]\nmode = \"observe\"",
        "[policy]\ngroups = [\"webex\"]",
        "[policy]\ngroups = [\"webex\", \"cognito\"]",
        "[policy]\nprofile = \"strict\"\nexact_hosts = [\"a.imagicle.cloud\"]",
        "[policy]\nprofile = \"strict\"\nexact_hosts = [\"b.imagicle.cloud\"]",
    ] {
        assert!(seen.insert(configured(text).hash().to_owned()), "{text:?} has the hash of another");
    }
    for (from, to) in [
        ("host = \"api.imagicle.com\"", "host = \"api2.imagicle.com\""),
        ("port = 1636", "port = 1637"),
        ("protocol = \"grpc\"", "protocol = \"https\""),
        ("idle_timeout = \"4h\"", "idle_timeout = \"5h\""),
        ("personal_data = \"none\"", "personal_data = \"expected\""),
        ("treatment = \"intercept\"", "treatment = \"tunnel\""),
        ("id = \"licensing\"", "id = \"licences\""),
        ("name = \"imagicle\"", "name = \"site\""),
    ] {
        assert!(IMAGICLE.contains(from), "{from}");
        let changed = IMAGICLE.replacen(from, to, 1).replace("channel = \"licensing\"", &channel_for(to));
        assert!(seen.insert(from_file(&changed).hash().to_owned()), "{to:?} has the hash of another");
    }
    assert!(seen.iter().all(|hash| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())), "{seen:?}");
}

/// A renamed service is renamed where others share its channel, too.
fn channel_for(renamed: &str) -> String {
    format!("channel = \"{}\"", if renamed.starts_with("id = ") { "licences" } else { "licensing" })
}

#[test]
fn the_hash_stays_with_all_that_does_not_decide() {
    let hash = configured("").hash().to_owned();
    for text in [
        "[listener]\naddress = \"127.0.0.1:8080\"",
        "[limits]\nhead = \"1s\"",
        "[upstream.hosts]\n\"api.imagicle.com\" = [\"203.0.113.7\"]",
        "[log]\nformat = \"json\"",
        "[policy]\nprofile = \"documented\"\nmode = \"enforce\"\ngroups = []",
        "[policy]\nexact_hosts = [\"t.imagicle.cloud\"]",
    ] {
        assert_eq!(configured(text).hash(), hash, "{text}");
    }
    for changed in [
        IMAGICLE.to_owned(),
        format!("# another comment\n{IMAGICLE}"),
        IMAGICLE.replacen("title = \"Imagicle Presence\"", "title = \"Presence\"", 1),
        IMAGICLE.replacen("required = true", "required = false", 1),
    ] {
        assert_eq!(from_file(&changed).hash(), hash, "the same decisions from a file of one's own");
    }
    let order = |groups: &str| policy(&format!("groups = [{groups}]")).hash().to_owned();
    assert_eq!(order("\"webex\", \"cognito\""), order("\"cognito\", \"webex\""));
}

/// Patterns of each shape, 10,000 together, all over the same few domains so that they compete.
fn patterns() -> Vec<(String, u16)> {
    let exact = (0..8_500).map(|n| (format!("h{n}.d{}.example.com", n % 100), 443 + u16::from(n % 7 == 0)));
    let wildcards = (0..1_000).map(|n| (format!("*.d{n}.example.com"), 443));
    let globs = (0..500).map(|n| (format!("h{n}-*.d{}.example.com", n % 100), 443));
    exact.chain(wildcards).chain(globs).collect()
}

/// What the documentation of a pattern says, without an index: one comparison for each pattern.
fn covers(pattern: &str, host: &str) -> bool {
    let (Some((first, parent)), Some((label, rest))) = (pattern.split_once('.'), host.split_once('.')) else { return false };
    match first.split_once('*') {
        None => pattern == host,
        Some((head, tail)) => parent == rest && label.len() >= head.len() + tail.len() && label.starts_with(head) && label.ends_with(tail),
    }
}

#[test]
fn ten_thousand_hosts_decide_as_a_plain_search_does() {
    let patterns = patterns();
    assert_eq!(patterns.len(), 10_000);
    let endpoints: Vec<_> = patterns.iter().map(|(host, port)| (host.as_str(), *port, "https")).collect();
    let policy = from_file(&text(&service("s", "personal_data = \"none\"", &endpoints)));
    let queries = (0..200).flat_map(|n| {
        let (domain, glob, n) = (n % 120, n * 3, n * 17);
        [
            format!("h{n}.d{domain}.example.com"),
            format!("h{n}.d{}.example.com", n % 100),
            format!("h{n}-x.d{domain}.example.com"),
            format!("h{glob}-x.d{}.example.com", glob % 100),
            format!("h{glob}-x.y.d{}.example.com", glob % 100),
            format!("x.d{}.example.com", n % 1_100),
            format!("h{n}.x.d{domain}.example.com"),
            format!("d{domain}.example.com"),
        ]
    });
    let mut allowed = 0;
    for host in queries {
        let open: Vec<u16> = patterns.iter().filter(|(pattern, _)| covers(pattern, &host)).map(|(_, port)| *port).collect();
        for port in [443, 444, 445] {
            let decision = policy.decide(&Subject { client: CLIENT, destination: &destination(&format!("{host}:{port}")) });
            let otherwise = if open.is_empty() { Reason::HostNotAllowed } else { Reason::PortNotAllowed };
            let expected = (!open.contains(&port)).then_some(otherwise);
            assert_eq!(decision.refusal.map(|refusal| refusal.reason), expected, "{host}:{port}");
            allowed += usize::from(expected.is_none());
        }
    }
    assert!(allowed > 500, "{allowed} of the questions are allowed ones");
}
