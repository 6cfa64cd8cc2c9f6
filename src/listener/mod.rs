//! Connections from clients: accepted, counted, bounded; the first request head read and checked.

pub mod accept;
pub mod balancer;
pub mod entrance;
pub mod framing;
pub mod guarded;
pub mod head;
pub mod silent;

pub use accept::{Accepted, Gate, accept_loop};
