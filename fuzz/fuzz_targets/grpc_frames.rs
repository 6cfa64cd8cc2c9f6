//! gRPC framing: the same frames however a stream is cut, none of it lost, and a verdict no milder than that of its messages.

#![no_main]

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::Inspector;
use ucx_egress::inspect::grpc::{Broken, Frame, Frames, PREFIX};
use ucx_egress::inspect::verdict::Verdict;
use ucx_egress_fuzz::{cuts, gravity, judge};

/// Small, so that a short input can pass it.
const MAX: usize = 600;

fuzz_target!(|bytes: &[u8]| {
    let (frames, end) = framed(&[bytes]);
    for pieces in cuts(bytes) {
        assert!(framed(&pieces) == (frames.clone(), end), "in {} pieces", pieces.len());
    }
    let taken: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
    assert!(bytes.starts_with(&taken), "frames are the stream, in its order");
    assert!(frames.iter().all(|frame| frame.message().len() <= MAX && frame.bytes.len() == frame.message().len() + PREFIX));
    if let Ok(waiting) = end {
        assert_eq!(taken.len() + waiting, bytes.len(), "nothing is lost");
    }
    verdicts(bytes, &frames, end);
});

/// The frames, and what waits for its rest at the end.
fn framed(pieces: &[&[u8]]) -> (Vec<Frame>, Result<usize, Broken>) {
    let mut frames = Frames::new(MAX);
    let mut found = Vec::new();
    for piece in pieces {
        frames.push(Bytes::copy_from_slice(piece));
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(broken) => return (found, Err(broken)),
            }
        }
    }
    (found, Ok(frames.waiting()))
}

fn verdicts(bytes: &[u8], frames: &[Frame], end: Result<usize, Broken>) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let whole = judge(bytes, |inspector| inspector.body(&headers, bytes));
    let call = Inspector::call("/ucx.v1.Telemetry/Send", &headers).expect("a call");
    let worst = |inspector: &Inspector| {
        let verdicts = (1..).zip(frames).map(|(number, frame)| inspector.grpc_message(&call, number, frame.is_compressed, frame.message()));
        verdicts.map(|verdict| gravity(&verdict)).max().unwrap_or(0)
    };
    for (verdict, inspector) in whole.iter().zip(ucx_egress_fuzz::INSPECTORS.iter()) {
        assert!(gravity(verdict) >= worst(inspector), "the stream is judged more mildly than a message of it");
        let is_whole = bytes.is_empty() || end == Ok(0);
        assert!(is_whole || *verdict != Verdict::Clean || end == Err(Broken::TooLarge), "a stream that is cut off was cleared");
    }
}
