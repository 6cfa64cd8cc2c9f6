//! deflate (RFC 1951), in its zlib wrapper (RFC 1950) or without.

use super::{Output, STEP};
use crate::inspect::engine::canonical::{Unreadable, magic};
use flate2::{Decompress, FlushDecompress, Status};

/// How a part of a stream ends that is sent before the rest: an empty stored block.
pub(super) const FLUSHED: &[u8] = b"\0\0\xff\xff";

/// Decodes a whole body that is declared as `deflate`.
///
/// A body that is valid both with and without the wrapper is refused: receivers would not agree on it.
pub(super) fn decode(bytes: &[u8], cap: usize) -> Result<Vec<u8>, Unreadable> {
    if !magic::is_zlib_header(bytes) {
        return whole(bytes, cap, false);
    }
    let wrapped = whole(bytes, cap, true);
    let bare = whole(bytes, cap, false);
    match (wrapped, bare) {
        (Ok(_), Ok(_)) => Err(Unreadable::Contradiction),
        // A wrapped stream that grows too large must not be retried as another.
        (Err(Unreadable::TooLarge), _) => Err(Unreadable::TooLarge),
        (Err(_), Ok(output)) | (Ok(output), Err(_)) => Ok(output),
        (Err(error), Err(_)) => Err(error),
    }
}

fn whole(bytes: &[u8], cap: usize, zlib: bool) -> Result<Vec<u8>, Unreadable> {
    let mut output = Output::new(cap);
    let used = inflate(bytes, &mut output, zlib)?;
    if used == bytes.len() { Ok(output.bytes) } else { Err(Unreadable::Trailing) }
}

/// Decodes one stream and returns how many bytes it had.
pub(super) fn inflate(bytes: &[u8], output: &mut Output, zlib: bool) -> Result<usize, Unreadable> {
    let mut stream = Decompress::new(zlib);
    let mut step = [0; STEP];
    loop {
        let used = position(stream.total_in());
        let produced = stream.total_out();
        let rest = bytes.get(used..).unwrap_or_default();
        let status = stream.decompress(rest, &mut step, FlushDecompress::None);
        let status =
            status.map_err(|error| if error.needs_dictionary().is_some() { Unreadable::Dictionary } else { Unreadable::Corrupt })?;
        let fresh = position(stream.total_out() - produced);
        output.push(step.get(..fresh).unwrap_or_default())?;
        let now = position(stream.total_in());
        if status == Status::StreamEnd {
            return Ok(now);
        }
        if fresh == 0 && now == used {
            return Err(Unreadable::Corrupt);
        }
    }
}

/// Whether a stream that begins so is not broken yet, and how many bytes came out, of which there are at most `most`.
pub(super) fn survives(head: &[u8], most: usize, zlib: bool) -> (bool, usize) {
    let mut stream = Decompress::new(zlib);
    let mut room = [0; STEP];
    let room = room.get_mut(..most.min(STEP)).unwrap_or_default();
    let status = stream.decompress(head, room, FlushDecompress::None);
    (status.is_ok(), position(stream.total_out()))
}

/// A count of bytes that are in memory.
fn position(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
