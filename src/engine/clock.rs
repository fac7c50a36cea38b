//! The engine's clock is given to it, so that tests and the demo own the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// What a clock on the wall says. It may jump.
    fn wall(&self) -> Timestamp;

    /// Time since some moment in the past. It never jumps.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

/// A clock that only moves when it is told to.
#[derive(Debug)]
pub struct SteppedClock {
    wall_us: AtomicI64,
    monotonic_us: AtomicI64,
}

/// Notices a wall clock that jumps.
///
/// A slow drift is followed; a jump is not, so that writes go on when the clock is put right again.
#[derive(Debug)]
pub(super) struct JumpDetector {
    wall: Timestamp,
    monotonic: Duration,
    /// Refused at start, with the reason.
    refused: Option<String>,
}

/// How far the wall clock may depart from the monotonic one at once, or lie behind the log at start, in seconds.
const JUMP_MAX_S: i64 = 5 * 60;
/// How far the wall clock may lie ahead of the log at start, in seconds: 30 days.
const AHEAD_OF_LOG_MAX_S: i64 = 30 * 24 * 60 * 60;

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

impl SteppedClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            wall_us: AtomicI64::new(start.as_micros()),
            monotonic_us: AtomicI64::new(0),
        }
    }

    /// Time passes until the clock shows `to`; it never goes back.
    pub fn advance_to(&self, to: Timestamp) {
        let before = self.wall_us.fetch_max(to.as_micros(), Ordering::SeqCst);
        self.monotonic_us
            .fetch_add((to.as_micros() - before).max(0), Ordering::SeqCst);
    }

    /// Somebody sets the clock on the wall, while no time passes.
    pub fn set_wall(&self, to: Timestamp) {
        self.wall_us.store(to.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_us.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic_us.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// What is wrong with a clock at a start, as far as the newest recorded time of all logs tells; none: nothing.
#[must_use]
pub fn far_from_the_log(wall: Timestamp, newest: Timestamp) -> Option<String> {
    let wrong = if wall.plus_seconds(JUMP_MAX_S) < newest {
        "more than 5 minutes behind"
    } else if wall > newest.plus_seconds(AHEAD_OF_LOG_MAX_S) {
        "more than 30 days ahead of"
    } else {
        return None;
    };
    Some(format!("the clock ({wall}) is {wrong} the log ({newest})"))
}

impl JumpDetector {
    /// `newest` is the newest recorded time of all logs; `accepted`: somebody has looked at the clock.
    pub(super) fn new(clock: &dyn Clock, newest: Option<Timestamp>, accepted: bool) -> Self {
        let wall = clock.wall();
        let refused = newest
            .filter(|_| !accepted)
            .and_then(|newest| far_from_the_log(wall, newest));
        Self {
            wall,
            monotonic: clock.monotonic(),
            refused,
        }
    }

    /// The time, or what is wrong with the clock.
    pub(super) fn now(&mut self, clock: &dyn Clock) -> Result<Timestamp, String> {
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        let passed_us =
            i64::try_from(monotonic.saturating_sub(self.monotonic).as_micros()).unwrap_or(i64::MAX);
        let expected = Timestamp::from_micros(self.wall.as_micros().saturating_add(passed_us));
        let apart_us = wall.as_micros().saturating_sub(expected.as_micros());
        if apart_us.unsigned_abs() > JUMP_MAX_S.unsigned_abs() * 1_000_000 {
            return Err(format!(
                "the clock has jumped from {expected} to {wall} while the server was running"
            ));
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        Ok(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_clock_that_jumps_is_noticed_and_one_that_comes_back_is_believed() {
        let clock = SteppedClock::new(at(1_000_000));
        let mut detector = JumpDetector::new(&clock, None, false);
        clock.advance_to(at(1_100_000));
        assert_eq!(detector.now(&clock), Ok(at(1_100_000)));
        clock.set_wall(at(1_100_000 + 299));
        assert!(detector.now(&clock).is_ok());
        clock.set_wall(at(1_101_000));
        assert!(detector.now(&clock).is_err());
        clock.set_wall(at(1_100_300));
        assert!(detector.now(&clock).is_ok());
    }

    #[test]
    fn a_clock_far_from_the_log_at_start_is_refused_until_somebody_accepts_it() {
        let day = 24 * 60 * 60;
        for (log, wrong) in [
            (0, false),
            (299, false),
            (301, true),
            (-30 * day, false),
            (-30 * day - 1, true),
        ] {
            let clock = SteppedClock::new(at(100 * day));
            let newest = Some(at(100 * day + log));
            assert_eq!(
                JumpDetector::new(&clock, newest, false).now(&clock).is_err(),
                wrong,
                "log {log} s ahead"
            );
            assert!(JumpDetector::new(&clock, newest, true).now(&clock).is_ok());
        }
    }
}
