//! Values that look like personal data and are none: each stands where a sender puts it, and must pass.
//!
//! Documented ones pass whatever is done with unknown fields. Of the others nothing may be said to be personal; that nobody documents
//! them is another matter.

use super::{Inspector, is_clean};
use serde_json::{Value, json};
use ucx_egress::inspect::engine::walk::Unknown;

/// A message of documented fields passes, strictly too.
fn pass(message: &Value) {
    let inspector = Inspector::shared();
    for unknown in [Unknown::Strict, Unknown::Inert] {
        let report = inspector.json(&message.to_string(), unknown);
        assert!(is_clean(&report), "{unknown:?}: {report:?}: {message}");
    }
}

/// Each of these in a documented field, one message each.
fn each_passes(values: &[&str], around: fn(&str) -> Value) {
    assert!(!values.is_empty());
    for value in values {
        pass(&around(value));
    }
}

/// A value under a key that nobody documents is called nothing personal.
fn is_nothing_personal(key: &str, values: &[Value]) {
    let inspector = Inspector::shared();
    assert!(!values.is_empty());
    for value in values {
        let message = json!({ "payload": { key: value } }).to_string();
        assert_eq!(inspector.json(&message, Unknown::Observe).findings, [], "{message}");
    }
}

fn application(version: &str) -> Value {
    json!({ "installedApplications": [{ "name": "Driver", "version": version, "vendor": "Intel" }] })
}

fn vendor(vendor: &str) -> Value {
    json!({ "installedApplications": [{ "name": "PuTTY release 0.78 (64-bit)", "version": "0.78.0.0", "vendor": vendor }] })
}

fn name(name: &str) -> Value {
    json!({ "installedApplications": [{ "name": name, "version": "1.0.0" }], "processes": [{ "pid": 4, "name": name }] })
}

fn service(name: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": name, "displayName": name, "startupName": "Automatic" }] })
}

fn account(account: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": "MSSQL$UCX", "startupIdentity": account, "StartName": account }] })
}

fn path(path: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": "UCX", "exePath": path }], "installedApplications": [{ "name": "UCX", "installationPath": path }] })
}

const VERSIONS: &[&str] = &[
    "20.70.10.2",
    "3.3.16.1",
    "1.4.4.10",
    "11.0.2100.60",
    "10.53.6000.34",
    "10.0.17763.1",
    "22.10.23.01-220622a-380677C",
    "14.0.1.13900-155",
    "4.8.03761",
    "1.3.6.1.4.1",
    "12.4.7001.0",
    "2024.1.0+build.77",
];

#[test]
fn versions_that_are_valid_addresses() {
    each_passes(VERSIONS, application);
    for key in ["DriverVersionString", "firmwareVersion", "BIOSVersion", "release", "buildNumber"] {
        is_nothing_personal(key, &VERSIONS.iter().map(|version| json!(version)).collect::<Vec<_>>());
    }
    each_passes(
        VERSIONS,
        |version| json!({ "operatingSystem": { "version": version }, "sqlServer": { "version": version }, "ucxSuite": { "version": version } }),
    );
    is_nothing_personal("busAddress", &[json!("0000.001d.0000.001.004.000.000.000.000")]);
    is_nothing_personal("registryKey", &[json!(r"SOFTWARE\Vendor\IntranetAuth\3.3.999.99.9.99"), json!("1.3.6.1.4.1.311.21.8")]);
}

#[test]
fn accounts_that_are_nobodys() {
    each_passes(
        &[
            r"NT AUTHORITY\SYSTEM",
            r"NT SERVICE\MSSQL$UCX",
            "LocalSystem",
            r".\svc",
            r"AUTORITE NT\SERVICE LOCAL",
            "AUTORITE NT\\Système",
            "NT-AUTORITÄT\\SYSTEM",
            "NT-AUTORITÄT\\Netzwerkdienst",
            r"IIS APPPOOL\DefaultAppPool",
            r"NT AUTHORITY\LocalService",
            r"CONTOSO\gmsa_ucx$",
        ],
        account,
    );
    is_nothing_personal("registry", &[json!(r"HKLM\SOFTWARE"), json!(r"HKLM\SOFTWARE\Imagicle\UCX")]);
    is_nothing_personal("InstalledBy", &[json!("SYSTEM"), json!(r"NT AUTHORITY\SYSTEM")]);
}

#[test]
fn names_of_vendors_that_are_persons() {
    let persons = [
        "Simon Tatham",
        "Martin Prikryl",
        "Kay Bruns",
        "Colin Harrison",
        "Frank Heindörfer, Philip Chinery",
        "Igor Pavlov",
        "Tim Kosse",
        "Dell",
        "Martin",
        "Oracle VM",
        "SAP",
        "Erlang",
        "Kerberos",
        "Ada",
        "Jenkins",
        "Marco",
    ];
    each_passes(&persons, vendor);
    each_passes(&persons[7..], name);
    let vendors: Vec<Value> = persons.iter().map(|person| json!({ "name": "Tool", "vendor": person })).collect();
    pass(&json!({ "installedApplications": vendors }));
    pass(&json!({ "apps": persons.iter().map(|person| json!({ "publisher": person })).collect::<Vec<_>>() }));
    each_passes(&["Themes", "Spooler", "Netlogon"], service);
}

#[test]
fn shapes_of_mail_addresses() {
    is_nothing_personal(
        "unit",
        &[json!("getty@tty1.service"), json!("git@host"), json!("user@%h"), json!("@scope/pkg@1.2.3"), json!("fe80::1%eth0")],
    );
    is_nothing_personal("kernel", &[json!("FreeBSD 12.2-RELEASE r366954 root@releng2.nyi.freebsd.org:/usr/obj/usr/src")]);
}

#[test]
fn shapes_of_telephone_numbers() {
    pass(
        &json!({ "processes": [{ "pid": 4, "name": "System", "usedMemory": 3_412_345_678_u64 }], "memory": { "totalInstalled": 3_991_234_567_u64 } }),
    );
    pass(&json!({ "disks": [{ "size": 3_331_234_567_u64, "model": "046-1297901" }, { "size": "3331234567", "model": "07TYC2" }] }));
    pass(
        &json!({ "database": { "lastMaintenance": "2012-01-02 08:00" }, "hotfixes": [{ "hotFixId": "KB5031364", "installedOn": "3/10/1984" }] }),
    );
    each_passes(&["650x2531234", "Support 1-800-555-0199", "ISBN 978-3-16-148410-0", "Guide 1-800-MICROSOFT"], vendor);
    is_nothing_personal(
        "part",
        &[json!("046-1297901"), json!("07TYC2"), json!("2012-01-02 08:00"), json!("3/10/1984"), json!("650x2531234")],
    );
    is_nothing_personal("bytesRead", &[json!(3_412_345_678_u64), json!(3_991_234_567_u64)]);
}

#[test]
fn shapes_of_cards_and_identity_numbers() {
    pass(
        &json!({ "timestamp": 1_548_138_160_707_u64, "lastMaintenance": "131926542607070000", "disks": [{ "size": 512_110_190_592_u64 }] }),
    );
    pass(&json!({ "productId": "00330-80000-00000-AA123", "licenseKey": "BCDFG-HJKMP-QRTVW-XY234-67892" }));
    is_nothing_personal("inode", &[json!(9_223_372_036_853_013_087_u64), json!("9223372036853013087")]);
    is_nothing_personal("serial", &[json!("8933150319050352521"), json!(8_933_150_319_050_352_521_u64)]);
    is_nothing_personal(
        "ssn",
        &[json!("VMware-56 4d 9f 1c 2b 7e 3a 11-8d 5c 0e 9b 44 21 7a 6f"), json!("5CG7301XYZ"), json!("To Be Filled By O.E.M.")],
    );
    is_nothing_personal("ssid", &[json!("office-5G")]);
    is_nothing_personal("windowsProduct", &[json!("00330-80000-00000-AA123")]);
}

#[test]
fn shapes_of_hardware_addresses() {
    is_nothing_personal(
        "wanMiniport",
        &[json!("50:50:54:50:30:30"), json!("33:50:6F:45:30:30"), json!("45:00:00:00:FF:14"), json!("FF:FF:FF:FF:FF:FF")],
    );
    is_nothing_personal("fingerprint", &[json!("9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B")]);
    is_nothing_personal("processorId", &[json!("E3 06 04 00 FF FB EB BF"), json!("BFEBFBFF000306E4")]);
    is_nothing_personal("pnpDeviceId", &[json!(r"PCI\VEN_8086&DEV_15B8&SUBSYS_00008086&REV_31\3&11583659&0&FE")]);
}

#[test]
fn paths_that_lead_to_nobody() {
    each_passes(
        &[
            r"C:\Program Files (x86)\Imagicle\UCX",
            r"C:\Users\Public\Documents\ucx",
            r"C:\Users\MSSQL$UCX\AppData\Local",
            r"C:\Windows\system32\config\systemprofile\AppData",
            r"C:\PROGRA~1\Imagicle\ucx.exe",
            r"D:\SQLData\users.mdf",
            r"\Device\HarddiskVolume1\Windows\System32\smss.exe",
            r"C:\Windows\System32\svchost.exe -k netsvcs -p",
            r"%SystemRoot%\System32\spoolsv.exe",
        ],
        path,
    );
}

#[test]
fn identifiers_digests_and_hotfixes() {
    each_passes(&["KB5006672", "KB890830", "kb4589208"], |kb| json!({ "hotfixes": [kb], "installedHotfixes": [{ "id": kb }] }));
    pass(&json!({ "productCode": "{90160000-008C-0000-1000-0000000FF1CE}", "tenantId": "6f9619ff-8b86-d011-b42d-00cf4fc964ff" }));
    is_nothing_personal("SSHFP", &[json!("SSHFP 1 1 dd465c09cfa51fb45020cc83316fff21b9ec74ac")]);
    is_nothing_personal(
        "integrity",
        &[json!("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==")],
    );
    is_nothing_personal("sha1", &[json!("da39a3ee5e6b4b0d3255bfef95601890afd80709")]);
}

#[test]
fn localised_names() {
    each_passes(
        &[
            "Servicio de enrutador de AllJoyn",
            "Compte d'utilisateur d'administration",
            "Spooler di stampa",
            "Druckwarteschlange",
            "Rete",
            "Диспетчер печати",
            "Überwachung verteilter Verknüpfungen (Client)",
        ],
        service,
    );
    each_passes(&["Компания КриптоПро", "Société Générale", "Корпорация Майкрософт"], vendor);
    each_passes(&["Qualità_Città", "Centralita_Málaga", "Données Téléphonie"], |name| json!({ "databases": [{ "name": name }] }));
}

#[test]
fn numbers_of_measurements() {
    pass(&json!({ "processes": [{ "pid": 1, "cpuUsage": 12.3456 }, { "pid": 2, "cpuUsage": 45.4642 }, { "pid": 3, "cpuUsage": 9.19 }] }));
    pass(&json!({ "eccCurriRequestRate": { "phoneLock": 1.25e-7, "contactManager": 2.75 } }));
    is_nothing_personal("UsePhysical", &[json!(-4096)]);
    is_nothing_personal("counter64", &[json!(18_446_744_073_709_551_615_u64)]);
}

#[test]
fn blobs_of_hardware_and_licences() {
    let token = "TUlJQ2dZSktvWklodmNOQVFjQ29JSUNjakNDQW00Q0FRRXhEekFOQmdsZ2hrZ0JaUU1FQWdFRkFEQUxCZ2txaGtpRzl3MEJCd0V4".repeat(4);
    pass(&json!({ "license": { "activationToken": "q8ZrT1vXk0bWmYp3Nf6Lc9Sd2Hg5Jx7UeA4", "token": "A3F9-77B2-C1D0" } }));
    let opaque: String = token.chars().rev().collect();
    pass(&json!({ "license": { "activationToken": opaque } }));
    is_nothing_personal("baseboard", &[json!("To Be Filled By O.E.M."), json!("Default string")]);
    is_nothing_personal("edid", &[json!("00ffffffffffff0010ac64a04c4641322615010380342078ea")]);
    is_nothing_personal("thumbprint", &[json!("A43489159A520F0D93D032CCAF37E7FE20A8B419")]);
}

/// What stands around the beats is harmless by its form, whoever sends it.
#[test]
fn neighbours_of_the_beats() {
    let message = json!({
        "tenantId": "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "machineId": "{6F9619FF-8B86-4011-B42D-00CF4FC964FF}", "schemaVersion": "1.0",
        "sequence": 17, "timestamp": "2026-11-15T02:00:00Z", "collectedAt": 1_763_172_000, "beat": "processes",
        "productCode": "90160000-008C-4000-A000-0000000FF1CE", "licenseKey": "BCDFG-HJKMP-QRTVW-XY234-67892", "type": "telemetry",
        "payload": { "processes": [] }
    });
    pass(&message);
    let inspector = Inspector::shared();
    let unknown = json!({ "colour": "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "depth": 12, "since": "2026-11-15T02:00:00Z", "flag": true, "ratio": 0.5 });
    assert!(inspector.passes(&unknown.to_string(), Unknown::Inert));
    assert!(!inspector.passes(&unknown.to_string(), Unknown::Strict));
}
