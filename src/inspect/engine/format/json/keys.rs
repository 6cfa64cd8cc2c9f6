//! Keys of open objects, as hashes.

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// An odd number of many bits (the multiplier of Knuth's MMIX generator).
const ODD: u64 = 6_364_136_223_846_793_005;
const ONES: u64 = u64::MAX / 255;

/// Keys of all open objects, the innermost last. Two keys that differ in ASCII case only have the same hash; others have it
/// by a chance of 2⁻⁶⁴ or by design of the sender, whose document is refused then and never let through.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<u64>);

impl Keys {
    /// Keys so far: where those of the next object begin.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A key of the innermost object.
    pub(super) fn add(&mut self, key: &[u8]) {
        self.0.push(hash(key));
    }

    /// Forgets the innermost object, whose keys began there; false if a key was there twice. Looking at the end costs
    /// n log n however many keys there are.
    pub(super) fn close(&mut self, start: usize) -> bool {
        let keys = self.0.get_mut(start..).unwrap_or_default();
        let is_unique = match keys.len() {
            0 | 1 => true,
            2..=16 => !has_pair(keys),
            _ => {
                keys.sort_unstable();
                keys.windows(2).all(|pair| pair.first() != pair.last())
            }
        };
        self.0.truncate(start);
        is_unique
    }
}

/// Whether a short list has two equal entries.
fn has_pair(keys: &[u64]) -> bool {
    let mut rest = keys;
    while let [first, behind @ ..] = rest {
        // Looking at all of them is faster than stopping: no branch for each.
        if behind.iter().filter(|key| *key == first).count() > 0 {
            return true;
        }
        rest = behind;
    }
    false
}

fn hash(key: &[u8]) -> u64 {
    let (words, _) = key.as_chunks::<8>();
    let mut hash = SEED.wrapping_mul(key.len() as u64 + 1);
    if let [first] | [first, _] = words
        && key.len() <= 16
    {
        // Most keys: both ends are all of it.
        let first = fold(u64::from_le_bytes(*first)).wrapping_mul(ODD);
        return mix(hash ^ first ^ first >> 32 ^ fold(last(key)));
    }
    for word in words {
        hash = mix(hash ^ fold(u64::from_le_bytes(*word)));
    }
    mix(hash ^ fold(last(key)))
}

/// The last eight bytes, or all of fewer, some of them twice: the length is hashed as well, so nothing is confused.
fn last(key: &[u8]) -> u64 {
    if let Some(word) = key.last_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// One to one, so keys of up to eight bytes and the same length cannot collide (the finalizer of `SplitMix64`).
const fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// Eight bytes with ASCII capitals made small.
const fn fold(word: u64) -> u64 {
    let low = word & (ONES * 0x7f);
    let from_a = low + ONES * (0x80 - b'A' as u64);
    let above_z = low + ONES * (0x7f - b'Z' as u64);
    let capital = (from_a ^ above_z) & !word & (ONES * 0x80);
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_nothing_else_are_folded() {
        for byte in 0..=255_u8 {
            for other in [0, b'A', b'z', 0x80, 0xff] {
                let word = [other, byte, other, byte, byte, byte, other, byte];
                assert_eq!(fold(u64::from_le_bytes(word)).to_le_bytes(), word.map(|byte| byte.to_ascii_lowercase()));
            }
        }
    }

    #[test]
    fn keys_of_any_number_are_told_apart() {
        for count in [0, 1, 2, 3, 15, 16, 17, 18, 1_000, 60_000] {
            let mut keys = Keys::default();
            keys.add(b"key0");
            (0..count).for_each(|number| keys.add(format!("key{number}").as_bytes()));
            assert!(keys.close(1), "{count}");
            assert_eq!(keys.len(), 1);
            (0..count).for_each(|number| keys.add(format!("key{number}").as_bytes()));
            assert_eq!(keys.close(0), count == 0, "key0 twice among {count}");
        }
    }

    #[test]
    fn short_keys_and_zero_bytes_differ() {
        let keys: [&[u8]; 7] = [b"", b"\0", b"\0\0", b"a", b"a\0", b"aaaaaaaa", b"aaaaaaaa\0"];
        for (index, one) in keys.iter().enumerate() {
            for (other_index, other) in keys.iter().enumerate() {
                assert_eq!(hash(one) == hash(other), index == other_index);
            }
        }
        let names = |half: usize| (0..2_000).map(move |number| format!("{number:0>half$}{:0>half$}", 2_000 - number));
        let mut hashes: Vec<u64> = (4..10).flat_map(names).map(|name| hash(name.as_bytes())).collect();
        hashes.sort_unstable();
        assert!(hashes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
