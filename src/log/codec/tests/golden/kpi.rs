//! What came with KPIs that are complete: targets that move, changes in percent, measurements taken back, archives, alerts
//! and their action plans, objectives that start from a KPI, the rules of alerts.
//!
//! One file for each event and for each shape of it. Where fields could be taken for one another their values all differ.

use jiff::civil::date;

use super::*;
use crate::domain::{
    ActionPlan, AlertKind, AlertOpening, CloseReason, Period, Ramp, ResourceName, StartedFrom, Transform,
};

pub(super) fn events_by_file() -> Vec<(&'static str, Vec<Event>)> {
    let mut files = policy_files();
    files.extend(deletion_files());
    files.extend(objective_files());
    files.extend(kpi_files());
    files.extend(alert_files());
    files.extend(plan_files());
    files
}

/// With all that a policy has, and no number that its absence would mean.
pub(in crate::log::codec::tests) fn policy_with_alert_rules() -> ScoringPolicy {
    ScoringPolicy {
        alerts: AlertRules {
            breach_after: 2,
            recover_after: 4,
            adverse_move_periods: 5,
            adverse_move_percent: 12.5,
            healthy_share_periods: 6,
        },
        ..okr::whole_policy()
    }
}

fn policy_files() -> Vec<(&'static str, Vec<Event>)> {
    let created = WorkspaceCreated {
        id: id("acme"),
        fields: workspace_fields("Acme", Weekday::Monday),
        preset: Preset::Full,
        rules: rules("America/Sao_Paulo"),
        policy: policy_with_alert_rules(),
    };
    let updated = Event::ScoringPolicyUpdated {
        before: Box::new(policy_of_v0_1()),
        after: Box::new(policy_with_alert_rules()),
    };
    vec![
        (
            "workspace_created_with_alert_rules",
            vec![Event::WorkspaceCreated(Box::new(created))],
        ),
        ("scoring_policy_updated_alert_rules", vec![updated]),
    ]
}

fn deletion_files() -> Vec<(&'static str, Vec<Event>)> {
    let name = || ResourceName::Alert(id("nps"), id("breach-42"));
    let undeleted = Event::Undeleted {
        name: name(),
        deletion: Revision(17),
    };
    vec![
        ("resource_deleted_alert", vec![Event::Deleted { name: name() }]),
        ("resource_undeleted_alert", vec![undeleted]),
    ]
}

fn objective_files() -> Vec<(&'static str, Vec<Event>)> {
    let started = |alert: Option<Id>| Event::ObjectiveCreated {
        id: id("mend-nps"),
        fields: objective_fields(Alignment::Objective(id("grow"))),
        carried_from: None,
        started_from: Some(StartedFrom {
            kpi: id("nps"),
            alert,
        }),
    };
    vec![
        ("objective_created_from_kpi", vec![started(Some(id("breach-42")))]),
        ("objective_created_from_kpi_without_alert", vec![started(None)]),
    ]
}

fn kpi_files() -> Vec<(&'static str, Vec<Event>)> {
    let transformed = || {
        Box::new(KpiFields {
            transform: Some(Transform::ChangePercent),
            ..*kpi_fields(Cadence::Monthly)
        })
    };
    let retracted = Event::MeasurementRetracted {
        kpi: id("nps"),
        effective_time: Timestamp::from_micros(-1),
        source_id: "survey-2026-07".into(),
        before: -3.5,
    };
    let deleted = Event::TargetDeleted {
        kpi: id("nps"),
        date: date(1969, 12, 31),
        before: target(Some(ramp())),
    };
    let unarchived = Event::KpiUnarchived {
        id: id("nps"),
        before: Timestamp::from_micros(1_784_505_600_123_456),
    };
    vec![
        (
            "kpi_created_transform",
            vec![Event::KpiCreated {
                id: id("nps"),
                fields: transformed(),
            }],
        ),
        (
            "kpi_updated_transform",
            vec![Event::KpiUpdated {
                id: id("nps"),
                before: transformed(),
                after: kpi_fields(Cadence::Monthly),
            }],
        ),
        ("kpi_archived", vec![Event::KpiArchived { id: id("nps") }]),
        ("kpi_unarchived", vec![unarchived]),
        ("target_set_ramp", vec![target_set_ramp()]),
        ("target_deleted", vec![deleted]),
        ("measurement_retracted", vec![retracted]),
    ]
}

/// A ramp that moves every bound, in the place of one that moves a single one.
fn target_set_ramp() -> Event {
    let short = Ramp {
        date: date(1969, 12, 31),
        at_most: None,
        critical_at_least: None,
        critical_at_most: None,
        ..ramp()
    };
    Event::TargetSet {
        kpi: id("nps"),
        date: date(2026, 8, 1),
        before: Some(target(Some(short))),
        after: target(Some(ramp())),
    }
}

fn target(ramp: Option<Ramp>) -> Target {
    Target {
        at_least: Some(value(40.0)),
        at_most: Some(value(90.0)),
        critical_at_least: Some(value(-1.5)),
        critical_at_most: Some(value(99.0)),
        stretch: Some(value(80.0)),
        ramp,
    }
}

fn ramp() -> Ramp {
    Ramp {
        date: date(2026, 12, 31),
        at_least: Some(value(50.0)),
        at_most: Some(value(85.0)),
        critical_at_least: Some(value(0.0)),
        critical_at_most: Some(value(95.5)),
    }
}

fn alert_files() -> Vec<(&'static str, Vec<Event>)> {
    let never_fed = AlertOpening {
        period: None,
        value: None,
        reference: None,
        periods: 1,
        newest: None,
        ..opening(AlertKind::Stale)
    };
    let adverse_move = AlertOpening {
        // A change in percent may be larger than any value that is recorded.
        value: Some(-2.5e16),
        reference: Some(0.0),
        ..opening(AlertKind::AdverseMove)
    };
    let reasons = [
        CloseReason::Recovered,
        CloseReason::Corrected,
        CloseReason::TargetChanged,
        CloseReason::Archived,
    ];
    let closed = reasons.map(|reason| Event::AlertClosed {
        kpi: id("nps"),
        id: id("breach-42"),
        reason,
    });
    let acknowledged = |before| Event::AlertAcknowledged {
        kpi: id("nps"),
        id: id("breach-42"),
        before,
        note: text("São Paulo's team\nlooks at it."),
    };
    vec![
        ("alert_opened", vec![opened(opening(AlertKind::Breach))]),
        ("alert_opened_never_fed", vec![opened(never_fed)]),
        ("alert_opened_adverse_move", vec![opened(adverse_move)]),
        ("alert_closed", closed.to_vec()),
        (
            "alert_acknowledged",
            // Nothing was said of it, which is not the same as that nobody had seen it.
            vec![acknowledged(Some(Text::empty()))],
        ),
        ("alert_acknowledged_first", vec![acknowledged(None)]),
    ]
}

fn opened(opening: AlertOpening) -> Event {
    Event::AlertOpened {
        kpi: id("nps"),
        id: id("breach-42"),
        opening: Box::new(opening),
    }
}

fn opening(kind: AlertKind) -> AlertOpening {
    AlertOpening {
        kind,
        date: date(2026, 7, 20),
        period: Some(Period {
            first: date(2026, 7, 13),
            last: date(2026, 7, 19),
        }),
        value: Some(38.5),
        reference: Some(40.0),
        periods: 3,
        newest: Some(Timestamp::from_micros(1_784_419_200_000_000)),
    }
}

fn plan_files() -> Vec<(&'static str, Vec<Event>)> {
    let set = |before: Option<ActionPlan>, after: ActionPlan| Event::ActionPlanSet {
        kpi: id("nps"),
        id: id("breach-42"),
        before: before.map(Box::new),
        after: Box::new(after),
    };
    let bare = ActionPlan {
        cause: Text::empty(),
        owner: None,
        due_date: None,
        objective: None,
        ..plan("Ask the customers.")
    };
    let completed = Event::ActionPlanCompleted {
        kpi: id("nps"),
        id: id("breach-42"),
        note: text("She is here."),
    };
    let overdue = Event::ActionPlanOverdue {
        kpi: id("nps"),
        id: id("breach-42"),
        due_date: date(1969, 12, 31),
    };
    vec![
        (
            "action_plan_set",
            vec![set(Some(plan("Hire one.")), plan("Hire a support manager."))],
        ),
        ("action_plan_set_first", vec![set(None, bare)]),
        ("action_plan_completed", vec![completed]),
        ("action_plan_overdue", vec![overdue]),
    ]
}

fn plan(what: &str) -> ActionPlan {
    ActionPlan {
        cause: text("The team is too small."),
        text: text(what),
        owner: Some(id("maria")),
        due_date: Some(date(2026, 8, 31)),
        objective: Some(id("mend-nps")),
    }
}
