//! Refusals as the client sees them: the same reason in phrase, field and body, the same decision in log and answer, the
//! connection closed behind it, and nothing in it that the client sent.

mod silence;
mod told;

use crate::support::client::{Closing, Head, Problem, RawClient};
use crate::support::dns::DnsServer;
use crate::support::origin::{Deserted, Full, HttpOrigin, RawOrigin, ScriptedOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use std::net::SocketAddr;

/// Hosts of one policy, each with another fate.
struct World {
    plain: HttpOrigin,
    tls: RawOrigin,
    garbage: ScriptedOrigin,
    silent: RawOrigin,
    dead: Deserted,
    full: Full,
    dns: DnsServer,
}

impl World {
    async fn new() -> Self {
        let garbage = ScriptedOrigin::start(|_, mut connection| async move {
            connection.read_through(b"\r\n\r\n").await;
            connection.send(b"this is no answer\r\n\r\n").await;
        });
        Self {
            plain: HttpOrigin::start().await,
            tls: RawOrigin::start().await,
            garbage: garbage.await,
            silent: RawOrigin::start().await,
            dead: Deserted::new(),
            full: Full::start().await,
            dns: DnsServer::start().await,
        }
    }

    fn setup(&self) -> Setup {
        let tls = ["tls.test", "private.test", "nowhere.test", "dead.test", "full.test"].map(|host| (host, 443, "https"));
        let plain = ["plain.test", "garbage.test", "silent.test"].map(|host| (host, 80, "http"));
        Setup::new()
            .name_server(self.dns.addr())
            .host("tls.test", self.tls.addr())
            .host("plain.test", self.plain.addr())
            .host("garbage.test", self.garbage.addr())
            .host("silent.test", self.silent.addr())
            .host("dead.test", self.dead.addr())
            .host("full.test", self.full.addr())
            .addresses("private.test", &["10.0.0.1", "192.168.7.7"])
            .policy(PolicyFile::of("site", "1m", &[&tls[..], &plain[..]].concat()))
            .section("[limits]\nanswer = \"200ms\"\nhead = \"500ms\"\nhello = \"500ms\"\nconnect = \"300ms\"")
    }
}

/// Sends a request and reads its refusal, to the orderly end of the connection.
async fn refusal(proxy: SocketAddr, request: &[u8]) -> (Head, Problem) {
    let mut client = RawClient::connect(proxy).await;
    client.send(request).await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean), "{}", String::from_utf8_lossy(request));
    let problem = Problem::parse(&head, &body);
    (head, problem)
}

fn get(host: &str, fields: &str) -> Vec<u8> {
    format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").into_bytes()
}

fn connect(authority: &str) -> Vec<u8> {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes()
}
