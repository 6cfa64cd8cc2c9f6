//! Host patterns compiled once, looked up in O(labels) however many there are.
//!
//! Three shapes: an exact name, `*.parent` and a glob in the first label (`ucx-*.parent`). A wildcard never crosses a dot: it
//! covers one label. The first two are hash lookups; globs go through one compiled `globset`, asked only where some exist.

use crate::destination::Host;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::HashMap;

/// Patterns and, for each, the values attached to it.
#[derive(Debug)]
pub struct HostSet<T> {
    exact: HashMap<Box<str>, Vec<T>>,
    one_label: HashMap<Box<str>, Vec<T>>,
    globs: GlobSet,
    glob_values: Vec<T>,
}

/// Collects patterns until they are compiled.
#[derive(Debug)]
pub struct HostSetBuilder<T> {
    exact: HashMap<Box<str>, Vec<T>>,
    one_label: HashMap<Box<str>, Vec<T>>,
    globs: Vec<(String, T)>,
}

impl<T> Default for HostSetBuilder<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), one_label: HashMap::new(), globs: Vec::new() }
    }
}

/// Checks that a pattern is in normal form.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn check(pattern: &str) -> Result<(), String> {
    let (first, parent) = pattern.split_once('.').ok_or("write the whole name, such as api.imagicle.com")?;
    if pattern.contains("**") {
        return Err("a wildcard is a single * and covers one label; write one entry for each depth".into());
    }
    if parent.contains('*') {
        return Err("a wildcard stands in the first label only and covers one label; write one entry for each depth".into());
    }
    if parent.split('.').count() < 2 && first.contains('*') {
        return Err("a wildcard over a whole top-level domain allows too much; name the domain, such as *.imagicle.com".into());
    }
    let sample = pattern.replace('*', "x");
    let normal = match Host::parse(sample.as_bytes()) {
        Ok(Host::Name(name)) => name,
        Ok(Host::Address(_)) => return Err("an address is no host; the policy allows names only".into()),
        Err(malformed) => return Err(suggestion(pattern).unwrap_or_else(|| malformed.to_string())),
    };
    if *normal == *sample {
        return Ok(());
    }
    Err(format!("not in normal form; write {:?}", pattern.to_ascii_lowercase().trim_end_matches('.')))
}

/// What an entry with foreign letters, a scheme, a path or a port should have been.
fn suggestion(pattern: &str) -> Option<String> {
    let without_scheme = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    let host = without_scheme.split(['/', ':', '?', '#']).next()?;
    let ascii = idna::domain_to_ascii(host.strip_prefix("*.").unwrap_or(host)).ok()?;
    let written = if host.starts_with("*.") { format!("*.{ascii}") } else { ascii };
    (written != pattern && check(&written).is_ok()).then(|| format!("not in normal form; write {written:?}"))
}

impl<T> HostSetBuilder<T> {
    /// Adds a pattern that [`check`] accepts.
    pub fn add(&mut self, pattern: &str, value: T) {
        match pattern.split_once('.') {
            Some(("*", parent)) => self.one_label.entry(parent.into()).or_default().push(value),
            Some((first, _)) if first.contains('*') => self.globs.push((pattern.to_owned(), value)),
            _ => self.exact.entry(pattern.into()).or_default().push(value),
        }
    }

    /// Compiles the set.
    ///
    /// # Errors
    /// When the globs exceed what can be compiled.
    pub fn build(self) -> Result<HostSet<T>, globset::Error> {
        let mut globs = GlobSetBuilder::new();
        let mut glob_values = Vec::with_capacity(self.globs.len());
        for (pattern, value) in self.globs {
            globs.add(GlobBuilder::new(&path_like(&pattern)).literal_separator(true).build()?);
            glob_values.push(value);
        }
        Ok(HostSet { exact: self.exact, one_label: self.one_label, globs: globs.build()?, glob_values })
    }
}

/// A glob's `*` stops at `/`: with dots turned into slashes it stops at the end of a label.
fn path_like(name: &str) -> String {
    name.replace('.', "/")
}

/// An `xn--` label that ends with a hyphen encodes plain ASCII: old IDNA code takes it for the plain name (RUSTSEC-2024-0421), so
/// no wildcard covers it.
fn disguised(label: &str) -> bool {
    label.starts_with("xn--") && label.ends_with('-')
}

impl<T> HostSet<T> {
    /// The values of all patterns that cover the host, the most specific pattern first.
    pub fn matches<'a>(&'a self, host: &Host) -> impl Iterator<Item = &'a T> {
        let name = host.name().unwrap_or_default();
        let exact = self.exact.get(name).into_iter().flatten();
        let (first, parent) = name.split_once('.').unwrap_or(("", ""));
        let parent = if disguised(first) { "" } else { parent };
        let globs = if self.globs.is_empty() || parent.is_empty() { Vec::new() } else { self.globs.matches(path_like(name)) };
        let one_label = self.one_label.get(parent).into_iter().flatten();
        exact.chain(globs.into_iter().filter_map(|index| self.glob_values.get(index))).chain(one_label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&'static str]) -> HostSet<&'static str> {
        let mut builder = HostSetBuilder::default();
        for pattern in patterns {
            check(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            builder.add(pattern, *pattern);
        }
        builder.build().expect("the patterns compile")
    }

    fn matches(set: &HostSet<&'static str>, host: &str) -> Vec<&'static str> {
        set.matches(&Host::parse(host.as_bytes()).expect("a host")).copied().collect()
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let set = set(&["*.imagicle.com", "api.imagicle.com", "ucx-*.imagicle.cloud"]);
        assert_eq!(matches(&set, "api.imagicle.com"), ["api.imagicle.com", "*.imagicle.com"], "the most specific first");
        assert_eq!(matches(&set, "x.imagicle.com"), ["*.imagicle.com"]);
        assert_eq!(matches(&set, "ucx-1.imagicle.cloud"), ["ucx-*.imagicle.cloud"]);
        for host in [
            "imagicle.com",
            "a.b.imagicle.com",
            "notimagicle.com",
            "imagicle.com.evil.test",
            "ucx-1.x.imagicle.cloud",
            "ucx.imagicle.cloud",
            "127.0.0.1",
        ] {
            assert!(matches(&set, host).is_empty(), "{host}");
        }
    }

    #[test]
    fn entries_must_be_in_normal_form() {
        for (pattern, write) in [
            ("API.imagicle.com", "\"api.imagicle.com\""),
            ("api.imagicle.com.", "\"api.imagicle.com\""),
            ("https://api.imagicle.com/test", "\"api.imagicle.com\""),
            ("api.imagicle.com:443", "\"api.imagicle.com\""),
            ("bücher.example.com", "\"xn--bcher-kva.example.com\""),
            ("*.*.imagicle.com", "one entry for each depth"),
            ("a.*.com", "one entry for each depth"),
            ("*.com", "too much"),
            ("*", "whole name"),
            ("**.imagicle.com", "single *"),
            ("a**.imagicle.com", "single *"),
            ("10.0.0.1", "names only"),
            ("0x7f.1", "names only"),
            ("a..imagicle.com", "empty label"),
        ] {
            let error = check(pattern).expect_err(pattern);
            assert!(error.contains(write), "{pattern}: {error}");
        }
    }
}
