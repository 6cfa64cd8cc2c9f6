//! Plain HTTP/1.1: one request and its answer, top to bottom.
//!
//! No documented service speaks plain HTTP; a site's own policy may allow it. Requests come in absolute-form on the proxy
//! listener, or in origin-form inside a CONNECT to a plain HTTP endpoint, where each one is decided again.

use super::again::connect_again;
use super::body::{AnswerBody, Watched};
use super::context::Context;
use super::entry::Entry;
use super::establish::decide;
use super::forward::{AnswerWatcher, check_answer, check_request, host_field, mark, method_label};
use super::hop;
use super::identify::identify;
use super::repeat::Again;
use super::respond::{Answer, refused};
use super::send::{self, Answered, Outgoing, Route};
use super::sent::Sent;
use super::upload::{Upload, UploadWatcher};
use crate::access::Offered;
use crate::audit::{Record, Start};
use crate::contain::{caught, refusing};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::listener::head::{self, Fields};
use crate::metrics::{Coverage, Protocol};
use crate::policy::Permit;
use crate::stall::StallLimit;
use crate::upstream::{Connection, RequestBody};
use http::header::{EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::future::Future;
use std::sync::Arc;

/// A Host field without a port means this one.
const HTTP: u16 = 80;

/// Serves one request. A panic on the way is the answer to this one and ends nothing else.
pub fn exchange(
    context: Arc<Context>,
    entry: Arc<Entry>,
    stall: StallLimit,
    request: Request<Incoming>,
) -> impl Future<Output = Response<AnswerBody>> {
    let start = Start { client: entry.client(), protocol: Protocol::Http1, method: method_label(request.method()) };
    let (record, metrics) = (context.record(start), context.metrics.clone());
    let id = record.id();
    let answer = move |defect| Answer::refusal(&defect, id).into_response(Version::HTTP_11);
    caught(serve(context, entry, stall, request, record), &metrics, answer)
}

async fn serve(
    context: Arc<Context>,
    entry: Arc<Entry>,
    stall: StallLimit,
    request: Request<Incoming>,
    mut record: Record,
) -> Response<AnswerBody> {
    if request.method() == Method::CONNECT {
        // Rare, and large.
        return Box::pin(connect_again(&context, &entry, request, record)).await;
    }
    let upload = Upload::new();
    let forwarding = forward(&context, &entry, request, &mut record, &upload);
    match refusing(forwarding, &context.metrics).await {
        Ok((mut response, permit, connection)) => {
            record.strike(Layer::Answer);
            record.answered(response.status().as_u16());
            hop::strip(response.headers_mut());
            mark(&context, &record, &mut response);
            // An intermediary answers in its own version (RFC 9110 section 2.5).
            *response.version_mut() = Version::HTTP_11;
            let idle = permit.idle_timeout();
            stall.set(idle);
            let (sent, connection) = (Sent::Streamed(upload), Some(connection));
            let watcher = AnswerWatcher { record, sent, stall, connection, taking: None, sent_before: 0, coverage: None };
            response.map(|body| AnswerBody::upstream(Watched::new(body, idle, watcher)))
        }
        Err(refusal) => refused(&mut record, &refusal).into_response(Version::HTTP_11),
    }
}

/// An answer, what allowed it, and the connection it comes over.
type Forwarded = (Response<Incoming>, Permit, Connection);

/// One request: where to, allowed, made fit for the next hop, sent.
async fn forward(
    context: &Context,
    entry: &Entry,
    mut request: Request<Incoming>,
    record: &mut Record,
    upload: &Arc<Upload>,
) -> Result<Forwarded, Refusal> {
    let Routed { destination, host, credentials } = route(entry, &mut request)?;
    record.destination(&destination);
    match entry {
        Entry::Forward { peer, .. } => identify(context, record, peer.address, &entry.caller(credentials)).await?,
        // Whoever opened the tunnel was asked then, and counts for as long as that holds.
        Entry::Inner(inner) => {
            record.identified(&inner.identity);
            inner.is_let_in(context)?;
        }
    }
    check_host(context, record, host.as_ref(), &destination)?;
    check_request(context, request.method(), request.headers())?;
    let permit = decide(context, record, entry.client(), &destination)?;
    permit.plain_http().or_else(|refusal| context.enforce(record, refusal))?;
    prepare(context, &destination, &mut request)?;
    let request = watch_upload(request, &permit, record, upload);
    let again = repeatable(&request);
    let outgoing = Outgoing { request, again, sent: Sent::Streamed(upload.clone()), answer: context.limits.answer };
    let (response, connection): Answered = send::send(context, Route::Plain, &permit, outgoing, record).await?;
    check_answer(&response)?;
    record.allowed();
    // No policy loads in which an endpoint of a service that is to be inspected speaks plain HTTP; what passes here was not looked at.
    record.covered(Coverage::Tunnelled);
    Ok((response, permit, connection))
}

/// A copy of a request that may be sent twice: safe, and without a body.
fn repeatable(request: &Request<RequestBody>) -> Option<Again> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_safe || !request.body().is_end_stream() {
        return None;
    }
    Some(Again::of(request.method(), request.uri(), request.version(), request.headers(), None))
}

/// What the head of a request says.
struct Routed {
    destination: Destination,
    host: Option<Host>,
    credentials: Option<Offered>,
}

/// Where the request goes and on whose behalf, and its target turned into origin-form.
fn route(entry: &Entry, request: &mut Request<Incoming>) -> Result<Routed, Refusal> {
    let is_http_1_0 = request.version() == Version::HTTP_10;
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let Fields { host, credentials, .. } =
        head::check_fields(fields, is_http_1_0).map_err(|malformed| Refusal::bad_request(malformed.0))?;
    if host.is_none() && !is_http_1_0 {
        return Err(Refusal::bad_request("an HTTP/1.1 request needs a Host field (RFC 9112 section 3.2)"));
    }
    let (destination, path) = match entry {
        Entry::Forward { .. } => absolute_form(request.uri())?,
        Entry::Inner(inner) => (inner.destination.clone(), origin_form(request.uri())?),
    };
    *request.uri_mut() = path;
    Ok(Routed { destination, host, credentials })
}

fn check_host(context: &Context, record: &mut Record, host: Option<&Host>, destination: &Destination) -> Result<(), Refusal> {
    if host.is_some_and(|host| *host != destination.host) {
        let detail = "the Host field names another host than the request's destination";
        context.enforce(record, Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED))?;
    }
    Ok(())
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
    // This proxy asks for the body itself: nobody behind it has to be asked for leave.
    headers.remove(EXPECT);
    if is_chunked {
        // Without it the HTTP client would drop the body of a GET, whose length is not known.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    hop::hide_inside(headers);
    context.pseudonym.add(headers, version);
    headers.insert(HOST, host_field(destination, HTTP)?);
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

fn watch_upload(request: Request<Incoming>, permit: &Permit, record: &Record, upload: &Arc<Upload>) -> Request<RequestBody> {
    let watcher = UploadWatcher {
        upload: upload.clone(),
        counter: record.metrics().bytes_up.clone(),
        panics: record.metrics().panics.clone(),
        activity: None,
    };
    let idle = permit.idle_timeout();
    request.map(|body| Watched::upload(body, idle, watcher).map_err(Into::into).boxed_unsync())
}
