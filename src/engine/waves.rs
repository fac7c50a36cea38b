//! When the readers of a workspace are told of what is new, and of how much of it.
//!
//! The more readers there are, the longer they are left alone, so that many are woken for many updates and not for one; all of
//! them hear of the same, so that what is made for one serves all. And writers come first: while many of them wait for the
//! log, readers are told only of so much as leaves the writers most of the machine. They hear of the rest when it has become
//! quieter.
//!
//! Invariant: what is told never goes back, a pause never exceeds `PAUSE_UNDER_PRESSURE_MAX`, every pause brings somebody
//! something, and soon after the last write readers are told of everything.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::Revision;

/// What has become of the newest wave, and what the next one has to say.
#[derive(Debug)]
pub(super) struct Waves {
    /// So many updates a second are handed out, over all readers, while writers wait.
    deliveries_per_s: f64,
    newest: Revision,
    last: Option<Instant>,
    /// Somebody waits for the moment of the next one.
    is_coming: bool,
    /// How many commits became durable at once, on average over the last few times.
    group_commits: f64,
    /// When something became durable last.
    written: Option<Instant>,
}

/// Waking a reader and handing it what is new takes the tenth of it or so.
const PAUSE_A_READER: Duration = Duration::from_micros(100);
/// The longest that readers are left alone although there is news.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// The same while writers wait: fewer and larger pieces cost less.
const PAUSE_UNDER_PRESSURE_MAX: Duration = Duration::from_millis(100);
/// The clock of the runtime has milliseconds.
const TICK: Duration = Duration::from_millis(1);
/// So many commits in one write mean that as many writers waited for the one before.
const GROUP_UNDER_PRESSURE: f64 = 4.0;
/// A disk that hesitates once makes one large group, and no pressure: no group counts for more.
const GROUP_MAX: f64 = 16.0;
/// When nothing was written for so long, nobody waits.
const QUIET: Duration = Duration::from_millis(100);
/// One write's part in the average.
const NEWEST_PART: f64 = 1.0 / 16.0;

impl Waves {
    pub(super) fn new(head: Revision, deliveries_per_s: u32) -> Self {
        Self {
            deliveries_per_s: f64::from(deliveries_per_s),
            newest: head,
            last: None,
            is_coming: false,
            group_commits: 0.0,
            written: None,
        }
    }

    /// So many commits became durable at once.
    pub(super) fn written(&mut self, commits: u32, now: Instant) {
        let commits = f64::from(commits).min(GROUP_MAX);
        self.group_commits += (commits - self.group_commits) * NEWEST_PART;
        self.written = Some(now);
    }

    /// There is news up to a revision. Answers whether the caller is the one to tell it; else somebody is about to.
    pub(super) fn begin(&mut self, newest: Revision) -> bool {
        self.newest = self.newest.max(newest);
        !std::mem::replace(&mut self.is_coming, true)
    }

    /// When so many readers may be told; none: at once.
    pub(super) fn due(&self, readers: u32) -> Option<Instant> {
        let pause = if self.are_many() {
            (PAUSE_A_READER.saturating_mul(readers) * 5).clamp(TICK, PAUSE_UNDER_PRESSURE_MAX)
        } else {
            PAUSE_A_READER.saturating_mul(readers).min(PAUSE_MAX)
        };
        self.last.filter(|_| pause >= TICK).map(|last| last + pause)
    }

    /// How far so many readers, who know of everything up to `told`, are told now. What is left is for another wave, which the
    /// same caller is to tell.
    pub(super) fn reach(&mut self, told: Revision, readers: u32, now: Instant) -> Revision {
        let reach = match self.last.replace(now) {
            Some(last) if self.do_writers_wait(now) && readers > 0 => {
                let pause = now.saturating_duration_since(last).min(PAUSE_UNDER_PRESSURE_MAX);
                let each = self.deliveries_per_s * pause.as_secs_f64() / f64::from(readers);
                // At least one, and a part of what a second of the fastest machine brings.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let each = each.max(1.0) as u64;
                self.newest.min(Revision(told.0.saturating_add(each)))
            }
            _ => self.newest,
        };
        self.is_coming = reach < self.newest;
        reach
    }

    /// Whether somebody is about to tell of something.
    pub(super) fn is_coming(&self) -> bool {
        self.is_coming
    }

    fn do_writers_wait(&self, now: Instant) -> bool {
        let is_long_ago = |written| now.saturating_duration_since(written) >= QUIET;
        self.are_many() && !self.written.is_none_or(is_long_ago)
    }

    fn are_many(&self) -> bool {
        self.group_commits >= GROUP_UNDER_PRESSURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Waves that have told everything up to 100, one of them just now.
    fn waves(now: Instant) -> Waves {
        let mut waves = Waves::new(Revision(100), 100_000);
        assert!(waves.begin(Revision(100)));
        assert_eq!(
            (waves.due(1000), waves.reach(Revision(100), 1000, now)),
            (None, Revision(100))
        );
        waves
    }

    /// Many commits at once, as many times.
    fn press(waves: &mut Waves, now: Instant) {
        for _ in 0..100 {
            waves.written(20, now);
        }
    }

    #[tokio::test]
    async fn the_more_readers_the_longer_the_pause_up_to_a_bound() {
        let now = Instant::now();
        let mut waves = waves(now);
        let pause = |waves: &Waves, readers| waves.due(readers).map(|due| due - now);
        assert_eq!(
            [1, 9, 10, 100, 1000, u32::MAX].map(|readers| pause(&waves, readers)),
            [None, None, Some(MS), Some(10 * MS), Some(20 * MS), Some(20 * MS)]
        );
        press(&mut waves, now);
        assert_eq!(
            [1, 2, 100, 1000].map(|readers| pause(&waves, readers)),
            [Some(MS), Some(MS), Some(50 * MS), Some(100 * MS)]
        );
    }

    #[tokio::test]
    async fn one_tells_and_the_others_leave_it_to_that_one() {
        let now = Instant::now();
        let mut waves = waves(now);
        waves.written(1, now);
        assert!(waves.begin(Revision(101)));
        assert!(!waves.begin(Revision(102)));
        assert_eq!(waves.reach(Revision(100), 1000, now + 20 * MS), Revision(102));
        assert!(
            waves.begin(Revision(103)),
            "and for the next one there is another"
        );
    }

    #[tokio::test]
    async fn while_writers_wait_readers_get_their_part_and_then_all_of_it() {
        let begin = Instant::now();
        let mut waves = waves(begin);
        let at = |waves: &mut Waves, ms: u32, told, readers, is_written: bool| {
            let now = begin + ms * MS;
            if is_written {
                press(waves, now);
            }
            waves.reach(Revision(told), readers, now).0
        };
        press(&mut waves, begin);
        assert!(waves.begin(Revision(10_000)));
        // 100,000 a second, for 100 readers, in 50 ms.
        assert_eq!(at(&mut waves, 50, 100, 100, true), 150);
        assert!(!waves.begin(Revision(11_000)), "the rest is on its way");
        assert_eq!(
            at(&mut waves, 100, 150, 100, false),
            200,
            "also between two slow writes"
        );
        assert_eq!(at(&mut waves, 199, 200, 1_000_000, true), 201, "at least one");
        assert_eq!(
            at(&mut waves, 3_600_000, 201, 100, true),
            301,
            "a long pause gives no right to a flood"
        );
        assert_eq!(
            at(&mut waves, 3_600_100, 301, 100, false),
            11_000,
            "nothing was written for a while"
        );
        assert!(waves.begin(Revision(12_000)), "and nobody is on the way any more");
        assert_eq!(
            at(&mut waves, 3_600_180, 11_000, 2, true),
            12_000,
            "few readers are no burden"
        );
    }

    #[tokio::test]
    async fn a_disk_that_hesitates_is_no_pressure() {
        let now = Instant::now();
        let mut waves = waves(now);
        for commits in [1, 1, 1, 1000, 1, 1, 1000, 1000, 1] {
            waves.written(commits, now);
        }
        waves.begin(Revision(10_000));
        assert_eq!(waves.reach(Revision(100), 100, now + 20 * MS), Revision(10_000));
    }

    #[tokio::test]
    async fn writers_one_after_the_other_are_no_pressure() {
        let now = Instant::now();
        let mut waves = waves(now);
        press(&mut waves, now);
        for _ in 0..30 {
            waves.written(1, now);
        }
        waves.begin(Revision(10_000));
        assert_eq!(waves.reach(Revision(100), 100, now + 20 * MS), Revision(10_000));
    }
}
