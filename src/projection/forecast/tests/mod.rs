//! What the past says, as tables: given a series, then the numbers, or the reason why there are none.

mod key_result;
mod kpi;
mod outlook;
mod suggestion;

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::ForecastRefusal;
use crate::domain::given::*;
use crate::domain::{Aggregation, Cadence, Command, Effective, KpiFields, ResourceName};

/// A value on a day.
fn measured_on(name: &str, day: Date, number: f64) -> Command {
    Command::RecordMeasurements(vec![measurement(name, Effective::On(day), number)])
}

/// The first day of the period so many periods before the newest that is over on 1 January 2026.
fn day_before(cadence: Cadence, back: usize) -> Date {
    let back = i64::try_from(back).unwrap();
    match cadence {
        Cadence::Daily | Cadence::Irregular => date(2025, 12, 31) - back.days(),
        Cadence::Weekly => date(2025, 12, 22) - back.weeks(),
        Cadence::Monthly => date(2025, 12, 1) - back.months(),
        Cadence::Quarterly => date(2025, 10, 1) - (3 * back).months(),
        Cadence::Semiannual => date(2025, 7, 1) - (6 * back).months(),
        Cadence::Annual => date(2025, 1, 1) - back.years(),
    }
}

/// On 1 January 2026 a KPI of that cadence with a value in each of its newest periods, the oldest first; none where it says
/// none.
fn with_gaps(cadence: Cadence, values: &[Option<f64>], change: impl FnOnce(&mut KpiFields)) -> Given {
    let recorded =
        values.iter().rev().enumerate().filter_map(|(back, value)| {
            value.map(|value| measured_on("kpi", day_before(cadence, back), value))
        });
    given(q1())
        .and([kpi("kpi", |f| {
            f.cadence = cadence;
            change(f);
        })])
        .and(recorded)
}

fn with_values(cadence: Cadence, values: &[f64], change: impl FnOnce(&mut KpiFields)) -> Given {
    let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
    with_gaps(cadence, &values, change)
}

/// The same value many times over.
fn always(number: f64, count: usize) -> Vec<f64> {
    vec![number; count]
}

/// first, first + step, …
fn rising(first: f64, step: f64, count: usize) -> Vec<f64> {
    (0..count).map(|index| first + step * index as f64).collect()
}

fn summed(fields: &mut KpiFields) {
    fields.aggregation = Aggregation::Sum;
}

/// The reason of a refusal, whose sentence says what to do.
#[track_caller]
fn reason<T: std::fmt::Debug>(answer: Result<T, ForecastRefusal>, words: &str) -> &'static str {
    let refused = answer.expect_err("a refusal");
    assert!(refused.to_string().contains(words), "{words:?} in: {refused}");
    refused.reason()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, what: &str) {
    let allowed = 1e-6 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= allowed,
        "{found}, not {expected}: {what}"
    );
}

/// A number of its own for each refusal: a new one does not compile before it has one.
fn number(refused: &ForecastRefusal) -> usize {
    match refused {
        ForecastRefusal::Rejected(_) => 0,
        ForecastRefusal::TooLittleHistory { .. } => 1,
        ForecastRefusal::NoRhythm(_) => 2,
        ForecastRefusal::UnitIsScale(_) => 3,
        ForecastRefusal::KindNotForecast(_) => 4,
        ForecastRefusal::WindowNotForecast(_) => 5,
        ForecastRefusal::NothingToForecast { .. } => 6,
        ForecastRefusal::HorizonTooFar { .. } => 7,
        ForecastRefusal::NoModel(_) => 8,
    }
}

#[test]
fn every_refusal_has_its_row_in_the_documentation() {
    let of = ResourceName::Kpi(id("kpi"));
    let key_result = key_result_id("win/k");
    let target_date = date(2026, 3, 31);
    let refusals = [
        ForecastRefusal::TooLittleHistory {
            of: of.clone(),
            points: 7,
            since: None,
        },
        ForecastRefusal::NoRhythm(of.clone()),
        ForecastRefusal::UnitIsScale(of.clone()),
        ForecastRefusal::KindNotForecast(key_result.clone()),
        ForecastRefusal::WindowNotForecast(key_result.clone()),
        ForecastRefusal::NothingToForecast {
            key_result,
            target_date,
        },
        ForecastRefusal::HorizonTooFar {
            of: of.clone(),
            target_date,
        },
        ForecastRefusal::NoModel(of),
    ];
    let numbers: Vec<usize> = refusals.iter().map(number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>(), "0 are those of other calls");
    let document = include_str!("../../../../docs/forecasts.md");
    let documented: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(reason, _)| reason)
        .filter(|reason| !reason.starts_with("METHOD_"))
        .collect();
    let known: Vec<&str> = refusals.iter().map(ForecastRefusal::reason).collect();
    assert_eq!(documented, known);
    for refused in &refusals {
        let sentence = refused.to_string();
        assert!(
            sentence.contains(": ") || sentence.contains(", "),
            "it says what to do: {sentence}"
        );
    }
}
