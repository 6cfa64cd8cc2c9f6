//! Whether exchanges that begin now go on, for whoever sends them here or elsewhere.

use crate::proxy::Context;

/// Said where nothing is in the way.
pub const READY: &str = "ready";
/// It stops: nobody new comes in.
pub const STOPPING: &str = "stopping";
/// With `audit.on_failure = "fail_closed"`, what cannot be recorded does not begin.
pub const UNRECORDED: &str =
    "every exchange is refused: its record cannot be written to audit.path, and audit.on_failure is \"fail_closed\"; the log says why";

/// What is in the way of exchanges that begin now.
#[must_use]
pub fn hindrance(context: &Context) -> Option<&'static str> {
    let journal = &context.journal;
    if journal.is_leaving() {
        return Some(STOPPING);
    }
    journal.audit().filter(|audit| audit.refuses()).map(|_| UNRECORDED)
}
