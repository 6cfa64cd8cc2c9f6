//! Connections that are decrypted: what passes, what is refused, and that nothing is noticed.

mod alpn;
mod basics;
mod ca;
mod handshakes;
mod upstream_failures;
mod upstream_tls;
