//! Escapes in strings (RFC 8259 section 7), a byte at a time.

use crate::inspect::engine::format::Fault;

/// How far an escape has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    /// Behind the backslash.
    Begun,
    /// Behind `\u` and some digits.
    Hex {
        digits: u8,
        value: u16,
        /// The first half of a surrogate pair before.
        high: Option<u16>,
    },
    /// Behind the first half of a surrogate pair.
    Pair(u16),
    /// Behind it and a backslash.
    PairBegun(u16),
}

/// What a byte makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    More(Escape),
    Done(char),
    Wrong(Fault),
}

impl Escape {
    pub(super) fn step(self, byte: u8) -> Step {
        match self {
            Self::None | Self::Begun => simple(byte),
            Self::Hex { digits, value, high } => match char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok()) {
                Some(digit) if digits < 3 => Step::More(Self::Hex { digits: digits + 1, value: value << 4 | digit, high }),
                Some(digit) => unit(value << 4 | digit, high),
                None => Step::Wrong(Fault::Escape),
            },
            Self::Pair(high) if byte == b'\\' => Step::More(Self::PairBegun(high)),
            Self::PairBegun(high) if byte == b'u' => Step::More(Self::Hex { digits: 0, value: 0, high: Some(high) }),
            Self::Pair(_) | Self::PairBegun(_) => Step::Wrong(Fault::Surrogate),
        }
    }
}

const fn simple(byte: u8) -> Step {
    Step::Done(match byte {
        b'"' | b'\\' | b'/' => byte as char,
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return Step::More(Escape::Hex { digits: 0, value: 0, high: None }),
        _ => return Step::Wrong(Fault::Escape),
    })
}

/// A UTF-16 code unit that is complete.
fn unit(unit: u16, high: Option<u16>) -> Step {
    match (high, unit) {
        (None, 0xd800..=0xdbff) => Step::More(Escape::Pair(unit)),
        (None, _) => done(u32::from(unit)),
        (Some(high), 0xdc00..=0xdfff) => done(0x1_0000 + (u32::from(high & 0x3ff) << 10) + u32::from(unit & 0x3ff)),
        (Some(_), _) => Step::Wrong(Fault::Surrogate),
    }
}

fn done(scalar: u32) -> Step {
    char::from_u32(scalar).map_or(Step::Wrong(Fault::Surrogate), Step::Done)
}
