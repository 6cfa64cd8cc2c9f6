//! The figures as rows for spreadsheets: one figure a row (RFC 4180).

use super::evidence::{EndpointRow, Report, ServiceRow};
use crate::policy::export::cell;

/// Collects rows.
struct Rows(String);

impl Rows {
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    fn row(&mut self, section: &str, service: &str, item: &str, measure: &str, value: impl ToString, source: &str) {
        let cells = [section, service, item, measure, &value.to_string(), source].map(cell);
        self.0.push_str(&cells.join(","));
        self.0.push_str("\r\n");
    }
}

/// The whole report.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut rows = Rows("section,service,item,measure,value,source\r\n".to_owned());
    head(&mut rows, report);
    for service in &report.services {
        self::service(&mut rows, service);
    }
    for (kind, found) in &report.incidents.findings {
        rows.row("finding", "", kind, "blocked", found.blocked, "");
        rows.row("finding", "", kind, "passed", found.passed, "");
    }
    for gap in &report.incidents.gaps {
        let item = format!("{} to {}", gap.span.from, gap.span.to);
        rows.row("gap", "", &item, "lost", gap.lost, &gap.cause);
        rows.row("gap", "", &item, "refused", gap.refused, &gap.cause);
    }
    for span in &report.incidents.observing {
        rows.row("observing", "", &span.from, "until", &span.to, "");
    }
    for time in &report.incidents.interruptions {
        rows.row("interruption", "", time, "count", 1, "");
    }
    for change in &report.changes {
        let (policy, mode) = change.in_force.as_ref().map_or(("", ""), |now| (now.policy.as_str(), now.mode.as_str()));
        rows.row("change", "", &change.time, &change.what, policy, mode);
    }
    rows.0
}

fn head(rows: &mut Rows, report: &Report) {
    rows.row("report", "", "period", "from", &report.period.from, "");
    rows.row("report", "", "period", "to", &report.period.to, "");
    rows.row("report", "", "policy", "configured", &report.policy.configured, &report.policy.name);
    let verified = &report.integrity.verified;
    rows.row("integrity", "", "chain", "ok", verified.ok, verified.key.as_deref().unwrap_or_default());
    if let Some(fault) = &verified.fault {
        rows.row("integrity", "", &fault.file, "broken_at_line", fault.line, &fault.message);
    }
    rows.row("integrity", "", "lines", "first_seq", verified.first, "");
    if let Some(last) = &verified.last {
        rows.row("integrity", "", "lines", "last_seq", last.seq, &last.hash.to_string());
    }
    rows.row("integrity", "", "checkpoints", "verified", verified.checkpoints, "");
    for unvouched in &verified.unvouched {
        let item = format!("{} to {}", unvouched.first, unvouched.last);
        rows.row("integrity", "", &item, "lines_unvouched", unvouched.lines, &unvouched.to_string());
    }
    for missing in &report.integrity.missing {
        rows.row("integrity", "", "missing", "note", missing, "");
    }
    let all = &report.decisions;
    for (verdict, count) in [("allow", all.allow), ("deny", all.deny), ("would_deny", all.would_deny), ("undecided", all.undecided)] {
        rows.row("all", "", verdict, "exchanges", count, "");
    }
    rows.row("all", "", "bytes", "up", report.traffic.up, "");
    rows.row("all", "", "bytes", "down", report.traffic.down, "");
}

fn service(rows: &mut Rows, service: &ServiceRow) {
    let (id, seen) = (service.id.as_str(), &service.seen);
    let source = cited(&service.source.document, &service.source.section);
    rows.row("service", id, "personal_data", "vendor_says", service.personal_data, &source);
    let all = &seen.decisions;
    for (verdict, count) in [("allow", all.allow), ("deny", all.deny), ("would_deny", all.would_deny), ("undecided", all.undecided)] {
        rows.row("service", id, verdict, "exchanges", count, "");
    }
    for (measure, value) in [
        ("cut", seen.cut),
        ("messages", seen.traffic.messages),
        ("messages_blocked", seen.blocked),
        ("messages_observed", seen.observed),
        ("bytes_up", seen.traffic.up),
        ("bytes_down", seen.traffic.down),
        ("inspected", seen.coverage.inspected),
        ("tunnelled", seen.coverage.tunnelled),
        ("uninspectable", seen.coverage.uninspectable),
    ] {
        rows.row("service", id, "", measure, value, "");
    }
    if let Some(percent) = service.inspected_percent {
        rows.row("service", id, "", "inspected_percent", percent, "");
    }
    for (reason, count) in &seen.refused {
        rows.row("refused", id, reason, "exchanges", count, "");
    }
    for (reason, count) in &seen.would_refuse {
        rows.row("would_refuse", id, reason, "exchanges", count, "");
    }
    for (kind, found) in &seen.findings {
        rows.row("service_finding", id, kind, "blocked", found.blocked, "");
        rows.row("service_finding", id, kind, "passed", found.passed, "");
    }
    for endpoint in &service.endpoints {
        self::endpoint(rows, id, endpoint);
    }
}

fn endpoint(rows: &mut Rows, service: &str, row: &EndpointRow) {
    let source = cited(&row.source.document, &row.source.section);
    let traffic = &row.traffic;
    for (measure, value) in
        [("exchanges", traffic.exchanges), ("messages", traffic.messages), ("bytes_up", traffic.up), ("bytes_down", traffic.down)]
    {
        rows.row("endpoint", service, &row.endpoint, measure, value, &source);
    }
}

/// `document, section`.
pub(super) fn cited(document: &str, section: &str) -> String {
    if section.is_empty() { document.to_owned() } else { format!("{document}, section {section}") }
}
