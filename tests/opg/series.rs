//! The figures as charts show them: by month with their gaps, by quarter, half and year of the calendar and of fiscal years.

use binnacle::proto::api;
use binnacle::proto::api::{Aggregation, Cadence};
use jiff::civil::Date;

use crate::figures::{Months, SERVICES, later, percent, published};
use crate::world::*;

/// The server's day.
const TODAY: Date = Date::constant(2026, 7, 15);

/// A bucket as it is compared: its days, its value, of how many, and whether it still runs.
type Shown = (String, String, Option<f64>, i64, bool);

fn buckets(series: &api::KpiSeries) -> Vec<Shown> {
    let bucket = |point: &api::SeriesPoint| {
        assert!(!point.gap_before, "nothing is left out");
        (
            shown(point.first_date.as_ref()),
            shown(point.last_date.as_ref()),
            point.value,
            point.count,
            point.provisional,
        )
    };
    series.points.iter().map(bucket).collect()
}

/// What the figures of some months come to, added up one after the other.
fn aggregated(figures: &[f64], aggregation: Aggregation) -> Option<f64> {
    let last = *figures.last()?;
    let mut sum = 0.0;
    let (mut least, mut most) = (last, last);
    for &figure in figures {
        sum += figure;
        least = if figure < least { figure } else { least };
        most = if figure > most { figure } else { most };
    }
    Some(match aggregation {
        Aggregation::Sum => sum,
        Aggregation::Mean => sum / figures.len() as f64,
        Aggregation::Min => least,
        Aggregation::Max => most,
        Aggregation::Count => figures.len() as f64,
        Aggregation::Unspecified | Aggregation::Last => last,
    })
}

/// The months from a first one to today in groups of so many, where a group begins with the fiscal year.
fn grouped(
    figures: &Months,
    first: Date,
    length: i32,
    fiscal_first: i32,
    aggregation: Aggregation,
) -> Vec<Shown> {
    let group = |month: Date| {
        let since = i32::from(month.year()) * 12 + i32::from(month.month()) - fiscal_first;
        since.div_euclid(length)
    };
    let mut months: Vec<Date> = Vec::new();
    let mut month = first;
    while month <= TODAY {
        months.push(month);
        month = later(month, 1);
    }
    let groups = months.chunk_by(|a, b| group(*a) == group(*b));
    let shown = groups.map(|months| {
        let values: Vec<f64> = months
            .iter()
            .filter_map(|month| figures.get(month).copied())
            .collect();
        let (first, last) = (months[0], months[months.len() - 1].last_of_month());
        let is_running = group(first) == group(TODAY);
        (
            first.to_string(),
            last.min(TODAY).to_string(),
            aggregated(&values, aggregation),
            values.len() as i64,
            is_running,
        )
    });
    shown.collect()
}

#[tokio::test]
async fn months_are_as_published_and_what_is_missing_is_a_gap() {
    let server = with_figures().await;
    let published = published();
    let first_of = |id: &str| *published[id].keys().next().expect("a month");
    for (id, figures) in published {
        let monthly = series(&server, id, |it| it.bucket = Cadence::Monthly.into()).await;
        let expected = grouped(figures, first_of(id), 1, 1, Aggregation::Last);
        assert_eq!(buckets(&monthly), expected, "{id}");
        assert_eq!(
            expected.last().map(|last| (last.2, last.4)),
            Some((None, true)),
            "July"
        );
        let raw = series(&server, id, |_| {}).await;
        let points: Vec<_> = raw
            .points
            .iter()
            .map(|point| (point.effective_time, point.value))
            .collect();
        let measured: Vec<_> = figures
            .iter()
            .map(|(month, figure)| (start_of(*month), Some(*figure)))
            .collect();
        assert_eq!(
            (points, raw.total_count),
            (measured, figures.len() as i64),
            "{id}"
        );
        let values = || figures.values().copied();
        let extremes = (values().reduce(f64::min), values().reduce(f64::max));
        for series in [&raw, &monthly] {
            assert_eq!((series.min_value, series.max_value), extremes, "{id}");
        }
    }

    // Beside the elder service, the younger one has nothing for two years.
    let together = batch(&server, published.keys(), |it| {
        it.bucket = Cadence::Monthly.into()
    })
    .await;
    let [(lpa, _), (deputies, _)] = SERVICES;
    let first = first_of(&percent(lpa));
    for (id, figures) in published {
        let expected = grouped(figures, first, 1, 1, Aggregation::Last);
        assert_eq!(buckets(&together[id]), expected, "{id}");
    }
    let younger = &together[&percent(deputies)].points;
    let gaps: Vec<_> = younger.iter().map(|point| point.value.is_none()).collect();
    assert_eq!(gaps, [[true; 25].as_slice(), &[false; 39], &[true]].concat());
}

#[tokio::test]
async fn quarters_halves_and_years_are_what_the_months_come_to_in_any_fiscal_year() {
    let server = with_figures().await;
    let published = published();
    for fiscal_first in [1, 4, 2] {
        with_fiscal_year(&server, fiscal_first).await;
        for (bucket, length) in [
            (Cadence::Quarterly, 3),
            (Cadence::Semiannual, 6),
            (Cadence::Annual, 12),
        ] {
            for aggregation in [
                Aggregation::Unspecified,
                Aggregation::Sum,
                Aggregation::Mean,
                Aggregation::Min,
                Aggregation::Max,
                Aggregation::Last,
                Aggregation::Count,
            ] {
                let together = batch(&server, published.keys(), |it| {
                    (it.bucket, it.aggregation) = (bucket.into(), aggregation.into());
                    it.first_date = day(Date::constant(2021, 3, 1));
                })
                .await;
                for (id, figures) in published {
                    let how = match aggregation {
                        Aggregation::Unspecified if id.ends_with("percent") => Aggregation::Last,
                        Aggregation::Unspecified => Aggregation::Sum,
                        said => said,
                    };
                    let first = Date::constant(2021, 3, 1);
                    let expected = grouped(figures, first, length, fiscal_first, how);
                    let told = format!("{id} {bucket:?} {aggregation:?} from month {fiscal_first}");
                    assert_eq!(buckets(&together[id]), expected, "{told}");
                    assert_eq!(together[id].aggregation(), how, "{told}");
                }
            }
        }
    }
    // What the elder service was answered in its last whole fiscal year, which begins in April, added up by hand.
    with_fiscal_year(&server, 4).await;
    let yearly = series(&server, "use-an-lpa-very-dissatisfied", |it| {
        it.bucket = Cadence::Annual.into()
    })
    .await;
    let year = buckets(&yearly)
        .into_iter()
        .find(|bucket| bucket.0 == "2025-04-01");
    let months = [
        309.0, 330.0, 360.0, 373.0, 397.0, 492.0, 482.0, 417.0, 357.0, 443.0, 433.0, 476.0,
    ];
    let expected = (
        "2025-04-01".to_owned(),
        "2026-03-31".to_owned(),
        Some(months.iter().sum()),
        12,
        false,
    );
    assert_eq!(year, Some(expected));
}
