//! Plain HTTP/1.1: one request and its answer, top to bottom.
//!
//! No documented service speaks plain HTTP; a site's own policy may allow it. Requests come in absolute-form on the proxy
//! listener, or in origin-form inside a CONNECT to a plain HTTP endpoint, where each one is decided again.

use super::again::connect_again;
use super::body::{AnswerBody, BodyError, Watched, Watcher};
use super::context::Context;
use super::entry::Entry;
use super::establish::decide;
use super::hop;
use super::respond::{DECISION_ID, refused};
use super::send::{self, Answered};
use super::upload::{Upload, UploadWatcher};
use crate::audit::{Ended, Record, Start};
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::head;
use crate::metrics::Protocol;
use crate::policy::Permit;
use crate::stall::StallLimit;
use crate::upstream::pool::RequestBody;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use std::sync::Arc;

/// Serves one request.
pub async fn exchange(context: Arc<Context>, entry: &Entry, stall: &StallLimit, request: Request<Incoming>) -> Response<AnswerBody> {
    let start = Start { client: entry.client(), protocol: Protocol::Http1, method: method_label(request.method()) };
    let mut record = context.record(start);
    if request.method() == Method::CONNECT {
        return connect_again(&context, entry, request, record).await;
    }
    let upload = Upload::new();
    match forward(&context, entry, request, &mut record, &upload).await {
        Ok((mut response, permit, sender)) => {
            record.answered(response.status().as_u16());
            hop::strip(response.headers_mut());
            let version = response.version();
            hop::add_via(response.headers_mut(), version, &context.pseudonym);
            // An intermediary answers in its own version (RFC 9110 section 2.5).
            *response.version_mut() = Version::HTTP_11;
            if let Ok(id) = HeaderValue::from_str(&record.id().to_string()) {
                response.headers_mut().insert(DECISION_ID, id);
            }
            let idle = permit.idle_timeout();
            stall.set(idle);
            let watcher = AnswerWatcher { context, permit, record, upload, stall: stall.clone(), sender: Some(sender) };
            response.map(|body| AnswerBody::upstream(Watched::new(body, idle, watcher)))
        }
        Err(refusal) => refused(&mut record, &refusal).into_response(),
    }
}

/// An answer, what allowed it, and the connection it comes over.
type Forwarded = (Response<Incoming>, Permit, SendRequest<RequestBody>);

/// One request: where to, allowed, made fit for the next hop, sent.
async fn forward(
    context: &Context,
    entry: &Entry,
    mut request: Request<Incoming>,
    record: &mut Record,
    upload: &Arc<Upload>,
) -> Result<Forwarded, Refusal> {
    let destination = route(context, record, entry, &mut request)?;
    record.destination(&destination);
    if method_label(request.method()) == OTHER_METHOD {
        return Err(Refusal::new(Reason::MethodNotAllowed, "this method is not forwarded", RuleName::Builtin("known-methods")));
    }
    if hop::came_through(request.headers(), &context.pseudonym) {
        return Err(Refusal::new(Reason::LoopDetected, "the request came through this proxy before (Via)", RuleName::Builtin("no-loops")));
    }
    let permit = decide(context, record, entry.client(), &destination)?;
    permit.plain_http().or_else(|refusal| context.enforce(record, refusal))?;
    prepare(context, &destination, &mut request)?;
    let request = watch_upload(request, &permit, record, upload);
    let (response, sender): Answered = send::send(context, &permit, request, upload, record).await?;
    check_answer(&response)?;
    record.allowed();
    Ok((response, permit, sender))
}

/// What an upstream must not answer: another protocol unasked, or a length that two parsers could read differently.
fn check_answer(response: &Response<Incoming>) -> Result<(), Refusal> {
    let refuse = |detail| Err(Refusal::new(Reason::UpstreamFailed, detail, RuleName::Builtin("upstream")));
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return refuse("the upstream switched protocols unasked");
    }
    let headers = response.headers();
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return refuse("the upstream's answer states its length twice (RFC 9112 section 6.3)");
    }
    Ok(())
}

/// Where the request goes, and its target turned into origin-form.
fn route(context: &Context, record: &mut Record, entry: &Entry, request: &mut Request<Incoming>) -> Result<Destination, Refusal> {
    let is_http_1_0 = request.version() == Version::HTTP_10;
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let host = head::check_fields(fields, is_http_1_0).map_err(|malformed| Refusal::bad_request(malformed.0))?.host;
    if host.is_none() && !is_http_1_0 {
        return Err(Refusal::bad_request("an HTTP/1.1 request needs a Host field (RFC 9112 section 3.2)"));
    }
    let (destination, path) = match entry {
        Entry::Forward { .. } => absolute_form(request.uri())?,
        Entry::Inner(inner) => (inner.destination.clone(), origin_form(request.uri())?),
    };
    if host.is_some_and(|host| host != destination.host) {
        let detail = "the Host field names another host than the request's destination";
        context.enforce(record, Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED))?;
    }
    *request.uri_mut() = path;
    Ok(destination)
}

fn absolute_form(uri: &Uri) -> Result<(Destination, Uri), Refusal> {
    let text = uri.to_string();
    let (destination, path) = Destination::from_absolute_form(text.as_bytes()).map_err(|malformed| Refusal::bad_request(malformed.0))?;
    let path = Uri::try_from(path.as_ref()).map_err(|_| Refusal::bad_request("the path of the request target is malformed"))?;
    Ok((destination, path))
}

fn origin_form(uri: &Uri) -> Result<Uri, Refusal> {
    if uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Refusal::bad_request("inside a tunnel the request target is a path"));
    }
    Ok(uri.clone())
}

/// Removes what belongs to this hop, names the host anew, adds `Via`.
fn prepare(context: &Context, destination: &Destination, request: &mut Request<Incoming>) -> Result<(), Refusal> {
    let version = request.version();
    let headers = request.headers_mut();
    let is_chunked = headers.contains_key(TRANSFER_ENCODING);
    hop::strip(headers);
    if is_chunked {
        // Without it the HTTP client would drop the body of a GET, whose length is not known.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    hop::hide_inside(headers);
    hop::add_via(headers, version, &context.pseudonym);
    let host = host_field(destination);
    let value = HeaderValue::from_str(&host).map_err(|_| Refusal::bad_request("the host cannot be written as a field"))?;
    headers.insert(HOST, value);
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

fn host_field(destination: &Destination) -> String {
    if destination.port == 80 { destination.host.to_string() } else { destination.to_string() }
}

fn watch_upload(request: Request<Incoming>, permit: &Permit, record: &Record, upload: &Arc<Upload>) -> Request<RequestBody> {
    let watcher = UploadWatcher { upload: upload.clone(), counter: record.metrics().bytes_up.clone() };
    let idle = permit.idle_timeout();
    request.map(|body| Watched::new(body, idle, watcher).map_err(Into::into).boxed_unsync())
}

/// Counts a download, writes the record at its end and keeps the connection.
struct AnswerWatcher {
    context: Arc<Context>,
    permit: Permit,
    record: Record,
    upload: Arc<Upload>,
    stall: StallLimit,
    sender: Option<SendRequest<RequestBody>>,
}

impl Drop for AnswerWatcher {
    fn drop(&mut self) {
        self.record.up = self.upload.bytes();
        if self.stall.was_passed() {
            self.record.cut(Reason::IdleTimeout);
        }
    }
}

impl Watcher for AnswerWatcher {
    fn passed(&mut self, bytes: u64) {
        self.record.down += bytes;
        self.record.metrics().bytes_down.inc_by(bytes);
    }

    fn ended(&mut self, result: Result<(), &BodyError>) {
        match result {
            Ok(()) => {
                self.record.ended(Ended::Completed);
                // A connection that still carries an upload is nobody else's.
                if let Some(sender) = self.sender.take().filter(|_| self.upload.is_complete()) {
                    self.context.pool.put(self.permit.destination(), sender);
                }
            }
            Err(BodyError::Idle) => self.record.cut(Reason::IdleTimeout),
            Err(BodyError::Source(_)) => self.record.cut(Reason::UpstreamFailed),
        }
    }
}

/// Methods that are forwarded, by the name the record uses.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        _ => OTHER_METHOD,
    }
}

const OTHER_METHOD: &str = "other";
