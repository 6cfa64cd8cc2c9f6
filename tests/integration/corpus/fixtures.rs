//! The lists under `tests/fixtures/corpus`: lines that begin with `#` name the source, each other line is an entry.

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
