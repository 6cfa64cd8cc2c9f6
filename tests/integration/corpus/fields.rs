//! Every documented field and every slot: what it may hold, and what it must not.

use super::{Inspector, is_clean};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use ucx_egress::inspect::engine::shape::document::Document;
use ucx_egress::inspect::engine::shape::slot::{Checked, Declared, Slot};
use ucx_egress::inspect::engine::walk::Unknown;

/// A field by its containers and key, values that it may hold, and values that it must not.
type Row = (&'static str, fn() -> Vec<Value>, fn() -> Vec<Value>);

const MAIL: &str = "mario.rossi@example.com";

/// Section 10 of the Terms of Use, field by field.
const FIELDS: &[Row] = &[
    ("processes/runningProcesses/*/processId", || vec![json!(4), json!("812")], || vec![json!(99_999_999_999_u64), json!(MAIL)]),
    ("processes/runningProcesses/*/name", || vec![json!("svchost.exe")], || vec![json!(MAIL), json!("SEP001B21AABBCC")]),
    (
        "processes/runningProcesses/*/usedMemory",
        || vec![json!(3_412_345_678_u64), json!("140 KB")],
        || vec![json!(9_223_372_036_853_013_087_u64), json!(MAIL)],
    ),
    ("processes/runningProcesses/*/handleCount", || vec![json!(612)], || vec![json!(393_331_234_567_u64), json!("Rossi")]),
    ("processes/runningProcesses/*/threadCount", || vec![json!(14)], || vec![json!(3_331_234_567_u64), json!("Rossi")]),
    ("processes/runningProcesses/*/cpuUsage", || vec![json!(12.3456), json!("3 %")], || vec![json!(393_331_234_567_u64), json!("Rossi")]),
    ("processes/windowsServices/*/processId", || vec![json!(812)], || vec![json!(99_999_999_999_u64)]),
    ("processes/windowsServices/*/name", || vec![json!("MSSQL$UCX")], || vec![json!("call +39 02 1234 5678")]),
    ("processes/windowsServices/*/status", || vec![json!("In esecuzione"), json!(4)], || vec![json!("Mario"), json!(3_331_234_567_u64)]),
    ("softwareInfo/installedApplications/*/name", || vec![json!("7-Zip 22.01 (x64)")], || vec![json!("IT60X0542811101000000123456")]),
    (
        "softwareInfo/installedApplications/*/version",
        || vec![json!("10.0.17763.1")],
        || vec![json!("call +39 02 1234 5678"), json!(3_331_234_567_u64)],
    ),
    ("softwareInfo/installedApplications/*/vendor", || vec![json!("Simon Tatham")], || vec![json!(format!("Simon <{MAIL}>")), json!(12)]),
    (
        "softwareInfo/installedApplications/*/installationPath",
        || vec![json!(r"C:\Program Files\PuTTY\")],
        || vec![json!(r"C:\Users\jsmith\PuTTY"), json!(12)],
    ),
    ("softwareInfo/operatingSystem/editionName", || vec![json!("Windows Server 2022 Standard")], || vec![json!(MAIL)]),
    ("softwareInfo/operatingSystem/version", || vec![json!("10.0.20348.2113")], || vec![json!("784-1990-1234567-1 +393331234567")]),
    (
        "softwareInfo/operatingSystem/language",
        || vec![json!("it-IT"), json!(1040)],
        || vec![json!("mario.rossi"), json!(3_331_234_567_u64)],
    ),
    ("softwareInfo/operatingSystem/systemDrive", || vec![json!("C:")], || vec![json!(r"\\srv\home$\rossi\x")]),
    ("softwareInfo/operatingSystem/systemDirectory", || vec![json!(r"C:\Windows\system32")], || vec![json!(r"C:\Users\jsmith\x")]),
    ("softwareInfo/windowsServices/*/serviceName", || vec![json!("Spooler di stampa")], || vec![json!("tel:+390212345678")]),
    (
        "softwareInfo/windowsServices/*/startupName",
        || vec![json!("Automatico (avvio ritardato)"), json!("LocalSystem")],
        || vec![json!(r"ACME\j.smith")],
    ),
    (
        "softwareInfo/windowsServices/*/startupIdentity",
        || vec![json!(r"NT SERVICE\MSSQL$UCX"), json!(r"ACME\svc_ucx")],
        || vec![json!(r"ACME\j.smith"), json!("jsmith"), json!(12)],
    ),
    (
        "softwareInfo/windowsServices/*/exePath",
        || vec![json!(r"C:\Windows\System32\svchost.exe -k netsvcs")],
        || vec![json!(r"C:\Users\jsmith\tool.exe")],
    ),
    (
        "softwareInfo/hotfixes",
        || vec![json!(["KB5031364", "KB890830"])],
        || vec![json!(["Rossi 02 1234 5678"]), json!([3_331_234_567_u64])],
    ),
    ("softwareInfo/firewall/domain", || vec![json!(true), json!("Enabled")], || vec![json!("Rossi"), json!(3_331_234_567_u64)]),
    ("softwareInfo/firewall/public", || vec![json!(false)], || vec![json!("Rossi")]),
    ("softwareInfo/firewall/private", || vec![json!("Off")], || vec![json!("Rossi")]),
    ("hardwareInfo/virtualMachine", || vec![json!(true), json!("no")], || vec![json!("Rossi"), json!(7)]),
    ("hardwareInfo/processors/*/name", || vec![json!("Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz")], || vec![json!(MAIL)]),
    ("hardwareInfo/processors/*/manufacturer", || vec![json!("GenuineIntel")], || vec![json!(MAIL)]),
    ("hardwareInfo/processors/*/bitness", || vec![json!(64), json!("64-bit")], || vec![json!(4312), json!("Rossi")]),
    ("hardwareInfo/processors/*/numberOfCores", || vec![json!(8)], || vec![json!(3_331_234_567_u64), json!("Rossi")]),
    (
        "hardwareInfo/memory/totalInstalled",
        || vec![json!(17_179_869_184_u64), json!("16 GB")],
        || vec![json!(9_223_372_036_853_013_087_u64)],
    ),
    ("hardwareInfo/memory/reserved", || vec![json!(8_388_608)], || vec![json!("Rossi")]),
    ("hardwareInfo/disks/*/size", || vec![json!(512_110_190_592_u64)], || vec![json!("Rossi")]),
    ("hardwareInfo/disks/*/model", || vec![json!("ST2000NM0055-1V4104")], || vec![json!("00:1B:44:11:3A:B7")]),
    ("hardwareInfo/networkAdapters/*/adapterName", || vec![json!("vmxnet3 Ethernet Adapter")], || vec![json!("00-1B-44-11-3A-B7")]),
    ("hardwareInfo/networkAdapters/*/dhcpConfiguration", || vec![json!(false), json!("static")], || vec![json!("93.45.12.8")]),
    (
        "hardwareInfo/networkAdapters/*/dnsServers",
        || vec![json!(["10.20.0.53", "127.0.0.1"])],
        || vec![json!(["8.8.8.8"]), json!(3_331_234_567_u64)],
    ),
    ("hardwareInfo/networkAdapters/*/gateways", || vec![json!(["10.20.0.1"])], || vec![json!(["192.168.1.1"])]),
    (
        "hardwareInfo/networkAdapters/*/ipAddresses",
        || vec![json!(["10.20.0.11", "fd00:20::11"])],
        || vec![json!(["93.45.12.8"]), json!(["2a01:4f8::1"])],
    ),
    ("ucxSuite/suite/version", || vec![json!("2026.2.1")], || vec![json!("+393331234567")]),
    ("ucxSuite/suite/platform", || vec![json!("Cisco UC")], || vec![json!(MAIL)]),
    ("ucxSuite/suite/installationPath", || vec![json!(r"C:\Program Files (x86)\Imagicle\UCX")], || vec![json!(r"C:\Users\jsmith\UCX")]),
    ("ucxSuite/suite/installationFolderSize", || vec![json!(6_871_947_673_u64)], || vec![json!("Rossi")]),
    ("ucxSuite/cluster/nodes", || vec![json!(["10.20.0.11", "UCX-NODE2"])], || vec![json!(["93.45.12.8"]), json!(["SEP001B21AABBCC"])]),
    ("ucxSuite/cluster/databaseReplicationStrategy", || vec![json!("SqlServerReplication")], || vec![json!("ask Mario")]),
    ("ucxSuite/voipArchitecture/cucmVersion", || vec![json!("14.0.1.13900-155")], || vec![json!("+393331234567")]),
    ("ucxSuite/voipArchitecture/numberOfUsers", || vec![json!(1250)], || vec![json!(393_331_234_567_u64), json!("jsmith")]),
    ("ucxSuite/voipArchitecture/numberOfDevices", || vec![json!(2310)], || vec![json!("SEP001B21AABBCC")]),
    ("ucxSuite/voipArchitecture/cucmIpAddress", || vec![json!("10.20.0.60")], || vec![json!("93.45.12.8")]),
    ("ucxSuite/databaseServer/sqlServerEdition", || vec![json!("Standard Edition (64-bit)")], || vec![json!(MAIL)]),
    ("ucxSuite/databaseServer/version", || vec![json!("15.0.4316.3")], || vec![json!("+393331234567")]),
    ("ucxSuite/databaseServer/instanceName", || vec![json!("UCX")], || vec![json!(MAIL)]),
    ("ucxSuite/databases/*/name", || vec![json!("Qualità_Città")], || vec![json!("IT60X0542811101000000123456")]),
    ("ucxSuite/databases/*/size", || vec![json!(4_294_967_296_u64)], || vec![json!("Rossi")]),
    ("ucxSuite/databases/*/filePaths", || vec![json!([r"D:\SQLData\users.mdf"])], || vec![json!([r"C:\Users\jsmith\Ucx.mdf"])]),
    ("ucxSuite/databases/*/authenticationType", || vec![json!("Windows")], || vec![json!(r"ACME\j.smith")]),
    ("ucxSuite/databases/*/fullTextCatalogStatus", || vec![json!("Idle")], || vec![json!("Mario")]),
    (
        "ucxSuite/databases/*/lastMaintenance",
        || vec![json!("2026-11-15T02:00:00Z"), json!(131_926_542_607_070_000_u64)],
        || vec![json!("784-1990-1234567-6"), json!(4312)],
    ),
    ("ucxSuite/logging/enabled", || vec![json!(true)], || vec![json!("Mario")]),
    ("ucxSuite/logging/retention", || vec![json!(30), json!("30 days")], || vec![json!(3_331_234_567_u64), json!("Mario")]),
    ("ucxSuite/counters/attendantConsolesConnected/professional", || vec![json!(4)], || vec![json!("jsmith"), json!(3_331_234_567_u64)]),
    ("ucxSuite/counters/callsBeingRecorded", || vec![json!(17)], || vec![json!("4312 to 02 1234 5678")]),
    ("ucxSuite/counters/ivrActiveCalls", || vec![json!(6)], || vec![json!(3_331_234_567_u64)]),
    ("ucxSuite/counters/acdQueuedCallsFifo", || vec![json!(3)], || vec![json!(3_331_234_567_u64)]),
    ("ucxSuite/counters/acdQueuedCallsCampOn", || vec![json!(1)], || vec![json!("Mario")]),
    ("ucxSuite/counters/acdConsultationCalls", || vec![json!(2)], || vec![json!("Mario")]),
    ("ucxSuite/counters/faxesBeingSent", || vec![json!(0)], || vec![json!("+390212345678")]),
    ("ucxSuite/counters/faxesBeingReceived", || vec![json!(1)], || vec![json!(390_212_345_678_u64)]),
    ("ucxSuite/counters/eccCurriRequestRate/phoneLock", || vec![json!(0.4)], || vec![json!(3_331_234_567_u64)]),
    ("ucxSuite/counters/eccCurriRequestRate/contactManager", || vec![json!(2.75)], || vec![json!("Mario")]),
    (
        "license/activationToken",
        || vec![json!("q8ZrT1vXk0bWmYp3Nf6Lc9Sd2Hg5Jx7UeA4")],
        || vec![json!(MAIL), json!("bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20=")],
    ),
    ("license/capacity", || vec![json!(100)], || vec![json!(3_331_234_567_u64)]),
    ("license/expiryDate", || vec![json!("2027-01-31")], || vec![json!("Mario")]),
];

/// The value below the path; `*` is a row of a list.
fn message(path: &str, value: Value) -> Value {
    path.rsplit('/').fold(value, |value, step| if step == "*" { json!([value]) } else { json!({ step: value }) })
}

#[test]
fn every_documented_field_holds_what_it_may_and_nothing_else() {
    let inspector = Inspector::shared();
    for (path, good, bad) in FIELDS {
        for value in good() {
            let text = message(path, value).to_string();
            let report = inspector.json(&text, Unknown::Strict);
            assert!(is_clean(&report), "{report:?}: {text}");
        }
        let bad = bad();
        assert!(!bad.is_empty(), "{path}");
        for value in bad {
            let is_word = value.as_str().is_some_and(|text| text.chars().all(|letter| letter.is_alphabetic() || " .".contains(letter)));
            let text = message(path, value).to_string();
            assert!(!inspector.passes(&text, Unknown::Strict), "passes: {text}");
            // A word where a state belongs is no evidence of a person.
            assert!(is_word || !inspector.passes(&text, Unknown::Inert), "passes: {text}");
        }
    }
}

/// Each field of the shipped shape is one of section 10, of the licence, or says that it is assumed.
#[test]
fn every_field_of_the_shape_quotes_its_source() {
    let shape: Document = toml::from_str(include_str!("../../../config/policy/shape.toml")).expect("the shape is TOML");
    assert!(shape.fields.len() > 60);
    let ids: BTreeSet<&str> = shape.fields.iter().map(|field| field.id.as_str()).collect();
    assert_eq!(ids.len(), shape.fields.len(), "an identifier is there twice");
    assert!(shape.fields.iter().all(|field| !field.quote.is_empty() && !field.keys.is_empty()));
}

/// What a slot takes for proven or plausible, and what it does not.
const SLOTS: &[(&str, &str, &str)] = &[
    ("id", "4711", "99999999999"),
    ("bytes", "140 KB", "Mario"),
    ("handles", "612", "Mario"),
    ("count", "12", "3331234567"),
    ("users", "1250", "jsmith"),
    ("percent", "12.5 %", "Mario"),
    ("rate", "2.75", "Mario"),
    ("retention", "30 days", "Mario"),
    ("switch", "Abilitato", "Mario"),
    ("lease", "10.20.0.5", "10.99.0.5"),
    ("machine", "VMware Virtual Platform", "Mario"),
    ("state", "Wird ausgeführt", "Mario"),
    ("name", "Simon Tatham", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("label", "UCX beat", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("version", "10.0.17763.1", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("path", r"C:\Windows", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("drive", "C:", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("language", "it-IT", "mario.rossi"),
    ("account", "LocalSystem", ""),
    ("startup", "Automatic", ""),
    ("hotfix", "KB5031364", "Mario"),
    ("bitness", "64-bit", "Mario"),
    ("address", "10.20.0.1", "8.8.8.8"),
    ("node", "UCX-NODE1", "8.8.8.8"),
    ("identifier", "UCX_Archive", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("time", "2026-11-15T02:00:00Z", "784-1990-1234567-1"),
    ("bound", "2026-11-15", "4312"),
    ("token", "q8ZrT1vXk0bWmYp3", "Mario Rossi"),
];

#[test]
fn every_slot_tells_what_fits_from_what_does_not() {
    let networks = [("10.20.0.0".parse().expect("an address"), 24)];
    let declared = Declared { networks: &networks };
    for (name, slot) in Slot::ALL {
        let (_, good, bad) = SLOTS.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("no example of {name}"));
        let is_taken = |text: &str| matches!(slot.text(text, &declared), Checked::Harmless | Checked::Plausible(_));
        assert!(is_taken(good), "{name}: {good}");
        // Accounts of services have many names: a detector tells them from persons'.
        assert!(bad.is_empty() || !is_taken(bad), "{name}: {bad}");
    }
}
