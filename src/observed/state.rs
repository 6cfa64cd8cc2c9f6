//! What was observed so far, in bounded memory.

use super::document::{Document, FORMAT, LeftOut, MASKED, Messages, Outcome, Requested, Requests, Times, Wanted};
use super::fields::{Room, Seen};
use super::paths::{Merge, Paths, Piece, segments, template};
use super::sightings::{Key, Noted, Sightings};
use super::size::Sizes;
use super::telling::is_name;
use crate::frequent::Frequent;
use crate::inspect::engine::tree::Tree;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Destinations that are kept; the most frequent stay.
const MAX_DESTINATIONS: usize = 256;
/// Services, destinations and methods together whose paths are kept.
const MAX_PATHS: usize = 64;
/// Services whose fields are kept.
const MAX_SERVICES: usize = 64;
/// Fields of one service.
const MAX_FIELDS: usize = 4_096;
/// Types of which nobody's data is a part.
const MEDIA_TYPES: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/grpc",
    "application/grpc+proto",
    "application/x-protobuf",
    "multipart/form-data",
    "text/plain",
    "text/xml",
    "text/csv",
    "text/html",
];

/// A request inside a decrypted connection, as it came.
#[derive(Clone, Default)]
pub struct Asked {
    /// Its method, from a closed list.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The query, if there is one.
    pub query: Option<String>,
    /// The value of Content-Type.
    pub content_type: Option<String>,
    /// The first segments of the path that the policy's entry for it has.
    pub fixed: usize,
    /// Bytes of the body, where that is known.
    pub bytes: Option<u64>,
    /// Messages of the gRPC call, and their sizes.
    pub messages: Option<(u64, Option<Sizes>)>,
}

crate::hidden::hidden!(Asked);

impl Asked {
    /// The template of its path, and what is kept of the rest.
    #[must_use]
    pub fn kept(&self, tree: &Tree, outcome: Outcome, day: &str) -> (Vec<Piece>, Requests) {
        let mut kept = Requests { bytes: self.bytes.map(Sizes::of), ..Requests::default() };
        kept.times.count(outcome, day);
        for (name, _) in form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes()) {
            let name = if is_name(tree, &name) { name.into_owned() } else { MASKED.to_owned() };
            Requests::add_name(&mut kept.parameters, name);
        }
        kept.media_types.extend(self.content_type.as_deref().map(|content_type| media_type(tree, content_type)));
        if let Some((count, sizes)) = self.messages {
            kept.grpc_messages = count;
            Sizes::add(&mut kept.bytes, sizes);
        }
        (template(tree, &self.path, self.fixed), kept)
    }
}

/// What is kept of messages.
#[derive(Debug)]
pub struct Read {
    count: u64,
    fields: Seen,
    room: Room,
}

impl Read {
    /// Of these.
    #[must_use]
    pub fn of(tree: &Tree, messages: &[Value]) -> Self {
        let (mut fields, mut room) = (Seen::default(), Room::new(MAX_FIELDS, true));
        for (message, number) in messages.iter().zip(1..) {
            fields.add_message(tree, message, number, &mut room);
        }
        Self { count: messages.len() as u64, fields, room }
    }
}

/// All paths.
type All = BTreeMap<Key, Paths<Requests>>;

/// What was observed.
#[derive(Debug)]
pub struct State {
    destinations: Frequent<(String, String), Times>,
    requests: All,
    sightings: Sightings,
    messages: BTreeMap<String, (Messages, Room)>,
    left_out: LeftOut,
}

impl Default for State {
    fn default() -> Self {
        Self {
            destinations: Frequent::new(MAX_DESTINATIONS),
            requests: BTreeMap::new(),
            sightings: Sightings::default(),
            messages: BTreeMap::new(),
            left_out: LeftOut::default(),
        }
    }
}

impl State {
    /// A connection was wanted.
    pub fn wanted(&mut self, destination: String, service: &str, outcome: Outcome, day: &str) {
        self.destinations.count(&(destination, service.to_owned()), 1, Times::default).count(outcome, day);
    }

    /// Requests were made.
    pub fn asked(&mut self, key: Key, template: Vec<Piece>, requests: Requests) {
        let paths = self.requests.get(&key);
        let is_kept = |upto: &[Piece]| paths.is_some_and(|paths| paths.has(upto));
        for settled in self.sightings.note(Noted { key, template, requests }, is_kept) {
            self.left_out.requests += keep(&mut self.requests, settled);
        }
    }

    /// Messages were sent.
    pub fn sent(&mut self, service: &str, read: Read) {
        if self.messages.len() >= MAX_SERVICES && !self.messages.contains_key(service) {
            self.left_out.messages += read.count;
            return;
        }
        let (known, room) = self.of(service);
        known.count += read.count;
        known.fields.merge(read.fields, room);
        room.names += read.room.names;
        room.dropped += read.room.dropped;
    }

    fn of(&mut self, service: &str) -> &mut (Messages, Room) {
        let new = || (Messages { service: service.to_owned(), ..Messages::default() }, Room::new(MAX_FIELDS, true));
        self.messages.entry(service.to_owned()).or_insert_with(new)
    }

    /// So many requests and messages were not looked at.
    pub fn not_looked_at(&mut self, requests: u64, messages: u64) {
        self.left_out.requests += requests;
        self.left_out.messages += messages;
    }

    /// Adds what was observed before a restart.
    pub fn merge(&mut self, document: Document) {
        for Wanted { destination, service, times } in document.destinations {
            self.destinations.count(&(destination, service), times.all(), Times::default).merge(times);
        }
        for Requested { service, destination, method, path, of } in document.requests {
            let noted = Noted { key: (service, destination, method), template: segments(&path), requests: of };
            self.left_out.requests += keep(&mut self.requests, noted);
        }
        for messages in document.messages.into_iter().take(MAX_SERVICES) {
            let (known, room) = self.of(&messages.service);
            known.count += messages.count;
            known.fields.merge(messages.fields, room);
        }
        let LeftOut { destinations, requests, names, fields, messages } = document.left_out;
        let mine = &mut self.left_out;
        mine.destinations += destinations;
        mine.requests += requests;
        mine.names += names;
        mine.fields += fields;
        mine.messages += messages;
    }

    /// All of it.
    #[must_use]
    pub fn document(&self) -> Document {
        let wanted = |((destination, service), times): (&(String, String), &Times)| Wanted {
            destination: destination.clone(),
            service: service.clone(),
            times: times.clone(),
        };
        let mut destinations: Vec<Wanted> = self.destinations.iter().map(wanted).collect();
        destinations
            .sort_by(|one, other| (Reverse(one.times.all()), &one.destination).cmp(&(Reverse(other.times.all()), &other.destination)));
        let (mut requests, mut all, mut left_out) = (Vec::new(), self.requests.clone(), self.left_out);
        for waiting in self.sightings.waiting() {
            left_out.requests += keep(&mut all, waiting.clone());
        }
        for ((service, destination, method), paths) in &all {
            paths.each(&mut |path, of| {
                let (service, destination, method) = (service.clone(), destination.clone(), method.clone());
                requests.push(Requested { service, destination, method, path: path.to_owned(), of: of.clone() });
            });
        }
        left_out.destinations += self.destinations.made_room();
        for (_, room) in self.messages.values() {
            left_out.names += room.names;
            left_out.fields += room.dropped;
        }
        let messages = self.messages.values().map(|(messages, _)| messages.clone()).collect();
        Document { format: FORMAT, destinations, requests, messages, left_out }
    }
}

/// Type and subtype, if nobody's data is in them; without parameters.
fn media_type(tree: &Tree, content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if MEDIA_TYPES.contains(&essence.as_str()) {
        return essence;
    }
    let is_name = |part: &str| is_name(tree, &part.replace('+', "."));
    match essence.split_once('/') {
        Some((kind, subtype)) if is_name(kind) && is_name(subtype) => essence,
        _ => MASKED.to_owned(),
    }
}

/// Adds requests to their path; gives how many found no room.
fn keep(all: &mut All, Noted { key, template, requests }: Noted) -> u64 {
    let times = requests.times.all();
    let has_room = all.len() < MAX_PATHS || all.contains_key(&key);
    match has_room.then(|| all.entry(key).or_default()).and_then(|paths| paths.at(&template)) {
        Some(known) => {
            known.merge(requests);
            0
        }
        None => times,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::inspect::engine::shape::Shape;
    use crate::policy::Verdict;
    use serde_json::json;

    const PASSED: Outcome = Outcome { verdict: Some(Verdict::Allow), reason: None };
    const FOUND: Outcome = Outcome { verdict: Some(Verdict::WouldDeny), reason: Some(Reason::PersonalData) };
    const DAY: &str = "2026-11-29";

    fn tree() -> Tree {
        Tree::new(Shape::built_in().expect("the shape compiles"))
    }

    fn ask(tree: &Tree, state: &mut State, service: &str, asked: &Asked, outcome: Outcome, day: &str) {
        let (template, kept) = asked.kept(tree, outcome, day);
        state.asked((service.to_owned(), "api.test:443".to_owned(), asked.method.to_owned()), template, kept);
    }

    fn observed() -> State {
        let tree = tree();
        let mut state = State::default();
        state.wanted("api.test:443".into(), "licensing", PASSED, DAY);
        state.wanted("evil.test:443".into(), "none", FOUND, DAY);
        let asked = Asked {
            method: "POST",
            path: "/users/m.rossi@example.com/beat".into(),
            query: Some("page=2&mrossi=1&m.rossi%40example.com=Mario".into()),
            content_type: Some("Application/JSON; name=mario.rossi".into()),
            bytes: Some(1_000),
            ..Asked::default()
        };
        ask(&tree, &mut state, "telemetry", &asked, PASSED, DAY);
        let odd = Asked { content_type: Some("application/vnd.mario.rossi+json".into()), bytes: Some(10), ..asked };
        ask(&tree, &mut state, "telemetry", &odd, FOUND, "2026-11-30");
        state.sent("telemetry", Read::of(&tree, &[json!({"gizmo": "m.rossi@example.com", "mrossi": 1, "fill": 4312})]));
        state
    }

    #[test]
    fn what_is_kept_has_names_types_and_sizes_and_no_value() {
        let document = observed().document();
        let text = serde_json::to_string(&document).expect("it is written");
        for value in ["rossi", "Mario", "example", "4312", "1000"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
        let asked = &document.requests[0];
        assert_eq!((asked.path.as_str(), asked.of.bytes), ("/users/*/beat", Some(Sizes { least_below: 16, below: 1024 })));
        assert_eq!(asked.of.parameters.iter().collect::<Vec<_>>(), ["*", "page"]);
        assert_eq!(asked.of.media_types.iter().collect::<Vec<_>>(), ["*", "application/json"]);
        assert_eq!(asked.of.times.shown(), "2 times, 2026-11-29 to 2026-11-30; enforcing would refuse 1 (personal_data 1)");
        assert_eq!((document.left_out.names, document.days()), (1, (DAY, "2026-11-30")));
    }

    #[test]
    fn what_was_saved_is_read_and_goes_on() {
        let text = serde_json::to_string(&observed().document()).expect("it is written");
        let mut state = observed();
        state.merge(Document::read(&text).expect("it is read"));
        let document = state.document();
        assert_eq!(document.destinations.iter().map(|wanted| wanted.times.all()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!((document.requests[0].of.times.all(), document.messages[0].count, document.left_out.names), (4, 2, 2));
        assert_eq!(document.messages[0].fields.messages, 2);
    }

    #[test]
    fn what_was_not_saved_by_observing_is_not_read() {
        let good = serde_json::to_string(&observed().document()).expect("it is written");
        for (from, to, said) in [
            ("\"format\":1", "\"format\":2", "format 2 is not read"),
            ("{\"format\"", "{\"x\":1,\"format\"", "another form"),
            ("personal_data", "mario_rossi", "never saves"),
            ("\"below\":1024", "\"below\":1000", "never saves"),
            ("}", "", "no JSON, or cut off"),
        ] {
            assert_ne!(good.replacen(from, to, 1), good, "{from}");
            let error = Document::read(&good.replacen(from, to, 1)).expect_err(to);
            assert!(error.contains(said) && !error.contains("rossi"), "{error}");
        }
    }

    #[test]
    fn a_flood_takes_no_more_than_its_room() {
        let tree = tree();
        let mut state = State::default();
        for number in 0..2_000_u32 {
            state.wanted(format!("host{number}.test:443"), "none", FOUND, DAY);
            let letters: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'g')).collect();
            let asked =
                Asked { method: "GET", path: format!("/{letters}/x{letters}"), query: Some(format!("x{letters}=1")), ..Asked::default() };
            ask(&tree, &mut state, "licensing", &asked, PASSED, DAY);
            state.sent("licensing", Read::of(&tree, &[json!({ format!("x{letters}"): { "gizmo": 1 } })]));
        }
        let document = state.document();
        assert_eq!(document.destinations.len(), MAX_DESTINATIONS);
        assert!(document.requests.len() < 40, "{}", document.requests.len());
        assert!(document.requests.iter().all(|asked| asked.of.parameters.len() <= 33));
        assert!(document.messages[0].fields.keyed && document.messages[0].fields.members.is_empty());
        assert!(document.left_out.destinations > 1_700 && document.left_out.names > 1_800, "{:?}", document.left_out);
        assert_eq!(document.requests.iter().map(|asked| asked.of.times.all()).sum::<u64>() + document.left_out.requests, 2_000);
    }
}
