//! Targets, measurements, archives, alerts and their action plans, as an auditor reads them.

use super::*;
use crate::domain::given::kpi;
use crate::domain::{
    ActionPlan, AlertKind, AlertRules, CloseReason, CurrencyCode, KpiFields, MeasurementRecorded, Period,
    Ramp, StartedFrom, Target, Transform, Unit, UnitKind,
};

fn kpi_fields(change: impl FnOnce(&mut KpiFields)) -> Box<KpiFields> {
    match kpi("nps", change) {
        Command::CreateKpi { fields, .. } => fields,
        other => panic!("{other:?}"),
    }
}

fn target(at_least: f64, ramp: Option<Ramp>) -> Target {
    Target {
        at_least: Some(value(at_least)),
        critical_at_least: Some(value(1.5)),
        ramp,
        ..Target::default()
    }
}

fn ramp(at_least: f64) -> Ramp {
    Ramp {
        date: date(2026, 12, 31),
        at_least: Some(value(at_least)),
        at_most: None,
        critical_at_least: Some(value(2.5)),
        critical_at_most: None,
    }
}

#[test]
fn a_target_is_read_by_its_bounds_and_where_they_move_to() {
    let set = |before, after| Event::TargetSet {
        kpi: id("nps"),
        date: date(2026, 1, 1),
        before,
        after,
    };
    check(
        set(None, target(40.0, Some(ramp(60.0)))),
        &[
            "at_least: none → 40.0",
            "critical_at_least: none → 1.5",
            "ramp.at_least: none → 60.0",
            "ramp.critical_at_least: none → 2.5",
            "ramp.date: none → \"2026-12-31\"",
        ],
    );
    check(
        set(
            Some(target(40.0, Some(ramp(60.0)))),
            target(40.0, Some(ramp(65.0))),
        ),
        &["ramp.at_least: 60.0 → 65.0"],
    );
    check(
        set(Some(target(40.0, Some(ramp(60.0)))), target(45.0, None)),
        &[
            "at_least: 40.0 → 45.0",
            "ramp.at_least: 60.0 → none",
            "ramp.critical_at_least: 2.5 → none",
            "ramp.date: \"2026-12-31\" → none",
        ],
    );
    check(
        Event::TargetDeleted {
            kpi: id("nps"),
            date: date(2026, 1, 1),
            before: target(40.0, None),
        },
        &["at_least: 40.0 → none", "critical_at_least: 1.5 → none"],
    );
}

#[test]
fn a_transform_and_an_archive_are_read_as_the_kpis_fields() {
    let plain = kpi_fields(|_| {});
    let changes = kpi_fields(|fields| fields.transform = Some(Transform::ChangePercent));
    check(
        Event::KpiUpdated {
            id: id("nps"),
            before: plain,
            after: changes,
        },
        &["transform: none → \"CHANGE_PERCENT\""],
    );
    check(
        Event::KpiArchived { id: id("nps") },
        &["archive_time: none → \"1970-01-02T00:00:00Z\""],
    );
    check(
        Event::KpiUnarchived {
            id: id("nps"),
            before: Timestamp::from_micros(0),
        },
        &["archive_time: \"1970-01-01T00:00:00Z\" → none"],
    );
}

#[test]
fn a_unit_is_read_as_its_kind_and_what_belongs_to_it() {
    let of_kind = |kind| {
        let unit = Unit::parse(kind, "", None).unwrap();
        kpi_fields(|fields| fields.unit = unit)
    };
    let money = UnitKind::Currency(CurrencyCode::parse("BRL").unwrap());
    let scale = UnitKind::scale(&["red".to_owned(), "green".to_owned()]).unwrap();
    check(
        Event::KpiUpdated {
            id: id("nps"),
            before: of_kind(money),
            after: of_kind(scale.clone()),
        },
        &[
            "unit.currency_code: \"BRL\" → none",
            "unit.kind: \"CURRENCY\" → \"SCALE\"",
            "unit.scale_labels: none → [\"red\",\"green\"]",
        ],
    );
    check(
        Event::KpiUpdated {
            id: id("nps"),
            before: of_kind(scale),
            after: of_kind(UnitKind::Percent),
        },
        &[
            "unit.kind: \"SCALE\" → \"PERCENT\"",
            "unit.scale_labels: [\"red\",\"green\"] → none",
        ],
    );
}

#[test]
fn a_value_is_read_beside_the_one_it_supersedes() {
    let recorded = |before: Option<f64>, source: &str, note: &str| {
        Event::MeasurementRecorded(MeasurementRecorded {
            kpi: id("nps"),
            effective_time: Timestamp::from_micros(0),
            value: 4.25,
            source_id: source.into(),
            before,
            note: note.into(),
        })
    };
    let time = "measurement.effective_time: none → \"1970-01-01T00:00:00Z\"";
    check(recorded(None, "", ""), &[time, "measurement.value: none → 4.25"]);
    check(
        recorded(Some(-3.5), "survey", "late"),
        &[
            time,
            "measurement.note: none → \"late\"",
            "measurement.source_id: none → \"survey\"",
            "measurement.value: -3.5 → 4.25",
        ],
    );
    check(recorded(Some(4.25), "", ""), &[time]);
}

#[test]
fn what_is_taken_back_is_read_as_it_was() {
    check(
        Event::MeasurementRetracted {
            kpi: id("nps"),
            effective_time: Timestamp::from_micros(0),
            source_id: "survey".into(),
            before: -3.5,
        },
        &[
            "measurement.effective_time: \"1970-01-01T00:00:00Z\" → none",
            "measurement.source_id: \"survey\" → none",
            "measurement.value: -3.5 → none",
        ],
    );
}

fn opening(kind: AlertKind) -> AlertOpening {
    AlertOpening {
        kind,
        date: date(2026, 2, 2),
        period: Some(Period {
            first: date(2026, 1, 26),
            last: date(2026, 2, 1),
        }),
        value: Some(38.5),
        reference: Some(40.0),
        periods: 2,
        newest: Some(Timestamp::from_micros(0)),
    }
}

#[test]
fn an_alert_is_read_as_what_it_opened_by_and_why_it_closed() {
    let opened = |opening| Event::AlertOpened {
        kpi: id("nps"),
        id: id("breach-42"),
        opening: Box::new(opening),
    };
    check(
        opened(opening(AlertKind::Breach)),
        &[
            "kind: none → \"BREACH\"",
            "period_count: none → 2",
            "period_value.first_date: none → \"2026-01-26\"",
            "period_value.last_date: none → \"2026-02-01\"",
            "period_value.value: none → 38.5",
            "reference_value: none → 40.0",
            "state: none → \"OPEN\"",
        ],
    );
    let running = AlertOpening {
        date: date(2026, 2, 1),
        ..opening(AlertKind::AdverseMove)
    };
    check(
        opened(running),
        &[
            "kind: none → \"ADVERSE_MOVE\"",
            "period_count: none → 2",
            "period_value.first_date: none → \"2026-01-26\"",
            "period_value.last_date: none → \"2026-02-01\"",
            "period_value.provisional: none → true",
            "period_value.value: none → 38.5",
            "reference_value: none → 40.0",
            "state: none → \"OPEN\"",
        ],
    );
    let never_fed = AlertOpening {
        period: None,
        value: None,
        reference: None,
        newest: None,
        periods: 1,
        ..opening(AlertKind::Stale)
    };
    check(
        opened(never_fed),
        &[
            "kind: none → \"STALE\"",
            "period_count: none → 1",
            "state: none → \"OPEN\"",
        ],
    );
    for (reason, said) in [
        (CloseReason::Recovered, "RECOVERED"),
        (CloseReason::Corrected, "CORRECTED"),
        (CloseReason::TargetChanged, "TARGET_CHANGED"),
        (CloseReason::Archived, "ARCHIVED"),
    ] {
        check(
            Event::AlertClosed {
                kpi: id("nps"),
                id: id("breach-42"),
                reason,
            },
            &[
                &format!("close_reason: none → \"{said}\""),
                "state: \"OPEN\" → \"CLOSED\"",
            ],
        );
    }
}

#[test]
fn who_has_seen_an_alert_need_not_say_anything_of_it() {
    let acknowledged = |before: Option<&str>, note| Event::AlertAcknowledged {
        kpi: id("nps"),
        id: id("breach-42"),
        before: before.map(text),
        note: text(note),
    };
    let seen = "acknowledge_time: none → \"1970-01-02T00:00:00Z\"";
    check(acknowledged(None, ""), &[seen]);
    check(
        acknowledged(None, "On it."),
        &["acknowledge_note: none → \"On it.\"", seen],
    );
    check(
        acknowledged(Some("On it."), "Done."),
        &["acknowledge_note: \"On it.\" → \"Done.\""],
    );
}

#[test]
fn an_action_plan_is_read_as_what_was_said_done_and_left_undone() {
    let (nps, breach) = (|| id("nps"), || id("breach-42"));
    let plan = ActionPlan {
        cause: text("The team is too small."),
        text: text("Hire a support manager."),
        owner: Some(id("maria")),
        due_date: Some(date(2026, 3, 31)),
        objective: Some(id("win")),
    };
    let set = |before: Option<&ActionPlan>, after: &ActionPlan| Event::ActionPlanSet {
        kpi: nps(),
        id: breach(),
        before: before.cloned().map(Box::new),
        after: Box::new(after.clone()),
    };
    check(
        set(None, &plan),
        &[
            "action_plan.cause: none → \"The team is too small.\"",
            "action_plan.due_date: none → \"2026-03-31\"",
            "action_plan.objective: none → \"win\"",
            "action_plan.owner: none → \"maria\"",
            "action_plan.text: none → \"Hire a support manager.\"",
        ],
    );
    let nobody = ActionPlan {
        text: text("Hire two."),
        owner: None,
        ..plan.clone()
    };
    check(
        set(Some(&plan), &nobody),
        &[
            "action_plan.owner: \"maria\" → none",
            "action_plan.text: \"Hire a support manager.\" → \"Hire two.\"",
        ],
    );
    let done = "action_plan.complete_time: none → \"1970-01-02T00:00:00Z\"";
    for (note, expected) in [
        ("", &[done][..]),
        (
            "She is here.",
            &["action_plan.complete_note: none → \"She is here.\"", done],
        ),
    ] {
        let completed = Event::ActionPlanCompleted {
            kpi: nps(),
            id: breach(),
            note: text(note),
        };
        check(completed, expected);
    }
    check(
        Event::ActionPlanOverdue {
            kpi: nps(),
            id: breach(),
            due_date: date(2026, 3, 31),
        },
        &["action_plan.overdue: false → true"],
    );
}

#[test]
fn what_was_started_from_a_kpi_is_read_with_its_alert() {
    for (alert, expected) in [
        (
            Some("breach-42"),
            &[
                "started_from_alert: none → \"breach-42\"",
                "started_from_kpi: none → \"nps\"",
            ][..],
        ),
        (None, &["started_from_kpi: none → \"nps\""]),
    ] {
        let fields = [
            "ambition: none → \"COMMITTED\"",
            "cycle: none → \"q1\"",
            "owner: none → \"maria\"",
            "title: none → \"win\"",
            "weight: none → 1.0",
        ];
        check(
            Event::ObjectiveCreated {
                id: id("win"),
                fields: objective_fields(),
                carried_from: None,
                started_from: Some(StartedFrom {
                    kpi: id("nps"),
                    alert: alert.map(id),
                }),
            },
            &[&fields[..], expected].concat(),
        );
    }
}

#[test]
fn the_rules_of_alerts_are_read_by_the_numbers_that_changed() {
    let before = ScoringPolicy::default();
    let after = ScoringPolicy {
        alerts: AlertRules {
            breach_after: 2,
            adverse_move_percent: 0.0,
            ..before.alerts
        },
        ..before
    };
    check(
        Event::ScoringPolicyUpdated {
            before: Box::new(before),
            after: Box::new(after),
        },
        &[
            "alerts.adverse_move_percent: 20.0 → 0.0",
            "alerts.breach_after: 1 → 2",
        ],
    );
}
