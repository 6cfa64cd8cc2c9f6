//! The promises of the proxy, each in a file of its own.

#![allow(clippy::disallowed_methods, reason = "tests are clients and origins, they connect themselves")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking, and so do its helpers")]
#![allow(missing_docs, reason = "test support is read where it is used")]

mod access;
mod addresses;
mod admin;
mod answers;
mod audit;
mod client_networks;
mod configuration;
mod corpus;
mod discovery;
mod doctor;
mod dual_stack;
mod entrances;
mod hello;
mod hostile;
mod house;
mod intercepted;
mod leaks;
mod lifecycle;
mod limits;
mod observe;
mod observed;
mod outputs;
mod packaged;
mod parents;
mod plain_http;
mod policy;
mod quota;
mod relay;
mod reload;
mod resilience;
mod scanning;
mod series;
mod smoke;
mod supervised;
mod support;
mod vectors;
mod verbs;
