//! Answers that are none, stop halfway, or do not come.

use super::{CLEAN, Client, H1, H2, Served, Tally, ask, cuts, ok, read_request, refusal, world};
use crate::support::clean::document;
use crate::support::client::{Closing, RawClient, within_deadline};
use crate::support::intercept::{API, World, text};
use crate::support::origin::{Code, Frames, ScriptedOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::scrape::{wait_for_decisions, wait_until};
use http::Method;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// An origin in HTTP/1.1 that answers every request with these bytes and hangs up.
async fn answering(bytes: &[u8], sections: &str) -> (Tally, World, impl Sized) {
    let (tally, bytes) = (Tally::default(), bytes.to_vec());
    let counted = tally.clone();
    let (origin, world) = world(&[H1], sections, move |_, stream| {
        let (counted, bytes) = (counted.clone(), bytes.clone());
        async move {
            let mut connection = RawClient::over(stream);
            if read_request(&mut connection).await.is_some() {
                counted.add();
                // The proxy may have seen enough before the end.
                let _ = connection.try_send(&bytes).await;
            }
        }
    })
    .await;
    (tally, world, origin)
}

#[tokio::test]
async fn answers_that_are_not_http_are_refused_and_not_asked_for_again() {
    let cases: [(&str, &[u8]); 8] = [
        ("garbage", b"\x00\x01\x02\x03 this is no answer\r\n\r\n"),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("no status line", b"Content-Length: 0\r\n\r\n"),
        ("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("a NUL in a field", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("101 unasked", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        ("another greeting", b"220 mail.example.com ESMTP\r\n"),
    ];
    for (what, bytes) in cases {
        let (tally, world, _origin) = answering(bytes, "").await;
        let (status, reason, _) = refusal(ask(&world, Client::Http1, Method::GET, "").await).await;
        assert_eq!((status, reason.as_str(), tally.count()), (502, "upstream_failed", 1), "{what}");
        wait_for_decisions(world.proxy.admin(), "deny", "upstream_failed", 1).await;
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_told_as_such() {
    let (_, world, _origin) = answering(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "").await;
    let (_, _, detail) = refusal(ask(&world, Client::Http1, Method::GET, "").await).await;
    assert_eq!(detail, "the upstream switched protocols unasked");
}

/// How an answer stops in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stops {
    /// Fewer bytes than it announced.
    Length,
    /// No last chunk.
    Chunks,
    /// An end of the connection that TLS does not confirm: anybody on the way could have caused it.
    Connection,
    /// The stream is reset.
    Stream,
    /// The connection of the stream ends.
    Streams,
}

impl Stops {
    const BEHIND_HTTP1: [Self; 3] = [Self::Length, Self::Chunks, Self::Connection];
    const BEHIND_HTTP2: [Self; 2] = [Self::Stream, Self::Streams];

    /// Stops once the client has what there is.
    async fn serve(self, stream: Served, taken: Arc<Notify>) {
        match self {
            Self::Length => Self::speak(stream, &taken, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").await,
            Self::Chunks => Self::speak(stream, &taken, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await,
            Self::Connection => Self::speak(stream, &taken, b"HTTP/1.1 200 OK\r\n\r\nhello").await,
            Self::Stream | Self::Streams => {
                let Some(mut frames) = Frames::accept(stream).await else { return };
                let Some(id) = frames.request().await else { return };
                frames.begin(id, b"hello").await;
                taken.notified().await;
                if self == Self::Stream {
                    frames.reset(id, Code::InternalError).await;
                    frames.wait().await;
                }
            }
        }
    }

    async fn speak(stream: Served, taken: &Notify, bytes: &[u8]) {
        let mut connection = RawClient::over(stream);
        if read_request(&mut connection).await.is_some() {
            connection.send(bytes).await;
            taken.notified().await;
        }
    }
}

/// The client must not take half an answer for a whole one.
async fn breaks(stops: Stops, client: Client, alpn: &[&[u8]]) {
    let taken = Arc::new(Notify::new());
    let told = taken.clone();
    let (origin, world) = world(alpn, "", move |_, stream| stops.serve(stream, told.clone())).await;
    let mut response = ask(&world, client, Method::GET, "").await;
    assert_eq!(response.status(), 200);
    let first = within_deadline("its beginning", response.body_mut().frame()).await.expect("a frame").expect("of the body");
    assert_eq!(first.into_data().expect("data"), "hello");
    taken.notify_one();
    let rest = within_deadline("the end", response.into_body().collect()).await;
    assert!(rest.is_err(), "{stops:?} {client:?}: {rest:?}");
    wait_until(world.proxy.admin(), |scrape| scrape.count("ucx_egress_cuts_total", &[("reason", "upstream_failed")]) == 1).await;
    assert_eq!(origin.handshakes().len(), 1, "{stops:?} {client:?}: nothing is asked for again");
}

#[tokio::test]
async fn answers_that_stop_halfway_do_not_end_in_order() {
    for stops in Stops::BEHIND_HTTP1 {
        breaks(stops, Client::Http1, &[H1]).await;
    }
    for stops in Stops::BEHIND_HTTP2 {
        breaks(stops, Client::Http2, &[H2, H1]).await;
        breaks(stops, Client::Http1, &[H2]).await;
    }
}

/// As the client's parser sees it, byte by byte.
#[tokio::test]
async fn half_an_answer_in_chunks_has_no_last_chunk() {
    let (_tally, world, _origin) = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "").await;
    let mut client = world.ca.raw(world.proxy.proxy(), API).await;
    client.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    let (body, closing) = client.read_until_closed().await;
    assert_eq!((String::from_utf8_lossy(&body).as_ref(), closing), ("5\r\nhello\r\n", Closing::Abrupt));
}

/// With the end of TLS it is an orderly end of an answer that has no other.
#[tokio::test]
async fn an_answer_that_ends_with_its_connection_in_order_is_whole() {
    let (_origin, world) = world(&[H1], "", |_, stream| async move {
        let mut connection = RawClient::over(stream);
        if read_request(&mut connection).await.is_some() {
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nhello").await;
            connection.try_finish().await.ok();
        }
    })
    .await;
    assert_eq!(text(ask(&world, Client::Http1, Method::GET, "").await).await, "hello");
    assert!(cuts(&world, "upstream_failed").await == 0.0);
}

#[tokio::test]
async fn a_request_that_is_cut_off_is_refused() {
    for body in [CLEAN, &document(1_000_000)] {
        let tally = Tally::default();
        let counted = tally.clone();
        let (_origin, world) = world(&[H1], "", move |_, stream| {
            let counted = counted.clone();
            async move {
                let mut connection = RawClient::over(stream);
                if connection.try_read_through(b"\r\n\r\n").await.is_some() {
                    counted.add();
                }
            }
        })
        .await;
        let (status, reason, _) = refusal(ask(&world, Client::Http1, Method::POST, body).await).await;
        assert_eq!((status, reason.as_str(), tally.count()), (502, "upstream_failed", 1), "{} bytes", body.len());
    }
    let (_origin, world) = world(&[H2, H1], "", |_, stream| async move {
        if let Some(mut frames) = Frames::accept(stream).await {
            frames.head().await;
        }
    })
    .await;
    let (status, reason, _) = refusal(ask(&world, Client::Http2, Method::POST, &document(40_000)).await).await;
    assert_eq!((status, reason.as_str()), (502, "upstream_failed"));
}

/// The tunnel stands already, so the refusal is an answer inside it.
#[tokio::test]
async fn a_later_handshake_that_is_cut_off_is_told_inside_the_tunnel() {
    let pki = Pki::new();
    let acceptor = TlsAcceptor::from(pki.chain(API, |_| {}).server(&[H1]));
    let origin = ScriptedOrigin::start(move |before, connection| {
        let acceptor = acceptor.clone();
        async move {
            if before == 0 {
                let Ok(stream) = acceptor.accept(connection.into_stream()).await else { return };
                read_request(&mut RawClient::over(stream)).await;
            }
        }
    })
    .await;
    let world = World::new(&pki, origin.addr());
    let (status, reason, detail) = refusal(ask(&world, Client::Http1, Method::GET, "").await).await;
    assert_eq!((status, reason.as_str()), (502, "upstream_tls_invalid"));
    assert_eq!(detail, "the upstream broke off the TLS handshake");
    assert_eq!((origin.connections(), world.handshakes("upstream").await), (2, (1, 1)));
}

#[tokio::test]
async fn an_origin_that_does_not_answer_is_given_up_and_not_asked_again() {
    for (client, alpn, method, body) in [
        (Client::Http1, &[H1][..], Method::GET, ""),
        (Client::Http1, &[H1], Method::POST, CLEAN),
        (Client::Http1, &[H2], Method::GET, ""),
        (Client::Http2, &[H2, H1], Method::GET, ""),
        (Client::Http2, &[H2, H1], Method::POST, CLEAN),
    ] {
        let tally = Tally::default();
        let counted = tally.clone();
        let (_origin, world) = world(alpn, "[limits]\nanswer = \"200ms\"", move |_, stream| {
            let counted = counted.clone();
            async move {
                if stream.get_ref().1.alpn_protocol() == Some(H2) {
                    let Some(mut frames) = Frames::accept(stream).await else { return };
                    while frames.request().await.is_some() {
                        counted.add();
                    }
                } else {
                    let mut connection = RawClient::over(stream);
                    while read_request(&mut connection).await.is_some() {
                        counted.add();
                    }
                }
            }
        })
        .await;
        let (status, reason, _) = refusal(ask(&world, client, method, body).await).await;
        assert_eq!((status, reason.as_str(), tally.count()), (504, "idle_timeout", 1), "{client:?} {alpn:?}");
    }
}

/// A connection whose answer did not come is nobody else's: what comes late would answer the next request.
#[tokio::test]
async fn what_comes_too_late_answers_nobody() {
    let (origin, world) = world(&[H1], "[limits]\nanswer = \"200ms\"", |before, stream| async move {
        let mut connection = RawClient::over(stream);
        if read_request(&mut connection).await.is_none() {
            return;
        }
        if before == 0 {
            connection.read_until_closed().await;
            let _ = connection.try_send(&ok("late")).await;
        } else {
            connection.send(&ok("in time")).await;
            connection.read_until_closed().await;
        }
    })
    .await;
    assert_eq!(refusal(ask(&world, Client::Http1, Method::GET, "").await).await.1, "idle_timeout");
    assert_eq!(text(ask(&world, Client::Http1, Method::GET, "").await).await, "in time");
    assert_eq!(origin.handshakes().len(), 2);
}

/// Nothing more comes of an answer that began: the service's own limit ends it, and the client must not take it for whole.
#[tokio::test]
async fn an_answer_that_falls_silent_is_cut() {
    for (client, alpn) in [(Client::Http1, &[H1][..]), (Client::Http2, &[H2, H1])] {
        let policy = PolicyFile::intercepted("300ms", &[API]);
        let (_origin, world) = world(alpn, &policy.section(), |_, stream| async move {
            if stream.get_ref().1.alpn_protocol() == Some(H2) {
                let Some(mut frames) = Frames::accept(stream).await else { return };
                while let Some(id) = frames.request().await {
                    frames.begin(id, b"hello").await;
                }
            } else {
                let mut connection = RawClient::over(stream);
                if read_request(&mut connection).await.is_some() {
                    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").await;
                    connection.read_until_closed().await;
                }
            }
        })
        .await;
        let response = ask(&world, client, Method::GET, "").await;
        assert_eq!(response.status(), 200);
        assert!(within_deadline("the end", response.into_body().collect()).await.is_err(), "{client:?}");
        wait_until(world.proxy.admin(), |scrape| scrape.count("ucx_egress_cuts_total", &[("reason", "idle_timeout")]) == 1).await;
    }
}
