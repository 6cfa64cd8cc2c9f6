//! Runs of the characters of base64, base32 and hex.

use super::search::Search;
use super::{Finder, OPAQUE, Unreadable, Via, short};
use crate::inspect::engine::digits::{Alphabet, BASE64, HEX, LOWER32, UPPER32};
use std::borrow::Cow;

/// Shortest run.
pub(super) const SHORTEST: usize = 16;
/// Shortest run of decimal digits that is decoded to any text: shorter ones are numbers.
const SHORTEST_DECIMAL: usize = 40;
/// Shortest run of decimal digits that is decoded to letters and digits: of random ones of so many digits, three of 100,000 are.
const SHORTEST_CODE: usize = 28;
/// Shortest line of an encoded text of several lines that is opaque: lists of words have shorter ones.
const SHORTEST_LINE: usize = 32;
/// Bytes of a part that are decoded to see whether the rest is worth it.
const HEAD: usize = 48;
/// Bytes that are decoded to see whether those are worth it.
const FIRST: usize = 6;
/// Shortest run that is tried as deflate, which has no mark of its own. Digests in hexadecimal digits are longer.
const SHORTEST_DEFLATED: usize = 48;

/// A run: a piece of text with nothing but digits and single line breaks.
struct Run<'t> {
    digits: Cow<'t, [u8]>,
    /// Its length as it stands.
    len: usize,
    lines: Lines,
    is_hex: bool,
    /// Whether a sign is among them.
    has_sign: bool,
}

/// The lines of a run, as far as they tell a value from a list of words.
#[derive(Default)]
struct Lines {
    count: usize,
    last: usize,
    longest: usize,
    /// Length of the lines between the first and the last.
    inner: Option<usize>,
    is_uneven: bool,
}

/// Finds all runs; those of several lines only if there is a line break at all.
pub(super) fn find(text: &[u8], has_lines: bool, finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    if has_lines { find_in_lines(text, finder) } else { find_in_line(text, finder) }
}

fn find_in_line(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    let mut search = Search::new(text, short::SHORTEST);
    while let Some(start) = search.start(|byte| BASE64.has(byte)) {
        let from = text.get(start..).unwrap_or_default();
        let (len, is_hex, has_sign) = line(from);
        let digits = from.get(..len).unwrap_or_default();
        search.resume(start + len);
        finder.budget.count(search.looks() + len);
        if len < SHORTEST {
            short::look(digits, from.get(len) == Some(&b'='), finder)?;
            continue;
        }
        let mut lines = Lines::default();
        lines.add(len);
        judge(&Run { digits: Cow::Borrowed(digits), len, lines, is_hex, has_sign }, finder)?;
    }
    finder.budget.count(search.looks());
    Ok(())
}

fn find_in_lines(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let mut rest = text;
    while let Some(start) = rest.iter().position(|&byte| BASE64.has(byte)) {
        let from = rest.get(start..).unwrap_or_default();
        let run = run(from);
        rest = from.get(run.len..).unwrap_or_default();
        if run.digits.len() >= SHORTEST {
            judge(&run, finder)?;
        } else {
            short::look(&run.digits, rest.first() == Some(&b'='), finder)?;
        }
    }
    Ok(())
}

/// The run at the start, with single line breaks inside.
fn run(text: &[u8]) -> Run<'_> {
    let (len, is_hex, has_sign) = line(text);
    let digits = Cow::Borrowed(text.get(..len).unwrap_or_default());
    let mut run = Run { digits, len, lines: Lines::default(), is_hex, has_sign };
    run.lines.add(len);
    loop {
        let behind = text.get(run.len..).unwrap_or_default();
        let gap = gap_len(behind);
        let next = behind.get(gap..).unwrap_or_default();
        if gap == 0 || !next.first().is_some_and(|&byte| BASE64.has(byte)) {
            return run;
        }
        run.len += gap;
        run.add(next);
    }
}

/// Length of the digits at the start, whether they are all hexadecimal, and whether a sign is among them.
fn line(text: &[u8]) -> (usize, bool, bool) {
    let (mut is_hex, mut has_sign) = (true, false);
    let mut look = |byte: &u8| {
        is_hex &= HEX.has(*byte);
        has_sign |= !byte.is_ascii_alphanumeric();
    };
    let digits = text.iter().take_while(|byte| BASE64.has(**byte)).inspect(|byte| look(byte)).count();
    (digits, is_hex, has_sign)
}

/// Length of a line break with the indentation of the next line.
fn gap_len(text: &[u8]) -> usize {
    let line = match text {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return 0,
    };
    let rest = text.get(line..).unwrap_or_default();
    line + rest.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count()
}

impl Run<'_> {
    /// Takes one more line.
    fn add(&mut self, text: &[u8]) {
        let (len, is_hex, has_sign) = line(text);
        self.digits.to_mut().extend_from_slice(text.get(..len).unwrap_or_default());
        self.is_hex &= is_hex;
        self.has_sign |= has_sign;
        self.len += len;
        self.lines.add(len);
    }
}

impl Lines {
    fn add(&mut self, len: usize) {
        if self.count >= 2 {
            self.is_uneven |= self.inner.is_some_and(|inner| inner != self.last);
            self.inner = Some(self.last);
        }
        self.count += 1;
        self.last = len;
        self.longest = self.longest.max(len);
    }

    /// Whether this is one encoded value and no list of words: a long line, or lines of one length but for the first and the last.
    fn is_block(&self) -> bool {
        self.longest >= OPAQUE || self.inner.is_none_or(|inner| inner >= SHORTEST_LINE && !self.is_uneven)
    }
}

fn judge(run: &Run<'_>, finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    let digits = &*run.digits;
    // What is longer is opaque, whatever is in it.
    if run.has_sign && digits.len() < OPAQUE {
        short_segments(digits, finder)?;
    }
    // By chance no base64 of text has nothing but hexadecimal digits.
    let (via, covered) = if run.is_hex { (Via::Hex, hex_part(digits, finder)?) } else { (Via::Base64, mixed(digits, finder)?) };
    let shortest = if run.is_hex { OPAQUE } else { SHORTEST_DEFLATED };
    let is_unknown = digits.len() >= shortest && covered * 2 < digits.len() && run.lines.is_block();
    if is_unknown && deflated(if run.is_hex { HEX } else { BASE64 }, via, digits, finder)? {
        return Ok(());
    }
    let is_opaque = digits.len().saturating_sub(covered) >= OPAQUE && run.lines.is_block();
    if is_opaque { finder.opaque(via, run.len) } else { Ok(()) }
}

/// What may be deflate: it has no mark of its own. Tells whether it was.
fn deflated(alphabet: Alphabet, via: Via, digits: &[u8], finder: &mut Finder<'_, '_>) -> Result<bool, Unreadable> {
    let mut head = [0; HEAD];
    let len = alphabet.decode_head(digits, &mut head);
    finder.budget.count(len);
    if !finder.may_be_deflate(head.get(..len).unwrap_or_default()) {
        return Ok(false);
    }
    finder.budget.count(digits.len());
    finder.deflated(via, &alphabet.decode(digits))
}

/// Base64, or smaller alphabets between other characters. Returns how many characters are in what was found.
pub(super) fn mixed(digits: &[u8], finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    if whole(BASE64, Via::Base64, digits, finder)? {
        return Ok(digits.len());
    }
    let covered = parts(digits, finder)?;
    if covered >= digits.len() {
        return Ok(covered);
    }
    Ok(covered + within(BASE64, Via::Base64, digits, 4, finder)?)
}

/// Looks at what stands between the signs of base64 if it is too short to be a run: what is in front of it may be a folder, or a name.
fn short_segments(digits: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(digits.len());
    let segments = digits.split(|byte| !byte.is_ascii_alphanumeric());
    // By chance no base64 of text has nothing but hexadecimal digits; GUIDs have.
    let is_hex = |segment: &[u8]| segment.iter().all(|byte| HEX.has(*byte));
    for segment in segments.filter(|segment| segment.len() < digits.len().min(SHORTEST) && !is_hex(segment)) {
        short::look(segment, false, finder)?;
    }
    Ok(())
}

/// Looks at what is of a smaller alphabet. Returns how many characters are in what was found.
fn parts(digits: &[u8], finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    let mut covered = 0;
    for alphabet in [HEX, UPPER32, LOWER32] {
        let mut search = Search::new(digits, SHORTEST);
        while let Some(range) = search.stretch(|byte| alphabet.has(byte)) {
            let part = digits.get(range).unwrap_or_default();
            let is_hex = alphabet.bits() == HEX.bits();
            covered += if is_hex { hex_part(part, finder)? } else { part_at(alphabet, Via::Base32, part, 1, finder)? };
        }
        finder.budget.count(search.looks());
    }
    Ok(covered)
}

/// Numbers are hexadecimal too, and often happen to be letters: they count only if they are the digits of a number again.
fn hex_part(part: &[u8], finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    let is_number = part.len() < SHORTEST_DECIMAL && part.iter().all(u8::is_ascii_digit);
    if !is_number {
        return part_at(HEX, Via::Hex, part, 2, finder);
    }
    let bytes = HEX.decode(part);
    finder.budget.count(part.len());
    let is_code = part.len() >= SHORTEST_CODE && bytes.iter().all(u8::is_ascii_alphanumeric);
    let is_dialled = bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'+' | b'-' | b'.' | b'/' | b':' | b'(' | b')'));
    let found = (is_dialled || is_code) && finder.decoded(Via::Hex, &bytes)?;
    Ok(if found { part.len() } else { 0 })
}

/// A part as a whole or, if that is nothing, the text in it. Returns how many characters are in what was found.
fn part_at(alphabet: Alphabet, via: Via, part: &[u8], shifts: usize, finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    if whole(alphabet, via, part, finder)? { Ok(part.len()) } else { within(alphabet, via, part, shifts, finder) }
}

/// Decodes a part if it begins like text or like known data. Tells whether it was one of them.
fn whole(alphabet: Alphabet, via: Via, part: &[u8], finder: &mut Finder<'_, '_>) -> Result<bool, Unreadable> {
    let mut first = [0; FIRST];
    let first_len = alphabet.decode_head(part, &mut first);
    finder.budget.count(FIRST);
    if !finder.may_begin(first.get(..first_len).unwrap_or_default()) {
        return Ok(false);
    }
    let mut head = [0; HEAD];
    let head_len = alphabet.decode_head(part, &mut head);
    let head = head.get(..head_len).unwrap_or_default();
    let len = alphabet.decoded_len(part.len());
    finder.budget.count(head.len());
    if len <= HEAD { finder.decoded(via, head) } else { Ok(finder.promises(head, len) && finder.decoded_part(alphabet, via, part)?) }
}

/// Looks for text anywhere in a part, beginning with each of the first characters: what stands before may be of the same alphabet.
/// Returns how many characters are in what was found.
fn within(alphabet: Alphabet, via: Via, part: &[u8], shifts: usize, finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    let mut covered = 0;
    for shift in 0..shifts {
        let skipped = shift * alphabet.bits();
        let len = alphabet.decoded_len(part.len().saturating_sub(shift));
        covered += finder.stretches(via, len, |at| alphabet.byte_at(part, skipped + at * 8))?;
    }
    Ok((covered * 8).div_ceil(alphabet.bits()))
}
