//! TLS: the first bytes of a tunnel without I/O; the interception CA and the certificates it signs.

pub mod authority;
pub mod client_hello;
pub mod leaf;
pub mod proven;
pub mod reception;
pub mod server;
pub mod trust;
