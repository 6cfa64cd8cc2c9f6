//! Words that are drawn out, letter by letter: `m a r i o`, `m.a.r.i.o`, `m  a  r  i  o`.

/// Fewest letters of one. Fewer are an abbreviation.
pub const FEWEST: usize = 8;

/// Whether so many letters or digits of a text stand alone that it may be drawn out.
#[must_use]
pub fn may_be_drawn_out(text: &str) -> bool {
    text.len() >= 2 * FEWEST - 1 && stand_alone(text.chars().map(char::is_alphanumeric)) >= FEWEST
}

/// How many letters or digits stand alone, of each sign whether it is one.
pub fn stand_alone(letters: impl Iterator<Item = bool>) -> usize {
    let (mut count, mut length) = (0, 0);
    for is_letter in letters.chain([false]) {
        if is_letter {
            length += 1;
        } else {
            count += usize::from(length == 1);
            length = 0;
        }
    }
    count
}

/// The longest stretch of single letters with one and the same sign between them, without that.
#[must_use]
pub fn closed_up(text: &str) -> Option<String> {
    let gap = gap(text)?;
    let (mut longest, mut stretch) = (Stretch::default(), Stretch::default());
    for piece in text.split(gap) {
        let mut letters = piece.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => stretch.add(letter),
            (None, _) => stretch.skip(gap),
            _ => longest.keep(&mut stretch),
        }
    }
    longest.keep(&mut stretch);
    (longest.count >= FEWEST).then_some(longest.text)
}

/// What stands behind the first letter that stands alone.
fn gap(text: &str) -> Option<char> {
    let mut before = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_letter = letter.is_alphanumeric();
        if let Some(next) = letters.peek().filter(|next| is_letter && !before && !next.is_alphanumeric()) {
            return Some(*next);
        }
        before = is_letter;
    }
    None
}

/// Letters that stand alone, one behind the other.
#[derive(Default)]
struct Stretch {
    text: String,
    count: usize,
    /// Gaps in a row with nothing between.
    empty: usize,
}

impl Stretch {
    fn add(&mut self, letter: char) {
        self.text.push(letter);
        self.count += 1;
        self.empty = 0;
    }

    /// Two gaps with nothing between may be twice as wide; three are one that is a letter itself.
    fn skip(&mut self, gap: char) {
        self.empty += 1;
        if self.empty == 2 {
            self.add(gap);
        }
    }

    /// Takes another that has ended if it is longer, and begins that anew.
    fn keep(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        if other.count > self.count {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_stand_alone_are_put_together() {
        for (text, expected) in [
            ("m a r i o @ a c m e . i t", "mario@acme.it"),
            ("m.a.r.i.o.@.a.c.m.e...i.t", "mario@acme.it"),
            ("m  a  r  i  o  @  a  c  m  e  .  i  t", "mario@acme.it"),
            ("Agent m a r i o @ a c m e . i t 1.2", "mario@acme.it"),
            ("4-1-1-1-1-1-1-1", "41111111"),
            ("+ 3 9   3 3 3 1 2 3", "+39 333123"),
            ("м а р и о р о с", "мариорос"),
        ] {
            assert!(may_be_drawn_out(text), "{text}");
            assert_eq!(closed_up(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn abbreviations_stay() {
        for text in ["", "a", "S. p. A. of a b c", "Plan B of C and D or E", "Intel(R) Core(TM) i7 CPU @ 3 GHz"] {
            assert!(!may_be_drawn_out(text), "{text}");
            assert_eq!(closed_up(text), None, "{text}");
        }
    }
}
