//! What a scenario is held against.

use serde_json::{Value, json};

/// One scenario and what became of it.
#[derive(Debug)]
pub struct Row {
    /// The scenario's name.
    pub name: &'static str,
    /// What was broken.
    pub broken: &'static str,
    /// What had to be seen.
    pub expected: &'static str,
    /// What was seen: a reason, or what it was instead.
    pub seen: String,
    /// The status of the answer, 0 without one.
    pub status: u16,
    /// What must hold while it is broken, and whether it did.
    closed: Vec<(String, bool)>,
    /// The same for before and after.
    open: Vec<(String, bool)>,
}

impl Row {
    /// Nothing is known yet.
    pub fn new(name: &'static str, broken: &'static str, expected: &'static str) -> Self {
        Self { name, broken, expected, seen: "-".to_owned(), status: 0, closed: Vec::new(), open: Vec::new() }
    }

    /// Notes what must hold while it is broken. `what` is said where it does not.
    pub fn closed(&mut self, holds: bool, what: impl Into<String>) {
        self.closed.push((what.into(), holds));
    }

    /// Notes what must hold while it is whole.
    pub fn open(&mut self, what: &str, outcome: &Result<(), String>) {
        let error = outcome.as_ref().err().map(|error| format!("{what}: {error}"));
        self.open.push((error.unwrap_or_default(), outcome.is_ok()));
    }

    /// Whether all that had to hold while it was broken did.
    pub fn fails_closed(&self) -> bool {
        !self.closed.is_empty() && self.closed.iter().all(|(_, holds)| *holds)
    }

    /// Whether it passed before and passes again.
    pub fn has_recovered(&self) -> bool {
        !self.open.is_empty() && self.open.iter().all(|(_, holds)| *holds)
    }

    /// Whether everything is as it has to be.
    pub fn holds(&self) -> bool {
        self.fails_closed() && self.has_recovered()
    }

    /// What is not as it has to be.
    pub fn wrong(&self) -> impl Iterator<Item = &str> {
        self.closed.iter().chain(&self.open).filter(|(_, holds)| !holds).map(|(what, _)| &**what)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "name": self.name,
            "broken": self.broken,
            "expected": self.expected,
            "seen": self.seen,
            "status": self.status,
            "fails_closed": self.fails_closed(),
            "recovered": self.has_recovered(),
            "wrong": self.wrong().collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_not_looked_at_does_not_hold() {
        let mut row = Row::new("x", "y", "z");
        assert!(!row.fails_closed() && !row.has_recovered());
        row.closed(true, "a");
        row.open("before", &Ok(()));
        assert!(row.holds());
    }

    #[test]
    fn one_that_does_not_hold_is_enough_and_is_said() {
        for is_closed in [true, false] {
            let mut row = Row::new("x", "y", "z");
            row.closed(true, "a");
            row.closed(is_closed, "b");
            row.open("before", &Ok(()));
            row.open("afterwards", &if is_closed { Err("c".to_owned()) } else { Ok(()) });
            assert!(!row.holds() && row.fails_closed() == is_closed && row.has_recovered() != is_closed);
            assert_eq!(row.wrong().collect::<Vec<_>>(), [if is_closed { "afterwards: c" } else { "b" }]);
            assert_eq!(row.json()["fails_closed"], is_closed);
        }
    }
}
