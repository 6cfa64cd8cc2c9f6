//! Telephone numbers: international ones (ITU-T E.164) by their plan, anywhere; national ones only where a key or a word says so, or where
//! a person grouped the digits as his country does.
//!
//! Counters, versions and serial numbers look like national numbers, so digits alone never count, nor does anything in a number or a version.

mod metadata;
mod national;
mod plan;
mod run;
mod words;

use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};
use run::{MAX_DIGITS, Run};

/// Bits of an international number with its `+`.
const PLUS_BITS: u8 = 24;
/// Bits of one behind `00`, and of a national number that is grouped.
const WRITTEN_BITS: u8 = Hit::ENOUGH;
/// Bits of a number below a key or behind a word that says so.
const KEYED_BITS: u8 = 22;
/// Fewest digits of an international number.
const MIN_INTERNATIONAL: usize = 8;
/// Longest text that can be a number in whole.
const MAX_WHOLE: usize = 40;

/// Reports each number. A group of digits costs at most 80 bytes of looking around.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Number | TextKind::Version) {
        return;
    }
    let is_keyed = context.text != TextKind::Path && words::is_phone(context);
    if is_keyed && let Some(hit) = whole(text, context) {
        report(hit);
        return;
    }
    let mut at = 0;
    while let Some(start) = next_start(text, at) {
        let found = match text.get(start) {
            Some(b'+') => international(text, start, start + 1, PLUS_BITS, context),
            _ => double_zero(text, start, context)
                .or_else(|| national(text, start, is_keyed, context))
                .or_else(|| short(text, start, context)),
        };
        at = found.map_or_else(|| skip(text, start), |hit| hit.end);
        if let Some(hit) = found {
            report(hit);
        }
    }
}

/// The next `+` or the first digit of the next group.
fn next_start(text: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.iter().position(|byte| byte.is_ascii_digit() || *byte == b'+').map(|offset| from + offset)
}

/// Behind the `+` or the group at `start`.
fn skip(text: &[u8], start: usize) -> usize {
    let digits = text.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    start + digits.max(1)
}

/// The number whose `+` or `00` is at `start` and whose calling code is at `code`.
fn international(text: &[u8], start: usize, code: usize, bits: u8, context: &Context<'_>) -> Option<Hit> {
    let before = text.get(..start)?.last();
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'+') {
        return None;
    }
    let code = if text.get(code) == Some(&b'(') { code + 1 } else { code };
    if !text.get(code)?.is_ascii_digit() {
        return None;
    }
    let run = Run::read(text, code, true);
    // Italy's zero belongs to the number: `+39 (0)2`.
    let end = longest(text, &run).or_else(|| run.has_trunk.then(|| longest(text, &Run::read(text, code, false))).flatten())?;
    let is_service = context.text == TextKind::Name && is_toll_free(text.get(code..end)?);
    (!is_service && !is_measured(text, end)).then_some(Hit { kind: Kind::Phone, start, end, bits })
}

/// Where the longest beginning of a run ends that is a number: what follows a space may be another one.
fn longest(text: &[u8], run: &Run) -> Option<usize> {
    let groups = run.groups();
    let whole = groups.len();
    // `+35236450.6` is a decimal: a dot stands only behind a calling code and an area.
    let first = groups.first()?;
    if first.total > 4 && matches!(text.get(first.end..)?, [b'.', next, ..] if next.is_ascii_digit()) {
        return None;
    }
    groups.iter().enumerate().rev().find_map(|(at, group)| {
        let is_whole = at + 1 == whole && !run.is_cut;
        let is_one = at == 0;
        let is_spaced = text.get(group.end).is_some_and(|byte| matches!(byte, b' ' | b'/'));
        let is_number = group.total >= MIN_INTERNATIONAL && plan::is_international(run.digits(group.total));
        ((is_whole || is_one || is_spaced) && is_ended(text, group.end) && is_number).then_some(group.end)
    })
}

/// Whether no letter follows; `x12` is an extension.
fn is_ended(text: &[u8], end: usize) -> bool {
    match text.get(end..).unwrap_or_default() {
        [b'x' | b'X', digit, ..] if digit.is_ascii_digit() => true,
        [next, ..] => !next.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// `+1 800 …`: support lines in names of products (ITU-T E.169.1, NANP).
fn is_toll_free(written: &[u8]) -> bool {
    let mut digits = written.iter().copied().filter(u8::is_ascii_digit);
    let head = [digits.next(), digits.next(), digits.next(), digits.next()].map(Option::unwrap_or_default);
    plan::begins(b"1800,1833,1844,1855,1866,1877,1888,800,3980,4480,4980,3380,3490,4180", &head)
}

/// `+49 123 456 789 bytes` is a difference.
fn is_measured(text: &[u8], end: usize) -> bool {
    const UNITS: &[&[u8]] =
        &[b"%", b"b", b"byte", b"bytes", b"kb", b"mb", b"gb", b"kib", b"mib", b"ms", b"us", b"ns", b"s", b"hz", b"mhz", b"eur", b"usd"];
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let length = rest.iter().take(6).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'%').count();
    rest.get(..length).is_some_and(|word| UNITS.iter().any(|unit| word.eq_ignore_ascii_case(unit)))
}

/// The number behind a `00` at `start`. Zeros also fill up serial numbers and begin product keys, so it must stand free.
fn double_zero(text: &[u8], start: usize, context: &Context<'_>) -> Option<Hit> {
    let rest = text.get(start..)?;
    if !rest.starts_with(b"00") {
        return None;
    }
    // In groups it was written by a person, whatever the field is and whatever number stands in front.
    let is_grouped = rest.iter().take(MAX_DIGITS + 4).filter(|byte| **byte == b' ').count() >= 2;
    let is_behind_blank = is_grouped && text.get(..start).is_some_and(|head| head.ends_with(b" "));
    if !is_left_free(text, start) && !is_behind_blank {
        return None;
    }
    let is_expected = context.text == TextKind::Free && !words::is_measure(context);
    let is_written = is_grouped && matches!(context.text, TextKind::Free | TextKind::Name);
    if !is_expected && !is_written {
        return None;
    }
    let gap = usize::from(rest.get(2) == Some(&b' '));
    let code = start + 2 + gap;
    if text.get(code) == Some(&b'0') {
        return None;
    }
    // `00330-80000-00000` is a product: before a hyphen or a dot there is only the calling code, or the whole number.
    let first = text.get(code..)?.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let hit = international(text, start, code, WRITTEN_BITS, context)?;
    let is_glued = matches!(text.get(code + first), Some(b'-' | b'.')) && first > 3 && hit.end > code + first;
    (!is_glued && is_right_free(text, hit.end)).then_some(hit)
}

/// A national number at `start`.
fn national(text: &[u8], start: usize, is_keyed: bool, context: &Context<'_>) -> Option<Hit> {
    let is_opened = text.get(..start)?.ends_with(b"(");
    let begin = start - usize::from(is_opened);
    if context.text == TextKind::Path || !is_left_free(text, begin) {
        return None;
    }
    let run = Run::read(text, start, false);
    let end = run.end(start);
    if !(7..=MAX_DIGITS).contains(&run.total()) {
        return None;
    }
    let hit = |end: usize, bits: u8| Hit { kind: Kind::Phone, start: begin, end, bits };
    let is_free = is_right_free(text, end) && !is_measured(text, end) && !is_quad(text.get(start..end)?);
    let is_written = match context.text {
        TextKind::Free | TextKind::Identity => true,
        TextKind::Name => is_spoken(text, &run),
        _ => false,
    };
    if is_free && is_written && !is_in_dump(text, begin, end) && national::is_formatted(text, &run) {
        return Some(hit(end, WRITTEN_BITS));
    }
    if !is_keyed && !words::are_before(text, start) {
        return None;
    }
    let number = run.groups().iter().rev().find(|group| is_ended(text, group.end) && national::is_of_a_country(run.digits(group.total)))?;
    Some(hit(number.end, KEYED_BITS))
}

/// In names of products, numbers with dots are versions and two with a hyphen are parts, unless they begin with the zero of an area and
/// have the ten digits of a number: `0151-04031629`, `01.46.64.96.05`.
fn is_spoken(text: &[u8], run: &Run) -> bool {
    let groups = run.groups();
    let gap = groups.first().zip(groups.get(1)).and_then(|(one, next)| text.get(one.end..next.start)).unwrap_or_default();
    let is_dialled = run.digits(1) == b"0" && run.total() >= 10;
    is_dialled || gap != b"." && (gap != b"-" || groups.len() > 2)
}

/// A number inside a company behind a word for one (`int. 4312`), and any that a telephone shows behind a name: `"Mario" <4312>`.
fn short(text: &[u8], start: usize, context: &Context<'_>) -> Option<Hit> {
    if !matches!(context.text, TextKind::Free | TextKind::Name | TextKind::Identity) {
        return None;
    }
    let digits = text.get(start..)?.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let end = start + digits;
    let head = text.get(..start)?;
    let is_shown = (3..=MAX_DIGITS).contains(&digits)
        && text.get(end) == Some(&b'>')
        && head.strip_suffix(b"<").is_some_and(|head| head.trim_ascii_end().ends_with(b"\""));
    let is_extension = (2..=6).contains(&digits)
        && !head.last().is_some_and(u8::is_ascii_alphanumeric)
        && is_right_free(text, end)
        && words::is_extension_before(text, start, digits);
    (is_shown || is_extension).then_some(Hit { kind: Kind::Phone, start, end, bits: KEYED_BITS })
}

/// `79.178.40.90` is an address, though Spain groups like that.
fn is_quad(written: &[u8]) -> bool {
    core::str::from_utf8(written).is_ok_and(|written| written.parse::<core::net::Ipv4Addr>().is_ok())
}

/// Whether nothing before `start` makes it the end of something longer.
fn is_left_free(text: &[u8], start: usize) -> bool {
    match text.get(..start).unwrap_or_default() {
        [.., before, b' '] => !before.is_ascii_digit(),
        [.., last] => !last.is_ascii_alphanumeric() && !b"-._/\\+#$%@&*~^{,".contains(last) || (*last == b',' && is_list(text, start)),
        [] => true,
    }
}

/// A comma without a space behind it parts fields unless a digit stands before it.
fn is_list(text: &[u8], start: usize) -> bool {
    !start.checked_sub(2).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit)
}

/// Whether nothing behind `end` makes it the beginning of something longer.
fn is_right_free(text: &[u8], end: usize) -> bool {
    match text.get(end..).unwrap_or_default() {
        [b'-' | b'.' | b'/' | b'\\' | b':' | b',' | b'_', next, ..] => !next.is_ascii_alphanumeric(),
        [b'%' | b'+' | b'_' | b'@' | b'}', ..] => false,
        _ => is_ended(text, end),
    }
}

/// Five pairs of digits may be five bytes of many: whether another pair stands next to them.
fn is_in_dump(text: &[u8], start: usize, end: usize) -> bool {
    // `de` and `da` are words; bytes are digits or capitals.
    let is_byte = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
    let is_pair = |pair: &[u8]| pair.iter().all(u8::is_ascii_hexdigit) && pair.iter().any(is_byte);
    let before = text.get(..start).and_then(|head| head.strip_suffix(b" ")).and_then(|head| head.split_last_chunk::<2>());
    let after = text.get(end..).and_then(|rest| rest.strip_prefix(b" ")).and_then(|rest| rest.split_first_chunk::<2>());
    let is_before = before.is_some_and(|(head, pair)| is_pair(pair) && !head.last().is_some_and(u8::is_ascii_alphanumeric));
    let is_after = after.is_some_and(|(pair, rest)| is_pair(pair) && !rest.first().is_some_and(u8::is_ascii_alphanumeric));
    is_before || is_after
}

/// The text in whole as a number below a key that says so: any country, and numbers inside a company.
fn whole(text: &[u8], context: &Context<'_>) -> Option<Hit> {
    if text.len() > MAX_WHOLE || context.text == TextKind::Name {
        return None;
    }
    let start = text.iter().position(|byte| !b" \t\"'(".contains(byte))?;
    let end = text.iter().rposition(u8::is_ascii_digit)? + 1;
    let written = text.get(start..end)?;
    let first = text.get(start..)?.iter().position(u8::is_ascii_digit)? + start;
    let run = Run::read(text, first, false);
    let is_number = first - start <= 1 && matches!(written.first(), Some(b'+' | b'0'..=b'9')) && run.end(first) == end && !run.is_cut;
    let is_rest_empty = text.get(end..)?.iter().all(|byte| b" \t\"')#".contains(byte));
    let is_long = (7..=MAX_DIGITS).contains(&run.total()) && !is_other(written, &run);
    let is_short = (3..7).contains(&run.total()) && run.groups().len() == 1 && words::is_extension(context);
    (is_number && is_rest_empty && (is_long || is_short)).then_some(Hit { kind: Kind::Phone, start, end, bits: KEYED_BITS })
}

/// A date (`2012-01-02 08`), or numbers with dots: an address or a version.
fn is_other(written: &[u8], run: &Run) -> bool {
    let sizes = |at: usize| run.groups().get(at).map_or(0, |group| group.end - group.start);
    let is_date = matches!((sizes(0), sizes(1), sizes(2)), (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4)) && run.digits(1) != b"0";
    let dots = written.split(|byte| *byte == b'.').count() - 1;
    is_date || (dots == 3 && sizes(0) <= 3 && sizes(1) <= 3 && sizes(3) <= 3)
}

#[cfg(test)]
mod tests;
