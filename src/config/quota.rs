//! `[[quota]]`: how much of the proxy a client, a network or a service may use.

use super::sections::{Text, networks};
use crate::policy::Policy;
use crate::quota::bucket::Rate;
use crate::quota::{Limit, QuotaConfig};
use crate::source::{Located, Source};
use crate::units::{Flow, Span};
use serde::Deserialize;
use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;

/// Bytes are counted in these.
const KIB: u64 = 1024;
/// Longest burst: what is saved for longer is no rate.
const LONGEST_BURST: Duration = Duration::from_hours(1);
/// The series of metrics while nothing is limited.
const NONE: &str = "none";

/// `[[quota]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaSection {
    name: Option<Text>,
    clients: Option<Spanned<Vec<Text>>>,
    service: Option<Text>,
    #[serde(default)]
    each_client: bool,
    connections: Option<Spanned<Flow>>,
    handshakes: Option<Spanned<Flow>>,
    requests: Option<Spanned<Flow>>,
    bytes: Option<Spanned<Flow>>,
    burst: Option<Spanned<Span>>,
}

/// All of them, each with a name of its own.
pub(super) fn build(source: &Source, sections: &[Spanned<QuotaSection>], policy: &Policy) -> Result<Vec<QuotaConfig>, Located> {
    let mut names = HashSet::new();
    let mut quotas = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let quota = section.get_ref().build(source, section.span().start, index + 1, policy)?;
        if !names.insert(quota.name.clone()) {
            let message = format!("two quotas are called {:?}; give each a name of its own", quota.name);
            return Err(source.error(section.get_ref().name.as_ref().map_or(section.span(), Spanned::span), message));
        }
        quotas.push(quota);
    }
    Ok(quotas)
}

impl QuotaSection {
    /// Whether it covers one service only.
    pub(super) fn has_service(&self) -> bool {
        self.service.is_some()
    }

    /// Where handshakes are limited.
    pub(super) fn handshakes_span(&self) -> Option<Range<usize>> {
        self.handshakes.as_ref().map(Spanned::span)
    }

    fn build(&self, source: &Source, start: usize, number: usize, policy: &Policy) -> Result<QuotaConfig, Located> {
        let limits = self.limits(source)?;
        if limits.is_empty() {
            let message = "the quota limits nothing; write connections, handshakes, requests or bytes, such as requests = \"200/s\"";
            return Err(source.error(start..start, message));
        }
        if let (Some(connections), Some(_)) = (&self.connections, &self.service) {
            let message = "quota.connections counts before a service is known; remove it, or make it a quota without service";
            return Err(source.error(connections.span(), message));
        }
        Ok(QuotaConfig {
            name: self.name(source, number)?,
            clients: self.clients(source)?,
            service: self.service.as_ref().map(|service| known(source, service, policy)).transpose()?,
            each_client: self.each_client,
            limits,
        })
    }

    fn name(&self, source: &Source, number: usize) -> Result<String, Located> {
        let Some(name) = &self.name else { return Ok(format!("quota-{number}")) };
        let written = name.get_ref();
        let is_word = !written.is_empty()
            && written.len() <= 64
            && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_word || written == NONE {
            let message =
                format!("{written:?} is no name of a quota; write letters, digits, hyphens, dots, such as \"telemetry\", but not {NONE:?}");
            return Err(source.error(name.span(), message));
        }
        Ok(written.clone())
    }

    fn clients(&self, source: &Source) -> Result<Option<Vec<ipnet::IpNet>>, Located> {
        let Some(clients) = &self.clients else { return Ok(None) };
        if clients.get_ref().is_empty() {
            return Err(
                source.error(clients.span(), "quota.clients is empty: it covers nobody; name networks, or remove the line for everybody")
            );
        }
        networks(source, clients.get_ref()).map(Some)
    }

    fn limits(&self, source: &Source) -> Result<Vec<(Limit, Rate)>, Located> {
        let burst = self.burst.as_ref().map_or(Duration::from_secs(1), |burst| burst.get_ref().0);
        if let Some(span) = self.burst.as_ref().filter(|_| burst.is_zero() || burst > LONGEST_BURST) {
            return Err(source.error(span.span(), "quota.burst is out of range; write a time up to \"1h\", such as \"2s\""));
        }
        let written = [
            (Limit::Connections, &self.connections),
            (Limit::Handshakes, &self.handshakes),
            (Limit::Requests, &self.requests),
            (Limit::Bytes, &self.bytes),
        ];
        let written = written.into_iter().filter_map(|(limit, flow)| Some((limit, flow.as_ref()?)));
        written.map(|(limit, flow)| Ok((limit, rate(source, limit, flow, burst)?))).collect()
    }
}

fn rate(source: &Source, limit: Limit, flow: &Spanned<Flow>, burst: Duration) -> Result<Rate, Located> {
    let Flow { amount, per, is_bytes } = *flow.get_ref();
    let (wants_bytes, example) = if limit == Limit::Bytes { (true, "10MiB/s") } else { (false, "50/s") };
    let amount = if wants_bytes { amount / KIB } else { amount };
    let rate = Rate::new(amount, per, burst).filter(|_| is_bytes == wants_bytes);
    rate.ok_or_else(|| {
        let least = if wants_bytes { "1KiB" } else { "1" };
        let message = format!("quota.{} is no such rate, or less than {least}; write one such as {example:?}", limit.label());
        source.error(flow.span(), message)
    })
}

fn known(source: &Source, service: &Text, policy: &Policy) -> Result<String, Located> {
    let written = service.get_ref();
    let names: Vec<&str> = policy.services().iter().skip(1).map(|service| &*service.id).collect();
    if names.contains(&written.as_str()) {
        return Ok(written.clone());
    }
    Err(source.error(service.span(), format!("{written:?} is no service of the policy; its services are {}", names.join(", "))))
}
