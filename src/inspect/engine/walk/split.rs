//! Values in pieces: texts that stand beside one another, in one object or in its arrays, and texts that follow one another at the
//! same place of the messages of a stream.

use super::Walk;
use crate::inspect::engine::canonical::fold::fold;
use crate::inspect::engine::finding::{Kind, Why};
use crate::inspect::engine::pieces::{LONGEST, Piece, Run};
use crate::inspect::engine::shape::Meaning;
use crate::inspect::engine::shape::slot::Slot;
use std::borrow::Cow;

/// Most bytes of a text that may be a piece, with all that folding takes away.
const LONGEST_WRITTEN: usize = 3 * LONGEST;

/// The texts of the objects that are open, the outermost first; what stands in none has the first.
#[derive(Default)]
pub(super) struct Runs {
    all: Vec<Run>,
    /// Objects that were open when a further reading of the same bytes began.
    aside: Vec<usize>,
}

impl Runs {
    fn at(&mut self, object: usize) -> Option<&mut Run> {
        if self.all.len() <= object {
            self.all.resize_with(object + 1, Run::default);
        }
        self.all.get_mut(object)
    }

    /// Begins with nothing; what was left of an object that did not end is gone.
    pub(super) fn begin(&mut self, object: usize) {
        if let Some(run) = self.all.get_mut(object) {
            run.end();
        }
    }

    /// A further reading begins inside so many objects.
    pub(super) fn reading(&mut self, objects: usize) {
        self.aside.push(objects);
    }

    /// It ends.
    pub(super) fn reading_end(&mut self) {
        self.aside.pop();
    }

    /// Further readings that are open.
    pub(super) const fn readings(&self) -> usize {
        self.aside.len()
    }

    /// Ends those that were begun since.
    pub(super) fn close(&mut self, readings: usize) {
        self.aside.truncate(readings);
    }
}

/// Places of a stream whose texts are remembered. Whoever sends more forgets those that were there longest ago.
const MOST_PLACES: usize = 64;

/// Bytes that are remembered of a stream between its messages: nothing else counts them.
const MOST_REMEMBERED: usize = 32 * 1024;

/// The last texts at each place of the messages of a stream.
#[derive(Default)]
pub struct Stream {
    /// Few enough to be looked through.
    places: Vec<Place>,
    /// Where the next one is expected: they come in the order in which they came before.
    next: usize,
    message: u64,
}

/// One of them.
struct Place {
    /// What the keys come to that lead there.
    keys: u64,
    run: Run,
    /// The message that had it last.
    message: u64,
}

crate::hidden::hidden!(Stream);

impl Stream {
    fn put(&mut self, keys: u64, text: &str, piece: Option<Piece>) -> (Option<Kind>, u64) {
        let at = self.find(keys).unwrap_or_else(|| self.add(keys));
        self.next = at + 1;
        let Some(place) = self.places.get_mut(at) else { return (None, 0) };
        place.message = self.message;
        (place.run.put_behind(text, piece), place.run.take_looks())
    }

    fn find(&self, keys: u64) -> Option<usize> {
        let is_it = |place: &Place| place.keys == keys;
        let is_next = self.places.get(self.next).is_some_and(is_it);
        if is_next { Some(self.next) } else { self.places.iter().position(is_it) }
    }

    fn add(&mut self, keys: u64) -> usize {
        if self.places.len() >= MOST_PLACES {
            self.forget_oldest();
        }
        self.places.push(Place { keys, run: Run::default(), message: self.message });
        self.places.len() - 1
    }

    /// What a message completes: it goes, or it does not, before the next is there.
    fn settle(&mut self) -> Option<Kind> {
        let message = self.message;
        self.message += 1;
        let had = self.places.iter_mut().filter(|place| place.message == message);
        had.fold(None, |found, place| place.run.settle().or(found))
    }

    /// What the next message may need of it.
    fn trimmed(mut self) -> Self {
        self.places.iter_mut().for_each(|place| place.run.trim());
        while self.size() > MOST_REMEMBERED {
            self.forget_oldest();
        }
        self
    }

    fn forget_oldest(&mut self) {
        let oldest = self.places.iter().zip(0..).min_by_key(|(place, _)| place.message).map(|(_, at)| at);
        oldest.map(|oldest| self.places.remove(oldest));
    }

    /// Bytes that it keeps.
    fn size(&self) -> usize {
        self.places.iter().map(|place| place.run.size() + size_of::<Place>()).sum()
    }
}

/// Whether a field may hold what somebody wrote: a part of a version or of a path is no piece of anything.
const fn may_be_written(slot: Slot) -> bool {
    !matches!(slot, Slot::Version | Slot::Path | Slot::Hotfix | Slot::Time | Slot::Bound | Slot::Address | Slot::Node | Slot::Token)
}

impl Walk<'_> {
    /// A text that may be a piece of what stands around it.
    pub(super) fn piece(&mut self, meaning: Meaning, text: &str) {
        if matches!(meaning, Meaning::Field(slot) if !may_be_written(slot)) || self.is_spent() {
            return;
        }
        let open = self.pairs.open();
        // The same bytes in a further reading are no further text.
        if self.runs.aside.last() == Some(&open) {
            return;
        }
        // The text of an element stands in an object of its own.
        let object = open.saturating_sub(usize::from(self.pairs.is_direct(self.path.depth())));
        if text.len() > LONGEST_WRITTEN {
            return self.runs.begin(object);
        }
        let (folded, piece) = self.folded(text);
        let found = self.put(object, &folded, piece).or_else(|| self.follow_piece(&folded, piece));
        if let Some(kind) = found {
            self.find(kind, Why::Together);
        }
    }

    /// A part of a body of several may be a piece of what the others hold.
    pub(super) fn part_piece(&mut self, text: &str) {
        if text.len() > LONGEST_WRITTEN || self.is_spent() {
            return;
        }
        let (folded, piece) = self.folded(text);
        if let Some(kind) = self.put(0, &folded, piece) {
            self.find(kind, Why::Together);
        }
    }

    /// A text as it is read, and what it is as a piece: looked at once each.
    fn folded<'t>(&mut self, text: &'t str) -> (Cow<'t, str>, Option<Piece>) {
        let folded = fold(text);
        let piece = Piece::of(&folded);
        // That a text is ASCII, and stays as it is, is seen as fast as memory is read.
        let folding = if text.is_ascii() { 0 } else { text.len() };
        self.visits += (folding + folded.len().min(LONGEST)) as u64;
        (folded, piece)
    }

    fn put(&mut self, object: usize, text: &str, piece: Option<Piece>) -> Option<Kind> {
        let run = self.runs.at(object)?;
        let (found, looks) = (run.put(text, piece), run.take_looks());
        self.visits += looks;
        found
    }

    /// What a text completes of what stood at its place in earlier messages of the stream.
    fn follow_piece(&mut self, text: &str, piece: Option<Piece>) -> Option<Kind> {
        let (found, looks) = self.stream.put(self.path.fingerprint(), text, piece);
        self.visits += looks;
        found
    }

    /// Goes on with a stream: what its messages had may go on in this one.
    pub fn follow(&mut self, stream: Stream) {
        self.stream = stream;
    }

    /// The stream with what this message had.
    pub fn followed(&mut self) -> Stream {
        self.end_places();
        std::mem::take(&mut self.stream).trimmed()
    }

    /// Nothing more stands at any place of this message.
    pub(super) fn end_places(&mut self) {
        if let Some(kind) = self.stream.settle() {
            self.find(kind, Why::Together);
        }
    }

    /// Ends the texts of the innermost object; without one, those that stand in none.
    pub(super) fn end_pieces(&mut self) {
        let object = self.pairs.open();
        if let Some(kind) = self.runs.all.get_mut(object).and_then(Run::end) {
            self.find(kind, Why::Together);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many places a stream has, and however much stands at each: what is remembered of it is bounded, and counted by nobody else.
    #[test]
    fn what_a_stream_leaves_behind_is_bounded() {
        let mut stream = Stream::default();
        for _ in 0..20 {
            for place in 0..200 {
                for _ in 0..10 {
                    let text = if place % 2 == 0 { "ab" } else { "some words of a text that is not so short" };
                    stream.put(place, text, Piece::of(text));
                }
            }
            assert_eq!(stream.settle(), None);
            stream = stream.trimmed();
            assert!(stream.size() <= MOST_REMEMBERED, "{} bytes", stream.size());
        }
        assert!(!stream.places.is_empty());
    }
}
