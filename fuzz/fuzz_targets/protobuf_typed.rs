//! Protocol Buffers with a descriptor: what is accepted is a message for another reader too, and none of its text is passed over.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, MessageDescriptor, Value};
use std::sync::LazyLock;
use ucx_egress::inspect::engine::format::Limits;
use ucx_egress::inspect::engine::format::protobuf::Descriptors;
use ucx_egress_fuzz::witness::Witness;

/// Written by `protoc` for `beat.proto`.
const SET: &[u8] = include_bytes!("../proto/beat.pb");

static OURS: LazyLock<Descriptors> = LazyLock::new(|| Descriptors::parse(SET).expect("a descriptor set"));
static THEIRS: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(SET).expect("a descriptor set");
    pool.get_message_by_name("ucx.v1.Beat").expect("the type")
});

fuzz_target!(|bytes: &[u8]| {
    // The file of an operator is no hostile input, but a broken one must be an error as well.
    let _ = Descriptors::parse(bytes).map(|_| ());
    let mut witness = Witness::default();
    let outcome = OURS.message("ucx.v1.Beat").expect("the type").read(bytes, Limits::default(), &mut witness);
    if outcome.is_err() {
        return;
    }
    witness.assert_closed();
    let message = DynamicMessage::decode(THEIRS.clone(), bytes).unwrap_or_else(|error| panic!("accepted what is no message: {error}"));
    message.fields().for_each(|(_, value)| assert_seen(value, &witness));
});

fn assert_seen(value: &Value, witness: &Witness) {
    match value {
        // The value of an entry that has none is empty.
        Value::String(text) => assert!(text.is_empty() || witness.has_text(text), "a text was passed over: {text:?}"),
        Value::Message(message) => message.fields().for_each(|(_, value)| assert_seen(value, witness)),
        Value::List(values) => values.iter().for_each(|value| assert_seen(value, witness)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            if let MapKey::String(key) = key {
                assert!(witness.has_text(key), "a key was passed over: {key:?}");
            }
            assert_seen(value, witness);
        }),
        _ => {}
    }
}
