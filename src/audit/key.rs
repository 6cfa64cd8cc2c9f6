//! The key that signs checkpoints: ECDSA over P-256 with SHA-256 (FIPS 186-5), made on the first start.

use super::chain::Hash;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How the algorithm is called in the files.
pub const ALGORITHM: &str = "ECDSA-P256-SHA256";
/// What stands in front of the point in a public key of this kind (`SubjectPublicKeyInfo`, RFC 5480 section 2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point.
const POINT: usize = 65;
/// The permission bits that let others than the owner at the key.
const OTHERS: u32 = 0o077;
/// Characters of a line of PEM (RFC 7468 section 2).
const PEM_LINE: usize = 64;

/// Signs.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("fingerprint", &self.public.fingerprint()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads the key, or makes it and its public half beside it.
    ///
    /// # Errors
    /// A sentence with the path and the remedy.
    pub fn load_or_make(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let pem = match fs::read(path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(|error| format!("{shown} cannot be made: {error}; let the proxy's user write its folder"))?
            }
            Err(error) => return Err(format!("{shown} cannot be read: {error}; let the proxy's user alone read it")),
        };
        let mode = path.metadata().map_or(0, |metadata| metadata.mode());
        if mode & OTHERS != 0 {
            return Err(format!("{shown} can be read by others (mode {:03o}); run `chmod 600 {shown}`", mode & 0o777));
        }
        let broken = || {
            format!("{shown} is no private key of the form that this program makes (PKCS #8, P-256); move it away and a new one is made")
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| broken())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.secret_pkcs8_der()).map_err(|_| broken())?;
        let public = PublicKey::from_point(pair.public_key().as_ref()).ok_or_else(broken)?;
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature, base64 of its ASN.1 form. `None` when the machine gives no random numbers.
    #[must_use]
    pub fn sign(&self, pieces: &[&[u8]]) -> Option<String> {
        self.pair.sign(&SystemRandom::new(), &pieces.concat()).ok().map(|signature| STANDARD.encode(signature))
    }
}

/// Where the public half of a key is written.
#[must_use]
pub fn public_path(key: &Path) -> PathBuf {
    key.with_extension("pub.pem")
}

fn make(path: &Path) -> io::Result<Vec<u8>> {
    let unmade = |_| io::Error::other("the machine gives no random numbers");
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).map_err(unmade)?;
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).map_err(|_| unmade(aws_lc_rs::error::Unspecified))?;
    let private = pem("PRIVATE KEY", document.as_ref());
    if let Some(public) = PublicKey::from_point(pair.public_key().as_ref()) {
        write(&public_path(path), public.pem().as_bytes(), 0o644)?;
    }
    write(path, private.as_bytes(), 0o600)?;
    Ok(private.into_bytes())
}

/// Whole or not at all: a key that was written half would be in the way of the next start.
fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new); // of a start that was cut short
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(PEM_LINE).filter_map(|at| encoded.get(at..encoded.len().min(at + PEM_LINE))).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Checks what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `SubjectPublicKeyInfo`.
    info: Vec<u8>,
}

impl PublicKey {
    fn from_point(point: &[u8]) -> Option<Self> {
        (point.len() == POINT).then(|| Self { info: [&PREFIX, point].concat() })
    }

    fn from_info(info: &[u8]) -> Option<Self> {
        info.strip_prefix(&PREFIX).and_then(Self::from_point)
    }

    /// Reads a PEM file (`PUBLIC KEY`).
    ///
    /// # Errors
    /// A sentence with the remedy.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok();
        info.and_then(|info| Self::from_info(&info))
            .ok_or_else(|| "is no public key of P-256 in PEM; give the audit.pub.pem of the proxy".to_owned())
    }

    /// Reads what [`PublicKey::base64`] writes.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_info(&STANDARD.decode(text).ok()?)
    }

    /// For the first line of a file.
    #[must_use]
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.info)
    }

    /// For a file of its own.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.info)
    }

    /// SHA-256 of the key in DER: `openssl pkey -pubin -in audit.pub.pem -outform DER | sha256sum`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Hash::over(&[&self.info]).to_string()
    }

    /// Whether the signature, in base64, is this key's for these bytes.
    #[must_use]
    pub fn has_signed(&self, pieces: &[&[u8]], signature: &str) -> bool {
        let Some(point) = self.info.get(PREFIX.len()..) else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&pieces.concat(), &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_made_once_and_signs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.key");
        let key = SigningKey::load_or_make(&path).expect("made");
        assert_eq!(path.metadata().expect("there").mode() & 0o777, 0o600);
        let again = SigningKey::load_or_make(&path).expect("read");
        assert_eq!(key.public(), again.public());
        let signature = key.sign(&[b"a", b"b"]).expect("signed");
        let pem = fs::read(public_path(&path)).expect("beside it");
        let public = PublicKey::from_pem(&pem).expect("a public key");
        assert!(public.has_signed(&[b"ab"], &signature));
        assert!(!public.has_signed(&[b"ac"], &signature) && !public.has_signed(&[b"ab"], "AAAA"));
        assert_eq!(PublicKey::from_base64(&public.base64()), Some(public.clone()));
        let other = SigningKey::load_or_make(&folder.path().join("other.key")).expect("made");
        assert!(!other.public().has_signed(&[b"ab"], &signature));
        assert_ne!(other.public().fingerprint(), public.fingerprint());
    }

    #[test]
    fn a_key_that_others_read_and_one_that_is_none_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.key");
        SigningKey::load_or_make(&path).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        assert!(SigningKey::load_or_make(&path).expect_err("others read it").contains("chmod 600"));
        write(&path, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600).expect("written");
        assert!(SigningKey::load_or_make(&path).expect_err("no key").contains("move it away"));
    }
}
