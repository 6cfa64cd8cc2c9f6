//! The binary as an administrator meets it: verbs, exit codes, what is printed and where.

mod drill;

use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;
use ucx_egress::config::Config;
use ucx_egress::destination::Destination;
use ucx_egress::policy::{Policy, Subject, Verdict};

/// What a finished process left behind.
struct Finished {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(arguments: &[&str]) -> Finished {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_remove("RUST_LOG").stdin(Stdio::null()).kill_on_drop(true);
    let output = within_deadline("the process ends", command.output()).await.expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The JSON that a successful run prints.
async fn json(arguments: &[&str], code: i32) -> Value {
    let finished = run(arguments).await;
    assert_eq!(finished.code, Some(code), "{}{}", finished.out, finished.err);
    serde_json::from_str(&finished.out).unwrap_or_else(|error| panic!("{error}: {}", finished.out))
}

/// A policy of a site's own: an exact host, a wildcard, a glob.
const SITE: &str = r#"
format = 1
name = "site"
[[service]]
id = "site"
personal_data = "unstated"
breaks = "=1+1, and \"more\""
endpoint = [
  { host = "a.example.net", port = 443, protocol = "https" },
  { host = "*.example.org", port = 8443, protocol = "https" },
  { host = "ucx*.example.net", port = 1636, protocol = "ldaps" },
]
"#;

/// A folder with a configuration, and the site's policy beside it.
struct Files {
    folder: TempDir,
    config: String,
}

impl Files {
    fn new(config: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("policy.toml"), SITE).expect("the policy is written");
        let path = folder.path().join("c.toml");
        std::fs::write(&path, config).expect("the configuration is written");
        Self { folder, config: path.display().to_string() }
    }

    fn with_site_policy() -> Self {
        Self::new("[policy]\nfile = \"policy.toml\"\n")
    }

    fn policy_file(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }
}

#[tokio::test]
async fn help_names_every_verb_and_the_next_step() {
    let help = run(&["--help"]).await;
    assert_eq!(help.code, Some(0));
    for verb in ["run", "check", "explain", "doctor", "policy", "completion", "man", "demo", "drill"] {
        assert!(help.out.lines().any(|line| line.trim_start().starts_with(&format!("{verb} "))), "{verb}: {}", help.out);
        let own = run(&[verb, "--help"]).await;
        assert!(own.code == Some(0) && own.out.contains("Usage: ucx-egress"), "{verb}: {}", own.out);
    }
    assert!(help.out.contains("Next: `ucx-egress demo`"), "{}", help.out);
}

#[tokio::test]
async fn wrong_arguments_exit_2_and_say_what_to_try() {
    for (arguments, hint) in [
        (&["frobnicate"][..], "--help"),
        (&["explain"], "URL|HOST:PORT"),
        (&["explain", "api.imagicle.com:443", "--client", "ucx"], "--help"),
        (&["policy", "export"], "--format"),
        (&["policy", "export", "--format", "xml"], "json, csv, pac, no-proxy, squid"),
        (&["--config", "/nowhere/c.toml", "check"], "/nowhere/c.toml: cannot be read"),
        (&["check", "--config", "/nowhere/c.toml"], "check the path"),
    ] {
        let finished = run(arguments).await;
        assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(finished.err.contains(hint), "{arguments:?}: {}", finished.err);
    }
}

/// Whoever checks before a start or a reload is not surprised by it.
#[tokio::test]
async fn check_refuses_what_the_start_would() {
    for (text, hints) in [
        ("[audit]\npath = \"/nonexistent/dir/audit\"\n", &["c.toml:2:", "no folder around it"][..]),
        ("[audit]\npath = \"/dev/null\"\n", &["c.toml:2:", "is no folder"]),
        (
            "[listener]\naddress = \"127.0.0.1:0\"\n[listener.tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n",
            &["c.toml:", "no.pem", "PEM file"],
        ),
        ("[policy]\nfile = \"/dev/zero\"\n", &["/dev/zero", "no regular file"]),
    ] {
        let files = Files::new(text);
        let checked = run(&["--config", &files.config, "check"]).await;
        assert_eq!((checked.code, checked.out.as_str()), (Some(2), ""), "{text}");
        assert!(hints.iter().all(|hint| checked.err.contains(hint)), "{text}: {}", checked.err);
    }
}

#[tokio::test]
async fn check_prints_what_is_in_force() {
    let default = run(&["check"]).await;
    assert_eq!((default.code, default.err.as_str()), (Some(0), ""));
    for expected in
        ["127.0.0.1:3128", "127.0.0.1:9180", "profile documented, mode enforce", "api.imagicle.com", "*.imagicle.cloud", "\n0 warnings\n"]
    {
        assert!(default.out.contains(expected), "{expected}: {}", default.out);
    }
    let idle = Files::new("[inspection]\nunknown_fields = \"strict\"\nservice_accounts = ['ACME\\svc', 'svc']\n");
    let idle = run(&["--config", &idle.config, "check"]).await;
    for expected in
        ["needs [interception]", "unknown ones: strict", "acme\\svc, svc (of every domain)", "\n2 warnings\n", "never acts on connections"]
    {
        assert!(idle.out.contains(expected), "{expected}: {}", idle.out);
    }
    let files = Files::new(
        "[listener]\naddress = \"0.0.0.0:3128\"\n[clients]\nallow = [\"10.0.0.0/8\"]\n[upstream]\nca_files = [\"ca.pem\"]\n\
         [policy]\nfile = \"policy.toml\"\nmode = \"observe\"\n[[relay]]\naddress = \"0.0.0.0:1636\"\ndestination = \"ucx1.example.net:1636\"\n",
    );
    let own = run(&["--config", &files.config, "check"]).await;
    assert_eq!(own.code, Some(0));
    for expected in ["0.0.0.0:1636 -> ucx1.example.net:1636", "10.0.0.0/8", "mode observe", "\n2 warnings\n", "c.toml:6:13: never acts"] {
        assert!(own.out.contains(expected), "{expected}: {}", own.out);
    }
    assert!(own.out.contains(&files.policy_file().display().to_string()) && own.out.contains("site policy"), "{}", own.out);
}

#[tokio::test]
async fn every_verb_refuses_a_bad_configuration_with_its_place() {
    let files = Files::new("[listener]\naddress = \"127.0.0.1\"\n");
    for verb in [&["check"][..], &["run"], &[], &["explain", "api.imagicle.com:443"], &["policy", "show"], &["demo", "--once"]] {
        let finished = run(&[&["--config", &files.config], verb].concat()).await;
        assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{verb:?}");
        assert!(
            finished.err.starts_with(&format!("ucx-egress: {}:2:11: \"127.0.0.1\" is no address and port", files.config)),
            "{}",
            finished.err
        );
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_key_and_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let free = "127.0.0.1:0";
    for (listener, admin, relay, key) in [
        (&*address.to_string(), free, free, "listener.address"),
        (free, &address.to_string(), free, "admin.address"),
        (free, free, &address.to_string(), "relay.address"),
    ] {
        let files = Files::new(&format!(
            "[listener]\naddress = \"{listener}\"\n[admin]\naddress = \"{admin}\"\n[[relay]]\naddress = \"{relay}\"\ndestination = \"t.imagicle.cloud:1636\"\n"
        ));
        let finished = run(&["--config", &files.config, "run"]).await;
        assert_eq!(finished.code, Some(2), "{}", finished.err);
        for expected in [key, &address.to_string(), "another process listens there", "choose another port"] {
            assert!(finished.err.contains(expected), "{expected}: {}", finished.err);
        }
    }
}

#[tokio::test]
async fn explain_names_rule_service_and_source_of_an_allow() {
    for destination in ["api.imagicle.com:443", "https://api.imagicle.com/test", "https://API.imagicle.com.:443/test?a#b"] {
        let text = run(&["explain", destination]).await;
        assert_eq!((text.code, text.err.as_str()), (Some(0), ""), "{destination}");
        assert!(text.out.starts_with("allow api.imagicle.com:443\n"), "{}", text.out);
        for expected in
            ["licensing/api.imagicle.com:443", "Imagicle Cloud Services Terms of Use (May 2024), section 7: \"https://api.imagicle.com\""]
        {
            assert!(text.out.contains(expected), "{expected}: {}", text.out);
        }
    }
    let json = json(&["explain", "--json", "tenant.imagicle.cloud:1636"], 0).await;
    assert_eq!((&json["verdict"], &json["service"], &json["treatment"]), (&"allow".into(), &"user-sync".into(), &"tunnel".into()));
    assert_eq!(json["source"]["section"], "User synchronization with Azure AD");
    assert_eq!((&json["reason"], &json["nearest_allow_rule"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn explain_names_reason_and_nearest_rule_of_a_denial() {
    for (destination, reason, nearest) in [
        ("api.imagicle.co:443", "host_not_allowed", Some("licensing/api.imagicle.com:443")),
        ("grcp.imagicle.cm:443", "host_not_allowed", Some("cloud-connection/*.imagicle.com:443")),
        ("tenant.imagicle.clod:1636", "host_not_allowed", Some("user-sync/*.imagicle.cloud:1636")),
        ("tenant.imagicle.cloud:636", "port_not_allowed", Some("user-sync/*.imagicle.cloud:1636")),
        ("http://api.imagicle.com/test", "port_not_allowed", Some("licensing/api.imagicle.com:443")),
        ("api.imagicle.com", "bad_request", None),
        ("https://user@api.imagicle.com/", "bad_request", None),
    ] {
        let json = json(&["explain", "--json", destination], 1).await;
        assert_eq!((json["reason"].as_str(), json["nearest_allow_rule"].as_str()), (Some(reason), nearest), "{destination}");
        let text = run(&["explain", destination]).await;
        assert!(text.code == Some(1) && text.out.starts_with("deny ") && text.out.contains(reason), "{}", text.out);
        assert!(nearest.is_none_or(|rule| text.out.contains(rule)), "{}", text.out);
    }
}

/// The running proxy answers such a request with 403 `not_tls`; `explain` gives the same verdict.
#[tokio::test]
async fn explain_of_plain_http_to_a_tls_endpoint_is_what_the_proxy_answers() {
    let json = json(&["explain", "--json", "--method", "GET", "http://api.imagicle.com:443/test"], 1).await;
    assert_eq!((json["verdict"].as_str(), json["reason"].as_str()), (Some("deny"), Some("not_tls")));
}

#[tokio::test]
async fn explain_asks_for_a_client_and_for_the_configuration_in_force() {
    let stranger = json(&["explain", "--json", "--client", "203.0.113.9", "api.imagicle.com:443"], 1).await;
    assert_eq!((stranger["reason"].as_str(), stranger["rule"].as_str()), (Some("client_not_allowed"), Some("clients.allow")));
    json(&["explain", "--json", "--client", "::ffff:10.0.0.1", "api.imagicle.com:443"], 0).await;
    let site = Files::with_site_policy();
    json(&["--config", &site.config, "explain", "--json", "x.example.org:8443"], 0).await;
    json(&["--config", &site.config, "explain", "--json", "api.imagicle.com:443"], 1).await;
    let observing = Files::new("[policy]\nmode = \"observe\"\n");
    let passed = json(&["--config", &observing.config, "explain", "--json", "example.org:443"], 0).await;
    assert_eq!((passed["verdict"].as_str(), passed["reason"].as_str()), (Some("would_deny"), Some("host_not_allowed")));
}

#[tokio::test]
async fn policy_show_has_every_service_with_promise_and_source() {
    let shown = run(&["policy", "show"]).await;
    assert_eq!(shown.code, Some(0));
    let config = Config::load(None).expect("the default is sound");
    for service in config.policy.services().iter().skip(1) {
        let title = format!("\n{} - {}\n", service.id, service.title);
        let source = service.source.as_ref().expect("every service is documented");
        for expected in [&title, &service.breaks, &service.promise, &source.quote, &source.document] {
            assert!(shown.out.contains(expected), "{expected}: {}", shown.out);
        }
    }
    assert!(!shown.out.contains("\nwebex"), "a group that is off is not in force");
}

async fn export(config: &str, format: &str) -> String {
    let finished = run(&["--config", config, "policy", "export", "--format", format]).await;
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{format}");
    finished.out
}

/// The configurations whose policies are exported, and those policies.
fn exported() -> Vec<(Files, Policy)> {
    let files = [Files::new(""), Files::new("[policy]\ngroups = [\"voice-analytics\", \"cognito\"]\n"), Files::with_site_policy()];
    files
        .into_iter()
        .map(|files| {
            let policy = Config::load(Some(files.config.as_ref())).unwrap_or_else(|error| panic!("{error}")).policy;
            (files, policy)
        })
        .collect()
}

#[tokio::test]
async fn the_json_export_has_every_rule_with_service_and_source() {
    for (files, policy) in exported() {
        let json: Value = serde_json::from_str(&export(&files.config, "json").await).expect("JSON");
        assert_eq!((json["policy"].as_str(), json["policy_hash"].as_str()), (Some(policy.name()), Some(policy.hash())));
        let rows = json["rules"].as_array().expect("a list");
        assert_eq!(rows.len(), policy.rules().len());
        for (row, rule) in rows.iter().zip(policy.rules()) {
            assert_eq!((row["host"].as_str(), row["port"].as_u64()), (Some(&*rule.host), Some(rule.port.into())));
            assert_eq!(row["service"], *policy.service(rule.service).id);
            assert_eq!(row["document"], rule.source.as_ref().map_or("site policy", |source| &source.document));
        }
    }
}

/// RFC 4180: cells in quotes may hold commas, line ends and doubled quotes.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => cell.push(chars.next().expect("just seen")),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && cell.is_empty() && row.is_empty(), "the last line ends");
    rows
}

#[tokio::test]
async fn the_csv_export_is_read_back_whole() {
    for (files, policy) in exported() {
        let text = export(&files.config, "csv").await;
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let rows = read_csv(&text);
        let (header, rows) = rows.split_first().expect("a header");
        assert_eq!(header.join(","), "service,host,port,protocol,treatment,personal_data,required,breaks,document,section,quote");
        assert_eq!(rows.len(), policy.rules().len());
        for (row, rule) in rows.iter().zip(policy.rules()) {
            assert_eq!(row.len(), header.len(), "{row:?}");
            assert_eq!((&row[1], &row[2]), (&rule.host, &rule.port.to_string()));
            let breaks = &policy.service(rule.service).breaks;
            let disarmed = if breaks.starts_with('=') { format!("'{breaks}") } else { breaks.clone() };
            assert_eq!(row[7], disarmed, "a spreadsheet must not run a cell as a formula");
        }
    }
}

/// Hosts near the borders of every pattern that is exported.
const HOSTS: &[&str] = &[
    "api.imagicle.com",
    "www.imagicle.com",
    "imagicle.com",
    "a.b.imagicle.com",
    "x.api.imagicle.com",
    "eu.api.imagicle.com",
    "tenant.imagicle.cloud",
    "a.tenant.imagicle.cloud",
    "notimagicle.com",
    "imagicle.com.evil.test",
    "apixximagicle.com",
    "pool.amazoncognito.com",
    "a.example.net",
    "b.example.net",
    "ucx.example.net",
    "ucx1.example.net",
    "ucx1.x.example.net",
    "x.example.org",
    "example.org",
];

/// What of the PAC file stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{from}: {text}"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to}: {text}")).0
}

/// What a browser makes of the tables of the PAC file: a host as it is, with a wildcard for its first label, or with a gap in it.
fn pac_knows(text: &str, host: &str) -> bool {
    let names: Value = serde_json::from_str(&format!("{{{}}}", between(text, "var HOSTS = {", "};"))).expect("a table of names");
    let wild = host.find('.').map(|dot| format!("*{}", &host[dot..]));
    let globs = between(text, "var GLOBS = [\n", "];").lines().filter(|line| !line.is_empty());
    let holds = |line: &str| squid_matches(line.trim().trim_end_matches(',').trim_matches('/'), host);
    names.get(host).is_some() || wild.is_some_and(|wild| names.get(wild).is_some()) || globs.into_iter().any(holds)
}

#[tokio::test]
async fn the_pac_export_sends_the_hosts_of_the_policy_through_the_proxy() {
    for (files, policy) in exported() {
        let text = export(&files.config, "pac").await;
        assert!(text.contains("var PROXIES = \"PROXY 127.0.0.1:3128\";\n"), "{text}");
        assert!(text.contains("function FindProxyForURL(url, host) {\n") && text.ends_with("  return \"DIRECT\";\n}\n"), "{text}");
        for name in HOSTS {
            let host = Destination::from_authority(format!("{name}:1").as_bytes()).expect("a host").host;
            assert_eq!(pac_knows(&text, name), policy.knows(&host), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn the_pac_export_names_the_proxies_that_clients_are_told() {
    for (section, expected) in [
        ("[discovery]\nproxy = \"proxy.corp.example:3128\"", "PROXY proxy.corp.example:3128"),
        ("[discovery]\nproxy = [\"a.example:1\", \"b.example:2\"]", "PROXY a.example:1; PROXY b.example:2"),
        ("[listener]\naddress = \"0.0.0.0:3128\"", "PROXY PROXY-HOST:3128"),
    ] {
        let text = export(&Files::new(section).config, "pac").await;
        assert!(text.contains(&format!("var PROXIES = \"{expected}\";\n")), "{text}");
    }
}

/// What Squid makes of one of our regular expressions: a first label, perhaps with a gap in it, and a fixed rest.
fn squid_matches(regex: &str, host: &str) -> bool {
    let pattern = regex.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).expect("anchored");
    let (first, rest) = pattern.split_once("\\.").expect("more than one label");
    let Some((label, parent)) = host.split_once('.') else { return false };
    let gap = |mark: &str, least: usize| {
        let (head, tail) = first.split_once(mark)?;
        Some(label.len() >= head.len() + tail.len() + least && label.starts_with(head) && label.ends_with(tail))
    };
    parent == rest.replace("\\.", ".") && gap("[^.]+", 1).or_else(|| gap("[^.]*", 0)).unwrap_or(first == label)
}

#[tokio::test]
async fn the_squid_export_allows_what_the_policy_allows() {
    for (files, policy) in exported() {
        let text = export(&files.config, "squid").await;
        assert_eq!(text.lines().last(), Some("http_access deny all"));
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let value =
            |name: &str| words.iter().find(|words| words.get(1) == Some(&name)).and_then(|words| words.last()).expect("the acl is defined");
        let rules: Vec<(&str, &str)> =
            words.iter().filter(|words| words[..2] == ["http_access", "allow"]).map(|words| (*value(words[3]), *value(words[4]))).collect();
        assert_eq!(rules.len(), policy.rules().len());
        for (host, port) in HOSTS.iter().flat_map(|host| [443_u16, 1636, 8443, 80].map(|port| (*host, port))) {
            let destination = Destination::from_authority(format!("{host}:{port}").as_bytes()).expect("a destination");
            let decision = policy.decide(&Subject { client: [127, 0, 0, 1].into(), destination: &destination });
            let squid = rules.iter().any(|(regex, open)| *open == port.to_string() && squid_matches(regex, host));
            assert_eq!(squid, decision.verdict == Verdict::Allow, "{destination}: {text}");
        }
    }
}

#[tokio::test]
async fn the_no_proxy_export_keeps_local_traffic_away() {
    let text = export(&Files::new("").config, "no-proxy").await;
    assert_eq!(text.lines().count(), 1);
    for local in ["localhost", "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] {
        assert!(text.trim_end().split(',').any(|entry| entry == local), "{local}: {text}");
    }
    assert!(!text.contains("imagicle"), "the cloud goes through the proxy: {text}");
}

#[tokio::test]
async fn the_demonstration_shows_every_verdict_as_expected() {
    let demo = run(&["demo", "--once"]).await;
    assert_eq!((demo.code, demo.err.as_str()), (Some(0), ""), "{}", demo.out);
    assert!(!demo.out.contains("WRONG"), "{}", demo.out);
    let rows = demo.out.lines().skip(1).take_while(|line| !line.is_empty()).count();
    assert!(rows >= 10 && demo.out.ends_with(&format!("\n{rows} of {rows} verdicts as expected\n")), "{}", demo.out);
    for reason in [
        "allow",
        "host_not_allowed",
        "port_not_allowed",
        "ip_literal",
        "address_not_allowed",
        "bad_request",
        "sni_mismatch",
        "not_tls",
        "personal_data",
        "undocumented_field",
    ] {
        assert!(demo.out.contains(reason), "{reason}: {}", demo.out);
    }
}

#[tokio::test]
async fn the_demonstration_marks_what_another_policy_gets_wrong() {
    let demo = run(&["--config", &Files::with_site_policy().config, "demo", "--once"]).await;
    assert_eq!(demo.code, Some(1), "{}", demo.out);
    for (request, wrong) in [
        ("GET https://api.imagicle.com/test", true),
        ("POST /telemetry, versions and counts", true),
        ("POST /telemetry, a person's e-mail", true),
        ("POST /telemetry, a service run by a person", true),
        ("POST /telemetry, an undocumented field", true),
        ("gRPC (h2) to grpc.imagicle.com, a tunnel", true),
        ("LDAP bind over the LDAPS relay", true),
        ("CONNECT example.org:443", false),
        ("CONNECT 192.0.2.1:443", false),
        ("CONNECT api.imagicle.com (no port)", false),
    ] {
        let row = demo.out.lines().find(|line| line.starts_with(request)).unwrap_or_else(|| panic!("no row {request}: {}", demo.out));
        assert_eq!(row.ends_with("<- WRONG"), wrong, "{row}");
    }
    let rows = demo.out.lines().skip(1).take_while(|line| !line.is_empty()).count();
    let right = rows - demo.out.matches("<- WRONG").count();
    assert!(demo.out.ends_with(&format!("\n{right} of {rows} verdicts as expected\n")), "{}", demo.out);
}
