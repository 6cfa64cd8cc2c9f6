//! The same fields and the same data in other formats than JSON.

use super::{Inspector, is_clean};
use ucx_egress::inspect::engine::finding::Kind;
use ucx_egress::inspect::engine::format::{Limits, csv, form, multipart, ndjson, text, xml};
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
        let report =
            inspector.walk(Unknown::Observe, body.len(), |walk| text::read(body.as_bytes(), Limits::default(), walk).expect("text"));
        assert!(kinds(&report).contains(&kind), "{body}: {report:?}");
    }
}

#[test]
fn lines_of_documented_fields_are_fields_in_plain_text() {
    let inspector = Inspector::shared();
    let report = |body: &str, unknown: Unknown| {
        inspector.walk(unknown, body.len(), |walk| text::read(body.as_bytes(), Limits::default(), walk).expect("text"))
    };
    for body in [
        "version=1.0.2\nstatus=Running\n",
        "serviceName: Spooler\r\nstartupIdentity: NT AUTHORITY\\SYSTEM\r\nexePath: C:\\Windows\\System32\\spoolsv.exe -k a=60\r\n",
        "processes[0].processId=4\nprocesses[0].name=System\nprocesses[0].usedMemory=143360\n",
    ] {
        assert!(is_clean(&report(body, Unknown::Inert)), "{body}");
    }
    for body in
        ["Spooler is running and all is well", "version=1.0.2\nand some prose", "version=1.0.2\nrossi=Running\n", "processId=mrossi\n"]
    {
        assert!(!is_clean(&report(body, Unknown::Inert)), "{body}");
    }
    for (body, kind) in [
        ("name=Spooler\nextension=4312\n", Kind::Phone),
        ("name: mario.rossi@example.com\n", Kind::Email),
        ("serviceName: x\nstartupIdentity: ACME\\m.rossi\n", Kind::Identity),
        ("name=Spooler\nfirst name=Mario\n", Kind::PersonName),
    ] {
        assert!(kinds(&report(body, Unknown::Inert)).contains(&kind), "{body}");
    }
    // Prose is refused for what it is, however much of it there is.
    let prose = "The service was started again in the night, since it had stopped. ".repeat(900);
    let refused = report(&prose, Unknown::Inert);
    assert!(refused.unreadable.is_none() && !refused.undocumented.is_empty(), "{refused:?}");
    assert!(report(&prose, Unknown::Observe).unreadable.is_some());
}

fn csv_report(table: &str, unknown: Unknown) -> Report {
    Inspector::shared().walk(unknown, table.len(), |walk| csv::read(table.as_bytes(), Limits::default(), walk).expect("a table"))
}

#[test]
fn columns_of_tables_are_documented_fields_or_speak_of_persons() {
    for table in [
        "processId,name,usedMemory,handleCount,threadCount,cpuUsage\r\n4,System,143360,612,14,0.1\r\n812,svchost.exe,3412345678,12,3,12.3456\r\n",
        "Process ID;Name;Working Set\n4;System;143360\n812;\"MSSQL$UCX\";3412345678\n",
        "name\tversion\tvendor\tinstallationPath\nPuTTY\t0.78.0.0\tSimon Tatham\tC:\\Program Files\\PuTTY\\\nTool\t20.70.10.2\t\"Frank Heind\u{f6}rfer, Philip Chinery\"\t\n",
        "serviceName,startupName,startupIdentity,exePath\nSpooler,Automatic,NT AUTHORITY\\SYSTEM,C:\\Windows\\System32\\spoolsv.exe\n",
        "sep=;\nhotFixId;version\nKB5031364;1.0\n",
        "ipAddress,gateway\n10.20.0.11,10.20.0.1\n",
    ] {
        for unknown in [Unknown::Strict, Unknown::Inert] {
            let report = csv_report(table, unknown);
            assert!(is_clean(&report), "{unknown:?}: {report:?}: {table}");
        }
    }
    for (table, kind) in [
        ("name,extension\nx,4312", Kind::Phone),
        ("name;interno\nx;4312\n", Kind::Phone),
        ("processId,owner\n4,whoever\n", Kind::PersonName),
        ("name,vendor\nPuTTY,mario.rossi@example.com\n", Kind::Email),
        ("name,vendor\nPuTTY,\"call\n+39 02 1234 5678\"\n", Kind::Phone),
        ("name,exePath\nx,C:\\Users\\mrossi\\x.exe\n", Kind::UserPath),
        ("Nome,Cognome,Telefono\nMario,Rossi,0212345678", Kind::ContactList),
        ("cdrRecordType,globalCallID_callId,callingPartyNumber,originalCalledPartyNumber\n1,17,4312,4313", Kind::CallRecord),
        ("4312,0212345678,1763172000,35\n4313,0212345679,1763172100,12\n4314,0212345670,1763172200,7\n", Kind::CallRecord),
    ] {
        let report = csv_report(table, Unknown::Observe);
        assert!(kinds(&report).contains(&kind), "{report:?}: {table}");
    }
    assert!(!is_clean(&csv_report("name,colour\nPuTTY,some words of somebody\n", Unknown::Inert)));
}

/// What is a part of a form in which nothing is said of the content.
fn part(name: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"telemetry\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), body, b"\r\n--b--\r\n"].concat()
}

#[test]
fn parts_that_are_bytes_are_what_they_show() {
    let report = |body: &[u8]| {
        Inspector::shared().walk(Unknown::Inert, body.len(), |walk| multipart::read(body, "b", Limits::default(), walk).expect("parts"))
    };
    let clean = br#"{"processes":[{"pid":4,"name":"System"}]}"#;
    let gzip = |bytes: &[u8]| super::encodings::gzip(bytes);
    let wide = |text: &str| {
        "\u{feff}".chars().chain(text.chars()).collect::<String>().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    for body in [
        clean.to_vec(),
        gzip(clean),
        wide("{\"pid\":4}"),
        CLEAN_XML.into(),
        b"pid,name\n4,System\n".to_vec(),
        b"{\"pid\":4}\n{\"pid\":5}\n".to_vec(),
        b"1.2.3".to_vec(),
    ] {
        let report = report(&part("beat.json", &body));
        assert!(is_clean(&report), "{report:?}: {}", String::from_utf8_lossy(&body));
    }
    for (body, kind) in [
        (br#"{"extension":4312}"#.to_vec(), Kind::Phone),
        (gzip(br#"{"extension":4312}"#), Kind::Phone),
        (wide("{\"extension\":4312}"), Kind::Phone),
        (b"<a><extension>4312</extension></a>".to_vec(), Kind::Phone),
        (b"name,extension\nx,4312\n".to_vec(), Kind::Phone),
        (b"call +39 02 1234 5678".to_vec(), Kind::Phone),
        (b"\x89PNG\r\n\x1a\n....".to_vec(), Kind::Media),
        (b"\x01\x02mario.rossi@example.com\x03".to_vec(), Kind::Email),
    ] {
        let report = report(&part("beat.json", &body));
        assert!(kinds(&report).contains(&kind), "{report:?}: {}", String::from_utf8_lossy(&body));
    }
    for body in [&b"some words of somebody"[..], b"\x01\x02\x03\xff\xfe\xfd", b"PK\x03\x04...."] {
        assert!(!is_clean(&report(&part("beat.bin", body))), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn text_and_names_of_elements_are_read_as_they_look() {
    for (document, kind) in [
        ("<note>m<!-- -->@<b/>acme.it</note>", Kind::Email),
        ("<note>m<b>@</b>acme.it</note>", Kind::Email),
        ("<note><b>m.rossi</b>@<i>acme</i>.it</note>", Kind::Email),
        ("<note>m.ro<![CDATA[ssi@ac]]>me<br/>.it</note>", Kind::Email),
        ("<owner><mrossi/></owner>", Kind::PersonName),
        ("<owners><mrossi></mrossi></owners>", Kind::PersonName),
    ] {
        let report = xml_report(document, Unknown::Observe);
        assert!(kinds(&report).contains(&kind), "{report:?}: {document}");
    }
    for document in ["<a4312/>", "<users><mrossi/></users>"] {
        assert!(!is_clean(&xml_report(document, Unknown::Inert)), "{document}");
    }
    for document in
        ["<beat><processes/></beat>", "<beat><owner/><version/><cpuUsage/></beat>", "<process><name/>\n <pid>4</pid>\n</process>"]
    {
        let report = xml_report(document, Unknown::Strict);
        assert!(is_clean(&report), "{report:?}: {document}");
    }
}
