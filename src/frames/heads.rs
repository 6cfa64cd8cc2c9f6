//! The heads of HTTP/2 frames in a stream of bytes, however it is cut (RFC 9113 section 4.1).

/// Frame types (RFC 9113 section 6).
pub const DATA: u8 = 0;
/// See [`DATA`].
pub const HEADERS: u8 = 1;
/// See [`DATA`].
pub const RST_STREAM: u8 = 3;
/// See [`DATA`].
pub const SETTINGS: u8 = 4;
/// See [`DATA`].
pub const PING: u8 = 6;
/// See [`DATA`].
pub const GOAWAY: u8 = 7;
/// See [`DATA`].
pub const WINDOW_UPDATE: u8 = 8;
/// See [`DATA`].
pub const CONTINUATION: u8 = 9;

/// On SETTINGS and PING.
const ACK: u8 = 1;
/// On DATA and HEADERS.
const END_STREAM: u8 = 1;
/// On DATA: the first byte of the payload says how much padding is at its end.
const PADDED: u8 = 8;

/// What a client sends before its first frame (RFC 9113 section 3.4), in bytes.
const PREFACE: u32 = 24;
/// The head of a frame.
const HEAD: usize = 9;

/// A frame, by what its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its type.
    pub kind: u8,
    flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// Bytes behind the head.
    length: u32,
    /// How many of them pad, as DATA says in the first of them.
    padding: u32,
}

impl Head {
    /// Whether it acknowledges one of ours.
    #[must_use]
    pub fn is_ack(self) -> bool {
        self.flags & ACK != 0
    }

    /// Whether it is DATA that neither carries anything nor ends its stream.
    #[must_use]
    pub fn is_empty_data(self) -> bool {
        self.kind == DATA && self.flags & END_STREAM == 0 && self.length <= self.padding
    }
}

/// Follows frames byte by byte; of their payloads it looks at nothing but the length of DATA's padding.
#[derive(Debug)]
pub struct Heads {
    /// Bytes that belong to what was recognized and have not come yet.
    skip: u32,
    head: [u8; HEAD],
    /// How much of the head is there.
    have: usize,
    /// DATA whose next byte tells its padding.
    padded: Option<Head>,
    frames: u64,
}

impl Heads {
    /// From the first frame on; `preface` comes before it.
    #[must_use]
    pub fn new(preface: bool) -> Self {
        Self { skip: if preface { PREFACE } else { 0 }, head: [0; HEAD], have: 0, padded: None, frames: 0 }
    }

    /// Whether the bytes so far end with a frame.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.skip == 0 && self.have == 0 && self.padded.is_none()
    }

    /// Whether a whole frame has come.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.frames > 1 || (self.frames == 1 && self.is_between())
    }

    /// Calls `found` with each frame whose head becomes complete within these bytes, until that fails.
    ///
    /// # Errors
    /// Those of `found`.
    pub fn pass<E>(&mut self, mut bytes: &[u8], mut found: impl FnMut(Head) -> Result<(), E>) -> Result<(), E> {
        loop {
            let skipped = bytes.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip = self.skip.saturating_sub(u32::try_from(skipped).unwrap_or(u32::MAX));
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            if let Some(mut data) = self.padded.take() {
                bytes = rest;
                data.padding = u32::from(*first) + 1;
                self.skip = data.length.saturating_sub(1);
                found(data)?;
                continue;
            }
            let Some(head) = self.take_head(&mut bytes) else { return Ok(()) };
            self.frames += 1;
            if head.kind == DATA && head.flags & PADDED != 0 && head.length > 0 {
                self.padded = Some(head);
                continue;
            }
            self.skip = head.length;
            found(head)?;
        }
    }

    /// The head, once it is complete.
    fn take_head(&mut self, bytes: &mut &[u8]) -> Option<Head> {
        let room = self.head.get_mut(self.have..)?;
        let taken = room.len().min(bytes.len());
        room.iter_mut().zip(*bytes).for_each(|(to, from)| *to = *from);
        *bytes = bytes.get(taken..).unwrap_or_default();
        self.have += taken;
        if self.have < HEAD {
            return None;
        }
        self.have = 0;
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = self.head;
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        Some(Head { kind, flags, stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]), length, padding: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    fn seen(bytes: &[u8], cut: usize) -> (Vec<(u8, u32, bool)>, bool) {
        let mut heads = Heads::new(true);
        let mut found = Vec::new();
        for piece in bytes.chunks(cut) {
            let passed = heads.pass(piece, |head| {
                found.push((head.kind, head.stream, head.is_empty_data()));
                Ok::<_, ()>(())
            });
            assert!(passed.is_ok());
        }
        (found, heads.is_between())
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let bytes = [
            preface,
            frame(SETTINGS, 0, 0, &[0; 12]),
            frame(HEADERS, 4, 1, b"abc"),
            frame(DATA, 0, 1, b""),
            frame(DATA, PADDED, 1, &[2, 0, 0]),
            frame(DATA, PADDED, 1, &[1, b'x', 0]),
            frame(DATA, END_STREAM, 1, b""),
            frame(PING, 0, 0, &[0; 8]),
        ]
        .concat();
        let data = |is_empty| (DATA, 1, is_empty);
        let expected = vec![(SETTINGS, 0, false), (HEADERS, 1, false), data(true), data(true), data(false), data(false), (PING, 0, false)];
        for cut in 1..=bytes.len() {
            assert_eq!(seen(&bytes, cut), (expected.clone(), true), "in pieces of {cut}");
        }
        assert!(!seen(&bytes[..bytes.len() - 1], 7).1, "within a payload is not between frames");
    }

    #[test]
    fn a_connection_has_begun_when_its_first_frame_is_whole() {
        let bytes = [&[b'p'; 24][..], &frame(SETTINGS, 0, 0, &[0; 6])].concat();
        for length in 0..bytes.len() {
            let mut heads = Heads::new(true);
            assert_eq!(heads.pass(&bytes[..length], |_| Ok::<_, ()>(())), Ok(()));
            assert!(!heads.has_begun(), "{length} bytes");
        }
        let mut heads = Heads::new(true);
        assert_eq!(heads.pass(&bytes, |_| Ok::<_, ()>(())), Ok(()));
        assert!(heads.has_begun());
    }
}
