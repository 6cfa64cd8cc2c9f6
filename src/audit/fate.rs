//! What ends an exchange from outside.

use crate::error::{Reason, Refusal, RuleName};
use std::sync::atomic::{AtomicU8, Ordering};

/// Said of what stood and is ended.
#[must_use]
pub fn revoked() -> Refusal {
    let detail = "the configuration was reloaded and does not allow this connection any more; `ucx-egress explain` says why";
    Refusal::new(Reason::RevokedByReload, detail, RuleName::Builtin("reload"))
}

/// What becomes of exchanges when what carries them is ended from outside.
#[derive(Debug, Default)]
pub struct Fate(AtomicU8);

impl Fate {
    const REVOKED: u8 = 1;
    const DISMISSED: u8 = 2;

    /// The configuration no longer allows it.
    pub fn revoke(&self) {
        self.0.store(Self::REVOKED, Ordering::Relaxed);
    }

    /// The proxy stops, and nothing moves.
    pub fn dismiss(&self) {
        self.0.store(Self::DISMISSED, Ordering::Relaxed);
    }

    /// Whether it is decided.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether the configuration no longer allows it.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::REVOKED
    }
}
