use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write;

const LIMITS: Limits = Limits { max_output: 1 << 20 };

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn br_with(bytes: &[u8], lgwin: i32) -> Vec<u8> {
    let mut out = Vec::new();
    let params = ::brotli::enc::BrotliEncoderParams { quality: 5, lgwin, ..Default::default() };
    ::brotli::BrotliCompress(&mut &*bytes, &mut out, &params).unwrap();
    out
}

fn br(bytes: &[u8]) -> Vec<u8> {
    br_with(bytes, 22)
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

type Encode = fn(&[u8]) -> Vec<u8>;
const ALL: [(&str, Encode); 6] = [("gzip", gzip), ("X-GZip", gzip), ("deflate", zlib), ("deflate", raw), ("br", br), ("zstd", zstd)];

fn fails(coding: &str, bytes: &[u8]) -> Unreadable {
    decode(coding, bytes, &LIMITS).unwrap_err()
}

#[test]
fn no_coding_borrows() {
    for coding in ["", " ", "identity", "Identity", "identity, identity"] {
        assert!(matches!(decode(coding, b"{}", &LIMITS), Ok(Cow::Borrowed(b"{}"))), "{coding}");
    }
}

#[test]
fn unknown_forms_are_refused() {
    for coding in ["foo", "compress", "aes128gcm", "gzip;q=1", "gzip gzip", "gzip,", ",gzip", "gzip,gzip,gzip", "identity,identity,gzip"] {
        assert_eq!(fails(coding, b"x"), Unreadable::Coding, "{coding}");
    }
}

#[test]
fn header_and_magic_must_agree() {
    for coding in ["", "identity", "br", "deflate", "zstd"] {
        assert_eq!(fails(coding, &gzip(b"x")), Unreadable::Contradiction, "{coding}");
    }
    for coding in ["", "identity", "br", "deflate", "gzip"] {
        assert_eq!(fails(coding, &zstd(b"x")), Unreadable::Contradiction, "{coding}");
    }
    assert_eq!(fails("gzip", b"{\"a\":1}"), Unreadable::Contradiction);
    assert_eq!(fails("gzip", &gzip(&gzip(b"x"))), Unreadable::Contradiction, "a hidden second coding");
    assert!(decode("br", b"{\"a\":1}", &LIMITS).is_err());
    assert!(decode("deflate", b"{\"a\":1}", &LIMITS).is_err());
}

#[test]
fn an_empty_body_may_have_a_coding() {
    for (coding, _) in ALL {
        assert!(decode(coding, b"", &LIMITS).unwrap().is_empty());
    }
}

#[test]
fn anything_behind_or_missing_is_refused() {
    for (coding, encode) in ALL {
        let whole = encode(b"some text, some text, and more text");
        let longer = [&*whole, b"x"].concat();
        assert_eq!(fails(coding, &longer), Unreadable::Trailing, "{coding}");
        for len in 1..whole.len() {
            assert!(decode(coding, &whole[..len], &LIMITS).is_err(), "{coding} cut at {len}");
        }
    }
}

#[test]
fn members_are_counted() {
    for (coding, encode) in [("gzip", gzip as Encode), ("zstd", zstd)] {
        let member = encode(b"ab");
        assert_eq!(*decode(coding, &member.repeat(4), &LIMITS).unwrap(), *b"abababab");
        assert_eq!(fails(coding, &member.repeat(5)), Unreadable::Members);
    }
}

#[test]
fn checksums_are_checked() {
    let mut body = gzip(b"text");
    let crc = body.len() - 8;
    body[crc] ^= 1;
    assert_eq!(fails("gzip", &body), Unreadable::Corrupt);
    let mut body = zlib(b"text");
    *body.last_mut().unwrap() ^= 1;
    assert_eq!(fails("deflate", &body), Unreadable::Corrupt);
    let mut body = zstd(b"text");
    *body.last_mut().unwrap() ^= 1;
    assert_eq!(fails("zstd", &body), Unreadable::Corrupt);
}

#[test]
fn parts_that_decoders_skip_are_refused() {
    for flag in [2, 4, 8, 16, 32, 64, 128] {
        let mut body = gzip(b"text");
        body[3] = flag;
        assert_eq!(fails("gzip", &body), Unreadable::Hidden);
    }
    let skippable = [b"\x50\x2a\x4d\x18\x04\0\0\0name".as_slice(), &zstd(b"x")].concat();
    assert_eq!(fails("zstd", &skippable), Unreadable::Hidden);
    let behind = [&zstd(b"x"), b"\x5f\x2a\x4d\x18\x04\0\0\0name".as_slice()].concat();
    assert_eq!(fails("zstd", &behind), Unreadable::Hidden);
}

#[test]
fn brotli_metadata_is_seen() {
    // 0 (window), 0 (not last), 11 (metadata), 0 (reserved), 01 (one byte), 8 bits size - 1, padding.
    let mut bits: u32 = 0b11 << 2 | 0b01 << 5 | 19 << 7;
    bits &= 0x7fff;
    let [low, high, ..] = bits.to_le_bytes();
    let body = [&[low, high], b"name of someone here".as_slice(), &[3]].concat();
    assert_eq!(fails("br", &body), Unreadable::Hidden);
}

#[test]
fn windows_are_bounded() {
    for window in [23, 24] {
        assert_eq!(fails("br", &br_with(b"text", window)), Unreadable::Window);
    }
    assert_eq!(fails("br", b"\x11\x1e\0"), Unreadable::Window, "large window");
    // 2 GiB, and one step over 8 MiB.
    for descriptor in [21 << 3, 13 << 3 | 1] {
        assert_eq!(fails("zstd", &[b"\x28\xb5\x2f\xfd\x00".as_slice(), &[descriptor], b"\x01\0\0"].concat()), Unreadable::Window);
    }
    // 8 MiB and an empty last block.
    assert_eq!(*decode("zstd", b"\x28\xb5\x2f\xfd\x00\x68\x01\0\0", &LIMITS).unwrap(), *b"");
    // Announced content of 2^40.
    assert_eq!(fails("zstd", b"\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\x01\0\0"), Unreadable::Window);
    assert_eq!(fails("zstd", b"\x28\xb5\x2f\xfd\x01\0\0\0\0"), Unreadable::Dictionary);
}

#[test]
fn bombs_stop_at_the_ratio() {
    let zeros = vec![0; 4 << 20];
    let limits = Limits { max_output: 8 << 20 };
    for (coding, encode) in ALL {
        let bomb = encode(&zeros);
        assert_eq!(decode(coding, &bomb, &limits), Err(Unreadable::TooLarge), "{coding}");
    }
    assert_eq!(decode("gzip, gzip", &gzip(&gzip(&zeros)), &limits), Err(Unreadable::TooLarge));
    // 100 RLE blocks of 128 KiB in 4 bytes each.
    let rle = 1 << 1 | (128 << 10) << 3;
    let [a, b, c, _] = u32::to_le_bytes(rle);
    let bomb = [b"\x28\xb5\x2f\xfd\x00\x68".as_slice(), &[a, b, c, 0].repeat(100), b"\x01\0\0"].concat();
    assert_eq!(decode("zstd", &bomb, &limits), Err(Unreadable::TooLarge));
}

#[test]
fn what_is_both_zlib_and_raw_is_refused() {
    // zlib: header, a stored block of 65,534 bytes, an empty last one, checksum.
    // Raw: a stored block of 1 byte, one of 65,525 bytes, a last one of 9.
    let (length, complement) = (65_525_u16.to_le_bytes(), (!65_525_u16).to_le_bytes());
    let stored = [&length[..], &complement, &b"a".repeat(65_525), b"\x01\x09\x00\xf6\xff"].concat();
    let mut checked = ZlibEncoder::new(Vec::new(), Compression::none());
    checked.write_all(&stored).unwrap();
    let checked = checked.finish().unwrap();
    let checksum = &checked[checked.len() - 4..];
    let body = [b"\x78\x01\x00\xfe\xff\x01\x00".as_slice(), &stored, b"\x01\0\0\xff\xff", checksum].concat();
    assert_eq!(fails("deflate", &body), Unreadable::Contradiction);
}

#[test]
fn output_limit_holds_without_coding() {
    assert_eq!(decode("", b"12345", &Limits { max_output: 4 }), Err(Unreadable::TooLarge));
    assert_eq!(decode("gzip", &gzip(b"12345"), &Limits { max_output: 4 }), Err(Unreadable::TooLarge));
    assert_eq!(*decode("gzip", &gzip(b"1234"), &Limits { max_output: 4 }).unwrap(), *b"1234");
}

proptest! {
    #[test]
    fn decodes_what_was_encoded(text in prop::collection::vec(any::<u8>(), 1..3000), first in 0..6_usize, second in 0..6_usize) {
        prop_assume!(!looks_coded(&text));
        let ((inner, encode), (outer, encode_again)) = (ALL[first], ALL[second]);
        let once = encode(&text);
        let decoded = decode(inner, &once, &LIMITS).unwrap();
        prop_assert_eq!(&*decoded, &*text);
        let twice = encode_again(&once);
        let decoded = decode(&format!("{inner} ,\t{outer}"), &twice, &LIMITS).unwrap();
        prop_assert_eq!(&*decoded, &*text);
    }

    #[test]
    fn survives_damage(text in "[a-z ]{1,300}", which in 0..6_usize, at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let (coding, encode) = ALL[which];
        let mut body = encode(text.as_bytes());
        let at = at.index(body.len());
        body[at] ^= 1_u8 << bit;
        let _ = decode(coding, &body, &LIMITS);
    }

    #[test]
    fn survives_much_damage(
        text in "([a-z]{2,9} ?){1,200}", which in 0..6_usize, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(), is_cut in any::<bool>(),
    ) {
        let (coding, encode) = ALL[which];
        let mut body = encode(text.as_bytes());
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if is_cut {
            body.truncate(cut.index(body.len()));
        }
        // Whatever comes out is within its bound, and so is what was set aside for it.
        let limits = Limits { max_output: 5000 };
        let is_over = |output: &[u8]| output.len() > limits.max_output;
        prop_assert!(!decode(coding, &body, &limits).is_ok_and(|output| is_over(&output)));
        let inflated = Coding::named(coding).map(|coding| inflate(coding, &body, &limits));
        prop_assert!(inflated.is_some_and(|inflated| !inflated.is_ok_and(|output| is_over(&output) || output.capacity() > limits.max_output)));
        let (output, _) = try_deflate(&body, limits);
        prop_assert!(output.capacity() <= limits.max_output);
        prop_assert!(may_be_deflate(&body, 96).1 <= 2 * 96);
    }

    #[test]
    fn survives_anything(codings in "(gzip|br|zstd|deflate|[ -~]{0,9})(,(gzip|br))?", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&codings, &bytes, &LIMITS);
        for start in [magic::GZIP, magic::ZSTD, b"\x78\x9c"] {
            let body = [start, &bytes].concat();
            let _ = decode(&codings, &body, &LIMITS);
            for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
                let _ = inflate(coding, &body, &LIMITS);
            }
        }
    }
}
