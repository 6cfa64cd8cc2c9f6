//! Names of products, processes, services, vendors and devices.

use super::{MAX_NAME, SHORT_RUN, digits_in_groups, longest_run};
use std::net::IpAddr;

/// Longest text that may be a name once it was looked at.
const MAX_TEXT: usize = 256;
/// Shortest run that could be something encoded.
const ENCODED: usize = 16;
/// Shortest run that is opaque.
const OPAQUE: usize = 24;

/// The name of a product, process, service, vendor or device that no detector could see anything in: words, short numbers, and
/// the signs of names.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.chars().all(is_plain)
        && longest_run(text) <= SHORT_RUN + 1
        && digits_in_groups(text) < 9
        && has_no_anchor(text)
        && !super::looks_hexadecimal(text)
        && !tokens(text).any(|token| may_be_encoded(token) || is_coded(token))
}

/// A text that may be a name, once no detector found anything in it.
#[must_use]
pub fn is_like_a_name(text: &str) -> bool {
    text.len() <= MAX_TEXT && !text.chars().any(char::is_control) && !tokens(text).any(is_opaque)
}

/// Letters of Europe, ASCII digits, and signs that begin nothing.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || " .,_-()[]$&'/#!+*\"®@™©°’–:".contains(letter)
        || (letter.is_alphabetic() && letter < '\u{590}' && !('\u{2b0}'..'\u{370}').contains(&letter))
}

/// What begins an address, an account, a path or an encoding.
fn has_no_anchor(text: &str) -> bool {
    let bytes = text.as_bytes();
    let follows = |at: usize, is: fn(&u8) -> bool| bytes.get(at + 1).is_some_and(is);
    let is_anchor = |(at, byte): (usize, &u8)| match byte {
        // `CPU @ 3.00GHz` has its sign between blanks; so has a name its colon behind a word.
        b'@' => bytes.get(at + 1) != Some(&b' ') || at.checked_sub(1).is_none_or(|at| bytes.get(at) != Some(&b' ')),
        b':' => follows(at, |next| *next != b' ') || is_leading(text, at),
        b'+' => follows(at, u8::is_ascii_digit),
        b'&' => follows(at, |next| *next == b'#'),
        b'/' => at == 0 || follows(at, |next| *next == b'/') || is_home(bytes, at),
        _ => false,
    };
    !bytes.iter().enumerate().any(is_anchor) && !is_address(text)
}

/// Words whose colon begins something: a password, a card of a person.
fn is_leading(text: &str, colon: usize) -> bool {
    let word = text.get(..colon).unwrap_or_default().trim_end().rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    // Products have few and long ones: `Enterprise Edition: Core-based Licensing`.
    !["edition", "update", "server", "tools", "windows", "studio", "version"].contains(&word.to_ascii_lowercase().as_str())
}

fn is_home(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    ["home", "users"].iter().any(|home| rest.get(..home.len()).is_some_and(|head| head.eq_ignore_ascii_case(home.as_bytes())))
}

/// An address and nothing else, or a quad behind a blank.
fn is_address(text: &str) -> bool {
    let is_quad = |word: &str| word.len() <= 45 && word.bytes().filter(|byte| *byte == b'.').count() == 3 && word.parse::<IpAddr>().is_ok();
    text.split([' ', '(', ')', ',', '[', ']']).any(is_quad)
}

/// Words without what parts them.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && !"+/=_-".contains(letter)).filter(|token| token.len() >= 9)
}

/// How often letters change to digits, and capitals to small letters: words seldom do, what is encoded does all the time.
fn changes(token: &str) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        _ => 0,
    };
    let classes = token.bytes().map(class);
    classes.clone().zip(classes.skip(1)).filter(|(one, next)| one != next && *one != 0 && *next != 0).count()
}

fn has_digit(token: &str) -> bool {
    token.bytes().any(|byte| byte.is_ascii_digit())
}

/// No small letter: base32, or shouting.
fn is_capital(token: &str) -> bool {
    token.is_ascii() && token.len() >= ENCODED && !token.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// A run that may be encoded.
fn may_be_encoded(token: &str) -> bool {
    token.len() >= ENCODED
        && (changes(token) * 9 >= token.len() && has_digit(token) || changes(token) * 4 >= token.len() || is_capital(token))
}

/// A part of a path in which something may be hidden: a telephone's name, a run that may be encoded.
pub(super) fn may_hide(part: &str) -> bool {
    tokens(part).any(|token| may_be_encoded(token) || is_coded(token))
}

/// A run that is no words.
fn is_opaque(token: &str) -> bool {
    token.len() >= OPAQUE && (changes(token) * 5 >= token.len() * 2 || is_capital(token) && has_digit(token))
}

/// `SEP001B21AABBCC`, `AB123456C`, codes of persons: capitals and digits in one word.
fn is_coded(token: &str) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let is_code = token.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_alphabetic());
    is_code && digits >= 6 && digits < token.len()
        || token.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("sep")) && digits >= 2
        || (token.len() == 16 && digits >= 5)
}
