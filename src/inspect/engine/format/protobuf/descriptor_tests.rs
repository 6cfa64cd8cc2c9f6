use super::sample::{BEAT, DESCRIPTORS};
use super::tests::{len, number, varint};
use super::*;
use crate::inspect::engine::format::testing::{Nesting, Recorder};
use crate::inspect::engine::format::{Fault, Limits, Malformed};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn descriptors() -> Descriptors {
    Descriptors::parse(&bytes(DESCRIPTORS)).expect("a descriptor set")
}

fn events(name: &str, message: &[u8]) -> Result<String, Malformed> {
    let mut recorder = Recorder::default();
    descriptors().message(name).expect("a type").read(message, Limits::default(), &mut recorder).map(|()| recorder.text())
}

fn beat(message: &[u8]) -> Result<String, Malformed> {
    events("ucx.v1.Beat", message)
}

#[test]
fn types_and_methods_are_found_by_name() {
    let descriptors = descriptors();
    for name in ["ucx.v1.Beat", "ucx.v1.Beat.Process", "ucx.v1.Beat.LabelsEntry", "ucx.v1.Ack", "google.protobuf.Any"] {
        assert_eq!(descriptors.message(name).map(|message| message.name().to_owned()).as_deref(), Some(name));
    }
    assert!(descriptors.message(".ucx.v1.Beat").is_none() && descriptors.message("Beat").is_none());
    let input = |path| descriptors.method_input(path).map(|message| message.name().to_owned());
    assert_eq!(input("/ucx.v1.Telemetry/Send").as_deref(), Some("ucx.v1.Beat"));
    assert_eq!(input("/ucx.v1.Telemetry/Stream").as_deref(), Some("ucx.v1.Beat"));
    assert_eq!(input("/ucx.v1.Telemetry/Other"), None);
    assert_eq!(descriptors.method_output("/ucx.v1.Telemetry/Send").map(|message| message.name().to_owned()).as_deref(), Some("ucx.v1.Ack"));
}

#[test]
fn a_message_of_another_implementation_is_read() {
    assert_eq!(
        beat(&bytes(BEAT)).as_deref(),
        Ok("{ k:server s:srv-1 . k:processes [0 { k:pid n:4 . k:name s:System . k:cpu n:1.5 . } ] . \
            k:processes [1 { k:pid n:8 . k:name s:smss.exe . } ] . k:labels { k:site s:Lucca . } . k:by_pid { k:7 { k:name s:x . } . } . \
            k:text s:hello . k:counters [0 n:1 ] [1 n:300 ] [2 n:393331234567 ] . k:state n:1 . k:delta n:-3 . k:ok l:true . \
            k:extra { k:type_url s:type.googleapis.com/ucx.v1.Ack . k:value { k:ok l:true . } . } . k:load n:0.1 . k:tags [0 s:a ] . k:tags [1 s:b ] . \
            k:serial n:4111111111111111 . k:old [0 n:1 ] . k:old [1 n:-2 ] . k:inner { k:server s:in . k:blob b:89504e47 . } . k:number n:-5 . \
            k:points [0 n:-1 ] [1 n:2 ] . }")
    );
}

#[test]
fn every_occurrence_is_reported() {
    for (message, expected) in [
        ([len(1, b"first"), len(1, b"last")].concat(), "{ k:server s:first . k:server s:last . }"),
        ([len(5, b"text"), len(6, b"\xff")].concat(), "{ k:text s:text . k:blob b:ff . }"),
        (
            [number(7, 1), len(7, &[2, 3]), number(7, 4)].concat(),
            "{ k:counters [0 n:1 ] . k:counters [1 n:2 ] [2 n:3 ] . k:counters [3 n:4 ] . }",
        ),
        (len(15, &[1, 2]), "{ k:old [0 n:1 ] [1 n:2 ] . }"),
        (len(7, b""), "{ k:counters . }"),
        (len(3, &[len(1, b"k"), len(2, b"v")].concat()), "{ k:labels { k:k s:v . } . }"),
        (len(3, &[len(2, b"v"), len(1, b"k")].concat()), "{ k:labels { k:k s:v . } . }"),
        (len(3, &[len(1, b"hidden"), len(2, b"too"), len(1, b"k"), len(2, b"v")].concat()), "{ k:labels { k:k s:hidden s:too s:v . } . }"),
        (len(3, b""), "{ k:labels { k: . } . }"),
        (len(4, &[number(1, u64::MAX), len(2, b"")].concat()), "{ k:by_pid { k:-1 { } . } . }"),
        (number(10, 0), "{ k:ok l:false . }"),
        (number(8, u64::MAX), "{ k:state n:-1 . }"),
        (b"\x65\0\0\xc0\x7f\x65\0\0\x80\x7f\x65\0\0\x80\xff".to_vec(), "{ k:load l:NaN . k:load l:Infinity . k:load l:-Infinity . }"),
        (
            len(11, &[len(2, b"\x08\x01"), len(1, b"x/ucx.v1.Ack")].concat()),
            "{ k:extra { k:value { k:ok l:true . } . k:type_url s:x/ucx.v1.Ack . } . }",
        ),
        (len(11, &[len(1, b"x/other"), len(2, b"\x08\x01")].concat()), "{ k:extra { k:type_url s:x/other . k:value b:0801 . } . }"),
    ] {
        assert_eq!(beat(&message).as_deref(), Ok(expected));
    }
}

#[test]
fn what_the_descriptor_does_not_have_is_refused() {
    let limit = (0..33).fold(Vec::new(), |inner, _| len(16, &inner));
    for (message, fault) in [
        (number(19, 1), Fault::Schema),
        (len(2, &number(9, 1)), Fault::Schema),
        (number(1, 1), Fault::Schema),
        (len(10, b"\x01"), Fault::Schema),
        (number(10, 2), Fault::Schema),
        (number(12, 1), Fault::Schema),
        (number(14, 1), Fault::Schema),
        (number(2, 1), Fault::Schema),
        (number(3, 1), Fault::Schema),
        (number(6, 1), Fault::Schema),
        (number(17, 1 << 31), Fault::Schema),
        (number(8, 1 << 32), Fault::Schema),
        (len(2, &number(1, 1 << 32)), Fault::Schema),
        (b"\x0d\0\0\0\0".to_vec(), Fault::Schema),
        (b"\x39\0\0\0\0\0\0\0\0".to_vec(), Fault::Schema),
        (len(3, &len(3, b"x")), Fault::Schema),
        (len(3, &number(1, 1)), Fault::Schema),
        (len(4, &len(1, b"x")), Fault::Schema),
        (len(1, b"\xff"), Fault::Utf8),
        (len(13, b"\xe9"), Fault::Utf8),
        (len(3, &len(1, b"\xe9")), Fault::Utf8),
        (len(7, b"\x80"), Fault::Wire),
        (len(18, b"\x01\0\0"), Fault::Wire),
        (len(7, b"\x80\x00"), Fault::Wire),
        (b"\x0b\x0c".to_vec(), Fault::Wire),
        (b"\x0a\x05x".to_vec(), Fault::Wire),
        (len(11, &[len(1, b"a"), len(1, b"b")].concat()), Fault::Duplicate),
        (len(11, &[len(1, b"x/ucx.v1.Ack"), len(2, b"\x10\x01")].concat()), Fault::Schema),
        (limit, Fault::Depth),
        (len(7, &vec![1; 70_000]), Fault::Nodes),
        (len(1, &vec![b'x'; 70_000]), Fault::String),
        (len(3, &len(1, &[b'x'; 257])), Fault::Key),
    ] {
        assert_eq!(beat(&message).map_err(|malformed| malformed.fault), Err(fault), "{:?}", message.get(..20));
    }
    assert!(events("ucx.v1.Beat.Process", &number(1, u64::from(u32::MAX))).is_ok());
}

#[test]
fn descriptor_sets_that_contradict_themselves_are_refused() {
    let file = |parts: &[Vec<u8>]| len(1, &parts.concat());
    let field = |name: &[u8], id: u64, kind: u64| len(2, &[len(1, name), number(3, id), number(5, kind)].concat());
    let ok = file(&[len(4, &[len(1, b"A"), field(b"x", 1, 9)].concat())]);
    assert!(Descriptors::parse(&ok).expect("a set").message("A").is_some());
    assert!(Descriptors::parse(b"").is_ok());
    for (set, fault) in [
        ([ok.clone(), ok.clone()].concat(), Fault::Duplicate),
        (file(&[len(4, &[len(1, b"A"), field(b"x", 1, 9), field(b"y", 1, 9)].concat())]), Fault::Duplicate),
        (file(&[len(4, &[len(1, b"A"), field(b"x", 1, 11)].concat())]), Fault::Schema),
        (file(&[len(6, &[len(1, b"S"), len(2, &[len(1, b"M"), len(2, b".A"), len(3, b".A")].concat())].concat())]), Fault::Schema),
        (number(1, 1), Fault::Schema),
        (b"\xff".to_vec(), Fault::Wire),
        (file(&[len(4, &(0..40).fold(len(1, b"A"), |inner, _| [len(1, b"A"), len(3, &inner)].concat()))]), Fault::Depth),
    ] {
        assert_eq!(Descriptors::parse(&set).map(|_| ()).map_err(|malformed| malformed.fault), Err(fault));
    }
    let groups = file(&[len(4, &[len(1, b"A"), field(b"x", 1, 10)].concat())]);
    let groups = Descriptors::parse(&groups).expect("a set");
    let outcome = groups.message("A").expect("a type").read(&number(1, 1), Limits::default(), &mut Recorder::default());
    assert_eq!(outcome, Err(Fault::Schema.at(0)));
}

proptest! {
    #[test]
    fn no_message_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let mut message = bytes(BEAT);
        for (index, byte) in changes {
            let at = index.index(message.len());
            message[at] = byte;
        }
        if is_cut {
            message.truncate(cut.index(message.len()));
        }
        let mut nesting = Nesting::default();
        if descriptors().message("ucx.v1.Beat").expect("a type").read(&message, Limits::default(), &mut nesting).is_ok() {
            nesting.assert_closed();
        }
    }

    #[test]
    fn no_descriptor_set_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), noise in prop::collection::vec(any::<u8>(), 0..50)) {
        let mut set = bytes(DESCRIPTORS);
        for (index, byte) in changes {
            let at = index.index(set.len());
            set[at] = byte;
        }
        let _outcomes = (Descriptors::parse(&set).map(|_| ()), Descriptors::parse(&noise).map(|_| ()));
    }

    #[test]
    fn varints_come_back(value in any::<u64>()) {
        prop_assert_eq!(beat(&[vec![0x38], varint(value)].concat()), Ok(format!("{{ k:counters [0 n:{value} ] . }}")));
    }
}
