//! Wrong passwords cost whoever sends them, and nobody else.

use super::{World, ask, ask_once, assert_asks, connect, connect_from, get};
use crate::support::passwords::{ALICES, BOBS, basic};
use futures_util::future::join_all;
use ucx_egress::access::limit::{BURST, REFILL};

#[tokio::test]
async fn an_address_over_its_limit_waits_while_known_clients_go_on() {
    let world = World::new().await;
    let proxy = world.setup.start();
    assert_eq!(ask_once(proxy.proxy(), &connect(&basic(ALICES))).await.0.status, 200);
    // At once, so that the limit holds for those under way too.
    let at = proxy.proxy();
    let attempts = (0..BURST + 5).map(|number| async move { ask_once(at, &connect(&basic(("alice", &format!("wrong {number}"))))).await });
    let answers = join_all(attempts).await;
    let limited: Vec<_> = answers.iter().filter(|(head, _)| head.status == 429).collect();
    assert!((1..=5).contains(&limited.len()), "{} of {}", limited.len(), answers.len());
    for (head, problem) in &limited {
        let problem = problem.as_ref().expect("a refusal");
        assert_eq!((problem.reason.as_str(), problem.rule.as_deref()), ("quota_exceeded", Some("clients.htpasswd")));
        let wait: u64 = head.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("seconds");
        assert!((1..=REFILL.as_secs()).contains(&wait), "{wait}");
        assert!(head.header("proxy-authenticate").is_none());
    }
    for request in [connect, get] {
        // Known: from the same address, without a hash.
        assert_eq!(ask_once(proxy.proxy(), &request(&basic(ALICES))).await.0.status, 200);
        // Not known yet, so it would take one.
        assert_eq!(ask_once(proxy.proxy(), &request(&basic(BOBS))).await.0.status, 429);
        // Elsewhere nothing is the matter.
        assert_eq!(ask(&mut connect_from("127.0.0.3", proxy.proxy()).await, &request(&basic(("bob", "no")))).await.0.status, 407);
    }
    assert_eq!(ask(&mut connect_from("127.0.0.3", proxy.proxy()).await, &connect(&basic(BOBS))).await.0.status, 200);
}

/// A client that is set up wrongly repeats itself; each time but the first costs nothing and counts for nothing.
#[tokio::test]
async fn the_same_wrong_password_is_computed_once() {
    let world = World::new().await;
    let proxy = world.setup.start();
    for _ in 0..BURST * 3 {
        let (head, problem) = ask_once(proxy.proxy(), &get(&basic(("alice", "wrong")))).await;
        assert_asks(&head, problem.as_ref(), "wrong");
    }
    assert_eq!(ask_once(proxy.proxy(), &get(&basic(BOBS))).await.0.status, 200);
}

/// Many log in at once from one address, before any of them is known: right passwords use nothing up.
#[tokio::test]
async fn right_passwords_are_not_limited() {
    let world = World::new().await;
    let proxy = world.setup.start();
    let at = proxy.proxy();
    let logins = (0..BURST * 3).map(|_| async move { ask_once(at, &get(&basic(ALICES))).await.0.status });
    assert!(join_all(logins).await.iter().all(|status| *status == 200));
}

/// Else a flood from elsewhere would be told which of its guesses is what another client is known by.
#[tokio::test]
async fn an_address_over_its_limit_is_not_told_what_others_are_known_by() {
    let world = World::new().await;
    let proxy = world.setup.start();
    assert_eq!(ask_once(proxy.proxy(), &connect(&basic(ALICES))).await.0.status, 200);
    let at = proxy.proxy();
    let elsewhere = |user| async move { ask(&mut connect_from("127.0.0.3", at).await, &connect(&basic(user))).await.0.status };
    let guesses: Vec<String> = (0..=BURST).map(|number| format!("wrong {number}")).collect();
    for guess in &guesses {
        elsewhere(("alice", guess.as_str())).await;
    }
    assert_eq!(elsewhere(("alice", "wrong again")).await, 429);
    assert_eq!(elsewhere(ALICES).await, 429);
    assert_eq!(ask_once(proxy.proxy(), &connect(&basic(ALICES))).await.0.status, 200);
}
