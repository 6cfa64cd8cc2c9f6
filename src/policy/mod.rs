//! Policy: what may leave, as data, and the one function that decides.
//!
//! Pure: no async, clock, I/O or logging. A policy is compiled when it loads; a decision is a few hash lookups.

pub mod canary;
pub mod compile;
pub mod decision;
pub mod document;
pub mod export;
pub mod host_set;
pub mod nearest;
pub mod pac;
pub mod paths;
pub mod pattern;
pub mod rules;

pub use decision::{Decision, HelloCheck, Permit, Policy, Subject, Verdict};
pub use document::{Document, PersonalData, Profile, Treatment, WireProtocol};
pub use paths::PathRule;
pub use rules::{Cited, Mode, Options, Rule, ServiceId, ServiceInfo};
