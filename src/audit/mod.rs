//! What happened, once for each exchange: to the log and the metrics, also when the exchange was cancelled.

pub mod feed;
pub mod record;

pub use record::{DecisionId, Ended, Fate, Journal, Record, Start, revoked};
