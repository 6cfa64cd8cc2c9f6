//! What becomes of a client connection: CONNECT, plain HTTP or a relay, all through the same decision, dial and record.

pub mod body;
pub mod connect;
pub mod context;
pub mod exchange;
pub mod hop;
pub mod relayed;
pub mod respond;
pub mod serve;
pub mod tunnel;

pub use context::{Context, Engine, Limits};
