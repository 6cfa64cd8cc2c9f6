//! Names of products, processes, services, vendors and devices.

use super::{MAX_NAME, SHORT_RUN, digits_in_groups, is_spread, longest_run};
use crate::inspect::engine::canonical::fold::{bare, fold};
use std::net::IpAddr;

/// Longest text that may be a name once it was looked at.
const MAX_TEXT: usize = 256;
/// Longest version as SQL Server states it, in letters.
const MAX_BANNER: usize = 512;
/// Shortest run that could be a code.
const SHORTEST_CODE: usize = 9;
/// Shortest run that could be a number or an account encoded.
const SHORTEST_ENCODED: usize = 12;
/// Shortest run that could be something encoded.
const ENCODED: usize = 16;
/// Shortest run of small letters that is no word of a name.
const SHORTEST_SMALL: usize = 24;
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
        && !is_spread(text)
        && !lists_codes(text)
        && !leads_to_somebody(text)
        && (text.is_ascii() || !leads_to_somebody(&bare(&fold(text))))
}

/// What only a detector tells from a code of somebody. Letters with marks, or of other scripts, are read as what they look like, too.
fn leads_to_somebody(text: &str) -> bool {
    super::looks_hexadecimal(text) || may_hide(text) || super::may_lead_to_somebody(text.as_bytes())
}

/// Whether a text is longer than any name.
#[must_use]
pub const fn is_long(text: &str) -> bool {
    text.len() > MAX_TEXT
}

/// What `SELECT @@VERSION` of SQL Server says: edition, version, day it was made and the Windows it runs on, in four lines.
#[must_use]
pub fn is_banner(text: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    text.starts_with("Microsoft SQL ") && text.len() <= MAX_BANNER && text.bytes().all(is_letter) && !tokens(text).any(is_opaque)
}

/// A text that may be a name, once no detector found anything in it.
#[must_use]
pub fn is_like_a_name(text: &str) -> bool {
    text.len() <= MAX_TEXT && is_like_words(text)
}

/// A text of any length in which nothing is opaque, once no detector found anything in it. A GUID in braces is not: `isatap.{…}`.
#[must_use]
pub fn is_like_words(text: &str) -> bool {
    let behind = |text: &str| text.find('}').filter(|end| text.get(..=*end).is_some_and(super::is_guid)).map_or(0, |end| end + 1);
    let words = |part: &str| !tokens(part).any(is_opaque);
    let mut rest = text;
    let mut is_plain = !text.chars().any(char::is_control);
    while let Some(start) = rest.find('{') {
        let (head, tail) = rest.split_at(start);
        let end = behind(tail).max(1);
        is_plain &= words(head);
        rest = tail.get(end..).unwrap_or_default();
    }
    is_plain && words(rest)
}

/// Letters of Europe, ASCII digits, and signs that begin nothing.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || " .,_-()[]$&'/#!+*\"®@™©°’–:".contains(letter)
        || (letter.is_alphabetic() && letter < '\u{590}' && !('\u{2b0}'..'\u{370}').contains(&letter))
}

/// Fewest codes of characters that say anything.
const FEWEST_CODES: usize = 8;

/// `109, 97, 114`, `0x6d 0x61 0x72`: the codes of characters.
fn lists_codes(text: &str) -> bool {
    let is_decimal = |token: &str| (2..=3).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = |token: &&str| is_decimal(token) || (3..=4).contains(&token.len()) && token.starts_with("0x");
    text.split(|letter: char| !letter.is_alphanumeric()).filter(is_code).nth(FEWEST_CODES - 1).is_some()
}

/// What begins an address, an account, a path or an encoding.
fn has_no_anchor(text: &str) -> bool {
    let bytes = text.as_bytes();
    let follows = |at: usize, is: fn(&u8) -> bool| bytes.get(at + 1).is_some_and(is);
    let is_anchor = |(at, byte): (usize, &u8)| match byte {
        // `CPU @ 3.00GHz` has its sign between blanks; so has a name its colon behind a word.
        b'@' => bytes.get(at + 1) != Some(&b' ') || at.checked_sub(1).is_none_or(|at| bytes.get(at) != Some(&b' ')),
        b':' => follows(at, |next| *next != b' ') || is_leading(text, at),
        b'+' => follows(at, |next| next.is_ascii_digit() || matches!(next, b'A' | b'-')),
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
pub(super) fn is_address(text: &str) -> bool {
    text.split([' ', '(', ')', ',', '[', ']', '=', '"', '\'']).any(is_quad)
}

fn is_quad(word: &str) -> bool {
    word.len() <= 45 && word.bytes().filter(|byte| *byte == b'.').count() == 3 && word.parse::<IpAddr>().is_ok()
}

/// A quad behind what parts the arguments of a program, or behind an option of one letter: `/s:10.0.0.5`, `-h10.0.0.5`.
pub(super) fn has_address(text: &str) -> bool {
    is_address(text)
        || text
            .split([' ', '(', ')', ',', '[', ']', '=', '"', '\'', ':', '@', ';', '|'])
            .any(|word| is_quad(word.trim_start_matches(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '-' | '/'))))
}

/// Words without what parts them.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && !"+/=_-".contains(letter)).filter(|token| token.len() >= SHORTEST_CODE)
}

/// What a run is made of.
#[derive(Default)]
struct Makeup {
    /// How often letters change to digits, and capitals to small letters: words seldom do, what is encoded does all the time.
    changes: usize,
    digits: usize,
    smalls: usize,
    /// Bytes that are neither letters nor digits of ASCII.
    others: usize,
    /// Whether a letter beyond ASCII is in it.
    is_wide: bool,
}

impl Makeup {
    /// Looks at each byte once.
    fn of(token: &[u8]) -> Self {
        let mut makeup = Self::default();
        let mut before = 0;
        for byte in token {
            let class = match byte {
                b'a'..=b'z' => 1,
                b'A'..=b'Z' => 2,
                b'0'..=b'9' => 3,
                _ => 0,
            };
            makeup.changes += usize::from(class != before && class != 0 && before != 0);
            makeup.smalls += usize::from(class == 1);
            makeup.digits += usize::from(class == 3);
            makeup.others += usize::from(class == 0);
            makeup.is_wide |= !byte.is_ascii();
            before = class;
        }
        makeup
    }

    /// Without a small letter: base32, or shouting.
    const fn is_capital(&self) -> bool {
        self.smalls == 0 && !self.is_wide
    }

    /// Hardly a small letter: base64 of capitals and digits.
    const fn is_nearly_capital(&self, len: usize) -> bool {
        self.smalls * 4 <= len && !self.is_wide
    }

    /// Nothing but small letters, and digits perhaps, beyond the length of a word: base32.
    const fn is_long_and_small(&self, len: usize) -> bool {
        len >= SHORTEST_SMALL && self.smalls + self.digits == len
    }

    /// A run of such length that may be encoded.
    const fn may_be_encoded(&self, len: usize) -> bool {
        let changes = self.changes * 9 >= len && self.digits > 0;
        len >= SHORTEST_ENCODED && self.changes * 4 >= len
            || len >= ENCODED && (changes || self.is_nearly_capital(len) || self.is_long_and_small(len))
    }
}

/// A run in which something may be hidden: a telephone's name, a code of a person, something encoded.
#[must_use]
pub fn is_code(token: &[u8]) -> bool {
    if token.len() < SHORTEST_CODE {
        return false;
    }
    if is_words(token) && !is_telephone(token) {
        return false;
    }
    let makeup = Makeup::of(token);
    makeup.may_be_encoded(token.len()) || is_coded(token, &makeup) || is_wide_text(token)
}

/// Base64 of ASCII in UTF-16: of eight characters the fifth and the eighth are `A`, since every second byte is zero, and the third is `A`
/// or `B`. It may begin with any of them. Capitals alone have few changes there.
fn is_wide_text(token: &[u8]) -> bool {
    let fits = |start: usize| {
        token.iter().zip(start..).all(|(byte, place)| match place % 8 {
            4 | 7 => *byte == b'A',
            2 => matches!(byte, b'A' | b'B'),
            _ => true,
        })
    };
    token.len() >= ENCODED && (0..8).any(fits)
}

/// Names of telephones begin so.
fn is_telephone(token: &[u8]) -> bool {
    token.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"sep"))
}

/// Longest number behind words.
const SHORT_NUMBER: usize = 4;

/// `ContosoBackupAgent3.exe`: words of three to twelve letters, each with a vowel and a capital in front, and perhaps a short number
/// behind. Of 100,000 random runs of sixteen letters of base64, six look so; none of a million with addresses and numbers of persons.
fn is_words(token: &[u8]) -> bool {
    let digits = token.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(words) = token.len().checked_sub(digits).and_then(|end| token.get(..end)).filter(|_| digits <= SHORT_NUMBER) else {
        return false;
    };
    let (mut letters, mut has_vowel) = (SHORTEST_WORD, true);
    for byte in words {
        if byte.is_ascii_uppercase() {
            if letters < SHORTEST_WORD || !has_vowel {
                return false;
            }
            (letters, has_vowel) = (0, false);
        } else if !byte.is_ascii_lowercase() {
            return false;
        }
        letters += 1;
        if letters > LONGEST_WORD {
            return false;
        }
        has_vowel |= matches!(byte | 0x20, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    }
    letters >= SHORTEST_WORD && has_vowel
}

/// Fewest letters of a word among words that are written as one.
const SHORTEST_WORD: usize = 3;
/// Most letters of one; base32 in small letters would be one long word.
const LONGEST_WORD: usize = 12;

/// A part of a path in which something may be hidden: a telephone's name, a run that may be encoded.
pub(super) fn may_hide(part: &str) -> bool {
    tokens(part).any(|token| is_code(token.as_bytes()))
}

/// A run that is no words.
fn is_opaque(token: &str) -> bool {
    if token.len() < OPAQUE {
        return false;
    }
    let makeup = Makeup::of(token.as_bytes());
    makeup.changes * 5 >= token.len() * 2 || makeup.is_capital() && makeup.digits > 0
}

/// `SEP001B21AABBCC`, `AB123456C`, codes of persons: capitals and digits in one word.
fn is_coded(token: &[u8], makeup: &Makeup) -> bool {
    makeup.others == 0 && makeup.digits >= 6 && makeup.digits < token.len()
        || makeup.digits >= 2 && is_telephone(token)
        || (token.len() == 16 && makeup.digits >= 5)
}
