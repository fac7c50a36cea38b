//! The scoring policy, one message a version.

use super::scalar::{revision as write_revision, timestamp};
use crate::domain::{
    AlertRules, HygieneLimits, Id, PolicyVersion, Provenance, ResourceName, RollUp, ScoringPolicy,
};
use crate::proto::api;
use crate::service::{etag, names};

/// A version of the scoring policy.
#[must_use]
pub(crate) fn scoring_policy(workspace: &Id, version: &PolicyVersion) -> api::ScoringPolicy {
    let PolicyVersion {
        policy,
        provenance,
        reason,
    } = version;
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
    let Provenance {
        principal,
        recorded_time,
        revision,
    } = provenance;
    api::ScoringPolicy {
        name: names::full_name(workspace, &ResourceName::ScoringPolicy),
        version: write_revision(*revision),
        semantics: signed(*semantics),
        committed_bar: Some(*committed_bar),
        aspirational_bar: Some(*aspirational_bar),
        on_track_gap: Some(*on_track_gap),
        behind_gap: Some(*behind_gap),
        achieved_from: Some(*achieved_from),
        partial_from: Some(*partial_from),
        roll_up: match roll_up {
            RollUp::Own => api::scoring_policy::RollUp::Own,
            RollUp::OwnAndAligned => api::scoring_policy::RollUp::OwnAndAligned,
        }
        .into(),
        check_in_cadence_days: Some(signed(*check_in_cadence_days)),
        check_in_grace_days: Some(signed(*check_in_grace_days)),
        hygiene: Some(limits(hygiene)),
        create_time: Some(timestamp(*recorded_time)),
        principal: principal.to_string(),
        reason: reason.to_string(),
        etag: etag::write(*revision),
        alerts: Some(alert_rules(alerts)),
    }
}

fn alert_rules(rules: &AlertRules) -> api::AlertRules {
    let AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent,
        healthy_share_periods,
    } = *rules;
    api::AlertRules {
        breach_after: Some(signed(breach_after)),
        recover_after: Some(signed(recover_after)),
        adverse_move_periods: Some(signed(adverse_move_periods)),
        adverse_move_percent: Some(adverse_move_percent),
        healthy_share_periods: Some(signed(healthy_share_periods)),
    }
}

fn limits(limits: &HygieneLimits) -> api::HygieneLimits {
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
    api::HygieneLimits {
        objectives_of_team_max: Some(signed(objectives_of_team_max)),
        key_results_min: Some(signed(key_results_min)),
        key_results_max: Some(signed(key_results_max)),
        kpis_of_area_min: Some(signed(kpis_of_area_min)),
        kpis_of_area_max: Some(signed(kpis_of_area_max)),
        confidence_min: Some(confidence_min),
        linked_kpis_share_max: Some(linked_kpis_share_max),
        breached_periods_max: Some(signed(breached_periods_max)),
    }
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
