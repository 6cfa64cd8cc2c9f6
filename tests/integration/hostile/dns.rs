//! Name servers that lie, break off, say too much, or say nothing.

use super::as_expected;
use crate::support::client::{RawClient, connect_tunnel};
use crate::support::dns::scripted::{ASKED, PLAIN, Question, ScriptedDns, TRUNCATED, deserted, ipv4, record};
use crate::support::dns::{CNAME, DnsServer};
use crate::support::origin::RawOrigin;
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::Scrape;
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ucx_egress::destination::Destination;
use ucx_egress::upstream::{NameServers, Resolver};

/// What the server says of the name under attack; the address is the one that listens.
type Script = fn(&Question, Ipv4Addr) -> Vec<Vec<u8>>;

/// What comes of a connection.
const CONNECTED: &str = "connected";
const UNREACHED: &str = "connect_failed";
const UNRESOLVED: &str = "resolve_failed";

/// The address behind so many where nobody listens.
fn crowd(before: usize, good: Ipv4Addr, behind: usize) -> Vec<Ipv4Addr> {
    let all = deserted(before + behind);
    [&all[..before], &[good], &all[before..]].concat()
}

/// Over UDP the word that there is more; over TCP all of it.
fn at_length(question: &Question, addresses: &[Ipv4Addr]) -> Vec<Vec<u8>> {
    vec![if question.over_tcp { question.addresses(addresses) } else { question.echo(TRUNCATED) }]
}

fn with_another_id(mut packet: Vec<u8>) -> Vec<u8> {
    packet[0] ^= 0x55;
    packet
}

/// An answer to a question that nobody asked: the first letter of the name is another one.
fn to_another_question(mut packet: Vec<u8>) -> Vec<u8> {
    packet[13] = b'z';
    packet
}

/// An alias of the name that was asked, to `target` below the same domain.
fn alias(target: &str) -> Vec<u8> {
    let label = [&[u8::try_from(target.len()).expect("short")][..], target.as_bytes()].concat();
    // The domain stands in the question, behind the first label.
    [&label[..], b"\x08imagicle\x03com\0"].concat()
}

/// A chain of so many aliases, in the order of their following, and the address at its end.
fn chain(question: &Question, links: u16, good: Ipv4Addr) -> Vec<u8> {
    let mut owner = ASKED.to_vec();
    let mut records = Vec::new();
    for link in 0..links {
        let target = alias(&format!("link{link}"));
        records.extend(record(&owner, CNAME, 60, &target));
        owner = target;
    }
    records.extend(record(&owner, 1, 60, &good.octets()));
    question.reply(PLAIN, links + 1, &records)
}

/// A name that leads to another name each time.
fn endless(question: &Question) -> Vec<u8> {
    let number: u32 = question.name().trim_start_matches("endless").split('.').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    question.reply(PLAIN, 1, &record(ASKED, CNAME, 0, &alias(&format!("endless{}", number + 1))))
}

const LIES: &[(&str, Script, &str)] = &[
    ("512 addresses, the good one first", |q, good| at_length(q, &crowd(0, good, 511)), CONNECTED),
    ("512 addresses, the good one eighth", |q, good| at_length(q, &crowd(7, good, 504)), CONNECTED),
    ("512 addresses, the good one last", |q, good| at_length(q, &crowd(511, good, 0)), UNREACHED),
    ("64 KiB over TCP", |q, good| at_length(q, &crowd(0, good, 4_080)), CONNECTED),
    ("cut short, and TCP hangs up", |q, _| if q.over_tcp { vec![] } else { vec![q.echo(TRUNCATED)] }, UNRESOLVED),
    ("cut short over TCP too", |q, _| vec![q.echo(TRUNCATED)], UNRESOLVED),
    ("another id, then the right one", |q, good| vec![with_another_id(q.addresses(&deserted(1))), q.addresses(&[good])], CONNECTED),
    ("another id only", |q, good| vec![with_another_id(q.addresses(&[good]))], UNRESOLVED),
    ("an answer to another question", |q, good| vec![to_another_question(q.addresses(&[good]))], UNRESOLVED),
    ("the address of another name", |q, good| vec![q.reply(PLAIN, 1, &record(&alias("other"), 1, 60, &good.octets()))], UNRESOLVED),
    ("an address of three bytes", |q, _| vec![q.reply(PLAIN, 1, &record(ASKED, 1, 60, &[127, 0, 0]))], UNRESOLVED),
    ("an address of five bytes", |q, _| vec![q.reply(PLAIN, 1, &record(ASKED, 1, 60, &[127, 0, 0, 1, 1]))], UNRESOLVED),
    (
        "a record longer than its message",
        |q, _| vec![q.reply(PLAIN, 1, &[ASKED, &[0, 1, 0, 1, 0, 0, 0, 60, 0xff, 0xff, 127]].concat())],
        UNRESOLVED,
    ),
    ("65,535 records announced, none sent", |q, _| vec![q.reply(PLAIN, u16::MAX, &[])], UNRESOLVED),
    (
        "a name that points to itself",
        |q, _| {
            // Header and question of a known length: the pointer stands right behind them.
            let at = u8::try_from(q.echo(PLAIN).len()).expect("short");
            vec![q.reply(PLAIN, 1, &record(&[0xc0, at], 1, 60, &[127, 0, 0, 1]))]
        },
        UNRESOLVED,
    ),
    ("half a header", |q, _| vec![q.echo(PLAIN)[..6].to_vec()], UNRESOLVED),
    ("nothing in a packet", |_, _| vec![vec![]], UNRESOLVED),
    ("512 zeroes", |_, _| vec![vec![0; 512]], UNRESOLVED),
    ("512 bytes of 255", |_, _| vec![vec![0xff; 512]], UNRESOLVED),
    ("the question back as a question", |q, _| vec![q.echo([1, 0])], UNRESOLVED),
    ("a failure", |q, _| vec![q.echo([0x85, 0x82])], UNRESOLVED),
    ("a refusal", |q, _| vec![q.echo([0x85, 0x85])], UNRESOLVED),
    ("a life of 136 years", |q, good| vec![q.reply(PLAIN, 1, &record(ASKED, 1, u32::MAX, &good.octets()))], CONNECTED),
    ("a chain of 50 aliases in one answer", |q, good| vec![if q.over_tcp { chain(q, 50, good) } else { q.echo(TRUNCATED) }], CONNECTED),
    ("a name that leads on for ever", |q, _| vec![endless(q)], UNRESOLVED),
    ("garbage behind the answer", |q, good| vec![[q.addresses(&[good]), vec![0xff; 100]].concat()], CONNECTED),
];

/// A proxy that asks this server and allows one label below `imagicle.com` on the port.
fn proxy_for(port: u16, dns: SocketAddr) -> Proxy {
    let policy = PolicyFile::of("site", "1m", &[("*.imagicle.com", port, "https")]);
    Setup::new().name_server(dns).policy(policy).section("[limits]\nresolve = \"1s\"").start()
}

async fn outcome(proxy: SocketAddr, authority: &str) -> String {
    connect_tunnel(proxy, authority).await.map_or_else(|(_, problem)| problem.reason, |_| CONNECTED.to_owned())
}

/// Whatever is said, the name has its answer or its refusal, few questions are asked, and the next name is resolved.
#[tokio::test]
async fn lies_are_no_answers_and_end_nothing() {
    let origin = RawOrigin::start().await;
    let (port, good) = (origin.addr().port(), ipv4(origin.addr().ip()));
    let mut wrong = Vec::new();
    for (what, script, expected) in LIES.iter().copied() {
        let dns = ScriptedDns::start(move |question| match question.name() {
            _ if question.wants_ipv6() => vec![question.echo(PLAIN)],
            "honest.imagicle.com" => vec![question.addresses(&[good])],
            _ => script(question, good),
        })
        .await;
        let proxy = proxy_for(port, dns.addr());
        let attacked = outcome(proxy.proxy(), &format!("attacked.imagicle.com:{port}")).await;
        let asked = dns.asked();
        let honest = outcome(proxy.proxy(), &format!("honest.imagicle.com:{port}")).await;
        let panics = Scrape::get(proxy.admin()).await.count("ucx_egress_panics_total", &[]);
        if (attacked.as_str(), honest.as_str(), panics) != (expected, CONNECTED, 0) || asked > 40 {
            wrong.push(format!("{what}: expected {expected}, got {attacked} after {asked} questions; then {honest}, {panics} panics"));
        }
        proxy.stop().await;
    }
    as_expected(LIES.len(), "DNS answers", &wrong);
}

/// More names than turns wait for servers that are silent: whoever is known is connected meanwhile, also where one family was lost.
#[tokio::test]
async fn silent_name_servers_are_nothing_to_names_that_are_known() {
    const WAITING: usize = 40;
    for loses_aaaa in [false, true] {
        let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
        let port = origin.addr().port();
        let policy = PolicyFile::of("site", "1m", &[("*.imagicle.com", port, "https")]);
        let proxy = Setup::new().name_server(dns.addr()).policy(policy).section("[limits]\nresolve = \"8s\"").start();
        dns.set("known.imagicle.com", vec![origin.addr().ip()], 600);
        dns.set("negative.imagicle.com", Vec::new(), 600);
        if loses_aaaa {
            dns.lose_aaaa();
        }
        let known = format!("known.imagicle.com:{port}");
        assert_eq!(outcome(proxy.proxy(), &known).await, CONNECTED);
        let before = dns.queries().len();
        dns.go_silent();
        let mut waiting = Vec::new();
        for number in 0..WAITING {
            let mut client = RawClient::connect(proxy.proxy()).await;
            client.send(format!("CONNECT w{number}.imagicle.com:{port} HTTP/1.1\r\n\r\n").as_bytes()).await;
            waiting.push(client);
        }
        // All turns are taken: two questions each.
        dns.wait_for_queries(before + 2 * 32).await;
        for _ in 0..3 {
            assert_eq!(outcome(proxy.proxy(), &known).await, CONNECTED, "IPv6 lost: {loses_aaaa}");
        }
        let asked: HashSet<String> = dns.queries().into_iter().map(|(name, _)| name).filter(|name| name.starts_with('w')).collect();
        assert!(asked.len() <= 32, "no more names are asked at once than there are turns");
        drop(waiting);
    }
}

/// A client that makes up names below a wildcard: what is kept of them is bounded, and what was kept first makes room.
#[tokio::test]
async fn names_without_end_do_not_fill_the_memory() {
    const NAMES: usize = 6_000;
    const KEPT: usize = 4_096;
    let dns = DnsServer::start().await;
    let name = |number: usize| format!("a{number}.imagicle.com");
    (0..NAMES).for_each(|number| dns.set(&name(number), [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].to_vec(), 3_600));
    let servers = NameServers::Fixed(vec![dns.addr()]);
    let resolver = Resolver::new(HashMap::new(), &servers, Duration::from_secs(10)).expect("a resolver");
    let ask = async |number: usize| {
        let destination = Destination::from_authority(format!("{}:443", name(number)).as_bytes()).expect("a destination");
        resolver.resolve(&destination).await.unwrap_or_else(|refusal| panic!("{number}: {}", refusal.detail));
    };
    let mut asked = Vec::new();
    for _ in 0..2 {
        iter(0..NAMES).for_each_concurrent(16, ask).await;
        asked.push(dns.queries().len());
    }
    let again = asked[1] - asked[0];
    assert!(asked[0] >= 2 * NAMES, "each name was asked for: {asked:?}");
    assert!(again >= 2 * (NAMES - KEPT) - 500, "of {NAMES} names {} were kept", NAMES - again / 2);
    assert!(again < 2 * NAMES - 1_000, "some were kept: {again}");
    super::counted("made-up names", NAMES);
}
