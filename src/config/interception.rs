//! `[interception]` and `[inspection]`: whether anything is decrypted, with which CA, and how much of it is held.

use crate::proxy::interception::OnRejection;
use crate::source::{Located, Source};
use crate::tls::authority::Paths;
use crate::units::Size;
use serde::Deserialize;
use toml::Spanned;

/// Where `ca init` puts a CA that no configuration names.
pub const DEFAULT_CERTIFICATE: &str = "certs/ca.pem";
/// And its key.
pub const DEFAULT_KEY: &str = "certs/ca.key";
/// Largest message that is inspected: what gRPC libraries take by default.
const MAX_MESSAGE: u64 = 4 << 20;
/// What all held messages together may occupy.
const MAX_HELD: u64 = 64 << 20;
/// Largest message that can be configured: a gRPC length has 32 bits, and nothing near that is telemetry.
const LARGEST_MESSAGE: u64 = 1 << 30;

/// `[interception]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterceptionSection {
    ca_certificate: Spanned<String>,
    ca_key: Spanned<String>,
    #[serde(default)]
    on_client_rejection: OnRejection,
}

/// Interception, configured.
#[derive(Debug, Clone)]
pub struct InterceptionConfig {
    /// Where the CA is.
    pub paths: Paths,
    /// What becomes of a client that rejects its certificates.
    pub on_rejection: OnRejection,
    /// Where the configuration says so, for errors about the files.
    pub place: String,
}

impl InterceptionSection {
    pub(super) fn span(&self) -> std::ops::Range<usize> {
        self.ca_certificate.span()
    }

    pub(super) fn build(&self, source: &Source) -> Result<InterceptionConfig, Located> {
        for (key, path) in [("ca_certificate", &self.ca_certificate), ("ca_key", &self.ca_key)] {
            if path.get_ref().is_empty() {
                return Err(source.error(path.span(), format!("interception.{key} is empty; write a path such as {DEFAULT_CERTIFICATE:?}")));
            }
        }
        if self.ca_certificate.get_ref() == self.ca_key.get_ref() {
            return Err(source.error(self.ca_key.span(), "certificate and key are two files; name another one for the key"));
        }
        let paths = Paths { certificate: source.path(self.ca_certificate.get_ref()), key: source.path(self.ca_key.get_ref()) };
        Ok(InterceptionConfig { paths, on_rejection: self.on_client_rejection, place: source.place(self.ca_certificate.span().start) })
    }
}

/// `[inspection]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct InspectionSection {
    max_message: Option<Spanned<Size>>,
    max_held: Option<Spanned<Size>>,
    declared_addresses: Option<Spanned<toml::Value>>,
    unknown_fields: Option<Spanned<toml::Value>>,
}

/// Inspection, configured.
#[derive(Debug, Clone, Copy)]
pub struct InspectionConfig {
    /// Largest message that is inspected, in bytes.
    pub max_message: usize,
    /// What all held messages together may occupy, in bytes.
    pub max_held: usize,
}

impl InspectionSection {
    pub(super) fn build(&self, source: &Source) -> Result<InspectionConfig, Located> {
        let max_message = self.max_message.as_ref().map_or(MAX_MESSAGE, |size| size.get_ref().0);
        let max_held = self.max_held.as_ref().map_or(MAX_HELD.max(max_message), |size| size.get_ref().0);
        if let Some(size) = self.max_message.as_ref().filter(|_| max_message == 0 || max_message > LARGEST_MESSAGE) {
            return Err(source.error(size.span(), "inspection.max_message is out of range; write a size from 1B to 1GiB, such as \"4MiB\""));
        }
        if let Some(size) = self.max_held.as_ref().filter(|_| max_held < max_message) {
            let message = "inspection.max_held is smaller than max_message: the largest message could never be held; raise it";
            return Err(source.error(size.span(), message));
        }
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        Ok(InspectionConfig { max_message: bytes(max_message), max_held: bytes(max_held) })
    }

    /// Keys of the contract that this version does not have.
    pub(super) fn refuse_what_is_to_come(&self, source: &Source) -> Result<(), Located> {
        super::sections::not_yet(source, "inspection.declared_addresses", &self.declared_addresses)?;
        super::sections::not_yet(source, "inspection.unknown_fields", &self.unknown_fields)
    }
}
