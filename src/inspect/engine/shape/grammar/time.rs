//! Times as systems write them.

use std::borrow::Cow;

/// Seconds of a time between 1990 and 2100.
const SECONDS: std::ops::RangeInclusive<u64> = 631_152_000..=4_102_444_800;
/// Seconds of a time between 1998 and 2050: telephone numbers and byte counts of ten digits begin behind it.
const NEAR: std::ops::RangeInclusive<u64> = 883_612_800..=2_524_608_000;
/// Seconds from 1601 to 1970.
const FILETIME_OFFSET: u64 = 11_644_473_600;

/// Seconds, milliseconds or 100-nanosecond steps of a time between 1990 and 2100.
#[must_use]
pub fn is_epoch(raw: &str) -> bool {
    is_within(raw, SECONDS)
}

/// As [`is_epoch`], of a time between 1998 and 2050: for numbers of which nobody says that they are times.
#[must_use]
pub fn is_near_epoch(raw: &str) -> bool {
    is_within(raw, NEAR)
}

fn is_within(raw: &str, seconds: std::ops::RangeInclusive<u64>) -> bool {
    let Some(value) = super::whole(raw) else { return false };
    seconds.contains(&value)
        || seconds.contains(&(value / 1_000))
        || (value / 10_000_000).checked_sub(FILETIME_OFFSET).is_some_and(|value| seconds.contains(&value))
}

/// Days of a time between 1990 and 2100, as OLE counts them from 1899 on.
const DAY_NUMBERS: std::ops::RangeInclusive<u64> = 32_874..=73_050;

/// A day with a time of the day behind its point, as OLE and Excel have them (`45000.5`). Without one it could be an extension.
#[must_use]
pub fn is_day_number(raw: &str) -> bool {
    let is_decimal = |part: &str| (1..=12).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    raw.split_once('.').is_some_and(|(day, time)| is_decimal(time) && super::whole(day).is_some_and(|day| DAY_NUMBERS.contains(&day)))
}

/// A date with or without a time of the day (ISO 8601, the forms of .NET and SQL Server, WMI's `CIM_DATETIME`), or a number of
/// seconds or smaller steps.
#[must_use]
pub fn is_time(text: &str) -> bool {
    let never = ["never", "mai", "nie", "niemals", "jamais", "nunca"];
    is_ticks(text)
        || is_epoch(text)
        || is_written(text)
        || is_week(text)
        || is_short_date(text)
        || super::is_missing(text)
        || never.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `2023-W01`, `2023-W01-2` (ISO 8601).
fn is_week(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    let has_week = rest.field(4, 1900..=2199) && rest.same(b'-') && rest.same(b'W') && rest.field(2, 1..=53);
    has_week && (rest.0.is_empty() || rest.same(b'-') && rest.field(1, 1..=7) && rest.0.is_empty())
}

/// `02-JAN-23`: Oracle leaves the century off.
fn is_short_date(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    text.len() == 9 && rest.field(2, 1..=31) && rest.same(b'-') && rest.word(MONTHS) && rest.same(b'-') && rest.field(2, 0..=99)
}

/// `/Date(1548138160707)/`, `/Date(1548138160707+0100)/`: how .NET writes times in JSON.
fn is_ticks(text: &str) -> bool {
    let Some(ticks) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) else { return false };
    let (ticks, zone) = ticks.split_at(ticks.find(['+', '-']).unwrap_or(ticks.len()));
    is_epoch(ticks) && (zone.is_empty() || zone.len() == 5 && zone.bytes().skip(1).all(|byte| byte.is_ascii_digit()))
}

/// A span of time: `30.00:00:00` (.NET), `P30D`, `PT12H` (ISO 8601).
#[must_use]
pub fn is_span(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('P') {
        let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'Y' | b'M' | b'W' | b'D' | b'T' | b'H' | b'S' | b'.');
        return (2..=16).contains(&rest.len()) && rest.bytes().all(is_part) && super::longest_run(rest) <= 4;
    }
    let (days, clock) = text.split_once('.').filter(|(days, _)| !days.contains(':')).unwrap_or(("0", text));
    let mut rest = Rest(clock.as_bytes());
    days.len() <= 5 && super::whole(days).is_some() && clock.contains(':') && rest.clock() && rest.0.is_empty()
}

/// As [`is_time`], for text of which nobody says that it is one.
#[must_use]
pub fn is_evident_time(text: &str) -> bool {
    is_ticks(text) || is_near_epoch(text) || is_written(text)
}

/// Fewest digits of a date: one of a day and four of a year.
const FEWEST_DIGITS: usize = 5;

fn is_written(text: &str) -> bool {
    if text.bytes().filter(u8::is_ascii_digit).take(FEWEST_DIGITS).count() < FEWEST_DIGITS {
        return false;
    }
    // Newer .NET parts the clock from `PM` by a narrow space.
    let spaced = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.replace(['\u{a0}', '\u{202f}'], " ")) };
    let mut rest = Rest(spaced.as_bytes());
    if rest.compact() {
        return rest.0.is_empty();
    }
    let is_numeric = rest.0.first().is_some_and(u8::is_ascii_digit);
    let whole = rest.0;
    let has_date = is_numeric && rest.date() || {
        rest.0 = whole;
        rest.named_date()
    };
    has_date && (rest.0.is_empty() || (rest.gap() && rest.clock() && rest.0.is_empty()))
}

/// Names of months in the languages of the suite; they are written in part as well.
#[rustfmt::skip]
const MONTHS: &[&str] = &[
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
    "januar", "jänner", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember",
    "janvier", "février", "mars", "avril", "juin", "juillet", "août", "septembre", "octobre", "décembre",
    "enero", "febrero", "abril", "mayo", "junio", "julio", "septiembre", "octubre", "noviembre", "diciembre",
    "janeiro", "fevereiro", "março", "maio", "junho", "julho", "setembro", "outubro", "novembro", "dezembro",
];
/// Names of the days of the week, likewise.
#[rustfmt::skip]
const DAYS: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato",
    "domenica", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "lundi", "mardi", "mercredi", "jeudi", "vendredi",
    "samedi", "dimanche", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo", "segunda", "terça", "quarta", "quinta", "sexta",
];

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// A number of at least one and at most `most` digits, within a range.
    fn number(&mut self, most: usize, range: std::ops::RangeInclusive<u32>) -> bool {
        let length = self.0.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.0.get(..length).unwrap_or_default();
        let value = digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        self.0 = self.0.get(length..).unwrap_or_default();
        (1..=most).contains(&length) && range.contains(&value)
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !bytes.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    fn same(&mut self, byte: u8) -> bool {
        self.one_of(&[byte]).is_some()
    }

    /// Exactly so many digits as a number within a range.
    fn field(&mut self, length: usize, range: std::ops::RangeInclusive<u32>) -> bool {
        let Some((head, rest)) = self.0.split_at_checked(length) else { return false };
        let whole = std::mem::replace(&mut self.0, rest);
        let is_number = Rest(head).number(length, range) && head.iter().all(u8::is_ascii_digit);
        if !is_number {
            self.0 = whole;
        }
        is_number
    }

    /// `20240131`, `20240131235958`, `20240131235958.123456+120`; nothing is taken if it is none.
    fn compact(&mut self) -> bool {
        let whole = self.0;
        if !(self.field(4, 1900..=2199) && self.field(2, 1..=12) && self.field(2, 1..=31)) {
            self.0 = whole;
            return false;
        }
        if self.0.is_empty() || !(self.field(2, 0..=23) && self.field(2, 0..=59) && self.field(2, 0..=60)) || self.0.is_empty() {
            return self.0.is_empty();
        }
        let stars = self.0.get(1..7) == Some(b"******");
        let fraction = self.same(b'.') && (stars || self.0.get(..6).is_some_and(|six| six.iter().all(u8::is_ascii_digit)));
        self.0 = self.0.get(6..).unwrap_or_default();
        fraction && (self.0.is_empty() || self.one_of(b"+-").is_some() && (self.field(3, 0..=999) || self.0 == b"***" && self.drain()))
    }

    fn drain(&mut self) -> bool {
        self.0 = &[];
        true
    }

    /// `2024-01-31`, `31/01/2024`, `1/31/2024`, `31.01.2024`.
    fn date(&mut self) -> bool {
        // .NET's first day stands for none.
        if self.field(4, 1600..=2199) || self.field(4, 1..=1) {
            let Some(separator) = self.one_of(b"-/.") else { return false };
            return self.number(2, 1..=12) && self.same(separator) && self.number(2, 1..=31);
        }
        let number = self.number(2, 1..=31);
        let Some(separator) = self.one_of(b"-/.").filter(|_| number) else { return false };
        self.number(2, 1..=31) && self.same(separator) && (self.field(4, 1900..=2199) || self.field(4, 1..=1))
    }

    /// `28 nov 2026`, `28. November 2026`, `28-Nov-2026`, `Sat, 28 Nov 2026`, `Nov 28, 2026`.
    fn named_date(&mut self) -> bool {
        let whole = self.0;
        if self.word(DAYS) {
            self.same(b',');
            self.same(b' ');
        } else {
            self.0 = whole;
        }
        if self.word(MONTHS) {
            return self.passed(b" ") && self.number(2, 1..=31) && self.passed(b", ") && self.field(4, 1900..=2199);
        }
        let is_day = self.number(2, 1..=31) && self.passed(b". -");
        self.passed(b"de ");
        let is_month = is_day && self.word(MONTHS) && self.passed(b". -");
        self.passed(b"de ");
        is_month && self.field(4, 1900..=2199)
    }

    /// Passes over any of these; whether there was one.
    fn passed(&mut self, bytes: &[u8]) -> bool {
        let length = self.0.iter().take(3).take_while(|byte| bytes.contains(byte)).count();
        self.0 = self.0.get(length..).unwrap_or_default();
        length > 0
    }

    /// One of these names, or at least three letters of its beginning.
    fn word(&mut self, names: &[&str]) -> bool {
        let length = self.0.iter().take(16).take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
        let word = String::from_utf8_lossy(self.0.get(..length).unwrap_or_default()).to_lowercase();
        self.0 = self.0.get(length..).unwrap_or_default();
        word.chars().count() >= 3 && names.iter().any(|name| name.starts_with(&word))
    }

    fn gap(&mut self) -> bool {
        let is_there = self.one_of(b"Tt ").is_some() || (self.same(b',') && self.same(b' '));
        // SQL Server pads the hour with a blank.
        self.same(b' ');
        is_there
    }

    /// `23:59`, `23:59:58.1234567 PM`, with a zone or without.
    fn clock(&mut self) -> bool {
        if !(self.number(2, 0..=24) && self.one_of(b":.").is_some() && self.field(2, 0..=59)) {
            return false;
        }
        if self.one_of(b":.").is_some() && !self.field(2, 0..=60) {
            return false;
        }
        if self.one_of(b".,").is_some() {
            let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.0 = self.0.get(length..).unwrap_or_default();
            if !(1..=9).contains(&length) {
                return false;
            }
        }
        self.same(b' ');
        if matches!(self.0, [b'A' | b'a' | b'P' | b'p', b'M' | b'm']) {
            return self.drain();
        }
        self.zone()
    }

    fn zone(&mut self) -> bool {
        if self.0.is_empty() || self.one_of(b"Zz").is_some() || matches!(self.0, b"UTC" | b"GMT") && self.drain() {
            return true;
        }
        if self.one_of(b"+-").is_none() || !self.field(2, 0..=14) || self.0.is_empty() {
            return self.0.is_empty();
        }
        self.same(b':');
        self.field(2, 0..=59)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_known_in_their_forms() {
        for text in [
            "2024-01-31",
            "2024-01-31T23:59:58Z",
            "2024-01-31T23:59:58.1234567+02:00",
            "2024-01-31 23:59:58.123",
            "2024/1/3 8:05",
            "31/01/2024 23:59:58",
            "1/31/2024 11:59:58 PM",
            "31.01.2024",
            "20240131",
            "20240131235958",
            "20240131235958.123456+120",
            "20240131235958.******+***",
            "1548138160",
            "1548138160707",
            "131926542607070000",
            "/Date(1548138160707)/",
            "2024-01-31T23:59:58+0200",
            "2012-01-02 08:00",
            "3/10/1984",
            "28 nov 2026 03:00",
            "Nov 28 2026  3:00AM",
            "Jan  2 2023 10:30AM",
            "2023-W01",
            "2023-W01-2",
            "02-JAN-23",
            "0001-01-01T00:00:00",
            "1/1/0001 12:00:00 AM",
            "Never",
            "28. November 2026",
            "28-Nov-2026 03:00:00",
            "Sat, 28 Nov 2026 03:00:00 GMT",
            "Nov 28, 2026, 3:00 PM",
            "28 de noviembre de 2026",
            "28 août 2026",
            "11/28/2026 3:00:00 AM",
            "11/28/2026 3:00:00\u{202f}AM",
            "/Date(1700000000000)/",
            "/Date(1700000000000+0100)/",
        ] {
            assert!(is_time(text), "{text}");
        }
    }

    #[test]
    fn names_with_years_are_no_times() {
        for text in [
            "Mario Rossi 2026",
            "28 Marchetti-Rossi 2026",
            "Nov Rossi 2026",
            "28 nov",
            "12 Mario 2026",
            "Mar 28 Rossi",
            "12-Ada-43",
            "2023-W99",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn spans_are_told_from_names_and_numbers() {
        for text in ["30.00:00:00", "00:30:00", "P30D", "PT12H", "1.12:30:00.5"] {
            assert!(is_span(text), "{text}");
        }
        for text in ["Paolo", "PIERO", "3351234567", "30", "335.1234567", "P3351234567D"] {
            assert!(!is_span(text), "{text}");
        }
    }

    #[test]
    fn numbers_of_persons_are_no_times() {
        for text in [
            "+39 02 2034 5678",
            "784-1990-1234567-1",
            "3331985123",
            "02 1985 1234",
            "1 85 07 78 006 084 36",
            "2012-13-02",
            "1985-0102-1234",
            "20241301",
            "+4420200000",
        ] {
            assert!(!is_evident_time(text), "{text}");
        }
    }
}
