//! Uploads that are slow, and answers that come before the upload is over.

use super::{HOST, answer, get, request, setup};
use crate::support::client::{RawClient, within_deadline};
use crate::support::origin::{RawOrigin, ScriptedOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until_idle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::interval;

/// More than the kernel's buffers on the way hold.
const MORE_THAN_FITS: usize = 32 * 1024 * 1024;

/// An upload that moves is in order however long it takes: the limit is on the wait for the answer to it.
#[tokio::test]
async fn an_upload_may_take_longer_than_the_answer() {
    const PIECES: usize = 8;
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_through(b"\r\n\r\n").await;
        connection.read_exact(PIECES).await;
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).section("[limits]\nanswer = \"500ms\"").start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("PUT", "/", &format!("Content-Length: {PIECES}\r\n"), "")).await;
    let mut pace = interval(Duration::from_millis(150));
    for _ in 0..PIECES {
        pace.tick().await;
        client.send(b"x").await;
    }
    assert_eq!(client.read_head().await.status, 200);
}

/// The origin answers before the body is there. The answer passes at once, and the connection, on which the rest of the body
/// still travels, serves nobody else.
#[tokio::test]
async fn an_early_answer_passes_and_its_connection_is_not_shared() {
    let answered = Arc::new(Notify::new());
    let done = Arc::clone(&answered);
    let origin = ScriptedOrigin::start(move |_, mut connection| {
        let done = Arc::clone(&done);
        async move {
            connection.read_through(b"\r\n\r\n").await;
            connection.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno").await;
            done.notify_one();
            connection.read_until_closed().await;
        }
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).start();
    let mut uploading = RawClient::connect(proxy.proxy()).await;
    uploading.send(&request("POST", "/", "Content-Length: 1000\r\n", "only the start")).await;
    within_deadline("the origin answers", answered.notified()).await;
    let (head, body) = answer(&mut uploading).await;
    assert_eq!((head.status, body.as_str()), (401, "no"));

    let mut other = RawClient::connect(proxy.proxy()).await;
    other.send(&get("/")).await;
    assert_eq!(answer(&mut other).await.0.status, 401, "another client does not wait for the first one's upload");
    assert_eq!(origin.connections(), 2);
}

/// A client that stops in the middle of its upload is let go at the idle limit, and the upstream with it.
#[tokio::test]
async fn an_upload_that_stands_still_is_given_up() {
    let policy = PolicyFile::of("site", "300ms", &[(HOST, 80, "http")]);
    let origin = RawOrigin::start().await;
    let proxy = Setup::new().host(HOST, origin.addr()).policy(policy).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/", "Content-Length: 1000\r\n", "only the start")).await;
    let head = client.read_head().await;
    assert!(matches!(head.status, 400 | 408 | 504), "the client's own silence is not the upstream's failure: {head:?}");
    client.read_until_closed().await;
    origin.wait_for_closed(1).await;
    wait_until_idle(proxy.admin()).await;
}

/// The same for an answer: what came is passed on, the rest is not invented.
#[tokio::test]
async fn a_download_that_stands_still_is_given_up() {
    let policy = PolicyFile::of("site", "300ms", &[(HOST, 80, "http")]);
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_through(b"\r\n\r\n").await;
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        connection.read_until_closed().await;
    });
    let origin = origin.await;
    let proxy = Setup::new().host(HOST, origin.addr()).policy(policy).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/")).await;
    assert_eq!(client.read_head().await.status, 200);
    assert_eq!(client.read_until_closed().await.0, b"half");
    wait_until_idle(proxy.admin()).await;
}

/// An upstream that takes nothing more is silence too, however much the client has to say.
#[tokio::test]
async fn an_upload_that_nobody_takes_is_given_up() {
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_through(b"\r\n\r\n").await;
        std::future::pending::<()>().await;
    });
    let origin = origin.await;
    let policy = PolicyFile::of("site", "300ms", &[(HOST, 80, "http")]);
    let setup = Setup::new().host(HOST, origin.addr()).policy(policy).section("[limits]\nanswer = \"300ms\"");
    let proxy = setup.start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/", &format!("Content-Length: {MORE_THAN_FITS}\r\n"), "")).await;
    // It ends with an error once the proxy gives up.
    let _ = client.try_send(&vec![b'x'; MORE_THAN_FITS]).await;
    drop(client);
    wait_until_idle(proxy.admin()).await;
}

/// And a client that reads nothing more, however much the upstream sends.
#[tokio::test]
async fn a_download_that_nobody_reads_is_given_up() {
    let (gave_up, given_up) = mpsc::unbounded_channel();
    let origin = ScriptedOrigin::start(move |_, mut connection| {
        let gave_up = gave_up.clone();
        async move {
            connection.read_through(b"\r\n\r\n").await;
            connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {MORE_THAN_FITS}\r\n\r\n").as_bytes()).await;
            gave_up.send(connection.try_send(&vec![b'x'; MORE_THAN_FITS]).await.is_err()).expect("the test waits for it");
        }
    });
    let origin = origin.await;
    let policy = PolicyFile::of("site", "300ms", &[(HOST, 80, "http")]);
    let proxy = Setup::new().host(HOST, origin.addr()).policy(policy).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/")).await;
    assert_eq!(client.read_head().await.status, 200);
    let mut given_up = given_up;
    assert_eq!(within_deadline("the origin is let go", given_up.recv()).await, Some(true));
    wait_until_idle(proxy.admin()).await;
}
