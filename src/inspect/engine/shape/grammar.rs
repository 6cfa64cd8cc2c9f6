//! Grammars that prove a value harmless. Each looks at the whole value, once.

mod name;
mod time;

use super::lists::{LANGUAGES, STATES, SWITCHES};
pub use name::{is_code, is_like_a_name, is_name};
use std::net::IpAddr;
pub use time::{is_epoch, is_evident_time, is_near_epoch, is_time};

/// Longest run of digits that is no telephone number, card or identifier of a person.
const SHORT_RUN: usize = 6;
/// Longest name of a product, process or device.
const MAX_NAME: usize = 128;
/// Longest path.
const MAX_PATH: usize = 1_024;

/// A whole number without sign, leading zeros or exponent.
#[must_use]
pub fn whole(raw: &str) -> Option<u64> {
    if raw.is_empty() || raw.len() > 20 {
        return None;
    }
    let digit = |byte: u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9);
    raw.bytes().try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(digit(byte)?)))
}

/// A number with at most nine decimals, its whole part below a limit; a sign and an exponent of at most two digits may be there.
#[must_use]
pub fn decimal_below(raw: &str, most: u64) -> bool {
    // Most have digits only, or two parts of them.
    if raw.len() <= 12
        && let Some(value) = whole(raw)
    {
        return value <= most;
    }
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let exponent = exponent.trim_start_matches(['+', '-']);
    let (digits, decimals) = mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), "0"));
    let is_digits =
        |text: &str, longest: usize| !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(exponent, 2) && is_digits(decimals, 17) && is_digits(digits, 12) && whole(digits).is_some_and(|value| value <= most)
}

/// Longest run of digits in a text.
fn longest_run(text: &str) -> usize {
    text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max().unwrap_or_default()
}

/// Digits of the longest stretch of digits and the separators that telephone numbers have: `02 1234 5678` is nine and more.
fn digits_in_groups(text: &str) -> usize {
    let (mut longest, mut current) = (0, 0);
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            current += 1;
            longest = longest.max(current);
        } else if !" -/.()".contains(letter) {
            current = 0;
        }
    }
    longest
}

/// Groups of two or four hexadecimal digits, as hardware addresses have.
pub(super) fn looks_hexadecimal(text: &str) -> bool {
    let groups = |length: usize| {
        let is_group = move |group: &&str| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.split(|letter: char| !letter.is_alphanumeric()).filter(is_group).count()
    };
    groups(2) >= 6 || (groups(4) >= 3 && text.contains('.'))
}

/// Two to six numbers with dots, or one number, and a short word behind.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (numbers, word) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len()));
    let parts = numbers.trim_end_matches('.').split('.');
    let is_number = |part: &str| (1..=9).contains(&part.len());
    let has_dot = numbers.contains('.');
    let word = word.strip_prefix(['-', '+', '~', ' ', '_']).unwrap_or(word);
    (if has_dot { parts.clone().count() <= 6 && parts.clone().all(is_number) } else { (1..=6).contains(&numbers.len()) })
        && word.len() <= 16
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        && longest_run(word) <= SHORT_RUN
        && !name::may_hide(word)
        && !is_pairs(numbers)
        && (has_dot || word.len() <= 3)
}

/// A version that is no telephone number: four numbers, or few digits.
#[must_use]
pub fn is_release(text: &str) -> bool {
    let has_four = text.bytes().filter(|byte| *byte == b'.').count() == 3;
    text.contains('.')
        && is_version(text)
        && (has_four || digits_in_groups(text) < 9)
        && !matches!(text.as_bytes(), [b'0', b'0'..=b'9', ..])
}

/// `06.12.34.56.78`: a telephone number.
fn is_pairs(numbers: &str) -> bool {
    numbers.starts_with('0') && numbers.split('.').count() >= 4 && numbers.split('.').all(|part| part.len() == 2)
}

/// A text that begins like a version, once no detector found anything in it.
#[must_use]
pub fn is_like_a_version(text: &str) -> bool {
    let starts = text.trim_start_matches(['v', 'V']).bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let is_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+()~".contains(&byte);
    let has_dots = text.bytes().filter(|byte| *byte == b'.').count() >= 2;
    starts
        && text.len() <= 64
        && text.bytes().all(is_byte)
        && (has_dots || digits_in_groups(text) < 9)
        && !is_pairs(text)
        && !text.starts_with("00")
        && !looks_hexadecimal(text)
}

/// A path without a segment that names a person.
#[must_use]
pub fn is_system_path(text: &str) -> bool {
    let is_sign = |letter: char| " .,_-()[]$&'/\\:!+~#%\"*?{}|".contains(letter);
    is_like_a_path(text)
        && !has_escape(text)
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || is_sign(letter) || (letter.is_alphabetic() && letter < '\u{590}'))
        && digits_in_groups(text) < 10
        && !text.contains("://")
        && !text.split(['\\', '/', '"', ' ', '=']).any(name::may_hide)
        && !looks_hexadecimal(text)
        && !has_home(text)
}

/// A text that may be a path, once no detector found anything in it: it has a separator, a drive or a variable.
#[must_use]
pub fn is_like_a_path(text: &str) -> bool {
    let is_file = text.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && (2..=4).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    text.len() <= MAX_PATH
        && !text.chars().any(char::is_control)
        && (text.contains(['\\', '%']) || text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') || is_file && !text.contains(' '))
}

/// `%40`, `\u0040`, `\x40`; `%SystemRoot%` is none.
pub(super) fn has_escape(text: &str) -> bool {
    let is_hex = |digits: &[u8], length: usize| digits.get(..length).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let is_escape = |at: usize| match text.as_bytes().get(at..).unwrap_or_default() {
        [b'%', rest @ ..] | [b'\\', b'x', rest @ ..] => is_hex(rest, 2),
        [b'\\', b'u' | b'U', rest @ ..] => is_hex(rest, 4) || rest.starts_with(b"{"),
        _ => false,
    };
    memchr::memchr2_iter(b'%', b'\\', text.as_bytes()).any(is_escape)
}

/// Folders whose next segment is somebody's.
fn has_home(text: &str) -> bool {
    let lower = text.to_lowercase().replace('/', "\\");
    [
        "\\users",
        "\\utenti",
        "\\benutzer",
        "\\utilisateurs",
        "\\usuarios",
        "\\documents and settings",
        "\\home",
        "onedrive",
        "\\\\",
        "%userprofile",
        "%homepath",
    ]
    .iter()
    .any(|home| lower.contains(home))
}

/// Longest word of a list with its blanks; what is longer is none of its words.
const LONGEST_WORD: usize = 64;

/// Asks about a text in lower case, without an allocation unless it is beyond ASCII.
fn lower<R>(text: &str, ask: impl FnOnce(&str) -> R) -> R {
    let mut buffer = [0; LONGEST_WORD];
    let Some(slot) = buffer.get_mut(..text.len()).filter(|_| text.is_ascii()) else { return ask(&text.to_lowercase()) };
    slot.copy_from_slice(text.as_bytes());
    slot.make_ascii_lowercase();
    ask(std::str::from_utf8(slot).unwrap_or_default())
}

/// The accounts that Windows itself has, and those of services.
#[must_use]
pub fn is_service_account(text: &str) -> bool {
    lower(text, is_lower_service_account)
}

fn is_lower_service_account(lower: &str) -> bool {
    let (domain, account) = lower.rsplit_once('\\').unwrap_or(("", lower));
    let builtin = ["localsystem", "localservice", "networkservice", "system", "local system", "local service", "network service"];
    let authorities = [
        "nt authority",
        "autorite nt",
        "autorité nt",
        "nt-autorität",
        "nt-autoritat",
        "nt service",
        "nt dienst",
        "iis apppool",
        "builtin",
        "window manager",
        "font driver host",
        "autorità nt",
    ];
    (authorities.contains(&domain) && is_name(account) && account.len() <= 64)
        || (domain.is_empty() || domain == ".") && builtin.contains(&account)
}

/// `KB` and six or seven digits.
#[must_use]
pub fn is_hotfix(text: &str) -> bool {
    let digits = text.strip_prefix("KB").or_else(|| text.strip_prefix("kb")).unwrap_or_default();
    (6..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A language tag (RFC 5646, two or three subtags) or the name of a language with its country.
#[must_use]
pub fn is_language(text: &str) -> bool {
    let is_letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_subtag = |part: &str| match part.len() {
        2..=8 if is_letters(part) => true,
        3 => part.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    let is_tag = text.split(['-', '_']).all(is_subtag) && text.split(['-', '_']).count() <= 3;
    let first = text.split(['-', '_']).next().unwrap_or_default();
    let is_hex = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = text.split([' ', '(']).next().unwrap_or_default().to_lowercase();
    (is_tag && (2..=3).contains(&first.len()))
        || is_hex
        || (LANGUAGES.contains(&name.as_str()) && text.len() <= 48 && !text.contains('@') && longest_run(text) == 0)
}

/// Yes and no.
#[must_use]
pub fn is_switch(text: &str) -> bool {
    lower(text, |lower| SWITCHES.contains(&lower))
}

/// States, start types and modes of Windows services, databases and the suite, in the languages they are shown in.
#[must_use]
pub fn is_state(text: &str) -> bool {
    is_switch(text) || is_listed_state(text)
}

/// Whether the letters and digits of a text are a state.
fn is_listed_state(text: &str) -> bool {
    if !text.is_ascii() {
        let lower: String = text.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
        return STATES.contains(&lower.as_str());
    }
    let mut buffer = [0; LONGEST_WORD];
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    let mut slots = buffer.iter_mut();
    let mut count = 0;
    for letter in letters {
        let Some(slot) = slots.next() else { return false };
        *slot = letter.to_ascii_lowercase();
        count += 1;
    }
    let word = buffer.get(..count).unwrap_or_default();
    STATES.iter().any(|state| state.as_bytes() == word)
}

/// What stands where there is no value.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    ["n/a", "na", "none", "null", "unknown", "-", "--", "not available", "non disponibile"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

/// What may stand under a key that nobody documents: values that say nothing about a person by their form alone.
#[must_use]
pub fn is_inert(text: &str) -> bool {
    is_missing(text)
        || is_state(text)
        || is_hotfix(text)
        || is_guid(text)
        || is_digest(text)
        || is_evident_time(text)
        || (is_version(text) && text.parse::<IpAddr>().is_err() && digits_in_groups(text) < 9 && text.contains('.'))
        || (text.len() <= SHORT_RUN && text.bytes().all(|byte| byte.is_ascii_digit()))
        || (text.contains('\\') && is_service_account(text))
        || is_windows_path(text) && is_system_path(text)
        || (is_quantity(text) && longest_run(text) <= SHORT_RUN)
        || (text.len() <= 3 && text.chars().all(|letter| !letter.is_alphanumeric()))
}

/// What may stand there, too, once no detector found anything in it: long versions, paths of the system.
#[must_use]
pub fn is_like_inert(text: &str) -> bool {
    (is_version(text) && text.contains('.') && text.parse::<IpAddr>().is_err()) || (is_windows_path(text) && is_like_a_path(text))
}

/// A number under a key that nobody documents: too short for a telephone number or an identifier of a person.
#[must_use]
pub fn is_inert_number(raw: &str) -> bool {
    decimal_below(raw, 999_999) || is_near_epoch(raw)
}

/// A GUID (RFC 9562) that is not of version 1, whose last part is a hardware address.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    let text = text.trim_matches(['{', '}', '(', ')']);
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        && text.as_bytes().get(14) != Some(&b'1')
}

/// A digest in hexadecimal.
fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !is_hexadecimal_text(text)
}

/// Whether hexadecimal digits are those of text, in one or two bytes a letter: by chance, one digest in a million is.
fn is_hexadecimal_text(text: &str) -> bool {
    let is_letter = |pair: &[u8]| matches!(pair, [b'2'..=b'7', _] | b"00" | b"09" | b"0a" | b"0A" | b"0d" | b"0D");
    text.as_bytes().chunks(2).all(is_letter)
}

/// Below the folders that Windows itself has.
fn is_windows_path(text: &str) -> bool {
    let roots = [
        "%systemroot%",
        "%programfiles",
        "%windir%",
        "\\systemroot",
        "c:\\windows",
        "c:\\program files",
        "c:\\progra~",
        "c:\\programdata",
        "c:\\inetpub",
    ];
    let starts = |root: &&str| text.get(..root.len()).is_some_and(|start| start.eq_ignore_ascii_case(root));
    roots.iter().any(starts)
}

/// An amount with its unit, or without.
#[must_use]
pub fn is_quantity(text: &str) -> bool {
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return false;
    }
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ');
    let unit = text.get(digits.len()..).unwrap_or_default().trim().to_lowercase();
    let is_unit = [
        "", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib", "byte", "bytes", "day", "days", "giorni", "tage", "jours", "días",
        "hour", "hours", "week", "weeks", "month", "months", "d", "h",
    ]
    .contains(&unit.as_str());
    let is_amount = if digits.contains(',') { decimal_below(&digits.replace(',', "."), 1 << 40) } else { decimal_below(digits, 1 << 40) };
    is_unit && (is_amount || whole(digits).is_some_and(|bytes| bytes <= 1 << 46))
}

/// A licence token or product code.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() <= 4_096 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=+/.".contains(&byte)) && !looks_hexadecimal(text)
}

/// A host name without a domain of persons: letters, digits and hyphens in labels.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.parse::<IpAddr>().is_err()
        && text.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
        && longest_run(text) <= SHORT_RUN
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// An address in one of the declared networks, or one that names nobody: loopback, unspecified, a mask.
#[must_use]
pub fn is_declared(text: &str, networks: &[(IpAddr, u8)]) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    let address = address.split('%').next().unwrap_or_default();
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let address = address.to_canonical();
    let is_nobody = address.is_loopback() || address.is_unspecified() || is_mask(address);
    is_nobody || networks.iter().any(|(network, prefix)| contains(*network, *prefix, address))
}

/// `255.255.255.0` and the like.
fn is_mask(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 255 && address.to_bits().leading_ones() + address.to_bits().trailing_zeros() >= 32,
        IpAddr::V6(_) => false,
    }
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network.to_canonical(), address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
