//! gzip (RFC 1952).

use super::{MAX_MEMBERS, Output, deflate};
use crate::inspect::engine::canonical::{Unreadable, magic};
use flate2::Crc;

/// Bytes before the compressed data: magic and method, flags, time, extra flags, system.
const HEADER: usize = 10;
/// Bytes behind it: CRC-32 and length.
const TRAILER: usize = 8;
/// The only flag that adds no field.
const FLAG_TEXT: u8 = 1;

/// Decodes all members of a body.
///
/// Name, comment and extra field are refused: they carry text past the inspection, and no sender of a body needs them.
pub(super) fn decode(bytes: &[u8], output: &mut Output) -> Result<(), Unreadable> {
    let mut rest = bytes;
    for _ in 0..MAX_MEMBERS {
        rest = member(rest, output)?;
        if rest.is_empty() {
            return Ok(());
        }
        if !rest.starts_with(magic::GZIP) {
            return Err(Unreadable::Trailing);
        }
    }
    Err(Unreadable::Members)
}

/// Decodes one member and returns what is behind it.
fn member<'a>(bytes: &'a [u8], output: &mut Output) -> Result<&'a [u8], Unreadable> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(Unreadable::Corrupt)?;
    let flags = header.get(3).copied().unwrap_or(u8::MAX);
    if flags & !FLAG_TEXT != 0 {
        return Err(Unreadable::Hidden);
    }
    let start = output.bytes.len();
    let used = deflate::inflate(body, output, false)?;
    let behind = body.get(used..).unwrap_or_default();
    let (trailer, rest) = behind.split_at_checked(TRAILER).ok_or(Unreadable::Corrupt)?;
    let mut crc = Crc::new();
    crc.update(output.bytes.get(start..).unwrap_or_default());
    let expected = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    if trailer == expected { Ok(rest) } else { Err(Unreadable::Corrupt) }
}
