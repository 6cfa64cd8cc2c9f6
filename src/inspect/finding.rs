//! What was found and where; never the value.

use std::fmt;

/// A kind of personal data. A closed list: it is a label in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An e-mail address (RFC 5321).
    Email,
}

impl Kind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: &[Self] = &[Self::Email];

    /// The word in answers, logs and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "email",
        }
    }
}

/// Where something was found. Positions only: a key or a field name could be somebody's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Path or query.
    Target,
    /// A header field, by name if the name is a common one.
    Header(Option<&'static str>),
    /// The body, at a position of the text that was inspected: for JSON the decoded strings, one after the other.
    Body(usize),
    /// A message of a gRPC stream, counted from 1, and the byte in it.
    GrpcMessage {
        /// Which message.
        number: u64,
        /// Which byte.
        offset: usize,
    },
    /// A trailer field, by name if the name is a common one.
    Trailer(Option<&'static str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("request target"),
            Self::Header(Some(name)) => write!(f, "header {name}"),
            Self::Header(None) => f.write_str("a header field of another name"),
            Self::Body(offset) => write!(f, "body, byte {offset}"),
            Self::GrpcMessage { number, offset } => write!(f, "gRPC message {number}, byte {offset}"),
            Self::Trailer(Some(name)) => write!(f, "trailer {name}"),
            Self::Trailer(None) => f.write_str("a trailer field of another name"),
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
}
