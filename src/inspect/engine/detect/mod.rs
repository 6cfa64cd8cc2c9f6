//! Detectors, one a file. Each looks at a text and says where something begins and how sure it is; none keeps or shows what it saw.

pub mod call_record;
pub mod contact_list;
pub mod cookie;
pub mod credential;
pub mod device_name;
pub mod email;
mod gate;
pub mod geo;
pub mod iban;
pub mod identity;
pub mod ip;
mod lexis;
pub mod mac;
pub mod media;
pub mod national_id;
#[cfg(test)]
mod negatives;
pub mod payment_card;
pub mod person_name;
pub mod phone;
#[cfg(test)]
mod probe;
pub mod sid;
pub mod sip;
pub mod sip_credentials;
pub mod user_path;

use super::context::Context;
use super::finding::Hit;
use super::marks::Marks;
use gate::Need;

/// What every detector is: a text, where it stands, and whom to tell.
type Detector = fn(&[u8], &Context<'_>, &mut dyn FnMut(Hit));

/// A detector, what must occur for it to find anything, and how often it may look at a byte.
type Entry = (Detector, Need, u64);

/// All of them, each with what must occur for it to find anything, and how often it may look at a byte: each part of a path may be
/// somebody's folder.
const ALL: &[Entry] = &[
    (call_record::scan, gate::call_record, 1),
    (contact_list::scan, gate::contact_list, 1),
    (cookie::scan, gate::assigned, 1),
    (credential::scan, gate::credential, 1),
    (device_name::scan, gate::device_name, 1),
    (email::scan, gate::email, 1),
    (geo::scan, gate::geo, 1),
    (iban::scan, gate::iban, 1),
    (identity::scan, gate::identity, 1),
    (ip::scan, gate::ip, 1),
    (mac::scan, gate::mac, 1),
    (media::scan, gate::media, 1),
    (national_id::scan, gate::national_id, 1),
    (payment_card::scan, gate::payment_card, 1),
    (person_name::scan, gate::person_name, 1),
    (phone::scan, gate::phone, 1),
    (sid::scan, gate::sid, 1),
    (sip::scan, gate::sip, 1),
    (sip_credentials::scan, gate::assigned, 1),
    (user_path::scan, gate::user_path, 4),
];

/// Those of what has an exact form in Latin letters.
pub const EXACT: Chosen = Chosen(&[
    (email::scan, gate::email, 1),
    (iban::scan, gate::iban, 1),
    (mac::scan, gate::mac, 1),
    (national_id::scan, gate::national_id, 1),
    (sid::scan, gate::sid, 1),
    (sip::scan, gate::sip, 1),
    (user_path::scan, gate::user_path, 4),
]);

/// Those of what proves itself by a check digit, a plus or its signs.
pub const PROVEN: Chosen = Chosen(&[
    (email::scan, gate::email, 1),
    (iban::scan, gate::iban, 1),
    (mac::scan, gate::mac, 1),
    (national_id::scan, gate::national_id, 1),
    (payment_card::scan, gate::payment_card, 1),
    (phone::scan, gate::phone, 1),
]);

/// Some of the detectors.
#[derive(Clone, Copy)]
pub struct Chosen(&'static [Entry]);

/// Runs every detector over a text.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    scan_marked(text, &Marks::of(text), context, u64::MAX, report);
}

/// Runs over a text the detectors that can find something in it, and says how many bytes they looked at. None begins that might look at
/// more than `most`: then what it says is above that.
pub fn scan_marked(text: &[u8], marks: &Marks, context: &Context<'_>, most: u64, report: &mut dyn FnMut(Hit)) -> u64 {
    Chosen(ALL).scan_marked(text, marks, context, most, report)
}

impl Chosen {
    /// The same of these alone.
    pub fn scan_marked(self, text: &[u8], marks: &Marks, context: &Context<'_>, most: u64, report: &mut dyn FnMut(Hit)) -> u64 {
        let mut visits = 0;
        for (detector, need, looks) in self.0 {
            if need(marks, context) {
                let looks = looks * text.len() as u64;
                if visits + looks > most {
                    return most.saturating_add(1);
                }
                visits += lexis::counted(looks, || detector(text, context, report));
            }
        }
        visits
    }
}
