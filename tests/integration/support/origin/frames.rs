//! An HTTP/2 server's end, frame by frame (RFC 9113 section 4), for what no server library can be made to say.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What a client says first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// On SETTINGS and PING.
const ACK: u8 = 1;
/// On DATA and HEADERS.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` in HPACK's static table (RFC 7541 appendix A).
const STATUS_200: u8 = 0x88;

/// Error codes (RFC 9113 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoError = 0,
    InternalError = 2,
    RefusedStream = 7,
}

/// The server's end.
pub struct Frames<S> {
    stream: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    /// Takes the preface and says hello; `None` when the client is gone.
    pub async fn accept(mut stream: S) -> Option<Self> {
        let mut preface = [0; PREFACE.len()];
        stream.read_exact(&mut preface).await.ok()?;
        assert_eq!(preface, PREFACE);
        let mut frames = Self { stream };
        frames.send(SETTINGS, 0, 0, &[]).await;
        Some(frames)
    }

    /// The stream of the next request that is complete.
    pub async fn request(&mut self) -> Option<u32> {
        loop {
            let (kind, flags, stream) = self.next().await?;
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                return Some(stream);
            }
        }
    }

    /// The stream of the next request, as soon as its head is there.
    pub async fn head(&mut self) -> Option<u32> {
        loop {
            let (kind, _, stream) = self.next().await?;
            if kind == HEADERS {
                return Some(stream);
            }
        }
    }

    /// Reads until the client is gone.
    pub async fn wait(&mut self) {
        while self.next().await.is_some() {}
    }

    /// 200 with this body.
    pub async fn answer(&mut self, stream: u32, body: &[u8]) {
        self.begin(stream, body).await;
        self.send(DATA, END_STREAM, stream, &[]).await;
    }

    /// 200 and the beginning of a body.
    pub async fn begin(&mut self, stream: u32, body: &[u8]) {
        self.send(HEADERS, END_HEADERS, stream, &[STATUS_200]).await;
        self.send(DATA, 0, stream, body).await;
    }

    pub async fn reset(&mut self, stream: u32, code: Code) {
        self.send(RST_STREAM, 0, stream, &(code as u32).to_be_bytes()).await;
    }

    /// Ends the connection; streams above `last` were not looked at.
    pub async fn go_away(&mut self, last: u32) {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), (Code::NoError as u32).to_be_bytes()].concat()).await;
    }

    async fn next(&mut self) -> Option<(u8, u8, u32)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
        self.stream.read_exact(&mut payload).await.ok()?;
        let (kind, flags) = (head[3], head[4]);
        if matches!(kind, SETTINGS | PING) && flags & ACK == 0 {
            self.send(kind, ACK, 0, if kind == PING { &payload } else { &[] }).await;
        }
        Some((kind, flags, u32::from_be_bytes([head[5], head[6], head[7], head[8]])))
    }

    /// A client that is gone is a test's own business.
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        if self.stream.write_all(&frame).await.is_ok() {
            self.stream.flush().await.ok();
        }
    }
}
