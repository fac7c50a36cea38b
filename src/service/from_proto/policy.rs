//! Requests about the scoring policy.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::unknown;
use crate::domain::{
    AlertRules, Command, HygieneLimits, Invalid, Rejection, RollUp, ScoringPolicy, ScoringPolicyPatch,
};
use crate::proto::api;
use crate::service::mask::Field;
use crate::service::{etag, names};

const FIELDS: &[Field<api::ScoringPolicy>] = &[
    Field::new("committed_bar", |m| m.committed_bar.is_some()),
    Field::new("aspirational_bar", |m| m.aspirational_bar.is_some()),
    Field::new("on_track_gap", |m| m.on_track_gap.is_some()),
    Field::new("behind_gap", |m| m.behind_gap.is_some()),
    Field::new("achieved_from", |m| m.achieved_from.is_some()),
    Field::new("partial_from", |m| m.partial_from.is_some()),
    Field::new("roll_up", |m| m.roll_up != 0),
    Field::new("check_in_cadence_days", |m| m.check_in_cadence_days.is_some()),
    Field::new("check_in_grace_days", |m| m.check_in_grace_days.is_some()),
    Field::new("hygiene", |m| m.hygiene.is_some()),
    Field::new("alerts", |m| m.alerts.is_some()),
];

/// Reads an UpdateScoringPolicy request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_scoring_policy(request: &api::UpdateScoringPolicyRequest) -> Result<Asked, Rejection> {
    let api::UpdateScoringPolicyRequest {
        scoring_policy,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("scoring_policy", scoring_policy.as_ref())
        .and_then(|message| {
            let name = names::scoring_policy("scoring_policy.name", &message.name);
            let workspace = findings.keep(name);
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let patch = read(
                message,
                findings.fields("scoring_policy", &mask, workspace.as_ref()),
            );
            let command = Command::UpdateScoringPolicy {
                patch: Box::new(patch),
                etag: etag::read(&message.etag),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

/// What is not said is what it is at first: the policy has no other "none".
fn read(message: &api::ScoringPolicy, mut fields: Fields<'_>) -> ScoringPolicyPatch {
    let api::ScoringPolicy {
        name: _,
        version: _,
        semantics: _,
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
        create_time: _,
        principal: _,
        reason: _,
        etag: _,
        alerts,
    } = message;
    let first = ScoringPolicy::default();
    let mut number = |path, sent: &Option<f64>, first: f64| fields.read(path, || Ok(sent.unwrap_or(first)));
    ScoringPolicyPatch {
        semantics: None,
        committed_bar: number("committed_bar", committed_bar, first.committed_bar),
        aspirational_bar: number("aspirational_bar", aspirational_bar, first.aspirational_bar),
        on_track_gap: number("on_track_gap", on_track_gap, first.on_track_gap),
        behind_gap: number("behind_gap", behind_gap, first.behind_gap),
        achieved_from: number("achieved_from", achieved_from, first.achieved_from),
        partial_from: number("partial_from", partial_from, first.partial_from),
        roll_up: fields.read("roll_up", || read_roll_up(*roll_up)),
        check_in_cadence_days: fields.read("check_in_cadence_days", || {
            count(*check_in_cadence_days, first.check_in_cadence_days)
        }),
        check_in_grace_days: fields.read("check_in_grace_days", || {
            count(*check_in_grace_days, first.check_in_grace_days)
        }),
        hygiene: fields.read_parts("hygiene", |path, findings| {
            read_limits(path, hygiene.as_ref(), findings)
        }),
        alerts: fields.read_parts("alerts", |path, findings| {
            read_alerts(path, alerts.as_ref(), findings)
        }),
    }
}

fn read_limits(
    path: &str,
    message: Option<&api::HygieneLimits>,
    findings: &mut Findings,
) -> Option<HygieneLimits> {
    let api::HygieneLimits {
        objectives_of_team_max,
        key_results_min,
        key_results_max,
        kpis_of_area_min,
        kpis_of_area_max,
        confidence_min,
        linked_kpis_share_max,
        breached_periods_max,
    } = *message.unwrap_or(&api::HygieneLimits::default());
    let first = HygieneLimits::default();
    let mut limit = |field: &str, sent, first| findings.field(&format!("{path}.{field}"), count(sent, first));
    let (objectives, breached) = (
        limit(
            "objectives_of_team_max",
            objectives_of_team_max,
            first.objectives_of_team_max,
        ),
        limit(
            "breached_periods_max",
            breached_periods_max,
            first.breached_periods_max,
        ),
    );
    let (least, most) = (
        limit("key_results_min", key_results_min, first.key_results_min),
        limit("key_results_max", key_results_max, first.key_results_max),
    );
    let (kpis_least, kpis_most) = (
        limit("kpis_of_area_min", kpis_of_area_min, first.kpis_of_area_min),
        limit("kpis_of_area_max", kpis_of_area_max, first.kpis_of_area_max),
    );
    Some(HygieneLimits {
        objectives_of_team_max: objectives?,
        key_results_min: least?,
        key_results_max: most?,
        kpis_of_area_min: kpis_least?,
        kpis_of_area_max: kpis_most?,
        confidence_min: confidence_min.unwrap_or(first.confidence_min),
        linked_kpis_share_max: linked_kpis_share_max.unwrap_or(first.linked_kpis_share_max),
        breached_periods_max: breached?,
    })
}

fn read_alerts(path: &str, message: Option<&api::AlertRules>, findings: &mut Findings) -> Option<AlertRules> {
    let api::AlertRules {
        breach_after,
        recover_after,
        adverse_move_periods,
        adverse_move_percent,
        healthy_share_periods,
    } = *message.unwrap_or(&api::AlertRules::default());
    let first = AlertRules::default();
    let mut number =
        |field: &str, sent, first| findings.field(&format!("{path}.{field}"), count(sent, first));
    let breach_after = number("breach_after", breach_after, first.breach_after);
    let recover_after = number("recover_after", recover_after, first.recover_after);
    let adverse = number(
        "adverse_move_periods",
        adverse_move_periods,
        first.adverse_move_periods,
    );
    let share = number(
        "healthy_share_periods",
        healthy_share_periods,
        first.healthy_share_periods,
    );
    Some(AlertRules {
        breach_after: breach_after?,
        recover_after: recover_after?,
        adverse_move_periods: adverse?,
        adverse_move_percent: adverse_move_percent.unwrap_or(first.adverse_move_percent),
        healthy_share_periods: share?,
    })
}

fn count(sent: Option<i32>, first: u32) -> Result<u32, Invalid> {
    sent.map_or(Ok(first), |number| {
        u32::try_from(number)
            .map_err(|_| Invalid::new(format!("{number} is negative: send a number from 0 up")))
    })
}

fn read_roll_up(number: i32) -> Result<RollUp, Invalid> {
    use api::scoring_policy::RollUp as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Own => RollUp::Own,
        Api::OwnAndAligned => RollUp::OwnAndAligned,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, mask};
    use super::*;

    fn update(policy: api::ScoringPolicy, paths: &[&str]) -> Result<Asked, Rejection> {
        update_scoring_policy(&api::UpdateScoringPolicyRequest {
            scoring_policy: Some(api::ScoringPolicy {
                name: "workspaces/acme/scoringPolicy".to_owned(),
                ..policy
            }),
            update_mask: mask(paths),
            ..api::UpdateScoringPolicyRequest::default()
        })
    }

    #[test]
    fn a_policy_changes_in_what_the_mask_names() {
        let policy = api::ScoringPolicy {
            aspirational_bar: Some(0.6),
            behind_gap: Some(0.3),
            ..api::ScoringPolicy::default()
        };
        let Command::UpdateScoringPolicy { patch, .. } =
            command(update(policy.clone(), &["aspirational_bar"]))
        else {
            panic!("another command");
        };
        assert_eq!((patch.aspirational_bar, patch.behind_gap), (Some(0.6), None));
        let Command::UpdateScoringPolicy { patch, .. } = command(update(policy, &["*"])) else {
            panic!("another command");
        };
        assert_eq!(
            (patch.behind_gap, patch.committed_bar),
            (Some(0.3), Some(1.0)),
            "else as at first"
        );
        assert_eq!(patch.semantics, None, "formulas do not change by request");
    }

    #[test]
    fn what_cannot_be_a_policy_is_said_by_field() {
        let bad = api::ScoringPolicy {
            roll_up: 9,
            check_in_cadence_days: Some(-1),
            hygiene: Some(api::HygieneLimits {
                key_results_max: Some(-5),
                ..api::HygieneLimits::default()
            }),
            ..api::ScoringPolicy::default()
        };
        assert_eq!(
            bad_fields(update(bad, &[])),
            [
                "scoring_policy.roll_up",
                "scoring_policy.check_in_cadence_days",
                "scoring_policy.hygiene.key_results_max"
            ]
        );
        assert_eq!(
            bad_fields(update(api::ScoringPolicy::default(), &["version"])),
            ["update_mask"]
        );
    }
}
