//! What is looked at while something is broken: the answer, the audit, the metrics, and what the cloud has received.

use super::ask::{TRACE, message};
use super::check::Row;
use super::stage::Stage;
use crate::error::Reason;
use serde_json::Value;

/// Decisions by verdict and reason.
const DECISIONS: &str = "ucx_egress_decisions_total";
/// What became of audit records.
const RECORDS: &str = "ucx_egress_audit_records_total";
/// What became of reloads.
const RELOADS: &str = "ucx_egress_config_reloads_total";

/// The message passes.
///
/// # Errors
/// What happened instead.
pub async fn passes(stage: &Stage) -> Result<(), String> {
    message(stage).await?.passed()
}

/// Whether a gap in the audit is one of exchanges that were refused.
pub fn tells_of_refused(gap: &Value) -> bool {
    gap["refused"].as_u64().is_some_and(|refused| refused > 0)
}

/// The message is refused for this reason, once, and so many times it has reached the cloud.
///
/// # Errors
/// When it could not be seen.
pub async fn refused(stage: &Stage, row: &mut Row, reason: Reason, sent: usize, is_recorded: bool) -> Result<(), String> {
    let label = format!("reason=\"{reason}\"");
    let labels = [label.as_str(), "verdict=\"deny\""];
    let (counted, traces) = (stage.metric(DECISIONS, &labels).await?, stage.cloud.traces(TRACE));
    let unrecorded = stage.metric(RECORDS, &["outcome=\"refused\""]).await?;
    let seen = message(stage).await?;
    (row.seen, row.status) = (seen.word(), seen.status);
    row.closed(seen.reason.as_deref() == Some(reason.label()), format!("the answer says {}", seen.word()));
    row.closed(seen.status == reason.status(), format!("its status is {}", seen.status));
    row.closed(seen.is_in_header, "its Proxy-Status does not say so");
    let received = stage.cloud.traces(TRACE) - traces;
    row.closed(received == sent, format!("the cloud has received the message {received} times"));
    stage.until(DECISIONS, &labels, counted + 1).await?;
    if !is_recorded {
        return stage.until(RECORDS, &["outcome=\"refused\""], unrecorded + 1).await;
    }
    let is_its_record = |line: &Value| line["decision"] == *seen.decision && line["reason"] == reason.label() && line["verdict"] == "deny";
    stage.until_audited("decision", 1, is_its_record).await
}

/// The answer is cut for this reason, and so that nobody takes it for whole.
///
/// # Errors
/// When it could not be seen.
pub async fn cut(stage: &Stage, row: &mut Row, reason: Reason) -> Result<(), String> {
    let label = format!("reason=\"{reason}\"");
    let cuts = stage.metric("ucx_egress_cuts_total", &[&label]).await?;
    let seen = message(stage).await?;
    row.status = seen.status;
    row.closed(seen.broke.is_some() && seen.passed().is_err(), "the answer looks whole");
    stage.until("ucx_egress_cuts_total", &[&label], cuts + 1).await?;
    let is_its_record = |line: &Value| line["decision"] == *seen.decision && line["reason"] == reason.label() && line["ended"] == "cut";
    stage.until_audited("decision", 1, is_its_record).await?;
    // There is no answer left to say it in: the record does.
    reason.label().clone_into(&mut row.seen);
    Ok(())
}

/// The configuration is not taken, this is said of it, and the one in force goes on.
///
/// # Errors
/// When it could not be seen.
pub async fn not_taken(stage: &Stage, row: &mut Row, said: &str) -> Result<(), String> {
    let is_failed = |line: &Value| line["outcome"] == "failed";
    let (counted, recorded) = (stage.metric(RELOADS, &["outcome=\"failed\""]).await?, stage.audited("reload", is_failed));
    let error = stage.reload().await?;
    let is_said = error.as_ref().is_some_and(|error| error.contains(said));
    row.closed(is_said, format!("it says: {}", error.as_deref().unwrap_or("nothing, and is in force")));
    if error.is_some() {
        "reload refused".clone_into(&mut row.seen);
    }
    let goes_on = passes(stage).await;
    row.closed(goes_on.is_ok(), format!("the one in force does not go on: {goes_on:?}"));
    stage.until(RELOADS, &["outcome=\"failed\""], counted + 1).await?;
    stage.until_audited("reload", recorded + 1, is_failed).await
}
