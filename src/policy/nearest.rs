//! The allow rule a refused destination was closest to: a typing error is then seen at a glance.

use super::decision::Policy;
use super::rules::Rule;
use crate::destination::Destination;

/// The nearest rule: the same host on another port first, then the least different name.
#[must_use]
pub fn nearest<'a>(policy: &'a Policy, destination: &Destination) -> Option<&'a Rule> {
    let host = destination.host.to_string();
    policy.rules().iter().min_by_key(|rule| (distance(&expanded(&rule.host, &host), &host), rule.port != destination.port))
}

/// A wildcard takes the first label of the name it is compared with.
fn expanded(pattern: &str, host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    pattern.strip_prefix("*.").map_or_else(|| pattern.to_owned(), |parent| format!("{first}.{parent}"))
}

/// Levenshtein distance, one row at a time. Names are at most 253 octets.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let next = (*cell + 1).min(left + 1).min(diagonal + usize::from(x != y));
            diagonal = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_edits() {
        for (a, b, edits) in
            [("", "", 0), ("abc", "", 3), ("", "abc", 3), ("kitten", "sitting", 3), ("api.imagicle.com", "apl.imagicle.com", 1)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
