//! Suggested targets: the formulas, what they come from, and when there are none.

use super::super::SuggestionMethod::{self, BestQuartile, Mean, MeanAndSpread, MiddleHalf, MovedMean};
use super::super::{Suggestions, suggest_target};
use super::*;
use crate::domain::Direction::{self, HigherIsBetter, InRange, LowerIsBetter};
use crate::domain::{Unit, UnitKind};

/// Method, at_least, at_most, held.
type Row = (SuggestionMethod, Option<f64>, Option<f64>, usize);

fn suggested(given: &Given, count: usize) -> Result<Suggestions, ForecastRefusal> {
    suggest_target(&given.workspace, &id("kpi"), count)
}

fn rows(of: &Suggestions) -> Vec<Row> {
    let bounds = |target: crate::domain::Target| {
        let rest = (target.critical_at_least, target.critical_at_most, target.stretch);
        assert_eq!(rest, (None, None, None));
        (target.at_least.map(|v| v.get()), target.at_most.map(|v| v.get()))
    };
    of.suggested
        .iter()
        .map(|one| {
            let (least, most) = bounds(one.target);
            (one.method, least, most, one.held)
        })
        .collect()
}

/// Twelve months of deals, 15 on average; ordered 11, 12, 13, 14, 15, 15, 15, 15, 16, 17, 18, 19.
const DEALS: [f64; 12] = [
    12.0, 18.0, 15.0, 15.0, 14.0, 16.0, 13.0, 17.0, 15.0, 15.0, 11.0, 19.0,
];

/// "from the last n periods: mean, spread, mean moved by 20 % of |mean| in the good direction (15 deals a month → 18), best
/// quartile".
#[test]
fn fifteen_deals_a_month_suggest_eighteen() {
    let spread = (60.0_f64 / 11.0).sqrt();
    let falling = DEALS.map(|deals| -deals);
    let cases: [(Direction, &[f64], Vec<Row>); 6] = [
        (
            HigherIsBetter,
            &DEALS,
            vec![
                (Mean, Some(15.0), None, 8),
                (MovedMean, Some(18.0), None, 2),
                (BestQuartile, Some(16.25), None, 3),
            ],
        ),
        (
            LowerIsBetter,
            &DEALS,
            vec![
                (Mean, None, Some(15.0), 8),
                (MovedMean, None, Some(12.0), 2),
                (BestQuartile, None, Some(13.75), 3),
            ],
        ),
        (
            HigherIsBetter,
            &falling,
            vec![
                (Mean, Some(-15.0), None, 8),
                (MovedMean, Some(-12.0), None, 2),
                (BestQuartile, Some(-13.75), None, 3),
            ],
        ),
        (
            LowerIsBetter,
            &falling,
            vec![
                (Mean, None, Some(-15.0), 8),
                (MovedMean, None, Some(-18.0), 2),
                (BestQuartile, None, Some(-16.25), 3),
            ],
        ),
        (
            InRange,
            &DEALS,
            vec![
                (MeanAndSpread, Some(15.0 - spread), Some(15.0 + spread), 8),
                (MiddleHalf, Some(13.75), Some(16.25), 6),
            ],
        ),
        (
            HigherIsBetter,
            &[0.0; 12],
            vec![
                (Mean, Some(0.0), None, 12),
                (MovedMean, Some(0.0), None, 12),
                (BestQuartile, Some(0.0), None, 12),
            ],
        ),
    ];
    for (direction, values, expected) in cases {
        let given = with_values(Cadence::Monthly, values, |f| f.direction = direction);
        let found = suggested(&given, 12).unwrap();
        assert_eq!(rows(&found), expected, "{direction:?} {values:?}");
        let came_from: Vec<f64> = found.values.iter().map(|value| value.value).collect();
        assert_eq!(came_from, values, "with the numbers it came from");
    }
    let found = suggested(&with_values(Cadence::Monthly, &DEALS, |_| {}), 12).unwrap();
    assert_eq!(
        (found.mean, found.lower_quartile, found.upper_quartile),
        (15.0, 13.75, 16.25)
    );
    assert_near(found.spread, spread, "the spread is a sample's");
}

#[test]
fn a_suggestion_comes_from_the_newest_periods_that_are_over() {
    let values = [always(100.0, 12), DEALS.to_vec()].concat();
    let given = with_values(Cadence::Monthly, &values, |_| {})
        .on(1, 20)
        .and([measured("kpi", 1, 20, 99.0)]);
    for (asked, count, mean) in [(12, 12, 15.0), (24, 24, 57.5), (1000, 24, 57.5)] {
        let found = suggested(&given, asked).unwrap();
        assert_eq!((found.values.len(), found.mean), (count, mean), "{asked}");
        assert!(found.values.iter().all(|value| !value.provisional), "{asked}");
    }
    // In February January is over.
    let found = suggested(&given.on(2, 1), 12).unwrap();
    assert_eq!(found.values.last().map(|value| value.value), Some(99.0));
}

#[test]
fn periods_without_data_are_left_out_and_the_look_back_is_longer() {
    let mut values = vec![None; 100];
    for back in 0..20 {
        values[99 - 5 * back] = Some(back as f64);
    }
    let given = with_gaps(Cadence::Monthly, &values, |_| {});
    let found = suggested(&given, 12).unwrap();
    let expected: Vec<f64> = (0..12).rev().map(f64::from).collect();
    let came_from: Vec<f64> = found.values.iter().map(|value| value.value).collect();
    assert_eq!(came_from, expected);
    assert_eq!(suggested(&given, 1000).unwrap().values.len(), 20);
}

#[test]
fn seven_values_suggest_nothing_and_eight_do() {
    for cadence in [
        Cadence::Daily,
        Cadence::Monthly,
        Cadence::Annual,
        Cadence::Irregular,
    ] {
        let given = with_values(cadence, &DEALS[..7], |_| {});
        let words = "kpis/kpi has 7 complete period values and 8 are needed: record an earlier one";
        assert_eq!(reason(suggested(&given, 12), words), "TOO_LITTLE_HISTORY");
        let given = with_values(cadence, &DEALS[..8], |_| {});
        assert_eq!(suggested(&given, 12).unwrap().values.len(), 8, "{cadence:?}");
    }
    let given = with_values(Cadence::Daily, &[], |_| {});
    assert_eq!(
        reason(suggested(&given, 12), "has 0 complete period values"),
        "TOO_LITTLE_HISTORY"
    );
    // The eighth is of a day that is not over.
    let given = with_values(Cadence::Daily, &DEALS[..7], |_| {}).and([measured("kpi", 1, 1, 5.0)]);
    assert_eq!(
        reason(suggested(&given, 12), "has 7 complete period values"),
        "TOO_LITTLE_HISTORY"
    );
}

#[test]
fn a_scale_has_no_mean_and_a_kpi_that_is_not_there_no_past() {
    let given = with_values(Cadence::Daily, &[1.0; 9], |f| f.unit = scale());
    assert_eq!(
        reason(suggested(&given, 12), "ask about a KPI in numbers"),
        "UNIT_IS_SCALE"
    );
    let unknown = suggest_target(&given.workspace, &id("gone"), 12);
    assert_eq!(reason(unknown, "correct the name"), "NOT_FOUND");
}

#[test]
fn values_of_no_rhythm_count_each_by_itself() {
    let given = with_values(Cadence::Irregular, &[], |_| {})
        .and(DEALS.map(|deals| measured_on("kpi", date(2025, 3, 1), deals)))
        .and((1i8..=9).map(|day| measured_on("kpi", date(2025, 4, day), f64::from(day))));
    let found = suggested(&given, 8).unwrap();
    let came_from: Vec<f64> = found.values.iter().map(|value| value.value).collect();
    assert_eq!(came_from, rising(2.0, 1.0, 8));
}

#[test]
fn the_target_in_force_is_told_beside_and_what_no_target_can_be_is_left_out() {
    let given = with_values(Cadence::Monthly, &[1e15; 8], |_| {}).and([
        target("kpi", date(2025, 1, 1), |t| t.at_least = Some(value(5.0))),
        target("kpi", date(2026, 1, 1), |t| t.at_least = Some(value(7.0))),
        target("kpi", date(2026, 2, 1), |t| t.at_least = Some(value(9.0))),
    ]);
    let found = suggested(&given, 12).unwrap();
    let in_force = found.in_force.map(|(from, set)| (from, set.target.at_least));
    assert_eq!(in_force, Some((date(2026, 1, 1), Some(value(7.0)))));
    let expected = [(Mean, Some(1e15), None, 8), (BestQuartile, Some(1e15), None, 8)];
    assert_eq!(rows(&found), expected, "1.2e15 is no value");
}

pub(super) fn scale() -> Unit {
    Unit {
        kind: UnitKind::Scale(["bad", "fair", "good"].map(Into::into).into()),
        ..Unit::number()
    }
}
