//! Made-up personal data, made by the public rules of each kind.

mod numbers;

use super::fixtures::People;
use super::random::Random;
use ucx_egress::inspect::engine::finding::Kind;

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Email,
    Sip,
    Tel,
    International,
    Mac,
    Iban,
    CodiceFiscale,
    UserPath,
    Jwt,
    Credential,
    Image,
    Audio,
    Cdr,
    Sid,
    Sep,
    EmiratesId,
    Address,
    SipCredentials,
    Cookie,
    Card,
    ContactCard,
    Coordinates,
    NationalPhone,
    NationalId,
    Account,
}

impl Sort {
    /// Those that need no key.
    pub(crate) const ALONE: &[Self] = &[
        Self::Email,
        Self::Sip,
        Self::Tel,
        Self::International,
        Self::Mac,
        Self::Iban,
        Self::CodiceFiscale,
        Self::UserPath,
        Self::Jwt,
        Self::Credential,
        Self::Image,
        Self::Audio,
        Self::Cdr,
        Self::Sid,
        Self::Sep,
        Self::EmiratesId,
        Self::SipCredentials,
        Self::Cookie,
        Self::ContactCard,
    ];
    /// Those that are recognised in free text only.
    pub(crate) const IN_TEXT: &[Self] =
        &[Self::NationalPhone, Self::NationalId, Self::Address, Self::Account, Self::Card, Self::Coordinates];

    /// What a finding of it is called.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Email => Kind::Email,
            Self::Sip | Self::Tel => Kind::SipUri,
            Self::International | Self::NationalPhone => Kind::Phone,
            Self::Mac => Kind::MacAddress,
            Self::Iban => Kind::Iban,
            Self::CodiceFiscale | Self::EmiratesId | Self::NationalId => Kind::NationalId,
            Self::UserPath => Kind::UserPath,
            Self::Jwt | Self::Credential => Kind::Credential,
            Self::Image | Self::Audio => Kind::Media,
            Self::Cdr => Kind::CallRecord,
            Self::Sid => Kind::Sid,
            Self::Sep => Kind::DeviceName,
            Self::Address => Kind::IpAddress,
            Self::SipCredentials => Kind::SipCredentials,
            Self::Cookie => Kind::Cookie,
            Self::Card => Kind::PaymentCard,
            Self::ContactCard => Kind::ContactList,
            Self::Coordinates => Kind::Geolocation,
            Self::Account => Kind::Identity,
        }
    }

    /// The share that must be found, in thousandths.
    pub(crate) fn floor(self) -> u64 {
        match self {
            // A licence is a signed token, too.
            Self::Jwt => 990,
            Self::NationalPhone | Self::NationalId | Self::Account => 950,
            Self::Address | Self::SipCredentials | Self::Cookie | Self::Card | Self::ContactCard | Self::Coordinates => 980,
            _ => 995,
        }
    }

    pub(crate) fn make(self, people: &People, random: &mut Random) -> String {
        match self {
            Self::Email => people.mail(random),
            Self::Sip => sip(people, random),
            Self::Tel => format!("tel:{}", numbers::phone(people, "e164", random).replace(' ', "-")),
            Self::International => numbers::phone(people, "e164", random),
            Self::Mac => mac(random),
            Self::Iban => numbers::iban(people, random),
            Self::CodiceFiscale => numbers::codice_fiscale(random),
            Self::UserPath => user_path(people, random),
            Self::Jwt => jwt(people, random),
            Self::Credential => credential(random),
            Self::Image => media(IMAGES, random),
            Self::Audio => media(SOUNDS, random),
            Self::Cdr => cdr(people, random),
            Self::Sid => sid(random),
            Self::Sep => format!("SEP{}", random.hex(12).to_uppercase()),
            Self::EmiratesId => numbers::emirates_id(random),
            Self::Address => numbers::address(random),
            Self::SipCredentials => digest(people, random),
            Self::Cookie => cookie(random),
            Self::Card => numbers::card(random),
            Self::ContactCard => contact_card(people, random),
            Self::Coordinates => coordinates(random),
            Self::NationalPhone => national_phone(people, random),
            Self::NationalId => numbers::national_id(random),
            Self::Account => format!("{}\\{}", random.pick(&["ACME", "CORP", "CONTOSO", "dominio", "UFFICIO"]), people.login(random)),
        }
    }
}

fn sip(people: &People, random: &mut Random) -> String {
    let scheme = random.pick(&["sip", "sips", "im", "xmpp", "sip"]);
    let user = match random.below(3) {
        0 => random.digits(4),
        1 => format!("+39{}", random.digits(10)),
        _ => people.login(random),
    };
    let tail = random.pick(&["", ";transport=tls", ":5061"]);
    format!("{scheme}:{user}@{}{tail}", random.pick(&["cucm.corp.local", "example.com", "10.1.2.3", "sip.acme.it"]))
}

/// Three 32-bit numbers of the domain, and a relative identifier of an account ([MS-DTYP] 2.4.2).
fn sid(random: &mut Random) -> String {
    let domain: Vec<String> = (0..3).map(|_| random.between(1, 0xffff_ffff).to_string()).collect();
    format!("S-1-5-21-{}-{}", domain.join("-"), random.between(1_000, 99_999))
}

fn mac(random: &mut Random) -> String {
    let octets: Vec<String> =
        (0..6).map(|at| if at == 0 { random.pick(&["00", "3c", "b8", "f4", "a0"]).to_string() } else { random.hex(2) }).collect();
    match random.below(4) {
        0 => octets.join(":").to_uppercase(),
        1 => octets.join("-").to_uppercase(),
        2 => octets.join(":"),
        _ => format!("{}{}.{}{}.{}{}", octets[0], octets[1], octets[2], octets[3], "a1", octets[5]),
    }
}

fn user_path(people: &People, random: &mut Random) -> String {
    let user = people.login(random);
    match random.below(8) {
        0 => format!("C:\\Users\\{user}\\AppData\\Local\\Temp\\setup.exe"),
        1 => format!("C:\\Users\\{user}\\Downloads\\"),
        2 => format!("D:\\Users\\{user}\\Documents\\note.txt"),
        3 => format!("C:\\Documents and Settings\\{user}\\Desktop\\x.lnk"),
        4 => format!("/home/{user}/recordings/1.wav"),
        5 => format!("/Users/{user}/Library/x"),
        6 => format!("\\\\srv01\\home$\\{user}\\mail.pst"),
        _ => format!("C:/Users/{user}/Desktop/report.docx"),
    }
}

fn jwt(people: &People, random: &mut Random) -> String {
    let part = |text: &str| super::encodings::base64_url(text.as_bytes());
    let header = part(random.pick::<&str>(&[r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"typ":"JWT","alg":"RS256","kid":"a1"}"#]));
    let claims = part(&format!(r#"{{"sub":"{}","name":"{}","iat":1516239022}}"#, random.digits(8), people.name(random)));
    format!("{header}.{claims}.{}", random.text(43, "ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789-_"))
}

fn credential(random: &mut Random) -> String {
    let secret = format!("{}{}!", random.text(5, "abcdefghkmnpqrstuvwxyz"), random.digits(3));
    match random.below(7) {
        0 => format!("password={secret}"),
        1 => format!("Server=db01;Database=ucx;User Id=app;Password={secret};"),
        2 => format!("Authorization: Basic {}", super::encodings::base64(format!("admin:{secret}").as_bytes())),
        3 => format!("https://app:{secret}@host.example/x"),
        4 => format!("-----BEGIN RSA PRIVATE KEY-----\n{}", random.text(64, "ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789")),
        5 => format!("AKIA{}", random.text(16, "ABCDEFGHIJKLMNOP234567")),
        _ => format!("Bearer {}", random.text(40, "abcdefghijklmnop0123456789")),
    }
}

/// The first bytes of files, as their formats define them.
const IMAGES: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x48\0\x48\0\0\xff\xdb",
    b"GIF89a\x10\0\x10\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04",
    b"RIFF\x24\x10\0\0WEBPVP8 \x18\x10\0\0\x30\x01\0\x9d",
    b"II*\0\x08\0\0\0\x0e\0\xfe\0\x04\0\x01\0\0\0\x02\0\0\0",
    b"MM\0*\0\0\0\x08\0\x0f\x01\0\0\x03\0\0\0\x01\0\x10",
];
const SOUNDS: &[&[u8]] = &[
    b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0",
    b"OggS\0\x02\0\0\0\0\0\0\0\0\x9d\x3c\x01\0\0\0\0\0",
    b"fLaC\0\0\0\x22\x10\0\x10\0\0\0\x0e\0\x10\0\x0a\xc4",
    b"ID3\x04\0\0\0\0\x02\x1fTSSE\0\0\0\x0f\0\0\x03Lavf58",
    b"#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0\x01\xe7\xaf",
    b".snd\0\0\0\x18\0\0\x10\0\0\0\0\x01\0\0\x1f\x40\0\0\0\x01",
];

fn media(heads: &[&[u8]], random: &mut Random) -> String {
    let mut bytes = random.pick(heads).to_vec();
    bytes.extend((0..48).map(|_| u8::try_from(random.below(256)).expect("a byte")));
    match random.below(3) {
        0 => super::encodings::hex(&bytes),
        1 if heads == IMAGES => format!("data:image/png;base64,{}", super::encodings::base64(&bytes)),
        _ => super::encodings::base64(&bytes),
    }
}

fn cdr(people: &People, random: &mut Random) -> String {
    let (caller, other) = (random.digits(4), numbers::phone(people, "e164", random).replace([' ', '-', '(', ')'], ""));
    let (start, seconds) = (random.between(1_700_000_000, 1_760_000_000), random.between(3, 3_000));
    match random.below(4) {
        0 => format!(
            "cdrRecordType,globalCallID_callId,dateTimeOrigination,callingPartyNumber,originalCalledPartyNumber,duration\n1,{},{start},{caller},{other},{seconds}",
            random.digits(6)
        ),
        1 => format!(
            "clid,src,dst,dcontext,channel,billsec,disposition\n\"{caller}\",{caller},{other},internal,SIP/{caller},{seconds},ANSWERED"
        ),
        2 => {
            let row = |at: u64| format!("{caller},{other},{},{}\n", start + at * 300, seconds + at);
            [row(0), row(1), row(2)].concat()
        }
        _ => format!(
            "Start time,Answer time,Calling number,Called number,Duration,Releasing party\n2026-01-02T10:00:00Z,,{caller},{other},{seconds},Local"
        ),
    }
}

fn digest(people: &People, random: &mut Random) -> String {
    format!("Digest username=\"{}\", realm=\"corp\", nonce=\"{}\", response=\"{}\"", people.login(random), random.hex(16), random.hex(32))
}

fn cookie(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("Cookie: sid={}", random.hex(24)),
        1 => format!("JSESSIONID={}", random.hex(32).to_uppercase()),
        _ => format!("Set-Cookie: ASP.NET_SessionId={}; path=/; HttpOnly", random.hex(24)),
    }
}

fn contact_card(people: &People, random: &mut Random) -> String {
    let (given, family) = people.pair(random);
    match random.below(4) {
        0 => format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{given} {family}\r\nN:{family};{given};;;\r\nEND:VCARD"),
        1 => format!("dn: cn={given} {family},ou=people,dc=acme,dc=it\nobjectClass: inetOrgPerson\ngivenName: {given}\nsn: {family}\n"),
        2 => format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTENDEE;CN={given} {family}:urn:x\r\nEND:VEVENT"),
        _ => format!("First Name,Last Name,Mobile Phone\n{given},{family},{}", random.digits(9)),
    }
}

fn coordinates(random: &mut Random) -> String {
    let (latitude, longitude) = (random.digits(4), random.digits(4));
    match random.below(4) {
        0 => format!("geo:45.{latitude},9.{longitude}"),
        1 => format!("lat=45.{latitude}&lon=9.{longitude}"),
        2 => format!("45.{latitude} N, 9.{longitude} E"),
        _ => format!("+45.{latitude}+009.{longitude}/"),
    }
}

fn national_phone(people: &People, random: &mut Random) -> String {
    let country = *random.pick(&["it", "it", "it", "fr", "de", "es", "gb", "us", "ae", "sa", "ch", "at"]);
    numbers::phone(people, country, random)
}

pub(crate) use numbers::{keyed_id, phone};
