//! What occurs in a text, seen in one pass over it: what looks for something that is not there need not look.

/// A set of classes of bytes.
type Class = u32;

/// `@`
pub const AT: Class = 1;
/// `\`
pub const BACKSLASH: Class = 1 << 1;
/// `/`
pub const SLASH: Class = 1 << 2;
/// `:`
pub const COLON: Class = 1 << 3;
/// `=`
pub const EQUALS: Class = 1 << 4;
/// `.`
pub const DOT: Class = 1 << 5;
/// `-`
pub const DASH: Class = 1 << 6;
/// `+`
pub const PLUS: Class = 1 << 7;
/// `%`
pub const PERCENT: Class = 1 << 8;
/// `&`
pub const AMPERSAND: Class = 1 << 9;
/// `,`
pub const COMMA: Class = 1 << 23;
/// `,` `;` `|` and tab: what parts fields.
pub const SEPARATOR: Class = COMMA | RARE_SEPARATOR;
/// `;` `|` and tab.
pub const RARE_SEPARATOR: Class = 1 << 10;
/// `"`
pub const QUOTE: Class = 1 << 11;
/// Line feed and carriage return.
pub const BREAK: Class = 1 << 12;
/// `{` and `[`
pub const OPENING: Class = 1 << 13;
/// Control characters but tab, line feed and carriage return.
pub const CONTROL: Class = 1 << 14;
/// Bytes beyond ASCII.
pub const BEYOND: Class = 1 << 15;
/// Digits.
pub const DIGIT: Class = 1 << 16;
/// Small letters.
pub const SMALL: Class = 1 << 17;
/// Capital letters.
pub const CAPITAL: Class = 1 << 18;
/// Blank.
pub const BLANK: Class = 1 << 19;
/// `_`
pub const UNDERSCORE: Class = 1 << 20;
/// `( ) ] $ ' # ! *`: signs that stand in names.
pub const SIGN: Class = 1 << 21;
/// Everything else in ASCII.
pub const OTHER: Class = 1 << 22;
/// Letters of ASCII.
pub const LETTER: Class = SMALL | CAPITAL;

/// Letters, digits, `+`, `/`, `-` and `_`: base64 of both alphabets, base32, hexadecimal.
const TOKEN: Class = 1 << TOKEN_AT;
const TOKEN_AT: u32 = 30;
/// Hexadecimal digits, `x` and what stands between groups of them.
const HEX: Class = 1 << HEX_AT;
const HEX_AT: u32 = 31;

/// What is counted of a byte, each in so many bits above its classes: digits, `:` and `-`, what is neither a letter nor a digit.
const COUNT_BITS: u32 = 10;
/// Bytes whose counts fit so many bits.
const CHUNK: usize = (1 << COUNT_BITS) - 1;
/// Length from which runs are told apart from the text: no shorter run means anything.
const SHORTEST_RUN: usize = 12;

/// What occurs in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Bytes.
    pub len: usize,
    /// The first byte; NUL if there is none.
    pub first: u8,
    /// Digits.
    pub digits: usize,
    /// `:` and `-`.
    pub colons: usize,
    /// Bytes that are neither letters nor digits of ASCII.
    pub parts: usize,
    /// Longest run of letters, digits, `+`, `/`, `-` and `_`; at most that in a text of less than twelve bytes.
    pub token: usize,
    /// Longest run of hexadecimal digits and what stands between groups of them; at most that in a text of less than twelve bytes.
    pub hex: usize,
    classes: Class,
}

impl Marks {
    /// Looks at each byte, and then at the runs.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        Self::counted(text).measured(text)
    }

    /// Looks at each byte once: a run may be as long as the text, for all that is known.
    #[must_use]
    pub fn counted(text: &[u8]) -> Self {
        let len = text.len();
        let mut marks = Self { len, first: text.first().copied().unwrap_or_default(), token: len, hex: len, ..Self::default() };
        text.chunks(CHUNK).for_each(|chunk| marks.count(chunk));
        marks
    }

    /// The same marks with the longest runs of the text that they are of.
    #[must_use]
    pub fn measured(self, text: &[u8]) -> Self {
        if text.len() < SHORTEST_RUN {
            return self;
        }
        let (mut token, mut hex) = (Runs::default(), Runs::default());
        for chunk in text.chunks(Runs::WORD) {
            // The lowest bit is the first byte.
            let bits = chunk.iter().rev().fold((0, 0), |(token, hex), byte| {
                let class = u64::from(class(*byte));
                (token << 1 | class >> TOKEN_AT & 1, hex << 1 | class >> HEX_AT)
            });
            token.add(bits.0, chunk.len());
            hex.add(bits.1, chunk.len());
        }
        Self { token: token.longest, hex: hex.longest, ..self }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half is taken for itself")]
    fn count(&mut self, chunk: &[u8]) {
        let (mut classes, mut counts) = (0, 0_u32);
        for byte in chunk {
            let entry = entry(*byte);
            classes |= entry;
            // No chunk is so long that a count runs into the next one.
            counts = counts.wrapping_add((entry >> Class::BITS) as u32);
        }
        let count = |place: u32| (counts >> (place * COUNT_BITS)) as usize & CHUNK;
        self.classes |= classes as Class;
        self.digits += count(0);
        self.colons += count(1);
        self.parts += count(2);
    }

    /// Whether one of these occurs.
    #[must_use]
    pub const fn has(&self, classes: Class) -> bool {
        self.classes & classes != 0
    }

    /// Whether nothing but these occurs.
    #[must_use]
    pub const fn is_only(&self, classes: Class) -> bool {
        self.classes & !(classes | TOKEN | HEX) == 0
    }
}

/// Runs of bytes of a class, a word of bits at a time.
#[derive(Default)]
struct Runs {
    longest: usize,
    /// Length of the run that may go on in the next word.
    open: usize,
}

impl Runs {
    /// Bits of a word.
    const WORD: usize = 64;

    /// The next so many bytes, one bit each, the first the lowest.
    fn add(&mut self, bits: u64, len: usize) {
        let begins = (bits.trailing_ones() as usize).min(len);
        self.longest = self.longest.max(self.open + begins).max(longest(bits));
        let last = bits << (Self::WORD - len.clamp(1, Self::WORD));
        self.open = if begins == len { self.open + len } else { last.leading_ones() as usize };
    }
}

/// The longest run of ones: each step takes one from every run.
const fn longest(mut bits: u64) -> usize {
    let mut longest = 0;
    while bits != 0 {
        bits &= bits >> 1;
        longest += 1;
    }
    longest
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is the classes")]
fn class(byte: u8) -> Class {
    entry(byte) as Class
}

fn entry(byte: u8) -> u64 {
    ENTRIES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Classes of each byte, and what is counted of it above them.
static ENTRIES: [u64; 256] = entries();

const fn entries() -> [u64; 256] {
    let mut entries = [0; 256];
    let mut rest = entries.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((entry, more)) = rest.split_first_mut() {
        let class = class_of(byte) | token_of(byte) | hex_of(byte);
        *entry = class as u64 | counts_of(byte) << Class::BITS;
        byte = byte.wrapping_add(1);
        rest = more;
    }
    entries
}

const fn counts_of(byte: u8) -> u64 {
    match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' | b'A'..=b'Z' => 0,
        b':' | b'-' => 1 << COUNT_BITS | 1 << (2 * COUNT_BITS),
        _ => 1 << (2 * COUNT_BITS),
    }
}

const fn class_of(byte: u8) -> Class {
    match byte {
        b'@' => AT,
        b'\\' => BACKSLASH,
        b'/' => SLASH,
        b':' => COLON,
        b'=' => EQUALS,
        b'.' => DOT,
        b'-' => DASH,
        b'+' => PLUS,
        b'%' => PERCENT,
        b'&' => AMPERSAND,
        b',' => COMMA,
        b';' | b'|' | b'\t' => RARE_SEPARATOR,
        b'"' => QUOTE,
        b'\n' | b'\r' => BREAK,
        b'{' | b'[' => OPENING,
        0x80.. => BEYOND,
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' => SMALL,
        b'A'..=b'Z' => CAPITAL,
        b' ' => BLANK,
        b'_' => UNDERSCORE,
        b'(' | b')' | b']' | b'$' | b'\'' | b'#' | b'!' | b'*' => SIGN,
        0..=0x1f | 0x7f => CONTROL,
        _ => OTHER,
    }
}

const fn token_of(byte: u8) -> Class {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') { TOKEN } else { 0 }
}

const fn hex_of(byte: u8) -> Class {
    let is_gap = matches!(byte, b' ' | b':' | b',' | b';' | b'-' | b'.' | b'\t' | b'\r' | b'\n' | b'x' | b'X');
    if byte.is_ascii_hexdigit() || is_gap { HEX } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_and_counts_are_those_of_the_text() {
        let marks = Marks::of(b"0a:0b-0c 12.5 Hello_World+x/y!");
        assert_eq!((marks.len, marks.digits, marks.colons, marks.parts, marks.token, marks.hex), (30, 6, 2, 9, 15, 14));
        assert!(marks.has(DOT) && marks.has(BLANK | AT) && !marks.has(AT | EQUALS));
        assert!(Marks::of(b"7-Zip").is_only(DIGIT | LETTER | DASH) && !Marks::of(b"7-Zip").is_only(DIGIT | LETTER));
    }

    /// The longest run of bytes of a class, byte by byte.
    fn run_of(text: &[u8], of: Class) -> usize {
        text.split(|byte| class(*byte) & of == 0).map(<[u8]>::len).max().unwrap_or_default()
    }

    #[test]
    fn counts_of_long_texts_do_not_run_into_each_other() {
        for (byte, counts) in [(b'7', (5_000, 0, 0)), (b':', (0, 5_000, 5_000)), (b' ', (0, 0, 5_000)), (b'a', (0, 0, 0))] {
            let marks = Marks::of(&[byte; 5_000]);
            assert_eq!((marks.digits, marks.colons, marks.parts), counts, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn runs_are_the_longest(pieces in prop::collection::vec(("[a-z0-9]{0,70}|[0-9a-f:]{60,70}", "[ !.@]{0,66}"), 0..5)) {
            let text: String = pieces.iter().flat_map(|(run, gap)| [run.as_str(), gap]).collect();
            let (text, marks) = (text.as_bytes(), Marks::of(text.as_bytes()));
            if text.len() >= SHORTEST_RUN {
                prop_assert_eq!((marks.token, marks.hex), (run_of(text, TOKEN), run_of(text, HEX)));
            }
            let counted = Marks::counted(text);
            prop_assert!(counted.token >= marks.token && counted.hex >= marks.hex);
            prop_assert_eq!(counted.measured(text), marks);
        }
    }

    #[test]
    fn every_byte_is_of_one_class() {
        for byte in 0..=255_u8 {
            assert_eq!((class(byte) & !(TOKEN | HEX)).count_ones(), 1, "{byte}");
        }
    }
}
