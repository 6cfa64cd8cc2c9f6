//! One datum in a clean message: in which places and encodings it is found, and how often something else is.

use super::Inspector;
use super::clean::Maker;
use super::encodings::ENCODINGS;
use super::fixtures::{Lists, People};
use super::personal::Sort;
use super::random::Random;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use ucx_egress::inspect::engine::finding::Kind;
use ucx_egress::inspect::engine::walk::{Report, Unknown};

/// Messages a kind.
const EACH: u64 = 200;
/// Messages a kind and encoding.
const EACH_ENCODED: u64 = 20;

/// Bytes from which an encoded run is looked into: shorter ones are words of any kind.
const SHORTEST: usize = 12;

/// Where the datum is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The value of a documented text field.
    Field,
    /// Behind the value of a documented text field.
    Behind,
    /// The value of a field that nobody documents.
    Unknown,
    /// Inside a longer text of such a field.
    Sentence,
    /// A key.
    Key,
    /// An element of a list.
    Element,
}

const ANYWHERE: &[Place] = &[Place::Field, Place::Behind, Place::Unknown, Place::Sentence, Place::Key, Place::Element];
const FREE: &[Place] = &[Place::Unknown, Place::Sentence, Place::Element];

/// The text leaves of a message, as the steps to each.
fn leaves(value: &Value, path: &mut Vec<String>, all: &mut Vec<String>) {
    let mut below = |key: String, value: &Value| {
        path.push(key.replace('~', "~0").replace('/', "~1"));
        leaves(value, path, all);
        path.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| below(key.clone(), value)),
        Value::Array(rows) => rows.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
        Value::String(_) => all.push(format!("/{}", path.join("/"))),
        _ => {}
    }
}

/// A clean message with text in it.
fn message(maker: &mut Maker<'_>) -> (Value, Vec<String>) {
    loop {
        let message = maker.message();
        let mut all = Vec::new();
        leaves(&message, &mut Vec::new(), &mut all);
        if !all.is_empty() {
            return (message, all);
        }
    }
}

fn put(maker: &mut Maker<'_>, place: Place, datum: &str, is_lines: bool) -> Value {
    let (mut message, leaves) = message(maker);
    let random = &mut maker.random;
    let leaf = message.pointer_mut(random.pick::<String>(&leaves)).expect("a leaf");
    let key = *random.pick(&["note", "comment", "details", "x17", "remark", "lastError", "info text", "customField1"]);
    let value = match place {
        Place::Field => {
            *leaf = json!(datum);
            return message;
        }
        Place::Behind => {
            let separator = if is_lines { ":\n" } else { *random.pick(&[" ", " - ", " (", ", ", "; "]) };
            *leaf = json!(format!("{}{separator}{datum}", leaf.as_str().expect("text")));
            return message;
        }
        Place::Unknown => json!(datum),
        Place::Sentence if is_lines => json!(format!("see below:\n{datum}")),
        Place::Sentence => {
            json!(format!("{} {datum}", random.pick(&["see", "call from", "Errore per", "could not reach", "Nutzer:", "last value was"])))
        }
        Place::Key => json!({ datum: 1 }),
        Place::Element => json!(["first", datum]),
    };
    let mut holder = Map::new();
    holder.insert(key.to_owned(), value);
    holder.insert("rest".to_owned(), message);
    Value::Object(holder)
}

/// Found and made.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    found: u64,
    made: u64,
}

impl Count {
    fn add(&mut self, found: bool) {
        self.found += u64::from(found);
        self.made += 1;
    }

    fn thousandths(self) -> u64 {
        self.found * 1_000 / self.made.max(1)
    }
}

/// How often each kind was found where it is, and where it is not.
#[derive(Default)]
struct Table {
    recall: BTreeMap<String, Count>,
    right: BTreeMap<Kind, u64>,
    wrong: BTreeMap<Kind, u64>,
    missed: Vec<String>,
    other: Vec<String>,
}

impl Table {
    fn add(&mut self, row: String, report: &Report, datum: &str) {
        let found = !report.findings.is_empty() || report.unreadable.is_some();
        if !found && self.missed.len() < 400 {
            self.missed.push(format!("{row}: {datum}"));
        }
        self.recall.entry(row).or_default().add(found);
    }

    /// Whether what was found is what was put in.
    fn judge(&mut self, sort: Sort, report: &Report, datum: &str) {
        for kind in report.findings.iter().map(|finding| finding.kind) {
            let is_right = kind == sort.kind() || is_part(sort, kind);
            let side = if is_right { &mut self.right } else { &mut self.wrong };
            *side.entry(kind).or_default() += 1;
            if !is_right {
                self.other.push(format!("{} in {sort:?} {datum}", kind.label()));
            }
        }
    }
}

/// Kinds that a datum holds besides its own: a SIP address ends with one of mail, a record has numbers.
fn is_part(sort: Sort, kind: Kind) -> bool {
    match sort {
        Sort::Sip => matches!(kind, Kind::Email | Kind::IpAddress | Kind::Phone),
        Sort::Tel => kind == Kind::Phone,
        Sort::Cdr => matches!(kind, Kind::Phone | Kind::DeviceName | Kind::ContactList),
        Sort::Jwt => matches!(kind, Kind::PersonName),
        Sort::Credential => matches!(kind, Kind::Email),
        Sort::ContactCard => matches!(kind, Kind::PersonName | Kind::Phone),
        Sort::Email => matches!(kind, Kind::Identity | Kind::SipUri),
        Sort::Address => kind == Kind::MacAddress,
        Sort::UserPath => kind == Kind::Identity,
        Sort::SipCredentials | Sort::Cookie => kind == Kind::Credential,
        _ => false,
    }
}

/// The datum with what stands in front of it.
fn around(text: &str, datum: &str) -> String {
    let written = json!(datum).to_string();
    let written = written.trim_matches('"');
    let Some(place) = text.find(written) else { return datum.to_owned() };
    let from = (place.saturating_sub(90)..=place).find(|at| text.is_char_boundary(*at)).unwrap_or(place);
    text[from..place + written.len()].to_owned()
}

fn places(sort: Sort) -> &'static [Place] {
    if Sort::IN_TEXT.contains(&sort) { FREE } else { ANYWHERE }
}

fn all_sorts() -> impl Iterator<Item = Sort> {
    Sort::ALONE.iter().chain(Sort::IN_TEXT).copied()
}

/// One datum where it is put, for every sort.
fn run(table: &mut Table, seed: u64, each: u64, encoding: &super::encodings::Encoding, places_of: fn(Sort) -> &'static [Place]) {
    let (lists, people, inspector) = (Lists::new(), People::new(), Inspector::shared());
    let mut maker = Maker { lists: &lists, random: Random::new(seed) };
    for sort in all_sorts() {
        for _ in 0..each {
            let datum = sort.make(&people, &mut maker.random);
            let place = *maker.random.pick(places_of(sort));
            let encoded = encoding.1(&datum);
            // A key is at most 256 bytes long; lines inside a document that is itself only a part of a text are not read as lines.
            let is_partial = encoding.0.starts_with("JSON") && datum.contains('\n') && matches!(place, Place::Behind | Place::Sentence);
            let place = if is_partial || (place == Place::Key && encoded.len() > 200) { Place::Element } else { place };
            let text = put(&mut maker, place, &encoded, datum.contains('\n')).to_string();
            let report = inspector.json(&text, Unknown::Observe);
            let row = match encoding.0 {
                "plain" => format!("{sort:?}"),
                name if datum.len() < SHORTEST => format!("{name}, less than {SHORTEST} bytes"),
                name => name.to_owned(),
            };
            table.add(row, &report, &format!("{sort:?} {place:?} {}", around(&text, &encoded)));
            // In a field for accounts, anything that is none of a service counts as somebody's; a key may have words that speak of a
            // person.
            if !matches!(place, Place::Field | Place::Behind | Place::Key) {
                table.judge(sort, &report, &datum);
            }
            if encoding.0 == "plain" {
                table.recall.entry(format!("  {sort:?} as {place:?}")).or_default().add(!report.findings.is_empty());
            }
        }
    }
}

fn print(table: &Table) {
    let mut text = String::new();
    for (row, count) in &table.recall {
        let _ = writeln!(
            text,
            "{row:<44} {:>5} of {:>5}  {:>5.1} %",
            count.found,
            count.made,
            0.1 * f64::from(u32::try_from(count.thousandths()).expect("small"))
        );
    }
    for (kind, right) in &table.right {
        let wrong = table.wrong.get(kind).copied().unwrap_or_default();
        let share = (right * 10_000) / (right + wrong);
        let _ = writeln!(
            text,
            "precision {:<20} {right:>5} right {wrong:>3} wrong  {:>6.2} %",
            kind.label(),
            0.01 * f64::from(u32::try_from(share).expect("small"))
        );
    }
    println!("{text}");
    for line in table.missed.iter().chain(&table.other) {
        println!("missed or taken for something else: {}", line.replace('\n', "\\n"));
    }
}

#[test]
fn what_is_put_in_plainly_is_found_and_is_called_what_it_is() {
    let mut table = Table::default();
    run(&mut table, 11, EACH, &ENCODINGS[0], places);
    print(&table);
    for sort in all_sorts() {
        let count = table.recall[&format!("{sort:?}")];
        assert!(count.thousandths() >= sort.floor(), "{sort:?}: {count:?}");
    }
    for (kind, right) in &table.right {
        let wrong = table.wrong.get(kind).copied().unwrap_or_default();
        assert!(wrong * 100 <= right + wrong, "{}: {wrong} of {} are something else", kind.label(), right + wrong);
    }
}

#[test]
fn encodings_hide_nothing() {
    let mut table = Table::default();
    let places = |sort: Sort| if Sort::IN_TEXT.contains(&sort) { FREE } else { &ANYWHERE[..4] };
    for (at, encoding) in ENCODINGS.iter().enumerate().skip(1) {
        run(&mut table, 100 + at as u64, EACH_ENCODED, encoding, places);
    }
    print(&table);
    for (encoding, count) in &table.recall {
        assert!(encoding.ends_with("bytes") || count.thousandths() >= 980, "{encoding}: {count:?}");
    }
}

#[test]
fn an_undeclared_address_is_never_let_through_as_one() {
    let (people, inspector) = (People::new(), Inspector::shared());
    let mut random = Random::new(77);
    for _ in 0..500 {
        let datum = Sort::Address.make(&people, &mut random);
        for key in ["ipAddresses", "dnsServers", "gateways", "cucmIpAddress", "nodes"] {
            let text = json!({ "networkAdapters": [{ key: [datum] }] }).to_string();
            let report = inspector.json(&text, Unknown::Inert);
            assert!(report.findings.iter().any(|finding| finding.kind == Kind::IpAddress), "{text}");
        }
    }
}

/// A value under a key that speaks of a person.
#[test]
fn keys_of_persons_are_known_however_they_are_spelled() {
    let (lists, people, inspector) = (Lists::new(), People::new(), Inspector::shared());
    let mut maker = Maker { lists: &lists, random: Random::new(5) };
    let mut missed: BTreeMap<String, u64> = BTreeMap::new();
    let (mut made, mut lost) = (0, 0);
    for tag in ["name", "account", "phone", "extension", "id"] {
        for _ in 0..400 {
            let random = &mut maker.random;
            let spelling = super::spelling::Spelling::any(random);
            let keys = people.keys.of(if tag == "id" { "name" } else { tag });
            let mut key = *random.pick(keys.as_slice());
            let value = match tag {
                "name" => json!(people.name(random)),
                "account" => json!(people.login(random)),
                "extension" => random.pick(&[json!("4312"), json!(4312), json!("2001"), json!(815)]).clone(),
                "phone" if random.once_in(4) => json!(39_000_000_000 + random.between(3_300_000_000, 3_499_999_999)),
                "phone" => {
                    let written =
                        super::personal::phone(&people, random.pick::<&str>(&["it", "fr", "de", "es", "gb", "us", "e164"]), random);
                    json!(if random.once_in(2) { written.replace([' ', '-', '/', '.', '(', ')'], "") } else { written })
                }
                _ => {
                    let (name, number) = super::personal::keyed_id(random);
                    key = name;
                    json!(number)
                }
            };
            let spelled = spelling.spell(key);
            let (mut message, _) = message(&mut maker);
            let row = json!({ spelled.clone(): value });
            match (&mut message, maker.random.below(3)) {
                (Value::Object(members), 0) => drop(members.insert(spelled.clone(), value)),
                (Value::Object(members), 1) => drop(members.insert("rows".to_owned(), json!([row]))),
                (message, _) => *message = json!({ "data": row }),
            }
            made += 1;
            let report = inspector.json(&message.to_string(), Unknown::Observe);
            if report.findings.is_empty() {
                lost += 1;
                *missed.entry(format!("{tag} {spelled} {value}", value = row[&spelled])).or_default() += 1;
            }
        }
    }
    println!("keys of persons: {} of {made} found", made - lost);
    assert!(lost * 100 <= made, "{lost} of {made}: {missed:#?}");
}
