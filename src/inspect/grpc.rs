//! gRPC's framing (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>): a flag, a length of four bytes, the
//! message. Follows a stream however it is cut.

use bytes::{Buf as _, Bytes, BytesMut};

/// Bytes in front of each message.
pub const PREFIX: usize = 5;

/// One complete message.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Prefix and message, as they came.
    pub bytes: Bytes,
    /// Whether the flag says that it is compressed.
    pub is_compressed: bool,
}

impl Frame {
    /// The message without its prefix.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.bytes.get(PREFIX..).unwrap_or_default()
    }
}

/// Why a stream is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The first byte of a prefix is neither 0 nor 1.
    Flag,
    /// A message is longer than the limit.
    TooLarge,
}

/// Why a stream that is there as a whole is no stream of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unframed {
    /// Its framing is wrong.
    Broken(Broken),
    /// It ends within a message.
    Cut,
}

/// Hands on each message of a stream that is there as a whole, counted from 1; `max` bounds a message without its prefix.
///
/// # Errors
/// Behind the messages that could be told apart, if something is left.
pub fn each_frame(bytes: Bytes, max: usize, see: &mut dyn FnMut(u64, Frame)) -> Result<(), Unframed> {
    let mut frames = Frames::new(max);
    frames.push(bytes);
    let mut number = 0;
    while let Some(frame) = frames.next_frame().map_err(Unframed::Broken)? {
        number += 1;
        see(number, frame);
    }
    if frames.waiting() == 0 { Ok(()) } else { Err(Unframed::Cut) }
}

/// Cuts a stream into messages.
pub struct Frames {
    /// What has arrived of the message under way, if it came in more than one piece.
    held: BytesMut,
    /// What arrived last and was not looked at.
    next: Bytes,
    max: usize,
}

impl Frames {
    /// Starts at the beginning of a stream; `max` bounds a message without its prefix.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { held: BytesMut::new(), next: Bytes::new(), max }
    }

    /// Takes what arrived. Everything before must have been taken out with [`Frames::next_frame`].
    pub fn push(&mut self, bytes: Bytes) {
        self.held.extend_from_slice(&self.next);
        self.next = bytes;
    }

    /// Bytes that wait for the rest of their message.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.held.len() + self.next.len()
    }

    /// The length of the message under way with its prefix, once that is known.
    #[must_use]
    pub fn announced(&self) -> Option<usize> {
        let mut prefix = self.held.iter().chain(&self.next).skip(1).take(4).copied();
        let bytes = [prefix.next()?, prefix.next()?, prefix.next()?, prefix.next()?];
        usize::try_from(u32::from_be_bytes(bytes)).ok().map(|length| length.saturating_add(PREFIX))
    }

    /// The next complete message, if it is there. Nothing is allocated for what was only announced.
    ///
    /// # Errors
    /// When the stream is not gRPC, or the message too large.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Broken> {
        let Some(flag) = self.held.first().or(self.next.first()).copied() else { return Ok(None) };
        if flag > 1 {
            return Err(Broken::Flag);
        }
        let Some(length) = self.announced() else { return Ok(None) };
        if length - PREFIX > self.max {
            return Err(Broken::TooLarge);
        }
        if self.waiting() < length {
            return Ok(None);
        }
        Ok(Some(Frame { bytes: self.take(length), is_compressed: flag == 1 }))
    }

    /// All that arrived and was not taken out, for a stream that is not read any more.
    pub fn take_all(&mut self) -> Bytes {
        self.take(self.waiting())
    }

    fn take(&mut self, length: usize) -> Bytes {
        if self.held.is_empty() {
            return self.next.split_to(length);
        }
        let missing = length.saturating_sub(self.held.len());
        self.held.extend_from_slice(self.next.get(..missing).unwrap_or_default());
        self.next.advance(missing);
        let frame = self.held.split_to(length).freeze();
        // What a large message needed is not kept for the small ones behind it.
        self.held = BytesMut::from(self.held.as_ref());
        frame
    }
}

crate::hidden::hidden!(Frame, Frames);

#[cfg(test)]
mod tests {
    use super::*;

    fn message(flag: u8, text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len()).expect("short").to_be_bytes();
        [&[flag][..], &length, text].concat()
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let messages = [message(0, b"hello"), message(0, b""), message(1, b"\0\0\0\0\x01a"), message(0, &[7; 300])];
        let stream = messages.concat();
        for piece in 1..=stream.len() {
            let mut frames = Frames::new(300);
            let mut found = Vec::new();
            for part in stream.chunks(piece) {
                frames.push(Bytes::copy_from_slice(part));
                while let Some(frame) = frames.next_frame().expect("well-formed") {
                    found.push(frame);
                }
            }
            assert_eq!(found.iter().map(|frame| frame.bytes.to_vec()).collect::<Vec<_>>(), messages, "pieces of {piece}");
            assert_eq!(found.iter().map(|frame| frame.is_compressed).collect::<Vec<_>>(), [false, false, true, false]);
            assert_eq!(frames.waiting(), 0);
        }
    }

    #[test]
    fn a_whole_stream_is_handed_on_up_to_where_it_breaks() {
        let seen = |stream: &[u8]| {
            let mut seen = Vec::new();
            let end = each_frame(Bytes::copy_from_slice(stream), 10, &mut |number, frame| seen.push((number, frame.message().to_vec())));
            (seen, end)
        };
        let (one, two) = (message(0, b"a"), message(1, b"bc"));
        let both = vec![(1, b"a".to_vec()), (2, b"bc".to_vec())];
        assert_eq!(seen(&[one.clone(), two.clone()].concat()), (both.clone(), Ok(())));
        assert_eq!(seen(&[&one[..], &two, b"\0"].concat()), (both.clone(), Err(Unframed::Cut)));
        assert_eq!(seen(&[&one[..], &two, b"\x07"].concat()), (both, Err(Unframed::Broken(Broken::Flag))));
        assert_eq!(seen(&message(0, &[7; 11])), (Vec::new(), Err(Unframed::Broken(Broken::TooLarge))));
    }

    #[test]
    fn streams_that_are_not_grpc_or_too_large_are_given_up() {
        let mut frames = Frames::new(10);
        frames.push(Bytes::from_static(b"\x02"));
        assert_eq!(frames.next_frame(), Err(Broken::Flag));
        let mut frames = Frames::new(10);
        frames.push(Bytes::from_static(b"\0\xff\xff\xff\xff"));
        assert_eq!(frames.next_frame(), Err(Broken::TooLarge));
        let mut frames = Frames::new(10);
        frames.push(Bytes::from_static(b"\0\0\0\0\x0a"));
        assert_eq!((frames.next_frame(), frames.announced()), (Ok(None), Some(15)));
    }
}
