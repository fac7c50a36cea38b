//! Suggested targets and forecasts through the API: on figures that a public service published, and what is refused.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::forecast_kpi_request::Horizon;
use binnacle::proto::api::target_suggestion::Method;
use binnacle::proto::google_type;
use jiff::ToSpan;
use jiff::civil::Date;
use tonic::Code;

use crate::common::*;

/// How satisfied the users of "use a lasting power of attorney" were, in percent, month by month until December 2025.
fn satisfaction() -> BTreeMap<Date, f64> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(rename = "_timestamp")]
        month: String,
        count: f64,
        #[serde(rename = "dataType")]
        figure: String,
    }
    let file = "use_a_lasting_power_of_attorney_service.json";
    let path = format!("{}/../shared/data/opg/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the figures");
    let rows: Vec<Row> = serde_json::from_str(&text).expect("rows");
    let months = rows
        .into_iter()
        .filter(|row| row.figure == "user-satisfaction-percent")
        .map(|row| (row.month[..10].parse().expect("a date"), row.count));
    months
        .filter(|(month, _)| *month < jiff::civil::date(2026, 1, 1))
        .collect()
}

fn wire(date: Date) -> Option<google_type::Date> {
    crate::common::date(date.year().into(), date.month().into(), date.day().into())
}

/// A KPI with a value on each of some days.
async fn with_series(
    server: &Server,
    id: &str,
    values: impl IntoIterator<Item = (Date, f64)>,
    change: impl FnOnce(&mut api::Kpi),
) {
    let mut request = new_kpi(id);
    let kpi = request.kpi.as_mut().expect("a KPI");
    kpi.set_cadence(api::Cadence::Monthly);
    change(kpi);
    server.kpis().create_kpi(request).await.expect("a KPI");
    let measurement = |(day, value)| api::Measurement {
        effective_date: wire(day),
        value: Some(value),
        ..Default::default()
    };
    let request = api::BatchRecordMeasurementsRequest {
        parent: acme(&format!("kpis/{id}")),
        measurements: values.into_iter().map(measurement).collect(),
        ..Default::default()
    };
    server
        .kpis()
        .batch_record_measurements(request)
        .await
        .expect("values");
}

/// The first days of so many months up to December 2025, each with a value.
fn months(values: &[f64]) -> Vec<(Date, f64)> {
    let first = |back: usize| jiff::civil::date(2025, 12, 1) - i64::try_from(back).expect("months").months();
    let dated = values
        .iter()
        .rev()
        .enumerate()
        .map(|(back, value)| (first(back), *value));
    dated.collect()
}

fn suggest(kpi: &str, periods: i32) -> api::SuggestTargetRequest {
    api::SuggestTargetRequest {
        name: acme(&format!("kpis/{kpi}")),
        periods,
        min_revision: 0,
        as_of: None,
    }
}

fn forecast(kpi: &str, horizon: Option<Horizon>) -> api::ForecastKpiRequest {
    api::ForecastKpiRequest {
        name: acme(&format!("kpis/{kpi}")),
        horizon,
        min_revision: 0,
        as_of: None,
    }
}

fn forecast_of(key_result: &str) -> api::ForecastKeyResultRequest {
    api::ForecastKeyResultRequest {
        name: acme(key_result),
        min_revision: 0,
        as_of: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_suggested_from_published_figures_and_set_as_they_are() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let known = satisfaction();
    assert_eq!(known.len(), 58, "March 2021 to December 2025");
    with_series(&server, "lpa", known.clone(), |_| {}).await;
    let mut now = new_target("lpa");
    now.target.as_mut().unwrap().at_least = Some(80.0);
    let set = server.kpis().set_target(now).await.unwrap().into_inner();

    // The last twelve are 87 87 87 87 86 85 85 85 85 85 84 85: their sum is 1028.
    let found = server
        .kpis()
        .suggest_target(suggest("lpa", 0))
        .await
        .unwrap()
        .into_inner();
    let newest: Vec<f64> = known.values().rev().take(12).rev().copied().collect();
    let told: Vec<f64> = found.period_values.iter().map(|value| value.value).collect();
    assert_eq!((told, found.points_count), (newest.clone(), 12));
    assert_eq!(found.period_values[0].first_date, crate::common::date(2025, 1, 1));
    assert_eq!(
        found.period_values[11].last_date,
        crate::common::date(2025, 12, 31)
    );
    assert_eq!(newest.iter().sum::<f64>(), 1028.0);
    let mean = 1028.0 / 12.0;
    let squares: f64 = newest.iter().map(|value| value * value).sum();
    let spread = ((squares - 12.0 * mean * mean) / 11.0).sqrt();
    assert!(
        (found.mean - mean).abs() < 1e-9 && (found.spread - spread).abs() < 1e-6,
        "{found:?}"
    );
    // Ordered: 84, six times 85, 86, four times 87.
    assert_eq!((found.lower_quartile, found.upper_quartile), (85.0, 87.0));
    assert_eq!(found.current_target, Some(set));
    assert_eq!(found.revision, server.head().await);
    let methods: Vec<Method> = found.suggestions.iter().map(|one| one.method()).collect();
    assert_eq!(methods, [Method::Mean, Method::MovedMean, Method::BestQuartile]);
    let held: Vec<i32> = found.suggestions.iter().map(|one| one.held_count).collect();
    assert_eq!(held, [5, 0, 4], "of 87 87 87 87 86 …");

    for suggestion in found.suggestions {
        let target = suggestion.target.clone();
        let request = api::SetTargetRequest {
            parent: acme("kpis/lpa"),
            target,
            ..Default::default()
        };
        let set = server.kpis().set_target(request).await.unwrap().into_inner();
        assert_eq!(set.name, acme("kpis/lpa/targets/2026-01-01"));
        let asked = suggestion.target.unwrap();
        assert_eq!(
            (set.at_least, set.at_most, set.text),
            (asked.at_least, asked.at_most, asked.text)
        );
    }
    // All 58, and the direction turned round.
    let found = server
        .kpis()
        .suggest_target(suggest("lpa", 1000))
        .await
        .unwrap()
        .into_inner();
    let mean = known.values().sum::<f64>() / 58.0;
    assert_eq!(found.points_count, 58);
    assert!((found.mean - mean).abs() < 1e-9);
    with_series(&server, "wait", known, |kpi| {
        kpi.set_direction(api::Direction::LowerIsBetter)
    })
    .await;
    let found = server
        .kpis()
        .suggest_target(suggest("wait", 1000))
        .await
        .unwrap()
        .into_inner();
    let moved = found.suggestions[1].target.clone().unwrap();
    assert!(
        (moved.at_most.unwrap() - 0.8 * mean).abs() < 1e-9 && moved.at_least.is_none(),
        "{moved:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_of_published_figures_holds_what_came() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let known = satisfaction();
    let (before, came): (Vec<_>, Vec<_>) = known
        .into_iter()
        .partition(|(month, _)| *month < jiff::civil::date(2025, 7, 1));
    with_series(&server, "lpa", before.clone(), |_| {}).await;
    let horizon = Some(Horizon::LastDate(crate::common::date(2025, 12, 15).unwrap()));
    let found = server
        .kpis()
        .forecast_kpi(forecast("lpa", horizon))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.kpi, acme("kpis/lpa"));
    assert_eq!(found.revision, server.head().await);
    let basis = found.basis.clone().unwrap();
    assert!(basis.method.contains("exponential smoothing"), "{basis:?}");
    assert!(
        ["ETS(A,N,N)", "ETS(A,A,N)"].contains(&basis.model.as_str()),
        "{basis:?}"
    );
    assert_eq!((basis.points_count, basis.filled_count), (52, 0));
    assert_eq!(basis.first_date, crate::common::date(2021, 3, 1));
    assert_eq!(basis.last_date, crate::common::date(2025, 6, 30));
    assert_eq!(found.points.len(), 6);
    // The naive forecast is that of a random walk; the model's first step must not be far from it.
    let last = before.last().unwrap().1;
    assert!(
        (found.points[0].expected - last).abs() < 2.0,
        "{:?} after {last}",
        found.points[0]
    );
    let mut width_before = 0.0;
    for (point, (month, value)) in found.points.iter().zip(&came) {
        assert_eq!(
            (point.first_date, point.last_date),
            (wire(*month), wire(month.last_of_month()))
        );
        let (eighty, ninety_five) = (point.interval_80.unwrap(), point.interval_95.unwrap());
        assert!(ninety_five.low < eighty.low && eighty.low < point.expected);
        assert!(point.expected < eighty.high && eighty.high < ninety_five.high);
        assert!(
            (ninety_five.low..=ninety_five.high).contains(value),
            "{month}: {value} in {ninety_five:?}"
        );
        let width = ninety_five.high - ninety_five.low;
        assert!(width > width_before, "the further, the less is known");
        width_before = width;
        // Both are of one normal distribution.
        let ratio = width / (eighty.high - eighty.low);
        assert!((ratio - 1.959_963_985 / 1.281_551_566).abs() < 1e-6, "{ratio}");
    }
    // Twelve periods unless it is said otherwise, and two readers of one revision see the same.
    let default = server
        .kpis()
        .forecast_kpi(forecast("lpa", None))
        .await
        .unwrap()
        .into_inner();
    let twice = server
        .kpis()
        .forecast_kpi(forecast("lpa", None))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(default.points.len(), 12);
    assert_eq!(default.points[..6], found.points[..]);
    assert_eq!(default, twice);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_result_is_told_how_likely_it_is_reached() {
    let server = Server::start().await;
    with_company(&server).await;
    let known = satisfaction();
    with_series(&server, "lpa", known, |_| {}).await;
    let mut before = 1.1;
    for (id, target) in [("easy", 81.0), ("fair", 86.0), ("hard", 95.0)] {
        let mut request = new_key_result("win", id);
        let key_result = request.key_result.as_mut().unwrap();
        key_result.kpi = acme("kpis/lpa");
        key_result.kind = Some(api::key_result::Kind::Metric(api::Metric {
            baseline: Some(80.0),
            target: Some(target),
            ..Default::default()
        }));
        server.objectives().create_key_result(request).await.unwrap();
        let name = format!("objectives/win/keyResults/{id}");
        let found = server
            .kpis()
            .forecast_key_result(forecast_of(&name))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(found.key_result, acme(&name));
        assert_eq!(
            (found.target_date, found.remaining_periods),
            (crate::common::date(2026, 3, 31), 3)
        );
        assert_eq!(
            (found.current, found.reached),
            (None, false),
            "nothing of the cycle is known"
        );
        let probability = found.probability_to_reach;
        assert!(
            (0.0..=1.0).contains(&probability) && probability < before,
            "{probability} of {target}"
        );
        before = probability;
        let progress = (found.expected - 80.0) / (target - 80.0);
        assert!((found.expected_progress - progress).abs() < 1e-9);
        assert_eq!(found.expected_score, found.expected_progress.clamp(0.0, 1.0));
        assert!(found.probability_method.contains("normal"), "{found:?}");
        // It is the KPI's own forecast of March.
        let horizon = Some(Horizon::Periods(3));
        let of_kpi = server
            .kpis()
            .forecast_kpi(forecast("lpa", horizon))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            (found.expected, found.basis),
            (of_kpi.points[2].expected, of_kpi.basis)
        );
        assert_eq!(found.interval_80, of_kpi.points[2].interval_80);
        assert_eq!(found.interval_95, of_kpi.points[2].interval_95);
    }
    assert!(before < 0.05, "{before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_past_does_not_tell_is_refused_with_its_reason() {
    let server = Server::start().await;
    with_company(&server).await;
    let kpis = server.kpis();
    with_series(&server, "seven", months(&[1.0; 7]), |_| {}).await;
    with_series(&server, "eight", months(&[1.0; 8]), |_| {}).await;
    with_series(&server, "odd", months(&[1.0; 9]), |kpi| {
        kpi.set_cadence(api::Cadence::Irregular)
    })
    .await;
    with_series(&server, "mood", months(&[1.0; 9]), |kpi| {
        kpi.unit = Some(api::Unit {
            kind: api::unit::Kind::Scale.into(),
            scale_labels: vec!["bad".to_owned(), "good".to_owned()],
            ..Default::default()
        });
    })
    .await;
    let rule = |reason: &str, about: &str| Refused::new(Code::FailedPrecondition, reason, &[about]);
    let field = |path: &str| Refused::new(Code::InvalidArgument, "INVALID_FIELD", &[path]);

    // One value is missing, and the refusal says so to people and to programs.
    let status = kpis
        .clone()
        .suggest_target(suggest("seven", 0))
        .await
        .unwrap_err();
    assert_eq!(
        status.message(),
        "kpis/seven has 7 complete period values and 8 are needed: record an earlier one, or ask again later"
    );
    let metadata = tonic_types::StatusExt::get_details_error_info(&status)
        .unwrap()
        .metadata;
    let numbers = ["points_count", "points_needed"].map(|key| metadata[key].as_str());
    assert_eq!(numbers, ["7", "8"]);

    for (request, expected) in [
        (suggest("seven", 0), rule("TOO_LITTLE_HISTORY", "kpis/seven")),
        (suggest("nps", 0), rule("TOO_LITTLE_HISTORY", "kpis/nps")),
        (suggest("mood", 0), rule("UNIT_IS_SCALE", "kpis/mood")),
        (
            suggest("gone", 0),
            Refused::new(Code::NotFound, "NOT_FOUND", &["kpis/gone"]),
        ),
        (suggest("eight", 7), field("periods")),
        (suggest("eight", 1001), field("periods")),
        (suggest("Eight", 0), field("name")),
    ] {
        let what = format!("{request:?}");
        assert_eq!(
            server.refusal(kpis.clone().suggest_target(request)).await,
            expected,
            "{what}"
        );
    }
    let until = |year| Some(Horizon::LastDate(crate::common::date(year, 1, 1).unwrap()));
    for (request, expected) in [
        (forecast("seven", None), rule("TOO_LITTLE_HISTORY", "kpis/seven")),
        (forecast("odd", None), rule("NO_RHYTHM", "kpis/odd")),
        (forecast("mood", None), rule("UNIT_IS_SCALE", "kpis/mood")),
        (
            forecast("gone", None),
            Refused::new(Code::NotFound, "NOT_FOUND", &["kpis/gone"]),
        ),
        (forecast("eight", Some(Horizon::Periods(0))), field("periods")),
        (forecast("eight", Some(Horizon::Periods(367))), field("periods")),
        (forecast("eight", until(2025)), field("last_date")),
        (forecast("eight", until(2500)), field("last_date")),
        (forecast("", None), field("name")),
    ] {
        let what = format!("{request:?}");
        assert_eq!(
            server.refusal(kpis.clone().forecast_kpi(request)).await,
            expected,
            "{what}"
        );
    }
    assert!(kpis.clone().suggest_target(suggest("eight", 0)).await.is_ok());
    assert!(kpis.clone().suggest_target(suggest("odd", 0)).await.is_ok());
    assert!(kpis.clone().forecast_kpi(forecast("eight", None)).await.is_ok());

    let mut done = new_key_result("win", "done");
    done.key_result.as_mut().unwrap().kind = Some(api::key_result::Kind::Binary(api::Binary {}));
    server.objectives().create_key_result(done).await.unwrap();
    let mut month = key_result_of_kpi("win", "month", "eight");
    let key_result = month.key_result.as_mut().unwrap();
    key_result.kind = Some(api::key_result::Kind::Metric(api::Metric {
        baseline: Some(0.0),
        target: Some(5.0),
        ..Default::default()
    }));
    server.objectives().create_key_result(month).await.unwrap();
    let name = |id: &str| format!("objectives/win/keyResults/{id}");
    for (id, expected) in [
        ("deals", rule("TOO_LITTLE_HISTORY", &name("deals"))),
        ("nps", rule("TOO_LITTLE_HISTORY", "kpis/nps")),
        ("done", rule("KIND_NOT_FORECAST", &name("done"))),
        (
            "gone",
            Refused::new(Code::NotFound, "NOT_FOUND", &[&name("gone")]),
        ),
    ] {
        let request = forecast_of(&name(id));
        assert_eq!(
            server.refusal(kpis.clone().forecast_key_result(request)).await,
            expected,
            "{id}"
        );
    }
    let request = forecast_of("kpis/nps");
    assert_eq!(
        server.refusal(kpis.clone().forecast_key_result(request)).await,
        field("name")
    );
    assert!(
        kpis.clone()
            .forecast_key_result(forecast_of(&name("month")))
            .await
            .is_ok()
    );
    let cancel = api::CancelObjectiveRequest {
        name: acme("objectives/win"),
        ..Default::default()
    };
    server.objectives().cancel_objective(cancel).await.unwrap();
    let over = server
        .refusal(kpis.clone().forecast_key_result(forecast_of(&name("month"))))
        .await;
    assert_eq!(over, rule("OBJECTIVE_OVER", "objectives/win"));

    let ahead = Refused::new(Code::OutOfRange, "REVISION_IN_FUTURE", &[]);
    let min_revision = 1_000_000;
    let request = api::SuggestTargetRequest {
        min_revision,
        ..suggest("eight", 0)
    };
    assert_eq!(server.refusal(kpis.clone().suggest_target(request)).await, ahead);
    let request = api::ForecastKpiRequest {
        min_revision,
        ..forecast("eight", None)
    };
    assert_eq!(server.refusal(kpis.clone().forecast_kpi(request)).await, ahead);
    let request = api::ForecastKeyResultRequest {
        min_revision,
        ..forecast_of(&name("month"))
    };
    assert_eq!(
        server.refusal(kpis.clone().forecast_key_result(request)).await,
        ahead
    );

    let delete = api::DeleteWorkspaceRequest {
        name: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    server.workspaces().delete_workspace(delete).await.unwrap();
    let gone = server
        .refusal(kpis.clone().suggest_target(suggest("eight", 0)))
        .await;
    assert_eq!(gone.reason, "DELETED");
}
