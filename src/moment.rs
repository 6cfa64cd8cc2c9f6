//! Times as the proxy writes them, always UTC: RFC 3339, for audit lines with milliseconds.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::{Date, Month, OffsetDateTime, Time};

/// A day, as people write it: `2029-11-20`.
#[must_use]
pub fn date(time: SystemTime) -> String {
    OffsetDateTime::from(time).date().to_string()
}

/// `2026-11-29T21:52:03.123Z`
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let utc = OffsetDateTime::from(time);
    format!("{}T{:02}:{:02}:{:02}.{:03}Z", utc.date(), utc.hour(), utc.minute(), utc.second(), utc.millisecond())
}

/// `2026-11-29T21:52:03Z`, for people.
#[must_use]
pub fn seconds(time: SystemTime) -> String {
    let utc = OffsetDateTime::from(time);
    format!("{}T{:02}:{:02}:{:02}Z", utc.date(), utc.hour(), utc.minute(), utc.second())
}

/// `20261129T215203Z`, for names of files.
#[must_use]
pub fn compact(time: SystemTime) -> String {
    seconds(time).replace(['-', ':'], "")
}

/// Reads what [`compact`] writes.
#[must_use]
pub fn read_compact(text: &str) -> Option<SystemTime> {
    let part = |range: Range<usize>| text.get(range);
    if text.len() != 16 || part(8..9) != Some("T") || part(15..16) != Some("Z") {
        return None;
    }
    let [year, month, day] = [part(0..4)?, part(4..6)?, part(6..8)?];
    let [hour, minute, second] = [part(9..11)?, part(11..13)?, part(13..15)?];
    read(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// Reads a date (its first moment in UTC) or a time of RFC 3339 with `Z` or an offset.
#[must_use]
pub fn read(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let is_formed = date.get(4..5) == Some("-") && date.get(7..8) == Some("-");
    let day = day(number(date.get(0..4)?)?, two(date, 5..7)?, two(date, 8..10)?).filter(|_| is_formed)?;
    if rest.is_empty() {
        return at(day, 0, 0, 0);
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let (time, zone) = clock.split_at_checked(8)?;
    let is_formed = time.get(2..3) == Some(":") && time.get(5..6) == Some(":");
    let moment = at(day, two(time, 0..2)?, two(time, 3..5)?, two(time, 6..8)?).filter(|_| is_formed)?;
    let (fraction, zone) = match zone.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("", zone),
    };
    let nanos = if fraction.is_empty() { 0 } else { number::<u32>(format!("{fraction:0<9}").get(..9)?)? };
    shifted(moment + Duration::from_nanos(u64::from(nanos)), zone)
}

/// A local time with its offset, as UTC.
fn shifted(moment: SystemTime, zone: &str) -> Option<SystemTime> {
    if zone == "Z" || zone == "z" {
        return Some(moment);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let (hours, minutes): (u64, u64) = (number(hours)?, number(minutes)?);
    let offset = Duration::from_secs(hours * 3_600 + minutes * 60);
    match sign {
        "+" if hours < 24 && minutes < 60 => moment.checked_sub(offset),
        "-" if hours < 24 && minutes < 60 => moment.checked_add(offset),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn two(text: &str, range: Range<usize>) -> Option<u8> {
    number(text.get(range)?)
}

fn day(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

fn at(day: Date, hour: u8, minute: u8, second: u8) -> Option<SystemTime> {
    let seconds = day.with_time(Time::from_hms(hour, minute, second).ok()?).assume_utc().unix_timestamp();
    u64::try_from(seconds).ok().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let moment = UNIX_EPOCH + Duration::from_millis(1_795_989_123_456);
        assert_eq!(rfc3339(moment), "2026-11-29T21:52:03.456Z");
        assert_eq!(read(&rfc3339(moment)), Some(moment));
        assert_eq!(compact(moment), "20261129T215203Z");
        assert_eq!(read_compact(&compact(moment)), Some(UNIX_EPOCH + Duration::from_secs(1_795_989_123)));
    }

    #[test]
    fn dates_and_offsets_are_read() {
        let same = ["2026-11-29T21:52:03Z", "2026-11-29T22:52:03+01:00", "2026-11-29 16:22:03.000-05:30"];
        assert!(same.iter().all(|text| read(text) == read(same[0]) && read(text).is_some()));
        assert_eq!(read("2026-11-29"), read("2026-11-29T00:00:00Z"));
        for text in
            ["", "2026", "2026-13-01", "2026-02-30", "29.11.2026", "2026-11-29T25:00:00Z", "2026-11-29T10:00", "2026-11-29T10:00:00"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
