//! HTTP/2 as a test speaks it: a client that decides on every DATA frame, and frames as they stand on the wire.

use super::client::within_deadline;
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use std::collections::BTreeMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// One connection.
pub struct Http2 {
    pub sender: SendRequest<Bytes>,
    pub connection: JoinHandle<Result<(), h2::Error>>,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub head: Response<()>,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status().as_u16()
    }

    /// A header field, or a trailer field where there is no such header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let value = self.head.headers().get(name).or_else(|| self.trailers.get(name));
        value.map(|value| value.to_str().expect("the field is text"))
    }

    /// The reason of a refusal's document.
    pub fn reason(&self) -> String {
        assert_eq!(self.field("content-type"), Some("application/problem+json"), "{self:?}");
        let document: serde_json::Value = serde_json::from_slice(&self.body).expect("a problem is JSON");
        document["reason"].as_str().expect("a reason").to_owned()
    }

    /// All that the client was told, for what must not be in it.
    pub fn text(&self) -> String {
        format!("{self:?} {}", String::from_utf8_lossy(&self.body))
    }
}

impl Http2 {
    pub async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::with(&h2::client::Builder::new(), stream).await
    }

    /// With windows of the test's own.
    pub async fn with<S>(builder: &h2::client::Builder, stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = within_deadline("http2", builder.handshake(stream)).await.expect("a connection");
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Opens a stream; the test sends its body.
    pub async fn open(&mut self, request: Request<()>) -> (ResponseFuture, SendStream<Bytes>) {
        let mut ready = within_deadline("a place for a stream", self.sender.clone().ready()).await.expect("the connection is up");
        ready.send_request(request, false).expect("a request that can be sent")
    }

    /// Sends a body in these DATA frames, then the trailers if there are any, and reads the answer.
    pub async fn ask(&mut self, request: Request<()>, pieces: &[&[u8]], trailers: Option<HeaderMap>) -> Answer {
        let (response, mut body) = self.open(request).await;
        for piece in pieces {
            // A refusal may come before the end of the body.
            if body.send_data(Bytes::copy_from_slice(piece), false).is_err() {
                return answer(response).await;
            }
        }
        match trailers {
            Some(trailers) => body.send_trailers(trailers).ok(),
            None => body.send_data(Bytes::new(), true).ok(),
        };
        answer(response).await
    }

    /// Asks without a body.
    pub async fn get(&mut self, request: Request<()>) -> Answer {
        let mut ready = within_deadline("a place for a stream", self.sender.clone().ready()).await.expect("the connection is up");
        let (response, _) = ready.send_request(request, true).expect("a request that can be sent");
        answer(response).await
    }
}

/// Reads a whole answer.
pub async fn answer(response: ResponseFuture) -> Answer {
    let (head, body) = within_deadline("an answer", response).await.expect("an answer").into_parts();
    let (body, trailers) = rest(body).await;
    Answer { head: Response::from_parts(head, ()), body, trailers }
}

/// Reads a body to its end.
pub async fn rest(mut body: RecvStream) -> (Vec<u8>, HeaderMap) {
    let mut bytes = Vec::new();
    while let Some(piece) = piece(&mut body).await {
        bytes.extend_from_slice(&piece);
    }
    let trailers = within_deadline("trailers", body.trailers()).await.expect("the stream ends in order");
    (bytes, trailers.unwrap_or_default())
}

/// Reads the next piece of a body and makes room for another one.
pub async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    let piece = within_deadline("a piece of the body", body.data()).await?.expect("the body goes on");
    body.flow_control().release_capacity(piece.len()).expect("so much was taken");
    Some(piece)
}

/// A frame as it stands on the wire (RFC 9113 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// Frame types (RFC 9113 section 6).
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

/// What a client sends before its first frame (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Frame {
    /// The first of these bytes, and its length, once it is complete.
    pub fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3, behind @ ..] = bytes else { return None };
        let length = usize::try_from(u32::from_be_bytes([0, *l0, *l1, *l2])).expect("24 bits");
        let payload = behind.get(..length)?.to_vec();
        let stream = u32::from_be_bytes([s0 & 0x7f, *s1, *s2, *s3]);
        Some((Self { kind: *kind, flags: *flags, stream, payload }, 9 + length))
    }
}

/// The complete frames in what one side of a connection sent.
pub fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut rest = bytes.strip_prefix(PREFACE).unwrap_or(bytes);
    let mut found = Vec::new();
    while let Some((frame, length)) = Frame::first(rest) {
        found.push(frame);
        rest = &rest[length..];
    }
    found
}

/// A frame of a connection's own, in bytes.
pub fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame_on(0, kind, flags, payload)
}

/// A frame of a stream, in bytes.
pub fn frame_on(stream: u32, kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A body for [`post_json`](super::world::post_json) without personal data.
pub fn post_body() -> Bytes {
    Bytes::from_static(br#"{"version":"1.2.3"}"#)
}

/// A gRPC message with its prefix.
pub fn message(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short message").to_be_bytes();
    [&[0], &length[..], payload].concat()
}

/// The bodies of all streams with one, each in one piece, in what connections sent.
pub fn stream_bodies(connections: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut streams = BTreeMap::<(usize, u32), Vec<u8>>::new();
    for (number, bytes) in connections.iter().enumerate() {
        for frame in frames(bytes).into_iter().filter(|frame| frame.kind == DATA) {
            streams.entry((number, frame.stream)).or_default().extend(frame.payload);
        }
    }
    streams.into_values().collect()
}
