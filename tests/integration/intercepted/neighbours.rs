//! What one client does, or one dead upstream, must not cost the others: their time, their room, their inspection.

use crate::support::clean::{TEXT, document, number};
use crate::support::client::{connect_tunnel, within_deadline};
use crate::support::http2::{Http2, message, piece};
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, RawOrigin, TappedOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_until};
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, call, request};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;
use std::time::{Duration, Instant};

/// Each would cost the deadline after the one before it, if they did not share the attempt: 10 seconds in all, as long as any test
/// waits for anything.
#[tokio::test]
async fn a_herd_in_front_of_a_silent_upstream_waits_for_one_attempt() {
    let origin = RawOrigin::scripted(Behaviour::Hold).await;
    let ca = Ca::new(&Pki::new(), &[API]);
    let setup = Setup::new().host(API, origin.addr()).section("[limits]\nconnect = \"500ms\"");
    let proxy = ca.configure(setup).start();
    let began = Instant::now();
    let answers = join_all((0..20).map(|_| connect_tunnel(proxy.proxy(), "api.imagicle.com:443"))).await;
    for answer in answers {
        let Err((head, problem)) = answer else { panic!("the upstream never answers") };
        assert_eq!((head.status, problem.reason.as_str()), (504, "connect_timeout"));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}: one attempt each, one after the other", began.elapsed());
    assert!(origin.connections() <= 3, "{} attempts", origin.connections());
}

/// The bytes of a message stay in memory until the upstream has taken them, however often they changed hands.
#[tokio::test]
async fn a_message_that_the_upstream_does_not_take_keeps_its_share() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let section = "[inspection]\nmax_message = \"8MiB\"\nmax_held = \"8MiB\"\n[limits]\nanswer = \"2s\"";
    // Far more than any socket buffers, so most of it waits in the proxy.
    let deaf = async |pki: &Pki| {
        TappedOrigin::scripted(pki, &[API], HTTP1, |stream| async move {
            let _stream = stream;
            std::future::pending::<()>().await;
        })
        .await
    };
    let world = World::with(deaf, |setup| setup.section(section)).await;
    let mut first = world.raw().await;
    let head = format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {LENGTH}\r\n\r\n");
    first.send(head.as_bytes()).await;
    first.send(document(LENGTH).as_bytes()).await;
    // Judged, so it was held whole and released.
    wait_until(world.proxy.admin(), |scrape| scrape.count("ucx_egress_inspected_messages_total", &[("verdict", "allow")]) == 1).await;
    let mut second = world.raw().await;
    second.send(head.as_bytes()).await;
    assert_eq!(second.read_head().await.status, 503, "there is no room for another one");
    assert_eq!(within_deadline("the first is given up", first.read_head()).await.status, 504);
    let mut third = world.raw().await;
    third.send(format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n1").as_bytes()).await;
    assert_eq!(third.read_head().await.status, 504, "its share came back");
}

/// Whoever only announces much takes little from the others.
#[tokio::test]
async fn announcing_large_messages_takes_no_room() {
    let world = World::echoing(HTTP1).await;
    let mut holders = Vec::new();
    for _ in 0..32 {
        let mut client = world.raw().await;
        // 32 times 4 MiB is twice what may be held.
        let head = "Content-Type: text/plain\r\nContent-Length: 4194304\r\nExpect: 100-continue\r\n\r\n";
        client.send(format!("POST / HTTP/1.1\r\nHost: {API}\r\n{head}").as_bytes()).await;
        assert_eq!(client.read_head().await.status, 100);
        holders.push(client);
    }
    let mut client = world.raw().await;
    client
        .send(format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n{TEXT}").as_bytes())
        .await;
    assert_eq!(client.read_head().await.status, 200);
}

/// Fields by which a server behind might act on another path than the one that decided.
#[tokio::test]
async fn fields_that_name_another_path_or_method_do_not_go_on() {
    let world = World::echoing(HTTP1).await;
    let mut client = world.raw().await;
    let fields = "X-Original-URL: /telemetry\r\nX-Rewrite-URL: /telemetry\r\nX-HTTP-Method-Override: PUT\r\nX-HTTP-Method: PUT\r\n";
    client.send(format!("POST /sso/a HTTP/1.1\r\nHost: {API}\r\n{fields}Content-Length: 0\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    let arrived = String::from_utf8_lossy(&world.what_arrived().await.concat()).to_ascii_lowercase();
    assert!(arrived.contains("post /sso/a") && !arrived.contains("x-original") && !arrived.contains("x-rewrite"), "{arrived}");
    assert!(!arrived.contains("x-http-method"), "{arrived}");
}

/// One stream that moves does not keep another one alive that its client does not read.
#[tokio::test]
async fn an_answer_that_is_not_taken_ends_its_connection_whatever_else_moves() {
    let large = async |pki: &Pki| {
        TappedOrigin::serving(pki, &[API], HTTP2, |request| async move {
            let length = if request.uri().path() == "/large" { 4 << 20 } else { 2 };
            http::Response::new(crate::support::origin::full(vec![b'a'; length]))
        })
        .await
    };
    let policy = PolicyFile::intercepted("600ms", &[API]);
    let world = World::with(large, |setup| setup.policy(policy)).await;
    let stream = world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("the client takes the certificate");
    // The unread answer fills its own window, not the connection's: the others go on.
    let client = Http2::with(h2::client::Builder::new().initial_connection_window_size(8 << 20), stream).await;
    let mut sender = client.sender.clone().ready().await.expect("the connection is up");
    let (response, _) = sender.send_request(request(Method::GET, "/large").body(()).expect("a request"), true).expect("it is sent");
    // Its window stays full from now on.
    let _unread = within_deadline("an answer", response).await.expect("an answer").into_body();
    let busy = async {
        loop {
            let Ok(mut ready) = client.sender.clone().ready().await else { return };
            let Ok((response, _)) = ready.send_request(request(Method::GET, "/small").body(()).expect("a request"), true) else { return };
            let Ok(response) = response.await else { return };
            let mut body = response.into_body();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
            }
        }
    };
    within_deadline("the connection ends", busy).await;
}

/// The upstream says nothing while its client goes on sending: nobody is silent.
#[tokio::test]
async fn a_call_that_only_sends_is_not_idle() {
    let listening = async |pki: &Pki| {
        TappedOrigin::serving(pki, &[API], HTTP2, |request| async move {
            let (sender, body) = crate::support::origin::by_hand();
            tokio::spawn(async move {
                let mut received = http_body_util::BodyExt::into_data_stream(request.into_body());
                let mut count = 0_usize;
                while let Some(Ok(_)) = futures_util::StreamExt::next(&mut received).await {
                    count += 1;
                }
                let last = hyper::body::Frame::data(Bytes::from(count.to_string()));
                let _ = sender.send(last);
            });
            http::Response::new(body)
        })
        .await
    };
    let policy = PolicyFile::intercepted("700ms", &[API]);
    let world = World::with(listening, |setup| setup.policy(policy)).await;
    let mut client: Http2 = world.http2().await;
    let (response, mut body) = client.open(call("/t/Report")).await;
    body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    let mut answer = within_deadline("an answer", response).await.expect("an answer").into_body();
    let mut pace = tokio::time::interval(Duration::from_millis(200));
    for turn in 0..10 {
        pace.tick().await;
        body.send_data(message(&number(1)).into(), turn == 9).unwrap_or_else(|error| panic!("message {turn}: {error}"));
    }
    assert!(piece(&mut answer).await.is_some(), "the call came to its end");
}

/// An unused connection that is dropped must not switch inspection off for a client that takes our certificate.
#[tokio::test]
async fn hanging_up_switches_nothing_off_for_a_client_that_takes_the_certificate() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP1).await;
    let ca = Ca::new(&pki, &[API]);
    let proxy = ca.configure_with(Setup::new().host(API, origin.addr()), "on_client_rejection = \"tunnel\"").start();
    let leak = format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{ADDRESS}", ADDRESS.len());
    let refused = async || {
        let mut client = ca.raw(proxy.proxy(), API).await;
        client.send(leak.as_bytes()).await;
        assert_eq!(client.read_head().await.status, 403);
        client.finish().await;
        client.read_to_end().await;
    };
    refused().await;
    for _ in 0..5 {
        // Without a word: FIN, no close_notify.
        drop(ca.connect(proxy.proxy(), API, HTTP1).await.expect("it takes the certificate").into_inner().0);
    }
    wait_until(proxy.admin(), Scrape::is_idle).await;
    refused().await;
    let scrape = Scrape::get(proxy.admin()).await;
    assert_eq!(scrape.decisions("deny", "client_rejected_certificate"), 5, "seen all the same: it may be another program there");
    assert_eq!(scrape.count("ucx_egress_rejection_fallbacks_total", &[]), 0);
}
