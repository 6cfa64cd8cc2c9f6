//! Whether a name may itself be somebody's data: keys of messages, segments of paths, names of parameters.

use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::person_name;
use crate::inspect::engine::shape::{Meaning, words};
use crate::inspect::engine::tree::Tree;
use crate::inspect::engine::walk::{Settings, Unknown, Walk};

/// Shortest run of digits that may be an extension.
const SHORTEST_NUMBER: usize = 3;
/// Shortest name of a person: shorter ones are words of every language.
const SHORTEST_NAME: usize = 4;
/// Longest name that is kept; a longer one is a text.
const LONGEST_NAME: usize = 64;
/// Shortest run of hexadecimal digits, some of them numbers, that nobody chose.
const SHORTEST_HASH: usize = 8;
/// Shortest name of letters and digits mixed that nobody chose.
const SHORTEST_TOKEN: usize = 16;

/// What persons, and what stands for them, are listed by: behind one of these stands one of them.
const LISTS: &[&str] = &[
    "account",
    "agent",
    "alias",
    "call",
    "contact",
    "customer",
    "email",
    "employee",
    "extension",
    "key",
    "login",
    "mail",
    "mailbox",
    "member",
    "number",
    "owner",
    "people",
    "person",
    "phone",
    "profile",
    "secret",
    "session",
    "subscriber",
    "tenant",
    "token",
    "user",
    "username",
];

/// Whether what stands behind a segment of a path is somebody's: the segment speaks of persons, or of what stands for one.
#[must_use]
pub fn leads_to_data(tree: &Tree, segment: &str) -> bool {
    let words = words::split(segment);
    let is_list = |word: &String| LISTS.iter().any(|list| word.strip_prefix(list).is_some_and(|ending| ["", "s", "es"].contains(&ending)));
    words.last().is_some_and(is_list) || matches!(tree.meaning(segment), Meaning::Personal(_))
}

/// Whether a segment of a path is nobody's data at first sight: its words are documented, or it is a version.
#[must_use]
pub fn is_documented(tree: &Tree, segment: &str) -> bool {
    let version = segment.strip_prefix('v').unwrap_or_default();
    let is_version = !version.is_empty()
        && version.split('.').all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_version || tree.knows(segment)
}

/// Whether a name may be somebody's data: a detector finds something in it, it has a number, or a word of it is the name of a person.
#[must_use]
pub fn is_telling(tree: &Tree, name: &str) -> bool {
    if tree.knows(name) {
        return false;
    }
    holds_data(tree, name) || has_number(name) || words::split(name).iter().any(|word| !tree.knows(word) && is_like_a_person(word))
}

/// Whether a name may be kept: it tells nothing, and is a name at all. What nobody chose (digests, tokens) is none.
#[must_use]
pub fn is_name(tree: &Tree, name: &str) -> bool {
    let is_printable = name.chars().all(|letter| letter.is_alphanumeric() || " -._~$".contains(letter));
    is_printable && name.len() <= LONGEST_NAME && !is_random(name) && !is_telling(tree, name)
}

/// Whether a detector finds something in a text, or it cannot be looked at to its end.
#[must_use]
pub fn holds_data(tree: &Tree, text: &str) -> bool {
    let settings = Settings { unknown: Unknown::Observe, ..Settings::default() };
    let mut walk = Walk::new(tree, &settings, text.len());
    walk.examine(text, TextKind::Free);
    let report = walk.finish();
    !report.findings.is_empty() || report.unreadable.is_some()
}

/// Whether a text is somebody's name: a login alone, or two names of persons side by side.
#[must_use]
pub fn names_a_person(tree: &Tree, text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let is_listed = |word: &String| !tree.knows(word) && person_name::is_listed(word.as_bytes());
    match words.as_slice() {
        [word] => words::split(word).iter().any(|word| !tree.knows(word) && is_like_a_person(word)),
        words => words.windows(2).any(|pair| pair.iter().all(is_listed)),
    }
}

/// Whether there is a run of digits that may be an extension.
fn has_number(name: &str) -> bool {
    name.split(|letter: char| !letter.is_ascii_digit()).any(|run| run.len() >= SHORTEST_NUMBER)
}

/// GUIDs, digests, keys, base64: a part of the name is one.
fn is_random(name: &str) -> bool {
    name.split(['-', '.', '_', '~', ' ', '$']).any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let is_hash = part.len() >= SHORTEST_HASH && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits > 1 && (is_hash || part.len() >= SHORTEST_TOKEN)
    })
}

/// `mario`, `mrossi`, `mariorossi`.
fn is_like_a_person(word: &str) -> bool {
    let is_listed = |part: &str| part.len() >= SHORTEST_NAME && person_name::is_listed(part.as_bytes());
    let is_split = |at: usize| word.split_at_checked(at).is_some_and(|(given, family)| is_listed(family) && (at == 1 || is_listed(given)));
    is_listed(word) || (1..word.len()).any(is_split)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    #[test]
    fn names_that_people_chose_for_things_are_kept_and_others_are_not() {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        for name in ["license", "v1", "v2.0", "update", "queues", "pendingCalls", "Beats", "imagicle.telemetry.v1.Beats", ""] {
            assert!(is_name(&tree, name), "{name}");
        }
        for name in [
            "m.rossi@example.com",
            "Mario Rossi",
            "mrossi",
            "line4312",
            "4312",
            "6f1b0c1e-8a77-4b7e-9d55-0c8e2a1d4f00",
            "deadbeef42",
            "aGVsbG8gd29ybGQxMjM0NTY3",
            "a%20b",
            "a;b",
        ] {
            assert!(!is_name(&tree, name), "{name}");
        }
        assert!(!is_name(&tree, &"long".repeat(20)));
        for (text, names) in [
            ("Mario Rossi", true),
            ("to giulia bianchi today", true),
            ("mrossi", true),
            ("Support Line", false),
            ("queue", false),
            ("", false),
        ] {
            assert_eq!(names_a_person(&tree, text), names, "{text}");
        }
    }
}
