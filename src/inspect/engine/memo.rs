//! Values that were harmless before, in the same message or in those before it: telemetry says `Running` and `svchost.exe` again and again.

/// Values that are remembered at once.
const PLACES: usize = 128;
/// Longest value that is.
pub const LONGEST: usize = 118;

/// A table in which each value has one place; a later one takes it over. Values are compared byte by byte: what only has the place of a
/// harmless one is not taken for it.
#[derive(Default)]
pub struct Memo(Vec<Entry>);

#[derive(Clone, Copy)]
struct Entry {
    under: Under,
    length: u8,
    bytes: [u8; LONGEST],
}

/// Under what a value is harmless: a slot or a key, by a number.
pub type Under = u32;

/// No slot and no key.
const NONE: Under = Under::MAX;

impl Memo {
    /// An empty one, which takes no memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether the value was harmless there before.
    #[must_use]
    pub fn has(&self, under: Under, text: &[u8]) -> bool {
        let Some(entry) = self.0.get(place(under, text)) else { return false };
        entry.under == under && usize::from(entry.length) == text.len() && entry.bytes.get(..text.len()) == Some(text)
    }

    /// Remembers it.
    pub fn keep(&mut self, under: Under, text: &[u8]) {
        let Some(length) = u8::try_from(text.len()).ok().filter(|length| usize::from(*length) <= LONGEST) else { return };
        if self.0.is_empty() {
            self.0.resize(PLACES, Entry { under: NONE, length: 0, bytes: [0; LONGEST] });
        }
        let Some(entry) = self.0.get_mut(place(under, text)) else { return };
        (entry.under, entry.length) = (under, length);
        if let Some(bytes) = entry.bytes.get_mut(..text.len()) {
            bytes.copy_from_slice(text);
        }
    }
}

/// The place of a value, from its length, its beginning and its end.
fn place(under: Under, text: &[u8]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| u64::from_le_bytes(*bytes));
    let first = word(text.first_chunk()).unwrap_or_else(|| text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    let last = word(text.last_chunk()).unwrap_or_default();
    let mixed = (first ^ last.rotate_left(23) ^ u64::from(under) << 40 ^ text.len() as u64).wrapping_mul(ODD);
    usize::try_from(mixed >> 57).unwrap_or_default() % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_value_in_the_same_place_is_remembered() {
        let mut memo = Memo::new();
        assert!(!memo.has(1, b"Running"));
        memo.keep(1, b"Running");
        assert!(memo.has(1, b"Running") && !memo.has(2, b"Running") && !memo.has(1, b"running") && !memo.has(1, b"Runnin"));
        let long = "x".repeat(LONGEST + 1);
        memo.keep(1, long.as_bytes());
        assert!(!memo.has(1, long.as_bytes()));
    }

    #[test]
    fn values_with_one_place_are_told_apart() {
        let mut memo = Memo::new();
        let values: Vec<String> = (0..10_000).map(|number| format!("value {number}")).collect();
        for value in &values {
            assert!(!memo.has(0, value.as_bytes()), "{value}");
            memo.keep(0, value.as_bytes());
            assert!(memo.has(0, value.as_bytes()), "{value}");
        }
        assert!(memo.0.len() * size_of::<Entry>() <= 16 << 10);
    }
}
