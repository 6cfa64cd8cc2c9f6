//! What audit lines say: the content of each kind of line, for those who write it and those who read it.
//!
//! Nothing in it is personal data: no address, name, path, header field, no host that the policy does not name, no sentence of a refusal.

use super::chain::{Hash, Link};
use super::id::DecisionId;
use super::tally::Tally;
use crate::error::RuleName;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// The format of the files.
pub const FORMAT: u32 = 1;
/// Narrowest networks that are named: what is narrower may be one person's machine.
const NARROWEST: (u8, u8) = (24, 64);

/// One finished exchange, on its way to the writer.
#[derive(Debug)]
pub struct Decision {
    /// When it ended.
    pub at: SystemTime,
    /// Its id.
    pub id: DecisionId,
    /// `allow`, `deny`, `would_deny`, or nothing where it ended before it was decided.
    pub verdict: &'static str,
    /// The reason, if it was refused, cut, or would have been.
    pub reason: &'static str,
    /// The service.
    pub service: Arc<str>,
    /// What decided.
    pub rule: RuleName,
    /// The name of the policy's rule for the endpoint, if one allows it.
    pub endpoint: Option<Arc<str>>,
    /// How the request was made.
    pub protocol: &'static str,
    /// The method, from a closed list.
    pub method: &'static str,
    /// The status of the answer, 0 without one.
    pub status: u16,
    /// How it ended.
    pub ended: &'static str,
    /// What was done with its payload.
    pub coverage: &'static str,
    /// What was inspected.
    pub tally: Tally,
    /// Bytes from the client to the upstream.
    pub up: u64,
    /// Bytes from the upstream to the client.
    pub down: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// The hash of the policy under which it began.
    pub policy: Arc<str>,
    /// The client; only its pseudonym is written.
    pub client: IpAddr,
    /// The network of `clients.allow` that let the client in.
    pub network: Option<IpNet>,
}

/// What is in force: said at the start of each file and at each reload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The policy's hash.
    pub policy: String,
    /// SHA-256 of the configuration file.
    pub config: String,
    /// `enforce` or `observe`.
    pub mode: String,
    /// How many allow rules.
    pub rules: u64,
    /// Whether anything is decrypted.
    pub interception: bool,
}

/// What happens beside exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A reload took another configuration, or failed and left the one in force.
    Reloaded {
        /// Whether it was taken.
        is_ok: bool,
        /// What is in force now.
        in_force: InForce,
    },
    /// The process ends; nothing comes after this.
    Stopped,
}

/// A line of any kind, with what all of them have in front.
#[derive(Debug, Serialize)]
pub struct Line<'a, C> {
    /// Its number.
    pub seq: u64,
    /// When.
    pub time: &'a str,
    /// `start`, `decision`, `reload`, `checkpoint`, `gap`, `stop`.
    pub kind: &'static str,
    /// What it says.
    #[serde(flatten)]
    pub content: &'a C,
}

/// What every line has in front, as it is read.
#[derive(Debug, Deserialize)]
pub struct Head<'a> {
    /// Its number.
    pub seq: u64,
    /// When.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// Its kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
}

/// The content of a `decision` line.
#[derive(Debug, Serialize, Deserialize)]
pub struct DecisionLine<'a> {
    /// The id.
    #[serde(borrow)]
    pub decision: Cow<'a, str>,
    /// The verdict.
    #[serde(borrow)]
    pub verdict: Cow<'a, str>,
    /// The reason.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// The service.
    #[serde(borrow)]
    pub service: Cow<'a, str>,
    /// `host:port` as the policy writes it; empty where no rule of it allows the endpoint.
    #[serde(borrow)]
    pub endpoint: Cow<'a, str>,
    /// What decided.
    #[serde(borrow)]
    pub rule: Cow<'a, str>,
    /// How the request was made.
    #[serde(borrow)]
    pub protocol: Cow<'a, str>,
    /// The method.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// The status.
    pub status: u16,
    /// How it ended.
    #[serde(borrow)]
    pub ended: Cow<'a, str>,
    /// `inspected`, `tunnelled`, `uninspectable`, `none`.
    #[serde(borrow)]
    pub coverage: Cow<'a, str>,
    /// Messages inspected.
    pub messages: u64,
    /// Of these, refused.
    pub blocked: u64,
    /// Of these, let through although enforcing would refuse them.
    pub observed: u64,
    /// Findings by kind.
    #[serde(borrow)]
    pub findings: Vec<FindingLine<'a>>,
    /// Bytes up.
    pub up: u64,
    /// Bytes down.
    pub down: u64,
    /// Milliseconds.
    pub milliseconds: u64,
    /// The policy's hash.
    #[serde(borrow)]
    pub policy: Cow<'a, str>,
    /// The network of the client.
    #[serde(borrow)]
    pub network: Cow<'a, str>,
    /// Tells clients of one run apart.
    #[serde(borrow)]
    pub client: Cow<'a, str>,
}

/// Findings of one kind in a `decision` line.
#[derive(Debug, Serialize, Deserialize)]
pub struct FindingLine<'a> {
    /// The kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// In messages that were refused.
    pub blocked: u64,
    /// In messages that went on.
    pub passed: u64,
}

impl Decision {
    /// As it is written.
    #[must_use]
    pub fn line(&self, pseudonym: &str) -> impl Serialize {
        let found =
            |found: &super::tally::Found| FindingLine { kind: found.kind.label().into(), blocked: found.blocked, passed: found.passed };
        DecisionLine {
            decision: self.id.to_string().into(),
            verdict: self.verdict.into(),
            reason: self.reason.into(),
            service: self.service.to_string().into(),
            endpoint: self.endpoint.as_deref().map(endpoint).unwrap_or_default().to_owned().into(),
            rule: self.rule.as_str().to_owned().into(),
            protocol: self.protocol.into(),
            method: self.method.into(),
            status: self.status,
            ended: self.ended.into(),
            coverage: self.coverage.into(),
            messages: self.tally.messages,
            blocked: self.tally.blocked,
            observed: self.tally.observed,
            findings: self.tally.findings.iter().map(found).collect(),
            up: self.up,
            down: self.down,
            milliseconds: self.milliseconds,
            policy: self.policy.to_string().into(),
            network: self.network.map(|network| widened(network).to_string()).unwrap_or_default().into(),
            client: pseudonym.to_owned().into(),
        }
    }
}

/// `host:port` of a rule's name, `service/host:port`.
fn endpoint(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(_, endpoint)| endpoint)
}

/// The network, or the one around it that is wide enough to be nobody's own.
fn widened(network: IpNet) -> IpNet {
    let wide = match network {
        IpNet::V4(network) if network.prefix_len() > NARROWEST.0 => Ipv4Net::new(network.addr(), NARROWEST.0).map(IpNet::V4),
        IpNet::V6(network) if network.prefix_len() > NARROWEST.1 => Ipv6Net::new(network.addr(), NARROWEST.1).map(IpNet::V6),
        wide => Ok(wide),
    };
    wide.unwrap_or(network).trunc()
}

/// The content of a `start` line: the first of each file.
#[derive(Debug, Serialize, Deserialize)]
pub struct StartLine {
    /// [`FORMAT`].
    pub format: u32,
    /// `start`, `rotation`, or `recovery` after the file before could not be written any more.
    pub why: Cow<'static, str>,
    /// How the file before was found.
    pub previous: Previous,
    /// Whose signatures follow.
    pub key: KeyLine,
    /// At most so many lines stand between two checkpoints.
    pub checkpoint_lines: u64,
    /// At most so many milliseconds lie between a decision and its line.
    pub flush_ms: u64,
    /// Files that retention takes away with this line, the oldest first.
    pub removed: Vec<Removed>,
    /// Of the program.
    pub version: Cow<'static, str>,
    /// What is in force.
    pub in_force: InForce,
}

/// How the file before was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Its name; empty where there is none.
    pub file: String,
    /// The number of its last whole line.
    pub seq: u64,
    /// The hash of it.
    pub hash: Hash,
    /// How it ends.
    pub ended: Ending,
    /// Bytes behind the last whole line, which are no line.
    pub rest: u64,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// There is none.
    None,
    /// With a signed checkpoint that says so.
    Closed,
    /// Without: the process was killed.
    Unclosed,
    /// The file was gone, or was another than the one that was being written.
    Gone,
}

/// The key of a `start` line.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeyLine {
    /// Always the same.
    pub algorithm: Cow<'static, str>,
    /// `SubjectPublicKeyInfo`, base64.
    pub public: String,
    /// SHA-256 of it.
    pub fingerprint: String,
}

/// A file that retention takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its name.
    pub file: String,
    /// The number of its last line.
    pub seq: u64,
    /// The hash of it.
    pub hash: Hash,
}

/// The content of a `reload` line.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReloadLine {
    /// `ok` or `failed`.
    pub outcome: Cow<'static, str>,
    /// What was in force before.
    pub before: InForce,
    /// What is in force now.
    pub now: InForce,
}

/// The content of a `gap` line: there was no writing for a while, or no room.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GapLine {
    /// From when.
    pub since: String,
    /// Why, as the system says.
    pub cause: String,
    /// Records of exchanges that went on and are not in the chain.
    pub lost: u64,
    /// Exchanges refused meanwhile, also without record.
    pub refused: u64,
}

/// The content of a `stop` line.
#[derive(Debug, Serialize)]
pub struct StopLine {}

/// The content of a `checkpoint` line as it is read.
#[derive(Debug, Deserialize)]
pub struct CheckpointLine<'a> {
    /// `start`, `time`, `lines`, `rotation`, `stop`.
    #[serde(borrow)]
    pub why: Cow<'a, str>,
    /// The first line that it vouches for; one that does not say so vouches for its own file.
    #[serde(default)]
    pub from: Option<u64>,
    /// Over the hash of the line before and this line's bytes in front of `,"signature":"`.
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
}

/// The same as it is signed.
#[derive(Debug, Serialize)]
pub struct Checkpoint {
    /// Why now.
    pub why: Why,
    /// The first line that it vouches for. Lines before that were sealed by a process that had ended, and found in a file that anybody
    /// who could write there may have written anew: that their hashes fit needs no key.
    pub from: u64,
    /// Lines since the last one.
    pub lines: u64,
}

/// Why there is a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A file begins.
    Start,
    /// It was time.
    Time,
    /// There were enough lines.
    Lines,
    /// The file ends, another one begins.
    Rotation,
    /// The process ends.
    Stop,
}

impl Why {
    /// Whether the file ends with it.
    #[must_use]
    pub const fn closes(self) -> bool {
        matches!(self, Self::Rotation | Self::Stop)
    }
}

/// Whether a checkpoint with this word ends its file.
#[must_use]
pub fn closes(why: &str) -> bool {
    why == "rotation" || why == "stop"
}

/// What stands between what is signed in a checkpoint and the signature.
pub const BEFORE_SIGNATURE: &[u8] = b",\"signature\":\"";

/// The part of a checkpoint's bytes that is signed.
#[must_use]
pub fn signed_part(body: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::rfind(body, BEFORE_SIGNATURE)?;
    body.get(..at)
}

impl Previous {
    /// In front of the very first file.
    #[must_use]
    pub fn none() -> Self {
        Self { file: String::new(), seq: 0, hash: Hash::NONE, ended: Ending::None, rest: 0 }
    }

    /// The last line before.
    #[must_use]
    pub fn link(&self) -> Link {
        Link { seq: self.seq, hash: self.hash }
    }
}

/// Serialises an [`Event`]'s word for a reload.
#[must_use]
pub fn outcome(is_ok: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is_ok { "ok" } else { "failed" })
}

impl Serialize for DecisionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_networks_are_widened() {
        for (network, written) in [
            ("10.1.2.3/32", "10.1.2.0/24"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.128/25", "192.0.2.0/24"),
            ("2001:db8::1/128", "2001:db8::/64"),
            ("2001:db8::/48", "2001:db8::/48"),
        ] {
            assert_eq!(widened(network.parse().expect("a network")).to_string(), written);
        }
    }

    #[test]
    fn endpoints_are_what_the_rule_writes() {
        assert_eq!(endpoint("presence/*.imagicle.cloud:443"), "*.imagicle.cloud:443");
    }
}
