//! Runs of the characters of base64, base32 and hex.

use super::{Finder, OPAQUE, Unreadable, Via};
use std::borrow::Cow;

/// Shortest run.
pub(super) const SHORTEST: usize = 16;
/// Shortest run of decimal digits that is decoded to any text: shorter ones are numbers.
const SHORTEST_DECIMAL: usize = 40;
/// Shortest line of an encoded text of several lines that is opaque: lists of words have shorter ones.
const SHORTEST_LINE: usize = 32;

/// An alphabet of which each character stands for a number of bits.
#[derive(Clone, Copy)]
struct Alphabet {
    via: Via,
    bits: u32,
    /// Of each byte; [`NONE`] if it is not in the alphabet.
    values: &'static [u8; 256],
}

/// No value.
const NONE: u8 = 0xff;

static BASE64_VALUES: [u8; 256] = values([(b'A', 26), (b'a', 26), (b'0', 10), (b'+', 1), (b'/', 1)], [(b'-', 62), (b'_', 63)]);
static UPPER32_VALUES: [u8; 256] = values([(b'A', 26), (b'2', 6)], []);
static LOWER32_VALUES: [u8; 256] = values([(b'a', 26), (b'2', 6)], []);
static HEX_VALUES: [u8; 256] = values([(b'0', 10), (b'a', 6)], [(b'A', 10), (b'B', 11), (b'C', 12), (b'D', 13), (b'E', 14), (b'F', 15)]);

/// Values of an alphabet: of ranges (first, count) in their order, and of single characters.
const fn values<const R: usize, const S: usize>(ranges: [(u8, u8); R], singles: [(u8, u8); S]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut rest = values.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((value, more)) = rest.split_first_mut() {
        *value = value_of(byte, &ranges, &singles);
        byte = byte.wrapping_add(1);
        rest = more;
    }
    values
}

const fn value_of(byte: u8, mut ranges: &[(u8, u8)], mut singles: &[(u8, u8)]) -> u8 {
    let mut base = 0;
    while let Some((&(first, count), more)) = ranges.split_first() {
        if byte >= first && byte - first < count {
            return base + byte - first;
        }
        base += count;
        ranges = more;
    }
    while let Some((&(single, value), more)) = singles.split_first() {
        if byte == single {
            return value;
        }
        singles = more;
    }
    NONE
}

const BASE64: Alphabet = Alphabet { via: Via::Base64, bits: 6, values: &BASE64_VALUES };
const UPPER32: Alphabet = Alphabet { via: Via::Base32, bits: 5, values: &UPPER32_VALUES };
const LOWER32: Alphabet = Alphabet { via: Via::Base32, bits: 5, values: &LOWER32_VALUES };
const HEX: Alphabet = Alphabet { via: Via::Hex, bits: 4, values: &HEX_VALUES };

impl Alphabet {
    fn value(self, byte: u8) -> u8 {
        self.values.get(usize::from(byte)).copied().unwrap_or(NONE)
    }

    fn has(self, byte: u8) -> bool {
        self.value(byte) != NONE
    }

    /// Whole bytes only: bits that are left over are padding.
    fn decode(self, run: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(run.len() * self.bits as usize / 8);
        let (mut bits, mut held) = (0_u32, 0);
        for value in run.iter().map(|&byte| self.value(byte)).filter(|&value| value != NONE) {
            bits = bits << self.bits | u32::from(value);
            held += self.bits;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held & 0xff) as u8);
            }
        }
        bytes
    }
}

/// Decodes base64 of either alphabet, for an announced one.
pub(super) fn decode_base64(text: &[u8]) -> Vec<u8> {
    BASE64.decode(text)
}

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    let value = HEX.value(byte);
    (value != NONE).then_some(value)
}

pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let mut rest = text;
    while let Some(start) = rest.iter().position(|&byte| BASE64.has(byte)) {
        let from = rest.get(start..).unwrap_or_default();
        let (run, behind) = from.split_at(run_len(from));
        rest = behind;
        if run.len() >= SHORTEST {
            judge(run, finder)?;
        }
    }
    Ok(())
}

/// Length of the run at the start, with single line breaks inside.
fn run_len(text: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let rest = text.get(len..).unwrap_or_default();
        len += line_len(rest);
        let behind = text.get(len..).unwrap_or_default();
        let gap = gap_len(behind);
        if gap == 0 || !behind.get(gap).is_some_and(|&byte| BASE64.has(byte)) {
            return len;
        }
        len += gap;
    }
}

fn line_len(text: &[u8]) -> usize {
    text.iter().position(|&byte| !BASE64.has(byte)).unwrap_or(text.len())
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

fn judge(run: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(run.len());
    let compact = compact(run);
    if compact.len() < SHORTEST {
        return Ok(());
    }
    let mut covered = 0;
    for alphabet in [HEX, UPPER32, LOWER32] {
        finder.budget.count(compact.len());
        let parts = compact.split(|&byte| !alphabet.has(byte)).filter(|part| part.len() >= SHORTEST);
        for part in parts {
            covered += if alphabet.bits == HEX.bits { hex_part(part, finder)? } else { part_at(alphabet, part, 1, finder)? };
        }
    }
    covered += part_at(BASE64, &compact, 4, finder)?;
    if compact.len().saturating_sub(covered) >= OPAQUE && is_block(run) {
        finder.opaque(Via::Base64, run.len())?;
    }
    Ok(())
}

fn compact(run: &[u8]) -> Cow<'_, [u8]> {
    if run.iter().all(|&byte| BASE64.has(byte)) {
        return Cow::Borrowed(run);
    }
    Cow::Owned(run.iter().copied().filter(|&byte| BASE64.has(byte)).collect())
}

/// Numbers are hexadecimal too, and often happen to be letters: they count only if they are the digits of a number again.
fn hex_part(part: &[u8], finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    let is_number = part.len() < SHORTEST_DECIMAL && part.iter().all(u8::is_ascii_digit);
    if !is_number {
        return part_at(HEX, part, 2, finder);
    }
    let bytes = HEX.decode(part);
    let is_dialled = bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'+' | b'-' | b'.' | b'/' | b':' | b'(' | b')'));
    let found = is_dialled && finder.decoded(Via::Hex, &bytes)?;
    Ok(if found { part.len() } else { 0 })
}

/// Decodes a part, from its start or else from each of the next characters: what stands before may be of the same alphabet.
/// Returns how many characters are in what was found.
fn part_at(alphabet: Alphabet, part: &[u8], shifts: usize, finder: &mut Finder<'_, '_>) -> Result<usize, Unreadable> {
    let bytes = alphabet.decode(part);
    if finder.decoded(alphabet.via, &bytes)? {
        return Ok(part.len());
    }
    let mut covered = finder.stretches(alphabet.via, &bytes)?;
    for shift in 1..shifts {
        let bytes = alphabet.decode(part.get(shift..).unwrap_or_default());
        finder.budget.count(part.len());
        covered += finder.stretches(alphabet.via, &bytes)?;
    }
    Ok((covered * 8).div_ceil(alphabet.bits as usize))
}

/// Whether a run is one encoded value and no list of words: a long line, or lines of one length but for the first and the last.
fn is_block(run: &[u8]) -> bool {
    let mut lines = run.split(|&byte| byte == b'\n' || byte == b'\r').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if lines.clone().any(|line| line.len() >= OPAQUE) {
        return true;
    }
    lines.next_back();
    lines.next();
    let Some(len) = lines.next().map(<[u8]>::len) else { return true };
    len >= SHORTEST_LINE && lines.all(|line| line.len() == len)
}
