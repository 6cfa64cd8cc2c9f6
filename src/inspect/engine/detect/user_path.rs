//! Paths below the home folder of a person: Windows, macOS, Linux, home shares, `OneDrive`.
//!
//! Source: the profile layout of Windows (`FOLDERID_UserProfiles`), the Filesystem Hierarchy Standard (`/home`), macOS (`/Users`).

use super::identity::is_service;
use super::lexis::{at, before, ends, ends_in, is_any, is_word, part, run, run_back, stands};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// The shape needs no context.
const BITS: u8 = 24;
/// The longest name of a folder that is looked at.
const LONGEST: usize = 64;
/// Escaped backslashes come doubled, doubly escaped ones fourfold.
const SEPARATORS: usize = 8;

/// Finds the home folder of a person anywhere in a text. Versions and numbers hold no paths.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    let leads_back = memchr::memmem::find(text, b"..").is_some();
    let mut next = 0;
    while let Some(place) = memchr::memchr2(b'\\', b'/', text.get(next..).unwrap_or_default()).map(|place| next + place) {
        let folder = run(text, place, text.len(), is_separator);
        next = folder;
        if folder - place > SEPARATORS {
            continue;
        }
        let found = home(text, place, folder, leads_back, context.accounts).or_else(|| share(text, place, folder, context.accounts));
        if let Some((start, end)) = found {
            report(Hit { kind: Kind::UserPath, start, end, bits: BITS });
            next = end;
        }
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'\\' | b'/')
}

/// The range of the name of the person, if a home folder is named at `folder`, in front of which separators start at `place`.
fn home(text: &[u8], place: usize, folder: usize, leads_back: bool, accounts: &[&str]) -> Option<(usize, usize)> {
    let back = at(text, place) == b'\\';
    let (name_end, rule) = folder_rule(text, folder)?;
    let start = run(text, name_end, SEPARATORS, is_separator);
    if start == name_end {
        return None;
    }
    let (start, end) = segment(text, start, leads_back, accounts)?;
    let is_persons = || is_person(part(text, start, end), accounts);
    // The name costs less to look at than all that may be in front.
    if back && matches!(rule, Rule::Users | Rule::Home | Rule::Share) && !is_persons() {
        return None;
    }
    let found = match rule {
        Rule::Users if back => is_users_folder(text, place, start, end),
        Rule::Users => is_forward_root(text, place, folder) && !is_page(part(text, start, end)),
        Rule::Home if back => is_on_share(text, place) || is_below_drive(text, place, part(text, start, end)),
        Rule::Home if is_drive(text, place) => is_below_drive(text, place, part(text, start, end)),
        Rule::Home => is_home_root(text, place, folder) && !is_page(part(text, start, end)),
        Rule::Share => is_on_share(text, place) || is_below_drive(text, place, part(text, start, end)),
        Rule::Always => true,
        Rule::Drive => is_drive(text, place),
        Rule::Personal => ends(text, place, ".sharepoint.com"),
    };
    (found && is_persons()).then_some((start, end))
}

/// Components of a path that are looked at for one that leads back.
const COMPONENTS: usize = 16;

/// The folder that is meant by what follows: `.` and `Default\..` lead back to where they stand. A person's that is passed on the way
/// is named all the same. Where nothing in the text leads back, the first name is the one.
fn segment(text: &[u8], mut start: usize, leads_back: bool, accounts: &[&str]) -> Option<(usize, usize)> {
    let (mut depth, mut found) = (0_u32, None);
    for _ in 0..COMPONENTS {
        let end = segment_end(text, start);
        match part(text, start, end) {
            b"" => break,
            b"." => {}
            b".." => {
                depth = depth.checked_sub(1)?;
            }
            name => {
                if depth == 0 {
                    found = Some((start, end));
                }
                depth += 1;
                if !leads_back || depth == 1 && is_person(name, accounts) {
                    return found;
                }
            }
        }
        let next = run(text, end, SEPARATORS, is_separator);
        if next == end {
            break;
        }
        start = next;
    }
    found
}

/// `\\server\name$`: a hidden share that is named like somebody.
fn share(text: &[u8], place: usize, host: usize, accounts: &[&str]) -> Option<(usize, usize)> {
    let is_begun = matches!(before(text, place), 0 | b' ' | b'"' | b'\'' | b'=' | b'(' | b'[' | b',' | b';' | b'>');
    // `\\?\UNC\server\name$` is the same.
    let is_long = ends_in(text, place, &["?\\unc", "?\\\\unc"]);
    if !is_long && (host < place + 2 || !is_begun) {
        return None;
    }
    let host_end = run(text, host, LONGEST, |byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    let start = run(text, host_end, SEPARATORS, is_separator);
    let end = segment_end(text, start);
    let name = part(text, start, end).strip_suffix(b"$")?;
    let is_named = host_end > host && start > host_end && name.len() >= 2 && !name.contains(&b'$') && !is_any(name, SHARES);
    (is_named && is_person(name, accounts)).then_some((start, end))
}

/// Hidden shares that are nobody's, and words that shares are named by.
const SHARES: &[&str] = &[
    "admin",
    "apps",
    "archive",
    "archivio",
    "archiv",
    "backups",
    "clustershare",
    "common",
    "config",
    "data",
    "dati",
    "daten",
    "db",
    "deploy",
    "deployment",
    "dfs",
    "distrib",
    "docs",
    "documents",
    "download",
    "downloads",
    "donnees",
    "fax",
    "faxes",
    "file",
    "files",
    "groups",
    "home",
    "homes",
    "images",
    "install",
    "installers",
    "ipc",
    "iso",
    "it",
    "logs",
    "media",
    "netlogon",
    "packages",
    "print",
    "profile",
    "profiles",
    "projects",
    "pub",
    "quorum",
    "recordings",
    "registrazioni",
    "repo",
    "repository",
    "reports",
    "scan",
    "scans",
    "scambio",
    "scripts",
    "setup",
    "share",
    "shared",
    "shares",
    "software",
    "source",
    "sources",
    "storage",
    "sysvol",
    "temp",
    "tools",
    "transfer",
    "updates",
    "users",
    "utenti",
    "vol",
    "volume",
    "witness",
];

/// What must hold in front of the folder.
#[derive(Clone, Copy)]
enum Rule {
    /// `Users`: below a drive, a share or the root.
    Users,
    /// `home`: below the root or on a share.
    Home,
    /// On a share, or right below a drive.
    Share,
    /// The name says enough.
    Always,
    /// `OneDrive` below a drive.
    Drive,
    /// A person's site in `SharePoint`.
    Personal,
}

/// Where the name of the folder ends, and what must hold in front of it.
fn folder_rule(text: &[u8], folder: usize) -> Option<(usize, Rule)> {
    const NAMES: &[(&str, Rule)] = &[
        ("users", Rule::Users),
        ("home", Rule::Home),
        ("homes", Rule::Share),
        ("profiles", Rule::Share),
        ("users~1", Rule::Users),
        ("utenti", Rule::Share),
        ("benutzer", Rule::Share),
        ("utilisateurs", Rule::Share),
        ("usuarios", Rule::Share),
        ("usu\u{e1}rios", Rule::Share),
        ("usu\u{c1}rios", Rule::Share),
        ("utilizadores", Rule::Share),
        ("userprofiles", Rule::Share),
        ("user profiles", Rule::Share),
        ("userhomes", Rule::Share),
        ("profili", Rule::Share),
        ("gebruikers", Rule::Share),
        ("brugere", Rule::Share),
        ("brukere", Rule::Share),
        ("anvandare", Rule::Share),
        ("anv\u{e4}ndare", Rule::Share),
        ("anv\u{c4}ndare", Rule::Share),
        ("uzytkownicy", Rule::Share),
        ("u\u{17c}ytkownicy", Rule::Share),
        ("u\u{17b}ytkownicy", Rule::Share),
        ("documents and settings", Rule::Always),
        ("docume~1", Rule::Always),
        ("dokume~1", Rule::Always),
        ("dokumente und einstellungen", Rule::Always),
        ("documents et param\u{e8}tres", Rule::Always),
        ("documents et param\u{c8}tres", Rule::Always),
        ("documents et parametres", Rule::Always),
        ("documenti e impostazioni", Rule::Always),
        ("documentos y configuraci\u{f3}n", Rule::Always),
        ("documentos y configuracion", Rule::Always),
        ("documentos e configura\u{e7}\u{f5}es", Rule::Always),
        ("documents e settings", Rule::Always),
        ("home$", Rule::Always),
        ("homes$", Rule::Always),
        ("users$", Rule::Always),
        ("user$", Rule::Always),
        ("profiles$", Rule::Always),
        ("profile$", Rule::Always),
        ("homedirs$", Rule::Always),
        ("utenti$", Rule::Always),
        ("benutzer$", Rule::Always),
        ("utilisateurs$", Rule::Always),
        ("usuarios$", Rule::Always),
        ("utilizadores$", Rule::Always),
        ("gebruikers$", Rule::Always),
        ("brugere$", Rule::Always),
        ("brukere$", Rule::Always),
        ("anvandare$", Rule::Always),
        ("uzytkownicy$", Rule::Always),
        ("personal", Rule::Personal),
    ];
    if stands(text, folder, "onedrive") {
        let end = run(text, folder, LONGEST, |byte| is_word(byte) || matches!(byte, b' ' | b'-' | b'.' | b'&'));
        let organisation = stands(text, folder + 8, " - ");
        return Some((end, if organisation { Rule::Always } else { Rule::Drive })).filter(|_| organisation || end == folder + 8);
    }
    if !matches!(at(text, folder) | 0x20, b'u' | b'h' | b'p' | b'd' | b'b' | b'g' | b'a') {
        return None;
    }
    let first = at(text, folder).to_ascii_lowercase();
    let is_named = |name: &str| name.as_bytes().first() == Some(&first) && stands(text, folder, name);
    NAMES.iter().filter(|(name, _)| is_named(name)).find_map(|(name, rule)| {
        // Windows drops dots and blanks at the end of a name. macOS and Linux tell `/Users` from `/users`, which is a web address.
        let end = run(text, folder + name.len(), 3, |byte| matches!(byte, b'.' | b' '));
        is_separator(at(text, end)).then_some((end, *rule))
    })
}

/// A name ends at a separator or at what no file name holds.
fn segment_end(text: &[u8], start: usize) -> usize {
    let end = run(text, start, LONGEST, |byte| {
        !is_separator(byte) && byte >= 0x20 && !matches!(byte, b'<' | b'>' | b':' | b'"' | b'|' | b'?' | b'*' | b';')
    });
    start + part(text, start, end).trim_ascii_end().len()
}

/// `\Users\x`: below a drive, a device or a share, or with nothing in front. Deeper ones count unless programs own them.
fn is_users_folder(text: &[u8], place: usize, start: usize, end: usize) -> bool {
    let path = run_back(text, place, 96, |byte| byte >= 0x20 && !matches!(byte, b'"' | b'<' | b'>' | b'|' | b'?' | b'*' | b';' | b'='));
    let front = part(text, path, place);
    // The path begins at its own drive: `C:\Windows\x.exe (D:\Users\…`.
    let drive = memchr::memrchr(b':', front).map_or(0, |colon| colon + 1);
    let below = part(front, drive, front.len());
    // What leads back up is not below what programs own.
    let leads_back = below.split(|&byte| is_separator(byte)).any(|component| component == b"..");
    if !leads_back && is_owned(below) {
        return false;
    }
    let name = part(text, start, end);
    let last = !is_separator(at(text, end));
    let page = last && is_page(name);
    !page && !name.eq_ignore_ascii_case(b"desktop.ini")
}

/// Whether programs own what is below this path.
fn is_owned(path: &[u8]) -> bool {
    const OWNERS: &[&str] = &["program files", "program files (x86)", "windows", "progra~1", "progra~2", "wwwroot"];
    let mut components = path.split(|&byte| is_separator(byte)).skip(1).filter(|component| component.len() >= 7);
    components.any(|component| is_any(component, OWNERS))
}

/// `C:/Users/x`, `/mnt/c/Users/x`, `/Users/x`; not `https://host/users/x`.
fn is_forward_root(text: &[u8], place: usize, folder: usize) -> bool {
    if is_drive(text, place) || is_mounted(text, place) {
        return true;
    }
    is_root(text, place) && part(text, folder, folder + 5) == b"Users"
}

/// `/home/x`, `/usr/home/x`; not `https://host/home/x`.
fn is_home_root(text: &[u8], place: usize, folder: usize) -> bool {
    let lower = part(text, folder, folder + 4) == b"home";
    lower
        && (is_root(text, place)
            || ["/export", "/usr", "/var"].iter().any(|front| ends(text, place, front) && is_root(text, place - front.len())))
}

/// Whether a path starts here: nothing that could belong to it stands in front.
fn is_root(text: &[u8], place: usize) -> bool {
    match before(text, place) {
        b':' => !before(text, place.saturating_sub(1)).is_ascii_alphanumeric() || at(text, place + 1) != b'/' || ends(text, place, "file:"),
        byte => !is_word(byte) && !matches!(byte, b'.' | b'-' | b'}' | b')' | b'~' | b'%' | b'$' | b'@'),
    }
}

/// `C:` in front, as a word of its own.
fn is_drive(text: &[u8], place: usize) -> bool {
    let letter = place.saturating_sub(2);
    before(text, place) == b':' && at(text, letter).is_ascii_alphabetic() && !is_word(before(text, letter))
}

/// A folder right below a drive, the next of which is named: more than a letter, no page, nothing that servers have there.
fn is_below_drive(text: &[u8], place: usize, name: &[u8]) -> bool {
    const OTHERS: &[&str] =
        &["site", "logfiles", "data", "wwwroot", "default", "all", "template", "templates", "common", "local", "bin", "lib", "config"];
    is_drive(text, place) && name.len() >= 2 && !is_page(name) && !is_any(name, OTHERS)
}

/// `/c` or `/mnt/c` in front: a drive as Unix tools see it.
fn is_mounted(text: &[u8], place: usize) -> bool {
    let letter = place.saturating_sub(1);
    let slash = letter.saturating_sub(1);
    at(text, letter).is_ascii_alphabetic()
        && at(text, slash) == b'/'
        && (is_root(text, slash) || ["/mnt", "/cygdrive", "/host_mnt"].iter().any(|mount| ends(text, slash, mount)))
}

/// `\\server\` or `\\server\share\` in front.
fn is_on_share(text: &[u8], place: usize) -> bool {
    let path = run_back(text, place, 96, |byte| is_word(byte) || is_separator(byte) || matches!(byte, b'.' | b'-' | b'$'));
    let host = run(text, path, SEPARATORS, is_separator);
    host >= path + 2 && place > host
}

/// A page of a web site, which also has `/home/` and `/Users/`.
fn is_page(name: &[u8]) -> bool {
    const PAGES: &[&str] = &[
        "html", "htm", "aspx", "ashx", "js", "css", "json", "php", "xml", "png", "svg", "cshtml", "cs", "md", "txt", "ini", "config",
        "dll", "exe", "mdf", "ldf", "bak", "csv", "db", "log",
    ];
    memchr::memrchr(b'.', name).is_some_and(|dot| is_any(part(name, dot + 1, name.len()), PAGES))
}

/// Whether the folder is a person's: not one that every machine has, nor a service's, nor a placeholder.
fn is_person(name: &[u8], accounts: &[&str]) -> bool {
    if !is_word(at(name, 0)) && at(name, 0) != b'\'' {
        return false;
    }
    let passes = |name: &[u8]| is_service(name, accounts) || is_well_known(name);
    let stem = stem(name);
    !passes(name) && !is_short_known(name) && (stem.len() == name.len() || !passes(stem))
}

/// The name without what Windows appends: `.DOMAIN`, `.000`.
fn stem(name: &[u8]) -> &[u8] {
    // Only the last dot, and `j.smith` loses its person's half: harmless, since both forms are compared.
    memchr::memrchr(b'.', name).map_or(name, |dot| part(name, 0, dot))
}

const WELL_KNOWN: &[&str] = &[
    "public",
    "default",
    "default user",
    "all users",
    "systemprofile",
    "localservice",
    "networkservice",
    "defaultapppool",
    "classic",
    "linuxbrew",
    "lost+found",
    "shared",
    "ubuntu",
    "ec2-user",
    "vagrant",
    "git",
    "runner",
    "username",
    "user",
    "<user>",
    "your-user",
    "userprofile",
];

fn is_well_known(name: &[u8]) -> bool {
    is_any(name, WELL_KNOWN)
        || stands(name, 0, "mssql")
        || stands(name, 0, ".net ")
        || stands(name, 0, "default.")
        || ends(name, name.len(), "apppool")
}

/// The short form (`DEFAUL~1`) of a name that every machine has.
fn is_short_known(name: &[u8]) -> bool {
    const SHORT: &[&str] = &["defaul~", "alluse~", "admini~", "locals~", "networ~", "system~", "mssql$~", "mssqls~", "public~"];
    memchr::memchr(b'~', name).is_some() && SHORT.iter().any(|short| stands(name, 0, short))
}
