//! Why a message could not be read.

use std::fmt;

/// Why a message could not be read. A closed list: it may be a label in metrics, and it never holds content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unreadable {
    /// A content coding that is not known, has parameters, or a chain of more than two.
    Coding,
    /// The bytes are not what the header says.
    Contradiction,
    /// A compressed stream that is damaged or cut off, or whose checksum is wrong.
    Corrupt,
    /// Bytes behind the end of a compressed stream.
    Trailing,
    /// Too many members or frames in one compressed stream.
    Members,
    /// More output than the limit or the ratio allows.
    TooLarge,
    /// A window larger than the limit.
    Window,
    /// A part of a compressed stream that no decoder gives out, such as a file name or a skippable frame.
    Hidden,
    /// A stream that needs a preset dictionary.
    Dictionary,
    /// A charset that is not known.
    Charset,
    /// Bytes that are no text in the charset.
    Text,
    /// Encodings nested too deeply.
    Depth,
    /// Too many encoded runs in one message.
    Blobs,
    /// Encoded runs that give too many bytes in all.
    Budget,
    /// More work than a message of its length may cost.
    Work,
}

impl Unreadable {
    /// What would have been accepted, as a sentence for the sender. Names no content.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Coding => "Content-Encoding must be at most two of gzip, deflate, br, zstd and identity, without parameters.",
            Self::Contradiction => "The body must be in the form that Content-Encoding and charset declare.",
            Self::Corrupt => "A compressed body must be complete and its checksums right.",
            Self::Trailing => "A compressed body must end with its stream.",
            Self::Members => "A compressed body may have at most four gzip members or zstd frames.",
            Self::TooLarge => "A body may expand to the configured limit, and beyond 64 KiB to at most 100 times its size.",
            Self::Window => "The window may be at most 8 MiB for zstd and 22 bits for br.",
            Self::Hidden => {
                "A compressed body must hold nothing but its content: no gzip name, comment or extra field, no skippable zstd frame, no br metadata."
            }
            Self::Dictionary => "A compressed body must not need a preset dictionary.",
            Self::Charset => "The charset must be utf-8, us-ascii, utf-16, utf-32, windows-1252 or iso-8859-x.",
            Self::Text => "A text body must be valid in its charset.",
            Self::Depth => "Values may be encoded at most four times.",
            Self::Blobs => "A message may hold at most 256 encoded values.",
            Self::Budget => "Encoded values may decode to at most four times the size of the message.",
            Self::Work => "Most of a message must be such that it needs no second look: it may hide something nearly everywhere.",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.detail())
    }
}

impl std::error::Error for Unreadable {}
