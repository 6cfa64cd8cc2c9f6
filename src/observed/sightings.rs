//! Which segments of paths that no list knows have come often enough to be kept.
//!
//! One request may have been made for one person. Until such a segment has come `ENOUGH` times at its place, the only thing that is
//! remembered of it is a hash under a key of this process, in memory, and its requests wait with `*` in its place: so they are shown and
//! saved. Then they get its name. What waits is bounded; the oldest stays without a name.

use super::document::Requests;
use super::paths::{ANY, Merge as _, Piece};
use crate::frequent::Frequent;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

/// A segment is kept from so many requests on.
const ENOUGH: u8 = 3;
/// Segments that are counted.
const MAX_COUNTED: usize = 2_048;
/// Paths that wait.
const MAX_WAITING: usize = 256;

/// Service, destination and method.
pub type Key = (String, String, String);

/// Requests with one method to one path.
#[derive(Debug, Clone)]
pub struct Noted {
    /// Of which service, where to, with which method.
    pub key: Key,
    /// Where to in it.
    pub template: Vec<Piece>,
    /// What is known of them.
    pub requests: Requests,
}

/// Requests to a path with segments that have not come often enough.
#[derive(Debug)]
struct Waiting {
    noted: Noted,
    /// The hash of the whole path.
    path: u64,
    /// The hash of each segment that is `*` meanwhile, at its place.
    unnamed: Vec<Option<u64>>,
}

/// What came how often.
#[derive(Debug)]
pub struct Sightings {
    secret: RandomState,
    counts: Frequent<u64, u8>,
    waiting: VecDeque<Waiting>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { secret: RandomState::new(), counts: Frequent::new(MAX_COUNTED), waiting: VecDeque::new() }
    }
}

impl Sightings {
    /// Requests were made. Gives those whose paths are settled now, these or others; `is_kept` says whether a path's last segment already
    /// has its name.
    pub fn note(&mut self, mut noted: Noted, is_kept: impl Fn(&[Piece]) -> bool) -> Vec<Noted> {
        let (service, destination, _) = &noted.key;
        let place = |upto: &[Piece]| self.secret.hash_one((service, destination, upto));
        let places: Vec<u64> = (1..=noted.template.len()).map(|end| place(noted.template.get(..end).unwrap_or_default())).collect();
        let kept: Vec<bool> = (1..=noted.template.len()).map(|end| noted.template.get(..end).is_some_and(&is_kept)).collect();
        let path = self.secret.hash_one(&places);
        let (mut settled, mut unnamed) = (Vec::new(), vec![None; places.len()]);
        let unknown = noted.template.iter_mut().zip(places).zip(kept).zip(&mut unnamed).enumerate();
        for (at, (((piece, place), is_kept), unnamed)) in unknown.filter(|(_, (((piece, _), _), _))| !piece.is_known) {
            piece.is_known = true;
            if is_kept {
                continue;
            }
            let count = self.counts.count(&place, 1, || 0);
            *count = count.saturating_add(1);
            if *count < ENOUGH {
                ANY.clone_into(&mut piece.name);
                *unnamed = Some(place);
            } else if *count == ENOUGH {
                settled.extend(named(&mut self.waiting, at, place, &piece.name));
            }
        }
        if unnamed.iter().all(Option::is_none) {
            settled.push(noted);
        } else {
            settled.extend(self.wait(Waiting { noted, path, unnamed }));
        }
        settled
    }

    /// They wait, beside others to the same path. Gives the oldest, if there are too many.
    fn wait(&mut self, new: Waiting) -> Option<Noted> {
        let is_same = |waiting: &&mut Waiting| waiting.path == new.path && waiting.noted.key == new.noted.key;
        if let Some(waiting) = self.waiting.iter_mut().find(is_same) {
            waiting.noted.requests.merge(new.noted.requests);
            return None;
        }
        self.waiting.push_back(new);
        if self.waiting.len() > MAX_WAITING { self.waiting.pop_front().map(|oldest| oldest.noted) } else { None }
    }

    /// Those whose paths are not settled, with `*` where a segment has not come often enough.
    pub fn waiting(&self) -> impl Iterator<Item = &Noted> {
        self.waiting.iter().map(|waiting| &waiting.noted)
    }
}

/// A segment has come often enough: gives those that waited for nothing else.
fn named(waiting: &mut VecDeque<Waiting>, at: usize, place: u64, name: &str) -> Vec<Noted> {
    let mut settled = Vec::new();
    for mut one in std::mem::take(waiting) {
        let its = one.unnamed.get_mut(at).filter(|unnamed| **unnamed == Some(place));
        if let (Some(unnamed), Some(piece)) = (its, one.noted.template.get_mut(at)) {
            *unnamed = None;
            name.clone_into(&mut piece.name);
        }
        if one.unnamed.iter().all(Option::is_none) {
            settled.push(one.noted);
        } else {
            waiting.push_back(one);
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(path: &str) -> Noted {
        let piece = |name: &str| Piece { name: name.to_owned(), is_fixed: false, is_known: name == "known" || name == ANY };
        let key = ("licensing".to_owned(), "api.test:443".to_owned(), "GET".to_owned());
        Noted {
            key,
            template: path.split('/').skip(1).map(piece).collect(),
            requests: Requests { grpc_messages: 1, ..Requests::default() },
        }
    }

    fn shown<'a>(all: impl IntoIterator<Item = &'a Noted>) -> Vec<(String, u64)> {
        let path = |noted: &Noted| noted.template.iter().fold(String::new(), |path, piece| path + "/" + &piece.name);
        all.into_iter().map(|noted| (path(noted), noted.requests.grpc_messages)).collect()
    }

    fn all(paths: &[(&str, u64)]) -> Vec<(String, u64)> {
        paths.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect()
    }

    #[test]
    fn a_segment_has_no_name_before_it_has_come_three_times() {
        let mut sightings = Sightings::default();
        for times in 1..=2 {
            assert_eq!(shown(&sightings.note(noted("/known/gizmo/known"), |_| false)), []);
            assert_eq!(shown(sightings.waiting()), all(&[("/known/*/known", times)]));
            assert!(!format!("{sightings:?}").contains("gizmo"), "only its hash is there: {sightings:?}");
        }
        let settled = sightings.note(noted("/known/gizmo/known"), |_| false);
        assert_eq!(shown(&settled), all(&[("/known/gizmo/known", 2), ("/known/gizmo/known", 1)]));
        assert_eq!(sightings.waiting().count(), 0);
        assert_eq!(shown(&sightings.note(noted("/known/gizmo/known"), |_| false)), all(&[("/known/gizmo/known", 1)]));
        assert_eq!(shown(&sightings.note(noted("/known/*"), |_| false)), all(&[("/known/*", 1)]), "nothing to wait for");
    }

    #[test]
    fn it_counts_at_its_place_whatever_stands_behind_it() {
        let mut sightings = Sightings::default();
        for (path, settled) in
            [("/gizmo/anna", &[][..]), ("/gadget/gizmo", &[]), ("/gizmo/beate", &[]), ("/gizmo/known", &[("/gizmo/known", 1)])]
        {
            assert_eq!(shown(&sightings.note(noted(path), |_| false)), all(settled), "{path}");
        }
        assert_eq!(shown(sightings.waiting()), all(&[("/gizmo/*", 1), ("/*/*", 1), ("/gizmo/*", 1)]));
        let kept = |upto: &[Piece]| upto.len() == 1;
        assert_eq!(shown(&sightings.note(noted("/saved/known"), kept)), all(&[("/saved/known", 1)]), "its name was saved");
    }

    #[test]
    fn a_flood_takes_no_more_than_its_room_and_keeps_no_name() {
        let mut sightings = Sightings::default();
        let mut settled = 0;
        for number in 0..5_000 {
            let gone = sightings.note(noted(&format!("/known/x{number}")), |_| false);
            assert!(gone.iter().all(|noted| shown([noted]) == all(&[("/known/*", 1)])));
            settled += gone.len();
        }
        assert_eq!((settled, sightings.waiting().count()), (5_000 - MAX_WAITING, MAX_WAITING));
        assert!(sightings.counts.iter().count() <= MAX_COUNTED);
    }
}
