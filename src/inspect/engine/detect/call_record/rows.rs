//! Rows of call records without the names of their columns.

use crate::inspect::engine::detect::lexis::{at, visit};

/// So many rows of one form in a row are call records.
const ROWS: usize = 3;
/// More fields than any call record has.
const FIELDS: usize = 160;

/// What a row has and where: two numbers, a start and a duration, of so many fields.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    caller: usize,
    called: usize,
    start: usize,
    duration: usize,
    fields: usize,
}

/// The range of the first three rows of the same form.
pub(super) fn find(text: &[u8]) -> Option<(usize, usize)> {
    let mut last: Option<(Form, usize, usize)> = None;
    let mut start = 0;
    while start < text.len() {
        let end = memchr::memchr(b'\n', text.get(start..)?).map_or(text.len(), |length| start + length);
        last = match (form(text.get(start..end)?), last) {
            (Some(form), Some((same, first, count))) if form == same => Some((form, first, count + 1)),
            (Some(form), _) => Some((form, start, 1)),
            (None, _) => None,
        };
        if let Some((_, first, ROWS)) = last {
            return Some((first, end));
        }
        start = end + 1;
    }
    None
}

/// The form of a row of a call record.
fn form(line: &[u8]) -> Option<Form> {
    let separator = line.iter().copied().find(|byte| matches!(byte, b',' | b';' | b'\t' | b'|'))?;
    visit(line.len());
    let (mut numbers, mut start, mut duration, mut fields) = ([None; 2], None, None, 0);
    let mut long = false;
    for (index, field) in line.split(|&byte| byte == separator).enumerate().take(FIELDS) {
        fields = index + 1;
        let field = trim(field);
        if is_start(field) {
            start = start.or(Some(index));
        } else if is_dialled(field)
            && start.is_none()
            && let Some(slot) = numbers.iter_mut().find(|slot| slot.is_none())
        {
            long |= field.len() >= 7 || at(field, 0) == b'+';
            *slot = Some(index);
        } else if is_duration(field) && start.is_some() {
            duration = duration.or(Some(index));
        }
    }
    // Two short numbers are also counters: at least one has to be long enough for a subscriber.
    let [from, to] = numbers;
    let form = Form { caller: from?, called: to?, start: start?, duration: duration?, fields };
    long.then_some(form)
}

fn trim(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}

/// A number that can be dialled: three to fifteen digits, a plus in front or not.
fn is_dialled(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"+").unwrap_or(field);
    (3..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// Seconds since 1970 from 2001 to 2049, or `2024-01-31 10:00:00`.
fn is_start(field: &[u8]) -> bool {
    let epoch = field.len() == 10 && matches!(field, [b'1', ..] | [b'2', b'0'..=b'4', ..]) && field.iter().all(u8::is_ascii_digit);
    let written = matches!(field, [b'1' | b'2', _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', _, _, b':', ..]);
    epoch || written
}

/// Up to a day in seconds, or `0:03:12`.
fn is_duration(field: &[u8]) -> bool {
    let seconds = !field.is_empty() && field.len() <= 5 && field.iter().all(u8::is_ascii_digit);
    let written = matches!(field, [.., b':', _, _, b':', _, _]) && field.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    seconds || written
}
