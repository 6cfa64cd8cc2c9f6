//! Places in a verdict say where something is, and never what.

use crate::SHAPE;
use std::collections::HashSet;
use std::sync::LazyLock;
use ucx_egress::inspect::verdict::Verdict;

/// Bytes of a message that a place must not have in a row, unless they are the shape's own words.
const LEAK: usize = 5;

/// What the product itself writes into places.
const OWN: &[&str] = &[
    "request",
    "target",
    "header",
    "trailer",
    "field",
    "of",
    "another",
    "name",
    "a",
    "grpc",
    "message",
    // Header fields that HTTP and the large clouds document.
    "accept",
    "access",
    "agent",
    "age",
    "amz",
    "api",
    "apim",
    "apikey",
    "authorization",
    "auth",
    "cache",
    "charset",
    "content",
    "control",
    "cookie",
    "correlation",
    "date",
    "disposition",
    "encoding",
    "expect",
    "from",
    "id",
    "if",
    "key",
    "language",
    "length",
    "match",
    "modified",
    "none",
    "ocp",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "security",
    "server",
    "since",
    "status",
    "subscription",
    "te",
    "timeout",
    "token",
    "traceparent",
    "tracestate",
    "type",
    "unmodified",
    "user",
    "via",
    "x",
    "host",
    "trailer",
    "several",
    "field",
    "fields",
    "together",
];

/// Every word of the shape file.
static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| words(SHAPE).collect());

/// Words in lower case, taken apart at everything that is no letter and no digit, and not at camel case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether a word is made of words of the shape, in the singular or the plural, and of nothing else.
fn is_known(word: &str) -> bool {
    let known = |part: &str| {
        let endings = ["", "s", "es"];
        WORDS.contains(part)
            || OWN.contains(&part)
            || endings.iter().any(|ending| part.strip_suffix(ending).is_some_and(|stem| WORDS.contains(stem)))
            || part.bytes().all(|byte| byte.is_ascii_digit())
    };
    // Camel case in lower case: every way to take it apart.
    let mut reachable = vec![false; word.len() + 1];
    reachable[0] = true;
    for end in 1..=word.len() {
        reachable[end] = (0..end).any(|start| reachable[start] && word.get(start..end).is_some_and(known));
    }
    reachable[word.len()]
}

/// Panics if a place has five bytes of the message in a row that are not words of the shape.
///
/// # Panics
/// Then.
pub fn assert_silent(verdict: &Verdict, message: &[u8]) {
    let places: Vec<&str> = match verdict {
        Verdict::Findings(findings) => {
            assert!(!findings.is_empty(), "findings without one");
            findings.iter().map(|finding| finding.place.as_str()).collect()
        }
        Verdict::Undocumented(places) => {
            assert!(!places.is_empty(), "undocumented without a place");
            places.iter().map(String::as_str).collect()
        }
        Verdict::Clean | Verdict::TooLarge(_) | Verdict::Uninspectable(_) => return,
    };
    for place in places {
        let mut unknown = words(place).filter(|word| word.len() >= LEAK && !is_known(word));
        if let Some(word) = unknown.next() {
            let lower: Vec<u8> = message.to_ascii_lowercase();
            let shown = word.as_bytes().windows(LEAK).find(|part| lower.windows(LEAK).any(|window| window == *part));
            assert!(shown.is_none(), "the place {place:?} shows the message");
        }
    }
}
