//! Numbers with their check digits.

use crate::corpus::fixtures::People;
use crate::corpus::random::Random;

/// A number after one of the patterns of a country.
pub(crate) fn phone(people: &People, country: &str, random: &mut Random) -> String {
    let pattern = *random.pick(&people.phones.of(country));
    pattern
        .chars()
        .map(|letter| match letter {
            'N' => char::from_digit(u32::try_from(random.between(2, 9)).expect("a digit"), 10).expect("a digit"),
            'X' => char::from_digit(u32::try_from(random.below(10)).expect("a digit"), 10).expect("a digit"),
            other => other,
        })
        .collect()
}

/// An example of the registry, compact or in groups of four.
pub(super) fn iban(people: &People, random: &mut Random) -> String {
    let compact = (*random.pick(&people.ibans)).to_owned();
    if random.once_in(2) {
        return compact;
    }
    let groups: Vec<&str> = compact.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).expect("ASCII")).collect();
    groups.join(" ")
}

/// D.M. 23 December 1976: six letters, year, month, day (women's plus forty), town, check letter.
pub(super) fn codice_fiscale(random: &mut Random) -> String {
    let name = random.text(6, "BCDFGLMNPRSTVZ");
    let month = random.text(1, "ABCDEHLMPRST");
    let day = random.between(1, 28) + if random.once_in(2) { 40 } else { 0 };
    let town = format!("{}{:03}", random.text(1, "ABCDEFGHL"), random.between(1, 999));
    let head = format!("{name}{:02}{month}{day:02}{town}", random.between(30, 99));
    let odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let sum: usize = head
        .bytes()
        .enumerate()
        .map(|(at, byte)| {
            let rank = usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
            if at % 2 == 0 { odd[rank] } else { rank }
        })
        .sum();
    let code = format!("{head}{}", char::from(b'A' + u8::try_from(sum % 26).expect("a letter")));
    if random.once_in(5) { code.to_lowercase() } else { code }
}

/// ISO/IEC 7812-1, annex B: the digit that makes the sum a multiple of ten.
fn luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// 784, year of birth, seven digits, check digit (ICP of the United Arab Emirates).
pub(super) fn emirates_id(random: &mut Random) -> String {
    let year = random.between(1945, 2015);
    let digits = luhn(&format!("784{year}{}", random.digits(7)));
    format!("784-{year}-{}-{}", &digits[7..14], &digits[14..])
}

/// A card as it is printed.
pub(super) fn card(random: &mut Random) -> String {
    let prefix = random.pick(&["4539", "4716", "5105", "5412", "2221"]);
    let digits = luhn(&format!("{prefix}{}", random.digits(11)));
    let separator = random.pick(&[" ", "-"]);
    [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]].join(separator)
}

/// An address of the internet, or of a private network that nobody declared.
pub(super) fn address(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("2a0{}:{}:{:x}::{:x}", random.below(10), random.digits(4), random.between(1, 0xfff), random.between(1, 0xffff)),
        1 => format!("10.{}.{}.{}", random.between(64, 250), random.below(256), random.between(1, 254)),
        2 => format!("192.168.{}.{}", random.below(256), random.between(1, 254)),
        _ => format!(
            "{}.{}.{}.{}",
            random.pick(&[5, 31, 62, 79, 81, 87, 93, 151, 185, 212, 217]),
            random.between(65, 250),
            random.below(256),
            random.between(1, 254)
        ),
    }
}

/// Numbers whose structure is recognised in free text: France, Spain, United Kingdom, Italy.
pub(super) fn national_id(random: &mut Random) -> String {
    match random.below(5) {
        0 => nir(random),
        1 => dni(random),
        2 => nie(random),
        3 => nino(random),
        _ => codice_fiscale(random),
    }
}

/// Décret 82-103: sex, year, month, department, commune, order, and 97 less the remainder by 97.
fn nir(random: &mut Random) -> String {
    let (sex, year, month) = (random.between(1, 2), random.between(30, 99), random.between(1, 12));
    let (department, commune, order) = (random.between(1, 89), random.between(1, 600), random.between(1, 999));
    let body = format!("{sex}{year:02}{month:02}{department:02}{commune:03}{order:03}");
    let key = 97 - body.parse::<u64>().expect("digits") % 97;
    if random.once_in(2) {
        return format!("{body}{key:02}");
    }
    format!("{sex} {year:02} {month:02} {department:02} {commune:03} {order:03} {key:02}")
}

const CONTROL: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Real Decreto 1553/2005: the letter is the number modulo 23.
fn dni(random: &mut Random) -> String {
    let number = random.between(10_000_000, 99_999_999);
    let letter = char::from(CONTROL[usize::try_from(number % 23).expect("small")]);
    let separator = random.pick(&["", "-"]);
    format!("{number}{separator}{letter}")
}

fn nie(random: &mut Random) -> String {
    let (first, number) = (random.below(3), random.between(1_000_000, 9_999_999));
    let letter = char::from(CONTROL[usize::try_from((first * 10_000_000 + number) % 23).expect("small")]);
    format!("{}{number}{letter}", ["X", "Y", "Z"][usize::try_from(first).expect("small")])
}

/// HMRC NIM39110.
fn nino(random: &mut Random) -> String {
    let (first, second) = (random.text(1, "ABCEGHJKLMPRSTWXY"), random.text(1, "ABCEHJLMPRSTWXYZ"));
    let prefix = format!("{first}{second}");
    let prefix = if ["TN", "NT", "ZZ", "GB", "BG", "KN", "NK"].contains(&prefix.as_str()) { "AB".to_owned() } else { prefix };
    let (digits, suffix) = (random.digits(6), random.text(1, "ABCD"));
    if random.once_in(2) {
        format!("{prefix}{digits}{suffix}")
    } else {
        format!("{prefix} {} {} {} {suffix}", &digits[..2], &digits[2..4], &digits[4..])
    }
}

/// A key and a number that only the key makes one.
pub(crate) fn keyed_id(random: &mut Random) -> (&'static str, String) {
    match random.below(7) {
        0 => (
            "social security number",
            format!("{:03}-{:02}-{:04}", random.between(1, 665), random.between(1, 99), random.between(1, 9_999)),
        ),
        1 => (*random.pick::<&str>(&["nhs number", "nhs"]), nhs(random)),
        2 => (
            *random.pick::<&str>(&["steuer id", "tax id", "steuer identifikationsnummer"]),
            random.pick(&["86095742719", "47036892816", "65929970489", "57549285017", "25768131411"]).to_string(),
        ),
        3 => (
            *random.pick::<&str>(&["iqama", "iqama number", "national id", "saudi id"]),
            luhn(&format!("{}{}", random.between(1, 2), random.digits(8))),
        ),
        4 => (*random.pick::<&str>(&["emirates id", "eid number"]), emirates_id(random).replace('-', "")),
        5 => (*random.pick::<&str>(&["codice fiscale", "fiscal code", "tax code"]), codice_fiscale(random)),
        _ => (*random.pick::<&str>(&["dni", "nif", "documento nacional de identidad"]), dni(random)),
    }
}

/// NHS Data Dictionary: modulus 11.
fn nhs(random: &mut Random) -> String {
    loop {
        let body = random.digits(9);
        let sum: u32 = body.bytes().zip((2..=10).rev()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        let check = (11 - sum % 11) % 11;
        if check < 10 {
            return format!("{} {} {}{check}", &body[..3], &body[3..6], &body[6..]);
        }
    }
}
