//! Plain HTTP/1.1: one request and its answer, top to bottom.
//!
//! No documented service speaks plain HTTP; a site's own policy may allow it. Requests come in absolute-form on the proxy
//! listener, or in origin-form inside a CONNECT to a plain HTTP endpoint, where each one is decided again.

use super::body::{AnswerBody, BodyError, Watched, Watcher};
use super::context::Context;
use super::respond::{Answer, DECISION_ID};
use super::tunnel::{Inner, Tunnel};
use super::{connect, hop, tunnel};
use crate::audit::{Ended, Record, Start};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::accept::{Counted, contained};
use crate::listener::head::{self, MAX_FIELDS, MAX_HEAD};
use crate::listener::rewound::Rewound;
use crate::metrics::Protocol;
use crate::policy::{HelloCheck, Permit};
use crate::upstream::pool::{self, RequestBody};
use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;

/// How requests got here.
#[derive(Debug)]
pub enum Entry {
    /// Absolute-form on the proxy listener.
    Forward {
        /// The client.
        client: SocketAddr,
        /// Its place in limit and gauge, until a CONNECT on the same connection takes it over.
        open: Mutex<Option<Counted>>,
    },
    /// Inside a CONNECT to a plain HTTP endpoint.
    Inner(Inner),
}

impl Entry {
    fn client(&self) -> SocketAddr {
        match self {
            Self::Forward { client, .. } => *client,
            Self::Inner(inner) => inner.client,
        }
    }
}

/// Serves the requests of one connection, `ahead` first.
pub async fn connection(context: Arc<Context>, stream: TcpStream, ahead: Vec<u8>, entry: Entry) {
    let client = entry.client();
    let entry = Arc::new(entry);
    let serve = {
        let context = context.clone();
        service_fn(move |request| {
            let (context, entry) = (context.clone(), entry.clone());
            async move { Ok::<_, Infallible>(exchange(context, &entry, request).await) }
        })
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(context.limits.head)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(Rewound::new(stream, ahead)), serve)
        .with_upgrades()
        .await;
    if let Err(error) = served
        && error.is_parse()
    {
        let mut record = context.record(Start { client, protocol: Protocol::Http1, method: "-" });
        record.refused(&Refusal::bad_request("a later request on the connection is malformed"));
        record.answered(Reason::BadRequest.status());
    }
}

async fn exchange(context: Arc<Context>, entry: &Entry, request: Request<Incoming>) -> Response<AnswerBody> {
    let start = Start { client: entry.client(), protocol: Protocol::Http1, method: method_label(request.method()) };
    let mut record = context.record(start);
    if request.method() == Method::CONNECT {
        return connect_again(context, entry, request, record).await;
    }
    match forward(&context, entry, request, &mut record).await {
        Ok((mut response, permit, sender)) => {
            record.answered(response.status().as_u16());
            hop::strip(response.headers_mut());
            let version = response.version();
            hop::add_via(response.headers_mut(), version, &context.pseudonym);
            if let Ok(id) = HeaderValue::from_str(&record.id().to_string()) {
                response.headers_mut().insert(DECISION_ID, id);
            }
            let idle = permit.idle_timeout();
            let watcher = AnswerWatcher { context, permit, record, sender: Some(sender) };
            response.map(|body| AnswerBody::Upstream(Box::pin(Watched::new(body, idle, watcher))))
        }
        Err(refusal) => refuse(record, &refusal),
    }
}

fn refuse(mut record: Record, refusal: &Refusal) -> Response<AnswerBody> {
    record.refused(refusal);
    record.answered(refusal.reason.status());
    Answer::refusal(refusal, record.id()).into_response()
}

type Forwarded = (Response<Incoming>, Permit, SendRequest<RequestBody>);

/// One request: where to, allowed, made fit for the next hop, sent.
async fn forward(context: &Context, entry: &Entry, mut request: Request<Incoming>, record: &mut Record) -> Result<Forwarded, Refusal> {
    let destination = target(entry, &mut request)?;
    record.destination(&destination);
    if method_label(request.method()) == OTHER_METHOD {
        return Err(Refusal::new(Reason::MethodNotAllowed, "this method is not forwarded", RuleName::Builtin("known-methods")));
    }
    if hop::came_through(request.headers(), &context.pseudonym) {
        return Err(Refusal::new(Reason::LoopDetected, "the request came through this proxy before (Via)", RuleName::Builtin("no-loops")));
    }
    let permit = connect::decide(context, record, entry.client(), &destination)?;
    if !matches!(permit.check(), HelloCheck::PlainHttp | HelloCheck::Unchecked) {
        let detail = "this endpoint is documented with TLS only; use https:// (CONNECT) instead of plain http://";
        return Err(Refusal::new(Reason::NotTls, detail, RuleName::Builtin("tls-only")));
    }
    prepare(context, &destination, &mut request)?;
    let request = watch_upload(request, &permit, record);
    let (response, sender) = send(context, &permit, request, record).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Refusal::new(Reason::UpstreamFailed, "the upstream switched protocols unasked", RuleName::Builtin("upstream")));
    }
    record.allowed();
    Ok((response, permit, sender))
}

/// Where the request goes, and its target turned into origin-form.
fn target(entry: &Entry, request: &mut Request<Incoming>) -> Result<Destination, Refusal> {
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
        return Err(Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED));
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
    hop::strip(headers);
    hop::hide_inside(headers);
    hop::add_via(headers, version, &context.pseudonym);
    let host = host_field(destination);
    let value = HeaderValue::from_str(&host).map_err(|_| Refusal::bad_request("the host cannot be written as a field"))?;
    headers.insert(HOST, value);
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}

fn host_field(destination: &Destination) -> String {
    match (&destination.host, destination.port) {
        (host, 80) => host.to_string(),
        (Host::Name(_) | Host::Address(_), _) => destination.to_string(),
    }
}

fn watch_upload(request: Request<Incoming>, permit: &Permit, record: &Record) -> Request<RequestBody> {
    let watcher = UploadWatcher { bytes: record.metrics().bytes_up.clone() };
    let idle = permit.idle_timeout();
    request.map(|body| Watched::new(body, idle, watcher).map_err(Into::into).boxed_unsync())
}

/// Sends over a kept connection; one that died meanwhile is replaced once, as long as nothing of the request was sent.
async fn send(
    context: &Context,
    permit: &Permit,
    request: Request<RequestBody>,
    record: &Record,
) -> Result<(Response<Incoming>, SendRequest<RequestBody>), Refusal> {
    let mut request = request;
    if let Some(mut kept) = context.pool.take(permit.destination()).await {
        match answer(context, &mut kept, request).await {
            Ok(response) => return Ok((response, kept)),
            Err(Unsent::Refused(refusal)) => return Err(refusal),
            Err(Unsent::Request(unsent)) => request = *unsent,
        }
    }
    let stream = connect::dial(context, record, permit).await?;
    let mut fresh = pool::open(stream).await.map_err(|_| upstream_failed())?;
    match answer(context, &mut fresh, request).await {
        Ok(response) => Ok((response, fresh)),
        Err(Unsent::Refused(refusal)) => Err(refusal),
        Err(Unsent::Request(_)) => Err(upstream_failed()),
    }
}

/// Why there is no answer.
enum Unsent {
    /// The connection was gone before anything was sent.
    Request(Box<Request<RequestBody>>),
    Refused(Refusal),
}

async fn answer(
    context: &Context,
    sender: &mut SendRequest<RequestBody>,
    request: Request<RequestBody>,
) -> Result<Response<Incoming>, Unsent> {
    match tokio::time::timeout(context.limits.answer, sender.try_send_request(request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(mut error)) => match error.take_message() {
            Some(unsent) => Err(Unsent::Request(Box::new(unsent))),
            None => Err(Unsent::Refused(upstream_failed())),
        },
        Err(_) => {
            let detail = "the upstream took the request and did not answer in time";
            Err(Unsent::Refused(Refusal::new(Reason::IdleTimeout, detail, RuleName::Builtin("upstream"))))
        }
    }
}

fn upstream_failed() -> Refusal {
    Refusal::new(Reason::UpstreamFailed, "the upstream broke off, or its answer is not HTTP/1.1", RuleName::Builtin("upstream"))
}

/// Counts an upload.
struct UploadWatcher {
    bytes: prometheus::IntCounter,
}

impl Watcher for UploadWatcher {
    fn passed(&mut self, bytes: u64) {
        self.bytes.inc_by(bytes);
    }

    fn ended(&mut self, _result: Result<(), &BodyError>) {}
}

/// Counts a download, writes the record at its end and keeps the connection.
struct AnswerWatcher {
    context: Arc<Context>,
    permit: Permit,
    record: Record,
    sender: Option<SendRequest<RequestBody>>,
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
                if let Some(sender) = self.sender.take() {
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

/// A CONNECT on a connection that served other requests before.
async fn connect_again(context: Arc<Context>, entry: &Entry, request: Request<Incoming>, mut record: Record) -> Response<AnswerBody> {
    let open = match entry {
        Entry::Forward { open, .. } => open.lock().unwrap_or_else(PoisonError::into_inner).take(),
        Entry::Inner(_) => None,
    };
    let Some(open) = open else {
        let refusal = Refusal::new(Reason::MethodNotAllowed, "there is no CONNECT inside a tunnel", RuleName::Builtin("known-methods"));
        return refuse(record, &refusal);
    };
    let established = match connect_request(entry, &request) {
        Ok(request) => connect::establish(&context, &mut record, &request).await,
        Err(refusal) => Err(refusal),
    };
    let (permit, upstream) = match established {
        Ok(established) => established,
        Err(refusal) => return refuse(record, &refusal),
    };
    record.answered(200);
    let (for_tunnel, metrics) = (context.clone(), context.metrics.clone());
    let upgrade = hyper::upgrade::on(request);
    let handed_over = async move {
        // A client that left before the answer was written leaves nothing to relay.
        let Some((client, ahead)) = upgrade.await.ok().and_then(taken_back) else { return };
        tunnel::run(for_tunnel, Tunnel { client, upstream, ahead, permit, record, open }).await;
    };
    tokio::spawn(contained(handed_over, metrics));
    Response::new(AnswerBody::full(""))
}

/// The socket behind the HTTP server, and what was read from it beyond the request.
fn taken_back(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Rewound>>().ok()?;
    let (client, unread) = parts.io.into_inner().into_parts();
    Some((client, [&parts.read_buf[..], &unread[..]].concat()))
}

fn connect_request(entry: &Entry, request: &Request<Incoming>) -> Result<connect::Request, Refusal> {
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let read = head::check_fields(fields, request.version() == Version::HTTP_10).map_err(|malformed| Refusal::bad_request(malformed.0))?;
    if read.has_body {
        return Err(Refusal::bad_request("a CONNECT request has no body"));
    }
    let destination =
        Destination::from_authority(request.uri().to_string().as_bytes()).map_err(|malformed| Refusal::bad_request(malformed.0))?;
    Ok(connect::Request { client: entry.client(), destination, host: read.host })
}
