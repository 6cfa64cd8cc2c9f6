//! Content codings (RFC 9110 8.4): gzip, deflate, br and zstd, fully decoded and checked, in bounded memory.

mod brotli;
mod deflate;
mod deflate_head;
mod gzip;
mod zstd;

pub use super::codings::Coding;
use super::{Limits, Unreadable, magic};
use std::borrow::Cow;

/// Members of a gzip or frames of a zstd stream that are decoded.
const MAX_MEMBERS: usize = 4;
/// Codings that may be chained.
const MAX_CHAIN: usize = 2;
/// Output that is never held against the ratio.
const FREE_OUTPUT: usize = 64 << 10;
/// Output for each input byte beyond [`FREE_OUTPUT`].
const MAX_RATIO: usize = 100;
/// Size of the steps in which output is produced.
const STEP: usize = 8 << 10;

/// Decodes a body as `Content-Encoding` says; an empty value means no coding.
///
/// Borrows the bytes if there is no coding. Output is at most `limits.max_output` and, beyond 64 KiB, 100 times
/// the size of `bytes` however many codings are chained; both are known before anything is decoded, so that
/// a bomb costs no more memory than that.
///
/// # Errors
/// Every form but the accepted one: see [`Unreadable`]. A body that begins as gzip or zstd without being declared so,
/// before or after decoding, is a contradiction.
pub fn decode<'a>(codings: &str, bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Unreadable> {
    let chain = chain(codings)?;
    let cap = cap(bytes.len(), *limits);
    let mut body = Cow::Borrowed(bytes);
    for coding in chain.into_iter().rev().flatten() {
        body = Cow::Owned(one(coding, &body, cap)?);
    }
    if looks_coded(&body) {
        return Err(Unreadable::Contradiction);
    }
    if body.len() > limits.max_output {
        return Err(Unreadable::TooLarge);
    }
    Ok(body)
}

/// Decodes one coding of bytes found inside a message, such as gzip in base64. Bounds as in [`decode`].
///
/// # Errors
/// See [`Unreadable`].
pub fn inflate(coding: Coding, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Unreadable> {
    one(coding, bytes, cap(bytes.len(), *limits))
}

/// Whether bytes that begin so may be deflate, with or without its wrapper. And how many bytes came out, of which there are at
/// most `most`.
#[must_use]
pub(super) fn may_be_deflate(head: &[u8], most: usize) -> (bool, usize) {
    let body = if magic::is_zlib_header(head) { head.get(2..).unwrap_or_default() } else { head };
    // A decoder is large: it is made for very little.
    let (is_raw, is_wrapped) = (deflate_head::may_begin(head), body.len() < head.len() && deflate_head::may_begin(body));
    let (survives, raw) = if is_raw { deflate::survives(head, most, false) } else { (false, 0) };
    if survives || !is_wrapped {
        return (survives, raw);
    }
    let (survives, wrapped) = deflate::survives(head, most, true);
    (survives, raw + wrapped)
}

/// Decodes what may be deflate, with or without its wrapper, as far as it can be decoded. Returns what came out, and whether that
/// was all.
#[must_use]
pub(super) fn try_deflate(bytes: &[u8], limits: Limits) -> (Vec<u8>, bool) {
    let attempt = |zlib| {
        let mut output = Output::new(limits.max_output);
        let is_all = deflate::inflate(bytes, &mut output, zlib) == Ok(bytes.len());
        (output.bytes, is_all || !zlib && bytes.ends_with(deflate::FLUSHED))
    };
    let (raw, is_all) = attempt(false);
    if is_all || !magic::is_zlib_header(bytes) { (raw, is_all) } else { attempt(true) }
}

/// The codings in the order in which they were applied, identity left out.
fn chain(codings: &str) -> Result<[Option<Coding>; MAX_CHAIN], Unreadable> {
    let mut chain = [None; MAX_CHAIN];
    if codings.trim_matches([' ', '\t']).is_empty() {
        return Ok(chain);
    }
    let mut slots = chain.iter_mut();
    for name in codings.split(',') {
        let coding = Coding::named(name.trim_matches([' ', '\t'])).ok_or(Unreadable::Coding)?;
        let slot = slots.next().ok_or(Unreadable::Coding)?;
        *slot = (coding != Coding::Identity).then_some(coding);
    }
    Ok(chain)
}

fn cap(wire: usize, limits: Limits) -> usize {
    limits.max_output.min(wire.saturating_mul(MAX_RATIO).max(FREE_OUTPUT))
}

fn one(coding: Coding, bytes: &[u8], cap: usize) -> Result<Vec<u8>, Unreadable> {
    // A request without content may still carry the header.
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    agrees(coding, bytes)?;
    let mut output = Output::new(cap);
    match coding {
        Coding::Identity => output.push(bytes)?,
        Coding::Gzip => gzip::decode(bytes, &mut output)?,
        Coding::Deflate => return deflate::decode(bytes, cap),
        Coding::Brotli => brotli::decode(bytes, &mut output)?,
        Coding::Zstd => zstd::decode(bytes, &mut output)?,
    }
    Ok(output.bytes)
}

/// Whether the first bytes are those of the coding. deflate and br have no magic: they must not begin as another.
fn agrees(coding: Coding, bytes: &[u8]) -> Result<(), Unreadable> {
    let agrees = match coding {
        Coding::Gzip => bytes.starts_with(magic::GZIP),
        Coding::Zstd => bytes.starts_with(magic::ZSTD) || zstd::is_skippable(bytes),
        Coding::Deflate | Coding::Brotli | Coding::Identity => !looks_coded(bytes),
    };
    if agrees { Ok(()) } else { Err(Unreadable::Contradiction) }
}

fn looks_coded(bytes: &[u8]) -> bool {
    bytes.starts_with(magic::GZIP) || bytes.starts_with(magic::ZSTD)
}

/// Output that cannot grow beyond its cap, nor its allocation beyond what it needs.
struct Output {
    bytes: Vec<u8>,
    cap: usize,
}

impl Output {
    const fn new(cap: usize) -> Self {
        Self { bytes: Vec::new(), cap }
    }

    fn push(&mut self, more: &[u8]) -> Result<(), Unreadable> {
        let len = self.bytes.len();
        let need = len.saturating_add(more.len());
        if need > self.cap {
            return Err(Unreadable::TooLarge);
        }
        if need > self.bytes.capacity() {
            self.bytes.reserve_exact(need.max(len.saturating_mul(2)).min(self.cap) - len);
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Refuses a stream that announces more than there is room for.
    const fn announce(&self, more: u64) -> Result<(), Unreadable> {
        if more > (self.cap - self.bytes.len()) as u64 { Err(Unreadable::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
