//! What is shown: a page with its JSON, metrics and health on the admin listener, and what clients need to know there and on a listener
//! of its own. Read only.

mod api;
pub mod discovery;
pub mod guard;
pub mod history;
mod page;
pub mod readiness;
pub mod reloads;
mod setup;
mod status;

use crate::fault::Layer;
use crate::listener::{Accepted, Gate};
use crate::proxy::Live;
use crate::tls::reception::Reception;
use arc_swap::ArcSwap;
use discovery::Discovery;
use guard::Guards;
use history::History;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use http::{HeaderValue, StatusCode};
use page::{Asked, CSS, HTML, Page, TEXT, page};
use reloads::Reloads;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Connections to one listener that only shows at once.
const MOST: usize = 64;
/// Of these one address leaves a quarter for others, also where all of its own are answered, however slowly they are read.
const LEFT_TO_OTHERS: usize = 4;
/// The exposition format's own type.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// Our own script, style and data; nothing from elsewhere, nothing inline, no frame around it.
const OWN_ALONE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// Nobody else's page embeds ours, or what it asks for.
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// What there is to show.
#[derive(Debug)]
pub struct Shown {
    /// The proxy.
    pub live: Arc<Live>,
    /// What clients are told of it.
    pub discovery: ArcSwap<Discovery>,
    /// Who is let in.
    pub guard: Guards,
    /// The configuration in force, as people read it.
    pub configuration: ArcSwap<String>,
    /// TLS to the proxy itself.
    pub receptions: ArcSwap<Vec<Arc<Reception>>>,
    /// What became of reloads.
    pub reloads: Reloads,
    /// The last hour.
    pub history: Arc<History>,
    /// Who is connected to the admin listener, over reloads.
    pub admins: Arc<Gate>,
    /// Who is connected to the one for clients.
    pub clients: Arc<Gate>,
    /// When the process was started.
    pub started: SystemTime,
}

/// Places at a listener that only shows. Whoever says nothing there makes room at once: a browser and Prometheus come back.
#[must_use]
pub fn gate() -> Arc<Gate> {
    Gate::with(MOST, LEFT_TO_OTHERS, Duration::ZERO)
}

/// Serves one connection to the admin listener.
pub async fn connection(shown: Arc<Shown>, accepted: Accepted) {
    page::serve(accepted, |asked| answer(shown.clone(), asked)).await;
}

/// Serves one connection to the listener that shows clients what they need and nothing else.
pub async fn discovery_connection(shown: Arc<Shown>, accepted: Accepted) {
    let nothing = || page(StatusCode::NOT_FOUND, TEXT, "here are /proxy.pac, /wpad.dat, /no-proxy and /setup/\n");
    page::serve(accepted, async |asked| discovery::answer(&shown, &asked).unwrap_or_else(nothing)).await;
}

async fn answer(shown: Arc<Shown>, asked: Asked) -> Page {
    shown.live.context().journal.faults().strike(Layer::Admin);
    let asked = Arc::new(asked);
    let guard = shown.guard.load();
    let mut answer = match guard.admit(&asked).await {
        Ok(()) => show(&shown, &asked),
        Err(refusal) => *refusal,
    };
    answer.headers_mut().insert(HeaderName::from_static("cross-origin-resource-policy"), SAME_ORIGIN);
    answer
}

fn show(shown: &Arc<Shown>, asked: &Arc<Asked>) -> Page {
    let context = shown.live.context();
    match asked.path.as_str() {
        "/" => own(HTML, include_str!("static/index.html")),
        "/page.css" => own(CSS, include_str!("static/page.css")),
        "/page.js" => own(JAVASCRIPT, include_str!("static/page.js")),
        "/charts.js" => own(JAVASCRIPT, include_str!("static/charts.js")),
        "/icon.svg" => own("image/svg+xml", include_str!("static/icon.svg")),
        "/metrics" => page(StatusCode::OK, METRICS, context.metrics.text()),
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => match readiness::hindrance(&context) {
            Some(why) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
            None => page(StatusCode::OK, TEXT, format!("{}\n", readiness::READY)),
        },
        _ => {
            let found = api::answer(shown, &context, asked).or_else(|| discovery::answer(shown, asked));
            found.unwrap_or_else(|| page(StatusCode::NOT_FOUND, TEXT, HERE))
        }
    }
}

/// A part of the page, which is part of the program.
fn own(content_type: &'static str, text: &'static str) -> Page {
    let mut answer = page(StatusCode::OK, content_type, text);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, OWN_ALONE);
    answer
}

const HERE: &str = "here are / (a page), /metrics, /healthz, /readyz, /api/status, /api/decisions, /api/history, /api/events, /api/observed, /api/explain, /api/configuration, \
                    /api/policy.json, /api/policy.csv, /ca.pem, /proxy.pac, /wpad.dat, /no-proxy and /setup/\n";
