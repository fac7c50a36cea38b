//! Rules about targets.

use jiff::civil::date;

use super::*;
use crate::domain::{Aggregation, Cadence, Direction, Effective, Target, Window};

fn nps(direction: Direction, seen: &[f64], goal: fn(&mut Target)) -> Given {
    let mut given = given([
        kpi("nps", |fields| fields.direction = direction),
        target("nps", date(2026, 1, 1), goal),
    ]);
    for (day, seen) in (1..).zip(seen) {
        given = given.on(1, day).and([measured("nps", 1, day, *seen)]);
    }
    given
}

/// "target with no history behind it or beyond what its history reaches": the best that was seen, and once more as far as
/// it ever moved, or 20 % of it.
#[test]
fn a_kpi_target_has_a_history_that_reaches_it() {
    use Direction::{HigherIsBetter, InRange, LowerIsBetter};
    use FindingCode::{TargetBeyondHistory, TargetWithoutHistory};
    let least = |it: &mut Target| it.at_least = Some(value(48.0));
    let most = |it: &mut Target| it.at_most = Some(value(24.0));
    let within = |it: &mut Target| (it.at_least, it.at_most) = (Some(value(10.0)), Some(value(20.0)));
    let january: &[&str] = &["kpis/nps/targets/2026-01-01"];
    for (what, given, without, beyond) in [
        ("nothing seen", nps(HigherIsBetter, &[], least), january, &[][..]),
        ("20 % away", nps(HigherIsBetter, &[40.0], least), &[], &[]),
        (
            "more than 20 % away",
            nps(HigherIsBetter, &[39.9], least),
            &[],
            january,
        ),
        (
            "it moved by as much",
            nps(HigherIsBetter, &[32.0, 16.0], least),
            &[],
            &[],
        ),
        (
            "it moved by less",
            nps(HigherIsBetter, &[32.0, 17.0], least),
            &[],
            january,
        ),
        ("reached", nps(HigherIsBetter, &[60.0], least), &[], &[]),
        ("lower, 20 % away", nps(LowerIsBetter, &[30.0], most), &[], &[]),
        (
            "lower, more than 20 % away",
            nps(LowerIsBetter, &[30.1], most),
            &[],
            january,
        ),
        ("in range", nps(InRange, &[15.0, 99.0], within), &[], &[]),
        ("far above the range", nps(InRange, &[99.0], within), &[], january),
    ] {
        check(TargetWithoutHistory, [(what, given.clone(), without)]);
        check(TargetBeyondHistory, [(what, given, beyond)]);
    }
}

#[test]
fn of_the_targets_of_a_kpi_the_one_in_force_and_those_to_come_are_looked_at() {
    let given = given([kpi("nps", |_| {})])
        .and([(1, 1), (1, 10), (6, 1)].map(|(month, day)| {
            target("nps", date(2026, month, day), |it| {
                it.at_least = Some(value(50.0))
            })
        }))
        .on(1, 15);
    assert_eq!(
        found(&given, FindingCode::TargetWithoutHistory),
        ["kpis/nps/targets/2026-01-10", "kpis/nps/targets/2026-06-01"]
    );
    let deleted = given.and([delete("kpis/nps")]);
    assert!(found(&deleted, FindingCode::TargetWithoutHistory).is_empty());
}

/// The same of METRIC key results that a KPI measures.
#[test]
fn a_key_results_target_has_a_history_that_reaches_it() {
    use FindingCode::{TargetBeyondHistory, TargetWithoutHistory};
    let metric_of = |seen: Option<f64>, baseline: f64, goal: f64| {
        let seen = seen.map(|seen| measured("nps", 1, 1, seen));
        running(Preset::Full).and([kpi("nps", |_| {})]).and(seen).and([
            objective("win", |_| {}),
            key_result("win/one", |fields| {
                fields.kpi = Some(id("nps"));
                fields.kind = metric(Some(baseline), goal);
            }),
        ])
    };
    let one: &[&str] = &["objectives/win/keyResults/one"];
    for (what, given, without, beyond) in [
        ("nothing seen", metric_of(None, 32.0, 48.0), one, &[][..]),
        ("20 % away", metric_of(Some(40.0), 40.0, 48.0), &[], &[]),
        ("far away", metric_of(Some(32.0), 32.0, 48.0), &[], one),
        (
            "no KPI",
            running(Preset::Full).and([objective("win", |_| {}), key_result("win/one", |_| {})]),
            &[],
            &[],
        ),
        (
            "a deleted KPI",
            metric_of(Some(32.0), 32.0, 48.0).and([delete("kpis/nps")]),
            &[],
            &[],
        ),
    ] {
        check(TargetWithoutHistory, [(what, given.clone(), without)]);
        check(TargetBeyondHistory, [(what, given, beyond)]);
    }
}

/// A sum over a cycle is compared with sums over as many days, not with single periods.
#[test]
fn a_sum_over_a_cycle_is_compared_with_sums_of_its_length() {
    let revenue = |goal: f64| {
        let of_day = |day: jiff::civil::Date| measurement("revenue", Effective::On(day), 10.0);
        // Every day of the 60 before the cycle brings 10.
        let days = date(2025, 11, 2).series(jiff::ToSpan::days(1)).take(60);
        given([
            cycle("jan", date(2026, 1, 1), date(2026, 1, 30), None),
            kpi("revenue", |fields| {
                fields.aggregation = Aggregation::Sum;
                fields.cadence = Cadence::Daily;
            }),
            Command::RecordMeasurements(days.map(of_day).collect()),
            objective("win", |fields| fields.cycle = id("jan")),
            key_result("win/one", |fields| {
                fields.kpi = Some(id("revenue"));
                fields.window = Window::Cycle;
                fields.kind = metric(None, goal);
            }),
        ])
    };
    let one: &[&str] = &["objectives/win/keyResults/one"];
    check(
        FindingCode::TargetBeyondHistory,
        [
            ("360 after 300 and 300", revenue(360.0), &[][..]),
            ("400", revenue(400.0), one),
        ],
    );
}
