//! What was clean in the heads before: a client sends the same fields with every request.

use super::engine::memo::{LONGEST, Memo, Under};
use std::sync::Mutex;

/// Request targets.
const TARGET: Under = 0;
/// Fields, with their names.
const FIELD: Under = 1;

/// Targets and fields in which nothing was found. Whoever finds it in use by another thread inspects anew instead of waiting.
pub(super) struct Heads(Mutex<Memo>);

crate::hidden::hidden!(Heads);

impl Heads {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Memo::new()))
    }

    /// Whether nothing was in a target before.
    pub(super) fn has_target(&self, target: &str) -> bool {
        self.has(TARGET, target.as_bytes())
    }

    /// Remembers a target in which nothing is.
    pub(super) fn keep_target(&self, target: &str) {
        self.keep(TARGET, target.as_bytes());
    }

    /// Whether nothing was in a field before.
    pub(super) fn has_field(&self, name: &str, value: &[u8]) -> bool {
        let mut line = [0; LONGEST];
        written(&mut line, name, value).is_some_and(|field| self.has(FIELD, field))
    }

    /// Remembers a field in which nothing is.
    pub(super) fn keep_field(&self, name: &str, value: &[u8]) {
        let mut line = [0; LONGEST];
        if let Some(field) = written(&mut line, name, value) {
            self.keep(FIELD, field);
        }
    }

    fn has(&self, under: Under, text: &[u8]) -> bool {
        self.0.try_lock().is_ok_and(|memo| memo.has(under, text))
    }

    fn keep(&self, under: Under, text: &[u8]) {
        if let Ok(mut memo) = self.0.try_lock() {
            memo.keep(under, text);
        }
    }
}

/// Name and value with a colon between, which no name has; `None` if there is no room.
fn written<'l>(line: &'l mut [u8; LONGEST], name: &str, value: &[u8]) -> Option<&'l [u8]> {
    let (front, rest) = line.split_at_mut_checked(name.len())?;
    let (colon, back) = rest.split_first_mut()?;
    front.copy_from_slice(name.as_bytes());
    *colon = b':';
    back.get_mut(..value.len())?.copy_from_slice(value);
    line.get(..name.len() + 1 + value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_by_name_and_value() {
        let heads = Heads::new();
        heads.keep_field("user-agent", b"curl/8");
        assert!(heads.has_field("user-agent", b"curl/8"));
        for (name, value) in [("user-agent", &b"curl/9"[..]), ("user-agen", b"t:curl/8"), ("accept", b"curl/8"), ("user-agent", b"")] {
            assert!(!heads.has_field(name, value), "{name}");
        }
        assert!(!heads.has_target("user-agent:curl/8"));
        let long = [b'a'; LONGEST];
        heads.keep_field("x", &long);
        assert!(!heads.has_field("x", &long));
    }
}
