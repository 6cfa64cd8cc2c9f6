//! How often a byte is looked at, on text that is made to cost.

use super::*;
use crate::inspect::engine::format::base64::tests::encode as base64;
use crate::inspect::engine::noise::noise_bytes;
use proptest::prelude::*;
use std::fmt::Write as _;

/// How often a byte may be looked at, derived ones included.
const VISITS: u64 = 5;
/// The same where all runs are just long enough to be looked at, and may be groups of a longer one.
const VISITS_IN_SHORT_RUNS: u64 = 8;
/// For what a text costs however short it is.
const FREE: u64 = 64;
const SIZE: usize = 64 << 10;

/// Bytes without a pattern.
fn noise(len: usize) -> Vec<u8> {
    noise_bytes().take(len).collect()
}

fn hex(bytes: &[u8], gap: &str) -> String {
    bytes.iter().fold(String::new(), |mut sum, byte| {
        let _ = write!(sum, "{byte:02x}{gap}");
        sum
    })
}

fn lines(text: &str, len: usize, gap: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(len).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.join(gap)
}

/// Looks, and the bytes there were.
fn cost(text: &[u8]) -> (u64, u64) {
    let mut budget = Budget::new(text.len());
    let before = budget.left();
    let _ = walk(text, 0, &mut budget, &mut |_, _| {});
    (budget.visited(), (text.len() + before - budget.left()) as u64)
}

/// Texts that are made to cost, of few long runs.
fn hostile(size: usize) -> Vec<(&'static str, String)> {
    let random = base64(&noise(size / 4 * 3));
    let nested = (0..4).fold("mario.rossi@example.test, ".repeat(size / 84), |text, _| base64(text.as_bytes()));
    let mut all = vec![
        ("random base64", random.clone()),
        ("random base64 in lines", lines(&random, 76, "\r\n")),
        ("random base64 in short lines", lines(&random, 5, "\n    ")),
        ("random hex", hex(&noise(size / 2), "")),
        ("random hex, spaced", hex(&noise(size / 3), " ")),
        ("random hex in upper case", hex(&noise(size / 2), "").to_uppercase()),
        ("text in spaced hex", hex("mario.rossi@example.test ".repeat(size / 75).as_bytes(), " ")),
        ("words", "Windows Server Datacenter Evaluation ".repeat(size / 37)),
        ("one long word", "WindowsServerDatacenterEvaluation".repeat(size / 33)),
        ("nested base64", nested),
    ];
    #[rustfmt::skip]
    let patterns = [
        "A", "A=", "=", "=A", "=4", "=41", "=\n", "=?", "=?a?", "=?a?B?", "=?a?B?QUJD", "=?a?Q?=41", "0", "1234567890", "deadbeef",
        "abcdefgh", "ABCDEFGH", "VVVV", "QUJD", "Zm9v", "%", "%2", "%41", "%25", "%u0041", "&", "&#64;", "&#", "&#1", "&#x40;",
        "&amp;", "&a", "&abcdefghijklmn", "\\", "\\u", "\\u0040", "\\u{", "\\u{000000000000000", "\\U0000004", "\\x41", "\\\"", "\\n",
        "\n", "A\n", "A\n ", "QUJDREVGR0hJSktM\n", "0x", "0x41 ", "00 ", "ff:", "41:41:41:41:41:41:41:41 ", "12345678 ", "123456789 ",
        "{", "[\"", "\0", "a\0", "\0a", "\u{e9}", "\u{4f60}", "/", "-", "a/", "aaaaaaaaaaaaaaa1", "4paA", "5L3kveS9",
    ];
    all.extend(patterns.iter().map(|pattern| (*pattern, pattern.repeat(size / pattern.len()))));
    all
}

/// Texts of many runs that are just long enough: what each costs weighs more.
fn short_runs(size: usize) -> Vec<(&'static str, String)> {
    let patterns = [
        "AAAAAAAAAAAAAAA ",
        "AAAAAAAAAAAAAAAA ",
        "A-A-A-A-A-A-A-A ",
        "abcdefghabcdefgh ",
        "AAAQUJDREVGR0hJSktMAAAA",
        "Microsoft-Windows-TerminalServices ",
        "{B6B5DFD0-5F9B-4D0C-9D6E-5A8E0F1B2C3D} ",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855 ",
    ];
    let all = patterns.iter().map(|pattern| (*pattern, pattern.repeat(size / pattern.len())));
    all.chain([("random base64 in groups", lines(&base64(&noise(size / 4 * 3)), 8, " "))]).collect()
}

fn assert_cost(all: &[(&str, String)], visits: u64) {
    for (name, text) in all {
        let (looks, bytes) = cost(text.as_bytes());
        println!(
            "{name:?}\t{}.{:02}\t{}.{:02}",
            looks / bytes,
            looks * 100 / bytes % 100,
            looks / text.len() as u64,
            looks * 100 / text.len() as u64 % 100
        );
        assert!(looks <= visits * bytes + FREE, "{name:?}: {looks} looks at {bytes} bytes");
        assert!(looks >= text.len() as u64, "{name:?}: every byte is looked at and counted");
    }
}

#[test]
fn no_text_makes_a_byte_be_looked_at_too_often() {
    assert_cost(&hostile(SIZE), VISITS);
    assert_cost(&short_runs(SIZE), VISITS_IN_SHORT_RUNS);
}

proptest! {
    #[test]
    fn no_mixture_does(parts in prop::collection::vec((any::<prop::sample::Index>(), 1..300_usize), 1..12)) {
        let all = [hostile(1 << 10), short_runs(1 << 10)].concat();
        let text = parts.iter().fold(String::new(), |sum, (which, len)| sum + &which.get(&all).1.chars().take(*len).collect::<String>());
        let (looks, bytes) = cost(text.as_bytes());
        prop_assert!(looks <= 2 * VISITS_IN_SHORT_RUNS * bytes + FREE, "{looks} looks at {bytes} bytes: {text:?}");
    }
}
