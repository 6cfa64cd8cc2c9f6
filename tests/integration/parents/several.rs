//! Several parents: who is asked, in what time, and how it counts.

use super::{API, behind, connects, refused, up};
use crate::support::client::connect_tunnel;
use crate::support::origin::{Behaviour, Deserted, Full, RawOrigin};
use crate::support::parent::Parent;
use crate::support::proxy::Proxy;
use crate::support::scrape::Scrape;
use std::time::{Duration, Instant};

async fn failovers(proxy: &Proxy, parent: &str) -> usize {
    Scrape::get(proxy.admin()).await.count("ucx_egress_parent_failovers_total", &[("parent", parent)])
}

#[tokio::test]
async fn families_are_at_zero_from_the_start() {
    let parent = Deserted::new();
    let url = format!("http://{}", parent.addr());
    for (urls, name) in [(vec![url.clone()], url.as_str()), (Vec::new(), "none")] {
        let proxy = if urls.is_empty() { crate::support::proxy::Setup::new() } else { behind(&urls) }.start();
        for outcome in ["ok", "refused", "credentials", "failed", "unreachable"] {
            assert_eq!(connects(&proxy, name, outcome).await, 0);
        }
        assert_eq!((failovers(&proxy, name).await, up(&proxy, name).await), (0, urls.len()));
        let scrape = Scrape::get(proxy.admin()).await;
        assert_eq!(scrape.text().matches("\nucx_egress_parent_up{").count(), 1);
    }
}

#[tokio::test]
async fn the_next_parent_is_asked_and_preferred_for_a_while() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let failing = Parent::answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
    let (deserted, good) = (Deserted::new(), Parent::to(origin.addr()).await);
    let gone = format!("http://{}", deserted.addr());
    let proxy = behind(&[gone.clone(), failing.url(), good.url()]).start();
    for dials in 1..=3 {
        connect_tunnel(proxy.proxy(), API).await.expect("the third parent connects");
        assert_eq!(connects(&proxy, &good.url(), "ok").await, dials);
        // Only the first dial asked the two that failed.
        assert_eq!((connects(&proxy, &gone, "unreachable").await, failovers(&proxy, &gone).await), (1, 1));
        assert_eq!((connects(&proxy, &failing.url(), "failed").await, failovers(&proxy, &failing.url()).await), (1, 1));
    }
    assert_eq!((up(&proxy, &gone).await, up(&proxy, &failing.url()).await, up(&proxy, &good.url()).await), (0, 0, 1));
}

#[tokio::test]
async fn a_parent_that_swallows_everything_leaves_time_for_the_next() {
    let (full, origin) = (Full::start().await, RawOrigin::scripted(Behaviour::Echo).await);
    let good = Parent::to(origin.addr()).await;
    let hole = format!("http://{}", full.addr());
    let proxy = behind(&[hole.clone(), good.url()]).section("[limits]\nconnect = \"2s\"").start();
    let began = Instant::now();
    connect_tunnel(proxy.proxy(), API).await.expect("the second parent connects");
    let first = began.elapsed();
    assert!(first >= Duration::from_millis(900) && first < Duration::from_secs(2), "{first:?}");
    let began = Instant::now();
    connect_tunnel(proxy.proxy(), API).await.expect("the second parent connects");
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!((connects(&proxy, &hole, "unreachable").await, failovers(&proxy, &hole).await), (1, 1));
}

#[tokio::test]
async fn when_all_fail_nothing_goes_direct_and_the_deadline_holds() {
    let (one, two, origin) = (Full::start().await, Full::start().await, RawOrigin::start().await);
    let urls = [one.addr(), two.addr()].map(|addr| format!("http://{addr}"));
    let setup = behind(&urls).host("api.imagicle.com", origin.addr()).section("[limits]\nconnect = \"1s\"");
    let proxy = setup.start();
    let began = Instant::now();
    let (head, problem) = refused(&proxy, API).await;
    assert!(began.elapsed() < Duration::from_millis(1_800), "{:?}", began.elapsed());
    assert_eq!((head.status, problem.reason.as_str()), (504, "connect_timeout"));
    assert!(urls.iter().all(|url| problem.detail.contains(url)), "{}", problem.detail);
    assert_eq!((failovers(&proxy, &urls[0]).await, failovers(&proxy, &urls[1]).await), (1, 0));
    proxy.stop().await;
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn an_answer_is_final() {
    for answer in ["407 No\r\nProxy-Authenticate: Basic", "403 Forbidden", "302 Found"] {
        let first = Parent::answering(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await;
        let second = Parent::answering(b"HTTP/1.1 500 No\r\n\r\n").await;
        let proxy = behind(&[first.url(), second.url()]).start();
        for asked in 1..=2 {
            refused(&proxy, API).await;
            assert_eq!((first.heads().len(), second.heads().len()), (asked, 0), "{answer}");
        }
        assert_eq!((failovers(&proxy, &first.url()).await, up(&proxy, &first.url()).await), (0, 1), "{answer}");
    }
}

#[tokio::test]
async fn a_name_that_one_parent_does_not_know_takes_no_parent_away() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let first = Parent::answering(b"HTTP/1.1 503 No\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n").await;
    let second = Parent::to(origin.addr()).await;
    let proxy = behind(&[first.url(), second.url()]).start();
    for asked in 1..=2 {
        connect_tunnel(proxy.proxy(), API).await.expect("the second parent connects");
        assert_eq!((first.heads().len(), second.heads().len()), (asked, asked));
    }
}
