use super::scan;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::detect::probe::{all_block, hits, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const SLOT_HITS: &[(&str, &str)] = &[
    ("", r"CORP\jsmith"),
    ("", r"CORP\j.smith"),
    ("", r"corp.example.com\john.smith"),
    ("", r"CORP\\jsmith"),
    ("", r".\john"),
    ("", "jsmith"),
    ("", "John Smith"),
    ("", "j.smith@corp.local"),
    ("", "jsmith@CORP"),
    ("", "CN=John Smith,OU=Staff,DC=corp,DC=local"),
    ("", " CORP\\mario.rossi "),
    ("", "CORP/jsmith"),
    ("", r"UCXSRV01\mrossi"),
    ("", r"CORP\adm-jsmith"),
    ("", r"CORP\appleton"),
    ("", r"CORP\rossiadmin"),
    ("", "mrossi (Mario)"),
    ("", r"NT AUTHORITY\mario.rossi"),
    ("", r"NT AUTHORITY\SYSTEM.rossi"),
    ("", "NT-AUTORIT\u{c4}T\\mrossi"),
    ("", r"BUILTIN\mrossi"),
    ("", r"VORDEFINIERT\m.rossi"),
    ("", "CORP\\J\u{fc}rgen"),
];

const SLOT_MISSES: &[(&str, &str)] = &[
    ("", "LocalSystem"),
    ("", "LocalService"),
    ("", "NetworkService"),
    ("", "SYSTEM"),
    ("", r"NT AUTHORITY\SYSTEM"),
    ("", r"NT AUTHORITY\LocalService"),
    ("", r"NT Authority\NetworkService"),
    ("", r"NT SERVICE\MSSQL$UCX"),
    ("", r"NT SERVICE\TrustedInstaller"),
    ("", r"NT Service\MapsBroker"),
    ("", r"IIS APPPOOL\DefaultAppPool"),
    ("", r"AUTORITE NT\Service local"),
    ("", "AUTORITE NT\\Syst\u{e8}me"),
    ("", "NT-AUTORIT\u{c4}T\\SYSTEM"),
    ("", "NT-AUTORIT\u{c4}T\\LOKALER DIENST"),
    ("", "AUTORIT\u{c0} NT\\SERVIZIO DI RETE"),
    ("", r"BUILTIN\Administrators"),
    ("", r".\svc"),
    ("", r".\svc_ucx"),
    ("", r"CORP\svc_ucx"),
    ("", r"CORP\svc-ucx"),
    ("", r"CORP\sa-ucx"),
    ("", r"CORP\srvucx"),
    ("", r"CORP\sqlservice"),
    ("", r"CORP\service.ucx"),
    ("", r"CORP\app_ucx"),
    ("", r"CORP\gmsaUcx$"),
    ("", r"CORP\UCX01$"),
    ("", "svc_ucx@corp.local"),
    ("", "Servizio locale"),
    ("", "Lokales System"),
    ("", "Servicio de red"),
    ("", "S-1-5-18"),
    ("", ""),
    ("", "N/A"),
    ("", r"CORP\Administrator"),
    ("", r"Window Manager\DWM-1"),
    ("", r"Font Driver Host\UMFD-0"),
    ("", r"CORP\ucxadmin"),
    ("", r"CORP\adminveeam"),
    ("", r"NT AUTHORITY\NETWORK SERVICE"),
    ("", r"NT AUTHORITY\IUSR"),
    ("", r"VORDEFINIERT\Administratoren"),
    ("", r"BUILTIN\IIS_IUSRS"),
];

const TEXT_HITS: &[(&str, &str)] = &[
    ("", r"runs as NT AUTHORITY\mario.rossi"),
    ("", r"runs as BUILTIN\mrossi."),
    ("", r"CORP\jsmith"),
    ("", r"logon of CORP\jsmith failed"),
    ("", r"runs as CORP\j.smith."),
    ("", r"user=CORP\mrossi;"),
    ("", r"(CORP\mrossi)"),
    ("", r"corp.local\mario.rossi"),
    ("", r"ACME-IT\m.rossi"),
    ("", r"'CORP\\jsmith'"),
    ("run as", r"EMEA\fdupont"),
    ("", r"started by CONTOSO\a_mueller at 10:00"),
];

const TEXT_MISSES: &[(&str, &str)] = &[
    ("", r"HKLM\SOFTWARE"),
    ("", r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft"),
    ("", r"HKLM\SOFTWARE\Microsoft\Windows NT"),
    ("", r"Device\HarddiskVolume1"),
    ("", r"\Device\HarddiskVolume1"),
    ("", r"domain\Program Files"),
    ("", r"Program Files\Imagicle"),
    ("", r"C:\Windows\System32"),
    ("", r"C:\inetpub"),
    ("", r"bin\ucx.exe"),
    ("", r"SQLData\users.mdf"),
    ("", r"scripts\run.ps1"),
    ("", r"\\server\share"),
    ("", r"%SystemRoot%\system32"),
    ("", r"PCI\VEN_8086&DEV_1533"),
    ("", r"USB\VID_046D&PID_C52B"),
    ("", r"ACPI\PNP0A08"),
    ("", r"ROOT\LEGACY_X\0000"),
    ("", r"first line\nSecond line"),
    ("", r"a\b"),
    ("", r"\Processor(_Total)\% Processor Time"),
    ("", r"NT AUTHORITY\SYSTEM"),
    ("", r"runs as NT SERVICE\MSSQL$UCX"),
    ("", r"runs as NT AUTHORITY\LOCAL SERVICE."),
    ("", r"runs as NT AUTHORITY\NETWORK SERVICE now"),
    ("", r"AUTORITE NT\SYSTEM"),
    ("", r"Server=UCXDB\IMAGICLE;Database=x"),
    ("", r"Data Source=UCXDB\IMAGICLE"),
    ("instance name", r"UCXDB\IMAGICLE"),
    ("", r"UCXDB\SQLEXPRESS"),
    ("", r".\svc"),
    ("", r"IntranetAuth\3.3.999.99.9.99"),
    ("", r"CORP\svc_ucx"),
    ("", r"Common Files\Microsoft"),
    ("", "nothing to see"),
    ("", r"HTREE\ROOT\0"),
];

#[test]
fn persons_in_an_account_slot_block() {
    all_block(scan, Kind::Identity, TextKind::Identity, SLOT_HITS);
}

#[test]
fn services_in_an_account_slot_pass() {
    none_hit(scan, TextKind::Identity, SLOT_MISSES);
}

#[test]
fn persons_in_text_block() {
    all_block(scan, Kind::Identity, TextKind::Free, TEXT_HITS);
}

#[test]
fn look_alikes_in_text_pass() {
    none_hit(scan, TextKind::Free, TEXT_MISSES);
}

#[test]
fn installed_by_system_passes() {
    none_hit(scan, TextKind::Free, &[("installed by", "SYSTEM")]);
    none_hit(scan, TextKind::Identity, &[("installed by", "SYSTEM")]);
}

#[test]
fn other_slots_hold_no_accounts() {
    for kind in [TextKind::Version, TextKind::Number] {
        none_hit(scan, kind, &[("", r"CORP\jsmith")]);
    }
    none_hit(scan, TextKind::Name, &[("instance name", r"CORP\JSMITH"), ("name", r"PCI\VEN_8086&DEV_100E"), ("", r"HKLM\SOFTWARE")]);
    none_hit(scan, TextKind::Path, &[("", r"C:\Program Files\Product"), ("", r"D:\Data\x"), ("", r"bin\tool.exe"), ("", r"\Device\x")]);
}

#[test]
fn an_account_is_neither_a_name_nor_a_path() {
    for kind in [TextKind::Name, TextKind::Path] {
        all_block(scan, Kind::Identity, kind, &[("", r"CORP\jsmith"), ("", r"Error for CORP\jsmith"), ("", r"x (IT01\j.brown)")]);
    }
}

#[test]
fn a_database_server_has_instances() {
    none_hit(scan, TextKind::Name, &[("sql server", r"HOST\PROD"), ("database server", r"HOST\Prod")]);
    all_block(
        scan,
        Kind::Identity,
        TextKind::Name,
        &[("sql server edition", r"Express CORP\schmidtp"), ("hardware disk model", r"x CORP\jsmith")],
    );
}

#[test]
fn in_a_name_a_word_makes_an_account() {
    all_block(
        scan,
        Kind::Identity,
        TextKind::Name,
        &[("", r"owner CORP\jsmith"), ("", r"runs as CORP\jsmith"), ("", r"user: CORP\jsmith")],
    );
    none_hit(scan, TextKind::Name, &[("", r"UCXDB\IMAGICLE"), ("", r"Agent (UCXDB\IMAGICLE)"), ("", r"runs as NT AUTHORITY\SYSTEM")]);
}

#[test]
fn configured_accounts_pass() {
    let accounts = Context { accounts: &["corp\\owner1", "batchrunner"], text: TextKind::Identity, ..Context::default() };
    assert!(hits(scan, br"CORP\Owner1", &accounts).is_empty());
    assert!(hits(scan, b"batchrunner", &accounts).is_empty());
    assert_eq!(hits(scan, br"CORP\jsmith", &accounts).len(), 1);
    let free = Context { text: TextKind::Free, ..accounts };
    assert!(hits(scan, br"as CORP\Owner1 now", &free).is_empty());
}

#[test]
fn a_configured_account_is_of_its_domain() {
    let passes = |accounts: &[&str], text: &str, kind: TextKind| {
        hits(scan, text.as_bytes(), &Context { accounts, text: kind, ..Context::default() }).is_empty()
    };
    let full: &[&str] = &[r"acme\mrossi", "lverdi@acme.local", r".\gbianchi"];
    for text in [r"ACME\mrossi", r"ACME\\MRossi", "ACME/mrossi", "mrossi@acme", "LVerdi@acme.local", r"acme.local\lverdi", r".\gbianchi"] {
        assert!(passes(full, text, TextKind::Identity), "{text}");
    }
    for text in [
        r"OTHER\mrossi",
        r".\mrossi",
        "mrossi",
        "mrossi@other",
        "mrossi@acme.local",
        "lverdi",
        r"ACME\lverdi",
        "lverdi@acme.local.example",
        r"ACME\gbianchi",
        "gbianchi",
        r"XACME\mrossi",
        "CN=mrossi,OU=x",
    ] {
        assert!(!passes(full, text, TextKind::Identity), "{text}");
    }
    for text in [r"runs as ACME\mrossi.", r"user=ACME\mrossi;", r"runas /user:ACME\\mrossi cmd.exe", "login=lverdi@acme.local;"] {
        assert!(passes(full, text, TextKind::Free), "{text}");
    }
    for text in [r"runs as OTHER\mrossi.", r"user=OTHER\mrossi;", "user=mrossi;", r"runas /user:OTHER\mrossi cmd.exe", "x.exe -u mrossi"] {
        assert!(!passes(full, text, TextKind::Free), "{text}");
    }
    for text in [r"ACME\batchrunner", r".\batchrunner", "batchrunner", "batchrunner@acme.local", "CN=batchrunner,OU=x"] {
        assert!(passes(&["batchrunner"], text, TextKind::Identity), "{text}");
    }
}

#[test]
fn time_is_linear() {
    linear(scan, &["\\", "a\\", "CORP\\jsmith ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a.b\\c.d", "NT \\"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &[r"CORP\jsmith", "NT-AUTORIT\u{c4}T\\SYSTEM", r"Server=A\B.c"]);
}

#[test]
fn lists_are_in_order() {
    for list in [super::ROOTS, super::FOLDERS, super::EXTENSIONS, super::SERVICE_WORDS, super::ROLES] {
        assert!(list.is_sorted_by(|one, other| one.as_bytes() < other.as_bytes()), "{list:?}");
    }
}
