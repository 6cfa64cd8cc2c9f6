//! `scan` and `learn`: exit codes, forms of output, what is one message.

use crate::support::daemon::BINARY;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A clean message, one with personal data, one with an undocumented value, one that is malformed.
const LINES: [&str; 4] = [
    r#"{"processes":[{"pid":4,"name":"System","workingSet":140000}]}"#,
    r#"{"services":[{"name":"Spooler","startupIdentity":"ACME\\m.rossi"}]}"#,
    r#"{"comment":"some words of somebody"}"#,
    r#"{"processes":"#,
];

struct Scanned {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Scanned {
    fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

async fn run(arguments: &[&str], input: &[u8]) -> Scanned {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // Whoever does not read it ends first.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("the process ends");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Scanned { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    path.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn each_line_is_a_message_with_its_own_verdict() {
    let scanned = run(&["scan", "--ndjson", "--json", "-"], LINES.join("\n").as_bytes()).await;
    let objects = scanned.objects();
    assert_eq!(objects[0], json!({"message": 1, "verdict": "allow", "service": "telemetry", "findings": []}));
    let summary: Vec<(u64, &str, &str, &str)> = objects
        .iter()
        .skip(1)
        .map(|object| {
            let finding = &object["findings"][0];
            let text = |value: &'_ Value| value.as_str().map(str::to_owned).unwrap_or_default();
            assert!(!text(&finding["reason"]).is_empty(), "{object}");
            (
                object["message"].as_u64().expect("a number"),
                object["verdict"].as_str().expect("a verdict"),
                finding["kind"].as_str().expect("a kind"),
                finding["location"].as_str().expect("a location"),
            )
        })
        .collect();
    let expected = [
        (2, "block", "identity", "/services/0/startupIdentity"),
        (3, "block", "undocumented_field", "/(0)"),
        (4, "block", "uninspectable", "/"),
    ];
    assert_eq!(summary, expected);
    assert_eq!(scanned.code, Some(2), "one of them cannot be read");
}

#[tokio::test]
async fn exit_codes_tell_clean_found_and_unreadable_apart() {
    let folder = TempDir::new().expect("a folder");
    let files: Vec<String> =
        LINES.iter().enumerate().map(|(number, line)| file(&folder, &format!("{number}.json"), line.as_bytes())).collect();
    for (chosen, code) in [(&[0][..], 0), (&[1], 1), (&[2], 1), (&[0, 1], 1), (&[3], 2), (&[0, 3], 2)] {
        let mut arguments = vec!["scan"];
        arguments.extend(chosen.iter().map(|number: &usize| files[*number].as_str()));
        let scanned = run(&arguments, b"").await;
        assert_eq!(scanned.code, Some(code), "{chosen:?}: {}{}", scanned.out, scanned.err);
    }
    let missing = run(&["scan", "/nowhere/at/all.json"], b"").await;
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("/nowhere/at/all.json: cannot be read"), "{}", missing.err);
    assert_eq!(run(&["scan"], b"").await.code, Some(2), "a file is needed");
    let unknown = run(&["scan", "--service", "nothing", "-"], b"{}").await;
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("licensing, telemetry"), "{}", unknown.err);
}

#[tokio::test]
async fn what_a_service_is_for_passes() {
    let scanned = run(&["scan", "--service", "presence", "--json", "-"], LINES[1].as_bytes()).await;
    let object = &scanned.objects()[0];
    assert_eq!((&object["verdict"], &object["service"]), (&json!("allow"), &json!("presence")));
    assert_eq!(object["findings"][0]["kind"], "identity", "it is named all the same");
    assert_eq!(scanned.code, Some(0));
}

/// A capture that failed must not look like a clean one.
#[tokio::test]
async fn a_file_without_a_message_is_none_that_is_clean() {
    for (arguments, input) in
        [(&["--ndjson"][..], &b""[..]), (&["--ndjson"], b"\r\n \n"), (&[], b""), (&["--content-type", "application/grpc"], b"")]
    {
        let scanned = run(&[&["scan"][..], arguments, &["-"]].concat(), input).await;
        assert_eq!(scanned.code, Some(2), "{arguments:?}: {}", scanned.out);
        assert!(scanned.err.contains("holds no message"), "{arguments:?}: {}", scanned.err);
    }
}

#[tokio::test]
async fn captures_are_read_by_their_form() {
    let mail = "m.rossi@example.com";
    let frame = |flag: u8, message: &[u8]| {
        let length = u32::try_from(message.len()).expect("short").to_be_bytes();
        [&[flag][..], &length, message].concat()
    };
    let field = [b"\x0a\x13", mail.as_bytes()].concat();
    let dump = [frame(0, b"\x08\x07"), frame(0, &field)].concat();
    let wide: Vec<u8> = format!("\u{feff}{{\"note\":\"{mail}\"}}\r\n{{}}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (arguments, input, verdicts) in [
        (&["--content-type", "application/grpc"][..], dump.as_slice(), &["allow", "block"][..]),
        (&["--ndjson"], &wide, &["block", "allow"]),
        (&["--content-type", "text/csv"], b"a;m.rossi@example.com", &["block"]),
        (&["--content-type", "text/csv"], b"processId,name\n4,System\n", &["allow"]),
        (&["--content-type", "text/plain"], b"name,extension\nx,4312\n", &["block"]),
        (&["--content-type", "application/x-www-form-urlencoded"], b"a=m.rossi%40example.com", &["block"]),
        (&[], b"<a mail='m.rossi@example.com'/>", &["block"]),
        (&["--content-encoding", "gzip"], b"{}", &["block"]),
    ] {
        let all = [&["scan", "--json"][..], arguments, &["-"]].concat();
        let scanned = run(&all, input).await;
        let found: Vec<String> = scanned.objects().iter().map(|object| object["verdict"].as_str().expect("a verdict").to_owned()).collect();
        assert_eq!(found, verdicts, "{arguments:?}: {}", scanned.out);
    }
}

#[tokio::test]
async fn a_configuration_says_what_may_be_named() {
    let folder = TempDir::new().expect("a folder");
    let message = br#"{"networkAdapters":[{"ipAddresses":["10.20.0.11"]}],"services":[{"startupIdentity":"ACME\\svc.ucx.rossi"}]}"#;
    assert_eq!(run(&["scan", "-"], message).await.code, Some(1));
    let text = "[inspection]\ndeclared_addresses = [\"10.20.0.0/24\"]\nservice_accounts = ['ACME\\svc.ucx.rossi']\n";
    let config = file(&folder, "c.toml", text.as_bytes());
    let scanned = run(&["--config", &config, "scan", "-"], message).await;
    assert_eq!(scanned.code, Some(0), "{}", scanned.out);
}

#[tokio::test]
async fn a_schema_becomes_a_shape_that_counts() {
    let folder = TempDir::new().expect("a folder");
    let schema = json!({"properties": {"queues": {"type": "array", "items": {"properties": {
        "gizmo": {"type": "string"}, "waiting": {"type": "integer"}, "owner": {"type": "string"},
    }}}}});
    let schema = file(&folder, "queues.schema.json", schema.to_string().as_bytes());
    let learnt = run(&["learn", "--json-schema", &schema], b"").await;
    assert_eq!(learnt.code, Some(0), "{}", learnt.err);
    assert!(learnt.out.contains("# left out: queues.schema.json#/queues/owner: its name speaks of a person"), "{}", learnt.out);
    let message = br#"{"queues":[{"gizmo":"Support Line","waiting":3}]}"#;
    assert_eq!(run(&["scan", "-"], message).await.code, Some(1), "nobody documents it");
    file(&folder, "site.toml", learnt.out.as_bytes());
    let config = file(&folder, "c.toml", b"[inspection]\nshapes = [\"site.toml\"]\n");
    let scanned = run(&["--config", &config, "scan", "-"], message).await;
    assert_eq!(scanned.code, Some(0), "{}", scanned.out);
    let person = br#"{"queues":[{"gizmo":"m.rossi@example.com","waiting":3}]}"#;
    assert_eq!(run(&["--config", &config, "scan", "-"], person).await.code, Some(1), "it may be a name, not an address");
}

#[tokio::test]
async fn captures_become_a_shape_without_a_value_of_theirs() {
    let folder = TempDir::new().expect("a folder");
    let lines = "{\"queues\":[{\"gizmo\":\"Zanzibar Line\",\"pending\":3,\"boss\":\"m.rossi@example.com\",\"mrossi\":1}]}\n{\"queues\":[{\"pending\":0.5}]}\n";
    let capture = file(&folder, "capture.ndjson", lines.as_bytes());
    let learnt = run(&["learn", &capture], b"").await;
    assert_eq!(learnt.code, Some(0), "{}", learnt.err);
    for expected in ["gizmo", "pending", "\"rate\"", "# left out: "] {
        assert!(learnt.out.contains(expected), "{expected}: {}", learnt.out);
    }
    for value in ["Zanzibar", "rossi", "example"] {
        assert!(!learnt.out.contains(value), "{value}: {}", learnt.out);
    }
    file(&folder, "site.toml", learnt.out.as_bytes());
    let config = file(&folder, "c.toml", b"[inspection]\nshapes = [\"site.toml\"]\n");
    let message = br#"{"queues":[{"gizmo":"Support Line","pending":3}]}"#;
    assert_eq!(run(&["scan", "-"], message).await.code, Some(1), "nobody documents it");
    let scanned = run(&["--config", &config, "scan", "-"], message).await;
    assert_eq!(scanned.code, Some(0), "{}", scanned.out);
    let documented = file(&folder, "beat.json", br#"{"processes":[{"name":"svchost.exe"}]}"#);
    for (captures, expected) in [(documented, "nothing to propose"), (file(&folder, "x.txt", b"{}\nx\n"), "line 2 must be")] {
        let learnt = run(&["learn", &captures], b"").await;
        assert!(learnt.code == Some(2) && learnt.err.contains(expected), "{}", learnt.err);
    }
}

#[tokio::test]
async fn a_schema_whose_names_are_data_keeps_them_to_itself() {
    let folder = TempDir::new().expect("a folder");
    let schema = json!({"properties": {
        "gizmo": {"type": "string"}, "m.rossi@example.com": {"type": "integer"}, "Mario Rossi": {"type": "integer"}, "mrossi": {"type": "integer"},
        "line4312": {"type": "integer"}, "queues": {"properties": {"giuliabianchi": {"type": "string", "format": "email"}}},
    }});
    let schema = file(&folder, "site.schema.json", schema.to_string().as_bytes());
    let learnt = run(&["learn", "--json-schema", &schema], b"").await;
    assert_eq!(learnt.code, Some(0), "{}", learnt.err);
    let lower = learnt.out.to_lowercase();
    for name in ["rossi", "4312", "bianchi"] {
        assert!(!lower.contains(name), "{}", learnt.out);
    }
    assert!(learnt.out.contains("# 1 fields, 5 left out."), "{}", learnt.out);
    assert!(learnt.out.contains("5 of them with names that may be personal data: /(0), "), "{}", learnt.out);
    assert!(learnt.out.contains("gizmo"), "{}", learnt.out);
}

#[tokio::test]
async fn shapes_that_are_none_are_refused_with_their_place() {
    let folder = TempDir::new().expect("a folder");
    let config = file(&folder, "c.toml", b"[inspection]\nshapes = [\"site.toml\"]\n");
    for (shape, expected) in [
        ("format = 2\nname = \"x\"\n", "format 2 is not read"),
        (
            "format = 1\nname = \"x\"\n[[field]]\nid = \"a\"\nkeys = [\"a b\"]\nslot = \"anything\"\nquote = \"x\"\n",
            "\"anything\" is no slot",
        ),
        ("nonsense", "site.toml:1"),
    ] {
        std::fs::write(Path::new(&config).with_file_name("site.toml"), shape).expect("written");
        let checked = run(&["--config", &config, "check"], b"").await;
        assert_eq!(checked.code, Some(2));
        assert!(checked.err.contains(expected), "{}", checked.err);
    }
    let schema = run(&["learn", "--json-schema", &config], b"").await;
    assert!(schema.code == Some(2) && schema.err.contains("JSON document"), "{}", schema.err);
    assert_eq!(run(&["learn"], b"").await.code, Some(2));
}
