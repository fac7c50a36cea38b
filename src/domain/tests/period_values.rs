//! Period values: the aggregation over one period of the cadence, and its change from the period before.

use jiff::civil::{Date, Weekday, date};

use super::super::given::*;
use super::super::{
    Aggregation, Cadence, Command, Direction, Effective, FirstWeekday, KeyResultFields, KpiFields, Period,
    Timestamp, Transform, Window, newest_period_value, period_values_back,
};

fn of(cadence: Cadence, aggregation: Aggregation) -> impl Fn(&mut KpiFields) {
    move |fields| (fields.cadence, fields.aggregation) = (cadence, aggregation)
}

fn changes(cadence: Cadence, aggregation: Aggregation) -> impl Fn(&mut KpiFields) {
    move |fields| {
        of(cadence, aggregation)(fields);
        fields.transform = Some(Transform::ChangePercent);
    }
}

/// A value at noon of a date, in UTC.
fn on(date: Date, number: f64) -> Command {
    measured_at("k", at(date.year(), date.month(), date.day(), 12), number)
}

/// A KPI on a day, measured before.
fn fed(kind: impl Fn(&mut KpiFields), today: Date, values: &[(Date, f64)]) -> Given {
    given([kpi("k", kind)])
        .on_date(today)
        .and(values.iter().map(|(date, number)| on(*date, *number)))
}

/// "SUM and COUNT use complete periods only; the others may use the running one, marked `provisional`."
#[test]
fn sums_and_counts_know_complete_periods_only_and_the_others_the_running_one_too() {
    let values = [
        (day(1, 5), 10.0),
        (day(1, 20), 30.0),
        (day(1, 31), 5.0),
        (day(2, 1), 7.0),
    ];
    for (aggregation, january, february) in [
        (Aggregation::Sum, 45.0, None),
        (Aggregation::Count, 3.0, None),
        (Aggregation::Last, 5.0, Some(7.0)),
        (Aggregation::Mean, 15.0, Some(7.0)),
        (Aggregation::Min, 5.0, Some(7.0)),
        (Aggregation::Max, 30.0, Some(7.0)),
    ] {
        let given = fed(of(Cadence::Monthly, aggregation), day(2, 28), &values);
        let mut expected = vec![(day(1, 1), day(1, 31), january, false)];
        expected.extend(february.map(|value| (day(2, 1), day(2, 28), value, true)));
        assert_eq!(given.values("k"), expected, "{aggregation:?}");
        let march = given.on(3, 1).values("k");
        let complete = if aggregation == Aggregation::Count {
            1.0
        } else {
            7.0
        };
        assert_eq!(
            march.last(),
            Some(&(day(2, 1), day(2, 28), complete, false)),
            "{aggregation:?}"
        );
    }
}

/// "IRREGULAR: each value alone", whatever the aggregation, also several of one day; none is provisional.
#[test]
fn of_an_irregular_kpi_each_value_stands_alone() {
    for aggregation in [
        Aggregation::Last,
        Aggregation::Sum,
        Aggregation::Mean,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::Count,
    ] {
        let given = given([kpi("k", of(Cadence::Irregular, aggregation))])
            .on(1, 9)
            .and([
                measured("k", 1, 3, 5.0),
                Command::RecordMeasurements(vec![
                    from_source("k", (1, 9), "a", 1.0),
                    from_source("k", (1, 9), "b", 2.0),
                ]),
            ]);
        let alone = |on: i8, value: f64| (day(1, on), day(1, on), value, false);
        assert_eq!(
            given.values("k"),
            [alone(3, 5.0), alone(9, 1.0), alone(9, 2.0)],
            "{aggregation:?}"
        );
    }
}

/// "the aggregation over one period of the cadence (local calendar, fiscal year)": each value at noon counts in the period
/// of its local day.
#[test]
fn a_period_is_one_of_the_local_calendar_and_the_fiscal_year() {
    struct Case {
        cadence: Cadence,
        first_month: i8,
        first_weekday: Weekday,
        measured: Date,
        period: (Date, Date),
    }
    let case = |cadence, measured, period| Case {
        cadence,
        first_month: 1,
        first_weekday: Weekday::Monday,
        measured,
        period,
    };
    let fiscal = |first_month, cadence, measured, period| Case {
        first_month,
        ..case(cadence, measured, period)
    };
    let sunday = |measured, period| Case {
        first_weekday: Weekday::Sunday,
        ..case(Cadence::Weekly, measured, period)
    };
    let leap = date(2028, 2, 29);
    for Case {
        cadence,
        first_month,
        first_weekday,
        measured,
        period,
    } in [
        case(Cadence::Daily, leap, (leap, leap)),
        case(Cadence::Monthly, leap, (date(2028, 2, 1), leap)),
        case(Cadence::Monthly, day(2, 28), (day(2, 1), day(2, 28))),
        case(Cadence::Monthly, day(4, 30), (day(4, 1), day(4, 30))),
        case(Cadence::Monthly, day(12, 31), (day(12, 1), day(12, 31))),
        case(Cadence::Weekly, day(1, 4), (date(2025, 12, 29), day(1, 4))),
        case(Cadence::Weekly, day(1, 5), (day(1, 5), day(1, 11))),
        sunday(day(1, 4), (day(1, 4), day(1, 10))),
        sunday(day(1, 3), (date(2025, 12, 28), day(1, 3))),
        case(Cadence::Quarterly, leap, (date(2028, 1, 1), date(2028, 3, 31))),
        fiscal(2, Cadence::Quarterly, day(1, 31), (date(2025, 11, 1), day(1, 31))),
        fiscal(
            4,
            Cadence::Semiannual,
            leap,
            (date(2027, 10, 1), date(2028, 3, 31)),
        ),
        fiscal(4, Cadence::Annual, day(3, 31), (date(2025, 4, 1), day(3, 31))),
        fiscal(4, Cadence::Annual, day(4, 1), (day(4, 1), date(2027, 3, 31))),
        case(Cadence::Annual, leap, (date(2028, 1, 1), date(2028, 12, 31))),
    ] {
        let calendar = update_workspace(None, |patch| {
            patch.first_weekday = Some(FirstWeekday(first_weekday))
        });
        let given = given_in("UTC", first_month, [kpi("k", of(cadence, Aggregation::Sum))])
            .and([calendar])
            .on_date(date(2030, 1, 1))
            .and([on(measured, 3.0)]);
        assert_eq!(
            given.values("k"),
            [(period.0, period.1, 3.0, false)],
            "{cadence:?} of {measured}"
        );
    }
}

/// A local day of 23 or 25 hours has what its hours have, and so has the month that it lies in.
#[test]
fn a_day_of_23_or_25_hours_counts_what_its_hours_saw() {
    // New York: the clocks go forward on 8 March 2026 and back on 1 November.
    for (month, on, start_hour, hours) in [(3, 8, 5, 23), (11, 1, 4, 25)] {
        let start = at(2026, month, on, start_hour);
        let hourly = || {
            let hour = |hour: i64| measurement("k", Effective::At(start.plus_seconds(hour * 3600)), 1.0);
            Command::RecordMeasurements((0..hours).map(hour).collect())
        };
        for cadence in [Cadence::Daily, Cadence::Monthly] {
            let given = given_in("America/New_York", 1, [kpi("k", of(cadence, Aggregation::Count))])
                .on_date(date(2027, 1, 1))
                .and([hourly()]);
            let values = given.values("k");
            assert_eq!(values.len(), 1, "{cadence:?}: {values:?}");
            assert_eq!(values[0].2, hours as f64, "{cadence:?} in month {month}");
        }
    }
}

/// "optional transform `CHANGE_PERCENT` (period over period)": (v − b) ÷ |b| · 100; of nothing, and from nothing, there is no
/// change.
#[test]
fn a_change_is_in_percent_of_the_amount_of_the_period_before() {
    let month = |month: i8, number: f64| (day(month, 10), number);
    type Case = (&'static str, Vec<(Date, f64)>, Vec<(i8, f64)>);
    let cases: Vec<Case> = vec![
        ("one has no change", vec![month(1, 100.0)], vec![]),
        ("up", vec![month(1, 100.0), month(2, 110.0)], vec![(2, 10.0)]),
        ("down", vec![month(1, 100.0), month(2, 75.0)], vec![(2, -25.0)]),
        ("the same", vec![month(1, 100.0), month(2, 100.0)], vec![(2, 0.0)]),
        (
            "a loss that shrinks is better",
            vec![month(1, -100.0), month(2, -90.0)],
            vec![(2, 10.0)],
        ),
        (
            "a loss that grows is worse",
            vec![month(1, -100.0), month(2, -110.0)],
            vec![(2, -10.0)],
        ),
        (
            "from a loss to a gain",
            vec![month(1, -50.0), month(2, 50.0)],
            vec![(2, 200.0)],
        ),
        ("from nothing", vec![month(1, 0.0), month(2, 5.0)], vec![]),
        (
            "to nothing, and from there",
            vec![month(1, 5.0), month(2, 0.0), month(3, 5.0), month(4, 10.0)],
            vec![(2, -100.0), (4, 100.0)],
        ),
        (
            "over a gap",
            vec![month(1, 100.0), month(3, 120.0), month(4, 60.0)],
            vec![(4, -50.0)],
        ),
    ];
    for (case, values, expected) in cases {
        let given = fed(
            changes(Cadence::Monthly, Aggregation::Last),
            date(2027, 1, 1),
            &values,
        );
        let found: Vec<(i8, f64)> = given
            .values("k")
            .iter()
            .map(|(first, _, value, _)| (first.month(), *value))
            .collect();
        assert_eq!(found, expected, "{case}");
    }
}

/// A change compares what the aggregation makes of two periods: SUM and COUNT of complete ones, the others may be
/// provisional; of an IRREGULAR KPI two values in a row.
#[test]
fn a_change_compares_what_is_aggregated() {
    let values = [
        (day(1, 10), 60.0),
        (day(1, 20), 40.0),
        (day(2, 10), 70.0),
        (day(2, 20), 80.0),
    ];
    for (aggregation, running, complete) in [
        (Aggregation::Sum, None, 50.0),
        (Aggregation::Count, None, 0.0),
        (Aggregation::Last, Some(100.0), 100.0),
        (Aggregation::Mean, Some(50.0), 50.0),
        (Aggregation::Min, Some(75.0), 75.0),
        (
            Aggregation::Max,
            Some(80.0 / 60.0 * 100.0 - 100.0),
            80.0 / 60.0 * 100.0 - 100.0,
        ),
    ] {
        let given = fed(changes(Cadence::Monthly, aggregation), day(2, 28), &values);
        let newest = |given: &Given| {
            given
                .values("k")
                .last()
                .map(|(_, _, value, provisional)| (*value, *provisional))
        };
        let close = |found: Option<(f64, bool)>, expected: Option<(f64, bool)>| match (found, expected) {
            (Some(found), Some(expected)) => (found.0 - expected.0).abs() < 1e-9 && found.1 == expected.1,
            (found, expected) => found == expected,
        };
        assert!(
            close(newest(&given), running.map(|value| (value, true))),
            "{aggregation:?}: {:?}",
            newest(&given)
        );
        let later = newest(&given.on(3, 1));
        assert!(
            close(later, Some((complete, false))),
            "{aggregation:?}: {later:?}"
        );
    }
    let irregular = fed(
        changes(Cadence::Irregular, Aggregation::Last),
        day(2, 28),
        &values,
    );
    let found: Vec<f64> = irregular.values("k").iter().map(|found| found.2).collect();
    assert_eq!(found, [-20.0 / 60.0 * 100.0, 75.0, 10.0 / 70.0 * 100.0]);
    let same_moment = given([kpi("k", changes(Cadence::Irregular, Aggregation::Last))])
        .on(1, 9)
        .and([
            measured("k", 1, 3, 4.0),
            Command::RecordMeasurements(vec![
                from_source("k", (1, 9), "a", 5.0),
                from_source("k", (1, 9), "b", 6.0),
            ]),
        ]);
    let found: Vec<f64> = same_moment.values("k").iter().map(|found| found.2).collect();
    assert_eq!(
        found,
        [25.0, 50.0],
        "what is of one moment comes not after itself"
    );
}

/// "Only what is dated within its cycle counts: check-ins, LAST values, and periods that end in it (or are running)."
#[test]
fn within_a_cycle_counts_what_is_dated_in_it() {
    let cycle = Period {
        first: day(4, 1),
        last: day(6, 30),
    };
    // 30 March to 5 April straddles its first day, 29 June to 5 July its last.
    let values = [
        (day(3, 25), 1.0),
        (day(3, 31), 2.0),
        (day(4, 2), 3.0),
        (day(6, 29), 4.0),
        (day(7, 2), 5.0),
    ];
    let cases = [
        (
            Aggregation::Last,
            false,
            vec![(day(4, 5), 3.0)],
            vec![(day(4, 5), 3.0), (day(7, 5), 4.0)],
        ),
        (
            Aggregation::Sum,
            false,
            vec![(day(4, 5), 5.0)],
            vec![(day(4, 5), 5.0)],
        ),
        (
            Aggregation::Mean,
            false,
            vec![(day(4, 5), 2.5)],
            vec![(day(4, 5), 2.5)],
        ),
        // The first change is one from the week before the cycle.
        (
            Aggregation::Last,
            true,
            vec![(day(4, 5), 200.0)],
            vec![(day(4, 5), 200.0)],
        ),
        (
            Aggregation::Sum,
            true,
            vec![(day(4, 5), 400.0)],
            vec![(day(4, 5), 400.0)],
        ),
    ];
    for (aggregation, change, early, late) in cases {
        let kind = |fields: &mut KpiFields| {
            of(Cadence::Weekly, aggregation)(fields);
            fields.transform = change.then_some(Transform::ChangePercent);
        };
        for (today, expected) in [(day(4, 20), &early), (day(7, 20), &late)] {
            let known: Vec<_> = values
                .iter()
                .filter(|(date, _)| *date <= today)
                .copied()
                .collect();
            let given = fed(kind, today, &known);
            let kpi = given.workspace.kpi(&id("k")).unwrap();
            let found: Vec<(Date, f64)> = super::super::period_values(kpi, &given.workspace, cycle)
                .iter()
                .map(|found| (found.period.last, found.value))
                .collect();
            assert_eq!(&found, expected, "{aggregation:?}, change {change}, on {today}");
            let newest = newest_period_value(kpi, &given.workspace, Some(cycle));
            assert_eq!(
                newest.map(|found| found.value),
                expected.last().map(|(_, value)| *value)
            );
        }
    }
}

fn summing(fields: &mut KeyResultFields) {
    fields.kpi = Some(id("k"));
    fields.window = Window::Cycle;
    fields.kind = maintain(Some(5.0), None, 0.0);
}

/// "the key result may choose the window `CYCLE` instead": of changes from period to period it makes nothing.
#[test]
fn changes_are_not_added_up_over_a_cycle() {
    let plain = given(q1()).and([kpi("k", |_| {}), objective("win", |_| {})]);
    let changing = given(q1()).and([
        kpi("k", changes(Cadence::Monthly, Aggregation::Sum)),
        objective("win", |_| {}),
    ]);
    assert_eq!(
        plain.when(key_result("win/k", summing)),
        Ok(vec!["KeyResultCreated"])
    );
    assert_eq!(
        changing.when(key_result("win/k", summing)),
        Err("WINDOW_OVER_CHANGES")
    );
    let newest = |fields: &mut KeyResultFields| {
        summing(fields);
        fields.window = Window::Newest;
    };
    assert_eq!(
        changing.when(key_result("win/k", newest)),
        Ok(vec!["KeyResultCreated"])
    );
    let window = update_key_result("win/k", |patch| patch.window = Some(Window::Cycle));
    assert_eq!(
        changing.and([key_result("win/k", newest)]).when(window),
        Err("WINDOW_OVER_CHANGES")
    );
    // Neither the other way round, before the first measurement.
    let transform = || {
        update_kpi("k", |patch| {
            patch.transform = Some(Some(Transform::ChangePercent))
        })
    };
    let linked = plain.and([key_result("win/k", summing)]);
    assert_eq!(linked.when(transform()), Err("WINDOW_OVER_CHANGES"));
    assert_eq!(
        linked.and([cancel("win")]).when(transform()),
        Ok(vec!["KpiUpdated"]),
        "it is over"
    );
}

/// "Unit, direction, cadence and aggregation are fixed after the first measurement"; before it, what is linked has to go
/// the KPI's way.
#[test]
fn a_kpi_does_not_turn_against_what_it_measures() {
    let down = || update_kpi("k", |patch| patch.direction = Some(Direction::LowerIsBetter));
    let within = || update_kpi("k", |patch| patch.direction = Some(Direction::InRange));
    let linked = |fields: &mut KeyResultFields| fields.kpi = Some(id("k"));
    let given = given(q1()).and([
        kpi("k", |_| {}),
        objective("win", |_| {}),
        key_result("win/up", linked),
    ]);
    for (state, given) in [
        ("draft", given.clone()),
        ("active", given.clone().and([activate("win")])),
    ] {
        assert_eq!(given.when(down()), Err("WRONG_DIRECTION"), "{state}");
        assert_eq!(given.when(within()), Ok(vec!["KpiUpdated"]), "{state}");
    }
    for (case, over) in [("over", cancel("win")), ("deleted", delete("keyResults/win/up"))] {
        assert_eq!(
            given.clone().and([over]).when(down()),
            Ok(vec!["KpiUpdated"]),
            "{case}"
        );
    }
    let measured = given.and([measured("k", 1, 1, 1.0)]);
    for change in [
        down(),
        within(),
        update_kpi("k", |p| p.transform = Some(Some(Transform::ChangePercent))),
    ] {
        assert_eq!(measured.when(change), Err("KPI_HAS_MEASUREMENTS"));
    }
}

/// A day that begins in the middle of a jump, and an evening that comes twice: each day is one period value, and looking back
/// ends.
#[test]
fn days_without_a_midnight_and_with_two_have_one_value_each() {
    let at = |text: &str| {
        let micros = text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        Effective::At(Timestamp::from_micros(micros))
    };
    let values = |given: &Given| -> Vec<f64> {
        let kpi = given.workspace.kpi(&id("k")).unwrap();
        period_values_back(kpi, &given.workspace, None)
            .map(|value| value.value)
            .collect()
    };
    let batch = |points: &[(&str, f64)]| {
        let points = points
            .iter()
            .map(|(when, number)| measurement("k", at(when), *number));
        Command::RecordMeasurements(points.collect())
    };
    let toronto = given_in("America/Toronto", 1, [kpi("k", |_| {})]).and([batch(&[
        ("1919-03-30T12:00:00Z", 1.0),
        ("1919-03-31T04:40:00Z", 2.0),
        ("1919-03-31T12:00:00Z", 3.0),
    ])]);
    assert_eq!(values(&toronto), [3.0, 1.0]);
    let johns = given_in(
        "America/St_Johns",
        1,
        [kpi("k", |f| f.aggregation = Aggregation::Mean)],
    )
    .and([batch(&[
        ("1987-10-05T12:00:00Z", 7.0),
        ("1987-10-25T03:00:00Z", 9.0),
    ])]);
    assert_eq!(values(&johns), [9.0, 7.0]);
}

/// A KPI whose every base is 0 has no change to show, and nobody looks for one for ever.
#[test]
fn looking_back_for_a_value_has_an_end() {
    let given = given([kpi("k", |fields| {
        fields.cadence = Cadence::Irregular;
        fields.transform = Some(Transform::ChangePercent);
    })]);
    let seconds = |second: i64| Effective::At(at(2025, 1, 1, 0).plus_seconds(second));
    let change = [
        measurement("k", seconds(0), 1.0),
        measurement("k", seconds(1), 2.0),
    ];
    let nothing = |count: i64| (2..count).map(|second| measurement("k", seconds(second), 0.0));
    let newest = |count: i64| {
        let all = change.iter().cloned().chain(nothing(count)).collect();
        let given = given.clone().and([Command::RecordMeasurements(all)]);
        let kpi = given.workspace.kpi(&id("k")).unwrap();
        newest_period_value(kpi, &given.workspace, None).map(|newest| newest.value)
    };
    assert_eq!(newest(2), Some(100.0));
    assert_eq!(newest(9_000), Some(-100.0), "2 → 0, behind it only 0 → 0");
    assert_eq!(newest(11_000), None);
}
