//! Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>), walked where they lie.
//!
//! With a descriptor ([`Descriptors`]) a message has one reading, and what the descriptor does not have is refused. Without
//! one, [`read`] reports every reading that is possible.
//!
//! Refused either way: groups, field number 0 and the reserved ones, wire types 6 and 7, varints longer than they need to be,
//! lengths beyond the message.

mod decimal;
mod descriptor;
#[cfg(test)]
mod descriptor_tests;
mod guess;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod typed;
mod wire;

pub use descriptor::{Descriptors, Message};
pub use guess::read;
