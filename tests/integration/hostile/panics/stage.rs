//! A proxy that panics on demand, between a cloud that keeps every byte and an audit that is read to its end.

use crate::support::clean::number;
use crate::support::client::{Closing, Problem, RawClient, client_hello, connect_tunnel, exchange, within_deadline};
use crate::support::http2::{Http2, message, piece};
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin, TappedOrigin};
use crate::support::pki::Pki;
use crate::support::policy::{PolicyFile, service};
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{Scrape, wait_until, wait_until_idle};
use crate::support::world::{API, HTTP2, call, post_json};
use bytes::Bytes;
use h2::client::ResponseFuture;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use ucx_egress::audit::files;
use ucx_egress::audit::lines::{Line, Lines};
use ucx_egress::audit::verify::{Options, verify};
use ucx_egress::config::Config;
use ucx_egress::fault::{Faults, Layer};

const PRESENCE: &str = "grpc.imagicle.com";
const PLAIN: &str = "plain.test";
/// What exchanges that meet a panic say; documented, so nothing else speaks against it.
const SENTENCE: &str = r#"{"processes":[{"pid":90807,"name":"svchost.exe","workingSet":12345678}]}"#;
/// The part of it that is found again in whatever left.
const TRACE: &str = "90807";
/// What is seen of an answer that does not come to its end.
const BROKEN: &str = "broken off";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A tunnel.
    Connect,
    /// One to what is decrypted.
    ConnectInspected,
    /// A plain request.
    Plain,
    /// A tunnel, and a ClientHello in it.
    Hello,
    /// More in a tunnel that stands.
    Standing,
    /// A TLS handshake with the proxy in the cloud's place.
    Handshake,
    /// The sentence, in a decrypted connection.
    Post,
    /// The same in HTTP/2.
    PostInHttp2,
    /// The same, for a panic behind the verdict.
    Judged,
    /// See [`Ask::Judged`].
    JudgedInHttp2,
    /// A gRPC call, beside another one on the same connection to the cloud.
    Call,
    /// A host that no rule allows.
    Denied,
    /// Health.
    Admin,
}

pub struct Stage {
    pub faults: Faults,
    pub proxy: Proxy,
    ca: Ca,
    cloud: TappedOrigin,
    presence: RawOrigin,
    plain: HttpOrigin,
    folder: TempDir,
    /// Its policy is read again.
    _setup: Setup,
}

impl Stage {
    /// `audit` are more lines of its section.
    pub async fn new(audit: &str) -> Self {
        let (pki, folder) = (Pki::new(), TempDir::new().expect("a temporary folder"));
        let cloud = TappedOrigin::echoing(&pki, &[API], HTTP2).await;
        let presence = RawOrigin::scripted(Behaviour::Echo).await;
        let plain = HttpOrigin::start().await;
        let ca = Ca::new(&pki, &[API]);
        let section = format!("[audit]\npath = \"{}\"\nflush = \"20ms\"\n{audit}", folder.path().join("audit").display());
        let setup = Setup::new().host(API, cloud.addr()).host(PRESENCE, presence.addr()).host(PLAIN, plain.addr());
        let setup = ca.configure(setup.policy(policy())).section(&section);
        let text = setup.text();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, &text).expect("it is written");
        let config = Config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let faults = Faults::armable();
        let proxy = Proxy::start_with(config, &faults);
        Self { faults, proxy, ca, cloud, presence, plain, folder, _setup: setup }
    }

    /// A tunnel through which a hello went and came back.
    pub async fn tunnel(&self) -> RawClient {
        let mut client = connect_tunnel(self.proxy.proxy(), &format!("{PRESENCE}:443")).await.expect("it is allowed");
        let hello = client_hello(Some(PRESENCE));
        client.send(&hello).await;
        assert_eq!(client.read_exact(hello.len()).await, hello);
        client
    }

    pub async fn echoes(&self, client: &mut RawClient) {
        client.send(b"what stands goes on").await;
        assert_eq!(client.read_exact(19).await, b"what stands goes on");
    }

    /// New ones are let through, tunnelled, decrypted, in the clear.
    pub async fn serves(&self) {
        let mut tunnel = self.tunnel().await;
        self.echoes(&mut tunnel).await;
        let mut client = self.ca.raw(self.proxy.proxy(), API).await;
        client.send(post("{\"processes\":[]}").as_bytes()).await;
        assert_eq!(read(&mut client).await, "200");
        assert_eq!(self.ask_once(Ask::Plain).await, "200");
        assert_eq!(self.readiness().await, 200);
    }

    /// Has the layer panic over what is asked, and says what the client saw.
    pub async fn ask(&self, ask: Ask, layer: Layer) -> String {
        let seen = self.asked(ask, Some(layer)).await;
        assert!(!self.faults.is_armed(layer), "{layer:?} was not passed by {ask:?}");
        seen
    }

    /// The same without a panic.
    pub async fn ask_once(&self, ask: Ask) -> String {
        self.asked(ask, None).await
    }

    async fn asked(&self, ask: Ask, layer: Option<Layer>) -> String {
        let proxy = self.proxy.proxy();
        let arm = || layer.into_iter().for_each(|layer| self.faults.arm(layer));
        match ask {
            Ask::Connect | Ask::ConnectInspected | Ask::Denied => {
                arm();
                let host = match ask {
                    Ask::Connect => PRESENCE,
                    Ask::ConnectInspected => API,
                    _ => "example.org",
                };
                let Err((head, problem)) = connect_tunnel(proxy, &format!("{host}:443")).await else { return "200".to_owned() };
                format!("{} {}", head.status, problem.reason)
            }
            Ask::Plain => {
                arm();
                let (head, body) =
                    exchange(proxy, b"GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n").await;
                if head.status == 200 { "200".to_owned() } else { format!("{} {}", head.status, Problem::parse(&head, &body).reason) }
            }
            Ask::Hello => {
                arm();
                let mut client = connect_tunnel(proxy, &format!("{PRESENCE}:443")).await.expect("it is allowed");
                client.send(&[&client_hello(Some(PRESENCE))[..], TRACE.as_bytes()].concat()).await;
                ended(&mut client).await
            }
            Ask::Standing => {
                let mut client = self.tunnel().await;
                arm();
                client.send(TRACE.as_bytes()).await;
                ended(&mut client).await
            }
            Ask::Handshake => {
                arm();
                self.ca.connect(proxy, API, &[b"http/1.1"]).await.map_or("no handshake", |_| "a handshake").to_owned()
            }
            Ask::Post | Ask::Judged => {
                let mut client = self.ca.raw(proxy, API).await;
                arm();
                client.send(post(SENTENCE).as_bytes()).await;
                read(&mut client).await
            }
            Ask::PostInHttp2 | Ask::JudgedInHttp2 => self.post_in_http2(arm).await,
            Ask::Call => self.call(arm).await,
            Ask::Admin => {
                let mut client = RawClient::connect(self.proxy.admin()).await;
                arm();
                client.send(b"GET /healthz HTTP/1.0\r\n\r\n").await;
                ended(&mut client).await
            }
        }
    }

    async fn http2(&self) -> Http2 {
        Http2::over(self.ca.connect(self.proxy.proxy(), API, &[b"h2"]).await.expect("the client takes the certificate")).await
    }

    /// Beside it a call stands on the same connection.
    async fn post_in_http2(&self, arm: impl Fn()) -> String {
        let mut client = self.http2().await;
        let mut standing = Standing::begin(&mut client).await;
        arm();
        let (response, mut body) = client.open(post_json("/telemetry")).await;
        body.send_data(Bytes::from_static(SENTENCE.as_bytes()), true).expect("the stream is open");
        let seen = within_deadline("an answer", read_in_http2(response)).await;
        standing.goes_on().await;
        standing.end().await;
        seen
    }

    /// Beside a call of another client, over the same connection to the cloud.
    async fn call(&self, arm: impl Fn()) -> String {
        let (mut other, mut client) = (self.http2().await, self.http2().await);
        let mut standing = Standing::begin(&mut other).await;
        arm();
        let answer = client.ask(call("/imagicle.Telemetry/Report"), &[&message(&number(90_807))], None).await;
        standing.goes_on().await;
        standing.end().await;
        assert_eq!(self.cloud.received().len(), 1, "both went over one connection");
        format!("{} grpc-status {}", answer.status(), answer.field("grpc-status").unwrap_or("-"))
    }

    pub async fn panicked(&self, times: usize) {
        let scrape = wait_until(self.proxy.admin(), |scrape| scrape.count("ucx_egress_panics_total", &[]) >= times).await;
        assert_eq!(scrape.count("ucx_egress_panics_total", &[]), times);
    }

    /// Audit records with this outcome.
    pub async fn audited(&self, outcome: &str) -> usize {
        Scrape::get(self.proxy.admin()).await.count("ucx_egress_audit_records_total", &[("outcome", outcome)])
    }

    pub async fn reloaded(&self, outcome: &str, times: usize) {
        let is_so = |scrape: &Scrape| scrape.count("ucx_egress_config_reloads_total", &[("outcome", outcome)]) == times;
        wait_until(self.proxy.admin(), is_so).await;
    }

    pub async fn readiness(&self) -> u16 {
        exchange(self.proxy.admin(), b"GET /readyz HTTP/1.0\r\n\r\n").await.0.status
    }

    /// Waits until nobody is connected.
    pub async fn gone(&self) {
        wait_until_idle(self.proxy.admin()).await;
    }

    /// All that is shown.
    pub async fn shown(&self) -> String {
        let mut shown = String::new();
        for path in ["/metrics", "/api/status", "/api/decisions", "/readyz"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.proxy.admin());
            let (_, body) = exchange(self.proxy.admin(), request.as_bytes()).await;
            shown.push_str(&String::from_utf8(body).expect("text"));
        }
        shown
    }

    /// Stops it; the lines of the audit, which is whole, and all that reached the cloud.
    pub async fn closed(self) -> (Vec<Value>, Vec<u8>) {
        self.gone().await;
        let Self { proxy, cloud, presence, plain, folder, .. } = self;
        proxy.stop().await;
        let listed = files::list(&folder.path().join("audit")).expect("the folder is there");
        let paths: Vec<PathBuf> = listed.into_iter().map(|file| file.path).collect();
        let verified = verify(&paths, &Options::default(), &mut |_| {}).expect("they can be opened");
        assert!(verified.ok, "{verified:?}");
        let mut lines = Vec::new();
        for path in &paths {
            let mut file = Lines::open(path).expect("a file");
            while let Line::Whole(line) = file.next_line().expect("readable") {
                lines.push(serde_json::from_slice(line).expect("JSON"));
            }
        }
        let asked = format!("{:?}", plain.requests()).into_bytes();
        (lines, [cloud.settled().await.concat(), presence.received(), asked].concat())
    }
}

/// A gRPC call whose first message went and came back.
struct Standing {
    body: h2::SendStream<Bytes>,
    echoed: h2::RecvStream,
}

impl Standing {
    async fn begin(client: &mut Http2) -> Self {
        let (response, mut body) = client.open(call("/imagicle.Telemetry/Watch")).await;
        body.send_data(message(&number(1)).into(), false).expect("the stream is open");
        let mut standing = Self { body, echoed: response.await.expect("an answer").into_body() };
        standing.comes_back(&message(&number(1))).await;
        standing
    }

    async fn goes_on(&mut self) {
        self.body.send_data(message(&number(2)).into(), false).expect("the stream is open");
        self.comes_back(&message(&number(2))).await;
    }

    async fn comes_back(&mut self, wanted: &[u8]) {
        let mut back = Vec::new();
        while back.len() < wanted.len() {
            back.extend_from_slice(&piece(&mut self.echoed).await.expect("the echo"));
        }
        assert_eq!(back, wanted);
    }

    async fn end(mut self) {
        self.body.send_data(Bytes::new(), true).expect("the stream is open");
        while piece(&mut self.echoed).await.is_some() {}
        self.echoed.trailers().await.expect("the stream ends in order");
    }
}

/// A service that is decrypted, one that is tunnelled, one in the clear.
fn policy() -> PolicyFile {
    let inspected = service("inspected", "personal_data = \"none\"\ntreatment = \"intercept\"", &[(API, 443, "https")]);
    let open = service("open", "personal_data = \"unstated\"", &[(PRESENCE, 443, "https"), (PLAIN, 80, "http")]);
    PolicyFile::new(&format!("{inspected}{open}"))
}

fn post(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /telemetry HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The answer: whole, a refusal, or broken off, be it within its head.
async fn read<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> String {
    let (bytes, _) = client.read_until_closed().await;
    let text = String::from_utf8(bytes).expect("text");
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return BROKEN.to_owned() };
    let status = head.split(' ').nth(1).expect("a status line");
    if let Ok(problem) = serde_json::from_str::<Value>(body)
        && status != "200"
    {
        return format!("{status} {}", problem["reason"].as_str().unwrap_or_default());
    }
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let is_whole = announced.map_or_else(|| body.ends_with("0\r\n\r\n"), |length| body.len() == length);
    if is_whole { status.to_owned() } else { BROKEN.to_owned() }
}

/// The same in HTTP/2.
async fn read_in_http2(response: ResponseFuture) -> String {
    let Ok(answer) = response.await else { return BROKEN.to_owned() };
    let (head, mut body) = answer.into_parts();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let Ok(piece) = piece else { return BROKEN.to_owned() };
        bytes.extend_from_slice(&piece);
    }
    let document: Value = serde_json::from_slice(&bytes).expect("JSON");
    format!("{} {}", head.status.as_u16(), document["reason"].as_str().unwrap_or_default())
}

/// How a connection ends that is answered nothing.
async fn ended(client: &mut RawClient) -> String {
    let (bytes, closing) = client.read_until_closed().await;
    assert!(bytes.is_empty(), "{:?}", String::from_utf8_lossy(&bytes));
    match closing {
        Closing::Clean => "closed".to_owned(),
        Closing::Abrupt => "reset".to_owned(),
    }
}

/// Verdict, reason and end of each record.
pub fn decisions(lines: &[Value]) -> Vec<(&str, &str, &str)> {
    let records = of_kind(lines, "decision").into_iter();
    records.map(|line| (member_of(line, "verdict"), member_of(line, "reason"), member_of(line, "ended"))).collect()
}

fn member_of<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

pub fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// What is found of exchanges that met a panic.
pub fn sentences(arrived: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(arrived);
    text.match_indices(TRACE).map(|(at, _)| text[at..].chars().take(20).collect()).collect()
}
