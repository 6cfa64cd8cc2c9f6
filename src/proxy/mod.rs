//! What becomes of a client connection: CONNECT, plain HTTP or a relay, all through the same decision, dial and record.

pub mod again;
pub mod arrive;
pub mod body;
pub mod budget;
pub mod carry;
pub mod channel;
pub mod connect;
pub mod context;
pub mod entry;
pub mod establish;
pub mod exchange;
pub mod forward;
pub mod grpc;
pub mod hold;
pub mod hop;
pub mod http1;
pub mod http2;
pub mod inner;
pub mod inspected;
pub mod intercept;
pub mod interception;
pub mod judge;
pub mod observed;
pub mod payload;
pub mod relayed;
pub mod release;
pub mod repeat;
pub mod respond;
pub mod send;
pub mod sent;
pub mod serve;
pub mod sni;
pub mod streams;
pub mod tunnel;
pub mod upload;

pub use context::{Context, Engine, Limits};
