//! National numbers: how ten countries group them, and whether digits are a number of one of them.
//!
//! Source of areas: the `availableFormats` and leading digits of libphonenumber (see `metadata`), and the national plans published by the ITU.

use super::plan::{begins, is_national};
use super::run::Run;

/// Calling codes and the trunk prefix that is left out behind them; Italy leaves out none, the others a zero, North America a one.
const COUNTRIES: &[(u16, Option<u8>)] = &[
    (39, None),
    (33, Some(b'0')),
    (49, Some(b'0')),
    (34, None),
    (44, Some(b'0')),
    (1, Some(b'1')),
    (971, Some(b'0')),
    (966, Some(b'0')),
    (41, Some(b'0')),
    (43, Some(b'0')),
];

/// One way to write a number.
struct Format {
    /// First digits, as `metadata` writes them.
    heads: &'static str,
    /// Digits of each group, one decimal figure a group.
    groups: &'static [&'static [u8]],
    /// What may stand between the groups; the first group may stand in parentheses if there is a `(`.
    gaps: &'static [u8],
}

const fn format(heads: &'static str, groups: &'static [&'static [u8]], gaps: &'static [u8]) -> Format {
    Format { heads, groups, gaps }
}

/// Toll-free numbers (`0800 …`, `800-…`) name no person and are not here.
#[rustfmt::skip]
const FORMATS: &[Format] = &[
    // Italy: Milan and Rome, three-digit and four-digit areas, mobiles.
    format("0[26]", &[&[2, 4, 4], &[2, 8], &[2, 7], &[2, 3, 4], &[2, 3, 5], &[2, 4, 3], &[2, 2, 2, 2, 2]], b" -/("),
    format("0[26]", &[&[2, 6], &[2, 3, 3]], b"/("),
    format("01[0159],0[3-57-9][0159]", &[&[3, 7], &[3, 6], &[3, 8], &[3, 3, 4], &[3, 4, 3], &[3, 3, 3], &[3, 4, 4]], b" -/("),
    format("01[2-46-8],0[3-57-9][2-46-8]", &[&[4, 6], &[4, 5], &[4, 7], &[4, 3, 3], &[4, 2, 2, 2], &[4, 3, 2]], b" -/("),
    format("3[2-9]", &[&[3, 7], &[3, 3, 4], &[3, 6], &[3, 4, 3], &[3, 2, 2, 3]], b" -("),
    format("3[2-9],01[0159],0[3-57-9][0159]", &[&[3, 3, 4]], b"."),
    // France.
    format("0[1-79]", &[&[2, 2, 2, 2, 2]], b" .-"),
    // Germany: Berlin, Hamburg, Frankfurt, Munich; areas of four digits; mobiles; areas of five digits (Austria has them, too).
    format("030,040,069,089", &[&[3, 8], &[3, 7], &[3, 6], &[3, 4, 4], &[3, 3, 4], &[3, 3, 3], &[3, 2, 2, 2], &[3, 2, 2, 2, 2], &[3, 3, 3, 2], &[3, 3, 2, 3]], b" -/("),
    format("020[1-389],021[124],022[18],023[14],02[4-9]1,03[35-9][15],034[015],04[2-9]1,05[1-9]1,06[1-8]1,07[1-9]1,08[1-8]1,09[1-9]1,0906",
        &[&[4, 6], &[4, 7], &[4, 8], &[4, 5], &[4, 3, 3], &[4, 3, 4], &[4, 2, 2, 2], &[4, 4, 3], &[4, 4, 4]], b" -/("),
    format("01[5-7]", &[&[4, 7], &[4, 8], &[4, 3, 4], &[4, 4, 3], &[4, 4, 4], &[4, 2, 2, 3], &[5, 7], &[5, 6], &[4, 3, 2, 2], &[4, 3, 5], &[4, 2, 3, 2], &[4, 2, 2, 2, 2]], b" -/("),
    format("0[2-79],08[1-7]", &[&[5, 6], &[5, 5], &[5, 7], &[5, 3, 3], &[5, 2, 2, 2]], b" /("),
    format("0[2-79],08[1-7]", &[&[5, 4]], b"/("),
    // Spain; three threes only with hyphens, with spaces they are thousands.
    format("[6-9]", &[&[3, 2, 2, 2], &[2, 3, 2, 2]], b" -."),
    format("[67],9[1-8],8[1-8]", &[&[3, 3, 3]], b"-"),
    // United Kingdom.
    format("02[03489]", &[&[3, 4, 4], &[3, 8]], b" -("),
    format("011,01.1,03[0347]", &[&[4, 3, 4], &[4, 7]], b" -("),
    format("01[2-9],07[1-57-9]", &[&[5, 6], &[5, 3, 3], &[5, 2, 2, 2], &[5, 5]], b" -("),
    format("07[1-57-9]", &[&[4, 3, 4], &[4, 7]], b" -("),
    // United Arab Emirates and Saudi Arabia.
    format("0[2-4679]", &[&[2, 3, 4], &[2, 7]], b" ("),
    format("0[2-4679]", &[&[2, 3, 4]], b"-"),
    format("05,01[1-7]", &[&[3, 3, 4], &[3, 7], &[3, 3, 2, 2]], b" -("),
    // Switzerland and Austria.
    format("0[2-7],081,091", &[&[3, 3, 2, 2]], b" -./("),
    format("01", &[&[2, 7], &[2, 3, 4], &[2, 3, 2, 2], &[2, 4, 3]], b" /("),
    format("0316,0463,0512,0662,0732,0650,066[0-9],067[0-9],068[018],0699", &[&[4, 6], &[4, 7], &[4, 8], &[4, 3, 4], &[4, 2, 2, 2], &[4, 3, 3], &[4, 3, 2, 2]], b" -/("),
    // North America; 800 to 888 are toll-free, 900 and what ends with 11 are services.
    format("[2-7][02-9],[2-7]1[02-9],80[1-9],81,82[013-9],83[0-24-9],84[0-35-9],85[0-46-9],86[0-57-9],87[0-69],88[1-79],90[1-9],9[1-9]", &[&[3, 3, 4], &[3, 7]], b"-("),
    format("1[2-7],180[1-9],181,19", &[&[1, 3, 3, 4]], b"-("),
];
/// The one that needs an area in use and an exchange (NANP: `NXX`), since three numbers of that size stand in many texts.
const LOOSE: Format = format("[2-9]..[2-9]", &[&[3, 3, 4]], b" .");

/// Whether a run, in whole, is grouped as one of the countries groups its numbers.
pub(super) fn is_formatted(text: &[u8], run: &Run) -> bool {
    if run.is_cut || run.groups().len() < 2 || !(8..=12).contains(&run.total()) {
        return false;
    }
    let digits = run.digits(run.total());
    let is_loose = || is_written(text, run, &LOOSE) && is_national(1, digits);
    FORMATS.iter().any(|format| is_written(text, run, format)) || is_loose()
}

fn is_written(text: &[u8], run: &Run, format: &Format) -> bool {
    format.groups.iter().any(|sizes| has_sizes(run, sizes))
        && begins(format.heads.as_bytes(), run.digits(run.total()))
        && has_gaps(text, run, format.gaps)
}

fn has_sizes(run: &Run, sizes: &[u8]) -> bool {
    let groups = run.groups();
    groups.len() == sizes.len() && groups.iter().zip(sizes).all(|(group, size)| group.end - group.start == usize::from(*size))
}

/// Whether the gaps are allowed: the first, and the others all alike or spaces.
fn has_gaps(text: &[u8], run: &Run, allowed: &[u8]) -> bool {
    let groups = run.groups();
    let mut gaps = groups.iter().zip(groups.iter().skip(1)).map(|(one, next)| text.get(one.end..next.start).unwrap_or_default());
    let Some(first) = gaps.next() else { return false };
    let is_open = groups.first().is_some_and(|group| text.get(..group.start).is_some_and(|head| head.ends_with(b"(")));
    let is_enclosed = allowed.contains(&b'(') && is_open && matches!(first, b")" | b") " | b")-");
    // `1-(555)-123-4567`, `1 (555) 123-4567`.
    let is_prefixed = allowed.contains(&b'(') && run.digits(1) == b"1" && matches!(first, b" (" | b"-(" | b" ");
    let is_plain = matches!(first, [gap] if allowed.contains(gap) && !b"()".contains(gap))
        || matches!(first, b" / " | b" - " if allowed.contains(&b'/'));
    (is_enclosed || is_prefixed || is_plain)
        && gaps.all(|gap| match (first, gap) {
            (_, b") " | b")-" | b")") => is_prefixed,
            // `252.227-7014` is a paragraph of a law: with dots there are only dots.
            (b".", gap) => gap == b".",
            (_, b"." | b"-" | b" ") => gap != b"." || allowed.contains(&b'.'),
            _ => false,
        })
}

/// Whether digits are a number of one of the countries, with or without its trunk prefix.
pub(super) fn is_of_a_country(digits: &[u8]) -> bool {
    COUNTRIES.iter().any(|(code, trunk)| {
        let bare = trunk.and_then(|trunk| digits.strip_prefix(&[trunk]));
        // Where there is a trunk prefix, a national number is dialled with it; people in North America leave it out.
        match bare {
            Some(bare) => is_national(*code, bare),
            None => (trunk.is_none() || *code == 1) && is_national(*code, digits),
        }
    })
}
