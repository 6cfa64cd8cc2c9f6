//! Messages that two readers could understand differently, from `vectors/messages.tsv`: each one in the clear and inside a
//! decrypted connection.

use super::counted;
use super::front::{Front, Outcome};

const TABLE: &str = include_str!("../vectors/messages.tsv");

struct Case {
    name: &'static str,
    expected: Outcome,
    bytes: Vec<u8>,
}

/// Reads the table; see its head for the columns.
fn cases() -> Vec<Case> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let case = |line: &'static str| {
        let [name, outcome, bytes] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line:?}") };
        Case { name, expected: outcome_of(outcome), bytes: unescape(bytes) }
    };
    lines.map(case).collect()
}

fn outcome_of(text: &str) -> Outcome {
    let Some(requests) = text.strip_prefix("passes ") else {
        let status = text.parse().unwrap_or_else(|_| panic!("a status or `passes …`: {text:?}"));
        return Outcome { statuses: vec![status], seen: Vec::new() };
    };
    let is_status = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let refused = requests.split("; ").find(is_status).map(|status| status.parse().expect("a status"));
    let end = ["GET /end 0"].into_iter().filter(|_| refused.is_none());
    let seen: Vec<_> = requests.split("; ").filter(|part| !is_status(part)).chain(end).map(str::to_owned).collect();
    Outcome { statuses: std::iter::repeat_n(200, seen.len()).chain(refused).collect(), seen }
}

fn unescape(text: &str) -> Vec<u8> {
    let text = text.replace('^', "POST {T}/a HTTP/1.1\\r\\nHost: {H}\\r\\nContent-Type: application/json\\r\\n");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [kind, behind @ ..] = rest else { panic!("an escape has a second character") };
        rest = behind;
        match kind {
            b'r' => bytes.push(b'\r'),
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'x' => {
                let digits = str::from_utf8(&rest[..2]).expect("two digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest = &rest[2..];
            }
            // A run: `\*{N}c` is N times the character c.
            b'*' => {
                let text = str::from_utf8(rest).expect("ASCII");
                let (count, behind) = text[1..].split_once('}').expect("\\*{N}c");
                bytes.extend(std::iter::repeat_n(behind.as_bytes()[0], count.parse().expect("a count")));
                rest = &behind.as_bytes()[1..];
            }
            other => panic!("no escape \\{}", char::from(*other)),
        }
    }
    bytes
}

async fn run(front: Front) -> usize {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let outcome = front.ask(&case.bytes).await;
        if outcome != case.expected {
            wrong.push(format!("{}: {outcome:?}", case.name));
        }
    }
    let name = front.name;
    wrong.extend(front.close().await);
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    cases.len()
}

#[tokio::test]
async fn messages_with_two_readings() {
    counted("messages with two readings, in the clear", run(Front::plain().await).await);
}

#[tokio::test]
async fn messages_with_two_readings_inside() {
    counted("messages with two readings, decrypted", run(Front::inside().await).await);
}
