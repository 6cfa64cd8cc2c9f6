//! Hellos of clients that no library would send, byte by byte (RFC 8446 section 4.1.2).

/// Extension `server_name` (RFC 6066 section 3).
pub const SERVER_NAME: u16 = 0;
/// Extension `padding` (RFC 7685): any number of bytes that mean nothing.
pub const PADDING: u16 = 21;
/// Extension `key_share` (RFC 8446 section 4.2.8).
pub const KEY_SHARE: u16 = 51;
/// Extension `encrypted_client_hello` (RFC 9849 section 5).
pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// `NameType` `host_name` (RFC 6066 section 3).
pub const HOST_NAME: u8 = 0;

/// Longest payload of a record (RFC 8446 section 5.1).
const MAX_RECORD: usize = 1 << 14;
const RECORD_HEADER: usize = 5;

/// A hello in the making: one cipher suite, and the extensions it is given.
#[derive(Clone, Default)]
pub struct Hello(Vec<u8>);

impl Hello {
    /// A hello that names this server, in whatever spelling.
    pub fn to(host: &str) -> Self {
        Self::default().names(&[(HOST_NAME, host.as_bytes())])
    }

    /// Adds a `server_name` with these names, each with its type.
    pub fn names(self, names: &[(u8, &[u8])]) -> Self {
        let list: Vec<u8> = names.iter().flat_map(|(kind, name)| [&[*kind][..], &vector(name)].concat()).collect();
        self.extension(SERVER_NAME, &vector(&list))
    }

    pub fn extension(mut self, kind: u16, data: &[u8]) -> Self {
        self.0.extend(kind.to_be_bytes());
        self.0.extend(vector(data));
        self
    }

    /// A key share as long as that of X25519MLKEM768: it makes the hello longer than one segment of an Ethernet.
    pub fn with_hybrid_key_share(self) -> Self {
        let entry = [&0x11ec_u16.to_be_bytes()[..], &vector(&[7; 1_216])].concat();
        self.extension(KEY_SHARE, &vector(&entry))
    }

    /// The handshake message.
    pub fn message(&self) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([5; 32]); // random
        body.push(0); // no session id
        body.extend(vector(&[0x13, 0x01]));
        body.extend([1, 0]); // no compression
        body.extend(vector(&self.0));
        let length = u32::try_from(body.len()).expect("a test's hello is short").to_be_bytes();
        [&[1][..], &length[1..], &body].concat()
    }

    /// The message in as few records as it takes.
    pub fn bytes(&self) -> Vec<u8> {
        self.message().chunks(MAX_RECORD).flat_map(record).collect()
    }
}

/// One handshake record around `payload`.
pub fn record(payload: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &vector(payload)].concat()
}

/// The message that one record carries.
pub fn message_of(record: &[u8]) -> &[u8] {
    &record[RECORD_HEADER..]
}

/// Bytes behind a length of two bytes.
fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a test's vector fits its length field");
    [&length.to_be_bytes()[..], bytes].concat()
}
