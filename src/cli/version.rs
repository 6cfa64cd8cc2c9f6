//! `--version`: which program this is, and by which policy it decides.

use super::{OK, load, print};
use std::path::Path;

/// The commit the program was made from; `unknown` outside a checkout, unless `SOURCE_COMMIT` said it at build time.
const COMMIT: &str = env!("UCX_EGRESS_COMMIT");

/// Prints version, commit, and the hash of the policy of the configuration, or of the built-in one.
#[must_use]
pub fn main(config: Option<&Path>) -> u8 {
    match load(config) {
        Ok(config) => {
            print(&format!("ucx-egress {} (commit {COMMIT}, policy {})\n", env!("CARGO_PKG_VERSION"), config.policy.hash()));
            OK
        }
        Err(code) => code,
    }
}
