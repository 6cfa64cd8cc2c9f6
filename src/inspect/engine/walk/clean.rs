//! What says nothing of anybody, in the forms in which systems write it.

use super::tests::report_of;
use super::*;
use crate::inspect::engine::format::{Limits, json};
use crate::inspect::engine::noise::noise;

fn all_pass(unknown: Unknown, texts: &[&str]) {
    for text in texts {
        assert_eq!(report_of(text, unknown), Report::default(), "{text}");
    }
}

fn none_passes(texts: &[&str]) {
    for text in texts {
        assert_ne!(report_of(text, Unknown::Inert), Report::default(), "{text}");
    }
}

#[test]
fn documented_fields_hold_what_systems_write_in_them() {
    let texts = [
        r#"{"schemaVersion":1,"beat":"Processes","processes":[]}"#,
        r#"{"id":"64e27602-1f2e-4a3b-9c4d-c47a0cfb342c","processes":[]}"#,
        r#"{"hardwareInfo.cpus.0.addressWidth":64}"#,
        r#"{"softwareInfo.hotfixes.0.installedOn":"2023-01-02T00:00:00Z"}"#,
        r#"{"softwareInfo.hotfixes.0.installedOn":"20251124094750.000000+060"}"#,
        r#"{"softwareInfo.hotfixes.0.installedOn":1720574695934}"#,
        r#"{"counters":{"curriRequestRate":"12.5 req/s"}}"#,
        r#"{"counters":{"curriRequestRate":"12,5 richieste/s"}}"#,
        r#"{"networkAdapters":[{"dhcp":"10.20.0.5"}]}"#,
        r#"{"networkAdapters":[{"dhcpConfiguration":"Statico"}]}"#,
        r#"{"networkAdapters":[{"dhcp":{"enabled":true,"leaseObtained":"2023-01-02T10:00:00Z","leaseExpires":"2023-01-09T10:00:00Z"}}]}"#,
        r#"{"memory":{"usePhysical":-1}}"#,
        r#"{"memory":{"total":18446744073709551615}}"#,
        r#"{"services":[{"startupName":"Démarrage automatique"}]}"#,
        r#"{"services":[{"startName":"NT VIRTUAL MACHINE\\4B5C6D7E-1234-4567-89AB-0123456789AB"}]}"#,
        r#"{"services":[{"startupType":"Manual (desencadenador de inicio)"}]}"#,
        r#"{"database":{"lastMaintenance":45000.5}}"#,
        r#"{"database":{"lastMaintenance":"Jan  2 2023 10:30AM"}}"#,
        r#"{"database":{"lastMaintenance":"02-JAN-23"}}"#,
        r#"{"database":{"fullTextCatalogStatus":"Popolamento completo"}}"#,
        r#"{"database":{"authenticationType":"SSPI"}}"#,
        r#"{"hardwareInfo":{"isVirtualMachine":"VMware Virtual Platform"}}"#,
        r#"{"hardwareInfo":{"virtualMachine":"KVM"}}"#,
        r#"{"cluster":{"databaseReplicationStrategy":"Replica di tipo merge"}}"#,
        r#"{"counters":{"attendantConsoles":{"blue":0}}}"#,
        r#"{"operatingSystem":{"language":"en_US.UTF-8"}}"#,
        r#"{"operatingSystem":{"language":"العربية"}}"#,
        r#"{"logging":{"retention":"unlimited"}}"#,
        r#"{"networkAdapters":[{"gateways":"[]"}]}"#,
    ];
    all_pass(Unknown::Strict, &texts);
}

#[test]
fn values_that_are_nobodys_by_their_form_pass_under_any_key() {
    let texts = [
        r#"{"networkAdapters":[{"name":"Intel","driverVersionString":"20.70.10.2"}]}"#,
        r#"{"firmware":"3.3.99.99"}"#,
        r#"{"bios":{"ssn":"VMware-42 1c 3b 4d 5e 6f"}}"#,
        r#"{"bios":{"ssn":"5CG1234XYZ"}}"#,
        r#"{"adapter":{"pnp":"50:50:54:50:30:30"}}"#,
        r#"{"mask":"FF:FF:FF:00:00:00"}"#,
        r#"{"thumbprint":"A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4"}"#,
        r#"{"cpuid":"E3 06 04 00 FF FB EB BF"}"#,
        r#"{"processors":[{"processorId":"BFEBFBFF000406E3"}]}"#,
        r#"{"pnp":"PCI\\VEN_8086&DEV_100E&SUBSYS_00000000&REV_02"}"#,
        r#"{"where":"0000.001d.0000.001.004.000.000.000.000"}"#,
        r#"{"part":"07TYC2"}"#,
        r#"{"serial":"8933150319050352521"}"#,
        r#"{"mobile":"Mobile Intel(R) HM76 Express Chipset"}"#,
        r#"{"book":"ISBN 978-3-16-148410-0"}"#,
        r#"{"cpu":12.3456,"load":45.4642}"#,
        r#"{"board":"To Be Filled By O.E.M."}"#,
        r#"{"hostname":"srvucx01.acme.local"}"#,
        r#"{"whatever":"10.20.0.5"}"#,
        r#"{"whatever":"fe80::1c2d:3e4f:5a6b:7c8d%eth0"}"#,
        r#"{"whatever":"fe80::9c2a:77b2:c1d0:51e4%12"}"#,
        r#"{"whatever":"LocalSystem"}"#,
        r#"{"services":[{"sid":"S-1-5-18"}]}"#,
        r#"{"networkAdapters":[{"macAddress":"50:50:54:50:30:30"}]}"#,
    ];
    all_pass(Unknown::Inert, &texts);
}

#[test]
fn counters_are_known_in_the_languages_of_the_suite() {
    all_pass(
        Unknown::Inert,
        &[
            r#"{"contatori":{"posti operatore":3,"blocco telefono":1,"rubrica":1.5}}"#,
            r#"{"postiOperatoreConnessi":{"gold":3}}"#,
            r#"{"consoleOperatoreConnesse":{"Blue":1}}"#,
            r#"{"frequenzaRichiesteEccCurri":{"bloccoTelefono":1.5}}"#,
            r#"{"compteurs":{"verrouillage du téléphone":1,"postes opérateur connectés":3,"gestionnaire de contacts":2}}"#,
            r#"{"contadores":{"bloqueo de teléfono":1,"puestos de operador conectados":2,"gestor de contactos":1}}"#,
            r#"{"Zähler":{"Telefonsperre":1.5,"Kontaktmanager":2,"Vermittlungsplätze":3}}"#,
            r#"{"counters":{"supervisor":3,"attendantConsoles":{"supervisor":1}}}"#,
            r#"{"eccCurri":{"contactManager":{"rate":1.5},"phoneLock":{"rate":2}}}"#,
        ],
    );
    none_passes(&[
        r#"{"contatori":{"rubrica":[{"nome":"Mario"}]}}"#,
        r#"{"contatori":{"rubrica":"Mario"}}"#,
        r#"{"rubrica":[{"nome":"Mario"}]}"#,
        r#"{"contatori":{"posti operatore":"mrossi"}}"#,
        r#"{"operatore":"mrossi"}"#,
        r#"{"verrouillage téléphone":"0612345678"}"#,
        r#"{"bloccoTelefono":3471234567}"#,
    ]);
}

#[test]
fn what_wmi_tells_of_a_system_passes() {
    all_pass(
        Unknown::Strict,
        &[
            r#"{"SystemUpTime":239162}"#,
            r#"{"os":{"upTime":239162}}"#,
            r#"{"disks":[{"fileSystem":"NTFS","size":107374182400}]}"#,
            r#"{"disk":{"fileSystem":"ReFS"}}"#,
        ],
    );
    none_passes(&[r#"{"os":{"upTime":"mrossi"}}"#, r#"{"disk":{"fileSystem":"mrossi"}}"#]);
}

#[test]
fn keys_of_persons_say_so_in_all_languages() {
    for (text, kind) in [
        (r#"{"agentId":"mrossi"}"#, Kind::Identity),
        (r#"{"agent_id":4312}"#, Kind::Identity),
        (r#"{"supervisor":"mrossi"}"#, Kind::PersonName),
        (r#"{"supervisore":"mrossi"}"#, Kind::PersonName),
        (r#"{"cardNumber":"1234"}"#, Kind::PaymentCard),
        (r#"{"card_number":1234}"#, Kind::PaymentCard),
        (r#"{"numeroCarta":"1234"}"#, Kind::PaymentCard),
        (r#"{"Kartennummer":"1234"}"#, Kind::PaymentCard),
        (r#"{"ssn":123456789}"#, Kind::NationalId),
        (r#"{"ssn":"123456789"}"#, Kind::NationalId),
        (r#"{"trascrizione":"ciao"}"#, Kind::Media),
    ] {
        let found = report_of(text, Unknown::Observe).findings;
        assert!(!found.is_empty() && found.iter().all(|finding| finding.kind == kind), "{text}: {found:?}");
    }
    // The number of a card in a computer, and of a computer.
    all_pass(
        Unknown::Inert,
        &[
            r#"{"networkCardNumber":3}"#,
            r#"{"adapterNumber":3}"#,
            r#"{"bios":{"ssn":123456}}"#,
            r#"{"bios.ssn":"5CG1234XYZ"}"#,
            r#"{"ssn":"5CG1234XYZ"}"#,
        ],
    );
}

#[test]
fn what_is_somebodys_does_not_pass_beside_them() {
    none_passes(&[
        r#"{"whatever":"10.99.0.5"}"#,
        r#"{"whatever":"10.20.0.5,10.99.0.5"}"#,
        r#"{"whatever":"fe80::21a:2bff:fe3c:4d5e%12"}"#,
        r#"{"ssn":"123-45-6789"}"#,
        r#"{"users":[{"id":"64e27602-1f2e-4a3b-9c4d-c47a0cfb342c"}]}"#,
        r#"{"users.0.installedOn":"2023-01-02"}"#,
        r#"{"mobile":"3351234567"}"#,
        r#"{"networkAdapters":[{"macAddress":"00:1B:21:AA:BB:CC"}]}"#,
        r#"{"mobile":"Intel 4312"}"#,
        r#"{"processes":[{"name":"outlook.exe","MainWindowTitle":"Posta - Mario Rossi"}]}"#,
        r#"{"services":[{"sid":"S-1-5-21-1004336348-1177238915-682003330-1104"}]}"#,
        r#"{"networkAdapters":[{"dhcp":"10.99.0.5"}]}"#,
        r#"{"networkAdapters":[{"dhcpConfiguration":"231-53-7538"}]}"#,
        r#"{"counters":{"curriRequestRate":"3351234567 req/s"}}"#,
        r#"{"database":{"lastMaintenance":4312}}"#,
        r#"{"displayName":"7-Zip","version":"22.01"}"#,
    ]);
}

/// Command lines of services as installers write them: a large list of them is looked at to its end.
#[test]
fn many_services_with_arguments_are_looked_at_to_the_last() {
    let commands = [
        r#"\"C:\\Program Files (x86)\\Contoso N\\agent.exe\" --config \"D:\\Data\\conf-N.xml\""#,
        r#"\"C:\\Program Files\\PostgreSQL\\14\\bin\\pg_ctl.exe\" runservice -N \"x64-N\" -D \"C:\\Program Files\\PostgreSQL\\dataN\" -w"#,
        r"C:\\Windows\\system32\\svchost.exe -k netsvcsN -p",
    ];
    let numbered =
        |number: usize| commands.map(|command| format!(r#"{{"pathName":"{}"}}"#, command.replace('N', &number.to_string()))).join(",");
    let rows: Vec<String> = (0..1_000).map(numbered).collect();
    all_pass(Unknown::Strict, &[&format!(r#"{{"services":[{}]}}"#, rows.join(","))]);
}

/// A list flattened to the pairs of a form, in the notations of serializers: each key has an index of its own.
#[test]
fn many_rows_in_a_form_are_looked_at_to_the_last() {
    let notations: &[fn(usize, &str) -> String] = &[
        |row, key| format!("installedApplications%5B{row}%5D%5B{key}%5D"),
        |row, key| format!("installedApplications%5B{row}%5D.{key}"),
        |row, key| format!("installedApplications.{row}.{key}"),
    ];
    for key in notations {
        let pair = |row: usize| {
            let (name, vendor, path) = (key(row, "name"), key(row, "vendor"), key(row, "installPath"));
            format!("{name}=Contoso+Agent+{row}+%28x64%29&{vendor}=Contoso+Limited&{path}=C%3A%5CProgram+Files%5CContoso+{row}%5C")
        };
        let text = (0..1_000).map(pair).collect::<Vec<_>>().join("&");
        let (tree, settings) = super::tests::setting(Unknown::Inert);
        let mut walk = Walk::new(&tree, &settings, text.len());
        super::super::format::form::read(text.as_bytes(), super::super::format::Limits::default(), &mut walk).expect("a form");
        assert_eq!(walk.finish(), Report::default(), "{}", key(0, "name"));
    }
}

fn table(text: &str) -> Report {
    let (tree, settings) = super::tests::setting(Unknown::Inert);
    let mut walk = Walk::new(&tree, &settings, text.len());
    super::super::format::csv::read(text.as_bytes(), super::super::format::Limits::default(), &mut walk).expect("a table");
    walk.finish()
}

#[test]
fn names_beside_versions_are_those_of_products_in_a_table() {
    for text in ["DISPLAY_NAME,VERSION,VENDOR\n7-Zip,22.01,Igor Pavlov\n", "Id\nKB3174287\n"] {
        assert_eq!(table(text), Report::default(), "{text}");
    }
    for text in ["DISPLAY_NAME,TITLE\nMario Rossi,Dr\n", "DISPLAY_NAME,VERSION,MAIL\nMario Rossi,1,m@x.it\n", "Mario\nRossi\n"] {
        assert_ne!(table(text), Report::default(), "{text}");
    }
}

#[test]
fn a_walk_leaves_to_the_next_what_was_clean_and_no_more() {
    let (tree, settings) = super::tests::setting(Unknown::Observe);
    let walked = |text: &str, kept: Kept| {
        let mut walk = Walk::after(&tree, &settings, text.len(), kept);
        json::read(text.as_bytes(), Limits::default(), &mut walk).expect("a document");
        walk.finish_keeping()
    };
    // The same value where nothing says what it is, and where the key says that it is a telephone.
    let (report, kept) = walked(r#"{"gizmo":"CSFMROSSI"}"#, Kept::default());
    assert_eq!(report, Report::default());
    let (report, after) = walked(r#"{"endpoint device":"CSFMROSSI"}"#, kept.expect("it was clean"));
    assert!(report.findings.len() == 1 && after.is_none(), "{report:?}");
    // A message with so many keys leaves none, and no values, which are kept by the places of their keys.
    let members = |name: &str, inner: &str| (0..30).map(|at| format!(r#""{name}{at}":{inner}"#)).collect::<Vec<_>>().join(",");
    let many = members("list", &format!("{{{}}}", members("gizmo", "1")));
    let (report, kept) = walked(&format!("{{{many}}}"), Kept::default());
    assert!(report == Report::default() && kept.is_none(), "{report:?}");
}

/// Measurements in a row happen to be codes of letters and signs.
#[test]
fn rows_of_measurements_say_nothing_of_anybody() {
    let mut numbers = noise();
    let mut row = |from: u64, to: u64, length: usize, gap: &str| {
        let row = numbers.by_ref().take(length).map(|number| (from + (number >> 33) % (to - from)).to_string());
        row.collect::<Vec<_>>().join(gap)
    };
    for (from, to, length) in [(32, 100, 60), (35, 91, 1_440), (32, 127, 60)] {
        for _ in 0..60 {
            let text = format!(r#"{{"cpuUsage":[{}]}}"#, row(from, to, length, ","));
            assert_eq!(report_of(&text, Unknown::Inert), Report::default(), "{text}");
        }
    }
    for _ in 0..300 {
        let text = format!(r#"{{"applications":[{{"name":"X","version":"{}"}}]}}"#, row(32, 120, 8, "."));
        assert_eq!(report_of(&text, Unknown::Inert), Report::default(), "{text}");
    }
}
