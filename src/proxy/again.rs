//! A CONNECT on a connection that served other requests before.

use super::body::AnswerBody;
use super::context::Context;
use super::entry::{Entry, HandOver};
use super::establish::{self, ESTABLISHED, establish};
use super::respond::{add_decision_id, refused};
use crate::audit::Record;
use crate::destination::{Destination, Malformed};
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::head::{self, Fields};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use std::sync::Arc;

/// Decides and dials as for a first CONNECT, then leaves the tunnel to whoever serves the connection.
pub async fn connect_again(context: &Arc<Context>, entry: &Entry, request: Request<Incoming>, mut record: Record) -> Response<AnswerBody> {
    let Some(open) = entry.take_place() else {
        let refusal = Refusal::new(Reason::MethodNotAllowed, "there is no CONNECT inside a tunnel", RuleName::Builtin("known-methods"));
        return refused(&mut record, &refusal).into_response(Version::HTTP_11);
    };
    let established = match connect_request(entry, &request) {
        Ok(request) => establish(context, &mut record, &request).await,
        Err(refusal) => Err(refusal),
    };
    let (permit, way) = match established {
        Ok(established) => established,
        Err(refusal) => return refused(&mut record, &refusal).into_response(Version::HTTP_11),
    };
    record.answered(200);
    let answer = established_answer(&record);
    entry.hand_over(HandOver { context: context.clone(), upgrade: hyper::upgrade::on(request), way, permit, record, open });
    answer
}

/// The same answer as to a first CONNECT.
fn established_answer(record: &Record) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::full(""));
    answer.extensions_mut().insert(ReasonPhrase::from_static(ESTABLISHED.as_bytes()));
    add_decision_id(record, answer.headers_mut());
    answer
}

fn connect_request(entry: &Entry, request: &Request<Incoming>) -> Result<establish::Request, Refusal> {
    let malformed = |malformed: Malformed| Refusal::bad_request(malformed.0);
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let Fields { host, credentials, .. } = head::check_fields(fields, request.version() == Version::HTTP_10).map_err(malformed)?;
    let destination = Destination::from_authority(request.uri().to_string().as_bytes()).map_err(malformed)?;
    Ok(establish::Request { client: entry.client(), destination, host, caller: entry.caller(credentials) })
}
