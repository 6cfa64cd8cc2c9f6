//! `ca init` and `ca show`: the interception CA, and how clients come to trust it.

use super::{BAD_CONFIG, OK, failed, load, print};
use crate::config::Config;
use crate::config::interception::{DEFAULT_CERTIFICATE, DEFAULT_KEY};
use crate::moment::date;
use crate::tls::authority::{self, Authority, Facts, Paths};
use crate::tls::trust;
use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

/// What to do with the CA.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Make the CA: certificate and key (mode 0600), able to sign for the intercepted hosts only. Never overwrites.
    Init,
    /// Fingerprint, expiry, hosts, and the steps by which each platform trusts it.
    Show,
}

/// Runs the verb.
#[must_use]
pub fn main(config: Option<&Path>, verb: &Verb) -> u8 {
    let configured = match load(config) {
        Ok(configured) => configured,
        Err(code) => return code,
    };
    let paths = paths(config, &configured);
    let done = match verb {
        Verb::Init => init(&configured, &paths),
        Verb::Show => show(&configured, &paths),
    };
    match done {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(problem) => {
            failed(problem);
            BAD_CONFIG
        }
    }
}

/// Where the configuration says, or else beside it.
fn paths(config: Option<&Path>, configured: &Config) -> Paths {
    if let Some(section) = &configured.interception {
        return section.paths.clone();
    }
    let folder = config.and_then(Path::parent).unwrap_or(Path::new(""));
    Paths { certificate: folder.join(DEFAULT_CERTIFICATE), key: folder.join(DEFAULT_KEY) }
}

fn init(configured: &Config, paths: &Paths) -> Result<String, String> {
    let hosts = configured.policy.intercepted_hosts();
    let facts = authority::create(paths, &hosts, SystemTime::now()).map_err(|error| error.to_string())?;
    let mut text = format!("made {} and its key {} (mode 600)\n{}", paths.certificate.display(), paths.key.display(), summary(&facts));
    if configured.interception.is_none() {
        // A relative path in a configuration starts at its folder, and so did these.
        let _ = write!(
            text,
            "\nNothing is decrypted until the configuration says so:\n\n[interception]\nca_certificate = \"{DEFAULT_CERTIFICATE}\"\nca_key = \"{DEFAULT_KEY}\"\n"
        );
    }
    text.push_str("\nNext: have the UCX servers trust it, `ucx-egress ca show` says how; then reload the proxy.\n");
    Ok(text)
}

/// Shows the certificate, and what would keep the proxy from starting with it.
fn show(configured: &Config, paths: &Paths) -> Result<String, String> {
    let facts = authority::facts(&paths.certificate).map_err(|error| error.to_string())?;
    let mut text = format!("certificate   {}\nkey           {}\n{}", paths.certificate.display(), paths.key.display(), summary(&facts));
    let hosts = configured.policy.intercepted_hosts();
    if let Err(problem) = Authority::load(paths, &hosts, SystemTime::now()) {
        print(&text);
        return Err(format!("unusable: {problem}"));
    }
    text.push_str(&trust_steps(&paths.certificate));
    Ok(text)
}

fn summary(facts: &Facts) -> String {
    let constraints =
        if facts.constraints.is_empty() { "every host: it has no name constraints".to_owned() } else { facts.constraints.join(", ") };
    format!(
        "name          {}\nfingerprint   SHA-256 {}\nvalid         {} to {}\nsigns for     {constraints}\n",
        facts.name,
        facts.fingerprint,
        date(facts.not_before),
        date(facts.not_after),
    )
}

/// How each platform is told, by its own documented means.
fn trust_steps(certificate: &Path) -> String {
    let mut text = format!("\nCopy {} (never the key) to each client, compare the fingerprint, then:\n\n", certificate.display());
    for step in trust::STEPS {
        let _ = writeln!(text, "{}", step.title);
        for line in step.commands.lines().chain((!step.note.is_empty()).then_some(step.note)) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.push_str("\nThen check: curl -x http://PROXY:3128 --cacert ca.pem https://api.imagicle.com/test\n");
    text
}
