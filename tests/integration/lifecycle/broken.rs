//! Tunnels that do not end in order: the other side sees the break for what it is, and the record says whose it was.

use super::{AUTHORITY, HOST, echoes, echoing_tunnel, record_of, tunnel};
use crate::support::client::{Closing, RawClient, client_hello, connect_tunnel, within_deadline};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, RawOrigin, ScriptedOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

async fn daemon_before(origin: &RawOrigin) -> Daemon {
    Daemon::start(&Setup::new().host(HOST, origin.addr()).text()).await
}

#[tokio::test]
async fn an_orderly_end_is_recorded_with_its_bytes() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = daemon_before(&origin).await;
    let mut client = echoing_tunnel(daemon.proxy).await;
    echoes(&mut client).await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    let record = record_of(&mut daemon, client.local_addr()).await;
    assert_eq!(
        (record["verdict"].as_str(), record["ended"].as_str(), record["reason"].as_str()),
        (Some("allow"), Some("completed"), Some(""))
    );
    let bytes = client_hello(Some(HOST)).len() + 12;
    assert_eq!((record["up"].as_u64(), record["down"].as_u64()), (Some(bytes as u64), Some(bytes as u64)));
    let (code, lines) = daemon.stop().await;
    assert_eq!((code, records(&lines).len()), (Some(0), 1));
}

/// A reset must not look like an orderly end: the client would take half an answer for a whole one.
#[tokio::test]
async fn an_origin_that_resets_resets_the_client() {
    let origin = RawOrigin::scripted(Behaviour::ResetAfter(client_hello(Some(HOST)).len())).await;
    let mut daemon = daemon_before(&origin).await;
    let mut client = tunnel(daemon.proxy).await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Abrupt));
    let record = record_of(&mut daemon, client.local_addr()).await;
    let members = ["verdict", "ended", "reason"].map(|member| record[member].as_str().unwrap_or_default());
    assert_eq!(members, ["allow", "cut", "upstream_failed"]);
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}

/// An end in order stays one, wherever in the stream it comes: it is not for the proxy to call it too early.
#[tokio::test]
async fn an_origin_that_closes_ends_the_clients_side_in_order() {
    let origin = RawOrigin::scripted(Behaviour::CloseAfter(client_hello(Some(HOST)).len())).await;
    let mut daemon = daemon_before(&origin).await;
    let mut client = tunnel(daemon.proxy).await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
    client.finish().await;
    let record = record_of(&mut daemon, client.local_addr()).await;
    assert_eq!((record["ended"].as_str(), record["reason"].as_str()), (Some("completed"), Some("")));
}

/// A server that refuses an upload answers, and closes over what it did not read. What it said is still passed on, before the
/// break is.
#[tokio::test]
async fn what_was_said_before_a_break_arrives() {
    let (spoken, wait) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (speak, said) = (Arc::clone(&wait), Arc::clone(&spoken));
    let origin = ScriptedOrigin::start(move |_, mut connection| {
        let (speak, said) = (Arc::clone(&speak), Arc::clone(&said));
        async move {
            connection.read_exact(client_hello(Some(HOST)).len()).await;
            speak.notified().await;
            connection.send(b"too much").await;
            drop(connection);
            said.notify_one();
        }
    });
    let origin = origin.await;
    let proxy = Setup::new().host(HOST, origin.addr()).start();
    let (mut reader, mut writer) = tunnel(proxy.proxy()).await.into_stream().into_split();
    let uploading = async {
        // More than all buffers on the way hold: it ends with the break.
        writer.write_all(&vec![b'x'; 64 * 1024 * 1024]).await.expect_err("the origin takes no upload");
    };
    let listening = async {
        wait_until(proxy.admin(), |scrape| scrape.count("ucx_egress_bytes_total", &[("direction", "up")]) > 0).await;
        wait.notify_one();
        spoken.notified().await;
        let mut answer = Vec::new();
        while reader.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {}
        answer
    };
    let (answer, ()) = within_deadline("the tunnel ends", async { tokio::join!(listening, uploading) }).await;
    assert_eq!(answer, b"too much");
}

#[tokio::test]
async fn a_client_that_resets_resets_the_origin() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = daemon_before(&origin).await;
    let client = echoing_tunnel(daemon.proxy).await;
    let address = client.local_addr();
    client.reset();
    origin.wait_for_closed(1).await;
    assert_eq!(origin.resets(), 1);
    let record = record_of(&mut daemon, address).await;
    assert_eq!((record["ended"].as_str(), record["reason"].as_str()), (Some("client_closed"), Some("")));
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}

/// Nothing was decided on the name yet, so nothing reaches the origin.
#[tokio::test]
async fn a_client_that_leaves_within_its_hello_leaves_nothing_behind() {
    let origin = RawOrigin::start().await;
    let mut daemon = daemon_before(&origin).await;
    let hello = client_hello(Some(HOST));
    for (number, (said, resets)) in
        [(0, false), (0, true), (1, false), (hello.len() / 2, false), (hello.len() / 2, true)].into_iter().enumerate()
    {
        let mut client = connect_tunnel(daemon.proxy, AUTHORITY).await.expect("the tunnel opens");
        let address = client.local_addr();
        client.send(&hello[..said]).await;
        if resets {
            client.reset();
        } else {
            drop(client);
        }
        let record = record_of(&mut daemon, address).await;
        assert_eq!((record["ended"].as_str(), record["reason"].as_str()), (Some("client_closed"), Some("")));
        assert_eq!((record["up"].as_u64(), record["down"].as_u64()), (Some(0), Some(0)));
        origin.wait_for_closed(number + 1).await;
    }
    assert_eq!(origin.received(), b"");
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 5);
}

/// A client may leave at any moment of the handshake with the proxy; whoever asked nothing is no exchange.
#[tokio::test]
async fn a_client_that_leaves_within_its_head_is_recorded_and_one_that_said_nothing_is_not() {
    let origin = RawOrigin::start().await;
    let mut daemon = daemon_before(&origin).await;
    drop(RawClient::connect(daemon.proxy).await);
    RawClient::connect(daemon.proxy).await.reset();
    let mut client = RawClient::connect(daemon.proxy).await;
    let address = client.local_addr();
    client.send(b"CONNECT api.imagicle.com:443 HT").await;
    drop(client);
    let record = record_of(&mut daemon, address).await;
    assert_eq!((record["reason"].as_str(), record["destination"].as_str()), (Some("bad_request"), Some("")));
    let (_, lines) = daemon.stop().await;
    assert_eq!((records(&lines).len(), origin.connections()), (1, 0));
}
