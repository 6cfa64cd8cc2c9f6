//! gRPC-Web's framing (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>): gRPC's, with the trailers as a last
//! frame of their own; in `application/grpc-web-text` all of it in base64. Follows a stream however it is cut.

use super::base64::Decoder;
use super::{Fault, Malformed};

/// Bytes in front of each frame.
pub const PREFIX: usize = 5;

/// One complete frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message, or the trailers as a block of HTTP/1 header lines.
    pub payload: Vec<u8>,
    /// Whether the flag says that it is compressed.
    pub is_compressed: bool,
    /// Whether it holds the trailers. Nothing may follow it.
    pub is_trailers: bool,
}

/// Cuts a stream into frames.
pub struct Frames {
    held: Vec<u8>,
    /// Bytes of it that were taken out.
    start: usize,
    /// For `application/grpc-web-text`.
    decoder: Option<Decoder>,
    max: usize,
    /// Bytes of the stream, decoded, that were taken out.
    taken: usize,
    is_over: bool,
}

impl Frames {
    /// Starts at the beginning of `application/grpc-web` or `+proto`; `max` bounds a frame without its prefix.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self { held: Vec::new(), start: 0, decoder: None, max, taken: 0, is_over: false }
    }

    /// Starts at the beginning of `application/grpc-web-text`, whose chunks may each be padded.
    #[must_use]
    pub fn of_text(max: usize) -> Self {
        Self { decoder: Some(Decoder::of_chunks()), ..Self::new(max) }
    }

    /// Takes what arrived. Everything before must have been taken out with [`Frames::next_frame`].
    ///
    /// # Errors
    /// When text is not base64.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        // Once a piece, not once a frame: a piece may hold very many. What a large one needed is not kept.
        if self.start > 0 {
            self.held = self.rest().to_vec();
            self.start = 0;
        }
        let Some(decoder) = &mut self.decoder else {
            self.held.extend_from_slice(bytes);
            return Ok(());
        };
        let outcome = decoder.push(bytes, &mut self.held);
        outcome.map_err(|_| Fault::Encoding.at(self.taken + self.held.len()))
    }

    /// Bytes, decoded, that wait for the rest of their frame.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.held.len() - self.start
    }

    /// The length of the frame under way with its prefix, once that is known.
    #[must_use]
    pub fn announced(&self) -> Option<usize> {
        let [_, length @ ..] = *self.rest().first_chunk::<PREFIX>()?;
        usize::try_from(u32::from_be_bytes(length)).ok().map(|length| length.saturating_add(PREFIX))
    }

    /// The next complete frame, if it is there. Nothing is allocated for what was only announced.
    ///
    /// # Errors
    /// When a flag is unknown, a frame too large, or something follows the trailers.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some(flag) = self.rest().first().copied() else { return Ok(None) };
        // The lowest bit says compressed, the highest trailers.
        if flag & 0x7e != 0 {
            return Err(Fault::Frame.at(self.taken));
        }
        if self.is_over {
            return Err(Fault::Trailing.at(self.taken));
        }
        let Some(length) = self.announced() else { return Ok(None) };
        if length - PREFIX > self.max {
            return Err(Fault::Frame.at(self.taken));
        }
        let Some(payload) = self.rest().get(PREFIX..length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.start += length;
        self.taken += length;
        self.is_over = flag & 0x80 != 0;
        Ok(Some(Frame { payload, is_compressed: flag & 1 != 0, is_trailers: self.is_over }))
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// When a frame or a group of base64 is not complete.
    pub fn finish(&self) -> Result<(), Malformed> {
        let is_whole = self.decoder.as_ref().is_none_or(|decoder| decoder.finish().is_ok());
        if is_whole && self.waiting() == 0 { Ok(()) } else { Err(Fault::Unfinished.at(self.taken + self.waiting())) }
    }

    fn rest(&self) -> &[u8] {
        self.held.get(self.start..).unwrap_or_default()
    }
}

crate::hidden::hidden!(Frame, Frames);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::base64::tests::encode;
    use proptest::prelude::*;

    fn frame(flag: u8, text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len()).expect("short").to_be_bytes();
        [&[flag][..], &length, text].concat()
    }

    fn read(mut frames: Frames, pieces: &[&[u8]]) -> Result<Vec<Frame>, Malformed> {
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece)?;
            while let Some(frame) = frames.next_frame()? {
                found.push(frame);
            }
        }
        frames.finish().map(|()| found)
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let parts = [frame(0, b"hello"), frame(0, b""), frame(1, b"\0\0\0\0\x01a"), frame(0, &[7; 300]), frame(0x80, b"grpc-status:0\r\n")];
        let stream = parts.concat();
        let whole = read(Frames::new(300), &[&stream]).expect("well-formed");
        assert_eq!(whole.iter().map(|frame| frame.is_compressed).collect::<Vec<_>>(), [false, false, true, false, false]);
        assert_eq!(whole.iter().map(|frame| frame.is_trailers).collect::<Vec<_>>(), [false, false, false, false, true]);
        assert_eq!(whole.first().map(|frame| frame.payload.as_slice()), Some(&b"hello"[..]));
        let texts = [encode(&stream), parts.iter().map(|part| encode(part)).collect()];
        for piece in 1..=stream.len() {
            assert_eq!(read(Frames::new(300), &stream.chunks(piece).collect::<Vec<_>>()).as_ref(), Ok(&whole), "pieces of {piece}");
            for text in &texts {
                assert_eq!(
                    read(Frames::of_text(300), &text.as_bytes().chunks(piece).collect::<Vec<_>>()).as_ref(),
                    Ok(&whole),
                    "pieces of {piece}"
                );
            }
        }
    }

    #[test]
    fn streams_that_are_not_grpc_web_or_too_large_are_given_up() {
        for (bytes, fault) in [
            (vec![2], Fault::Frame.at(0)),
            (vec![0x40], Fault::Frame.at(0)),
            (b"\0\xff\xff\xff\xff".to_vec(), Fault::Frame.at(0)),
            (frame(0, &[1; 11]), Fault::Frame.at(0)),
            (b"\0\0\0\0\x01".to_vec(), Fault::Unfinished.at(5)),
            (b"\0\0".to_vec(), Fault::Unfinished.at(2)),
            ([frame(0x80, b""), frame(0, b"")].concat(), Fault::Trailing.at(5)),
        ] {
            assert_eq!(read(Frames::new(10), &[&bytes]), Err(fault), "{bytes:?}");
            assert_eq!(read(Frames::of_text(10), &[encode(&bytes).as_bytes()]), Err(fault), "{bytes:?}");
        }
        assert_eq!(read(Frames::of_text(10), &[b"AAAA!"]), Err(Fault::Encoding.at(3)));
        assert_eq!(read(Frames::of_text(10), &[b"AAAAAAA"]), Err(Fault::Unfinished.at(3)));
        let mut frames = Frames::new(10);
        frames.push(b"\0\0\0\0\x0a").expect("bytes");
        assert_eq!((frames.next_frame(), frames.announced(), frames.waiting()), (Ok(None), Some(15), 5));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _outcomes = (read(Frames::new(50), &[&bytes]), read(Frames::of_text(50), &[&bytes]));
        }
    }
}
