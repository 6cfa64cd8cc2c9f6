//! What systems call their parts: identifiers of devices, serial numbers, fingerprints, names of servers.

use super::digest::{is_fingerprint, is_like_a_digest, is_random, pairs};
use super::{is_hexadecimal_text, whole};
use crate::inspect::engine::detect::{mac, payment_card};

/// Longest of these.
const LONGEST: usize = 192;

/// Whether a text is one of these by its form alone.
#[must_use]
pub fn is_part(text: &str) -> bool {
    text.len() <= LONGEST
        && (is_placeholder(text)
            || is_device_id(text)
            || is_fingerprint(text)
            || is_signature(text)
            || is_machine_serial(text)
            || is_location(text)
            || is_part_number(text)
            || is_long_serial(text)
            || is_isbn(text)
            || is_server_name(text)
            || mac::is_nobodys(text))
}

/// What makers leave in the firmware where they have nothing to say.
fn is_placeholder(text: &str) -> bool {
    const TEXTS: &[&str] = &[
        "to be filled by o.e.m.",
        "default string",
        "system serial number",
        "base board serial number",
        "chassis serial number",
        "not specified",
        "not applicable",
        "o.e.m.",
    ];
    TEXTS.iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// `PCI\VEN_8086&DEV_100E&SUBSYS_00000000&REV_02`, with the place of the device behind (`\3&11583659&0&18`) or without.
fn is_device_id(text: &str) -> bool {
    const BUSES: &[&str] = &["PCI", "USB", "USBSTOR", "HDAUDIO", "HID", "ACPI", "SCSI", "IDE", "VMBUS", "PCIIDE", "ROOT", "SWD", "ISAPNP"];
    const PARTS: &[&str] = &["VEN", "DEV", "SUBSYS", "REV", "VID", "PID", "MI", "CC", "FUNC", "CTLR", "COL"];
    let mut segments = text.split('\\').filter(|segment| !segment.is_empty());
    let is_bus = segments.next().is_some_and(|bus| BUSES.contains(&bus));
    let is_hex = |number: &str| (1..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_part = |part: &str| part.split_once('_').is_some_and(|(name, number)| PARTS.contains(&name) && is_hex(number));
    let is_id = is_bus && segments.next().is_some_and(|id| id.split('&').all(is_part));
    is_id && segments.next().is_none_or(|place| place.contains('&') && place.split('&').all(is_hex)) && segments.next().is_none()
}

/// The signature of a processor with its features: `BFEBFBFF000406E3`, or its bytes as `dmidecode` shows them, `E3 06 04 00 FF FB EB BF`.
fn is_signature(text: &str) -> bool {
    let is_whole = || {
        let (features, signature) = text.split_at_checked(8).unwrap_or_default();
        signature.len() == 8
            && features.get(4..).is_some_and(|end| end.eq_ignore_ascii_case("FBFF"))
            && signature.starts_with("00")
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    is_whole() || pairs(text, ' ').is_some_and(|bytes| matches!(bytes.as_slice(), [_, _, _, 0, 0xff, 0xfb, _, _]))
}

/// `VMware-42 1c 3b 4d 5e 6f 70 81-92 a3 …`: the sixteen bytes of a machine's UUID in two groups, which begin with one of two marks; and
/// the beginning of one. A network card may have an address that begins so, but no maker's does.
fn is_machine_serial(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("VMware-") else { return false };
    let (first, second) = rest.split_once('-').map_or((rest, None), |(first, second)| (first, Some(second)));
    let Some(mut bytes) = pairs(first, ' ').filter(|bytes| matches!(bytes.as_slice(), [0x42, ..] | [0x56, 0x4d, ..])) else { return false };
    let Some(second) = second else {
        return (6..=8).contains(&bytes.len()) && bytes.iter().any(|byte| !(b' '..=b'~').contains(byte));
    };
    let Some(others) = pairs(second, ' ').filter(|others| others.len() == 8 && bytes.len() == 8) else { return false };
    bytes.extend(others);
    is_random(&bytes)
}

/// `0000.001d.0000.001.004.000.000.000.000`: where Windows says a device of USB is.
fn is_location(text: &str) -> bool {
    let lengths = text.split('.').map(str::len);
    lengths.eq([4, 4, 4, 3, 3, 3, 3, 3, 3])
        && text.starts_with("0000.00")
        && text.bytes().all(|byte| byte == b'.' || byte.is_ascii_hexdigit())
}

/// `07TYC2`, `5CG1234XYZ`: capitals behind a digit, and no more than four digits side by side. Numbers of identity cards, of passports and
/// of cars have seven or nine, begin with a letter, or have more digits.
fn is_part_number(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_uppercase).count();
    let is_short_run = |run: &str| run.len() <= 4;
    matches!(text.len(), 6 | 8 | 10)
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.starts_with(|first: char| first.is_ascii_digit())
        && (3..=7).contains(&letters)
        && text.split(|letter: char| letter.is_ascii_uppercase()).all(is_short_run)
}

/// Nineteen digits and more: no telephone number or identifier of a person has as many, and no card has this one.
fn is_long_serial(text: &str) -> bool {
    (19..=20).contains(&text.len()) && whole(text).is_some_and(|value| !payment_card::is_number(value))
}

/// `ISBN 978-3-16-148410-0`, with its check digit.
fn is_isbn(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("ISBN") else { return false };
    let digits: Vec<u32> = rest
        .trim_start_matches([':', ' '])
        .chars()
        .filter(|letter| !matches!(letter, '-' | ' '))
        .map_while(|letter| letter.to_digit(10))
        .collect();
    let weighed = digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>();
    let letters = rest.bytes().filter(|byte| !matches!(byte, b'-' | b' ' | b':')).count();
    digits.len() == 13 && letters == 13 && rest.trim_start_matches([':', ' ']).starts_with("97") && weighed % 10 == 0
}

/// `srvucx01.acme.local`: words for servers and a short number, in a domain that is only known inside.
fn is_server_name(text: &str) -> bool {
    const DOMAINS: &[&str] = &["local", "lan", "internal", "intranet", "intra", "corp", "lab", "test", "localdomain"];
    let lower = text.to_ascii_lowercase();
    let (host, domain) = lower.split_once('.').unwrap_or((&lower, ""));
    let is_label = |label: &str| (1..=32).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_inside = domain.rsplit('.').next().is_some_and(|last| DOMAINS.contains(&last)) && domain.split('.').all(is_label);
    (domain.is_empty() || is_inside) && is_server(host)
}

/// A name of nothing but words for servers, with a number of four digits at most.
fn is_server(host: &str) -> bool {
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "server", "srv", "ucx", "sql", "database", "db", "dc", "node", "host", "vm", "win", "cucm", "cube", "callmanager", "imagicle", "app", "web", "mail",
        "dns", "dhcp", "backup", "esx", "hyperv", "prod", "test", "dev", "localhost", "primary", "secondary", "pub", "sub",
    ];
    let words = host.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let mut rest = words.trim_matches('-');
    while let Some(shorter) = WORDS.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter.trim_start_matches('-');
    }
    rest.is_empty() && words.len() >= 3 && host.len() - words.len() <= 4
}

/// What may be one of these once no detector found anything in it: the digest of a file (Subresource Integrity), the description of a
/// screen (EDID).
#[must_use]
pub fn is_like_a_part(text: &str) -> bool {
    is_integrity(text) || is_screen(text) || is_like_a_digest(text)
}

fn is_integrity(text: &str) -> bool {
    let is_base64 = |digest: &str| digest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let ends = |digest: &str, length: usize, padding: &str| digest.len() == length && digest.strip_suffix(padding).is_some_and(is_base64);
    text.split_once('-').is_some_and(|(name, digest)| match name {
        "sha256" => ends(digest, 44, "="),
        "sha384" => ends(digest, 64, ""),
        "sha512" => ends(digest, 88, "=="),
        _ => false,
    })
}

fn is_screen(text: &str) -> bool {
    let head = text.get(..16).is_some_and(|head| head.eq_ignore_ascii_case("00ffffffffffff00"));
    head && matches!(text.len(), 256 | 512) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && !is_hexadecimal_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_form() {
        for text in [
            r"PCI\VEN_8086&DEV_100E&SUBSYS_00000000&REV_02",
            r"PCI\VEN_8086&DEV_100E&SUBSYS_00000000&REV_02\3&11583659&0&18",
            r"USB\VID_046D&PID_C52B",
            "A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4",
            "a1 b2 c3 d4 e5 f6 07 18 29 3a 4b 5c 6d 7e 8f 90",
            "E3 06 04 00 FF FB EB BF",
            "BFEBFBFF000406E3",
            "VMware-42 1c 3b 4d 5e 6f",
            "VMware-42 1c 3b 4d 5e 6f 70 81-92 a3 b4 c5 d6 e7 f8 09",
            "0000.001d.0000.001.004.000.000.000.000",
            "07TYC2",
            "5CG1234XYZ",
            "To Be Filled By O.E.M.",
            "8933150319050352521",
            "ISBN 978-3-16-148410-0",
            "srvucx01.acme.local",
            "SQL01",
            "50:50:54:50:30:30",
            "45:00:00:00:FF:14",
            "FF:FF:FF:00:00:00",
        ] {
            assert!(is_part(text), "{text}");
        }
    }

    #[test]
    fn what_is_of_a_person_is_no_part() {
        for text in [
            r"USB\VID_046D&PID_C52B\mrossi",
            r"USB\VID_046D&PID_C52B\001B21AABBCC",
            r"ACME\mrossi",
            "00:1B:21:AA:BB:CC",
            "00 1B 21 AA BB CC",
            "VMware-00 1b 21 aa bb cc",
            "VMware-50 9a 4c aa bb cc",
            "VMware-42 6f 62 20 2b 33 39",
            "VMware-42 6f 62 20 2b 33 39 33-34 37 31 32 33 34 35 0a",
            "VMware-42 1c 3b 4d 5e 6f 70 81 92 a3 b4 c5 d6 e7 f8 09",
            "VMware-56 1c 3b 4d 5e 6f 70 81-92 a3 b4 c5 d6 e7 f8 09",
            "6d 61 72 69 6f 2e 72 6f 73 73 69 40 61 63 6d 65 2e 69 74 0a",
            "6d 61 72 69 6f 2e 72 6f 73 73 69 40 78 2e 69 74",
            "00 1b 21 ff fe aa bb cc",
            "12345678Z",
            "X1234567L",
            "AB123456C",
            "1234BCD",
            "1ABC234",
            "MRO1234",
            "3351234567",
            "393351234567",
            "4000000000000000006",
            "ISBN 02 1234 5678",
            "ISBN 978-3-16-148410-1",
            "mrossi.acme.local",
            "srvrossi01.acme.local",
            "srvucx01.rossi.it",
            "sepsrv",
        ] {
            assert!(!is_part(text), "{text}");
        }
    }

    #[test]
    fn digests_of_files_and_screens_are_told_from_other_codes() {
        let digest = format!("sha512-{}==", "aB3".repeat(28) + "xY");
        assert!(is_like_a_part(&digest) && !is_like_a_part(&digest.replace("sha512", "mario")) && !is_like_a_part("sha512-bWFyaW8="));
        let screen = format!("00ffffffffffff00{}", "10ac".repeat(60));
        assert!(is_like_a_part(&screen) && !is_like_a_part(&screen.replace("00ff", "11ff")));
    }
}
