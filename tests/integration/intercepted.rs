//! Connections that are decrypted: what passes, what is refused, and that nothing is noticed.

mod basics;
