//! Inspection: a message in, a verdict out. Pure: no async, clock, I/O or logging.
//!
//! [`Inspector`] reads a message by what its header fields say ([`inspector`]), and what stands around it ([`fields`]); the
//! [`engine`] knows codings, formats, the documented shape and the detectors. What cannot be read is
//! [`Verdict::Uninspectable`], never clean.

pub mod canary;
mod documents;
pub mod engine;
pub mod fields;
pub mod grpc;
mod heads;
pub mod inspector;
pub mod verdict;

pub use engine::walk::Stream;
pub use inspector::{Call, Inspector};
pub use verdict::{Finding, Kind, Verdict, Why};

#[cfg(test)]
mod tests;
