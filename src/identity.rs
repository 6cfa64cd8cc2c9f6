//! Who a client proved to be, and by what: it is asked again when the configuration changes.

use crate::tls::proven::Proven;
use std::sync::Arc;

/// What is known of who a client is.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Whether it was asked at all: the client of a relay knows no proxy and could not answer.
    pub is_asked: bool,
    /// The certificate that it showed when it came.
    pub certificate: Option<Arc<Proven>>,
    /// The account whose password it knew.
    pub account: Option<Arc<str>>,
}

impl Identity {
    /// A client that came with this certificate, or with none where none was asked for.
    #[must_use]
    pub fn shown(certificate: Option<Arc<Proven>>) -> Self {
        Self { is_asked: true, certificate, account: None }
    }

    /// What it is called: by its certificate, else by its account. Never a name that it only claims.
    #[must_use]
    pub fn name(&self) -> Option<&Arc<str>> {
        self.certificate.as_ref().and_then(|certificate| certificate.name()).or(self.account.as_ref())
    }
}
