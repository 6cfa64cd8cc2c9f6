//! CONNECT: decide, dial, answer 200 only once the upstream is there, then hand over to the tunnel.

use super::carry::carry;
use super::establish::{ESTABLISHED, Request, establish};
use super::live::Live;
use super::respond::{refused, send_and_close};
use super::tunnel::Tunnel;
use crate::audit::{Record, Start};
use crate::listener::accept::Counted;
use crate::metrics::Protocol;
use crate::socket::Socket;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

/// Serves a CONNECT. `ahead` are bytes the client sent behind its head: they belong to the tunnel.
pub async fn serve(live: Arc<Live>, mut stream: Socket, open: Counted, request: Request, ahead: Vec<u8>) {
    let context = live.context();
    let mut record = context.record(Start { client: request.client, protocol: Protocol::Connect, method: "CONNECT" });
    match establish(&context, &mut record, &request).await {
        Ok((permit, way)) => {
            let answer = established(&record);
            if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                return;
            }
            record.answered(200);
            let tunnel = Tunnel { context, client: stream, way, ahead, permit, record, open };
            carry(live, tunnel).await;
        }
        Err(refusal) => {
            let answer = refused(&mut record, &refusal).into_bytes();
            drop(record);
            send_and_close(stream, answer).await;
        }
    }
}

/// No length, no encoding, no body: what follows is the tunnel (RFC 9110 section 9.3.6).
fn established(record: &Record) -> String {
    format!("HTTP/1.1 200 {ESTABLISHED}\r\nx-decision-id: {}\r\n\r\n", record.id())
}
