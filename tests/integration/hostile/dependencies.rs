//! What others wrote and we ship: nothing forbidden, nothing with a known hole, nothing twice without a reason, nothing from elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use toml::{Table, Value};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Table {
    std::fs::read_to_string(root().join(name)).expect("it is there").parse().expect("TOML")
}

/// The strings of a list, or of one member of its tables.
fn texts(list: &Value, member: &str) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|item| item.as_str().unwrap_or_else(|| item[member].as_str().expect("a string")).to_owned()).collect()
}

/// What is built for this platform: name, version, licence. Not from the metadata, whose graph knows features less exactly.
fn built() -> BTreeSet<(String, String, String)> {
    let mut command = Command::new(env!("CARGO"));
    let form = ["--prefix", "none", "--format", "{p}|{l}", "--edges", "normal,build,dev"];
    command.args(["tree", "--locked", "--offline"]).args(form).current_dir(root());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let package = |line: &str| {
        let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
        let mut words = package.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned(), licence.to_owned()))
    };
    let found: BTreeSet<_> = text.lines().filter(|line| !line.is_empty()).filter_map(package).collect();
    assert!(found.len() > 100, "{} packages", found.len());
    found
}

/// A version's numbers; those that are not written are zero.
fn version(text: &str) -> [u64; 3] {
    let plain = text.split(['-', '+']).next().unwrap_or_default();
    let mut numbers = plain.split('.').map(|number| number.parse().expect("a number"));
    [(); 3].map(|()| numbers.next().unwrap_or_default())
}

/// Whether a licence expression (SPDX, and the old form with a slash) can be met with these licences.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let (met, read) = alternatives(&words, allowed);
    met && read == words.len()
}

/// `OR` binds looser than `AND`; each gives how many words it read.
fn alternatives(words: &[&str], allowed: &[String]) -> (bool, usize) {
    let (mut met, mut at) = all_of(words, allowed);
    while words.get(at) == Some(&"OR") {
        let (next, read) = all_of(&words[at + 1..], allowed);
        (met, at) = (met || next, at + 1 + read);
    }
    (met, at)
}

fn all_of(words: &[&str], allowed: &[String]) -> (bool, usize) {
    let (mut met, mut at) = one(words, allowed);
    while words.get(at) == Some(&"AND") {
        let (next, read) = one(&words[at + 1..], allowed);
        (met, at) = (met && next, at + 1 + read);
    }
    (met, at)
}

fn one(words: &[&str], allowed: &[String]) -> (bool, usize) {
    match words {
        ["(", rest @ ..] => {
            let (met, read) = alternatives(rest, allowed);
            (met, read + 2)
        }
        // An exception gives more rights; it is asked for by name all the same.
        [name, "WITH", exception, ..] => (allowed.contains(&format!("{name} WITH {exception}")), 3),
        [name, ..] => (allowed.iter().any(|licence| licence == name), 1),
        [] => (false, 0),
    }
}

#[test]
fn licences_are_read_as_they_are_meant() {
    let allowed = ["MIT", "ISC"].map(str::to_owned);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("GPL-3.0/MIT", true),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("ISC AND (GPL-3.0 OR LGPL-2.1)", false),
        ("GPL-3.0 OR MIT AND LGPL-2.1", false),
        ("MIT WITH exception", false),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn licences_are_those_that_were_agreed_to() {
    let allowed = texts(&read("deny.toml")["licenses"]["allow"], "");
    let wrong: Vec<_> = built().into_iter().filter(|(_, _, licence)| !is_met(licence, &allowed)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_forbidden_or_too_old_is_built() {
    let (built, denied) = (built(), texts(&read("deny.toml")["bans"]["deny"], "crate"));
    for entry in &denied {
        let (name, floor) = entry.split_once(":<").map_or((entry.as_str(), None), |(name, floor)| (name, Some(version(floor))));
        let found = built.iter().filter(|(known, own, _)| known == name && floor.is_none_or(|floor| version(own) < floor));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&(String, String, String)>::new(), "{entry}");
    }
    super::counted("forbidden dependencies", denied.len());
}

#[test]
fn what_is_built_twice_has_a_reason() {
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, version, _) in built() {
        versions.entry(name).or_default().insert(version);
    }
    let older = |(name, versions): (&String, &BTreeSet<String>)| {
        let mut sorted: Vec<_> = versions.iter().collect();
        sorted.sort_by_key(|text| version(text));
        sorted.pop();
        sorted.into_iter().map(|version| format!("{name}@{version}")).collect::<Vec<_>>()
    };
    let twice: BTreeSet<String> = versions.iter().flat_map(older).collect();
    let explained: BTreeSet<String> = texts(&read("deny.toml")["bans"]["skip"], "crate").into_iter().collect();
    assert_eq!(twice, explained, "each in deny.toml with its reason, and none there that is gone");
}

#[test]
fn everything_is_from_the_registry_and_sealed() {
    let lock = read("Cargo.lock");
    for package in lock["package"].as_array().expect("a list") {
        let name = package["name"].as_str().unwrap_or_default();
        let source = package.get("source").and_then(Value::as_str);
        let is_sealed = package.get("checksum").and_then(Value::as_str).is_some_and(|sum| sum.len() == 64);
        let is_ours = name == "ucx-egress" && source.is_none();
        assert!(is_ours || (source == Some("registry+https://github.com/rust-lang/crates.io-index") && is_sealed), "{package}");
    }
}
