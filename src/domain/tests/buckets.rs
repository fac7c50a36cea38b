//! Buckets of a series: local days of 23 and 25 hours, months' ends, leap days, fiscal years, weeks that begin on a Sunday.

use std::sync::Arc;

use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

use super::super::given::*;
use super::super::{
    Aggregation, Bucket, Buckets, Cadence, FirstWeekday, Revision, Series, Timestamp, TooManyBuckets,
    Workspace, plus_days,
};

const HOUR: i64 = 3_600_000_000;

fn workspace(zone: &str, first_month: i8, first_weekday: Weekday) -> Workspace {
    let mut workspace = given_in(zone, first_month, []).workspace;
    Arc::make_mut(&mut workspace.root).fields.first_weekday = FirstWeekday(first_weekday);
    workspace
}

/// A value of 1 at each full hour in UTC of the years 2023 to 2027.
fn hourly() -> Series {
    let mut series = Series::default();
    let (mut now, end) = (at(2023, 1, 1, 0), at(2028, 1, 1, 0));
    while now < end {
        series.record(now, "", 1.0, Revision(1));
        now = Timestamp::from_micros(now.as_micros() + HOUR);
    }
    series
}

/// The buckets of some local days (first and last).
fn buckets(workspace: &Workspace, days: (Date, Date), length: Cadence) -> Buckets {
    let rules = workspace.rules();
    let (start, end) = (rules.start_of(days.0), rules.start_of(plus_days(days.1, 1)));
    Buckets::between(workspace, start, end, length).expect("not too many")
}

#[test]
fn a_bucket_has_as_many_hours_as_its_local_days() {
    let series = hourly();
    let d = |month, day| date(2026, month, day);
    let (monday, sunday) = (Weekday::Monday, Weekday::Sunday);
    use Cadence::{Annual, Daily, Monthly, Quarterly, Semiannual, Weekly};
    type Case<'a> = (
        &'a str,
        i8,
        Weekday,
        Cadence,
        (Date, Date),
        &'a [(Date, Date, usize)],
    );
    let cases: &[Case<'_>] = &[
        // Clocks go forward on 29 March, back on 25 October.
        (
            "Europe/Berlin",
            1,
            monday,
            Daily,
            (d(3, 28), d(3, 30)),
            &[
                (d(3, 28), d(3, 28), 24),
                (d(3, 29), d(3, 29), 23),
                (d(3, 30), d(3, 30), 24),
            ],
        ),
        (
            "Europe/Berlin",
            1,
            monday,
            Daily,
            (d(10, 24), d(10, 26)),
            &[
                (d(10, 24), d(10, 24), 24),
                (d(10, 25), d(10, 25), 25),
                (d(10, 26), d(10, 26), 24),
            ],
        ),
        (
            "Europe/Berlin",
            1,
            monday,
            Monthly,
            (d(3, 1), d(4, 30)),
            &[(d(3, 1), d(3, 31), 31 * 24 - 1), (d(4, 1), d(4, 30), 30 * 24)],
        ),
        // The clocks skip midnight: 29 March begins at one o'clock.
        (
            "Asia/Beirut",
            1,
            monday,
            Daily,
            (d(3, 28), d(3, 30)),
            &[
                (d(3, 28), d(3, 28), 24),
                (d(3, 29), d(3, 29), 23),
                (d(3, 30), d(3, 30), 24),
            ],
        ),
        // And one hour of 24 October comes twice, after midnight of the 25th was put back.
        (
            "Asia/Beirut",
            1,
            monday,
            Daily,
            (d(10, 24), d(10, 25)),
            &[(d(10, 24), d(10, 24), 25), (d(10, 25), d(10, 25), 24)],
        ),
        (
            "UTC",
            1,
            monday,
            Daily,
            (date(2024, 2, 28), date(2024, 3, 1)),
            &[
                (date(2024, 2, 28), date(2024, 2, 28), 24),
                (date(2024, 2, 29), date(2024, 2, 29), 24),
                (date(2024, 3, 1), date(2024, 3, 1), 24),
            ],
        ),
        (
            "UTC",
            1,
            monday,
            Monthly,
            (date(2024, 2, 1), date(2024, 2, 29)),
            &[(date(2024, 2, 1), date(2024, 2, 29), 29 * 24)],
        ),
        // From 29 February to 29 February: cut at both ends.
        (
            "UTC",
            1,
            monday,
            Annual,
            (date(2024, 2, 29), date(2025, 2, 28)),
            &[
                (date(2024, 2, 29), date(2024, 12, 31), (366 - 59) * 24),
                (date(2025, 1, 1), date(2025, 2, 28), 59 * 24),
            ],
        ),
        (
            "UTC",
            4,
            monday,
            Annual,
            (date(2025, 4, 1), d(4, 2)),
            &[(date(2025, 4, 1), d(3, 31), 365 * 24), (d(4, 1), d(4, 2), 48)],
        ),
        (
            "UTC",
            4,
            monday,
            Quarterly,
            (d(1, 1), d(6, 30)),
            &[(d(1, 1), d(3, 31), 90 * 24), (d(4, 1), d(6, 30), 91 * 24)],
        ),
        // The fiscal year begins in February, so its quarters end with January, April, July and October.
        (
            "UTC",
            2,
            monday,
            Quarterly,
            (d(1, 15), d(4, 30)),
            &[(d(1, 15), d(1, 31), 17 * 24), (d(2, 1), d(4, 30), 89 * 24)],
        ),
        (
            "UTC",
            4,
            monday,
            Semiannual,
            (d(1, 1), d(9, 30)),
            &[(d(1, 1), d(3, 31), 90 * 24), (d(4, 1), d(9, 30), 183 * 24)],
        ),
        (
            "UTC",
            1,
            sunday,
            Weekly,
            (d(1, 1), d(1, 14)),
            &[
                (d(1, 1), d(1, 3), 72),
                (d(1, 4), d(1, 10), 168),
                (d(1, 11), d(1, 14), 96),
            ],
        ),
        (
            "UTC",
            1,
            monday,
            Weekly,
            (d(1, 1), d(1, 14)),
            &[
                (d(1, 1), d(1, 4), 96),
                (d(1, 5), d(1, 11), 168),
                (d(1, 12), d(1, 14), 72),
            ],
        ),
        // A week with the hour that is missing.
        (
            "Europe/Berlin",
            1,
            sunday,
            Weekly,
            (d(3, 29), d(4, 4)),
            &[(d(3, 29), d(4, 4), 167)],
        ),
    ];
    for (zone, first_month, first_weekday, length, days, expected) in cases {
        let workspace = workspace(zone, *first_month, *first_weekday);
        let filled = buckets(&workspace, *days, *length).filled(&series, Aggregation::Sum);
        let found: Vec<_> = filled
            .iter()
            .map(|bucket| (bucket.days.first, bucket.days.last, bucket.count))
            .collect();
        assert_eq!(found, *expected, "{zone} {length:?}");
        for bucket in filled {
            assert_eq!(bucket.value, Some(bucket.count as f64), "{zone} {length:?}");
        }
    }
}

#[test]
fn a_day_that_a_zone_left_out_is_an_empty_bucket() {
    // Samoa went over the date line: there was no 30 December 2011.
    let workspace = workspace("Pacific/Apia", 1, Weekday::Monday);
    let mut series = Series::default();
    for hour in 0..96 {
        let now = at(2011, 12, 29, 10).plus_seconds(hour * 3600);
        series.record(now, "", 1.0, Revision(1));
    }
    let days = (date(2011, 12, 29), date(2011, 12, 31));
    let counts = |bucket: &Bucket| (bucket.days.first.day(), bucket.count, bucket.value);
    let filled = buckets(&workspace, days, Cadence::Daily).filled(&series, Aggregation::Sum);
    let found: Vec<_> = filled.iter().map(counts).collect();
    assert_eq!(found, [(29, 24, Some(24.0)), (30, 0, None), (31, 24, Some(24.0))]);
}

#[test]
fn a_bucket_is_aggregated_as_asked_and_a_gap_is_no_zero() {
    let workspace = workspace("UTC", 1, Weekday::Monday);
    let mut series = Series::default();
    for (day, hour, value) in [(1, 1, 3.0), (1, 2, -1.0), (1, 3, 2.5), (3, 1, 7.0)] {
        series.record(at(2026, 1, day, hour), "", value, Revision(1));
    }
    let buckets = buckets(&workspace, (date(2026, 1, 1), date(2026, 1, 3)), Cadence::Daily);
    for (aggregation, first, third) in [
        (Aggregation::Last, 2.5, 7.0),
        (Aggregation::Sum, 4.5, 7.0),
        (Aggregation::Mean, 1.5, 7.0),
        (Aggregation::Min, -1.0, 7.0),
        (Aggregation::Max, 3.0, 7.0),
        (Aggregation::Count, 3.0, 1.0),
    ] {
        let values: Vec<_> = buckets
            .filled(&series, aggregation)
            .iter()
            .map(|bucket| bucket.value)
            .collect();
        assert_eq!(values, [Some(first), None, Some(third)], "{aggregation:?}");
    }
}

#[test]
fn what_is_still_running_is_provisional_and_moments_cut_a_bucket() {
    // Today is 1 January 2026.
    let workspace = workspace("UTC", 1, Weekday::Monday);
    let (start, end) = (at(2025, 12, 30, 6), at(2026, 1, 1, 18));
    let of = |length| {
        Buckets::between(&workspace, start, end, length)
            .unwrap()
            .filled(&hourly(), Aggregation::Count)
    };
    let shown = |bucket: &Bucket| {
        (
            bucket.days.first,
            bucket.days.last,
            bucket.count,
            bucket.provisional,
        )
    };
    let daily: Vec<_> = of(Cadence::Daily).iter().map(shown).collect();
    let (d30, d31, d1) = (date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1));
    assert_eq!(
        daily,
        [(d30, d30, 18, false), (d31, d31, 24, false), (d1, d1, 18, true)]
    );
    let monthly: Vec<_> = of(Cadence::Monthly).iter().map(shown).collect();
    assert_eq!(monthly, [(d30, d31, 42, false), (d1, d1, 18, true)]);
    let weekly: Vec<_> = of(Cadence::Weekly).iter().map(shown).collect();
    assert_eq!(
        weekly,
        [(d30, d1, 60, true)],
        "Monday 29 December to Sunday 4 January"
    );
}

#[test]
fn too_many_buckets_are_refused_and_none_are_none() {
    let workspace = workspace("UTC", 1, Weekday::Monday);
    let between = |start, end, length| Buckets::between(&workspace, start, end, length);
    assert_eq!(
        between(Timestamp::MIN, Timestamp::MAX, Cadence::Daily).unwrap_err(),
        TooManyBuckets
    );
    let years = between(at(1, 1, 1, 0), Timestamp::MAX, Cadence::Annual).expect("9,999 years");
    assert!(years.len() >= 9998, "{}", years.len());
    let now = at(2026, 1, 1, 0);
    assert!(between(now, now, Cadence::Daily).unwrap().is_empty());
    assert_eq!(
        buckets(&workspace, (date(2026, 1, 1), date(2026, 1, 1)), Cadence::Daily).len(),
        1
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn buckets_are_what_looking_up_each_point_by_itself_comes_to(
        points in prop::collection::btree_map(0i64..5 * 365 * 24 * 4, -100i32..100, 0..200),
        zone in prop::sample::select(vec!["Europe/Berlin", "Asia/Beirut", "UTC", "America/Sao_Paulo", "Australia/Lord_Howe"]),
        first_month in 1i8..=12,
        first_weekday in prop::sample::select(vec![Weekday::Monday, Weekday::Sunday, Weekday::Saturday]),
        length in prop::sample::select(vec![
            Cadence::Daily, Cadence::Weekly, Cadence::Monthly, Cadence::Quarterly, Cadence::Semiannual, Cadence::Annual,
        ]),
        aggregation in prop::sample::select(vec![
            Aggregation::Last, Aggregation::Sum, Aggregation::Mean, Aggregation::Min, Aggregation::Max, Aggregation::Count,
        ]),
    ) {
        let workspace = workspace(zone, first_month, first_weekday);
        let moment = |quarter: i64| at(2022, 1, 1, 0).plus_seconds(quarter * 900);
        let mut series = Series::default();
        for (quarter, value) in &points {
            series.record(moment(*quarter), "", f64::from(*value), Revision(1));
        }
        let dated: Vec<(Date, f64)> = points.iter()
            .map(|(quarter, value)| (workspace.rules().date(moment(*quarter)), f64::from(*value)))
            .collect();
        let days = (date(2022, 2, 10), date(2026, 11, 20));
        let filled = buckets(&workspace, days, length).filled(&series, aggregation);
        prop_assert_eq!((filled[0].days.first, filled[filled.len() - 1].days.last), days);
        prop_assert!(filled.windows(2).all(|two| plus_days(two[0].days.last, 1) == two[1].days.first));
        for bucket in filled {
            let period = workspace.calendar().period(length, bucket.days.first);
            prop_assert!(period.contains(bucket.days.last));
            prop_assert_eq!(bucket.provisional, period.last >= workspace.today());
            let values = || dated.iter()
                .filter(|(date, _)| bucket.days.contains(*date))
                .map(|(_, value)| *value);
            prop_assert_eq!(bucket.count, values().count());
            // As period values are aggregated.
            prop_assert_eq!(bucket.value, aggregation.of(values()));
        }
    }
}
