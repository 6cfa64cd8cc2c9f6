//! The vendor's documented test: `GET /test` and its body. Its `Date` also says how far the two clocks are apart.

use super::line::{Area, Line};
use super::targets::TEST_PATH;
use crate::cli::demo::TEST_BODY;
use crate::destination::Destination;
use crate::socket::Socket;
use bytes::Bytes;
use http::header::{DATE, HOST};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::PrimitiveDateTime;
use time::macros::format_description;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// Longest body that is read.
const MAX_BODY: usize = 16 * 1024;
/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
const ELSE: &str = "something on the way answers in the cloud's place: have the host passed there unread";

/// The line, and the skew of the clocks where the answer has a date.
pub(super) async fn test(destination: &Destination, stream: TlsStream<Socket>, deadline: Duration) -> (Line, Option<i64>) {
    let subject = format!("GET https://{}{TEST_PATH}", destination.host);
    let answered = timeout(deadline.min(PATIENCE), ask(destination, stream)).await;
    let Ok(Ok((status, headers, body))) = answered else {
        let seen = if answered.is_err() { "no answer in time" } else { "the answer broke off, or is no HTTP" };
        return (Line::fail(Area::Http, subject, seen).remedy(ELSE), None);
    };
    let skew = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(seconds).map(|theirs| theirs - now());
    let wanted: Value = serde_json::from_str(TEST_BODY).unwrap_or_default();
    let line = if status != StatusCode::OK {
        Line::fail(Area::Http, subject, format!("status {}", status.as_u16())).remedy(ELSE)
    } else if serde_json::from_slice::<Value>(&body).ok().as_ref() != Some(&wanted) {
        Line::fail(Area::Http, subject, "200, but not the documented body").remedy(ELSE)
    } else {
        Line::ok(Area::Http, subject, "200 and the documented body")
    };
    (line, skew)
}

async fn ask(destination: &Destination, stream: TlsStream<Socket>) -> Result<(StatusCode, HeaderMap, Bytes), String> {
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get(TEST_PATH).header(HOST, destination.host.to_string()).body(Empty::<Bytes>::new());
    let asking = async {
        let response = sender.send_request(request.map_err(|error| error.to_string())?).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| error.to_string())?;
        Ok((head.status, head.headers, body.to_bytes()))
    };
    tokio::select! {
        answer = asking => answer,
        () = driven(connection) => Err(String::new()),
    }
}

/// Moves the connection's bytes for as long as the answer is waited for; what breaks it, the answer says.
async fn driven(connection: impl Future<Output = hyper::Result<()>>) {
    // Its error is the sender's too.
    let _ = connection.await;
    std::future::pending::<()>().await;
}

/// Seconds since 1970 of an IMF-fixdate (RFC 9110 section 5.6.7).
fn seconds(date: &str) -> Option<i64> {
    let form = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    PrimitiveDateTime::parse(date, form).ok().map(|time| time.assume_utc().unix_timestamp())
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        for other in ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "\u{202e}"] {
            assert_eq!(seconds(other), None, "{other}");
        }
    }
}
