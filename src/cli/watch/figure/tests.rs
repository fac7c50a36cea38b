//! Changes in, lines out.

use super::*;
use crate::proto::api::resource::Resource;

fn directory() -> Directory {
    let mut directory = Directory::default();
    let minutes = api::Unit {
        symbol: "min".to_owned(),
        ..api::Unit::default()
    };
    directory.resource(&api::Resource {
        resource: Some(Resource::Kpi(api::Kpi {
            name: "w/a/kpis/k".to_owned(),
            title: "Reply time".to_owned(),
            unit: Some(minutes),
            ..api::Kpi::default()
        })),
    });
    directory
}

fn text(resource: &str, figure_of: Figure) -> Option<String> {
    let change = api::DerivedChange {
        resource: resource.to_owned(),
        figure: Some(figure_of),
    };
    figure(&change, &directory()).map(|said| said.text)
}

fn key_result(current: Option<f64>, score: f64, status: api::Status) -> Option<api::KeyResultProgress> {
    let mut progress = api::KeyResultProgress {
        current,
        score,
        ..api::KeyResultProgress::default()
    };
    progress.set_status(status);
    Some(progress)
}

fn objective(score: Option<f64>, expected: f64, status: api::Status) -> Option<api::ObjectiveProgress> {
    let mut progress = api::ObjectiveProgress {
        score,
        expected: Some(expected),
        ..api::ObjectiveProgress::default()
    };
    progress.set_status(status);
    Some(progress)
}

fn kpi(period: Option<f64>, health: api::Health, stale: bool) -> Option<api::KpiHealth> {
    let mut message = api::KpiHealth {
        period_value: period.map(|value| api::PeriodValue {
            value,
            ..api::PeriodValue::default()
        }),
        stale,
        ..api::KpiHealth::default()
    };
    message.set_health(health);
    Some(message)
}

#[test]
fn a_key_result_says_value_score_and_status_where_they_differ() {
    use api::Status::{AtRisk, Behind, OnTrack};
    for (before, after, line) in [
        (
            key_result(None, 0.0, OnTrack),
            key_result(None, 0.0, OnTrack),
            None,
        ),
        (
            key_result(Some(4.0), 0.4, OnTrack),
            key_result(Some(5.0), 0.5, Behind),
            Some("4 → 5, score 0.40 → 0.50, on track → behind"),
        ),
        (
            None,
            key_result(None, 0.0, AtRisk),
            Some("score – → 0.00, AT RISK"),
        ),
        (
            key_result(None, 0.5, AtRisk),
            None,
            Some("score 0.50 → –, AT RISK no more"),
        ),
        (
            key_result(None, 0.401, OnTrack),
            key_result(None, 0.402, OnTrack),
            Some("score 0.4010 → 0.4020"),
        ),
    ] {
        let change = Figure::KeyResult(api::KeyResultChange { before, after });
        let line = line.map(|line| format!("key result r: {line}"));
        assert_eq!(text("w/a/objectives/o/keyResults/r", change), line);
    }
}

#[test]
fn an_expectation_that_moves_alone_is_no_line() {
    use api::Status::{AtRisk, OnTrack};
    for (before, after, line) in [
        (
            objective(Some(0.5), 0.1, OnTrack),
            objective(Some(0.5), 0.2, OnTrack),
            None,
        ),
        (
            objective(Some(0.5), 0.1, OnTrack),
            objective(Some(0.5), 0.9, AtRisk),
            Some("objective o: on track → AT RISK".to_owned()),
        ),
    ] {
        let change = Figure::Objective(api::ObjectiveChange { before, after });
        assert_eq!(text("w/a/objectives/o", change), line);
    }
}

#[test]
fn a_kpi_says_its_period_value_in_its_unit_and_its_health() {
    use api::Health::{Breached, NoData, Watch};
    for (before, after, line) in [
        (kpi(Some(38.0), Watch, false), kpi(Some(38.0), Watch, false), None),
        (
            kpi(Some(38.0), Watch, false),
            kpi(Some(41.0), Breached, false),
            Some("38 min → 41 min, watch → BREACHED"),
        ),
        (None, kpi(None, NoData, false), Some("no data")),
        (
            kpi(None, NoData, false),
            kpi(None, NoData, true),
            Some("its value is overdue"),
        ),
        (
            kpi(None, NoData, true),
            kpi(Some(1.0), NoData, false),
            Some("– → 1 min, its value is there"),
        ),
    ] {
        let change = Figure::Kpi(api::KpiChange { before, after });
        let line = line.map(|line| format!("KPI Reply time: {line}"));
        assert_eq!(text("w/a/kpis/k", change), line);
    }
}

#[test]
fn a_score_says_whose_it_is() {
    let score = |before, after| Figure::Score(api::ScoreChange { before, after });
    assert_eq!(
        text("workspaces/a", score(None, Some(0.5))).as_deref(),
        Some("workspace: – → 0.50")
    );
    assert_eq!(
        text("w/a/cycles/q4", score(Some(0.5), None)).as_deref(),
        Some("cycle q4: 0.50 → –")
    );
    assert_eq!(text("w/a/cycles/q4", score(Some(0.5), Some(0.5))), None);
    let team = Figure::TeamScore(api::TeamScoreChange {
        cycle: "w/a/cycles/q4".to_owned(),
        before: Some(0.25),
        after: Some(0.5),
    });
    assert_eq!(
        text("w/a/teams/sales", team).as_deref(),
        Some("team sales in cycle q4: 0.25 → 0.50")
    );
}

#[test]
fn a_foundation_says_what_it_was_and_is() {
    use api::Foundation::{Solid, Unknown, Weak};
    for (before, after, line) in [
        (Solid, Weak, Some("objective o: foundation solid → WEAK")),
        (Unknown, Solid, Some("objective o: foundation unknown → solid")),
        (Weak, Weak, None),
    ] {
        let mut change = api::FoundationChange::default();
        change.set_before(before);
        change.set_after(after);
        let change = Figure::Foundation(change);
        assert_eq!(text("w/a/objectives/o", change).as_deref(), line);
    }
}

#[test]
fn of_an_alert_only_the_opening_and_the_closing_are_figures() {
    use api::alert::State::{Closed, Open};
    let alert = |state: api::alert::State| {
        let mut alert = api::Alert::default();
        alert.set_state(state);
        alert.set_kind(api::alert::Kind::Stale);
        alert.set_close_reason(api::alert::CloseReason::Corrected);
        Some(alert)
    };
    for (before, after, line) in [
        (
            None,
            alert(Open),
            Some("alert (no new value): KPI Reply time asks for action"),
        ),
        (
            alert(Open),
            alert(Closed),
            Some("alert stale-3 is over: KPI Reply time was measured otherwise"),
        ),
        (alert(Open), alert(Open), None),
        (alert(Open), None, None),
    ] {
        let change = Figure::Alert(api::AlertChange { before, after });
        assert_eq!(text("w/a/kpis/k/alerts/stale-3", change).as_deref(), line);
    }
}

#[test]
fn what_is_there_says_how_it_stands() {
    let resource = |resource| api::Resource {
        resource: Some(resource),
    };
    let kpi_is = api::Kpi {
        name: "w/a/kpis/k".to_owned(),
        health: kpi(Some(41.0), api::Health::Breached, false),
        ..api::Kpi::default()
    };
    let objective_is = api::Objective {
        name: "w/a/objectives/o".to_owned(),
        ..api::Objective::default()
    };
    for (resource, line) in [
        (
            resource(Resource::Kpi(kpi_is)),
            "KPI Reply time: 41 min, BREACHED",
        ),
        (resource(Resource::Objective(objective_is)), "objective o"),
    ] {
        let (_, said) = standing(&resource, &directory()).expect("a resource");
        assert_eq!(said.text, line);
    }
    assert_eq!(standing(&api::Resource::default(), &directory()), None);
}
