//! Messages as the suite might send them, and what must not be in them.

use super::*;
use crate::inspect::engine::format::{Limits, json};
use crate::inspect::engine::shape::Shape;
use crate::inspect::engine::shape::document::Document;

/// All four beats in the spelling of a .NET serializer; every value is made up.
const BEATS: &str = r#"{
"processes":{"runningProcesses":[{"processId":1234,"name":"svchost.exe","usedMemory":12345678,"handleCount":612,"threadCount":14,"cpuUsage":3.25}],
 "windowsServices":[{"processId":812,"name":"MSSQL$UCX","status":"Running"}]},
"softwareInfo":{"installedApplications":[{"name":"PuTTY release 0.78 (64-bit)","version":"0.78.0.0","vendor":"Simon Tatham","installationPath":"C:\\Program Files\\PuTTY\\"}],
 "operatingSystem":{"editionName":"Windows Server 2022 Standard","version":"10.0.20348.2113","language":"it-IT","systemDrive":"C:","systemDirectory":"C:\\Windows\\system32"},
 "windowsServices":[{"serviceName":"Spooler","startupName":"Automatic","startupIdentity":"NT AUTHORITY\\SYSTEM","exePath":"C:\\Windows\\System32\\spoolsv.exe"}],
 "hotfixes":["KB5031364"],"firewall":{"domain":true,"public":true,"private":false}},
"hardwareInfo":{"virtualMachine":true,"processors":[{"name":"Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz","manufacturer":"GenuineIntel","bitness":64,"numberOfCores":4}],
 "memory":{"totalInstalled":17179869184,"reserved":8388608},"disks":[{"size":107374182400,"model":"VMware Virtual disk SCSI Disk Device"}],
 "networkAdapters":[{"adapterName":"vmxnet3 Ethernet Adapter","dhcpConfiguration":false,"dnsServers":["10.20.0.53"],"gateways":["10.20.0.1"],"ipAddresses":["10.20.0.11"]}]},
"ucxSuite":{"suite":{"version":"2026.2.1","platform":"Cisco UC","installationPath":"C:\\Program Files (x86)\\Imagicle\\UCX","installationFolderSize":6871947673},
 "cluster":{"nodes":["10.20.0.11","10.20.0.12"],"databaseReplicationStrategy":"SqlServerReplication"},
 "voipArchitecture":{"cucmVersion":"14.0.1.13900-155","numberOfUsers":1250,"numberOfDevices":2310,"cucmIpAddress":"10.20.0.60"},
 "databaseServer":{"sqlServerEdition":"Standard Edition (64-bit)","version":"15.0.4316.3","instanceName":"UCX"},
 "databases":[{"name":"Ucx","size":4294967296,"filePaths":["D:\\SQLData\\Ucx.mdf"],"authenticationType":"SQL","fullTextCatalogStatus":"Idle","lastMaintenance":"2026-11-15T02:00:00Z"}],
 "logging":{"enabled":true,"retention":30},
 "counters":{"attendantConsolesConnected":{"standard":4},"callsBeingRecorded":17,"ivrActiveCalls":6,"acdQueuedCallsFifo":3,"acdQueuedCallsCampOn":1,"acdConsultationCalls":2,"faxesBeingSent":0,"faxesBeingReceived":1,"eccCurriRequestRate":{"phoneLock":0.4,"contactManager":2.75}}}}"#;

fn tree() -> Tree {
    let document: Document = toml::from_str(include_str!("../../../../config/policy/shape.toml")).expect("the shape is TOML");
    Tree::new(Shape::compile(&document).expect("the shape compiles"))
}

fn settings(unknown: Unknown) -> Settings {
    Settings { unknown, networks: vec![("10.20.0.0".parse().expect("an address"), 24)], accounts: Vec::new() }
}

fn report(text: &str, unknown: Unknown) -> Report {
    let (tree, settings) = (tree(), settings(unknown));
    let mut walk = Walk::new(&tree, &settings, text.len());
    json::read(text.as_bytes(), Limits::default(), &mut walk).unwrap_or_else(|malformed| panic!("{malformed}: {text}"));
    walk.finish()
}

/// What is found in a document.
pub(super) fn report_of(text: &str, unknown: Unknown) -> Report {
    report(text, unknown)
}

/// A tree and the settings of these tests.
pub(super) fn setting(unknown: Unknown) -> (Tree, Settings) {
    (tree(), settings(unknown))
}

fn kinds(text: &str) -> Vec<Kind> {
    report(text, Unknown::Observe).findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn the_documented_beats_are_harmless_by_their_shape_alone() {
    assert_eq!(report(BEATS, Unknown::Strict), Report::default());
}

#[test]
fn spelling_does_not_matter() {
    for text in [
        r#"{"Running_Processes":[{"PID":4,"Name":"System","Working-Set":"140 KB","Handles":3000,"Threads":150,"CPU":0.1}]}"#,
        r#"{"processi":[{"nome":"svchost.exe","id_processo":1234,"memoria_usata":12345678,"numero_handle":12}],"versione_suite":"2026.1"}"#,
        r#"{"services":[{"Name":"MSSQL$UCX","StartName":"NT Service\\MSSQL$UCX","StartMode":"Auto"}],"HotFixes":[{"HotFixID":"KB5008218"}]}"#,
    ] {
        assert_eq!(report(text, Unknown::Strict), Report::default(), "{text}");
    }
}

/// The outcome for a value of the path of a service.
fn of_path(path: &str) -> Report {
    report(&serde_json::json!({ "windowsServices": [{ "name": "Spooler", "exePath": path }] }).to_string(), Unknown::Inert)
}

#[test]
fn a_path_with_escapes_in_it_is_a_path() {
    for path in
        [r"C:\Program Files\Paessler\Remote Probe\PRTG Probe.exe", r"C:\Program Files (x86)\Trend Micro\Security Agent\Ntrtscan.exe"]
    {
        for argument in [
            "--port=5060",
            "--timeout=60",
            "--guid=6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            "--guid=5C9619FF-8B86-D011-B42D-00CF4FC964FF",
            "--url=http%3A%2F%2Fa",
            "--name=&quot;x&quot;",
            r"--key=\u0041",
        ] {
            let text = format!("\"{path}\" {argument}");
            assert_eq!(of_path(&text), Report::default(), "{text}");
        }
    }
    for (argument, kind) in [
        ("--mail=mario.rossi%40example.com", Kind::Email),
        ("--mail=6D=61rio.rossi=40example.com", Kind::Email),
        ("--call=%2B393471234567", Kind::Phone),
        (r"--dir=C:\Users%5Cmrossi\x", Kind::UserPath),
        (r"--a ACME%5Cm.rossi", Kind::Identity),
        ("--a =41=43=4D=45=5C=6D=2E=72=6F=73=73=69", Kind::Identity),
        ("--a chiamare%20347%20123%204567", Kind::Phone),
        ("--user%3Dmrossi", Kind::Identity),
        ("--key=bWFyaW8ucm9zc2klNDBleGFtcGxlLmNvbQ==", Kind::Email),
    ] {
        let text = format!("\"C:\\Program Files\\X\\x.exe\" {argument}");
        let found = of_path(&text).findings;
        assert!(!found.is_empty() && found.iter().all(|finding| finding.kind == kind), "{text}: {found:?}");
    }
}

#[test]
fn persons_are_found_by_key_by_value_and_through_encodings() {
    for (text, kind) in [
        (r#"{"processes":[{"owner":"whoever"}]}"#, Kind::PersonName),
        (r#"{"hotfixes":[{"installedBy":"whoever"}]}"#, Kind::PersonName),
        (r#"{"extension":4312}"#, Kind::Phone),
        (r#"{"networkAdapters":[{"macAddress":"00:15:5D:01:02:03"}]}"#, Kind::MacAddress),
        (r#"{"note":"mario.rossi@example.com"}"#, Kind::Email),
        (r#"{"note":"mario.rossi\u0040example.com"}"#, Kind::Email),
        (r#"{"vendor":"call +39 02 1234 5678"}"#, Kind::Phone),
        (r#"{"note":"bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20="}"#, Kind::Email),
        (r#"{"note":"6d6172696f2e726f737369406578616d706c652e636f6d"}"#, Kind::Email),
        (r#"{"note":"mario.rossi%40example.com"}"#, Kind::Email),
        (r#"{"note":"mario.rossi&#64;example.com"}"#, Kind::Email),
        (r#"{"note":"{\"mail\":\"mario.rossi@example.com\"}"}"#, Kind::Email),
        (r#"{"note":"mario.rossi＠example.com"}"#, Kind::Email),
        (r#"{"mario.rossi@example.com":1}"#, Kind::Email),
        (r#"{"services":[{"startupIdentity":"ACME\\m.rossi"}]}"#, Kind::Identity),
        (r#"{"processes":[{"exePath":"C:\\Users\\mrossi\\tool.exe"}]}"#, Kind::UserPath),
        (r#"{"ipAddresses":["203.0.113.77","8.8.8.8"]}"#, Kind::IpAddress),
        (r#"{"note":"IT60X0542811101000000123456"}"#, Kind::Iban),
    ] {
        assert!(kinds(text).contains(&kind), "{kind:?} in {text}: {:?}", kinds(text));
    }
}

/// Encodings of a whole value that are none of base64, hexadecimal digits and escapes.
#[test]
fn persons_are_found_through_rarer_encodings() {
    let codes = |text: &str| format!("{:?}", text.as_bytes());
    for (value, kind) in [
        (codes("mario.rossi@example.com"), Kind::Email),
        (codes("+39 02 1234 5678"), Kind::Phone),
        (format!("[1,2,3,{}", &codes("mario.rossi@example.com")[1..]), Kind::Email),
        (r#""mario.rossi+AEA-example.com""#.to_owned(), Kind::Email),
        (r#""+AG0AYQByAGkAbwBAAGUAeABhAG0AcABsAGUALgBjAG8AbQ-""#.to_owned(), Kind::Email),
        (r#""\\155\\141\\162\\151\\157\\100\\145\\170\\141\\155\\160\\154\\145\\056\\143\\157\\155""#.to_owned(), Kind::Email),
        (r#""mario\\100example.com""#.to_owned(), Kind::Email),
        (r#""bWFy aW8u cm9z c2lA ZXhh bXBs ZS5j b20=""#.to_owned(), Kind::Email),
        (r#""as c2VlIG1hcm lvLnJvc3Np QGV4YW1wbG UuY29tIGFu ZCBzbyBvbg ==""#.to_owned(), Kind::Email),
        (r#""begin 644 x\n7;6%R:6\\N<F]S<VE`97AA;7!L92YC;VT`\n`\nend\n""#.to_owned(), Kind::Email),
        (r#""<~D..I!D_?'KF)u%\\AU%X#E,9)<@rH2~>""#.to_owned(), Kind::Email),
        (r#""MTIzNDU2Nzha""#.to_owned(), Kind::NationalId),
        (r#""KzM5MDIxMjM0NTY3OA==""#.to_owned(), Kind::Phone),
        (r#""bUBhY21lLml0""#.to_owned(), Kind::Email),
    ] {
        let text = format!(r#"{{"note":{value}}}"#);
        assert!(kinds(&text).contains(&kind), "{kind:?} in {text}: {:?}", kinds(&text));
    }
}

/// In a field for paths, backslashes begin folders as a rule.
#[test]
fn octal_escapes_are_no_path() {
    let octal = "mario.rossi@example.com".bytes().map(|byte| format!(r"\\{byte:03o}")).collect::<Vec<_>>().concat();
    assert!(kinds(&format!(r#"{{"processes":[{{"exePath":"{octal}"}}]}}"#)).contains(&Kind::Email), "{octal}");
    assert_eq!(report(r#"{"exePath":"D:\\100\\node.com\\x.exe"}"#, Unknown::Strict), Report::default());
}

/// Without a descriptor, fields have numbers for names.
#[test]
fn products_need_no_name_of_a_field() {
    let text = r#"{"1":{"2":"Windows Server 2022 Standard","3":"it-IT","4":"C:","5":"svchost.exe","6":"10.0.20348.2113","7":"Microsoft SQL Server"}}"#;
    assert_eq!(report(text, Unknown::Inert), Report::default());
    assert!(!report(text, Unknown::Strict).undocumented.is_empty());
    assert_eq!(report(r#"{"1":"Mario Rossi"}"#, Unknown::Inert).undocumented.len(), 1);
}

/// Percentages and counters in a row are no text.
#[test]
fn measurements_in_arrays_are_no_text() {
    for text in [
        r#"{"cpuUsage":[45,46,64,65,66,73,84,46,73,84]}"#,
        r#"{"cpuUsage":[50,51,52,49,53,55,50,48,57,50]}"#,
        r#"{"x":[97,98,99,100,99,98,97,99,98,97]}"#,
        r#"{"processes":[{"pid":109},{"pid":64},{"pid":110}]}"#,
        r#"{"x":[[109,97],[114,105],[111,64],[97,99],[109,101],[46,105],[116,32]]}"#,
    ] {
        assert_eq!(report(text, Unknown::Inert), Report::default(), "{text}");
    }
}

#[test]
fn places_show_no_key_that_is_not_ours() {
    let found = report(r#"{"mario":{"vendor":["a","x mario.rossi@example.com"]}}"#, Unknown::Observe);
    assert_eq!(found.findings.iter().map(|finding| finding.place.as_str()).collect::<Vec<_>>(), ["/(0)/vendor/1"]);
    assert!(!format!("{found:?}").contains("mario"), "{found:?}");
}

#[test]
fn what_nobody_documents_is_reported_unless_its_form_is_harmless() {
    let text = r#"{"comment":"hello world","colour":"KB5031364","weight":12,"big":4111111111111111}"#;
    assert_eq!(report(text, Unknown::Inert).undocumented, ["/(0)", "/(3)"]);
    assert_eq!(report(text, Unknown::Strict).undocumented.len(), 4);
    assert_eq!(report(text, Unknown::Observe), Report::default());
}

#[test]
fn values_out_of_their_field_are_reported() {
    for text in
        [r#"{"numberOfUsers":393331234567}"#, r#"{"callsBeingRecorded":"rossi"}"#, r#"{"processId":99999999999}"#, r#"{"vendor":12345678}"#]
    {
        assert_eq!(report(text, Unknown::Inert).undocumented.len(), 1, "{text}");
    }
}

fn multipart(body: &str) -> Report {
    let (tree, settings) = (tree(), settings(Unknown::Inert));
    let mut walk = Walk::new(&tree, &settings, body.len());
    crate::inspect::engine::format::multipart::read(body.as_bytes(), "b", Limits::default(), &mut walk).expect("well-formed");
    walk.finish()
}

/// One part of a form, under this name and of this type.
fn part(name: &str, content_type: &str, body: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n--b--\r\n")
}

#[test]
fn parts_of_a_form_are_read_by_their_own_type() {
    assert_eq!(multipart(&part("telemetry", "application/json", r#"{"processes":[{"pid":4,"name":"svchost.exe"}]}"#)), Report::default());
    assert_eq!(multipart(&part("version", "text/plain; charset=utf-8", "2026.1.0")), Report::default());
    let places = |report: Report| report.findings.into_iter().map(|finding| (finding.kind, finding.place)).collect::<Vec<_>>();
    let found = multipart(&part("telemetry", "application/json", r#"{"extension":4312}"#));
    assert_eq!(places(found).first().map(|(_, place)| place.ends_with("/extension")), Some(true));
    let wide: String =
        part("note", "text/plain", "bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20=").replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    assert_eq!(places(multipart(&wide)).first().map(|(kind, _)| *kind), Some(Kind::Email));
    assert_eq!(places(multipart(&part("mario@example.com", "text/plain", "1"))).first().map(|(kind, _)| *kind), Some(Kind::Email));
    assert!(multipart(&part("telemetry", "application/json", r#"{"pid":"#)).unreadable.is_some(), "half a document");
    assert!(!multipart(&part("picture", "image/png", "\u{89}PNG")).undocumented.is_empty(), "of a type that is not read");
    let named =
        part("telemetry", "application/json", "{}").replace("\"telemetry\"", "\"telemetry\"; filename=\"mario.rossi@example.com.json\"");
    assert_eq!(places(multipart(&named)).first().map(|(kind, _)| *kind), Some(Kind::Email), "the name of a file is looked at");
}

#[test]
fn no_charset_is_guessed_for_a_part_that_is_unicode() {
    let (tree, settings) = (tree(), settings(Unknown::Inert));
    let body = part("telemetry", "application/json", r#"{"version":"1.0~"}"#).into_bytes();
    let body: Vec<u8> = body.into_iter().map(|byte| if byte == b'~' { 0xe9 } else { byte }).collect();
    let mut walk = Walk::new(&tree, &settings, body.len());
    crate::inspect::engine::format::multipart::read(&body, "b", Limits::default(), &mut walk).expect("well-formed");
    assert!(walk.finish().unreadable.is_some());
}

#[test]
fn further_readings_have_nothing_to_prove() {
    let (tree, settings) = (tree(), settings(Unknown::Inert));
    let walked = |bytes: &[u8]| {
        let mut walk = Walk::new(&tree, &settings, bytes.len());
        crate::inspect::engine::format::protobuf::read(bytes, Limits::default(), &mut walk).expect("well-formed");
        walk.finish()
    };
    assert_eq!(walked(b"\x08\x96\x01\x12\x061.2.36"), Report::default());
    assert!(!walked(b"\x0a\x05words").undocumented.is_empty());
    // Fields 13, 8, 15 and 14 with numbers, and an address all the same.
    assert_eq!(walked(b"mario@ex.ph").findings.first().map(|finding| finding.kind), Some(Kind::Email));
}

#[test]
fn a_document_in_a_string_is_read_by_its_keys_too() {
    for (text, kind) in [
        (r#"{"note":"{\"owner\":\"whoever\"}"}"#, Kind::PersonName),
        (r#"{"note":"{\"a\":[{\"extension\":4312}]}"}"#, Kind::Phone),
        (r#"{"note":"eyJvd25lciI6Indob2V2ZXIiLCJ4IjoxfQ=="}"#, Kind::PersonName),
        (r#"{"note":"{\"x\":\"{\\\"owner\\\":\\\"whoever\\\"}\"}"}"#, Kind::PersonName),
    ] {
        let found = report(text, Unknown::Observe).findings;
        assert!(found.iter().any(|finding| finding.kind == kind && finding.why == Why::Encoded), "{text}: {found:?}");
    }
    assert_eq!(report(r#"{"vendor":"{\"pid\":4}"}"#, Unknown::Observe), Report::default());
}

#[test]
fn documents_in_strings_without_end_are_not_cleared() {
    let nested = (0..6).fold(r#"{"a":1}"#.to_owned(), |text, _| serde_json::json!({ "a": text }).to_string());
    assert!(report(&nested, Unknown::Observe).unreadable.is_some());
}

#[test]
fn an_account_of_the_system_installed_it() {
    let text = r#"{"hotfixes":[{"id":"KB5031364","installedBy":"NT AUTHORITY\\SYSTEM"}]}"#;
    assert_eq!(report(text, Unknown::Inert), Report::default());
    assert_eq!(report(text, Unknown::Strict).undocumented.len(), 1);
}

#[test]
fn a_token_may_be_opaque_and_must_not_be_telling() {
    let opaque = "q8ZrT1vXk0bWmYp3Nf6Lc9Sd2Hg5Jx7UeA4w".repeat(8);
    assert_eq!(report(&format!(r#"{{"license":{{"token":"{opaque}"}}}}"#), Unknown::Strict), Report::default());
    assert_eq!(kinds(r#"{"license":{"token":"bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20="}}"#), [Kind::Email]);
}

#[test]
fn spelling_gives_no_way_round_what_numbers_may_be() {
    for text in [
        r#"{"a":4111111111111111}"#,
        r#"{"a":4.111111111111111e15}"#,
        r#"{"a":4111111111111111.0}"#,
        r#"{"a":-4111111111111111}"#,
        r#"{"numberOfUsers":3.351234567e9}"#,
        r#"{"processes":[{"cpuUsage":3.351234567e9}]}"#,
        r#"{"a":{"3351234567":1}}"#,
        r#"{"dnsServers":[3232235521]}"#,
        r#"{"dnsServers":["0xC0A80001"]}"#,
        r#"{"gateways":["mrossi"]}"#,
    ] {
        assert_eq!(report(text, Unknown::Inert).undocumented.len(), 1, "{text}");
    }
    let text = r#"{"workingSetPeak":3351234567,"ticks":638712345678901234,"bytes":1.5e10,"factor":0.4111111111111111,"rows":{"1234":1,"1700000000":2}}"#;
    assert_eq!(report(text, Unknown::Inert), Report::default());
}

#[test]
fn rows_of_calls_are_found_without_the_names_of_their_columns() {
    let rows = "[[1700000000,4312,4315,62],[1700000300,4312,4377,5],[1700000360,4399,4315,1200]]";
    assert_eq!(kinds(&format!(r#"{{"x":{rows}}}"#)), [Kind::CallRecord]);
    assert_eq!(kinds(&format!(r#"{{"note":{}}}"#, serde_json::json!(rows))), [Kind::CallRecord]);
    assert_eq!(kinds(r#"{"x":[[1700000000,12.5],[1700000060,13.5],[1700000120,11]]}"#), []);
}

/// Claims in base64url; the header says `RS256`.
#[test]
fn a_token_that_claims_to_be_somebodys_is_none_of_a_licence() {
    let message = |claims: &str| format!(r#"{{"license":{{"token":"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{claims}.c2lnbmF0dXJl"}}}}"#);
    // A name of two words, `upn` and `email` with a letter.
    for claims in ["eyJzdWIiOiIxIiwibmFtZSI6Ik1hcmlvIFJvc3NpIn0", "eyJ1cG4iOiJ4In0", "eyJlbWFpbCI6Im0ifQ"] {
        assert!(kinds(&message(claims)).contains(&Kind::Credential), "{claims}");
    }
    // Issuer, product and seats.
    let licence = "eyJpc3MiOiJpbWFnaWNsZSIsInByb2R1Y3QiOiJ1Y3giLCJzZWF0cyI6MjUwfQ";
    assert_eq!(report(&message(licence), Unknown::Strict), Report::default());
}

fn is_refused(text: &str, unknown: Unknown) -> bool {
    report(text, unknown) != Report::default()
}

#[test]
fn strictly_every_word_of_a_key_and_of_its_containers_is_documented() {
    for text in [
        r#"{"catName":"x"}"#,
        r#"{"motherName":"x"}"#,
        r#"{"zork":{"name":"x"}}"#,
        r#"{"the colour of my cat is the name":"x"}"#,
        r#"{"processes":[{"zorkName":"svchost.exe"}]}"#,
        r#"{"mariorossi":{"processes":[{"pid":4}]}}"#,
        r#"{"zork":true}"#,
    ] {
        assert!(is_refused(text, Unknown::Strict), "{text}");
    }
    for text in [r#"{"telemetry":{"hardware":{"hardDisks":[{"model":"Virtual disk"}]}}}"#, r#"{"processes.0.name":"svchost.exe"}"#] {
        assert_eq!(report(text, Unknown::Strict), Report::default(), "{text}");
    }
}

#[test]
fn pairs_of_a_name_and_a_value_are_keys_and_values() {
    for text in [
        r#"{"name":"extension","value":4312}"#,
        r#"{"value":4312,"name":"extension"}"#,
        r#"{"key":"phone","value":"4312"}"#,
        r##"{"@name":"Nome Utente","#text":"mrossi"}"##,
        r#"{"rows":[{"name":"Processor Time","value":12.3},{"property":"dob","type":"x","val":"1970-01-01"}]}"#,
        r#"{"rows":[{"label":"Telefon","wert":["4312"]}]}"#,
        r#"{"rows":[{"name":"users","value":"mrossi"}]}"#,
        r#"{"rows":[{"name":"extensions","value":"4312 mrossi"}]}"#,
    ] {
        assert!(kinds(text).iter().any(|kind| matches!(kind, Kind::Phone | Kind::Identity | Kind::PersonName)), "{text}");
    }
    for text in [
        r#"{"counters":[{"name":"Processor Time","value":12.3},{"name":"User Time","value":3.25},{"name":"Contact Manager","value":2.75}]}"#,
        r#"{"services":[{"name":"Spooler","state":"Running"},{"name":"Phone Service","value":"Running"}]}"#,
        r#"{"counters":[{"name":"Number of users","value":1200},{"name":"Registered phones","value":"1200"},{"value":1200,"name":"Users"}]}"#,
        r#"{"counters":[{"name":"extension","unit":"x"},{"name":"Spooler","value":4312}]}"#,
    ] {
        assert_eq!(kinds(text), [], "{text}");
    }
    // What the name documents, the value is.
    let named = r#"{"counters":[{"name":"Phone Lock","value":0.4},{"name":"Number of users","value":"1200"}],
        "process":[{"key":"name","value":"svchost.exe"},{"key":"used memory","value":123456789}]}"#;
    assert_eq!(report(named, Unknown::Strict), Report::default());
    let unfit = r#"{"process":[{"key":"used memory","value":"Mario Rossi"},{"key":"zork","value":"svchost.exe"}]}"#;
    assert!(!report(unfit, Unknown::Strict).undocumented.is_empty());
}

#[test]
fn pairs_of_xml_are_keys_and_values() {
    let kinds = |text: &str| {
        let (tree, settings) = (tree(), settings(Unknown::Observe));
        let mut walk = Walk::new(&tree, &settings, text.len());
        crate::inspect::engine::format::xml::read(text.as_bytes(), Limits::default(), &mut walk).expect("well-formed");
        walk.finish().findings.len()
    };
    for text in [
        r#"<settings><add key="extension" value="4312"/></settings>"#,
        r#"<settings><add value="4312" key="extension"/></settings>"#,
        r#"<settings><p name="extension">4312</p></settings>"#,
        r#"<settings><p name="extension"><value>4312</value></p></settings>"#,
        "<settings><p><key>extension</key><value>4312</value></p></settings>",
        "<settings><p><value>4312</value><key>extension</key></p></settings>",
    ] {
        assert_eq!(kinds(text), 1, "{text}");
    }
    for text in [
        r#"<settings><add key="Spooler" value="4312"/><p name="Processor Time">12.3</p></settings>"#,
        "<settings><p><key>extension</key></p><p><value>4312</value></p></settings>",
    ] {
        assert_eq!(kinds(text), 0, "{text}");
    }
}

#[test]
fn what_is_no_amount_is_not_one() {
    for text in [
        r#"{"users":[4312]}"#,
        r#"{"users":"mrossi"}"#,
        r#"{"phones":[{"number":4312}]}"#,
        r#"{"callsBeingRecorded":[4312]}"#,
        r#"{"phoneCount":"333 1234567"}"#,
        r#"{"license":{"extensions":["4312"]}}"#,
        r#"{"from":"4312","to":"mrossi"}"#,
        r#"{"from":4312}"#,
        r#"{"retention":"3351234567"}"#,
        r#"{"language":"3351234567"}"#,
        r#"{"language":4312}"#,
        r#"{"hotfixes":["4312"]}"#,
        r#"{"hotfixes":[4312]}"#,
        r#"{"services":[{"status":4312}]}"#,
        r#"{"services":[{"status":"4312"}]}"#,
    ] {
        assert!(is_refused(text, Unknown::Inert), "{text}");
    }
    for text in [
        r#"{"from":"2026-01-01","to":1763172000}"#,
        r#"{"update":{"from":"2026.1","to":"2026.2"},"change":{"from":"Running","to":"Stopped"}}"#,
        r#"{"retention":"30","language":"0410","hotfixes":[5031364],"services":[{"status":4,"startMode":"2"}]}"#,
        r#"{"os":{"language":1040},"memory":{"totalGB":15.9}}"#,
    ] {
        assert_eq!(report(text, Unknown::Inert), Report::default(), "{text}");
    }
}

#[test]
fn maps_of_persons_have_them_in_their_keys() {
    for text in [
        r#"{"users":{"mrossi":1}}"#,
        r#"{"activeCalls":{"4312":1}}"#,
        r#"{"callsBeingRecorded":{"mrossi":true}}"#,
        r#"{"devices":{"mrossi-desk":1}}"#,
        r#"{"agents":{"mrossi":3}}"#,
        r#"{"extension_4312":true}"#,
    ] {
        assert!(is_refused(text, Unknown::Inert), "{text}");
    }
    for text in [
        r#"{"users":{"total":3,"registered":2}}"#,
        r#"{"activeCalls":{"ivr":1,"acd":{"fifo":3}}}"#,
        r#"{"attendantConsoles":{"standard":1,"zork":2}}"#,
    ] {
        assert_eq!(report(text, Unknown::Inert), Report::default(), "{text}");
    }
}

#[test]
fn names_of_products_may_be_keys_of_their_versions() {
    let text = r#"{"apps":{"Microsoft Edge":"119.0.2151.58","7-Zip":"22.01","Driver":"20.70.10.2","Zoom Phone":"5.1.2"}}"#;
    assert_eq!(report(text, Unknown::Inert), Report::default());
    assert_eq!(report(text, Unknown::Strict).undocumented.len(), 4);
    for text in [r#"{"apps":{"Phone":"333.123.4567"}}"#, r#"{"apps":{"Phone":"4312"}}"#, r#"{"hosts":{"Driver":"20.70.10.2"}}"#] {
        assert!(is_refused(text, Unknown::Inert), "{text}");
    }
}
