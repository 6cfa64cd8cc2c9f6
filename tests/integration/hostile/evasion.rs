//! Values in pieces, and ways around inspection, over the wire: what is refused does not leave.

use crate::support::clean::{labelled, number};
use crate::support::client::Problem;
use crate::support::http2::{Answer, message, piece, rest, stream_bodies};
use crate::support::intercept::Ca;
use crate::support::origin::TappedOrigin;
use crate::support::pki::Pki;
use crate::support::policy::{PolicyFile, service};
use crate::support::proxy::Setup;
use crate::support::world::{API, HTTP1, HTTP2, World, call};
use http::Response;
use ucx_egress::config::Config;
use ucx_egress::source::Source;

#[tokio::test]
async fn a_value_in_pieces_does_not_leave() {
    let world = World::echoing(HTTP1).await;
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    for (line, content_type, body) in [
        ("POST /echo", json, r#"["4111 1111","1111 1111"]"#),
        ("POST /echo", json, r#"{"items":["IT60 X054","2811 1010","0000 0123 456"]}"#),
        ("POST /echo", json, r#"{"version":"1.2.3","x":"RSSMRA","y":"85T10A562S"}"#),
        ("POST /echo", json, r#"[{"x":"4111 1111"},{"x":"1111 1111"}]"#),
        ("POST /echo", json, r#"{"vendor":["4111","1111","1111","1111"]}"#),
        ("POST /echo", json, r#"{"applications":["mario.rossi@","acme.it"]}"#),
        ("POST /echo", json, r#"{"applications":[{"name":"mario.rossi","vendor":"@acme.it"}]}"#),
        ("POST /echo", json, r#"{"applications":["m","a","r","i","o","@","a","c","m","e",".","i","t"]}"#),
        ("POST /echo", form, "a=4111&b=11111111&c=1111"),
        ("GET /echo?a=4111&b=11111111&c=1111", json, ""),
        ("GET /echo?a=mario.rossi&b=%40example.com", json, ""),
        ("GET /echo/4111/11111111/1111", json, ""),
    ] {
        let mut client = world.raw().await;
        let text =
            format!("{line} HTTP/1.1\r\nHost: {API}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        client.send(text.as_bytes()).await;
        let head = client.read_head().await;
        let back = client.read_body(&head).await;
        assert_eq!((head.status, Problem::parse(&head, &back).reason.as_str()), (403, "personal_data"), "{text}");
        assert!(!String::from_utf8_lossy(&back).contains("1111"), "no value in an answer: {text}");
    }
    let mut client = world.raw().await;
    client.send(format!("GET /echo HTTP/1.1\r\nHost: {API}\r\nX-A: 4111 1111\r\nAccept: */*\r\nX-B: 1111 1111\r\n\r\n").as_bytes()).await;
    let head = client.read_head().await;
    let back = client.read_body(&head).await;
    let problem = Problem::parse(&head, &back);
    assert_eq!((head.status, problem.reason.as_str()), (403, "personal_data"));
    assert!(problem.detail.contains("payment_card in several header fields together"), "{}", problem.detail);
    assert!(world.what_arrived().await.concat().is_empty());
}

/// One message after the other, each answered before the next is sent; the last is what is refused.
async fn dripped(world: &World, texts: &[&str]) -> Answer {
    let mut client = world.http2().await;
    let (response, mut body) = client.open(call("/t/Report")).await;
    let (last, first) = texts.split_last().expect("there are some");
    body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    let (head, mut echoed) = response.await.expect("an answer").into_parts();
    assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&number(1)));
    for text in first {
        body.send_data(message(&labelled(text)).into(), false).expect("the stream is open");
        assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&labelled(text)), "{text}");
    }
    body.send_data(message(&labelled(last)).into(), true).expect("the stream is open");
    let (body, trailers) = rest(echoed).await;
    Answer { head: Response::from_parts(head, ()), body, trailers }
}

#[tokio::test]
async fn a_value_that_drips_through_a_stream_is_refused_where_it_is_complete() {
    let observing = "[inspection]\nunknown_fields = \"observe\"";
    let world = World::with(async |pki| TappedOrigin::echoing(pki, &[API], HTTP2).await, |setup| setup.section(observing)).await;
    let letters: Vec<String> = "RSSMRA85T10A562S".chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    for texts in [&["4111 1111", "1111 1111"][..], &letters] {
        let answer = dripped(&world, texts).await;
        let told = format!("gRPC message {}", texts.len() + 1);
        assert_eq!(answer.field("grpc-status"), Some("7"), "{answer:?}");
        assert!(answer.field("grpc-message").is_some_and(|said| said.contains(" personal_data: ") && said.contains(&told)), "{answer:?}");
        assert!(answer.body.is_empty(), "{answer:?}");
    }
    // Each stream is one of its own.
    let answer = dripped(&world, &["1111 1111"]).await;
    assert_eq!(answer.field("grpc-status"), Some("0"), "{answer:?}");
    let bodies = stream_bodies(&world.what_arrived().await);
    let cut = [number(1), labelled("4111 1111")].map(|text| message(&text)).concat();
    assert!(bodies.contains(&cut), "what was clean had left: {bodies:?}");
    let whole = [number(1), labelled("4111 1111"), labelled("1111 1111")].map(|text| message(&text)).concat();
    assert!(!bodies.contains(&whole), "what completes it did not");
}

/// A service that is to be inspected has no endpoint in the clear, and one that another service has at its host is told of.
#[tokio::test]
async fn plain_http_is_no_way_around() {
    const INSPECTED: &str = "personal_data = \"none\"\ntreatment = \"intercept\"";
    let policy = PolicyFile::new(&service("s", INSPECTED, &[(API, 443, "https"), (API, 80, "http")]));
    let error = Config::read(&Source::embedded("c.toml", &policy.section())).expect_err("no such policy loads");
    assert!(error.message.contains("treatment = \"intercept\" is for https and grpc, not for http"), "{error}");
    for (host, is_told) in [(API, true), ("other.imagicle.com", false)] {
        let services = service("s", INSPECTED, &[(API, 443, "https")]) + &service("t", "personal_data = \"none\"", &[(host, 80, "http")]);
        let ca = Ca::new(&Pki::new(), &[API]);
        let config = ca.configure(Setup::new().policy(PolicyFile::new(&services))).config();
        let told = config.warnings.iter().any(|warning| warning.message.contains(&format!("{host}:80 as plain HTTP is not inspected")));
        assert_eq!(told, is_told, "{host}: {:?}", config.warnings);
    }
}
