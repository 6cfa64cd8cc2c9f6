//! Who a client is: names and passwords (RFC 7617) against an htpasswd file.
//!
//! [`basic`] reads what a client offers, [`hash`] and [`htpasswd`] read the file: without I/O, but for the reading of the file itself.
//! [`Access`] puts them together. It knows nothing of the protocol that the credentials came in, so every way in shares it.

pub mod authenticator;
pub mod basic;
pub mod cache;
pub mod hash;
pub mod htpasswd;
pub mod limit;

pub use authenticator::{Access, Challenge, Refreshed};
pub use basic::Offered;
pub use htpasswd::Loaded;

use crate::error::RuleName;

/// The rule behind every refusal of credentials.
pub const RULE: RuleName = RuleName::Builtin("clients.htpasswd");
