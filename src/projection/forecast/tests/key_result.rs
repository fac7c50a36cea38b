//! Forecasts of key results: which value counts on the last day, and how likely it is the one that was wanted.

use super::super::{KeyResultForecast, forecast_key_result};
use super::suggestion::scale;
use super::*;
use crate::domain::{KeyResultFields, Window};

fn forecast(given: &Given) -> Result<KeyResultForecast, ForecastRefusal> {
    forecast_key_result(&given.workspace, &key_result_id("win/k"))
}

/// Objective win, ACTIVE in the first quarter, whose key result follows the KPI.
fn linked(given: Given, change: impl FnOnce(&mut KeyResultFields)) -> Given {
    given.and([
        objective("win", |_| {}),
        key_result("win/k", |f| {
            f.kpi = Some(id("kpi"));
            change(f);
        }),
        activate("win"),
    ])
}

/// The same, checked in week after week from 1 January on; none in a week without a check-in.
fn checked_in(values: &[Option<f64>], change: impl FnOnce(&mut KeyResultFields)) -> Given {
    let given = given(q1()).and([
        objective("win", |_| {}),
        key_result("win/k", change),
        activate("win"),
    ]);
    let mut given = given;
    for (week, value) in values.iter().enumerate() {
        let day = date(2026, 1, 1) + i64::try_from(week).unwrap().weeks();
        given = given.on(day.month(), day.day());
        if let Some(value) = value {
            given = given.and([saw("win/k", &format!("c{week}"), *value)]);
        }
    }
    given
}

/// METRIC: c, the value on the last day; p = (c − b) / (t − b); the probability that c is at the target or beyond it.
#[test]
fn a_metric_is_foretold_by_its_kpi() {
    let up = rising(10.0, 1.0, 12);
    let down = rising(50.0, -1.0, 12);
    // In March the lines stand at 24 and at 36.
    for (values, baseline, target, reached, expected, progress, probability) in [
        (&up, 21.0, 24.0, false, 24.0, 1.0, 1.0),
        (&up, 21.0, 25.0, false, 24.0, 0.75, 0.0),
        (&up, 10.0, 20.0, true, 24.0, 1.4, 1.0),
        (&down, 39.0, 36.0, false, 36.0, 1.0, 1.0),
        (&down, 39.0, 35.0, false, 36.0, 0.75, 0.0),
        (&down, 50.0, 40.0, true, 36.0, 1.4, 1.0),
        (&down, 40.0, 50.0, false, 36.0, -0.4, 0.0),
    ] {
        let given = with_values(Cadence::Monthly, values, |f| {
            f.direction = crate::domain::Direction::InRange;
        });
        // Only what is dated within the cycle is its current value.
        let newest = values.last().copied().unwrap() + (values[1] - values[0]);
        let given = linked(given, |f| f.kind = metric(Some(baseline), target))
            .on(1, 31)
            .and([measured("kpi", 1, 31, newest)])
            .on(2, 1);
        let found = forecast(&given).unwrap();
        let what = format!("{baseline} → {target}");
        assert_eq!((found.current, found.reached), (Some(newest), reached), "{what}");
        assert_eq!(
            (found.target_date, found.remaining_periods),
            (date(2026, 3, 31), 2),
            "{what}"
        );
        assert_near(found.expected, expected, &what);
        assert_near(found.expected_progress, progress, &what);
        // A line that fits leaves no doubt, and 1e-9 is in the owner's favour.
        assert_near(found.probability_to_reach, probability, &what);
    }
}

#[test]
fn a_series_with_noise_leaves_a_doubt_that_grows_with_the_target() {
    let noisy = [
        20.0, 24.0, 19.0, 23.0, 22.0, 18.0, 25.0, 21.0, 20.0, 24.0, 22.0, 19.0,
    ];
    let mut before = 1.0;
    for target in [15.0, 20.0, 22.0, 24.0, 30.0] {
        let given = with_values(Cadence::Monthly, &noisy, |_| {});
        let found = forecast(&linked(given, |f| f.kind = metric(Some(0.0), target))).unwrap();
        let probability = found.probability_to_reach;
        assert!(
            probability > 0.0 && probability < before,
            "{probability} of {target} after {before}"
        );
        assert_eq!(
            (found.current, found.reached),
            (None, false),
            "nothing of the cycle is known"
        );
        before = probability;
    }
    assert!(before < 0.01, "{before}");
}

/// "the current sum and what is expected of the periods that are left".
#[test]
fn a_sum_over_the_cycle_is_what_is_known_and_what_is_expected_of_the_rest() {
    // The quarter has 90 days and begins on a Thursday: its weeks stick out at both ends.
    for (cadence, value, total) in [
        (Cadence::Daily, 2.0, 180.0),
        (Cadence::Weekly, 7.0, 90.0),
        (Cadence::Monthly, 10.0, 30.0),
    ] {
        let given = with_values(cadence, &always(value, 12), summed);
        let given = linked(given, |f| {
            f.window = Window::Cycle;
            f.kind = metric(None, total);
        });
        let found = forecast(&given).unwrap();
        assert_near(found.expected, total, &format!("{cadence:?}"));
        assert_near(found.expected_progress, 1.0, &format!("{cadence:?}"));
        assert_eq!((found.current, found.reached), (None, false), "{cadence:?}");
    }
    // January brought 40; the running February counts as what is expected of it, not as the 3 that are known of it.
    let given = with_values(Cadence::Monthly, &always(10.0, 24), summed);
    let given = linked(given, |f| {
        f.window = Window::Cycle;
        f.kind = metric(None, 55.0);
    });
    let given = given
        .on(2, 10)
        .and([measured("kpi", 1, 15, 40.0), measured("kpi", 2, 3, 3.0)]);
    let found = forecast(&given).unwrap();
    assert_eq!((found.current, found.remaining_periods), (Some(43.0), 2));
    let of_two_months = found.expected - 40.0;
    assert!((20.0..60.0).contains(&of_two_months), "{of_two_months}");
    let width = found.interval_95.high - found.interval_95.low;
    assert!(width > 0.0 && found.interval_95.low < found.expected && found.expected < found.interval_95.high);
    assert!(found.probability_to_reach > 0.05 && found.probability_to_reach < 0.999);
    // With a due date before the last month there is less to come.
    let given = given.and([update_key_result("win/k", |p| {
        p.due_date = Some(Some(date(2026, 2, 28)))
    })]);
    let found = forecast(&given).unwrap();
    assert_eq!(
        (found.target_date, found.remaining_periods),
        (date(2026, 2, 28), 1)
    );
    assert_near(found.expected - 40.0, of_two_months / 2.0, "half of the rest");
}

#[test]
fn what_is_to_be_kept_is_foretold_within_its_bounds() {
    let steady = [
        99.0, 99.4, 98.6, 99.2, 98.8, 99.0, 99.4, 98.6, 99.2, 98.8, 99.0, 99.0,
    ];
    for (least, most, low, high) in [
        (Some(97.0), None, 0.99, 1.0),
        (Some(99.0), None, 0.3, 0.7),
        (None, Some(97.0), 0.0, 0.01),
        (Some(98.0), Some(100.0), 0.9, 1.0),
        (Some(99.0), Some(99.0), 0.0, 0.01),
    ] {
        let given = with_values(Cadence::Monthly, &steady, |_| {});
        let given = linked(given, |f| f.kind = maintain(least, most, 10.0));
        let found = forecast(&given).unwrap();
        let probability = found.probability_to_reach;
        assert!(
            (low..=high).contains(&probability),
            "{probability} of {least:?} to {most:?}"
        );
        assert!(found.expected_progress > 0.7, "{found:?}");
    }
    // Three months are to come: held so far is 1 of 1.
    let given = with_values(Cadence::Monthly, &always(99.0, 12), |_| {});
    let given = linked(given, |f| f.kind = share(99.0)).on(2, 1);
    let given = given.and([measured("kpi", 1, 15, 99.0)]);
    let found = forecast(&given).unwrap();
    assert_eq!((found.expected_progress, found.probability_to_reach), (1.0, 1.0));
    assert_eq!(
        (found.current, found.reached, found.remaining_periods),
        (Some(99.0), true, 2)
    );
    // It did not hold in January, and nothing says that it will not from now on: 0 + 2 of 3, or nearly.
    let given = with_values(Cadence::Monthly, &always(99.0, 60), |_| {});
    let given = linked(given, |f| f.kind = share(50.0)).on(2, 1);
    let given = given.and([measured("kpi", 1, 15, 49.0)]);
    let found = forecast(&given).unwrap();
    assert!(!found.reached);
    assert!(
        found.expected_progress > 0.3 && found.expected_progress < 0.67,
        "{found:?}"
    );
}

/// By the policy's cadence of check-ins, a week: the last value of each, and what nobody has contradicted stands.
#[test]
fn check_ins_are_foretold_by_the_week() {
    let line: Vec<Option<f64>> = rising(0.0, 1.0, 8).into_iter().map(Some).collect();
    let found = forecast(&checked_in(&line, |_| {})).unwrap();
    // The newest is of 19 February; the sixth week behind it ends on 2 April.
    assert_eq!(
        (found.basis.points, found.basis.filled, found.remaining_periods),
        (8, 0, 6)
    );
    assert_eq!(found.basis.days.last, date(2026, 2, 19));
    assert_near(found.expected, 13.0, "the line goes on");
    assert_near(found.expected_progress, 1.3, "from 0 to 10");
    assert_near(found.probability_to_reach, 1.0, "from 0 to 10");
    assert_eq!((found.current, found.reached), (Some(7.0), false));
    // Several in one week are one; a week of silence stands as it was.
    let silent = [&line[..4], &[None, None], &line[4..]].concat();
    let given = checked_in(&silent, |_| {});
    let given = given.and([
        saw_on("win/k", "late", (3, 3), 6.5),
        saw_on("win/k", "early", (2, 28), 99.0),
    ]);
    let found = forecast(&given).unwrap();
    assert_eq!((found.basis.points, found.basis.filled), (8, 2));
    assert_eq!(found.current, Some(7.0));
    // Seven weeks are not enough, however many check-ins were made in them.
    let given = checked_in(&line[..7], |_| {});
    let given = given.and([
        saw_on("win/k", "more", (2, 11), 6.5),
        saw_on("win/k", "older", (2, 10), 6.0),
    ]);
    let words =
        "objectives/win/keyResults/k has 7 periods with a check-in and 8 are needed: go on checking in";
    assert_eq!(reason(forecast(&given), words), "TOO_LITTLE_HISTORY");
    assert_eq!(
        reason(forecast(&checked_in(&[], |_| {})), "has 0 periods"),
        "TOO_LITTLE_HISTORY"
    );
    // A policy of daily check-ins makes days of them.
    let given = checked_in(&[], |_| {}).and([update_policy(|p| p.check_in_cadence_days = Some(1))]);
    let given = given
        .on(1, 10)
        .and((1i8..=10).map(|day| saw_on("win/k", &format!("d{day}"), (1, day), f64::from(day) / 10.0)));
    let found = forecast(&given).unwrap();
    assert_eq!((found.basis.points, found.remaining_periods), (10, 80));
    assert_near(found.expected, 9.0, "a tenth a day");
}

#[test]
fn what_cannot_be_foretold_is_refused_with_what_to_do() {
    let monthly = |change: fn(&mut KpiFields)| with_values(Cadence::Monthly, &always(10.0, 12), change);
    let of_cycle = |aggregation: fn(&mut KpiFields)| {
        linked(monthly(aggregation), |f| {
            f.window = Window::Cycle;
            f.kind = metric(Some(1.0), 20.0);
        })
    };
    let own = |change: fn(&mut KeyResultFields)| checked_in(&[Some(1.0)], change);
    let from_0 = |f: &mut KeyResultFields| f.kind = metric(Some(0.0), 20.0);
    let undecided = monthly(|_| {}).and([
        objective("win", |_| {}),
        key_result("win/k", |f| f.kind = metric(None, 20.0)),
    ]);
    for (given, expected, words) in [
        (
            checked_in(&[], |f| f.kind = milestones(&[("a", 1.0)])),
            "KIND_NOT_FORECAST",
            "ask about a METRIC",
        ),
        (
            checked_in(&[], |f| f.kind = crate::domain::KeyResultKind::Binary),
            "KIND_NOT_FORECAST",
            "ask about a METRIC",
        ),
        (
            of_cycle(|f| f.aggregation = Aggregation::Mean),
            "WINDOW_NOT_FORECAST",
            "use window NEWEST",
        ),
        (
            of_cycle(|f| f.aggregation = Aggregation::Max),
            "WINDOW_NOT_FORECAST",
            "use window NEWEST",
        ),
        (own(|f| f.unit = Some(scale())), "UNIT_IS_SCALE", "in numbers"),
        (undecided, "BASELINE_MISSING", "set metric.baseline"),
        (
            linked(monthly(|f| f.cadence = Cadence::Irregular), from_0),
            "NO_RHYTHM",
            "with a cadence",
        ),
        (
            linked(monthly(|_| {}), from_0).and([delete("kpis/kpi")]),
            "DELETED",
            "kpis/kpi",
        ),
        (
            linked(monthly(|_| {}), from_0).and([cancel("win")]),
            "OBJECTIVE_OVER",
            "no more",
        ),
        (
            linked(monthly(|_| {}), from_0).and([delete("keyResults/win/k")]),
            "DELETED",
            "undelete",
        ),
        (
            linked(monthly(|_| {}), from_0).on(4, 1),
            "NOTHING_TO_FORECAST",
            "read its progress",
        ),
        (
            // By the middle of January no month is over that is not known.
            linked(monthly(summed), |f| {
                f.kind = metric(Some(0.0), 20.0);
                f.due_date = Some(date(2026, 1, 15));
            }),
            "NOTHING_TO_FORECAST",
            "2026-01-15",
        ),
        (
            linked(with_values(Cadence::Monthly, &always(1.0, 7), |_| {}), from_0),
            "TOO_LITTLE_HISTORY",
            "kpis/kpi has 7",
        ),
    ] {
        assert_eq!(reason(forecast(&given), words), expected);
    }
    let years = given([
        cycle("years", date(2026, 1, 1), date(2029, 12, 31), None),
        activate_cycle("years"),
        kpi("kpi", |_| {}),
    ])
    .and((0..12).map(|back| measured_on("kpi", day_before(Cadence::Daily, back), 1.0)))
    .and([
        objective("win", |f| f.cycle = id("years")),
        key_result("win/k", |f| f.kpi = Some(id("kpi"))),
    ]);
    let words = "2029-12-31 is more than 366 periods behind the newest value of kpis/kpi";
    assert_eq!(reason(forecast(&years), words), "HORIZON_TOO_FAR");
}
