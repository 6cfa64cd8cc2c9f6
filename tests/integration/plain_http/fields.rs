//! Header fields: what belongs to one hop stays there, what tells of the inside stays inside, `Via` grows by one.

use super::{HOST, answer, get, refusal, request, setup};
use crate::support::client::{RawClient, exchange};
use crate::support::origin::{HttpOrigin, ScriptedOrigin};
use crate::support::scrape::wait_for_decisions;

/// The fields that the origin's `/headers` reports, in lower case.
async fn arriving(sent: &str) -> Vec<(String, String)> {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let (head, body) = exchange(proxy.proxy(), &request("GET", "/headers", sent, "")).await;
    assert_eq!(head.status, 200);
    serde_json::from_slice(&body).expect("the origin answers in JSON")
}

fn values<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
}

/// RFC 9110 section 7.6.1; both `Connection` lines count.
#[tokio::test]
async fn fields_of_one_hop_do_not_reach_the_origin() {
    let sent = "Connection: X-A, keep-alive\r\nConnection: x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\nKeep-Alive: timeout=5\r\n\
                Proxy-Connection: keep-alive\r\nTE: gzip\r\nTrailer: x\r\nUpgrade: y\r\nProxy-Authorization: Basic dTpw\r\n\
                Proxy-Authenticate: Basic\r\n";
    let fields = arriving(sent).await;
    let mut names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["host", "via", "x-c"]);
}

/// Whoever could take these away would change where a message goes or on whose behalf.
#[tokio::test]
async fn connection_cannot_name_away_what_every_hop_needs() {
    let fields = arriving("Connection: Host, Authorization, Content-Length\r\nAuthorization: Bearer t\r\nContent-Length: 0\r\n").await;
    assert_eq!(values(&fields, "host"), [HOST]);
    assert_eq!(values(&fields, "authorization"), ["Bearer t"]);
}

#[tokio::test]
async fn addresses_of_the_inside_do_not_leave() {
    let sent = "X-Forwarded-For: 10.1.2.3\r\nForwarded: for=10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\nforwarded: by=10.1.2.4\r\n";
    let fields = arriving(sent).await;
    assert!(fields.iter().all(|(_, value)| !value.contains("10.1.2.") && !value.contains("127.0.0.")), "{fields:?}");
}

#[tokio::test]
async fn what_belongs_to_the_message_arrives_unchanged() {
    let sent = "User-Agent: a/1 (b; c)\r\nX-Twice: 1\r\nX-Twice: 2\r\nCookie: a=b; c=d\r\nX-Empty:\r\nAccept: */*\r\nX-Obs: caf\u{e9}\r\n";
    let fields = arriving(sent).await;
    for (name, expected) in [
        ("user-agent", vec!["a/1 (b; c)"]),
        ("x-twice", vec!["1", "2"]),
        ("cookie", vec!["a=b; c=d"]),
        ("x-empty", vec![""]),
        ("accept", vec!["*/*"]),
        ("x-obs", vec!["caf\u{e9}"]),
    ] {
        assert_eq!(values(&fields, name), expected, "{name}");
    }
}

/// Neither WebSocket nor HTTP/2 in the clear: the origin must not hear of the wish.
#[tokio::test]
async fn no_upgrade_reaches_the_origin() {
    for sent in [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ] {
        let fields = arriving(sent).await;
        for name in ["connection", "upgrade", "http2-settings"] {
            assert_eq!(values(&fields, name), [""; 0], "{sent}");
        }
    }
}

/// After a wish for an upgrade the client may not go on as if it were granted: bytes behind it are the next request.
#[tokio::test]
async fn what_follows_a_refused_upgrade_is_a_request() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    let upgrade = request("GET", "/test", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "");
    client.send(&[&upgrade[..], b"GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"].concat()).await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    assert_eq!(refusal(&mut client).await.1.reason, "host_not_allowed");
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn via_grows_by_one_entry_in_both_directions() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let others = "1.0 fred, 1.1 ucx-egress, ".to_owned() + &"1.1 p.example.net (x), ".repeat(17) + "1.1 last";
    let (head, _) = exchange(proxy.proxy(), &request("GET", "/test", &format!("Via: {others}\r\n"), "")).await;
    let ours = head.header("via").expect("the answer came through this proxy").to_owned();
    assert!(ours.starts_with("1.1 ucx-egress-"), "{ours}");
    let seen = &origin.requests()[0].headers;
    let via: Vec<_> = seen.get_all("via").iter().filter_map(|value| value.to_str().ok()).collect();
    assert_eq!(via.join(", "), format!("{others}, {ours}"));
}

#[tokio::test]
async fn a_request_that_comes_round_again_is_a_loop() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let (head, _) = exchange(proxy.proxy(), &get("/test")).await;
    let ours = head.header("via").expect("the answer came through this proxy").to_owned();
    let pseudonym = ours.split(' ').nth(1).expect("protocol and pseudonym");
    for field in [
        format!("Via: {ours}\r\n"),
        format!("via: 1.1 a,1.0  {pseudonym}\t(comment),1.1 b\r\n"),
        format!("Via: 1.1 a\r\nVia: HTTP/1.1 {pseudonym}\r\n"),
    ] {
        let refused = super::refused(&proxy, &request("GET", "/test", &field, "")).await;
        assert_eq!(refused, (403, "loop_detected".to_owned()), "{field}");
    }
    wait_for_decisions(proxy.admin(), "deny", "loop_detected", 3).await;
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn fields_of_one_hop_do_not_reach_the_client() {
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_through(b"\r\n\r\n").await;
        let fields = "Connection: X-A\r\nConnection: close, x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\nKeep-Alive: timeout=5\r\n\
                      Proxy-Authenticate: Basic\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTrailer: x\r\nServer: origin/1\r\n\
                      Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nVia: 1.0 cdn\r\nContent-Length: 2\r\n";
        connection.send(format!("HTTP/1.1 200 Quite fine\r\n{fields}\r\nok").as_bytes()).await;
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/")).await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, head.reason.as_str(), body.as_str()), (200, "Quite fine", "ok"));
    for gone in ["x-a", "x-b", "keep-alive", "proxy-authenticate", "proxy-connection", "upgrade", "trailer", "transfer-encoding"] {
        assert_eq!(head.header(gone), None, "{head:?}");
    }
    let kept = [("x-c", "3"), ("server", "origin/1"), ("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("content-length", "2")];
    for (name, value) in kept {
        assert_eq!(values(&head.headers, name), [value], "{head:?}");
    }
    let via = values(&head.headers, "via").join(", ");
    assert!(via.starts_with("1.0 cdn, 1.1 ucx-egress-"), "{via}");
    client.send(&get("/")).await;
    assert_eq!(answer(&mut client).await.0.status, 200, "the origin closing its connection is not the client's matter");
}
