//! All detectors at once, in several contexts: hits lie in the text, and nothing in front of an address hides it.
//!
//! The first byte chooses the context, the rest is the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;
use ucx_egress::inspect::engine::context::{Context, TextKind};
use ucx_egress::inspect::engine::detect;
use ucx_egress::inspect::engine::finding::{Hit, Kind};
use ucx_egress_fuzz::choice;

const KINDS: [TextKind; 6] = [TextKind::Free, TextKind::Number, TextKind::Version, TextKind::Path, TextKind::Identity, TextKind::Name];
const KEYS: [&[&str]; 12] = [
    &[],
    &["phone", "number"],
    &["user", "name"],
    &["ip", "address"],
    &["mac", "address"],
    &["password"],
    &["account"],
    &["latitude"],
    &["process", "name"],
    &["version"],
    &["path"],
    &["comment"],
];
/// An address that every detector of addresses must see.
const ADDRESS: &str = "mario.rossi@example.com";

fuzz_target!(|input: &[u8]| {
    let Some((chosen, text)) = choice(input, KINDS.len() * KEYS.len() * 2) else { return };
    let declared: [(IpAddr, u8); 2] = [("10.20.0.0".parse().expect("an address"), 24), ("fd00::".parse().expect("an address"), 8)];
    let has_site = chosen >= KINDS.len() * KEYS.len();
    let context = Context {
        key: KEYS[chosen / KINDS.len() % KEYS.len()],
        text: KINDS[chosen % KINDS.len()],
        declared: if has_site { &declared } else { &[] },
        accounts: if has_site { &["ucx_service", "corp\\svc"] } else { &[] },
    };
    let hits = scan(text, &context);
    assert!(scan(text, &context) == hits, "other hits when asked again");
    for hit in &hits {
        assert!(hit.start <= hit.end && hit.end <= text.len() && hit.bits > 0, "{hit:?} in {} bytes", text.len());
    }
    assert_unhidden(text);
});

fn scan(text: &[u8], context: &Context<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    detect::scan(text, context, &mut |hit| hits.push(hit));
    hits
}

/// On a line of its own an address is one, whatever the other lines are.
fn assert_unhidden(text: &[u8]) {
    let (start, end) = (text.len() + 1, text.len() + 1 + ADDRESS.len());
    let behind = [text, b"\n", ADDRESS.as_bytes(), b"\n", text].concat();
    let hits = scan(&behind, &Context::default());
    let is_seen = hits.iter().any(|hit| hit.kind == Kind::Email && hit.bits >= Hit::ENOUGH && hit.start < end && hit.end > start);
    assert!(is_seen, "the address is hidden by the lines around it");
}
