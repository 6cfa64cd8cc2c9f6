//! Each way in which a CA can be unfit: start and `check` refuse it, and say where and what to do.

use super::{Files, finish};
use rcgen::{BasicConstraints, CertificateParams, DnType, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};
use tokio::process::Command;

const DAY: Duration = Duration::from_hours(24);

impl Files {
    /// Puts a CA in place that some tool made, as `change` has it.
    fn with_foreign_ca(self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "a CA of the site's own");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = Some(constraints(&["example.com", "example.net"]));
        change(&mut params);
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(self.path("ca.pem"), certificate.pem()).expect("the certificate is written");
        self.write_key(&key.serialize_pem());
        self
    }

    fn write_key(&self, text: &str) {
        fs::write(self.path("ca.key"), text).expect("the key is written");
        self.set_mode(0o600);
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(self.path("ca.key"), fs::Permissions::from_mode(mode)).expect("the mode is set");
    }

    /// What `check` and the start say; both must refuse in the same words, and name the place in the configuration.
    async fn refused(&self) -> String {
        let mut said = Vec::new();
        for verb in [&["check"][..], &["run"], &[]] {
            let finished = self.run(verb).await;
            assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""), "{verb:?}: {}", finished.err);
            let text = fs::read_to_string(self.path("c.toml")).expect("the configuration");
            let line = 1 + text.lines().position(|line| line.starts_with("ca_certificate")).expect("the key is there");
            let place = format!("ucx-egress: {}:{line}:18: ", self.path("c.toml").display());
            assert!(finished.err.starts_with(&place), "{verb:?}: {}", finished.err);
            said.push(finished.err);
        }
        assert!(said.iter().all(|message| *message == said[0]), "{said:#?}");
        said.swap_remove(0)
    }
}

fn constraints(names: &[&str]) -> NameConstraints {
    let permitted_subtrees = names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect();
    NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() }
}

/// What makes a CA unfit; the file at fault, what is wrong with it, and the remedy.
type Case = (&'static str, fn(&mut CertificateParams), &'static str, &'static str);

#[tokio::test]
async fn certificates_that_may_not_sign_are_refused_with_the_remedy() {
    let cases: [Case; 7] = [
        ("no CA", |params| params.is_ca = IsCa::ExplicitNoCa, "is no CA certificate (basicConstraints CA is not set)", "ca init"),
        (
            "may not sign",
            |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature],
            "may not sign certificates (keyUsage keyCertSign is missing)",
            "ca init",
        ),
        ("expired", |params| params.not_after = (SystemTime::now() - DAY).into(), "expired on", "make a new one with `ucx-egress ca init`"),
        ("not yet valid", |params| params.not_before = (SystemTime::now() + 2 * DAY).into(), "is valid from", "check this machine's clock"),
        (
            "a host outside",
            |params| params.name_constraints = Some(constraints(&["example.com"])),
            "may not sign for *.example.net: its name constraints are example.com",
            "make a new one with `ucx-egress ca init`",
        ),
        (
            "a wildcard's one host inside",
            |params| params.name_constraints = Some(constraints(&["example.com", "a.example.net"])),
            "may not sign for *.example.net",
            "make a new one with `ucx-egress ca init`",
        ),
        (
            "no constraints",
            |params| params.name_constraints = None,
            "may not sign for *.example.net: its name constraints are missing",
            "make a new one with `ucx-egress ca init`",
        ),
    ];
    for (what, change, wrong, remedy) in cases {
        let files = Files::new().with_foreign_ca(change);
        let said = files.refused().await;
        let sentence = format!("{} {wrong}", files.path("ca.pem").display());
        assert!(said.contains(&sentence) && said.contains(remedy), "{what}: {said}");
    }
    let fit = Files::new().with_foreign_ca(|_| {});
    assert_eq!(fit.run(&["check"]).await.code, Some(0), "the one thing that was changed made the difference");
}

#[tokio::test]
async fn keys_that_others_may_touch_are_refused_with_the_remedy() {
    let files = Files::new().with_ca().await;
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o610] {
        files.set_mode(mode);
        let said = files.refused().await;
        let key = files.path("ca.key");
        assert!(said.contains(&format!("can be read by others (mode {mode:03o}); run `chmod 600 {}`", key.display())), "{said}");
    }
    for mode in [0o600, 0o400] {
        files.set_mode(mode);
        assert_eq!(files.run(&["check"]).await.code, Some(0), "{mode:o}");
    }
}

#[tokio::test]
async fn files_that_are_missing_or_something_else_are_named_with_the_remedy() {
    for (name, text, words) in [
        ("ca.pem", None, "`ucx-egress ca init` makes a CA"),
        ("ca.key", None, "`ucx-egress ca init` makes a CA"),
        ("ca.pem", Some("nonsense"), "`ucx-egress ca init` makes a CA"),
        ("ca.pem", Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "no X.509 certificate"),
        ("ca.key", Some("nonsense"), "no private key in PEM form"),
    ] {
        let files = Files::new().with_ca().await;
        match text {
            Some(text) => fs::write(files.path(name), text).expect("written"),
            None => fs::remove_file(files.path(name)).expect("removed"),
        }
        let said = files.refused().await;
        assert!(said.contains(&files.path(name).display().to_string()) && said.contains(words), "{name} {text:?}: {said}");
    }
    let files = Files::new().with_ca().await;
    fs::remove_file(files.path("ca.key")).expect("removed");
    fs::create_dir(files.path("ca.key")).expect("a folder in its place");
    assert!(files.refused().await.contains("ca.key is no file"));
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let (files, other) = (Files::new().with_ca().await, Files::new().with_ca().await);
    files.write_key(&fs::read_to_string(other.path("ca.key")).expect("the other key"));
    let said = files.refused().await;
    assert!(said.contains("ca.key is not the key of") && said.contains("give the pair that `ca init` made"), "{said}");
}

/// Both forms in which OpenSSL seals a key.
#[tokio::test]
async fn a_key_under_a_passphrase_is_refused() {
    for arguments in [&["pkcs8", "-topk8"][..], &["ec", "-aes256"]] {
        let files = Files::new().with_ca().await;
        let mut sealing = Command::new("openssl");
        sealing.args(arguments).args(["-passout", "pass:secret", "-in"]).arg(files.path("ca.key")).arg("-out").arg(files.path("sealed"));
        let sealed = finish(&mut sealing).await;
        assert_eq!(sealed.code, Some(0), "{}", sealed.err);
        files.write_key(&fs::read_to_string(files.path("sealed")).expect("the sealed key"));
        let said = files.refused().await;
        assert!(said.contains("ca.key is encrypted") && said.contains("give it an unencrypted key with mode 600"), "{said}");
    }
}
