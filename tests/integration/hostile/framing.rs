//! HTTP/1.1 that two readers could take for different messages.

use super::as_expected;
use crate::support::client::{RawClient, within_deadline};
use crate::support::origin::{HttpOrigin, ScriptedOrigin, SecureOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::world::{API, HTTP1, World};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

const HOST: &str = "plain.test";

fn setup(origin: SocketAddr) -> Setup {
    Setup::new().host(HOST, origin).policy(PolicyFile::of("site", "1m", &[(HOST, 80, "http")]))
}

/// Bytes that some parsers take for white space, others for a part of the word, around the one word that frames a body.
const CODINGS: &[(&str, &[u8])] = &[
    ("a no-break space before", b"Transfer-Encoding: \xa0chunked"),
    ("a next line before", b"Transfer-Encoding: \x85chunked"),
    ("a no-break space behind", b"Transfer-Encoding: chunked\xa0"),
    ("a next line behind", b"Transfer-Encoding: chunked\x85"),
    ("a no-break space of UTF-8", b"Transfer-Encoding: \xc2\xa0chunked"),
    ("an ideographic space of UTF-8", b"Transfer-Encoding: \xe3\x80\x80chunked"),
    ("a byte order mark", b"Transfer-Encoding: \xef\xbb\xbfchunked"),
    ("a long s of UTF-8", b"Tran\xc5\xbffer-Encoding: chunked"),
    ("a Kelvin sign of UTF-8", b"Transfer-Encoding: chun\xe2\x84\xaaed"),
    ("a form feed", b"Transfer-Encoding: \x0cchunked"),
    ("a delete", b"Transfer-Encoding: \x7fchunked"),
    ("a no-break space in a length", b"Content-Length: \xa05"),
    ("a next line in a length", b"Content-Length: 5\x85"),
    ("digits of another script", b"Content-Length: \xd9\xa5"),
];

async fn status<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> String {
    let (said, _) = client.read_until_closed().await;
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn no_byte_passes_for_white_space_in_what_frames_a_body() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let world = World::echoing(HTTP1).await;
    let mut wrong = Vec::new();
    for (what, field) in CODINGS {
        let body = b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        let mut plain = RawClient::connect(proxy.proxy()).await;
        plain.send(&[b"POST http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n", *field, body].concat()).await;
        let mut decrypted = world.raw().await;
        decrypted.send(&[b"POST / HTTP/1.1\r\nHost: api.imagicle.com\r\n", *field, body].concat()).await;
        for said in [status(&mut plain).await, status(&mut decrypted).await] {
            if said != "HTTP/1.1 400 Bad Request (bad_request)" {
                wrong.push(format!("{what}: {said}"));
            }
        }
    }
    assert!(origin.requests().is_empty() && world.what_arrived().await.concat().is_empty());
    as_expected(2 * CODINGS.len(), "transfer codings", &wrong);
}

/// Expectations that are none (RFC 9110 section 10.1.1), and the one that is.
const EXPECTATIONS: &[&str] = &[
    "Expect: 100-continue",
    "Expect: 100-Continue",
    "expect:100-continue",
    "Expect: y 100-continue",
    "Expect: 100-continue y",
    "Expect: 101-continue",
    "Expect: 100-continue\r\nExpect: 100-continue",
    "Expect: 100-continue, 100-continue",
    "Expect: 100-continue, x",
    "Expect: 100-continue;q=1",
    "Expect: \"100-continue\"",
    "Expect: 100",
    "Expect:",
    "Expect: \x01",
    "Expect: 100-continue\r\nExpect: 101-continue",
];

/// One final answer, at most one request at the origin, with its body whole; never an expectation passed on that the proxy has answered.
#[tokio::test]
async fn expectations_confuse_nobody() {
    let mut wrong = Vec::new();
    for field in EXPECTATIONS {
        for (fields, body) in [("Content-Length: 4", "body"), ("Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n"), ("X-A: a", "")] {
            let origin = HttpOrigin::start().await;
            let proxy = setup(origin.addr()).start();
            let mut client = RawClient::connect(proxy.proxy()).await;
            let head =
                format!("POST http://plain.test/echo HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n{field}\r\n{fields}\r\n\r\n");
            client.send(format!("{head}{body}").as_bytes()).await;
            let said = status_lines(&mut client).await;
            let (interim, last): (Vec<_>, Vec<_>) = said.iter().partition(|status| status.starts_with('1'));
            let requests = origin.requests();
            let is_answered = matches!(last.as_slice(), [status] if ["200", "400", "417"].contains(&status.as_str()));
            let is_passed = last.first().is_some_and(|status| *status == "200");
            let is_whole = requests.len() == usize::from(is_passed) && requests.iter().all(|seen| seen.body.len() == 4.min(body.len()));
            if !is_answered || !is_whole || interim.len() > 1 || requests.iter().any(|seen| seen.headers.contains_key("expect")) {
                wrong.push(format!("{field:?} with {fields}: {said:?}, {} requests", requests.len()));
            }
        }
    }
    as_expected(3 * EXPECTATIONS.len(), "expectations", &wrong);
}

/// The statuses of all answers on a connection.
async fn status_lines(client: &mut RawClient) -> Vec<String> {
    let (said, _) = client.read_until_closed().await;
    let text = String::from_utf8_lossy(&said).into_owned();
    text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)).map(str::to_owned).collect()
}

/// What an origin says that was not asked.
const POISON: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 6\r\n\r\npoison",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\npoison",
    "poison",
    "\r\n",
    "\0",
];

/// Answers once, says the poison, and tells when the proxy has given the connection up; answers the truth on every other one.
async fn poisoner<S: AsyncRead + AsyncWrite + Unpin>(
    before: usize,
    mut connection: RawClient<S>,
    poison: &'static str,
    evicted: Arc<Notify>,
) {
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    while connection.try_read_through(b"\r\n\r\n").await.is_some() {
        if before > 0 {
            connection.send(answer("truth").as_bytes()).await;
            continue;
        }
        connection.send(answer("first").as_bytes()).await;
        // Behind the answer was read: it must not be a part of it.
        connection.send(poison.as_bytes()).await;
        connection.read_until_closed().await;
        evicted.notify_one();
        return;
    }
}

/// A connection that speaks when nobody asked is closed: what it said is nobody's answer.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_nobodys() {
    for poison in POISON.iter().copied() {
        let evicted = Arc::new(Notify::new());
        let told = evicted.clone();
        let origin = ScriptedOrigin::start(move |before, connection| poisoner(before, connection, poison, told.clone())).await;
        let proxy = setup(origin.addr()).start();
        let ask = async || {
            let mut client = RawClient::connect(proxy.proxy()).await;
            client.send(b"GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n").await;
            let head = client.read_head().await;
            (head.status, String::from_utf8_lossy(&client.read_body(&head).await).into_owned())
        };
        assert_eq!(ask().await, (200, "first".to_owned()), "{poison:?}");
        within_deadline("the connection is given up", evicted.notified()).await;
        assert_eq!(ask().await, (200, "truth".to_owned()), "{poison:?}");
        assert_eq!(origin.connections(), 2, "{poison:?}");
    }
    super::counted("answers that nobody asked for", POISON.len());
}

/// The same inside TLS.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_nobodys_in_tls_either() {
    for poison in POISON.iter().copied() {
        let pki = Pki::new();
        let evicted = Arc::new(Notify::new());
        let told = evicted.clone();
        let script = move |before, stream| poisoner(before, RawClient::over(stream), poison, told.clone());
        let origin = SecureOrigin::scripted(pki.chain(API, |_| {}).server(HTTP1), script).await;
        let world = crate::support::intercept::World::new(&pki, origin.addr());
        let mut client = world.ca.raw(world.proxy.proxy(), API).await;
        for (number, body) in ["first", "truth"].into_iter().enumerate() {
            client.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
            let head = client.read_head().await;
            assert_eq!((head.status, client.read_body(&head).await), (200, body.as_bytes().to_vec()), "{poison:?}");
            if number == 0 {
                within_deadline("the connection is given up", evicted.notified()).await;
            }
        }
    }
    super::counted("answers that nobody asked for, in TLS", POISON.len());
}

/// Answers whose end two readers see in two places, or whose body is coded as nobody asked for.
const ODD_ANSWERS: &[(&str, &str)] = &[
    ("a length as a list", "Content-Length: 2, 2\r\n\r\nok"),
    ("a length twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
    ("a length with a zero in front", "Content-Length: 02\r\n\r\nok"),
    ("a length with a sign", "Content-Length: +2\r\n\r\nok"),
    ("a coding besides chunked", "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ("chunked twice", "Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ("a length and chunks", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
];

#[tokio::test]
async fn an_answer_that_ends_in_two_places_is_refused() {
    for &(name, answer) in ODD_ANSWERS {
        let script = move |_, mut connection: RawClient<_>| async move {
            if connection.try_read_through(b"\r\n\r\n").await.is_some() {
                connection.send(format!("HTTP/1.1 200 OK\r\n{answer}").as_bytes()).await;
                connection.read_until_closed().await;
            }
        };
        let origin = ScriptedOrigin::start(script).await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(b"GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n").await;
        assert_eq!(client.read_head().await.status, 502, "{name}");
    }
    super::counted("answers that end in two places", ODD_ANSWERS.len());
}

/// What a server that merges trailers into the head would read as the head of another message.
#[tokio::test]
async fn trailers_do_not_frame_or_route_what_is_in_front_of_them() {
    const TRAILERS: &[&str] = &["Host: evil.test", "Content-Length: 50", "Transfer-Encoding: chunked", "Cookie: a=b", "Connection: close"];
    let world = World::echoing(HTTP1).await;
    let ask = async |trailer: &str| {
        let mut client = world.raw().await;
        let head = format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(format!("{head}5\r\n[1,2]\r\n0\r\n{trailer}\r\n\r\n").as_bytes()).await;
        client.read_head().await.status
    };
    for trailer in TRAILERS {
        assert_eq!(ask(trailer).await, 400, "{trailer}");
    }
    assert_eq!(ask("X-Count: 3").await, 200);
    assert_eq!(world.what_arrived().await.len(), 1, "connections to the cloud");
    super::counted("trailers that frame or route", TRAILERS.len());
}
