//! The way to the cloud: names to checked addresses, connections made in one place, connections kept for plain HTTP.

pub mod address;
pub mod dial;
pub mod ocsp;
pub mod pool;
pub mod resolve;
pub mod tls;

pub use dial::Dialer;
pub use resolve::{HostAddress, NameServers, Resolver};
