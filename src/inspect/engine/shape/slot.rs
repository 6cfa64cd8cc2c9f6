//! Slots: what a documented field may hold, and what proves that a value of it is harmless.

use super::{grammar, products};
use crate::inspect::engine::context::TextKind;
use std::net::IpAddr;

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// An identifier that the system gives: 0 to 2^32 − 1.
    Id,
    /// An amount of memory or disk: below 2^46 bytes, or with its unit.
    Bytes,
    /// Handles, threads: below 2^24.
    Handles,
    /// Things counted, such as users or calls: at most a million.
    Count,
    /// As [`Slot::Count`], of users: a text would be one of them.
    Users,
    /// A percentage; of all cores together it may be above 100.
    Percent,
    /// Events in a span of time: at most a million, with decimals.
    Rate,
    /// Days, hours or a size that something is kept for.
    Retention,
    /// Yes or no, in the languages of the suite.
    Switch,
    /// Whether an address is given by a server, or by which.
    Lease,
    /// Whether a machine is virtual, or of which kind.
    Machine,
    /// A state or mode from the closed lists of Windows and the suite, in the languages of the suite.
    State,
    /// A process, service, product, vendor, processor, disk or adapter name.
    Name,
    /// A name, and nothing says of what: a person's is none.
    Label,
    /// A version.
    Version,
    /// A path of the file system, with arguments where it is a program's.
    Path,
    /// A drive.
    Drive,
    /// A language tag or the name of a language.
    Language,
    /// The account under which a service runs.
    Account,
    /// How a service starts, or under which account: Windows calls the account `StartName`.
    Startup,
    /// A Windows update.
    Hotfix,
    /// 32 or 64.
    Bitness,
    /// An address of the servers, of their DNS, gateways or telephone system: declared ones only.
    Address,
    /// A server of the cluster: a declared address, or a name.
    Node,
    /// A name without spaces, such as a database's.
    Identifier,
    /// A date or a point in time.
    Time,
    /// An end of a period, of a change of state or of an update; of a call, it would be a party.
    Bound,
    /// A licence token: letters, digits and what base64 adds, of bounded length.
    Token,
}

/// What a value turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Its form alone proves that it is harmless.
    Harmless,
    /// It has the form that the field has, unless a detector sees something in it as this kind of text.
    Plausible(TextKind),
    /// It has to be looked at, as this kind of text.
    Unproven(TextKind),
    /// The field cannot hold it.
    OutOfRange,
}

/// What a person configured and may therefore be named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Declared<'a> {
    /// Networks as (address, prefix length).
    pub networks: &'a [(IpAddr, u8)],
}

const MEGA: u64 = 1_000_000;

impl Slot {
    /// Every slot with the name that shape files use.
    pub const ALL: &[(&'static str, Self)] = &[
        ("id", Self::Id),
        ("bytes", Self::Bytes),
        ("handles", Self::Handles),
        ("count", Self::Count),
        ("users", Self::Users),
        ("percent", Self::Percent),
        ("rate", Self::Rate),
        ("retention", Self::Retention),
        ("switch", Self::Switch),
        ("lease", Self::Lease),
        ("machine", Self::Machine),
        ("state", Self::State),
        ("name", Self::Name),
        ("label", Self::Label),
        ("version", Self::Version),
        ("path", Self::Path),
        ("drive", Self::Drive),
        ("language", Self::Language),
        ("account", Self::Account),
        ("startup", Self::Startup),
        ("hotfix", Self::Hotfix),
        ("bitness", Self::Bitness),
        ("address", Self::Address),
        ("node", Self::Node),
        ("identifier", Self::Identifier),
        ("time", Self::Time),
        ("bound", Self::Bound),
        ("token", Self::Token),
    ];

    /// The slot of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, slot)| *slot)
    }

    /// The largest whole number that the field may hold, where that is all there is to say of it.
    const fn most(self) -> Option<u64> {
        match self {
            Self::Id => Some(u32::MAX as u64),
            Self::Bytes => Some(1 << 46),
            Self::Handles => Some(1 << 24),
            Self::Count | Self::Users | Self::Retention | Self::Rate => Some(MEGA),
            Self::Percent => Some(102_400),
            // Windows numbers its states and start types, and has few of each.
            Self::State | Self::Startup | Self::Bound => Some(0xff),
            Self::Version => Some(100_000),
            Self::Token => Some(10 * MEGA - 1),
            Self::Address => Some(128),
            Self::Switch | Self::Lease | Self::Machine => Some(1),
            _ => None,
        }
    }

    /// Whether a whole number is harmless in it, so far as its size says.
    #[must_use]
    pub fn holds(self, value: u64) -> bool {
        match self {
            Self::Language => is_language_number(value),
            Self::Hotfix => (100_000..=9_999_999).contains(&value),
            _ => self.most().is_some_and(|most| value <= most),
        }
    }

    /// Whether a double is harmless in it, so far as its size and its four decimals at most say.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "it is below a million")]
    pub fn holds_double(self, value: f64) -> bool {
        const SCALE: f64 = 10_000.0;
        let has_decimals = matches!(self, Self::Percent | Self::Rate);
        if !has_decimals || !(0.0..MEGA as f64).contains(&value) || !self.holds(value as u64) {
            return false;
        }
        let scaled = (value * SCALE + 0.5) as u64;
        (scaled as f64 / SCALE).to_bits() == value.to_bits()
    }

    /// Checks a raw number.
    #[must_use]
    pub fn number(self, raw: &str) -> Checked {
        let decimal = || self.most().is_some_and(|most| grammar::decimal_below(raw, most));
        match self {
            Self::Percent | Self::Rate | Self::Version => harmless_or_not(decimal()),
            // A size in a greater unit has decimals.
            // What is not known is the largest number of its type, and what grew while it was measured is negative.
            Self::Bytes => harmless_or_not(decimal() || matches!(raw, "18446744073709551615" | "9223372036854775807")),
            Self::Bitness => harmless_or_not(matches!(raw, "32" | "64")),
            Self::Time => harmless_or_not(grammar::is_epoch(raw) || grammar::is_day_number(raw)),
            Self::Bound => harmless_or_not(grammar::is_epoch(raw) || grammar::whole(raw).is_some_and(|value| self.holds(value))),
            _ => harmless_or_not(grammar::whole_in_any_form(raw).is_some_and(|value| self.holds(value))),
        }
    }

    /// Checks a text.
    #[must_use]
    pub fn text(self, text: &str, declared: &Declared<'_>) -> Checked {
        let text = text.trim();
        // Forms and tables write an empty list so.
        if matches!(text, "" | "[]" | "{}") {
            return Checked::Harmless;
        }
        if self == Self::Lease && has_only_addresses(text, declared) {
            return Checked::Harmless;
        }
        // What is no number of the field is somebody's.
        if self.is_closed() && is_numeric(text) {
            return self.closed_number(text);
        }
        match self {
            Self::Name | Self::Identifier => name(text, TextKind::Name),
            Self::Label => label(text),
            Self::Version => version(text),
            Self::Path | Self::Drive => path(text),
            Self::Language => proven(grammar::is_language(text), TextKind::Free),
            Self::Account if grammar::is_service_account(text) => Checked::Harmless,
            Self::Startup if grammar::is_state(text) || grammar::is_service_account(text) => Checked::Harmless,
            // A number is the name of no account, nor is a sentence.
            Self::Account | Self::Startup if !grammar::is_account(text) => Checked::OutOfRange,
            // Which way it starts, and what about it: `Automatico (avvio ritardato)`.
            Self::Startup if text.split_once('(').is_some_and(|(mode, _)| grammar::is_state(mode.trim())) => {
                Checked::Plausible(TextKind::Free)
            }
            // Accounts of services have many names; all others are persons'.
            Self::Account | Self::Startup => Checked::Plausible(TextKind::Identity),
            Self::Hotfix if grammar::is_like_a_hotfix(text) && !grammar::is_hotfix(text) => Checked::Plausible(TextKind::Name),
            Self::Hotfix => proven(grammar::is_hotfix(text), TextKind::Free),
            Self::State => proven(grammar::is_state(text) || grammar::is_missing(text), TextKind::Free),
            Self::Switch | Self::Lease => proven(grammar::is_switch(text), TextKind::Free),
            Self::Machine => proven(grammar::is_state(text) || products::is_product(text), TextKind::Free),
            Self::Address => addresses(text, declared),
            Self::Node => nodes(text, declared),
            Self::Time => proven(grammar::is_time(text), TextKind::Free),
            Self::Bound => harmless_or_not(is_bound(text)),
            Self::Token if grammar::is_guid(text) => Checked::Harmless,
            Self::Token if grammar::is_token(text) => Checked::Plausible(TextKind::Token),
            // What identifies an installation may be the name of an update.
            Self::Token if grammar::is_like_a_hotfix(text) => Checked::Plausible(TextKind::Name),
            Self::Token => Checked::OutOfRange,
            Self::Retention if grammar::is_span(text) || is_endless(text) => Checked::Harmless,
            Self::Bytes | Self::Retention => proven(grammar::is_quantity(text), TextKind::Free),
            Self::Bitness => {
                let words =
                    ["x86", "x64", "amd64", "x86_64", "arm64", "32", "64", "32-bit", "64-bit", "32 bit", "64 bit", "32bit", "64bit"];
                proven(words.iter().any(|word| word.eq_ignore_ascii_case(text)), TextKind::Free)
            }
            Self::Users if grammar::amount(text).is_none() => harmless_or_not(grammar::is_missing(text)),
            // What is counted may be told to be there, or not.
            Self::Count if grammar::is_switch(text) => Checked::Harmless,
            Self::Rate => self.quoted_number(grammar::without_unit(text).unwrap_or(text)),
            Self::Id | Self::Handles | Self::Users | Self::Count | Self::Percent => self.quoted_number(text),
        }
    }

    /// Slots whose values are few or have one form: a number is one of theirs, or does not belong there.
    const fn is_closed(self) -> bool {
        matches!(
            self,
            Self::State
                | Self::Startup
                | Self::Switch
                | Self::Lease
                | Self::Machine
                | Self::Language
                | Self::Hotfix
                | Self::Retention
                | Self::Bitness
                | Self::Bytes
        )
    }

    /// A text of digits and the signs between them.
    fn closed_number(self, text: &str) -> Checked {
        let is_quantity = matches!(self, Self::Bytes) && grammar::is_quantity(text);
        // Windows writes the number of a language in hexadecimal digits, too.
        let is_language = matches!(self, Self::Language) && text.len() == 4 && text.starts_with('0');
        let is_language = is_language && u64::from_str_radix(text, 16).is_ok_and(is_language_number);
        if is_quantity || is_language || grammar::is_missing(text) { Checked::Harmless } else { self.number(text) }
    }

    /// Numbers are sent as text too.
    fn quoted_number(self, text: &str) -> Checked {
        let number = text.trim_end_matches(['%', ' ', '\u{a0}']);
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match grammar::amount(number) {
            Some(amount) if !is_number => self.number(&amount.to_string()),
            _ if is_number => self.grouped_or_plain(number),
            _ => harmless_or_not(grammar::is_missing(text)),
        }
    }

    /// `1.250` is 1250 where nothing has decimals.
    fn grouped_or_plain(self, number: &str) -> Checked {
        match (self.number(number), grammar::amount(number)) {
            (Checked::OutOfRange, Some(amount)) if number.contains('.') => self.number(&amount.to_string()),
            (checked, _) => checked,
        }
    }
}

/// The number of a language of Windows ([MS-LCID]): the language in ten bits, its country above.
const fn is_language_number(number: u64) -> bool {
    let (language, country) = (number & 0x3ff, number >> 10);
    matches!(language, 1..=0x92) && country <= 20
}

/// Digits, and what stands between those of a number of any kind.
fn is_numeric(text: &str) -> bool {
    let is_sign = |byte: u8| b" +-./(),".contains(&byte);
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().all(|byte| byte.is_ascii_digit() || is_sign(byte))
}

/// What is kept for ever.
fn is_endless(text: &str) -> bool {
    let words = [
        "unlimited",
        "infinite",
        "forever",
        "never",
        "illimitato",
        "illimitata",
        "unbegrenzt",
        "illimité",
        "illimitée",
        "ilimitado",
        "mai",
        "nie",
    ];
    let lower = text.to_lowercase();
    words.contains(&lower.as_str())
}

/// A time, a version, a state.
fn is_bound(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_prefixed = matches!(text.as_bytes(), [b'0', b'0'..=b'9', ..]);
    let is_version = text.contains('.') && digits < 9 && !is_prefixed && grammar::is_version(text) && text.parse::<IpAddr>().is_err();
    grammar::is_time(text) || is_version || grammar::is_state(text) || grammar::is_missing(text)
}

fn harmless_or_not(is_harmless: bool) -> Checked {
    if is_harmless { Checked::Harmless } else { Checked::OutOfRange }
}

fn proven(is_proven: bool, otherwise: TextKind) -> Checked {
    if is_proven { Checked::Harmless } else { Checked::Unproven(otherwise) }
}

fn name(text: &str, otherwise: TextKind) -> Checked {
    if grammar::is_name(text) || grammar::is_guid(text) {
        return Checked::Harmless;
    }
    if grammar::is_like_a_name(text) || grammar::is_banner(text) {
        return Checked::Plausible(otherwise);
    }
    if grammar::is_long(text) { Checked::OutOfRange } else { Checked::Unproven(otherwise) }
}

/// Longest description of a service that Windows has, and some more.
const MAX_LABEL: usize = 1_024;

fn label(text: &str) -> Checked {
    match text.len() {
        ..=MAX_LABEL if grammar::is_like_words(text) => Checked::Plausible(TextKind::Free),
        ..=MAX_LABEL => Checked::Unproven(TextKind::Free),
        _ => Checked::OutOfRange,
    }
}

fn version(text: &str) -> Checked {
    if grammar::is_version(text) {
        return Checked::Harmless;
    }
    if grammar::is_like_a_version(text) { Checked::Plausible(TextKind::Version) } else { name(text, TextKind::Free) }
}

fn path(text: &str) -> Checked {
    if grammar::is_system_path(text) {
        return Checked::Harmless;
    }
    // What has no separator is a file, with arguments or not, or something that does not belong here.
    if grammar::is_like_a_path(text) || grammar::names_an_account(text.as_bytes()) && !grammar::is_long(text) {
        Checked::Plausible(TextKind::Path)
    } else {
        name(text, TextKind::Free)
    }
}

/// What stands between addresses; WMI puts lists in braces, and `ipconfig` says behind each what it is.
const BETWEEN: &[char] = &[',', ';', ' ', '{', '}', '"', '(', ')', '|', '\t', '\n', '\r'];

/// One address or several. What is none, is none of the servers': `0xC0A80001` is one for those who can read it.
fn addresses(text: &str, declared: &Declared<'_>) -> Checked {
    // The length of a prefix, where a mask is asked for.
    let is_prefix = grammar::whole(text).is_some_and(|length| length <= 128);
    let mut parts = text.split(BETWEEN).filter(|part| !part.is_empty());
    let is_harmless = |part: &str| grammar::is_declared(part, declared.networks) || grammar::is_no_address(part);
    harmless_or_not(is_prefix || grammar::is_no_address(text) || parts.all(is_harmless))
}

/// Whether a text is one declared address or several, and nothing else.
#[must_use]
pub fn has_only_addresses(text: &str, declared: &Declared<'_>) -> bool {
    let mut parts = text.split(BETWEEN).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| grammar::is_declared(part, declared.networks))
}

/// Addresses or names of hosts.
fn nodes(text: &str, declared: &Declared<'_>) -> Checked {
    let mut parts = text.split(BETWEEN).filter(|part| !part.is_empty());
    let is_harmless = |part: &str| grammar::is_declared(part, declared.networks) || grammar::is_host_name(part);
    match parts.all(is_harmless) {
        true if grammar::is_name(text) => Checked::Harmless,
        // A host's name may be that of a telephone.
        true => Checked::Plausible(TextKind::Free),
        false => Checked::Unproven(TextKind::Free),
    }
}
