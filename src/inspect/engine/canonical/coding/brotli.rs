//! Brotli (RFC 7932).

use super::{Output, STEP};
use crate::inspect::engine::canonical::Unreadable;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// Largest window in bits. The format allows 24, and 30 with an extension.
const MAX_WINDOW: u8 = 22;
/// Bytes given to the decoder at a time. So small that a metadata block, which is skipped without a trace, is seen.
const SLICE: usize = 16;

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Decodes a body. Metadata blocks are refused: they carry bytes past the inspection.
pub(super) fn decode(bytes: &[u8], output: &mut Output) -> Result<(), Unreadable> {
    if window(bytes).is_none_or(|bits| bits > MAX_WINDOW) {
        return Err(Unreadable::Window);
    }
    let mut state = State::new_strict(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
    let (first, rest) = bytes.split_at(bytes.len().min(SLICE));
    // The first block announces its size in the first bytes: one by one, nothing is allocated for it before it is judged.
    let mut slices = first.chunks(1).chain(rest.chunks(SLICE));
    while let Some(slice) = slices.next() {
        if let Some(used) = feed(slice, output, &mut state)? {
            let exact = used == slice.len() && slices.next().is_none();
            return if exact { Ok(()) } else { Err(Unreadable::Trailing) };
        }
        judge_block(&state, output)?;
    }
    Err(Unreadable::Corrupt)
}

/// Window bits in the first byte (RFC 7932 9.1). `None`: the reserved pattern.
fn window(bytes: &[u8]) -> Option<u8> {
    let first = bytes.first()?;
    match (first & 1, (first >> 1) & 7, (first >> 4) & 7) {
        (0, _, _) => Some(16),
        (_, 0, 0) => Some(17),
        (_, 0, 1) => None,
        (_, 0, more) => Some(8 + more),
        (_, more, _) => Some(17 + more),
    }
}

/// Takes one slice of input. `Some`: the stream ended after so many of its bytes.
fn feed(slice: &[u8], output: &mut Output, state: &mut State) -> Result<Option<usize>, Unreadable> {
    let mut available = slice.len();
    let mut used = 0;
    let mut step = [0; STEP];
    loop {
        let (mut room, mut produced, mut total) = (STEP, 0, 0);
        let result = BrotliDecompressStream(&mut available, &mut used, slice, &mut room, &mut produced, &mut step, &mut total, state);
        output.push(step.get(..produced).unwrap_or_default())?;
        match result {
            BrotliResult::ResultSuccess => return Ok(Some(used)),
            BrotliResult::NeedsMoreInput => return Ok(None),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err(Unreadable::Corrupt),
        }
    }
}

/// The block that is being read. An empty metadata block only aligns the stream, as a flush does.
fn judge_block(state: &State, output: &Output) -> Result<(), Unreadable> {
    let left = u64::try_from(state.meta_block_remaining_len).unwrap_or(0);
    if state.is_metadata == 0 {
        return output.announce(left);
    }
    if left > 0 { Err(Unreadable::Hidden) } else { Ok(()) }
}
