//! What documented fields must not hold, however it is written, and what they may.

use super::{Inspector, is_clean};
use serde_json::{Value, json};
use ucx_egress::inspect::engine::walk::Unknown;

/// None of these passes in any of the places.
fn none_passes(values: &[&str], places: &[fn(&str) -> Value]) {
    let inspector = Inspector::shared();
    assert!(!values.is_empty() && !places.is_empty());
    for value in values {
        for place in places {
            let message = place(value).to_string();
            assert!(!inspector.passes(&message, Unknown::Inert), "passes: {message}");
        }
    }
}

/// Each message passes where unknown fields have to be inert.
fn each_passes(messages: &[Value]) {
    let inspector = Inspector::shared();
    for message in messages {
        let report = inspector.json(&message.to_string(), Unknown::Inert);
        assert!(is_clean(&report), "{report:?}: {message}");
    }
}

/// Each passes in the place, strictly too.
fn each_value_passes(values: &[&str], place: fn(&str) -> Value) {
    let inspector = Inspector::shared();
    for message in values.iter().map(|value| place(value)) {
        let report = inspector.json(&message.to_string(), Unknown::Strict);
        assert!(is_clean(&report), "{report:?}: {message}");
    }
}

fn exe(value: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": "Ucx", "exePath": value }] })
}

fn installed(value: &str) -> Value {
    json!({ "installedApplications": [{ "name": "Ucx", "version": "1.0", "installationPath": value }] })
}

fn files(value: &str) -> Value {
    json!({ "databases": [{ "name": "Ucx", "filePaths": [value] }] })
}

fn identity(value: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": "Ucx", "startupIdentity": value }] })
}

fn model(value: &str) -> Value {
    json!({ "disks": [{ "size": 1_000_204_886_016_u64, "model": value }] })
}

fn hotfix(value: &str) -> Value {
    json!({ "hotfixes": [value] })
}

fn version(value: &str) -> Value {
    json!({ "installedApplications": [{ "name": "Ucx", "version": value }] })
}

fn token(value: &str) -> Value {
    json!({ "license": { "activationToken": value } })
}

fn process(value: &str) -> Value {
    json!({ "processes": [{ "processId": 4, "name": value }] })
}

fn description(value: &str) -> Value {
    json!({ "windowsServices": [{ "serviceName": "Ucx", "description": value }] })
}

fn adapter(value: &str) -> Value {
    json!({ "networkAdapters": [{ "adapterName": value }] })
}

fn address(value: &str) -> Value {
    json!({ "networkAdapters": [{ "adapterName": "Ethernet0", "ipAddresses": [value] }] })
}

fn servers(value: &str) -> Value {
    json!({ "networkAdapters": [{ "adapterName": "Ethernet0", "dnsServers": value, "gateways": [value] }] })
}

#[test]
fn folders_of_persons_by_any_name_and_any_way() {
    none_passes(
        &[
            r"C:\Users\Default\..\mrossi\x",
            r"C:\Users\.\mrossi",
            r"C:\Windows\..\Users\mrossi\x",
            r"\\fs01\mrossi$",
            r"C:\USERS~1\mrossi",
            r"C:\DOCUME~1\mrossi",
            "C:\\U\u{455}ers\\mrossi",
            r"C:\Dokumente und Einstellungen\mrossi",
            r"C:\Utenti\mrossi",
            r"C:\Benutzer\mrossi",
            r"C:\Utilisateurs\mrossi",
            r"C:\Usuarios\mrossi",
            r"D:\Profiles\mrossi",
            r"D:\Home\mrossi",
        ],
        &[exe, installed, files],
    );
    none_passes(&[r"runas /user:ACME\mrossi C:\x.exe", r"C:\x\tool.exe -u mrossi -p hunter2", r"C:\x\tool.exe --username=mrossi"], &[exe]);
}

#[test]
fn cards_in_groups_belong_nowhere() {
    none_passes(
        &["4111 1111 1111 1111", "4111-1111-1111-1111", "4111.1111.1111.1111", "3782 822463 10005"],
        &[model, hotfix, version, token, process, description, adapter, address, identity],
    );
}

#[test]
fn accounts_that_are_none_or_somebodys() {
    none_passes(
        &[
            "0039 335 1234567 x",
            "svc 0039 335 1234567",
            "svc 02 1234 5678",
            r"NT AUTHORITY\mario.rossi",
            r"BUILTIN\mrossi",
            "NT-AUTORITÄT\\mrossi",
            "CN=Mario Rossi,OU=Users,DC=acme,DC=it",
        ],
        &[identity],
    );
}

#[test]
fn persons_in_texts_and_names() {
    none_passes(
        &[
            "Connects to 81.2.69.142",
            "relay for calls using 81.2.69.142",
            "00-1A-2B-3C-4D-5E",
            "001A.2B3C.4D5E",
            "00:1A:2B-3C:4D-5E",
            "MAC 001A2B3C4D5E",
            "0:1a:2b:3:4d:5e",
            "00 1A 2B 3C 4D 5E",
            "Service desk 02 1234 5678",
            "(335) 123-4567",
            "335 12 34 567",
            "AB 12 34 56 C",
            "12345678 Z",
            "RSS MRA 85T10 A562S",
            "CN=Mario Rossi,OU=Users,DC=acme,DC=it",
            "username=mrossi",
            "user: mrossi",
            "ext. 4312",
            "interno 4312",
            "int. 4312",
            "Durchwahl 12",
            "45°27'50\"N 9°11'24\"E",
            "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",
            "lat 45.4642 lon 9.1900",
            "\"Mario Rossi\" <4312>",
        ],
        &[process, description, adapter, model],
    );
}

#[test]
fn what_is_no_address_of_the_servers() {
    none_passes(
        &["mrossi", "0xC0A80001", "3232235521", "0300.0250.0.1", "81.2.69.142", "fe80::21a:2bff:fe3c:4d5e%7", "fec0::5"],
        &[address, servers],
    );
    each_value_passes(
        &[
            "10.20.0.11",
            "10.20.0.11/24",
            "10.20.0.11, fe80::9c2a:77b2:c1d0:51e4%7",
            "{10.20.0.53, 10.20.0.54}",
            "10.20.0.11(Preferred)",
            "169.254.12.7",
            "fe80::1",
            "::1",
            "fec0:0:0:ffff::1%1",
            "N/A",
        ],
        servers,
    );
}

#[test]
fn texts_and_tokens_have_an_end() {
    none_passes(&[&"word ".repeat(60)], &[process, adapter, model, version]);
    none_passes(&[&"word ".repeat(300)], &[description]);
    none_passes(&[&"A1b2".repeat(1_100), "Mario Rossi", "a;b"], &[token]);
}

#[test]
fn numbers_that_nobody_documents_are_judged_by_what_they_are() {
    let inspector = Inspector::shared();
    for raw in ["4111111111111111", "4.111111111111111e15", "4111111111111111.0", "-4111111111111111", "1e30"] {
        assert!(!inspector.passes(&format!("{{\"colour\":{raw}}}"), Unknown::Inert), "passes: {raw}");
    }
    for raw in ["3351234567", "18446744073709551615", "638712345678901234", "132223105616070000", "0.4539148803436467", "1.7e10", "-4096"] {
        assert!(inspector.passes(&format!("{{\"colour\":{raw}}}"), Unknown::Inert), "blocked: {raw}");
    }
    assert!(!inspector.passes(r#"{"colours":{"3351234567":1}}"#, Unknown::Inert));
    assert!(!inspector.passes(r#"{"x":[[1700000000,4312,4315,62],[1700000300,4312,4377,5],[1700000360,4399,4315,1200]]}"#, Unknown::Inert));
}

#[test]
fn sizes_versions_and_times_as_servers_write_them() {
    let sizes = ["12.5", "12.5 GB", "12,5 GB", "3,412", "1.024,5 MB", "1,024.5 MB", "1 024 Mo", "1.048.576 KB", "100 GB"];
    each_value_passes(&sizes, |size| json!({ "disks": [{ "size": size }], "databases": [{ "name": "Ucx", "size": size }] }));
    each_passes(&[json!({ "disks": [{ "size": 12.5 }] }), json!({ "memory": { "totalInstalled": 1.717_986_918_4e10 } })]);
    let stated = "Microsoft SQL Server 2019 (RTM-CU18) (KB5017593) - 15.0.4261.1 (X64) \n\tSep 12 2022 15:07:06 \n\tCopyright (C) 2019 \
                  Microsoft Corporation\n\tStandard Edition (64-bit) on Windows Server 2019 Standard 10.0 <X64> (Build 17763: ) (Hypervisor)\n";
    each_value_passes(&[stated, "15.0.4261.1"], |version| json!({ "databaseServer": { "version": version } }));
    let dates =
        ["28 nov 2026 03:00", "11/28/2026 3:00:00 AM", "/Date(1700000000000)/", "Nov 28 2026  3:00AM", "28.11.2026 03:00:00", "Never"];
    each_value_passes(&dates, |date| json!({ "databases": [{ "name": "Ucx", "lastMaintenance": date }] }));
    each_value_passes(&["30.00:00:00", "30 giorni", "P30D"], |span| json!({ "logging": { "retention": span } }));
}
