//! Evidence as comments of proposed files.

use crate::observed::document::Requested;
use std::fmt::Write as _;

/// A text for a comment: on one line, whatever is in it.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// How often requests were made, with which bodies and parameters.
pub(super) fn of_requests<'a>(requests: impl Iterator<Item = &'a Requested>) -> String {
    let shown = |asked: &Requested| {
        let of = &asked.of;
        // Writing to a string cannot fail.
        let mut text = format!("{}: {}", asked.method, of.times.shown());
        if of.grpc_messages > 0 {
            let _ = write!(text, "; {} gRPC messages", of.grpc_messages);
        }
        if let Some(bytes) = of.bytes {
            let _ = write!(text, "; below {} bytes", bytes.below);
        }
        for (what, names) in [("", &of.media_types), ("parameters ", &of.parameters)] {
            if !names.is_empty() {
                let _ = write!(text, "; {what}{}", names.iter().cloned().collect::<Vec<_>>().join(", "));
            }
        }
        format!("# observed {}\n", plain(&text))
    };
    requests.map(shown).collect()
}
