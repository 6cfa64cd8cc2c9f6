//! A cloud, clients and the product to measure between them.

pub(crate) mod client;
pub(crate) mod descriptors;
pub(crate) mod hosts;
pub(crate) mod origin;
pub(crate) mod pki;
pub(crate) mod product;
pub(crate) mod world;
