//! Grammars that prove a value harmless. Each looks at the whole value, once.

mod address;
mod command;
mod digest;
mod hardware;
mod lead;
mod name;
mod number;
mod rate;
mod sid;
mod time;

use super::lists::{DATABASE_STATES, LANGUAGES, STATES, SWITCHES};
use super::products::{is_product, is_tag};
use super::terms;
use crate::inspect::engine::canonical::fold::{bare, fold};
use crate::inspect::engine::canonical::nested::is_grouped;
use crate::inspect::engine::canonical::spacing::may_be_drawn_out;
use crate::inspect::engine::detect::identity::{authority, begins_at_root};
pub use address::{is_declared, is_host_name, is_no_address, is_no_card};
pub use command::names_an_account;
pub use lead::{has_extension, has_number, is_extension, may_lead_to_somebody};
pub use name::{is_banner, is_code, is_like_a_name, is_like_words, is_long, is_name};
pub use number::{amount, decimal_below, is_inert_number, is_long_number, is_quantity, whole, whole_in_any_form};
pub use rate::without_unit;
pub use sid::is_system_sid;
use std::net::IpAddr;
pub use time::{is_day_number, is_epoch, is_evident_time, is_near_epoch, is_span, is_time};

/// Longest run of digits that is no telephone number, card or identifier of a person.
const SHORT_RUN: usize = 6;
/// Longest name of a product, process or device.
const MAX_NAME: usize = 128;
/// Longest path.
const MAX_PATH: usize = 1_024;
/// Longest token of a licence.
const MAX_TOKEN: usize = 4_096;

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
        } else if !" -/.()_–\u{a0}".contains(letter) {
            current = 0;
        }
    }
    longest
}

/// Groups of two or four hexadecimal digits, as hardware addresses have.
fn looks_hexadecimal(text: &str) -> bool {
    if text.is_ascii() {
        return has_groups(text.bytes().map(|byte| (byte.is_ascii_alphanumeric(), byte.is_ascii_hexdigit())), text.as_bytes());
    }
    has_groups(text.chars().map(|letter| (letter.is_alphanumeric(), letter.is_ascii_hexdigit())), text.as_bytes())
}

/// Of each letter whether it belongs to a group, and whether it is a hexadecimal digit.
fn has_groups(letters: impl Iterator<Item = (bool, bool)>, text: &[u8]) -> bool {
    let (mut pairs, mut quads, mut length, mut digits) = (0, 0, 0, 0);
    for (belongs, is_digit) in letters.chain([(false, false)]) {
        if belongs {
            (length, digits) = (length + 1, digits + usize::from(is_digit));
            continue;
        }
        pairs += usize::from(length == 2 && digits == 2);
        quads += usize::from(length == 4 && digits == 4);
        (length, digits) = (0, 0);
    }
    pairs >= 6 || (quads >= 3 && text.contains(&b'.'))
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
        && !is_fours(numbers)
        && !(looks_hexadecimal(text) && is_card(text))
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

/// `4111.1111.1111.1111`: the number of a card.
fn is_fours(numbers: &str) -> bool {
    numbers.len() == 19 && numbers.split('.').all(|part| part.len() == 4)
}

/// Of groups of hexadecimal digits, whether they are those of a network card and not numbers: `0050.5c37.6cd8`.
fn is_card(text: &str) -> bool {
    text.starts_with('0') || text.bytes().any(|byte| byte.is_ascii_alphabetic())
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
        && begins_at_root(text.as_bytes())
        && !has_escape(text.as_bytes())
        && !is_spread(text)
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || is_sign(letter) || (letter.is_alphabetic() && letter < '\u{590}'))
        && digits_in_groups(text) < 8
        && !text.contains("://")
        && !has_code(text)
        && (text.is_ascii() || !has_code(&bare(&fold(text))))
        && !names_an_account(text.as_bytes())
        && !name::has_address(text)
        && !has_number(text.as_bytes())
        && !has_colons(text.as_bytes())
        && !has_home(text)
}

/// Whether something may be spread over a text: letter by letter, or in groups of one length.
fn is_spread(text: &str) -> bool {
    may_be_drawn_out(text) || is_grouped(text.as_bytes())
}

/// Whether a part of a path may be a code, or has groups as hardware addresses do.
fn has_code(text: &str) -> bool {
    text.split(['\\', '/', '"', ' ', '=']).any(name::may_hide) || looks_hexadecimal(text)
}

/// Several colons, as addresses have. Those of drives are none of theirs: `"C:\x.exe" --config "D:\x.xml"`.
#[must_use]
pub fn has_colons(text: &[u8]) -> bool {
    let mut colons = memchr::memchr_iter(b':', text);
    colons.clone().nth(1).is_some() && !colons.all(|at| is_of_a_drive(text, at))
}

/// Whether a colon stands behind one letter and in front of a backslash.
fn is_of_a_drive(text: &[u8], colon: usize) -> bool {
    let (before, behind) = (text.get(..colon).unwrap_or_default(), text.get(colon + 1));
    let is_letter = matches!(before, [.., front, b'a'..=b'z' | b'A'..=b'Z'] if !front.is_ascii_alphanumeric()) || before.len() == 1;
    is_letter && behind == Some(&b'\\')
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
pub(super) fn has_escape(text: &[u8]) -> bool {
    let is_hex = |digits: &[u8], length: usize| digits.get(..length).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let is_escape = |at: usize| match text.get(at..).unwrap_or_default() {
        [b'%' | b'\\', b'u' | b'U', rest @ ..] => is_hex(rest, 4) || rest.starts_with(b"{"),
        [b'%', rest @ ..] | [b'\\', b'x', rest @ ..] => is_hex(rest, 2),
        // How every sign of ASCII begins in UTF-7; two octal ones, since one may be a folder.
        [b'+', b'A' | b'-', ..] | [b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', ..] => true,
        _ => false,
    };
    memchr::memchr3_iter(b'%', b'\\', b'+', text).any(is_escape)
}

/// Beginnings of folders whose next segment is somebody's; the detector knows the whole names.
const HOMES: &[&str] = &["use", "ute", "ben", "uti", "usu", "doc", "dok", "hom", "prof", "perf", "geb", "bru", "anv", "uzy", "u\u{17c}y"];

/// Whether a folder begins as those do in which persons have theirs, or a share or a variable of a person is named.
fn has_home(text: &str) -> bool {
    let plain = if text.is_ascii() { text.to_ascii_lowercase() } else { bare(&fold(text)).to_lowercase() };
    let begins = |(at, _): (usize, &str)| {
        let next = plain.get(at + 1..).unwrap_or_default();
        next.starts_with(['\\', '/']) || HOMES.iter().any(|home| next.starts_with(home))
    };
    plain.match_indices(['\\', '/']).any(begins) || ["onedrive", "%userprofile", "%homepath"].iter().any(|home| plain.contains(home))
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
    match authority::of(domain) {
        // Hyper-V has an account for each machine, by its GUID.
        Some(authority) => authority.has(account) && (is_name(account) && account.len() <= 64 || is_guid(account)),
        None => (domain.is_empty() || domain == ".") && builtin.contains(&account),
    }
}

/// Longest name of an account with its domain (a DNS name and 64 letters).
const MAX_ACCOUNT: usize = 256;

/// The name of an account of whomever: a domain, a name, nothing that could be a number of somebody.
#[must_use]
pub fn is_account(text: &str) -> bool {
    let is_sid = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("S-1-"));
    text.len() <= MAX_ACCOUNT
        && text.chars().any(char::is_alphabetic)
        && text.chars().all(|letter| letter.is_alphanumeric() || " ._-$\\/@&'(){},=".contains(letter))
        && (is_sid || digits_in_groups(text) < 9)
}

/// `KB` and six or seven digits.
#[must_use]
pub fn is_hotfix(text: &str) -> bool {
    let digits = text.strip_prefix("KB").or_else(|| text.strip_prefix("kb")).unwrap_or_default();
    is_article(digits)
}

/// The number of an article.
fn is_article(digits: &str) -> bool {
    (6..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name with the number of an article in it: `KB5022286 (Security Update)`, `Package_for_KB5031364~31bf3856ad364e35~amd64~~10.0.1.5`,
/// or the word for what it is.
#[must_use]
pub fn is_like_a_hotfix(text: &str) -> bool {
    let is_named = |(at, _): (usize, &str)| {
        let rest = text.get(at + 2..).unwrap_or_default();
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end).is_some_and(is_article)
    };
    let is_package = ["package_for_", "servicing stack "]
        .iter()
        .any(|head| text.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head)));
    let words = ["security update", "update", "hotfix", "service pack", "feature update", "cumulative update"];
    let is_one = text.match_indices("KB").chain(text.match_indices("kb")).any(is_named);
    ((is_one || is_package) && is_like_a_name(text)) || words.iter().any(|word| word.eq_ignore_ascii_case(text))
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
    // POSIX puts the charset behind.
    let text = text.split_once('.').filter(|(_, charset)| is_charset(charset)).map_or(text, |(tag, _)| tag);
    let is_tag = text.split(['-', '_']).all(is_subtag) && text.split(['-', '_']).count() <= 3;
    let first = text.split(['-', '_']).next().unwrap_or_default();
    let is_hex = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = text.split([' ', '(']).next().unwrap_or_default().to_lowercase();
    (is_tag && (2..=3).contains(&first.len()))
        || is_hex
        || (LANGUAGES.contains(&name.as_str()) && text.len() <= 48 && !text.contains('@') && longest_run(text) == 0)
}

/// A charset as POSIX names them in a locale.
fn is_charset(text: &str) -> bool {
    ["utf-8", "utf8", "iso-8859-1", "iso8859-1", "iso-8859-15", "iso8859-15", "cp1252"].iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// Whether a sorted list has a word.
fn is_in(sorted: &[&str], word: &str) -> bool {
    sorted.binary_search(&word).is_ok()
}

/// Yes and no.
#[must_use]
pub fn is_switch(text: &str) -> bool {
    lower(text, |lower| is_in(SWITCHES, lower))
}

/// States, start types and modes of Windows services, databases and the suite, in the languages they are shown in.
#[must_use]
pub fn is_state(text: &str) -> bool {
    // Signs between letters say nothing, but these.
    if text.contains(['@', '\\', ':', '=']) {
        return false;
    }
    is_switch(text) || is_listed_state(text) || terms::is_worded(text)
}

/// Whether the letters and digits of a text are a state.
fn is_listed_state(text: &str) -> bool {
    if !text.is_ascii() {
        let lower: String = text.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
        return is_in(STATES, &lower) || is_in(DATABASE_STATES, &lower);
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
    let word = std::str::from_utf8(word).unwrap_or_default();
    is_in(STATES, word) || is_in(DATABASE_STATES, word)
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
        || digest::is_digest(text)
        || is_system_sid(text)
        || hardware::is_part(text)
        || is_evident_time(text)
        || (is_version(text) && text.parse::<IpAddr>().is_err() && digits_in_groups(text) < 9 && text.contains('.'))
        || (text.len() <= SHORT_RUN && text.bytes().all(|byte| byte.is_ascii_digit()))
        || is_service_account(text)
        || is_windows_path(text) && is_system_path(text)
        || (is_quantity(text) && longest_run(text) <= SHORT_RUN && digits_in_groups(text) < 9)
        || (text.len() <= 3 && text.chars().all(|letter| !letter.is_alphanumeric()))
}

/// What may stand there, too, once no detector found anything in it: long versions, paths of the system, names of products.
#[must_use]
pub fn is_like_inert(text: &str) -> bool {
    (is_version(text) && text.contains('.') && text.parse::<IpAddr>().is_err())
        || (is_windows_path(text) && is_like_a_path(text))
        || is_product(text)
        || is_tag(text)
        || hardware::is_like_a_part(text)
}

/// `Mobile Intel(R) HM76 Express Chipset`: words of products, and one of letters and a short number.
#[must_use]
pub fn is_chipset(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_word = |word: &str| is_product(word) || word.bytes().filter(u8::is_ascii_digit).count() == 2 && word.len() <= 4;
    let mut words = text.split([' ', '(', ')']).filter(|word| !word.is_empty());
    digits <= 2 && text.split(' ').count() >= 3 && words.all(is_word)
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

/// A licence token or product code.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.len() <= MAX_TOKEN
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=+/.".contains(&byte))
        && !looks_hexadecimal(text)
}

#[cfg(test)]
mod tests;
