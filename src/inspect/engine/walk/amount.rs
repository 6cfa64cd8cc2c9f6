//! Amounts: what is counted is one number, and a list of it is what was counted.

use super::Walk;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::shape::slot::Slot;

impl Walk<'_> {
    /// Where how many there are is documented, there is one number: a list is what was counted.
    pub(super) fn is_listed_amount(&self, slot: Slot) -> bool {
        match slot {
            Slot::Users => self.path.is_element() || self.path.is_of_a_list_of_persons(),
            Slot::Count => self.path.is_element(),
            _ => false,
        }
    }
}

/// What a text may be that its field cannot hold: where users are counted, one of them.
pub(super) const fn out_of_range(slot: Slot) -> TextKind {
    if matches!(slot, Slot::Users) { TextKind::Identity } else { TextKind::Free }
}
