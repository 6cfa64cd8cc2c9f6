//! What the tests are made of: the proxy, origins, name servers, clients, certificates, metrics.

pub mod clean;
pub mod client;
pub mod daemon;
pub mod dns;
pub mod entrance;
pub mod http2;
pub mod intercept;
pub mod origin;
pub mod parent;
pub mod passwords;
pub mod pki;
pub mod policy;
pub mod proxy;
pub mod rejecting;
pub mod scrape;
pub mod world;
