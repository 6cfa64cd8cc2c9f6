//! Inspection against a corpus that is made, not collected: clean telemetry in many spellings, personal data put into it in many
//! places and encodings, and the look-alikes that must pass.
//!
//! Everything is deterministic. Values come from `tests/fixtures/corpus`, where each list names its source, and from the public
//! rules of each kind of number.

mod clean;
mod encodings;

mod fields;
mod fixtures;
mod formats;
mod negatives;

mod personal;
mod random;
mod recall;
mod spelling;
mod values;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use ucx_egress::inspect::engine::format::{Limits, json};
use ucx_egress::inspect::engine::shape::Shape;
use ucx_egress::inspect::engine::shape::document::Document;
use ucx_egress::inspect::engine::tree::Tree;
use ucx_egress::inspect::engine::walk::{Kept, Report, Settings, Unknown, Walk};

thread_local! {
    /// What walks through clean messages left to the next ones, by what is done with unknown fields.
    static KEPT: RefCell<BTreeMap<&'static str, Kept>> = const { RefCell::new(BTreeMap::new()) };
}

/// The shipped shape, with the addresses of the generated servers declared.
pub(crate) struct Inspector {
    tree: Tree,
    strict: Settings,
    inert: Settings,
    observe: Settings,
}

impl Inspector {
    /// One for all tests: a shape takes its time to compile.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Inspector> = LazyLock::new(Inspector::new);
        &SHARED
    }

    fn new() -> Self {
        let document: Document = toml::from_str(include_str!("../../config/policy/shape.toml")).expect("the shape is TOML");
        let network = |text: &str, length| (text.parse().expect("an address"), length);
        let settings =
            |unknown| Settings { unknown, networks: vec![network("10.20.0.0", 24), network("fd00:20::", 64)], ..Settings::default() };
        Self {
            tree: Tree::new(Shape::compile(&document).expect("the shape compiles")),
            strict: settings(Unknown::Strict),
            inert: settings(Unknown::Inert),
            observe: settings(Unknown::Observe),
        }
    }

    fn settings(&self, unknown: Unknown) -> &Settings {
        match unknown {
            Unknown::Strict => &self.strict,
            Unknown::Inert => &self.inert,
            Unknown::Observe => &self.observe,
        }
    }

    /// A walk through a message that `read` reads.
    pub(crate) fn walk(&self, unknown: Unknown, bytes: usize, read: impl FnOnce(&mut Walk<'_>)) -> Report {
        let mut walk = Walk::new(&self.tree, self.settings(unknown), bytes);
        read(&mut walk);
        walk.finish()
    }

    /// What is found in a document, whatever was walked through before.
    pub(crate) fn json(&self, text: &str, unknown: Unknown) -> Report {
        let read = |walk: &mut Walk<'_>| {
            json::read(text.as_bytes(), Limits::default(), walk).unwrap_or_else(|malformed| panic!("{malformed}: {text}"));
        };
        let report = self.walk(unknown, text.len(), read);
        KEPT.with_borrow_mut(|all| {
            let kept = all.remove(unknown.label()).unwrap_or_default();
            let mut walk = Walk::after(&self.tree, self.settings(unknown), text.len(), kept);
            read(&mut walk);
            let (after, kept) = walk.finish_keeping();
            assert_eq!(after, report, "after other messages: {text}");
            all.extend(kept.map(|kept| (unknown.label(), kept)));
        });
        report
    }

    pub(crate) fn passes(&self, text: &str, unknown: Unknown) -> bool {
        is_clean(&self.json(text, unknown))
    }
}

/// Whether a message may leave.
pub(crate) fn is_clean(report: &Report) -> bool {
    report.findings.is_empty() && report.undocumented.is_empty() && report.unreadable.is_none()
}
