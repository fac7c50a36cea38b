//! Measurements that are corrected, retracted, recorded again; and a KPI that takes no more of them.

use super::super::given::*;
use super::super::{Cadence, Command, Direction, Effective, Health, Rejection, Unit, UnitKind, Workspace};

/// KPI `k` on 10 January with a value of the 8th that superseded another, and one of a source.
fn fed() -> Given {
    given(aimed("k", at_least(5.0), |f| f.grace_days = 300))
        .on(1, 10)
        .and([
            measured("k", 1, 8, 1.0),
            measured("k", 1, 8, 7.0),
            Command::RecordMeasurements(vec![from_source("k", (1, 8), "deal-7", 3.0)]),
        ])
}

const DEALS: [&str; 3] = ["", "deal-7", "deal-8"];

fn values(given: &Given) -> Vec<(&'static str, f64)> {
    given
        .points("k", &DEALS)
        .into_iter()
        .map(|(_, source, number)| (source, number))
        .collect()
}

/// "A later recording for the same identity *supersedes*, a retraction *removes*": what was superseded does not come back,
/// and the identity is free again.
#[test]
fn a_retraction_removes_an_identity_and_brings_nothing_back() {
    let given = fed();
    assert_eq!(values(&given), [("", 7.0), ("deal-7", 3.0)]);
    let retract = |source: &str| retract_at("k", at(2026, 1, 8, 12), source);
    assert_eq!(given.when(retract("")), Ok(vec!["MeasurementRetracted"]));
    let one = given.and([retract("")]);
    assert_eq!(values(&one), [("deal-7", 3.0)], "1 does not come back");
    assert_eq!(one.when(retract("")), Err("MEASUREMENT_NOT_FOUND"));
    let none = one.and([retract("deal-7")]);
    assert_eq!((values(&none), none.kpi("k").health), (vec![], Health::NoData));
    let again = none.and([measured("k", 1, 8, 7.0)]);
    assert_eq!(values(&again), [("", 7.0)], "recorded again");
    assert_eq!(again.kpi("k").health, Health::Healthy);
    assert_eq!(again.when(measured("k", 1, 8, 7.0)), Ok(vec![]));
}

/// A correction puts right what is known, and only that; the same value records nothing.
#[test]
fn a_correction_is_of_what_is_known() {
    let given = fed();
    let of_source = |source: &str, number: f64| {
        Command::CorrectMeasurement(Box::new(from_source("k", (1, 8), source, number)))
    };
    let ahead = Command::CorrectMeasurement(Box::new(from_source("k", (1, 11), "", 1.0)));
    let not_there = [
        of_source("deal-8", 1.0),
        correct_measured("k", 1, 9, 1.0),
        retract_measured("k", 1, 9),
        retract_at("k", at(2026, 1, 8, 12), "deal-8"),
    ];
    for command in not_there {
        assert_eq!(
            given.when(command.clone()),
            Err("MEASUREMENT_NOT_FOUND"),
            "{command:?}"
        );
    }
    for (command, outcome) in [
        (correct_measured("k", 1, 8, 9.0), Ok(vec!["MeasurementRecorded"])),
        (correct_measured("k", 1, 8, 7.0), Ok(vec![])),
        (
            of_source("deal-7", 7.0),
            Ok(vec!["MeasurementRecorded", "AlertClosed"]),
        ),
        (of_source("deal-7", 3.0), Ok(vec![])),
        (correct_measured("x", 1, 8, 9.0), Err("NOT_FOUND")),
        (ahead, Err("EFFECTIVE_TIME_IN_FUTURE")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let corrected = given.and([correct_measured("k", 1, 8, 2.0)]);
    assert_eq!(values(&corrected), [("", 2.0), ("deal-7", 3.0)]);
    let counted = super::super::given::given([kpi("k", |f| {
        f.unit = Unit::parse(UnitKind::Count, "", None).unwrap()
    })])
    .and([measured("k", 1, 1, 1.0)]);
    assert_eq!(
        counted.when(correct_measured("k", 1, 1, 1.5)),
        Err("INVALID_FIELD"),
        "no count"
    );
}

/// "Unit, direction, cadence and aggregation are fixed after the first measurement", also when all of them are retracted.
#[test]
fn a_kpi_whose_values_are_all_retracted_stays_what_it_is() {
    let given = given([kpi("k", |_| {})]).and([measured("k", 1, 1, 1.0), retract_measured("k", 1, 1)]);
    let percent = Unit::parse(UnitKind::Percent, "", None).unwrap();
    for change in [
        update_kpi("k", |p| p.unit = Some(percent)),
        update_kpi("k", |p| p.direction = Some(Direction::LowerIsBetter)),
        update_kpi("k", |p| p.cadence = Some(Cadence::Weekly)),
        update_kpi("k", |p| p.aggregation = Some(super::super::Aggregation::Sum)),
        update_kpi("k", |p| {
            p.transform = Some(Some(super::super::Transform::ChangePercent))
        }),
    ] {
        assert_eq!(given.when(change), Err("KPI_HAS_MEASUREMENTS"));
    }
    assert_eq!(
        given.when(update_kpi("k", |p| p.grace_days = Some(1))),
        Ok(vec!["KpiUpdated"])
    );
    assert_eq!(
        given.when(measured("k", 1, 1, 1.0)),
        Ok(vec!["MeasurementRecorded"])
    );
}

/// An archived KPI takes no value, no target and no link any more; it can be described, deleted, unarchived.
#[test]
fn an_archived_kpi_is_at_rest() {
    let linked = |f: &mut super::super::KeyResultFields| f.kpi = Some(id("k"));
    let given = fed().and(q1()).and([
        objective("win", |_| {}),
        key_result("win/before", linked),
        key_result("win/plain", |_| {}),
        archive("k"),
    ]);
    let link = update_key_result("win/plain", |p| p.kpi = Some(Some(id("k"))));
    let now = Command::RecordMeasurements(vec![measurement("k", Effective::Now, 1.0)]);
    let batch = Command::RecordMeasurements(vec![
        measurement("k", Effective::Now, 1.0),
        from_source("k", (1, 9), "", 1.0),
    ]);
    for refused in [
        now,
        batch,
        measured("k", 1, 8, 7.0),
        correct_measured("k", 1, 8, 9.0),
        retract_measured("k", 1, 8),
        aim("k", day(1, 1), at_least(9.0)),
        aim_no_more("k", day(1, 1)),
        start_objective("k", "new", |_| {}),
        key_result("win/new", linked),
        link,
    ] {
        assert_eq!(given.when(refused.clone()), Err("KPI_ARCHIVED"), "{refused:?}");
    }
    for (command, outcome) in [
        (archive("k"), Ok(vec![])),
        (unarchive("k"), Ok(vec!["KpiUnarchived", "AlertOpened"])),
        (
            update_kpi("k", |p| p.title = Some(title("Former"))),
            Ok(vec!["KpiUpdated"]),
        ),
        (delete("kpis/k"), Ok(vec!["KpiDeleted"])),
        (
            update_key_result("win/before", |p| p.title = Some(title("Former"))),
            Ok(vec!["KeyResultUpdated"]),
        ),
        (
            kpi("next", |f| f.replaces = Some(id("k"))),
            Ok(vec!["KpiCreated"]),
        ),
        (archive("x"), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    assert_eq!(
        given.kpi("k").health,
        Health::Breached,
        "it is judged as ever: deal-7 was the last of the moment"
    );
    let back = given.and([unarchive("k")]);
    assert_eq!(back.when(unarchive("k")), Ok(vec![]));
    assert_eq!(
        back.when(correct_measured("k", 1, 8, 9.0)),
        Ok(vec!["MeasurementRecorded"])
    );
}

/// What is retracted or corrected moves what is linked, in the same commit.
#[test]
fn a_linked_key_result_follows_a_retraction() {
    let given = given(q1())
        .and([
            kpi("k", |_| {}),
            objective("win", |_| {}),
            key_result("win/k", |f| f.kpi = Some(id("k"))),
            activate("win"),
        ])
        .on(1, 10)
        .and([measured("k", 1, 8, 5.0), measured("k", 1, 9, 8.0)]);
    let score = |workspace: &Workspace| {
        super::super::score_objective(workspace, &id("win"))
            .unwrap()
            .score
    };
    assert_eq!(score(&given.workspace), Some(0.8));
    let retracted = given.clone().and([retract_measured("k", 1, 9)]);
    assert_eq!(score(&retracted.workspace), Some(0.5));
    let none = retracted.and([retract_measured("k", 1, 8)]);
    assert_eq!(score(&none.workspace), Some(0.0), "not started");
    assert_eq!(
        score(&given.and([correct_measured("k", 1, 9, 9.0)]).workspace),
        Some(0.9)
    );
}

/// "a refusal names each bad element by index": also the repeat of one that is refused.
#[test]
fn a_repeat_of_what_is_refused_is_refused_too() {
    let given = given([kpi("k", |fields| fields.unit.kind = UnitKind::Count)]);
    let batch = [2.5, 2.5, 3.0].iter().zip([1, 1, 2]);
    let batch = batch.map(|(number, hour)| measurement("k", Effective::At(at(2026, 1, 1, hour)), *number));
    let refused = given.refused(&Command::RecordMeasurements(batch.collect()));
    let Rejection::Elements { list: _, refused } = refused else {
        panic!("another refusal: {refused}");
    };
    let indices: Vec<usize> = refused.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [0, 1]);
}
