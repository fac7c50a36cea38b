//! Targets: dated, carried forward, moving on a ramp; how a value is judged by them.

use jiff::civil::Date;

use super::super::given::*;
use super::super::{
    Aggregation, AlertKind, Cadence, Direction, Health, Ramp, Target, Transform, Unit, UnitKind, judge,
};
use super::fields;

fn scale() -> Unit {
    let labels = ["red", "yellow", "green"].map(str::to_owned);
    Unit::parse(UnitKind::scale(&labels).unwrap(), "", None).unwrap()
}

/// "Targets are dated: a target holds from its date until the next one; a period value is judged by the target in force on
/// the period's last day."
#[test]
fn a_target_holds_from_its_date_until_the_next_one() {
    let given = given([
        kpi("k", |_| {}),
        aim("k", day(1, 10), at_least(50.0)),
        aim("k", day(1, 20), at_least(60.0)),
    ])
    .on(1, 31);
    for (on, health, target) in [
        (1, Health::NoTarget, None),
        (9, Health::NoTarget, None),
        (10, Health::Healthy, Some(day(1, 10))),
        (19, Health::Healthy, Some(day(1, 10))),
        (20, Health::Breached, Some(day(1, 20))),
        (31, Health::Breached, Some(day(1, 20))),
    ] {
        let found = given.clone().and([measured("k", 1, on, 55.0)]).kpi("k");
        assert_eq!((found.health, found.target), (health, target), "on {on} January");
    }
    let monthly = |on: Date| {
        super::super::given::given([
            kpi("k", |f| f.cadence = Cadence::Monthly),
            aim("k", on, at_least(50.0)),
        ])
        .on(3, 1)
        .and([measured("k", 1, 5, 40.0)])
        .kpi("k")
        .health
    };
    assert_eq!(monthly(day(1, 31)), Health::Breached, "in force on its last day");
    assert_eq!(monthly(day(2, 1)), Health::NoTarget);
}

/// "HIGHER: ≥ target HEALTHY, ≥ critical WATCH, else BREACHED; LOWER mirrored; IN_RANGE inside / within the critical range /
/// outside. Equality is healthy. Critical absent: no WATCH band." "Every comparison with a threshold allows 1e-9 in the
/// owner's favour."
#[test]
fn a_value_is_judged_by_its_direction_and_every_bound_holds_what_equals_it() {
    use Direction::{HigherIsBetter, InRange, LowerIsBetter};
    use Health::{Breached, Healthy, Watch};
    let critical = |least: Option<f64>, most: Option<f64>, target: Target| Target {
        critical_at_least: least.map(value),
        critical_at_most: most.map(value),
        ..target
    };
    let (near, far) = (0.9e-9, 1.2e-9);
    let up = critical(Some(40.0), None, at_least(50.0));
    let down = critical(None, Some(45.0), at_most(30.0));
    let range = critical(Some(0.0), Some(3.0), within(1.0, 2.0));
    let upper = critical(None, Some(3.0), within(1.0, 2.0));
    let loss = critical(Some(-20.0), None, at_least(-10.0));
    let splendid = Target {
        stretch: Some(value(99.0)),
        ..at_least(50.0)
    };
    let cases = [
        (
            up,
            HigherIsBetter,
            vec![(50.0, Healthy), (50.0 - near, Healthy), (50.0 - far, Watch)],
        ),
        (
            up,
            HigherIsBetter,
            vec![(40.0, Watch), (40.0 - near, Watch), (40.0 - far, Breached)],
        ),
        (
            at_least(50.0),
            HigherIsBetter,
            vec![(50.0 - near, Healthy), (50.0 - far, Breached)],
        ),
        (
            down,
            LowerIsBetter,
            vec![(30.0, Healthy), (30.0 + near, Healthy), (30.0 + far, Watch)],
        ),
        (
            down,
            LowerIsBetter,
            vec![(45.0, Watch), (45.0 + near, Watch), (45.0 + far, Breached)],
        ),
        (
            at_most(30.0),
            LowerIsBetter,
            vec![(30.0, Healthy), (-5.0, Healthy), (30.0 + far, Breached)],
        ),
        (
            range,
            InRange,
            vec![
                (1.0, Healthy),
                (2.0, Healthy),
                (1.0 - near, Healthy),
                (2.0 + near, Healthy),
            ],
        ),
        (
            range,
            InRange,
            vec![
                (1.0 - far, Watch),
                (2.0 + far, Watch),
                (0.0 - near, Watch),
                (3.0 + near, Watch),
            ],
        ),
        (range, InRange, vec![(0.0 - far, Breached), (3.0 + far, Breached)]),
        // Where one side has no critical bound, its target is the last line.
        (
            upper,
            InRange,
            vec![(2.5, Watch), (3.5, Breached), (0.9, Breached)],
        ),
        (
            within(1.0, 2.0),
            InRange,
            vec![(1.5, Healthy), (0.9, Breached), (2.1, Breached)],
        ),
        (
            within(1.0, 1.0),
            InRange,
            vec![(1.0, Healthy), (1.0 + far, Breached)],
        ),
        (
            loss,
            HigherIsBetter,
            vec![(-10.0, Healthy), (-10.1, Watch), (-20.1, Breached)],
        ),
        // A stretch is never judged.
        (splendid, HigherIsBetter, vec![(50.0, Healthy), (49.0, Breached)]),
    ];
    for (target, direction, values) in cases {
        for (number, expected) in values {
            assert_eq!(
                judge(&target, direction, number),
                expected,
                "{number} against {target:?}"
            );
        }
    }
}

/// "optionally a ramp 'reach x by date'": the bounds lie on a straight line from the target's date on; past the ramp's date
/// they stay; what the ramp does not name stays where it is.
#[test]
fn the_bounds_of_a_ramp_move_in_a_straight_line() {
    let up = Target {
        critical_at_least: Some(value(10.0)),
        stretch: Some(value(70.0)),
        ramp: Some(ramp(day(1, 31), |r| r.at_least = Some(value(60.0)))),
        ..at_least(30.0)
    };
    let both = Target {
        ramp: Some(ramp(day(1, 31), |r| {
            (r.at_least, r.critical_at_least) = (Some(value(60.0)), Some(value(40.0)));
        })),
        ..up
    };
    let down = Target {
        critical_at_most: Some(value(100.0)),
        ramp: Some(ramp(day(1, 11), |r| {
            (r.at_most, r.critical_at_most) = (Some(value(-10.0)), Some(value(0.0)));
        })),
        ..at_most(10.0)
    };
    let narrows = Target {
        ramp: Some(ramp(day(1, 11), |r| {
            (r.at_least, r.at_most) = (Some(value(4.0)), Some(value(6.0)));
        })),
        ..within(0.0, 10.0)
    };
    type Bounds = (Option<f64>, Option<f64>, Option<f64>, Option<f64>);
    let cases: Vec<(Target, Vec<(Date, Bounds)>)> = vec![
        (
            up,
            vec![
                (day(1, 1), (Some(30.0), None, Some(10.0), None)),
                (day(1, 2), (Some(31.0), None, Some(10.0), None)),
                (day(1, 16), (Some(45.0), None, Some(10.0), None)),
                (day(1, 30), (Some(59.0), None, Some(10.0), None)),
                (day(1, 31), (Some(60.0), None, Some(10.0), None)),
                (day(12, 31), (Some(60.0), None, Some(10.0), None)),
            ],
        ),
        (
            both,
            vec![
                (day(1, 1), (Some(30.0), None, Some(10.0), None)),
                (day(1, 16), (Some(45.0), None, Some(25.0), None)),
                (day(2, 1), (Some(60.0), None, Some(40.0), None)),
            ],
        ),
        (
            down,
            vec![
                (day(1, 1), (None, Some(10.0), None, Some(100.0))),
                (day(1, 6), (None, Some(0.0), None, Some(50.0))),
                (day(1, 11), (None, Some(-10.0), None, Some(0.0))),
                (day(1, 12), (None, Some(-10.0), None, Some(0.0))),
            ],
        ),
        (
            narrows,
            vec![
                (day(1, 6), (Some(2.0), Some(8.0), None, None)),
                (day(1, 11), (Some(4.0), Some(6.0), None, None)),
            ],
        ),
    ];
    for (target, days) in cases {
        let direction = match (target.at_least, target.at_most) {
            (Some(_), Some(_)) => Direction::InRange,
            (None, _) => Direction::LowerIsBetter,
            (_, None) => Direction::HigherIsBetter,
        };
        let given = given(aimed("k", target, |f| f.direction = direction));
        let kpi = given.workspace.kpi(&id("k")).unwrap();
        for (on, expected) in days {
            let (from, found) = kpi.target_on(on).unwrap();
            let get = |bound: Option<super::super::Value>| bound.map(|bound| bound.get());
            let bounds = (
                get(found.at_least),
                get(found.at_most),
                get(found.critical_at_least),
                get(found.critical_at_most),
            );
            assert_eq!(
                (from, bounds, found.stretch),
                (day(1, 1), expected, target.stretch),
                "{on}: {target:?}"
            );
        }
        assert_eq!(kpi.target_on(jiff::civil::date(2025, 12, 31)), None);
    }
}

/// A ramp judges each period by where it is on the period's last day, and ends where the next target begins.
#[test]
fn a_ramp_judges_by_the_day_and_ends_where_the_next_target_begins() {
    let ramped = Target {
        ramp: Some(ramp(day(1, 31), |r| r.at_least = Some(value(60.0)))),
        ..at_least(30.0)
    };
    let given = given(aimed("k", ramped, |_| {}))
        .and([aim("k", day(1, 21), at_least(10.0))])
        .on(2, 28);
    for (on, number, expected) in [
        ((1, 1), 30.0, Health::Healthy),
        ((1, 1), 29.9, Health::Breached),
        ((1, 16), 45.0, Health::Healthy),
        ((1, 16), 44.9, Health::Breached),
        ((1, 20), 49.0, Health::Healthy),
        ((1, 20), 48.9, Health::Breached),
        ((1, 21), 10.0, Health::Healthy),
        ((1, 31), 10.0, Health::Healthy),
    ] {
        let found = given
            .clone()
            .and([measured("k", on.0, on.1, number)])
            .kpi("k")
            .health;
        assert_eq!(found, expected, "{number} on {on:?}");
    }
    let past = given.and([aim_no_more("k", day(1, 21)), measured("k", 2, 20, 59.9)]);
    assert_eq!(past.kpi("k").health, Health::Breached, "it has arrived and stays");
}

/// A ramp that leads nowhere, backwards, or to bounds that make no target is refused, by its field.
#[test]
fn a_bad_ramp_is_refused_by_its_field() {
    let given = given([
        kpi("up", |_| {}),
        kpi("down", |f| f.direction = Direction::LowerIsBetter),
        kpi("in", |f| f.direction = Direction::InRange),
        kpi("light", |f| f.unit = scale()),
    ]);
    let by = |month: i8, on: i8, change: fn(&mut Ramp)| Some(ramp(day(month, on), change));
    let with = |target: Target, ramp: Option<Ramp>| Target { ramp, ..target };
    let watched = at_least_or_watch(50.0, 40.0);
    let splendid = Target {
        stretch: Some(value(55.0)),
        ..at_least(50.0)
    };
    let least: fn(&mut Ramp) = |r| r.at_least = Some(value(60.0));
    let most: fn(&mut Ramp) = |r| r.at_most = Some(value(60.0));
    let cases: Vec<(&str, Target, Vec<&str>)> = vec![
        ("up", with(at_least(50.0), by(2, 2, least)), vec![]),
        ("up", with(at_least(50.0), by(2, 1, least)), vec!["ramp.date"]),
        ("up", with(at_least(50.0), by(1, 1, least)), vec!["ramp.date"]),
        ("up", with(at_least(50.0), by(3, 1, |_| {})), vec!["ramp"]),
        ("up", with(at_least(50.0), by(3, 1, most)), vec!["ramp.at_most"]),
        (
            "up",
            with(
                at_least(50.0),
                by(3, 1, |r| r.critical_at_least = Some(value(1.0))),
            ),
            vec!["ramp.critical_at_least"],
        ),
        (
            "up",
            with(
                at_least(50.0),
                by(3, 1, |r| r.critical_at_most = Some(value(1.0))),
            ),
            vec!["ramp.critical_at_most"],
        ),
        (
            "up",
            with(watched, by(3, 1, |r| r.critical_at_least = Some(value(50.0)))),
            vec![],
        ),
        (
            "up",
            with(watched, by(3, 1, |r| r.critical_at_least = Some(value(51.0)))),
            vec!["ramp.critical_at_least"],
        ),
        (
            "up",
            with(watched, by(3, 1, |r| r.at_least = Some(value(39.0)))),
            vec!["ramp.critical_at_least"],
        ),
        (
            "up",
            with(splendid, by(3, 1, |r| r.at_least = Some(value(55.0)))),
            vec![],
        ),
        ("up", with(splendid, by(3, 1, least)), vec!["stretch"]),
        (
            "down",
            with(at_most(50.0), by(3, 1, least)),
            vec!["ramp.at_least"],
        ),
        ("down", with(at_most(70.0), by(3, 1, most)), vec![]),
        (
            "in",
            with(within(1.0, 70.0), by(3, 1, |r| r.at_least = Some(value(71.0)))),
            vec!["ramp.at_least"],
        ),
        ("in", with(within(1.0, 70.0), by(3, 1, least)), vec![]),
        // On a scale a ramp leads to a label.
        (
            "light",
            with(at_least(1.0), by(3, 1, |r| r.at_least = Some(value(2.0)))),
            vec![],
        ),
        (
            "light",
            with(at_least(1.0), by(3, 1, |r| r.at_least = Some(value(3.0)))),
            vec!["ramp.at_least"],
        ),
        (
            "light",
            with(at_least(1.0), by(3, 1, |r| r.at_least = Some(value(1.5)))),
            vec!["ramp.at_least"],
        ),
        // All that is wrong is said at once.
        (
            "up",
            with(at_least(50.0), by(1, 1, most)),
            vec!["ramp.date", "ramp.at_most"],
        ),
    ];
    for (kpi, target, bad) in cases {
        let command = aim(kpi, day(2, 1), target);
        match bad.as_slice() {
            [] => assert_eq!(given.when(command), Ok(vec!["TargetSet"]), "{target:?}"),
            bad => {
                let bad: Vec<String> = bad.iter().map(|field| format!("target.{field}")).collect();
                assert_eq!(fields(&given.refused(&command)), bad, "{target:?}");
            }
        }
    }
}

/// On a scale a bound is the index of a label. What is counted, and what is compared, is judged in its own unit.
#[test]
fn a_bound_is_of_the_unit_that_is_judged() {
    let given = given([
        kpi("light", |f| f.unit = scale()),
        kpi("count", |f| {
            (f.unit, f.aggregation) = (scale(), Aggregation::Count)
        }),
        kpi("change", |f| f.transform = Some(Transform::ChangePercent)),
        kpi("alone", |f| {
            f.unit = scale();
            (f.aggregation, f.cadence) = (Aggregation::Count, Cadence::Irregular);
        }),
    ]);
    let (good, bad) = (Ok(vec!["TargetSet"]), Err("INVALID_FIELD"));
    for (kpi, target, outcome) in [
        ("light", at_least(2.0), &good),
        ("light", at_least(3.0), &bad),
        ("light", at_least(1.5), &bad),
        ("light", at_least(-1.0), &bad),
        ("light", at_least_or_watch(2.0, 1.0), &good),
        ("light", at_least_or_watch(2.0, 0.5), &bad),
        ("count", at_least(25.0), &good),
        ("change", at_least(-3.5), &good),
        // Each value stands alone, and is a label.
        ("alone", at_least(25.0), &bad),
        ("alone", at_least(1.0), &good),
    ] {
        let stretched = Target {
            stretch: Some(value(7.0)),
            ..target
        };
        assert_eq!(
            &given.when(aim(kpi, day(1, 1), target)),
            outcome,
            "{kpi}: {target:?}"
        );
        let splendid = if kpi == "light" || kpi == "alone" {
            &bad
        } else {
            outcome
        };
        if kpi != "count" {
            assert_eq!(
                &given.when(aim(kpi, day(1, 1), stretched)),
                splendid,
                "{kpi}: {stretched:?}"
            );
        }
    }
    let judged = given
        .and([
            aim("light", day(1, 1), at_least(1.0)),
            aim("count", day(1, 1), at_least(2.0)),
            aim("change", day(1, 1), at_least(10.0)),
        ])
        .on(1, 4)
        .and([measured("light", 1, 3, 0.0), measured("light", 1, 4, 1.0)])
        .and([
            measured_at("count", at(2026, 1, 2, 3), 0.0),
            measured_at("count", at(2026, 1, 2, 4), 0.0),
            measured("count", 1, 3, 2.0),
        ])
        .and([
            measured("change", 1, 1, 20.0),
            measured("change", 1, 2, 22.0),
            measured("change", 1, 3, 23.0),
        ]);
    assert_eq!(judged.judged("light"), "BH");
    assert_eq!(
        judged.judged("count"),
        "HB",
        "two labels, then one, whatever they say"
    );
    assert_eq!(judged.judged("change"), "HB", "10 %, then 4.5 %");
    assert_eq!(
        judged.kpi("change").distance_to_target.map(f64::round),
        Some(-5.0)
    );
}

/// A unit that comes to be a scale leaves no target that is no label of it.
#[test]
fn a_kpi_with_targets_is_not_moved_to_a_scale_without_them() {
    let given = given(aimed("k", at_least(50.0), |_| {}));
    let to_scale = || update_kpi("k", |patch| patch.unit = Some(scale()));
    assert_eq!(fields(&given.refused(&to_scale())), ["kpi.unit"]);
    let fits = given.clone().and([aim("k", day(1, 1), at_least(2.0))]);
    assert_eq!(fits.when(to_scale()), Ok(vec!["KpiUpdated"]));
    let gone = given.and([aim_no_more("k", day(1, 1))]);
    assert_eq!(gone.when(to_scale()), Ok(vec!["KpiUpdated"]));
    let down = update_kpi("k", |patch| patch.direction = Some(Direction::LowerIsBetter));
    assert_eq!(
        gone.when(down),
        Ok(vec!["KpiUpdated"]),
        "without a target it may turn"
    );
}

/// Targets are set for the past and the future, once each, and deleted; what was recorded stays what it was.
#[test]
fn a_changed_target_judges_anew_and_rewrites_nothing() {
    let given = given(aimed("k", at_least(50.0), |_| {}))
        .on(1, 10)
        .and([measured("k", 1, 9, 55.0), measured("k", 1, 10, 45.0)]);
    assert_eq!(
        (given.judged("k").as_str(), given.open("k")),
        ("HB", vec![AlertKind::Breach])
    );
    let opening = given.alert("k", AlertKind::Breach).opening;
    let cases = [
        (
            "for the past",
            aim("k", day(1, 9), at_least(60.0)),
            vec!["TargetSet"],
            "BB",
        ),
        (
            "for the past, easier",
            aim("k", day(1, 9), at_least(45.0)),
            vec!["TargetSet", "AlertClosed"],
            "HH",
        ),
        (
            "in its place",
            aim("k", day(1, 1), at_least(45.0)),
            vec!["TargetSet", "AlertClosed"],
            "HH",
        ),
        (
            "the same again",
            aim("k", day(1, 1), at_least(50.0)),
            vec![],
            "HB",
        ),
        (
            "for the future",
            aim("k", day(1, 11), at_least(1.0)),
            vec!["TargetSet"],
            "HB",
        ),
        (
            "no more",
            aim_no_more("k", day(1, 1)),
            vec!["TargetDeleted", "AlertClosed"],
            "??",
        ),
    ];
    for (case, command, events, judged) in cases {
        assert_eq!(given.when(command.clone()), Ok(events), "{case}");
        let after = given.clone().and([command]);
        assert_eq!(after.judged("k"), judged, "{case}");
        assert_eq!(after.points("k", &[""]), given.points("k", &[""]), "{case}");
        assert_eq!(
            after.alert("k", AlertKind::Breach).opening,
            opening,
            "{case}: it was open"
        );
    }
    let healthy = given.clone().and([aim_no_more("k", day(1, 1))]).kpi("k");
    assert_eq!(
        (healthy.health, healthy.healthy_share),
        (Health::NoTarget, None),
        "never healthy"
    );
    let two = given.and([aim("k", day(1, 10), at_least(40.0))]);
    assert_eq!(two.judged("k"), "HH");
    let older_again = two.and([aim_no_more("k", day(1, 10))]);
    assert_eq!(older_again.judged("k"), "HB", "the older one is in force again");
    for (kpi, on) in [("k", day(1, 2)), ("k", day(1, 10)), ("x", day(1, 1))] {
        assert_eq!(
            older_again.when(aim_no_more(kpi, on)),
            Err("NOT_FOUND"),
            "{kpi} from {on}"
        );
    }
}
