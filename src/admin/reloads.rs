//! What became of the reloads so far.

use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::moment::seconds;

/// What became of the reloads so far.
#[derive(Debug)]
pub struct Reloads(Mutex<State>);

#[derive(Debug)]
struct State {
    /// When what is in force was loaded.
    loaded: SystemTime,
    applied: u64,
    rejected: u64,
    /// Why the last one was rejected, if nothing was applied since.
    error: Option<(SystemTime, String)>,
}

impl Default for Reloads {
    fn default() -> Self {
        Self(Mutex::new(State { loaded: SystemTime::now(), applied: 0, rejected: 0, error: None }))
    }
}

impl Reloads {
    /// Another configuration is in force.
    pub fn applied(&self) {
        let mut state = self.lock();
        state.loaded = SystemTime::now();
        state.applied += 1;
        state.error = None;
    }

    /// A configuration was not taken.
    pub fn rejected(&self, error: &str) {
        let mut state = self.lock();
        state.rejected += 1;
        state.error = Some((SystemTime::now(), error.to_owned()));
    }

    /// For `/api/status`.
    pub(super) fn document(&self) -> Value {
        let state = self.lock();
        json!({
            "loaded": seconds(state.loaded),
            "applied": state.applied,
            "rejected": state.rejected,
            "error": state.error.as_ref().map(|(at, error)| json!({ "at": seconds(*at), "message": error })),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
