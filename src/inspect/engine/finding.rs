//! What was found; never the value.

/// A kind of personal data. A closed list: it is a label in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A SIP, TEL, IM, XMPP or callto address of a person.
    SipUri,
    /// Digest or other SIP credentials.
    SipCredentials,
    /// A telephone number or extension.
    Phone,
    /// An IP address that is not declared.
    IpAddress,
    /// A MAC address.
    MacAddress,
    /// A telephone's device name (SEP…, CSF…).
    DeviceName,
    /// A path below a person's home folder.
    UserPath,
    /// An account of a person (DOMAIN\user, UPN).
    Identity,
    /// A security identifier of a person's account.
    Sid,
    /// The name of a person.
    PersonName,
    /// Geographic coordinates.
    Geolocation,
    /// An international bank account number.
    Iban,
    /// A payment card number.
    PaymentCard,
    /// A national identification number.
    NationalId,
    /// A password, token or key.
    Credential,
    /// A cookie.
    Cookie,
    /// An image, recording, document or fax.
    Media,
    /// A call detail record.
    CallRecord,
    /// A contact list.
    ContactList,
}

impl Kind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: &[Self] = &[
        Self::Email,
        Self::SipUri,
        Self::SipCredentials,
        Self::Phone,
        Self::IpAddress,
        Self::MacAddress,
        Self::DeviceName,
        Self::UserPath,
        Self::Identity,
        Self::Sid,
        Self::PersonName,
        Self::Geolocation,
        Self::Iban,
        Self::PaymentCard,
        Self::NationalId,
        Self::Credential,
        Self::Cookie,
        Self::Media,
        Self::CallRecord,
        Self::ContactList,
    ];

    /// The word in answers, logs and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::SipUri => "sip_uri",
            Self::SipCredentials => "sip_credentials",
            Self::Phone => "phone",
            Self::IpAddress => "ip_address",
            Self::MacAddress => "mac_address",
            Self::DeviceName => "device_name",
            Self::UserPath => "user_path",
            Self::Identity => "identity",
            Self::Sid => "sid",
            Self::PersonName => "person_name",
            Self::Geolocation => "geolocation",
            Self::Iban => "iban",
            Self::PaymentCard => "payment_card",
            Self::NationalId => "national_id",
            Self::Credential => "credential",
            Self::Cookie => "cookie",
            Self::Media => "media",
            Self::CallRecord => "call_record",
            Self::ContactList => "contact_list",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.label() == word)
    }
}

/// One hit of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// First byte in the text.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
    /// −log2 of the chance that other text of the same shape is a hit: 20 bits (1e-6) are enough to block.
    pub bits: u8,
}

impl Hit {
    /// Bits at which a single hit blocks.
    pub const ENOUGH: u8 = 20;
}

/// Why something is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its key speaks of a person.
    Key,
    /// The value itself is of that kind.
    Value,
    /// The value is, once its encoding is taken off.
    Encoded,
    /// Several weak signs together.
    Together,
}

impl Why {
    /// The word in `scan --json`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Key => "the key speaks of a person",
            Self::Value => "the value has this form",
            Self::Encoded => "the value has this form once its encoding is taken off",
            Self::Together => "several weak signs together",
        }
    }
}

/// One finding: what, where, why; never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it is: a JSON pointer in which keys that nobody documents are replaced by their position.
    pub place: String,
    /// Why it is one.
    pub why: Why,
}
