//! The promises of the proxy, each in a file of its own.

#![allow(clippy::disallowed_methods, reason = "tests are clients and origins, they connect themselves")]
#![allow(missing_docs, reason = "test support is read where it is used")]

mod house;
mod smoke;
mod support;
