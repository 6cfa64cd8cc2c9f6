//! E-mail addresses (RFC 5321 section 4.1.2; beyond ASCII RFC 6531 section 3.3).
//!
//! Accounts at an internal domain (`.local`, `.lan`, `.corp`, …) count: a user principal name is a person.

use super::identity;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};
use memchr::memchr_iter;

/// Longest local part (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest domain (RFC 5321 section 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;
/// Longest label (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;
/// Longest address literal with its brackets: `[IPv6:` and 45 characters.
const MAX_LITERAL: usize = 52;
/// Bits of an address below a top-level domain that is known.
const KNOWN_BITS: u8 = 24;
/// Bits of an address below one that is only plausible.
const PLAUSIBLE_BITS: u8 = Hit::ENOUGH;

/// Generic top-level domains most addresses are in, and those of internal networks.
const COMMON: &[&[u8]] = &[
    b"com",
    b"net",
    b"org",
    b"edu",
    b"gov",
    b"mil",
    b"int",
    b"info",
    b"biz",
    b"name",
    b"pro",
    b"aero",
    b"coop",
    b"mobi",
    b"jobs",
    b"tel",
    b"cat",
    b"asia",
    b"app",
    b"dev",
    b"cloud",
    b"online",
    b"shop",
    b"site",
    b"xyz",
    b"tech",
    b"store",
    b"email",
    b"company",
    b"group",
    b"swiss",
    b"wien",
    b"berlin",
    b"hamburg",
    b"bayern",
    b"paris",
    b"london",
    b"saarland",
    b"example",
    b"test",
    b"local",
    b"lan",
    b"internal",
    b"corp",
    b"intern",
    b"lokal",
    b"home",
    b"localdomain",
    b"intranet",
    b"private",
];

/// Last labels that are kinds of systemd units, file name extensions or systems, and no domains: `getty@tty1.service`, `icon@2x.png`.
const NO_DOMAINS: &[&[u8]] = &[
    b"automount",
    b"device",
    b"mount",
    b"path",
    b"scope",
    b"service",
    b"slice",
    b"socket",
    b"swap",
    b"target",
    b"timer",
    b"freebsd",
    b"netbsd",
    b"openbsd",
    b"bmp",
    b"cfg",
    b"conf",
    b"config",
    b"csproj",
    b"css",
    b"csv",
    b"dat",
    b"deb",
    b"dll",
    b"dylib",
    b"exe",
    b"gif",
    b"htm",
    b"html",
    b"ico",
    b"ini",
    b"jar",
    b"jpeg",
    b"jpg",
    b"json",
    b"jsx",
    b"log",
    b"lock",
    b"min",
    b"mjs",
    b"mod",
    b"msi",
    b"nupkg",
    b"pdf",
    b"png",
    b"rpm",
    b"scss",
    b"svg",
    b"sys",
    b"tar",
    b"tgz",
    b"tif",
    b"tiff",
    b"tmp",
    b"toml",
    b"tsx",
    b"txt",
    b"wav",
    b"webp",
    b"whl",
    b"woff",
    b"xml",
    b"yaml",
    b"yml",
    b"alpha",
    b"beta",
    b"canary",
    b"debug",
    b"next",
    b"nightly",
    b"release",
    b"snapshot",
];

/// Accounts that build kernels and packages, or serve repositories; their hosts stand in version strings.
const BUILDERS: &[&[u8]] = &[b"buildd", b"mockbuild", b"git"];

/// Reports each address. An `@` costs at most 320 bytes of looking around, so the whole costs linear time.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    for at in memchr_iter(b'@', text) {
        let (before, after) = text.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        let Some(local) = local_part(before) else { continue };
        let Some((length, bits)) = literal(after).or_else(|| domain(after)) else { continue };
        let (start, end) = (at - local.len(), at + 1 + length);
        // `svc_ucx@acme.local` in a slot for accounts is the name of one that no person has.
        let is_account =
            context.text == TextKind::Identity && text.len() == end && (identity::is_marked(local) || is_configured(local, context));
        if is_account || is_builder(local, after, length) || text.get(start..end).is_some_and(|address| is_configured(address, context)) {
            continue;
        }
        report(Hit { kind: Kind::Email, start, end, bits });
    }
}

/// Whether the site names this account: the whole address, or a name alone, which counts in all domains.
fn is_configured(account: &[u8], context: &Context<'_>) -> bool {
    context.accounts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(account))
}

/// The local part at the end of `before`, without what only leads to it: `to='mario` is `mario`.
fn local_part(before: &[u8]) -> Option<&[u8]> {
    if before.last() == Some(&b'"') {
        return quoted_local(before);
    }
    let length = before.iter().rev().take(MAX_LOCAL).take_while(|byte| is_local(**byte)).count();
    let local = before.get(before.len() - length..)?;
    // `to=` leads to an address more often than it begins one.
    let named = local.iter().rposition(|byte| *byte == b'=').filter(|equals| *equals + 1 < local.len());
    let local = local.get(named.map_or(0, |equals| equals + 1)..)?;
    let skipped = local.iter().position(|byte| is_word(*byte))?;
    local.get(skipped..)
}

/// `"john smith"` (RFC 5321 section 4.1.2, Quoted-string), without escapes.
fn quoted_local(before: &[u8]) -> Option<&[u8]> {
    let inside = before.split_last()?.1;
    let length = inside.iter().rev().take(MAX_LOCAL).take_while(|byte| **byte != b'"').count();
    let start = inside.len().checked_sub(length + 1)?;
    let content = inside.get(start + 1..)?;
    let is_opened = inside.get(start) == Some(&b'"');
    let is_text = content.iter().all(|byte| !byte.is_ascii_control()) && content.iter().any(|byte| is_word(*byte));
    (is_opened && is_text).then(|| before.get(start..)).flatten()
}

/// `atext` and the dot (RFC 5322 section 3.2.3); letters beyond ASCII too (RFC 6531).
fn is_local(byte: u8) -> bool {
    is_word(byte) || b".!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3): its length.
fn literal(after: &[u8]) -> Option<(usize, u8)> {
    let inside = after.strip_prefix(b"[")?;
    let length = inside.iter().take(MAX_LITERAL).position(|byte| *byte == b']')?;
    let address = core::str::from_utf8(inside.get(..length)?).ok()?;
    let is_address = match address.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => address.get(5..)?.parse::<core::net::Ipv6Addr>().is_ok(),
        _ => address.parse::<core::net::Ipv4Addr>().is_ok(),
    };
    is_address.then_some((length + 2, KNOWN_BITS))
}

/// The domain at the start of `after`: its length and how sure it is one.
fn domain(after: &[u8]) -> Option<(usize, u8)> {
    let run = after.iter().take(MAX_DOMAIN).take_while(|byte| is_word(**byte) || matches!(byte, b'.' | b'-')).count();
    let run = after.get(..run)?;
    // What ends a sentence is not part of the address.
    let length = run.iter().rposition(|byte| is_word(*byte))? + 1;
    let run = run.get(..length)?;
    // Bytes of a picture or a key hold an `@` and high bytes, but seldom UTF-8.
    if core::str::from_utf8(run).is_err() || !run.split(|byte| *byte == b'.').all(is_label) || is_version(run) {
        return None;
    }
    let mut labels = run.split(|byte| *byte == b'.').skip(1).peekable();
    let mut is_known = false;
    let mut last: &[u8] = labels.peek()?;
    for label in labels {
        is_known |= is_known_top(label);
        last = label;
    }
    // A known one before the last is enough: `mario@example.com.log` is a file named after an address.
    match (is_known, is_plausible_top(last)) {
        (true, _) => Some((length, KNOWN_BITS)),
        (false, true) => Some((length, PLAUSIBLE_BITS)),
        (false, false) => None,
    }
}

/// Letters, digits and inner hyphens (RFC 1123 section 2.1).
fn is_label(label: &[u8]) -> bool {
    let ends = label.first().zip(label.last());
    label.len() <= MAX_LABEL && ends.is_some_and(|(first, last)| *first != b'-' && *last != b'-')
}

/// `18.2.0-beta.next`, `v1.2.x`: two numbers at the start are a version of a package, not a host.
fn is_version(domain: &[u8]) -> bool {
    let mut labels = domain.split(|byte| *byte == b'.');
    let first = labels.next().unwrap_or_default();
    let first = first.strip_prefix(b"v").unwrap_or(first);
    let is_number = |label: &[u8]| label.iter().all(u8::is_ascii_digit);
    is_number(first) && labels.next().is_some_and(is_number)
}

fn is_known_top(label: &[u8]) -> bool {
    match label {
        [first, second] => is_country(*first, *second),
        _ => COMMON.iter().any(|name| label.eq_ignore_ascii_case(name)),
    }
}

/// Country code top-level domains (IANA root zone database), by their first letter.
fn is_country(first: u8, second: u8) -> bool {
    let seconds: &[u8] = match first.to_ascii_lowercase() {
        b'a' => b"cdefgilmoqrstuwxz",
        b'b' => b"abdefghijmnorstwyz",
        b'c' => b"acdfghiklmnoruvwxyz",
        b'd' => b"ejkmoz",
        b'e' => b"cegrstu",
        b'f' => b"ijkmor",
        b'g' => b"abdefghilmnpqrstuwy",
        b'h' => b"kmnrtu",
        b'i' => b"delmnoqrst",
        b'j' => b"emop",
        b'k' => b"eghimnprwyz",
        b'l' => b"abcikrstuvy",
        b'm' => b"acdeghklmnopqrstuvwxyz",
        b'n' => b"acefgilopruz",
        b'o' => b"m",
        b'p' => b"aefghklmnrstwy",
        b'q' => b"a",
        b'r' => b"eosuw",
        b's' => b"abcdeghiklmnorstuvxyz",
        b't' => b"cdfghjklmnortvwz",
        b'u' => b"agksyz",
        b'v' => b"aceginu",
        b'w' => b"fs",
        b'y' => b"et",
        b'z' => b"amw",
        _ => b"",
    };
    seconds.contains(&second.to_ascii_lowercase())
}

/// Three to 24 letters, a name in punycode, or two characters beyond ASCII.
fn is_plausible_top(label: &[u8]) -> bool {
    let ascii = label.iter().take_while(|byte| byte.is_ascii()).count();
    let (ascii, beyond) = label.split_at(ascii);
    if ascii.is_empty() {
        // The shortest, `рф`, takes four bytes.
        return beyond.len() >= 4 && core::str::from_utf8(beyond).is_ok_and(|label| label.chars().all(char::is_alphanumeric));
    }
    if ascii.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"xn--")) {
        return ascii.len() > 4;
    }
    let is_letters = (3..=24).contains(&ascii.len()) && ascii.iter().all(u8::is_ascii_alphabetic);
    // Punctuation beyond ASCII may stick to the end (`com»`).
    (is_letters && !NO_DOMAINS.iter().any(|name| ascii.eq_ignore_ascii_case(name))) || (!beyond.is_empty() && is_known_top(ascii))
}

/// `root@releng2.nyi.freebsd.org:/usr/obj` names a machine that built a kernel, `git@host:path` a repository.
fn is_builder(local: &[u8], after: &[u8], length: usize) -> bool {
    let is_remote = after.get(length..).is_some_and(|rest| rest.starts_with(b":/"));
    BUILDERS.iter().any(|name| local.eq_ignore_ascii_case(name)) || (is_remote && local.eq_ignore_ascii_case(b"root"))
}

#[cfg(test)]
mod tests;
