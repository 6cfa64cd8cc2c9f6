//! Runs in short groups of one length, a blank between them: `bWFy aW8u cm9z c2lA`. Longer groups are runs of their own.

use super::{Finder, Unreadable, run};
use crate::inspect::engine::digits::{BASE64, HEX};

/// Fewest groups: words are rarely as long as the three before them.
const FEWEST: usize = 4;

/// Groups in a row.
struct Groups {
    /// Where they begin, and what is behind them.
    start: usize,
    end: usize,
}

/// Whether there are groups in a text: four or more of one length, with blanks between.
#[must_use]
pub fn may_hold(text: &[u8]) -> bool {
    text.len() > run::SHORTEST && next(text, 0).is_some()
}

/// Finds the groups and looks into what they are put together.
pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let mut at = 0;
    while let Some(Groups { start, end }) = next(text, at) {
        at = end;
        let groups = text.get(start..end).unwrap_or_default();
        // Those are looked into elsewhere.
        if groups.iter().all(|&byte| matches!(byte, b' ' | b'x' | b'X') || HEX.has(byte)) {
            continue;
        }
        let digits: Vec<u8> = groups.iter().copied().filter(|&byte| byte != b' ').collect();
        finder.budget.count(groups.len());
        run::mixed(&digits, finder)?;
    }
    Ok(())
}

/// The next groups from a place on, which is not inside of one.
fn next(text: &[u8], from: usize) -> Option<Groups> {
    let is_enough = |count: usize, length: usize| count >= FEWEST && length < run::SHORTEST && count * length >= run::SHORTEST;
    let mut at = from;
    let (mut start, mut length, mut count) = (from, 0, 0);
    loop {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let len = rest.iter().take_while(|&&byte| BASE64.has(byte)).count();
        let is_parted = rest.get(len) == Some(&b' ');
        if count > 0 && len == length && is_parted {
            count += 1;
        } else if is_enough(count, length) {
            // The last one may be shorter.
            let end = if len <= length { at + len } else { at };
            return Some(Groups { start, end });
        } else {
            (start, length, count) = (at, len, usize::from(is_parted && len > 0));
        }
        at += len + 1;
        if at >= text.len() {
            return is_enough(count, length).then_some(Groups { start, end: text.len() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(groups) = next(text.as_bytes(), at) {
            found.push(&text[groups.start..groups.end]);
            at = groups.end;
        }
        found
    }

    #[test]
    fn groups_of_one_length_are_found() {
        assert_eq!(groups("bWFy aW8u cm9z c2lA YWNt"), ["bWFy aW8u cm9z c2lA YWNt"]);
        assert_eq!(groups("see: bWFy aW8u cm9z c2lA YQ== and more"), ["bWFy aW8u cm9z c2lA YQ"]);
        assert_eq!(groups("a b c d e f g h i j k l m n o p q"), ["a b c d e f g h i j k l m n o p q"]);
        for text in ["", "abcd", "abcd efgh ijkl", "Windows Server Datacenter Evaluation", "a b c d", "aaaa  bbbb  cccc  dddd"] {
            assert_eq!(groups(text), [""; 0], "{text}");
        }
    }
}
