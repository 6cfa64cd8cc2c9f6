use super::*;
use crate::metrics::Metrics;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

async fn send(stream: &mut UnixStream, kind: u8, flags: u8, id: u8, payload: &[u8]) {
    let length = u8::try_from(payload.len()).unwrap();
    stream.write_all(&[&[0, 0, length, kind, flags, 0, 0, 0, id], payload].concat()).await.unwrap();
}

/// The next frame of that type: its payload.
async fn next(stream: &mut UnixStream, wanted: u8) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == wanted {
            return payload;
        }
    }
}

/// The whole process stands still, as after SIGSTOP: this runtime has no other thread.
fn stand_still(time: Duration) {
    let (_kept, nothing) = std::sync::mpsc::channel::<()>();
    assert!(nothing.recv_timeout(time).is_err());
}

/// When an upstream is asked whether it lives in these tests, and how long it has to answer.
const ASKED: Duration = Duration::from_millis(20);
const ANSWERED: Duration = Duration::from_millis(100);

/// An upstream that was asked for something, and whether it answers. The connection ends with its sender, which is kept until then.
async fn asked() -> (UnixStream, JoinHandle<hyper::Result<Response<Incoming>>>) {
    let (ours, mut upstream) = UnixStream::pair().unwrap();
    let executor = Executor(Metrics::new().into());
    let (mut sender, connection) = builder(executor, ASKED, ANSWERED).handshake(TokioIo::new(ours)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://api.imagicle.com/").body(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync());
    let answered = tokio::spawn(async move { sender.send_request(request.unwrap()).await });
    upstream.read_exact(&mut [0; 24]).await.unwrap();
    send(&mut upstream, SETTINGS, 0, 0, &[]).await;
    (upstream, answered)
}

#[tokio::test]
async fn an_upstream_that_answered_while_this_process_stood_still_is_not_given_up() {
    let (mut upstream, answered) = asked().await;
    next(&mut upstream, HEADERS).await;
    let ping = next(&mut upstream, PING).await;
    send(&mut upstream, PING, 1, 0, &ping).await;
    // It has answered at once. The kernel has that; this process learns of it and of the passed deadline in the same moment.
    stand_still(ANSWERED + Duration::from_millis(1_500));
    tokio::task::yield_now().await;
    send(&mut upstream, HEADERS, 5, 1, &[0x88]).await;
    assert_eq!(answered.await.unwrap().expect("the connection lives").status(), 200);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_given_up() {
    let (mut upstream, answered) = asked().await;
    next(&mut upstream, PING).await;
    assert!(answered.await.unwrap().is_err());
}

fn destination(number: usize) -> Destination {
    Destination::from_authority(format!("h{number}.imagicle.com:443").as_bytes()).expect("a destination")
}

/// A wildcard has names without end, and each has a connection of its own.
#[tokio::test]
async fn idle_connections_are_bounded_and_those_in_use_stay() {
    let shared = Shared::new(Executor(Arc::new(Metrics::new())));
    let (mut ends, mut held) = (Vec::new(), None);
    for number in 0..3 * MAX_IDLE {
        let (near, far) = tokio::io::duplex(64 * 1024);
        ends.push(far);
        let lease = shared.add(&destination(number), near, Duration::from_mins(1)).await.expect("nothing is wrong yet");
        held = held.or(Some(lease));
    }
    let kept = lock(&shared.members).len();
    assert!(kept <= MAX_IDLE + 2, "{kept} connections to as many destinations");
    assert!(shared.lives(&destination(0)), "one that carries a stream stays");
    assert!(!shared.lives(&destination(1)) && shared.lives(&destination(3 * MAX_IDLE - 1)), "the oldest went");
    drop(held);
}
