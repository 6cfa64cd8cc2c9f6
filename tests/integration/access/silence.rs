//! Credentials are in no output; the name of whoever proved to be somebody is in the log.

use super::{World, ask, ask_once, connect, connect_from, get};
use crate::support::client::RawClient;
use crate::support::daemon::{Daemon, records};
use crate::support::passwords::{ALICES, basic};
use crate::support::scrape::{Scrape, wait_for_decisions};
use ucx_egress::access::limit::BURST;

const WRONG: (&str, &str) = ("zyxwvut-user", "zyxwvut-password");

/// Wrong in every way there is, once right.
async fn attempt(daemon: &Daemon) -> String {
    let mut said = Vec::new();
    for request in [connect, get] {
        for credentials in [basic(WRONG), basic(("alice", WRONG.1)), "Proxy-Authorization: Basic zyxwvut\r\n".to_owned()] {
            said.push(ask_once(daemon.proxy, &request(&credentials)).await);
        }
        said.push(ask_once(daemon.proxy, &request(&(basic(WRONG) + &basic(WRONG)))).await);
    }
    for number in 0..=BURST {
        let mut client = connect_from("127.0.0.4", daemon.proxy).await;
        said.push(ask(&mut client, &connect(&basic((WRONG.0, &format!("{}{number}", WRONG.1))))).await);
    }
    let said = format!("{said:?}");
    assert!(said.contains("quota_exceeded") && said.contains("bad_request"), "{said}");
    assert_eq!(ask_once(daemon.proxy, &get(&basic(ALICES))).await.0.status, 200);
    said
}

fn assert_silent(what: &str, text: &str) {
    let encoded = basic(WRONG);
    let encoded = encoded.trim_end().rsplit(' ').next().expect("base64");
    for secret in ["zyxwvut", "sesame", "SNXbGZ", &encoded[..16]] {
        assert!(!text.contains(secret), "{secret} in {what}: {text}");
    }
}

#[tokio::test]
async fn failed_attempts_leave_nothing_of_what_was_tried() {
    for format in ["json", "text"] {
        let world = World::new().await;
        let daemon = Daemon::start_logging(&world.setup.text(), format).await;
        let said = attempt(&daemon).await;
        assert_silent("answers", &said);
        assert!(!said.contains("alice"), "{said}");
        wait_for_decisions(daemon.admin, "allow", "", 1).await;
        assert_silent("metrics", Scrape::get(daemon.admin).await.text());
        let (_, lines) = daemon.stop().await;
        let log: String = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_silent("log", &log);
        assert!(log.contains("proxy_auth_required"), "{log}");
        // In the one line of the exchange that was let in.
        let named: Vec<_> = log.lines().filter(|line| line.contains("alice")).collect();
        let member = if format == "json" { "\"user\":\"alice\"" } else { "user=\\\"alice\\\"" };
        assert!(named.len() == 1 && named[0].contains(member), "{named:?}");
    }
}

#[tokio::test]
async fn every_exchange_of_a_user_names_it() {
    let world = World::new().await;
    let daemon = Daemon::start(&world.setup.text()).await;
    let mut client = RawClient::connect(daemon.proxy).await;
    let plain = format!("CONNECT plain.test:80 HTTP/1.1\r\n{}\r\n", basic(ALICES));
    assert_eq!(ask(&mut client, &plain).await.0.status, 200);
    assert_eq!(ask(&mut client, "GET /test HTTP/1.1\r\nHost: plain.test\r\n\r\n").await.0.status, 200);
    drop(client);
    let nowhere = format!("CONNECT nowhere.test:443 HTTP/1.1\r\n{}\r\n", basic(ALICES));
    assert_eq!(ask_once(daemon.proxy, &nowhere).await.0.status, 403);
    assert_eq!(ask_once(daemon.proxy, &connect("")).await.0.status, 407);
    let (_, lines) = daemon.stop().await;
    let users: Vec<_> = records(&lines).iter().map(|line| (line["status"].as_u64(), line["user"].as_str().map(str::to_owned))).collect();
    let of = |status| users.iter().filter(|(found, user)| *found == Some(status) && user.as_deref() == Some("alice")).count();
    assert_eq!((of(200), of(403), of(407), users.len()), (2, 1, 0, 4), "{users:?}");
}
