//! Parent proxies: what each of their answers means, who is asked when one fails, and what never leaves.

mod carried;
mod several;

use crate::support::client::{Head, Problem, RawClient, connect_tunnel};
use crate::support::daemon::Daemon;
use crate::support::dns::DnsServer;
use crate::support::origin::{Behaviour, Deserted, Full, RawOrigin};
use crate::support::parent::{Manner, Parent};
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::Scrape;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const API: &str = "api.imagicle.com:443";
const LDAPS: &str = "tenant.imagicle.cloud:1636";

/// A proxy behind one parent or more.
fn behind(urls: &[String]) -> Setup {
    Setup::new().upstream_line(&format!("parent = {urls:?}"))
}

async fn refused(proxy: &Proxy, authority: &str) -> (Head, Problem) {
    match connect_tunnel(proxy.proxy(), authority).await {
        Ok(_) => panic!("{authority} was connected"),
        Err(refusal) => refusal,
    }
}

async fn connects(proxy: &Proxy, parent: &str, outcome: &str) -> usize {
    Scrape::get(proxy.admin()).await.count("ucx_egress_parent_connects_total", &[("parent", parent), ("outcome", outcome)])
}

async fn up(proxy: &Proxy, parent: &str) -> usize {
    Scrape::get(proxy.admin()).await.count("ucx_egress_parent_up", &[("parent", parent)])
}

/// An answer, the port asked for, the status, reason and rule of the refusal, what its detail says, and how it counts.
type Row = (&'static str, &'static str, u16, &'static str, &'static str, &'static [&'static str], &'static str);

const CREDENTIALS: &str = "upstream.parent-credentials";
const REFUSED: &str = "upstream.parent-refused";
const FAILED: &str = "upstream.parent-failed";

const ANSWERS: &[Row] = &[
    (
        "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"",
        API,
        502,
        "upstream_failed",
        CREDENTIALS,
        &["wants credentials", "upstream.parent_password_file"],
        "credentials",
    ),
    (
        "407 Authenticate\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM",
        API,
        502,
        "upstream_failed",
        CREDENTIALS,
        &["takes Negotiate and NTLM and no Basic"],
        "credentials",
    ),
    ("403 Forbidden", API, 502, "connect_failed", REFUSED, &["refused api.imagicle.com:443 (403)", "allow CONNECT"], "refused"),
    (
        "403 Forbidden",
        LDAPS,
        502,
        "connect_failed",
        REFUSED,
        &["refused port 1636", "allow CONNECT to it there (Squid: add it to SSL_ports"],
        "refused",
    ),
    ("429 Too Many Requests\r\nRetry-After: 9", API, 502, "upstream_failed", FAILED, &["too much to do"], "failed"),
    ("405 Method Not Allowed", API, 502, "connect_failed", REFUSED, &["(405)"], "refused"),
    ("302 Found\r\nLocation: http://portal.corp/", API, 502, "connect_failed", REFUSED, &["redirects", "log in"], "refused"),
    ("504 Gateway Timeout", API, 504, "connect_timeout", FAILED, &["(504)"], "failed"),
    ("502 Bad Gateway", API, 502, "upstream_failed", FAILED, &["(502)", "its own log"], "failed"),
    ("503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111", API, 502, "upstream_failed", FAILED, &["(503)"], "failed"),
    (
        "500 Internal Server Error\r\nX-Squid-Error: ERR_CANNOT_FORWARD 0",
        API,
        502,
        "upstream_failed",
        FAILED,
        &["it may not resolve there"],
        "failed",
    ),
    ("500 Unable to connect", API, 502, "upstream_failed", FAILED, &["(500)"], "failed"),
    (
        "503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0",
        API,
        502,
        "resolve_failed",
        FAILED,
        &["cannot resolve api.imagicle.com"],
        "failed",
    ),
    ("101 Switching Protocols", API, 502, "upstream_failed", FAILED, &["check that it is a proxy"], "failed"),
    ("20 OK", API, 502, "upstream_failed", FAILED, &["not answer CONNECT as an HTTP proxy"], "failed"),
];

#[tokio::test]
async fn each_answer_has_its_reason_and_rule() {
    for (answer, authority, status, reason, rule, says, outcome) in ANSWERS {
        let parent = Parent::answering(format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\nno").as_bytes()).await;
        let proxy = behind(&[parent.url()]).start();
        let (head, problem) = refused(&proxy, authority).await;
        assert_eq!((head.status, problem.reason.as_str(), problem.rule.as_deref()), (*status, *reason, Some(*rule)), "{answer}");
        for words in *says {
            assert!(problem.detail.contains(words), "{answer}: {}", problem.detail);
        }
        assert!(problem.detail.contains(&parent.url()), "{answer}: {}", problem.detail);
        assert_eq!(connects(&proxy, &parent.url(), outcome).await, 1, "{answer}");
        assert_eq!(Scrape::get(proxy.admin()).await.count("ucx_egress_parent_connects_total", &[]), 1, "{answer}");
        // What Squid says of the destination is no failure of Squid.
        let is_down = *outcome == "failed" && !answer.contains("X-Squid-Error");
        assert_eq!(up(&proxy, &parent.url()).await, usize::from(!is_down), "{answer}");
        proxy.stop().await;
    }
}

#[tokio::test]
async fn heads_that_no_proxy_sends_are_refused() {
    let large = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 70_000], b"\r\n\r\n".to_vec()].concat();
    let behind_head = b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-OpenSSH_9.2\r\n".to_vec();
    for (answer, reason, says) in [
        (large, "upstream_failed", "more than 64 KiB"),
        (behind_head, "connect_failed", "sent bytes before the tunnel's client spoke"),
        (b"HTTP/1.1 200 OK\n\n".to_vec(), "upstream_failed", "as an HTTP proxy does"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "upstream_failed", "as an HTTP proxy does"),
    ] {
        let parent = Parent::answering(&answer).await;
        let proxy = behind(&[parent.url()]).start();
        let (_, problem) = refused(&proxy, API).await;
        assert_eq!((problem.reason.as_str(), problem.rule.as_deref()), (reason, Some(FAILED)), "{says}");
        assert!(problem.detail.contains(says), "{}", problem.detail);
        assert_eq!(connects(&proxy, &parent.url(), "failed").await, 1);
    }
    let closing = RawOrigin::scripted(Behaviour::CloseAfter(1)).await;
    let proxy = behind(&[format!("http://{}", closing.addr())]).start();
    let (_, problem) = refused(&proxy, API).await;
    assert_eq!((problem.reason.as_str(), problem.rule.as_deref()), ("upstream_failed", Some(FAILED)));
    assert!(problem.detail.contains("broke off"), "{}", problem.detail);
}

#[tokio::test]
async fn a_parent_that_is_not_there_is_told_by_its_name() {
    let (deserted, full, silent) = (Deserted::new(), Full::start().await, Parent::start(Manner::Drip).await);
    for (url, status, reason, says) in [
        (format!("http://{}", deserted.addr()), 502, "connect_failed", "nothing listens there"),
        (format!("http://{}", full.addr()), 504, "connect_timeout", "did not answer in time"),
        (silent.url(), 504, "connect_timeout", "did not answer CONNECT in time"),
        ("http://nowhere.invalid:3128".to_owned(), 502, "resolve_failed", "does not resolve"),
    ] {
        let proxy = behind(std::slice::from_ref(&url)).section("[limits]\nconnect = \"700ms\"\nresolve = \"500ms\"").start();
        let began = Instant::now();
        let (head, problem) = refused(&proxy, API).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{url}: {:?}", began.elapsed());
        assert_eq!((head.status, problem.reason.as_str(), problem.rule.as_deref()), (status, reason, Some("upstream.parent")), "{url}");
        assert!(problem.detail.contains(says) && problem.detail.contains(&url), "{}", problem.detail);
        assert_eq!((connects(&proxy, &url, "unreachable").await, up(&proxy, &url).await), (1, 0), "{url}");
    }
}

#[tokio::test]
async fn a_parent_that_is_this_proxy_is_a_loop() {
    let own = Deserted::new().addr();
    let mut config = behind(&[format!("http://{own}")]).config();
    config.listener.address = own;
    let proxy = Proxy::start(config);
    let (head, problem) = refused(&proxy, API).await;
    assert_eq!((head.status, problem.reason.as_str()), (403, "loop_detected"));
    assert!(problem.detail.contains("is this proxy itself"), "{}", problem.detail);
}

#[tokio::test]
async fn the_destination_is_never_resolved_and_the_parent_may_be_private() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::scripted(Behaviour::Echo).await);
    dns.set("proxy.corp.example", vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], 60);
    let parent = Parent::to(origin.addr()).await;
    let url = format!("http://proxy.corp.example:{}", parent.addr().port());
    // Loopback is forbidden for what names resolve to; the parent was named by the administrator.
    let proxy = behind(&[url]).without_loopback().name_server(dns.addr()).start();
    let mut client = connect_tunnel(proxy.proxy(), API).await.expect("the tunnel opens");
    let hello = crate::support::client::client_hello(Some("api.imagicle.com"));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    assert_eq!(parent.heads(), ["CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n"]);
    let asked: Vec<String> = dns.queries().into_iter().map(|(name, _)| name).collect();
    assert!(!asked.is_empty() && asked.iter().all(|name| name == "proxy.corp.example"), "{asked:?}");
}

/// A password that must not be found anywhere, as it is written, sent and decoded.
const SECRETS: &[&str] = &["s3cr3t", "mr%2Erossi", "mr.rossi", "bXIucm9zc2k6czNjcjN0OkA="];

#[tokio::test]
async fn credentials_are_sent_right_and_shown_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("parent.password");
    std::fs::write(&file, "s3cr3t:@\nsecond line\n").expect("the password is written");
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let by_file = format!("parent_password_file = {:?}", file.display().to_string());
    for (user, line) in [("mr.rossi", by_file.as_str()), ("mr%2Erossi:s3cr3t%3A%40", "")] {
        for is_refused in [false, true] {
            let manner = if is_refused {
                Manner::Answer(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"s\"\r\n\r\n".to_vec())
            } else {
                Manner::To(origin.addr())
            };
            let parent = Parent::start(manner).await;
            let url = format!("http://{user}@{}", parent.addr());
            let setup = behind(&[url]).upstream_line(line);
            assert!(!SECRETS.iter().any(|secret| format!("{:?}", setup.config()).contains(secret)));
            let daemon = Daemon::start_logging(&setup.text(), "json").await;
            let mut seen = match connect_tunnel(daemon.proxy, API).await {
                Ok(_) => String::new(),
                Err((head, problem)) => format!("{head:?}{problem:?}"),
            };
            assert_eq!(is_refused, seen.contains("does not take the configured user and password"), "{seen}");
            let sent = "CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\nProxy-Authorization: Basic bXIucm9zc2k6czNjcjN0OkA=\r\n\r\n";
            assert_eq!(parent.heads(), [sent]);
            seen += Scrape::get(daemon.admin).await.text();
            let mut status = RawClient::connect(daemon.admin).await;
            status.send(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
            let status = String::from_utf8_lossy(&status.read_to_end().await).into_owned();
            assert!(status.contains(&format!("\"parent\": \"{}\"", parent.url())) && status.contains("\"up\": true"), "{status}");
            let (_, lines) = daemon.stop().await;
            seen.push_str(&status);
            seen.extend(lines.iter().map(ToString::to_string));
            for secret in SECRETS {
                assert!(!seen.contains(secret), "{secret} in {seen}");
            }
        }
    }
}
