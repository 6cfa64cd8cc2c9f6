use super::super::{ALL, scan_marked};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::Hit;
use crate::inspect::engine::marks::Marks;
use proptest::prelude::*;

/// One of everything that is looked for, and what stands around it.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "mario.rossi@example.com", "sip:mario@example.com", "tel:+390212345678", "callto:mario.rossi", "+39 02 1234 5678", "02 1234 5678",
    "0039021234567", "4312", "203.0.113.77", "8.8.8.8", "2a00:1450:4002::1", "fe80::1ff:fe23:4567:890a", "00:15:5d:0a:0b:0c",
    "aa-bb-cc-dd-ee-ff", "001b.21aa.bbcc", "00155d0a0b0c", "SEP00155D0A0B0C", "534550453943323935334139464137", "CSFJSMITH", "TCT_ROSSI", "C:\\Users\\mrossi\\x", "/home/mrossi/x",
    "ACME\\m.rossi", "S-1-5-21-1004336348-1177238915-682003330-1001", "010500000000000515000000aaaaaaaabbbbbbbbccccccccf4010000",
    "Mario Rossi", "Anna Bianchi", "Peter Schmidt", "Rossi", "45.4642, 9.1900", "geo:45.4642,9.19", "lat=45.4642&lon=9.1900",
    "+45.4642+009.1900/", "45°27'51\"N", "IT60X0542811101000000123456", "IT60 X054 2811 1010 0000 0123 456", "4111111111111111",
    "4111 1111 1111 1111", "RSSMRA85T10A562S", "RSS MRA 85T10 A562S", "RSSMRAUREMLARSNS", "X-1234567-L", "12345678Z", "AB 12 34 56 C", "AB123456C",
    "784-1990-1234567-1", "943 476 5919", "078-05-1120", "password=hunter2", "--password hunter2", "Basic dXNlcjpwYXNzd29yZA==", "Bearer abcdef0123456789abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "AKIAIOSFODNN7EXAMPLE", "SG.a1b2c3d4e5f6g7h8i9j0.k1", "xoxb-1234567890-abcdef", "https://user:s3cret@host/",
    "-----BEGIN PRIVATE KEY-----", "JSESSIONID=0123456789abcdef", "Cookie: a=1", "Set-Cookie: sid=31d4d96e407aad42", "username=\"a\", response=\"b\"", "BEGIN:VCARD",
    "First Name,Last Name,E-mail Address", "data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", "GIF89a\u{1}\u{0}",
    "%PDF-1.7", "{\\rtf1", "RIFF    WAVE", "#!AMR\n", "callingPartyNumber,finalCalledPartyNumber", "dn: cn=x", "mail: a@b.example", "secret", "x", "Running",
    "Durchwahl 12", "int. 4312", "\"M\" <4312>", "00 1a 2b 3c 4d 5e", "00_1a_2b_3c_4d_5e", "0:1a:2b:3:4d:5e", "MAC 001b21aabbcc", "user: mrossi", "user=mrossi", "tool -u mrossi",
    "tool /user:mrossi", "\\\\fs01\\mrossi$", "CN=Mario Rossi,DC=acme", "X 1234567 L", "Relay for calls using 81.2.69.142", "NT AUTHORITY\\mrossi",
    " ", ", ", "\n", "\t", ":", "=", "-", ".", "/", "\\", "(", "é", "7",
];

const KEYS: &[&[&str]] = &[
    &[],
    &["phone"],
    &["extension", "number"],
    &["mac", "address"],
    &["owner"],
    &["given", "name"],
    &["display", "name"],
    &["password"],
    &["client", "secret"],
    &["cookie"],
    &["card", "number"],
    &["coordinates"],
    &["latitude"],
    &["device", "name"],
    &["ip", "address"],
    &["codice", "fiscale"],
    &["calling", "party", "number"],
    &["nhs"],
];

const KINDS: &[TextKind] = &[TextKind::Free, TextKind::Number, TextKind::Version, TextKind::Path, TextKind::Identity, TextKind::Name];

fn check(text: &[u8], context: &Context<'_>) {
    let (mut all, mut some): (Vec<Hit>, Vec<Hit>) = (Vec::new(), Vec::new());
    for (detector, ..) in ALL {
        detector(text, context, &mut |hit| all.push(hit));
    }
    scan_marked(text, &Marks::of(text), context, u64::MAX, &mut |hit| some.push(hit));
    assert_eq!(all, some, "{:?} under {context:?}", String::from_utf8_lossy(text));
}

#[test]
fn nothing_is_held_back_that_would_be_found() {
    let mut found = 0;
    for piece in PIECES {
        for key in KEYS {
            for kind in KINDS {
                let context = Context { key, text: *kind, ..Context::default() };
                check(piece.as_bytes(), &context);
                scan_marked(piece.as_bytes(), &Marks::of(piece.as_bytes()), &context, u64::MAX, &mut |_| found += 1);
                for cut in 0..piece.len() {
                    check(&piece.as_bytes()[cut..], &context);
                    check(&piece.as_bytes()[..cut], &context);
                }
            }
        }
    }
    assert!(found > 1_000, "{found}");
}

proptest! {
    #[test]
    fn nothing_is_held_back_in_any_surroundings(
        pieces in prop::collection::vec(0..PIECES.len(), 1..6),
        key in 0..KEYS.len(),
        kind in 0..KINDS.len(),
    ) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        check(text.as_bytes(), &Context { key: KEYS[key], text: KINDS[kind], ..Context::default() });
    }
}
