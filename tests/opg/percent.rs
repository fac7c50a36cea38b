//! The published percent against the five answers that it is computed from.

use std::collections::BTreeMap;

use binnacle::proto::api;
use jiff::civil::Date;

use crate::figures::{ANSWERS, Months, SERVICES, name, percent, published};
use crate::world::*;

/// 100 · (very satisfied + 0.75 satisfied + 0.5 neither + 0.25 dissatisfied) ÷ all answers.
fn weighted(
    [
        very_satisfied,
        satisfied,
        neither,
        dissatisfied,
        very_dissatisfied,
    ]: [f64; 5],
) -> f64 {
    let all = very_satisfied + satisfied + neither + dissatisfied + very_dissatisfied;
    100.0 * (very_satisfied + 0.75 * satisfied + 0.5 * neither + 0.25 * dissatisfied) / all
}

/// 100 · (very satisfied + satisfied) ÷ all answers.
fn share(
    [
        very_satisfied,
        satisfied,
        neither,
        dissatisfied,
        very_dissatisfied,
    ]: [f64; 5],
) -> f64 {
    let all = very_satisfied + satisfied + neither + dissatisfied + very_dissatisfied;
    100.0 * (very_satisfied + satisfied) / all
}

/// How the published percents of a service came about.
#[derive(Debug, Default, PartialEq)]
struct Methods {
    weighted: usize,
    share: Vec<String>,
    /// The month, what was published, and what either way gives to two decimals.
    neither: Vec<(String, f64, String, String)>,
}

fn methods(service: &str, series: &BTreeMap<String, Months>) -> Methods {
    let mut methods = Methods::default();
    for (&month, &published) in &series[&percent(service)] {
        let answers = ANSWERS.map(|answer| series[&format!("{service}-{answer}")][&month]);
        let (weighted, share) = (weighted(answers), share(answers));
        match (weighted.round() == published, share.round() == published) {
            (true, false) => methods.weighted += 1,
            (false, true) => methods.share.push(name(month)),
            (false, false) => {
                let decimals = |value: f64| format!("{value:.2}");
                let found = (name(month), published, decimals(weighted), decimals(share));
                methods.neither.push(found);
            }
            (true, true) => panic!("{service} {month}: either way, so it tells nothing"),
        }
    }
    methods
}

#[tokio::test]
async fn the_percent_follows_from_the_answers_exactly_where_the_office_says_so() {
    let server = with_figures().await;
    let published = published();
    let monthly = batch(&server, published.keys(), |it| {
        it.bucket = api::Cadence::Monthly.into();
    })
    .await;
    for (id, series) in &monthly {
        let (unit, aggregation) = match id.ends_with("percent") {
            true => (api::unit::Kind::Percent, api::Aggregation::Last),
            false => (api::unit::Kind::Count, api::Aggregation::Sum),
        };
        assert_eq!(series.unit.as_ref().map(api::Unit::kind), Some(unit), "{id}");
        assert_eq!(series.aggregation(), aggregation, "{id}");
    }
    let known: BTreeMap<String, Months> = monthly
        .iter()
        .map(|(id, series)| (id.clone(), months(series)))
        .collect();
    assert_eq!(&known, published, "nothing is corrected");

    let months = |service: &str| known[&percent(service)].len();
    let [(lpa, _), (deputies, _)] = SERVICES;
    assert_eq!((months(lpa), months(deputies)), (64, 39));
    let of_2026 = || ["2026-04", "2026-05", "2026-06"].map(str::to_owned).to_vec();
    let odd = |month: &str, published: f64, weighted: &str, share: &str| {
        (month.to_owned(), published, weighted.to_owned(), share.to_owned())
    };
    assert_eq!(
        methods(lpa, &known),
        Methods {
            weighted: 59,
            share: of_2026(),
            neither: vec![
                odd("2023-02", 89.0, "89.67", "93.63"),
                odd("2025-04", 87.0, "85.70", "88.89"),
            ],
        }
    );
    assert_eq!(
        methods(deputies, &known),
        Methods {
            weighted: 36,
            share: of_2026(),
            neither: Vec::new(),
        }
    );

    // Each KPI asked alone answers the same months as all of them at once.
    for (id, known) in &known {
        let alone = series(&server, id, |it| {
            it.bucket = api::Cadence::Monthly.into();
            it.last_date = day(Date::constant(2026, 6, 30));
        })
        .await;
        assert_eq!(&crate::world::months(&alone), known, "{id}");
    }
}
