//! What inspection costs: `cargo bench --bench inspection`.
//!
//! Throughput per format is of reading and walking together, on one core. Latency is of one message of 64 KiB, and of twice as much:
//! the ratio must stay near two, whatever the message is made of.
//!
//! Time is that of this thread on a processor (Linux), so what else runs on the machine hardly matters; what shares a core with it does
//! (`taskset -c 1` to choose another).

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkId, Criterion as Runner, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};
use ucx_egress::inspect::engine::canonical::{Limits as Sizes, coding};
use ucx_egress::inspect::engine::context::Context;
use ucx_egress::inspect::engine::detect;
use ucx_egress::inspect::engine::format::protobuf::{self as wire, Descriptors};
use ucx_egress::inspect::engine::format::{Leaf, Limits, Visitor, form, json, multipart, ndjson, text, xml};
use ucx_egress::inspect::engine::shape::Shape;
use ucx_egress::inspect::engine::shape::document::Document;
use ucx_egress::inspect::engine::tree::Tree;
use ucx_egress::inspect::engine::walk::{Report, Settings, Walk};

mod support;
use support::{adversarial, protobuf, telemetry};

/// A message of a large server.
const LARGE: usize = 256 << 10;
/// A message as most are at most.
const USUAL: usize = 64 << 10;
/// A text as long as may be looked at from every side.
const SHORT: usize = 4 << 10;
/// Nothing in these messages may be too much.
const LIMITS: Limits = Limits { depth: 32, nodes: 1 << 20, key: 256, string: 1 << 20 };

/// Runs benchmarks by [`CpuTime`].
type Criterion = Runner<CpuTime>;

/// Nanoseconds that the main thread, which runs all benchmarks, was on a processor.
struct CpuTime;

impl CpuTime {
    fn now() -> u64 {
        let schedule = std::fs::read_to_string("/proc/self/schedstat").expect("the kernel counts time on processors");
        schedule.split(' ').next().and_then(|time| time.parse().ok()).expect("the first number is the time")
    }
}

impl Measurement for CpuTime {
    type Intermediate = u64;
    type Value = u64;

    fn start(&self) -> u64 {
        Self::now()
    }

    fn end(&self, start: u64) -> u64 {
        Self::now() - start
    }

    fn add(&self, one: &u64, other: &u64) -> u64 {
        one + other
    }

    fn zero(&self) -> u64 {
        0
    }

    fn to_f64(&self, value: &u64) -> f64 {
        Duration::from_nanos(*value).as_secs_f64() * 1e9
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn tree() -> Tree {
    let document: Document = toml::from_str(include_str!("../config/policy/shape.toml")).expect("the shape is TOML");
    Tree::new(Shape::compile(&document).expect("the shape compiles"))
}

fn settings() -> Settings {
    Settings { networks: vec![("10.20.0.0".parse().expect("an address"), 24)], ..Settings::default() }
}

/// Reads and walks one message.
fn walk(tree: &Tree, settings: &Settings, bytes: &[u8], read: &dyn Fn(&[u8], &mut Walk<'_>)) -> Report {
    let mut walk = Walk::new(tree, settings, bytes.len());
    read(bytes, &mut walk);
    walk.finish()
}

/// How a message of some format is read.
type Read<'r> = Box<dyn Fn(&[u8], &mut Walk<'_>) + 'r>;

fn formats(criterion: &mut Criterion) {
    let (tree, settings) = (tree(), settings());
    let descriptors = Descriptors::parse(&protobuf::descriptors()).expect("the descriptors are right");
    let message = descriptors.message(protobuf::MESSAGE).expect("the message is in them");
    let rows: Vec<(&str, Vec<u8>, Read<'_>)> = vec![
        ("json", telemetry::json(LARGE), Box::new(|bytes, walk| json::read(bytes, LIMITS, walk).expect("it is JSON"))),
        ("ndjson", telemetry::ndjson(LARGE), Box::new(|bytes, walk| ndjson::read(bytes, LIMITS, walk).expect("it is NDJSON"))),
        ("form", telemetry::form(LARGE), Box::new(|bytes, walk| form::read(bytes, LIMITS, walk).expect("it is a form"))),
        ("xml", telemetry::xml(LARGE), Box::new(|bytes, walk| xml::read(bytes, LIMITS, walk).expect("it is XML"))),
        (
            "multipart",
            telemetry::multipart(USUAL),
            Box::new(|bytes, walk| multipart::read(bytes, telemetry::BOUNDARY, LIMITS, walk).expect("it is multipart")),
        ),
        ("text", telemetry::text(SHORT), Box::new(|bytes, walk| text::read(bytes, Limits::default(), walk).expect("it is text"))),
        ("protobuf-typed", protobuf::beat(LARGE), Box::new(move |bytes, walk| message.read(bytes, LIMITS, walk).expect("it is a message"))),
        // Every reading is looked at: a larger one is refused for its work.
        ("protobuf-guess", protobuf::beat(USUAL), Box::new(|bytes, walk| wire::read(bytes, LIMITS, walk).expect("it is a message"))),
    ];
    let mut group = criterion.benchmark_group("format");
    for (name, bytes, read) in &rows {
        let report = walk(&tree, &settings, bytes, read);
        assert!(report.findings.is_empty() && report.unreadable.is_none(), "{name}: {report:?}");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(*name, |bencher| bencher.iter(|| walk(&tree, &settings, black_box(bytes), read)));
    }
    group.finish();
}

/// Takes everything and looks at nothing.
struct Blind;

impl Visitor for Blind {
    fn key(&mut self, key: &str) {
        black_box(key);
    }
    fn key_end(&mut self) {}
    fn element(&mut self, _: usize) {}
    fn element_end(&mut self) {}
    fn object(&mut self) {}
    fn object_end(&mut self) {}
    fn string(&mut self, text: &str) {
        black_box(text);
    }
    fn number(&mut self, raw: &str) {
        black_box(raw);
    }
    fn literal(&mut self, word: &str) {
        black_box(word);
    }
    fn bytes(&mut self, bytes: &[u8]) {
        black_box(bytes);
    }
    fn whole(&mut self, value: u64) -> bool {
        black_box(value);
        true
    }
    fn leaf(&mut self, key: &str, leaf: Leaf<'_>) -> bool {
        black_box((key, leaf));
        true
    }
}

/// Reading alone, to tell it from walking.
fn reading(criterion: &mut Criterion) {
    let bytes = telemetry::json(LARGE);
    let mut group = criterion.benchmark_group("reading");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("json", |bencher| bencher.iter(|| json::read(black_box(&bytes), LIMITS, &mut Blind)));
    let bytes = protobuf::beat(LARGE);
    let descriptors = Descriptors::parse(&protobuf::descriptors()).expect("the descriptors are right");
    let message = descriptors.message(protobuf::MESSAGE).expect("the message is in them");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("protobuf-typed", |bencher| bencher.iter(|| message.read(black_box(&bytes), LIMITS, &mut Blind)));
    group.bench_function("protobuf-guess", |bencher| bencher.iter(|| wire::read(black_box(&bytes), LIMITS, &mut Blind)));
    group.finish();
}

/// Each detector over the lines of a log.
fn detectors(criterion: &mut Criterion) {
    let bytes = telemetry::text(USUAL);
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let mut group = criterion.benchmark_group("detector");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    for (name, scan) in DETECTORS {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                for line in &lines {
                    scan(black_box(line), &Context::default(), &mut |hit| {
                        black_box(hit);
                    });
                }
            });
        });
    }
    group.finish();
}

/// As the engine calls a detector.
type Scan = fn(&[u8], &Context<'_>, &mut dyn FnMut(ucx_egress::inspect::engine::finding::Hit));

const DETECTORS: &[(&str, Scan)] = &[
    ("all", detect::scan),
    ("call-record", detect::call_record::scan),
    ("contact-list", detect::contact_list::scan),
    ("cookie", detect::cookie::scan),
    ("credential", detect::credential::scan),
    ("device-name", detect::device_name::scan),
    ("email", detect::email::scan),
    ("geo", detect::geo::scan),
    ("iban", detect::iban::scan),
    ("identity", detect::identity::scan),
    ("ip", detect::ip::scan),
    ("mac", detect::mac::scan),
    ("media", detect::media::scan),
    ("national-id", detect::national_id::scan),
    ("payment-card", detect::payment_card::scan),
    ("person-name", detect::person_name::scan),
    ("phone", detect::phone::scan),
    ("sid", detect::sid::scan),
    ("sip", detect::sip::scan),
    ("sip-credentials", detect::sip_credentials::scan),
    ("user-path", detect::user_path::scan),
];

fn codings(criterion: &mut Criterion) {
    use std::io::Write as _;
    let bytes = telemetry::json(LARGE);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&bytes).expect("memory takes it");
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(&bytes).expect("memory takes it");
    let mut br = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut br, &parameters).expect("memory takes it");
    let rows = [
        ("gzip", gzip.finish().expect("memory takes it")),
        ("deflate", deflate.finish().expect("memory takes it")),
        ("br", br),
        ("zstd", ruzstd::encoding::compress_to_vec(bytes.as_slice(), ruzstd::encoding::CompressionLevel::Fastest)),
    ];
    let mut group = criterion.benchmark_group("coding");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    for (name, coded) in &rows {
        let sizes = Sizes { max_output: 1 << 20 };
        assert_eq!(coding::decode(name, coded, &sizes).expect("it can be decoded").len(), bytes.len());
        group.bench_function(*name, |bencher| bencher.iter(|| coding::decode(name, black_box(coded), &sizes).map(|body| body.len())));
    }
    group.finish();
}

fn latency(criterion: &mut Criterion) {
    let (tree, settings) = (tree(), settings());
    let read: Read<'_> = Box::new(|bytes, walk| json::read(bytes, LIMITS, walk).expect("it is JSON"));
    let guessed: Read<'_> = Box::new(|bytes, walk| {
        let _ = wire::read(bytes, LIMITS, walk); // too many readings are refused, and that has its price too
    });
    let mut group = criterion.benchmark_group("latency");
    let mut measure = |name: &str, make: &dyn Fn(usize) -> Vec<u8>, read: &Read<'_>| {
        for size in [USUAL, 2 * USUAL] {
            let bytes = make(size);
            group.bench_with_input(BenchmarkId::new(name, bytes.len() / 1024), &bytes, |bencher, bytes| {
                bencher.iter(|| walk(&tree, &settings, black_box(bytes), read));
            });
        }
    };
    measure("clean", &telemetry::json, &read);
    for (name, make) in adversarial::JSON {
        measure(name, make, &read);
    }
    measure("len-in-len", &|size| protobuf::nested(size, 30), &guessed);
    group.finish();
}

/// Messages of which the slowest are told.
const MESSAGES: usize = 5_000;

/// The time of a clean message of 64 KiB: the median and the slowest in a hundred, which criterion does not tell. By the clock: what the
/// kernel counts of a thread may be whole ticks.
fn tail(_: &mut Criterion) {
    let (tree, settings) = (tree(), settings());
    let read: Read<'_> = Box::new(|bytes, walk| json::read(bytes, LIMITS, walk).expect("it is JSON"));
    let bytes = telemetry::json(USUAL);
    let time = |_| {
        let start = Instant::now();
        black_box(walk(&tree, &settings, black_box(&bytes), &read));
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..MESSAGES).map(time).collect();
    times.sort_unstable();
    let at = |percent: usize| times.get(MESSAGES * percent / 100).copied().unwrap_or_default().as_micros();
    println!("tail/clean/64: of {MESSAGES} messages, p50 {} us, p99 {} us", at(50), at(99));
}

criterion_group! {
    name = benches;
    config = Runner::default().with_measurement(CpuTime);
    targets = formats, reading, detectors, codings, latency, tail
}
criterion_main!(benches);
