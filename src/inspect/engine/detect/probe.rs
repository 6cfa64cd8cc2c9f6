//! What the tests of the detectors share.

use super::lexis::VISITS;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

/// A detector.
pub(super) type Scan = fn(&[u8], &Context<'_>, &mut dyn FnMut(Hit));

/// All hits in a text.
pub(super) fn hits(scan: Scan, text: &[u8], context: &Context<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    scan(text, context, &mut |hit| hits.push(hit));
    for hit in &hits {
        assert!(hit.start < hit.end && hit.end <= text.len(), "range {hit:?} in {} bytes", text.len());
    }
    hits
}

/// A context with a key of blank-separated words.
pub(super) fn with<R>(key: &str, text: TextKind, check: impl FnOnce(&Context<'_>) -> R) -> R {
    let key: Vec<&str> = key.split_whitespace().collect();
    check(&Context { key: &key, text, ..Context::default() })
}

/// Whether one hit is enough to block.
pub(super) fn blocks(scan: Scan, text: &str, key: &str, kind: TextKind) -> bool {
    with(key, kind, |context| hits(scan, text.as_bytes(), context).iter().any(|hit| hit.bits >= Hit::ENOUGH))
}

/// Every row (key, text) blocks, as this kind.
pub(super) fn all_block(scan: Scan, kind: Kind, text_kind: TextKind, rows: &[(&str, &str)]) {
    for (key, text) in rows {
        assert!(blocks(scan, text, key, text_kind), "should block: {key:?} {text:?}");
        with(key, text_kind, |context| assert!(hits(scan, text.as_bytes(), context).iter().all(|hit| hit.kind == kind)));
    }
}

/// No row (key, text) has a hit of any weight.
pub(super) fn none_hit(scan: Scan, text_kind: TextKind, rows: &[(&str, &str)]) {
    for (key, text) in rows {
        let found = with(key, text_kind, |context| hits(scan, text.as_bytes(), context));
        assert!(found.is_empty(), "should pass: {key:?} {text:?}: {found:?}");
    }
}

/// Bytes looked at for one text.
fn visits(scan: Scan, text: &[u8]) -> u64 {
    VISITS.with(|visits| visits.set(0));
    scan(text, &Context::default(), &mut |_| {});
    VISITS.with(std::cell::Cell::get)
}

/// Four times the text costs four times the work, for text made of any of these pieces, and never more than a bounded number of looks a byte.
pub(super) fn linear(scan: Scan, pieces: &[&str]) {
    for piece in pieces {
        let (small, large) = (piece.repeat(8_192 / piece.len()), piece.repeat(32_768 / piece.len()));
        let (few, many) = (visits(scan, small.as_bytes()), visits(scan, large.as_bytes()));
        assert!(many <= few * 4 + few / 4 + 4096, "{piece:?}: {few} then {many}");
        assert!(many <= 200 * 32_768, "{piece:?}: {} looks a byte", many / 32_768);
    }
}

/// Cutting a text anywhere, or making its bytes wild, never panics.
pub(super) fn survives(scan: Scan, texts: &[&str]) {
    for text in texts {
        for cut in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            hits(scan, head, &Context::default());
            hits(scan, tail, &Context::default());
            let mut wild = text.as_bytes().to_vec();
            wild.insert(cut, 0xff);
            hits(scan, &wild, &Context::default());
        }
    }
}
