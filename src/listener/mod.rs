//! Connections from clients: accepted, counted, bounded; the first request head read and checked.

pub mod accept;
pub mod head;
pub mod rewound;

pub use accept::{Accepted, Gate, accept_loop};
