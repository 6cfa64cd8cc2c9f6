//! The interception CA as an administrator meets it: made once, shown, and refused whenever it is not fit to sign.

mod openssl;
mod unfit;

use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use crate::support::policy::{PolicyFile, service};
use crate::support::proxy::Setup;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a finished process left behind.
struct Finished {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn finish(command: &mut Command) -> Finished {
    command.env_remove("RUST_LOG").stdin(Stdio::null()).kill_on_drop(true);
    let output = within_deadline("the process ends", command.output()).await.expect("the program starts");
    // A TLS client also prints what its server sends, which need not be text.
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Some services are decrypted, one is not.
fn services() -> String {
    let inspected = [("api.example.com", 443, "https"), ("*.example.net", 443, "https")];
    service("inspected", "personal_data = \"none\"\ntreatment = \"intercept\"", &inspected)
        + &service("passed", "personal_data = \"expected\"\ntreatment = \"tunnel\"", &[("calls.example.org", 443, "https")])
}

/// A folder with a configuration, and the place of a CA beside it.
struct Files {
    folder: TempDir,
    _policy: PolicyFile,
}

impl Files {
    fn new() -> Self {
        Self::of(&services())
    }

    fn of(services: &str) -> Self {
        let (folder, policy) = (TempDir::new().expect("a temporary folder"), PolicyFile::new(services));
        let text = format!("{}\n[interception]\nca_certificate = \"ca.pem\"\nca_key = \"ca.key\"\n", Setup::new().text());
        let text = format!("{text}{}\n", policy.section());
        fs::write(folder.path().join("c.toml"), text).expect("the configuration is written");
        Self { folder, _policy: policy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary with this configuration.
    async fn run(&self, arguments: &[&str]) -> Finished {
        finish(Command::new(BINARY).arg("--config").arg(self.path("c.toml")).args(arguments)).await
    }

    /// Makes the CA.
    async fn with_ca(self) -> Self {
        let made = self.run(&["ca", "init"]).await;
        assert_eq!(made.code, Some(0), "{}", made.err);
        self
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path("ca.pem")).expect("the CA is PEM")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file is there").mode() & 0o777
}

#[tokio::test]
async fn a_new_ca_is_a_pair_of_files_and_its_key_is_the_owners() {
    let files = Files::new();
    let made = files.run(&["ca", "init"]).await;
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    assert_eq!((mode(&files.path("ca.key")), mode(&files.path("ca.pem")) & 0o133), (0o600, 0), "{}", made.out);
    for words in ["ca.pem", "ca.key", "mode 600", "SHA-256", "api.example.com, example.net", "ca show"] {
        assert!(made.out.contains(words), "{words}: {}", made.out);
    }
    assert!(!made.out.contains("[interception]"), "it is configured already: {}", made.out);
    assert_eq!(files.run(&["check"]).await.code, Some(0));
}

#[tokio::test]
async fn a_ca_that_no_configuration_names_has_its_place_and_says_what_to_add() {
    let folder = TempDir::new().expect("a temporary folder");
    let made = finish(Command::new(BINARY).args(["ca", "init"]).current_dir(folder.path())).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let section = made.out.split_once("[interception]").map(|(_, rest)| format!("[interception]{rest}")).expect("the section");
    let section: Vec<_> = section.lines().take(3).collect();
    let text = format!("[listener]\naddress = \"127.0.0.1:0\"\n{}\n", section.join("\n"));
    fs::write(folder.path().join("c.toml"), text).expect("the configuration is written");
    let checked = finish(Command::new(BINARY).args(["--config", "c.toml", "check"]).current_dir(folder.path())).await;
    assert_eq!(checked.code, Some(0), "what was printed is what works: {}", checked.err);
    assert_eq!((mode(&folder.path().join("certs/ca.key")), folder.path().join("certs/ca.pem").is_file()), (0o600, true));
}

#[tokio::test]
async fn the_ca_can_sign_for_the_intercepted_hosts_and_nothing_else() {
    let files = Files::new().with_ca().await;
    let certificate = files.certificate();
    let (_, ca) = X509Certificate::from_der(&certificate).expect("a certificate");
    let constraints = ca.name_constraints().expect("well-formed").expect("there are some");
    assert!(constraints.critical, "whoever does not understand them must refuse");
    let permitted: Vec<_> = constraints.value.permitted_subtrees.iter().flatten().map(|subtree| subtree.base.clone()).collect();
    assert_eq!(permitted, [GeneralName::DNSName("api.example.com"), GeneralName::DNSName("example.net")]);
    let excluded: Vec<_> = constraints.value.excluded_subtrees.iter().flatten().map(|subtree| subtree.base.clone()).collect();
    assert_eq!(excluded, [GeneralName::IPAddress(&[0; 8]), GeneralName::IPAddress(&[0; 32])], "no address at all");
    let basic = ca.basic_constraints().expect("well-formed").expect("there are some");
    assert!(basic.critical && basic.value.ca && basic.value.path_len_constraint == Some(0), "{basic:?}");
    let usage = ca.key_usage().expect("well-formed").expect("there is some").value;
    assert!(usage.key_cert_sign() && !usage.digital_signature());
}

#[tokio::test]
async fn each_ca_is_its_own() {
    let (one, other) = (Files::new().with_ca().await, Files::new().with_ca().await);
    let certificates = [one.certificate(), other.certificate()];
    let [one, other] = certificates.each_ref().map(|der| X509Certificate::from_der(der).expect("a certificate").1);
    assert_ne!(one.raw_serial(), other.raw_serial());
    assert_ne!(one.public_key().raw, other.public_key().raw);
    assert_ne!(one.subject().to_string(), other.subject().to_string(), "two in one trust store can be told apart");
}

/// What stands in the way of a new CA.
#[derive(Clone, Copy, Debug)]
enum InTheWay {
    Certificate,
    Key,
    Both,
    DanglingLink,
}

#[tokio::test]
async fn nothing_is_overwritten() {
    for thing in [InTheWay::Certificate, InTheWay::Key, InTheWay::Both, InTheWay::DanglingLink] {
        let files = Files::new();
        let (certificate, key) = (files.path("ca.pem"), files.path("ca.key"));
        match thing {
            InTheWay::Certificate => fs::write(&certificate, "mine").expect("written"),
            InTheWay::Key => fs::write(&key, "mine").expect("written"),
            InTheWay::Both => [&certificate, &key].iter().for_each(|path| fs::write(path, "mine").expect("written")),
            InTheWay::DanglingLink => symlink(files.path("elsewhere"), &key).expect("linked"),
        }
        let refused = files.run(&["ca", "init"]).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{thing:?}");
        let which = if matches!(thing, InTheWay::Certificate | InTheWay::Both) { &certificate } else { &key };
        assert!(refused.err.contains(&format!("{} exists and is not overwritten", which.display())), "{thing:?}: {}", refused.err);
        assert!(refused.err.contains("move it away first"), "{thing:?}: {}", refused.err);
        let texts: Vec<_> = [&certificate, &key].iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        assert!(texts.iter().all(|text| text == "mine") && !files.path("elsewhere").exists(), "{thing:?}: {texts:?}");
    }
}

#[tokio::test]
async fn a_policy_that_intercepts_nothing_needs_no_ca() {
    let files = Files::of(&service("passed", "personal_data = \"expected\"", &[("a.test", 443, "https")]));
    let refused = files.run(&["ca", "init"]).await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("intercepts no host") && !files.path("ca.key").exists(), "{}", refused.err);
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_named() {
    let files = Files::new();
    // Not a matter of modes, which do not bind an administrator: there is a file where the folder should be.
    let text = fs::read_to_string(files.path("c.toml")).expect("the configuration").replace("\"ca.", "\"c.toml/ca.");
    fs::write(files.path("c.toml"), text).expect("the configuration is written");
    let refused = files.run(&["ca", "init"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(refused.err.contains("c.toml/ca.key: ") && refused.err.contains("check that the folder exists"), "{}", refused.err);
}

/// The steps of each platform, by what they cannot do without.
const STEPS: [&str; 8] = [
    "certutil -addstore -f Root ca.pem",
    "keytool -importcert -noprompt -cacerts",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=",
    "update-ca-certificates",
    "REQUESTS_CA_BUNDLE=",
    "SSL_CERT_FILE=",
    "NODE_EXTRA_CA_CERTS=",
    "curl -x http://",
];

#[tokio::test]
async fn a_ca_is_shown_with_all_that_a_client_needs_and_not_its_key() {
    let files = Files::new().with_ca().await;
    let shown = files.run(&["ca", "show"]).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    for step in STEPS {
        assert!(shown.out.contains(step), "{step}: {}", shown.out);
    }
    assert!(shown.out.contains("api.example.com, example.net") && !shown.out.contains("unusable"), "{}", shown.out);
    let key = fs::read_to_string(files.path("ca.key")).expect("the key");
    assert!(key.lines().filter(|line| !line.is_empty()).all(|line| !shown.out.contains(line)), "{}", shown.out);
}

#[tokio::test]
async fn a_ca_that_is_not_there_cannot_be_shown() {
    let refused = Files::new().run(&["ca", "show"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(refused.err.contains("ca.pem") && refused.err.contains("`ucx-egress ca init` makes a CA"), "{}", refused.err);
}

#[tokio::test]
async fn what_would_keep_the_proxy_from_starting_is_shown_too() {
    let files = Files::new().with_ca().await;
    fs::set_permissions(files.path("ca.key"), fs::Permissions::from_mode(0o644)).expect("the mode is set");
    let shown = files.run(&["ca", "show"]).await;
    assert_eq!(shown.code, Some(2), "scripts ask for the exit code");
    assert!(shown.out.contains("fingerprint"), "{}", shown.out);
    assert!(shown.err.contains("unusable") && shown.err.contains("can be read by others (mode 644)"), "{}", shown.err);
    assert!(shown.err.contains("chmod 600"), "{}", shown.err);
}
