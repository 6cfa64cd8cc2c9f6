//! Lines whose hashes fit, and for which no signature speaks: hashes need no key, so somebody who could write to the file may have written
//! them.

use crate::units::counted;
use serde::Serialize;
use std::fmt;

/// Lines of one file that no checkpoint vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unvouched {
    /// The file.
    pub file: String,
    /// The first line's number.
    pub first: u64,
    /// The last line's number.
    pub last: u64,
    /// How many.
    pub lines: u64,
    /// Why none does.
    pub why: WhyNot,
}

/// Why no checkpoint vouches for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// The process ended without closing the file: the next one found them there, and did not see them written.
    Killed,
    /// The file is not closed yet: its next checkpoint will.
    Open,
}

impl Unvouched {
    /// Of a file, from one line to another.
    #[must_use]
    pub fn new(file: String, first: u64, last: u64, why: WhyNot) -> Self {
        Self { file, first, last, lines: last.saturating_sub(first) + 1, why }
    }
}

impl fmt::Display for Unvouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, first, last, lines, why } = self;
        let lines = counted(*lines, "line");
        write!(f, "sequence {first} to {last}: no checkpoint vouches for them ({lines} at the end of {file}): ")?;
        f.write_str(match why {
            WhyNot::Killed => {
                "the process ended without closing the file; until the next start, whoever could write there could rewrite them without the key"
            }
            WhyNot::Open => {
                "the file is not closed yet; until its next checkpoint, whoever can write there can rewrite them without the key"
            }
        })
    }
}
