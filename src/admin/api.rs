//! What the page asks for, as JSON, and the decisions as they happen.

use super::Shown;
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
pub(super) fn answer(shown: &Arc<Shown>, context: &Arc<Context>, asked: &Asked) -> Option<Page> {
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
        "/api/events" => events(context),
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

/// Every decision as it happens, until the client leaves or the proxy stops.
fn events(context: &Arc<Context>) -> Page {
    let feed = &context.journal.feed;
    if feed.watchers() >= MAX_WATCHERS {
        return page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "as many watch as may; close another page\n");
    }
    let frames = stream_of(context.clone(), feed.watch());
    streamed(StatusCode::OK, EVENTS, StreamBody::new(frames).boxed_unsync())
}

fn stream_of(context: Arc<Context>, watching: Receiver<feed::Shown>) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    stream::unfold((context, watching, true), |(context, mut watching, is_first)| async move {
        let text = if is_first { Some(":\n\n".to_owned()) } else { next(&context, &mut watching).await };
        text.map(|text| (Ok(Frame::data(Bytes::from(text))), (context, watching, false)))
    })
}

async fn next(context: &Context, watching: &mut Receiver<feed::Shown>) -> Option<String> {
    let received = tokio::select! {
        received = timeout_at(Instant::now() + STILL_THERE, watching.recv()) => received,
        () = context.journal.stopped() => return None,
    };
    match received {
        Err(_) => Some(":\n\n".to_owned()),
        Ok(Ok(shown)) => serde_json::to_string(&shown).ok().map(|json| format!("event: decision\ndata: {json}\n\n")),
        Ok(Err(RecvError::Lagged(skipped))) => Some(format!("event: skipped\ndata: {skipped}\n\n")),
        Ok(Err(RecvError::Closed)) => None,
    }
}
