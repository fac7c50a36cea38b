//! The scoring policy: every number that a derived figure depends on.
//!
//! Invariant: what the absence of a field means is written here and never changes. It is not the policy of a new
//! workspace, which a later release may choose otherwise: old scores would then be other ones.

use super::fault::{At, Fault};
use super::scalar::{before_and_after, finite_from_stored, optional_enum, stored_enum};
use crate::domain::{AlertRules, Event, HygieneLimits, RollUp, ScoringPolicy};
use crate::proto::stored;

stored_enum!(roll_up_to_stored, roll_up_from_stored:
    RollUp = stored::scoring_policy::RollUp { Own, OwnAndAligned });

const FIRST_ACHIEVED_FROM: f64 = 0.7;
const FIRST_PARTIAL_FROM: f64 = 0.4;
const FIRST_ROLL_UP: RollUp = RollUp::Own;
const FIRST_LIMITS: HygieneLimits = HygieneLimits {
    objectives_of_team_max: 3,
    key_results_min: 3,
    key_results_max: 5,
    kpis_of_area_min: 3,
    kpis_of_area_max: 5,
    confidence_min: 0.4,
    linked_kpis_share_max: 0.5,
    breached_periods_max: 2,
};

const FIRST_ALERTS: AlertRules = AlertRules {
    breach_after: 1,
    recover_after: 1,
    adverse_move_periods: 3,
    adverse_move_percent: 20.0,
    healthy_share_periods: 12,
};

pub(super) fn policy_to_stored(policy: &ScoringPolicy) -> stored::ScoringPolicy {
    let ScoringPolicy {
        semantics,
        committed_bar,
        aspirational_bar,
        on_track_gap,
        behind_gap,
        achieved_from,
        partial_from,
        roll_up,
        check_in_cadence_days,
        check_in_grace_days,
        hygiene,
        alerts,
    } = policy;
    stored::ScoringPolicy {
        semantics: *semantics,
        committed_bar: *committed_bar,
        aspirational_bar: *aspirational_bar,
        on_track_gap: *on_track_gap,
        behind_gap: *behind_gap,
        check_in_cadence_days: *check_in_cadence_days,
        check_in_grace_days: *check_in_grace_days,
        achieved_from: Some(*achieved_from),
        partial_from: Some(*partial_from),
        roll_up: roll_up_to_stored(*roll_up),
        hygiene: Some(limits_to_stored(hygiene)),
        alerts: Some(alerts_to_stored(alerts)),
    }
}

pub(super) fn policy_from_stored(stored: stored::ScoringPolicy) -> Result<ScoringPolicy, Fault> {
    let stored::ScoringPolicy {
        semantics,
        committed_bar,
        aspirational_bar,
        on_track_gap,
        behind_gap,
        check_in_cadence_days,
        check_in_grace_days,
        achieved_from,
        partial_from,
        roll_up,
        hygiene,
        alerts,
    } = stored;
    let or_first = |number: Option<f64>, first: f64| number.map_or(Ok(first), finite_from_stored);
    Ok(ScoringPolicy {
        semantics,
        committed_bar: finite_from_stored(committed_bar).at("committed_bar")?,
        aspirational_bar: finite_from_stored(aspirational_bar).at("aspirational_bar")?,
        on_track_gap: finite_from_stored(on_track_gap).at("on_track_gap")?,
        behind_gap: finite_from_stored(behind_gap).at("behind_gap")?,
        check_in_cadence_days,
        check_in_grace_days,
        achieved_from: or_first(achieved_from, FIRST_ACHIEVED_FROM).at("achieved_from")?,
        partial_from: or_first(partial_from, FIRST_PARTIAL_FROM).at("partial_from")?,
        roll_up: optional_enum(roll_up, roll_up_from_stored)
            .at("roll_up")?
            .unwrap_or(FIRST_ROLL_UP),
        hygiene: hygiene
            .map_or(Ok(FIRST_LIMITS), limits_from_stored)
            .at("hygiene")?,
        alerts: alerts.map_or(Ok(FIRST_ALERTS), alerts_from_stored).at("alerts")?,
    })
}

fn limits_to_stored(limits: &HygieneLimits) -> stored::HygieneLimits {
    let HygieneLimits {
        objectives_of_team_max,
        key_results_min,
        key_results_max,
        kpis_of_area_min,
        kpis_of_area_max,
        confidence_min,
        linked_kpis_share_max,
        breached_periods_max,
    } = *limits;
    stored::HygieneLimits {
        objectives_of_team_max,
        key_results_min,
        key_results_max,
        kpis_of_area_min,
        kpis_of_area_max,
        confidence_min,
        linked_kpis_share_max,
        breached_periods_max,
    }
}

fn limits_from_stored(stored: stored::HygieneLimits) -> Result<HygieneLimits, Fault> {
    let stored::HygieneLimits {
        objectives_of_team_max,
        key_results_min,
        key_results_max,
        kpis_of_area_min,
        kpis_of_area_max,
        confidence_min,
        linked_kpis_share_max,
        breached_periods_max,
    } = stored;
    Ok(HygieneLimits {
        objectives_of_team_max,
        key_results_min,
        key_results_max,
        kpis_of_area_min,
        kpis_of_area_max,
        confidence_min: finite_from_stored(confidence_min).at("confidence_min")?,
        linked_kpis_share_max: finite_from_stored(linked_kpis_share_max).at("linked_kpis_share_max")?,
        breached_periods_max,
    })
}

fn alerts_to_stored(alerts: &AlertRules) -> stored::AlertRules {
    let AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent,
        healthy_share_periods,
    } = *alerts;
    stored::AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent,
        healthy_share_periods,
    }
}

fn alerts_from_stored(stored: stored::AlertRules) -> Result<AlertRules, Fault> {
    let stored::AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent,
        healthy_share_periods,
    } = stored;
    Ok(AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent: finite_from_stored(adverse_move_percent).at("adverse_move_percent")?,
        healthy_share_periods,
    })
}

pub(super) fn updated_to_stored(
    before: &ScoringPolicy,
    after: &ScoringPolicy,
) -> stored::ScoringPolicyUpdated {
    stored::ScoringPolicyUpdated {
        before: Some(policy_to_stored(before)),
        after: Some(policy_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::ScoringPolicyUpdated) -> Result<Event, Fault> {
    let stored::ScoringPolicyUpdated { before, after } = stored;
    let (before, after) = before_and_after(before, after, policy_from_stored)?;
    Ok(Event::ScoringPolicyUpdated { before, after })
}
