//! The demo's clock: it is moved by the story, and when the story is over it goes with the machine's.
//!
//! Invariant: wall and monotonic time pass alike, also across the change, so the server sees no jump of the demo's
//! making; a jump of the machine's clock afterwards is one, as on any server.

use std::sync::OnceLock;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::engine::{Clock, SteppedClock, SystemClock};

/// A clock that is stepped first and follows the machine's later.
#[derive(Debug)]
pub(super) struct StoryClock {
    stepped: SteppedClock,
    system: SystemClock,
    /// How much more has passed here than on the machine when the story was over; none: it is being told.
    lead: OnceLock<Duration>,
}

impl StoryClock {
    /// A clock that shows `start` and stands still.
    pub(super) fn new(start: Timestamp) -> Self {
        Self {
            stepped: SteppedClock::new(start),
            system: SystemClock::default(),
            lead: OnceLock::new(),
        }
    }

    /// Time passes until the clock shows `to`. Without effect once the story is over.
    pub(super) fn advance_to(&self, to: Timestamp) {
        self.stepped.advance_to(to);
    }

    /// Time passes until now, and goes on by itself from here.
    pub(super) fn follow_the_machine(&self) {
        self.stepped.advance_to(self.system.wall());
        let lead = self.stepped.monotonic().saturating_sub(self.system.monotonic());
        // Who follows already goes on following.
        let _following = self.lead.set(lead);
    }
}

impl Clock for StoryClock {
    fn wall(&self) -> Timestamp {
        if self.lead.get().is_some() {
            self.system.wall()
        } else {
            self.stepped.wall()
        }
    }

    fn monotonic(&self) -> Duration {
        match self.lead.get() {
            Some(lead) => self.system.monotonic() + *lead,
            None => self.stepped.monotonic(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK_S: i64 = 7 * 24 * 60 * 60;

    #[test]
    fn wall_and_monotonic_time_pass_alike_through_the_story_and_beyond() {
        let start = SystemClock::default().wall().plus_seconds(-8 * WEEK_S);
        let clock = StoryClock::new(start);
        let wall_us = || clock.wall().as_micros() - start.as_micros();
        let monotonic_us = || i64::try_from(clock.monotonic().as_micros()).expect("micros");
        assert_eq!((wall_us(), monotonic_us()), (0, 0));
        clock.advance_to(start.plus_seconds(WEEK_S));
        assert_eq!(
            (wall_us(), monotonic_us()),
            (WEEK_S * 1_000_000, WEEK_S * 1_000_000)
        );
        clock.follow_the_machine();
        std::thread::sleep(Duration::from_millis(20));
        let wall = wall_us();
        assert!(wall >= 8 * WEEK_S * 1_000_000 + 20_000, "{wall}");
        assert_alike(monotonic_us, wall_us);
        clock.follow_the_machine();
        let system_us = || SystemClock::default().wall().as_micros();
        assert_alike(system_us, || clock.wall().as_micros());
    }

    /// That two clocks show the same, give or take a second. However much time passes between the looks at them.
    fn assert_alike(one_us: impl Fn() -> i64, other_us: impl Fn() -> i64) {
        let (before, other, after) = (one_us(), other_us(), one_us());
        assert!(
            before - 1_000_000 < other && other < after + 1_000_000,
            "{other} is not between {before} and {after}"
        );
    }
}
