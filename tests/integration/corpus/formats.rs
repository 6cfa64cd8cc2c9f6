//! The same fields and the same data in other formats than JSON.

use super::{Inspector, is_clean};
use ucx_egress::inspect::engine::finding::Kind;
use ucx_egress::inspect::engine::format::{Limits, form, ndjson, text, xml};
use ucx_egress::inspect::engine::walk::{Report, Unknown};

const CLEAN_XML: &str = r#"<beat type="processes" schemaVersion="1.0"><runningProcesses>
<process><processId>4</processId><name>System</name><usedMemory>143360</usedMemory><cpuUsage>0.1</cpuUsage></process>
<process><processId>812</processId><name>svchost.exe</name><usedMemory>3412345678</usedMemory><cpuUsage>12.3456</cpuUsage></process>
</runningProcesses><installedApplications><application name="PuTTY" version="0.78.0.0" vendor="Simon Tatham" installPath="C:\Program Files\PuTTY\"/>
</installedApplications></beat>"#;

fn xml_report(document: &str, unknown: Unknown) -> Report {
    Inspector::shared().walk(unknown, document.len(), |walk| xml::read(document.as_bytes(), Limits::default(), walk).expect("XML"))
}

fn kinds(report: &Report) -> Vec<Kind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn clean_xml_passes_and_persons_in_it_are_found() {
    for unknown in [Unknown::Strict, Unknown::Inert] {
        let report = xml_report(CLEAN_XML, unknown);
        assert!(is_clean(&report), "{unknown:?}: {report:?}");
    }
    for (from, to, kind) in [
        ("Simon Tatham", "mario.rossi@example.com", Kind::Email),
        ("svchost.exe", "tel:+390212345678", Kind::SipUri),
        (r"C:\Program Files\PuTTY\", r"C:\Users\mrossi\PuTTY\", Kind::UserPath),
        ("<name>System</name>", "<name>System</name><owner>Mario Rossi</owner>", Kind::PersonName),
        ("<name>System</name>", "<!-- call +39 02 1234 5678 --><name>System</name>", Kind::Phone),
    ] {
        let document = CLEAN_XML.replacen(from, to, 1);
        assert!(kinds(&xml_report(&document, Unknown::Observe)).contains(&kind), "{document}");
    }
}

#[test]
fn forms_and_lines_are_read_by_their_keys_and_values() {
    let inspector = Inspector::shared();
    let read = |body: &str| {
        inspector.walk(Unknown::Inert, body.len(), |walk| form::read(body.as_bytes(), Limits::default(), walk).expect("a form"))
    };
    assert!(is_clean(&read("productCode=6f9619ff-8b86-4011-b42d-00cf4fc964ff&version=2026.2.1&capacity=100&expiryDate=2027-01-31")));
    assert_eq!(kinds(&read("version=2026.2.1&contact=4312")), [Kind::ContactList]);
    assert_eq!(kinds(&read("version=2026.2.1&x=mario.rossi%40example.com")), [Kind::Email]);

    let lines = |body: &str| {
        inspector.walk(Unknown::Inert, body.len(), |walk| ndjson::read(body.as_bytes(), Limits::default(), walk).expect("lines"))
    };
    assert!(is_clean(&lines("{\"pid\":4,\"name\":\"System\"}\n{\"pid\":812,\"name\":\"svchost.exe\"}\n")));
    assert_eq!(kinds(&lines("{\"pid\":4,\"name\":\"System\"}\n{\"pid\":5,\"owner\":\"Mario Rossi\"}\n")), [Kind::PersonName]);
}

#[test]
fn records_and_cards_are_found_in_plain_text() {
    let inspector = Inspector::shared();
    for (body, kind) in [
        ("cdrRecordType,globalCallID_callId,callingPartyNumber,originalCalledPartyNumber\n1,17,4312,4313", Kind::CallRecord),
        ("4312,0212345678,1763172000,35\n4313,0212345679,1763172100,12\n4314,0212345670,1763172200,7\n", Kind::CallRecord),
        ("BEGIN:VCARD\nVERSION:4.0\nFN:Mario Rossi\nEND:VCARD", Kind::ContactList),
        ("dn: cn=Mario Rossi,dc=acme\ngivenName: Mario\nsn: Rossi\n", Kind::ContactList),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nORGANIZER;CN=Mario Rossi:x\nEND:VEVENT", Kind::ContactList),
        ("Nome,Cognome,Telefono\nMario,Rossi,0212345678", Kind::ContactList),
        ("join by sip:mario.rossi@acme.webex.com", Kind::SipUri),
        ("last logged on user ACME\\m.rossi", Kind::Identity),
    ] {
        let report = inspector.walk(Unknown::Observe, body.len(), |walk| text::read(body.as_bytes(), walk).expect("text"));
        assert!(kinds(&report).contains(&kind), "{body}: {report:?}");
    }
}
