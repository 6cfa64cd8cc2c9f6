//! Where a text stands: what its key says and what kind of text is expected there.

use std::net::IpAddr;

/// What kind of text is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextKind {
    /// Anything a person may have written, or a value whose slot is not known.
    #[default]
    Free,
    /// A raw number as it stands in the document.
    Number,
    /// A version (`10.0.17763.1`): IPv4, phone and card shapes mean nothing here.
    Version,
    /// A file path.
    Path,
    /// An account under which something runs.
    Identity,
    /// A product, process, service or vendor name: names of persons mean nothing here.
    Name,
    /// A licence or activation token: it may be opaque, and it may be signed.
    Token,
}

/// Where a text stands.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Words of the key it stands under, lower case ASCII, separators and camel case taken apart: `["phone", "number"]`. Empty if there is none.
    pub key: &'a [&'a str],
    /// What is expected.
    pub text: TextKind,
    /// Networks as (address, prefix length) that may be named.
    pub declared: &'a [(IpAddr, u8)],
    /// Service accounts that may be named, lower case.
    pub accounts: &'a [&'a str],
}

impl Context<'_> {
    /// Whether the key has one of these words.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        self.key.iter().any(|word| words.contains(word))
    }
}

crate::hidden::hidden!(Context<'a>);
