//! TLS without I/O.

pub mod client_hello;
