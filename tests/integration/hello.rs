//! The first bytes of a tunnel: whatever way they are cut, the name in them must be the destination, or nothing of them
//! reaches the cloud.

pub mod craft;

use crate::support::client::{Closing, Problem, RawClient, client_hello, client_hello_without_sni};
use crate::support::origin::RawOrigin;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::wait_for_decisions;
use craft::{ENCRYPTED_CLIENT_HELLO, HOST_NAME, Hello, PADDING, message_of, record};

const HOST: &str = "api.imagicle.com";
/// Allowed like the destination, and yet another host.
const OTHER: &str = "grpc.imagicle.com";
const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";

/// `AlertDescription` (RFC 8446 section 6).
const ACCESS_DENIED: u8 = 49;
const DECODE_ERROR: u8 = 50;
const MISSING_EXTENSION: u8 = 109;
const UNRECOGNIZED_NAME: u8 = 112;

/// A proxy, and an origin that keeps all it is sent.
struct Bench {
    proxy: Proxy,
    origin: RawOrigin,
    /// What the origin should have received so far.
    expected: Vec<u8>,
    tunnels: usize,
}

impl Bench {
    async fn start() -> Self {
        Self::with("").await
    }

    async fn with(section: &str) -> Self {
        let origin = RawOrigin::start().await;
        let proxy = Setup::new().host(HOST, origin.addr()).section(section).start();
        Self { proxy, origin, expected: Vec::new(), tunnels: 0 }
    }

    /// A tunnel whose first bytes leave with the CONNECT, in one segment: the proxy has read them before it dials.
    async fn tunnel(&mut self, early: &[u8]) -> RawClient {
        self.tunnels += 1;
        let mut client = RawClient::connect(self.proxy.proxy()).await;
        client.send(&[CONNECT, early].concat()).await;
        let head = client.read_head().await;
        assert_eq!((head.status, head.reason.as_str()), (200, "Connection established"));
        assert!(head.header("content-length").is_none() && head.header("transfer-encoding").is_none(), "{head:?}");
        client
    }

    /// The bytes cut twice: with the CONNECT, then in a write of their own each.
    async fn say(&mut self, early: &[u8], writes: &[&[u8]]) -> RawClient {
        let mut client = self.tunnel(early).await;
        for write in writes {
            client.send(write).await;
        }
        client
    }

    /// The origin receives exactly these bytes.
    async fn passes(&mut self, mut client: RawClient, said: &[u8]) {
        self.expected.extend(said);
        self.origin.wait_for_bytes(self.expected.len()).await;
        client.finish().await;
        assert_eq!(client.read_to_end().await, b"", "the origin says nothing");
        self.origin.wait_for_closed(self.tunnels).await;
        assert!(self.origin.received() == self.expected, "the bytes arrive as they were sent");
    }

    /// The client is told and let go; the origin receives nothing.
    async fn answers(&mut self, mut client: RawClient) -> Vec<u8> {
        let (answer, closing) = client.read_until_closed().await;
        assert_eq!(closing, Closing::Clean, "an answer is not destroyed by a reset");
        self.origin.wait_for_closed(self.tunnels).await;
        assert!(self.origin.received() == self.expected, "a refused tunnel carries nothing");
        answer
    }

    async fn is_alerted(&mut self, client: RawClient, description: u8) {
        assert_eq!(self.answers(client).await, [21, 3, 3, 0, 2, 2, description]);
    }

    async fn counted(&self, reason: &str, count: usize) {
        let scrape = wait_for_decisions(self.proxy.admin(), "deny", reason, count).await;
        assert_eq!(scrape.decisions("deny", reason), count, "once each");
    }
}

#[tokio::test]
async fn a_hello_cut_at_any_byte_passes_unchanged() {
    let mut bench = Bench::start().await;
    let hello = client_hello(Some(HOST));
    for cut in 0..=hello.len() {
        let (first, rest) = hello.split_at(cut);
        let client = bench.say(b"", &[first, rest]).await;
        bench.passes(client, &hello).await;
        let client = bench.say(first, &[rest]).await;
        bench.passes(client, &hello).await;
    }
    let scrape = wait_for_decisions(bench.proxy.admin(), "allow", "", 1).await;
    assert_eq!(scrape.all_decisions(), 2 * (hello.len() + 1));
}

#[tokio::test]
async fn a_hello_to_another_host_is_refused_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let hello = client_hello(Some(OTHER));
    for cut in 0..=hello.len() {
        let (first, rest) = hello.split_at(cut);
        let client = bench.say(b"", &[first, rest]).await;
        bench.is_alerted(client, UNRECOGNIZED_NAME).await;
        let client = bench.say(first, &[rest]).await;
        bench.is_alerted(client, UNRECOGNIZED_NAME).await;
    }
    bench.counted("sni_mismatch", 2 * (hello.len() + 1)).await;
}

#[tokio::test]
async fn a_hello_in_two_records_gets_the_same_verdict_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let (right, wrong) = (client_hello(Some(HOST)), client_hello(Some(OTHER)));
    let (right, wrong) = (message_of(&right), message_of(&wrong));
    for cut in 1..right.len() {
        let records = [record(&right[..cut]), record(&right[cut..])];
        let client = bench.say(b"", &[&records[0], &records[1]]).await;
        bench.passes(client, &records.concat()).await;
    }
    for cut in 1..wrong.len() {
        let client = bench.say(&record(&wrong[..cut]), &[&record(&wrong[cut..])]).await;
        bench.is_alerted(client, UNRECOGNIZED_NAME).await;
    }
    bench.counted("sni_mismatch", wrong.len() - 1).await;
}

#[tokio::test]
async fn a_hello_in_records_of_one_byte_gets_the_same_verdict() {
    let mut bench = Bench::start().await;
    let shredded = |hello: &[u8]| message_of(hello).chunks(1).flat_map(record).collect::<Vec<u8>>();
    let right = shredded(&client_hello(Some(HOST)));
    let client = bench.say(b"", &[&right]).await;
    bench.passes(client, &right).await;
    let client = bench.say(b"", &[&shredded(&client_hello(Some(OTHER)))]).await;
    bench.is_alerted(client, UNRECOGNIZED_NAME).await;
}

#[tokio::test]
async fn a_hello_without_a_name_is_refused() {
    let mut bench = Bench::start().await;
    for hello in [client_hello_without_sni(), Hello::default().bytes()] {
        let client = bench.say(b"", &[&hello]).await;
        bench.is_alerted(client, MISSING_EXTENSION).await;
    }
    bench.counted("sni_missing", 2).await;
}

/// A share of ML-KEM takes the hello over one segment, a long extension over one record and over every first buffer.
#[tokio::test]
async fn a_long_hello_gets_the_same_verdict() {
    let mut bench = Bench::start().await;
    let grown = |host: &str, padding: usize| Hello::to(host).with_hybrid_key_share().extension(PADDING, &vec![0; padding]).bytes();
    for padding in [0, 16 * 1024, 60 * 1024] {
        let (right, wrong) = (grown(HOST, padding), grown(OTHER, padding));
        for cut in [1, 1_023, 1_024, 1_200, right.len() - 1] {
            let client = bench.say(&right[..cut], &[&right[cut..]]).await;
            bench.passes(client, &right).await;
            let client = bench.say(&wrong[..cut], &[&wrong[cut..]]).await;
            bench.is_alerted(client, UNRECOGNIZED_NAME).await;
        }
    }
}

#[tokio::test]
async fn a_name_is_compared_in_normal_form() {
    let mut bench = Bench::start().await;
    for name in ["API.Imagicle.COM", "api.imagicle.com.", "aPI.imagicle.com."] {
        let hello = Hello::to(name).bytes();
        let client = bench.say(b"", &[&hello]).await;
        bench.passes(client, &hello).await;
    }
}

#[tokio::test]
async fn a_name_that_only_resembles_the_destination_is_another() {
    let mut bench = Bench::start().await;
    let near = [
        "imagicle.com",
        "a.api.imagicle.com",
        "xapi.imagicle.com",
        "api.imagicle.com.evil.test",
        "api.imagicle.com..",
        ".api.imagicle.com",
        "*.imagicle.com",
        "api.imagicle.com:443",
        "api%2eimagicle.com",
        "api.imagicle.co",
        "127.0.0.1",
        "::1",
        "[::1]",
    ];
    for name in near {
        let client = bench.say(b"", &[&Hello::to(name).bytes()]).await;
        bench.is_alerted(client, UNRECOGNIZED_NAME).await;
    }
    bench.counted("sni_mismatch", near.len()).await;
}

/// Behind an encrypted hello another name may stand: only one whose visible name is the destination passes (RFC 9849).
#[tokio::test]
async fn an_encrypted_hello_passes_only_under_the_destinations_own_name() {
    let mut bench = Bench::start().await;
    let encrypted = |name: &str| Hello::to(name).extension(ENCRYPTED_CLIENT_HELLO, &[0; 200]).bytes();
    let client = bench.say(b"", &[&encrypted("public.evil.test")]).await;
    bench.is_alerted(client, ACCESS_DENIED).await;
    bench.counted("ech_refused", 1).await;
    let client = bench.say(b"", &[&encrypted(HOST)]).await;
    bench.passes(client, &encrypted(HOST)).await;
}

/// A hello that two TLS stacks could read differently. Its sender speaks TLS and is told so in TLS.
#[tokio::test]
async fn a_broken_hello_is_refused_with_an_alert() {
    let mut bench = Bench::start().await;
    let host = (HOST_NAME, HOST.as_bytes());
    let too_long = [&[1, 1, 0, 0][..], &[0; 1_000]].concat();
    let broken = [
        ("two names", Hello::default().names(&[host, (HOST_NAME, OTHER.as_bytes())]).bytes()),
        ("the same name twice", Hello::default().names(&[host, host]).bytes()),
        ("no name in the list", Hello::default().names(&[]).bytes()),
        ("an empty name", Hello::to("").bytes()),
        ("a name of 300 bytes", Hello::to(&"a".repeat(300)).bytes()),
        ("a NUL in the name", Hello::to("api.imagicle.com\0.evil.test").bytes()),
        ("a name of unknown type", Hello::default().names(&[(1, b"x"), host]).bytes()),
        ("two server_name extensions", Hello::to(HOST).names(&[(HOST_NAME, OTHER.as_bytes())]).bytes()),
        ("a server hello", record(&[2, 0, 0, 1, 0])),
        ("a message over 64 KiB", record(&too_long)),
        ("an empty record", record(b"")),
        ("a record over 16 KiB", [&[22, 3, 1, 0xff, 0xff][..], &Hello::to(HOST).message()].concat()),
        ("another message behind the hello", record(&[Hello::to(HOST).message(), vec![0]].concat())),
    ];
    for (number, (what, bytes)) in broken.iter().enumerate() {
        let client = bench.say(b"", &[bytes]).await;
        let answer = bench.answers(client).await;
        bench.counted("not_tls", number + 1).await;
        assert_eq!(answer, [21, 3, 3, 0, 2, 2, DECODE_ERROR], "{what}: {}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn plain_http_in_a_tunnel_is_told_why() {
    let mut bench = Bench::start().await;
    let requests = ["GET / HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n", "POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "GET"];
    for (number, request) in requests.iter().enumerate() {
        let mut client = bench.say(b"", &[request.as_bytes()]).await;
        let head = client.read_head().await;
        let body = client.read_body(&head).await;
        let problem = Problem::parse(&head, &body);
        assert_eq!((head.status, problem.reason.as_str()), (403, "not_tls"), "{request:?}");
        assert_eq!(head.header("connection"), Some("close"));
        assert_eq!(bench.answers(client).await, b"", "{request:?}");
        bench.counted("not_tls", number + 1).await;
    }
}

#[tokio::test]
async fn what_is_not_tls_never_reaches_the_cloud() {
    let mut bench = Bench::start().await;
    let other: [(&str, &[u8]); 8] = [
        ("an SSLv2 hello", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("HTTP/2 in the clear", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("a TLS alert", b"\x15\x03\x03\x00\x02\x01\x00"),
        ("TLS application data", b"\x17\x03\x03\x00\x10abcdefghijklmnop"),
        ("a TLS that never was", b"\x16\x02\x00\x00\x05\x01\x00\x00\x01\x00"),
        ("zeroes", b"\x00\x00\x00\x00\x00\x00\x00\x00"),
        ("an LDAP bind", b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00"),
    ];
    for (number, (what, bytes)) in other.into_iter().enumerate() {
        let client = bench.say(b"", &[bytes]).await;
        let answer = bench.answers(client).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{what}");
        bench.counted("not_tls", number + 1).await;
    }
}

#[tokio::test]
async fn silence_is_not_tls() {
    let mut bench = Bench::with("[limits]\nhello = \"200ms\"").await;
    let hello = client_hello(Some(HOST));
    for (number, said) in [&b""[..], &hello[..1], &hello[..hello.len() / 2], &hello[..hello.len() - 1]].into_iter().enumerate() {
        let client = bench.say(b"", &[said]).await;
        bench.answers(client).await;
        bench.counted("not_tls", number + 1).await;
    }
}

#[tokio::test]
async fn all_that_follows_a_connect_belongs_to_the_tunnel() {
    let mut bench = Bench::start().await;
    let data: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    for length in [0, 1, 900, 1_000, 20_000, data.len()] {
        let early = [&client_hello(Some(HOST))[..], &data[..length]].concat();
        let client = bench.say(&early, &[]).await;
        bench.passes(client, &early).await;
        let client = bench.say(&early, &[&data[..length], b"end"]).await;
        bench.passes(client, &[&early[..], &data[..length], b"end"].concat()).await;
    }
}
