//! What becomes of a client connection: CONNECT, plain HTTP or a relay, all through the same decision, dial and record.

pub mod again;
pub mod body;
pub mod carry;
pub mod connect;
pub mod context;
pub mod entry;
pub mod establish;
pub mod exchange;
pub mod hop;
pub mod http1;
pub mod relayed;
pub mod respond;
pub mod send;
pub mod serve;
pub mod tunnel;
pub mod upload;

pub use context::{Context, Engine, Limits};
