//! Every number that a derived figure depends on, as one value in the log.

use serde::Serialize;

/// A scoring policy. Its version is the revision that set it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoringPolicy {
    /// Which formulas: a changed formula is a new number, and the old code stays.
    pub semantics: u32,
    /// The score that is enough for a COMMITTED objective.
    pub committed_bar: f64,
    /// The score that is enough for an ASPIRATIONAL one.
    pub aspirational_bar: f64,
    /// The largest gap (expected − score) that is ON_TRACK.
    pub on_track_gap: f64,
    /// The largest gap that is BEHIND.
    pub behind_gap: f64,
    /// Days between check-ins.
    pub check_in_cadence_days: u32,
    /// Days more until a key result is outdated.
    pub check_in_grace_days: u32,
}

impl ScoringPolicy {
    /// The formulas of this release.
    pub const SEMANTICS: u32 = 1;
}

impl Default for ScoringPolicy {
    fn default() -> Self {
        Self {
            semantics: Self::SEMANTICS,
            committed_bar: 1.0,
            aspirational_bar: 0.7,
            on_track_gap: 0.10,
            behind_gap: 0.25,
            check_in_cadence_days: 7,
            check_in_grace_days: 3,
        }
    }
}
