//! What the request path looks for: e-mail addresses, with the engine's detector. None of it keeps or shows what it saw.

use super::engine::context::Context;
use super::engine::detect::email;
use super::engine::finding::Hit;
use super::finding::Kind;

/// Something a detector recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// What it is.
    pub kind: Kind,
    /// The byte of the text where it begins.
    pub offset: usize,
}

/// Looks at a text.
pub fn scan(text: &[u8], report: &mut dyn FnMut(Detected)) {
    email::scan(text, &Context::default(), &mut |hit| {
        if hit.bits >= Hit::ENOUGH {
            report(Detected { kind: Kind::Email, offset: hit.start });
        }
    });
}
