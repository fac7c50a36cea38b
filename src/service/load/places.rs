//! Places of which everybody may have so many at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places of everybody. Who has none takes no memory.
pub(super) struct Places<K> {
    each_max: usize,
    taken: Arc<Taken<K>>,
}

/// A place; it is free again when it is dropped.
pub(crate) struct Place<K: Hash + Eq> {
    of: K,
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
        let mut taken = self.taken.lock();
        let count = taken.entry(of.clone()).or_default();
        if *count >= self.each_max {
            if *count == 0 {
                taken.remove(of);
            }
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Place {
            of: of.clone(),
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
            *count -= 1;
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
}
