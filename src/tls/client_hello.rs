//! The TLS `ClientHello`, read before anything is decided about a connection.
//!
//! [`HelloReader`] takes bytes as they come off the wire and says when they add up to a hello. It
//! does no I/O and keeps every byte, so that the connection can still be relayed untouched or
//! handed to a TLS server. The hello may be cut anywhere, over packets and over records (RFC 8446
//! section 5.1): the answer depends on the bytes, never on the cuts.
//!
//! The reading is strict. A hello that two TLS stacks could understand differently is an
//! [`InvalidHello`], because a decision made on one reading would not hold for the other.

/// Bytes a client may send before its hello is complete, record headers included: 80 KiB.
///
/// 64 KiB is for the message, whose body may be 65,535 bytes long. The other 16 KiB is for the
/// five-byte record headers: enough for the longest message in records of 21 bytes, while in
/// records of one byte it would cost 384 KiB.
pub const MAX_HELLO: usize = (64 + 16) * 1024;

/// Longest payload of a plaintext record (RFC 8446 section 5.1).
const MAX_RECORD: usize = 1 << 14;

/// Longest host name taken: a DNS name has at most 255 octets (RFC 1035 section 2.3.4).
const MAX_HOST_NAME: usize = 255;

/// Most application protocols taken. IANA lists a few dozen, and each name kept is an allocation
/// that two bytes on the wire can ask for.
const MAX_PROTOCOLS: usize = 256;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// `ContentType` `handshake` (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// `HandshakeType` `client_hello` (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;
/// `NameType` `host_name` (RFC 6066 section 3).
const HOST_NAME: u8 = 0;
/// `ProtocolVersion` of TLS 1.3 in `supported_versions` (RFC 8446 section 4.2.1).
const TLS13: [u8; 2] = [3, 4];

/// Extension `server_name` (RFC 6066 section 3).
const SERVER_NAME: u16 = 0;
/// Extension `application_layer_protocol_negotiation` (RFC 7301 section 3.1).
const ALPN: u16 = 16;
/// Extension `supported_versions` (RFC 8446 section 4.2.1).
const SUPPORTED_VERSIONS: u16 = 43;
/// Extension `encrypted_client_hello` (RFC 9849 section 5).
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// Collects what a client sends until its `ClientHello` is complete.
#[derive(Default)]
pub struct HelloReader {
    /// Every byte pushed.
    raw: Vec<u8>,
    /// The message so far; stays empty for the usual hello, which one record holds.
    message: Vec<u8>,
    /// Where in `raw` the first record starts that is not part of `message` yet.
    next: usize,
}

/// What the bytes pushed so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A hello may still come of it.
    NeedMore,
    /// The hello is complete. Bytes that follow its last record are kept, unread.
    Complete(ClientHello),
    /// No further byte can make this a hello that is taken.
    Invalid(InvalidHello),
}

/// The parts of a `ClientHello` (RFC 8446 section 4.1.2) that decide what becomes of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The server the client asks for.
    pub server_name: ServerName,
    /// Application protocols in the client's order, at most 256, none of them empty (RFC 7301
    /// section 3.1).
    pub alpn: Vec<Vec<u8>>,
    /// Whether the `encrypted_client_hello` extension is present (RFC 9849). It may be GREASE:
    /// only the server it is meant for can tell.
    pub encrypted_client_hello: bool,
    /// Whether the client offers TLS 1.3.
    pub supports_tls13: bool,
}

/// The `server_name` extension (RFC 6066 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerName {
    /// The client did not send the extension.
    Absent,
    /// The host name exactly as sent: 1 to 255 printable ASCII characters without spaces. It is
    /// not in normal form, and nothing says yet that it is a DNS name.
    Host(String),
}

/// Why bytes are not a hello that can be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidHello {
    /// The connection does not start with a TLS handshake record. An `SSLv2` hello does not.
    NotTls,
    /// The connection starts as TLS, but the hello breaks the rule named here.
    Malformed(&'static str),
    /// The message is longer than 65,535 bytes, or not complete after [`MAX_HELLO`] bytes.
    TooLarge,
}

impl InvalidHello {
    /// What is wrong, for a log line or an error page.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotTls => "the connection does not start with a TLS handshake record",
            Self::Malformed(detail) => detail,
            Self::TooLarge => "the client hello is too large",
        }
    }
}

impl HelloReader {
    /// A reader that has seen nothing; it allocates on the first push.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes off the wire and says what all of them amount to.
    ///
    /// All pushes together take time linear in the bytes pushed, and memory follows the bytes
    /// received, never a length the client announces. Stop at the first answer other than
    /// [`Progress::NeedMore`], which comes within [`MAX_HELLO`] bytes; a push after that reads the
    /// message again and repeats the answer.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        self.raw.extend_from_slice(bytes);
        match self.advance() {
            Ok(Some(hello)) => Progress::Complete(hello),
            Ok(None) if self.raw.len() >= MAX_HELLO => Progress::Invalid(InvalidHello::TooLarge),
            Ok(None) => Progress::NeedMore,
            Err(invalid) => Progress::Invalid(invalid),
        }
    }

    /// Every byte pushed, to be replayed to whoever completes the handshake.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The same bytes as [`Self::raw`], without a copy.
    #[must_use]
    pub fn into_raw(self) -> Vec<u8> {
        self.raw
    }

    /// Takes the records that became complete, and reads the message once they hold all of it.
    fn advance(&mut self) -> Result<Option<ClientHello>, InvalidHello> {
        // Past the limit nothing is read: what is too large in small pushes must not pass in one.
        let window = self.raw.get(..MAX_HELLO).unwrap_or(&self.raw);
        loop {
            if message_length(&self.message, &[])? == Some(self.message.len()) {
                return ClientHello::parse(&self.message).map(Some);
            }
            let unread = window.get(self.next..).unwrap_or_default();
            let Some(record) = Record::start(unread, self.next == 0)? else {
                return Ok(None);
            };
            // A refusal need not wait for the end of the record.
            let expected = message_length(&self.message, record.received)?;
            let held = self.message.len() + record.length;
            if expected.is_some_and(|expected| held > expected) {
                // The keys may change after it, so it must end with its record (section 5.1).
                return Err(InvalidHello::Malformed("the client hello ends inside a record"));
            }
            if record.received.len() < record.length {
                return Ok(None);
            }
            if self.message.is_empty() && expected == Some(held) {
                return ClientHello::parse(record.received).map(Some);
            }
            self.message.extend_from_slice(record.received);
            self.next += RECORD_HEADER + record.length;
        }
    }
}

/// A plaintext record of which at least the header is there (RFC 8446 section 5.1).
struct Record<'a> {
    /// How long its payload is.
    length: usize,
    /// The payload, or as much of it as has arrived.
    received: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at the start of `bytes`, once its header is there. Each header byte is judged as
    /// it arrives; `first` tells what a wrong one means.
    fn start(bytes: &'a [u8], first: bool) -> Result<Option<Self>, InvalidHello> {
        match bytes {
            [kind, ..] if *kind != HANDSHAKE => Err(not_handshake(first)),
            // The minor version is to be ignored (section 5.1); all TLS versions share the major.
            [_, major, ..] if *major != 3 => Err(not_handshake(first)),
            [_, _, _, high, low, payload @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                if length == 0 {
                    return Err(InvalidHello::Malformed("a handshake record is empty"));
                }
                if length > MAX_RECORD {
                    return Err(InvalidHello::Malformed("a record is longer than 16,384 bytes"));
                }
                let received = payload.get(..length).unwrap_or(payload);
                Ok(Some(Self { length, received }))
            }
            _ => Ok(None),
        }
    }
}

/// After a first handshake record, anything else is a broken hello and no longer another protocol.
fn not_handshake(first: bool) -> InvalidHello {
    if first { InvalidHello::NotTls } else { InvalidHello::Malformed("another record interrupts the client hello") }
}

/// Length of the message, header included, once all of the header is in `held` and `received`.
fn message_length(held: &[u8], received: &[u8]) -> Result<Option<usize>, InvalidHello> {
    let mut header = held.iter().chain(received).copied();
    if header.next().is_some_and(|kind| kind != CLIENT_HELLO) {
        return Err(InvalidHello::Malformed("the first handshake message is not a client hello"));
    }
    let (Some(high), Some(middle), Some(low)) = (header.next(), header.next(), header.next()) else {
        return Ok(None);
    };
    // RFC 8446 section 4 allows 16 MiB; 65,535 bytes is the limit that rustls sets too.
    if high != 0 {
        return Err(InvalidHello::TooLarge);
    }
    Ok(Some(MESSAGE_HEADER + usize::from(u16::from_be_bytes([middle, low]))))
}

/// What reading a whole message gives; the error completes [`InvalidHello::Malformed`].
type Parsed<T> = Result<T, &'static str>;

impl ClientHello {
    /// Reads a whole message, header included.
    fn parse(message: &[u8]) -> Result<Self, InvalidHello> {
        let body = message.get(MESSAGE_HEADER..).unwrap_or_default();
        extensions(body).and_then(Self::from_extensions).map_err(InvalidHello::Malformed)
    }

    fn from_extensions(extensions: &[u8]) -> Parsed<Self> {
        let mut hello = Self { server_name: ServerName::Absent, alpn: Vec::new(), encrypted_client_hello: false, supports_tls13: false };
        let mut seen = ExtensionTypes::default();
        let mut extensions = Cursor(extensions);
        while !extensions.is_empty() {
            let (kind, data) = extensions.extension().ok_or("an extension is cut short")?;
            if !seen.insert(kind) {
                return Err("an extension appears twice"); // RFC 8446 section 4.2
            }
            match kind {
                SERVER_NAME => hello.server_name = server_name(data)?,
                ALPN => hello.alpn = protocols(data)?,
                SUPPORTED_VERSIONS => hello.supports_tls13 = offers_tls13(data)?,
                ENCRYPTED_CLIENT_HELLO => hello.encrypted_client_hello = true,
                _ => {}
            }
        }
        Ok(hello)
    }
}

/// The extensions of a message body (RFC 8446 section 4.1.2). The field may be left out (RFC 5246
/// section 7.4.1.2), which is the same as no extensions.
fn extensions(body: &[u8]) -> Parsed<&[u8]> {
    const SHORT: &str = "the client hello is cut short";
    let mut body = Cursor(body);
    body.take(2 + 32).ok_or(SHORT)?; // legacy_version, random
    if body.vector8().ok_or(SHORT)?.len() > 32 {
        return Err("the session id is longer than 32 bytes");
    }
    let cipher_suites = body.vector16().ok_or(SHORT)?;
    if cipher_suites.is_empty() || !cipher_suites.len().is_multiple_of(2) {
        return Err("the cipher suites are not a list of pairs of bytes");
    }
    if body.vector8().ok_or(SHORT)?.is_empty() {
        return Err("the compression methods are empty");
    }
    if body.is_empty() {
        return Ok(&[]);
    }
    let extensions = body.vector16().ok_or("the extensions are cut short")?;
    if !body.is_empty() {
        return Err("bytes follow the extensions");
    }
    Ok(extensions)
}

/// The one host name of a `server_name` extension (RFC 6066 section 3).
fn server_name(data: &[u8]) -> Parsed<ServerName> {
    const LENGTH: &str = "a length in server_name is wrong";
    let mut names = Cursor(data).only_vector16().map(Cursor).ok_or(LENGTH)?;
    if names.is_empty() {
        return Err("server_name is empty");
    }
    let kind = names.byte().ok_or(LENGTH)?;
    if kind != HOST_NAME {
        // Go looks for a host name after it, OpenSSL and rustls refuse; so does this.
        return Err("server_name holds a name of unknown type");
    }
    let host = names.vector16().ok_or(LENGTH)?;
    if !names.is_empty() {
        return Err("server_name holds more than one name");
    }
    if host.is_empty() {
        return Err("the host name in server_name is empty");
    }
    if host.len() > MAX_HOST_NAME {
        return Err("the host name in server_name is longer than 255 bytes");
    }
    if !host.iter().all(u8::is_ascii_graphic) {
        return Err("the host name in server_name is not printable ASCII");
    }
    Ok(ServerName::Host(host.iter().copied().map(char::from).collect()))
}

/// The names in an ALPN extension (RFC 7301 section 3.1).
fn protocols(data: &[u8]) -> Parsed<Vec<Vec<u8>>> {
    const LENGTH: &str = "a length in the application protocols is wrong";
    let mut names = Cursor(data).only_vector16().map(Cursor).ok_or(LENGTH)?;
    if names.is_empty() {
        return Err("the application protocols are empty");
    }
    let mut protocols = Vec::new();
    while !names.is_empty() {
        let name = names.vector8().ok_or(LENGTH)?;
        if name.is_empty() {
            return Err("an application protocol has no name");
        }
        if protocols.len() == MAX_PROTOCOLS {
            return Err("there are more than 256 application protocols");
        }
        protocols.push(name.to_vec());
    }
    Ok(protocols)
}

/// Whether a `supported_versions` extension (RFC 8446 section 4.2.1) names TLS 1.3.
fn offers_tls13(data: &[u8]) -> Parsed<bool> {
    const LENGTH: &str = "the supported versions are not a list of pairs of bytes";
    let list = Cursor(data).only_vector8().ok_or(LENGTH)?;
    let (versions, odd) = list.as_chunks();
    if versions.is_empty() || !odd.is_empty() {
        return Err(LENGTH);
    }
    Ok(versions.contains(&TLS13))
}

/// The extension types met so far, one bit each: a hello has room for 16,000 extensions, too many
/// to compare in pairs.
struct ExtensionTypes([u64; 1024]);

impl Default for ExtensionTypes {
    fn default() -> Self {
        Self([0; 1024])
    }
}

impl ExtensionTypes {
    /// Adds a type; false if it was there.
    fn insert(&mut self, kind: u16) -> bool {
        let Some(word) = self.0.get_mut(usize::from(kind / 64)) else {
            return false;
        };
        let bit = 1 << (kind % 64);
        let known = *word & bit != 0;
        *word |= bit;
        !known
    }
}

/// Bytes not read yet. Each method takes some off the front, or gives `None` if they are too few.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn pair(&mut self) -> Option<u16> {
        let (pair, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*pair))
    }

    /// A vector behind a length of one byte (RFC 8446 section 3.4).
    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(length.into())
    }

    /// A vector behind a length of two bytes.
    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.pair()?;
        self.take(length.into())
    }

    /// A vector behind a length of one byte, with nothing after it.
    fn only_vector8(mut self) -> Option<&'a [u8]> {
        self.vector8().filter(|_| self.is_empty())
    }

    /// A vector behind a length of two bytes, with nothing after it.
    fn only_vector16(mut self) -> Option<&'a [u8]> {
        self.vector16().filter(|_| self.is_empty())
    }

    /// An extension's type and data (RFC 8446 section 4.2).
    fn extension(&mut self) -> Option<(u16, &'a [u8])> {
        Some((self.pair()?, self.vector16()?))
    }
}

crate::hidden::hidden!(HelloReader);

#[cfg(test)]
mod tests;
