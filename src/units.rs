//! Durations and sizes as a person writes them: `"10s"`, `"15m"`, `"1h"`, `"4MiB"`; counts as a person reads them: `1 file`, `2 files`.

use serde::de::{self, Deserialize, Deserializer};
use std::time::Duration;

/// A length of time in a configuration or policy file: a whole number and one of `ms`, `s`, `m`, `h`, `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub struct Span(pub Duration);

/// A number of bytes in a configuration file: a whole number and one of `B`, `KiB`, `MiB`, `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub struct Size(pub u64);

/// So many in so long a time: a whole number, with a size's unit for bytes, a `/` and one of `s`, `m`, `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// How many.
    pub amount: u64,
    /// In which time.
    pub per: Duration,
    /// Whether it is bytes that are counted.
    pub is_bytes: bool,
}

const SPANS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn flow(text: &str) -> Option<Flow> {
    let (amount, unit) = text.split_once('/')?;
    let per = Duration::from_secs(match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    });
    let (amount, is_bytes) = match scaled(amount, SIZES) {
        Some(bytes) => (bytes, true),
        None => (scaled(amount, &[("", 1)])?, false),
    };
    Some(Flow { amount, per, is_bytes })
}

impl<'de> Deserialize<'de> for Flow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        flow(&text).ok_or_else(|| {
            de::Error::custom(format!("{text:?} is no rate; write a whole number in a time: \"50/s\", \"10/m\", for bytes \"10MiB/s\""))
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let millis = scaled(&text, SPANS).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no length of time; write a whole number and a unit: \"500ms\", \"10s\", \"15m\", \"1h\", \"2d\""
            ))
        })?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        scaled(&text, SIZES)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no size; write a whole number and a unit: \"64KiB\", \"4MiB\"")))
    }
}

/// Writes a duration the way it would be configured, in the largest whole unit.
#[must_use]
pub fn show(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    SPANS
        .iter()
        .rev()
        .find(|(_, factor)| millis >= *factor && millis.is_multiple_of(*factor))
        .map_or_else(|| format!("{millis}ms"), |(unit, factor)| format!("{}{unit}", millis / factor))
}

/// A count with what is counted.
#[must_use]
pub fn counted(count: u64, thing: &str) -> String {
    format!("{count} {}", plural(count, thing))
}

/// What is counted, a word that takes an `s`: `file` of one, `files` of any other number.
#[must_use]
pub fn plural(count: u64, thing: &str) -> String {
    format!("{thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "file")), ["0 files", "1 file", "2 files"]);
    }

    #[test]
    fn spans_and_sizes_are_read() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("15m", 900_000), ("1h", 3_600_000), ("2d", 172_800_000)] {
            assert_eq!(scaled(text, SPANS), Some(millis));
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
        for (text, bytes) in [("0B", 0), ("64KiB", 65_536), ("4MiB", 4_194_304), ("1GiB", 1 << 30)] {
            assert_eq!(scaled(text, SIZES), Some(bytes));
        }
    }

    #[test]
    fn rates_are_read() {
        let read = |text| flow(text).map(|flow| (flow.amount, flow.per.as_secs(), flow.is_bytes));
        for (text, expected) in
            [("50/s", (50, 1, false)), ("10/m", (10, 60, false)), ("1/h", (1, 3_600, false)), ("2MiB/s", (2 << 20, 1, true))]
        {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["", "50", "50/", "/s", "50/d", "50 /s", "-1/s", "1.5/s", "50/s/s", "MiB/s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "10", "s", "-1s", "1.5s", "10 s", "10S", "99999999999999999999s", "99999999999999999d"] {
            assert_eq!(scaled(text, SPANS), None, "{text}");
        }
    }
}
