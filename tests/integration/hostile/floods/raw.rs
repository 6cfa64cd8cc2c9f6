//! A client that writes HTTP/2 frame by frame, whatever they are, and sees what becomes of it.

use super::{CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS};
use crate::support::client::within_deadline;
use crate::support::http2::{Frame, PREFACE, frame, frame_on, frames};
use crate::support::world::API;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio_rustls::client::TlsStream;

/// Bytes of a flood that are written at once.
const PIECE: usize = 16 * 1024;

type Stream = TlsStream<TcpStream>;

/// What became of a connection, or of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The connection ended with this error code in GOAWAY.
    GoneAway(u32),
    /// It ended without a word.
    Closed,
    /// The stream was reset with this error code.
    Reset(u32),
    /// The stream was answered with this status.
    Answered(u16),
    /// Neither answered nor ended.
    Open,
}

/// What has come so far, and whether it has ended.
type Seen = (Vec<u8>, bool);

pub struct Raw {
    writing: WriteHalf<Stream>,
    seen: watch::Receiver<Seen>,
    /// Has the reader keep what it has and read no more.
    stop: Option<oneshot::Sender<()>>,
}

impl Raw {
    /// Reads from now on whatever comes.
    pub fn over(stream: Stream) -> Self {
        let (reading, writing) = split(stream);
        let (sender, seen) = watch::channel(Seen::default());
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(read(reading, sender, stopped));
        Self { writing, seen, stop: Some(stop) }
    }

    /// Reads no more.
    pub fn deaf(mut self) -> Self {
        let stop = self.stop.take().expect("it reads until now");
        stop.send(()).expect("the reader runs");
        self
    }

    /// The preface, and SETTINGS.
    pub async fn begin(&mut self) {
        self.send(&[PREFACE, &frame(SETTINGS, 0, &[]), &frame(SETTINGS, 1, &[])].concat()).await;
    }

    /// False when the peer takes no more.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        let sending = async {
            self.writing.write_all(bytes).await?;
            self.writing.flush().await
        };
        within_deadline("the peer takes it, or ends", sending).await.is_ok()
    }

    /// So many pieces, or as many as the peer takes.
    pub async fn flood(&mut self, times: u32, piece: &(dyn Fn(u32) -> Vec<u8> + Sync)) {
        let mut bytes = Vec::new();
        for number in 0..times {
            bytes.extend(piece(number));
            if bytes.len() < PIECE {
                continue;
            }
            if self.has_ended() || !self.send(&std::mem::take(&mut bytes)).await {
                return;
            }
        }
        self.send(&bytes).await;
    }

    /// A header section of any length.
    pub async fn send_block(&mut self, stream: u32, block: &[u8]) {
        let pieces: Vec<&[u8]> = block.chunks(PIECE).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let kind = if number == 0 { HEADERS } else { CONTINUATION };
            let end = if number + 1 == pieces.len() { END_HEADERS } else { 0 };
            let begin = if number == 0 { END_STREAM } else { 0 };
            if !self.send(&frame_on(stream, kind, end | begin, piece)).await {
                return;
            }
        }
    }

    pub fn has_ended(&self) -> bool {
        self.seen.borrow().1
    }

    /// The frames so far.
    pub fn frames(&self) -> Vec<Frame> {
        frames(&self.seen.borrow().0)
    }

    /// How the connection ends.
    pub async fn fate(&mut self, name: &str) -> Fate {
        within_deadline(name, self.seen.wait_for(|(_, ended)| *ended)).await.expect("the reader runs");
        let last = self.frames().into_iter().rfind(|frame| frame.kind == GOAWAY);
        last.map_or(Fate::Closed, |frame| Fate::GoneAway(code(&frame.payload[4..])))
    }

    /// What becomes of a stream. A PING behind it tells that nothing does.
    pub async fn fate_of(&mut self, stream: u32, name: &str) -> Fate {
        self.send(&frame(super::PING, 0, b"and then")).await;
        let is_over = |(bytes, ended): &Seen| *ended || of(stream, bytes) != Fate::Open || has_answered(bytes);
        within_deadline(name, self.seen.wait_for(is_over)).await.expect("the reader runs");
        let fate = of(stream, &self.seen.borrow().0);
        if fate != Fate::Open {
            return fate;
        }
        if self.has_ended() { self.fate(name).await } else { Fate::Open }
    }

    /// What becomes of a stream that must come to something.
    pub async fn outcome_of(&mut self, stream: u32, name: &str) -> Fate {
        let is_over = |(bytes, ended): &Seen| *ended || of(stream, bytes) != Fate::Open;
        within_deadline(name, self.seen.wait_for(is_over)).await.expect("the reader runs");
        let fate = of(stream, &self.seen.borrow().0);
        if fate == Fate::Open { self.fate(name).await } else { fate }
    }
}

async fn read(mut reading: ReadHalf<Stream>, sender: watch::Sender<Seen>, mut stopped: oneshot::Receiver<()>) {
    let mut bytes = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            read = reading.read(&mut bytes) => read,
            told = &mut stopped => match told {
                Ok(()) => return std::future::pending().await,
                // The connection is dropped.
                Err(_) => return,
            },
        };
        match read {
            Ok(read @ 1..) => sender.send_modify(|seen| seen.0.extend_from_slice(&bytes[..read])),
            Ok(0) | Err(_) => return sender.send_modify(|seen| seen.1 = true),
        }
    }
}

fn has_answered(bytes: &[u8]) -> bool {
    frames(bytes).iter().any(|frame| frame.kind == super::PING && frame.flags == super::ACK && frame.payload == b"and then")
}

/// What has become of a stream.
fn of(stream: u32, bytes: &[u8]) -> Fate {
    let mut found = frames(bytes).into_iter().filter(|frame| frame.stream == stream && matches!(frame.kind, HEADERS | RST_STREAM));
    match found.next() {
        None => Fate::Open,
        Some(frame) if frame.kind == RST_STREAM => Fate::Reset(code(&frame.payload)),
        Some(frame) => Fate::Answered(status(&frame.payload)),
    }
}

fn code(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().expect("four bytes"))
}

/// The status of an answer: it stands first in its header section (RFC 7541 appendix A, RFC 9113 section 8.3.2). Each answer is the
/// first of its connection, so that it is no entry of the dynamic table.
fn status(block: &[u8]) -> u16 {
    match block {
        [index @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(index - 0x88)],
        [0x48 | 0x18 | 0x08, length, digits @ ..] if length & 0x80 != 0 => huffman(digits),
        [0x48 | 0x18 | 0x08, 3, digits @ ..] => digits[..3].iter().fold(0, |number, digit| 10 * number + u16::from(digit - b'0')),
        _ => panic!("no status: {block:x?}"),
    }
}

/// Three digits in the code of RFC 7541 appendix B: 0 to 2 have five bits, the others six.
fn huffman(bytes: &[u8]) -> u16 {
    let bits: Vec<u16> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1))).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let read = |length: usize| bits[at..at + length].iter().fold(0, |value, bit| 2 * value + bit);
        let (digit, length) = if read(5) < 3 { (read(5), 5) } else { (read(6) - 22, 6) };
        (number, at) = (10 * number + digit, at + length);
    }
    number
}

/// A header section, each field a literal that is not remembered (RFC 7541 section 6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            string(text.as_bytes(), &mut block);
        }
    }
    block
}

/// A string without Huffman coding (RFC 7541 sections 5.1 and 5.2).
fn string(text: &[u8], block: &mut Vec<u8>) {
    if let Ok(length @ ..127) = u8::try_from(text.len()) {
        block.push(length);
    } else {
        let mut rest = text.len() - 127;
        block.push(127);
        while rest >= 128 {
            block.push(u8::try_from(rest & 127).expect("seven bits") | 128);
            rest >>= 7;
        }
        block.push(u8::try_from(rest).expect("seven bits"));
    }
    block.extend_from_slice(text);
}

/// The head of a GET.
pub fn get(path: &str) -> Vec<u8> {
    block(&[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", path)])
}
