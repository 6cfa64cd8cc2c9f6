//! Series of what a reload takes away: an alert that stands on them ends, and what stays keeps its state.

use super::{A, allowing, echoing};
use crate::support::client::{connect_tunnel, exchange};
use crate::support::daemon::Daemon;
use crate::support::origin::{Behaviour, Deserted, RawOrigin};
use crate::support::parent::Parent;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_until};
use serde_json::Value;
use std::net::SocketAddr;

const PARENTS: [&str; 3] = ["ucx_egress_parent_up", "ucx_egress_parent_connects_total", "ucx_egress_parent_failovers_total"];

fn behind(parents: &[&str]) -> Setup {
    let setup = Setup::new().policy(allowing(&[(A, 443, "https")])).section("[reload]\non_change = false");
    if parents.is_empty() { setup } else { setup.upstream_line(&format!("parent = {parents:?}")) }
}

/// Of which parents there are series, the same in each family, and which of them are up.
async fn parents(admin: SocketAddr, named: &[&str]) -> Vec<Option<usize>> {
    let scrape = Scrape::get(admin).await;
    let state = |parent: &&str| {
        let [up, others @ ..] = PARENTS.map(|family| scrape.value(family, &[("parent", parent)]));
        assert!(others.iter().all(|other| other.is_some() == up.is_some()), "{parent}: {}", scrape.text());
        up.map(|_| scrape.count(PARENTS[0], &[("parent", parent)]))
    };
    named.iter().map(state).collect()
}

async fn is_up(admin: SocketAddr, parent: &str) -> bool {
    let request = format!("GET /api/status HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    let status: Value = serde_json::from_slice(&exchange(admin, request.as_bytes()).await.1).expect("JSON");
    let all = status["parents"].as_array().expect("a list");
    all.iter().find(|one| one["parent"] == parent).expect("it is in force")["up"] == true
}

#[tokio::test]
async fn a_parent_that_left_has_none_and_one_that_stays_keeps_its_state() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (deserted, good, other) = (Deserted::new(), Parent::to(origin.addr()).await, Parent::to(origin.addr()).await);
    let [gone, good, other] = [format!("http://{}", deserted.addr()), good.url(), other.url()];
    let all = [gone.as_str(), good.as_str(), other.as_str(), "none"];
    let mut daemon = Daemon::start(&behind(&all[..2]).text()).await;
    assert_eq!(parents(daemon.admin, &all).await, [Some(1), Some(1), None, None]);
    connect_tunnel(daemon.proxy, "a.test:443").await.expect("the second parent connects");
    assert_eq!(parents(daemon.admin, &all).await, [Some(0), Some(1), None, None]);

    // What is read last is not fit: by then the parents are made.
    let observing = "[reload]\non_change = false\n[policy]\nmode = \"observe\"\nobserved = \"config.toml\"";
    let unfit = Setup::new().upstream_line(&format!("parent = \"{other}\"")).section(observing);
    let error = daemon.reload_in_vain(&unfit.text()).await;
    assert!(error.contains("policy.observed"), "{error}");
    assert_eq!(parents(daemon.admin, &all).await, [Some(0), Some(1), None, None], "nothing has changed");

    daemon.reload(&behind(&[&gone, &other]).text()).await;
    assert_eq!(parents(daemon.admin, &all).await, [Some(0), None, Some(1), None]);
    assert!(!is_up(daemon.admin, &gone).await && is_up(daemon.admin, &other).await);
    connect_tunnel(daemon.proxy, "a.test:443").await.expect("the second parent connects");
    let connects = |scrape: &Scrape, outcome| scrape.count(PARENTS[1], &[("parent", &gone), ("outcome", outcome)]);
    assert_eq!(connects(&Scrape::get(daemon.admin).await, "unreachable"), 1, "who failed a moment ago is not asked first again");

    daemon.reload(&behind(&[]).text()).await;
    assert_eq!(parents(daemon.admin, &all).await, [None, None, None, Some(0)]);
    daemon.reload(&behind(&[&gone]).text()).await;
    assert_eq!(parents(daemon.admin, &all).await, [Some(1), None, None, None], "nothing is known of it any more");
}

#[tokio::test]
async fn a_service_that_left_keeps_its_counters_and_its_gauge_to_the_last_tunnel() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let of = |service: &str| {
        let policy = PolicyFile::of(service, "1m", &[(A, 443, "https")]);
        Setup::new().host(A, origin.addr()).policy(policy).section("[reload]\non_change = false")
    };
    let mut daemon = Daemon::start(&of("before").text()).await;
    let tunnel = echoing(daemon.proxy, A).await;
    let line = daemon.reload(&of("after").text()).await;
    assert_eq!(line["ended"], 0, "{line}");
    let open = |scrape: &Scrape, service| scrape.value("ucx_egress_tunnels", &[("service", service)]);
    let scrape = Scrape::get(daemon.admin).await;
    assert_eq!([open(&scrape, "before"), open(&scrape, "after")], [Some(1.0), Some(0.0)]);
    drop(tunnel);
    let scrape = wait_until(daemon.admin, |scrape| open(scrape, "before").is_none()).await;
    assert_eq!(open(&scrape, "after"), Some(0.0));
    assert_eq!(scrape.count("ucx_egress_decisions_total", &[("service", "before"), ("verdict", "allow")]), 1);
    let again = echoing(daemon.proxy, A).await;
    assert_eq!(open(&Scrape::get(daemon.admin).await, "after"), Some(1.0));
    drop(again);
    daemon.reload(&of("before").text()).await;
    let _tunnel = echoing(daemon.proxy, A).await;
    assert_eq!(open(&Scrape::get(daemon.admin).await, "before"), Some(1.0), "the series is there again");
}
