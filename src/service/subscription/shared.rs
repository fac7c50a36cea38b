//! What is costly to make and what many streams want at once, as a crowd does that comes back, or that one commit wakes.
//!
//! Invariant: a value is a function of its key, so of one key one is made for all who want it while somebody has it. Nothing
//! is kept for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Values by what they are made of.
pub(super) struct Shared<K, V> {
    by_key: Mutex<BTreeMap<K, Slot<V>>>,
}

/// The place of a value. Whoever makes it has the lock.
type Slot<V> = Arc<tokio::sync::Mutex<Weak<V>>>;

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self {
            by_key: Mutex::default(),
        }
    }
}

impl<K: Ord, V> Shared<K, V> {
    /// The value of a key, made where nobody has it. Where it cannot be made, whoever waits for it tries.
    pub(super) async fn get<E>(&self, key: K, make: impl Future<Output = Result<V, E>>) -> Result<Arc<V>, E> {
        let slot = self.slot(key);
        let mut there = slot.lock().await;
        if let Some(value) = there.upgrade() {
            return Ok(value);
        }
        let value = Arc::new(make.await?);
        *there = Arc::downgrade(&value);
        Ok(value)
    }

    fn slot(&self, key: K) -> Slot<V> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked through when it has doubled, so that it is no larger than twice what somebody has.
        if by_key.len().is_power_of_two() {
            by_key.retain(|_, slot| is_wanted(slot));
        }
        Arc::clone(by_key.entry(key).or_default())
    }
}

fn is_wanted<V>(slot: &Slot<V>) -> bool {
    Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|there| there.strong_count() > 0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::{FutureExt, join_all};

    use super::*;

    #[tokio::test]
    async fn a_crowd_has_one_made_and_whoever_comes_when_nobody_has_it_another() {
        let (shared, made) = (Shared::default(), AtomicUsize::new(0));
        let get = || {
            shared.get(7, async {
                tokio::task::yield_now().await;
                Ok::<_, ()>(made.fetch_add(1, Ordering::SeqCst))
            })
        };
        let crowd = join_all((0..1000).map(|_| get())).await;
        assert!(crowd.iter().all(|value| value.as_deref() == Ok(&0)));
        assert_eq!(get().await.as_deref(), Ok(&0), "for as long as somebody has it");
        drop(crowd);
        assert_eq!(get().await.as_deref(), Ok(&1));
    }

    #[tokio::test]
    async fn where_one_fails_or_goes_away_the_next_tries() {
        let shared = Shared::<_, u8>::default();
        let mut gone = Box::pin(shared.get(7, std::future::pending::<Result<u8, ()>>()));
        assert!((&mut gone).now_or_never().is_none());
        let fails = shared.get(7, std::future::ready(Err("it cannot be made")));
        let mut fails = Box::pin(fails);
        assert!((&mut fails).now_or_never().is_none(), "it waits for the first");
        drop(gone);
        assert_eq!(fails.await, Err("it cannot be made"));
        assert_eq!(
            shared.get(7, std::future::ready(Ok::<_, ()>(1))).await,
            Ok(Arc::new(1))
        );
    }

    #[tokio::test]
    async fn what_nobody_has_is_forgotten() {
        let shared = Shared::default();
        let get = |key: u32| shared.get(key, std::future::ready(Ok::<_, ()>(key)));
        let stays = get(0).await;
        for key in 1..1000 {
            assert_eq!(get(key).await.as_deref(), Ok(&key));
        }
        assert!(shared.by_key.lock().unwrap().len() < 10, "of 1,000 one is left");
        assert!(Arc::ptr_eq(&stays.unwrap(), &get(0).await.unwrap()));
    }
}
