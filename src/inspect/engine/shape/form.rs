//! How a key names its thing: one, several, how many of them, or the number of one.
//!
//! `phoneCount` and `numberOfPhones` count; `phoneNumber` is somebody's.

use std::collections::HashSet;

/// What the words of a key say about amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// Whether it is an amount, or a number.
    amount: Amount,
    /// It names several: `phones`, `utenti registrati`.
    pub plural: bool,
    /// It has no other words than those that counting takes: `total`, `max`, `active`.
    pub only: bool,
}

/// What a key says of how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Amount {
    /// Nothing.
    #[default]
    Nothing,
    /// How many there are.
    Counts,
    /// The number of one thing.
    Numbers,
}

impl Form {
    /// It says how many there are.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self.amount, Amount::Counts)
    }

    /// It is the number of one thing: `phoneNumber`.
    #[must_use]
    pub const fn numbers(self) -> bool {
        matches!(self.amount, Amount::Numbers)
    }
}

/// Words by which things are counted, as a shape file states them.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    /// Those that count whatever stands beside them, by their meaning.
    pub counting: HashSet<String>,
    /// Those that count several things, and name one: `number`.
    pub numbers: HashSet<String>,
    /// Those that count several things, and tell of one: `registered`.
    pub participles: HashSet<String>,
    /// Plurals that do not end in s.
    pub plurals: HashSet<String>,
    /// Words that end in s and are no plural.
    pub singulars: HashSet<String>,
}

/// A key as it is read, word by word.
#[derive(Default)]
pub(super) struct Reading {
    counts: bool,
    participle: bool,
    number: Option<Number>,
    /// Whether the first, and the last, of the words that name something is a plural.
    first: Option<bool>,
    last: bool,
    /// Words that say something, and those among them that counting takes.
    words: usize,
    taken: usize,
}

/// A word for a number in a key.
struct Number {
    /// Words that say something in front of it.
    at: usize,
    /// Whether `of` or a plural stands behind it.
    is_of_several: bool,
}

impl Reading {
    /// The next word with its meaning, if that is a word of the shape; silent ones say nothing of the field.
    pub(super) fn add(&mut self, tallies: &Tallies, word: &str, meaning: Option<&str>, is_silent: bool, ends_like_a_plural: bool) {
        if let Some(number) = self.number.as_mut().filter(|_| word == "of") {
            number.is_of_several = true;
        }
        if is_silent {
            return;
        }
        self.words += 1;
        if meaning.is_some() && tallies.numbers.contains(word) {
            self.taken += 1;
            self.last = word.ends_with('s');
            self.number = self.number.take().or(Some(Number { at: self.words - 1, is_of_several: false }));
            return;
        }
        let is_counting = meaning.is_some_and(|meaning| tallies.counting.contains(meaning));
        let is_participle = !is_counting && meaning.is_some() && tallies.participles.contains(word);
        self.counts |= is_counting;
        self.participle |= is_participle;
        self.taken += usize::from(is_counting || is_participle);
        let is_plural = (ends_like_a_plural && !tallies.singulars.contains(word)) || (meaning.is_some() && tallies.plurals.contains(word));
        if let Some(number) = self.number.as_mut() {
            number.is_of_several |= is_plural;
        }
        if !is_counting {
            self.last = is_plural;
            self.first.get_or_insert(is_plural);
        }
    }

    pub(super) fn form(&self) -> Form {
        let plural = self.last || self.first.unwrap_or_default();
        let is_number_of_several = self.number.as_ref().is_some_and(|number| {
            // `usersNumber`; of a longer key, the number is that of one: `contactsPhoneNumber`.
            let is_behind = number.at == 1 && self.words == 2 && self.first == Some(true);
            number.is_of_several || is_behind
        });
        let only = self.words > 0 && self.taken == self.words;
        let amount = match &self.number {
            _ if self.counts || is_number_of_several || (self.participle && plural) => Amount::Counts,
            Some(_) => Amount::Numbers,
            None => Amount::Nothing,
        };
        Form { amount, plural, only }
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::engine::shape::Shape;

    #[test]
    fn amounts_are_told_from_numbers() {
        let shape = Shape::built_in().expect("the shape compiles");
        let amount = |key: &str| (shape.fold(key).form().counts(), shape.fold(key).form().numbers());
        for key in [
            "phoneCount",
            "numberOfPhones",
            "number_of_contacts",
            "numUsers",
            "usersNumber",
            "numeroUtenti",
            "numero di telefoni",
            "Anzahl Benutzer",
            "nombreUtilisateurs",
            "cantidad de usuarios",
            "maxUsers",
            "registeredDevices",
            "utenti registrati",
            "total",
        ] {
            assert_eq!(amount(key), (true, false), "{key}");
        }
        for key in ["phoneNumber", "numero di telefono", "faxNumber", "number", "numeroInterno", "employee-number", "contactsPhoneNumber"] {
            assert_eq!(amount(key), (false, true), "{key}");
        }
        for key in ["phone", "users", "registeredOwner", "nombreUsuario", "windowsUser"] {
            assert!(!amount(key).0, "{key}");
        }
    }

    #[test]
    fn several_are_told_from_one() {
        let shape = Shape::built_in().expect("the shape compiles");
        let is_plural = |key: &str| shape.fold(key).form().plural;
        for key in ["users", "activeCalls", "callsBeingRecorded", "utenti registrati", "interni", "Geräte"] {
            assert!(is_plural(key), "{key}");
        }
        for key in ["user", "status", "windowsUser", "address", "dns", "interno"] {
            assert!(!is_plural(key), "{key}");
        }
    }
}
