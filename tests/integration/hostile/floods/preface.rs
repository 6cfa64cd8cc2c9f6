//! The first bytes of HTTP/2: wrong ones, and none.

use super::{Fate, Place, Reception, counting, frame};
use crate::support::http2::{PREFACE, SETTINGS};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::{wait_for_decisions, wait_until_idle};
use crate::support::world::{API, World};

#[tokio::test]
async fn a_preface_that_is_wrong_in_any_byte_ends_its_connection() {
    let mut cases = 0;
    for place in Place::both().await {
        for wrong in 0..PREFACE.len() {
            let mut bytes = [PREFACE, &frame(SETTINGS, 0, &[])].concat();
            bytes[wrong] ^= 0x20;
            let mut raw = place.connect().await;
            raw.send(&bytes).await;
            let name = format!("byte {wrong}, {}", place.name());
            let fate = raw.fate(&name).await;
            assert!(matches!(fate, Fate::Closed | Fate::GoneAway(1)), "{name}: {fate:?}");
            cases += 1;
        }
        wait_for_decisions(place.proxy().admin(), "deny", "bad_request", PREFACE.len()).await;
    }
    println!("hostile: {cases} cases of wrong prefaces");
}

/// Nothing of what was said is a request: such a connection must not keep its place.
#[tokio::test]
async fn a_client_that_does_not_begin_is_let_go() {
    const HEAD: &str = "[limits]\nhead = \"300ms\"";
    let settings = frame(SETTINGS, 0, &[0, 3, 0, 0, 0, 100]);
    let beginnings: &[(&str, Vec<u8>)] = &[
        ("nothing", Vec::new()),
        ("half a preface", PREFACE[..12].to_vec()),
        ("a preface", PREFACE.to_vec()),
        ("a preface and half a frame", [PREFACE, &settings[..10]].concat()),
    ];
    let mut cases = 0;
    let world =
        World::with(async |pki| crate::support::origin::TappedOrigin::echoing(pki, &[API], &[b"h2"]).await, |setup| setup.section(HEAD))
            .await;
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(Setup::new().host(API, origin.addr()), "").section(HEAD).start();
    for place in [Place::Inside(world), Place::Listener(reception, proxy, origin)] {
        for (name, bytes) in beginnings {
            let name = format!("{name}, {}", place.name());
            let mut raw = place.connect().await;
            raw.send(bytes).await;
            let fate = raw.fate(&name).await;
            assert!(matches!(fate, Fate::Closed | Fate::GoneAway(_)), "{name}: {fate:?}");
            wait_until_idle(place.proxy().admin()).await;
            cases += 1;
        }
        if matches!(place, Place::Inside(_)) {
            wait_for_decisions(place.proxy().admin(), "deny", "bad_request", beginnings.len()).await;
        }
    }
    println!("hostile: {cases} cases of connections that do not begin");
}

/// The same limit is none for a client that has begun.
#[tokio::test]
async fn a_client_that_has_begun_may_wait() {
    let (world, _) = counting().await;
    super::still_serves(&world).await;
}
