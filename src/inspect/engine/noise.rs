//! Numbers without a pattern, the same each time: what chance would send.

/// The states of Knuth's linear congruential generator (MMIX) from one seed on; the high bits are the good ones.
pub(crate) fn noise() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(7), |state: &u64| {
        Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .skip(1)
}

/// The same as bytes.
pub(crate) fn noise_bytes() -> impl Iterator<Item = u8> {
    noise().map(|state| state.to_be_bytes()[0])
}
