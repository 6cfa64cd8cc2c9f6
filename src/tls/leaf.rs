//! Certificates for intercepted hosts: minted once for a herd of clients, kept until they must be renewed.

use super::authority::Authority;
use crate::destination::Host;
use crate::fault::{Faults, Layer};
use aws_lc_rs::rand;
use prometheus::IntCounter;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    SerialNumber,
};
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A leaf is valid for seven days in all, an hour of them past, for clients whose clocks are behind.
const VALIDITY: Duration = Duration::from_hours(24 * 7);
/// See [`VALIDITY`].
const CLOCK_SKEW: Duration = Duration::from_hours(1);
/// A leaf is replaced a day before it expires.
const RENEW_BEFORE: Duration = Duration::from_hours(24);
/// Leaves kept; the one not used for longest makes room.
const CAPACITY: usize = 1_024;
/// Longest common name (RFC 5280 appendix A.1, ub-common-name); clients read the SAN anyway.
const MAX_COMMON_NAME: usize = 64;

/// Mints and keeps leaves. All share one key, which is not the CA's and lives in memory only.
#[derive(Debug)]
pub struct Leaves {
    authority: Authority,
    key: KeyPair,
    signer: Arc<dyn SigningKey>,
    kept: Mutex<Kept>,
    counters: Counters,
    faults: Faults,
}

/// What was minted, what was found.
#[derive(Debug, Clone)]
pub struct Counters {
    /// Leaves found in the cache.
    pub cached: IntCounter,
    /// Leaves signed.
    pub minted: IntCounter,
}

#[derive(Debug, Default)]
struct Kept {
    leaves: HashMap<Host, Leaf>,
    clock: u64,
}

#[derive(Debug)]
struct Leaf {
    certified: Arc<CertifiedKey>,
    minted: SystemTime,
    renew: SystemTime,
    last_used: u64,
}

impl Leaves {
    /// Makes the leaves' key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(authority: Authority, counters: Counters) -> Result<Self, String> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
            .map_err(|error| format!("the key for interception certificates cannot be made: {error}"))?;
        let signer = any_ecdsa_type(&PrivatePkcs8KeyDer::from(key.serialize_der()).into()).map_err(|error| error.to_string())?;
        Ok(Self { authority, key, signer, kept: Mutex::default(), counters, faults: Faults::none() })
    }

    /// Panics where a drill wants it.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// The CA behind the leaves.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The leaf of a host. One that is missing or due is minted under the lock: a thousand clients cause one signature.
    ///
    /// # Errors
    /// When the host cannot be written into a certificate, or randomness fails.
    pub fn get(&self, host: &Host, now: SystemTime) -> Result<Arc<CertifiedKey>, String> {
        if now > self.authority.facts().not_after {
            return Err("the interception CA has expired; make a new one with `ucx-egress ca init` and have the clients trust it".into());
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        // A clock that was set back makes a leaf from the future: it is minted anew as well.
        if let Some(leaf) = kept.leaves.get_mut(host).filter(|leaf| now < leaf.renew && now >= leaf.minted) {
            leaf.last_used = clock;
            self.counters.cached.inc();
            return Ok(leaf.certified.clone());
        }
        self.faults.strike(Layer::Mint);
        let certified = self.mint(host, now)?;
        self.counters.minted.inc();
        if kept.leaves.len() >= CAPACITY {
            kept.forget_oldest();
        }
        let leaf = Leaf { certified: certified.clone(), minted: now, renew: now + VALIDITY - CLOCK_SKEW - RENEW_BEFORE, last_used: clock };
        kept.leaves.insert(host.clone(), leaf);
        Ok(certified)
    }

    fn mint(&self, host: &Host, now: SystemTime) -> Result<Arc<CertifiedKey>, String> {
        let name = host.name().ok_or("an address gets no certificate")?;
        let certificate = self.params(name, now)?.signed_by(&self.key, self.authority.issuer()).map_err(|error| error.to_string())?;
        let chain = vec![certificate.der().clone(), self.authority.certificate().clone()];
        Ok(Arc::new(CertifiedKey::new(chain, self.signer.clone())))
    }

    fn params(&self, name: &str, now: SystemTime) -> Result<CertificateParams, String> {
        let mut params = CertificateParams::new([name.to_owned()]).map_err(|error| error.to_string())?;
        params.distinguished_name = DistinguishedName::new();
        if name.len() <= MAX_COMMON_NAME {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = (now - CLOCK_SKEW).into();
        // Never longer than the CA itself.
        params.not_after = (now - CLOCK_SKEW + VALIDITY).min(self.authority.facts().not_after).into();
        params.serial_number = Some(serial()?);
        Ok(params)
    }
}

impl Kept {
    fn forget_oldest(&mut self) {
        let oldest = self.leaves.iter().min_by_key(|(_, leaf)| leaf.last_used).map(|(host, _)| host.clone());
        if let Some(host) = oldest {
            self.leaves.remove(&host);
        }
    }
}

/// 16 random bytes, positive (RFC 5280 section 4.1.2.2).
fn serial() -> Result<SerialNumber, String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| "the system gives no randomness".to_owned())?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Gives a TLS server the leaf for the name its client asks for: the tunnel's destination, which was checked before.
#[derive(Debug)]
pub struct ByName(pub Arc<Leaves>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = Host::parse(hello.server_name()?.as_bytes()).ok()?;
        self.0.get(&host, SystemTime::now()).inspect_err(|error| tracing::error!(error, "no interception certificate")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::authority::{Paths, create};
    use prometheus::IntCounter;
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::{ServerName, UnixTime};
    use std::collections::HashSet;
    use std::thread;
    use tempfile::TempDir;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    fn leaves() -> Leaves {
        let folder = TempDir::new().expect("a temporary folder");
        let paths = Paths { certificate: folder.path().join("ca.pem"), key: folder.path().join("ca.key") };
        let hosts = ["imagicle.com".to_owned()];
        create(&paths, &hosts, SystemTime::now()).expect("a CA");
        let authority = Authority::load(&paths, &hosts, SystemTime::now()).expect("the CA loads");
        let counter = |name: &str| IntCounter::new(name, "counted").expect("a valid name");
        Leaves::new(authority, Counters { cached: counter("cached"), minted: counter("minted") }).expect("a key")
    }

    fn host(name: &str) -> Host {
        Host::parse(name.as_bytes()).expect("a host")
    }

    /// What a client that trusts the CA alone says of a leaf for a name.
    fn verify(leaves: &Leaves, leaf: &CertifiedKey, name: &str, at: SystemTime) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(leaves.authority().certificate().clone()).expect("the CA is a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("a verifier");
        let since = at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        verifier.verify_server_cert(&leaf.cert[0], &[], &name, &[], UnixTime::since_unix_epoch(since)).map(|_| ())
    }

    #[test]
    fn a_leaf_is_for_its_host_only_and_for_seven_days() {
        let leaves = leaves();
        let now = SystemTime::now();
        let leaf = leaves.get(&host("api.imagicle.com"), now).expect("a leaf");
        for (name, at, accepted) in [
            ("api.imagicle.com", now, true),
            ("api.imagicle.com", now - Duration::from_mins(50), true),
            ("grpc.imagicle.com", now, false),
            ("api.imagicle.com", now + VALIDITY, false),
        ] {
            assert_eq!(verify(&leaves, &leaf, name, at).is_ok(), accepted, "{name}");
        }
    }

    #[test]
    fn a_client_that_honours_name_constraints_rejects_a_leaf_outside_them() {
        let leaves = leaves();
        let leaf = leaves.get(&host("evil.test"), SystemTime::now()).expect("a leaf");
        let error = verify(&leaves, &leaf, "evil.test", SystemTime::now()).expect_err("outside the constraints");
        assert!(format!("{error:?}").contains("NameConstraintViolation"), "{error:?}");
    }

    #[test]
    fn a_leaf_names_its_issuers_key_and_has_its_own() {
        let leaves = leaves();
        let leaf = leaves.get(&host("api.imagicle.com"), SystemTime::now()).expect("a leaf");
        let (_, parsed) = X509Certificate::from_der(&leaf.cert[0]).expect("a certificate");
        let (_, issuer) = X509Certificate::from_der(&leaf.cert[1]).expect("the CA");
        assert_ne!(parsed.public_key().raw, issuer.public_key().raw, "the CA's key signs certificates only");
        let names: Vec<_> = parsed.extensions().iter().map(|extension| extension.oid.to_id_string()).collect();
        for oid in ["2.5.29.14", "2.5.29.35", "2.5.29.17"] {
            assert!(names.iter().any(|name| name == oid), "{oid} (SKI, AKI, SAN) is missing: {names:?}");
        }
    }

    #[test]
    fn a_herd_causes_one_signature() {
        let leaves = leaves();
        let now = SystemTime::now();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..125).for_each(|_| drop(leaves.get(&host("api.imagicle.com"), now).expect("a leaf"))));
            }
        });
        assert_eq!((leaves.counters.minted.get(), leaves.counters.cached.get()), (1, 999));
    }

    #[test]
    fn leaves_are_renewed_before_they_expire_and_when_the_clock_was_set_back() {
        let leaves = leaves();
        let now = SystemTime::now();
        let name = host("api.imagicle.com");
        let mut serials = HashSet::new();
        for (at, minted) in [(now, 1), (now + Duration::from_hours(24 * 5), 1), (now + Duration::from_hours(24 * 6), 2), (now, 3)] {
            let leaf = leaves.get(&name, at).expect("a leaf");
            assert_eq!(leaves.counters.minted.get(), minted);
            let (_, parsed) = X509Certificate::from_der(&leaf.cert[0]).expect("a certificate");
            serials.insert(parsed.raw_serial().to_vec());
        }
        assert_eq!(serials.len(), 3, "serial numbers are unique");
    }

    /// Clocks of machines without a battery, of guests that slept, of a hand that slipped: each leaf is valid when it is shown.
    #[test]
    fn a_leaf_is_valid_whatever_the_clock_says() {
        let leaves = leaves();
        let now = SystemTime::now();
        let (day, hour) = (Duration::from_hours(24), Duration::from_hours(1));
        let name = host("api.imagicle.com");
        for (what, at) in [
            ("today", now),
            ("400 days on", now + 400 * day),
            ("2 days back", now - 2 * day),
            ("today again", now),
            ("an hour back", now - hour),
            ("the CA's last day", leaves.authority().facts().not_after - day),
            ("its last second", leaves.authority().facts().not_after),
            ("1970", SystemTime::UNIX_EPOCH + day),
        ] {
            let leaf = leaves.get(&name, at).unwrap_or_else(|error| panic!("{what}: {error}"));
            let (_, parsed) = X509Certificate::from_der(&leaf.cert[0]).expect("a certificate");
            let seconds = i64::try_from(at.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()).expect("not so late");
            let (from, to) = (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
            assert!(from <= seconds && seconds <= to, "{what}: {from} {seconds} {to}");
            assert!(to - from <= 200 * 86_400, "{what}: browsers take no leaf for longer");
        }
        let late = leaves.authority().facts().not_after + Duration::from_secs(1);
        assert!(leaves.get(&name, late).expect_err("the CA has expired").contains("ca init"));
    }

    #[test]
    fn every_name_that_is_a_host_gets_a_leaf_for_itself() {
        let leaves = leaves();
        let long = format!("{0}.{0}.{0}.{1}.imagicle.com", "a".repeat(62), "b".repeat(51));
        let label = format!("{}.imagicle.com", "a".repeat(63));
        let names =
            [&long, &label, "1.imagicle.com", "123456.imagicle.com", "_a.imagicle.com", "a_b.imagicle.com", "xn--bcher-kva.imagicle.com"];
        assert_eq!(long.len(), 253, "the longest that there is");
        for name in names {
            let Ok(host) = Host::parse(name.as_bytes()) else { panic!("{name} is a host") };
            let leaf = leaves.get(&host, SystemTime::now()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (_, parsed) = X509Certificate::from_der(&leaf.cert[0]).expect("a certificate");
            let names = parsed.subject_alternative_name().expect("well-formed").expect("there is one").value.general_names.clone();
            assert_eq!(names, [x509_parser::extensions::GeneralName::DNSName(name)]);
            if !name.contains('_') {
                verify(&leaves, &leaf, name, SystemTime::now()).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        for name in [format!("a{long}"), format!("{}.imagicle.com", "a".repeat(64)), "127.1".into(), "1.2.3.4".into(), "a..b".into()] {
            let host = Host::parse(name.as_bytes());
            assert!(host.is_err() || host.is_ok_and(|host| leaves.get(&host, SystemTime::now()).is_err()), "{name} gets none");
        }
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let leaves = leaves();
        let now = SystemTime::now();
        let often = host("api.imagicle.com");
        for number in 0..CAPACITY + 100 {
            leaves.get(&host(&format!("h{number}.imagicle.com")), now).expect("a leaf");
            leaves.get(&often, now).expect("a leaf");
        }
        assert_eq!(leaves.kept.lock().expect("not poisoned").leaves.len(), CAPACITY);
        assert_eq!(usize::try_from(leaves.counters.minted.get()), Ok(CAPACITY + 101), "the one in use stayed");
    }
}
