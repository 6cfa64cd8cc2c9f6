//! The interception CA: made once on the machine that uses it, checked whole whenever it is loaded.
//!
//! It can sign for the intercepted hosts only: name constraints (RFC 5280 section 4.2.1.10) say so in the certificate itself,
//! so a stolen key is of no use against any other host.

use crate::moment::date;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
    PKCS_ECDSA_P256_SHA256, PublicKeyData as _, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// A new CA is good for three years: long enough not to be forgotten monthly, short enough to be replaced in a server's life.
const VALIDITY: Duration = Duration::from_hours(24 * 365 * 3);
/// A new CA is valid from an hour ago, for clients whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::from_hours(1);
/// Letters on a line of PEM (RFC 7468 section 2).
const PEM_LINE: usize = 64;
/// The permission bits that let others than the owner at the key.
const OTHERS: u32 = 0o077;

/// Where the CA's two files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The private key, PKCS #8 PEM.
    pub key: PathBuf,
}

/// A loaded CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    facts: Facts,
}

/// What the certificate says, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The subject's name.
    pub name: String,
    /// SHA-256 over the certificate, colon-separated hexadecimal.
    pub fingerprint: String,
    /// First second of validity.
    pub not_before: SystemTime,
    /// Last second of validity.
    pub not_after: SystemTime,
    /// The names it may sign for; each covers the names below it too.
    pub constraints: Vec<String>,
}

/// What is wrong with a CA and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("facts", &self.facts).finish_non_exhaustive()
    }
}

fn unusable<T>(message: impl Into<String>) -> Result<T, Unusable> {
    Err(Unusable(message.into()))
}

/// The name of a constraint for a host pattern: a wildcard is covered by its parent.
#[must_use]
pub fn constraint(pattern: &str) -> &str {
    match pattern.split_once('.') {
        Some((first, parent)) if first.contains('*') => parent,
        _ => pattern,
    }
}

/// Makes a CA for the hosts and writes both files.
///
/// # Errors
/// When either file exists, cannot be written, or there is no host to sign for.
pub fn create(paths: &Paths, hosts: &[String], now: SystemTime) -> Result<Facts, Unusable> {
    if hosts.is_empty() {
        return unusable("the policy intercepts no host, so there is nothing to make a CA for");
    }
    for path in [&paths.certificate, &paths.key] {
        if fs::symlink_metadata(path).is_ok() {
            return unusable(format!("{} exists and is not overwritten; move it away first if it is to be replaced", path.display()));
        }
    }
    let (certificate, key) = generate(hosts, now).map_err(|error| Unusable(format!("the CA cannot be made: {error}")))?;
    write_new(&paths.key, &key, 0o600)?;
    if let Err(problem) = write_new(&paths.certificate, &certificate, 0o644) {
        // A key without its certificate would be in the way of the next attempt. The first problem is the one to tell.
        let _ = fs::remove_file(&paths.key);
        return Err(problem);
    }
    Authority::load(paths, hosts, now).map(|authority| authority.facts)
}

fn generate(hosts: &[String], now: SystemTime) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let short = hex(digest(&SHA256, key.der_bytes()).as_ref().get(..3).unwrap_or_default(), "");
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("ucx-egress interception CA {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now - CLOCK_SKEW).into();
    params.not_after = (now + VALIDITY).into();
    params.serial_number = Some(SerialNumber::from_slice(&serial(key.der_bytes(), now)));
    params.name_constraints = Some(constraints(hosts));
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Only these names; no address at all, since a constraint on names says nothing about addresses.
fn constraints(hosts: &[String]) -> NameConstraints {
    let mut names: Vec<&str> = hosts.iter().map(|host| constraint(host)).collect();
    names.sort_unstable();
    names.dedup();
    NameConstraints {
        permitted_subtrees: names.into_iter().map(|name| GeneralSubtree::DnsName(name.to_owned())).collect(),
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([0; 4], 0)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix([0; 16], 0)),
        ],
    }
}

/// 16 bytes, positive, different for each key and second (RFC 5280 section 4.1.2.2).
fn serial(key: &[u8], now: SystemTime) -> [u8; 16] {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_be_bytes();
    let hash = digest(&SHA256, &[key, &seconds].concat());
    let mut serial = [0; 16];
    for (to, from) in serial.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    serial[0] &= 0x7f;
    serial[0] |= 0x40;
    serial
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Unusable> {
    let problem = |error: io::Error| Unusable(format!("{}: {error}; check that the folder exists and may be written", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(problem)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(problem)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a file would be in the way of the next attempt.
        let _ = fs::remove_file(path);
        problem(error)
    })
}

impl Authority {
    /// Loads a CA and checks all that makes it fit to sign for the hosts.
    ///
    /// # Errors
    /// A sentence that names the file, what is wrong and what to do.
    pub fn load(paths: &Paths, hosts: &[String], now: SystemTime) -> Result<Self, Unusable> {
        check_key_file(&paths.key)?;
        let certificate = read_certificate(&paths.certificate)?;
        let facts = check_certificate(&paths.certificate, &certificate, hosts, now)?;
        let key = read_key(&paths.key)?;
        if public_key(&certificate)? != key.subject_public_key_info() {
            return unusable(format!(
                "{} is not the key of {}; give the pair that `ca init` made",
                paths.key.display(),
                paths.certificate.display()
            ));
        }
        let issuer =
            Issuer::from_ca_cert_der(&certificate, key).map_err(|error| Unusable(format!("{}: {error}", paths.certificate.display())))?;
        Ok(Self { issuer, certificate, facts })
    }

    /// What the certificate says.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The certificate, PEM (RFC 7468). What else its file holds is not in it.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = BASE64_STANDARD.encode(&self.certificate);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for (index, letter) in text.chars().enumerate() {
            if index > 0 && index % PEM_LINE == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem + "\n-----END CERTIFICATE-----\n"
    }

    /// The certificate itself.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs.
    #[must_use]
    pub fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// Reads what a CA certificate says, without its key.
///
/// # Errors
/// When it cannot be read or is no certificate.
pub fn facts(path: &Path) -> Result<Facts, Unusable> {
    let certificate = read_certificate(path)?;
    let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| not_a_certificate(path))?;
    Ok(read_facts(&certificate, &parsed))
}

fn not_a_certificate(path: &Path) -> Unusable {
    Unusable(format!("{} is no X.509 certificate; give the one that `ca init` made", path.display()))
}

/// A key that others can read is not a secret any more.
///
/// # Errors
/// A sentence that names the file, what is wrong and what to do.
pub fn check_key_file(path: &Path) -> Result<(), Unusable> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| Unusable(format!("{shown}: {error}; `ucx-egress ca init` makes a CA")))?;
    if !metadata.is_file() {
        return unusable(format!("{shown} is no file"));
    }
    if metadata.mode() & OTHERS != 0 {
        return unusable(format!("{shown} can be read by others (mode {:03o}); run `chmod 600 {shown}`", metadata.mode() & 0o777));
    }
    if is_foreign(metadata.uid(), rustix::process::geteuid().as_raw()) {
        return unusable(format!("{shown} belongs to another user; run `chown` so that the proxy's user owns it"));
    }
    Ok(())
}

/// Whether a file is another user's, who could change it. The administrator reads what is anybody's.
fn is_foreign(owner: u32, own: u32) -> bool {
    owner != own && own != 0
}

fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, Unusable> {
    CertificateDer::from_pem_file(path).map_err(|error| Unusable(format!("{}: {error}; `ucx-egress ca init` makes a CA", path.display())))
}

fn read_key(path: &Path) -> Result<KeyPair, Unusable> {
    let text = fs::read_to_string(path).map_err(|error| Unusable(format!("{}: {error}", path.display())))?;
    if text.contains("ENCRYPTED") {
        return unusable(format!(
            "{} is encrypted; the proxy has nobody to ask for a passphrase, give it an unencrypted key with mode 600",
            path.display()
        ));
    }
    KeyPair::from_pem(&text).map_err(|_| Unusable(format!("{} is no private key in PEM form", path.display())))
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Unusable> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Unusable("the CA is no X.509 certificate".into()))?;
    Ok(parsed.public_key().raw.to_vec())
}

fn check_certificate(path: &Path, certificate: &CertificateDer<'_>, hosts: &[String], now: SystemTime) -> Result<Facts, Unusable> {
    let shown = path.display();
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| not_a_certificate(path))?;
    let facts = read_facts(certificate, &parsed);
    if !parsed.is_ca() {
        return unusable(format!("{shown} is no CA certificate (basicConstraints CA is not set); `ucx-egress ca init` makes one"));
    }
    let may_sign = matches!(parsed.key_usage(), Ok(Some(usage)) if usage.value.key_cert_sign());
    if !may_sign {
        return unusable(format!(
            "{shown} may not sign certificates (keyUsage keyCertSign is missing); `ucx-egress ca init` makes one that may"
        ));
    }
    if now > facts.not_after {
        return unusable(format!(
            "{shown} expired on {}; make a new one with `ucx-egress ca init` and have the clients trust it",
            date(facts.not_after)
        ));
    }
    if now < facts.not_before {
        return unusable(format!("{shown} is valid from {} only; check this machine's clock", date(facts.not_before)));
    }
    match hosts.iter().find(|host| !permits(&facts.constraints, host)) {
        Some(host) => unusable(format!(
            "{shown} may not sign for {host}: its name constraints are {}; make a new one with `ucx-egress ca init`",
            if facts.constraints.is_empty() { "missing".to_owned() } else { facts.constraints.join(", ") }
        )),
        None => Ok(facts),
    }
}

fn permits(constraints: &[String], host: &str) -> bool {
    let name = constraint(host);
    constraints.iter().any(|permitted| name == permitted || name.strip_suffix(permitted.as_str()).is_some_and(|rest| rest.ends_with('.')))
}

fn read_facts(certificate: &CertificateDer<'_>, parsed: &X509Certificate<'_>) -> Facts {
    let time = |timestamp: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(timestamp).unwrap_or_default());
    let constraints = parsed.name_constraints().ok().flatten().and_then(|extension| extension.value.permitted_subtrees.as_ref());
    let names = constraints.into_iter().flatten().filter_map(|subtree| match subtree.base {
        GeneralName::DNSName(name) => Some(name.to_owned()),
        _ => None,
    });
    Facts {
        name: parsed.subject().to_string(),
        fingerprint: hex(digest(&SHA256, certificate).as_ref(), ":"),
        not_before: time(parsed.validity().not_before.timestamp()),
        not_after: time(parsed.validity().not_after.timestamp()),
        constraints: names.collect(),
    }
}

fn hex(bytes: &[u8], separator: &str) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::TempDir;

    /// What makes a CA unfit.
    type Change = fn(&mut CertificateParams);

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(TempDir::new().expect("a temporary folder"))
        }

        fn paths(&self) -> Paths {
            Paths { certificate: self.0.path().join("certs/ca.pem"), key: self.0.path().join("certs/ca.key") }
        }

        /// Writes a CA as `openssl` or another tool might have made it.
        fn write(&self, change: impl FnOnce(&mut CertificateParams)) -> Paths {
            let paths = self.paths();
            fs::create_dir_all(self.0.path().join("certs")).expect("the folder is made");
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params.name_constraints = Some(constraints(&hosts()));
            change(&mut params);
            let certificate = params.self_signed(&key).expect("a certificate");
            fs::write(&paths.certificate, certificate.pem()).expect("the certificate is written");
            fs::write(&paths.key, key.serialize_pem()).expect("the key is written");
            fs::set_permissions(&paths.key, fs::Permissions::from_mode(0o600)).expect("the mode is set");
            paths
        }
    }

    fn hosts() -> Vec<String> {
        vec!["api.imagicle.com".to_owned()]
    }

    fn complaint(paths: &Paths) -> String {
        Authority::load(paths, &hosts(), SystemTime::now()).expect_err("it must be refused").0
    }

    #[test]
    fn a_new_authority_is_private_constrained_and_never_overwritten() {
        let folder = Folder::new();
        let paths = folder.paths();
        let facts = create(&paths, &["api.imagicle.com".to_owned(), "*.imagicle.cloud".to_owned()], SystemTime::now()).expect("it is made");
        assert_eq!(facts.constraints, ["api.imagicle.com", "imagicle.cloud"]);
        assert_eq!(fs::metadata(&paths.key).expect("the key is there").mode() & 0o777, 0o600);
        let years = facts.not_after.duration_since(facts.not_before).expect("in order").as_secs() / (365 * 86_400);
        assert_eq!((years, facts.fingerprint.len()), (3, 95));
        let before = fs::read(&paths.key).expect("the key is there");
        assert!(create(&paths, &hosts(), SystemTime::now()).expect_err("it exists").0.contains("not overwritten"));
        assert_eq!(fs::read(&paths.key).expect("the key is there"), before);
    }

    #[test]
    fn nothing_to_sign_for_is_no_authority() {
        let folder = Folder::new();
        assert!(create(&folder.paths(), &[], SystemTime::now()).is_err());
        assert!(!folder.paths().key.exists());
    }

    #[test]
    fn what_is_unfit_to_sign_is_refused_with_the_remedy() {
        let folder = Folder::new();
        assert!(complaint(&folder.paths()).contains("ca init"), "missing files");
        let unfit: [(&str, Change, &str); 5] = [
            ("no CA", |params| params.is_ca = IsCa::ExplicitNoCa, "basicConstraints"),
            ("no keyCertSign", |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature], "keyCertSign"),
            ("expired", |params| params.not_after = (SystemTime::now() - Duration::from_hours(1)).into(), "expired on"),
            ("from the future", |params| params.not_before = (SystemTime::now() + Duration::from_hours(48)).into(), "clock"),
            ("no constraints", |params| params.name_constraints = None, "may not sign for api.imagicle.com"),
        ];
        for (what, change, words) in unfit {
            let complaint = complaint(&Folder::new().write(change));
            assert!(complaint.contains(words), "{what}: {complaint}");
        }
    }

    #[test]
    fn keys_that_are_readable_foreign_or_sealed_are_refused() {
        let folder = Folder::new();
        let paths = folder.write(|_| {});
        assert!(Authority::load(&paths, &hosts(), SystemTime::now()).is_ok());
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&paths.key, fs::Permissions::from_mode(mode)).expect("the mode is set");
            assert!(complaint(&paths).contains("chmod 600"), "{mode:o}");
        }
        fs::set_permissions(&paths.key, fs::Permissions::from_mode(0o600)).expect("the mode is set");
        fs::write(&paths.key, KeyPair::generate().expect("a key").serialize_pem()).expect("another key");
        assert!(complaint(&paths).contains("is not the key of"));
        fs::write(&paths.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n").expect("a sealed key");
        assert!(complaint(&paths).contains("encrypted"));
        fs::write(&paths.key, "nonsense").expect("no key");
        assert!(complaint(&paths).contains("no private key"));
    }

    #[test]
    fn a_key_of_another_user_is_foreign() {
        for (owner, own, foreign) in [(1000, 1000, false), (0, 1000, true), (1001, 1000, true), (1000, 0, false), (0, 0, false)] {
            assert_eq!(is_foreign(owner, own), foreign, "{owner} {own}");
        }
    }

    #[test]
    fn a_constraint_covers_its_name_and_those_below() {
        let constraints = vec!["imagicle.com".to_owned()];
        let cases = [
            ("imagicle.com", true),
            ("api.imagicle.com", true),
            ("*.imagicle.com", true),
            ("notimagicle.com", false),
            ("*.imagicle.cloud", false),
        ];
        for (host, covered) in cases {
            assert_eq!(permits(&constraints, host), covered, "{host}");
        }
    }
}
