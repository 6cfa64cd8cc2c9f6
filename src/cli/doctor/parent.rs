//! Parent proxies: whether they are reached and take the credentials. What they refuse is said of the endpoint.

use super::line::{Area, Line};
use crate::config::Config;
use crate::error::Refusal;
use crate::upstream::parent::Parent;
use crate::upstream::parent::answer::CREDENTIALS;
use crate::upstream::parent::failure::UNREACHED;

/// One endpoint by way of one parent.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// As it is shown.
    pub(super) parent: String,
    /// Nothing, if it gave a connection.
    pub(super) failure: Option<Refusal>,
}

/// Whether a failure is one of the parent itself, whatever it is asked for.
pub(super) fn is_its_own(refusal: &Refusal) -> bool {
    [UNREACHED, CREDENTIALS].contains(&refusal.rule)
}

/// A line for each parent.
pub(super) fn lines(config: &Config, attempts: &[Attempt]) -> Vec<Line> {
    config.routes.parents.iter().map(|parent| line(parent, attempts)).collect()
}

fn line(parent: &Parent, attempts: &[Attempt]) -> Line {
    let shown = parent.shown();
    let mut own = attempts.iter().filter(|attempt| attempt.parent == shown).peekable();
    if own.peek().is_none() {
        return Line::skip(Area::Parent, shown, "no endpoint that can be looked at goes through it");
    }
    if let Some(failure) = own.find_map(|attempt| attempt.failure.as_ref().filter(|failure| is_its_own(failure))) {
        return Line::fail(Area::Parent, shown, "").said(failure, "check upstream.parent, and whether that proxy runs");
    }
    let credentials = if parent.has_credentials() { "takes the credentials" } else { "asks for no credentials" };
    Line::ok(Area::Parent, shown, format!("is reached, {credentials}"))
}
