//! What KPIs, targets, alerts and plans store: each field under its own name, and what is wrong with one is said where it
//! stands.

use prost::Message;

use super::{LOG, changed, check_bytes, commit, golden};
use crate::log::LogErrorKind;
use crate::proto::stored;
use crate::proto::stored::event::Payload;

/// The stored form of a golden file's first event.
fn stored_event(file: &str) -> Payload {
    let stored = commit::commit_to_stored(LOG, &golden::commit_of_file(file));
    let first = stored.events.into_iter().next();
    first.and_then(|event| event.payload).expect("an event")
}

/// A pair of fields that were taken for one another on the way in and on the way out would be read as it was written.
#[test]
fn every_field_of_an_alert_a_plan_and_a_ramp_is_stored_under_its_own_name() {
    let opened = stored::AlertOpened {
        kpi: "nps".into(),
        alert: "breach-42".into(),
        kind: stored::alert_opened::Kind::Breach.into(),
        date: 20_654,
        period_first_date: Some(20_647),
        period_last_date: Some(20_653),
        value: Some(38.5),
        reference: Some(40.0),
        period_count: 3,
        newest_effective_time_us: Some(1_784_419_200_000_000),
    };
    let plan = |text: &str| stored::ActionPlan {
        cause: "The team is too small.".into(),
        text: text.into(),
        owner: Some("maria".into()),
        due_date: Some(20_696),
        objective: Some("mend-nps".into()),
    };
    let set = stored::ActionPlanSet {
        kpi: "nps".into(),
        alert: "breach-42".into(),
        before: Some(plan("Hire one.")),
        after: Some(plan("Hire a support manager.")),
    };
    let acknowledged = stored::AlertAcknowledged {
        kpi: "nps".into(),
        alert: "breach-42".into(),
        note: "São Paulo's team\nlooks at it.".into(),
        before: Some(String::new()),
    };
    let target = stored::TargetFields {
        at_least: Some(40.0),
        at_most: Some(90.0),
        critical_at_least: Some(-1.5),
        critical_at_most: Some(99.0),
        stretch: Some(80.0),
        ramp: Some(stored::Ramp {
            date: 20_818,
            at_least: Some(50.0),
            at_most: Some(85.0),
            critical_at_least: Some(0.0),
            critical_at_most: Some(95.5),
        }),
    };
    let deleted = stored::TargetDeleted {
        kpi: "nps".into(),
        date: -1,
        before: Some(target),
    };
    let retracted = stored::MeasurementRetracted {
        kpi: "nps".into(),
        effective_time_us: -1,
        source_id: "survey-2026-07".into(),
        before: -3.5,
    };
    for (file, expected) in [
        ("alert_opened", Payload::AlertOpened(Box::new(opened))),
        ("action_plan_set", Payload::ActionPlanSet(Box::new(set))),
        ("alert_acknowledged", Payload::AlertAcknowledged(acknowledged)),
        ("target_deleted", Payload::TargetDeleted(Box::new(deleted))),
        ("measurement_retracted", Payload::MeasurementRetracted(retracted)),
    ] {
        assert_eq!(stored_event(file), expected, "{file}");
    }
    let Payload::ObjectiveCreated(created) = stored_event("objective_created_from_kpi") else {
        panic!("another event");
    };
    let started_from = stored::StartedFrom {
        kpi: "nps".into(),
        alert: Some("breach-42".into()),
    };
    assert_eq!(created.started_from, Some(started_from));
    let Payload::ScoringPolicyUpdated(updated) = stored_event("scoring_policy_updated_alert_rules") else {
        panic!("another event");
    };
    let rules = stored::AlertRules {
        breach_after: 2,
        recover_after: 4,
        adverse_move_periods: 5,
        adverse_move_percent: 12.5,
        healthy_share_periods: 6,
    };
    assert_eq!(updated.after.expect("a policy").alerts, Some(rules));
}

/// The stored form of a golden file whose first event is of a kind, with that event changed.
macro_rules! spoiled {
    ($file:literal, $Kind:ident, $change:expr) => {
        changed($file, |payload| match payload {
            Payload::$Kind(event) => $change(event),
            other => panic!("{other:?}"),
        })
    };
}

fn alert_opened(change: fn(&mut stored::AlertOpened)) -> stored::Commit {
    spoiled!("alert_opened", AlertOpened, change)
}

fn action_plan_set(change: fn(&mut stored::ActionPlanSet)) -> stored::Commit {
    spoiled!("action_plan_set", ActionPlanSet, change)
}

fn ramp_set(change: fn(&mut stored::Ramp)) -> stored::Commit {
    spoiled!("target_set_ramp", TargetSet, |set: &mut stored::TargetSet| {
        let after = set.after.as_mut().expect("a target");
        change(after.ramp.as_mut().expect("a ramp"));
    })
}

#[test]
fn what_alerts_store_is_checked_where_it_stands() {
    let (damaged, newer) = (LogErrorKind::Damaged, LogErrorKind::UnknownFormat);
    for (commit, kind, sentence) in [
        (
            alert_opened(|opened| opened.kind = 0),
            damaged,
            "alert_opened.kind: it is missing; ",
        ),
        (
            alert_opened(|opened| opened.kind = 4),
            newer,
            "alert_opened.kind: it has the unknown number 4; ",
        ),
        (
            alert_opened(|opened| opened.period_first_date = None),
            damaged,
            "alert_opened.period_first_date: it is missing; ",
        ),
        (
            alert_opened(|opened| opened.period_last_date = None),
            damaged,
            "alert_opened.period_last_date: it is missing; ",
        ),
        (
            alert_opened(|opened| opened.period_first_date = Some(20_654)),
            damaged,
            "alert_opened.period_first_date: it is after period_last_date; ",
        ),
        (
            alert_opened(|opened| opened.value = Some(f64::NAN)),
            damaged,
            "alert_opened.value: NaN is no number; ",
        ),
        (
            alert_opened(|opened| opened.reference = Some(f64::NEG_INFINITY)),
            damaged,
            "alert_opened.reference: -inf is no number; ",
        ),
        (
            alert_opened(|opened| opened.newest_effective_time_us = Some(i64::MAX)),
            damaged,
            "alert_opened.newest_effective_time_us: 9223372036854775807 microseconds",
        ),
        (
            alert_opened(|opened| opened.alert = "Breach".into()),
            damaged,
            "alert_opened.alert: \"Breach\" is not an id",
        ),
        (
            spoiled!("alert_closed", AlertClosed, |closed: &mut stored::AlertClosed| {
                closed.reason = 0;
            }),
            damaged,
            "alert_closed.reason: it is missing; ",
        ),
        (
            spoiled!("alert_closed", AlertClosed, |closed: &mut stored::AlertClosed| {
                closed.reason = 5;
            }),
            newer,
            "alert_closed.reason: it has the unknown number 5; ",
        ),
        (
            action_plan_set(|set| set.after = None),
            damaged,
            "action_plan_set.after: it is missing; ",
        ),
        (
            action_plan_set(|set| set.before.as_mut().expect("a plan").owner = Some(String::new())),
            damaged,
            "action_plan_set.before.owner: \"\" is not an id",
        ),
        (
            action_plan_set(|set| set.after.as_mut().expect("a plan").due_date = Some(i32::MAX)),
            damaged,
            "action_plan_set.after.due_date: 2147483647 days",
        ),
        (
            action_plan_set(|set| set.after.as_mut().expect("a plan").text = "x".repeat(10_001)),
            damaged,
            "action_plan_set.after.text: ",
        ),
    ] {
        check_bytes(commit.encode_to_vec(), kind, &format!("events[0].{sentence}"));
    }
}

#[test]
fn what_kpis_targets_and_their_policy_store_is_checked_where_it_stands() {
    let (damaged, newer) = (LogErrorKind::Damaged, LogErrorKind::UnknownFormat);
    for (commit, kind, sentence) in [
        (
            ramp_set(|ramp| ramp.date = i32::MIN),
            damaged,
            "target_set.after.ramp.date: -2147483648 days",
        ),
        (
            ramp_set(|ramp| ramp.critical_at_most = Some(1e15 + 1.0)),
            damaged,
            "target_set.after.ramp.critical_at_most: ",
        ),
        (
            spoiled!(
                "target_deleted",
                TargetDeleted,
                |deleted: &mut stored::TargetDeleted| deleted.before = None
            ),
            damaged,
            "target_deleted.before: it is missing; ",
        ),
        (
            spoiled!(
                "measurement_retracted",
                MeasurementRetracted,
                |retracted: &mut stored::MeasurementRetracted| retracted.before = f64::INFINITY
            ),
            damaged,
            "measurement_retracted.before: inf is out of bounds",
        ),
        (
            spoiled!(
                "kpi_created_transform",
                KpiCreated,
                |created: &mut stored::KpiCreated| created.fields.as_mut().expect("fields").transform = 2
            ),
            newer,
            "kpi_created.fields.transform: it has the unknown number 2; ",
        ),
        (
            spoiled!(
                "kpi_unarchived",
                KpiUnarchived,
                |unarchived: &mut stored::KpiUnarchived| unarchived.archived_time_us = i64::MIN
            ),
            damaged,
            "kpi_unarchived.archived_time_us: -9223372036854775808 microseconds",
        ),
        (
            spoiled!(
                "objective_created_from_kpi",
                ObjectiveCreated,
                |created: &mut stored::ObjectiveCreated| created.started_from =
                    Some(stored::StartedFrom::default())
            ),
            damaged,
            "objective_created.started_from.kpi: \"\" is not an id",
        ),
        (
            spoiled!(
                "scoring_policy_updated_alert_rules",
                ScoringPolicyUpdated,
                |updated: &mut stored::ScoringPolicyUpdated| {
                    let rules = &mut updated.after.as_mut().expect("a policy").alerts;
                    rules.as_mut().expect("rules").adverse_move_percent = f64::NAN;
                }
            ),
            damaged,
            "scoring_policy_updated.after.alerts.adverse_move_percent: NaN is no number; ",
        ),
        (
            spoiled!(
                "resource_deleted_alert",
                ResourceDeleted,
                |deleted: &mut stored::ResourceDeleted| {
                    let resource =
                        stored::resource_reference::Resource::Alert(stored::AlertReference::default());
                    deleted.resource = Some(stored::ResourceReference {
                        resource: Some(resource),
                    });
                }
            ),
            damaged,
            "resource_deleted.resource.alert.kpi: \"\" is not an id",
        ),
    ] {
        check_bytes(commit.encode_to_vec(), kind, &format!("events[0].{sentence}"));
    }
}
