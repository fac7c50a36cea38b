//! Which logs are due for a checkpoint: those that have moved on for some time, or by so many commits.
//!
//! Invariant: a log that has moved on since its newest checkpoint is due at the latest [`AGE_MAX`] after it began to, and at
//! once when it has moved on by [`COMMITS_MAX`].
//!
//! What it does not know: how a checkpoint is signed, and what time it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::domain::Revision;
use crate::log::LogId;

/// After so long a change is under a checkpoint.
pub(super) const AGE_MAX: Duration = Duration::from_secs(10);
/// After so many commits the newest of them is under a checkpoint.
pub(super) const COMMITS_MAX: u64 = 10_000;

/// What has moved on, and how far each log is signed; `T` is what a checkpoint is made from.
pub(super) struct Due<T> {
    /// The revision of the newest checkpoint of each log.
    signed: BTreeMap<LogId, Revision>,
    /// The logs that have moved on since.
    waiting: BTreeMap<LogId, Waiting<T>>,
}

struct Waiting<T> {
    what: T,
    head: Revision,
    since: Instant,
}

impl<T: Clone> Due<T> {
    /// `signed`: the newest checkpoint that each log has already.
    pub(super) fn new(signed: BTreeMap<LogId, Revision>) -> Self {
        Self {
            signed,
            waiting: BTreeMap::new(),
        }
    }

    /// A log has moved on to a revision. Answers whether something is due earlier than was known.
    pub(super) fn moved(&mut self, log: LogId, head: Revision, what: &T, now: Instant) -> bool {
        let signed = self.signed(log);
        if head <= signed {
            return false;
        }
        let is_far = |head: Revision| head.0 >= signed.0 + COMMITS_MAX;
        let is_first = self.waiting.is_empty();
        let waiting = self.waiting.entry(log).or_insert_with(|| Waiting {
            what: what.clone(),
            head: signed,
            since: now,
        });
        let was_far = is_far(waiting.head);
        waiting.head = waiting.head.max(head);
        is_first || (is_far(waiting.head) && !was_far)
    }

    /// Takes what is due at a moment.
    pub(super) fn take(&mut self, now: Instant) -> Vec<T> {
        let signed = &self.signed;
        let is_due = |log: &LogId, waiting: &mut Waiting<T>| {
            let signed = signed.get(log).copied().unwrap_or_default();
            waiting.head.0 >= signed.0 + COMMITS_MAX || now >= waiting.since + AGE_MAX
        };
        let due = self.waiting.extract_if(.., is_due);
        due.map(|(_, waiting)| waiting.what).collect()
    }

    /// Takes all that has moved on.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        let all = std::mem::take(&mut self.waiting);
        all.into_values().map(|waiting| waiting.what).collect()
    }

    /// When the next one is due by its age.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.since + AGE_MAX).min()
    }

    /// The newest checkpoint of a log.
    pub(super) fn signed(&self, log: LogId) -> Revision {
        self.signed.get(&log).copied().unwrap_or_default()
    }

    /// A log has a newer checkpoint.
    pub(super) fn sign(&mut self, log: LogId, revision: Revision) {
        self.signed.insert(log, revision);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: LogId = LogId([1; 16]);
    const OTHER: LogId = LogId([2; 16]);

    fn due() -> (Due<&'static str>, Instant) {
        (Due::new(BTreeMap::new()), Instant::now())
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_change_is_due_ten_seconds_after_it_came_however_many_follow() {
        let (mut due, start) = due();
        assert_eq!(due.next(), None);
        assert!(
            due.moved(ONE, Revision(1), &"one", start),
            "whoever waits has to look again"
        );
        for second in 1..10 {
            assert!(!due.moved(ONE, Revision(1 + second), &"one", start + seconds(second)));
            assert!(due.take(start + seconds(second)).is_empty());
        }
        assert_eq!(due.next(), Some(start + seconds(10)));
        assert_eq!(due.take(start + seconds(10)), ["one"]);
        assert_eq!(
            (due.next(), due.take(start + seconds(99))),
            (None, Vec::new()),
            "once"
        );
    }

    #[test]
    fn ten_thousand_commits_are_due_at_once() {
        let (mut due, start) = due();
        due.sign(ONE, Revision(500));
        due.moved(ONE, Revision(501), &"one", start);
        assert!(!due.moved(ONE, Revision(10_499), &"one", start));
        assert!(due.take(start).is_empty());
        assert!(due.moved(ONE, Revision(10_500), &"one", start));
        assert!(!due.moved(ONE, Revision(10_501), &"one", start), "that is known");
        assert_eq!(due.take(start), ["one"]);
    }

    #[test]
    fn each_log_has_its_own_time() {
        let (mut due, start) = due();
        due.moved(ONE, Revision(1), &"one", start);
        let earlier = due.moved(OTHER, Revision(1), &"other", start + seconds(4));
        assert!(!earlier, "its time comes behind that of the first");
        assert_eq!(due.take(start + seconds(11)), ["one"]);
        assert_eq!(due.next(), Some(start + seconds(14)));
        due.moved(ONE, Revision(2), &"one", start + seconds(12));
        assert_eq!(due.take_all(), ["one", "other"]);
    }

    #[test]
    fn what_is_signed_already_is_never_due() {
        let mut due = Due::new(BTreeMap::from([(ONE, Revision(7))]));
        let start = Instant::now();
        assert!(!due.moved(ONE, Revision(7), &"one", start));
        assert!(due.take_all().is_empty());
        assert!(due.moved(ONE, Revision(8), &"one", start));
    }
}
