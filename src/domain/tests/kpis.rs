//! KPIs, targets, measurements and health.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Aggregation, Cadence, Command, Direction, Effective, Etag, Health, KpiPatch, Revision, Target,
    TimeZoneRules, Timestamp, Unit, UnitKind,
};

fn update(name: &str, change: impl FnOnce(&mut KpiPatch)) -> Command {
    let mut patch = KpiPatch::default();
    change(&mut patch);
    Command::UpdateKpi {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

fn scale() -> Unit {
    Unit::parse(
        UnitKind::scale(&["red".into(), "green".into()]).unwrap(),
        "",
        None,
    )
    .unwrap()
}

#[test]
fn a_kpi_names_what_exists_and_its_nature_is_fixed_by_its_first_measurement() {
    let given =
        given([kpi("nps", |_| {}), kpi("aimed", |_| {})]).and([target("aimed", date(2026, 1, 1), |t| {
            t.at_least = Some(value(1.0))
        })]);
    for (command, outcome) in [
        (kpi("new", |_| {}), Ok(vec!["KpiCreated"])),
        (kpi("nps", |_| {}), Err("ALREADY_EXISTS")),
        (kpi("new", |f| f.owner = Some(id("x"))), Err("NOT_FOUND")),
        (kpi("new", |f| f.team = Some(id("x"))), Err("NOT_FOUND")),
        (
            kpi("new", |f| f.replaces = Some(id("nps"))),
            Ok(vec!["KpiCreated"]),
        ),
        (kpi("new", |f| f.replaces = Some(id("x"))), Err("NOT_FOUND")),
        (kpi("new", |f| f.replaces = Some(id("new"))), Err("INVALID_FIELD")),
        (kpi("new", |f| f.unit = scale()), Ok(vec!["KpiCreated"])),
        (
            update("nps", |p| p.cadence = Some(Cadence::Weekly)),
            Ok(vec!["KpiUpdated"]),
        ),
        (update("nps", |p| p.cadence = Some(Cadence::Daily)), Ok(vec![])),
        (
            update("aimed", |p| p.direction = Some(Direction::InRange)),
            Err("INVALID_FIELD"),
        ),
        (update("x", |_| {}), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    for aggregation in [Aggregation::Sum, Aggregation::Mean] {
        let command = kpi("new", |f| {
            f.unit = scale();
            f.aggregation = aggregation;
        });
        assert_eq!(
            given.when(command),
            Err("INVALID_FIELD"),
            "{aggregation:?} of labels"
        );
    }
    let measured = given.and([measured("nps", 1, 1, 1.0)]);
    for (command, outcome) in [
        (
            update("nps", |p| p.unit = Some(scale())),
            Err("KPI_HAS_MEASUREMENTS"),
        ),
        (
            update("nps", |p| p.direction = Some(Direction::InRange)),
            Err("KPI_HAS_MEASUREMENTS"),
        ),
        (
            update("nps", |p| p.cadence = Some(Cadence::Weekly)),
            Err("KPI_HAS_MEASUREMENTS"),
        ),
        (
            update("nps", |p| p.aggregation = Some(Aggregation::Sum)),
            Err("KPI_HAS_MEASUREMENTS"),
        ),
        (update("nps", |p| p.grace_days = Some(3)), Ok(vec!["KpiUpdated"])),
    ] {
        assert_eq!(measured.when(command.clone()), outcome, "{command:?}");
    }
    let old = Command::UpdateKpi {
        id: id("nps"),
        patch: Box::default(),
        etag: Etag::Exactly(Revision(1)),
    };
    assert_eq!(measured.when(old), Err("ETAG_MISMATCH"));
}

#[test]
fn a_targets_bounds_follow_the_direction() {
    let given = given([
        kpi("up", |_| {}),
        kpi("down", |f| f.direction = Direction::LowerIsBetter),
        kpi("within", |f| f.direction = Direction::InRange),
    ]);
    let bounds = |least: Option<f64>,
                  most: Option<f64>,
                  critical_least: Option<f64>,
                  critical_most: Option<f64>| Target {
        at_least: least.map(value),
        at_most: most.map(value),
        critical_at_least: critical_least.map(value),
        critical_at_most: critical_most.map(value),
        stretch: None,
        ramp: None,
    };
    let stretch = |at_least: f64, stretch: f64| Target {
        stretch: Some(value(stretch)),
        ..bounds(Some(at_least), None, None, None)
    };
    let (good, bad) = (Ok(vec!["TargetSet"]), Err("INVALID_FIELD"));
    for (kpi, target, outcome) in [
        ("up", bounds(Some(5.0), None, Some(4.0), None), good.clone()),
        ("up", bounds(Some(5.0), None, Some(5.0), None), good.clone()),
        ("up", bounds(Some(5.0), None, Some(6.0), None), bad.clone()),
        ("up", bounds(None, Some(5.0), None, None), bad.clone()),
        ("up", bounds(Some(5.0), Some(9.0), None, None), bad.clone()),
        ("up", bounds(Some(5.0), None, None, Some(9.0)), bad.clone()),
        ("up", bounds(None, None, None, None), bad.clone()),
        ("up", stretch(5.0, 6.0), good.clone()),
        ("up", stretch(5.0, 4.0), bad.clone()),
        ("down", bounds(None, Some(5.0), None, Some(6.0)), good.clone()),
        ("down", bounds(None, Some(5.0), None, Some(4.0)), bad.clone()),
        ("down", bounds(Some(5.0), None, None, None), bad.clone()),
        (
            "within",
            bounds(Some(1.0), Some(2.0), None, Some(3.0)),
            good.clone(),
        ),
        ("within", bounds(Some(2.0), Some(1.0), None, None), bad.clone()),
        ("within", bounds(Some(1.0), None, None, None), bad.clone()),
        ("none", bounds(Some(1.0), None, None, None), Err("NOT_FOUND")),
    ] {
        let command = Command::SetTarget {
            kpi: id(kpi),
            date: date(2026, 1, 1),
            target,
        };
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let set = || target("up", date(2026, 1, 1), |t| t.at_least = Some(value(1.0)));
    assert_eq!(given.and([set()]).when(set()), Ok(vec![]));
}

#[test]
fn a_measurement_is_known_by_kpi_moment_and_source() {
    let given = given([
        kpi("nps", |_| {}),
        kpi("visits", |f| {
            f.unit = Unit::parse(UnitKind::Count, "", None).unwrap()
        }),
    ])
    .on(1, 10)
    .and([measured("nps", 1, 9, 40.0)]);
    let at = |effective: Effective| Command::RecordMeasurements(vec![measurement("nps", effective, 1.0)]);
    let now = super::super::given::at(2026, 1, 10, 12);
    let of_source = |number: f64| {
        let mut new = measurement(
            "nps",
            Effective::At(super::super::given::at(2026, 1, 9, 12)),
            number,
        );
        new.source_id = "deal-7".into();
        Command::RecordMeasurements(vec![new])
    };
    let (recorded, nothing) = (Ok(vec!["MeasurementRecorded"]), Ok(vec![]));
    for (command, outcome) in [
        (measured("nps", 1, 9, 40.0), nothing.clone()),
        (measured("nps", 1, 9, 41.0), recorded.clone()),
        (of_source(40.0), recorded.clone()),
        (measured("x", 1, 9, 40.0), Err("NOT_FOUND")),
        (measured("visits", 1, 9, 1.5), Err("INVALID_FIELD")),
        (measured("visits", 1, 9, -1.0), Err("INVALID_FIELD")),
        (at(Effective::Now), recorded.clone()),
        (at(Effective::At(now.plus_seconds(300))), recorded.clone()),
        (
            at(Effective::At(now.plus_seconds(301))),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
        (at(Effective::At(Timestamp::MIN)), recorded.clone()),
        (at(Effective::On(date(2026, 1, 10))), recorded.clone()),
        (
            at(Effective::On(date(2026, 1, 11))),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let superseded = given.and([measured("nps", 1, 9, 41.0), of_source(7.0)]);
    let series = &superseded.workspace.kpi(&id("nps")).unwrap().series;
    let moment = super::super::given::at(2026, 1, 9, 12);
    let known = |source: &str| series.get(moment, source).map(|point| point.value());
    assert_eq!(
        (known(""), known("deal-7"), known("deal-8"), series.len()),
        (Some(41.0), Some(7.0), None, 2)
    );
}

#[test]
fn a_day_is_measured_at_its_local_start() {
    let given = given_in("America/Sao_Paulo", 1, [kpi("nps", |_| {})]);
    let on = Command::RecordMeasurements(vec![measurement("nps", Effective::On(date(2026, 1, 1)), 1.0)]);
    let (latest, _) = given.and([on]).kpi("nps").latest.unwrap();
    assert_eq!(latest, at(2026, 1, 1, 3));
}

#[test]
fn a_batch_is_all_or_none() {
    let given = given([kpi("nps", |_| {}), kpi("churn", |_| {})]).on(1, 10);
    let batch = |elements: &[(&str, i8, f64)]| {
        let elements = elements
            .iter()
            .map(|&(kpi, day, number)| measurement(kpi, Effective::At(at(2026, 1, day, 12)), number));
        Command::RecordMeasurements(elements.collect())
    };
    for (command, outcome) in [
        (
            batch(&[("nps", 1, 1.0), ("churn", 1, 2.0)]),
            Ok(vec!["MeasurementRecorded"; 2]),
        ),
        (
            batch(&[("nps", 1, 1.0), ("nps", 1, 1.0)]),
            Ok(vec!["MeasurementRecorded"]),
        ),
        (
            batch(&[("nps", 1, 1.0), ("nps", 1, 2.0)]),
            Err("CONFLICTING_VALUES"),
        ),
        (batch(&[("nps", 1, 1.0), ("x", 1, 2.0)]), Err("NOT_FOUND")),
        (
            batch(&[("nps", 1, 1.0), ("nps", 11, 2.0)]),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

#[test]
fn health_is_the_newest_period_value_by_effective_time_against_the_target_of_its_last_day() {
    let bare = given([kpi("nps", |_| {})]).on(1, 10);
    assert_eq!(bare.kpi("nps").health, Health::NoData);
    let fed = bare.and([measured("nps", 1, 10, 45.0)]);
    assert_eq!(fed.kpi("nps").health, Health::NoTarget);
    let aimed = fed.and([
        target("nps", date(2026, 1, 1), |t| {
            (t.at_least, t.critical_at_least) = (Some(value(50.0)), Some(value(40.0)));
        }),
        target("nps", date(2026, 1, 11), |t| t.at_least = Some(value(45.0))),
    ]);
    let health = aimed.kpi("nps");
    assert_eq!(
        (health.health, health.distance_to_target),
        (Health::Watch, Some(-5.0))
    );
    assert_eq!(
        health.target,
        Some(date(2026, 1, 1)),
        "the next one does not hold yet"
    );
    let backdated = aimed.clone().and([measured("nps", 1, 9, 99.0)]);
    assert_eq!(
        backdated.kpi("nps").health,
        Health::Watch,
        "an older value recorded later is no newer value"
    );
    let corrected = aimed.clone().and([measured("nps", 1, 10, 39.0)]);
    assert_eq!(corrected.kpi("nps").health, Health::Breached);
    let next_day = aimed.on(1, 11).and([measured("nps", 1, 11, 45.0)]);
    assert_eq!(next_day.kpi("nps").health, Health::Healthy, "equality is healthy");
    let only_later = given([
        kpi("nps", |_| {}),
        target("nps", date(2026, 1, 2), |t| t.at_least = Some(value(1.0))),
    ])
    .and([measured("nps", 1, 1, 1.0)]);
    assert_eq!(only_later.kpi("nps").health, Health::NoTarget);
}

#[test]
fn stale_is_a_value_missing_for_a_whole_period_and_its_grace() {
    for (cadence, grace, fed_until, stale_on) in [
        (Cadence::Daily, 0, (1, 2), (1, 3)),
        (Cadence::Daily, 2, (1, 4), (1, 5)),
        // 1 January 2026 is a Thursday: its week ends on the 4th, the next on the 11th.
        (Cadence::Weekly, 1, (1, 12), (1, 13)),
        (Cadence::Monthly, 0, (2, 28), (3, 1)),
    ] {
        for feed in [false, true] {
            let kpi = kpi("nps", |f| (f.cadence, f.grace_days) = (cadence, grace));
            let given = given([kpi]).and(feed.then(|| measured("nps", 1, 1, 1.0)));
            let stale = |(month, day)| given.clone().on(month, day).kpi("nps").stale;
            assert!(
                !stale(fed_until) && stale(stale_on),
                "{cadence:?}, grace {grace}, fed {feed}"
            );
        }
    }
    let irregular = given([kpi("nps", |f| f.cadence = Cadence::Irregular)]).on(12, 31);
    assert!(!irregular.kpi("nps").stale);
}

#[test]
fn a_sum_counts_whole_periods_and_a_mean_may_be_provisional() {
    let aggregated = |aggregation: Aggregation| {
        given([kpi("nps", |f| {
            (f.cadence, f.aggregation) = (Cadence::Monthly, aggregation)
        })])
        .on(1, 20)
        .and([
            measured("nps", 1, 5, 10.0),
            measured("nps", 1, 6, 20.0),
            measured("nps", 1, 20, 3.0),
        ])
    };
    for (aggregation, running, complete) in [
        (Aggregation::Sum, None, 33.0),
        (Aggregation::Count, None, 3.0),
        (Aggregation::Mean, Some(11.0), 11.0),
        (Aggregation::Min, Some(3.0), 3.0),
        (Aggregation::Max, Some(20.0), 20.0),
        (Aggregation::Last, Some(3.0), 3.0),
    ] {
        let given = aggregated(aggregation);
        let value = |given: &Given| {
            given
                .kpi("nps")
                .period_value
                .map(|found| (found.value, found.provisional))
        };
        assert_eq!(
            value(&given),
            running.map(|number| (number, true)),
            "{aggregation:?}"
        );
        let last_day = given.on(1, 31);
        assert_eq!(
            value(&last_day),
            running.map(|number| (number, true)),
            "{aggregation:?} on the last day"
        );
        assert_eq!(
            value(&last_day.on(2, 1)),
            Some((complete, false)),
            "{aggregation:?}"
        );
    }
    let no_month = aggregated(Aggregation::Sum).kpi("nps");
    assert_eq!(
        (no_month.health, no_month.latest.is_some()),
        (Health::NoData, true)
    );
}

#[test]
fn a_quarter_is_one_of_the_fiscal_year() {
    let kpi = kpi("revenue", |f| {
        (f.cadence, f.aggregation) = (Cadence::Quarterly, Aggregation::Sum)
    });
    let given = given_in("UTC", 2, [kpi])
        .on(2, 2)
        .and([measured("revenue", 1, 31, 5.0), measured("revenue", 2, 1, 7.0)]);
    let period = given.kpi("revenue").period_value.unwrap();
    assert_eq!(
        (period.value, period.period.first, period.period.last),
        (5.0, date(2025, 11, 1), date(2026, 1, 31))
    );
    let next = given.on(5, 1).kpi("revenue").period_value.unwrap();
    assert_eq!(
        (next.value, next.period.first, next.period.last),
        (7.0, date(2026, 2, 1), date(2026, 4, 30))
    );
}

#[test]
fn a_day_has_the_hours_that_its_clocks_give_it() {
    let daily_sum = || kpi("deals", |f| f.aggregation = Aggregation::Sum);
    // New York: 8 March 2026 has 23 hours, 1 November has 25.
    for (month, day, start_hour, hours) in [(3, 8, 5, 23), (11, 1, 4, 25)] {
        let given = given_in("America/New_York", 1, [daily_sum()]).on(month, day + 2);
        let start = at(2026, month, day, start_hour);
        let at_hour = |hour: i64| measurement("deals", Effective::At(start.plus_seconds(hour * 3600)), 1.0);
        let hourly = (-1..=hours).map(at_hour).collect();
        let given = given.and([Command::RecordMeasurements(hourly)]);
        assert_eq!(
            TimeZoneRules::start_of(given.workspace.rules(), date(2026, month, day)),
            start
        );
        let first_of_next = given.kpi("deals").period_value.unwrap();
        assert_eq!(
            (first_of_next.period.first, first_of_next.value),
            (date(2026, month, day + 1), 1.0)
        );
        let end = at_hour(hours);
        let Effective::At(end) = end.effective else {
            unreachable!()
        };
        let series = &given.workspace.kpi(&id("deals")).unwrap().series;
        assert_eq!(series.range_from(start, end).count() as i64, hours);
    }
}

#[test]
fn an_irregular_value_stands_alone() {
    let given = given([kpi("audit", |f| {
        (f.cadence, f.aggregation) = (Cadence::Irregular, Aggregation::Sum)
    })])
    .and([measured("audit", 1, 1, 3.0)])
    .at_hour(1, 1, 18)
    .and([Command::RecordMeasurements(vec![measurement(
        "audit",
        Effective::Now,
        4.0,
    )])]);
    let value = given.kpi("audit").period_value.unwrap();
    assert_eq!((value.value, value.provisional), (4.0, false));
}
