//! The first bytes of a tunnel: the same hello however they are cut, and the server's own reader of TLS sees the same name in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls::server::Acceptor;
use ucx_egress::tls::client_hello::{HelloReader, Progress, ServerName};
use ucx_egress_fuzz::cuts;

fn read(pieces: &[&[u8]]) -> Progress {
    let mut reader = HelloReader::new();
    let mut progress = Progress::NeedMore;
    for piece in pieces {
        progress = reader.push(piece);
        if progress != Progress::NeedMore {
            break;
        }
    }
    progress
}

/// What rustls makes of it: the name asked for, if it takes the hello at all.
fn reference(mut bytes: &[u8]) -> Option<Option<String>> {
    let mut acceptor = Acceptor::default();
    while !bytes.is_empty() {
        acceptor.read_tls(&mut bytes).ok()?;
        if let Some(accepted) = acceptor.accept().ok()? {
            return Some(accepted.client_hello().server_name().map(str::to_owned));
        }
    }
    None
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(&[bytes]);
    for pieces in cuts(bytes) {
        assert_eq!(read(&pieces), whole);
    }
    let Progress::Complete(hello) = whole else { return };
    // What rustls refuses fails in its handshake; what it takes must be for the host that was decided on.
    let Some(seen) = reference(bytes) else { return };
    match (&hello.server_name, seen) {
        (ServerName::Host(name), Some(seen)) => assert!(name.trim_end_matches('.').eq_ignore_ascii_case(&seen), "{name} {seen}"),
        (ServerName::Absent, Some(seen)) => panic!("a name that was not seen: {seen}"),
        (ServerName::Host(_) | ServerName::Absent, None) => {}
    }
});
