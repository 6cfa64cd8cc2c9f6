//! HTTP/2 to the proxy: tunnels as streams of one connection.

use crate::support::client::{RawClient, client_hello, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::entrance::Reception;
use crate::support::http2::{GOAWAY, Http2, PREFACE, SETTINGS, answer, frame, frames, piece, rest};
use crate::support::intercept::{API, Ca};
use crate::support::origin::{Behaviour, Deserted, RawOrigin, ScriptedOrigin, TlsOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_for_decisions, wait_until, wait_until_idle};
use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::{Method, Request};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use ucx_egress::socket::Stream;

const HOST: &str = "api.imagicle.com";
/// Whose upstream takes connections and reads nothing.
const DEAF: &str = "www.imagicle.com";
/// Tunnels of one connection, as many as it may have.
const MANY: usize = 1_000;

fn connect_to(authority: &str) -> Request<()> {
    Request::builder().method(Method::CONNECT).uri(authority).body(()).expect("a request")
}

async fn tunnel(client: &mut Http2) -> (SendStream<Bytes>, RecvStream) {
    let (response, send) = client.open(connect_to("api.imagicle.com:443")).await;
    let response = within_deadline("an answer", response).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("x-decision-id"));
    (send, response.into_body())
}

async fn echoed(tunnel: &mut (SendStream<Bytes>, RecvStream), bytes: &[u8]) {
    tunnel.0.send_data(Bytes::copy_from_slice(bytes), false).expect("the stream is open");
    let mut back = Vec::new();
    while back.len() < bytes.len() {
        back.extend_from_slice(&piece(&mut tunnel.1).await.expect("the stream is open"));
    }
    assert_eq!(back, bytes);
}

fn setup(origin: SocketAddr) -> Setup {
    Setup::new().host(HOST, origin)
}

#[tokio::test]
async fn a_tunnel_passes_and_ends_in_each_direction_on_its_own() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::SpeakAtEnd(b"the end".to_vec())).await);
    let mut daemon = Daemon::start(&reception.configure(setup(origin.addr()), "").text()).await;
    let mut client = reception.http2(daemon.proxy).await;
    let (mut send, receive) = tunnel(&mut client).await;
    let hello = client_hello(Some(HOST));
    send.send_data(hello.clone().into(), false).expect("the stream is open");
    origin.wait_for_bytes(hello.len()).await;
    send.send_data(Bytes::new(), true).expect("the stream is open");
    assert_eq!(rest(receive).await.0, b"the end");
    let record = daemon.wait_for_line("the record", |line| line["protocol"] == "connect_h2").await;
    assert_eq!(
        (record["ended"].as_str(), record["up"].as_u64(), record["down"].as_u64()),
        (Some("completed"), Some(hello.len() as u64), Some(7))
    );
}

#[tokio::test]
async fn a_thousand_tunnels_share_a_connection_and_one_that_is_not_read_holds_up_no_other() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let hello = client_hello(Some(HOST));
    let mut tunnels = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        let mut tunnel = tunnel(&mut client).await;
        echoed(&mut tunnel, &hello).await;
        tunnels.push(tunnel);
    }
    // What the first sends comes back and is not read: its windows, and all that is buffered on the way, fill up.
    let mut stalled = tunnels.remove(0);
    let bulk = Bytes::from(vec![1; 8 << 20]);
    stalled.0.send_data(bulk.clone(), false).expect("the stream is open");
    for tunnel in &mut tunnels {
        echoed(tunnel, b"more").await;
    }
    let gauge = wait_until(proxy.admin(), |scrape| scrape.value("ucx_egress_tunnels", &[("service", "licensing")]) == Some(1_000.0)).await;
    assert_eq!(gauge.count("ucx_egress_connections", &[("listener", "proxy")]), 1);
    // Nothing of the stalled one was lost.
    let mut back = 0;
    while back < bulk.len() {
        back += piece(&mut stalled.1).await.expect("the stream is open").len();
    }
    drop((stalled, tunnels, client));
    wait_until_idle(proxy.admin()).await;
}

/// More than all sockets on the way hold, and more tunnels than one window of the connection would do for.
#[tokio::test]
async fn uploads_that_nobody_takes_hold_up_no_other() {
    const UPLOADS: usize = 20;
    const EACH: usize = 16 << 20;
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let deaf = ScriptedOrigin::start(|_, client| async move {
        std::future::pending::<()>().await;
        drop(client);
    })
    .await;
    let proxy = reception.configure(setup(origin.addr()).host(DEAF, deaf.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let mut other = tunnel(&mut client).await;
    echoed(&mut other, &client_hello(Some(HOST))).await;
    let bulk = Bytes::from(vec![0; EACH]);
    let mut uploads = Vec::with_capacity(UPLOADS);
    for _ in 0..UPLOADS {
        let (response, mut send) = client.open(connect_to("www.imagicle.com:443")).await;
        assert_eq!(within_deadline("an answer", response).await.expect("an answer").status(), 200);
        send.send_data(client_hello(Some(DEAF)).into(), false).expect("the stream is open");
        send.send_data(bulk.clone(), false).expect("the stream is open");
        uploads.push(send);
    }
    for _ in 0..1_000 {
        echoed(&mut other, &[7; 1_000]).await;
    }
    let up = [("service", "cloud-connection"), ("direction", "up")];
    let taken = Scrape::get(proxy.admin()).await.count("ucx_egress_bytes_total", &up);
    assert!(taken < UPLOADS * EACH, "{taken} bytes went up: nothing stood still");
}

#[tokio::test]
async fn a_refusal_ends_its_stream_alone() {
    let (reception, origin, gone) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await, Deserted::new());
    let proxy = reception.configure(setup(origin.addr()).host("www.imagicle.com", gone.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let mut open = tunnel(&mut client).await;
    for (request, status, reason) in [
        (connect_to("evil.test:443"), 403, "host_not_allowed"),
        (connect_to("api.imagicle.com:444"), 403, "port_not_allowed"),
        (connect_to("10.0.0.1:443"), 403, "ip_literal"),
        (connect_to("www.imagicle.com:443"), 502, "connect_failed"),
        (Request::builder().uri("http://api.imagicle.com/").body(()).expect("a request"), 405, "method_not_allowed"),
    ] {
        let refused = client.get(request).await;
        assert_eq!((refused.status(), refused.reason().as_str()), (status, reason), "{refused:?}");
        wait_for_decisions(proxy.admin(), "deny", reason, 1).await;
    }
    let other_host = Request::builder().method(Method::CONNECT).uri("api.imagicle.com:443").header("host", "evil.test").body(());
    assert_eq!(client.get(other_host.expect("a request")).await.reason(), "authority_mismatch");
    let no_port = client.get(connect_to("api.imagicle.com")).await;
    assert_eq!((no_port.status(), no_port.reason().as_str()), (400, "bad_request"));
    echoed(&mut open, &client_hello(Some(HOST))).await;
}

/// RFC 9113 section 8.5: an end of DATA would say that all was sent.
#[tokio::test]
async fn a_broken_upstream_resets_its_stream() {
    let hello = client_hello(Some(HOST));
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::ResetAfter(hello.len())).await);
    let proxy = reception.configure(setup(origin.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let (mut send, mut receive) = tunnel(&mut client).await;
    send.send_data(hello.into(), false).expect("the stream is open");
    let error = within_deadline("the reset", receive.data()).await.expect("no end in order").expect_err("no data");
    assert_eq!(error.reason(), Some(Reason::CONNECT_ERROR), "{error}");
}

#[tokio::test]
async fn a_reset_stream_resets_its_upstream() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let mut tunnel = tunnel(&mut client).await;
    echoed(&mut tunnel, &client_hello(Some(HOST))).await;
    tunnel.0.send_reset(Reason::CANCEL);
    origin.wait_for_closed(1).await;
    assert_eq!(origin.resets(), 1);
}

#[tokio::test]
async fn what_is_said_inside_is_checked_as_in_every_tunnel() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let (mut send, mut receive) = tunnel(&mut client).await;
    send.send_data(client_hello(Some("evil.test")).into(), false).expect("the stream is open");
    assert_eq!(piece(&mut receive).await.as_deref(), Some(&[21, 3, 3, 0, 2, 2, 112][..]));
    wait_for_decisions(proxy.admin(), "deny", "sni_mismatch", 1).await;
}

#[tokio::test]
async fn each_tunnel_takes_a_place_under_the_limit() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").section("[limits]\nmax_connections = 3").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let mut open = vec![tunnel(&mut client).await, tunnel(&mut client).await];
    let (response, _) = client.open(connect_to("api.imagicle.com:443")).await;
    let refused = answer(response).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (503, "overloaded"));
    open.pop();
    wait_until(proxy.admin(), |scrape| scrape.value("ucx_egress_tunnels", &[("service", "licensing")]) != Some(2.0)).await;
    within_deadline("a place", async {
        while within_deadline("an answer", client.open(connect_to("api.imagicle.com:443")).await.0).await.expect("an answer").status()
            != 200
        {}
    })
    .await;
}

/// As between two requests of HTTP/1.1; a tunnel keeps its connection, however silent it is.
#[tokio::test]
async fn a_connection_without_tunnels_is_ended_and_one_with_is_not() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").section("[limits]\nhead = \"400ms\"").start();
    let mut busy = reception.http2(proxy.proxy()).await;
    let mut silent = tunnel(&mut busy).await;
    echoed(&mut silent, &client_hello(Some(HOST))).await;
    let idle = reception.http2(proxy.proxy()).await;
    within_deadline("the end of the idle one", idle.connection).await.expect("its task ends").expect("in order");
    // By now the other has been silent for longer than that.
    let mut second = tunnel(&mut busy).await;
    echoed(&mut second, &client_hello(Some(HOST))).await;
    echoed(&mut silent, b"still here").await;
}

/// Clients need not answer what they are told; their place is wanted all the same.
#[tokio::test]
async fn a_connection_without_tunnels_is_ended_under_a_client_that_stays() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").section("[limits]\nhead = \"200ms\"").start();
    let mut silent = reception.connect(proxy.proxy(), &[b"h2"]).await.expect("a handshake");
    let hello = [PREFACE, &frame(SETTINGS, 0, &[]), &frame(SETTINGS, 1, &[])].concat();
    within_deadline("the hello", silent.write_all(&hello)).await.expect("the proxy listens");
    let mut told = Vec::new();
    // It ends with or without a goodbye of TLS.
    let _ = within_deadline("the end", silent.read_to_end(&mut told)).await;
    assert!(frames(&told).iter().any(|frame| frame.kind == GOAWAY), "{told:?}");
}

#[tokio::test]
async fn it_is_decrypted_as_a_tunnel_is() {
    let (reception, pki) = (Reception::new(), Pki::new());
    let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
    let ca = Ca::new(&pki, &[API]);
    let proxy = reception.configure(ca.configure(Setup::new().host(API, origin.addr())), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let (send, receive) = tunnel(&mut client).await;
    let connector = TlsConnector::from(ca.client(&[b"http/1.1"]));
    let name = ServerName::try_from(API).expect("a name");
    let inner = within_deadline("tls", connector.connect(name, Stream::new(send, receive))).await.expect("our certificate is trusted");
    let mut inner = RawClient::over(inner);
    inner.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    assert_eq!(inner.read_head().await.status, 200);
    wait_until(proxy.admin(), |scrape| scrape.count("ucx_egress_coverage_total", &[("state", "inspected")]) == 1).await;
}

#[tokio::test]
async fn a_proxy_that_stops_finishes_tunnels_and_begins_none() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(setup(origin.addr()), "").start();
    let mut client = reception.http2(proxy.proxy()).await;
    let mut tunnel = tunnel(&mut client).await;
    echoed(&mut tunnel, &client_hello(Some(HOST))).await;
    let stopping = tokio::spawn(proxy.stop());
    // The client is told by GOAWAY: a new stream is not sent any more.
    within_deadline("the farewell", async {
        while client.sender.clone().ready().await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    echoed(&mut tunnel, b"still here").await;
    tunnel.0.send_data(Bytes::new(), true).expect("the stream is open");
    assert_eq!(rest(tunnel.1).await.0, b"");
    within_deadline("the stop", stopping).await.expect("it stops in order");
}
