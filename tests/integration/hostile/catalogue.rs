//! The attacks that are known, each with its tests, from `vectors/attacks.tsv`: none of them may go with a test that is renamed.

use super::counted;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../vectors/attacks.tsv");

/// The file of a module: `a::b` is `a/b.rs`, or `a/b/mod.rs`, or inline in the file of `a`.
fn file_of(root: &Path, modules: &[&str]) -> Option<PathBuf> {
    let path = modules.iter().fold(root.to_owned(), |path, module| path.join(module));
    let named = [path.with_extension("rs"), path.join("mod.rs")].into_iter().find(|file| file.is_file());
    named.or_else(|| file_of(root, modules.split_last()?.1))
}

/// Whether there is such a test function where its path says.
fn exists(test: &str) -> bool {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (root, path) = match test.strip_prefix("src:") {
        Some(path) => (here.join("src"), path),
        None => (here.join("tests/integration"), test),
    };
    let modules: Vec<_> = path.split("::").collect();
    let Some((function, modules)) = modules.split_last() else { return false };
    let Some(file) = file_of(&root, modules) else { return false };
    let source = fs::read_to_string(file).expect("the file is text");
    let Some(at) = source.find(&format!("fn {function}(")) else { return false };
    // The attribute that makes it one stands right before it.
    let before = source.get(..at).unwrap_or_default().trim_end_matches("async ").trim_end();
    before.rsplit('\n').take(4).any(|line| line.trim_start().starts_with("#[") && line.contains("test"))
}

/// All tests below a folder, as the harness names them.
fn tests_below(folder: &Path, module: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is readable").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| tests_in(&path, module)).collect()
}

fn tests_in(path: &Path, module: &str) -> Vec<String> {
    let module = format!("{module}::{}", path.file_stem().and_then(|name| name.to_str()).expect("a name in ASCII"));
    if path.is_dir() {
        return tests_below(path, &module);
    }
    let source = fs::read_to_string(path).expect("the file is text");
    let names = source.lines().filter_map(|line| line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")));
    let names = names.filter_map(|line| line.split_once('(')).map(|(name, _)| format!("{module}::{name}"));
    names.filter(|test| exists(test)).collect()
}

#[test]
fn every_test_here_holds_off_an_attack_of_the_catalogue() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/hostile");
    let named: HashSet<&str> = TABLE.lines().flat_map(|line| line.rsplit('\t').next().unwrap_or_default().split(' ')).collect();
    let all = tests_below(&here, "hostile");
    assert!(all.len() > 50, "{} tests", all.len());
    let of_the_catalogue = |test: &String| test.starts_with("hostile::catalogue::");
    let missing: Vec<_> = all.iter().filter(|test| !named.contains(test.as_str()) && !of_the_catalogue(test)).collect();
    assert!(missing.is_empty(), "no attack names them in vectors/attacks.tsv: {missing:#?}");
}

#[test]
fn every_attack_has_its_tests() {
    let mut classes = BTreeMap::<&str, usize>::new();
    let mut gone = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let [class, attack, tests] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line:?}") };
        *classes.entry(class).or_default() += 1;
        assert!(!tests.is_empty(), "{attack}");
        gone.extend(tests.split(' ').filter(|test| !exists(test)).map(|test| format!("{attack}: {test}")));
    }
    assert!(gone.is_empty(), "{gone:#?}");
    for (class, count) in classes {
        counted(&format!("the catalogue, class {class}"), count);
    }
}
