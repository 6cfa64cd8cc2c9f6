//! A value in pieces: `["4111 1111", "1111 1111"]`, `?a=mario&b=%40example.com`, a letter a message.
//!
//! Neighbouring texts are put together, and only what proves itself is looked for in what comes out: card numbers by their check
//! digit, account numbers by theirs, the tax codes of Italy and the social security numbers of France by theirs, mail addresses by
//! their form. What is found is whole pieces, and few of them, or very short ones.
//!
//! Counters are the danger: one in ten rows of digits has the check digit of a card. So digits are a card only if the pieces are the
//! groups that are printed on one, or if they are all the numbers that stand together there; numbers that are no texts are no pieces.

mod window;

use super::context::{Context, TextKind};
use super::detect::{email, iban, national_id, payment_card};
use super::finding::Kind;
use window::Window;

/// Longest piece in bytes: no account number is longer, in its groups.
pub const LONGEST: usize = 48;
/// Most pieces of anything, but for very short ones.
const MOST: usize = 8;
/// Letters and digits of very short ones.
const SHORT: usize = 2;
/// Most very short ones: more than anything that is looked for has signs.
const MOST_SHORT: usize = 36;
/// Most letters and digits of anything that has a check digit.
const MOST_SIGNS: usize = 34;
/// Fewest digits of anything that has a check digit.
const FEWEST_DIGITS: usize = 2;
/// Longest mail address that is put together.
const LONGEST_MAIL: usize = 128;
/// Bits of a mail address below a top-level domain that is known.
const SURE: u8 = 24;
/// Digits from which a number beside others is one of a series.
const SERIES: usize = 3;

/// Texts that stood beside one another last.
#[derive(Default)]
pub struct Run {
    text: Vec<u8>,
    pieces: Vec<Piece>,
    /// Digits in all of them.
    digits: usize,
    /// How many of them have the sign of a mail address.
    ats: usize,
    /// What the next piece may show to be one of a series.
    waiting: Option<Waiting>,
    looks: u64,
}

/// A text that can be a piece, and where it stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    start: usize,
    end: usize,
    /// Letters and digits.
    signs: usize,
    digits: usize,
    /// Whether they are all digits, with no other signs between them than those between groups, or none but such.
    is_number: bool,
    has_at: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    kind: Kind,
    /// Whether any number behind it speaks against it.
    is_all: bool,
    /// Whether its pieces are very short.
    is_short: bool,
}

/// What stands between the groups of a number.
const fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'_')
}

impl Piece {
    /// What a text is as a piece, if it can be one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim().as_bytes();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let mut piece = Self { start: 0, end: text.len(), signs: 0, digits: 0, is_number: true, has_at: false };
        for byte in text {
            match byte {
                b'0'..=b'9' => {
                    piece.signs += 1;
                    piece.digits += 1;
                }
                b'a'..=b'z' | b'A'..=b'Z' => {
                    piece.signs += 1;
                    piece.is_number = false;
                }
                b'@' | b'+' => {
                    piece.is_number = false;
                    piece.has_at |= *byte == b'@';
                }
                gap if is_gap(*gap) => {}
                _ => return None,
            }
        }
        Some(piece)
    }

    /// Whether it goes on with the series of another: `40000001`, `40000002`.
    fn goes_on(&self, text: &[u8], other: &Self) -> bool {
        let of = |piece: &Self| text.get(piece.start..piece.end).unwrap_or_default();
        let half = self.signs.div_ceil(2).max(SERIES);
        self.signs >= SERIES && self.signs == other.signs && of(self).get(..half) == of(other).get(..half)
    }
}

impl Run {
    /// Puts a text behind the others: what is found once it is there, or once it is known that it ends what was in front of it.
    pub fn push(&mut self, text: &str) -> Option<Kind> {
        self.put(text, Piece::of(text))
    }

    /// The same of a text that was looked at: [`Piece::of`].
    pub fn put(&mut self, text: &str, piece: Option<Piece>) -> Option<Kind> {
        let Some(piece) = piece else { return self.end() };
        let found = self.waiting.take().filter(|waiting| !piece.is_number || piece.signs < if waiting.is_all { 1 } else { SERIES });
        if let Some(waiting) = found {
            self.clear();
            return Some(waiting.kind);
        }
        self.keep(text.trim().as_bytes(), piece);
        self.look()
    }

    /// The same with texts that come one after the other at one place: numbers of one series are none in pieces. What waits for the next
    /// text is settled by whoever knows that the one at hand may go.
    pub fn put_behind(&mut self, text: &str, piece: Option<Piece>) -> Option<Kind> {
        let found = self.put(text, piece);
        if !self.goes_on() {
            return found;
        }
        self.clear();
        // The next one has this one in front of it.
        self.put(text, piece);
        None
    }

    /// Whether the last piece goes on with the series of the one in front of it.
    fn goes_on(&self) -> bool {
        matches!(self.pieces.as_slice(), [.., before, last] if last.goes_on(&self.text, before))
    }

    /// Ends the run: nothing more stands there.
    pub fn end(&mut self) -> Option<Kind> {
        let found = self.waiting.take().map(|waiting| waiting.kind);
        self.clear();
        found
    }

    /// Bytes that were looked at since this was asked last.
    pub const fn take_looks(&mut self) -> u64 {
        std::mem::replace(&mut self.looks, 0)
    }

    /// What was found, if what comes next must not be waited for: not what only the end of a row shows not to be a part of one.
    pub fn settle(&mut self) -> Option<Kind> {
        let waiting = self.waiting.take().filter(|waiting| !waiting.is_all || waiting.is_short)?;
        self.clear();
        Some(waiting.kind)
    }

    /// Keeps what a next piece may complete and the piece in front of it, and no more memory than that takes.
    pub fn trim(&mut self) {
        let short = self.pieces.iter().rev().take_while(|piece| piece.end - piece.start <= SHORT).count();
        let kept = short.clamp(MOST, MOST_SHORT) + 1;
        let gone = self.pieces.len().saturating_sub(kept);
        self.forget(gone);
        self.text.shrink_to_fit();
        self.pieces.shrink_to_fit();
    }

    /// Bytes that it keeps.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.text.capacity() + self.pieces.capacity() * size_of::<Piece>()
    }

    /// Forgets the first so many pieces; the rest moves to the front.
    fn forget(&mut self, count: usize) {
        let Some(bytes) = count.checked_sub(1).and_then(|last| self.pieces.get(last)).map(|last| last.end) else { return };
        self.pieces.drain(..count);
        for piece in &mut self.pieces {
            (piece.start, piece.end) = (piece.start - bytes, piece.end - bytes);
        }
        self.text.drain(..bytes);
        self.digits = self.pieces.iter().map(|piece| piece.digits).sum();
        self.ats = self.pieces.iter().filter(|piece| piece.has_at).count();
    }

    fn clear(&mut self) {
        self.text.clear();
        self.pieces.clear();
        self.digits = 0;
        self.ats = 0;
        self.waiting = None;
    }

    fn keep(&mut self, text: &[u8], mut piece: Piece) {
        if self.pieces.len() >= 2 * MOST_SHORT {
            // Half of them goes at once, and what is left is moved once.
            self.forget(MOST_SHORT);
        }
        (piece.start, piece.end) = (self.text.len(), self.text.len() + text.len());
        self.text.extend_from_slice(text);
        self.digits += piece.digits;
        self.ats += usize::from(piece.has_at);
        self.pieces.push(piece);
    }

    /// Looks at all that ends with the last piece.
    fn look(&mut self) -> Option<Kind> {
        let found = self.look_at_signs().or_else(|| self.look_at_mail());
        if found.is_some() {
            self.clear();
        }
        found
    }

    fn look_at_signs(&mut self) -> Option<Kind> {
        if self.digits < FEWEST_DIGITS {
            return None;
        }
        let (last, mut signs, mut is_number, mut is_short) = (self.pieces.len(), 0, true, true);
        for first in (0..last).rev() {
            let piece = self.pieces.get(first)?;
            signs += piece.signs;
            is_number &= piece.is_number;
            is_short &= piece.signs <= SHORT;
            let count = last - first;
            if signs > MOST_SIGNS || (count > MOST && !is_short) {
                return None;
            }
            if count < 2 {
                continue;
            }
            let window = Window { text: self.text.get(piece.start..)?, signs };
            if is_number {
                let place = Place { count, is_short, is_first: self.is_first(first), is_apart: self.is_apart(first) };
                if let Some(waiting) = number(window, self.pieces.get(first..)?, place, &mut self.looks) {
                    self.waiting = Some(waiting);
                }
            } else if let Some(kind) = code(window, &mut self.looks) {
                return Some(kind);
            }
        }
        None
    }

    /// Whether no number stands in front of a piece.
    fn is_first(&self, piece: usize) -> bool {
        !self.before(piece).is_some_and(|before| before.is_number && before.signs > 0)
    }

    /// Whether no number of some length stands in front of a piece.
    fn is_apart(&self, piece: usize) -> bool {
        !self.before(piece).is_some_and(|before| before.is_number && before.signs >= SERIES)
    }

    fn before(&self, piece: usize) -> Option<&Piece> {
        piece.checked_sub(1).and_then(|before| self.pieces.get(before))
    }

    /// The pieces behind the last but one that has the sign of a mail address: nobody's address has two.
    fn mail(&self) -> Option<&[Piece]> {
        let all = self.pieces.len();
        let at = self.pieces.iter().rposition(|piece| piece.has_at)?;
        let is_short = |piece: &Piece| piece.end - piece.start <= SHORT;
        let short = self.pieces.iter().rev().take_while(|piece| is_short(piece)).count();
        let most = if short >= all - at { short.max(MOST) } else { MOST };
        let before = self.pieces.get(..at)?.iter().rposition(|piece| piece.has_at).map_or(0, |before| before + 1);
        let first = before.max(all.saturating_sub(most));
        let end = self.text.len();
        let long = self.pieces.get(first..)?.iter().take_while(|piece| end - piece.start > LONGEST_MAIL).count();
        self.pieces.get(first + long..).filter(|pieces| pieces.len() > 1 && at >= first + long)
    }

    fn look_at_mail(&mut self) -> Option<Kind> {
        if self.ats == 0 {
            return None;
        }
        let pieces = self.mail()?;
        let start = pieces.first()?.start;
        let text = self.text.get(start..).filter(|text| text.contains(&b'.'))?;
        let looks = text.len() as u64;
        let context = Context { text: TextKind::Free, ..Context::default() };
        let mut is_found = false;
        email::scan(text, &context, &mut |hit| {
            let spanned = pieces.iter().filter(|piece| piece.start - start < hit.end && piece.end - start > hit.start).count();
            let ends = pieces.iter().any(|piece| piece.end - start == hit.end);
            let begins = pieces.iter().any(|piece| piece.start - start == hit.start);
            is_found |= hit.bits >= SURE && spanned > 1 && begins && ends;
        });
        self.looks += looks;
        if is_found && self.is_whole_mail() {
            return None;
        }
        is_found.then_some(Kind::Email)
    }

    /// Whether the piece with the sign of a mail address is one by itself: it was judged alone, and may be an account that is allowed.
    fn is_whole_mail(&mut self) -> bool {
        let piece = self.pieces.iter().rfind(|piece| piece.has_at);
        let text = piece.and_then(|piece| self.text.get(piece.start..piece.end)).unwrap_or_default();
        let mut is_whole = false;
        email::scan(text, &Context { text: TextKind::Free, ..Context::default() }, &mut |hit| {
            is_whole |= hit.bits >= SURE && hit.start == 0 && hit.end == text.len();
        });
        self.looks += text.len() as u64;
        is_whole
    }
}

/// Where a window stands among its neighbours.
#[derive(Clone, Copy)]
struct Place {
    /// Pieces in it.
    count: usize,
    /// Whether all are very short.
    is_short: bool,
    is_first: bool,
    is_apart: bool,
}

/// What a window of digits may be.
fn number(window: Window<'_>, pieces: &[Piece], place: Place, looks: &mut u64) -> Option<Waiting> {
    if !matches!(window.signs, 14..=16 | 18 | 19) || !place.is_apart {
        return None;
    }
    *looks += window.text.len() as u64;
    let (digits, breaks) = window.signs_and_breaks(pieces);
    let digits = digits.get(..window.signs)?;
    let is_grouped = place.count <= MOST && breaks.are_of_a_card(window.signs);
    if is_grouped && payment_card::is_in_pieces(digits, true) {
        return Some(Waiting { kind: Kind::PaymentCard, is_all: false, is_short: place.is_short });
    }
    let is_all = place.is_first && (place.count <= MOST / 2 || place.is_short);
    if is_all && payment_card::is_in_pieces(digits, false) {
        return Some(Waiting { kind: Kind::PaymentCard, is_all, is_short: place.is_short });
    }
    (is_all && national_id::is_proven(digits)).then_some(Waiting { kind: Kind::NationalId, is_all, is_short: place.is_short })
}

/// What a window of letters and digits is.
fn code(window: Window<'_>, looks: &mut u64) -> Option<Kind> {
    if window.signs < 15 || !window.begins_with_letters() {
        return None;
    }
    *looks += window.text.len() as u64;
    let signs = window.signs();
    let signs = signs.get(..window.signs)?;
    if iban::is_number(signs) {
        return Some(Kind::Iban);
    }
    national_id::is_proven(signs).then_some(Kind::NationalId)
}

crate::hidden::hidden!(Run);

#[cfg(test)]
mod tests;
