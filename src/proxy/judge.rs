//! The inspector's verdict and what it means: counted, timed, contained, turned into a refusal where it must be.

use super::budget::Budget;
use super::context::Context;
use crate::audit::Counted;
use crate::contain::{DEFECT, step};
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::inspect::{Finding, Verdict};
use crate::metrics::{Coverage, Inspected};
use crate::policy;
use std::sync::Arc;
use std::time::Instant;

/// Places in a refusal; the rest says nothing more.
const SHOWN: usize = 3;

/// Bytes from which a message is inspected aside: below, it takes about as long as to have another thread do it.
const LARGE: usize = 64 * 1024;
/// The same of one that is compressed: it may be a thousand times as long when it is not.
const LARGE_COMPRESSED: usize = LARGE / 16;

/// What inspection left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It may go.
    Clean,
    /// It may go because the mode only observes.
    Observed(Refusal),
    /// It may not go.
    Refused(Refusal),
}

/// What is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A body or a gRPC message of so many bytes: counted as a message.
    Message(usize),
    /// The fields in front of it or behind it: counted only when they are not clean, so that each message counts once.
    Fields,
}

/// Whether a message is to be inspected aside ([`inspect_aside`]).
#[must_use]
pub const fn is_large(bytes: usize, is_compressed: bool) -> bool {
    bytes > if is_compressed { LARGE_COMPRESSED } else { LARGE }
}

/// Runs an inspection. A panic in it is a defect that refuses the message and ends nothing else.
pub fn inspect(context: &Context, counted: &Counted, part: Part, inspection: impl FnOnce() -> Verdict) -> Judged {
    let started = Instant::now();
    let verdict = step(&context.metrics.panics, "an inspection", || {
        context.journal.faults().strike(Layer::Inspect);
        inspection()
    });
    let verdict = verdict.unwrap_or(Verdict::Uninspectable(DEFECT));
    counted.metrics().inspection.observe(started.elapsed().as_secs_f64());
    match part {
        Part::Message(bytes) => counted.metrics().inspected_bytes.inc_by(bytes as u64),
        Part::Fields if verdict == Verdict::Clean => return Judged::Clean,
        Part::Fields => {}
    }
    judge(context, counted, verdict)
}

/// The same for a large message, aside from the threads that carry everybody's traffic and when its turn comes: whoever sends one waits,
/// and nobody else. What the inspection goes on with comes back with the verdict.
pub async fn inspect_aside<T: Default + Send + 'static>(
    context: Arc<Context>,
    counted: Counted,
    budget: Arc<Budget>,
    bytes: usize,
    mut state: T,
    inspection: impl FnOnce(&mut T) -> Verdict + Send + 'static,
) -> (Judged, T) {
    let (contexts, counts) = (context.clone(), counted.clone());
    let work = move || (inspect(&contexts, &counts, Part::Message(bytes), || inspection(&mut state)), state);
    // A panic was counted where it happened; what is left is a runtime that ends.
    budget.aside(work).await.unwrap_or_else(|| (judge(&context, &counted, Verdict::Uninspectable(DEFECT)), T::default()))
}

/// Turns a verdict into what is done, and counts it.
fn judge(context: &Context, counted: &Counted, verdict: Verdict) -> Judged {
    let (refusal, findings) = match verdict {
        Verdict::Clean => {
            counted.inspected(Inspected::Allow);
            return Judged::Clean;
        }
        Verdict::Uninspectable(detail) => (Refusal::new(Reason::Uninspectable, detail, RuleName::Builtin("inspection")), Vec::new()),
        Verdict::TooLarge(detail) => (Refusal::new(Reason::MessageTooLarge, detail, RuleName::Builtin("inspection")), Vec::new()),
        Verdict::Undocumented(places) => (undocumented(&places), Vec::new()),
        Verdict::Findings(findings) => (personal_data(&findings), findings),
    };
    let judged = refuse(context, counted, refusal);
    for finding in &findings {
        counted.found(finding.kind, matches!(judged, Judged::Refused(_)));
    }
    judged
}

/// Refuses a message, or lets it pass where the mode only observes; counted as a message in either case.
fn refuse(context: &Context, counted: &Counted, refusal: Refusal) -> Judged {
    let is_observed = context.engine.policy.verdict(refusal.reason) == policy::Verdict::WouldDeny;
    counted.inspected(if is_observed { Inspected::WouldDeny } else { Inspected::Deny });
    if is_observed { Judged::Observed(refusal) } else { Judged::Refused(refusal) }
}

/// Kinds and places, never values.
fn personal_data(findings: &[Finding]) -> Refusal {
    let found = findings.iter().map(|finding| format!("{} in {}", finding.kind.label(), finding.place));
    let detail = format!("personal data where the vendor promises none: {}", shown(found));
    Refusal::new(Reason::PersonalData, detail, RuleName::Builtin("inspection"))
}

fn undocumented(places: &[String]) -> Refusal {
    let detail =
        format!("fields or values that the vendor does not document (inspection.unknown_fields): {}", shown(places.iter().cloned()));
    Refusal::new(Reason::UndocumentedField, detail, RuleName::Builtin("inspection.unknown_fields"))
}

/// The first few, and whether there are more.
fn shown(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = if all.len() > SHOWN { " and more" } else { "" };
    all.take(SHOWN).collect::<Vec<_>>().join("; ") + more
}

/// What was read and found wanting was inspected; what could not be read, or was too large to be, was not.
#[must_use]
pub fn covered_by(refusal: &Refusal) -> Coverage {
    match refusal.reason {
        Reason::Uninspectable | Reason::MessageTooLarge => Coverage::Uninspectable,
        _ => Coverage::Inspected,
    }
}

/// One part that could not be inspected is enough.
#[must_use]
pub fn worse(one: Coverage, other: Coverage) -> Coverage {
    if one == Coverage::Uninspectable { one } else { other }
}
