//! Stapled OCSP responses (RFC 6960 section 4.2.1), as small as they may be.

/// What a response says of the certificate.
#[derive(Clone, Copy, Debug)]
pub enum Status {
    Good,
    Revoked,
    Unknown,
}

/// A response with one certificate's status. Nobody signed it.
pub fn response(status: Status) -> Vec<u8> {
    let status = match status {
        Status::Good => vec![0x80, 0],
        Status::Revoked => der(0xa1, &der(0x18, b"20260101000000Z")),
        Status::Unknown => vec![0x82, 0],
    };
    let sha1 = der(0x30, &der(0x06, &[0x2b, 0x0e, 3, 2, 26]));
    let certificate_id = der(0x30, &[sha1, der(0x04, &[1; 20]), der(0x04, &[2; 20]), der(0x02, &[5])].concat());
    let time = der(0x18, b"20260101000000Z");
    let single = der(0x30, &[certificate_id, status, time.clone()].concat());
    let data = der(0x30, &[der(0xa2, &der(0x04, &[3; 20])), time, der(0x30, &single)].concat());
    let ecdsa_with_sha256 = der(0x30, &der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
    let basic = der(0x30, &[data, ecdsa_with_sha256, der(0x03, &[0; 71])].concat());
    let bytes = der(0x30, &[der(0x06, &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]), der(0x04, &basic)].concat());
    der(0x30, &[der(0x0a, &[0]), der(0xa0, &bytes)].concat())
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("below 64 KiB").to_be_bytes();
    let head = match length {
        [0, low] if low < 128 => vec![tag, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}
