//! The file changes while the proxy runs: what is right then counts at once, what is broken changes nothing.

use super::{World, ask_once, connect};
use crate::support::client::within_deadline;
use crate::support::daemon::Daemon;
use crate::support::passwords::{ALICE, ALICES, BOB, BOBS, basic};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::interval;

/// Asks until the status is this one: a look at the file has no event that a client sees.
async fn becomes(proxy: SocketAddr, user: (&str, &str), status: u16) {
    let asking = async {
        let mut pause = interval(Duration::from_millis(20));
        while ask_once(proxy, &connect(&basic(user))).await.0.status != status {
            pause.tick().await;
        }
    };
    within_deadline(&format!("{} for {}", status, user.0), asking).await;
}

#[tokio::test]
async fn a_changed_file_counts_and_a_broken_one_does_not() {
    let world = World::new().await;
    world.passwords.write(&[ALICE]);
    let mut daemon = Daemon::start(&world.setup.text()).await;
    assert_eq!(ask_once(daemon.proxy, &connect(&basic(ALICES))).await.0.status, 200);
    assert_eq!(ask_once(daemon.proxy, &connect(&basic(BOBS))).await.0.status, 407);

    world.passwords.write(&[BOB, ALICE]);
    becomes(daemon.proxy, BOBS, 200).await;
    let told = daemon.wait_for_line("the accounts", |line| line["accounts"] == 2).await;
    assert_eq!(told["level"], "INFO");

    world.passwords.write(&[BOB, "mallory:zyxwvut"]);
    let told = daemon.wait_for_line("the error", |line| line["place"].as_str().is_some_and(|place| place.ends_with("htpasswd:2:1"))).await;
    assert_eq!(told["level"], "ERROR");
    let message = told["message"].as_str().expect("a sentence");
    assert!(message.contains("in the clear") && message.contains("htpasswd -B") && !message.contains("zyxwvut"), "{message}");
    for user in [ALICES, BOBS] {
        assert_eq!(ask_once(daemon.proxy, &connect(&basic(user))).await.0.status, 200, "{user:?}");
    }

    // Whoever is taken out is out, however often it was right before.
    world.passwords.write(&[BOB]);
    becomes(daemon.proxy, ALICES, 407).await;
    assert_eq!(ask_once(daemon.proxy, &connect(&basic(BOBS))).await.0.status, 200);
    daemon.terminate().await;
}

/// Else a flood of wrong passwords at that moment would shut out whoever is in.
#[tokio::test]
async fn whoever_is_in_stays_in_when_an_account_is_added() {
    let world = World::new().await;
    world.passwords.write(&[ALICE]);
    let mut daemon = Daemon::start(&world.setup.text()).await;
    assert_eq!(ask_once(daemon.proxy, &connect(&basic(ALICES))).await.0.status, 200);
    let mut number = 0;
    while ask_once(daemon.proxy, &connect(&basic(("alice", &format!("wrong {number}"))))).await.0.status != 429 {
        number += 1;
    }
    world.passwords.write(&[BOB, ALICE]);
    daemon.wait_for_line("the accounts", |line| line["accounts"] == 2).await;
    assert_eq!(ask_once(daemon.proxy, &connect(&basic(ALICES))).await.0.status, 200);
    daemon.terminate().await;
}
