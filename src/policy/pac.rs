//! The proxy auto-configuration file: documented hosts through the proxy, everything else direct.
//!
//! Written in ECMAScript 3 without the helpers that PAC engines bring along: `WinHTTP`, browsers and libraries differ in those.

use super::decision::Policy;
use crate::destination::{Destination, Host};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// How clients speak to the proxy itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// In clear.
    #[default]
    Http,
    /// In TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// As in what a PAC file returns.
    const fn pac_word(self) -> &'static str {
        match self {
            Self::Http => "PROXY",
            Self::Https => "HTTPS",
        }
    }
}

/// The proxies that clients are told, the first preferred; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How they are spoken to.
    pub scheme: Scheme,
    /// The preferred one.
    pub first: Destination,
    /// Those that a client tries when it is down.
    pub others: Vec<Destination>,
}

impl Told {
    /// One proxy in clear, by its address.
    #[must_use]
    pub fn address(ip: IpAddr, port: u16) -> Self {
        Self { scheme: Scheme::Http, first: Destination { host: Host::Address(ip.to_canonical()), port }, others: Vec::new() }
    }

    /// The URL of the preferred proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme.label(), self.first)
    }
}

/// As a PAC file returns it. There is no `DIRECT` at the end: what the proxies do not answer is not to go past them.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.scheme.pac_word();
        write!(f, "{word} {}", self.first)?;
        self.others.iter().try_for_each(|other| write!(f, "; {word} {other}"))
    }
}

/// What decides, once the tables are there. A host is looked up as it is and with a wildcard for its first label, which is all that
/// a wildcard covers; plain names and addresses of either family are never the cloud's.
const FUNCTION: &str = r#"
function FindProxyForURL(url, host) {
  host = host.toLowerCase().replace(/\.$/, "");
  var dot = host.indexOf(".");
  if (dot < 1 || host.indexOf(":") >= 0 || /^[0-9.]+$/.test(host)) return "DIRECT";
  var known = Object.prototype.hasOwnProperty;
  if (known.call(HOSTS, host) || known.call(HOSTS, "*" + host.substring(dot))) return PROXIES;
  for (var i = 0; i < GLOBS.length; i++) if (GLOBS[i].test(host)) return PROXIES;
  return "DIRECT";
}
"#;

/// Writes the file.
#[must_use]
pub fn pac(policy: &Policy, told: &Told) -> String {
    let (globs, names): (Vec<&str>, Vec<&str>) = hosts(policy).into_iter().partition(|host| is_glob(host));
    // Debug escapes what would end the comment.
    let mut text = format!("// policy {:?} {}: its hosts go through the proxy, everything else direct\n", policy.name(), policy.hash());
    let _ = writeln!(text, "var PROXIES = \"{told}\";");
    let names: Vec<String> = names.iter().map(|name| format!("  \"{name}\": 1")).collect();
    let globs: Vec<String> = globs.iter().map(|glob| format!("  /^{}$/", expression(glob))).collect();
    let _ = write!(text, "var HOSTS = {{\n{}\n}};\nvar GLOBS = [\n{}\n];\n{FUNCTION}", names.join(",\n"), globs.join(",\n"));
    text
}

/// Each host pattern once.
fn hosts(policy: &Policy) -> BTreeSet<&str> {
    policy.rules().iter().map(|rule| rule.host.as_str()).collect()
}

/// Whether a wildcard stands for a part of the first label only.
fn is_glob(host: &str) -> bool {
    host.strip_prefix("*.").unwrap_or(host).contains('*')
}

fn expression(glob: &str) -> String {
    glob.replace('.', "\\.").replace('*', "[^.]*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(scheme: Scheme, names: &[&str]) -> Told {
        let mut names = names.iter().map(|name| Destination::from_authority(name.as_bytes()).expect("a proxy"));
        Told { scheme, first: names.next().expect("one at least"), others: names.collect() }
    }

    #[test]
    fn proxies_are_named_in_the_words_of_pac() {
        for (scheme, names, words, url) in [
            (Scheme::Http, &["proxy.corp.example:3128"][..], "PROXY proxy.corp.example:3128", "http://proxy.corp.example:3128"),
            (Scheme::Https, &["a.example:1", "b.example:2"], "HTTPS a.example:1; HTTPS b.example:2", "https://a.example:1"),
            (Scheme::Http, &["[2001:db8::1]:3128"], "PROXY [2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ] {
            let told = told(scheme, names);
            assert_eq!((told.to_string().as_str(), told.url().as_str()), (words, url));
        }
    }

    #[test]
    fn an_address_that_only_carries_another_is_told_as_that() {
        assert_eq!(Told::address("::ffff:192.0.2.1".parse().expect("an address"), 3128).to_string(), "PROXY 192.0.2.1:3128");
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(!is_glob("*.imagicle.com") && !is_glob("api.imagicle.com") && is_glob("ucx-*.imagicle.com"));
        assert_eq!(expression("ucx-*.imagicle.com"), "ucx-[^.]*\\.imagicle\\.com");
    }
}
