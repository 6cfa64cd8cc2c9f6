//! Long stretches of one class of bytes, found without looking at every byte.
//!
//! A stretch of at least `n` bytes covers every place that is `n` bytes behind one where none can begin. So that place is looked
//! at first, and then the bytes before it, backwards (Boyer and Moore 1977). Most text is skipped after one or two looks.

use std::ops::Range;

/// Finds where stretches begin.
pub(super) struct Search<'t> {
    text: &'t [u8],
    shortest: usize,
    /// No stretch begins before.
    from: usize,
    /// The bytes from `from` to here are known to be of the class.
    known: usize,
    looks: usize,
}

impl<'t> Search<'t> {
    pub(super) const fn new(text: &'t [u8], shortest: usize) -> Self {
        Self { text, shortest, from: 0, known: 0, looks: 0 }
    }

    /// Where the next stretch begins. Then [`Search::resume`] says where it ended.
    pub(super) fn start(&mut self, is: impl Fn(u8) -> bool) -> Option<usize> {
        loop {
            let end = self.from + self.shortest;
            let mut at = end;
            while at > self.known {
                at -= 1;
                let byte = *self.text.get(at)?;
                self.looks += 1;
                if !is(byte) {
                    self.from = at + 1;
                    break;
                }
            }
            self.known = end;
            if self.from + self.shortest == end {
                return Some(self.from);
            }
        }
    }

    pub(super) fn resume(&mut self, at: usize) {
        (self.from, self.known) = (at, at);
    }

    /// The next stretch as a whole.
    pub(super) fn stretch(&mut self, is: impl Fn(u8) -> bool) -> Option<Range<usize>> {
        let start = self.start(&is)?;
        let rest = self.text.get(self.known..).unwrap_or_default();
        let more = rest.iter().position(|&byte| !is(byte)).unwrap_or(rest.len());
        let end = self.known + more;
        self.looks += more;
        self.resume(end);
        Some(start..end)
    }

    /// Bytes that were looked at since the last time.
    pub(super) fn looks(&mut self) -> usize {
        std::mem::take(&mut self.looks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn most_is_skipped() {
        let text = b"short words only, none of them is so long as that; and so on it goes.".repeat(100);
        let mut search = Search::new(&text, 16);
        assert_eq!(search.stretch(|byte| byte.is_ascii_alphabetic()), None);
        assert!(search.looks() * 3 < text.len());
    }

    proptest! {
        #[test]
        fn every_long_stretch_is_found(text in "[ab ]{0,200}", shortest in 1..9_usize) {
            let is = |byte: u8| byte != b' ';
            let mut search = Search::new(text.as_bytes(), shortest);
            let found: Vec<&str> = std::iter::from_fn(|| search.stretch(is)).map(|range| &text[range]).collect();
            let all: Vec<&str> = text.split(' ').filter(|part| part.len() >= shortest).collect();
            prop_assert_eq!(found, all);
            prop_assert!(search.looks() <= text.len() + shortest);
        }
    }
}
