//! What was found leaves no trace of its value: not in the log, not in the metrics, not on the status page.

use super::{CLEAN, REFUSED, assert_silent, chunked, json, sized};
use crate::support::clean::{labelled, number};
use crate::support::client::exchange;
use crate::support::daemon::{Daemon, records};
use crate::support::http2::{Http2, message};
use crate::support::intercept::Ca;
use crate::support::origin::TappedOrigin;
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::wait_for_decisions;
use crate::support::world::{ADDRESS, API, HTTP2, call};

/// Requests that carry the address wherever one can.
fn refused() -> Vec<Vec<u8>> {
    vec![
        json("/echo", REFUSED),
        json(&format!("/t?mail={ADDRESS}"), CLEAN),
        sized("/t", &format!("Content-Type: text/plain\r\nX-User: {ADDRESS}\r\n"), CLEAN),
        sized("/t", &format!("Content-Type: application/{ADDRESS}\r\n"), CLEAN),
        chunked(&[CLEAN], &format!("From: {ADDRESS}\r\n")),
        json("/echo", &format!("not JSON at all: {ADDRESS}")),
        format!("GET /mario.rossi\u{7f} HTTP/1.1\r\nHost: {API}\r\n\r\n").into_bytes(),
        format!("{ADDRESS} / HTTP/1.1\r\nHost: {API}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: mario.rossi.{API}\r\n\r\n").into_bytes(),
    ]
}

async fn commit(ca: &Ca, daemon: &Daemon) -> usize {
    let requests = refused();
    for request in &requests {
        let mut client = ca.raw(daemon.proxy, API).await;
        client.send(request).await;
        let head = client.read_head().await;
        assert!(head.status >= 400, "{head:?}");
        assert_silent(&format!("{head:?} {}", String::from_utf8_lossy(&client.read_body(&head).await)));
    }
    let mut client = Http2::over(ca.connect(daemon.proxy, API, &[b"h2"]).await.expect("a connection")).await;
    let answer = client.ask(call("/t/Report"), &[&message(&number(1)), &message(&labelled(ADDRESS))], None).await;
    assert_silent(&answer.text());
    requests.len()
}

#[tokio::test]
async fn the_value_is_in_no_log_line_and_no_metric() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP2).await;
    let ca = Ca::new(&pki, &[API]);
    for log in ["json", "text"] {
        let setup = ca.configure(Setup::new().host(API, origin.addr()));
        let daemon = Daemon::start_logging(&setup.text(), log).await;
        let count = commit(&ca, &daemon).await;
        assert_silent(wait_for_decisions(daemon.admin, "deny", "personal_data", 4).await.text());
        let status = format!("GET /api/status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", daemon.admin);
        assert_silent(&String::from_utf8_lossy(&exchange(daemon.admin, status.as_bytes()).await.1));
        let (code, lines) = daemon.stop().await;
        assert_eq!(code, Some(0));
        assert!(log == "text" || records(&lines).len() >= count, "one line an exchange: {lines:?}");
        assert!(lines.iter().any(|line| line.to_string().contains("personal_data")), "the log says what happened");
        for line in lines {
            assert_silent(&line.to_string());
        }
    }
}
