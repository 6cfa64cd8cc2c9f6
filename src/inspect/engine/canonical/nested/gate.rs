//! Whether anything can be encoded in a text at all.

use super::{grouped, short, spaced};
use crate::inspect::engine::marks::{AMPERSAND, BACKSLASH, BLANK, BREAK, CONTROL, EQUALS, Marks, OPENING, OTHER, PERCENT, PLUS};

/// Whether [`super::walk`] can find anything in a text of UTF-8 with these marks: it has a run that is long enough, or several of one
/// length, an escape, a line break (runs go on behind it), the beginning of a document, or NUL.
#[must_use]
pub fn may_hold(text: &str, marks: &Marks) -> bool {
    marks.token >= short::SHORTEST
        || marks.hex >= spaced::SHORTEST_TEXT
        || marks.has(PERCENT | AMPERSAND | BACKSLASH | EQUALS | OPENING | BREAK | CONTROL | PLUS | OTHER)
        || marks.has(BLANK) && grouped::may_hold(text.as_bytes())
}
