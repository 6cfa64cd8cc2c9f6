//! Why a parent gave no tunnel, and what follows from it.

use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::ParentOutcome;

/// The rule of a parent that cannot be reached or verified.
pub const UNREACHED: RuleName = RuleName::Builtin("upstream.parent");

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is an answer: no other parent is asked.
    Final,
    /// Another parent may know better; this one is well.
    Elsewhere,
    /// Another parent is asked, and for a while before this one.
    Down,
}

/// A failed attempt.
#[derive(Debug)]
pub struct Failure {
    /// What the client is told, if no other parent helps.
    pub refusal: Refusal,
    /// How it counts for the parent; nothing if it is the proxy's own limit.
    pub outcome: Option<ParentOutcome>,
    /// What follows.
    pub meaning: Meaning,
}

impl Failure {
    /// The parent could not be reached, verified or waited for.
    #[must_use]
    pub fn unreached(reason: Reason, detail: String) -> Self {
        Self { refusal: Refusal::new(reason, detail, UNREACHED), outcome: Some(ParentOutcome::Unreachable), meaning: Meaning::Down }
    }

    /// The proxy itself is at a limit.
    #[must_use]
    pub fn own(refusal: Refusal) -> Self {
        Self { refusal, outcome: None, meaning: Meaning::Final }
    }
}

/// The refusal when no parent of several helped: the last one's reason, with what each of them said.
#[must_use]
pub fn of_all(details: &[String], last: Refusal) -> Refusal {
    Refusal { detail: if details.is_empty() { last.detail } else { format!("{}; {}", details.join("; "), last.detail).into() }, ..last }
}
