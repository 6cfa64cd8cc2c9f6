//! The first sheet: what an auditor asks under the GDPR, answered in a few lines each.

use super::super::csv::cited;
use super::super::evidence::{Report, ServiceRow};
use super::page::{Cell, Page, bytes, count, grouped, many, text};
use super::{day, moment, percent};
use crate::markup::escape;
use std::collections::BTreeSet;

/// Kinds that are named one by one.
const KINDS: usize = 6;
/// Endpoints on the first sheet; all are further down.
const ENDPOINTS: usize = 6;

pub(super) fn first_sheet(page: &mut Page, report: &Report) {
    let (from, to) = (day(&report.period.from), day(&report.period.to));
    page.raw("<header>");
    page.raw("<h1>What left for the Imagicle Cloud</h1>");
    page.raw(&format!(
        "<p><b>{} to {}</b> (UTC, the end not included) <span class=\"soft\">made {} by ucx-egress {}, policy {} {}</span></p>",
        escape(from),
        escape(to),
        escape(&moment(&report.generated)),
        escape(report.version),
        escape(&report.policy.name),
        escape(&report.policy.configured)
    ));
    page.raw("</header>");
    proof(page, report);
    tiles(page, report);
    page.raw("<section class=\"answers\">");
    processor(page, report);
    incidents(page, report);
    records(page, report);
    page.raw("</section>");
}

/// Whether the records are whole comes before anything they say.
fn proof(page: &mut Page, report: &Report) {
    let verified = &report.integrity.verified;
    let class = if verified.ok { "proof" } else { "proof broken" };
    let key = verified.key.as_deref().unwrap_or("none");
    let said = match (&verified.fault, &verified.last) {
        (Some(fault), _) => format!(
            "<strong>The records are broken</strong> at {}:{}: {}. Only what stands before that is counted here.",
            escape(&fault.file),
            fault.line,
            escape(&fault.message)
        ),
        (None, Some(last)) => format!(
            "<strong>The records are whole.</strong> {}, lines {} to {}, {} verified. Last hash <span class=\"mono\">{}</span>.",
            many(verified.files.len() as u64, "file"),
            verified.first,
            last.seq,
            many(verified.checkpoints, "signed checkpoint"),
            last.hash
        ),
        (None, None) => "<strong>There are no records.</strong>".to_owned(),
    };
    page.raw(&format!("<div class=\"{class}\"><p>{said} Public key SHA-256 <span class=\"mono\">{}</span>.</p>", escape(key)));
    let differs = report.policy.differs.then(|| {
        format!(
            "exchanges of the period began under the policies {}, the configured one is {}: endpoints and sources here are the configured one's",
            report.policy.in_audit.join(", "),
            report.policy.configured
        )
    });
    let missing = report.integrity.missing.iter().map(|missing| format!("of this period the files have {missing}"));
    let unvouched = match verified.lines_unvouched() {
        0 => None,
        lines => Some(format!(
            "no checkpoint vouches for {}: the hashes fit, and that nobody rewrote them without the key is not shown; which and why stands under integrity",
            many(lines, "line")
        )),
    };
    let notes: Vec<String> = unvouched.into_iter().chain(missing).chain(differs).collect();
    page.list(notes.iter().map(String::as_str));
    page.raw("</div>");
}

fn tiles(page: &mut Page, report: &Report) {
    page.raw("<div class=\"tiles\">");
    page.tile(&grouped(report.decisions.allow + report.decisions.would_deny), "exchanges let through");
    page.tile(&grouped(report.decisions.deny), "exchanges refused");
    page.tile(&percent(report.inspected_percent), "of those with a payload inspected");
    page.tile(&grouped(report.incidents.messages_blocked), "messages refused");
    page.tile(&super::page::sized(report.traffic.up), "sent to the cloud");
    page.raw("</div>");
}

fn answer(page: &mut Page, class: &str, heading: &str) {
    page.raw(&format!("<article class=\"answer{class}\"><h3>{}</h3>", escape(heading)));
}

/// Article 28: to which processor, where, documented how.
fn processor(page: &mut Page, report: &Report) {
    answer(page, " wide", "Who processes what (Art. 28): what went to the processor, and where that is documented");
    let mut rows: Vec<(&ServiceRow, &super::super::evidence::EndpointRow)> = report
        .services
        .iter()
        .flat_map(|service| service.endpoints.iter().map(move |endpoint| (service, endpoint)))
        .filter(|(_, endpoint)| endpoint.traffic.exchanges > 0)
        .collect();
    rows.sort_by_key(|(_, endpoint)| std::cmp::Reverse(endpoint.traffic.up));
    let more = rows.len().saturating_sub(ENDPOINTS);
    let cells = rows.into_iter().take(ENDPOINTS).map(|(service, endpoint)| {
        vec![
            text(&service.title),
            text(service.personal_data),
            Cell::name(&endpoint.endpoint),
            text(&cited(&endpoint.source.document, &endpoint.source.section)),
            count(endpoint.traffic.exchanges),
            bytes(endpoint.traffic.up),
            bytes(endpoint.traffic.down),
        ]
    });
    let caption =
        if more > 0 { format!("The {ENDPOINTS} with most sent; {more} more below") } else { "Every endpoint with traffic".to_owned() };
    let head = ["service", "personal data, says the vendor", "endpoint", "documented in", "exchanges", "up", "down"];
    page.table(&caption, &head, cells);
    page.raw("</article>");
}

/// Article 33: what may have to be notified.
fn incidents(page: &mut Page, report: &Report) {
    answer(page, "", "What happened (Art. 33): findings and outages of the period");
    let incidents = &report.incidents;
    let mut lines = Vec::new();
    let total = |of: fn(&super::super::figures::Findings) -> u64| incidents.findings.values().map(of).sum::<u64>();
    let (blocked, passed) = (total(|found| found.blocked), total(|found| found.passed));
    let kinds: Vec<&str> = incidents.findings.keys().map(String::as_str).take(KINDS).collect();
    let others = if incidents.findings.len() > KINDS { " and others" } else { "" };
    if blocked + passed > 0 {
        lines.push(format!(
            "personal data where the vendor promises none: {} in refused messages, {} in messages that went on ({}{others})",
            many(blocked, "finding"),
            grouped(passed),
            kinds.join(", ")
        ));
    }
    if incidents.messages_observed > 0 {
        lines.push(format!("{} went on that enforcing would have refused", many(incidents.messages_observed, "message")));
    }
    for span in incidents.observing.iter().take(3) {
        lines.push(format!("nothing was enforced (mode observe) from {} to {}", moment(&span.from), moment(&span.to)));
    }
    for gap in incidents.gaps.iter().take(3) {
        lines.push(format!(
            "nothing was recorded from {} to {} ({}): {} lost, {} refused",
            moment(&gap.span.from),
            moment(&gap.span.to),
            gap.cause,
            many(gap.lost, "record"),
            many(gap.refused, "exchange")
        ));
    }
    if !incidents.interruptions.is_empty() {
        let times: Vec<String> = incidents.interruptions.iter().take(3).map(|time| moment(time)).collect();
        lines.push(format!(
            "the proxy ended {} not in order; it began again {}",
            many(incidents.interruptions.len() as u64, "time"),
            times.join(", ")
        ));
    }
    let more = incidents.observing.len().saturating_sub(3) + incidents.gaps.len().saturating_sub(3);
    if more > 0 || incidents.unlisted > 0 {
        lines.push(format!("{} of observing or without records: the JSON lists them", many(more as u64 + incidents.unlisted, "more time")));
    }
    if !report.has_incidents() {
        lines.push("nothing of this kind is in the records of the period".to_owned());
    }
    page.list(lines.iter().map(String::as_str));
    page.paragraph("Which of these has to be notified the controller decides; the decision ids in the records lead to the proxy's log.");
    page.raw("</article>");
}

/// Article 30: the record of processing.
fn records(page: &mut Page, report: &Report) {
    answer(page, "", "For the record of processing (Art. 30)");
    let of = |word: &str| {
        let used = report.services.iter().filter(|service| service.is_documented && service.personal_data == word);
        used.map(|service| if service.seen.decisions.all() > 0 { service.id.clone() } else { format!("{} (unused)", service.id) })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let or_none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    let hosts: BTreeSet<&str> = report
        .services
        .iter()
        .flat_map(|service| &service.endpoints)
        .filter(|row| row.traffic.exchanges > 0)
        .map(|row| row.endpoint.as_str())
        .collect();
    let measures = &report.measures;
    let inspection = if measures.interception {
        "decrypts and inspects what is promised to carry no personal data"
    } else {
        "decrypts nothing: payloads are not seen"
    };
    let kept =
        measures.audit_kept.as_ref().map_or_else(|| "not written in the configuration given".to_owned(), |kept| format!("kept {kept}"));
    let lines = [
        format!(
            "categories: personal data documented in {}; promised to have none: {}; not stated: {}",
            or_none(of("expected")),
            or_none(of("none")),
            or_none(of("unstated"))
        ),
        format!("recipients: {}", or_none(hosts.into_iter().collect::<Vec<_>>().join(", "))),
        format!(
            "measures: {} and everything else refused, mode {}; the proxy {inspection}",
            many(measures.rules as u64, "allow rule"),
            measures.mode
        ),
        format!("these records: {kept}; no client address, user, path or value is in them, clients are pseudonyms for one run"),
        "data subjects, purposes and deletion at the processor are in its own documents".to_owned(),
    ];
    page.list(lines.iter().map(String::as_str));
    page.raw("</article>");
}
