//! What the targets share: how an input is cut, who writes down what a reader hands on, and what a place may show.

#![forbid(unsafe_code)]

pub mod place;
pub mod witness;

use std::sync::LazyLock;
use ucx_egress::inspect::Inspector;
use ucx_egress::inspect::engine::format::{Malformed, Visitor};
use ucx_egress::inspect::engine::shape::Shape;
use ucx_egress::inspect::engine::shape::document::Document;
use ucx_egress::inspect::engine::tree::Tree;
use ucx_egress::inspect::engine::walk::{Settings, Unknown, Walk};
use ucx_egress::inspect::verdict::Verdict;
use witness::Witness;

/// The shape of the product.
pub const SHAPE: &str = include_str!("../../config/policy/shape.toml");
/// Largest message of the inspectors here: above what an input of the default length expands to.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What is done with fields that nobody documents, the mildest first.
pub const MODES: [Unknown; 3] = [Unknown::Observe, Unknown::Inert, Unknown::Strict];

/// One inspector for each of [`MODES`]. Made once: compiling the shape would take longer than everything that is tested.
pub static INSPECTORS: LazyLock<[Inspector; 3]> = LazyLock::new(|| {
    MODES.map(|unknown| Inspector::new(Shape::built_in().expect("the shape compiles"), settings(unknown), None, MAX_MESSAGE))
});

/// The shape of the product, to be asked.
pub static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let document: Document = toml::from_str(SHAPE).expect("the shape is TOML");
    Tree::new(Shape::compile(&document).expect("the shape compiles"))
});

/// A site with one declared network and one service account.
#[must_use]
pub fn settings(unknown: Unknown) -> Settings {
    Settings { unknown, networks: vec![("10.20.0.0".parse().expect("an address"), 24)], accounts: vec!["ucx_service".to_owned()] }
}

/// Ways to cut an input: whole, every byte by itself, and in three at two places that depend on all of the input.
#[must_use]
pub fn cuts(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    // FNV-1a: any change of the input moves the places.
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let place = |part: u64| usize::try_from(part % (bytes.len() as u64 + 1)).unwrap_or_default();
    let (one, other) = (place(hash >> 32), place(hash & 0xffff_ffff));
    let (first, second) = (one.min(other), one.max(other));
    vec![vec![bytes], bytes.chunks(1).collect(), vec![&bytes[..first], &bytes[first..second], &bytes[second..]]]
}

/// Reads a document that arrives in pieces, and what of it is handed on.
///
/// # Panics
/// When calls, outcome or findings depend on how it is cut, or calls of a document that was read do not nest.
pub fn read_however_cut(
    bytes: &[u8],
    read: impl Fn(&[&[u8]], &mut dyn Visitor) -> Result<(), Malformed>,
) -> (Witness, Result<(), Malformed>) {
    let witnessed = |pieces: &[&[u8]]| {
        let mut witness = Witness::default();
        let outcome = read(pieces, &mut witness);
        (witness, outcome)
    };
    let settings = settings(Unknown::Inert);
    let reported = |pieces: &[&[u8]]| {
        let mut walk = Walk::new(&TREE, &settings, bytes.len());
        let outcome = read(pieces, &mut walk);
        (walk.finish(), outcome)
    };
    let (whole, report) = (witnessed(&[bytes]), reported(&[bytes]));
    for pieces in cuts(bytes) {
        assert_eq!(witnessed(&pieces), whole, "in {} pieces", pieces.len());
        assert_eq!(reported(&pieces), report, "in {} pieces", pieces.len());
    }
    if whole.1.is_ok() {
        whole.0.assert_closed();
        whole.0.assert_counted();
    }
    whole
}

/// Takes the first byte off, for choosing among so many.
#[must_use]
pub fn choice(input: &[u8], among: usize) -> Option<(usize, &[u8])> {
    let (first, rest) = input.split_first()?;
    Some((usize::from(*first) % among, rest))
}

/// How bad a verdict is. What is not clean does not leave.
#[must_use]
pub const fn gravity(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Clean => 0,
        Verdict::Undocumented(_) => 1,
        Verdict::TooLarge(_) | Verdict::Uninspectable(_) => 2,
        Verdict::Findings(_) => 3,
    }
}

/// What must be true of the verdicts of [`INSPECTORS`] on one message: places show nothing of it, asking again changes nothing,
/// and a stricter mode is never milder.
///
/// # Panics
/// When it is not.
pub fn judge(message: &[u8], ask: impl Fn(&Inspector) -> Verdict) -> [Verdict; 3] {
    let verdicts = [0, 1, 2].map(|mode| ask(&INSPECTORS[mode]));
    for (verdict, inspector) in verdicts.iter().zip(INSPECTORS.iter()) {
        place::assert_silent(verdict, message);
        assert!(ask(inspector) == *verdict, "another verdict when asked again");
    }
    for pair in verdicts.windows(2) {
        assert!(gravity(&pair[0]) <= gravity(&pair[1]), "a stricter mode is milder: {pair:?}");
    }
    let [observed, inert, _] = &verdicts;
    if let Verdict::Findings(_) = observed {
        assert!(observed == inert, "findings depend on the mode: {observed:?} {inert:?}");
    }
    verdicts
}
