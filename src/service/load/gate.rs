//! So many calls a second, and so many at once, for everybody who has a key of their own. In a second without calls somebody
//! earns as many as they may make in one, and no more.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::places::{Place, Places};

/// The limits of everybody with such a key.
pub(super) struct Gate<K: Hash + Eq + Clone> {
    rate: Option<Rate<K>>,
    open: Option<Open<K>>,
    over_rate: AtomicU64,
    over_open: AtomicU64,
}

struct Rate<K: Hash + Eq + Clone> {
    calls_per_s: u32,
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
}

struct Open<K> {
    calls_max: u32,
    places: Places<K>,
}

/// Somebody is at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// They make more calls than so many a second.
    Rate {
        calls_per_s: u32,
        /// When the next one may come.
        retry_after: Duration,
    },
    /// So many are open.
    Open { calls_max: u32 },
}

impl<K: Hash + Eq + Clone> Gate<K> {
    /// 0: any number.
    pub(super) fn new(calls_per_s: u32, calls_open_max: u32) -> Self {
        let rate = NonZeroU32::new(calls_per_s).map(|quota| Rate {
            calls_per_s,
            limiter: RateLimiter::hashmap(Quota::per_second(quota)),
        });
        let open = NonZeroU32::new(calls_open_max).map(|_| Open {
            calls_max: calls_open_max,
            places: Places::new(usize::try_from(calls_open_max).unwrap_or(usize::MAX)),
        });
        Self {
            rate,
            open,
            over_rate: AtomicU64::new(0),
            over_open: AtomicU64::new(0),
        }
    }

    /// A call of somebody. It is open until what is answered here is dropped.
    pub(super) fn enter(&self, of: &K) -> Result<Option<Place<K>>, Excess> {
        let place = match &self.open {
            None => None,
            Some(Open { calls_max, places }) => match places.take(of) {
                Some(place) => Some(place),
                None => {
                    self.over_open.fetch_add(1, Ordering::Relaxed);
                    return Err(Excess::Open {
                        calls_max: *calls_max,
                    });
                }
            },
        };
        if let Some(Rate { calls_per_s, limiter }) = &self.rate
            && let Err(until) = limiter.check_key(of)
        {
            self.over_rate.fetch_add(1, Ordering::Relaxed);
            return Err(Excess::Rate {
                calls_per_s: *calls_per_s,
                retry_after: until.wait_time_from(limiter.clock().now()),
            });
        }
        Ok(place)
    }

    pub(super) fn over_rate(&self) -> u64 {
        self.over_rate.load(Ordering::Relaxed)
    }

    pub(super) fn over_open(&self) -> u64 {
        self.over_open.load(Ordering::Relaxed)
    }

    /// Lets go of those for whom it makes no difference any more that they have called.
    pub(super) fn forget_idle(&self) {
        if let Some(rate) = &self.rate {
            rate.limiter.retain_recent();
            rate.limiter.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_too_often_hears_when_the_next_call_may_come_and_others_go_on() {
        let gate = Gate::new(1, 0);
        assert!(gate.enter(&"a").is_ok());
        // Of a second's ten thousand calls at most two or three may pass.
        let refused = (0..10_000).filter_map(|_| gate.enter(&"a").err()).next();
        let Some(Excess::Rate {
            calls_per_s: 1,
            retry_after,
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert!(
            retry_after > Duration::ZERO && retry_after <= Duration::from_secs(1),
            "{retry_after:?}"
        );
        assert!(gate.enter(&"b").is_ok());
        assert!(gate.over_rate() > 0 && gate.over_open() == 0);
    }

    #[test]
    fn so_many_are_open_at_once_and_a_call_that_has_ended_makes_room() {
        let gate = Gate::new(0, 2);
        let first = gate.enter(&"a");
        let second = gate.enter(&"a");
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(gate.enter(&"a").err(), Some(Excess::Open { calls_max: 2 }));
        assert!(gate.enter(&"b").is_ok());
        drop(first);
        assert!(gate.enter(&"a").is_ok());
        assert_eq!((gate.over_rate(), gate.over_open()), (0, 1));
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let gate = Gate::new(0, 0);
        assert!((0..10_000).all(|_| matches!(gate.enter(&"a"), Ok(None))));
        gate.forget_idle();
    }
}
