//! The name of a decision.

use std::fmt;

/// Names one decision in the answer, the log and the audit. Unique across restarts and replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionId {
    pub(super) boot: u64,
    pub(super) number: u64,
}

impl DecisionId {
    /// Bytes of the longest one: twelve digits, a hyphen, sixteen digits.
    pub const MAX_LENGTH: usize = 29;
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}-{:x}", self.boot & 0xffff_ffff_ffff, self.number)
    }
}
