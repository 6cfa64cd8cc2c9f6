//! Zstandard (RFC 8878).

use super::{MAX_MEMBERS, Output, STEP};
use crate::inspect::engine::canonical::{Unreadable, magic};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read;

/// Largest window, as RFC 8878 3.1.1.1.2 recommends for decoders.
const MAX_WINDOW: u64 = 8 << 20;
/// Largest block, and so the smallest window worth having.
const BLOCK: u64 = 128 << 10;
/// Lower 28 bits of the magic of a skippable frame, shifted.
const SKIPPABLE: u32 = 0x0184_D2A5;

/// What a frame says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    /// Bytes of its header.
    header: usize,
    window: u64,
    content: Option<u64>,
    checksum: bool,
}

/// Whether the bytes begin with a skippable frame.
pub(super) fn is_skippable(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|magic| u32::from_le_bytes(*magic) >> 4 == SKIPPABLE)
}

/// Decodes all frames of a body.
///
/// Skippable frames are refused: they carry bytes past the inspection.
pub(super) fn decode(bytes: &[u8], output: &mut Output) -> Result<(), Unreadable> {
    let mut rest = bytes;
    for _ in 0..MAX_MEMBERS {
        if is_skippable(rest) {
            return Err(Unreadable::Hidden);
        }
        if !rest.starts_with(magic::ZSTD) {
            return Err(Unreadable::Trailing);
        }
        rest = frame(rest, output)?;
        if rest.is_empty() {
            return Ok(());
        }
    }
    Err(Unreadable::Members)
}

/// Decodes one frame and returns what is behind it.
fn frame<'a>(bytes: &'a [u8], output: &mut Output) -> Result<&'a [u8], Unreadable> {
    let frame = Frame::read(bytes)?;
    output.announce(frame.content.unwrap_or(0))?;
    let header = frame.bounded_header(output.cap);
    let mut blocks = bytes.get(frame.header..).ok_or(Unreadable::Corrupt)?;
    let start = output.bytes.len();
    let mut decoder = FrameDecoder::new();
    decoder.reset(header.as_slice()).map_err(|_| Unreadable::Corrupt)?;
    while !decoder.is_finished() {
        decoder.decode_blocks(&mut blocks, BlockDecodingStrategy::UptoBlocks(1)).map_err(|_| Unreadable::Corrupt)?;
        drain(&mut decoder, output)?;
    }
    let produced = output.bytes.len() - start;
    if frame.content.is_some_and(|content| content != produced as u64) {
        return Err(Unreadable::Corrupt);
    }
    if frame.checksum && decoder.get_checksum_from_data() != decoder.get_calculated_checksum() {
        return Err(Unreadable::Corrupt);
    }
    Ok(blocks)
}

fn drain(decoder: &mut FrameDecoder, output: &mut Output) -> Result<(), Unreadable> {
    let mut step = [0; STEP];
    loop {
        let count = decoder.read(&mut step).map_err(|_| Unreadable::Corrupt)?;
        if count == 0 {
            return Ok(());
        }
        output.push(step.get(..count).unwrap_or_default())?;
    }
}

impl Frame {
    /// Reads a frame header (RFC 8878 3.1.1.1).
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut rest = bytes.get(magic::ZSTD.len()..).unwrap_or_default();
        let descriptor = little_endian(&mut rest, 1)?;
        if descriptor & 3 != 0 {
            return Err(Unreadable::Dictionary);
        }
        if descriptor & 0x08 != 0 {
            return Err(Unreadable::Corrupt);
        }
        let single = descriptor & 0x20 != 0;
        let window = if single { 0 } else { window(little_endian(&mut rest, 1)?) };
        let content = match (descriptor >> 6, single) {
            (0, false) => None,
            (0, true) => Some(little_endian(&mut rest, 1)?),
            (1, _) => Some(little_endian(&mut rest, 2)?.saturating_add(256)),
            (2, _) => Some(little_endian(&mut rest, 4)?),
            _ => Some(little_endian(&mut rest, 8)?),
        };
        let window = if single { content.unwrap_or(0) } else { window };
        if window > MAX_WINDOW {
            return Err(Unreadable::Window);
        }
        Ok(Self { header: bytes.len() - rest.len(), window, content, checksum: descriptor & 4 != 0 })
    }

    /// The header that the decoder is given instead of the sent one: with no larger window than the output may have.
    ///
    /// The decoder keeps a whole window before it gives anything out, so a window larger than the cap would let a bomb
    /// grow unseen. Output within the cap never refers further back than this window.
    fn bounded_header(&self, cap: usize) -> Vec<u8> {
        let window = self.window.min(cap as u64).max(BLOCK).next_power_of_two();
        let exponent = u8::try_from(window.trailing_zeros().saturating_sub(10)).unwrap_or(0);
        let descriptor = if self.checksum { 4 } else { 0 };
        [magic::ZSTD, &[descriptor, exponent << 3]].concat()
    }
}

fn window(descriptor: u64) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * (descriptor & 7)
}

/// Takes a number of so many bytes.
fn little_endian(rest: &mut &[u8], count: usize) -> Result<u64, Unreadable> {
    let (number, behind) = rest.split_at_checked(count).ok_or(Unreadable::Corrupt)?;
    *rest = behind;
    Ok(number.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}
