//! What a field of a real server holds.

use crate::corpus::fixtures::Lists;
use crate::corpus::random::Random;
use serde_json::{Value, json};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Pid,
    Process,
    Bytes,
    Handles,
    Threads,
    Percent,
    Service,
    State,
    Startup,
    Account,
    AppName,
    AppVersion,
    Vendor,
    Path,
    InstallPath,
    Guid,
    /// A text of `hardware.txt`.
    Text(&'static str),
    Bitness,
    Cores,
    Megahertz,
    Flag,
    Address,
    Addresses,
    Mask,
    Count,
    Rate,
    Days,
    Time,
    Date,
    Database,
    Instance,
    Node,
    SchemaVersion,
    Token,
    LicenseKey,
    Feature,
    Sku,
    LcidOrTag,
}

impl Slot {
    pub(crate) fn value(self, lists: &Lists, random: &mut Random) -> Value {
        match self {
            Self::Pid => number(random.between(0, 16_000) * 4, random),
            Self::Bytes => number(bytes(random), random),
            Self::Handles => json!(random.below(250_000)),
            Self::Threads => json!(random.between(1, 900)),
            Self::Cores => json!(random.between(1, 128)),
            Self::Megahertz => json!(random.between(1_800, 5_200)),
            Self::Count => number(random.below(40_000), random),
            Self::Days => json!(random.between(1, 365)),
            Self::Bitness => random.pick(&[json!(64), json!(32), json!("64-bit"), json!("x64"), json!("64 bit"), json!("64")]).clone(),
            Self::Percent | Self::Rate => decimal(random),
            Self::Flag => {
                random.pick(&[json!(true), json!(false), json!("true"), json!("Enabled"), json!("Off"), json!(1), json!(0)]).clone()
            }
            Self::Addresses => (0..random.between(1, 2)).map(|_| json!(address(random))).collect(),
            _ => json!(self.text(lists, random)),
        }
    }

    fn text(self, lists: &Lists, random: &mut Random) -> String {
        match self {
            Self::Process => (*random.pick(&lists.processes)).to_owned(),
            Self::Service => (*random.pick(&lists.services)).to_owned(),
            Self::State | Self::Startup => (*random.pick(&lists.states)).to_owned(),
            Self::Account => (*random.pick(&lists.accounts)).to_owned(),
            Self::AppName => random.pick(&lists.applications)[0].to_owned(),
            Self::AppVersion => random.pick(&lists.applications)[1].to_owned(),
            Self::Vendor => random.pick(&lists.applications)[2].to_owned(),
            Self::Path | Self::InstallPath => (*random.pick(&lists.paths)).to_owned(),
            Self::Text(kind) => (*random.pick(&lists.hardware.of(kind))).to_owned(),
            Self::Guid => guid(random),
            Self::Address => address(random),
            Self::Mask => (*random.pick(&["255.255.255.0", "255.255.0.0", "255.255.252.0", "64"])).to_owned(),
            Self::Time => time(random),
            Self::Date => date(random),
            Self::Database => {
                (*random.pick(&["Ucx", "IAS", "UCX_Archive", "Imagicle.Recording", "master", "tempdb", "Qualità_Città"])).to_owned()
            }
            Self::Instance => (*random.pick(&["UCX", "IMAGICLE", "MSSQLSERVER", "SQLEXPRESS"])).to_owned(),
            Self::Node => node(random),
            Self::SchemaVersion => (*random.pick(&["1", "1.0", "2.1", "v1", "2024-05"])).to_owned(),
            Self::Token => random.text(64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
            Self::LicenseKey => license_key(random),
            Self::Feature => (*random.pick(FEATURES)).to_owned(),
            Self::Sku => format!("IAS-{}-{}", random.text(3, "ABCDEFGHKLMNPRSTUVW"), random.digits(3)),
            Self::LcidOrTag => (*random.pick(&lists.hardware.of("language"))).to_owned(),
            other => unreachable!("{other:?} is a number"),
        }
    }
}

/// Numbers are sent as text by some.
fn number(number: u64, random: &mut Random) -> Value {
    if random.once_in(6) { json!(number.to_string()) } else { json!(number) }
}

const FEATURES: &[&str] = &[
    "Attendant Console Enterprise",
    "Call Recording",
    "Digital Fax",
    "Advanced Queuing",
    "Auto Attendant",
    "Contact Manager",
    "Phone Lock",
    "Billing",
    "Budget Control",
    "Hotel Services",
    "Call Analytics",
];

/// Amounts of memory and disk, among them those that look like Italian mobiles and Saudi identity numbers.
fn bytes(random: &mut Random) -> u64 {
    match random.below(5) {
        0 => random.between(3_200_000_000, 3_999_999_999),
        1 => random.between(1_000_000_000, 2_999_999_999),
        2 => random.between(1, 2_000_000) * 4_096,
        3 => random.between(100, 16_000) * 1_000_204_886,
        _ => random.below(900_000),
    }
}

fn decimal(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!(random.below(100)),
        1 => json!(12.3456),
        2 => json!(45.4642),
        _ => json!(f64::from(u32::try_from(random.below(100_000)).expect("small")) / 1_000.0),
    }
}

fn guid(random: &mut Random) -> String {
    let guid = random.guid();
    match random.below(3) {
        0 => guid,
        1 => guid.to_uppercase(),
        _ => format!("{{{}}}", guid.to_uppercase()),
    }
}

/// Addresses of the servers, their DNS, gateways and telephone system.
fn address(random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("fd00:20::{:x}", random.between(1, 0xffff)),
        1 => "127.0.0.1".to_owned(),
        _ => format!("10.20.0.{}", random.between(1, 254)),
    }
}

fn node(random: &mut Random) -> String {
    match random.below(3) {
        0 => address(random),
        1 => format!("UCX-NODE{}", random.between(1, 9)),
        _ => format!("ucx{:02}.corp.example", random.between(1, 12)),
    }
}

fn date(random: &mut Random) -> String {
    let (year, month, day) = (random.between(2015, 2026), random.between(1, 12), random.between(1, 28));
    match random.below(4) {
        0 => format!("{year}{month:02}{day:02}"),
        1 => format!("{month}/{day}/{year}"),
        2 => format!("{day:02}/{month:02}/{year}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    }
}

/// ISO 8601, WMI's `CIM_DATETIME`, seconds, milliseconds, `FILETIME`, .NET and SQL Server.
fn time(random: &mut Random) -> String {
    let (year, month, day) = (random.between(2019, 2026), random.between(1, 12), random.between(1, 28));
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    let seconds = random.between(1_548_138_160, 1_790_000_000);
    match random.below(9) {
        0 => format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
        1 => format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:07}+02:00", random.below(10_000_000)),
        2 => format!("{year}{month:02}{day:02}{hour:02}{minute:02}{second:02}.{:06}+{:03}", random.below(1_000_000), random.below(13) * 60),
        3 => seconds.to_string(),
        4 => format!("{seconds}{:03}", random.below(1_000)),
        5 => ((seconds + 11_644_473_600) * 10_000_000 + random.below(10_000_000)).to_string(),
        6 => format!("/Date({seconds}{:03})/", random.below(1_000)),
        7 => format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", random.below(1_000)),
        _ => format!("{day:02}/{month:02}/{year} {hour:02}:{minute:02}:{second:02}"),
    }
}

/// Five groups of five, as product keys are written.
fn license_key(random: &mut Random) -> String {
    (0..5).map(|_| random.text(5, "BCDFGHJKMPQRTVWXY2346789")).collect::<Vec<_>>().join("-")
}
