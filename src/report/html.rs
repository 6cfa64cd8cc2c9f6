//! The report as one page: nothing in it is fetched from anywhere, and the first sheet of paper has the answers.

mod answers;
mod page;

use super::chart::{coverage, timeline};
use super::csv::cited;
use super::evidence::{Report, ServiceRow};
use page::{Cell, Page, bytes, count, num, text};

/// The whole page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = Page::new(&format!("Egress report {} to {}", day(&report.period.from), day(&report.period.to)));
    answers::first_sheet(&mut page, report);
    page.raw("<main class=\"details\">");
    over_time(&mut page, report);
    services(&mut page, report);
    refusals(&mut page, report);
    findings(&mut page, report);
    endpoints(&mut page, report);
    changes(&mut page, report);
    integrity(&mut page, report);
    page.raw("</main>");
    page.end()
}

/// The date alone where it is the first moment of one.
fn day(time: &str) -> &str {
    time.strip_suffix("T00:00:00.000Z").unwrap_or(time)
}

/// `2026-11-29 21:52:03`, for people.
fn moment(time: &str) -> String {
    time.get(..19).unwrap_or(time).replacen('T', " ", 1)
}

fn over_time(page: &mut Page, report: &Report) {
    page.heading("Decisions over time");
    page.raw("<figure>");
    page.raw(&timeline(&report.timeline));
    page.raw("<figcaption><span class=\"key allow\"></span>let through<span class=\"key would\"></span>let through, enforcing would refuse<span class=\"key deny\"></span>refused<span class=\"key dim\"></span>ended before a decision</figcaption></figure>");
    let bars = coverage(&report.services);
    if !bars.is_empty() {
        page.heading("What was seen of the payload");
        page.raw("<figure>");
        page.raw(&bars);
        page.raw("<figcaption><span class=\"key allow\"></span>inspected<span class=\"key would\"></span>could not be inspected<span class=\"key dim\"></span>not seen: a tunnel; of exchanges that passed, the number is the inspected part</figcaption></figure>");
    }
}

fn services(page: &mut Page, report: &Report) {
    page.heading("Services");
    let rows = report.services.iter().map(|service| {
        let (decisions, traffic) = (&service.seen.decisions, &service.seen.traffic);
        vec![
            Cell::name(&service.id),
            count(decisions.allow),
            count(decisions.deny),
            count(decisions.would_deny),
            count(service.seen.cut),
            num(percent(service.inspected_percent)),
            count(traffic.messages),
            count(service.seen.blocked),
            count(service.seen.observed),
            bytes(traffic.up),
            bytes(traffic.down),
        ]
    });
    page.table(
        "Every service of the policy, also those without traffic; \"none\" is what belongs to no documented service. Messages are those inspected",
        &["service", "let through", "refused", "observed", "cut later", "inspected", "messages", "of these refused", "observed", "up", "down"],
        rows,
    );
}

fn percent(percent: Option<f64>) -> String {
    percent.map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"))
}

fn refusals(page: &mut Page, report: &Report) {
    page.heading("Refused, by reason");
    let of = |service: &ServiceRow, word: &'static str, reasons: &std::collections::BTreeMap<String, u64>| {
        let id = service.id.clone();
        reasons.iter().map(move |(reason, number)| vec![Cell::name(&id), text(reason), text(word), count(*number)]).collect::<Vec<_>>()
    };
    let rows = report.services.iter().flat_map(|service| {
        [of(service, "refused", &service.seen.refused), of(service, "observed, let through", &service.seen.would_refuse)].concat()
    });
    page.table("Exchanges", &["service", "reason", "what was done", "exchanges"], rows);
}

fn findings(page: &mut Page, report: &Report) {
    page.heading("Personal data found, by kind");
    let rows = report.services.iter().flat_map(|service| {
        let row = |(kind, found): (&String, &super::figures::Findings)| {
            vec![Cell::name(&service.id), text(kind), count(found.blocked), count(found.passed)]
        };
        service.seen.findings.iter().map(row).collect::<Vec<_>>()
    });
    page.table(
        "Findings in inspected messages, kinds only; what was found is recorded nowhere",
        &["service", "kind", "in refused messages", "in messages that went on"],
        rows,
    );
}

fn endpoints(page: &mut Page, report: &Report) {
    page.heading("Endpoints and where they are documented");
    let rows = report.services.iter().flat_map(|service| {
        let row = |endpoint: &super::evidence::EndpointRow| {
            let (source, traffic) = (&endpoint.source, &endpoint.traffic);
            let quote = if source.quote.is_empty() { String::new() } else { format!("“{}”", source.quote) };
            vec![
                Cell::name(&endpoint.endpoint),
                Cell::name(&service.id),
                text(&cited(&source.document, &source.section)),
                text(&quote),
                count(traffic.exchanges),
                bytes(traffic.up),
                bytes(traffic.down),
            ]
        };
        service.endpoints.iter().map(row).collect::<Vec<_>>()
    });
    page.table(
        "As the policy writes them; a * covers one label, and which names clients wrote there is not recorded",
        &["endpoint", "service", "document", "in its words", "exchanges", "up", "down"],
        rows,
    );
}

fn changes(page: &mut Page, report: &Report) {
    page.heading("Changes of the configuration, starts and stops");
    let rows = report.changes.iter().map(|change| {
        let (policy, mode, config) = change.in_force.as_ref().map_or(("", "", ""), |now| (&now.policy, &now.mode, &now.config));
        let version = change.version.as_deref().unwrap_or_default();
        vec![
            Cell::name(&moment(&change.time)),
            text(&change.what),
            text(mode),
            Cell::mono(policy),
            Cell::mono(config.get(..12).unwrap_or(config)),
            text(version),
        ]
    });
    page.table("In the period", &["time", "what", "mode since", "policy", "configuration", "version"], rows);
}

fn integrity(page: &mut Page, report: &Report) {
    page.heading("Integrity of the records");
    let verified = &report.integrity.verified;
    let rows = verified.files.iter().map(|file| {
        vec![
            Cell::mono(&file.file),
            count(file.lines),
            num(format!("{} to {}", file.first, file.last)),
            text(&moment(&file.from)),
            text(&moment(&file.to)),
            count(file.checkpoints),
            text(serde_json::json!(file.ended).as_str().unwrap_or_default()),
        ]
    });
    page.table(
        "Files whose every line, number, hash and signature was verified while this report was made",
        &["file", "lines", "numbers", "from", "to", "checkpoints", "end"],
        rows,
    );
    let unvouched = verified.unvouched.iter().map(ToString::to_string);
    let notes: Vec<String> = unvouched.chain(verified.notes.iter().chain(&report.integrity.missing).cloned()).collect();
    page.list(notes.iter().map(String::as_str));
    page.paragraph("To verify again: ucx-egress audit verify FILE… --key audit.pub.pem. A chain shows any change, cut or reorder of what its checkpoints vouch for; that its newest files were taken away whole it cannot show, so compare the last number and hash with the log of the proxy.");
}
