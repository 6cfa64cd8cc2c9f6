//! Numbers that look like chance and are always the same: xorshift64* (Vigna 2016).

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 8) % limit
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("an index")
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// Once in `of` times.
    pub(crate) fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// So many decimal digits, the first of which is no zero.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count).map(|at| char::from(b'0' + u8::try_from(self.between(u64::from(at == 0), 9)).expect("a digit"))).collect()
    }

    /// So many characters of an alphabet.
    pub(crate) fn text(&mut self, count: usize, alphabet: &str) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count).map(|_| char::from(*self.pick(alphabet))).collect()
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.text(count, "0123456789abcdef")
    }

    /// A random GUID (RFC 9562 version 4).
    pub(crate) fn guid(&mut self) -> String {
        let (head, tail) = (self.hex(8), self.hex(12));
        let (two, three, variant) = (self.hex(4), self.hex(3), self.text(1, "89ab"));
        format!("{head}-{two}-4{three}-{variant}{}-{tail}", self.hex(3))
    }
}
