//! What the page asks for, as JSON, and the decisions as they happen.

use super::Shown;
use super::guard::Guard;
use super::page::{Asked, Page, TEXT, page, streamed};
use super::status;
use crate::audit::feed;
use crate::explain::{Grounds, Question, explain};
use crate::policy::export;
use crate::proxy::Context;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::json;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

const JSON: &str = "application/json";
const CSV: &str = "text/csv; charset=utf-8";
/// RFC 8555 section 9.1.
const PEM: &str = "application/x-pem-file";
/// Server-sent events (HTML Living Standard section 9.2).
const EVENTS: &str = "text/event-stream";
/// Destinations of the list of those refused most.
const MOST_REFUSED: usize = 25;
/// Watchers at once: the others of the listener's connections are for scrapers.
const MAX_WATCHERS: usize = 16;
/// A stream that is silent for so long gets a comment: proxies and browsers give up connections on which nothing moves.
const STILL_THERE: Duration = Duration::from_secs(15);

/// The answer, if the path is one of these.
pub(super) fn answer(shown: &Arc<Shown>, context: &Arc<Context>, asked: &Arc<Asked>) -> Option<Page> {
    let json = |text: String| page(StatusCode::OK, JSON, text);
    Some(match asked.path.as_str() {
        "/api/status" => json(status::document(context, shown)),
        "/api/history" => json(shown.history.document()),
        "/api/decisions" => json(decisions(context)),
        "/api/observed" => json(observed(context)),
        "/api/explain" => explained(context, asked),
        "/api/configuration" => page(StatusCode::OK, TEXT, shown.configuration.load().to_string()),
        "/api/policy.json" => download(JSON, "allow-list.json", export::json(&context.engine.policy)),
        "/api/policy.csv" => download(CSV, "allow-list.csv", export::csv(&context.engine.policy)),
        "/ca.pem" => certificate(context),
        "/api/events" => events(shown, context, asked),
        _ => return None,
    })
}

fn download(content_type: &'static str, name: &str, text: impl Into<Bytes>) -> Page {
    let mut answer = page(StatusCode::OK, content_type, text);
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        answer.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// The certificate that clients are to trust; never its key.
fn certificate(context: &Context) -> Page {
    match &context.interception {
        Some(interception) => download(PEM, "ucx-egress-ca.pem", interception.certificate_pem.clone()),
        None => page(StatusCode::NOT_FOUND, TEXT, "nothing is decrypted, so there is no CA to trust\n"),
    }
}

fn decisions(context: &Context) -> String {
    let feed = &context.journal.feed;
    json!({ "last": feed.last(), "refused": feed.refused(MOST_REFUSED) }).to_string()
}

/// What was observed, in the form in which it is saved; `learn` reads it.
fn observed(context: &Context) -> String {
    serde_json::to_string_pretty(&context.observed.document())
        .map_or_else(|error| json!({ "error": error.to_string() }).to_string(), |text| text + "\n")
}

fn explained(context: &Context, asked: &Asked) -> Page {
    let wrong = |why: &str| page(StatusCode::BAD_REQUEST, JSON, json!({ "error": why }).to_string());
    let Some(destination) = asked.parameter("destination") else {
        return wrong("write ?destination=https://host/path or ?destination=host:port");
    };
    let client = match asked.parameter("client").map(|client| client.parse::<IpAddr>()) {
        None => None,
        Some(Ok(client)) => Some(client),
        Some(Err(_)) => return wrong("client is no address; write one such as 10.0.0.7"),
    };
    let method = asked.parameter("method");
    let routes = context.dialer.routes();
    let grounds = Grounds { policy: &context.engine.policy, intercepts: context.interception.is_some(), routes: &routes };
    let question = Question { destination: destination.trim(), client, method: method.as_deref() };
    let (_, explanation) = explain(&grounds, &question);
    match serde_json::to_string(&explanation) {
        Ok(text) => page(StatusCode::OK, JSON, text),
        Err(error) => page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
    }
}

/// Every decision as it happens, until the client leaves, would not be let in any more, or the proxy stops.
fn events(shown: &Arc<Shown>, context: &Arc<Context>, asked: &Arc<Asked>) -> Page {
    let feed = &context.journal.feed;
    if feed.watchers() >= MAX_WATCHERS {
        let why = format!("{MAX_WATCHERS} pages watch decisions as they happen, and no more may; close one of them\n");
        return page(StatusCode::SERVICE_UNAVAILABLE, TEXT, why);
    }
    let watcher = Watcher { context: context.clone(), decisions: feed.watch(), guards: shown.guard.watch(), asked: asked.clone() };
    streamed(StatusCode::OK, EVENTS, StreamBody::new(watcher.frames()).boxed_unsync())
}

/// Somebody who watches, and what let it in.
struct Watcher {
    context: Arc<Context>,
    decisions: Receiver<feed::Shown>,
    guards: watch::Receiver<Arc<Guard>>,
    asked: Arc<Asked>,
}

impl Watcher {
    fn frames(self) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
        stream::unfold((self, true), |(mut watcher, is_first)| async move {
            let text = if is_first { Some(":\n\n".to_owned()) } else { watcher.next().await };
            text.map(|text| (Ok(Frame::data(Bytes::from(text))), (watcher, false)))
        })
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            let received = tokio::select! {
                biased;
                // It fails only without a sender, which lives as long as what is shown.
                Ok(()) = self.guards.changed() => {
                    self.is_still_let_in().await.then_some(())?;
                    continue;
                }
                () = self.context.journal.stopped() => return None,
                received = timeout_at(Instant::now() + STILL_THERE, self.decisions.recv()) => received,
            };
            return match received {
                Err(_) => Some(":\n\n".to_owned()),
                Ok(Ok(shown)) => serde_json::to_string(&shown).ok().map(|json| format!("event: decision\ndata: {json}\n\n")),
                Ok(Err(RecvError::Lagged(skipped))) => Some(format!("event: skipped\ndata: {skipped}\n\n")),
                Ok(Err(RecvError::Closed)) => None,
            };
        }
    }

    /// By the guard in force now, with what was shown when the stream was asked for. Who cannot be checked is not let in either: a page
    /// comes back by itself.
    async fn is_still_let_in(&mut self) -> bool {
        let guard = self.guards.borrow_and_update().clone();
        guard.admit(&self.asked).await.is_ok()
    }
}
