//! What is made of that of which names are made, and leads to somebody: numbers inside a company, positions, identity numbers in
//! groups. Nothing is found here: such a text has to be looked at.

/// Words in front of a number inside a company.
const EXTENSIONS: &[&str] =
    &["ext", "extn", "extension", "int", "interno", "durchwahl", "dw", "nebenstelle", "poste", "anexo", "extensión", "ramal"];
/// Lengths of the groups of identity numbers of Italy, the United Kingdom and Spain, with the place of a group that is a number.
const NUMBERS: &[(&[usize], usize)] = &[
    (&[2, 2, 2, 2, 1], 1),
    (&[2, 6, 1], 1),
    (&[1, 7, 1], 1),
    (&[2, 3, 3, 1], 0),
    (&[6, 5, 5], 1),
    (&[3, 3, 5, 5], 2),
    (&[6, 2, 3, 5], 1),
    (&[3, 3, 2, 3, 5], 2),
    (&[6, 2, 3, 4, 1], 1),
];

/// More groups than a name has.
const MAX_GROUPS: usize = 64;

/// Digits of a receiver's sentence: a time has as many already.
const FEWEST_OF_SENTENCE: usize = 6;

/// Whether a text has to be looked at though it has the letters and signs of a name: it has at least two digits then.
#[must_use]
pub fn may_lead_to_somebody(text: &[u8]) -> bool {
    let digits = digits(text);
    digits >= 2 && (has_extension(text) || has_position(text) || digits >= 6 && has_number_in_groups(text))
}

/// A position, or groups as those of an identity number.
#[must_use]
pub fn has_number(text: &[u8]) -> bool {
    has_position(text) || digits(text) >= 6 && has_number_in_groups(text)
}

/// A number behind a word for one inside a company: `int. 4312`.
#[must_use]
pub fn has_extension(text: &[u8]) -> bool {
    let is_gap = |byte: &u8| matches!(byte, b' ' | b'.' | b':');
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let starts = text.windows(2).zip(1..).filter(|(pair, _)| matches!(pair, [b' ' | b'.' | b':', b'0'..=b'9']));
    starts.filter_map(|(_, at)| text.get(..at)).any(|head| {
        let end = head.iter().rposition(|byte| !is_gap(byte)).map_or(0, |last| last + 1);
        let head = head.get(..end).unwrap_or_default();
        let start = head.iter().rposition(|byte| !is_letter(byte)).map_or(0, |last| last + 1);
        is_extension(head.get(start..).unwrap_or_default())
    })
}

/// Whether a word stands in front of numbers inside a company.
#[must_use]
pub fn is_extension(word: &[u8]) -> bool {
    let begins = word.first().is_some_and(|first| b"eidnpar".contains(&(first | 0x20)));
    begins && EXTENSIONS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Two numbers with three decimals or more, degrees, or a sentence of a receiver (NMEA 0183).
fn has_position(text: &[u8]) -> bool {
    let is_precise = |part: &&[u8]| part.iter().take(3).filter(|byte| byte.is_ascii_digit()).count() == 3;
    let numbers = text.split(|byte| *byte == b'.').skip(1).filter(is_precise).count();
    let has = |sign: &[u8]| memchr::memmem::find(text, sign).is_some();
    numbers >= 2 || has(&[0xc2, 0xb0]) || (has(b"$G") || has(b"$B")) && digits(text) >= FEWEST_OF_SENTENCE
}

fn digits(text: &[u8]) -> usize {
    text.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// Groups of letters and digits between other signs that have the lengths of an identity number.
fn has_number_in_groups(text: &[u8]) -> bool {
    let mut groups: [&[u8]; MAX_GROUPS] = [&[]; MAX_GROUPS];
    let split = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte < 0x80);
    let count = groups.iter_mut().zip(split).map(|(slot, group)| *slot = group).count();
    let groups = groups.get(..count).unwrap_or_default();
    let is_number = |window: &[&[u8]], lengths: &[usize], digits: usize| {
        let is_digits = window.get(digits).is_some_and(|group| group.iter().any(u8::is_ascii_digit));
        is_digits && window.iter().map(|group| group.len()).eq(lengths.iter().copied())
    };
    NUMBERS.iter().any(|(lengths, digits)| groups.windows(lengths.len()).any(|window| is_number(window, lengths, *digits)))
}

#[cfg(test)]
mod tests {
    use super::may_lead_to_somebody;

    #[test]
    fn names_that_have_to_be_looked_at() {
        for text in [
            "Mario int. 4312",
            "Service desk ext.4312",
            "Durchwahl 12",
            "AB 12 34 56 C",
            "X 1234567 L",
            "12 345 678 Z",
            "RSS MRA 85T10 A562S",
            "lat 45.4642 lon 9.1900",
            "$GPGGA,123519,4807.038,N",
            "45°27'50\"N 9°11'24\"E",
        ] {
            assert!(may_lead_to_somebody(text.as_bytes()), "{text}");
        }
        for text in [
            "svchost.exe",
            "Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.32.31332",
            "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz",
            "7-Zip 22.01 (x64)",
            "ext4 driver",
            "Broadcom NetXtreme Gigabit Ethernet #2",
            "KINGSTON SA400S37480G",
        ] {
            assert!(!may_lead_to_somebody(text.as_bytes()), "{text}");
        }
    }
}
