//! What clients are told of the proxy: the PAC file, `NO_PROXY` and the setup pages, for those who may use it and nobody else.

use crate::support::client::{Closing, Head, Problem, RawClient};
use crate::support::intercept::{API, Ca};
use crate::support::pki::Pki;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{Scrape, wait_for_decisions};
use std::net::SocketAddr;

const PAGES: [&str; 8] = ["dotnet", "grpc", "python", "node", "java", "curl", "windows", "linux"];
const OPEN: &str = "[discovery]\naddress = \"127.0.0.1:0\"";

fn discovery(proxy: &Proxy) -> SocketAddr {
    proxy.addresses.discovery.expect("discovery has a listener")
}

async fn ask(addr: SocketAddr, method: &str, path: &str) -> (Head, String) {
    let mut client = RawClient::connect(addr).await;
    client.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let head = client.read_head().await;
    let body = client.read_to_end().await;
    (head, String::from_utf8(body).expect("text"))
}

async fn page(addr: SocketAddr, path: &str) -> String {
    let (head, body) = ask(addr, "GET", path).await;
    assert_eq!(head.status, 200, "{path}");
    body
}

#[tokio::test]
async fn both_listeners_tell_the_same() {
    let proxy = Setup::new().section(OPEN).start();
    for path in ["/proxy.pac", "/wpad.dat", "/no-proxy", "/setup", "/setup/", "/setup/style.css", "/setup/java", "/setup/java.txt"] {
        let (head, body) = ask(discovery(&proxy), "GET", path).await;
        assert_eq!((head.status, head.header("cache-control")), (200, Some("max-age=300")), "{path}");
        let policy = head.header("content-security-policy").expect("a policy for browsers");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page(proxy.admin(), path).await, body, "{path}");
        let (head, body) = ask(discovery(&proxy), "HEAD", path).await;
        assert_eq!((head.status, body.as_str()), (200, ""), "{path}");
    }
    let (head, pac) = ask(discovery(&proxy), "GET", "/proxy.pac").await;
    assert_eq!(head.header("content-type"), Some("application/x-ns-proxy-autoconfig"));
    assert!(pac.contains(&format!("var PROXIES = \"PROXY {}\";", proxy.proxy())) && pac.contains("\"api.imagicle.com\": 1"), "{pac}");
    assert_eq!(page(discovery(&proxy), "/wpad.dat").await, pac);
}

#[tokio::test]
async fn its_own_listener_tells_nothing_else_and_takes_nothing() {
    let proxy = Setup::new().section(OPEN).start();
    for path in [
        "/",
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/status",
        "/setup/../metrics",
        "/setup/nothing",
        "/setup/index.txt.txt",
        "/proxy.pac/",
    ] {
        assert_eq!(ask(discovery(&proxy), "GET", path).await.0.status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (head, _) = ask(discovery(&proxy), method, "/proxy.pac").await;
        assert_eq!((head.status, head.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let scrape = Scrape::get(proxy.admin()).await;
    assert!(scrape.count("ucx_egress_connections_total", &[("listener", "discovery")]) >= 13);
}

#[tokio::test]
async fn only_clients_of_the_proxy_are_told() {
    let proxy = Setup::new().section(OPEN).section("[clients]\nallow = [\"192.0.2.0/24\"]").start();
    let mut client = RawClient::connect(discovery(&proxy)).await;
    client.send(b"GET /proxy.pac HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    let problem = Problem::parse(&head, &body);
    assert_eq!((head.status, problem.reason.as_str()), (403, "client_not_allowed"));
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
    wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 1).await;
}

#[tokio::test]
async fn without_the_section_there_is_no_such_listener_and_its_series_is_there() {
    let proxy = Setup::new().start();
    assert_eq!(proxy.addresses.discovery, None);
    assert_eq!(Scrape::get(proxy.admin()).await.count("ucx_egress_connections_total", &[("listener", "discovery")]), 0);
}

#[tokio::test]
async fn clients_are_told_the_name_of_the_configuration() {
    for (names, pac, url) in [
        ("\"proxy.corp.example:3128\"", "PROXY proxy.corp.example:3128", "http://proxy.corp.example:3128"),
        ("[\"a.example:1\", \"b.example:2\"]", "PROXY a.example:1; PROXY b.example:2", "http://a.example:1"),
        ("\"[2001:db8::1]:3128\"", "PROXY [2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    ] {
        let proxy = Setup::new().section(&format!("{OPEN}\nproxy = {names}")).start();
        let text = page(discovery(&proxy), "/proxy.pac").await;
        assert!(text.contains(&format!("var PROXIES = \"{pac}\";")), "{text}");
        for name in PAGES.into_iter().filter(|name| *name != "windows" && *name != "java") {
            let text = page(discovery(&proxy), &format!("/setup/{name}")).await;
            assert!(text.contains(url), "{name}: {text}");
        }
    }
}

/// A listener on all addresses is told as the address that the client came to.
#[tokio::test]
async fn a_listener_on_all_addresses_is_told_as_the_one_that_was_reached() {
    let text = Setup::new().text().replacen("[listener]\naddress = \"127.0.0.1:0\"", "[listener]\naddress = \"0.0.0.0:0\"", 1);
    let text = format!("{text}\n[discovery]\naddress = \"0.0.0.0:0\"\n");
    let config = ucx_egress::config::Config::read(&ucx_egress::source::Source::embedded("test.toml", &text));
    let proxy = Proxy::start(config.unwrap_or_else(|error| panic!("{error}")));
    let (port, own) = (proxy.proxy().port(), discovery(&proxy).port());
    for address in ["127.0.0.1", "127.0.0.2"] {
        let at = format!("{address}:{own}").parse().expect("an address");
        let pac = page(at, "/proxy.pac").await;
        assert!(pac.contains(&format!("PROXY {address}:{port}\"")), "{pac}");
        let index = page(at, "/setup/").await;
        assert!(index.contains(&format!("http://{address}:{own}/proxy.pac")), "{index}");
    }
}

#[tokio::test]
async fn pages_show_how_to_trust_the_ca_where_something_is_decrypted() {
    let pki = Pki::new();
    let decrypting = Ca::new(&pki, &[API]).configure(Setup::new()).start();
    let tunnelling = Setup::new().start();
    for name in PAGES {
        let path = format!("/setup/{name}");
        let (with, without) = (page(decrypting.admin(), &path).await, page(tunnelling.admin(), &path).await);
        assert!(with.contains("<pre id=\"trust\">") && with.contains("SHA-256 fingerprint <code>"), "{with}");
        assert!(!without.contains("id=\"trust\"") && !without.contains("ca.pem"), "{without}");
        for page in [with, without] {
            assert!(page.contains("name=\"viewport\"") && page.contains("href=\"/setup/style.css\""), "{page}");
            assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("onclick"), "{page}");
        }
    }
    assert!(page(tunnelling.admin(), "/setup/style.css").await.contains("prefers-color-scheme: dark"));
}

/// What is wrong, and what to write.
#[test]
fn a_section_that_cannot_be_meant_is_refused() {
    for (section, place, words) in [
        ("[discovery]\naddress = \"8080\"", "c.toml:2:11", "is no address and port"),
        ("[discovery]\nproxy = \"proxy.corp.example\"", "c.toml:2:9", "the port is missing"),
        ("[discovery]\nproxy = \"http://proxy:3128\"", "c.toml:2:9", "such as \"proxy.corp.example:3128\""),
        ("[discovery]\nproxy = []", "c.toml:2:9", "names 0 proxies"),
        ("[discovery]\nproxy = 3128", "c.toml:2:9", "or a list of such names"),
        ("[discovery]\npac = true", "c.toml:2:1", "unknown field `pac`"),
        ("[discovery]\naddress = \"127.0.0.1:9180\"", "c.toml:2:11", "is admin.address too"),
    ] {
        let source = ucx_egress::source::Source::embedded("c.toml", section);
        let error = ucx_egress::config::Config::read(&source).expect_err(section);
        assert!(error.place == place && error.message.contains(words), "{section}: {error}");
    }
}

#[test]
fn clients_on_the_network_that_are_told_of_loopback_are_warned_of() {
    for (section, warned) in [
        ("[discovery]\naddress = \"0.0.0.0:8080\"", true),
        ("[discovery]\naddress = \"127.0.0.1:8080\"", false),
        ("[discovery]\naddress = \"0.0.0.0:8080\"\nproxy = \"proxy.corp.example:3128\"", false),
        ("[listener]\naddress = \"0.0.0.0:3128\"\n[discovery]\naddress = \"0.0.0.0:8080\"", false),
    ] {
        let source = ucx_egress::source::Source::embedded("c.toml", section);
        let config = ucx_egress::config::Config::read(&source).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.warnings.iter().any(|warning| warning.message.contains("their own loopback")), warned, "{section}");
    }
}
