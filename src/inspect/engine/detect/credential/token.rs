//! Tokens known by their prefix.

use super::is_word;
use crate::inspect::engine::detect::lexis::{at, part, run, visit};

/// What may follow a prefix.
#[derive(Clone, Copy)]
enum Class {
    /// Capital letters and digits, exactly so many.
    Capitals(usize),
    /// Letters and digits, at least so many.
    Letters(usize),
    /// Letters, digits, `-` and `_`, at least so many, at least one of them a digit.
    Mixed(usize),
}

/// Prefix and what follows it.
const TOKENS: &[(&[u8], Class)] = &[
    (b"AKIA", Class::Capitals(16)),
    (b"ASIA", Class::Capitals(16)),
    (b"AIza", Class::Mixed(35)),
    (b"ghp_", Class::Letters(36)),
    (b"gho_", Class::Letters(36)),
    (b"ghu_", Class::Letters(36)),
    (b"ghs_", Class::Letters(36)),
    (b"ghr_", Class::Letters(36)),
    (b"github_pat_", Class::Mixed(22)),
    (b"glpat-", Class::Mixed(20)),
    (b"xoxb-", Class::Mixed(10)),
    (b"xoxp-", Class::Mixed(10)),
    (b"xoxa-", Class::Mixed(10)),
    (b"xoxr-", Class::Mixed(10)),
    (b"xoxs-", Class::Mixed(10)),
    (b"sk-", Class::Mixed(20)),
    (b"sk_live_", Class::Letters(16)),
    (b"sk_test_", Class::Letters(16)),
    (b"rk_live_", Class::Letters(16)),
    (b"SG.", Class::Mixed(20)),
    (b"npm_", Class::Letters(36)),
    (b"hf_", Class::Letters(30)),
    (b"ya29.", Class::Mixed(20)),
    (b"hvs.", Class::Mixed(20)),
];

/// Whether a prefix may stand here, by its first two bytes.
const fn may_begin(window: &[u8]) -> bool {
    matches!(
        window,
        [b'A', b'K' | b'S' | b'I', ..]
            | [b'g', b'h' | b'i' | b'l', ..]
            | [b'x', b'o', ..]
            | [b's' | b'r', b'k', ..]
            | [b'S', b'G', ..]
            | [b'n', b'p', ..]
            | [b'h', b'f' | b'v', ..]
            | [b'y', b'a', ..]
    )
}

/// The end of a token with a known prefix that starts here.
pub(super) fn find(text: &[u8], start: usize) -> Option<usize> {
    let window = part(text, start, start + 12);
    visit(2);
    if !may_begin(window) {
        return None;
    }
    visit(TOKENS.len());
    TOKENS
        .iter()
        .filter(|(prefix, _)| prefix.first() == window.first() && window.starts_with(prefix))
        .find_map(|&(prefix, class)| ends(text, start + prefix.len(), class))
}

fn ends(text: &[u8], start: usize, class: Class) -> Option<usize> {
    let (end, least) = match class {
        Class::Capitals(least) => (run(text, start, least + 1, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), least),
        Class::Letters(least) => (run(text, start, 320, |byte| byte.is_ascii_alphanumeric()), least),
        Class::Mixed(least) => (run(text, start, 320, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')), least),
    };
    let value = part(text, start, end);
    let long = match class {
        Class::Capitals(_) => value.len() == least && !is_word(at(text, end)),
        Class::Letters(_) => value.len() >= least,
        Class::Mixed(_) => value.len() >= least && value.iter().any(u8::is_ascii_digit),
    };
    long.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_prefix_is_held_back() {
        assert!(TOKENS.iter().all(|(prefix, _)| may_begin(prefix)) && !may_begin(b"home"));
    }
}
