//! The way to the cloud: names to checked addresses, connections made in one place, verified where they are decrypted, kept.

pub mod address;
mod answers;
pub mod connection;
pub mod dial;
pub mod examine;
pub mod form;
pub mod ocsp;
pub mod parent;
pub mod pool;
pub mod resolve;
pub mod secure;
pub mod shared;
pub mod tls;

pub use connection::Connection;
pub use dial::Dialer;
pub use form::RequestBody;
pub use resolve::{HostAddress, NameServers, Resolver};
