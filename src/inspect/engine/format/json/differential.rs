//! What `serde_json` refuses is refused here, and what both take has the same leaves.

use super::*;
use crate::inspect::engine::format::testing::Recorder;
use proptest::prelude::*;
use serde_json::Value;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-zA-Z0-9\\\\/\"\u{1}-\u{1f} ]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z\u{e9}\\\\\"\n]{0,6}", inner, 0..20)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The calls a value must lead to.
fn expected(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null => into.push("l:null".into()),
        Value::Bool(word) => into.push(format!("l:{word}")),
        Value::Number(number) => into.push(format!("n:{number}")),
        Value::String(text) => into.push(format!("s:{text}")),
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, element)| {
            into.push(format!("[{index}"));
            expected(element, into);
            into.push("]".into());
        }),
        Value::Object(members) => {
            into.push("{".into());
            for (key, member) in members {
                into.push(format!("k:{key}"));
                expected(member, into);
                into.push(".".into());
            }
            into.push("}".into());
        }
    }
}

#[test]
fn what_serde_json_makes_of_the_suite_is_no_surprise() {
    for text in suite::WELL_FORMED {
        assert!(serde_json::from_str::<Value>(text).is_ok(), "{text}");
    }
    // It knows neither duplicate names nor their case; all else that is refused here is refused there.
    for text in suite::MALFORMED.iter().filter(|text| serde_json::from_str::<Value>(text).is_ok()) {
        let outcome = read(text.as_bytes(), Limits::default(), &mut Recorder::default()).map_err(|malformed| malformed.fault);
        assert_eq!(outcome, Err(Fault::Duplicate), "{text}");
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read(value in value(), is_pretty in any::<bool>()) {
        let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("a value");
        let mut recorder = Recorder::default();
        prop_assert_eq!(read(text.as_bytes(), Limits::default(), &mut recorder), Ok(()));
        let mut calls = Vec::new();
        expected(&value, &mut calls);
        prop_assert_eq!(recorder.0, calls);
    }

    #[test]
    fn what_serde_json_refuses_is_refused(value in value(), changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..4)) {
        let mut bytes = serde_json::to_vec(&value).expect("a value");
        for (index, kind, byte) in changes {
            let at = index.index(bytes.len() + 1);
            let byte = *b"{}[],:\"\\0-.eE+tn \nu".get(usize::from(byte)).unwrap_or(&byte);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => { bytes.remove(at); }
                2 => bytes.truncate(at),
                _ => { if let Some(place) = bytes.get_mut(at) { *place = byte; } }
            }
        }
        let ours = read(&bytes, Limits::default(), &mut Recorder::default());
        match (serde_json::from_slice::<Value>(&bytes), ours) {
            (Err(_), ours) => prop_assert!(ours.is_err()),
            (Ok(_), Err(malformed)) => prop_assert_eq!(malformed.fault, Fault::Duplicate),
            (Ok(_), Ok(())) => {}
        }
    }
}
