//! What `[inspection]` takes, and what it refuses: an address range that declares everything would switch a detector off.

use super::{Wrong, assert_wrong, error_of_configuration, read};
use tempfile::TempDir;
use ucx_egress::config::Config;
use ucx_egress::inspect::engine::walk::Unknown;

const WRONG: &[Wrong] = &[
    ("[inspection]\nunknown_fields = \"lenient\"", "c.toml:2:18", &["`lenient`", "`strict`", "`inert`", "`observe`"]),
    ("[inspection]\nunknown_fields = \"Strict\"", "c.toml:2:18", &["`Strict`", "`strict`"]),
    ("[inspection]\nunknown_fields = true", "c.toml:2:18", &["boolean `true`", "`inert`", "`strict`", "`observe`"]),
    ("[inspection]\nservice_accounts = [\"svc*\"]", "c.toml:2:21", &["inspection.service_accounts", "in full", "no patterns"]),
    ("[inspection]\ndeclared_addresses = \"10.20.0.11\"", "c.toml:2:22", &["10.20.0.11", "sequence"]),
    (
        "[inspection]\ndeclared_addresses = [\"10.20.0\"]",
        "c.toml:2:23",
        &["\"10.20.0\"", "no network", "\"10.0.0.0/8\"", "\"203.0.113.7\""],
    ),
    (
        "[inspection]\ndeclared_addresses = [\"10.20.0.0/24\", \"cucm.corp\"]",
        "c.toml:2:39",
        &["\"cucm.corp\"", "no network", "\"203.0.113.7\""],
    ),
    ("[inspection]\ndeclared_addresses = [\"10.20.0.0/33\"]", "c.toml:2:23", &["\"10.20.0.0/33\"", "no network"]),
    ("[inspection]\ndeclared_addresses = [\"10.20.0.11/24\"]", "c.toml:2:23", &["\"10.20.0.11/24\"", "write \"10.20.0.0/24\""]),
    ("[inspection]\ndeclared_addresses = [\"0.0.0.0/0\"]", "c.toml:2:23", &["\"0.0.0.0/0\"", "every address", "networks of the servers"]),
    ("[inspection]\ndeclared_addresses = [\n  \"10.20.0.11\",\n  \"::/0\",\n]", "c.toml:4:3", &["\"::/0\"", "every address"]),
    ("[inspection]\nservice_accounts = [\"\"]", "c.toml:2:21", &["inspection.service_accounts", "svc-ucx"]),
    (
        "[inspection]\nservice_accounts = [\"ACME\\\\svc-ucx\", \"  \"]",
        "c.toml:2:38",
        &["inspection.service_accounts", "svc-ucx@acme.example"],
    ),
    ("[inspection]\nservice_accounts = \"ACME\\\\svc-ucx\"", "c.toml:2:20", &["sequence"]),
    (
        "[inspection]\ndescriptors = \"/nowhere/telemetry.pb\"",
        "c.toml:2:15",
        &["inspection.descriptors", "/nowhere/telemetry.pb", "cannot be read"],
    ),
];

#[test]
fn wrong_settings_are_refused_with_the_form_to_write() {
    assert_wrong(WRONG, error_of_configuration);
}

#[test]
fn an_account_may_be_as_long_as_windows_has_them() {
    let accounts = |length: usize| read(&format!("[inspection]\nservice_accounts = [\"{}\"]", "a".repeat(length)));
    assert!(accounts(360).is_ok());
    let error = accounts(361).expect_err("no account is so long");
    assert!(error.place == "c.toml:2:21" && !error.message.contains("aaa"), "{error}");
}

#[test]
fn descriptors_that_are_none_are_refused_with_the_command_that_makes_them() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, "[inspection]\ndescriptors = \"telemetry.pb\"\n").expect("the configuration is written");
    for bytes in [&b"syntax = \"proto3\";"[..], b"\x0a\xff", b"\x0a\x00\x08\x01", b"\xff"] {
        std::fs::write(folder.path().join("telemetry.pb"), bytes).expect("the descriptors are written");
        let error = Config::load(Some(&file)).expect_err("these are no descriptors");
        assert!(error.place.ends_with("c.toml:2:15"), "{error}");
        for word in ["inspection.descriptors", "telemetry.pb", "FileDescriptorSet", "protoc --include_imports --descriptor_set_out"] {
            assert!(error.message.contains(word), "{word}: {error}");
        }
    }
}

#[test]
fn settings_are_taken_in_every_form_that_is_documented() {
    let inspection = read("").expect("nothing is mandatory").inspection;
    assert_eq!((inspection.unknown_fields, inspection.declared), (Unknown::Inert, Vec::new()));
    let text =
        "[inspection]\nunknown_fields = \"strict\"\ndeclared_addresses = [\"10.20.0.11\", \"10.20.1.0/24\", \"fd00::1\", \"fd00:1::/64\"]";
    let inspection = read(text).unwrap_or_else(|error| panic!("{error}")).inspection;
    let declared: Vec<String> = inspection.declared.iter().map(ToString::to_string).collect();
    assert_eq!(inspection.unknown_fields, Unknown::Strict);
    assert_eq!(declared, ["10.20.0.11/32", "10.20.1.0/24", "fd00::1/128", "fd00:1::/64"]);
}
