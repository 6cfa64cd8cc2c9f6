//! Accounts that a text itself calls so: `username=…`, `-u …`, `/user:…`, names of a directory (RFC 4514).

use super::{EXTENSIONS, Hit, Kind, is_account, is_placeholder, is_service_of};
use crate::inspect::engine::detect::lexis::{at, before, find, is_any, is_sorted, is_word, part, run, run_back, starts_word};

/// Said by a word, or by the form.
const BITS: u8 = 22;
/// The longest word or value that is looked at.
const LONGEST: usize = 64;
/// How far a name of a directory is read.
const DIRECTORY: usize = 256;

/// Words for an account in front of `=` or `:`, in the order of their bytes.
const WORDS: &[&str] = &[
    "account",
    "benutzer",
    "benutzername",
    "konto",
    "login",
    "loginname",
    "logon",
    "logonname",
    "nomeutente",
    "samaccountname",
    "uid",
    "user",
    "userid",
    "username",
    "usr",
    "usuario",
    "utente",
    "utilisateur",
];
/// Options for an account.
const ACCOUNTS: &[&str] = &["u", "user", "username", "usr", "uid", "userid", "login", "logon", "account", "runas"];
/// Options for a secret.
const SECRETS: &[&str] = &["pw", "pwd", "pass", "passwd", "password"];
/// Values that are words of a sentence or of a program.
const OTHERS: &[&str] = &[
    "access",
    "account",
    "and",
    "auto",
    "control",
    "current",
    "data",
    "experience",
    "for",
    "group",
    "id",
    "install",
    "interface",
    "is",
    "local",
    "management",
    "manager",
    "mode",
    "name",
    "not",
    "or",
    "password",
    "profile",
    "required",
    "settings",
    "start",
    "string",
    "the",
    "to",
];

/// Reports each. A blank is looked at for options, a sign for what stands around it.
pub(super) fn scan(text: &[u8], accounts: &[&str], report: &mut dyn FnMut(Hit)) {
    for place in memchr::memchr3_iter(b'=', b':', b' ', text) {
        let found = match at(text, place) {
            b' ' => option(text, place + 1, accounts),
            sign => assigned(text, place, sign, accounts).or_else(|| (sign == b'=').then(|| directory(text, place, accounts)).flatten()),
        };
        if let Some((kind, start, end)) = found {
            report(Hit { kind, start, end, bits: BITS });
        }
    }
}

/// What was found and where.
type Found = Option<(Kind, usize, usize)>;

/// `-u mrossi`, `--user=mrossi`, `/user:ACME\mrossi`.
fn option(text: &[u8], place: usize, accounts: &[&str]) -> Found {
    if !matches!(at(text, place), b'-' | b'/') {
        return None;
    }
    let start = place + if at(text, place + 1) == b'-' { 2 } else { 1 };
    let end = run(text, start, 12, |byte| byte.is_ascii_alphabetic());
    let name = part(text, start, end);
    let is_secret = is_any(name, SECRETS);
    if !matches!(at(text, end), b' ' | b':' | b'=') || !is_secret && !is_any(name, ACCOUNTS) {
        return None;
    }
    let (start, end) = value(text, end + 1)?;
    if is_secret {
        let is_value = end >= start + 4 && !is_any(part(text, start, end), OTHERS) && !is_placeholder(part(text, start, end));
        return is_value.then_some((Kind::Credential, start, end));
    }
    is_persons(text, start, end, accounts).then_some((Kind::Identity, start, end))
}

/// `username=mrossi`, `user: mrossi`, `User Id = mrossi`.
fn assigned(text: &[u8], place: usize, sign: u8, accounts: &[&str]) -> Found {
    // Pairs between colons are no words, and most words end in another letter.
    let may_end = |byte: u8| matches!(byte | 0x20, b't' | b'r' | b'e' | b'o' | b'n' | b'd' | b' ' | b'"' | b'\'');
    match text.get(..place)? {
        [.., b':', _, _] | [.., b':', _] => return None,
        [.., last] if may_end(*last) => {}
        _ => return None,
    }
    let word_end = run_back(text, place, 2, |byte| matches!(byte, b' ' | b'"' | b'\''));
    let word_start = run_back(text, word_end, LONGEST, |byte| byte.is_ascii_alphabetic());
    let mut word = part(text, word_start, word_end);
    if word.len() < 2 {
        return None;
    }
    if matches!(word.len(), 2 | 4) && is_any(word, &["id", "name"]) {
        let front = run_back(text, word_start, 1, |byte| matches!(byte, b' ' | b'_'));
        word = part(text, run_back(text, front, LONGEST, |byte| byte.is_ascii_alphabetic()), front);
    }
    if !(3..=14).contains(&word.len()) || !is_sorted(word, WORDS) {
        return None;
    }
    let (start, end) = value(text, run(text, place + 1, 2, |byte| matches!(byte, b' ' | b'"' | b'\'')))?;
    // Behind a colon may stand a sentence: an account is all there is.
    let is_all =
        sign == b'=' || matches!(at(text, end), 0 | b',' | b';' | b')' | b'"' | b'\'' | b'|' | b'\r' | b'\n' | b'\t' | b'}' | b']');
    let is_named = is_all && is_persons(text, start, end, accounts);
    // The name in SIP's digest is part of the credentials.
    let is_digest = || find(part(text, end, end + DIRECTORY), 0, "realm=").is_some();
    (is_named && !is_digest()).then_some((Kind::Identity, start, end))
}

/// The value that starts here, behind a domain if there is one.
fn value(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let is_value = |byte: u8| is_word(byte) || matches!(byte, b'.' | b'-' | b'$' | b'\\' | b'@' | b'~');
    let end = run(text, start, LONGEST, is_value);
    let end = start + part(text, start, end).iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1);
    // `C:\x` and `http://x` are none; `name:password` is.
    if at(text, end) == b':' && matches!(at(text, end + 1), b'\\' | b'/') {
        return None;
    }
    let domain = memchr::memrchr(b'\\', part(text, start, end)).map_or(0, |slash| slash + 1);
    (end > start + domain).then_some((start + domain, end))
}

/// Whether what stands here, behind a domain or in front of one or without, is the name of a person's account.
fn is_persons(text: &[u8], start: usize, end: usize, accounts: &[&str]) -> bool {
    let name = part(text, start, end);
    let (user, domain) = match memchr::memchr(b'@', name) {
        Some(sign) => (part(name, 0, sign), part(name, sign + 1, name.len())),
        None => (name, domain_before(text, start)),
    };
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
    let is_file = || memchr::memrchr(b'.', name).is_some_and(|dot| is_sorted(part(name, dot + 1, name.len()), EXTENSIONS));
    name.len() >= 3
        && is_letter(at(name, 0))
        && !is_any(name, OTHERS)
        && !is_placeholder(name)
        && !is_file()
        && !is_service_of(domain, user, accounts)
}

/// The domain in front of a name: `ACME\mrossi`. None is empty.
fn domain_before(text: &[u8], start: usize) -> &[u8] {
    let slash = run_back(text, start, 2, |byte| byte == b'\\');
    if slash == start { &[] } else { part(text, run_back(text, slash, LONGEST, is_account), slash) }
}

/// `CN=Mario Rossi,OU=Users,DC=acme,DC=it`, `uid=mrossi,ou=people,…`: the name of an entry for a person.
fn directory(text: &[u8], place: usize, accounts: &[&str]) -> Found {
    const PEOPLE: &[&str] = &[
        "ou=users",
        "cn=users",
        "ou=people",
        "ou=staff",
        "ou=employees",
        "ou=utenti",
        "ou=personale",
        "ou=dipendenti",
        "ou=benutzer",
        "ou=mitarbeiter",
        "ou=utilisateurs",
        "ou=usuarios",
    ];
    const MACHINES: &[&str] = &[
        "ou=servers",
        "ou=server",
        "cn=computers",
        "ou=computers",
        "ou=domain controllers",
        "cn=builtin",
        "ou=service",
        "cn=managed service",
    ];
    let is_named = matches!(part(text, place.saturating_sub(2), place), [b'c' | b'C', b'n' | b'N']) && starts_word(text, place - 2)
        || place >= 3 && part(text, place - 3, place).eq_ignore_ascii_case(b"uid") && starts_word(text, place - 3);
    if !is_named || before(text, place) == b' ' {
        return None;
    }
    let end = run(text, place + 1, LONGEST, |byte| !matches!(byte, b',' | b';' | b'"' | b'\n' | b'='));
    let rest = part(text, end, end + DIRECTORY);
    let says = |words: &[&str]| words.iter().any(|word| find(rest, 0, word).is_some());
    // An entry with all it has is a contact.
    let is_contact = says(&["objectclass"]);
    let is_entry = at(text, end) == b',' && !is_contact && (says(PEOPLE) || says(&["dc="]) && !says(MACHINES));
    let name = part(text, place + 1, end).trim_ascii();
    (is_entry && name.len() >= 2 && !is_service_of(b"", name, accounts)).then_some((Kind::Identity, place + 1, end))
}

#[cfg(test)]
mod tests {
    use crate::inspect::engine::context::TextKind;
    use crate::inspect::engine::detect::identity::scan;
    use crate::inspect::engine::detect::probe::{blocks, linear, none_hit, survives};

    #[test]
    fn accounts_that_are_called_so_block() {
        for text in [
            "username=mrossi",
            "user: mrossi",
            "User Id=mrossi;Password=x",
            "nome utente: m.rossi",
            "login = mario.rossi",
            r"runas /user:ACME\mrossi cmd.exe",
            "tool.exe -u mrossi -p hunter2",
            "tool.exe --username=mrossi",
            "tool.exe --pass hunter2",
            "sqlcmd.exe -S srv -U mrossi -P hunter2",
            "curl.exe -u mrossi:hunter2 https://x",
            "CN=Mario Rossi,OU=Users,DC=acme,DC=it",
            "cn=Mario Rossi,dc=acme,dc=it",
            "member uid=mrossi,ou=people,o=acme",
        ] {
            for kind in [TextKind::Free, TextKind::Name, TextKind::Path] {
                assert!(blocks(scan, text, "", kind), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn accounts_of_services_and_sentences_pass() {
        let rows = [
            "user=svc_ucx",
            "User Id=sa;",
            "User: Administrator",
            "user: interface for operators",
            "user account control: manager",
            "User Experience Virtualization",
            r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule",
            r"C:\Windows\system32\svchost.exe -k netsvcs -p",
            "nvcontainer.exe -s NvContainerLocalSystem -f x.log -l 3 -r -p 30000",
            r"regsvr32 /u C:\x\shell.dll",
            "regsvr32 /u shell.dll",
            "x.exe -user %USERNAME%",
            "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US",
            "CN=UCX01,OU=Servers,DC=acme,DC=it",
            "CN=svc_ucx,OU=Users,DC=acme,DC=it",
            "account=CORP\\gmsa$",
        ];
        let rows: Vec<(&str, &str)> = rows.iter().map(|text| ("", *text)).collect();
        for kind in [TextKind::Free, TextKind::Name, TextKind::Path] {
            none_hit(scan, kind, &rows);
        }
    }

    #[test]
    fn words_are_in_order() {
        assert!(super::WORDS.is_sorted_by(|one, other| one.as_bytes() < other.as_bytes()));
    }

    #[test]
    fn time_is_linear() {
        linear(scan, &["user=", " -u a", "cn=a,", "CN=x,dc=", "user name = "]);
        survives(scan, &["user: m\u{f6}ssi", " /user:A\\b", "CN=\u{e9},DC=x"]);
    }
}
