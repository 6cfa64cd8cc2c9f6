//! `[[sni]]`: raw TLS that DNS or a firewall led here, for clients that know no proxy. The destination is the name in the ClientHello and
//! the port of the listener; where the connection was meant to go before it was led here is not asked, since a client could choose it.

use super::arrive::{Arrived, arrive_raw, make_room};
use super::carry::carry;
use super::establish::allow;
use super::live::Live;
use super::tunnel::{RULE, Tunnel, alert, not_tls, read_hello};
use crate::audit::{Record, Start};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal};
use crate::listener::Accepted;
use crate::listener::entrance::Entrance;
use crate::metrics::Protocol;
use crate::proxy::respond::send_and_close;
use crate::socket::Socket;
use crate::tls::client_hello::{HelloReader, Progress, ServerName};
use std::sync::Arc;
use tokio::time::timeout;

/// Serves one connection.
pub async fn connection(live: Arc<Live>, entrance: Arc<Entrance>, port: u16, accepted: Accepted) {
    let context = live.context();
    let arrived = arrive_raw(&context, &entrance, accepted, Protocol::Sni).await;
    let Some(Arrived { mut socket, peer, silence, open, .. }) = arrived else { return };
    let mut reader = HelloReader::new();
    let read = tokio::select! {
        read = silence.bear(timeout(context.limits.hello, read_hello(&mut reader, &mut socket, &[]))) => read,
        // Who has said nothing yet is not waited for.
        () = context.journal.stopped() => return,
    };
    let read = match read.and_then(|read| silence.end().map(|()| read)) {
        Ok(read) => read,
        Err(refusal) => return make_room(&context, peer.address, Protocol::Sni, &refusal),
    };
    drop(silence);
    let named = match read {
        // Nobody asked anything: a port check, or a client that hung up.
        Ok(None) | Err(_) if reader.raw().is_empty() => return,
        Ok(Some(Progress::Complete(hello))) => destination(&hello.server_name, port),
        Ok(Some(Progress::Invalid(invalid))) => Err(not_tls(invalid.detail())),
        Ok(Some(Progress::NeedMore) | None) => Err(not_tls("the connection ended within the ClientHello")),
        Err(_) => Err(not_tls("no complete ClientHello arrived in time")),
    };
    let context = live.context();
    let mut record = context.record(Start { client: peer.address, protocol: Protocol::Sni, method: "-" });
    let allowed = match named {
        Ok(destination) => allow(&context, &mut record, peer.address, &destination).await,
        Err(refusal) => Err(refusal),
    };
    match allowed {
        Ok((permit, way)) => {
            record.answered(200);
            carry(live, Tunnel { context, client: socket, way, ahead: reader.into_raw(), permit, record, open }).await;
        }
        Err(refusal) => refuse(socket, record, &refusal).await,
    }
}

fn destination(name: &ServerName, port: u16) -> Result<Destination, Refusal> {
    let ServerName::Host(name) = name else {
        let detail = "the ClientHello names no server (SNI), and nothing else says where the client wants to go";
        return Err(Refusal::new(Reason::SniMissing, detail, RULE));
    };
    let host = Host::parse(name.as_bytes()).map_err(|malformed| Refusal::bad_request(malformed.0))?;
    Ok(Destination { host, port })
}

/// There is TLS to say it in only where the client has spoken TLS: an alert then, and the log has the rest.
async fn refuse(socket: Socket, mut record: Record, refusal: &Refusal) {
    record.answered_with(refusal);
    drop(record);
    let said = if refusal.reason == Reason::NotTls { Vec::new() } else { alert(refusal.reason) };
    send_and_close(socket, said).await;
}
