//! Keys as serializers write them: the words are the same, the spelling is not.

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    Camel,
    Pascal,
    Snake,
    Kebab,
    Screaming,
    Spaced,
    Dotted,
    /// Lower case without separators.
    Joined,
    /// Capitals without separators.
    Loud,
    /// The same, but for the first letter.
    Capital,
}

const ALL: &[Spelling] = &[
    Spelling::Camel,
    Spelling::Camel,
    Spelling::Pascal,
    Spelling::Snake,
    Spelling::Kebab,
    Spelling::Screaming,
    Spelling::Spaced,
    Spelling::Dotted,
    Spelling::Joined,
    Spelling::Loud,
    Spelling::Capital,
];

impl Spelling {
    pub(crate) fn any(random: &mut Random) -> Self {
        *random.pick(ALL)
    }

    /// One of the `|`-separated ways to name a thing, spelled.
    pub(crate) fn one_of(self, names: &str, random: &mut Random) -> String {
        let names: Vec<&str> = names.split('|').collect();
        self.spell(random.pick::<&str>(&names))
    }

    /// Blank-separated words, spelled.
    pub(crate) fn spell(self, words: &str) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        };
        match self {
            Self::Camel => {
                let mut words = words.split(' ');
                words.next().unwrap_or_default().to_owned() + &words.map(capital).collect::<String>()
            }
            Self::Pascal => words.split(' ').map(capital).collect(),
            Self::Snake => words.replace(' ', "_"),
            Self::Kebab => words.replace(' ', "-"),
            Self::Screaming => words.replace(' ', "_").to_uppercase(),
            Self::Spaced => words.split(' ').map(capital).collect::<Vec<_>>().join(" "),
            Self::Dotted => words.replace(' ', "."),
            Self::Joined => words.replace(' ', ""),
            Self::Loud => words.replace(' ', "").to_uppercase(),
            Self::Capital => capital(&words.replace(' ', "")),
        }
    }
}
