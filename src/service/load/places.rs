//! Places of which everybody may have so many at once: of calls, or of bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of everybody. Who has none takes no memory.
pub(super) struct Places<K> {
    each_max: usize,
    taken: Arc<Taken<K>>,
}

/// A place, or several; they are free again when it is dropped.
pub(crate) struct Place<K: Hash + Eq> {
    of: K,
    count: usize,
    taken: Arc<Taken<K>>,
}

struct Taken<K>(Mutex<HashMap<K, usize>>);

impl<K: Hash + Eq + Clone> Places<K> {
    pub(super) fn new(each_max: usize) -> Self {
        Self {
            each_max,
            taken: Arc::new(Taken(Mutex::default())),
        }
    }

    /// A place; none where somebody has all of theirs.
    pub(super) fn take(&self, of: &K) -> Option<Place<K>> {
        self.take_many(of, 1)
    }

    /// So many places, at least one, and all of them or none.
    pub(super) fn take_many(&self, of: &K, count: usize) -> Option<Place<K>> {
        let mut taken = self.taken.lock();
        let before = taken.get(of).copied().unwrap_or_default();
        if count > self.each_max - before {
            return None;
        }
        taken.insert(of.clone(), before + count);
        drop(taken);
        Some(Place {
            of: of.clone(),
            count,
            taken: Arc::clone(&self.taken),
        })
    }
}

impl<K> Taken<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        // Nobody panics while they hold it, and each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.of) {
            *count -= self.count;
            if *count == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_their_own_places_and_who_is_gone_is_forgotten() {
        let places = Places::new(2);
        let held: Vec<_> = (0..2).map(|_| places.take(&"a").expect("a place")).collect();
        assert!(places.take(&"a").is_none());
        let other = places.take(&"b").expect("a place of another");
        drop(held);
        assert!(places.take(&"a").is_some());
        drop(other);
        assert!(places.taken.lock().is_empty(), "nobody is remembered");
        assert!(Places::new(0).take(&"a").is_none());
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let places = Places::new(10);
        let most = places.take_many(&"a", 8).expect("places");
        assert!(places.take_many(&"a", 3).is_none());
        let rest = places.take_many(&"a", 2).expect("places");
        assert!(places.take(&"a").is_none());
        drop(most);
        assert!(places.take_many(&"a", 9).is_none());
        drop(rest);
        assert!(places.take_many(&"a", 10).is_some());
        assert!(places.taken.lock().is_empty(), "nobody is remembered");
    }
}
