//! Rows of numbers: call records whose columns have no names, as arrays in an array.
//!
//! A row of a call record has the point in time at which it began, two numbers that can be dialled and a duration. One row is chance;
//! three in a row whose columns are alike are not.

use super::Walk;
use crate::inspect::engine::finding::{Kind, Why};

use crate::inspect::engine::shape::grammar;

/// So many rows of one form one after the other are call records.
const ROWS: u8 = 3;
/// Columns that are looked at.
const COLUMNS: usize = 24;

/// What a cell may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cell {
    /// None of these.
    #[default]
    Other,
    /// Seconds or milliseconds since 1970, between 2001 and 2049.
    Start,
    /// Digits that can be dialled, and how many if they are those of an extension.
    Number(u8),
    /// Up to a day in seconds.
    Duration,
}

/// The cells of a row.
type Row = [Cell; COLUMNS];

/// Rows so far.
#[derive(Debug, Default)]
pub(super) struct Rows {
    row: Row,
    last: Row,
    /// How many rows like the last there were.
    count: u8,
    is_open: bool,
}

impl Rows {
    /// The next cell. The first of a row ends the one before: whether that was the last of call records.
    pub(super) fn cell(&mut self, at: usize, text: &str) -> bool {
        let is_found = at == 0 && self.end();
        if let Some(slot) = self.row.get_mut(at) {
            *slot = cell(text);
        }
        self.is_open = true;
        is_found
    }

    /// Ends the row that is open: whether it was the last that call records need.
    pub(super) fn end(&mut self) -> bool {
        if !self.is_open {
            return false;
        }
        let row = std::mem::take(&mut self.row);
        self.is_open = false;
        let is_next = is_record(&row) && form(&row) == form(&self.last);
        self.count = if is_next { self.count.saturating_add(1) } else { u8::from(is_record(&row)) };
        self.last = row;
        self.count == ROWS
    }
}

impl Walk<'_> {
    /// Ends the row of numbers that is open.
    pub(super) fn end_row(&mut self) {
        if self.rows.end() {
            self.find(Kind::CallRecord, Why::Together);
        }
    }

    /// A value in an array inside another.
    pub(super) fn cell(&mut self, text: &str) {
        if let Some(at) = self.path.column()
            && self.rows.cell(at, text)
        {
            self.find(Kind::CallRecord, Why::Together);
        }
    }
}

fn cell(text: &str) -> Cell {
    let digits = text.strip_prefix('+').unwrap_or(text);
    // A date with a time of the day.
    if (16..=40).contains(&text.len()) && grammar::is_evident_time(text) {
        return Cell::Start;
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cell::Other;
    }
    match (digits.len(), digits.as_bytes()) {
        (10 | 13, [b'1', ..] | [b'2', b'0'..=b'4', ..]) => Cell::Start,
        (3..=6, _) => Cell::Number(u8::try_from(digits.len()).unwrap_or_default()),
        (8..=15, _) => Cell::Number(0),
        (1..=5, _) => Cell::Duration,
        _ => Cell::Other,
    }
}

/// A start, two numbers and a duration; a duration of three digits and more could be dialled as well.
fn is_record(row: &Row) -> bool {
    let count = |is: fn(&Cell) -> bool| row.iter().filter(|cell| is(cell)).count();
    let numbers = count(|cell| matches!(cell, Cell::Number(_)));
    let durations = count(|cell| matches!(cell, Cell::Duration));
    count(|cell| *cell == Cell::Start) >= 1 && numbers >= 2 && numbers + durations >= 3
}

/// Where start and numbers are; durations are as long as they are, and what may be one is compared no further than that it is a number.
fn form(row: &Row) -> [u8; COLUMNS] {
    let first = row.iter().enumerate().filter(|(_, cell)| matches!(cell, Cell::Number(_))).map(|(at, _)| at).nth(1).unwrap_or(COLUMNS);
    let mut form = [0; COLUMNS];
    for (at, (slot, cell)) in form.iter_mut().zip(row).enumerate() {
        *slot = match cell {
            Cell::Other => 0,
            Cell::Start => 1,
            Cell::Number(length) if at <= first => 10 + length,
            Cell::Number(1..=5) | Cell::Duration => 2,
            Cell::Number(_) => 3,
        };
    }
    form
}

#[cfg(test)]
mod tests {
    use super::Rows;

    fn found(rows: &[&[&str]]) -> bool {
        let mut all = Rows::default();
        let mut found = false;
        for row in rows {
            for (at, text) in row.iter().enumerate() {
                found |= all.cell(at, text);
            }
        }
        found | all.end()
    }

    #[test]
    fn three_rows_alike_are_call_records() {
        let row = ["1700000000", "4312", "4315", "62"];
        assert!(found(&[&row, &["1700000300", "4312", "4377", "5"], &["1700000360", "4399", "4315", "1200"]]));
        assert!(found(&[
            &["4312", "393351234567", "1700000000", "62"],
            &["4313", "390212345678", "1700000001", "9"],
            &["4312", "390212345679", "1700000002", "4"]
        ]));
        assert!(found(&[&row, &row, &row, &row]));
        // No duration begins with a zero.
        assert!(found(&[
            &["7765", "0679", "1700035875", "219"],
            &["9967", "0805", "1700633489", "224"],
            &["7877", "2553", "1700468492", "40"]
        ]));
        let written = ["2026-11-28T10:00:00Z", "4312", "4315", "62"];
        assert!(found(&[&written, &written, &written]));
        assert!(!found(&[&row, &row]));
    }

    #[test]
    fn measurements_are_none() {
        let series: &[&[&str]] = &[&["1700000000", "12.5"], &["1700000060", "13.5"], &["1700000120", "11"]];
        assert!(!found(series));
        assert!(!found(&[&["1700000000", "612", "14", "3"], &["1700000060", "1612", "14", "3"], &["1700000120", "98", "14", "3"]]));
        assert!(!found(&[&["4312", "4315", "62"], &["4312", "4315", "62"], &["4312", "4315", "62"]]));
        assert!(!found(&[&["x", "y"], &["x", "y"], &["x", "y"]]));
    }
}
