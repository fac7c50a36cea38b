//! Every number that a derived figure depends on, as one value in the log. Each change is a version, named by the revision
//! that set it; a version never goes away, so what was scored by it can be scored by it again.

use std::cmp::Ordering;

use serde::Serialize;
use smol_str::SmolStr;

use super::authored::authored;
use super::{Etag, Event, Provenance, Rejection, ResourceName, Violation, Workspace};

authored! {
    /// A scoring policy. Its version is the revision that set it.
    pub struct ScoringPolicy,
    /// A change of the scoring policy.
    ScoringPolicyPatch {
        /// Which formulas: a changed formula is a new number, and the old code stays.
        pub semantics: u32,
        /// The score that is enough for a COMMITTED objective, above 0 to 1.
        pub committed_bar: f64,
        /// The score that is enough for an ASPIRATIONAL one, above 0 to 1.
        pub aspirational_bar: f64,
        /// The largest gap (expected − score) that is ON_TRACK, 0 to 1.
        pub on_track_gap: f64,
        /// The largest gap that is BEHIND, `on_track_gap` to 1.
        pub behind_gap: f64,
        /// The grade from which the band is green and an ASPIRATIONAL objective ACHIEVED.
        pub achieved_from: f64,
        /// The grade from which the band is yellow and an objective PARTIAL.
        pub partial_from: f64,
        /// What counts in an objective's score.
        pub roll_up: RollUp,
        /// Days between check-ins.
        pub check_in_cadence_days: u32,
        /// Days more until a key result is outdated.
        pub check_in_grace_days: u32,
        /// Where hygiene begins to find fault.
        pub hygiene: HygieneLimits,
        /// When alerts open and close.
        pub alerts: AlertRules,
    }
}

/// What counts in an objective's score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RollUp {
    /// Its own key results.
    #[default]
    Own,
    /// Its own key results, and each objective aligned to it or to one of its key results like one more.
    OwnAndAligned,
}

/// Where hygiene begins to find fault.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HygieneLimits {
    /// The most objectives of one team in one cycle.
    pub objectives_of_team_max: u32,
    /// The fewest key results of an objective.
    pub key_results_min: u32,
    /// The most key results of an objective.
    pub key_results_max: u32,
    /// The fewest KPIs in an area of a team.
    pub kpis_of_area_min: u32,
    /// The most KPIs in an area of a team.
    pub kpis_of_area_max: u32,
    /// The confidence under which a COMMITTED key result is found, 0 to 1.
    pub confidence_min: f64,
    /// The largest share of the KPIs that may be key results at once, 0 to 1.
    pub linked_kpis_share_max: f64,
    /// For how many periods a KPI may stay BREACHED without an objective.
    pub breached_periods_max: u32,
}

/// When alerts open and close.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AlertRules {
    /// How many BREACHED period values in a row open a BREACH.
    pub breach_after: u32,
    /// How many HEALTHY period values in a row close it.
    pub recover_after: u32,
    /// The mean of how many period values the newest one is held against.
    pub adverse_move_periods: u32,
    /// From how many percent of that mean's amount a move for the worse opens an ADVERSE_MOVE; 0: never.
    pub adverse_move_percent: f64,
    /// Over how many periods the healthy share is taken.
    pub healthy_share_periods: u32,
}

/// One version of the scoring policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyVersion {
    /// The numbers.
    pub policy: ScoringPolicy,
    /// Who set it, when and at which revision: its version.
    pub provenance: Provenance,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
}

impl ScoringPolicy {
    /// The formulas of this release.
    pub const SEMANTICS: u32 = 1;

    /// What does not fit together.
    fn violations(&self) -> Vec<Violation> {
        let mut bad = Vec::new();
        let mut check = |holds: bool, field: &str, sentence: &str| {
            if !holds {
                bad.push(Violation {
                    field: format!("scoring_policy.{field}"),
                    sentence: sentence.to_owned(),
                });
            }
        };
        let positive = |number: f64| number > 0.0 && number <= 1.0;
        let share = |number: f64| (0.0..=1.0).contains(&number);
        let limits = &self.hygiene;
        for (field, number) in [
            ("committed_bar", self.committed_bar),
            ("aspirational_bar", self.aspirational_bar),
            ("achieved_from", self.achieved_from),
            ("partial_from", self.partial_from),
        ] {
            check(
                positive(number),
                field,
                "it is a score: send a number above 0, up to 1",
            );
        }
        for (field, number) in [
            ("on_track_gap", self.on_track_gap),
            ("behind_gap", self.behind_gap),
            ("hygiene.confidence_min", limits.confidence_min),
            ("hygiene.linked_kpis_share_max", limits.linked_kpis_share_max),
        ] {
            check(share(number), field, "send a number from 0 to 1");
        }
        check(
            // A gap that is no number is refused above, once.
            self.on_track_gap.partial_cmp(&self.behind_gap) != Some(Ordering::Greater),
            "behind_gap",
            "it is below on_track_gap: BEHIND is the larger gap",
        );
        check(
            self.partial_from < self.achieved_from,
            "partial_from",
            "it is not below achieved_from: PARTIAL is less than ACHIEVED",
        );
        check(
            (1..=366).contains(&self.check_in_cadence_days),
            "check_in_cadence_days",
            "send 1 to 366 days",
        );
        check(
            self.check_in_grace_days <= 366,
            "check_in_grace_days",
            "send 0 to 366 days",
        );
        for (field, number) in [
            ("hygiene.objectives_of_team_max", limits.objectives_of_team_max),
            ("hygiene.breached_periods_max", limits.breached_periods_max),
        ] {
            check((1..=100).contains(&number), field, "send 1 to 100");
        }
        for (field, least, most) in [
            (
                "hygiene.key_results_max",
                limits.key_results_min,
                limits.key_results_max,
            ),
            (
                "hygiene.kpis_of_area_max",
                limits.kpis_of_area_min,
                limits.kpis_of_area_max,
            ),
        ] {
            check(least <= most && most <= 100, field, "send the minimum up to 100");
        }
        let alerts = &self.alerts;
        for (field, number, most) in [
            ("alerts.breach_after", alerts.breach_after, 100),
            ("alerts.recover_after", alerts.recover_after, 100),
            ("alerts.adverse_move_periods", alerts.adverse_move_periods, 100),
            ("alerts.healthy_share_periods", alerts.healthy_share_periods, 1000),
        ] {
            check((1..=most).contains(&number), field, &format!("send 1 to {most}"));
        }
        check(
            (0.0..=1000.0).contains(&alerts.adverse_move_percent),
            "alerts.adverse_move_percent",
            "send 0 (never) to 1000 percent",
        );
        bad
    }
}

impl Default for ScoringPolicy {
    fn default() -> Self {
        Self {
            semantics: Self::SEMANTICS,
            committed_bar: 1.0,
            aspirational_bar: 0.7,
            on_track_gap: 0.10,
            behind_gap: 0.25,
            achieved_from: 0.7,
            partial_from: 0.4,
            roll_up: RollUp::Own,
            check_in_cadence_days: 7,
            check_in_grace_days: 3,
            hygiene: HygieneLimits::default(),
            alerts: AlertRules::default(),
        }
    }
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            breach_after: 1,
            recover_after: 1,
            adverse_move_periods: 3,
            adverse_move_percent: 20.0,
            healthy_share_periods: 12,
        }
    }
}

impl Default for HygieneLimits {
    fn default() -> Self {
        Self {
            objectives_of_team_max: 3,
            key_results_min: 3,
            key_results_max: 5,
            kpis_of_area_min: 3,
            kpis_of_area_max: 5,
            confidence_min: 0.4,
            linked_kpis_share_max: 0.5,
            breached_periods_max: 2,
        }
    }
}

pub(super) fn update(
    workspace: &Workspace,
    patch: &ScoringPolicyPatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let version = workspace.policy_version();
    let outdated = match etag {
        Etag::Any => false,
        Etag::Exactly(revision) => revision != version,
        Etag::Unknown => true,
    };
    if outdated {
        return Err(Rejection::EtagMismatch(ResourceName::ScoringPolicy));
    }
    let before = workspace.policy();
    let after = patch.applied_to(before);
    if after == *before {
        return Ok(Vec::new());
    }
    let violations = after.violations();
    if !violations.is_empty() {
        return Err(Rejection::Invalid(violations));
    }
    Ok(vec![Event::ScoringPolicyUpdated {
        before: Box::new(before.clone()),
        after: Box::new(after),
    }])
}
