//! What `upstream.parent` and its neighbours take, refuse and warn of. No error repeats what could be a password.

use super::{Wrong, assert_wrong, error_of_configuration, read};
use crate::support::daemon::BINARY;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;
use ucx_egress::config::Config;
use ucx_egress::upstream::parent::Parent;

const WRONG: &[Wrong] = &[
    ("[upstream]\nparent = \"socks5://proxy.corp:1080\"", "c.toml:2:10", &["upstream.parent", "SOCKS is not spoken", "http://HOST:PORT"]),
    ("[upstream]\nparent = \"ftp://proxy.corp:21\"", "c.toml:2:10", &["http or https", "http://HOST:PORT"]),
    ("[upstream]\nparent = \"proxy.corp:3128\"", "c.toml:2:10", &["scheme is missing", "http://HOST:PORT"]),
    ("[upstream]\nparent = \"http://proxy.corp\"", "c.toml:2:10", &["port is missing", "http://HOST:3128", "none is assumed"]),
    ("[upstream]\nparent = \"https://[::1]\"", "c.toml:2:10", &["port is missing"]),
    ("[upstream]\nparent = \"http://proxy.corp:0\"", "c.toml:2:10", &["1 to 65535"]),
    ("[upstream]\nparent = \"http://proxy corp:3128\"", "c.toml:2:10", &["letters, digits"]),
    ("[upstream]\nparent = \"http://proxy.corp:3128/proxy.pac\"", "c.toml:2:10", &["no path"]),
    ("[upstream]\nparent = []", "c.toml:2:10", &["upstream.parent is empty"]),
    ("[upstream]\nparent = 3128", "c.toml:2:10", &["3128", "a URL such as"]),
    ("[upstream]\nparent = \"direct\"", "c.toml:2:10", &["nothing goes direct"]),
    ("[upstream]\nparent = [\"http://a:3128\", \"direct\"]", "c.toml:2:28", &["nothing goes direct"]),
    ("[upstream]\nparent = [\"http://a:3128\", \"http://b\"]", "c.toml:2:28", &["port is missing"]),
    ("[upstream]\nparent = \"http://mario@a:3128\"", "c.toml:2:10", &["no password", "upstream.parent_password_file"]),
    ("[upstream]\nparent = \"http://mario:s3cr%t@a:3128\"", "c.toml:2:10", &["percent-encoded", "%25"]),
    ("[upstream]\nparent = \"http://mario:s3cr%0At@a:3128\"", "c.toml:2:10", &["control character"]),
    ("[upstream]\nparent = \"http://mario:s3cr/t@a:3128x\"", "c.toml:2:10", &["port must be a number"]),
    ("[upstream]\nparent = \"http://:s3cret@a:3128\"", "c.toml:2:10", &["empty or has a colon"]),
    ("[upstream]\nparent = [\"http://mario:s3cret@a:3128\", \"http://a:3128\"]", "c.toml:2:41", &["http://a:3128", "two users"]),
    (
        "[upstream]\nparent_password_file = \"/nowhere/p\"",
        "c.toml:2:24",
        &["upstream.parent_password_file", "/nowhere/p", "cannot be read"],
    ),
    ("[upstream]\nno_proxy = [\"https://api.imagicle.com\"]", "c.toml:2:13", &["upstream.no_proxy", "not a URL"]),
    ("[upstream]\nno_proxy = [\"api.imagicle.com:https\"]", "c.toml:2:13", &["1 to 65535"]),
    ("[upstream]\nno_proxy = [\"api.imagicle.com:0\"]", "c.toml:2:13", &["1 to 65535"]),
    ("[upstream]\nno_proxy = [\"*.com\"]", "c.toml:2:13", &["allows too much"]),
    ("[upstream]\nno_proxy = [\"API.imagicle.com\"]", "c.toml:2:13", &["write \"api.imagicle.com\""]),
    ("[upstream.parents_for]\npresense = \"direct\"", "c.toml:2:1", &["\"presense\"", "licensing", "presence", "user-sync"]),
    ("[upstream.parents_for]\nnone = \"direct\"", "c.toml:2:1", &["\"none\"", "licensing"]),
    ("[upstream.parents_for]\npresence = \"http://a\"", "c.toml:2:12", &["upstream.parents_for.presence", "port is missing"]),
    ("[upstream.parents_for]\npresence = [\"http://a:1\", \"direct\"]", "c.toml:2:27", &["nothing goes direct"]),
];

#[test]
fn wrong_parents_are_refused_with_the_form_to_write() {
    assert_wrong(WRONG, error_of_configuration);
}

#[test]
fn no_error_repeats_a_user_or_password() {
    for (text, ..) in WRONG {
        let error = error_of_configuration(text).unwrap_or_else(|| panic!("{text} was accepted")).to_string();
        assert!(!error.contains("mario") && !error.contains("s3cr"), "{error}");
    }
}

#[test]
fn parents_are_read_in_order_each_once() {
    let text = "[upstream]\nparent = [\"http://a:3128\", \"https://b.corp:3129/\", \"http://[fd00::1]:8080\"]\n[upstream.parents_for]\npresence = \"http://a:3128\"\nuser-sync = \"http://c:1\"";
    let config = read(text).unwrap_or_else(|error| panic!("{error}"));
    let shown: Vec<&str> = config.routes.parents.iter().map(Parent::shown).collect();
    assert_eq!(shown, ["http://a:3128", "https://b.corp:3129", "http://[fd00::1]:8080", "http://c:1"]);
    assert_eq!((config.routes.usual.as_slice(), config.routes.services.len()), (&[0, 1, 2][..], 2));
}

/// Settings, and what is warned of.
const WARNED: &[(&str, &[&str])] = &[
    ("[upstream]\nparent = \"http://a:3128\"", &[]),
    ("[upstream]\nparent = \"http://proxy.corp:3128\"\n[upstream.hosts]\n\"proxy.corp\" = [\"10.0.0.1\"]", &[]),
    ("[upstream]\nparent = \"https://a:3129\"\nca_files = [\"ca.pem\"]", &[]),
    ("[upstream]\nparent = \"http://a:3129\"\nca_files = [\"ca.pem\"]", &["never acts: without [interception]"]),
    ("[upstream]\nno_proxy = [\"api.imagicle.com\"]", &["never acts: there is no upstream.parent"]),
    ("[upstream]\nparent = \"http://a:1\"\nno_proxy = [\"*.imagicle.cloud:1636\", \"x.imagicle.com\"]", &[]),
    (
        "[upstream]\nparent = \"http://a:1\"\nno_proxy = [\"example.org\", \"api.imagicle.com:1636\"]",
        &["allows example.org", "allows api.imagicle.com:1636"],
    ),
    ("[upstream.parents_for]\npresence = \"direct\"", &["never acts: \"presence\" would go the same way"]),
    ("[upstream]\nparent = \"http://a:1\"\n[upstream.parents_for]\npresence = \"http://a:1\"", &["never acts: \"presence\""]),
    (
        "[upstream]\nparent = \"http://a:1\"\n[upstream.parents_for]\ntelemetry = \"direct\"",
        &["never acts: no endpoint of the policy belongs to \"telemetry\""],
    ),
    (
        "[upstream]\nparent = \"http://a:1\"\n[upstream.hosts]\n\"api.imagicle.com\" = [\"8.8.8.8\"]",
        &["never acts: api.imagicle.com is reached through a parent"],
    ),
    ("[upstream]\nparent = \"http://a:1\"\nno_proxy = [\"api.imagicle.com\"]\n[upstream.hosts]\n\"api.imagicle.com\" = [\"8.8.8.8\"]", &[]),
];

#[test]
fn what_can_never_act_is_warned_of() {
    for (text, expected) in WARNED {
        let config = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), expected.len(), "{text}: {warnings:?}");
        for (warning, words) in warnings.iter().zip(*expected) {
            assert!(warning.contains(words), "{text}: {warning}");
        }
    }
}

fn written(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).expect("the file is written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode is set");
}

#[test]
fn passwords_that_everybody_can_read_are_warned_of() {
    let folder = TempDir::new().expect("a temporary folder");
    let (file, password) = (folder.path().join("c.toml"), folder.path().join("p"));
    let in_url = "[upstream]\nparent = \"http://mario:s3cret@a:3128\"\n";
    let in_file = "[upstream]\nparent = \"http://mario@a:3128\"\nparent_password_file = \"p\"\n";
    for (text, mode, password_mode, expected) in [
        (in_url, 0o640, 0o600, ""),
        (in_url, 0o644, 0o600, "c.toml:2:10: this file holds a password"),
        (in_file, 0o644, 0o600, ""),
        (in_file, 0o644, 0o644, "c.toml:3:24: everybody on this machine can read the password"),
    ] {
        written(&file, text, mode);
        written(&password, "s3cret\n", password_mode);
        let config = Config::load(Some(&file)).unwrap_or_else(|error| panic!("{error}"));
        let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), usize::from(!expected.is_empty()), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains(expected) && !warning.contains("s3cret")), "{warnings:?}");
    }
    for (text, empty, says) in [
        (in_file, "\nsecond\n", "first line"),
        ("[upstream]\nparent = \"http://a:1\"\nparent_password_file = \"p\"", "x", "no parent has a user"),
    ] {
        written(&file, text, 0o600);
        written(&password, empty, 0o600);
        let error = Config::load(Some(&file)).expect_err(says).to_string();
        assert!(error.contains("c.toml:3:24") && error.contains(says), "{error}");
    }
}

#[test]
fn check_and_explain_tell_the_way_and_no_user() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("c.toml");
    let text = "[upstream]\nparent = [\"http://mario:s3cret@a.corp:3128\", \"https://b.corp:3129\"]\n[upstream.parents_for]\npresence = \"direct\"\n";
    written(&file, text, 0o600);
    let says = |arguments: &[&str]| {
        let done = std::process::Command::new(BINARY).arg("--config").arg(&file).args(arguments).output().expect("the binary runs");
        String::from_utf8([done.stdout, done.stderr].concat()).expect("text")
    };
    for (arguments, expected) in [
        (&["check"][..], "parent         http://a.corp:3128 (with credentials)\nparent         https://b.corp:3129\n"),
        (&["explain", "https://api.imagicle.com/test"], "  way                http://a.corp:3128, then https://b.corp:3129\n"),
        (&["explain", "grpc.imagicle.com:443"], "  way                direct\n"),
        (&["explain", "grpc.imagicle.com:443", "--json"], "\"way\": \"direct\""),
    ] {
        let said = says(arguments);
        assert!(said.contains(expected) && !said.contains("mario") && !said.contains("s3cret"), "{said}");
    }
    assert!(!says(&["explain", "example.org:443"]).contains("way "), "what is refused goes no way");
}
