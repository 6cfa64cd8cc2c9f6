//! What stands around a body: request target, header fields, trailers.
//!
//! Evidence counts here, innocence need not be proven: which fields and paths a service has is the policy's business. Where
//! `unknown_fields` is strict, the members of a query have to prove themselves too.

use super::engine::canonical::charset;
use super::engine::context::TextKind;
use super::engine::digits;
use super::engine::finding::{Finding, Kind, Why};
use super::engine::format::{self, Limits, Visitor as _, form, json};
use super::engine::pieces::{Piece, Run};
use super::engine::shape::grammar::is_version;
use super::engine::walk::{Unknown, Walk};
use super::inspector::{Inspector, settled};
use super::verdict::Verdict;
use http::{HeaderMap, HeaderName};
use std::net::IpAddr;

/// Longest request target of an inspected service.
pub const MAX_TARGET: usize = 8 * 1024;
/// Largest header section of an inspected service: names and values.
pub const MAX_HEADERS: usize = 16 * 1024;
/// Largest trailer section of an inspected service.
pub const MAX_TRAILERS: usize = 4 * 1024;

/// Cookies that load balancers set to find their way: they name a machine, not a person.
const BALANCER_COOKIES: &[&str] = &[
    "AWSALB",
    "AWSALBCORS",
    "AWSALBTG",
    "AWSALBTGCORS",
    "ApplicationGatewayAffinity",
    "ApplicationGatewayAffinityCORS",
    "ARRAffinity",
    "ARRAffinitySameSite",
];
/// Claims of a token that name a person, beside those that the shape knows.
const CLAIMS: &[&str] = &["name", "nickname", "unique_name", "preferred_username"];

/// How the value of a field is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// Set or checked by the proxy itself.
    Ours,
    /// Text whose numbers with dots are versions.
    Versions,
    /// Text, its name documented by HTTP.
    Standard,
    /// Credentials of the machine: who they name is looked at, that they are credentials is not.
    Credentials,
    /// Cookies.
    Cookies,
    /// A name that nobody documents: it can say something, and hold a value itself.
    Other,
}

impl Field {
    fn of(name: &str) -> Self {
        match name {
            "content-length" | "host" => Self::Ours,
            "user-agent" | "server" | "via" | "x-amz-user-agent" | "grpc-accept-encoding" => Self::Versions,
            "authorization"
            | "x-api-key"
            | "api-key"
            | "apikey"
            | "x-auth-token"
            | "x-amz-security-token"
            | "ocp-apim-subscription-key" => Self::Credentials,
            "cookie" => Self::Cookies,
            "accept"
            | "accept-charset"
            | "accept-encoding"
            | "accept-language"
            | "cache-control"
            | "content-disposition"
            | "content-encoding"
            | "content-language"
            | "content-type"
            | "date"
            | "expect"
            | "from"
            | "grpc-encoding"
            | "grpc-message"
            | "grpc-status"
            | "grpc-timeout"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-unmodified-since"
            | "origin"
            | "pragma"
            | "priority"
            | "range"
            | "referer"
            | "te"
            | "trailer"
            | "traceparent"
            | "tracestate"
            | "x-request-id"
            | "x-correlation-id" => Self::Standard,
            _ => Self::Other,
        }
    }
}

impl Inspector {
    /// The head of a request: its target and header fields.
    #[must_use]
    pub fn head(&self, target: &str, headers: &HeaderMap) -> Verdict {
        if target.len() > MAX_TARGET {
            return Verdict::TooLarge("the request target is longer than 8 KiB");
        }
        if size(headers) > MAX_HEADERS {
            return Verdict::TooLarge("the header fields are larger than 16 KiB");
        }
        self.known_target(target).merge(self.fields(headers, "header"))
    }

    /// The trailer section of a request.
    #[must_use]
    pub fn trailers(&self, trailers: &HeaderMap) -> Verdict {
        if size(trailers) > MAX_TRAILERS {
            return Verdict::TooLarge("the trailer fields are larger than 4 KiB");
        }
        self.fields(trailers, "trailer")
    }

    /// A target, unless nothing was in it before.
    fn known_target(&self, target: &str) -> Verdict {
        if self.heads.has_target(target) {
            return Verdict::Clean;
        }
        let verdict = self.target(target);
        if verdict == Verdict::Clean {
            self.heads.keep_target(target);
        }
        verdict
    }

    fn target(&self, target: &str) -> Verdict {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut walk = self.evidence_walk(path.len());
        // By segment: the whole would look like a path of a file system.
        for segment in path.split('/') {
            walk.string(segment);
        }
        let path = Verdict::of(walk.finish()).at("request target");
        if query.is_empty() { path } else { path.merge(self.query(query).within("request target")) }
    }

    fn query(&self, query: &str) -> Verdict {
        let walk = || if self.settings.unknown == Unknown::Strict { self.walk(query.len()) } else { self.evidence_walk(query.len()) };
        let mut walked = walk();
        if form::read(query.as_bytes(), Limits::default(), &mut walked).is_err() {
            // A query is a form by custom only.
            walked = walk();
            walked.string(query);
        }
        let verdict = Verdict::of(walked.finish());
        let Some(other) = otherwise_read(query) else { return verdict };
        let mut walked = self.evidence_walk(other.len());
        match form::read(other.as_bytes(), Limits::default(), &mut walked) {
            Ok(()) => verdict.merge(Verdict::of(walked.finish())),
            // It was looked at as text above.
            Err(_) => verdict,
        }
    }

    fn fields(&self, headers: &HeaderMap, section: &str) -> Verdict {
        let verdict = headers.iter().fold(Verdict::Clean, |verdict, (name, value)| {
            let field = self.known_field(name, value.as_bytes());
            if field == Verdict::Clean { verdict } else { verdict.merge(field.at(&self.part(name, section))) }
        });
        match in_pieces(headers) {
            Some(kind) => verdict.merge(found(kind, Why::Together).at(&format!("several {section} fields together"))),
            None => verdict,
        }
    }

    /// What a field is called in a finding: a name that nobody documents could be somebody's.
    fn part(&self, name: &HeaderName, section: &str) -> String {
        if Field::of(name.as_str()) != Field::Other || self.tree().knows(name.as_str()) {
            return format!("{section} {name}");
        }
        format!("a {section} field of another name")
    }

    /// A field, unless nothing was in it before. What opens doors is not remembered.
    fn known_field(&self, name: &HeaderName, value: &[u8]) -> Verdict {
        let name = name.as_str();
        let field = Field::of(name);
        if field == Field::Ours || value.is_empty() || self.heads.has_field(name, value) {
            return Verdict::Clean;
        }
        let verdict = self.field(field, name, value);
        if verdict == Verdict::Clean && !matches!(field, Field::Credentials | Field::Cookies) {
            self.heads.keep_field(name, value);
        }
        verdict
    }

    fn field(&self, field: Field, name: &str, value: &[u8]) -> Verdict {
        if name.ends_with("-bin") {
            return self.binary(name, value);
        }
        let Ok(readings) = charset::readings(None, value) else {
            return Verdict::Uninspectable("the value of a header field must be text");
        };
        readings.iter().fold(Verdict::Clean, |verdict, text| {
            verdict.merge(match field {
                Field::Cookies => self.cookies(text),
                Field::Credentials => self.credentials(text),
                Field::Versions => self.products(text),
                Field::Standard => self.looked_at(text, TextKind::Free),
                Field::Ours | Field::Other => self.keyed(name, |walk| walk.string(text)),
            })
        })
    }

    /// A list of products: what stands between their versions is text as any other.
    fn products(&self, text: &str) -> Verdict {
        self.looked_at(text, TextKind::Version).merge(self.looked_at(&without_versions(text), TextKind::Name))
    }

    fn looked_at(&self, text: &str, kind: TextKind) -> Verdict {
        let mut walk = self.evidence_walk(text.len());
        walk.examine(text, kind);
        Verdict::of(walk.finish())
    }

    /// A value under a key: the key itself is looked at, and what it says counts.
    fn keyed(&self, name: &str, value: impl FnOnce(&mut Walk<'_>)) -> Verdict {
        let mut walk = self.evidence_walk(MAX_HEADERS);
        walk.object();
        walk.key(name);
        value(&mut walk);
        walk.key_end();
        walk.object_end();
        Verdict::of(walk.finish())
    }

    /// gRPC metadata in base64, several values between commas (gRPC over HTTP/2, "Binary headers").
    fn binary(&self, name: &str, value: &[u8]) -> Verdict {
        value.split(|byte| *byte == b',').fold(Verdict::Clean, |verdict, part| {
            let Some(bytes) = digits::base64(part.trim_ascii()) else {
                return verdict.merge(Verdict::Uninspectable("metadata whose name ends in -bin must be base64"));
            };
            let found = self.keyed(name.strip_suffix("-bin").unwrap_or(name), |walk| {
                walk.string(&String::from_utf8_lossy(&bytes));
                walk.bytes(&bytes);
            });
            let mut walk = self.evidence_walk(bytes.len());
            // What is no message in the end was looked at as text.
            let is_message = format::protobuf::read(&bytes, Limits::default(), &mut walk).is_ok();
            let message = if is_message { Verdict::of(walk.finish()) } else { Verdict::Clean };
            verdict.merge(found).merge(message)
        })
    }

    fn cookies(&self, text: &str) -> Verdict {
        let is_balancer = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| BALANCER_COOKIES.contains(&name.trim()));
        if text.split(';').filter(|pair| !pair.trim().is_empty()).all(is_balancer) {
            return text.split(['=', ';']).fold(Verdict::Clean, |verdict, part| verdict.merge(self.looked_at(part, TextKind::Free)));
        }
        found(Kind::Cookie, Why::Key)
    }

    /// `Basic` names an account, a token may name a person; what else is in them is no business of ours.
    fn credentials(&self, text: &str) -> Verdict {
        let (scheme, rest) = text.split_once(' ').unwrap_or(("", text));
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| digits::base64(rest.trim().as_bytes())).flatten();
        let verdict = match decoded {
            Some(decoded) => self.account(&String::from_utf8_lossy(&decoded)),
            None => self.looked_at(text, TextKind::Free).merge(self.token(rest.trim())),
        };
        verdict.without(Kind::Credential)
    }

    fn account(&self, pair: &str) -> Verdict {
        let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
        [user, password].iter().fold(Verdict::Clean, |verdict, text| verdict.merge(self.looked_at(text, TextKind::Free)))
    }

    /// The header and the claims of a JSON Web Token (RFC 7519), which are JSON in base64.
    fn token(&self, token: &str) -> Verdict {
        if !token.starts_with("eyJ") {
            return Verdict::Clean;
        }
        token.split('.').take(2).fold(Verdict::Clean, |verdict, part| {
            let Some(claims) = digits::base64(part.as_bytes()) else { return verdict };
            let mut walk = self.evidence_walk(claims.len());
            let read = json::read(&claims, Limits::default(), &mut walk);
            let names = if names_a_person(&claims) { found(Kind::PersonName, Why::Key) } else { Verdict::Clean };
            verdict.merge(settled(walk, read)).merge(names)
        })
    }
}

/// Whether a token has a claim for a person's name. The keys are looked for as they stand: JSON was read before.
fn names_a_person(claims: &[u8]) -> bool {
    let text = String::from_utf8_lossy(claims);
    CLAIMS.iter().any(|claim| text.contains(&format!("\"{claim}\"")))
}

/// A value in several fields of names that nobody documents, each with a piece of it.
fn in_pieces(headers: &HeaderMap) -> Option<Kind> {
    let others = headers.iter().filter(|(name, _)| Field::of(name.as_str()) == Field::Other);
    let mut run = Run::default();
    let pieces = others.filter_map(|(_, value)| value.to_str().ok()).filter_map(|text| Piece::of(text).map(|piece| (text, piece)));
    pieces.fold(None, |found, (text, piece)| found.or_else(|| run.put(text, Some(piece)))).or_else(|| run.end())
}

/// How receivers read a query that differ from forms: `;` between members, a plus sign that is one, a member without a name as a
/// value. `None`: not otherwise.
fn otherwise_read(query: &str) -> Option<String> {
    let is_plus = |pair: &[u8]| matches!(pair, [b'+', b'0'..=b'9']);
    let is_bare = |member: &str| !member.is_empty() && !member.contains('=');
    let is_otherwise = query.contains(';') || query.as_bytes().windows(2).any(is_plus) || query.split('&').any(is_bare);
    let members = || query.split(['&', ';']).map(|member| if is_bare(member) { format!("={member}") } else { member.to_owned() });
    is_otherwise.then(|| members().collect::<Vec<_>>().join("&").replace('+', "%2B"))
}

/// Most digits of a version: anything that has a check digit and no letter has more.
const VERSION_DIGITS: usize = 12;
/// What ends a word in a list of products (RFC 9110 sections 5.6.5 and 10.1.5).
const ENDS: [char; 5] = [' ', ';', ',', '(', ')'];

/// A list of products as it reads without their versions: `UCX/25.1 (Windows NT 10.0; x64)` is `UCX (Windows NT ; x64)`. What only looks
/// like a version, an address too, stays.
fn without_versions(text: &str) -> String {
    let of_word = |word: &str| {
        let (name, version) = word.rsplit_once('/').unwrap_or(("", word));
        let digits = version.bytes().filter(u8::is_ascii_digit).count();
        let is_said = !name.is_empty() || version.contains('.') && version.parse::<IpAddr>().is_err();
        if is_said && digits <= VERSION_DIGITS && is_version(version) { name.len() } else { word.len() }
    };
    text.split_inclusive(ENDS).fold(String::with_capacity(text.len()), |mut rest, part| {
        let word = part.trim_end_matches(ENDS);
        let (kept, end) = (word.get(..of_word(word)), part.get(word.len()..));
        rest.extend([kept, end].into_iter().flatten());
        rest
    })
}

fn found(kind: Kind, why: Why) -> Verdict {
    Verdict::Findings(vec![Finding { kind, place: "/".to_owned(), why }])
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
