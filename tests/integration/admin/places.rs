//! Whoever connects and says nothing keeps nobody else out.

use super::{OPEN, listeners};
use crate::support::client::{RawClient, exchange};
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Connections to one listener, and of these from one address.
const MOST: usize = 64;
const SHARE: usize = 48;
/// Who is silent is closed after five seconds: what is seen before is seen for another reason.
const SILENCE: Duration = Duration::from_secs(5);

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

async fn asks(client: &mut RawClient, path: &str) {
    client.send(request(path).as_bytes()).await;
    let head = client.read_head().await;
    assert_eq!(head.status, 200, "{path}");
    client.read_body(&head).await;
}

async fn silent(address: &str, to: SocketAddr, count: usize) -> Vec<RawClient> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(RawClient::connect_from(address, to).await);
    }
    clients
}

#[tokio::test]
async fn a_scrape_is_answered_however_many_connect_and_say_nothing() {
    let proxy = Setup::new().section(OPEN).start();
    for (listener, path) in listeners(&proxy) {
        let began = Instant::now();
        // From many addresses, so that no share bounds them.
        let mut silence = Vec::new();
        for number in 2..10 {
            silence.extend(silent(&format!("127.0.0.{number}"), listener, MOST / 8).await);
        }
        for _ in 0..3 {
            let (head, _) = exchange(listener, request(path).as_bytes()).await;
            assert_eq!(head.status, 200, "{path}");
        }
        assert!(began.elapsed() < SILENCE, "{:?}", began.elapsed());
    }
}

/// The oldest of it make room, and nobody else's.
#[tokio::test]
async fn one_address_takes_its_share_and_no_more() {
    let proxy = Setup::new().section(OPEN).start();
    for (listener, path) in listeners(&proxy) {
        let began = Instant::now();
        let mut other = RawClient::connect_from("127.0.0.3", listener).await;
        let mut many = silent("127.0.0.2", listener, MOST + 6).await;
        for mut client in many.drain(..MOST + 6 - SHARE) {
            assert!(client.is_closed().await);
        }
        for client in &mut many {
            asks(client, path).await;
        }
        asks(&mut other, path).await;
        assert!(began.elapsed() < SILENCE, "{:?}", began.elapsed());
    }
}

/// Those who came first stay, if they are being answered, or have asked since the others fell silent.
#[tokio::test]
async fn whoever_is_being_answered_or_asked_last_makes_no_room() {
    let proxy = Setup::new().start();
    let began = Instant::now();
    let mut watcher = RawClient::connect_from("127.0.0.2", proxy.admin()).await;
    watcher.send(request("/api/events").as_bytes()).await;
    assert_eq!(watcher.read_head().await.status, 200);
    let mut asking = RawClient::connect_from("127.0.0.2", proxy.admin()).await;
    let mut before = silent("127.0.0.2", proxy.admin(), SHARE - 2).await;
    asks(&mut asking, "/healthz").await;
    let _after = silent("127.0.0.2", proxy.admin(), SHARE - 2).await;
    for client in &mut before {
        assert!(client.is_closed().await);
    }
    asks(&mut asking, "/healthz").await;
    exchange(proxy.proxy(), b"CONNECT seen.example:443 HTTP/1.1\r\n\r\n").await;
    watcher.read_through(b"seen.example:443").await;
    assert!(began.elapsed() < SILENCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_first_head_that_does_not_come_is_not_waited_for() {
    let proxy = Setup::new().section(OPEN).start();
    let mut waiting = Vec::new();
    for (listener, path) in listeners(&proxy) {
        for (start, is_answered) in [("", false), ("GET ", false), (&*request(path), true)] {
            let mut client = RawClient::connect(listener).await;
            client.send(start.as_bytes()).await;
            waiting.push((client, is_answered, path));
        }
    }
    let began = Instant::now();
    for (client, is_answered, path) in &mut waiting {
        if *is_answered {
            let head = client.read_head().await;
            client.read_body(&head).await;
            asks(client, path).await;
        } else {
            assert!(client.is_closed().await);
        }
    }
    assert!(began.elapsed() + Duration::from_secs(1) >= SILENCE, "{:?}", began.elapsed());
    for (client, is_answered, path) in &mut waiting {
        if *is_answered {
            asks(client, path).await;
        }
    }
}
