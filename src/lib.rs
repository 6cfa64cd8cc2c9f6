//! Egress proxy between Imagicle UCX Suite servers and the Imagicle Cloud.
//!
//! It lets through the hosts that the vendor documents and nothing else, gives every refusal a reason that is found again in
//! the answer, the log and the metrics, and relays the rest byte for byte. Services that are promised to send no personal data
//! can be decrypted and inspected; their messages leave only after a verdict.
//!
//! # Map
//!
//! Modules are declared in dependency order: each uses only what stands above it. A test holds that.
//!
//! | module | what it is |
//! |---|---|
//! | [`hidden`] | `Debug` that shows nothing, for types that hold what clients sent |
//! | [`fault`] | panics on purpose, one in each layer, for the drill and the tests; nothing that is configured or sent reaches it |
//! | [`stamp`] | what files looked like when they were read: whether they have changed |
//! | [`units`] | durations and sizes as people write them |
//! | [`moment`] | times as they are written and read: UTC, RFC 3339 |
//! | [`markup`] | text that goes into pages |
//! | [`source`] | a configuration or policy text; errors with `file:line:column` |
//! | [`error`] | the one table from reason to status, gRPC code, `Proxy-Status` token, title; `Refusal` |
//! | [`destination`] | `Host` in normal form and `Destination`: made once, compared only so |
//! | [`frequent`] | which of very many things come most often, in bounded memory |
//! | [`inspect`] | a message in, a verdict out: `inspector` (bodies, gRPC messages), `documents` (bodies as values, for whoever learns), `fields` (target, header fields, trailers), `grpc` (framing), `verdict`; `engine` (codings, charsets, nested encodings, formats, detectors, the documented shape, `walk` that holds them together) |
//! | [`metrics`] | every family, its help, labels and pre-resolved handles |
//! | [`quota`] | how much of the proxy a client, a network or a service may use: `bucket` (counts), `pace` (slows), `tally` (what each client has at once) |
//! | [`contain`] | a panic ends one task, one exchange or one message, refuses it and is counted |
//! | [`policy`] | the policy file as data (`document`), compiled (`compile`, `rules`, `host_set`, `paths`), asked (`decision`), shown (`export`, `pac`, `nearest`), tried before a reload (`canary`) |
//! | [`observed`] | what the mode `observe` sees, for `learn`: names, types, sizes, counts, never a value: `state` (all of it, bounded; `paths` as templates, `fields`, `telling`: which names are kept), `document` (as it is saved and shown), `worker` (the one thread), `file` |
//! | [`access`] | who a client is: `basic` (what it offers), `htpasswd` and `hash` (the file), `authenticator` (the one question, off the event loop), `cache`, `limit` |
//! | [`tls`] | `client_hello`: the first bytes of a tunnel, without I/O; `reception` (TLS to the proxy), `proven` (a client's certificate there); for interception: `authority` (the CA), `leaf` (its certificates), `server`, `trust` (how platforms come to trust it) |
//! | [`identity`] | who a client proved to be, asked again when accounts, certificates or the configuration change |
//! | [`stall`] | a connection whose peer must take what it is sent |
//! | [`patience`] | deadlines of the HTTP library when this process stood still |
//! | [`frames`] | HTTP/2 connections whose frames are counted: `heads` (found in the bytes), `meter` (how many a peer may send) |
//! | [`socket`] | a connection's bytes, whatever carries them: TCP, TLS over it, a stream of HTTP/2 |
//! | [`upstream`] | `resolve`, `answers` (of DNS, kept), `address` (which are refused), `dial` (the only dial site), `examine` (TLS that is looked at), `parent` (the customer's own proxy: `answer`, `failure`, `health`); HTTP: `connection`, `form`, `pool` (HTTP/1.1), `shared` (HTTP/2); for interception: `secure`, `tls`, `ocsp` |
//! | [`explain`] | the decision that a destination would get, with all that explains it |
//! | [`listener`] | `accept` (loop, limits, panics), `silent` (who asks nothing, and makes room for others), `entrance` (whom it lets in), `balancer` (the PROXY protocol), `head` (read strictly), `framing` and `guarded` (nothing else reaches the HTTP server) |
//! | [`audit`] | `record`: emitted once for each exchange, on drop, to the log, the metrics and the files; `tally` (what inspection counted in it), `observation` (what it tells whoever observes); the files: `queue` and `sink` (what exchanges see), `writer` and `batch` (the one thread), `chain`, `key`, `entry` (the lines), `files`, `lines`, `verify` |
//! | [`report`] | evidence for a period: `figures` (one pass over verified lines), `evidence` (joined with the policy), `html`, `chart`, `csv` |
//! | [`relay`] | bytes in both directions, half-close, idle limits, no idle buffer |
//! | [`proxy`] | `live` (the configuration in force, for what outlives it), `standing` (tunnels and decrypted connections, held against a new one); `arrive` (who is there, TLS to the proxy), `identify` (passwords), `serve` (a connection's first request), `connect`, `streams` (CONNECT over HTTP/2), `calm` (the end of HTTP/2 connections that are abused), `sni` (raw TLS), `establish` (decide, dial), `carry`, `tunnel`, `relayed`; plain HTTP: `http1`, `exchange`, `upload`, `drip` (how slowly one may come), `again`; interception: `interception`, `intercept` (TLS with the client), `conversation` (over reloads), `http2`, `inspected` (one request), `inner`, `payload`, `hold`, `judge`, `release`, `grpc`, `call`; both: `forward`, `send`, `repeat`, `respond` |
//! | [`admin`] | `/metrics`, `/healthz`, `/readyz` (`readiness`), `/api/status` with `reloads`, `/api/observed`, `/api/events`; for clients: `discovery` (PAC, `NO_PROXY`), `setup` (a page a platform); `guard` (who is shown anything) |
//! | [`config`] | the TOML document: a struct a section, each with `build()`; what can never act |
//! | [`supervisor`] | the service manager: told what the proxy does, holds its sockets, its watchdog |
//! | [`app`] | the only place that wires things: `Config` → `App` → `run`; `assemble` (what exchanges need), `sockets` and `listening`, `running`, `reload`, `drain` |
//! | [`cli`] | one file a verb |
//!
//! # The request path
//!
//! 1. accept: counted, limited; behind a balancer the client is whom it names; TLS to the proxy where the listener speaks it; the
//!    first head is read within its deadline and checked more strictly than any parser behind it
//!    ([`listener::head`])
//! 2. CONNECT target, absolute URI or relay destination becomes a [`destination::Destination`], or `bad_request`
//! 3. the client's address is let in, its name and password are checked where that is configured ([`proxy::identify`]); then
//!    [`policy::Policy::decide`] gives a [`policy::Decision`]: verdict, rule, reason, treatment, and a [`policy::Permit`] if the
//!    exchange may go on
//! 4. [`upstream::Dialer::dial`] demands the permit: resolves once, checks every address, connects to a checked one, or has a
//!    parent proxy connect ([`upstream::parent`]). CONNECT is answered 200 only now
//! 5. the ClientHello is read, bounded and timed, reassembled over packets and records: its name must be the destination
//!    ([`proxy::tunnel`])
//! 6. the tunnel is relayed ([`relay::Relay`]); plain HTTP endpoints are served request by request instead ([`proxy::exchange`])
//! 7. where interception is configured and the service is to be inspected, the TLS handshake with the cloud comes before the 200
//!    ([`upstream::secure`]), the one with the client behind the ClientHello ([`proxy::intercept`]); each request inside is decided
//!    again by method and path, held, judged, and released as it came ([`proxy::inspected`])
//! 8. the [`audit::Record`] is dropped: one log line and one audit line, also when the exchange was cancelled. It reserved its place
//!    when it started: where audit files are to be written and cannot be, nothing begins
//!
//! # Invariants
//!
//! 1. no upstream connection without a `Permit`, and only in `upstream/dial.rs`
//! 2. a host is compared only as `Host`
//! 3. the same verdict on every entry path: one vector file runs over CONNECT in HTTP/1.1, in TLS and in HTTP/2, absolute-form, raw TLS,
//!    `explain` and the relay check
//! 4. what cannot be checked is refused; what observing lets through is recorded as `would_deny`
//! 5. a ClientHello cut at any byte gives the same verdict
//! 6. no payload in any output
//! 7. label values come from the policy and from closed lists
//! 8. every deciding read has a deadline and a byte limit; established streams have idle limits only
//! 9. `policy`, `inspect` and `tls::client_hello` are pure: no async, clock, I/O, logging
//! 10. a panic ends one connection, fails closed, is counted
//! 11. `forbid(unsafe_code)`
//! 12. every `config/*.toml` loads in the tests
//! 13. no byte of a refused message leaves; a released one leaves as it came
//! 14. a reload puts all of a configuration in force or nothing; an exchange keeps the one that it began with, and what stands longer is
//!     held against the new one
//!
//! # Lexicon
//!
//! *client* and *upstream* are the two sides. A *listener* accepts *connections*; an *exchange* is one request with its answer, or
//! one tunnel. A *destination* is a *host* and a port; an *address* is what a host resolves to. A *service* is a documented purpose
//! (licensing, presence, …). The *policy* holds *rules*; a *decision* has a *verdict* (`allow`, `deny`, `would_deny`), a *reason* and a
//! *treatment* (tunnel, intercept). A *permit* proves an allow. A *relay* is a listener with one fixed destination. *Limits* are
//! amounts, *deadlines* are for a whole step, *timeouts* are for silence.

#![forbid(unsafe_code)]

pub mod hidden;

pub mod fault;

pub mod stamp;

pub mod units;

pub mod moment;

pub mod markup;

pub mod source;

pub mod error;

pub mod destination;

pub mod frequent;

pub mod inspect;

pub mod metrics;

pub mod quota;

pub mod contain;

pub mod policy;

pub mod observed;

pub mod access;

pub mod tls;

pub mod identity;

pub mod stall;

pub mod patience;

pub mod frames;

pub mod socket;

pub mod upstream;

pub mod explain;

pub mod listener;

pub mod audit;

pub mod report;

pub mod relay;

pub mod proxy;

pub mod admin;

pub mod config;

pub mod supervisor;

pub mod app;

pub mod cli;
