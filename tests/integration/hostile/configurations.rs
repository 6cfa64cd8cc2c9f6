//! Configurations that somebody broke: bytes changed, lines lost, doubled, swapped. Each loads or is refused with its place; none of
//! them ends the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use ucx_egress::config::Config;
use ucx_egress::source::{Located, Source};

/// The same sequence in every run (xorshift, G. Marsaglia 2003).
struct Sequence(u64);

impl Sequence {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).expect("small")).expect("small")
    }
}

/// What editors, merges and cats do to a text.
const PIECES: &[&str] = &[
    "",
    "\"",
    "'",
    "[",
    "]",
    "[[",
    "{",
    "=",
    "#",
    "\n",
    "\0",
    "\r",
    "\u{2028}",
    "\u{feff}",
    "-1",
    "0",
    "99999999999999999999",
    "1e999",
    "nan",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\"\\u0000\"",
    "\"\\uD800\"",
    "\"0s\"",
    "\"9999999999999999h\"",
    "\"*\"",
    "\"::\"",
    "\"[::1]:0\"",
    "2026-11-30",
    "a.b.c = 1\n",
    "[policy]\n",
    "[listener]\n",
    "'''",
    "\"\"\"",
    "é",
    "\u{1f512}",
];

/// The text, changed in one of several ways.
fn broken(text: &str, random: &mut Sequence) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (one, other) = (random.next(lines.len()), random.next(lines.len()));
    match random.next(8) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one]),
        2 => lines.swap(one, other),
        3 => lines.truncate(one),
        4 => lines = vec![lines[one]; 3],
        kind => return with_bytes_changed(text, kind, random),
    }
    lines.concat()
}

fn with_bytes_changed(text: &str, kind: usize, random: &mut Sequence) -> String {
    let mut at = random.next(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let piece = PIECES[random.next(PIECES.len())];
    let (before, behind) = text.split_at(at);
    let mut rest = behind.chars();
    match kind {
        5 => rest.by_ref().take(1).for_each(drop),
        6 => rest.by_ref().take(1 + random.next(20)).for_each(drop),
        // A value for another one, at the end of its line.
        _ => {
            let end = behind.find('\n').unwrap_or(behind.len());
            let start = before.rfind('\n').map_or(0, |start| start + 1);
            if let Some((key, _)) = text[start..].split_once('=').filter(|(key, _)| !key.contains(['\n', '#'])) {
                return format!("{}{key}= {piece}{}", &text[..start], &behind[end..]);
            }
        }
    }
    format!("{before}{piece}{}", rest.as_str())
}

/// What is said of a text that does not load. The place is a line and a column of a file; a whole file may be wrong, too.
fn complaint(said: &Located, text: &str, name: &str) -> Option<String> {
    let place = said.place.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    let numbers = place.and_then(|rest| rest.split_once(':')).and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let lines = text.matches('\n').count() + 1;
    let is_a_place = numbers.is_some_and(|(line, column): (usize, usize)| (1..=lines).contains(&line) && column >= 1);
    let is_one_line = !said.message.is_empty() && !said.message.chars().any(|c| c == '\n' || c == '\u{1b}' || c == '\0');
    (!is_a_place || !is_one_line).then(|| format!("{said:?}"))
}

/// Breaks a text so often and reads it; gives how many loaded, and what was wrong with the rest.
fn torture(text: &str, times: usize, seed: u64, read: impl Fn(&str) -> Result<(), Option<String>>) -> (usize, Vec<String>) {
    let mut random = Sequence(seed);
    let (mut loaded, mut wrong) = (0, Vec::new());
    for number in 0..times {
        let mut changed = broken(text, &mut random);
        if number % 3 == 0 {
            changed = broken(&changed, &mut random);
        }
        match catch_unwind(AssertUnwindSafe(|| read(&changed))) {
            Ok(Ok(())) => loaded += 1,
            Ok(Err(None)) => {}
            Ok(Err(Some(problem))) => wrong.push(format!("{number}: {problem}")),
            Err(_) => wrong.push(format!("{number}: a panic on\n{changed}")),
        }
    }
    (loaded, wrong)
}

/// How often each text is broken. All of the policy is compiled each time, so the gate is content with few; `UCX_EGRESS_TORTURE` asks for
/// more.
fn times() -> usize {
    std::env::var("UCX_EGRESS_TORTURE").ok().and_then(|times| times.parse().ok()).unwrap_or(60)
}

fn shipped(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    std::fs::read_to_string(path).expect("it is shipped")
}

/// A configuration in which everything is set: comments that show a setting become that setting.
fn with_everything(text: &str) -> String {
    let setting = |line: &str| line.strip_prefix("# ").filter(|rest| rest.contains(" = ") && !rest.contains(". ")).map(str::to_owned);
    text.lines().map(|line| setting(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[test]
fn a_broken_configuration_loads_or_is_refused_where_it_is_wrong() {
    let times = times();
    let read = |changed: &str| {
        let config = Config::read(&Source::embedded("c.toml", changed));
        config.map(drop).map_err(|said| complaint(&said, changed, "c.toml"))
    };
    let texts = [
        shipped("ucx-egress.toml"),
        shipped("strict.toml"),
        shipped("observe.toml"),
        shipped("container/ucx-egress.toml"),
        with_everything(&shipped("ucx-egress.toml")),
    ];
    for (seed, text) in texts.iter().enumerate() {
        let (loaded, wrong) = torture(text, times, 0x9e37_79b9 + seed as u64, read);
        assert!(wrong.is_empty(), "{} of {times}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
        assert!(loaded < times, "nothing was broken");
    }
    super::counted("broken configurations", times * texts.len());
}

#[test]
fn a_broken_policy_loads_or_is_refused_where_it_is_wrong() {
    let times = times();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("policy.toml");
    let read = |changed: &str| {
        std::fs::write(&file, changed).expect("written");
        let config = Config::read(&Source::embedded("c.toml", &config_text(&file)));
        // A policy that cannot be used at all is named where the configuration names it.
        let found = |said: &Located| {
            complaint(said, changed, &file.display().to_string()).filter(|_| complaint(said, &config_text(&file), "c.toml").is_some())
        };
        config.map(drop).map_err(|said| found(&said))
    };
    let (loaded, wrong) = torture(&shipped("policy/imagicle.toml"), times, 0x51ed_270b, read);
    assert!(wrong.is_empty(), "{} of {times}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(loaded < times, "nothing was broken");
    super::counted("broken policies", times);
}

fn config_text(file: &Path) -> String {
    format!("[policy]\nfile = \"{}\"\n", file.display())
}
