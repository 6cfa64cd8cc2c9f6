//! A panic in each layer: one exchange ends by it, refused or cut with its reason, in one record; nothing of a message that was not judged
//! has left; a tunnel that stood before goes on, the next one that asks is served, and nobody is told what the panic said.

mod stage;

use super::counted;
use stage::{Ask, Stage, decisions, of_kind, sentences};
use std::collections::BTreeSet;
use ucx_egress::fault::Layer;

/// What a client sees, and what the audit says: verdict, reason, end.
struct Case(Layer, Ask, &'static str, (&'static str, &'static str, &'static str));

const REFUSED: (&str, &str, &str) = ("deny", "overloaded", "refused");
const CUT: (&str, &str, &str) = ("allow", "overloaded", "cut");

const CASES: &[Case] = &[
    Case(Layer::Accept, Ask::Connect, "503 overloaded", REFUSED),
    Case(Layer::Head, Ask::Connect, "503 overloaded", REFUSED),
    Case(Layer::Resolve, Ask::Connect, "503 overloaded", REFUSED),
    Case(Layer::Dial, Ask::Connect, "503 overloaded", REFUSED),
    Case(Layer::Resolve, Ask::ConnectInspected, "503 overloaded", REFUSED),
    Case(Layer::Dial, Ask::Plain, "503 overloaded", REFUSED),
    Case(Layer::Hello, Ask::Hello, "closed", REFUSED),
    Case(Layer::Relay, Ask::Standing, "reset", CUT),
    Case(Layer::Mint, Ask::Handshake, "no handshake", REFUSED),
    Case(Layer::Inspect, Ask::Post, "403 uninspectable", ("deny", "uninspectable", "refused")),
    Case(Layer::Inspect, Ask::PostInHttp2, "403 uninspectable", ("deny", "uninspectable", "refused")),
    Case(Layer::Frames, Ask::Call, "200 grpc-status 14", REFUSED),
    Case(Layer::Send, Ask::Post, "503 overloaded", REFUSED),
    Case(Layer::Send, Ask::PostInHttp2, "503 overloaded", REFUSED),
    Case(Layer::Send, Ask::Plain, "503 overloaded", REFUSED),
    Case(Layer::Answer, Ask::Judged, "503 overloaded", CUT),
    Case(Layer::Answer, Ask::Plain, "503 overloaded", CUT),
    Case(Layer::Body, Ask::Judged, "broken off", CUT),
    Case(Layer::Body, Ask::JudgedInHttp2, "broken off", CUT),
    Case(Layer::Log, Ask::Denied, "403 host_not_allowed", ("deny", "host_not_allowed", "refused")),
];

impl Case {
    async fn holds(&self) {
        let Self(layer, ask, told, record) = self;
        let stage = Stage::new("").await;
        let mut before = stage.tunnel().await;
        stage.echoes(&mut before).await;
        assert_eq!(stage.ask(*ask, *layer).await, *told);
        stage.panicked(1).await;
        stage.echoes(&mut before).await;
        stage.serves().await;
        drop(before);
        let shown = stage.shown().await;
        assert!(!shown.contains("mario"), "it is quoted: {shown}");
        let (lines, arrived) = stage.closed().await;
        let records = decisions(&lines);
        let with_reason: Vec<_> = records.iter().filter(|(_, reason, _)| !reason.is_empty()).collect();
        assert_eq!(with_reason, [record], "{lines:#?}");
        assert!(records.iter().all(|(_, _, ended)| *ended != "cancelled"), "each says how it ended: {records:?}");
        let is_judged = matches!(ask, Ask::Judged | Ask::JudgedInHttp2);
        assert_eq!(sentences(&arrived).is_empty(), !is_judged, "what is judged has left, nothing else: {:?}", sentences(&arrived));
    }
}

#[tokio::test]
async fn a_panic_in_any_layer_ends_one_exchange_and_says_so() {
    let mut failed = Vec::new();
    for case in CASES {
        // In a task of its own: each case is heard.
        if tokio::spawn(case.holds()).await.is_err() {
            failed.push(format!("{:?}, {:?}", case.0, case.1));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    let layers: BTreeSet<u8> = CASES.iter().map(|case| case.0 as u8).collect();
    // Those below have no exchange, or no record, to end.
    let others = [Layer::Record, Layer::Writer, Layer::Admin, Layer::Reload, Layer::Hold];
    assert_eq!(layers.len() + others.len(), Layer::ALL.len(), "each layer is struck");
    counted("injected panics", CASES.len() + others.len());
}

/// The record is lost, and that is counted and said in the audit itself.
#[tokio::test]
async fn a_record_that_cannot_be_handed_over_is_missed() {
    let stage = Stage::new("").await;
    assert_eq!(stage.ask(Ask::Denied, Layer::Record).await, "403 host_not_allowed");
    stage.panicked(1).await;
    assert_eq!(stage.audited("lost").await, 1);
    stage.serves().await;
    let (lines, _) = stage.closed().await;
    assert!(decisions(&lines).iter().all(|(_, reason, _)| reason.is_empty()), "{lines:#?}");
    let gap = of_kind(&lines, "gap");
    assert_eq!((gap.len(), &gap[0]["lost"]), (1, &1.into()), "{lines:#?}");
}

/// Without its writer there is no audit: what is new is refused, what stands goes on, and what waited to be written is counted.
#[tokio::test]
async fn the_audit_without_its_writer_lets_nothing_new_out() {
    let stage = Stage::new("").await;
    let mut before = stage.tunnel().await;
    stage.echoes(&mut before).await;
    stage.faults.arm(Layer::Writer);
    // It may still find a place, or none any more.
    stage.ask_once(Ask::Denied).await;
    stage.panicked(1).await;
    assert_eq!(stage.ask_once(Ask::Connect).await, "503 overloaded");
    assert_eq!(stage.readiness().await, 503);
    stage.echoes(&mut before).await;
    drop(before);
    stage.gone().await;
    let missing = stage.audited("lost").await + stage.audited("refused").await;
    assert_eq!(missing, 3, "the one that was asked, the one that was refused, the tunnel that ended");
    assert!(!stage.shown().await.contains("mario"));
    stage.proxy.stop().await;
}

/// Where it is configured to go on, it does, and says how much is missing.
#[tokio::test]
async fn the_audit_without_its_writer_goes_on_where_that_is_configured() {
    let stage = Stage::new("on_failure = \"continue\"").await;
    stage.faults.arm(Layer::Writer);
    stage.ask_once(Ask::Denied).await;
    stage.panicked(1).await;
    assert_eq!(stage.ask_once(Ask::Denied).await, "403 host_not_allowed");
    let mut tunnel = stage.tunnel().await;
    stage.echoes(&mut tunnel).await;
    drop(tunnel);
    stage.gone().await;
    assert_eq!((stage.audited("lost").await, stage.audited("refused").await), (3, 0));
    stage.proxy.stop().await;
}

#[tokio::test]
async fn an_admin_who_meets_a_panic_is_the_only_one() {
    let stage = Stage::new("").await;
    assert_eq!(stage.ask(Ask::Admin, Layer::Admin).await, "closed");
    stage.panicked(1).await;
    stage.serves().await;
    let (lines, _) = stage.closed().await;
    assert!(decisions(&lines).iter().all(|(_, reason, _)| reason.is_empty()), "{lines:#?}");
}

/// The configuration in force stays, and the reason that is shown does not quote the panic.
#[tokio::test]
async fn a_panic_while_a_configuration_is_read_changes_nothing() {
    let stage = Stage::new("").await;
    let mut before = stage.tunnel().await;
    stage.echoes(&mut before).await;
    stage.faults.arm(Layer::Reload);
    stage.proxy.reload().await;
    stage.reloaded("failed", 1).await;
    stage.panicked(1).await;
    let shown = stage.shown().await;
    assert!(shown.contains("a defect of the proxy ended it") && !shown.contains("mario"), "{shown}");
    stage.echoes(&mut before).await;
    stage.serves().await;
    stage.proxy.reload().await;
    stage.reloaded("ok", 1).await;
    stage.echoes(&mut before).await;
    drop(before);
    let (lines, _) = stage.closed().await;
    let outcomes: Vec<_> = of_kind(&lines, "reload").iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["failed", "ok"]);
}

/// Nobody knows then which tunnels the new configuration still allows.
#[tokio::test]
async fn a_panic_while_tunnels_are_held_against_a_configuration_ends_them() {
    let stage = Stage::new("").await;
    let mut before = stage.tunnel().await;
    stage.echoes(&mut before).await;
    stage.faults.arm(Layer::Hold);
    stage.proxy.reload().await;
    stage.reloaded("ok", 1).await;
    assert!(before.is_closed().await);
    stage.panicked(1).await;
    stage.serves().await;
    let (lines, _) = stage.closed().await;
    let cut: Vec<_> = decisions(&lines).into_iter().filter(|(_, reason, _)| !reason.is_empty()).collect();
    assert_eq!(cut, [("allow", "revoked_by_reload", "cut")], "{lines:#?}");
}
