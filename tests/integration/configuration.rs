//! What is wrong in a configuration is told with its place and what to write instead; what can never act is told too.
//!
//! A person reads these messages in the middle of an outage: line and column must be those of the value, not of the section.

mod audit;
mod clients;
mod inspection;
mod parents;

use std::path::Path;
use tempfile::TempDir;
use ucx_egress::config::{Config, DEFAULT};
use ucx_egress::destination::Destination;
use ucx_egress::policy::{Subject, Verdict};
use ucx_egress::source::{Located, Source};

/// A wrong text, where it is wrong, and words that the message must have.
type Wrong = (&'static str, &'static str, &'static [&'static str]);

fn read(text: &str) -> Result<Config, Located> {
    Config::read(&Source::embedded("c.toml", text))
}

/// Reads every text, and shows all that are not refused as they should be at once.
fn assert_wrong(cases: &[Wrong], error_of: impl Fn(&str) -> Option<Located>) {
    let differs = |(text, place, words): &Wrong| {
        let Some(error) = error_of(text) else { return Some(format!("{text:?}\n    was accepted")) };
        let found = error.place == *place && words.iter().all(|word| error.message.contains(word));
        (!found).then(|| format!("{text:?}\n    expected {place} with {words:?}\n    got      {error}"))
    };
    let wrong: Vec<String> = cases.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Keys that do not exist: the message names those that do.
const UNKNOWN: &[Wrong] = &[
    ("[listner]\naddress = \"127.0.0.1:3128\"", "c.toml:1:2", &["`listner`", "`listener`"]),
    ("verbose = true", "c.toml:1:1", &["`verbose`", "`listener`"]),
    ("[listener]\nport = 3128", "c.toml:2:1", &["`port`", "`address`"]),
    ("[[relay]]\naddress = \"127.0.0.1:0\"\ntarget = \"a.imagicle.cloud:1636\"", "c.toml:3:1", &["`target`", "`destination`"]),
    ("[admin]\nadress = \"127.0.0.1:9180\"", "c.toml:2:1", &["`adress`", "`address`"]),
    ("[clients]\nallow = []\ndeny = []", "c.toml:3:1", &["`deny`", "`allow`"]),
    ("[upstream]\nnameserver = \"10.0.0.53\"", "c.toml:2:1", &["`nameserver`", "`nameservers`"]),
    ("[policy]\nprofiles = \"strict\"", "c.toml:2:1", &["`profiles`", "`profile`"]),
    ("[limits]\nidle = \"1h\"", "c.toml:2:1", &["`idle`", "`max_connections`"]),
    ("[log]\nlevel = \"debug\"", "c.toml:2:1", &["`level`", "`format`"]),
];

/// Values of another type or out of a closed list.
const MISTYPED: &[Wrong] = &[
    ("[listener]\naddress = 3128", "c.toml:2:11", &["integer `3128`", "string"]),
    ("[listener]\naddress = \"127.0.0.1:0\"\naddress = \"127.0.0.1:0\"", "c.toml:3:1", &["duplicate key"]),
    ("[clients]\nallow = \"10.0.0.0/8\"", "c.toml:2:9", &["10.0.0.0/8", "sequence"]),
    ("[upstream.hosts]\n\"api.imagicle.com\" = \"203.0.113.7\"", "c.toml:2:22", &["203.0.113.7", "sequence"]),
    ("relay = \"127.0.0.1:1636\"", "c.toml:1:9", &["127.0.0.1:1636", "sequence"]),
    ("[policy]\nprofile = \"loose\"", "c.toml:2:11", &["`loose`", "`documented`", "`strict`"]),
    ("[policy]\nprofile = \"Strict\"", "c.toml:2:11", &["`Strict`", "`strict`"]),
    ("[policy]\nmode = \"audit\"", "c.toml:2:8", &["`audit`", "`enforce`", "`observe`"]),
    ("[log]\nformat = \"xml\"", "c.toml:2:10", &["`xml`", "`text`", "`json`"]),
    ("[limits]\nmax_connections = \"many\"", "c.toml:2:19", &["many"]),
    ("[limits]\nmax_connections = -1", "c.toml:2:19", &["-1"]),
    ("[limits]\nhead = 10", "c.toml:2:8", &["10", "string"]),
    ("[listener\n", "c.toml:1:10", &["`]`"]),
    ("[interception]\nca_certificate = \"ca.pem\"", "c.toml:1:1", &["`ca_key`"]),
    (
        "[interception]\nca_certificate = \"ca.pem\"\nca_key = \"ca.key\"\non_client_rejection = \"pass\"",
        "c.toml:4:23",
        &["`pass`", "`fail`", "`tunnel`"],
    ),
    ("[interception]\nca_certificate = \"ca.pem\"\nca_key = \"ca.pem\"", "c.toml:3:10", &["two files"]),
    ("[interception]\nca_certificate = \"\"\nca_key = \"ca.key\"", "c.toml:2:18", &["empty", "certs/ca.pem"]),
    ("[inspection]\nmax_message = 4", "c.toml:2:15", &["4", "string"]),
    ("[inspection]\nmax_message = \"4MB\"", "c.toml:2:15", &["4MB", "4MiB"]),
    ("[inspection]\nmax_message = \"0B\"", "c.toml:2:15", &["out of range", "4MiB"]),
    ("[inspection]\nmax_message = \"8MiB\"\nmax_held = \"4MiB\"", "c.toml:3:12", &["max_held", "max_message", "raise it"]),
    ("[limits]\nmessage = \"0s\"", "c.toml:2:11", &["limits.message is 0"]),
    ("[[relay]]\naddress = \"127.0.0.1:0\"", "c.toml:1:1", &["`destination`"]),
    ("[[relay]]\ndestination = \"a.imagicle.cloud:1636\"", "c.toml:1:1", &["`address`"]),
];

/// Addresses, networks, hosts, times.
const MALFORMED: &[Wrong] = &[
    ("[listener]\naddress = \"localhost:3128\"", "c.toml:2:11", &["\"localhost:3128\"", "\"127.0.0.1:3128\""]),
    ("[listener]\naddress = \"3128\"", "c.toml:2:11", &["\"3128\"", "\"0.0.0.0:3128\""]),
    ("[listener]\naddress = \"127.0.0.1\"", "c.toml:2:11", &["\"127.0.0.1\"", "\"127.0.0.1:3128\""]),
    ("[listener]\naddress = \"127.0.0.1:65536\"", "c.toml:2:11", &["65536", "\"127.0.0.1:3128\""]),
    ("[listener]\naddress = \"::1:3128\"", "c.toml:2:11", &["::1:3128", "\"[::]:3128\""]),
    ("[admin]\naddress = \"\"", "c.toml:2:11", &["no address and port"]),
    ("[[relay]]\naddress = \"1636\"\ndestination = \"t.imagicle.cloud:1636\"", "c.toml:2:11", &["\"1636\"", "no address and port"]),
    ("[clients]\nallow = [\"10.0.0.0/8\", \"10.0.0.1/8\"]", "c.toml:2:24", &["\"10.0.0.1/8\"", "write \"10.0.0.0/8\""]),
    ("[clients]\nallow = [\"2001:db8::1/32\"]", "c.toml:2:10", &["write \"2001:db8::/32\""]),
    ("[clients]\nallow = [\"10.0.0.0/33\"]", "c.toml:2:10", &["\"10.0.0.0/33\"", "no network", "\"10.0.0.0/8\""]),
    ("[clients]\nallow = [\n  \"127.0.0.0/8\",\n  \"ucx.corp\",\n]", "c.toml:4:3", &["\"ucx.corp\"", "no network", "\"203.0.113.7\""]),
    ("[clients]\nallow = [\"\"]", "c.toml:2:10", &["no network"]),
    ("[upstream]\nallow_addresses = [\"10.1.2.3/16\"]", "c.toml:2:20", &["write \"10.1.0.0/16\""]),
    ("[upstream]\nallow_addresses = [\"private\"]", "c.toml:2:20", &["\"private\"", "no network"]),
    ("[upstream]\nnameservers = [\"dns.corp:53\"]", "c.toml:2:16", &["\"dns.corp:53\""]),
    ("[upstream]\nnameservers = [\"10.0.0.53:dns\"]", "c.toml:2:16", &["\"10.0.0.53:dns\""]),
    ("[upstream.hosts]\n\"API.imagicle.com\" = [\"203.0.113.7\"]", "c.toml:2:1", &["normal form", "write \"api.imagicle.com\""]),
    ("[upstream.hosts]\n\"api.imagicle.com.\" = [\"203.0.113.7\"]", "c.toml:2:1", &["normal form", "write \"api.imagicle.com\""]),
    ("[upstream.hosts]\n\"*.imagicle.com\" = [\"203.0.113.7\"]", "c.toml:2:1", &["\"*.imagicle.com\"", "letters"]),
    ("[upstream.hosts]\n\"api.imagicle.com:443\" = [\"203.0.113.7\"]", "c.toml:2:1", &["\"api.imagicle.com:443\"", "letters"]),
    ("[upstream.hosts]\n\"203.0.113.9\" = [\"203.0.113.7\"]", "c.toml:2:1", &["\"203.0.113.9\"", "is an address"]),
    ("[upstream.hosts]\n\"api.imagicle.com\" = []", "c.toml:2:1", &["no address", "at least one"]),
    ("[upstream.hosts]\n\"api.imagicle.com\" = [\"api2.imagicle.com\"]", "c.toml:2:23", &["\"api2.imagicle.com\"", "\"203.0.113.7\""]),
    (
        "[upstream.hosts]\n\"api.imagicle.com\" = [\"203.0.113.7\", \"203.0.113.8:0x1\"]",
        "c.toml:2:38",
        &["203.0.113.8:0x1", "\"203.0.113.7:8443\""],
    ),
    ("[limits]\nhead = \"10\"", "c.toml:2:8", &["\"10\"", "\"10s\""]),
    ("[limits]\nresolve = \"5 s\"", "c.toml:2:11", &["\"5 s\"", "\"500ms\""]),
    ("[limits]\nconnect = \"-1s\"", "c.toml:2:11", &["\"-1s\"", "whole number"]),
    ("[limits]\ndrain = \"1.5h\"", "c.toml:2:9", &["\"1.5h\"", "whole number"]),
    ("[limits]\nhello = \"10sec\"", "c.toml:2:9", &["\"10sec\"", "\"10s\""]),
    ("[limits]\nanswer = \"99999999999999999999s\"", "c.toml:2:10", &["whole number"]),
];

/// Values that are well-formed and can never work.
const IMPOSSIBLE: &[Wrong] = &[
    ("[limits]\nhead = \"0s\"", "c.toml:2:8", &["limits.head", "\"10s\""]),
    ("[limits]\nhello = \"0ms\"", "c.toml:2:9", &["limits.hello", "\"10s\""]),
    ("[limits]\nhead = \"1s\"\nresolve = \"0s\"", "c.toml:3:11", &["limits.resolve"]),
    ("[limits]\nconnect = \"0h\"", "c.toml:2:11", &["limits.connect"]),
    ("[limits]\nanswer = \"0s\"", "c.toml:2:10", &["limits.answer"]),
    ("[limits]\nmax_connections = 0", "c.toml:2:19", &["limits.max_connections", "32768"]),
    ("[upstream]\nnameservers = []", "c.toml:2:15", &["nameservers", "10.0.0.53:53"]),
    ("[upstream.hosts]\n\"api.imagicle.com\" = [\"203.0.113.7:0\"]", "c.toml:2:23", &["\"203.0.113.7:0\"", "port"]),
    ("[policy]\ngroups = [\"webex\", \"weebex\"]", "c.toml:2:20", &["\"weebex\"", "\"voice-analytics\", \"webex\" and \"cognito\""]),
    (
        "[policy]\nprofile = \"strict\"\nexact_hosts = [\"t.example.org\"]",
        "c.toml:3:16",
        &["\"t.example.org\"", "no documented wildcard", "\"tenant.imagicle.cloud\""],
    ),
    ("[policy]\nprofile = \"strict\"\nexact_hosts = [\"T.imagicle.cloud\"]", "c.toml:3:16", &["write \"t.imagicle.cloud\""]),
    ("[policy]\nprofile = \"strict\"\nexact_hosts = [\"a.b.imagicle.cloud\"]", "c.toml:3:16", &["no documented wildcard"]),
    ("[policy]\nprofile = \"strict\"\nexact_hosts = [\"*.imagicle.cloud\"]", "c.toml:3:16", &["\"*.imagicle.cloud\""]),
    ("[policy]\nprofile = \"strict\"\nexact_hosts = [\"10.0.0.1\"]", "c.toml:3:16", &["names only"]),
    ("[policy]\nfile = \"/nowhere/policy.toml\"", "c.toml:2:8", &["policy.file", "/nowhere/policy.toml", "check the path"]),
];

/// A relay that would never be served.
const REFUSED_RELAYS: &[Wrong] = &[
    (
        "[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"t.example.org:1636\"",
        "c.toml:3:15",
        &["host_not_allowed", "\"t.example.org:1636\""],
    ),
    ("[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"t.imagicle.cloud:636\"", "c.toml:3:15", &["port_not_allowed", "allowed: 1636"]),
    ("[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"203.0.113.7:1636\"", "c.toml:3:15", &["ip_literal", "documented host name"]),
    ("[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"t.imagicle.cloud\"", "c.toml:3:15", &["bad_request", "write host:port"]),
    (
        "[policy]\nprofile = \"strict\"\n[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"t.imagicle.cloud:1636\"",
        "c.toml:5:15",
        &["host_not_allowed"],
    ),
    (
        "[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"t.imagicle.cloud:1636\"\n[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"x:1\"",
        "c.toml:6:15",
        &["host_not_allowed"],
    ),
];

/// Entrances that could let nobody in, or everybody.
const ENTRANCES: &[Wrong] = &[
    ("[listener]\nproxy_protocol = \"v2\"", "c.toml:2:18", &["named balancers only", "balancers = [\"10.0.0.5\"]"]),
    ("[listener]\nproxy_protocol = \"v3\"", "c.toml:2:18", &["`off`", "`v1`", "`v2`"]),
    ("[listener]\nbalancers = [\"10.0.0.5\"]", "c.toml:2:13", &["without proxy_protocol", "\"v2\""]),
    ("[listener]\nproxy_protocol = \"v1\"\nbalancers = []", "c.toml:3:13", &["empty balancers", "remove the line"]),
    ("[listener]\nclients = []", "c.toml:2:11", &["empty clients", "remove the line"]),
    ("[listener]\nclients = [\"10.0.0.1/8\"]", "c.toml:2:12", &["write \"10.0.0.0/8\""]),
    ("[listener.tls]\ncertificate = \"c.pem\"", "c.toml:1:1", &["missing field `key`"]),
    ("[listener.tls]\ncertificate = \"c.pem\"\nkey = \"\"", "c.toml:3:7", &["listener.tls.key is empty", "PEM"]),
    ("[listener.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\naddress = \"127.0.0.1:3128\"", "c.toml:4:11", &["listener.address too"]),
    ("[[sni]]\naddress = \"127.0.0.1:0\"\nport = 0", "c.toml:3:8", &["port 0", "443"]),
    ("[[sni]]\naddress = \"127.0.0.1\"", "c.toml:2:11", &["no address and port"]),
    ("[[sni]]\naddress = \"127.0.0.1:9180\"", "c.toml:2:11", &["admin.address too"]),
];

/// A site's own policy up to its one endpoint, and the rest with the endpoint's host, port and protocol.
const POLICY: &str = "format = 1\nname = \"site\"\n[[service]]\nid = \"site\"\npersonal_data = \"unstated\"\n[[service.endpoint]]\n";

/// Hosts that people write in policy files, and what they should have written.
const HOSTS: &[(&str, &str)] = &[
    ("API.imagicle.com", "write \"api.imagicle.com\""),
    ("api.imagicle.com.", "write \"api.imagicle.com\""),
    ("*.Imagicle.Cloud", "write \"*.imagicle.cloud\""),
    ("https://api.imagicle.com/test", "write \"api.imagicle.com\""),
    ("https://*.imagicle.com", "write \"*.imagicle.com\""),
    ("api.imagicle.com:443", "write \"api.imagicle.com\""),
    ("api.imagicle.com/", "write \"api.imagicle.com\""),
    ("b\u{fc}cher.example.com", "write \"xn--bcher-kva.example.com\""),
    ("*.b\u{fc}cher.example.com", "write \"*.xn--bcher-kva.example.com\""),
    ("\u{ff41}pi.imagicle.com", "write \"api.imagicle.com\""),
    ("*.*.imagicle.com", "one entry for each depth"),
    ("api.*.com", "first label only"),
    ("*.com", "allows too much"),
    ("*", "the whole name"),
    ("localhost", "the whole name"),
    ("", "the whole name"),
    ("203.0.113.7", "names only"),
    ("0x7f.1", "names only"),
    ("[::1]", "the whole name"),
    (".imagicle.com", "empty label"),
    ("api..imagicle.com", "empty label"),
    ("-a.imagicle.com", "hyphen"),
    ("api imagicle.com", "letters, digits"),
    ("u@api.imagicle.com", "letters, digits"),
];

/// Everything else of a policy file: what follows [`POLICY`] from line 7 on.
const POLICIES: &[Wrong] = &[
    ("host = \"a.example.com\"\nport = 0\nprotocol = \"https\"", "policy.toml:8:8", &["port 0", "1 to 65535"]),
    ("host = \"a.example.com\"\nport = 65536\nprotocol = \"https\"", "policy.toml:8:8", &["65536"]),
    ("host = \"a.example.com\"\nport = \"443\"\nprotocol = \"https\"", "policy.toml:8:8", &["443", "u16"]),
    ("host = \"a.example.com\"\nport = 443\nprotocol = \"tls\"", "policy.toml:9:12", &["`tls`", "`https`", "`grpc`", "`ldaps`", "`http`"]),
    ("host = \"a.example.com\"\nport = 443", "policy.toml:6:1", &["`protocol`"]),
    ("host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\npath = \"/\"", "policy.toml:10:1", &["`path`", "`profiles`"]),
    ("host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\nprofiles = [\"loose\"]", "policy.toml:10:13", &["`loose`", "`strict`"]),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n[[service.endpoint]]\nhost = \"a.example.com\"\nport = 443\nprotocol = \"grpc\"",
        "policy.toml:11:8",
        &["a.example.com:443", "\"site\"", "`channel`"],
    ),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\nsource = { document = \"tou\", section = \"1\", quote = \"x\" }",
        "policy.toml:10:23",
        &["\"tou\"", "[[document]]"],
    ),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n[[service]]\nid = \"site\"\npersonal_data = \"none\"",
        "policy.toml:11:6",
        &["\"site\"", "twice"],
    ),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n[[service]]\nid = \"b\"\nchannel = \"c\"\npersonal_data = \"none\"",
        "policy.toml:12:11",
        &["\"c\"", "no service"],
    ),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n[[service]]\nid = \"b\"\npersonal_data = \"none\"\nidle_timeout = \"1 hour\"",
        "policy.toml:13:16",
        &["\"1 hour\"", "\"1h\""],
    ),
    (
        "host = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n[[service]]\nid = \"b\"\npersonal_data = \"none\"\nidle_timeout = \"0s\"",
        "policy.toml:13:16",
        &["idle_timeout", "\"1h\""],
    ),
];

fn error_of_configuration(text: &str) -> Option<Located> {
    read(text).err()
}

#[test]
fn unknown_keys_are_refused_by_name() {
    assert_wrong(UNKNOWN, error_of_configuration);
}

#[test]
fn wrong_types_and_words_are_refused_where_they_stand() {
    assert_wrong(MISTYPED, error_of_configuration);
}

#[test]
fn malformed_values_are_refused_with_the_form_to_write() {
    assert_wrong(MALFORMED, error_of_configuration);
}

#[test]
fn what_can_never_work_is_refused() {
    assert_wrong(IMPOSSIBLE, error_of_configuration);
}

#[test]
fn relays_that_would_never_be_served_are_refused() {
    assert_wrong(REFUSED_RELAYS, error_of_configuration);
}

#[test]
fn entrances_that_cannot_be_are_refused() {
    assert_wrong(ENTRANCES, |text| read(text).err());
}

/// A folder with a configuration that names `policy.toml` beside it.
struct Site(TempDir);

impl Site {
    fn new(policy: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("policy.toml"), policy).expect("the policy is written");
        std::fs::write(folder.path().join("c.toml"), "[policy]\nfile = \"policy.toml\"\n").expect("the configuration is written");
        Self(folder)
    }

    fn load(&self) -> Result<Config, Located> {
        Config::load(Some(&self.0.path().join("c.toml")))
    }

    /// The error, its place without the folder, which is another one each time.
    fn error(&self) -> Option<Located> {
        let error = self.load().err()?;
        let folder = format!("{}/", self.0.path().display());
        Some(Located { place: error.place.replace(&folder, ""), message: error.message.replace(&folder, "") })
    }
}

fn endpoint(host: &str) -> String {
    format!("{POLICY}host = {}\nport = 443\nprotocol = \"https\"\n", toml::Value::from(host))
}

#[test]
fn policy_hosts_not_in_normal_form_are_told_what_to_write() {
    for (host, write) in HOSTS {
        let error = Site::new(endpoint(host)).error().unwrap_or_else(|| panic!("{host:?} was accepted"));
        assert_eq!(error.place, "policy.toml:7:8", "{error}");
        assert!(error.message.starts_with(&format!("host {host:?}: ")) && error.message.contains(write), "expected {write}, got {error}");
    }
}

#[test]
fn what_a_policy_host_should_be_is_accepted_when_written() {
    for (_, write) in HOSTS {
        let Some(host) = write.strip_prefix("write ") else { continue };
        let config = Site::new(endpoint(host.trim_matches('"'))).load().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{:?}", config.policy.rules()[0].host), host);
    }
}

#[test]
fn policy_files_are_refused_where_they_are_wrong() {
    assert_wrong(POLICIES, |rest| Site::new(format!("{POLICY}{rest}\n")).error());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = Config::load(Some(Path::new("/nowhere/c.toml"))).expect_err("there is no such file");
    assert_eq!(error.place, "/nowhere/c.toml");
    assert!(error.message.contains("check the path and its permissions"), "{error}");
    let error = Site::new(b"format = 1\nname = \"\xff\"\n").error().expect("the policy is not UTF-8");
    assert_eq!(error.place, "c.toml:2:8", "{error}");
    assert!(error.message.contains("policy.toml: is not UTF-8"), "{error}");
}

#[test]
fn a_policy_file_is_found_beside_the_configuration_and_decides_alone() {
    let site = Site::new(endpoint("a.example.com"));
    let config = site.load().unwrap_or_else(|error| panic!("{error}"));
    let verdict = |authority: &str| {
        let destination = Destination::from_authority(authority.as_bytes()).expect("a destination");
        config.policy.decide(&Subject { client: [127, 0, 0, 1].into(), destination: &destination }).verdict
    };
    assert_eq!(config.policy.file(), site.0.path().join("policy.toml").display().to_string());
    assert_eq!((verdict("a.example.com:443"), verdict("api.imagicle.com:443")), (Verdict::Allow, Verdict::Deny));
    assert_eq!(config.warnings, []);
}

/// The warnings of a text as `place: message`.
fn warnings(text: &str) -> Vec<String> {
    let config = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    config.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_setting_that_can_never_act_is_told_with_its_place() {
    let cases = [
        ("[clients]\nallow = [\"10.0.0.0/8\", \"10.1.0.0/16\"]", "c.toml:2:24: never acts: 10.1.0.0/16 is part of 10.0.0.0/8"),
        ("[clients]\nallow = [\"10.1.0.0/16\", \"10.0.0.0/8\"]", "c.toml:2:10: never acts: 10.1.0.0/16 is part of 10.0.0.0/8"),
        ("[clients]\nallow = [\"10.0.0.0/8\", \"10.0.0.0/8\"]", "c.toml:2:24: never acts: 10.0.0.0/8 is part of 10.0.0.0/8"),
        ("[clients]\nallow = [\"10.0.0.0/8\", \"10.0.0.7\"]", "c.toml:2:24: never acts: 10.0.0.7/32 is part of 10.0.0.0/8"),
        ("[clients]\nallow = []", "c.toml:2:9: clients.allow is empty: every client is refused"),
        ("[upstream]\nallow_addresses = [\"52.16.0.0/16\"]", "c.toml:2:20: never acts: 52.16.0.0/16 is public"),
        ("[upstream]\nallow_addresses = [\"52.16.0.1\"]", "c.toml:2:20: never acts: 52.16.0.1/32 is public"),
        ("[upstream]\nallow_addresses = [\"2606:4700::/32\"]", "c.toml:2:20: never acts: 2606:4700::/32 is public"),
        ("[upstream.hosts]\n\"example.org\" = [\"52.16.0.7\"]", "c.toml:2:1: never acts: no rule of the policy allows example.org"),
        (
            "[upstream.hosts]\n\"a.b.imagicle.com\" = [\"52.16.0.7\"]",
            "c.toml:2:1: never acts: no rule of the policy allows a.b.imagicle.com",
        ),
        (
            "[inspection]\nunknown_fields = \"strict\"",
            "c.toml:2:18: never acts on connections: without [interception] nothing is decrypted",
        ),
        ("[inspection]\ndeclared_addresses = [\"10.20.0.11\"]", "c.toml:2:23: never acts on connections: without [interception]"),
        ("[upstream]\nca_files = [\"ca.pem\"]", "c.toml:2:13: never acts: without [interception] nothing is decrypted"),
        (
            "[policy]\nexact_hosts = [\"t.imagicle.cloud\"]",
            "c.toml:2:16: never acts: policy.exact_hosts narrows the profile \"strict\" only",
        ),
        ("[upstream.hosts]\n\"api.imagicle.com\" = [\"10.0.0.1\"]", "c.toml:2:23: never acts: 10.0.0.1 is refused (private)"),
        ("[upstream]\nallow_addresses = [\"0.0.0.0/0\"]", "c.toml:2:20: every private and special address may be reached"),
        ("[policy]\nprofile = \"strict\"\ngroups = [\"cognito\"]", "c.toml:3:11: never acts: \"cognito\" has no exact host"),
        ("[admin]\naddress = \"0.0.0.0:9180\"", "c.toml:2:11: admin.address is on the network and asks for nothing"),
        ("[admin]\naddress = \"[::]:9180\"", "c.toml:2:11: admin.address is on the network and asks for nothing"),
        ("[admin]\naddress = \"10.0.0.5:9180\"\nhosts = [\"p.corp\"]", "c.toml:2:11: admin.address is on the network"),
        ("[policy]\nmode = \"observe\"", "c.toml:2:8: policy.mode is \"observe\": refusals by policy are recorded"),
    ];
    let differs = |(text, expected): &(&str, &str)| {
        let found = warnings(text);
        (found.len() != 1 || !found[0].starts_with(expected)).then(|| format!("{text:?}\n    expected {expected}\n    got      {found:?}"))
    };
    let wrong: Vec<String> = cases.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn an_account_without_a_domain_is_said_to_count_in_all() {
    let found = warnings("[inspection]\nservice_accounts = ['ACME\\svc', 'svc', 'svc@acme.example']");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].starts_with("c.toml:2:33: \"svc\" has no domain") && found[1].contains("every domain"), "{found:?}");
}

#[test]
fn a_policy_whose_rules_can_never_act_is_told() {
    let redundant = endpoint("*.example.com") + "[[service.endpoint]]\nhost = \"a.example.com\"\nport = 443\nprotocol = \"https\"\n";
    for (policy, expected) in [
        ("format = 1\nname = \"empty\"\n".to_owned(), "the policy allows no destination: every request is refused"),
        (redundant, "rule site/a.example.com:443 never acts: site/*.example.com:443 covers it"),
    ] {
        let config = Site::new(policy).load().unwrap_or_else(|error| panic!("{error}"));
        let messages: Vec<&str> = config.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(messages, [expected]);
    }
}

#[test]
fn warnings_stand_in_the_order_of_the_file() {
    let hosts = ["a", "b", "c", "d", "e", "f"].map(|label| format!("\"{label}.example.org\" = [\"52.16.0.7\"]\n")).concat();
    let found = warnings(&format!("[upstream.hosts]\n{hosts}"));
    assert_eq!(found.len(), 6);
    assert!(found.is_sorted(), "{found:#?}");
}

#[test]
fn a_sound_configuration_has_no_warning() {
    let typical = r#"
[listener]
address = "0.0.0.0:3128"
[[relay]]
address = "0.0.0.0:1636"
destination = "tenant.imagicle.cloud:1636"
[admin]
address = "127.0.0.1:9180"
[clients]
allow = ["10.1.0.0/16", "10.2.0.7", "127.0.0.1", "::1"]
[upstream]
allow_addresses = ["10.9.0.0/24", "fd00:1::/64"]
nameservers = ["10.0.0.53", "10.0.0.54:5353", "[fd00::53]:53"]
[upstream.hosts]
"api.imagicle.com" = ["52.16.0.7", "[2606:4700::7]:8443", "2606:4700::8"]
"eu.api.imagicle.com" = ["52.16.0.7"]
[policy]
profile = "strict"
groups = ["voice-analytics"]
exact_hosts = ["tenant.imagicle.cloud", "status.imagicle.com"]
[limits]
head = "1s"
max_connections = 1
[log]
format = "json"
"#;
    for text in ["", DEFAULT, typical] {
        assert_eq!(warnings(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn an_empty_configuration_is_the_annotated_default() {
    let (empty, default) = (read("").expect("nothing is mandatory"), read(DEFAULT).expect("the default is sound"));
    assert_eq!(
        (empty.listener.address, empty.admin, empty.max_connections),
        (default.listener.address, default.admin, default.max_connections)
    );
    assert_eq!(
        (empty.resolve_deadline, empty.connect_deadline, empty.drain),
        (default.resolve_deadline, default.connect_deadline, default.drain)
    );
    assert_eq!(format!("{:?}", empty.limits), format!("{:?}", default.limits));
    assert_eq!(empty.policy.hash(), default.policy.hash());
    assert_eq!(format!("{:?}{:?}", empty.allow_addresses, empty.hosts), format!("{:?}{:?}", default.allow_addresses, default.hosts));
}
