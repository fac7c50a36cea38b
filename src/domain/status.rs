//! How something stands: its score against what is expected of it on a local date.

use jiff::civil::Date;
use serde::Serialize;

use super::{ScoringPolicy, TOLERANCE, days_between};

/// How something stands against what is expected of it, from the worst to the best where they can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Further behind than `behind_gap`.
    AtRisk,
    /// At most `behind_gap` behind.
    Behind,
    /// No observation yet, and not late either.
    NotStarted,
    /// At most `on_track_gap` behind.
    OnTrack,
    /// The bar is reached.
    Achieved,
    /// Nothing counts in it.
    Unmeasured,
    /// Closed; the score is frozen.
    Closed,
}

/// What a status is judged by.
pub(super) struct Judged {
    pub(super) score: f64,
    pub(super) expected: f64,
    pub(super) bar: f64,
    /// Whether something was observed.
    pub(super) started: bool,
    /// Whether the last day is over.
    pub(super) over: bool,
    /// Whether there is a MAINTAIN in it: that is achieved only after the last day.
    pub(super) maintained: bool,
}

impl Judged {
    pub(super) fn reached(&self) -> bool {
        self.score >= self.bar - TOLERANCE
    }

    /// gap = E − s against the limits of the policy, each with 1e-9 in the owner's favour.
    pub(super) fn status(&self, policy: &ScoringPolicy) -> Status {
        let gap = self.expected - self.score;
        let within = |limit: f64| gap <= limit + TOLERANCE;
        if self.reached() && (self.over || !self.maintained) {
            Status::Achieved
        } else if within(policy.on_track_gap) && !self.over {
            if self.started {
                Status::OnTrack
            } else {
                Status::NotStarted
            }
        } else if within(policy.behind_gap) {
            Status::Behind
        } else {
            Status::AtRisk
        }
    }
}

/// 0 on the first day, 1 after the last, by whole local days.
pub(super) fn elapsed(first: Date, last: Date, today: Date) -> f64 {
    let days = f64::from(days_between(first, last)) + 1.0;
    if days <= 0.0 {
        return if today > last { 1.0 } else { 0.0 };
    }
    (f64::from(days_between(first, today)) / days).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn elapsed_is_0_on_the_first_day_and_1_after_the_last() {
        let (first, last) = (date(2026, 1, 1), date(2026, 3, 31));
        for (today, expected) in [
            (date(2025, 12, 1), 0.0),
            (first, 0.0),
            (date(2026, 2, 15), 0.5),
            (last, 89.0 / 90.0),
            (date(2026, 4, 1), 1.0),
            (date(2027, 1, 1), 1.0),
        ] {
            assert_eq!(elapsed(first, last, today), expected, "on {today}");
        }
        assert_eq!(elapsed(last, first, first), 0.0, "due before it began");
        assert_eq!(elapsed(last, first, last), 1.0, "due before it began");
    }

    #[test]
    fn a_status_follows_the_gap_with_1e_9_in_the_owners_favour() {
        let policy = ScoringPolicy::default();
        let judged = |score, expected, started, over| {
            Judged {
                score,
                expected,
                bar: 1.0,
                started,
                over,
                maintained: false,
            }
            .status(&policy)
        };
        assert_eq!(
            judged(0.4, 0.5, true, false),
            Status::OnTrack,
            "the limit itself, inexact in binary"
        );
        assert_eq!(judged(0.4, 0.5, false, false), Status::NotStarted);
        assert_eq!(judged(0.39, 0.5, true, false), Status::Behind);
        assert_eq!(judged(0.25, 0.5, true, false), Status::Behind);
        assert_eq!(judged(0.24, 0.5, false, false), Status::AtRisk);
        assert_eq!(judged(1.0 - 1e-10, 0.5, true, true), Status::Achieved);
        assert_eq!(
            judged(0.95, 1.0, true, true),
            Status::Behind,
            "after the last day, at best BEHIND"
        );
        let maintained = |score, over| {
            Judged {
                score,
                expected: 0.7,
                bar: 0.7,
                started: true,
                over,
                maintained: true,
            }
            .status(&policy)
        };
        assert_eq!(maintained((0.7 + 0.7 + 0.7) / 3.0, true), Status::Achieved);
        assert_eq!(
            maintained(1.0, false),
            Status::OnTrack,
            "kept so far is not kept to the end"
        );
    }
}
