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

/// All of them, each with what must occur for it to find anything.
const ALL: &[(Detector, Need)] = &[
    (call_record::scan, gate::call_record),
    (contact_list::scan, gate::contact_list),
    (cookie::scan, gate::assigned),
    (credential::scan, gate::credential),
    (device_name::scan, gate::device_name),
    (email::scan, gate::email),
    (geo::scan, gate::geo),
    (iban::scan, gate::iban),
    (identity::scan, gate::identity),
    (ip::scan, gate::ip),
    (mac::scan, gate::mac),
    (media::scan, gate::media),
    (national_id::scan, gate::national_id),
    (payment_card::scan, gate::payment_card),
    (person_name::scan, gate::person_name),
    (phone::scan, gate::phone),
    (sid::scan, gate::sid),
    (sip::scan, gate::sip),
    (sip_credentials::scan, gate::assigned),
    (user_path::scan, gate::user_path),
];

/// Runs every detector over a text.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    scan_marked(text, &Marks::of(text), context, u64::MAX, report);
}

/// Runs over a text the detectors that can find something in it, and says how many bytes they looked at. None begins that might look at
/// more than `most`: then what it says is above that.
pub fn scan_marked(text: &[u8], marks: &Marks, context: &Context<'_>, most: u64, report: &mut dyn FnMut(Hit)) -> u64 {
    let mut visits = 0;
    for (detector, need) in ALL {
        if need(marks, context) {
            if visits + text.len() as u64 > most {
                return most.saturating_add(1);
            }
            visits += lexis::counted(text.len(), || detector(text, context, report));
        }
    }
    visits
}
