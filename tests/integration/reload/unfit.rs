//! A configuration that is not fit changes nothing, and says why.

use super::{A, B, allowing, both, echoes, echoing, refusal, reloads, status};
use crate::support::daemon::Daemon;
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::policy::PolicyFile;
use crate::support::scrape::Scrape;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// What is written, and what the error must name.
fn cases(taken: &str) -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("no TOML", "[listener\n".to_owned(), "config.toml:1:10"),
        ("an unknown key", "[listener]\nadress = \"127.0.0.1:0\"\n".to_owned(), "config.toml:2:1"),
        ("a policy that is not there", "[policy]\nfile = \"nowhere.toml\"\n".to_owned(), "nowhere.toml"),
        ("a CA that is not there", "[interception]\nca_certificate = \"nowhere.pem\"\nca_key = \"nowhere.key\"\n".to_owned(), "nowhere"),
        ("an address that is taken", format!("[admin]\naddress = \"{taken}\"\n"), "admin.address"),
        ("nobody let in", "[clients]\nallow = []\n".to_owned(), "nobody"),
        ("passwords that are not there", "[clients]\nhtpasswd = \"nowhere\"\n".to_owned(), "nowhere"),
        ("a certificate that is not there", "[listener.tls]\ncertificate = \"nowhere.pem\"\nkey = \"nowhere.key\"\n".to_owned(), "nowhere"),
        ("a shape that is not there", "[inspection]\nshapes = [\"nowhere.toml\"]\n".to_owned(), "nowhere"),
    ]
}

async fn is_last_taken(admin: SocketAddr) -> bool {
    Scrape::get(admin).await.count("ucx_egress_config_last_reload_successful", &[]) == 1
}

#[tokio::test]
async fn an_unfit_configuration_changes_nothing() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let setup = || both(origin.addr()).section("[reload]\non_change = false");
    let good = setup().policy(allowing(&[(A, 443, "https")]));
    let mut daemon = Daemon::start(&good.text()).await;
    let mut client = echoing(daemon.proxy, A).await;
    assert!(is_last_taken(daemon.admin).await, "a start is no failure");
    let at = taken.local_addr().expect("it is bound").to_string();
    let cases = cases(&at);
    for (number, (what, written, named)) in cases.iter().enumerate() {
        let error = daemon.reload_in_vain(written).await;
        assert!(error.contains(named), "{what}: {error}");
        echoes(&mut client, b"unmoved").await;
        assert_eq!(refusal(daemon.proxy, B).await, "host_not_allowed", "{what}");
        assert_eq!(reloads(daemon.admin).await, (0, number + 1), "{what}");
        assert!(!is_last_taken(daemon.admin).await, "{what}");
        let status = status(daemon.admin).await;
        assert_eq!(status["error"]["message"], error.as_str(), "{what}");
        assert_eq!((&status["applied"], &status["rejected"]), (&0.into(), &(number + 1).into()), "{what}");
    }
    daemon.reload(&setup().policy(allowing(&[(A, 443, "https"), (B, 443, "https")])).text()).await;
    assert!(is_last_taken(daemon.admin).await);
    echoing(daemon.proxy, B).await;
    echoes(&mut client, b"unmoved").await;
    let status = status(daemon.admin).await;
    assert_eq!((&status["applied"], &status["error"]), (&1.into(), &serde_json::Value::Null));
}

/// A policy that allows what nobody documents is taken for a mistake.
#[tokio::test]
async fn a_policy_that_opens_everything_is_not_taken() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = |policy: PolicyFile| both(origin.addr()).policy(policy).section("[reload]\non_change = false");
    let mut daemon = Daemon::start(&setup(allowing(&[(A, 443, "https")])).text()).await;
    let open = setup(allowing(&[(A, 443, "https"), ("*.ucx-egress.invalid", 443, "https")]));
    let error = daemon.reload_in_vain(&open.text()).await;
    assert!(error.contains("the new policy fails its check") && error.contains("canary.ucx-egress.invalid:443"), "{error}");
    echoing(daemon.proxy, A).await;
}
