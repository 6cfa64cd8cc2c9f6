//! An intercepted connection: TLS with the client in the cloud's place, then its requests one by one.

use super::calm::Broken;
use super::channel::{Activity, Channel};
use super::context::Context;
use super::conversation::Conversation;
use super::forward::host_field;
use super::http1::Terms;
use super::inner::HTTPS;
use super::inspected;
use super::live::Live;
use super::observed::{Observed, Rewound, Seen, Sight, alert};
use super::standing::{Carrier, Place};
use super::tunnel::Opened;
use super::{http1, http2};
use crate::audit::{Ended, Record};
use crate::contain::{caught, contained};
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::accept::Counted;
use crate::listener::head::Form;
use crate::policy::Permit;
use crate::proxy::interception::{Interception, OnRejection, Rejection};
use crate::socket::{SEALED, Socket};
use crate::stall::{StallLimit, Stalling};
use rustls::{AlertDescription, HandshakeKind};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The rule behind refusals of the client's TLS.
const RULE: RuleName = RuleName::Builtin("interception");

/// A decrypted connection.
type Decrypted = TlsStream<Rewound<Stalling<Socket>>>;

/// By hanging up.
const SILENCE: How = How { words: "it hung up without a word", rejection: Rejection::Silence, falls_back: true };

/// How a client rejected our certificate.
#[derive(Debug, Clone, Copy)]
struct How {
    words: &'static str,
    rejection: Rejection,
    /// Whether a tunnel would help it: not where our certificate has expired.
    falls_back: bool,
}

/// Why there is no TLS with a client.
enum Unshaken {
    /// It did not take our certificate; how it said so.
    Rejected(How),
    /// Something else went wrong.
    Failed(Refusal),
}

/// Serves the connection in a task of its own, which a reload can end.
pub fn start(live: &Arc<Live>, opened: Box<Opened>) {
    let Opened { context, permit, record, open, .. } = &*opened;
    let metrics = context.metrics.clone();
    let place = live.stand(context, permit, record, open, Carrier::Intercepted);
    let member = place.member().clone();
    let task = tokio::spawn(contained(serve(live.clone(), place, opened), metrics));
    member.ended_by(task.abort_handle());
}

/// Shakes hands and serves the requests of the connection until its end.
async fn serve(live: Arc<Live>, place: Place, opened: Box<Opened>) {
    let Opened { context, client, ahead, permit, mut record, open, interception, http2 } = *opened;
    record.carried(place.member().fate());
    let address = record.client();
    let stall = StallLimit::new(permit.idle_timeout());
    let stream = Rewound::new(ahead, Stalling::new(client, stall.clone()));
    let shaking = shake_hands(&context, &interception, stream, http2, &open);
    let shaken = caught(shaking, &context.metrics, |defect| Err(Unshaken::Failed(defect))).await;
    context.metrics.client_handshakes.ended(shaken.is_ok());
    let stream = match shaken {
        Ok(stream) => stream,
        Err(Unshaken::Rejected(how)) => return rejected(&context, &interception, &permit, address, &mut record, how),
        Err(Unshaken::Failed(refusal)) => return record.refused(&refusal),
    };
    // Resumed sessions show no certificate that could be rejected.
    let shown = stream.get_ref().1.handshake_kind() != Some(HandshakeKind::Resumed);
    let host = match host_field(permit.destination(), HTTPS) {
        Ok(host) => host,
        Err(refusal) => return record.refused(&refusal),
    };
    let (identity, activity) = (record.identity().clone(), Activity::default());
    let fate = place.member().fate().clone();
    let channel = Arc::new(Channel {
        client: address,
        listener: open.listener(),
        identity,
        permit: permit.clone(),
        host,
        interception,
        activity,
        fate,
    });
    let sight = Sight::default();
    let conversation = Arc::new(Conversation::new(live, context.clone(), channel.clone()));
    let broken = converse(&context, &conversation, &channel, stream, sight.clone(), stall).await;
    match (shown, sight.seen()) {
        (true, Seen::Alert(description)) if means_rejection(description) => {
            rejected(&context, &channel.interception, &permit, address, &mut record, by_alert(description));
        }
        (true, Seen::HungUp) => rejected(&context, &channel.interception, &permit, address, &mut record, SILENCE),
        (_, seen) => {
            if seen == Seen::Data {
                channel.interception.fallbacks.trusts(address.ip(), &permit.destination().host);
            }
            end(&mut record, broken);
        }
    }
    drop((place, open));
}

/// Records the end of a connection whose client took our certificate.
fn end(record: &mut Record, broken: Option<Broken>) {
    match broken {
        Some(Broken { refusal, begun: false }) => return record.refused(&refusal),
        Some(Broken { refusal, .. }) => {
            record.allowed();
            record.cut_by(&refusal);
        }
        None => record.allowed(),
    }
    record.ended(Ended::Completed);
}

async fn shake_hands(
    context: &Context,
    interception: &Interception,
    stream: Rewound<Stalling<Socket>>,
    http2: bool,
    open: &Counted,
) -> Result<Decrypted, Unshaken> {
    let _under_way = open.handshake().map_err(Unshaken::Failed)?;
    let acceptor = TlsAcceptor::from(interception.servers.mirroring(http2));
    match timeout(context.limits.hello, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(unshaken(&error)),
        Err(_) => Err(Unshaken::Failed(failed("the client did not complete the TLS handshake in time"))),
    }
}

/// The ClientHello was complete before, so whoever leaves now has seen our certificate.
fn unshaken(error: &io::Error) -> Unshaken {
    if let Some(description) = alert(error) {
        let is_rejection = means_rejection(description);
        return if is_rejection {
            Unshaken::Rejected(by_alert(description))
        } else {
            Unshaken::Failed(failed("the client broke off the TLS handshake with an alert"))
        };
    }
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::PeerIncompatible(_)) => {
            Unshaken::Failed(failed("the client offers no TLS version or cipher that is accepted (TLS 1.2 or newer)"))
        }
        Some(rustls::Error::NoApplicationProtocol) => {
            Unshaken::Failed(failed("the client speaks no protocol that the destination speaks (ALPN)"))
        }
        Some(rustls::Error::General(_)) => Unshaken::Failed(failed("no interception certificate can be made for this host")),
        Some(_) => Unshaken::Failed(failed("the client's TLS handshake is malformed")),
        None if error.kind() == io::ErrorKind::TimedOut => Unshaken::Failed(failed("the client does not read")),
        None => Unshaken::Rejected(SILENCE),
    }
}

fn failed(detail: &'static str) -> Refusal {
    Refusal::new(Reason::NotTls, detail, RULE)
}

/// Alerts by which clients refuse a certificate (RFC 8446 section 6.2).
fn means_rejection(description: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        description,
        Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied
    )
}

fn by_alert(description: AlertDescription) -> How {
    use AlertDescription as Alert;
    let words = match description {
        Alert::UnknownCA => "alert unknown_ca",
        Alert::BadCertificate => "alert bad_certificate",
        Alert::CertificateUnknown => "alert certificate_unknown",
        Alert::CertificateExpired => "alert certificate_expired: check the clocks, and the CA with `ucx-egress ca show`",
        Alert::CertificateRevoked => "alert certificate_revoked",
        Alert::UnsupportedCertificate => "alert unsupported_certificate",
        _ => "another alert",
    };
    How { words, rejection: Rejection::Alert, falls_back: description != Alert::CertificateExpired }
}

/// The client does not trust the CA, or pins another certificate: said by name, counted, and remembered if so configured. While
/// observing nothing may break, so it is always remembered then.
fn rejected(context: &Context, interception: &Interception, permit: &Permit, client: SocketAddr, record: &mut Record, how: How) {
    let host = &permit.destination().host;
    let may_fall_back = how.falls_back && (context.is_observing() || interception.on_rejection == OnRejection::Tunnel);
    let then = if may_fall_back && interception.fallbacks.add(client.ip(), host, how.rejection) {
        "for an hour it is tunnelled to this host and not inspected"
    } else {
        "its connections to this host stay decrypted, and fail until it trusts the CA"
    };
    let how = how.words;
    let detail = format!("the client rejected the interception certificate ({how}); {then}");
    record.refused(&Refusal::new(Reason::ClientRejectedCertificate, detail, RULE));
    tracing::warn!(
        client = %client.ip(),
        %host,
        how,
        then,
        certificate = %interception.certificate_path.display(),
        fingerprint = interception.authority.fingerprint,
        "the client rejected the interception certificate: have it trust the CA, `ucx-egress ca show` says how on each platform"
    );
}

/// Serves its requests; gives how the client broke HTTP/2, if it did.
async fn converse(
    context: &Context,
    conversation: &Arc<Conversation>,
    channel: &Channel,
    mut stream: Decrypted,
    sight: Sight,
    stall: StallLimit,
) -> Option<Broken> {
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    stream.get_mut().1.set_buffer_limit(Some(SEALED));
    let stream = Observed::new(stream, sight);
    let handle = {
        let (conversation, stall) = (conversation.clone(), stall.clone());
        move |request| {
            let (context, channel) = conversation.now();
            inspected::exchange(context, channel, stall.clone(), request)
        }
    };
    let idle = channel.permit.idle_timeout();
    // Boxed apart: a connection holds what its own version needs only.
    if is_http2 {
        return Box::pin(http2::serve(context, stream, &channel.activity, idle, handle)).await;
    }
    let terms = Terms { client: channel.client, form: Form::Origin, stall, between: idle };
    if let Err(error) = Box::pin(http1::serve(context, stream, Vec::new(), terms, handle)).await {
        tracing::debug!(%error, "an intercepted connection ended");
    }
    None
}
