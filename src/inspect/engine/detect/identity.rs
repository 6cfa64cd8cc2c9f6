//! Accounts of persons: `DOMAIN\user`, user principal names, bare names in a slot for accounts, and what a text calls an account.
//!
//! Source of the well-known names: Microsoft, "Service accounts" and "Security identifiers" (localised authorities included).

use super::lexis::{at, before, ends_in, find, is_any, is_sorted, is_word, part, run, run_back, stands_one};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};
use components::{EXTENSIONS, FOLDERS, ROOTS};

pub mod authority;
mod components;
#[cfg(test)]
mod tests;
mod written;

/// The longest domain or user that is looked at.
const LONGEST: usize = 64;
/// What stands in an account slot needs nothing else.
const IN_SLOT: u8 = 24;
/// `X\Y` in any text.
const IN_TEXT: u8 = 20;

/// Finds accounts of persons in a slot for accounts or in free text; nothing elsewhere, since `X\Y` is half of all paths.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    match context.text {
        TextKind::Identity => in_slot(text, context, report),
        // Names of instances (`HOST\INSTANCE`) stand under keys that say so.
        TextKind::Free | TextKind::Name => {
            in_text(text, context, report);
            written::scan(text, context.accounts, report);
        }
        TextKind::Path => {
            if !begins_at_root(text) && is_one_slash(text) {
                in_text(text, context, report);
            }
            written::scan(text, context.accounts, report);
        }
        _ => {}
    }
}

fn hit(start: usize, end: usize, bits: u8) -> Hit {
    Hit { kind: Kind::Identity, start, end, bits }
}

// ---- a slot for accounts ------------------------------------------------------------------------------------------------

fn in_slot(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    let value = text.trim_ascii();
    if value.is_empty() || is_placeholder(value) {
        return;
    }
    if is_person(part(value, 0, 2 * LONGEST), context.accounts) {
        let start = run(text, 0, text.len(), |byte| byte.is_ascii_whitespace());
        report(hit(start, start + value.len(), IN_SLOT));
    }
}

fn is_person(value: &[u8], accounts: &[&str]) -> bool {
    if let Some(slash) = memchr::memchr2(b'\\', b'/', value) {
        let user = part(value, run(value, slash, 4, is_slash), value.len());
        if is_authority(value, slash) {
            return !is_of_authority(value, slash, user);
        }
        // A second component makes it a path.
        return !user.is_empty() && memchr::memchr2(b'\\', b'/', user).is_none() && !is_service_of(part(value, 0, slash), user, accounts);
    }
    if let Some(sign) = memchr::memchr(b'@', value) {
        return sign > 0 && !is_service_of(part(value, sign + 1, value.len()), part(value, 0, sign), accounts);
    }
    if at(value, 2) == b'=' {
        return super::lexis::stands(value, 0, "cn=")
            && !is_service_of(b"", part(value, 3, run(value, 3, LONGEST, |byte| byte != b',')), accounts);
    }
    // `mrossi (Mario)`
    let stem = memchr::memchr(b'(', value).map_or(value, |open| part(value, 0, open).trim_ascii());
    is_name_like(stem) && !is_service_of(b"", stem, accounts)
}

const fn is_slash(byte: u8) -> bool {
    matches!(byte, b'\\' | b'/')
}

fn is_name_like(value: &[u8]) -> bool {
    let letters = value.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let plain = value.iter().all(|&byte| is_word(byte) || matches!(byte, b' ' | b'.' | b'-' | b'\''));
    letters && plain && !super::lexis::stands(value, 0, "s-1-")
}

fn is_placeholder(value: &[u8]) -> bool {
    is_any(value, &["n/a", "na", "none", "null", "unknown", "true", "false", "-", "undefined", "default", "nessuno", "keine", "aucun"])
}

// ---- free text ------------------------------------------------------------------------------------------------------------

fn in_text(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    // `HOST\INSTANCE` is how SQL Server names an instance.
    if context.says(&["instance", "datasource", "registry", "hive", "pnp"]) {
        return;
    }
    // Of a database server or a device it may be one, and those are seldom in small letters.
    let may_be_instance = context.says(&["sql", "database", "hardware"]);
    let mut next = 0;
    while let Some(slash) = memchr::memchr(b'\\', text.get(next..).unwrap_or_default()).map(|place| next + place) {
        let behind = run(text, slash, text.len(), |byte| byte == b'\\');
        next = behind;
        if let Some((start, end)) = account(text, slash, behind, context.accounts)
            && !(may_be_instance && part(text, behind, end).iter().any(u8::is_ascii_uppercase))
        {
            report(hit(start, end, IN_TEXT));
        }
    }
}

/// Whether a path begins with a drive, a variable, a separator or a quote, as whole ones do.
#[must_use]
pub fn begins_at_root(text: &[u8]) -> bool {
    match text.trim_ascii_start() {
        [b'\\' | b'/' | b'%' | b'"', ..] => true,
        [drive, b':'] | [drive, b':', b'\\' | b'/', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Whether there is one run of backslashes: a relative path of two components, or an account.
fn is_one_slash(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\\').filter(|part| !part.is_empty()).count() == 2
}

/// The account around one run of backslashes (one, or two where they were escaped).
fn account(text: &[u8], slash: usize, behind: usize, accounts: &[&str]) -> Option<(usize, usize)> {
    if behind - slash > 2 {
        return None;
    }
    let start = run_back(text, slash, LONGEST, is_account);
    let end = trim_dots(text, behind, run(text, behind, LONGEST, is_account_end));
    let (domain, user) = (part(text, start, slash), part(text, behind, end));
    let person = is_domain(domain)
        && is_user(user)
        && !is_path(text, start, slash, end)
        && !is_escape(domain, user, start == 0 && end == text.len());
    let is_known = || is_authority(text, slash) && is_of_authority(text, slash, part(text, behind, behind + LONGEST));
    (person && !is_known() && !is_instance(text, start) && !is_service_of(domain, user, accounts)).then_some((start, end))
}

const fn is_account(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'-' | b'.')
}

const fn is_account_end(byte: u8) -> bool {
    is_account(byte) || byte == b'$'
}

/// A full stop ends the sentence, not the name.
fn trim_dots(text: &[u8], start: usize, end: usize) -> usize {
    start + part(text, start, end).trim_ascii_end().iter().rposition(|&byte| byte != b'.').map_or(0, |last| last + 1)
}

fn is_domain(domain: &[u8]) -> bool {
    domain.len() >= 2
        && domain.len() < LONGEST
        && domain.iter().any(|&byte| byte.is_ascii_alphabetic() || byte >= 0x80)
        && at(domain, 0) != b'.'
}

fn is_user(user: &[u8]) -> bool {
    user.len() >= 2
        && user.len() < LONGEST
        && at(user, 0) != b'_'
        && is_word(at(user, 0))
        && user.iter().any(|&byte| byte.is_ascii_alphabetic() || byte >= 0x80)
        && !is_rest_of_guid(user)
}

/// `--guid=5C2C3950-…` is a GUID, with a backslash for its first two digits or without.
fn is_rest_of_guid(user: &[u8]) -> bool {
    const BEHIND_FIRST: [usize; 4] = [4, 4, 4, 12];
    let groups = user.split(|byte| *byte == b'-').skip(1).map(<[u8]>::len);
    groups.eq(BEHIND_FIRST) && user.iter().all(|byte| *byte == b'-' || byte.is_ascii_hexdigit())
}

/// Whether the two are components of something that has others, or are known as such: paths, registry keys, device names.
fn is_path(text: &[u8], start: usize, slash: usize, end: usize) -> bool {
    let (domain, user) = (part(text, start, slash), part(text, slash, end));
    matches!(before(text, start), b'\\' | b'/' | b':' | b'%' | b')' | b'}' | b'$' | b'~' | b'*' | b'?')
        || matches!(at(text, end), b'\\' | b'/' | b'&' | b'(' | b'{' | b'[' | b'*' | b'?' | b'%' | b'=')
        || has_extension(user)
        || is_sorted(domain, ROOTS)
        || stands_one(domain, 0, &["hkey_", "harddisk"])
        || is_sorted(user.trim_ascii_start().strip_prefix(b"\\").unwrap_or(user), FOLDERS)
        || find(user, 0, "program").is_some_and(|place| super::lexis::stands(text, slash + place, "program files"))
        || ends_in(text, slash, &["program files", "common files"])
}

/// Whether the name ends like a file.
fn has_extension(name: &[u8]) -> bool {
    memchr::memrchr(b'.', name).is_some_and(|dot| {
        let extension = part(name, dot + 1, name.len());
        extension.iter().all(u8::is_ascii_digit) || is_sorted(extension, EXTENSIONS)
    })
}

/// `first\nsecond` is a written line break, unless it is all there is: `corp\nancy`.
fn is_escape(domain: &[u8], user: &[u8], alone: bool) -> bool {
    let written = matches!(at(user, 0), b'n' | b'r' | b't' | b'x')
        && domain.iter().any(u8::is_ascii_lowercase)
        && memchr::memchr(b'.', domain).is_none();
    written && (!alone || at(user, 1).is_ascii_uppercase())
}

/// `Server=HOST\INSTANCE`.
fn is_instance(text: &[u8], start: usize) -> bool {
    let key_end = run_back(text, start, 4, |byte| matches!(byte, b'=' | b' ' | b':' | b'"' | b'\''));
    key_end < start && ends_in(text, key_end, &["server", "source", "address", "addr", "instance", "host"])
}

// ---- what is known ----------------------------------------------------------------------------------------------------------

/// Whether an authority that ends at `end` has the account that `behind` begins with: it has one for each service, or a closed set.
fn is_of_authority(text: &[u8], end: usize, behind: &[u8]) -> bool {
    let domain = String::from_utf8_lossy(part(text, end.saturating_sub(LONGEST), end)).to_lowercase();
    authority::is_open(&domain) || authority::begins_with_account(behind)
}

/// Whether an authority of the operating system ends here, in any of its languages: `NT AUTHORITY`, `AUTORITE NT`,
/// `NT-AUTORITÄT`, `AUTORITÀ NT`, `IIS APPPOOL`, `BUILTIN`.
fn is_authority(text: &[u8], end: usize) -> bool {
    const WHOLE: &[&str] = &[
        "builtin",
        "predefinito",
        "predefinite",
        "vordefiniert",
        "integrado",
        "iis apppool",
        "window manager",
        "font driver host",
        "integrierte",
        "application package authority",
        "mandatory label",
        "verbindliche beschriftung",
        "nt virtual machine",
    ];
    let start = run_back(text, end, LONGEST, |byte| is_word(byte) || byte == b'-');
    let word = part(text, start, end);
    let front = run_back(text, start, 1, |byte| byte == b' ');
    let previous = part(text, run_back(text, front, LONGEST, is_word), front);
    let two_words = front < start && !previous.is_empty();
    ends_in(text, end, WHOLE)
        || (two_words && (word.eq_ignore_ascii_case(b"nt") || previous.eq_ignore_ascii_case(b"nt")))
        || super::lexis::stands(word, 0, "nt-")
}

/// Names and words that make an account one of a service, of the system, or of a role.
const SERVICE_WORDS: &[&str] = &[
    "adsync",
    "agent",
    "anonymous",
    "app",
    "application",
    "apppool",
    "apps",
    "backup",
    "batch",
    "bot",
    "cluster",
    "crm",
    "cucm",
    "daemon",
    "dienst",
    "docker",
    "erp",
    "everyone",
    "exchange",
    "ftp",
    "gitlab",
    "gmsa",
    "iis",
    "imagicle",
    "jenkins",
    "kiosk",
    "ldap",
    "local",
    "locale",
    "localservice",
    "localsystem",
    "lokal",
    "lokaler",
    "lokales",
    "monitor",
    "monitoring",
    "msa",
    "mssql",
    "mysql",
    "nagios",
    "network",
    "networkservice",
    "netzwerkdienst",
    "oracle",
    "postgres",
    "postgresql",
    "proxy",
    "rete",
    "robot",
    "réseau",
    "sa",
    "sccm",
    "scheduler",
    "scom",
    "service",
    "services",
    "servicio",
    "servizio",
    "serviço",
    "sistema",
    "smtp",
    "sql",
    "srv",
    "svc",
    "sync",
    "system",
    "système",
    "task",
    "tasks",
    "ucx",
    "veeam",
    "vmware",
    "web",
    "wsus",
    "www",
    "zabbix",
];

/// Accounts that are a role on every machine: their relative identifier is below 1000.
const ROLES: &[&str] = &[
    "admin",
    "administrador",
    "administrateur",
    "administrator",
    "administrators",
    "all",
    "amministratore",
    "aspnet",
    "default",
    "defaultaccount",
    "defaultuser0",
    "dwm",
    "gast",
    "guest",
    "interactive",
    "invitado",
    "invité",
    "iusr",
    "iwam",
    "krbtgt",
    "mssqlserver",
    "nobody",
    "ospite",
    "owner",
    "root",
    "sa",
    "sqlexpress",
    "trustedinstaller",
    "umfd",
    "users",
    "wdagutilityaccount",
    "www-data",
];

/// Whether a name that stands where no domain does is that of a service, or of an account that is configured in whatever domain.
pub(super) fn is_service(name: &[u8], accounts: &[&str]) -> bool {
    let is_listed = |account: &&str| name.trim_ascii().eq_ignore_ascii_case(in_parts(account).1);
    accounts.iter().any(is_listed) || is_like_a_service(name)
}

/// Whether an account of this domain (empty if none is said) is that of a service by its name, or is configured.
fn is_service_of(domain: &[u8], name: &[u8], accounts: &[&str]) -> bool {
    is_listed(domain, name, accounts) || is_like_a_service(name)
}

/// Whether a name is that of a service, a machine, a managed account (`…$`) or a role.
fn is_like_a_service(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    if name.ends_with(b"$") || memchr::memchr(b'$', name).is_some() || is_sorted(name, ROLES) {
        return true;
    }
    let bounded = |byte: &u8| matches!(byte, b'-' | b'_' | b'.' | b' ') || byte.is_ascii_digit();
    let mut words = name.split(bounded).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    is_sorted(first, SERVICE_WORDS)
        || is_administration(first)
        || words.next_back().is_some_and(|last| is_sorted(last, SERVICE_WORDS))
        || stands_one(name, 0, &["svc", "srv", "sql", "mssql", "service"])
        || ends_in(name, name.len(), &["svc", "service", "srv", "apppool"])
}

/// Whether a name begins with a mark of accounts of services, which those of persons never have: `svc_ucx`.
pub(super) fn is_marked(name: &[u8]) -> bool {
    const MARKS: &[&str] = &["svc", "srv", "service", "gmsa", "mssql"];
    let end = run(name, 0, LONGEST, |byte| byte.is_ascii_alphabetic());
    is_any(part(name, 0, end), MARKS) && end < name.len()
}

/// `ucxadmin`, `adminveeam`: the account that administers a service.
fn is_administration(word: &[u8]) -> bool {
    const ROLES: &[&str] = &["admin", "adm", "user", "account", "usr"];
    ROLES.iter().map(|role| role.len()).any(|length| {
        let Some(end) = word.len().checked_sub(length) else { return false };
        let is_role = |from: usize| is_any(part(word, from, from + length), ROLES);
        is_role(end) && is_sorted(part(word, 0, end), SERVICE_WORDS)
            || is_role(0) && is_sorted(part(word, length, word.len()), SERVICE_WORDS)
    })
}

/// Whether an account is configured: in this domain, or without one, which counts in all.
fn is_listed(domain: &[u8], name: &[u8], accounts: &[&str]) -> bool {
    accounts.iter().any(|account| {
        let (whose, who) = in_parts(account);
        name.eq_ignore_ascii_case(who) && (whose.is_empty() || domain.eq_ignore_ascii_case(whose))
    })
}

/// The domain and the name of an account: `DOMAIN\name`, `name@domain`, or a name alone.
fn in_parts(account: &str) -> (&[u8], &[u8]) {
    let (domain, name) =
        account.rsplit_once('\\').or_else(|| account.rsplit_once('@').map(|(name, domain)| (domain, name))).unwrap_or(("", account));
    (domain.as_bytes(), name.as_bytes())
}
