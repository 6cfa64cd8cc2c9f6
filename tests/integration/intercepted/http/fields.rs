//! Header fields: what belongs to one hop stays there, what tells of the inside does not leave, the rest goes on.

use super::{answer, get, refused, serving};
use crate::support::origin::{OriginBody, full};
use crate::support::world::{HTTP1, HTTP2, World, request};
use http::{Method, Request, Response};
use hyper::body::Incoming;

/// Must not reach the origin.
const STAYS: &[&str] = &[
    "Connection: X-Private, close",
    "X-Private: 1",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic dTpw",
    "TE: gzip",
    "Forwarded: for=10.1.2.3",
    "X-Forwarded-For: 10.1.2.3",
    "X-Real-IP: 10.1.2.3",
];
/// Must reach it as it is.
const GOES_ON: &[&str] =
    &["Authorization: Bearer abc", "Cookie: AWSALB=1; AWSALBCORS=2", "User-Agent: UCX/2024", "X-Kept: kept", "Accept: */*"];

#[tokio::test]
async fn only_what_belongs_to_the_message_goes_on_in_http1() {
    let world = World::echoing(HTTP1).await;
    let fields: String = STAYS.iter().chain(GOES_ON).flat_map(|field| [field, "\r\n"]).collect();
    let mut client = world.raw().await;
    client.send(&get("/x?y=z", &format!("{fields}Via: 1.0 inner\r\n"))).await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    drop(client);
    let arrived = String::from_utf8(world.what_arrived().await.concat()).expect("text");
    assert!(arrived.starts_with("GET /x?y=z HTTP/1.1\r\n"), "{arrived}");
    let arrived = arrived.to_ascii_lowercase();
    for field in STAYS {
        let (name, value) = field.split_once(": ").expect("a field");
        assert!(!arrived.contains(&format!("\r\n{}:", name.to_ascii_lowercase())), "{field} in {arrived}");
        assert!(!value.contains("10.") || !arrived.contains("10.1.2.3"), "{arrived}");
    }
    for field in GOES_ON {
        assert!(arrived.contains(&format!("\r\n{}\r\n", field.to_ascii_lowercase())), "{field} not in {arrived}");
    }
    let vias: Vec<&str> = arrived.lines().filter_map(|line| line.strip_prefix("via: ")).collect();
    assert!(vias.len() == 2 && vias[0] == "1.0 inner", "{vias:?}");
    assert_is_ours("1.1", vias[1]);
}

/// A pseudonym that tells neither host nor version.
fn assert_is_ours(protocol: &str, via: &str) {
    let name = via.strip_prefix(&format!("{protocol} ucx-egress-")).unwrap_or_else(|| panic!("{via}"));
    assert!(name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{via}");
}

/// Shows the fields that arrived, and sends fields that must not come back.
async fn shows(request: Request<Incoming>) -> Response<OriginBody> {
    let shown: Vec<_> = request.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or("?"))).collect();
    let shown = shown.concat();
    let mut answer = Response::builder().header("alt-svc", "h3=\":443\"").header("via", "1.1 inside").header("x-kept", "kept");
    if request.version() == http::Version::HTTP_11 {
        answer = answer.header("connection", "x-hop").header("x-hop", "1").header("keep-alive", "timeout=5");
    }
    answer.body(full(shown)).expect("an answer")
}

#[tokio::test]
async fn only_what_belongs_to_the_message_goes_on_in_http2() {
    let world = serving(HTTP2, shows).await;
    let mut client = world.http2().await;
    let fields = STAYS.iter().filter(|field| field.starts_with("Forw") || field.starts_with("X-")).chain(GOES_ON);
    let named = fields.filter_map(|field| field.split_once(": ")).filter(|(name, _)| *name != "X-Private");
    let head = named.fold(request(Method::GET, "/"), |head, (name, value)| head.header(name, value));
    let answer = client.get(head.body(()).expect("a request")).await;
    let shown = String::from_utf8(answer.body.clone()).expect("text");
    assert!(!shown.contains("forwarded") && !shown.contains("10.1.2.3") && !shown.contains("host:"), "{shown}");
    for field in GOES_ON {
        let (name, value) = field.split_once(": ").expect("a field");
        assert!(shown.contains(&format!("{}: {value}\n", name.to_ascii_lowercase())), "{field} not in {shown}");
    }
    assert_is_ours("2.0", shown.lines().find_map(|line| line.strip_prefix("via: ")).expect("Via"));
    assert!(answer.field("alt-svc").is_none() && answer.field("x-kept") == Some("kept"), "{answer:?}");
    let vias: Vec<&str> = answer.head.headers().get_all("via").iter().filter_map(|via| via.to_str().ok()).collect();
    assert_eq!((vias.len(), vias[0]), (2, "1.1 inside"));
    assert_is_ours("2.0", vias[1]);
}

#[tokio::test]
async fn answers_are_relieved_of_their_hop_in_http1() {
    let world = serving(HTTP1, shows).await;
    let mut client = world.raw().await;
    client.send(&get("/", "")).await;
    let (head, _) = answer(&mut client).await;
    for name in ["alt-svc", "x-hop", "keep-alive", "connection"] {
        assert_eq!(head.header(name), None, "{name}: {head:?}");
    }
    assert_eq!((head.header("x-kept"), head.header("via")), (Some("kept"), Some("1.1 inside")));
    assert!(head.header("x-decision-id").is_some_and(|id| id.len() > 12), "{head:?}");
    let ours = head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("via")).nth(1).expect("our Via");
    assert_is_ours("1.1", &ours.1);
    let through = get("/", &format!("Via: 1.1 a, {}\r\n", ours.1));
    assert_eq!(refused(&world, &through).await, (403, "loop_detected".to_owned()));
}

/// HTTP/2 may cut a cookie into fields; HTTP/1.1 has one.
#[tokio::test]
async fn a_request_keeps_its_sense_where_the_origin_speaks_another_version() {
    let world = serving(HTTP2, shows).await;
    let mut client = world.raw().await;
    client.send(&get("/", "Cookie: AWSALB=1; AWSALBCORS=2\r\nTE: trailers\r\nConnection: TE\r\n")).await;
    let (head, shown) = answer(&mut client).await;
    assert_eq!(head.status, 200);
    assert!(shown.contains("cookie: AWSALB=1; AWSALBCORS=2\n") && shown.contains("te: trailers\n"), "{shown}");
}
