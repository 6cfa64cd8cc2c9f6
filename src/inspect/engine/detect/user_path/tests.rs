use super::scan;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::detect::probe::{all_block, blocks, hits, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", r"C:\Users\gerhard\Downloads\setup.exe"),
    ("", r"C:\Users\gerhard"),
    ("install path", r"d:\users\John Smith\AppData\Local\App"),
    ("", r"C:\\Users\\m.rossi\\AppData"),
    ("", r"C:\\\\Users\\\\m.rossi\\\\AppData"),
    ("", "C:/Users/mrossi/x.txt"),
    ("", "file:///C:/Users/mrossi/x.txt"),
    ("", r"\Users\jdoe\x"),
    ("", r"\\?\C:\Users\jdoe\x"),
    ("", r"\\server01\c$\Users\jdoe\x"),
    ("", r"\Device\HarddiskVolume3\Users\jdoe\AppData\Local\a.exe"),
    ("", r"%SystemDrive%\Users\jdoe\x"),
    ("", r"C:\Documents and Settings\jdoe\Desktop"),
    ("", r"C:\DOCUME~1\jdoe\LOCALS~1\Temp"),
    ("", r"C:\Users\JDOE~1\AppData\Local\Temp"),
    ("", r"C:\Users\jdoe.CORP\AppData"),
    ("", r"C:\Users\jdoe.000\AppData"),
    ("", "/home/jdoe/app"),
    ("", "/home/john.smith"),
    ("", "PATH=/usr/bin:/home/jdoe/bin"),
    ("", "cd \"/home/jdoe\""),
    ("", "/Users/jdoe/Library"),
    ("", "/mnt/c/Users/jdoe/x"),
    ("", "/c/Users/jdoe/x"),
    ("", "/export/home/jdoe/x"),
    ("", r"\\srv\home$\jdoe\docs"),
    ("", r"\\srv\homes\jdoe\docs"),
    ("", r"\\srv\users$\jdoe"),
    ("", r"\\srv\profiles$\jdoe\ntuser.dat"),
    ("", r"\\wsl$\Ubuntu\home\jdoe\x"),
    ("", r"D:\OneDrive\Budget\x.xlsx"),
    ("", r"E:\Sync\OneDrive - Contoso\x.xlsx"),
    ("", "https://contoso-my.sharepoint.com/personal/john_smith_contoso_com/Documents"),
    ("", "C:\\Users\\J\u{fc}rgen\\x"),
    ("", r"\??\C:\Users\jdoe\x"),
    ("", r"cmd /c start C:\Users\jdoe\run.bat"),
    ("", r"D:\Backup\Users\jdoe\x.bak"),
    ("", r"C:\Users\Default\..\mrossi\x"),
    ("", r"C:\Users\Public\.\..\mrossi"),
    ("", r"C:\Users\.\mrossi"),
    ("", r"C:\Users\Public\Documents\..\..\mrossi"),
    ("", r"C:\Users.\mrossi"),
    ("", r"C:\Users \mrossi"),
    ("", r"\\?\UNC\fs01\mrossi$"),
    ("", r"D:\UserProfiles\mrossi"),
    ("", "C:\\USU\u{c1}RIOS\\mrossi"),
    ("", r"C:\Users\mrossi\..\Public\x"),
    ("", r"C:\Windows\..\Users\mrossi\x"),
    ("", r"\\fs01\mrossi$"),
    ("", r"\\fs01.acme.it\m.rossi$\docs"),
    ("", r"C:\USERS~1\mrossi"),
    ("", r"C:\Dokumente und Einstellungen\mrossi"),
    ("", r"C:\DOKUME~1\mrossi"),
    ("", "C:\\Documents et param\u{e8}tres\\mrossi"),
    ("", r"C:\Utenti\mrossi"),
    ("", r"C:\Benutzer\mrossi\x"),
    ("", r"C:\Utilisateurs\mrossi"),
    ("", r"C:\Usuarios\mrossi"),
    ("", r"D:\Profiles\mrossi"),
    ("", r"D:\Home\mrossi"),
    ("", "D:/Home/mrossi"),
    ("", r"\\nas\utenti\mrossi\x.mdf"),
    ("", r"\\nas\utenti$\mrossi\x.mdf"),
    ("", r"\\nas\Benutzer\mrossi\x.mdf"),
    ("", r"\\nas.acme.it\dati\Utilisateurs\mrossi"),
    ("", r"\\nas\usuarios\mrossi"),
    ("", r"\\nas\profili\mrossi"),
    ("", r"C:\Gebruikers\mrossi\a"),
    ("", r"\\nas\gebruikers$\mrossi"),
    ("", r"C:\Brugere\mrossi"),
    ("", r"D:\Brukere\mrossi"),
    ("", "C:\\Anv\u{e4}ndare\\mrossi"),
    ("", "C:\\U\u{17c}ytkownicy\\mrossi"),
    ("", r"\\nas\uzytkownicy\mrossi"),
];

const MISSES: &[(&str, &str)] = &[
    ("", r"\\nas\utenti\Public\x.mdf"),
    ("", r"\\nas\utenti"),
    ("", r"C:\Program Files\X\utenti\it"),
    ("", r"C:\Program Files\X\Gebruikers\nl"),
    ("", r"\\nas\brukeren\mrossi"),
    ("", r"C:\Program Files (x86)\Imagicle\UCX"),
    ("", r"C:\Users\Public\Documents\a.txt"),
    ("", r"C:\Users\Default\NTUSER.DAT"),
    ("", r"C:\Users\Default User\x"),
    ("", r"C:\Users\All Users\x"),
    ("", r"C:\Users\MSSQL$UCX\AppData"),
    ("", r"C:\Users\MSSQLSERVER\AppData"),
    ("", r"C:\Users\DefaultAppPool\x"),
    ("", r"C:\Users\UcxAppPool\x"),
    ("", r"C:\Users\.NET v4.5\x"),
    ("", r"C:\Users\.NET v4.5 Classic\x"),
    ("", r"C:\Windows\system32\config\systemprofile\AppData\x"),
    ("", r"C:\PROGRA~1\Common\x"),
    ("", r"D:\SQLData\users.mdf"),
    ("", r"D:\SQLData\Users\users.mdf"),
    ("", r"\Device\HarddiskVolume1"),
    ("", r"C:\Users"),
    ("", r"C:\Users\"),
    ("", r"C:\Users\desktop.ini"),
    ("", r"C:\Users\%USERNAME%\x"),
    ("", r"C:\Users\$env:USERNAME\x"),
    ("", r"C:\Users\<name>\x"),
    ("", r"C:\Users\*\x"),
    ("", r"C:\Users\Public.000\x"),
    ("", r"C:\Users\DEFAUL~1\x"),
    ("", r"C:\Users\Administrator\x"),
    ("", r"C:\Users\svc_ucx\AppData"),
    ("", r"C:\Users\svc-ucx.CORP\AppData"),
    ("", r"C:\inetpub\wwwroot\Users\Login.aspx"),
    ("", r"C:\Program Files\Vendor\Users\Templates\x"),
    ("", "https://api.example.com/users/42"),
    ("", "https://example.com/home/index"),
    ("", "/users/42"),
    ("", "/home/index.html"),
    ("", "/api/v1/home/tiles"),
    ("", "~/home/x"),
    ("", r"C:\Program Files\Microsoft OneDrive\OneDrive.exe"),
    ("", r"C:\Windows\System32\OneDriveSetup.exe"),
    ("", r"C:\home\x"),
    ("", r"D:\home\site\wwwroot"),
    ("", r"C:\Users\..\Program Files\x"),
    ("", r"\\fs01\backup$"),
    ("", r"\\fs01\C$\x"),
    ("", r"\\fs01\admin$"),
    ("", r"\\fs01\ucx_data$"),
    ("", r"D:\Imagicle\Utenti\export"),
    ("", r"D:\Profiles\Default"),
    ("", r"C:\Documents\x"),
    ("", r"C:\Users\Public\Documents\..\Music\x"),
    ("", r"\\?\UNC\fs01\backup$"),
    ("", "and/or home / users"),
    ("", "/home/linuxbrew/.linuxbrew"),
    ("", ""),
];

#[test]
fn home_folders_of_persons_block() {
    all_block(scan, Kind::UserPath, TextKind::Free, HITS);
    all_block(scan, Kind::UserPath, TextKind::Path, HITS);
}

#[test]
fn other_folders_pass() {
    none_hit(scan, TextKind::Free, MISSES);
    none_hit(scan, TextKind::Path, MISSES);
}

#[test]
fn configured_accounts_pass() {
    let context = Context { accounts: &["corp\\ucxowner", "batchrunner"], ..Context::default() };
    assert!(hits(scan, br"C:\Users\ucxowner\x", &context).is_empty());
    assert!(hits(scan, br"C:\Users\UcxOwner.CORP\x", &context).is_empty());
    assert!(hits(scan, br"C:\Users\BatchRunner\x", &context).is_empty());
    assert_eq!(hits(scan, br"C:\Users\gerhard\x", &context).len(), 1);
}

#[test]
fn the_range_is_the_name() {
    let text = br"C:\Users\gerhard\x";
    let found = hits(scan, text, &Context::default());
    assert_eq!(found.first().map(|hit| &text[hit.start..hit.end]), Some(&b"gerhard"[..]));
}

#[test]
fn versions_hold_no_paths() {
    assert!(!blocks(scan, r"\Users\x1", "", TextKind::Version));
}

#[test]
fn two_paths_are_two_hits() {
    assert_eq!(hits(scan, br"C:\Users\ann\a;C:\Users\bob\b", &Context::default()).len(), 2);
}

#[test]
fn time_is_linear() {
    linear(scan, &["\\", "/", "\\Users", "\\Users\\", "/home/", "C:\\Users\\a\\", "\\\\a\\home\\", "\\OneDrive - ", "/Users/b"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &[r"C:\Users\J\x", "/mnt/c/Users/b/x", r"\\s\home$\j\d", "D:\\OneDrive - A\\\u{fc}"]);
}

#[test]
fn a_path_begins_at_its_own_drive() {
    let text = r"C:\Windows\x.exe (D:\Users\j.becker\note.txt";
    assert!(crate::inspect::engine::detect::probe::blocks(scan, text, "", TextKind::Path));
    assert!(!crate::inspect::engine::detect::probe::blocks(scan, r"C:\Windows\x\Users\skeleton\note.txt", "", TextKind::Path));
}
