//! From received bytes to text that a detector can read: content codings, charsets, Unicode folding, nested encodings.
//!
//! Everything here fails closed: what cannot be read in exactly one known way is an [`Unreadable`], never a silent pass.

pub mod charset;
pub mod coding;
pub mod codings;
pub mod confusable;
pub mod fold;
pub mod magic;
pub mod nested;
pub mod spacing;
mod unreadable;

pub use unreadable::Unreadable;

/// What a message may grow to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message after all content codings.
    pub max_output: usize,
}

impl Default for Limits {
    /// One MiB, as for a message without content coding.
    fn default() -> Self {
        Self { max_output: 1 << 20 }
    }
}
