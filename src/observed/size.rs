//! Sizes as powers of two: what is kept of a length or a number.

use serde::{Deserialize, Serialize};

/// Sizes that were seen, from the smallest to the largest, each only as the power of two that it is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// The smallest was below this, and not below half of it.
    pub least_below: u64,
    /// The largest was below this.
    pub below: u64,
}

impl Sizes {
    /// One size.
    #[must_use]
    pub fn of(size: u64) -> Self {
        let below = power_above(size);
        Self { least_below: below, below }
    }

    /// These and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least_below: self.least_below.min(other.least_below), below: self.below.max(other.below) }
    }

    /// Adds sizes to what was seen.
    pub fn add(seen: &mut Option<Self>, more: Option<Self>) {
        *seen = match (*seen, more) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        };
    }

    /// Whether both are powers of two: nothing finer is kept.
    #[must_use]
    pub fn is_coarse(self) -> bool {
        let is_power = |size: u64| size.is_power_of_two() || size == u64::MAX;
        is_power(self.least_below) && is_power(self.below)
    }
}

/// The smallest power of two that is larger; the largest number there is, beyond all.
fn power_above(size: u64) -> u64 {
    size.checked_add(1).and_then(u64::checked_next_power_of_two).unwrap_or(u64::MAX)
}

/// Bits of whole numbers between which nothing finer is kept: those that types of numbers have, and what the slots of shapes end at.
const CLASSES: [u8; 9] = [8, 16, 19, 24, 31, 32, 46, 53, 64];

/// The bits of the type that a whole number fits in.
#[must_use]
pub fn bits(number: u64) -> u8 {
    let needed = u64::BITS - number.leading_zeros();
    CLASSES.into_iter().find(|class| u32::from(*class) >= needed).unwrap_or(64)
}

/// Whether it is one of those that [`bits`] gives, or none.
#[must_use]
pub fn is_class(bits: u8) -> bool {
    bits == 0 || CLASSES.contains(&bits)
}

/// The largest number of so many bits.
#[must_use]
pub fn largest(bits: u8) -> u64 {
    1_u64.checked_shl(u32::from(bits)).map_or(u64::MAX, |above| above - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_finer_than_a_power_of_two_is_kept() {
        assert_eq!(Sizes::of(0), Sizes { least_below: 1, below: 1 });
        assert_eq!(Sizes::of(1), Sizes { least_below: 2, below: 2 });
        assert_eq!(Sizes::of(1000).and(Sizes::of(3)), Sizes { least_below: 4, below: 1024 });
        assert_eq!(Sizes::of(1024).below, 2048);
        assert!(Sizes::of(u64::MAX).is_coarse() && !Sizes { least_below: 1, below: 1000 }.is_coarse());
        for (number, class) in [(0, 8), (255, 8), (256, 16), (70_000, 19), (1_000_000, 24), (390_212_345_678, 46), (u64::MAX, 64)] {
            assert_eq!(bits(number), class, "{number}");
            assert!(number <= largest(class));
        }
    }
}
