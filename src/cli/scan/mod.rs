//! `scan`: captured payloads, inspected offline by the engine that stands in the request path.

mod capture;
mod outcome;

use super::{BAD_CONFIG, NO, OK, failed, load, print};
use crate::contain::inspected;
use crate::inspect::{Inspector, Stream, Verdict};
use crate::policy::{Policy, ServiceInfo};
use capture::{Capture, Message, Options};
use outcome::Outcome;
use std::io::Read as _;
use std::path::Path;

/// The service whose promise is the strictest.
const DEFAULT_SERVICE: &str = "telemetry";

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all clean, 1 something would be refused, 2 something cannot be read, or a file holds no message.\n\
    Next: `ucx-egress check` says which addresses may be named and what is done with unknown fields.")]
pub struct Arguments {
    /// The service the payloads are for; see `ucx-egress check`.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_SERVICE)]
    service: String,
    /// Their media type, such as application/json; without it, told by the file's name, then by its first bytes.
    #[arg(long, value_name = "T")]
    content_type: Option<String>,
    /// Their content coding, such as gzip; for gRPC that of compressed messages.
    #[arg(long, value_name = "C")]
    content_encoding: Option<String>,
    /// The gRPC method of a dump, such as /package.Service/Method; needed to read it by inspection.descriptors.
    #[arg(long, value_name = "PATH")]
    grpc_method: Option<String>,
    /// Each line of a file is one message.
    #[arg(long)]
    ndjson: bool,
    /// Print one JSON object a message.
    #[arg(long)]
    json: bool,
    /// Files; - is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

/// Scans all files.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let Some(service) = service(&config.policy, &arguments.service) else {
        let known: Vec<&str> = config.policy.services().iter().skip(1).map(|service| &*service.id).collect();
        return failed(format_args!("--service: no service of that name is in the policy; it has {}", known.join(", ")));
    };
    // What a defect's message says can be payload.
    std::panic::set_hook(Box::new(|_| {}));
    let inspector = &config.inspection.inspector;
    let mut scan = Scan { inspector, service, arguments, stream: Stream::default(), number: 0, clean: 0, blocked: 0, unreadable: 0 };
    for file in &arguments.files {
        scan.file(file);
    }
    scan.finish()
}

fn service<'p>(policy: &'p Policy, name: &str) -> Option<&'p ServiceInfo> {
    policy.services().iter().skip(1).find(|service| *service.id == *name)
}

struct Scan<'a> {
    inspector: &'a Inspector,
    service: &'a ServiceInfo,
    arguments: &'a Arguments,
    /// What the messages of a gRPC dump had so far.
    stream: Stream,
    /// Messages so far.
    number: u64,
    clean: u64,
    blocked: u64,
    /// Messages and files that could not be read.
    unreadable: u64,
}

impl Scan<'_> {
    fn file(&mut self, name: &str) {
        let bytes = match read(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreadable += 1;
                failed(format_args!("{name}: cannot be read: {error}; check the path and its permissions"));
                return;
            }
        };
        let options = Options {
            content_type: self.arguments.content_type.as_deref(),
            content_encoding: self.arguments.content_encoding.as_deref(),
            grpc_method: self.arguments.grpc_method.as_deref(),
            is_ndjson: self.arguments.ndjson,
        };
        let capture = match Capture::new(name, &bytes, &options) {
            Ok(capture) => capture,
            Err(message) => {
                self.unreadable += 1;
                failed(format_args!("{name}: {message}"));
                return;
            }
        };
        let before = self.number;
        capture.each(&mut |message| self.message(name, &message));
        // A capture that failed must not look like one that is clean.
        if self.number == before {
            self.unreadable += 1;
            failed(format_args!("{name}: holds no message, so nothing was scanned; check how it was captured"));
        }
    }

    fn message(&mut self, file: &str, message: &Message<'_>) {
        self.number += 1;
        let verdict =
            inspected(|| judge(self.inspector, &mut self.stream, message)).unwrap_or(Verdict::Uninspectable(crate::contain::DEFECT));
        let outcome = Outcome::new(self.number, self.service, verdict);
        match (outcome.is_blocked, outcome.is_unreadable) {
            (true, true) => self.unreadable += 1,
            (true, false) => self.blocked += 1,
            (false, _) => self.clean += 1,
        }
        print(&if self.arguments.json { outcome.json() } else { outcome.text(file) });
    }

    fn finish(self) -> u8 {
        if !self.arguments.json {
            let Self { number, service, clean, blocked, unreadable, .. } = &self;
            print(&format!("{number} messages for {}: {clean} would pass, {blocked} would not, {unreadable} cannot be read\n", service.id));
        }
        match (self.unreadable, self.blocked) {
            (0, 0) => OK,
            (0, _) => NO,
            _ => BAD_CONFIG,
        }
    }
}

fn judge(inspector: &Inspector, stream: &mut Stream, message: &Message<'_>) -> Verdict {
    if let Message::Call { number: 1, .. } = message {
        *stream = Stream::default();
    }
    match message {
        Message::Body { headers, bytes } => inspector.body(headers, bytes),
        Message::Call { call, number, frame } => inspector.next_message(call, stream, *number, frame.is_compressed, frame.message()),
        Message::Broken(verdict) => verdict.clone(),
    }
}

fn read(name: &str) -> std::io::Result<Vec<u8>> {
    if name != "-" {
        return std::fs::read(name);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}
