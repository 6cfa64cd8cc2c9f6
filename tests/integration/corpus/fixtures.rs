//! The lists under `tests/fixtures/corpus`: lines that begin with `#` name the source, each other line is an entry.

use super::random::Random;

fn entries(text: &'static str) -> Vec<&'static str> {
    assert!(text.starts_with("# "), "a list names its source first");
    text.lines().filter(|line| !line.starts_with("# ") && !line.is_empty()).collect()
}

/// `kind | text` lines by kind, in their order.
pub(crate) struct Tagged(Vec<(&'static str, &'static str)>);

impl Tagged {
    fn read(text: &'static str) -> Self {
        Self(entries(text).into_iter().map(|line| line.split_once('|').expect("kind | text")).collect())
    }

    pub(crate) fn of(&self, kind: &str) -> Vec<&'static str> {
        let found: Vec<_> = self.0.iter().filter(|(tag, _)| *tag == kind).map(|(_, text)| *text).collect();
        assert!(!found.is_empty(), "no entry {kind}");
        found
    }
}

/// What is harmless on a server.
pub(crate) struct Lists {
    pub(crate) processes: Vec<&'static str>,
    pub(crate) services: Vec<&'static str>,
    /// Name, version, vendor.
    pub(crate) applications: Vec<[&'static str; 3]>,
    pub(crate) hardware: Tagged,
    pub(crate) states: Vec<&'static str>,
    pub(crate) accounts: Vec<&'static str>,
    pub(crate) paths: Vec<&'static str>,
}

impl Lists {
    pub(crate) fn new() -> Self {
        let application = |line: &'static str| {
            let mut parts = line.split('|');
            std::array::from_fn(|_| parts.next().expect("name | version | vendor"))
        };
        Self {
            processes: entries(include_str!("../../fixtures/corpus/processes.txt")),
            services: entries(include_str!("../../fixtures/corpus/services.txt")),
            applications: entries(include_str!("../../fixtures/corpus/applications.txt")).into_iter().map(application).collect(),
            hardware: Tagged::read(include_str!("../../fixtures/corpus/hardware.txt")),
            states: entries(include_str!("../../fixtures/corpus/states.txt")),
            accounts: entries(include_str!("../../fixtures/corpus/accounts.txt")),
            paths: entries(include_str!("../../fixtures/corpus/paths.txt")),
        }
    }
}

/// What persons are made of.
pub(crate) struct People {
    names: Tagged,
    pub(crate) phones: Tagged,
    pub(crate) ibans: Vec<&'static str>,
    pub(crate) keys: Tagged,
}

impl People {
    pub(crate) fn new() -> Self {
        Self {
            names: Tagged::read(include_str!("../../fixtures/corpus/persons.txt")),
            phones: Tagged::read(include_str!("../../fixtures/corpus/phones.txt")),
            ibans: entries(include_str!("../../fixtures/corpus/ibans.txt")),
            keys: Tagged::read(include_str!("../../fixtures/corpus/keys.txt")),
        }
    }

    /// Given and family name.
    pub(crate) fn pair(&self, random: &mut Random) -> (&'static str, &'static str) {
        (*random.pick(self.names.of("given").as_slice()), *random.pick(self.names.of("family").as_slice()))
    }

    pub(crate) fn name(&self, random: &mut Random) -> String {
        let (given, family) = self.pair(random);
        match random.below(3) {
            0 => format!("{family}, {given}"),
            _ => format!("{given} {family}"),
        }
    }

    /// `mrossi`, `mario.rossi`, `m.rossi`: ASCII.
    pub(crate) fn login(&self, random: &mut Random) -> String {
        let (given, family) = self.pair(random);
        let plain = |name: &str| name.to_lowercase().chars().map(ascii).collect::<String>();
        let (given, family) = (plain(given), plain(family));
        match random.below(4) {
            0 => format!("{}{family}", &given[..1]),
            1 => format!("{}.{family}", &given[..1]),
            2 => format!("{family}{}", &given[..1]),
            _ => format!("{given}.{family}"),
        }
    }

    pub(crate) fn mail(&self, random: &mut Random) -> String {
        let login = self.login(random);
        let domain = *random.pick(&self.names.of("mail"));
        match random.below(6) {
            0 => format!("{login}+ucx@{domain}"),
            1 => format!("{}@{}", login.to_uppercase(), domain.to_uppercase()),
            _ => format!("{login}@{domain}"),
        }
    }
}

fn ascii(letter: char) -> char {
    match letter {
        'á' | 'à' | 'ã' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' | 'ö' => 'o',
        'ü' | 'ú' => 'u',
        'ñ' => 'n',
        other => other,
    }
}
