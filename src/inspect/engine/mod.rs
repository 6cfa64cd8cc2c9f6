//! The inspection engine: a message is harmless by its documented shape, or it is looked at.
//!
//! Bytes become text ([`canonical`]: content codings, charsets, look-alikes, what is wrapped in what), text becomes leaves
//! ([`format`](mod@format)), each leaf stands under a key that the documented [`shape`] knows or does not ([`tree`]), and what its
//! form does not prove harmless is looked at by the detectors ([`detect`]). [`walk`] holds it together.
//!
//! Pure, like all of inspection.

pub mod canonical;
pub mod context;
pub mod detect;
pub mod digits;
pub mod finding;
pub mod format;
pub mod marks;
pub mod memo;
#[cfg(test)]
mod noise;
pub mod pieces;
pub mod shape;
pub mod tree;
pub mod walk;
