//! Values of real inventories that look like personal data and are none: no detector here may give them weight.

use super::probe::{Scan, hits, with};
use super::{
    call_record, contact_list, cookie, credential, geo, iban, identity, media, national_id, payment_card, person_name, sid, user_path,
};
use crate::inspect::engine::context::TextKind;

const DETECTORS: &[(&str, Scan)] = &[
    ("call_record", call_record::scan),
    ("contact_list", contact_list::scan),
    ("cookie", cookie::scan),
    ("credential", credential::scan),
    ("geo", geo::scan),
    ("iban", iban::scan),
    ("identity", identity::scan),
    ("media", media::scan),
    ("national_id", national_id::scan),
    ("payment_card", payment_card::scan),
    ("person_name", person_name::scan),
    ("sid", sid::scan),
    ("user_path", user_path::scan),
];

/// Nothing is found in these (key, text), as free text and in the given kind of slot.
fn pass(kind: TextKind, rows: &[(&str, &str)]) {
    for (key, text) in rows {
        for kind in [kind, TextKind::Free] {
            for (name, scan) in DETECTORS {
                let found = with(key, kind, |context| hits(*scan, text.as_bytes(), context));
                // A vendor called like a person is a hint of nine bits; three of those would be needed.
                assert!(found.iter().all(|hit| hit.bits <= 9), "{name}: {key:?} {text:?} {kind:?}: {found:?}");
            }
        }
    }
}

#[test]
fn versions_that_are_addresses() {
    pass(
        TextKind::Version,
        &[
            ("driver version string", "20.70.10.2"),
            ("version", "3.3.16.1"),
            ("version", "1.4.4.10"),
            ("version", "11.0.2100.60"),
            ("version", "10.53.6000.34"),
            ("version", "10.0.17763.1"),
            ("version", "22.10.23.01-220622a-380677C"),
            ("", "0000.001d.0000.001.004.000.000.000.000"),
            ("", r"Software\IntranetAuth\3.3.999.99.9.99"),
            ("", "1.3.6.1.4.1.311.21.8"),
        ],
    );
}

#[test]
fn accounts_of_the_system() {
    let rows = &[
        ("startup identity", r"NT AUTHORITY\SYSTEM"),
        ("startup identity", r"NT SERVICE\MSSQL$UCX"),
        ("startup identity", "LocalSystem"),
        ("startup identity", r".\svc"),
        ("startup identity", r"AUTORITE NT\SERVICE LOCAL"),
        ("startup identity", "NT-AUTORIT\u{c4}T\\SYSTEM"),
        ("startup identity", r"IIS APPPOOL\DefaultAppPool"),
        ("installed by", "SYSTEM"),
    ];
    pass(TextKind::Identity, rows);
    pass(TextKind::Path, &[("", r"HKLM\SOFTWARE")]);
}

#[test]
fn names_of_vendors_and_products() {
    let names = [
        "Simon Tatham",
        "Martin Prikryl",
        "Kay Bruns",
        "Colin Harrison",
        "Igor Pavlov",
        "Dell",
        "Martin",
        "Oracle VM",
        "SAP",
        "Erlang",
        "Kerberos",
        "Ada",
        "Jenkins",
        "Marco",
        "Themes",
        "Spooler",
        "Netlogon",
    ];
    for name in names {
        pass(TextKind::Name, &[("vendor", name), ("name", name), ("publisher", name), ("", name)]);
    }
    pass(TextKind::Name, &[("vendor", "Frank Heind\u{f6}rfer, Philip Chinery")]);
}

#[test]
fn shapes_of_mail_and_telephone() {
    pass(
        TextKind::Name,
        &[
            ("", "getty@tty1.service"),
            ("", "root@releng2.nyi.freebsd.org:/usr/obj"),
            ("", "npm @scope/pkg@1.2.3"),
            ("", "git@host"),
            ("", "fe80::1%eth0"),
            ("", "user@%h"),
            ("", "046-1297901"),
            ("", "07TYC2"),
            ("", "2012-01-02 08:00"),
            ("", "3/10/1984"),
            ("", "650x2531234"),
            ("", "1-800-555-0199"),
            ("", "ISBN 978-3-16-148410-0"),
        ],
    );
    pass(TextKind::Number, &[("bytes", "3412345678"), ("bytes", "3990000000")]);
}

#[test]
fn shapes_of_cards_and_identities() {
    pass(
        TextKind::Number,
        &[
            ("last boot", "1548138160707"),
            ("", "131926542607070000"),
            ("inode", "9223372036853013087"),
            ("global call id", "1048577"),
            ("serial", "8933150319050352521"),
            ("size", "512110190592"),
            ("product id", "00330-80000-00000-AA123"),
            ("ssn", "VMware-56 4d 9f 1c 2b 7e 3a 11-8d 5c 0e 9b 44 21 7a 6f"),
            ("ssn", "5CG7301XYZ"),
            ("ssid", "office-5G"),
        ],
    );
}

#[test]
fn shapes_of_hardware() {
    pass(
        TextKind::Name,
        &[
            ("mac", "50:50:54:50:30:30"),
            ("", "45:00:00:00:FF:14"),
            ("", "33:50:6F:45:30:30"),
            ("", "9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B"),
            ("", "FF:FF:FF:FF:FF:FF"),
            ("processor id", "E3 06 04 00 FF FB EB BF"),
            ("", r"PCI\VEN_8086&DEV_15B8&SUBSYS_00008086&REV_31\3&11583659&0&FE"),
            ("video card", "NVIDIA Quadro P400"),
            ("processor", "Mobile Intel(R) Celeron(R)"),
        ],
    );
}

#[test]
fn paths_of_programs() {
    pass(
        TextKind::Path,
        &[
            ("", r"C:\Program Files (x86)\Imagicle\UCX"),
            ("", r"C:\Users\Public\Documents\x.txt"),
            ("", r"C:\Users\MSSQL$UCX\AppData"),
            ("", r"C:\Windows\system32\config\systemprofile\AppData"),
            ("", r"C:\PROGRA~1\Imagicle\x.exe"),
            ("", r"D:\SQLData\users.mdf"),
            ("", r"\Device\HarddiskVolume1"),
            ("", r"%SystemRoot%\System32\svchost.exe -k netsvcs -p"),
        ],
    );
}

#[test]
fn identifiers_and_digests() {
    pass(
        TextKind::Name,
        &[
            ("", "{90160000-008C-0000-1000-0000000FF1CE}"),
            ("", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
            ("", "KB5006672"),
            ("", "SSHFP 1 1 dd465c09cfa51fb45020cc83316fff21b9ec74ac"),
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("", "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="),
            ("", "00ffffffffffff0010ac64a04c4641322615010380342078ea"),
            ("", "To Be Filled By O.E.M."),
            ("thumbprint", "A43489159A520F0D93D032CCAF37E7FE20A8B419"),
        ],
    );
}

#[test]
fn localised_names() {
    pass(
        TextKind::Name,
        &[
            ("display name", "Servicio de enrutador de AllJoyn"),
            ("display name", "Compte d'utilisateur d'administration"),
            (
                "publisher",
                "\u{41a}\u{43e}\u{43c}\u{43f}\u{430}\u{43d}\u{438}\u{44f} \u{41a}\u{440}\u{438}\u{43f}\u{442}\u{43e}\u{41f}\u{440}\u{43e}",
            ),
            ("display name", "Spooler di stampa"),
            ("display name", "Druckwarteschlange"),
            ("display name", "Rete"),
            ("database name", "Qualit\u{e0}_Citt\u{e0}"),
        ],
    );
    for (name, scan) in DETECTORS {
        assert!(with("", TextKind::Free, |context| hits(*scan, b"Soci\xe9t\xe9 G\xe9n\xe9rale", context)).is_empty(), "{name}");
    }
}

#[test]
fn numbers_of_measurements() {
    pass(
        TextKind::Number,
        &[
            ("cpu", "12.3456"),
            ("cpu", "45.4642"),
            ("bytes read", "18446744073709551615"),
            ("use physical", "-4096"),
            ("rate", "1.2345e-07"),
            ("working set", "4539148803436467000"),
        ],
    );
}
