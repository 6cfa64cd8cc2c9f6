//! Inspection: a message in, a verdict out. Pure: no async, clock, I/O or logging.
//!
//! [`Inspector`] reads a message by what its header fields say ([`inspector`]), and what stands around it ([`fields`]); the
//! [`engine`] knows codings, formats, the documented shape and the detectors. What cannot be read is
//! [`Verdict::Uninspectable`], never clean.

pub mod engine;
pub mod fields;
pub mod grpc;
pub mod inspector;
pub mod verdict;

pub use inspector::{Call, Inspector};
pub use verdict::{Finding, Kind, Verdict, Why};

/// Standard base64, padded or not (RFC 4648 section 4).
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests;
