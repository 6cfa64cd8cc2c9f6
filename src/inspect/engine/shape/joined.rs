//! Keys written as one word: `totalinstalled` is `total installed`.
//!
//! A word nobody knows is taken apart only if all of it is words of the shape. Of several ways to do so, one with a word for a person
//! counts before the others: a key must not become harmless by this. Of equals, the one with the fewest words does.

use super::words::MAX_WORDS;
use std::collections::BTreeMap;

/// Longest word in bytes that is taken apart; no documented field has a longer one.
const LONGEST: usize = 48;
/// Bytes of a word that is in too many others: two of them never stand side by side, or `di` and `no` would make a name.
const SHORT: usize = 2;
/// Bytes of a word that stands for something by itself: one of a joined word has as many.
const TELLING: usize = 4;
/// Articles: keys do without them, and many a name ends in one.
const ARTICLES: &[&str] = &["al", "an", "il", "la", "le", "lo", "un"];
/// The ways to get to a place: with a word for a person or none, with a telling word or none, the last word short or not.
const WAYS: usize = 8;
const PERSON: usize = 4;
const TOLD: usize = 2;
const BRIEF: usize = 1;

/// The words that a joined one may have.
#[derive(Debug, Default)]
pub struct Lexicon {
    /// In their order, each with whether it speaks of a person.
    words: Vec<(Box<str>, bool)>,
}

/// The best way to a place in the word.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// What the words up to here cost.
    cost: usize,
    /// Where the last of them begins, and the way to there.
    from: usize,
    way: usize,
}

/// For every place, the best of each way.
type Steps = [[Option<Step>; WAYS]; LONGEST + 1];

impl Lexicon {
    /// Of words, each with whether it speaks of a person. Letters by themselves are none, nor are articles.
    #[must_use]
    pub fn new(words: impl IntoIterator<Item = (String, bool)>) -> Self {
        let words: BTreeMap<String, bool> = words.into_iter().filter(|(word, _)| is_one(word)).collect();
        Self { words: words.into_iter().map(|(word, is_personal)| (word.into(), is_personal)).collect() }
    }

    /// The words of a joined one, if it is nothing but words.
    ///
    /// From every place that words lead to, it looks as far as some word goes on: what is made to cost ends at its first letters.
    #[must_use]
    pub fn apart<'w>(&self, word: &'w str) -> Option<Vec<&'w str>> {
        // Most keys nobody knows begin with no word: no steps for them.
        let is_likely = (TELLING + SHORT..=LONGEST).contains(&word.len()) && self.starting(word.as_bytes()).next().is_some();
        if !is_likely {
            return None;
        }
        let mut steps: Steps = [[None; WAYS]; LONGEST + 1];
        *steps.first_mut()?.first_mut()? = Some(Step { cost: 0, from: 0, way: 0 });
        for at in 0..word.len() {
            let here = *steps.get(at)?;
            if here.iter().all(Option::is_none) {
                continue;
            }
            for (length, is_personal) in self.starting(word.as_bytes().get(at..)?) {
                let is_short = length <= SHORT;
                // `dnsip` is `dns ip`, not `dn sip`; `userdn` is somebody's.
                if is_short && is_personal && at + length < word.len() {
                    continue;
                }
                add(steps.get_mut(at + length)?, at, &here, length, is_personal);
            }
        }
        back(&steps, word).filter(|words| (2..=MAX_WORDS).contains(&words.len()))
    }

    /// The lengths of the words that a text starts with.
    fn starting<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, bool)> + 'a {
        let mut left = self.words.as_slice();
        let narrowed = text.iter().enumerate().map_while(move |(depth, byte)| {
            let letter = |word: &(Box<str>, bool)| word.0.as_bytes().get(depth).copied();
            let start = left.partition_point(|word| letter(word) < Some(*byte));
            left = left.get(start..)?;
            let end = left.partition_point(|word| letter(word) == Some(*byte));
            left = left.get(..end)?;
            let (word, is_personal) = left.first()?;
            Some((word.len() == depth + 1).then_some((depth + 1, *is_personal)))
        });
        narrowed.flatten()
    }
}

/// Whether a joined word may have it.
fn is_one(word: &str) -> bool {
    word.len() >= SHORT && !ARTICLES.contains(&word)
}

/// A word of so many bytes that leads from `at` to a place. Of equals, the last one found has the longer words in front.
fn add(place: &mut [Option<Step>; WAYS], at: usize, here: &[Option<Step>; WAYS], length: usize, is_personal: bool) {
    let flag = |flag: usize, is_set: bool| if is_set { flag } else { 0 };
    let of_word = flag(PERSON, is_personal) | flag(TOLD, length >= TELLING) | flag(BRIEF, length <= SHORT);
    // Fewest words count, and fewest short ones of as many.
    let cost = if length <= SHORT { LONGEST + 1 } else { LONGEST };
    for (way, step) in here.iter().enumerate() {
        let Some(step) = step.filter(|_| way & of_word & BRIEF == 0) else { continue };
        let Some(known) = place.get_mut(way & !BRIEF | of_word) else { continue };
        let cost = step.cost + cost;
        if known.is_none_or(|known| cost <= known.cost) {
            *known = Some(Step { cost, from: at, way });
        }
    }
}

/// The words on the best way to the end.
fn back<'w>(steps: &Steps, word: &'w str) -> Option<Vec<&'w str>> {
    let last = steps.get(word.len())?;
    let reached = last.iter().enumerate().filter_map(|(way, step)| Some((way, step.as_ref()?)));
    if !reached.clone().any(|(way, _)| way & TOLD != 0) {
        return None;
    }
    let counted = reached.filter(|(way, _)| way & (TOLD | PERSON) != 0);
    let reached = counted.map(|(way, step)| (way & PERSON == 0, step.cost, usize::MAX - step.from, way));
    let (_, _, _, mut way) = reached.min()?;
    let (mut end, mut words) = (word.len(), Vec::new());
    while end > 0 {
        let step = steps.get(end)?.get(way)?.as_ref()?;
        words.push(word.get(step.from..end)?);
        (end, way) = (step.from, step.way);
    }
    words.reverse();
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        let plain = ["total", "installed", "install", "in", "di", "no", "name", "process", "id", "cat", "modalità", "log", "logs"];
        let personal = ["phone", "sid", "call", "caller"];
        let words = plain.iter().map(|word| (*word, false)).chain(personal.iter().map(|word| (*word, true)));
        Lexicon::new(words.chain([("a", false)]).map(|(word, is_personal)| (word.to_owned(), is_personal)))
    }

    #[test]
    fn a_joined_word_is_taken_apart() {
        let lexicon = lexicon();
        for (word, words) in [
            ("totalinstalled", "total installed"),
            ("processid", "process id"),
            ("modalitàprocess", "modalità process"),
            ("callername", "caller name"),
            ("logintotal", "log in total"),
        ] {
            assert_eq!(lexicon.apart(word).map(|words| words.join(" ")).as_deref(), Some(words), "{word}");
        }
    }

    #[test]
    fn what_is_not_all_words_stays() {
        let lexicon = lexicon();
        let long = "process".repeat(6);
        assert!(lexicon.apart(&long).is_some() && lexicon.apart(&"process".repeat(7)).is_none());
        assert!(lexicon.apart(&format!("{}total", "in".repeat(3))).is_none(), "short words in a row");
        for word in ["", "total", "totalx", "xtotal", "totalxname", "dino", "catid", "aname", "totala", "totalinstall\u{e9}"] {
            assert_eq!(lexicon.apart(word), None, "{word}");
        }
    }

    #[test]
    fn a_word_for_a_person_counts_before_fewer_words() {
        // `logs id` is one way, `log sid` the other.
        assert_eq!(lexicon().apart("logsid").as_deref(), Some(["log", "sid"].as_slice()));
        let words = [("abcd", false), ("ef1", false), ("abc", false), ("de", false), ("f1", true), ("abcdef1", false), ("def1", true)];
        let lexicon = Lexicon::new(words.map(|(word, is_personal)| (word.to_owned(), is_personal)));
        assert_eq!(lexicon.apart("abcdef1").as_deref(), Some(["abc", "def1"].as_slice()));
    }
}
