//! HTTP/2 abused: frames that cost their sender nothing, streams begun and given up, heads that grow when they are read.

mod malformed;
mod padding;
mod preface;
mod raw;
mod resets;
mod upstream;

use crate::support::entrance::Reception;
use crate::support::http2::{DATA, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, frame, frame_on, message};
use crate::support::origin::{Behaviour, OriginBody, RawOrigin, TappedOrigin, full};
use crate::support::pki::Pki;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{Scrape, wait_until};
use crate::support::world::{API, World, call, request};
use http::{Method, Request, Response};
use hyper::body::Incoming;
pub use raw::get;
use raw::{Fate, Raw, block};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PRIORITY: u8 = 2;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const PRIORITY_UPDATE: u8 = 0x10;
const UNKNOWN: u8 = 0xbb;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Error codes (RFC 9113 section 7).
const PROTOCOL_ERROR: u32 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

/// How often each is sent, if the proxy lets it.
const MANY: u32 = 100_000;

/// One kind of flood: its pieces, by their number. Stream 1 is open.
type Flood = (&'static str, u32, fn(u32) -> Vec<u8>);

const FLOODS: &[Flood] = &[
    ("PING", ENHANCE_YOUR_CALM, |_| frame(PING, 0, &[0; 8])),
    ("answers to PINGs that nobody sent", ENHANCE_YOUR_CALM, |_| frame(PING, ACK, &[0; 8])),
    ("SETTINGS, empty", ENHANCE_YOUR_CALM, |_| frame(SETTINGS, 0, &[])),
    ("SETTINGS with a thousand entries", ENHANCE_YOUR_CALM, |_| frame(SETTINGS, 0, &[0, 3, 0, 0, 0, 100].repeat(1_000))),
    ("SETTINGS that turn the header table on and off", ENHANCE_YOUR_CALM, |number| {
        frame(SETTINGS, 0, &[0, 1, 0, 0, if number.is_multiple_of(2) { 0 } else { 16 }, 0])
    }),
    ("SETTINGS that open and close all windows", ENHANCE_YOUR_CALM, |number| {
        frame(SETTINGS, 0, &[0, 4, 0, 0, if number.is_multiple_of(2) { 0 } else { 255 }, 0])
    }),
    ("acknowledged SETTINGS that nobody sent", ENHANCE_YOUR_CALM, |_| frame(SETTINGS, ACK, &[])),
    ("DATA without anything", ENHANCE_YOUR_CALM, |_| frame_on(1, DATA, 0, &[])),
    ("DATA of padding", ENHANCE_YOUR_CALM, |_| frame_on(1, DATA, PADDED, &[3, 0, 0, 0])),
    ("WINDOW_UPDATE of the connection", ENHANCE_YOUR_CALM, |_| frame(WINDOW_UPDATE, 0, &[0, 0, 0, 1])),
    ("WINDOW_UPDATE of a stream", ENHANCE_YOUR_CALM, |_| frame_on(1, WINDOW_UPDATE, 0, &[0, 0, 0, 1])),
    ("PRIORITY", ENHANCE_YOUR_CALM, |number| frame_on(2 * number + 3, PRIORITY, 0, &[0, 0, 0, 0, 16])),
    ("PRIORITY_UPDATE", ENHANCE_YOUR_CALM, |_| frame(PRIORITY_UPDATE, 0, b"\0\0\0\x01u=1")),
    ("frames of an unknown type", ENHANCE_YOUR_CALM, |_| frame(UNKNOWN, 0, &[0; 100])),
    ("frames of an unknown type on a stream", ENHANCE_YOUR_CALM, |_| frame_on(1, UNKNOWN, 0, &[])),
    ("resets of one stream", ENHANCE_YOUR_CALM, |_| frame_on(1, RST_STREAM, 0, &[0, 0, 0, 8])),
    ("CONTINUATION without end", ENHANCE_YOUR_CALM, |number| match number {
        0 => frame_on(3, HEADERS, 0, &[]),
        _ => frame_on(3, CONTINUATION, 0, b"\0\x01a\x01b"),
    }),
    ("CONTINUATION without anything", ENHANCE_YOUR_CALM, |number| match number {
        0 => frame_on(3, HEADERS, 0, &[]),
        _ => frame_on(3, CONTINUATION, 0, &[]),
    }),
];

/// An intercepted service whose origin never answers, and counts what it is asked.
async fn counting() -> (World, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let answer = move |request: Request<Incoming>| {
        let counter = counter.clone();
        async move { answer(&counter, &request).await }
    };
    let origin = async |pki: &Pki| TappedOrigin::serving(pki, &[API], &[b"h2"], answer).await;
    (World::with(origin, |setup| setup).await, asked)
}

async fn answer(counter: &AtomicUsize, request: &Request<Incoming>) -> Response<OriginBody> {
    if request.uri().path() == "/ok" {
        return Response::new(full("ok"));
    }
    counter.fetch_add(1, Ordering::SeqCst);
    std::future::pending().await
}

/// Ends of connections and tunnels that were cut, or refused, for what their client did.
fn ends(scrape: &Scrape) -> usize {
    scrape.count("ucx_egress_cuts_total", &[("reason", "bad_request")]) + scrape.decisions("deny", "bad_request")
}

/// The proxy serves others.
async fn still_serves(world: &World) {
    let mut client = world.http2().await;
    let ok = client.get(request(Method::GET, "/ok").body(()).expect("a request")).await;
    assert_eq!((ok.status(), &*ok.body), (200, &b"ok"[..]));
}

/// A place where HTTP/2 is spoken with clients.
enum Place {
    /// In the cloud's place.
    Inside(World),
    /// On the proxy's own listener.
    Listener(Reception, Proxy, RawOrigin),
}

impl Place {
    async fn both() -> [Self; 2] {
        let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
        let proxy = reception.configure(Setup::new().host(API, origin.addr()), "").start();
        [Self::Inside(counting().await.0), Self::Listener(reception, proxy, origin)]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Inside(_) => "inside",
            Self::Listener(..) => "the listener",
        }
    }

    fn proxy(&self) -> &Proxy {
        match self {
            Self::Inside(world) => &world.proxy,
            Self::Listener(_, proxy, _) => proxy,
        }
    }

    /// A connection with nothing on it.
    async fn connect(&self) -> Raw {
        Raw::over(match self {
            Self::Inside(world) => world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"),
            Self::Listener(reception, proxy, _) => reception.connect(proxy.proxy(), &[b"h2"]).await.expect("a connection"),
        })
    }

    /// The head of a request that stays open.
    fn head(&self) -> Vec<u8> {
        match self {
            Self::Inside(_) => block(&[
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", API),
                (":path", "/t/Chat"),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
            ]),
            Self::Listener(..) => block(&[(":method", "CONNECT"), (":authority", "api.imagicle.com:443")]),
        }
    }
}

#[tokio::test]
async fn floods_of_frames_end_their_connection_and_are_recorded() {
    let mut cases = 0;
    for place in Place::both().await {
        for (name, code, piece) in FLOODS {
            let name = format!("{name}, {}", place.name());
            let before = ends(&Scrape::get(place.proxy().admin()).await);
            let mut raw = place.connect().await;
            raw.begin().await;
            raw.send(&frame_on(1, HEADERS, END_HEADERS, &place.head())).await;
            raw.flood(MANY, piece).await;
            assert_eq!(raw.fate(&name).await, Fate::GoneAway(*code), "{name}");
            wait_until(place.proxy().admin(), |scrape| ends(scrape) > before).await;
            cases += 1;
        }
        if let Place::Inside(world) = &place {
            still_serves(world).await;
        }
    }
    println!("hostile: {cases} cases of floods of frames");
}

/// Nobody reads the answers: they must not pile up.
#[tokio::test]
async fn a_flood_of_pings_whose_answers_are_not_read_ends_too() {
    for place in Place::both().await {
        let mut raw = place.connect().await.deaf();
        raw.begin().await;
        raw.send(&frame_on(1, HEADERS, END_HEADERS, &place.head())).await;
        raw.flood(MANY, &|_| frame(PING, 0, &[0; 8])).await;
        // The client keeps its socket; the proxy does not.
        wait_until(place.proxy().admin(), |scrape| scrape.clients() == 0).await;
    }
    println!("hostile: 2 cases of floods that nobody reads the answers to");
}

/// Keep-alive and bandwidth PINGs, small messages, priorities and cancelled calls are a day's work.
#[tokio::test]
async fn a_busy_client_is_no_flood() {
    let world = World::echoing(&[b"h2"]).await;
    let mut client = world.http2().await;
    let (response, mut body) = client.open(call("/t/Chat")).await;
    let mut echoed = response.await.expect("an answer").into_body();
    let mut pings = 0;
    for turn in 0..2_000 {
        body.send_data(message(b"").into(), false).expect("the stream is open");
        let piece = crate::support::http2::piece(&mut echoed).await.expect("the echo");
        assert_eq!(piece, message(b""), "message {turn}");
        pings += 1;
    }
    assert_eq!(pings, 2_000);
    for turn in 0..80 {
        // Cancelled before their answer, no more than half.
        let (cancelled, mut stream) = client.open(call("/t/Chat")).await;
        stream.send_reset(h2::Reason::CANCEL);
        drop(cancelled);
        let answer = client.get(request(Method::GET, "/t").body(()).expect("a request")).await;
        assert_eq!(answer.status(), 200, "turn {turn}");
    }
    body.send_data(message(b"").into(), false).expect("the first call still lives");
    assert_eq!(crate::support::http2::piece(&mut echoed).await.as_deref(), Some(&message(b"")[..]));
}

/// An entry of four kilobytes, named sixteen thousand times in one byte each.
#[tokio::test]
async fn a_head_that_grows_when_it_is_read_goes_nowhere() {
    let (world, asked) = counting().await;
    let entry = [&[0x40, 1, b'a', 0x7f, 0xa1, 0x1e][..], &[b'x'; 4_000]].concat();
    let mut cases = 0;
    for (name, times) in [("a little too large", 17), ("sixteen thousand times", 12_000), ("two bytes for a page", 2)] {
        let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
        raw.begin().await;
        let plain = block(&[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", "/bomb")]);
        raw.send(&frame_on(1, HEADERS, END_HEADERS | END_STREAM, &[&plain[..], &entry, &[0xbe].repeat(times)].concat())).await;
        let fate = raw.fate_of(1, name).await;
        match times {
            // Eight kilobytes are not too many.
            2 => assert!(matches!(fate, Fate::Open), "{name}: {fate:?}"),
            _ => assert!(matches!(fate, Fate::Answered(431 | 400) | Fate::Reset(_) | Fate::GoneAway(_)), "{name}: {fate:?}"),
        }
        cases += 1;
    }
    let crumbs = vec![("cookie", "a=b"); 10_000];
    let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
    raw.begin().await;
    raw.send_block(1, &[get("/crumbs"), block(&crumbs)].concat()).await;
    let fate = raw.fate_of(1, "crumbs").await;
    assert!(matches!(fate, Fate::Answered(431 | 400) | Fate::Reset(_) | Fate::GoneAway(_)), "cookies in crumbs: {fate:?}");
    cases += 1;
    assert!(asked.load(Ordering::SeqCst) <= 1, "only what is small enough goes up");
    still_serves(&world).await;
    println!("hostile: {cases} cases of heads that grow");
}
