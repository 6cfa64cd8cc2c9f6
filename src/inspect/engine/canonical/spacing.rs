//! Words that are drawn out, letter by letter: `m a r i o`, `m.a.r.i.o`, `m  a  r  i  o`.

/// Fewest letters and digits of one that stand alone. Fewer are an abbreviation.
pub const FEWEST: usize = 7;
/// The same with the signs that are of the word.
const SHORTEST: usize = 8;

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

/// The words that are drawn out in a text, put together, with blanks between; `None` if there is none.
#[must_use]
pub fn closed_up(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut words = Words::default();
    let mut stretch = Vec::new();
    let mut rest = letters.as_slice();
    while !rest.is_empty() {
        let (word, behind) = split_where(rest, |letter| !letter.is_alphanumeric());
        let (gap, next) = split_where(behind, char::is_alphanumeric);
        rest = next;
        if let [letter] = word {
            stretch.push((*letter, gap));
        } else {
            words.add(&std::mem::take(&mut stretch));
            // A number may begin with its sign: `+ 3 9`.
            let plus = gap.iter().position(|sign| *sign == '+').and_then(|plus| gap.get(plus + 1..));
            stretch.extend(plus.filter(|gap| !gap.is_empty()).map(|gap| ('+', gap)));
        }
    }
    words.add(&stretch);
    (!words.text.is_empty()).then_some(words.text)
}

/// Letters up to the first that is such, and the rest.
fn split_where(letters: &[char], is_such: impl Fn(char) -> bool) -> (&[char], &[char]) {
    letters.split_at(letters.iter().position(|letter| is_such(*letter)).unwrap_or(letters.len()))
}

/// A letter that stands alone, and what is between it and the next.
type Single<'t> = (char, &'t [char]);

#[derive(Default)]
struct Words {
    text: String,
}

impl Words {
    /// Adds the words of letters that stand alone, one behind the other: each up to where the sign between them changes, and the same
    /// as if it did not.
    fn add(&mut self, stretch: &[Single<'_>]) {
        let Some(width) = stretch.iter().rev().skip(1).map(|(_, gap)| gap.len()).min() else { return };
        let is_other = |pair: &[Single<'_>; 2]| pair[0].1.get(..width) != pair[1].1.get(..width);
        let mut rest = stretch;
        while let Some(change) = rest.array_windows().position(is_other).filter(|change| change + 2 < rest.len()) {
            let (head, tail) = rest.split_at(change + 1);
            self.add_even(head, width);
            rest = tail;
        }
        if rest.len() < stretch.len() {
            self.add_even(rest, width);
        }
        self.add_even(stretch, width);
    }

    /// Adds the words of letters with so wide a gap between them.
    fn add_even(&mut self, stretch: &[Single<'_>], width: usize) {
        let mut word = String::new();
        for (letter, gap) in stretch {
            word.push(*letter);
            // A sign of the word has the same gap before and behind it.
            if gap.len() < width || !(gap.len() - width).is_multiple_of(width + 1) {
                self.keep(&mut word);
                gap.iter().filter(|sign| **sign == '+').for_each(|plus| word.push(*plus));
                continue;
            }
            gap.iter().skip(width).step_by(width + 1).for_each(|sign| word.push(*sign));
        }
        self.keep(&mut word);
    }

    /// Takes a word that has ended if it is long enough, and begins it anew.
    fn keep(&mut self, word: &mut String) {
        let word = std::mem::take(word);
        if word.chars().count() >= SHORTEST {
            self.text.push_str(if self.text.is_empty() { "" } else { " " });
            self.text.push_str(&word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_that_stand_alone_are_put_together() {
        for (text, expected) in [
            ("m a r i o @ a c m e . i t", "mario@acme.it"),
            ("m.a.r.i.o.@.a.c.m.e...i.t", "mario@acme.it"),
            ("m  a  r  i  o  @  a  c  m  e  .  i  t", "mario@acme.it"),
            ("Agent m a r i o @ a c m e . i t 1.2", "mario@acme.it mario@acme.it12"),
            ("4-1-1-1-1-1-1-1", "41111111"),
            ("+ 3 9   3 3 3 1 2 3", "+39 333123"),
            ("i o @ i b m . i t", "io@ibm.it"),
            ("m   a   r   i   o   @   a   c   m   e   .   i   t", "mario@acme.it"),
            ("m, a, r, i, o, @, a, c, m, e, ., i, t", "mario@acme.it"),
            ("m - a - r - i - o - @ - a - c - m - e - . - i - t", "mario@acme.it"),
            ("m.a-r.i_o.@.a-c.m-e...i-t", "mario@acme.it"),
            ("Drive C: m a r i o @ a c m e . i t", "mario@acme.it mario@acme.it"),
            ("Windows 7 - 4.1.1.1.1.1.1.1", "41111111 7-41111111"),
            ("a b c d e f g h i and m a r i o @ a c m e . i t", "abcdefghi mario@acme.it"),
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

    proptest! {
        #[test]
        fn what_is_drawn_out_evenly_is_put_together(word in "[a-z]{2}[a-zé0-9@.:+]{5,18}[a-z0-9]", gap in "[ ,;|\u{200b}]{1,3}", around in "[A-Z]{2,4} ") {
            let drawn: Vec<String> = word.chars().map(String::from).collect();
            let text = drawn.join(&gap);
            prop_assume!(word.chars().filter(|letter| letter.is_alphanumeric()).count() >= FEWEST);
            prop_assert!(may_be_drawn_out(&text));
            for text in [text.clone(), format!("{around}{text}"), format!("{around}{text} {around}")] {
                prop_assert!(closed_up(&text).is_some_and(|closed| closed.contains(&word)), "{:?}", text);
            }
        }

        #[test]
        fn survives_anything(text in "[a-c1 .,+@é\u{301}]{0,60}|.{0,60}") {
            let closed = closed_up(&text);
            prop_assert!(closed.is_none_or(|closed| closed.chars().count() <= 2 * text.chars().count() + 1));
        }
    }
}
