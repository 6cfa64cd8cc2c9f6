//! The same beats as Protocol Buffers messages, with the descriptor set that `protoc` would write for them.

use super::telemetry;

/// The name of the message type.
pub const MESSAGE: &str = "ucx.v1.Beat";

/// Types of fields (`FieldDescriptorProto.Type`).
const DOUBLE: u64 = 1;
const STRING: u64 = 9;
const MESSAGE_TYPE: u64 = 11;
const UINT32: u64 = 13;
const UINT64: u64 = 4;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, payload: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, payload.len() as u64);
    out.extend_from_slice(payload);
}

fn field(name: &str, place: u64, kind: u64, repeated: bool, type_name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, name.as_bytes());
    number(&mut out, 3, place);
    number(&mut out, 4, if repeated { 3 } else { 1 });
    number(&mut out, 5, kind);
    if !type_name.is_empty() {
        bytes(&mut out, 6, type_name.as_bytes());
    }
    out
}

fn message(name: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, name.as_bytes());
    for field in fields {
        bytes(&mut out, 2, field);
    }
    out
}

/// A `FileDescriptorSet`.
#[must_use]
pub fn descriptors() -> Vec<u8> {
    let mut file = Vec::new();
    bytes(&mut file, 1, b"beat.proto");
    bytes(&mut file, 2, b"ucx.v1");
    let process = [
        field("processId", 1, UINT32, false, ""),
        field("name", 2, STRING, false, ""),
        field("usedMemory", 3, UINT64, false, ""),
        field("handleCount", 4, UINT32, false, ""),
        field("threadCount", 5, UINT32, false, ""),
        field("cpuUsage", 6, DOUBLE, false, ""),
    ];
    let application = ["name", "version", "vendor"];
    let application = application.iter().zip(1..).map(|(name, place)| field(name, place, STRING, false, ""));
    let beat = [
        field("runningProcesses", 1, MESSAGE_TYPE, true, ".ucx.v1.Process"),
        field("installedApplications", 2, MESSAGE_TYPE, true, ".ucx.v1.Application"),
    ];
    bytes(&mut file, 4, &message("Process", &process));
    bytes(&mut file, 4, &message("Application", &application.collect::<Vec<_>>()));
    bytes(&mut file, 4, &message("Beat", &beat));
    bytes(&mut file, 12, b"proto3");
    let mut set = Vec::new();
    bytes(&mut set, 1, &file);
    set
}

/// A beat of about so many bytes.
#[must_use]
pub fn beat(size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    telemetry::processes(|pid, name, memory, handles, threads, cpu| {
        let mut process = Vec::new();
        number(&mut process, 1, pid);
        bytes(&mut process, 2, name.as_bytes());
        number(&mut process, 3, memory);
        number(&mut process, 4, handles);
        number(&mut process, 5, threads);
        varint(&mut process, 6 << 3 | 1);
        process.extend_from_slice(&cpu.to_le_bytes());
        bytes(&mut out, 1, &process);
        out.len() < size / 2
    });
    telemetry::applications(|name, version, vendor| {
        let mut application = Vec::new();
        for (text, place) in [name, version, vendor].iter().zip(1..) {
            bytes(&mut application, place, text.as_bytes());
        }
        bytes(&mut out, 2, &application);
        out.len() < size
    });
    out
}

/// Messages inside one another, each the only field of the one around it.
#[must_use]
pub fn nested(size: usize, depth: usize) -> Vec<u8> {
    let mut out = vec![0x41; size];
    for _ in 0..depth {
        let mut outer = Vec::new();
        bytes(&mut outer, 1, &out);
        out = outer;
    }
    out
}
