//! The end of a client's HTTP/2 connection that its client brought about: said to it, and recorded.

use super::respond::linger;
use crate::error::{Reason, Refusal, RuleName};
use crate::frames::Watch;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// The rule behind the ends of connections on which too much comes that costs more than it asks for.
const FLOODS: RuleName = RuleName::Builtin("http2-floods");

/// How long a client may take to be told.
const TOLD: Duration = Duration::from_secs(2);

/// How a client broke HTTP/2.
#[derive(Debug)]
pub struct Broken {
    /// What it did.
    pub refusal: Refusal,
    /// Whether its connection had begun.
    pub begun: bool,
}

/// Ends a connection that the HTTP/2 library has dropped, with its error if it had one. `None`: it ended in order, or its client is gone.
pub async fn end<S: AsyncRead + AsyncWrite + Unpin>(watch: Watch<S>, error: Option<&h2::Error>) -> Option<Broken> {
    let begun = watch.has_begun();
    let refusal = match watch.flood() {
        Some(flood) => Refusal::new(Reason::BadRequest, flood.words(), FLOODS),
        None => error.and_then(broken)?,
    };
    // A client that takes nothing is not told.
    if let Ok(Some(stream)) = timeout(TOLD, watch.left()).await {
        linger(stream).await;
    }
    Some(Broken { refusal, begun })
}

/// A client whose first frames do not come.
#[must_use]
pub fn late() -> Broken {
    let detail = "the client did not begin HTTP/2 in time (preface and SETTINGS, RFC 9113 section 3.4)";
    Broken { refusal: Refusal::bad_request(detail), begun: false }
}

/// What the library ended the connection for: not for what the client, or the network, ended itself.
fn broken(error: &h2::Error) -> Option<Refusal> {
    if !error.is_library() {
        return None;
    }
    match error.reason()? {
        h2::Reason::NO_ERROR => None,
        h2::Reason::ENHANCE_YOUR_CALM => {
            let detail = "the client sent more than is stored or reset for it (header sections, streams, small frames)";
            Some(Refusal::new(Reason::BadRequest, detail, FLOODS))
        }
        _ => Some(Refusal::bad_request("the client does not keep to HTTP/2 (RFC 9113)")),
    }
}
