//! The bytes that all held messages together may occupy.

use crate::error::{Reason, Refusal, RuleName};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is left to hold.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    left: AtomicUsize,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { limit: bytes, left: AtomicUsize::new(bytes) })
    }

    /// All of it.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a part of it.
    ///
    /// # Errors
    /// `overloaded`, when so much is not left. Nothing of the message has been read then.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Reservation, Refusal> {
        self.take(bytes)?;
        Ok(Reservation { budget: self.clone(), bytes })
    }

    fn take(&self, bytes: usize) -> Result<(), Refusal> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| {
            let detail = "as many bytes are held for inspection as inspection.max_held allows; try again, or raise it";
            Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("inspection.max_held"))
        })
    }
}

impl Reservation {
    /// Makes it at least so large.
    ///
    /// # Errors
    /// `overloaded`.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = bytes.saturating_sub(self.bytes);
        self.budget.take(more)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_and_no_more_is_given() {
        let budget = Budget::new(100);
        let mut first = budget.reserve(40).expect("there is room");
        first.grow_to(60).expect("there is room");
        first.grow_to(10).expect("it is larger already");
        assert_eq!(budget.reserve(41).expect_err("too much").reason, Reason::Overloaded);
        let second = budget.reserve(40).expect("there is room");
        assert!(first.grow_to(61).is_err());
        drop((first, second));
        assert!(budget.reserve(100).is_ok());
    }
}
