//! Call detail records: the names of their columns, and rows of them.
//!
//! Source: Cisco Unified CM "Call Detail Records" field list, Webex Calling "Detailed Call History" report, Asterisk `cdr_csv`.

use super::lexis::{part, run, visit};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

mod rows;
#[cfg(test)]
mod tests;

/// Two names of columns, or three rows.
const BITS: u8 = 24;
/// One name as a key: two of them in a message are enough.
const HALF: u8 = 13;

/// Columns of Cisco Unified CM (lower case, `_` left out) and of its management records.
const UNIFIED: &[&str] = &[
    "cdrrecordtype",
    "globalcallidcallmanagerid",
    "globalcallidcallid",
    "globalcallidclusterid",
    "origlegcallidentifier",
    "datetimeorigination",
    "orignodeid",
    "origspan",
    "origipaddr",
    "callingpartynumber",
    "callingpartyunicodeloginuserid",
    "origcausevalue",
    "origcauselocation",
    "origmediatransportaddressip",
    "origmediatransportaddressport",
    "destlegidentifier",
    "destnodeid",
    "destspan",
    "destipaddr",
    "originalcalledpartynumber",
    "finalcalledpartynumber",
    "finalcalledpartyunicodeloginuserid",
    "destcausevalue",
    "destcauselocation",
    "destmediatransportaddressip",
    "datetimeconnect",
    "datetimedisconnect",
    "lastredirectdn",
    "originalcalledpartynumberpartition",
    "callingpartynumberpartition",
    "finalcalledpartynumberpartition",
    "lastredirectdnpartition",
    "origdevicename",
    "destdevicename",
    "origcallterminationonbehalfof",
    "destcallterminationonbehalfof",
    "huntpilotdn",
    "huntpilotpartition",
    "authcodedescription",
    "outpulsedcallingpartynumber",
    "outpulsedcalledpartynumber",
    "callingpartynumberuri",
    "finalcalledpartynumberuri",
    "lastredirectdnuri",
    "clientmattercode",
];

/// Columns of Webex Calling that nothing else has, blanks left out.
const WEBEX: &[&str] = &[
    "callingnumber",
    "callednumber",
    "callinglineid",
    "calledlineid",
    "dialeddigits",
    "redirectingnumber",
    "answertime",
    "releasingparty",
    "releasetime",
    "localsessionid",
    "remotesessionid",
    "finallocalsessionid",
    "finalremotesessionid",
    "pstnvendorname",
    "sitemainnumber",
    "inboundtrunk",
    "outboundtrunk",
    "redirectreason",
    "originalreason",
    "relatedreason",
    "callingpartyname",
    "calledpartyname",
    "callernumber",
];

/// Columns of Asterisk that nothing else has.
const ASTERISK: &[&str] =
    &["clid", "dcontext", "billsec", "amaflags", "lastapp", "lastdata", "dstchannel", "accountcode", "linkedid", "peeraccount"];

/// Finds the columns of call records in one text, one of them as a key, and rows of numbers with a start and a duration.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if !text.is_empty() && is_column_key(context) {
        report(Hit { kind: Kind::CallRecord, start: 0, end: text.len(), bits: HALF });
    }
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    // One value of one field: nothing stands beside it.
    if memchr::memchr3(b',', b';', b'\t', text).or_else(|| memchr::memchr3(b'|', b'\n', b'"', text)).is_none() {
        return;
    }
    if let Some((start, end)) = columns(text).or_else(|| rows::find(text)) {
        report(Hit { kind: Kind::CallRecord, start, end, bits: BITS });
    }
}

/// Whether the key is a column of Unified CM, word by word.
fn is_column_key(context: &Context<'_>) -> bool {
    context.key.len() > 1 && UNIFIED.iter().any(|column| is_joined(column, context.key))
}

fn is_joined(column: &str, words: &[&str]) -> bool {
    let mut rest = column;
    words.iter().all(|word| rest.strip_prefix(word).map(|behind| rest = behind).is_some()) && rest.is_empty()
}

/// The range of the first two names of columns.
fn columns(text: &[u8]) -> Option<(usize, usize)> {
    let mut first: Option<(usize, usize)> = None;
    let mut next = 0;
    while let Some(start) = text.get(next..).and_then(|rest| rest.iter().position(u8::is_ascii_alphabetic)).map(|place| next + place) {
        let end = run(text, start, text.len(), is_column_byte);
        next = end.max(start + 1);
        let Some(hash) = column(part(text, start, end)) else { continue };
        match first {
            Some((place, other)) if other != hash => return Some((place, end)),
            Some(_) => {}
            None => first = Some((start, hash)),
        }
    }
    None
}

/// Names of columns are letters, digits, blanks and `_`.
const fn is_column_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ')
}

/// Which column a name is, if any: names differ if these numbers do.
fn column(name: &[u8]) -> Option<usize> {
    let name = name.trim_ascii();
    if !(4..=48).contains(&name.len()) {
        return None;
    }
    let mut folded = [0_u8; 48];
    let mut length = 0;
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    for (slot, byte) in folded.iter_mut().zip(letters) {
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    visit(length + 16);
    let folded = part(&folded, 0, length);
    let blanks = memchr::memchr(b' ', name).is_some();
    let known = |names: &[&str]| names.iter().position(|name| name.as_bytes() == folded);
    // Only the columns of Webex Calling are written with blanks, and one word of them is prose.
    let webex = || known(WEBEX).map(|index| index + 1000);
    if blanks {
        return webex();
    }
    known(UNIFIED).or_else(|| known(ASTERISK).map(|index| index + 2000)).or_else(webex)
}
