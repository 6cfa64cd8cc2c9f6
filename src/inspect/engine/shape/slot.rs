//! Slots: what a documented field may hold, and what proves that a value of it is harmless.

use super::grammar;
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

    /// Checks a raw number.
    #[must_use]
    pub fn number(self, raw: &str) -> Checked {
        let whole = |most: u64| harmless_or_not(grammar::whole(raw).is_some_and(|value| value <= most));
        match self {
            Self::Id => whole(u64::from(u32::MAX)),
            // Larger units have decimals.
            Self::Bytes => harmless_or_not(grammar::whole(raw).is_some_and(|bytes| bytes <= 1 << 46) || is_amount_with_decimals(raw)),
            Self::Handles => whole(1 << 24),
            Self::Count | Self::Users | Self::Retention => whole(MEGA),
            Self::Percent => harmless_or_not(grammar::decimal_below(raw, 102_400)),
            Self::Rate => harmless_or_not(grammar::decimal_below(raw, MEGA)),
            Self::Bitness => harmless_or_not(matches!(raw, "32" | "64")),
            Self::Switch => harmless_or_not(matches!(raw, "0" | "1")),
            // Windows numbers its states and start types, and has few of each.
            Self::State | Self::Startup => whole(0xff),
            Self::Language => harmless_or_not(grammar::whole(raw).is_some_and(is_language_number)),
            Self::Hotfix => harmless_or_not(grammar::whole(raw).is_some_and(|kb| (100_000..=9_999_999).contains(&kb))),
            Self::Version => harmless_or_not(grammar::decimal_below(raw, 100_000)),
            Self::Time => harmless_or_not(grammar::is_epoch(raw)),
            Self::Bound => harmless_or_not(grammar::is_epoch(raw) || grammar::whole(raw).is_some_and(|value| value <= 0xff)),
            Self::Token => whole(10 * MEGA - 1),
            Self::Address => whole(128),
            Self::Name | Self::Label | Self::Path | Self::Drive | Self::Account | Self::Node | Self::Identifier => Checked::OutOfRange,
        }
    }

    /// Checks a text.
    #[must_use]
    pub fn text(self, text: &str, declared: &Declared<'_>) -> Checked {
        let text = text.trim();
        if text.is_empty() {
            return Checked::Harmless;
        }
        // What is no number of the field is somebody's.
        if self.is_closed() && is_numeric(text) {
            return self.closed_number(text);
        }
        match self {
            Self::Name | Self::Identifier => name(text, TextKind::Name),
            Self::Label if !grammar::is_like_a_name(text) => Checked::Unproven(TextKind::Free),
            Self::Label => Checked::Plausible(TextKind::Free),
            Self::Version => version(text),
            Self::Path | Self::Drive => path(text),
            Self::Language => proven(grammar::is_language(text), TextKind::Free),
            Self::Account if grammar::is_service_account(text) => Checked::Harmless,
            Self::Startup if grammar::is_state(text) || grammar::is_service_account(text) => Checked::Harmless,
            // A number is the name of no account.
            Self::Account if !text.chars().any(char::is_alphabetic) => Checked::OutOfRange,
            // Accounts of services have many names; all others are persons'.
            Self::Account | Self::Startup => Checked::Plausible(TextKind::Identity),
            Self::Hotfix => proven(grammar::is_hotfix(text), TextKind::Free),
            Self::State => proven(grammar::is_state(text), TextKind::Free),
            Self::Switch => proven(grammar::is_switch(text), TextKind::Free),
            Self::Address => addresses(text, declared, false),
            Self::Node => addresses(text, declared, true),
            Self::Time => proven(grammar::is_time(text), TextKind::Free),
            Self::Bound => harmless_or_not(is_bound(text)),
            Self::Token if grammar::is_guid(text) => Checked::Harmless,
            Self::Token if grammar::is_token(text) => Checked::Plausible(TextKind::Token),
            Self::Token => Checked::Unproven(TextKind::Free),
            Self::Bytes | Self::Retention => proven(grammar::is_quantity(text), TextKind::Free),
            Self::Bitness => {
                proven(matches!(text, "32" | "64" | "x86" | "x64" | "32-bit" | "64-bit" | "32 bit" | "64 bit"), TextKind::Free)
            }
            Self::Users if text.bytes().any(|byte| !byte.is_ascii_digit()) => harmless_or_not(grammar::is_missing(text)),
            // What is counted may be told to be there, or not.
            Self::Count if grammar::is_switch(text) => Checked::Harmless,
            Self::Id | Self::Handles | Self::Users | Self::Count | Self::Percent | Self::Rate => self.quoted_number(text),
        }
    }

    /// Slots whose values are few or have one form: a number is one of theirs, or does not belong there.
    const fn is_closed(self) -> bool {
        matches!(
            self,
            Self::State | Self::Startup | Self::Switch | Self::Language | Self::Hotfix | Self::Retention | Self::Bitness | Self::Bytes
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
        let number = text.trim_end_matches(['%', ' ']);
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_number { self.number(number) } else { harmless_or_not(grammar::is_missing(text)) }
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

/// Gigabytes: `12.5`.
fn is_amount_with_decimals(raw: &str) -> bool {
    raw.contains('.') && grammar::decimal_below(raw, MEGA)
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
    if grammar::is_like_a_name(text) { Checked::Plausible(otherwise) } else { Checked::Unproven(otherwise) }
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
    // What has no separator is a file, or something that does not belong here.
    if grammar::is_like_a_path(text) { Checked::Plausible(TextKind::Path) } else { name(text, TextKind::Free) }
}

/// One address or several; `names` allows plain host names beside them.
fn addresses(text: &str, declared: &Declared<'_>, names: bool) -> Checked {
    // The length of a prefix, where a mask is asked for.
    if grammar::whole(text).is_some_and(|length| length <= 128) {
        return Checked::Harmless;
    }
    let mut parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let is_harmless = |part: &str| grammar::is_declared(part, declared.networks) || (names && grammar::is_host_name(part));
    let is_proven = parts.all(is_harmless);
    // A host's name may be that of a telephone.
    match is_proven {
        true if grammar::is_name(text) || !names => Checked::Harmless,
        true => Checked::Plausible(TextKind::Free),
        false => Checked::Unproven(TextKind::Free),
    }
}
