//! What happened, once for each exchange: to the log, the metrics and the audit files, also when the exchange was cancelled.
//!
//! An exchange reserves its place in the queue when it starts; its `Record` goes there when it is dropped, and one thread writes. Each line
//! of the files holds on to the one before ([`chain`]), checkpoints are signed ([`key`]), files follow each other ([`files`]).

mod batch;
pub mod chain;
pub mod entry;
pub mod fate;
pub mod feed;
pub mod files;
mod id;
pub mod journal;
pub mod key;
pub mod lines;
pub mod observation;
pub mod queue;
pub mod record;
pub mod sink;
pub mod tally;
pub mod unvouched;
pub mod verify;
pub mod writer;

pub use entry::{Event, InForce};
pub use fate::{Fate, revoked};
pub use id::DecisionId;
pub use journal::Journal;
pub use record::{Basis, Ended, Record, Start};
pub use sink::Audit;
pub use tally::Counted;
pub use writer::Settings;
