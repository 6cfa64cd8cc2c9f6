//! Geographic coordinates.
//!
//! Source: RFC 5870 (`geo:`), ISO 6709 annex H, NMEA 0183 sentences, and the customary degrees, minutes and seconds.

use super::lexis::{at, before, is_any, is_word, part, run, run_back, stands, stands_apart};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

mod number;
#[cfg(test)]
mod tests;

use number::{Number, read};

/// A scheme, a hemisphere or a pair of keys.
const BITS: u8 = 24;
/// One key that may also mean something else: two of them in a message are enough.
const HALF: u8 = 13;
/// Three decimals are about a hundred metres: less is a region, not a person.
const DECIMALS: usize = 3;

/// Finds positions. Two numbers without a scheme, a hemisphere or keys are one only with a comma between, and precise.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Version {
        return;
    }
    if let Some(bits) = by_key(text, context) {
        report(Hit { kind: Kind::Geolocation, start: 0, end: text.len(), bits });
        return;
    }
    if context.text == TextKind::Number {
        return;
    }
    let mut next = 0;
    while let Some(place) = text.get(next..).and_then(|rest| rest.iter().position(|&byte| is_anchor(byte))).map(|place| next + place) {
        next = place + 1;
        if let Some((start, end)) = at_anchor(text, place) {
            report(Hit { kind: Kind::Geolocation, start, end, bits: BITS });
            next = end.max(next);
        }
    }
}

const fn is_anchor(byte: u8) -> bool {
    matches!(byte, b'g' | b'G' | b'l' | b'L' | b'+' | b'-' | b'$' | 0xc2 | b'@' | b'N' | b'S' | b',' | b'P' | b'p')
}

fn at_anchor(text: &[u8], place: usize) -> Option<(usize, usize)> {
    let end = match at(text, place) {
        b'g' | b'G' => scheme(text, place),
        b'l' | b'L' => keyed_pair(text, place),
        b'+' | b'-' => iso6709(text, place),
        b'$' => nmea(text, place),
        b'@' => map_address(text, place),
        b',' => return bare_pair(text, place),
        b'P' | b'p' => well_known(text, place),
        0xc2 => return degrees(text, place),
        _ => return hemispheres(text, place),
    };
    end.map(|end| (place, end))
}

// ---- keys -------------------------------------------------------------------------------------------------------------------

/// What a value weighs that stands under a key for a position.
fn by_key(text: &[u8], context: &Context<'_>) -> Option<u8> {
    let value = text.trim_ascii();
    let first = read(value, 0)?;
    if first.end == value.len() {
        return axis(context, first);
    }
    let place = context.says(&[
        "coordinates",
        "coordinate",
        "coords",
        "gps",
        "geo",
        "geolocation",
        "location",
        "position",
        "latlng",
        "latlon",
        "point",
    ]);
    let second = read(value, run(value, first.end, 4, |byte| matches!(byte, b' ' | b',' | b';')))?;
    (place && second.end == value.len() && is_precise(first, 90.0) && is_precise(second, 180.0)).then_some(BITS)
}

/// One number under `latitude`, `lon` and so on.
fn axis(context: &Context<'_>, number: Number) -> Option<u8> {
    let place = context.says(&["gps", "geo", "geolocation", "location", "position", "coordinates", "coords"]);
    if context.says(&["latitude", "breitengrad", "latitudine", "latitud"]) {
        return is_precise(number, 90.0).then_some(BITS);
    }
    if context.says(&["longitude", "längengrad", "longitudine", "longitud", "lng", "lon"]) {
        return is_precise(number, 180.0).then_some(BITS);
    }
    // `lat` is also a latency, `long` a number's size.
    let bits = if place || context.key.len() == 1 { BITS } else { HALF };
    let limit = if context.says(&["lat"]) { 90.0 } else { 180.0 };
    (context.says(&["lat"]) || (context.says(&["long"]) && place)).then_some(())?;
    is_precise(number, limit).then_some(bits)
}

fn is_precise(number: Number, limit: f64) -> bool {
    number.decimals >= DECIMALS && number.value.abs() <= limit
}

/// `lat=45.4642&lon=9.19`, `"latitude": 45.4642, "longitude": 9.19`.
fn keyed_pair(text: &[u8], place: usize) -> Option<usize> {
    if before(text, place).is_ascii_alphanumeric() {
        return None;
    }
    let (latitude, after) = keyed(text, place, &["lat", "latitude", "latitudine", "latitud"])?;
    let gap = run(text, after, 8, |byte| matches!(byte, b' ' | b',' | b';' | b'&' | b'"' | b'\'' | b'\r' | b'\n' | b'\t'));
    let (longitude, end) = keyed(text, gap, &["lon", "lng", "long", "longitude", "longitudine", "longitud"])?;
    (is_precise(latitude, 90.0) && is_precise(longitude, 180.0)).then_some(end)
}

/// A number assigned to one of these keys.
fn keyed(text: &[u8], place: usize, keys: &[&str]) -> Option<(Number, usize)> {
    let end = run(text, place, 12, |byte| byte.is_ascii_alphabetic());
    if !is_any(part(text, place, end), keys) {
        return None;
    }
    let start = run(text, end, 6, |byte| matches!(byte, b' ' | b'"' | b'\'' | b':' | b'='));
    let number = read(text, start).filter(|_| start > end)?;
    Some((number, number.end))
}

// ---- notations ----------------------------------------------------------------------------------------------------------------

/// `geo:45.4642,9.19`.
fn scheme(text: &[u8], place: usize) -> Option<usize> {
    if is_word(before(text, place)) || !stands(text, place, "geo:") {
        return None;
    }
    pair(text, place + 4, 1).map(|(_, end)| end)
}

/// Two numbers in the ranges of a position, with a comma between.
fn pair(text: &[u8], start: usize, decimals: usize) -> Option<(Number, usize)> {
    let latitude = read(text, start)?;
    let comma = latitude.end;
    let longitude = read(text, comma + 1).filter(|_| at(text, comma) == b',')?;
    let ranges = latitude.value.abs() <= 90.0 && longitude.value.abs() <= 180.0;
    let precise = latitude.decimals.max(longitude.decimals) >= decimals;
    (ranges && precise).then_some((latitude, longitude.end))
}

/// `POINT(9.1900 45.4642)`: well-known text (ISO 19162, OGC 06-103r4).
fn well_known(text: &[u8], place: usize) -> Option<usize> {
    if is_word(before(text, place)) || !stands(text, place, "point") {
        return None;
    }
    let open = run(text, place + 5, 2, |byte| byte == b' ');
    let longitude = read(text, open + 1).filter(|_| at(text, open) == b'(')?;
    let latitude = read(text, run(text, longitude.end, 3, |byte| byte == b' '))?;
    (is_precise(longitude, 180.0) && is_precise(latitude, 90.0) && at(text, latitude.end) == b')').then_some(latitude.end)
}

/// `45.4642,9.1900` apart from all else: eight decimals, which two measurements in one text seldom have. With a blank behind the
/// comma it may be a list, unless there are more.
fn bare_pair(text: &[u8], comma: usize) -> Option<(usize, usize)> {
    const PRECISE: usize = 8;
    let start = run_back(text, comma, 12, |byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    let latitude = read(text, start).filter(|number| number.end == comma)?;
    let next = run(text, comma + 1, 1, |byte| byte == b' ');
    let longitude = read(text, next)?;
    let decimals = [latitude.decimals, longitude.decimals];
    let is_sure = decimals.iter().sum::<usize>() >= PRECISE + (next - comma - 1);
    let is_position = decimals.iter().all(|count| *count <= PRECISE) && is_precise(latitude, 90.0) && is_precise(longitude, 180.0);
    (is_sure && is_position && stands_apart(text, start, longitude.end)).then_some((start, longitude.end))
}

/// `/@45.4642,9.1900,15z`: the address of a map.
fn map_address(text: &[u8], place: usize) -> Option<usize> {
    let (_, end) = pair(text, place + 1, DECIMALS).filter(|_| before(text, place) == b'/')?;
    (at(text, end) == b',').then_some(end)
}

/// `+45.4642+009.1900/`, `+452751+0091122/`: degrees, minutes and seconds are told apart by the number of digits.
fn iso6709(text: &[u8], place: usize) -> Option<usize> {
    if is_word(before(text, place)) || matches!(before(text, place), b'+' | b'-' | b'.') {
        return None;
    }
    let (digits, decimals, second) = signed(text, place)?;
    let (more, other, end) = signed(text, second)?;
    let closed = at(text, end) == b'/';
    let sizes = matches!((digits, more), (2, 3) | (4, 5) | (6, 7));
    let latitude = read(text, place)?.value.abs() / scale(digits);
    let longitude = read(part(text, second, end), 0)?.value.abs() / scale(digits);
    let precise = (digits == 2 && decimals >= DECIMALS && other >= DECIMALS) || closed;
    (sizes && precise && (digits > 2 || decimals > 0) && latitude <= 91.0 && longitude <= 181.0 && !is_word(at(text, end))).then_some(end)
}

/// What turns a number of so many digits into degrees.
const fn scale(digits: usize) -> f64 {
    match digits {
        2 => 1.0,
        4 => 100.0,
        _ => 10_000.0,
    }
}

/// A number with its sign: digits, decimals and where it ends.
fn signed(text: &[u8], place: usize) -> Option<(usize, usize, usize)> {
    matches!(at(text, place), b'+' | b'-').then_some(())?;
    let digits = run(text, place + 1, 8, |byte| byte.is_ascii_digit());
    let point = digits + usize::from(at(text, digits) == b'.');
    let end = run(text, point, 12, |byte| byte.is_ascii_digit());
    Some((digits - place - 1, if point > digits { end - point } else { 0 }, if point > digits { end } else { digits }))
}

/// `$GPGGA,123519,4807.038,N,01131.000,E,…`.
fn nmea(text: &[u8], place: usize) -> Option<usize> {
    let talker = matches!(part(text, place + 1, place + 3), b"GP" | b"GN" | b"GL" | b"GA" | b"GB" | b"GQ" | b"BD");
    if !talker || !matches!(part(text, place + 3, place + 6), b"GGA" | b"RMC" | b"GLL" | b"GNS") {
        return None;
    }
    let end = run(text, place, 100, |byte| byte > b' ' && byte < 0x7f);
    let sentence = part(text, place, end);
    let north = [&b",N,"[..], b",S,"].iter().any(|field| memchr::memmem::find(sentence, field).is_some());
    let east = [&b",E,"[..], b",W,"].iter().any(|field| memchr::memmem::find(sentence, field).is_some());
    (north && east).then_some(end)
}

/// `45°27'51"N`, `45.4642° N`, `N 45° 27.855'`: the range from the number to the hemisphere. `45 °C` has none.
fn degrees(text: &[u8], place: usize) -> Option<(usize, usize)> {
    if at(text, place + 1) != 0xb0 {
        return None;
    }
    let number_end = run_back(text, place, 1, |byte| byte == b' ');
    let start = run_back(text, number_end, 12, |byte| byte.is_ascii_digit() || byte == b'.');
    let number = read(text, start).filter(|number| number.end == number_end && number.value <= 180.0)?;
    let rest = run(text, place + 2, 24, |byte| {
        byte.is_ascii_digit() || matches!(byte, b' ' | b'.' | b'\'' | b'"' | 0xe2 | 0x80 | 0xb2 | 0xb3 | 0x99 | 0x9d)
    });
    let minutes = part(text, place + 2, rest).iter().any(u8::is_ascii_digit);
    let behind = is_hemisphere(text, rest).then_some(rest + 1);
    let front = run_back(text, start, 2, |byte| byte == b' ');
    let ahead = front.checked_sub(1).filter(|&letter| is_hemisphere(text, letter));
    if !minutes && number.decimals < DECIMALS {
        return None;
    }
    behind.map(|end| (start, end)).or_else(|| ahead.map(|letter| (letter, rest)))
}

/// A letter of a hemisphere as a word of its own; `O` is west in the Romance languages, east in German.
fn is_hemisphere(text: &[u8], place: usize) -> bool {
    matches!(at(text, place), b'N' | b'S' | b'E' | b'W' | b'O') && !is_word(before(text, place)) && !is_word(at(text, place + 1))
        || matches!(at(text, place), b'N' | b'S' | b'E' | b'W')
            && matches!(before(text, place), b'"' | b'\'' | b'0'..=b'9' | 0xb0 | 0xb2 | 0xb3 | 0x99 | 0x9d)
            && !is_word(at(text, place + 1))
}

/// `45.4642 N, 9.1900 E`: the letter stands at `place`.
fn hemispheres(text: &[u8], place: usize) -> Option<(usize, usize)> {
    let number_end = run_back(text, place, 1, |byte| byte == b' ');
    let start = run_back(text, number_end, 12, |byte| byte.is_ascii_digit() || byte == b'.');
    let latitude = read(text, start).filter(|number| number.end == number_end)?;
    let next = run(text, place + 1, 3, |byte| matches!(byte, b' ' | b',' | b';'));
    let longitude = read(text, next).filter(|_| next > place + 1)?;
    let letter = run(text, longitude.end, 1, |byte| byte == b' ');
    let east = matches!(at(text, letter), b'E' | b'W' | b'O') && !is_word(at(text, letter + 1));
    (east && is_precise(latitude, 90.0) && is_precise(longitude, 180.0)).then_some((start, letter + 1))
}
