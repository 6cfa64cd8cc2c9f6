//! Connections that are decrypted: what passes, what is refused, and that nothing is noticed.

mod alpn;
mod basics;
mod ca;
mod handshakes;
mod holding;
mod http;
mod inspection;
mod neighbours;
mod refused_bytes;
mod rejection;
mod streams;
mod upstream_failures;
mod upstream_tls;
