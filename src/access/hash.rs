//! One password hash of a file: bcrypt, or argon2 as a PHC string (<https://github.com/P-H-C/phc-string-format>).

use crate::hidden::hidden;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use bcrypt::HashParts;
use password_hash::phc::PasswordHash;

/// Bytes of a password that bcrypt reads; `htpasswd` cuts there too.
const BCRYPT_BYTES: usize = 72;
/// Characters of a bcrypt hash in front of its digest: version, cost and salt.
const BCRYPT_HEAD: usize = 29;
/// Highest cost of bcrypt: one check takes about two seconds of a core then.
const MAX_BCRYPT_COST: u32 = 15;
/// Most memory of one argon2 check, in KiB.
const MAX_ARGON2_KIB: u32 = 256 << 10;
/// Most memory times passes of one argon2 check, in KiB: about a second of a core.
const MAX_ARGON2_WORK: u64 = 1 << 20;
/// Most lanes of one argon2 check; they are computed one after the other here.
const MAX_ARGON2_LANES: u32 = 64;

/// What a check costs: equal values take equal time.
#[derive(Debug, Clone)]
enum Cost {
    /// bcrypt with 2 to the power of this many rounds.
    Bcrypt(u32),
    /// argon2 with its parameters.
    Argon2(Algorithm, Version, Box<Params>),
}

/// A hash that passwords are checked against.
#[derive(Clone)]
pub struct Hash {
    cost: Cost,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

hidden!(Hash);

/// Why an entry is not taken; a sentence without anything of the entry, which may be a password in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit(pub &'static str);

impl Hash {
    /// Reads the hash of an entry.
    ///
    /// # Errors
    /// When it is no bcrypt and no argon2 hash, malformed, or so costly that checking it would stop the others.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix)) {
            return bcrypt(text);
        }
        if ["$argon2id$", "$argon2i$", "$argon2d$"].iter().any(|prefix| text.starts_with(prefix)) {
            return argon2(text);
        }
        Err(Unfit(match text {
            _ if text.starts_with("$apr1$") || text.starts_with("$1$") => "the password is hashed with MD5",
            _ if text.starts_with("{SHA}") => "the password is hashed with SHA-1",
            _ if text.starts_with("$5$") || text.starts_with("$6$") || text.starts_with("$y$") => "the password is hashed with crypt",
            _ if text.starts_with("$2x$") => "the password is hashed with a faulty version of bcrypt",
            "" => "there is no password hash",
            _ => "the password is in the clear, or hashed in an unknown way",
        }))
    }

    /// A hash as costly as this one that no password fits: what a name that does not exist is checked against.
    #[must_use]
    pub fn for_nobody(&self) -> Self {
        // An empty digest is equal to none.
        Self { cost: self.cost.clone(), salt: vec![0x5a; self.salt.len()], digest: Vec::new() }
    }

    /// What tells this entry from every other one, its own earlier ones too.
    #[must_use]
    pub fn identity(&self) -> [&[u8]; 2] {
        [&self.salt, &self.digest]
    }

    /// The part of a password that decides.
    #[must_use]
    pub fn significant<'a>(&self, password: &'a [u8]) -> &'a [u8] {
        match self.cost {
            Cost::Bcrypt(_) => password.get(..BCRYPT_BYTES).unwrap_or(password),
            Cost::Argon2(..) => password,
        }
    }

    /// Whether the password is the right one. Takes tens of milliseconds of a core.
    #[must_use]
    pub fn is_of(&self, password: &[u8]) -> bool {
        self.computed(password).is_some_and(|digest| verify_slices_are_equal(&digest, &self.digest).is_ok())
    }

    fn computed(&self, password: &[u8]) -> Option<Vec<u8>> {
        match &self.cost {
            Cost::Bcrypt(cost) => {
                let salt = self.salt.as_slice().try_into().ok()?;
                let hash = bcrypt::hash_with_salt_bytes(self.significant(password), *cost, salt).ok()?;
                hash.get(BCRYPT_HEAD..).map(<[u8]>::to_vec)
            }
            Cost::Argon2(algorithm, version, params) => {
                let mut digest = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
                let argon2 = Argon2::new(*algorithm, *version, (**params).clone());
                argon2.hash_password_into(password, &self.salt, &mut digest).ok()?;
                Some(digest)
            }
        }
    }
}

fn bcrypt(text: &str) -> Result<Hash, Unfit> {
    const MALFORMED: Unfit = Unfit("the bcrypt hash is malformed");
    let parts: HashParts = text.parse().map_err(|_| MALFORMED)?;
    if !(4..=MAX_BCRYPT_COST).contains(&parts.get_cost()) {
        return Err(Unfit("the cost of the bcrypt hash is not between 4 and 15, so each check would take too long or nothing at all"));
    }
    // Written anew, so that it is compared in one form.
    let digest = parts.to_string().into_bytes().split_off(BCRYPT_HEAD);
    Ok(Hash { cost: Cost::Bcrypt(parts.get_cost()), salt: parts.get_salt_raw().to_vec(), digest })
}

fn argon2(text: &str) -> Result<Hash, Unfit> {
    const MALFORMED: Unfit = Unfit("the argon2 hash is malformed");
    let hash = PasswordHash::new(text).map_err(|_| MALFORMED)?;
    if hash.params.iter().any(|(name, _)| !matches!(name.as_str(), "m" | "t" | "p")) {
        return Err(Unfit("the argon2 hash has other parameters than m, t and p"));
    }
    let params = Params::try_from(&hash).map_err(|_| MALFORMED)?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MAX_ARGON2_KIB || work > MAX_ARGON2_WORK || params.p_cost() > MAX_ARGON2_LANES {
        return Err(Unfit(
            "the argon2 hash asks for more than m=262144 (256 MiB), m times t of 1048576, or p=64, so each check would take too long",
        ));
    }
    // Strings without a version are those of the first one, as the reference implementation reads them.
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from).map_err(|_| MALFORMED)?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| MALFORMED)?;
    let (Some(salt), Some(digest)) = (&hash.salt, &hash.hash) else { return Err(MALFORMED) };
    let (salt, digest) = (AsRef::<[u8]>::as_ref(salt).to_vec(), digest.as_bytes().to_vec());
    Ok(Hash { cost: Cost::Argon2(algorithm, version, Box::new(params)), salt, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `htpasswd -nbB` and with the reference implementation's `argon2 -e`.
    const REAL: &[(&str, &str)] = &[
        ("open sesame", "$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK"),
        ("wonderland", "$2y$05$bqun9taOpaJ/hQrex.q8a.XOj7HwAobsmmI48S2FnrRokAbmfEAuS"),
        ("looking glass", "$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0"),
        ("looking glass", "$argon2i$v=19$m=256,t=2,p=2$c2FsdHNhbHQxMjM0$5pDPw0YhlgV53bQJhpUkiBmJW6QgjSVv/cdj6trDRUA"),
        ("looking glass", "$argon2d$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$8+ldxvuW1OSIzHduEJW3e6zVJfXQjtgS"),
        ("looking glass", "$argon2id$v=16$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$SK6CDwf4SomoDnoj6+/QjrfXKvnzlJ4nJuRwx/Adifc"),
        ("looking glass", "$argon2id$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$SK6CDwf4SomoDnoj6+/QjrfXKvnzlJ4nJuRwx/Adifc"),
    ];

    #[test]
    fn real_hashes_take_their_password_and_no_other() {
        for (password, text) in REAL {
            let hash = Hash::read(text).unwrap_or_else(|unfit| panic!("{text}: {unfit:?}"));
            assert!(hash.is_of(password.as_bytes()), "{text}");
            for wrong in ["", "open sesam", "Open sesame", "looking glass ", "wonderlan"] {
                assert!(!hash.is_of(wrong.as_bytes()), "{text} {wrong}");
            }
            assert!(!hash.for_nobody().is_of(password.as_bytes()), "{text}");
        }
    }

    #[test]
    fn every_version_of_bcrypt_is_one_hash() {
        let (password, text) = REAL[0];
        for version in ["$2a$", "$2b$", "$2y$"] {
            let hash = Hash::read(&text.replace("$2y$", version)).expect("a hash");
            assert!(hash.is_of(password.as_bytes()), "{version}");
        }
    }

    #[test]
    fn bcrypt_reads_the_first_72_bytes() {
        let long = "p".repeat(80);
        let text = bcrypt::hash_with_salt(&long, 4, [7; 16]).expect("a hash").to_string();
        let hash = Hash::read(&text).expect("a hash");
        assert!(hash.is_of(long.as_bytes()) && hash.is_of("p".repeat(72).as_bytes()) && !hash.is_of("p".repeat(71).as_bytes()));
        assert_eq!(hash.significant(long.as_bytes()).len(), 72);
    }

    #[test]
    fn everything_else_is_refused_by_its_kind() {
        for (text, word) in [
            ("$apr1$By7rL6DM$STMSzhGIWERObMcBsNBDh.", "MD5"),
            ("$1$By7rL6DM$STMSzhGIWERObMcBsNBDh.", "MD5"),
            ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"),
            ("I2Af7BYTaqiFo", "in the clear"),
            ("secret", "in the clear"),
            ("", "no password hash"),
            ("$5$VT14jYI7BBnruYJn$m77zCXsEIjuYqgwbbA6BKbyIu/376l0V93jUboUNqx3", "crypt"),
            ("$6$lsdCkA3RrMvthWN.$x8YGIiiueVAoIn6gJ/tM3MpfYgAT8jCEdgZWerweutDeH3q0X76P0HipzYgPntS9U0.4l7gouYTNi7nr9PwNI0", "crypt"),
            ("$2x$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK", "faulty"),
            ("$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcX", "malformed"),
            ("$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK:x", "malformed"),
            ("$2y$04$SNXbGZumFEU860NP8ojg!.GftKs.gNVInguHpPSvYyObBfjv0HcXK", "malformed"),
            ("$2y$31$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK", "cost"),
            ("$2y$03$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK", "cost"),
            ("$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0", "malformed"),
            ("$argon2id$v=18$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "malformed"),
            ("$argon2id$v=19$m=2,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "malformed"),
            ("$argon2id$v=19$m=256,t=2,p=1,keyid=Zm9v$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "other parameters"),
            ("$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "too long"),
            ("$argon2id$v=19$m=65536,t=100,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "too long"),
            ("$argon2xx$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0", "unknown way"),
        ] {
            let unfit = Hash::read(text).expect_err(text);
            assert!(unfit.0.contains(word), "{text}: {unfit:?}");
        }
    }
}
