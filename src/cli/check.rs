//! `check`: what is in force, and what can never act.

use super::{OK, failed, load, print};
use crate::config::shown::shown;
use std::path::Path;

/// Loads everything that `run` would and prints it.
#[must_use]
pub fn main(config: Option<&Path>) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match shown(&config) {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(problem) => failed(problem),
    }
}
