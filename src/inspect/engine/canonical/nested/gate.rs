//! Whether anything can be encoded in a text at all.

use super::run;
use super::spaced;
use crate::inspect::engine::marks::{AMPERSAND, BACKSLASH, BREAK, CONTROL, EQUALS, Marks, OPENING, PERCENT};

/// Whether [`super::walk`] can find anything in a text of UTF-8 with these marks: it has a run that is long enough, an escape, a line
/// break (runs go on behind it), the beginning of a document, or NUL.
#[must_use]
pub fn may_hold(marks: &Marks) -> bool {
    marks.token >= run::SHORTEST
        || marks.hex >= spaced::SHORTEST_TEXT
        || marks.has(PERCENT | AMPERSAND | BACKSLASH | EQUALS | OPENING | BREAK | CONTROL)
}
