use super::*;

const HOST: &[u8] = b"t.imagicle.com";
const PADDING: u16 = 21;
const KEY_SHARE: u16 = 51;
const GREASE: u16 = 0x1a1a;

/// An extension's type and data.
type Extension = (u16, Vec<u8>);

fn vector8(content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    [&[length], content].concat()
}

fn vector16(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&length.to_be_bytes(), content].concat()
}

/// Names with their types, as `server_name` holds them.
fn names(entries: &[(u8, &[u8])]) -> Extension {
    let name = |(kind, name): &(u8, &[u8])| [vec![*kind], vector16(name)].concat();
    let list: Vec<u8> = entries.iter().flat_map(name).collect();
    (SERVER_NAME, vector16(&list))
}

fn host(name: &[u8]) -> Extension {
    names(&[(HOST_NAME, name)])
}

fn alpn(protocols: &[&[u8]]) -> Extension {
    let list: Vec<u8> = protocols.iter().flat_map(|name| vector8(name)).collect();
    (ALPN, vector16(&list))
}

fn versions(list: &[u8]) -> Extension {
    (SUPPORTED_VERSIONS, vector8(list))
}

fn padding(length: usize) -> Extension {
    (PADDING, vec![0; length])
}

/// What a current client sends, give or take the values.
fn usual() -> Vec<Extension> {
    vec![
        (GREASE, vec![]),
        host(HOST),
        versions(&[0x1a, 0x1a, 3, 4, 3, 3]),
        alpn(&[b"h2", b"http/1.1"]),
        (KEY_SHARE, vector16(&[7; 36])),
        (ENCRYPTED_CLIENT_HELLO, vec![0; 40]),
    ]
}

fn usual_hello() -> ClientHello {
    ClientHello {
        server_name: ServerName::Host("t.imagicle.com".into()),
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        encrypted_client_hello: true,
        supports_tls13: true,
    }
}

/// The fields of a body that come before its extensions.
fn fields(session_id: &[u8], cipher_suites: &[u8], compression: &[u8]) -> Vec<u8> {
    let lists = [vector8(session_id), vector16(cipher_suites), vector8(compression)];
    [vec![3; 2 + 32], lists.concat()].concat()
}

fn body(extensions: &[Extension]) -> Vec<u8> {
    let encode = |(kind, data): &Extension| [&kind.to_be_bytes()[..], &vector16(data)].concat();
    let extensions: Vec<u8> = extensions.iter().flat_map(encode).collect();
    let fields = fields(&[5; 32], &[0x13, 1, 0x13, 2], &[0]);
    [fields, vector16(&extensions)].concat()
}

fn message(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[CLIENT_HELLO], &length[1..], body].concat()
}

fn record(payload: &[u8]) -> Vec<u8> {
    [&[HANDSHAKE, 3, 1], &vector16(payload)[..]].concat()
}

fn records(message: &[u8], size: usize) -> Vec<u8> {
    message.chunks(size).flat_map(record).collect()
}

/// A hello on the wire, in records as long as they may be.
fn wire(extensions: &[Extension]) -> Vec<u8> {
    records(&message(&body(extensions)), MAX_RECORD)
}

/// A message whose body has exactly this many bytes.
fn message_of(body_length: usize) -> Vec<u8> {
    let unpadded = body(&[host(HOST), padding(0)]).len();
    message(&body(&[host(HOST), padding(body_length - unpadded)]))
}

/// The answer to `bytes`, pushed `size` at a time until there is one.
fn answer(bytes: &[u8], size: usize) -> Progress {
    let mut reader = HelloReader::new();
    let mut answers = bytes.chunks(size).map(|chunk| reader.push(chunk));
    let decided = answers.find(|answer| *answer != Progress::NeedMore);
    decided.unwrap_or(Progress::NeedMore)
}

/// The answer to `bytes`, which must be the same for one push and for a push of every byte.
#[track_caller]
fn read(bytes: &[u8]) -> Progress {
    let at_once = answer(bytes, usize::MAX);
    assert_eq!(answer(bytes, 1), at_once, "byte by byte");
    at_once
}

#[track_caller]
fn hello(bytes: &[u8]) -> ClientHello {
    match read(bytes) {
        Progress::Complete(hello) => hello,
        other => panic!("not a hello: {other:?}"),
    }
}

#[track_caller]
fn invalid(bytes: &[u8]) -> InvalidHello {
    let Progress::Invalid(invalid) = read(bytes) else {
        panic!("not refused: {bytes:?}");
    };
    let detail = invalid.detail();
    assert!(detail.starts_with(char::is_lowercase), "{detail}");
    assert!(!detail.ends_with('.'), "{detail}");
    invalid
}

/// These bytes are malformed, with this detail.
#[track_caller]
fn malformed(detail: &'static str, bytes: &[u8]) {
    assert_eq!(invalid(bytes), InvalidHello::Malformed(detail));
    assert_eq!(invalid(bytes).detail(), detail);
}

/// A hello with this extension is malformed, with this detail.
#[track_caller]
fn refused(detail: &'static str, extension: Extension) {
    malformed(detail, &wire(&[(GREASE, vec![]), extension, padding(3)]));
}

/// A generator of bytes that look random; the seed must not be zero.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

#[test]
fn one_push_of_one_record_is_read_in_place() {
    let bytes = wire(&usual());
    let mut reader = HelloReader::new();
    assert_eq!(reader.push(&bytes), Progress::Complete(usual_hello()));
    assert_eq!(reader.message.capacity(), 0);
    assert_eq!(reader.raw(), bytes);
}

#[test]
fn a_hello_cut_at_any_byte_gives_the_same_answer() {
    let bytes = wire(&usual());
    for cut in 0..bytes.len() {
        let (start, end) = bytes.split_at(cut);
        let mut reader = HelloReader::new();
        assert_eq!(reader.push(start), Progress::NeedMore, "{cut}");
        assert_eq!(reader.push(end), Progress::Complete(usual_hello()), "{cut}");
        assert_eq!(reader.into_raw(), bytes);
    }
}

#[test]
fn a_hello_split_over_records_at_any_byte_gives_the_same_answer() {
    let message = message(&body(&usual()));
    for split in 1..message.len() {
        let (start, end) = message.split_at(split);
        let bytes = [record(start), record(end)].concat();
        assert_eq!(hello(&bytes), usual_hello(), "split at {split}");
    }
    assert_eq!(hello(&records(&message, 1)), usual_hello());
}

#[test]
fn two_hundred_protocols_over_five_records() {
    let names: Vec<_> = (0..200).map(|n| format!("proto{n:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_bytes).collect();
    let message = message(&body(&[host(HOST), alpn(&names), padding(200)]));
    assert_eq!(message.len().div_ceil(512), 5);
    assert_eq!(hello(&records(&message, 512)).alpn, names);
}

#[test]
fn a_hello_with_a_post_quantum_key_share_takes_two_packets() {
    let bytes = record(&message_of(1_600));
    let mut reader = HelloReader::new();
    let (first, second) = bytes.split_at(1_460);
    assert_eq!(reader.push(first), Progress::NeedMore);
    assert!(matches!(reader.push(second), Progress::Complete(_)));
    assert_eq!(reader.message.capacity(), 0);
}

#[test]
fn bytes_after_the_hello_are_kept_unread() {
    let bytes = [&wire(&usual()), &b"\x14\x03\x03\0\x01\x01 early data"[..]].concat();
    let mut reader = HelloReader::new();
    assert_eq!(reader.push(&bytes), Progress::Complete(usual_hello()));
    assert_eq!(reader.into_raw(), bytes);
}

#[test]
fn a_push_after_the_answer_repeats_it() {
    let in_records = records(&message(&body(&usual())), 100);
    let decided = [wire(&usual()), in_records, b"GET /".to_vec(), wire(&[host(b"")])];
    for bytes in decided {
        let mut reader = HelloReader::new();
        let answer = reader.push(&bytes);
        assert_ne!(answer, Progress::NeedMore);
        assert_eq!(reader.push(b""), answer);
        assert_eq!(reader.push(&wire(&[host(b"other.example")])), answer);
    }
}

#[test]
fn what_a_hello_leaves_out_is_absent() {
    let nothing = ClientHello { server_name: ServerName::Absent, alpn: vec![], encrypted_client_hello: false, supports_tls13: false };
    let no_extensions_field = record(&message(&fields(&[], &[0, 0x2f], &[0])));
    assert_eq!(hello(&no_extensions_field), nothing);
    assert_eq!(hello(&wire(&[])), nothing);
    let tls12 = wire(&[(GREASE, vec![1]), versions(&[3, 3, 3, 2])]);
    assert_eq!(hello(&tls12), nothing);
}

#[test]
fn host_names_are_given_as_sent() {
    let longest = "a".repeat(255);
    for name in ["T.ImAgIcLe.CoM.", "127.0.0.1", "*", "a\"b~!", &longest] {
        let bytes = wire(&[host(name.as_bytes())]);
        assert_eq!(hello(&bytes).server_name, ServerName::Host(name.into()));
    }
}

#[test]
fn another_protocol_is_recognised_at_its_first_wrong_byte() {
    let starts = [
        &b"G"[..],       // HTTP
        b"PRI",          // h2 without TLS
        b"\x80\x2e\x01", // an SSLv2 hello
        b"\x15\x03\x01", // an alert
        b"\0",
        b"\x16\x02",
        b"\x16GET",
    ];
    for bytes in starts {
        assert_eq!(invalid(bytes), InvalidHello::NotTls, "{bytes:?}");
    }
    assert_eq!(read(b"\x16\x03\xff"), Progress::NeedMore);
}

#[test]
fn records_and_messages_are_refused_before_they_are_complete() {
    let starting = |bytes: &[u8]| [b"\x16\x03\x01", bytes].concat();
    malformed("a handshake record is empty", &starting(b"\0\0"));
    let detail = "a record is longer than 16,384 bytes";
    malformed(detail, &starting(b"\x40\x01"));
    let detail = "the first handshake message is not a client hello";
    malformed(detail, &starting(b"\0\x40\x02"));
    let detail = "the client hello ends inside a record";
    malformed(detail, &starting(b"\0\x05\x01\0\0\0"));
    let too_large = starting(b"\x40\0\x01\x01\0\0");
    assert_eq!(invalid(&too_large), InvalidHello::TooLarge);
    let largest = starting(b"\x40\0\x01\0\xff\xff");
    assert_eq!(read(&largest), Progress::NeedMore);
}

#[test]
fn nothing_comes_between_the_records_of_a_hello() {
    let after_one = |bytes: &[u8]| [&record(&[CLIENT_HELLO]), bytes].concat();
    let detail = "another record interrupts the client hello";
    malformed(detail, &after_one(b"\x15")); // an alert
    malformed(detail, &after_one(b"\x14")); // a change of cipher spec
    malformed(detail, &after_one(b"\x16\x02"));
    malformed("a handshake record is empty", &after_one(&record(b"")));
}

#[test]
fn malformed_server_names_are_refused() {
    let server_name = |data: &[u8]| (SERVER_NAME, data.to_vec());

    let detail = "a length in server_name is wrong";
    refused(detail, server_name(b""));
    refused(detail, server_name(b"\0\x05\0\0\x01a"));
    refused(detail, server_name(b"\0\x03\0\0\x01a"));
    refused(detail, server_name(b"\0\x04\0\0\x02a"));
    refused(detail, server_name(b"\0\x04\0\0\x01ab"));
    refused(detail, server_name(b"\0\x02\0\0"));

    refused("server_name is empty", names(&[]));
    let detail = "server_name holds a name of unknown type";
    refused(detail, names(&[(1, HOST)]));
    refused(detail, names(&[(1, b"x"), (0, HOST)]));
    let detail = "server_name holds more than one name";
    refused(detail, names(&[(0, HOST), (0, HOST)]));
    refused(detail, names(&[(0, HOST), (1, b"")]));
    refused(detail, server_name(b"\0\x05\0\0\x01ab"));

    let detail = "the host name in server_name is not printable ASCII";
    refused(detail, host(b"t.imagicle.com\0.evil.test"));
    refused(detail, host(b"t.imagicle.com "));
    refused(detail, host(b"\x7f"));
    refused(detail, host("imag\u{456}cle.com".as_bytes()));

    refused("the host name in server_name is empty", host(b""));
    let detail = "the host name in server_name is longer than 255 bytes";
    refused(detail, host(&[b'a'; 256]));
}

#[test]
fn malformed_protocols_and_versions_are_refused() {
    let detail = "a length in the application protocols is wrong";
    refused(detail, (ALPN, vec![]));
    refused(detail, (ALPN, b"\0\x03\x03h2".to_vec()));
    refused(detail, (ALPN, b"\0\x03\x02h2x".to_vec()));
    refused("the application protocols are empty", alpn(&[]));
    refused("an application protocol has no name", alpn(&[b"h2", b""]));
    let detail = "there are more than 256 application protocols";
    refused(detail, alpn(&[&b"x"[..]; 257]));

    let detail = "the supported versions are not a list of pairs of bytes";
    refused(detail, versions(&[]));
    refused(detail, versions(&[3, 4, 3]));
    refused(detail, (SUPPORTED_VERSIONS, vec![2, 3, 4, 0]));
}

#[test]
fn an_extension_sent_twice_is_refused() {
    let detail = "an extension appears twice";
    refused(detail, padding(0));
    refused(detail, (GREASE, vec![1]));
    malformed(detail, &wire(&[host(HOST), padding(1), host(b"other.example")]));
}

#[test]
fn malformed_bodies_are_refused() {
    let refused = |detail, body: &[u8]| malformed(detail, &record(&message(body)));
    let suites = [0x13, 1];
    let fixed = fields(&[], &suites, &[0]);
    let with = |extensions: &[u8]| [&fixed, extensions].concat();

    for length in 0..fixed.len() {
        refused("the client hello is cut short", &fixed[..length]);
    }
    let detail = "the session id is longer than 32 bytes";
    refused(detail, &fields(&[1; 33], &suites, &[0]));
    let detail = "the cipher suites are not a list of pairs of bytes";
    refused(detail, &fields(&[], &[], &[0]));
    refused(detail, &fields(&[], &[1; 3], &[0]));
    let detail = "the compression methods are empty";
    refused(detail, &fields(&[], &suites, &[]));
    refused("the extensions are cut short", &with(&[0]));
    refused("the extensions are cut short", &with(&[0, 5, 0, 21, 0, 0]));
    refused("bytes follow the extensions", &with(&[0, 0, 9]));
    refused("bytes follow the extensions", &with(&[0, 4, 0, 21, 0, 0, 9]));
    refused("an extension is cut short", &with(&[0, 3, 0, 21, 0]));
    refused("an extension is cut short", &with(&[0, 4, 0, 21, 0, 1]));
}

#[test]
fn a_message_may_be_65_535_bytes_long() {
    for length in [1 << 14, 60 << 10, 0xffff] {
        let bytes = records(&message_of(length), MAX_RECORD);
        assert_ne!(hello(&bytes).server_name, ServerName::Absent);
    }
    let longer = [vec![CLIENT_HELLO, 1, 0, 0], vec![0; 1 << 16]].concat();
    let bytes = records(&longer, MAX_RECORD);
    assert_eq!(invalid(&bytes), InvalidHello::TooLarge);
}

#[test]
fn record_headers_count_towards_the_limit() {
    let message = message_of(0xffff);
    assert_ne!(hello(&records(&message, 21)).server_name, ServerName::Absent);
    let bytes = records(&message, 20);
    assert!(bytes.len() > MAX_HELLO);
    assert_eq!(invalid(&bytes), InvalidHello::TooLarge);
    assert_eq!(read(&bytes[..MAX_HELLO - 1]), Progress::NeedMore);
    assert_eq!(invalid(&bytes[..MAX_HELLO]), InvalidHello::TooLarge);
}

#[test]
fn memory_follows_the_bytes_received() {
    assert!(size_of::<HelloReader>() <= 56);
    let announced = [CLIENT_HELLO, 0, 0xff, 0xff];
    for start in [b"\x16\x03\x01\x40\0", b"\x16\x03\x01\0\x04"] {
        let mut reader = HelloReader::new();
        assert_eq!(reader.push(&[start, &announced[..]].concat()), Progress::NeedMore);
        assert!(reader.raw.capacity() + reader.message.capacity() < 64);
    }
}

/// Byte by byte, re-reading from the start at each push would take hours here.
#[test]
fn the_largest_hellos_are_read_byte_by_byte() {
    let extensions: Vec<Extension> = (100..16_400).map(|kind| (kind, vec![])).collect();
    for message in [message_of(0xffff), message(&body(&extensions))] {
        for size in [MAX_RECORD, 21] {
            let answer = answer(&records(&message, size), 1);
            assert!(matches!(answer, Progress::Complete(_)));
        }
    }
}

#[test]
fn any_bytes_in_any_pieces_have_one_answer() {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let message = message(&body(&usual()));
    let mut complete = 0;
    for _ in 0..20_000 {
        let mut bytes = records(&message, 1 + random.below(message.len()));
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.byte();
        }
        let at_once = answer(&bytes, usize::MAX);
        assert_eq!(answer(&bytes, 1 + random.below(40)), at_once, "{bytes:?}");
        complete += usize::from(matches!(at_once, Progress::Complete(_)));
    }
    assert!((5_000..19_000).contains(&complete), "{complete} hellos");
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Xorshift(0x2545_f491_4f6c_dd1d);
    for _ in 0..20_000 {
        let noise: Vec<u8> = (0..random.below(200)).map(|_| random.byte()).collect();
        let extensions = [fields(&[], &[0, 0x2f], &[0]), vector16(&noise)].concat();
        let mut inputs = vec![record(&message(&noise)), record(&message(&extensions))];
        for kind in [SERVER_NAME, ALPN, SUPPORTED_VERSIONS] {
            inputs.push(wire(&[(kind, noise.clone())]));
        }
        for bytes in inputs.iter().chain([&noise]) {
            answer(bytes, 1 + random.below(50));
        }
    }
}
