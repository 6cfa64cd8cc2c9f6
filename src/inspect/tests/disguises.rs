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
