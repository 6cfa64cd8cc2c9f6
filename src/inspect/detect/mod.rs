//! Detectors, one a file. Each looks at text and reports where something begins; none keeps or shows what it saw.

pub mod email;

use super::finding::Kind;

/// Something a detector recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// What it is.
    pub kind: Kind,
    /// The byte of the text where it begins.
    pub offset: usize,
}

/// Runs every detector over a text.
pub fn scan(text: &[u8], report: &mut dyn FnMut(Detected)) {
    email::scan(text, &mut |offset| report(Detected { kind: Kind::Email, offset }));
}
