use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "Set-Cookie: id=a3fWa; Max-Age=2592000"),
    ("", "Cookie: theme=dark; sid=31d4d96e407aad42"),
    ("", "GET / HTTP/1.1\r\nHost: x\r\ncookie: a=b\r\n"),
    ("", "curl -H 'Cookie: a=b' https://x"),
    ("", "\"cookie\": 1, Cookie: a=b"),
    ("", "JSESSIONID=1A530637289A03B07199A44E8D531427"),
    ("", "PHPSESSID=298zf09hf012fh2; csrftoken=u32t4o3tb3gg43"),
    ("", "ASP.NET_SessionId=abcdef1234567890abcdefgh"),
    ("", "/path;jsessionid=1A530637289A03B0"),
    ("", "a=b&sessionid=38afes7a8abcdef1234"),
    ("", "connect.sid=s%3A1234567890"),
    ("", "__Host-token=abc12345"),
    ("", ".ASPXAUTH=0123456789ABCDEF"),
    ("cookie", "theme=dark"),
    ("set cookie", "sid=1; Path=/"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "cookie"),
    ("", "Cookie policy: accepted"),
    ("", "Set-Cookie:"),
    ("", "cookie: enabled"),
    ("", "fortune-cookie: a=b"),
    ("", "mycookie: a=b"),
    ("cookie", "enabled"),
    ("cookies", "true"),
    ("", "sessionid=1"),
    ("", "SessionId=0"),
    ("", "JSESSIONID="),
    ("", "jsessionid=disabled"),
    ("", "session_id=not-available-here"),
    ("", "xJSESSIONID=1A530637289A03B0"),
    ("", "sid=1"),
    ("session id", "1"),
    ("", "a=b;c=d"),
    ("", ""),
];

#[test]
fn cookies_block() {
    all_block(scan, Kind::Cookie, TextKind::Free, HITS);
}

#[test]
fn talk_of_cookies_passes() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn versions_hold_no_cookies() {
    none_hit(scan, TextKind::Version, &[("", "Cookie: a=b")]);
}

#[test]
fn work_is_linear() {
    linear(scan, &["cookie:", "cookie: a", "=", "a=", "JSESSIONID=", "Cookie: a=b\n", "sessionid=aaaaaaaaaaaaaaaaaaaa"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["Set-Cookie: a=b; c", "x;jsessionid=1A530637289A03B0"]);
}
