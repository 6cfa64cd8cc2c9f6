//! First bytes that tell what binary data is.

use super::codings::Coding;

/// gzip with its only method.
pub(super) const GZIP: &[u8] = b"\x1f\x8b\x08";
/// A zstd frame.
pub(super) const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// What binary data is, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Magic {
    /// gzip, zlib or zstd: can be inflated with [`super::coding::inflate`].
    Compressed(Coding),
    /// A compressed form or archive that is not read here: ZIP and OOXML, xz, bzip2, lz4, 7z, RAR, cabinet.
    Archive,
    /// PNG, JPEG, GIF, WEBP, HEIC, BMP, TIFF.
    Image,
    /// WAV, OGG, FLAC, MP3, AMR, AU, and any MP4.
    Media,
    /// PDF, OLE2, RTF.
    Document,
    /// DER: a certificate, key or signed message.
    Der,
    /// The description of a monitor, as inventories hold it.
    Edid,
}

/// Prefixes that are long enough to stand alone.
const PREFIXES: &[(&[u8], Magic)] = &[
    (GZIP, Magic::Compressed(Coding::Gzip)),
    (ZSTD, Magic::Compressed(Coding::Zstd)),
    (b"PK\x03\x04", Magic::Archive),
    (b"PK\x05\x06", Magic::Archive),
    (b"\xfd7zXZ\x00", Magic::Archive),
    (b"BZh91AY&SY", Magic::Archive),
    (b"\x04\x22\x4d\x18", Magic::Archive),
    (b"7z\xbc\xaf\x27\x1c", Magic::Archive),
    (b"Rar!\x1a\x07", Magic::Archive),
    (b"MSCF\x00\x00\x00\x00", Magic::Archive),
    (b"\x89PNG\r\n\x1a\n", Magic::Image),
    (b"\xff\xd8\xff", Magic::Image),
    (b"GIF87a", Magic::Image),
    (b"GIF89a", Magic::Image),
    (b"II*\x00", Magic::Image),
    (b"MM\x00*", Magic::Image),
    (b"OggS\x00", Magic::Media),
    (b"fLaC\x00\x00\x00", Magic::Media),
    (b"ID3\x02", Magic::Media),
    (b"ID3\x03", Magic::Media),
    (b"ID3\x04", Magic::Media),
    (b"#!AMR\n", Magic::Media),
    (b"#!AMR-WB\n", Magic::Media),
    (b".snd\x00\x00", Magic::Media),
    (b"%PDF-", Magic::Document),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Magic::Document),
    (b"{\\rtf1", Magic::Document),
    (b"\x00\xff\xff\xff\xff\xff\xff\x00", Magic::Edid),
];

/// What the bytes are. `None`: nothing known. Looks at no more than the first 16 bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> Option<Magic> {
    of_head(bytes, bytes.len())
}

/// As [`of`], of the first bytes only, of so many in all.
#[must_use]
pub(super) fn of_head(bytes: &[u8], len: usize) -> Option<Magic> {
    let prefix = PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix));
    if let Some(&(_, magic)) = prefix {
        return Some(magic);
    }
    if is_zlib(bytes) {
        return Some(Magic::Compressed(Coding::Deflate));
    }
    structured(bytes, len)
}

/// Whether the first byte is that of anything known.
#[must_use]
pub(super) const fn may_begin(first: u8) -> bool {
    matches!(
        first,
        0 | 0x04
            | 0x1f
            | 0x28
            | 0x30
            | 0x78
            | 0x89
            | 0xd0
            | 0xfd
            | 0xff
            | b'7'
            | b'#'
            | b'%'
            | b'.'
            | b'B'
            | b'G'
            | b'I'
            | b'M'
            | b'O'
            | b'P'
            | b'R'
            | b'f'
            | b'{'
    )
}

/// Forms whose first bytes alone could be chance or text.
fn structured(bytes: &[u8], len: usize) -> Option<Magic> {
    if is_image(bytes) {
        return Some(Magic::Image);
    }
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, _, _, _, _, ..] | [0, 0, 0, _, b'f', b't', b'y', b'p', ..] => Some(Magic::Media),
        // MPEG audio layer III: sync, bit rate and sampling rate not reserved.
        [0xff, 0xfa | 0xfb | 0xf2 | 0xf3, rates, ..] if !matches!(rates >> 4, 0 | 15) && rates & 0x0c != 0x0c => Some(Magic::Media),
        // A sequence as long as the bytes, with a sequence, number or object identifier first.
        [0x30, 0x82, high, low, 0x30 | 0x02 | 0x06, ..] if usize::from(u16::from_be_bytes([*high, *low])) + 4 == len => Some(Magic::Der),
        _ => None,
    }
}

fn is_image(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]
            | [0, 0, 0, _, b'f', b't', b'y', b'p', b'h' | b'm', b'e' | b'i', b'i' | b'f', ..]
            // BMP: two reserved words of zero, and the size of the second header.
            | [b'B', b'M', _, _, _, _, 0, 0, 0, 0, _, _, 0, 0, 12 | 40 | 108 | 124, ..]
    )
}

/// Whether the first two bytes can be those of a zlib stream (RFC 1950 2.2).
pub(super) fn is_zlib_header(bytes: &[u8]) -> bool {
    let [method, flags, ..] = bytes else { return false };
    method & 15 == 8 && method >> 4 <= 7 && (u32::from(*method) << 8 | u32::from(*flags)) % 31 == 0
}

/// As [`is_zlib_header`] with the largest window, as all senders use, and a first block that can be one.
fn is_zlib(bytes: &[u8]) -> bool {
    let [0x78, _, block, rest @ ..] = bytes else { return false };
    if !is_zlib_header(bytes) {
        return false;
    }
    match (block >> 1) & 3 {
        0 => matches!(rest, [a, b, c, d, ..] if a ^ c == 0xff && b ^ d == 0xff),
        1 => true,
        // Counts of length and distance codes.
        2 => block >> 3 <= 29 && rest.first().is_some_and(|next| next & 31 <= 29),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_known_begins_otherwise() {
        assert!(PREFIXES.iter().all(|(prefix, _)| may_begin(prefix[0])));
        let others: [&[u8]; 5] = [b"\x78\x9c\x03", b"RIFF....WAVE", b"\0\0\0\x18ftypmp42", b"\xff\xfb\x90", b"\x30\x82\0\x01\x30"];
        for bytes in others {
            assert!(of(bytes).is_some() && may_begin(bytes[0]), "{bytes:?}");
        }
        assert!((0..=u8::MAX).filter(|&first| may_begin(first)).count() < 32);
    }
}
