use super::{claims, scan};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::detect::probe::{all_block, blocks, hits, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const JWT: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";

const HITS: &[(&str, &str)] = &[
    ("", "-----BEGIN PRIVATE KEY-----\nMIIE"),
    ("", "-----BEGIN RSA PRIVATE KEY-----"),
    ("", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ("", "-----BEGIN ENCRYPTED PRIVATE KEY-----"),
    ("", "-----BEGIN PGP PRIVATE KEY BLOCK-----"),
    ("client certificate", "-----BEGIN CERTIFICATE-----\nMIIE"),
    ("", "PuTTY-User-Key-File-2: ssh-rsa"),
    ("", "Basic dXNlcjpwYXNzd29yZA=="),
    ("", "Authorization: basic dXNlcjpwYXNzd29yZA"),
    ("", "Bearer abcdef0123456789abcdef"),
    ("", JWT),
    ("", "AKIAIOSFODNN7EXAMPLE"),
    ("", "key ASIAIOSFODNN7EXAMPLE."),
    ("", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ("", "github_pat_11ABCDEFG0123456789_abcdef"),
    ("", "xoxb-1234567890-abcdef"),
    ("", "sk-proj-abcdefghijklmnop0123456789"),
    ("", "sk_live_0123456789abcdefghij"),
    ("", "password=hunter2"),
    ("", "dbPassword = hunter2"),
    ("", "{\"password\":\"Hunter2!\"}"),
    ("", "password: Hunter22"),
    ("", "pwd=s3cret;"),
    ("", "Server=UCXDB;Database=ucx;User Id=sa;Password=s3cr3t;Encrypt=true"),
    ("", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=abcdEFGH0123=="),
    ("", "https://user:s3cret@host.example/x"),
    ("", "tool --password s3cret"),
    ("password", "correct horse"),
    ("db password", "x9"),
    ("client secret", "abcdef"),
    ("api key", "abcdef"),
    ("", "x-api-key: 0123abcd"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "-----BEGIN PUBLIC KEY-----"),
    ("", "BEGIN PRIVATE KEY"),
    ("", "Basic authentication"),
    ("", "Basic disk"),
    ("", "Microsoft Visual Basic Runtime"),
    ("", "Bearer token"),
    ("", "Bearer authentication-required"),
    ("", "eyJhbGci"),
    ("", "eyJhbGciOi.eyJ.x"),
    ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("", "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}"),
    ("", "AKIA1234"),
    ("", "AKIAIOSFODNN7EXAMPLEX"),
    ("", "sk-SK"),
    ("", "password="),
    ("", "password=*****"),
    ("", "password=<hidden>"),
    ("", "Password={0};"),
    ("", "Password=%PW%"),
    ("", "password=required"),
    ("", "password: required"),
    ("", "Enter password: "),
    ("", "invalid password: user not found"),
    ("", "PWD=/var/lib/ucx"),
    ("", r"PWD=C:\Imagicle"),
    ("password last set", "2024-01-01"),
    ("password", "true"),
    ("password", "********"),
    ("password", ""),
    ("password expires", "never"),
    ("authentication type", "SQL"),
    ("", "https://host:8443/path@v1"),
    ("", "https://host.example/a:b@c"),
    ("token", "ABCDEF"),
    ("", "publicKeyToken=b77a5c561934e089"),
    ("", "tool --password --verbose"),
    ("", "Z8fLHYqJwOWg6kTm2q0sVn1UeB7ZzAxkLICm2xgQ3b5TzR4Fh6yPpXo1A9sDd8cVvNn0MmKkJj7HhGg6FfDd=="),
    ("", "LICENSE sha512-9tZq/LIC+m2kqz"),
    ("", ""),
];

#[test]
fn secrets_block() {
    all_block(scan, Kind::Credential, TextKind::Free, HITS);
}

#[test]
fn digests_and_prose_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn a_certificate_alone_is_no_secret() {
    assert!(!blocks(scan, "-----BEGIN CERTIFICATE-----\nMIIE", "", TextKind::Free));
}

#[test]
fn the_claims_of_a_token_can_be_read() {
    let text = format!("Bearer {JWT} x");
    let found = hits(scan, text.as_bytes(), &Context::default());
    let token = &text.as_bytes()[found[0].start..found[0].end];
    assert_eq!(token, JWT.as_bytes());
    let (start, end) = claims(token).expect("claims");
    assert_eq!(&token[start..end], b"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0");
    assert_eq!(claims(b"a.b.c.d.e"), None);
    assert_eq!(claims(b"a"), None);
    assert_eq!(claims(b"a."), None);
}

#[test]
fn versions_hold_no_secrets() {
    none_hit(scan, TextKind::Version, &[("", "password=hunter2")]);
}

#[test]
fn work_is_linear() {
    linear(
        scan,
        &[
            "-",
            "-----BEGIN ",
            "eyJ",
            "eyJ-",
            "eyJ.",
            "eyJhbGciOiJIUzI1NiJ9.",
            "password=",
            "password= ",
            "pwd:",
            "Basic ",
            "Basic AAAA",
            "Bearer ",
            "sk-",
            "://",
            "://a:b",
        ],
    );
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &[JWT, "-----BEGIN PRIVATE KEY-----", "Basic dXNlcjpwYXNzd29yZA==", "a://u:p1@h", "password=\u{fc}x"]);
}

/// A licence may be a signed token, unless it claims to be somebody's (`name`); an identifier may not.
#[test]
fn a_signed_token_passes_where_one_belongs() {
    let (header, rest) = JWT.split_once('.').expect("a header");
    let (_, signature) = rest.split_once('.').expect("claims");
    // Claims: `{"product":"ucx"}`.
    let licence = format!("{header}.eyJwcm9kdWN0IjoidWN4In0.{signature}");
    assert!(!blocks(scan, &licence, "license token", TextKind::Token));
    assert!(blocks(scan, JWT, "license token", TextKind::Token));
    assert!(blocks(scan, &licence, "request id", TextKind::Token));
}
