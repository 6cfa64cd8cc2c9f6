//! Detectors, one a file. Each looks at a text and says where something begins and how sure it is; none keeps or shows what it saw.

pub mod call_record;
pub mod contact_list;
pub mod cookie;
pub mod credential;
pub mod device_name;
pub mod email;
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

/// What every detector is: a text, where it stands, and whom to tell.
type Detector = fn(&[u8], &Context<'_>, &mut dyn FnMut(Hit));

/// All of them.
const ALL: &[Detector] = &[
    call_record::scan,
    contact_list::scan,
    cookie::scan,
    credential::scan,
    device_name::scan,
    email::scan,
    geo::scan,
    iban::scan,
    identity::scan,
    ip::scan,
    mac::scan,
    media::scan,
    national_id::scan,
    payment_card::scan,
    person_name::scan,
    phone::scan,
    sid::scan,
    sip::scan,
    sip_credentials::scan,
    user_path::scan,
];

/// Runs every detector over a text.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    for detector in ALL {
        detector(text, context, report);
    }
}
