//! One value: what its field may hold, what a person's may not, and what is harmless where nobody says what it may be.

use super::amount::out_of_range;
use super::{INERT, MAX_FINDINGS, Unknown, Walk};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::finding::{Kind, Why};
use crate::inspect::engine::marks::{COLON, DOT, Marks};
use crate::inspect::engine::memo::Under;
use crate::inspect::engine::shape::slot::{self, Checked, Declared, Slot};
use crate::inspect::engine::shape::{Meaning, grammar, quick};

/// Looks that all detectors take at a byte of a long text, and the search for encodings in it.
const LOOKS_AT_TEXT: u64 = 30;
/// Longest text that may pass under a key that nobody documents once no detector found anything in it; see [`grammar::is_like_inert`].
const LONGEST_NAMED: usize = 512;

impl Walk<'_> {
    pub(super) fn unproven(&mut self, text: &str, marks: &Marks, kind: TextKind) {
        if !self.look(text, marks, kind) && !self.names_a_field(text) {
            self.strictly_undocumented();
        }
    }

    /// A value that its field cannot hold, or of which nobody says what it may be.
    pub(super) fn unfit(&mut self, text: &str, marks: &Marks, kind: TextKind) {
        if !self.look(text, marks, kind) && !self.names_a_field(text) {
            self.undocumented();
        }
    }

    /// A value that [`quick::proves`] nothing of. Most are known before they are looked at again.
    pub(super) fn field_text(&mut self, slot: Slot, text: &str) {
        if self.memo.has(slot as Under, text.as_bytes()) || self.is_spent() {
            return;
        }
        self.visit(text.len());
        let marks = &Marks::of(text.as_bytes());
        if quick::is_plausible_name(slot, text.as_bytes(), marks) {
            self.look(text, marks, TextKind::Name);
            return;
        }
        self.visit(text.len());
        match slot.text(text, &Declared { networks: &self.settings.networks }) {
            Checked::Harmless => self.memo.keep(slot as Under, text.as_bytes()),
            Checked::OutOfRange => self.unfit(text, marks, out_of_range(slot)),
            Checked::Plausible(kind) => drop(self.look(text, marks, kind)),
            Checked::Unproven(kind) => self.unproven(text, marks, kind),
        }
    }

    /// A value under a key that speaks of a person.
    pub(super) fn personal(&mut self, kind: Kind, text: &str) {
        if grammar::is_missing(text) {
            return;
        }
        // `InstalledBy: SYSTEM` names nobody.
        if matches!(kind, Kind::PersonName | Kind::Identity) && grammar::is_service_account(text) {
            return self.strictly_undocumented();
        }
        let is_a_things = match kind {
            Kind::Sid => grammar::is_system_sid(text),
            Kind::Phone => grammar::is_chipset(text),
            Kind::MacAddress => grammar::is_no_card(text),
            _ => false,
        };
        if is_a_things {
            return self.strictly_undocumented();
        }
        self.find(kind, Why::Key);
    }

    /// Whether a text is one declared address or several: they are the servers', whatever the key is.
    fn is_declared(&self, text: &str, counted: &Marks) -> bool {
        counted.has(DOT | COLON) && slot::has_only_addresses(text, &Declared { networks: &self.settings.networks })
    }

    /// A value that is harmless by its form under a key that nobody documents; what identifies a message or an update is documented enough.
    fn inert(&mut self, text: &str) {
        let is_id = matches!(self.path.node().words(), [word] if word == "id");
        if !(is_id && (grammar::is_guid(text) || grammar::is_hotfix(text))) {
            self.strictly_undocumented();
        }
    }

    /// Whether the key at hand is `ssn` and a value with letters is that of the serial number of a system: the other has digits only.
    pub(super) fn is_of_a_system(&self, meaning: Meaning, text: &str) -> bool {
        let is_ssn = || matches!(self.path.node().words(), [word] if word == "ssn");
        meaning == Meaning::Personal(Kind::NationalId) && is_ssn() && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    }

    /// Whether the key at hand is the column of the names of products.
    pub(super) fn names_a_product(&self, meaning: Meaning) -> bool {
        let is_name = || matches!(self.path.node().words(), [one, other] if one == "display" && other == "name");
        self.lists_products && meaning == Meaning::Personal(Kind::PersonName) && is_name()
    }

    /// Whether a value in which nothing was found passes for its likeness to those that are harmless by their form.
    fn is_like_inert(&self, text: &str) -> bool {
        self.settings.unknown == Unknown::Inert && grammar::is_like_inert(text)
    }

    /// A value under a key that nobody documents.
    pub(super) fn unknown_text(&mut self, text: &str, counted: Marks) {
        if self.memo.has(INERT, text.as_bytes()) {
            return self.inert(text);
        }
        if self.under().is_some_and(|under| self.memo.has(under, text.as_bytes())) {
            if !self.is_like_inert(text) {
                self.undocumented();
            }
            return;
        }
        if self.is_spent() {
            return;
        }
        // Once enough is undocumented, one more that is not makes no difference.
        if self.report.undocumented.len() < MAX_FINDINGS && quick::may_be_inert(&counted) {
            self.visit(text.len());
            if grammar::is_inert(text) || self.is_declared(text, &counted) {
                self.memo.keep(INERT, text.as_bytes());
                return self.inert(text);
            }
        }
        // Long texts of whomever are refused in any case: what cannot be looked at to the end is refused for what it is.
        if self.is_refused_by_length(&counted) && LOOKS_AT_TEXT.saturating_mul(text.len() as u64) > self.left() {
            return self.undocumented();
        }
        let is_sure = self.look(text, &counted.measured(text.as_bytes()), TextKind::Free);
        if !is_sure && !self.is_like_inert(text) {
            self.undocumented();
        }
    }

    /// Whether a text under a key that nobody documents is too long for any form that proves it harmless, where that is asked.
    fn is_refused_by_length(&self, counted: &Marks) -> bool {
        let is_asked = self.readings == 0 && self.settings.unknown != Unknown::Observe;
        is_asked && counted.len > LONGEST_NAMED && !quick::may_be_inert(counted)
    }

    pub(super) fn unknown_number(&mut self, raw: &str) {
        if grammar::is_inert_number(raw) {
            return self.strictly_undocumented();
        }
        self.visit(raw.len());
        self.unfit(raw, &Marks::of(raw.as_bytes()), TextKind::Number);
    }
}
