//! Current values by the KPI that gives them: its periods, the window of the cycle, the share that held.

use jiff::civil::date;

use super::*;
use crate::domain::{Aggregation, Cadence, Command, Effective, KeyResultFields, Window};

/// A value at noon of a day, in UTC.
fn measured_on(day: jiff::civil::Date, number: f64) -> Command {
    let moment = at(day.year(), day.month(), day.day(), 12);
    Command::RecordMeasurements(vec![measurement("kpi", Effective::At(moment), number)])
}

/// An objective whose key result follows a KPI.
fn linked(cadence: Cadence, aggregation: Aggregation, change: impl FnOnce(&mut KeyResultFields)) -> Given {
    given(q1()).and([
        kpi("kpi", |f| {
            f.cadence = cadence;
            f.aggregation = aggregation;
        }),
        objective("win", |_| {}),
        key_result("win/deals", |f| {
            f.kpi = Some(id("kpi"));
            change(f);
        }),
        activate("win"),
    ])
}

/// "the key result may choose the window `CYCLE` instead (everything since the cycle began, up to its last day: "revenue of the
/// quarter")".
#[test]
fn the_window_cycle_takes_everything_from_its_first_day_to_its_last() {
    use Aggregation::{Count, Last, Max, Mean, Min, Sum};
    for (aggregation, early, in_february, at_the_end) in [
        (Sum, None, Some(6.0), Some(12.0)),
        (Count, None, Some(2.0), Some(3.0)),
        (Mean, None, Some(3.0), Some(4.0)),
        (Min, None, Some(2.0), Some(2.0)),
        (Max, None, Some(4.0), Some(6.0)),
        (Last, None, Some(4.0), Some(6.0)),
    ] {
        let cadence = Cadence::Monthly;
        let given = linked(cadence, aggregation, |f| f.window = Window::Cycle)
            .and([measured_on(date(2025, 12, 31), 100.0)]);
        let check = |given: &Given, current, provisional, when: &str| {
            let found = of_deals(given);
            assert_eq!(
                (found.current, found.provisional),
                (current, provisional),
                "{aggregation:?} {when}"
            );
            assert_eq!(
                found.progress,
                current.unwrap_or(0.0) / 10.0,
                "{aggregation:?} {when}"
            );
        };
        check(&given, early, false, "before the first value");
        let given = given
            .and([measured_on(date(2026, 1, 1), 2.0)])
            .on(2, 28)
            .and([measured_on(date(2026, 2, 28), 4.0)]);
        check(&given, in_february, true, "in February");
        let given = given.on(3, 31).and([measured_on(date(2026, 3, 31), 6.0)]);
        check(&given, at_the_end, true, "on the last day");
        let given = given.on(4, 1).and([measured_on(date(2026, 4, 1), 50.0)]);
        check(&given, at_the_end, false, "the day after");
        let given = given.on(12, 31);
        check(&given, at_the_end, false, "at the end of the year");
    }
}

/// "Only what is dated within its cycle counts: …, LAST values, and periods that end in it (or are running)"; "SUM and COUNT use
/// complete periods only; the others may use the running one, marked `provisional`."
#[test]
fn the_newest_period_value_is_of_the_cycle() {
    use Aggregation::{Count, Last, Max, Mean, Sum};
    // 1 January 2026 is a Thursday: the first week ends on 4 January, the last that ends in the cycle on 29 March.
    for (aggregation, first_week, while_running, at_the_end, after) in [
        (Sum, None, Some(3.0), Some(8.0), Some(8.0)),
        (Count, None, Some(2.0), Some(1.0), Some(1.0)),
        (Mean, Some(1.5), Some(6.0), Some(4.0), Some(8.0)),
        (Max, Some(2.0), Some(6.0), Some(4.0), Some(8.0)),
        (Last, Some(2.0), Some(6.0), Some(4.0), Some(4.0)),
    ] {
        let given = linked(Cadence::Weekly, aggregation, |_| {})
            .and([measured_on(date(2025, 12, 30), 1.0)])
            .on(1, 2)
            .and([measured_on(date(2026, 1, 2), 2.0)]);
        let current = |given: &Given| of_deals(given).current;
        assert_eq!(current(&given), first_week, "{aggregation:?} in the first week");
        assert_eq!(of_deals(&given).provisional, first_week.is_some());
        let given = given.on(1, 5).and([measured_on(date(2026, 1, 5), 6.0)]);
        assert_eq!(current(&given), while_running, "{aggregation:?} in the second");
        let given = given.on(3, 31).and([
            measured_on(date(2026, 3, 25), 8.0),
            measured_on(date(2026, 3, 31), 4.0),
        ]);
        assert_eq!(current(&given), at_the_end, "{aggregation:?} on the last day");
        let given = given.on(4, 6).and([measured_on(date(2026, 4, 1), 90.0)]);
        assert_eq!(
            current(&given),
            after,
            "{aggregation:?} when the last week is over"
        );
        assert!(!of_deals(&given).provisional);
    }
    let before = linked(Cadence::Weekly, Last, |_| {}).and([measured_on(date(2025, 12, 31), 9.0)]);
    assert_eq!(
        of_deals(&before).current,
        None,
        "in the first week, but not in the cycle"
    );
}

/// "mode SHARE: periods that held ÷ periods with data, since the cycle began".
#[test]
fn a_share_is_of_the_periods_with_data_in_every_cadence() {
    use Aggregation::{Count, Last, Max, Mean, Min, Sum};
    use Cadence::{Annual, Daily, Irregular, Monthly, Quarterly, Semiannual, Weekly};
    let day = |month, day| date(2026, month, day);
    let new_year = date(2025, 12, 31);
    for (cadence, aggregation, values, today, held, with_data, provisional) in [
        (
            Daily,
            Last,
            vec![
                (new_year, 9.0),
                (day(1, 1), 45.0),
                (day(1, 2), 35.0),
                (day(1, 5), 45.0),
            ],
            (1, 5),
            2,
            3,
            true,
        ),
        (
            Daily,
            Last,
            vec![(day(1, 1), 35.0), (day(1, 2), 40.0 - 1e-10)],
            (1, 9),
            1,
            2,
            false,
        ),
        (
            Daily,
            Sum,
            vec![(day(1, 1), 45.0), (day(1, 2), 35.0), (day(1, 5), 45.0)],
            (1, 5),
            1,
            2,
            false,
        ),
        (
            Weekly,
            Sum,
            vec![
                (new_year, 10.0),
                (day(1, 1), 30.0),
                (day(1, 6), 10.0),
                (day(1, 14), 99.0),
            ],
            (1, 14),
            1,
            2,
            false,
        ),
        (
            Weekly,
            Last,
            vec![(day(1, 1), 45.0), (day(1, 4), 35.0), (day(1, 5), 45.0)],
            (1, 5),
            1,
            2,
            true,
        ),
        (
            Monthly,
            Mean,
            vec![
                (day(1, 5), 50.0),
                (day(1, 6), 40.0),
                (day(2, 1), 10.0),
                (day(3, 9), 60.0),
            ],
            (3, 10),
            2,
            3,
            true,
        ),
        (
            Monthly,
            Min,
            vec![(day(1, 5), 50.0), (day(1, 6), 39.0)],
            (4, 20),
            0,
            1,
            false,
        ),
        (
            Quarterly,
            Max,
            vec![(day(1, 5), 10.0), (day(2, 5), 50.0)],
            (2, 5),
            1,
            1,
            true,
        ),
        (Quarterly, Count, vec![(day(1, 5), 10.0)], (3, 31), 0, 0, false),
        (Quarterly, Count, vec![(day(1, 5), 10.0)], (4, 1), 0, 1, false),
        (Semiannual, Sum, vec![(day(1, 5), 50.0)], (4, 1), 0, 0, false),
        (
            Annual,
            Last,
            vec![(day(1, 5), 10.0), (day(2, 5), 50.0)],
            (2, 5),
            1,
            1,
            true,
        ),
        // The week of 30 March to 5 April ends behind the cycle.
        (
            Weekly,
            Mean,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (3, 31),
            1,
            2,
            true,
        ),
        (
            Weekly,
            Mean,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (4, 6),
            1,
            1,
            false,
        ),
        (
            Weekly,
            Last,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (4, 6),
            1,
            2,
            false,
        ),
        (
            Irregular,
            Sum,
            vec![
                (day(1, 5), 45.0),
                (day(1, 6), 35.0),
                (day(1, 7), 45.0),
                (day(1, 8), 1.0),
            ],
            (1, 8),
            2,
            4,
            false,
        ),
        (Daily, Last, vec![], (1, 8), 0, 0, false),
    ] {
        let said = format!("{cadence:?} {aggregation:?} {values:?} on {today:?}");
        let given = linked(cadence, aggregation, |f| f.kind = share(40.0))
            .on(today.0, today.1)
            .and(values.into_iter().map(|(day, number)| measured_on(day, number)));
        let found = of_deals(&given);
        assert_eq!(
            (found.periods_held, found.periods_with_data),
            (held, with_data),
            "{said}"
        );
        let share = if with_data == 0 {
            0.0
        } else {
            f64::from(held) / f64::from(with_data)
        };
        assert_eq!(found.progress, share, "{said}");
        assert_eq!(found.current.is_some(), with_data > 0, "{said}");
        assert_eq!(found.provisional, provisional, "{said}");
    }
}

/// Without a KPI there are no periods: each value seen stands alone, and what is said without one is no period with data.
#[test]
fn a_share_without_a_kpi_is_of_the_check_ins() {
    let given = given(q1())
        .and([
            objective("win", |_| {}),
            key_result("win/deals", |f| f.kind = share(40.0)),
            activate("win"),
        ])
        .on(1, 9)
        .and([
            check_in("win/deals", "before", |c| {
                c.effective = Effective::On(date(2025, 12, 31));
                c.value = Some(value(1.0));
            }),
            saw_on("win/deals", "a", (1, 3), 45.0),
            saw_on("win/deals", "b", (1, 3), 40.0),
            saw_on("win/deals", "c", (1, 4), 39.0),
            check_in("win/deals", "d", in_words),
        ]);
    let found = of_deals(&given);
    assert_eq!((found.periods_held, found.periods_with_data), (2, 3));
    assert_eq!((found.current, found.progress), (Some(39.0), 2.0 / 3.0));
    let found = of_deals(&given.and([retract("win/deals", "c")]));
    assert_eq!((found.periods_held, found.progress), (2, 1.0));
}

/// "A key result whose KPI is deleted keeps its last value, flagged `source_deleted`."
#[test]
fn a_deleted_kpi_leaves_its_last_value() {
    for window in [Window::Newest, Window::Cycle] {
        let given = linked(Cadence::Daily, Aggregation::Last, |f| f.window = window)
            .and([measured_on(date(2026, 1, 1), 5.0)]);
        let seen = |given: &Given| {
            let found = of_deals(given);
            (found.current, found.score, found.source_deleted)
        };
        assert_eq!(seen(&given), (Some(5.0), 0.5, false));
        let deleted = given.and([delete("kpis/kpi")]);
        assert_eq!(seen(&deleted), (Some(5.0), 0.5, true));
        assert_eq!(of_win(&deleted).score, Some(0.5));
        assert_eq!(seen(&deleted.clone().on(3, 1)), (Some(5.0), 0.5, true));
        let closed = deleted.clone().and([close("win", explained())]);
        assert_eq!(seen(&closed), (Some(5.0), 0.5, true));
        let back = deleted.and([undelete("kpis/kpi"), measured_on(date(2026, 1, 1), 7.0)]);
        assert_eq!(seen(&back), (Some(7.0), 0.7, false));
    }
}
