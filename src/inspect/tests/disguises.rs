//! Values in documented fields whose form is hidden by what stands beside or between their letters.

use super::{headers, inspector};
use crate::inspect::engine::walk::Unknown;
use crate::inspect::{Inspector, Verdict};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Fields whose text anybody may choose.
const FIELDS: &[fn(&str) -> Value] = &[
    |text| json!({ "applications": [{ "name": "App", "vendor": text }] }),
    |text| json!({ "name": text }),
    |text| json!({ "applications": [{ "name": "App", "path": text }] }),
    |text| json!({ "database": { "name": "UCX", "files": [text] } }),
    |text| json!({ "cluster": { "nodes": [text] } }),
];

fn verdict(message: &Value) -> Verdict {
    static INSPECTOR: LazyLock<Inspector> = LazyLock::new(|| inspector(Unknown::Inert));
    INSPECTOR.body(&headers(&[("content-type", "application/json")]), message.to_string().as_bytes())
}

/// Each is found in each of the fields.
fn each_is_found(texts: impl IntoIterator<Item = impl AsRef<str>>) {
    let messages = texts.into_iter().flat_map(|text| FIELDS.iter().map(|field| field(text.as_ref())).collect::<Vec<_>>());
    let through: Vec<String> =
        messages.filter(|message| !matches!(verdict(message), Verdict::Findings(_))).map(|message| message.to_string()).collect();
    assert!(through.is_empty(), "{through:#?}");
}

/// Each passes in the first two of the fields.
fn each_passes(texts: &[&str]) {
    for message in texts.iter().flat_map(|text| FIELDS.iter().take(2).map(move |field| field(text))) {
        assert_eq!(verdict(&message), Verdict::Clean, "{message}");
    }
}

#[test]
fn signs_beside_a_value_do_not_hide_it() {
    each_is_found([
        "fax_+393331234567_20260101.tif",
        "C:\\Imagicle\\rec\\2026-01-01_+393331234567_4312.wav",
        "rec-+393331234567.wav",
        "RSSMRA85T10A562S.pdf",
        "CF-RSSMRA85T10A562S",
        "CF_RSSMRA85T10A562S_2026",
        "x.RSSMRA85T10A562S-y.pdf",
        "RSS_MRA_85T10_A562S",
        "SRV_IT60X0542811101000000123456",
        "SRV_IT60X0542811101000000123456_1",
        "IT60.X054.2811.1010.0000.0123.456",
        "IT60_X054_2811_1010_0000_0123_456",
        "00_1B_44_11_3A_B7",
        "nic_00_1B_44_11_3A_B7.cap",
        "00:1B:44:11:3A:B7.cap",
        "00-1B-44-11-3A-B7-eth0",
        "2026_00:1B:44:11:3A:B7",
        "_00-1B-44-11-3A-B7_",
    ]);
}

#[test]
fn names_of_files_and_parts_pass() {
    each_passes(&[
        "fax_20260101_120000.tif",
        "RSSMRA85T10A562T.pdf",
        "srv_node_01",
        "ucx_26_01_01_12_30_59.log",
        "12_34_56_78_90_12 build",
        "vc_redist.x64_14_32_31332",
        "Microsoft.VCLibs.140.00_14.0.30704.0_x64__8wekyb3d8bbwe",
        "KINGSTON_SA400S37480G",
        "libstdc++_6.0.30",
    ]);
}

#[test]
fn marks_and_look_alikes_do_not_hide_a_value() {
    let marked = |text: &str| text.chars().flat_map(|letter| [letter, '\u{301}']).collect::<String>();
    let values = ["RSSMRA85T10A562S", "mario.rossi@acme.it", "IT60X0542811101000000123456", "sip:mario.rossi@voice.acme.it"];
    each_is_found(values.map(marked));
    each_is_found([
        "RSSMR\u{410}85T10A562S",
        "RSS\u{41c}R\u{410}85\u{422}10\u{410}562S",
        "RSS MRA 85\u{422}10 \u{410}562S",
        "R\u{15a}\u{15a}MR\u{c1}85T10\u{c1}562\u{15a}",
        "00:1\u{412}:44:11:3\u{410}:\u{412}7",
        "00-1\u{412}-44-11-3\u{410}-\u{412}7",
        "00-1\u{392}-44-11-3\u{391}-\u{392}7",
        "C:\\\u{da}sers\\mrossi\\x.exe",
        "C:\\Us\u{301}e\u{301}rs\\mrossi\\x.exe",
    ]);
}

#[test]
fn what_is_not_seen_does_not_hide_a_value() {
    let tag = |letter: char| char::from_u32(u32::from(letter) + 0xE_0000).expect("a tag");
    let tags = |text: &str| text.chars().map(tag).collect::<String>();
    let values = ["mario.rossi@acme.it", "4111 1111 1111 1111", "IT60X0542811101000000123456", "+39 333 1234567", "RSSMRA85T10A562S"];
    each_is_found(values.map(tags));
    each_is_found(values.map(|text| format!("App{} 2", tags(text))));
    each_is_found(values.map(|text| text.chars().flat_map(|letter| ['x', tag(letter)]).collect::<String>()));
    each_is_found(values.map(|text| format!("{}{}{}", &text[..4], tag('A'), &text[4..])));
    for control in ['\0', '\u{1}', '\u{7f}', '\u{86}'] {
        each_is_found(values.map(|text| text.chars().flat_map(|letter| [letter, control]).collect::<String>()));
    }
    for control in ['\0', '\u{1}', '\t', '\n', '\u{9f}'] {
        each_is_found(values.map(|text| format!("{}{control}{}", &text[..6], &text[6..])));
    }
    each_is_found(["41111\t11111111111", "mario.rossi@ac\0me.it", "4111\u{1} 1111 1111 1111", "00:1B:44\n:11:3A:B7"]);
}

#[test]
fn lines_and_letters_of_europe_pass() {
    each_passes(&[
        "Gestion des accès réseau 2019",
        "Überwachung für Zähler 14.32.31332",
        "КриптоПро CSP 5.0.12500",
        "Ελληνικά 2019",
        "Line one of it\nLine two of it 1234",
        "12345678\n4012345\tx",
        "Port\t5060\nPort\t5061",
    ]);
}

#[test]
fn codes_of_characters_are_read_though_no_word_is_among_them() {
    let codes = |text: &str| json!({ "foo": text.bytes().collect::<Vec<u8>>() });
    for text in ["4111 1111 1111 1111", "4111-1111-1111-1111", "IT60X0542811101000000123456", "00:1B:44:11:3A:B7", "00-1B-44-11-3A-B7"] {
        assert!(matches!(verdict(&codes(text)), Verdict::Findings(_)), "{text}");
    }
    // Sixteen temperatures or shares of processors may be the digits of a card.
    for text in ["4111111111111111", "40 41 42 43 44 45 46 47", "0000000000000000"] {
        assert_eq!(verdict(&codes(text)), Verdict::Clean, "{text}");
    }
}
