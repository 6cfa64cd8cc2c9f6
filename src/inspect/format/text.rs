//! Text in UTF-8.

use crate::inspect::detect::{self, Detected};
use memchr::memchr;

/// Scans a text as it stands.
///
/// # Errors
/// When it is not UTF-8, or has NUL in it: another charset then, in which nothing would be recognised.
pub fn scan(bytes: &[u8], report: &mut dyn FnMut(Detected)) -> Result<(), &'static str> {
    if memchr(0, bytes).is_some() || std::str::from_utf8(bytes).is_err() {
        return Err("the body is no text in UTF-8");
    }
    detect::scan(bytes, report);
    Ok(())
}
