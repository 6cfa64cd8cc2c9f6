//! What the tests are made of: the proxy, origins, name servers, clients, certificates, metrics.

pub mod client;
pub mod daemon;
pub mod dns;
pub mod intercept;
pub mod origin;
pub mod pki;
pub mod policy;
pub mod proxy;
pub mod scrape;
