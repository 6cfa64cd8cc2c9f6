//! What DNS answered, kept as long as its TTL says: asked before a lookup takes its turn, so that an outage of the name servers leaves
//! alone whoever is known.

use hickory_resolver::config::ResolverOpts;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::{Message, OpCode, Query};
use hickory_resolver::proto::rr::{RData, Record};
use hickory_resolver::{ResponseCache, TtlConfig};
use std::net::IpAddr;
use std::time::Instant;

/// Addresses of one family looked at for one name; more is no cloud's answer but an attack on the dialler.
const MAX_ADDRESSES_EACH: usize = 8;
/// Answers that are kept, two for each name.
const CAPACITY: u64 = 8_192;

/// The addresses of one family, or what DNS says of the name instead.
pub(super) type Answer = Result<Vec<IpAddr>, &'static str>;

/// Bounded in their number, and each in its size: of a long answer nothing is kept but the addresses that are used.
#[derive(Debug)]
pub(super) struct Answers(ResponseCache);

impl Answers {
    /// None yet; TTLs are bounded as `options` say.
    pub(super) fn new(options: &ResolverOpts) -> Self {
        Self(ResponseCache::new(CAPACITY, TtlConfig::from_opts(options)))
    }

    /// What is known of a name and a family.
    pub(super) fn get(&self, query: &Query) -> Option<Answer> {
        let known = self.0.get(query, Instant::now())?;
        Some(known.map(|message| addresses(&message.answers)).map_err(|error| explanation(&error)))
    }

    /// Keeps what was said, if it may be kept.
    pub(super) fn keep(&self, query: Query, said: Result<Lookup, NetError>) -> Answer {
        let now = Instant::now();
        match said {
            Ok(lookup) => {
                let found = addresses(lookup.answers());
                // A chain of aliases is as short-lived as the shortest of its links.
                let left = u32::try_from(lookup.valid_until().saturating_duration_since(now).as_secs()).unwrap_or(u32::MAX);
                let used = |record: &&Record| address(record).is_some_and(|ip| found.contains(&ip));
                let mut message = Message::response(0, OpCode::Query);
                message.add_query(query.clone());
                message.add_answers(lookup.answers().iter().filter(used).take(2 * MAX_ADDRESSES_EACH).map(|record| {
                    let mut record = record.clone();
                    record.ttl = record.ttl.min(left);
                    record
                }));
                self.0.insert(query, Ok(message), now);
                Ok(found)
            }
            Err(error) => {
                let said = explanation(&error);
                self.0.insert(query, Err(error), now);
                Err(said)
            }
        }
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// The addresses of one answer.
fn addresses(records: &[Record]) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for ip in records.iter().filter_map(address) {
        if found.len() < MAX_ADDRESSES_EACH && !found.contains(&ip) {
            found.push(ip);
        }
    }
    found
}

fn explanation(error: &NetError) -> &'static str {
    match error {
        error if error.is_nx_domain() => "the name does not exist (NXDOMAIN)",
        error if error.is_no_records_found() => "the name exists but has no address",
        NetError::Timeout => "the name servers did not answer in time",
        NetError::Dns(_) => "the name servers answered with an error",
        _ => "the name servers cannot be reached",
    }
}
