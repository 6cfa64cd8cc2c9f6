//! Percent, HTML and backslash escapes, all of them in one pass: a second pass for each would multiply the work.

use super::{Finder, Unreadable, Via, seven};
use crate::inspect::engine::digits::{hex, hex_pair};

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Unit(u16),
    Character(char),
    Text(String),
    Nothing,
}

#[derive(Default)]
/// The decoded text and the first half of a surrogate pair.
struct Decoded {
    bytes: Vec<u8>,
    high: Option<u16>,
}

/// HTML names of characters that occur in personal data, and of those that hide them.
#[rustfmt::skip]
const NAMES: &[(&[u8], char)] = &[
    (b"amp", '&'), (b"lt", '<'), (b"gt", '>'), (b"quot", '"'), (b"apos", '\''), (b"nbsp", ' '), (b"commat", '@'),
    (b"period", '.'), (b"plus", '+'), (b"hyphen", '-'), (b"dash", '-'), (b"ndash", '-'), (b"mdash", '-'), (b"minus", '-'),
    (b"colon", ':'), (b"semi", ';'), (b"comma", ','), (b"sol", '/'), (b"bsol", '\\'), (b"lowbar", '_'), (b"num", '#'),
    (b"percnt", '%'), (b"equals", '='), (b"excl", '!'), (b"quest", '?'), (b"ast", '*'), (b"lpar", '('), (b"rpar", ')'),
    (b"lbrack", '['), (b"rbrack", ']'), (b"lcub", '{'), (b"rcub", '}'), (b"verbar", '|'), (b"dollar", '$'),
    (b"Tab", '\t'), (b"NewLine", '\n'), (b"ensp", ' '), (b"emsp", ' '), (b"thinsp", ' '), (b"shy", '\u{AD}'),
    (b"zwj", '\u{200D}'), (b"zwnj", '\u{200C}'), (b"ZeroWidthSpace", '\u{200B}'), (b"NoBreak", '\u{2060}'),
    (b"agrave", 'à'), (b"aacute", 'á'), (b"auml", 'ä'), (b"ccedil", 'ç'), (b"egrave", 'è'), (b"eacute", 'é'),
    (b"igrave", 'ì'), (b"iacute", 'í'), (b"ntilde", 'ñ'), (b"ograve", 'ò'), (b"oacute", 'ó'), (b"ouml", 'ö'),
    (b"ugrave", 'ù'), (b"uacute", 'ú'), (b"uuml", 'ü'), (b"szlig", 'ß'),
];
/// Longest of them.
const LONGEST_NAME: usize = 14;
/// Most digits of a number in HTML that are read: it may have leading zeros.
const LONGEST_NUMBER: usize = 16;

/// Decodes a text that has escapes; in a document of JSON every backslash begins one.
pub(super) fn find(text: &[u8], is_json: bool, finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let Some(bytes) = unescape(text, is_json) else { return Ok(()) };
    finder.budget.count(bytes.len());
    finder.text(Via::Escape, &String::from_utf8_lossy(&bytes))
}

/// Takes one layer of percent-encoding (RFC 3986 2.1, and `%u` as some servers read it) off a text; `None` if there is none.
#[must_use]
pub fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    decode(text, |byte| byte == b'%', |from| percent(from.get(1..)?).map(|(escaped, len)| (escaped, len + 1)))
}

/// The text without escapes; `None` if it has none.
fn unescape(text: &[u8], is_json: bool) -> Option<Vec<u8>> {
    let quoted = is_json || is_quoted(text);
    decode(text, |byte| matches!(byte, b'%' | b'&' | b'+') || quoted && byte == b'\\', escape)
}

fn decode(text: &[u8], begins: impl Fn(u8) -> bool, escape: impl Fn(&[u8]) -> Option<(Escaped, usize)>) -> Option<Vec<u8>> {
    let mut decoded = Decoded::default();
    let mut is_changed = false;
    // What is plain up to here is taken over, and where to look on.
    let (mut plain, mut at) = (0, 0);
    while let Some(next) = text.get(at..)?.iter().position(|&byte| begins(byte)).map(|found| at + found) {
        let Some((escaped, len)) = escape(text.get(next..)?) else {
            at = next + 1;
            continue;
        };
        if !is_changed {
            decoded.bytes.reserve_exact(text.len());
            is_changed = true;
        }
        decoded.plain(text.get(plain..next)?);
        decoded.push(&escaped);
        at = next + len;
        plain = at;
    }
    decoded.plain(text.get(plain..)?);
    is_changed.then_some(decoded.bytes)
}

/// The escape at the start, and its length.
fn escape(from: &[u8]) -> Option<(Escaped, usize)> {
    let (escaped, len) = match from {
        [b'%', after @ ..] => percent(after),
        [b'&', after @ ..] => entity(after),
        [b'+', after @ ..] => seven::read(after).map(|(text, len)| (Escaped::Text(text), len)),
        [_, after @ ..] => backslash(after),
        [] => None,
    }?;
    Some((escaped, len + 1))
}

/// Whether backslashes are escapes here. In a Windows path they are not, so one is needed that a path hardly has.
fn is_quoted(text: &[u8]) -> bool {
    let after = |at: usize| text.get(at + 1..).unwrap_or_default();
    let is_one = |at: usize| match after(at) {
        [b'"' | b'/' | b'\n' | b'\r', ..] => true,
        [b'u' | b'x' | b'U', ..] => backslash(after(at)).is_some(),
        // A folder may be called `100`, but hardly two of them.
        from => octal(from).is_some() && from.get(3) == Some(&b'\\') && octal(from.get(4..).unwrap_or_default()).is_some(),
    };
    let mut slashes = memchr::memchr_iter(b'\\', text).peekable();
    let has_one = slashes.peek().is_some();
    // Nor does a path have nothing but such.
    slashes.clone().any(is_one) || has_one && slashes.all(|at| octal(after(at)).is_some())
}

/// Three octal digits of a byte.
fn octal(from: &[u8]) -> Option<u8> {
    let [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', ..] = from else { return None };
    Some((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'))
}

/// Behind a percent sign: two digits, or `u` and four.
fn percent(after: &[u8]) -> Option<(Escaped, usize)> {
    match after {
        [b'u' | b'U', digits @ ..] => Some((unit(digits)?, 5)),
        [high, low, ..] => Some((Escaped::Byte(hex_pair(*high, *low)?), 2)),
        _ => None,
    }
}

/// Behind a backslash.
fn backslash(after: &[u8]) -> Option<(Escaped, usize)> {
    let character = |character| Some((Escaped::Character(character), 1));
    match after {
        [b'u', b'{', digits @ ..] => {
            let (number, len) = number(digits, 16)?;
            digits.get(len).filter(|&&end| end == b'}')?;
            Some((Escaped::Character(number), len + 3))
        }
        [b'u', digits @ ..] => Some((unit(digits)?, 5)),
        [b'x', high, low, ..] => Some((Escaped::Byte(hex_pair(*high, *low)?), 3)),
        [b'U', digits @ ..] => {
            let (number, len) = number(digits.get(..8)?, 16)?;
            (len == 8).then_some((Escaped::Character(number), 9))
        }
        [b'\r', b'\n', ..] => Some((Escaped::Nothing, 2)),
        [b'\n' | b'\r', ..] => Some((Escaped::Nothing, 1)),
        [b'n', ..] => character('\n'),
        [b'r', ..] => character('\r'),
        [b't', ..] => character('\t'),
        [b'b' | b'f', ..] => character(' '),
        [mark @ (b'"' | b'\'' | b'/' | b'\\'), ..] => character(char::from(*mark)),
        [b'0'..=b'3', ..] => Some((Escaped::Byte(octal(after)?), 3)),
        _ => None,
    }
}

/// Four digits of a UTF-16 unit.
fn unit(digits: &[u8]) -> Option<Escaped> {
    let digits: &[u8; 4] = digits.first_chunk()?;
    let number = digits.iter().try_fold(0_u16, |sum, &digit| Some(sum << 4 | u16::from(hex(digit)?)))?;
    Some(Escaped::Unit(number))
}

/// Behind an ampersand. Browsers read a number without its semicolon too.
fn entity(after: &[u8]) -> Option<(Escaped, usize)> {
    let (character, len) = match after {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16).map(|(character, len)| (character, len + 2))?,
        [b'#', digits @ ..] => number(digits, 10).map(|(character, len)| (character, len + 1))?,
        _ => {
            let len = after.iter().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphabetic()).count();
            let name = after.get(..len).filter(|_| after.get(len) == Some(&b';'))?;
            (NAMES.iter().find(|(known, _)| *known == name)?.1, len)
        }
    };
    let closed = after.get(len) == Some(&b';');
    Some((Escaped::Character(character), len + usize::from(closed)))
}

/// A number at the start, as a character, and its length.
fn number(digits: &[u8], radix: u32) -> Option<(char, usize)> {
    let mut number = 0_u32;
    let mut len = 0;
    for digit in digits.iter().take(LONGEST_NUMBER).map_while(|&digit| char::from(digit).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        len += 1;
    }
    let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    (len > 0).then_some((character, len))
}

impl Decoded {
    fn plain(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.high = None;
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn push(&mut self, escaped: &Escaped) {
        match escaped {
            Escaped::Byte(byte) => self.plain(&[*byte]),
            Escaped::Character(character) => self.character(*character),
            Escaped::Unit(unit) => self.unit(*unit),
            Escaped::Text(text) => self.plain(text.as_bytes()),
            Escaped::Nothing => self.high = None,
        }
    }

    fn character(&mut self, character: char) {
        self.plain(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// A lone half of a pair leaves nothing: nothing is hidden in it.
    fn unit(&mut self, unit: u16) {
        let pair = self.high.take().map_or([unit, 0], |high| [high, unit]);
        let decoded = char::decode_utf16(pair).next().and_then(Result::ok);
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
        } else if let Some(character) = decoded.or_else(|| char::from_u32(unit.into())) {
            self.character(character);
        }
    }
}
