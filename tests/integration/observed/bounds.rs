//! Floods take no more memory than there is for them, and what was not kept is counted.

use super::{OBSERVE, Site, ask_on, connections, messages, observed, requests};
use crate::support::client::{connect_tunnel, exchange};
use crate::support::daemon::Daemon;
use futures_util::future::join_all;

/// A word that nobody knows and no detector finds anything in.
fn word(number: usize) -> String {
    let letters = number.to_string();
    letters.bytes().map(|digit| char::from(digit - b'0' + b'g')).chain(['x']).collect()
}

#[tokio::test]
async fn paths_parameters_and_keys_that_are_made_up_are_bounded() {
    const MANY: usize = 400;
    let site = Site::new().await;
    let daemon = Daemon::start(&site.text(OBSERVE)).await;
    let mut client = site.raw(&daemon).await;
    for number in 0..MANY {
        let (word, target) = (word(number), format!("/{}/{}/end?{}=1", word(number), word(number * 7), word(number)));
        let body = format!("{{\"{word}\":{{\"{word}\":1}},\"gizmo\":{number}}}");
        assert_eq!(ask_on(&mut client, "POST", &target, "Content-Type: application/json\r\n", body.as_bytes()).await, 200);
    }
    let all = MANY as u64;
    let counted = |seen: &serde_json::Value| requests(seen) + seen["left_out"]["requests"].as_u64().expect("a count");
    let seen = observed(daemon.admin, "all requests", |seen| counted(seen) == all && messages(seen) == all).await;
    let list = seen["requests"].as_array().expect("a list");
    assert!(list.len() < 40, "{} paths", list.len());
    assert!(list.iter().any(|asked| asked["path"] == "/*/*/end"), "{seen}");
    assert!(list.iter().all(|asked| asked["parameters"].as_array().is_none_or(|names| names.len() <= 33)));
    let fields = &seen["messages"][0]["fields"];
    assert_eq!((&fields["keyed"], &fields["members"]), (&true.into(), &serde_json::Value::Null), "{fields}");
    assert!(seen["left_out"]["names"].as_u64() > Some(200), "{}", seen["left_out"]);
    assert!(seen.to_string().len() < 16 << 10);
}

#[tokio::test]
async fn hosts_that_are_made_up_are_bounded_and_the_frequent_ones_stay() {
    const MANY: usize = 400;
    let site = Site::new().await;
    let daemon = Daemon::start(&site.text(&format!("{OBSERVE}[limits]\nresolve = \"100ms\"\n"))).await;
    for _ in 0..20 {
        drop(connect_tunnel(daemon.proxy, "unknown.test:443").await.expect("it passes"));
    }
    observed(daemon.admin, "the frequent one", |seen| connections(seen) == 20).await;
    join_all((0..MANY).map(async |number| {
        let request = format!("CONNECT {}.test:443 HTTP/1.1\r\n\r\n", word(number));
        assert_eq!(exchange(daemon.proxy, request.as_bytes()).await.0.status, 502);
    }))
    .await;
    let left_out = (20 + 1 + MANY - 20 - 256) as u64;
    let seen = observed(daemon.admin, "all hosts", |seen| seen["left_out"]["destinations"] == left_out).await;
    let list = seen["destinations"].as_array().expect("a list");
    assert_eq!(list.len(), 256);
    assert_eq!((&list[0]["destination"], &list[0]["times"]["would_refuse"]["host_not_allowed"]), (&"unknown.test:443".into(), &20.into()));
}
