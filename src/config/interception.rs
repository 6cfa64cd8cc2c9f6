//! `[interception]` and `[inspection]`: whether anything is decrypted, with which CA, and how much of it is held.

use super::sections::network;
use crate::inspect::Inspector;
use crate::inspect::engine::format::protobuf::Descriptors;
use crate::inspect::engine::shape::document::Document;
use crate::inspect::engine::shape::{self, Shape};
use crate::inspect::engine::walk::{Settings, Unknown};
use crate::proxy::interception::OnRejection;
use crate::source::{self, Located, Source};
use crate::tls::authority::Paths;
use crate::units::Size;
use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
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

/// Longest account name: a domain of 255 bytes and a name of 104, as Windows has them.
const MAX_ACCOUNT: usize = 360;

/// `[interception]`
#[derive(Debug, Clone, serde::Deserialize)]
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

    pub(super) fn files(&self) -> [&String; 2] {
        [self.ca_certificate.get_ref(), self.ca_key.get_ref()]
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
#[derive(Debug, Clone, serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct InspectionSection {
    max_message: Option<Spanned<Size>>,
    max_held: Option<Spanned<Size>>,
    declared_addresses: Vec<Spanned<String>>,
    unknown_fields: Option<Spanned<UnknownFields>>,
    descriptors: Option<Spanned<String>>,
    service_accounts: Vec<Spanned<String>>,
    shapes: Vec<Spanned<String>>,
}

/// The value of `inspection.unknown_fields`; an error names the words that are allowed, whatever was written.
#[derive(Debug, Clone, Copy, Default)]
struct UnknownFields(Unknown);

impl<'de> Deserialize<'de> for UnknownFields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = UnknownFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`inert`, `strict` or `observe`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<UnknownFields, E> {
        let known = [Unknown::Inert, Unknown::Strict, Unknown::Observe].into_iter().find(|known| known.label() == word);
        known.map(UnknownFields).ok_or_else(|| E::unknown_variant(word, &["inert", "strict", "observe"]))
    }
}

/// Inspection, configured.
#[derive(Debug, Clone)]
pub struct InspectionConfig {
    /// Largest message that is inspected, in bytes.
    pub max_message: usize,
    /// What all held messages together may occupy, in bytes.
    pub max_held: usize,
    /// What is done with fields that nobody documents.
    pub unknown_fields: Unknown,
    /// Networks whose addresses telemetry may carry.
    pub declared: Vec<IpNet>,
    /// Accounts that are no person's, in lower case; without a domain in every domain.
    pub accounts: Vec<String>,
    /// What inspects.
    pub inspector: Arc<Inspector>,
}

impl InspectionSection {
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.shapes.iter().chain(&self.descriptors).map(Spanned::get_ref)
    }

    /// Where something is set that differs from what counts without it.
    pub(super) fn first_set(&self) -> Option<Range<usize>> {
        let sizes = [(&self.max_message, MAX_MESSAGE), (&self.max_held, MAX_HELD)];
        let sizes = sizes.into_iter().filter_map(|(size, usual)| size.as_ref().filter(|size| size.get_ref().0 != usual).map(Spanned::span));
        let lists = [&self.declared_addresses, &self.service_accounts, &self.shapes].into_iter().flatten().map(Spanned::span);
        let unknown = self.unknown_fields.as_ref().filter(|word| word.get_ref().0 != Unknown::default()).map(Spanned::span);
        let all = sizes.chain(lists).chain(unknown).chain(self.descriptors.as_ref().map(Spanned::span));
        all.min_by_key(|span| span.start)
    }

    /// Accounts without a domain, with their places.
    pub(super) fn bare_accounts(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.service_accounts.iter().filter(|account| !account.get_ref().contains(['\\', '@']))
    }

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
        let declared = self.declared(source)?;
        let unknown_fields = self.unknown_fields.as_ref().map(|word| word.get_ref().0).unwrap_or_default();
        let accounts = self.accounts(source)?;
        let settings = Settings {
            unknown: unknown_fields,
            networks: declared.iter().map(|network| (network.network(), network.prefix_len())).collect(),
            accounts: accounts.clone(),
        };
        let inspector = Inspector::new(self.shape(source)?, settings, self.descriptors(source)?, bytes(max_message));
        Ok(InspectionConfig {
            max_message: bytes(max_message),
            max_held: bytes(max_held),
            unknown_fields,
            declared,
            accounts,
            inspector: Arc::new(inspector),
        })
    }

    /// Addresses and networks, in either family.
    fn declared(&self, source: &Source) -> Result<Vec<IpNet>, Located> {
        self.declared_addresses.iter().map(|text| declared(source, text)).collect()
    }

    /// Accounts under which services run: lower case, as they are compared.
    fn accounts(&self, source: &Source) -> Result<Vec<String>, Located> {
        let account = |text: &Spanned<String>| {
            let written = text.get_ref().trim();
            // What no account name has (Microsoft, "sAMAccountName"): a pattern is none.
            let is_account =
                !written.is_empty() && written.len() <= MAX_ACCOUNT && !written.contains(['*', '?', '%', '"', '/', '|', '<', '>']);
            if !is_account {
                let message = "inspection.service_accounts: write one account in full, such as 'ACME\\svc-ucx' or \"svc-ucx@acme.example\"; there are no patterns";
                return Err(source.error(text.span(), message));
            }
            Ok(written.to_lowercase())
        };
        self.service_accounts.iter().map(account).collect()
    }

    /// The documented shape with those of the site.
    fn shape(&self, source: &Source) -> Result<Shape, Located> {
        let built_in = Source::embedded(shape::NAME, shape::DOCUMENTED);
        let mut document: Document = built_in.parse()?;
        for path in &self.shapes {
            let file = Source::read(&source.path(path.get_ref()))
                .map_err(|error| source.error(path.span(), format!("inspection.shapes: {error}")))?;
            let more: Document = file.parse()?;
            // Each by itself first, so that an error names the file it is in.
            Shape::compile(&more).map_err(|error| source.error(path.span(), format!("inspection.shapes: {}: {}", file.name(), error.0)))?;
            document.extend(more);
        }
        Shape::compile(&document).map_err(|error| source.error(self.shapes.first().map_or(0..0, Spanned::span), error.0))
    }

    /// A compiled `.proto` file (`protoc --include_imports --descriptor_set_out=FILE`).
    fn descriptors(&self, source: &Source) -> Result<Option<Descriptors>, Located> {
        let Some(path) = &self.descriptors else { return Ok(None) };
        let file = source.path(path.get_ref());
        let bytes = source::bytes(&file)
            .map_err(|error| source.error(path.span(), format!("inspection.descriptors: {} cannot be read: {error}", file.display())))?;
        let descriptors = Descriptors::parse(&bytes).map_err(|malformed| {
            let message = format!(
                "inspection.descriptors: {} is no FileDescriptorSet with its imports ({malformed}); make it with protoc --include_imports --descriptor_set_out",
                file.display()
            );
            source.error(path.span(), message)
        })?;
        Ok(Some(descriptors))
    }
}

fn declared(source: &Source, text: &Spanned<String>) -> Result<IpNet, Located> {
    let network = network(source, text)?;
    if network.prefix_len() == 0 {
        let written = text.get_ref();
        let message = format!("inspection.declared_addresses: {written:?} declares every address; name the networks of the servers");
        return Err(source.error(text.span(), message));
    }
    Ok(network)
}
