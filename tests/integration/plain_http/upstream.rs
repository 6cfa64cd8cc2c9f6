//! Upstreams that misbehave: the client gets an honest answer or a broken connection, never a guess.

use super::{answer, get, refusal, refused, request, setup};
use crate::support::client::{Closing, RawClient, within_deadline};
use crate::support::origin::{Behaviour, Deserted, RawOrigin, ScriptedOrigin};
use crate::support::scrape::{wait_for_decisions, wait_until_idle};
use std::sync::Arc;
use tokio::sync::Notify;

/// An origin that answers every request with these bytes and closes.
async fn answering(bytes: &[u8]) -> ScriptedOrigin {
    let bytes = bytes.to_vec();
    ScriptedOrigin::start(move |_, mut connection| {
        let bytes = bytes.clone();
        async move {
            if connection.try_read_through(b"\r\n\r\n").await.is_some() {
                // The proxy may have seen enough before the end.
                let _ = connection.try_send(&bytes).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_refused() {
    let long = [&b"HTTP/1.1 200 "[..], &b"a".repeat(1 << 20), b"\r\n\r\n"].concat();
    let many = [&b"HTTP/1.1 200 OK\r\n"[..], &b"X-A: a\r\n".repeat(2_000), b"\r\n"].concat();
    let answers: [(&str, &[u8]); 20] = [
        ("nothing", b""),
        ("garbage", b"\x00\x01\x02\x03 this is no answer\r\n\r\n"),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("no status line", b"Content-Length: 0\r\n\r\n"),
        ("two digits", b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"),
        ("four digits", b"HTTP/1.1 0200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("status 1000", b"HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n"),
        ("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("a long status line", &long),
        ("many fields", &many),
        ("a NUL in a field", b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
        ("a bare CR in a field", b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"),
        ("a folded field", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
        ("a high byte in a name", b"HTTP/1.1 200 OK\r\nX\x80: a\r\nContent-Length: 0\r\n\r\n"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("a signed length", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab"),
        ("chunked over HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("101 unasked", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /evil"),
        ("only 100", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ];
    for (what, bytes) in answers {
        let origin = answering(bytes).await;
        let proxy = setup(origin.addr()).start();
        assert_eq!(refused(&proxy, &get("/")).await, (502, "upstream_failed".to_owned()), "{what}");
        assert_eq!(origin.connections(), 1, "{what}: asking a second time does not help");
    }
}

/// A length beside chunks is the classic of response smuggling (RFC 9112 section 6.3): the client must not see both.
#[tokio::test]
async fn an_answer_with_two_framings_leaves_with_one() {
    for fields in ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 50\r\n"] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\na\r\n0123456789\r\n0\r\n\r\n");
        let origin = answering(bytes.as_bytes()).await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&get("/")).await;
        let head = client.read_head().await;
        if head.status == 200 {
            assert_eq!((head.header("content-length"), head.header("transfer-encoding")), (None, Some("chunked")), "{head:?}");
            assert_eq!(client.read_body(&head).await, b"0123456789");
        } else {
            assert_eq!(head.status, 502);
        }
    }
}

/// Bytes behind an answer that has no body belong to nobody, least of all to the next client.
#[tokio::test]
async fn bytes_behind_an_answer_go_nowhere() {
    for answer in ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 200 OK\r\nContent-Length: 0"] {
        let origin = ScriptedOrigin::start(move |before, mut connection| async move {
            connection.read_through(b"\r\n\r\n").await;
            let behind = if before == 0 { "HTTP/1.1 200 Poisoned\r\nContent-Length: 0\r\n\r\n" } else { "" };
            connection.send(format!("{answer}\r\n\r\n{behind}").as_bytes()).await;
            connection.read_until_closed().await;
        });
        let origin = origin.await;
        let proxy = setup(origin.addr()).start();
        for _ in 0..2 {
            let mut client = RawClient::connect(proxy.proxy()).await;
            client.send(&get("/")).await;
            assert_ne!(client.read_head().await.reason, "Poisoned", "{answer}");
        }
        assert_eq!(origin.connections(), 2, "{answer}: the connection is not used again");
    }
}

/// A body that breaks off must not look complete to the client.
#[tokio::test]
async fn a_body_cut_short_breaks_the_connection() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
    ] {
        let origin = answering(bytes.as_bytes()).await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&get("/")).await;
        assert_eq!(client.read_head().await.status, 200);
        let (body, _) = client.read_until_closed().await;
        assert!(!body.ends_with(b"0\r\n\r\n"), "{bytes}");
        wait_until_idle(proxy.admin()).await;
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_given_up() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).section("[limits]\nanswer = \"300ms\"").start();
    assert_eq!(refused(&proxy, &get("/")).await, (504, "idle_timeout".to_owned()));
    origin.wait_for_closed(1).await;
    wait_for_decisions(proxy.admin(), "deny", "idle_timeout", 1).await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_reported() {
    let nobody = Deserted::new();
    let proxy = setup(nobody.addr()).start();
    assert_eq!(refused(&proxy, &get("/")).await, (502, "connect_failed".to_owned()));
}

/// An upstream closes a connection that was kept: the next request gets a fresh one, and nobody notices.
#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let (closed, close) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (closing, close_now) = (Arc::clone(&closed), Arc::clone(&close));
    let origin = ScriptedOrigin::start(move |_, mut connection| {
        let (closed, close) = (Arc::clone(&closing), Arc::clone(&close_now));
        async move {
            connection.read_through(b"\r\n\r\n").await;
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            close.notified().await;
            connection.finish().await;
            connection.read_to_end().await;
            closed.notify_one();
        }
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    for round in 1..=5 {
        client.send(&request("POST", "/", "Content-Length: 0\r\n", "")).await;
        assert_eq!(answer(&mut client).await.1, "ok");
        assert_eq!(origin.connections(), round);
        close.notify_one();
        within_deadline("the proxy lets go of the connection", closed.notified()).await;
    }
}

/// The race that no one can win: the upstream closes as the request is on its way. Asking once more is safe for methods that
/// change nothing (RFC 9112 section 9.3.1, RFC 9110 section 9.2.2); a POST might be carried out twice.
#[tokio::test]
async fn a_request_lost_with_a_kept_connection_is_repeated_only_where_that_is_safe() {
    for (method, status, requests) in [("GET", 200, 3), ("HEAD", 200, 3), ("POST", 502, 2)] {
        let heads = Arc::new(std::sync::Mutex::new(0));
        let seen = Arc::clone(&heads);
        let origin = ScriptedOrigin::start(move |before, mut connection| {
            let heads = Arc::clone(&seen);
            async move {
                let mut served = 0;
                while connection.try_read_through(b"\r\n\r\n").await.is_some() {
                    *heads.lock().expect("no panic holds it") += 1;
                    served += 1;
                    if before == 0 && served == 2 {
                        return;
                    }
                    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                }
            }
        });
        let origin = origin.await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&get("/")).await;
        client.read_head().await;
        client.send(&request(method, "/", "", "")).await;
        assert_eq!(client.read_head().await.status, status, "{method}");
        assert_eq!(*heads.lock().expect("no panic holds it"), requests, "{method}");
    }
}

/// A client that leaves takes its request along: the upstream sees the connection end.
#[tokio::test]
async fn a_client_that_leaves_ends_the_upstream_request() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for number in 1..=2 {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&request("POST", "/", "Content-Length: 100\r\n", "half")).await;
        origin.wait_for_connections(number).await;
        if number == 1 {
            drop(client);
        } else {
            client.reset();
        }
        origin.wait_for_closed(number).await;
    }
    wait_until_idle(proxy.admin()).await;
}

#[tokio::test]
async fn an_upstream_that_resets_is_reported() {
    let origin = RawOrigin::scripted(Behaviour::ResetAfter(1)).await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/")).await;
    let (head, problem) = refusal(&mut client).await;
    assert_eq!((head.status, problem.reason.as_str()), (502, "upstream_failed"));
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
}

/// An answer over HTTP/1.0 ends with its connection; a client that speaks 1.1 gets it framed.
#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_framed() {
    let origin = answering(b"HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nuntil the end").await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    for _ in 0..2 {
        client.send(&get("/")).await;
        let (head, body) = answer(&mut client).await;
        let framing = (head.version.as_str(), head.header("transfer-encoding"));
        assert_eq!((head.status, framing, body.as_str()), (200, ("HTTP/1.1", Some("chunked")), "until the end"));
    }
}

#[tokio::test]
async fn interim_answers_do_not_confuse() {
    let origin = answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/")).await;
    let mut head = client.read_head().await;
    while head.status < 200 {
        head = client.read_head().await;
    }
    assert_eq!((head.status, client.read_body(&head).await.as_slice()), (200, &b"ok"[..]));
}
