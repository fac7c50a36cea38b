//! Forecasts of KPIs: which values count, how gaps are filled, how far it reaches.

use super::super::{HORIZON_MAX, Horizon, KpiForecast, forecast_kpi};
use super::suggestion::scale;
use super::*;
use crate::domain::{Period, Transform, days_between};

fn forecast(given: &Given, horizon: Horizon) -> Result<KpiForecast, ForecastRefusal> {
    forecast_kpi(&given.workspace, &id("kpi"), horizon)
}

#[test]
fn seven_period_values_foretell_nothing_and_eight_do() {
    let cadences = [
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Quarterly,
        Cadence::Semiannual,
        Cadence::Annual,
    ];
    for cadence in cadences {
        for aggregation in [
            Aggregation::Last,
            Aggregation::Sum,
            Aggregation::Mean,
            Aggregation::Count,
        ] {
            let change = |f: &mut KpiFields| f.aggregation = aggregation;
            let given = with_values(cadence, &rising(1.0, 2.0, 7), change);
            let words = "kpis/kpi has 7 complete period values and 8 are needed";
            assert_eq!(
                reason(forecast(&given, Horizon::Periods(3)), words),
                "TOO_LITTLE_HISTORY"
            );
            let given = with_values(cadence, &rising(1.0, 2.0, 8), change);
            let found = forecast(&given, Horizon::Periods(3)).unwrap();
            let basis = found.basis;
            assert_eq!(
                (basis.points, basis.filled, found.points.len()),
                (8, 0, 3),
                "{cadence:?}"
            );
            assert_eq!(basis.days.first, day_before(cadence, 7), "{cadence:?}");
            // The periods follow the newest without a gap.
            let mut last = basis.days.last;
            for (index, point) in found.points.iter().enumerate() {
                assert_eq!(days_between(last, point.period.first), 1, "{cadence:?} {index}");
                last = point.period.last;
                let expected = match aggregation {
                    Aggregation::Count => 1.0,
                    _ => 17.0 + 2.0 * index as f64,
                };
                assert_near(point.expected, expected, "the line goes on");
            }
        }
    }
}

#[test]
fn the_running_period_does_not_count_and_is_the_first_that_is_foretold() {
    for aggregation in [Aggregation::Last, Aggregation::Max, Aggregation::Sum] {
        let given = with_values(Cadence::Monthly, &rising(1.0, 1.0, 12), |f| {
            f.aggregation = aggregation
        })
        .on(1, 20)
        .and([measured("kpi", 1, 20, 500.0)]);
        let found = forecast(&given, Horizon::Periods(1)).unwrap();
        assert_eq!(found.basis.points, 12, "{aggregation:?}");
        let january = Period {
            first: date(2026, 1, 1),
            last: date(2026, 1, 31),
        };
        assert_eq!(found.points[0].period, january);
        assert_near(found.points[0].expected, 13.0, "500 is not known to be all");
    }
}

#[test]
fn a_short_gap_is_filled_and_counted_and_a_long_one_ends_the_history() {
    let with_gap_of = |gap: usize, change: fn(&mut KpiFields)| {
        let old: Vec<Option<f64>> = rising(0.0, 1.0, 10).into_iter().map(Some).collect();
        let new = (0..8).map(|index| Some((10 + gap + index) as f64));
        let values: Vec<Option<f64>> = old.into_iter().chain(vec![None; gap]).chain(new).collect();
        with_gaps(Cadence::Daily, &values, change)
    };
    for (gap, points, filled) in [(0, 18, 0), (1, 18, 1), (3, 18, 3), (4, 8, 0), (40, 8, 0)] {
        let found = forecast(&with_gap_of(gap, |_| {}), Horizon::Periods(2)).unwrap();
        let basis = found.basis;
        assert_eq!((basis.points, basis.filled), (points, filled), "a gap of {gap}");
        assert_eq!(
            basis.days.first,
            day_before(Cadence::Daily, points + filled - 1),
            "a gap of {gap}"
        );
        // Between its neighbours lies the line, so nothing is seen of the gap.
        assert_near(found.points[0].expected, (18 + gap) as f64, "the line goes on");
    }
    // What was not sold adds nothing to a sum: the trend is not that of a line without gaps.
    let found = forecast(&with_gap_of(3, summed), Horizon::Periods(1)).unwrap();
    assert_eq!((found.basis.points, found.basis.filled), (18, 3));
    let interval = found.points[0].interval_95;
    assert!(
        interval.high - interval.low > 5.0,
        "three days of nothing are a spread: {interval:?}"
    );
    let values = [vec![Some(1.0); 20], vec![None; 4], vec![Some(2.0); 7]].concat();
    let given = with_gaps(Cadence::Daily, &values, |_| {});
    let words = "kpis/kpi has 7 complete period values since 2025-12-25, before which too many are missing";
    assert_eq!(
        reason(forecast(&given, Horizon::Periods(1)), words),
        "TOO_LITTLE_HISTORY"
    );
}

#[test]
fn a_date_names_the_period_that_it_lies_in() {
    let given = with_values(Cadence::Monthly, &rising(1.0, 1.0, 12), |_| {});
    for (until, count) in [
        (date(2026, 1, 1), 1),
        (date(2026, 1, 31), 1),
        (date(2026, 2, 1), 2),
        (date(2026, 12, 31), 12),
    ] {
        let found = forecast(&given, Horizon::Until(until)).unwrap();
        assert_eq!(found.points.len(), count, "{until}");
    }
    for (until, words) in [
        (
            date(2025, 12, 31),
            "last_date: 2025-12-31 is known already, values are there until 2025-12-31",
        ),
        (date(2000, 1, 1), "name a later day"),
        (
            date(2056, 8, 1),
            "more than 366 periods behind the newest value, of 2025-12-31: name an earlier day",
        ),
        (Date::MAX, "name an earlier day"),
    ] {
        assert_eq!(
            reason(forecast(&given, Horizon::Until(until)), words),
            "INVALID_FIELD",
            "{until}"
        );
    }
    let found = forecast(&given, Horizon::Until(date(2056, 6, 30))).unwrap();
    assert_eq!(found.points.len(), HORIZON_MAX);
}

#[test]
fn what_has_no_rhythm_or_no_numbers_is_not_foretold() {
    let given = with_values(Cadence::Irregular, &rising(1.0, 1.0, 20), |_| {});
    let words = "create a successor with a cadence";
    assert_eq!(reason(forecast(&given, Horizon::Periods(1)), words), "NO_RHYTHM");
    let given = with_values(Cadence::Daily, &always(1.0, 20), |f| f.unit = scale());
    let words = "neither averaged nor forecast";
    assert_eq!(
        reason(forecast(&given, Horizon::Periods(1)), words),
        "UNIT_IS_SCALE"
    );
    let given = given.and([delete("kpis/kpi")]);
    assert_eq!(
        reason(forecast(&given, Horizon::Periods(1)), "undelete"),
        "DELETED"
    );
}

#[test]
fn a_share_may_be_foretold_beyond_a_hundred_percent() {
    let given = with_values(Cadence::Monthly, &rising(80.0, 2.0, 10), |_| {});
    let found = forecast(&given, Horizon::Periods(3)).unwrap();
    assert_near(found.points[2].expected, 104.0, "nothing is cut");
}

#[test]
fn what_is_judged_is_what_is_foretold() {
    // 4 % more every month, summed: the change is foretold, and a gap in it is no change of 0 %.
    let changed = |f: &mut KpiFields| {
        f.aggregation = Aggregation::Sum;
        f.transform = Some(Transform::ChangePercent);
    };
    let mut growing: Vec<Option<f64>> = (0..24).map(|month| Some(100.0 * 1.04_f64.powi(month))).collect();
    let found = forecast(
        &with_gaps(Cadence::Monthly, &growing, changed),
        Horizon::Periods(2),
    )
    .unwrap();
    assert_eq!((found.basis.points, found.basis.filled), (23, 0));
    assert_near(found.points[1].expected, 4.0, "4 % go on");
    growing[12] = None;
    let found = forecast(
        &with_gaps(Cadence::Monthly, &growing, changed),
        Horizon::Periods(2),
    )
    .unwrap();
    assert_eq!((found.basis.points, found.basis.filled), (21, 2));
    assert_near(found.points[1].expected, 4.0, "4 % go on");
    // How many answers there were is a number, whatever the answers were.
    let counted = |f: &mut KpiFields| {
        f.aggregation = Aggregation::Count;
        f.unit = scale();
    };
    let found = forecast(
        &with_values(Cadence::Daily, &always(2.0, 9), counted),
        Horizon::Periods(1),
    )
    .unwrap();
    assert_eq!(found.points[0].expected, 1.0);
}
