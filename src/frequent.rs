//! Which of very many things come most often, in bounded memory: over the limit, the one that weighs least makes room and leaves its
//! weight to the newcomer. One that makes up more than one part in the limit of all is always among those kept
//! (Metwally, Agrawal, El Abbadi: Space-Saving, 2005).

use std::collections::HashMap;
use std::hash::Hash;

/// Things that are counted, with what is known of each.
#[derive(Debug)]
pub struct Frequent<K, V> {
    most: usize,
    kept: HashMap<K, Weighed<V>>,
    /// How often one made room.
    made_room: u64,
}

#[derive(Debug)]
struct Weighed<V> {
    /// Its own count, and those that made room for it.
    weight: u64,
    value: V,
}

impl<K: Eq + Hash + Clone, V> Frequent<K, V> {
    /// Keeps at most so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, kept: HashMap::new(), made_room: 0 }
    }

    /// Counts one of them so many times; what is known of it, or `new` if it is not kept.
    pub fn count(&mut self, key: &K, times: u64, new: impl FnOnce() -> V) -> &mut V {
        let inherited = if self.kept.len() < self.most || self.kept.contains_key(key) { 0 } else { self.make_room() };
        let counted = self.kept.entry(key.clone()).or_insert_with(|| Weighed { weight: inherited, value: new() });
        counted.weight = counted.weight.saturating_add(times);
        &mut counted.value
    }

    fn make_room(&mut self) -> u64 {
        let least = self.kept.iter().min_by_key(|(_, counted)| counted.weight).map(|(key, _)| key.clone());
        self.made_room += 1;
        least.and_then(|least| self.kept.remove(&least)).map_or(0, |least| least.weight)
    }

    /// All that are kept.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.kept.iter().map(|(key, counted)| (key, &counted.value))
    }

    /// How often one made room for another.
    #[must_use]
    pub fn made_room(&self) -> u64 {
        self.made_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_stays_however_many_others_come() {
        let mut frequent = Frequent::new(8);
        for number in 0..1_000_u32 {
            if number % 5 == 0 {
                *frequent.count(&u32::MAX, 1, || 0) += 1;
            }
            *frequent.count(&number, 1, || 0) += 1;
        }
        assert_eq!(frequent.iter().count(), 8);
        assert_eq!(frequent.iter().max_by_key(|(_, count)| **count), Some((&u32::MAX, &200)));
        assert_eq!(frequent.made_room(), 1_000 - 7);
    }
}
