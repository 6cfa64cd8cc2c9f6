//! Names and passwords: every way in asks for them, tells why it refuses, forwards none, and hashes no more than it must.

mod abuse;
mod reload;
mod silence;

use crate::support::client::{Head, Problem, RawClient, client_hello, within_deadline};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::passwords::{ALICE, ALICES, BOB, BOBS, Passwords, basic};
use crate::support::policy::{PolicyFile, service};
use crate::support::proxy::Setup;
use crate::support::scrape::wait_for_decisions;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

const CHALLENGE: &str = "Basic realm=\"ucx-egress\", charset=\"UTF-8\"";

/// A CONNECT to the origin that echoes.
fn connect(credentials: &str) -> String {
    format!("CONNECT tls.test:443 HTTP/1.1\r\nHost: tls.test:443\r\n{credentials}\r\n")
}

/// A request in absolute-form to the one that speaks HTTP.
fn get(credentials: &str) -> String {
    format!("GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\n{credentials}\r\n")
}

/// Both origins, and a proxy that asks for a password.
struct World {
    http: HttpOrigin,
    _raw: RawOrigin,
    passwords: Passwords,
    setup: Setup,
}

impl World {
    async fn new() -> Self {
        Self::in_mode("enforce").await
    }

    async fn in_mode(mode: &str) -> Self {
        let (http, raw) = (HttpOrigin::start().await, RawOrigin::scripted(Behaviour::Echo).await);
        let passwords = Passwords::new(&[ALICE, BOB]);
        let keys = "personal_data = \"unstated\"\nidle_timeout = \"1m\"";
        let policy = PolicyFile::new(&service("site", keys, &[("plain.test", 80, "http"), ("tls.test", 443, "https")])).in_mode(mode);
        let setup = Setup::new().host("plain.test", http.addr()).host("tls.test", raw.addr()).policy(policy);
        let setup = setup.section(&passwords.section());
        Self { http, _raw: raw, passwords, setup }
    }
}

/// Sends a request and reads its answer; a refusal's body is read too.
async fn ask(client: &mut RawClient, request: &str) -> (Head, Option<Problem>) {
    client.send(request.as_bytes()).await;
    let head = client.read_head().await;
    if head.status == 200 && request.starts_with("CONNECT") {
        return (head, None);
    }
    let body = client.read_body(&head).await;
    let problem = (head.status != 200).then(|| Problem::parse(&head, &body));
    (head, problem)
}

/// The same on a connection of its own.
async fn ask_once(proxy: SocketAddr, request: &str) -> (Head, Option<Problem>) {
    ask(&mut RawClient::connect(proxy).await, request).await
}

/// A connection from another loopback address.
async fn connect_from(address: &str, proxy: SocketAddr) -> RawClient {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(format!("{address}:0").parse().expect("an address")).expect("all of 127.0.0.0/8 is this machine");
    RawClient::over(within_deadline("connect", socket.connect(proxy)).await.expect("the listener accepts"))
}

fn assert_asks(head: &Head, problem: Option<&Problem>, word: &str) {
    let problem = problem.expect("a refusal");
    assert_eq!((head.status, problem.reason.as_str()), (407, "proxy_auth_required"), "{problem:?}");
    assert_eq!(problem.rule.as_deref(), Some("clients.htpasswd"));
    let challenges: Vec<_> = head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authenticate")).collect();
    assert!(challenges.len() == 1 && challenges[0].1 == CHALLENGE, "{head:?}");
    assert_eq!(head.header("connection"), Some("close"));
    assert!(problem.detail.contains(word), "{}", problem.detail);
}

/// As clients do it: without, then on another connection with.
#[tokio::test]
async fn every_way_in_asks_once_and_lets_the_right_ones_in() {
    let world = World::new().await;
    let proxy = world.setup.start();
    for user in [ALICES, BOBS] {
        for request in [connect, get] {
            let mut client = RawClient::connect(proxy.proxy()).await;
            let (head, problem) = ask(&mut client, &request("")).await;
            assert_asks(&head, problem.as_ref(), "user name and password");
            assert!(client.is_closed().await);
            assert_eq!(ask_once(proxy.proxy(), &request(&basic(user))).await.0.status, 200, "{user:?}");
        }
    }
    // Behind other requests on the connection, each is asked.
    for request in [connect, get] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        assert_eq!(ask(&mut client, &get(&basic(ALICES))).await.0.status, 200);
        assert_eq!(ask(&mut client, &get(&basic(BOBS))).await.0.status, 200);
        let (head, problem) = ask(&mut client, &request("")).await;
        assert_asks(&head, problem.as_ref(), "user name and password");
        assert!(client.is_closed().await);
        let mut client = RawClient::connect(proxy.proxy()).await;
        assert_eq!(ask(&mut client, &get(&basic(ALICES))).await.0.status, 200);
        assert_eq!(ask(&mut client, &request(&basic(ALICES))).await.0.status, 200);
    }
    for request in world.http.requests() {
        assert!(!request.headers.contains_key("proxy-authorization"), "{request:?}");
    }
    wait_for_decisions(proxy.admin(), "deny", "proxy_auth_required", 6).await;
}

#[tokio::test]
async fn whoever_opened_a_tunnel_is_not_asked_in_it() {
    let world = World::new().await;
    let proxy = world.setup.start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    assert_eq!(ask(&mut client, &connect(&basic(ALICES))).await.0.status, 200);
    let hello = client_hello(Some("tls.test"));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);

    let mut client = RawClient::connect(proxy.proxy()).await;
    let plain = format!("CONNECT plain.test:80 HTTP/1.1\r\n{}\r\n", basic(ALICES));
    assert_eq!(ask(&mut client, &plain).await.0.status, 200);
    for credentials in ["", "Proxy-Authorization: Basic bm9ib2R5OnNlY3JldA==\r\n"] {
        let inner = format!("GET /test HTTP/1.1\r\nHost: plain.test\r\n{credentials}\r\n");
        assert_eq!(ask(&mut client, &inner).await.0.status, 200);
    }
    assert_eq!(world.http.requests().len(), 2);
    assert!(world.http.requests().iter().all(|request| !request.headers.contains_key("proxy-authorization")));
}

/// What is offered, and a word of the detail. Nothing of it comes back.
#[tokio::test]
async fn what_is_not_right_is_refused_and_says_why() {
    let world = World::new().await;
    let proxy = world.setup.start();
    let encoded = |text: &str| format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(text));
    let cases = [
        (encoded("alice:zyxwvut"), "wrong"),
        (encoded("zyxwvut:open sesame"), "wrong"),
        (encoded("alice:"), "wrong"),
        (encoded(":open sesame"), "wrong"),
        (encoded("zyxwvut"), "malformed"),
        (encoded("alice:open\0sesame"), "control character"),
        (encoded(&format!("alice:{}", "zyxwvut".repeat(200))), "longer"),
        ("Proxy-Authorization: Basic zyxwvut!\r\n".to_owned(), "malformed"),
        ("Proxy-Authorization: Basic\r\n".to_owned(), "malformed"),
        ("Proxy-Authorization: Bearer zyxwvut\r\n".to_owned(), "scheme"),
        ("Proxy-Authorization:\r\n".to_owned(), "scheme"),
        ("Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU=\r\n".to_owned(), "asks for"),
    ];
    for request in [connect, get] {
        for (credentials, word) in &cases {
            let (head, problem) = ask_once(proxy.proxy(), &request(credentials)).await;
            assert_asks(&head, problem.as_ref(), word);
            let answer = format!("{head:?}{problem:?}");
            assert!(!answer.contains("zyxwvut") && !answer.contains("sesame") && !answer.contains("alice"), "{answer}");
        }
        let (head, problem) = ask_once(proxy.proxy(), &request(&(basic(ALICES) + &basic(ALICES)))).await;
        assert_eq!((head.status, problem.expect("a refusal").reason.as_str()), (400, "bad_request"));
    }
    assert_eq!(world.http.requests().len(), 0);
}

/// It says who is there, so it comes before what they may reach; and it is no matter of policy that observing could let pass.
#[tokio::test]
async fn passwords_come_before_the_policy_and_are_enforced_while_observing() {
    for mode in ["enforce", "observe"] {
        let world = World::in_mode(mode).await;
        let proxy = world.setup.start();
        for request in ["CONNECT nowhere.test:443 HTTP/1.1\r\n\r\n", "GET http://nowhere.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n"] {
            let (head, problem) = ask_once(proxy.proxy(), request).await;
            assert_asks(&head, problem.as_ref(), "asks for");
        }
    }
}

/// The address of a client that may not come in at all tells nothing of accounts.
#[tokio::test]
async fn addresses_come_before_passwords() {
    let world = World::new().await;
    let setup = world.setup.section("allow = [\"127.0.0.2\"]\nrealm = \"Branch 7\"");
    let proxy = setup.start();
    let (head, problem) = ask_once(proxy.proxy(), &connect(&basic(ALICES))).await;
    assert_eq!((head.status, problem.expect("a refusal").reason.as_str()), (403, "client_not_allowed"));
    let (head, _) = ask(&mut connect_from("127.0.0.2", proxy.proxy()).await, &connect("")).await;
    assert_eq!(head.header("proxy-authenticate"), Some("Basic realm=\"Branch 7\", charset=\"UTF-8\""));
}

#[tokio::test]
async fn relays_ask_for_nothing_and_check_says_so() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let passwords = Passwords::new(&[ALICE]);
    let setup = Setup::new().host("tenant.imagicle.cloud", origin.addr()).relay("tenant.imagicle.cloud:1636").section(&passwords.section());
    let warnings = setup.config().warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("[[relay]]") && warning.message.contains("[clients.services]")));
    let proxy = setup.start();
    let mut client = RawClient::connect(proxy.relay()).await;
    let hello = client_hello(None);
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
}
