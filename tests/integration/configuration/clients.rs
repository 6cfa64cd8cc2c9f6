//! What `[clients]` takes, and what it warns of.

use super::{Wrong, assert_wrong, error_of_configuration, read};
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;
use ucx_egress::config::Config;

const WRONG: &[Wrong] = &[
    ("[clients]\nhtpasswd = \"/nowhere/htpasswd\"", "c.toml:2:12", &["clients.htpasswd", "/nowhere/htpasswd", "htpasswd -cB"]),
    ("[clients]\nhtpasswd = \"/\"", "c.toml:2:12", &["is no file"]),
    ("[clients]\nhtpasswd = true", "c.toml:2:12", &["true", "string"]),
    ("[clients]\nrealm = \"\"", "c.toml:2:9", &["clients.realm", "ucx-egress"]),
    ("[clients]\nrealm = 'a\"b'", "c.toml:2:9", &["clients.realm", "quotes"]),
    ("[clients]\nrealm = 'a\\b'", "c.toml:2:9", &["clients.realm", "backslashes"]),
    ("[clients]\nrealm = \"a\\nb\"", "c.toml:2:9", &["clients.realm", "ASCII"]),
    (
        "[clients.services]\nlicencing = [\"10.1.0.0/16\"]",
        "c.toml:2:1",
        &["\"licencing\"", "\"licensing\"", "\"telemetry\"", "\"user-sync\""],
    ),
    ("[clients.services]\nlicensing = [\"10.1.0.0/16\"]\nwebex = [\"10.1.0.0/16\"]", "c.toml:3:1", &["\"webex\" is off", "policy.groups"]),
    ("[clients.services]\nlicensing = []", "c.toml:2:1", &["no network", "remove the line"]),
    ("[clients.services]\nlicensing = \"10.1.0.0/16\"", "c.toml:2:13", &["sequence"]),
    ("[clients.services]\nlicensing = [\"10.1.0.0/16\", \"10.1.2.3/16\"]", "c.toml:2:29", &["\"10.1.2.3/16\"", "write \"10.1.0.0/16\""]),
    ("[clients.services]\nlicensing = [\"ucx.corp\"]", "c.toml:2:14", &["\"ucx.corp\"", "no network"]),
];

#[test]
fn what_clients_cannot_be_is_refused_where_it_stands() {
    assert_wrong(WRONG, error_of_configuration);
}

/// A configuration with a password file beside it.
fn beside(entries: &str, mode: u32, lines: &str) -> (TempDir, Result<Config, String>) {
    let folder = TempDir::new().expect("a temporary folder");
    let (config, file) = (folder.path().join("c.toml"), folder.path().join("htpasswd"));
    std::fs::write(&file, entries).expect("the file is written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("its mode is set");
    std::fs::write(&config, format!("[clients]\nhtpasswd = \"htpasswd\"\n{lines}")).expect("the configuration is written");
    let read = Config::load(Some(&config)).map_err(|error| error.to_string());
    (folder, read)
}

const ALICE: &str = "alice:$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK\n";

#[test]
fn the_password_file_is_read_beside_the_configuration() {
    let (_folder, config) = beside(ALICE, 0o600, "realm = \"Branch 7\"");
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let access = config.access.expect("passwords are on");
    assert_eq!((access.file.accounts.count(), access.realm.as_str()), (1, "Branch 7"));
    let (_folder, config) = beside(&format!("{ALICE}mallory:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ="), 0o600, "");
    let error = config.expect_err("SHA-1 is refused");
    assert!(error.contains("htpasswd:2:1: ") && error.contains("SHA-1") && error.contains("htpasswd -B"), "{error}");
}

#[test]
fn what_others_may_read_and_what_never_acts_is_warned_of() {
    let warnings = |config: Result<Config, String>| -> Vec<String> {
        config.unwrap_or_else(|error| panic!("{error}")).warnings.iter().map(ToString::to_string).collect()
    };
    let (_folder, config) = beside(ALICE, 0o644, "");
    let said = warnings(config);
    assert!(said.len() == 1 && said[0].contains("c.toml:2:12") && said[0].contains("mode 640"), "{said:?}");

    for (text, place, word) in [
        ("[clients]\nrealm = \"x\"", "c.toml:2:9", "without clients.htpasswd"),
        (
            "[clients]\nallow = [\"10.0.0.0/8\"]\n[clients.services]\nlicensing = [\"10.1.0.0/16\", \"11.0.0.0/8\"]",
            "c.toml:4:29",
            "11.0.0.0/8 lies outside",
        ),
        ("[listener]\nclients = [\"10.0.0.0/8\", \"203.0.113.0/24\"]", "c.toml:2:26", "203.0.113.0/24 lies outside"),
        ("[[quota]]\nhandshakes = \"9/s\"", "c.toml:2:14", "quota.handshakes never acts"),
        (
            "[[quota]]\nhandshakes = \"9/s\"\nservice = \"licensing\"\n[listener.tls]\ncertificate = \"a\"\nkey = \"b\"",
            "c.toml:2:14",
            "quota.handshakes never acts",
        ),
        ("[[sni]]\naddress = \"127.0.0.1:0\"\nclients = [\"203.0.113.7\"]", "c.toml:3:12", "203.0.113.7/32 lies outside"),
    ] {
        let said = warnings(read(text).map_err(|error| error.to_string()));
        assert!(said.len() == 1 && said[0].starts_with(place) && said[0].contains(word), "{said:?}");
    }
    for narrower in ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"] {
        let text = format!("[clients]\nallow = [\"10.0.0.0/8\"]\n[clients.services]\nlicensing = [\"{narrower}\"]");
        assert_eq!(warnings(read(&text).map_err(|error| error.to_string())), Vec::<String>::new(), "{narrower}");
    }
}

/// Handshakes with the proxy itself are counted too.
#[test]
fn a_quota_of_handshakes_acts_where_the_listener_speaks_tls() {
    let config = read("[[quota]]\nhandshakes = \"9/s\"\n[listener.tls]\ncertificate = \"a\"\nkey = \"b\"");
    assert_eq!(config.unwrap_or_else(|error| panic!("{error}")).warnings, []);
}

#[test]
fn networks_of_services_are_part_of_the_hash() {
    let hash = |text: &str| read(text).unwrap_or_else(|error| panic!("{error}")).policy.hash().to_owned();
    let one = hash("[clients.services]\nlicensing = [\"10.1.0.0/16\"]");
    assert_ne!(one, hash(""));
    assert_ne!(one, hash("[clients.services]\nlicensing = [\"10.2.0.0/16\"]"));
    assert_ne!(one, hash("[clients.services]\npresence = [\"10.1.0.0/16\"]"));
    assert_eq!(one, hash("[clients.services]\nlicensing = [\"10.1.0.0/16\"]"));
}
