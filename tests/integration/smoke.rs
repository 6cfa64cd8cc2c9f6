//! The main job once, end to end.

use crate::support::client::{connect_tunnel, https_get};
use crate::support::daemon::Daemon;
use crate::support::origin::TlsOrigin;
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until;

#[tokio::test]
async fn documented_hosts_work_and_others_are_refused_with_the_same_id_everywhere() {
    let pki = Pki::new();
    let origin = TlsOrigin::start(&pki, &["api.imagicle.com"], &[b"http/1.1"]).await;
    let mut daemon = Daemon::start(&Setup::new().host("api.imagicle.com", origin.addr()).text()).await;
    let (status, body) =
        https_get(daemon.proxy, "api.imagicle.com:443", "api.imagicle.com", "/test", pki.client_config(&[b"http/1.1"])).await;
    assert_eq!((status, body.as_slice()), (200, &b"{\"message\":\"successfully connected!\"}"[..]));
    origin.wait_for_requests(1).await;
    assert_eq!(origin.requests()[0].server_name.as_deref(), Some("api.imagicle.com"), "the client's own hello arrived");

    let (head, problem) = connect_tunnel(daemon.proxy, "example.org:443").await.expect_err("no rule allows it");
    assert_eq!((head.status, problem.status, problem.reason.as_str()), (403, 403, "host_not_allowed"));
    assert!(head.reason.contains("host_not_allowed"), "{}", head.reason);
    assert_eq!(head.header("x-decision-id"), Some(problem.decision.as_str()));
    assert!(
        head.header("proxy-status").is_some_and(|value| value.contains("error=http_request_denied") && value.contains("host_not_allowed"))
    );
    let line = daemon.wait_for_line("the refusal is logged", |line| line["decision"] == problem.decision.as_str()).await;
    assert_eq!((line["reason"].as_str(), line["rule"].as_str()), (Some("host_not_allowed"), problem.rule.as_deref()));

    wait_until(daemon.admin, |scrape| {
        scrape.value("ucx_egress_decisions_total", &[("service", "none"), ("verdict", "deny"), ("reason", "host_not_allowed")]) == Some(1.0)
            && scrape.value("ucx_egress_decisions_total", &[("service", "licensing"), ("verdict", "allow")]) == Some(1.0)
    })
    .await;
    assert_eq!(daemon.terminate().await, Some(0));
}
