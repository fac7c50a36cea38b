//! Messages in, picture out.

use prost_types::value::Kind;

use super::*;

const KPI: &str = "workspaces/a/kpis/k";

fn update(revision: i64, events: Vec<api::Event>, figures: Vec<(&str, Figure)>) -> api::Update {
    let derived_changes = figures.into_iter().map(|(resource, figure)| api::DerivedChange {
        resource: resource.to_owned(),
        figure: Some(figure),
    });
    api::Update {
        commit: Some(api::Commit {
            revision,
            ..api::Commit::default()
        }),
        events,
        derived_changes: derived_changes.collect(),
        ..api::Update::default()
    }
}

fn event(kind: &str, resource: &str, after: &[(&str, Kind)]) -> api::Event {
    let changes = after.iter().map(|(path, kind)| api::FieldChange {
        path: (*path).to_owned(),
        before: None,
        after: Some(prost_types::Value {
            kind: Some(kind.clone()),
        }),
    });
    api::Event {
        r#type: kind.to_owned(),
        resource: resource.to_owned(),
        changes: changes.collect(),
        ..api::Event::default()
    }
}

fn text(text: &str) -> Kind {
    Kind::StringValue(text.to_owned())
}

fn health(health: api::Health) -> api::KpiHealth {
    let mut message = api::KpiHealth::default();
    message.set_health(health);
    message
}

fn health_change(before: Option<api::Health>, after: api::Health) -> Figure {
    Figure::Kpi(api::KpiChange {
        before: before.map(health),
        after: Some(health(after)),
    })
}

#[test]
fn a_kpi_is_known_from_its_events_alone() {
    let mut picture = Picture::default();
    let created = event(
        "KpiCreated",
        KPI,
        &[
            ("title", text("Revenue")),
            ("unit.kind", text("CURRENCY")),
            ("unit.currency_code", text("BRL")),
            ("unit.decimals", Kind::NumberValue(0.0)),
        ],
    );
    let target = format!("{KPI}/targets/2026-01-01");
    let target_set = event("TargetSet", &target, &[("at_least", Kind::NumberValue(5.0))]);
    let mut measured = event(
        "MeasurementRecorded",
        KPI,
        &[("measurement.value", Kind::NumberValue(4.0))],
    );
    measured.effective_time = Some(prost_types::Timestamp { seconds: 7, nanos: 0 });
    picture.update(&update(3, vec![created, target_set, measured], Vec::new()));

    let kpi = &picture.kpis[KPI];
    assert_eq!((picture.revision, kpi.title.as_str()), (3, "Revenue"));
    assert_eq!(
        (kpi.unit.kind(), kpi.unit.currency_code.as_str()),
        (api::unit::Kind::Currency, "BRL")
    );
    assert_eq!(kpi.unit.decimals, Some(0));
    assert_eq!(kpi.series, BTreeMap::from([((7, 0), 4.0)]));
    assert_eq!(picture.targets[&target].at_least, Some(5.0));
}

#[test]
fn a_later_value_of_the_same_moment_takes_its_place() {
    let mut picture = Picture::default();
    for value in [4.0, 6.0] {
        let mut measured = event(
            "MeasurementRecorded",
            KPI,
            &[("measurement.value", Kind::NumberValue(value))],
        );
        measured.effective_time = Some(prost_types::Timestamp { seconds: 7, nanos: 0 });
        picture.update(&update(1, vec![measured], Vec::new()));
    }
    assert_eq!(picture.kpis[KPI].series, BTreeMap::from([((7, 0), 6.0)]));
}

#[test]
fn a_kpi_that_was_breached_recovers_when_it_is_healthy_and_not_before() {
    use api::Health::{Breached, Healthy, Watch};
    let mut picture = Picture::default();
    let mut before = None;
    for (after, recovers) in [
        (Healthy, None),
        (Watch, Some(false)),
        (Healthy, Some(false)),
        (Breached, Some(false)),
        (Watch, Some(false)),
        (Healthy, Some(true)),
        (Watch, Some(false)),
        (Healthy, Some(false)),
    ] {
        let change = health_change(before, after);
        let notable = picture.update(&update(1, Vec::new(), vec![(KPI, change)]));
        let recovered = notable.first().map(|notable| match notable {
            Notable::Health { recovered, .. } => *recovered,
            other => panic!("{other:?}"),
        });
        assert_eq!(recovered, recovers, "{after:?}");
        before = Some(after);
    }
    assert_eq!(picture.contradiction, None);
}

#[test]
fn an_alert_that_is_over_is_told_with_what_it_was_about() {
    let alert = format!("{KPI}/alerts/breach-3");
    let closed = event(
        "AlertClosed",
        &alert,
        &[("state", text("CLOSED")), ("close_reason", text("RECOVERED"))],
    );
    let over = |about| Notable::Asked {
        kpi: KPI.to_owned(),
        about,
        why: api::alert::CloseReason::Recovered,
    };
    let mut picture = Picture::default();
    let opened = event(
        "AlertOpened",
        &alert,
        &[("kind", text("BREACH")), ("state", text("OPEN"))],
    );
    let about = api::alert::Kind::Breach;
    let asks = Notable::Asks {
        kpi: KPI.to_owned(),
        about,
    };
    assert_eq!(picture.update(&update(1, vec![opened], Vec::new())), [asks]);
    let told = picture.update(&update(2, vec![closed.clone()], Vec::new()));
    assert_eq!(told, [over(about)]);

    // Also where it was open before the subscription began.
    let mut open = api::Alert {
        name: alert,
        ..api::Alert::default()
    };
    open.set_kind(api::alert::Kind::Stale);
    open.set_state(api::alert::State::Open);
    picture.resource(api::Resource {
        resource: Some(Resource::Alert(open)),
    });
    let told = picture.update(&update(3, vec![closed], Vec::new()));
    assert_eq!(told, [over(api::alert::Kind::Stale)]);
    assert_eq!(picture.alerts, BTreeMap::new());
}

#[test]
fn a_unit_is_known_from_the_events_paths_and_a_scale_by_its_labels() {
    let labels = ["bad", "good"].map(|label| prost_types::Value {
        kind: Some(text(label)),
    });
    let labels = prost_types::ListValue {
        values: labels.to_vec(),
    };
    let created = event(
        "KpiCreated",
        KPI,
        &[
            ("unit.kind", text("SCALE")),
            ("unit.scale_labels", Kind::ListValue(labels)),
        ],
    );
    let mut picture = Picture::default();
    picture.update(&update(1, vec![created], Vec::new()));
    let unit = &picture.kpis[KPI].unit;
    assert_eq!(
        (unit.kind(), unit.scale_labels.as_slice()),
        (api::unit::Kind::Scale, &["bad".to_owned(), "good".to_owned()][..])
    );
}

#[test]
fn a_figure_that_changes_from_what_it_was_not_is_a_contradiction() {
    let mut picture = Picture::default();
    let change = health_change(None, api::Health::Healthy);
    picture.update(&update(1, Vec::new(), vec![(KPI, change)]));
    let change = health_change(Some(api::Health::Watch), api::Health::Breached);
    picture.update(&update(2, Vec::new(), vec![(KPI, change)]));
    let contradiction = picture.contradiction.expect("a contradiction");
    assert!(
        contradiction.starts_with("revision 2 changes workspaces/a/kpis/k"),
        "{contradiction}"
    );
}

#[test]
fn a_snapshot_and_the_events_of_the_same_resources_are_one_picture() {
    let name = "workspaces/a/objectives/o/keyResults/r";
    let mut from_snapshot = Picture::default();
    let metric = api::Metric {
        baseline: Some(48.0),
        target: Some(30.0),
        ..api::Metric::default()
    };
    from_snapshot.resource(api::Resource {
        resource: Some(Resource::KeyResult(api::KeyResult {
            name: name.to_owned(),
            title: "Reply time".to_owned(),
            kpi: KPI.to_owned(),
            kind: Some(api::key_result::Kind::Metric(metric)),
            confidence: Some(0.5),
            ..api::KeyResult::default()
        })),
    });
    let mut from_events = Picture::default();
    let created = event(
        "KeyResultCreated",
        name,
        &[
            ("title", text("Reply time")),
            ("kpi", text("k")),
            ("metric.baseline.value", Kind::NumberValue(48.0)),
            ("metric.target", Kind::NumberValue(30.0)),
        ],
    );
    let check_in = format!("{name}/checkIns/c");
    let checked_in = event(
        "CheckInRecorded",
        &check_in,
        &[("confidence", Kind::NumberValue(0.5))],
    );
    from_events.update(&update(0, vec![created, checked_in], Vec::new()));
    assert_eq!(from_events, from_snapshot);
}

#[test]
fn what_a_newer_server_tells_is_left_out() {
    let mut picture = Picture::default();
    let notable = picture.update(&update(9, vec![event("SomethingNew", KPI, &[])], Vec::new()));
    assert_eq!(notable, Vec::new());
    let expected = Picture {
        revision: 9,
        ..Picture::default()
    };
    assert_eq!(picture, expected);
}

#[test]
fn what_leaves_is_forgotten_and_what_comes_in_is_as_it_is_behind_the_commit() {
    let kpi = |title: &str| api::Resource {
        resource: Some(Resource::Kpi(api::Kpi {
            name: KPI.to_owned(),
            title: title.to_owned(),
            health: Some(health(api::Health::Watch)),
            ..api::Kpi::default()
        })),
    };
    let mut picture = Picture::default();
    picture.resource(kpi("Before"));
    let change = health_change(Some(api::Health::Watch), api::Health::Watch);
    let changed = api::Update {
        changed: vec![kpi("After")],
        ..update(2, Vec::new(), vec![(KPI, change)])
    };
    picture.update(&changed);
    assert_eq!(picture.kpis[KPI].title, "After");
    let moved = api::Update {
        entered: vec![kpi("Back")],
        left: vec![KPI.to_owned()],
        ..update(3, Vec::new(), Vec::new())
    };
    picture.update(&moved);
    assert_eq!(picture.kpis[KPI].title, "Back");
    let left = api::Update {
        left: vec![KPI.to_owned()],
        ..update(4, Vec::new(), Vec::new())
    };
    picture.update(&left);
    assert_eq!(picture.kpis, BTreeMap::new());
    assert_eq!(picture.contradiction, None);
}

#[test]
fn an_alert_needs_action_until_somebody_has_a_plan() {
    let name = format!("{KPI}/alerts/breach-3");
    let alert = |needs_action, state: api::alert::State| {
        let mut alert = api::Alert {
            name: name.clone(),
            needs_action,
            ..api::Alert::default()
        };
        alert.set_state(state);
        Some(alert)
    };
    let needs_action = |picture: &Picture| picture.alerts.get(&name).map(|alert| alert.needs_action);
    let mut picture = Picture::default();
    let opened = event("AlertOpened", &name, &[("state", text("OPEN"))]);
    picture.update(&update(1, vec![opened], Vec::new()));
    assert_eq!(needs_action(&picture), Some(true));
    picture.update(&update(2, vec![event("ActionPlanSet", &name, &[])], Vec::new()));
    assert_eq!(needs_action(&picture), Some(false));
    // The same without events, as a net change has it.
    use api::alert::State::{Closed, Open};
    for (after, needs) in [
        (alert(true, Open), Some(true)),
        (alert(false, Open), Some(false)),
        (alert(false, Closed), None),
    ] {
        let change = Figure::Alert(api::AlertChange { before: None, after });
        picture.update(&update(3, Vec::new(), vec![(&name, change)]));
        assert_eq!(needs_action(&picture), needs);
    }
}
