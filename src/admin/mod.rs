//! What is shown: metrics, health and status on the admin listener, and what clients need to know there and on a listener of its
//! own. Read only.

pub mod discovery;
mod page;
pub mod reloads;
mod setup;
mod status;

use crate::listener::Accepted;
use crate::proxy::Live;
use arc_swap::ArcSwap;
use discovery::Discovery;
use http::StatusCode;
use page::{Page, TEXT, page};
use reloads::Reloads;
use std::net::SocketAddr;
use std::sync::Arc;

const JSON: &str = "application/json";
/// The exposition format's own type.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What there is to show.
#[derive(Debug)]
pub struct Shown {
    /// The proxy.
    pub live: Arc<Live>,
    /// What clients are told of it.
    pub discovery: ArcSwap<Discovery>,
    /// What became of reloads.
    pub reloads: Reloads,
}

/// Serves one connection to the admin listener.
pub async fn connection(shown: Arc<Shown>, accepted: Accepted) {
    page::serve(accepted, |path, local| answer(&shown, path, local)).await;
}

/// Serves one connection to the listener that shows clients what they need and nothing else.
pub async fn discovery_connection(shown: Arc<Shown>, accepted: Accepted) {
    let nothing = || page(StatusCode::NOT_FOUND, TEXT, "here are /proxy.pac, /wpad.dat, /no-proxy and /setup/\n");
    page::serve(accepted, |path, local| discovery::answer(&shown, path, local).unwrap_or_else(nothing)).await;
}

fn answer(shown: &Shown, path: &str, local: SocketAddr) -> Page {
    let context = shown.live.context();
    match path {
        "/metrics" => page(StatusCode::OK, METRICS, context.metrics.text()),
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" if context.journal.is_stopping() => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n"),
        "/readyz" => page(StatusCode::OK, TEXT, "ready\n"),
        "/api/status" => page(StatusCode::OK, JSON, status::document(&context, &shown.reloads)),
        _ => discovery::answer(shown, path, local).unwrap_or_else(|| page(StatusCode::NOT_FOUND, TEXT, HERE)),
    }
}

const HERE: &str = "here are /metrics, /healthz, /readyz, /api/status, /proxy.pac, /wpad.dat, /no-proxy and /setup/\n";
