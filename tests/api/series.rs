//! Series of KPIs for charts, and measurements as they were known at any moment.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::as_of::Moment;
use prost::Message;
use tonic::Code;

use crate::common::*;
use crate::steps::*;

const HOUR_S: i64 = 3600;

async fn series(
    server: &Server,
    kpi: &str,
    change: impl FnOnce(&mut api::GetSeriesRequest),
) -> api::KpiSeries {
    let mut request = named!(GetSeriesRequest, acme(&format!("kpis/{kpi}")));
    change(&mut request);
    let answer = server.kpis().get_series(request).await;
    answer.expect("a series").into_inner()
}

/// The revision that recorded them: seconds after the start, source and value.
async fn record(server: &Server, kpi: &str, points: &[(i64, &str, f64)]) -> i64 {
    let measurement = |(second, source, value): &(i64, &str, f64)| api::Measurement {
        effective_time: time(*second),
        source_id: (*source).to_owned(),
        value: Some(*value),
        ..Default::default()
    };
    let request = api::BatchRecordMeasurementsRequest {
        parent: acme(&format!("kpis/{kpi}")),
        measurements: points.iter().map(measurement).collect(),
        ..Default::default()
    };
    let answer = server.kpis().batch_record_measurements(request).await;
    answer.expect("recorded").into_inner().revision
}

fn revision(number: i64) -> Option<api::AsOf> {
    Some(api::AsOf {
        moment: Some(Moment::Revision(number)),
    })
}

fn recorded(second: i64) -> Option<api::AsOf> {
    Some(api::AsOf {
        moment: time(second).map(Moment::RecordedTime),
    })
}

fn values(series: &api::KpiSeries) -> Vec<Option<f64>> {
    series.points.iter().map(|point| point.value).collect()
}

/// Each bucket as "first..last value(count)", with `?` while it runs and `-` after a gap.
fn shown(series: &api::KpiSeries) -> Vec<String> {
    let day = |date: &Option<binnacle::proto::google_type::Date>| {
        let date = date.as_ref().expect("a bucket's day");
        format!("{:02}-{:02}", date.month, date.day)
    };
    let point = |point: &api::SeriesPoint| {
        assert_eq!(point.effective_time, None, "a bucket has days");
        format!(
            "{}{}..{} {}({}){}",
            if point.gap_before { "- " } else { "" },
            day(&point.first_date),
            day(&point.last_date),
            point.value.map_or("none".to_owned(), |value| value.to_string()),
            point.count,
            if point.provisional { "?" } else { "" },
        )
    };
    series.points.iter().map(point).collect()
}

#[tokio::test]
async fn a_series_is_raw_or_in_buckets_of_the_workspaces_calendar_with_its_gaps() {
    let server = Server::start().await;
    with_kpi(&server).await;
    // The workspace is in São Paulo, three hours behind UTC; the clock says 1 January, 9 o'clock there.
    let day = |day: i64, hour: i64| day * DAY_S + (hour - 9) * HOUR_S;
    record(
        &server,
        "nps",
        &[
            (day(-3, 0), "", 1.0),
            (day(-3, 23), "", 2.0),
            (day(-1, 5), "b", 5.0),
            (day(-1, 5), "a", 4.0),
            (day(0, 8), "", 9.0),
        ],
    )
    .await;
    let head = server.head().await;

    let raw = series(&server, "nps", |_| {}).await;
    assert_eq!(
        values(&raw),
        [1.0, 2.0, 4.0, 5.0, 9.0].map(Some),
        "of one moment in the order of their sources"
    );
    assert_eq!(raw.points[0].effective_time, time(day(-3, 0)));
    assert_eq!(
        (raw.bucket(), raw.aggregation()),
        (api::Cadence::Unspecified, api::Aggregation::Unspecified)
    );
    assert_eq!((raw.total_count, raw.downsampled, raw.revision), (5, false, head));
    assert_eq!((raw.min_value, raw.max_value), (Some(1.0), Some(9.0)));
    assert_eq!(raw.kpi, acme("kpis/nps"));
    assert_eq!(
        raw.unit.as_ref().map(|unit| unit.kind()),
        Some(api::unit::Kind::Number)
    );

    let daily = |aggregation: api::Aggregation| {
        series(&server, "nps", move |it| {
            (it.bucket, it.aggregation) = (api::Cadence::Daily.into(), aggregation.into());
        })
    };
    let own = daily(api::Aggregation::Unspecified).await;
    assert_eq!(
        shown(&own),
        [
            "12-29..12-29 2(2)",
            "12-30..12-30 none(0)",
            "12-31..12-31 5(2)",
            "01-01..01-01 9(1)?"
        ]
    );
    assert_eq!((own.aggregation(), own.total_count), (api::Aggregation::Last, 4));
    for (aggregation, expected, unit) in [
        (
            api::Aggregation::Sum,
            [Some(3.0), None, Some(9.0), Some(9.0)],
            api::unit::Kind::Number,
        ),
        (
            api::Aggregation::Mean,
            [Some(1.5), None, Some(4.5), Some(9.0)],
            api::unit::Kind::Number,
        ),
        (
            api::Aggregation::Min,
            [Some(1.0), None, Some(4.0), Some(9.0)],
            api::unit::Kind::Number,
        ),
        (
            api::Aggregation::Max,
            [Some(2.0), None, Some(5.0), Some(9.0)],
            api::unit::Kind::Number,
        ),
        (
            api::Aggregation::Count,
            [Some(2.0), None, Some(2.0), Some(1.0)],
            api::unit::Kind::Count,
        ),
    ] {
        let found = daily(aggregation).await;
        assert_eq!(values(&found), expected, "{aggregation:?}");
        assert_eq!(found.unit.as_ref().map(|unit| unit.kind()), Some(unit));
    }

    let in_range = |change: fn(&mut api::GetSeriesRequest)| series(&server, "nps", change);
    let times =
        in_range(|it| (it.start_time, it.end_time) = (time(-3 * DAY_S + 14 * HOUR_S), time(-HOUR_S))).await;
    assert_eq!(
        values(&times),
        [2.0, 4.0, 5.0].map(Some),
        "the start belongs to it, the end does not"
    );
    let dates = in_range(|it| (it.first_date, it.last_date) = (date(2025, 12, 30), date(2025, 12, 31))).await;
    assert_eq!(values(&dates), [4.0, 5.0].map(Some));
    let monthly = in_range(|it| {
        (it.first_date, it.bucket) = (date(2025, 11, 16), api::Cadence::Monthly.into());
    })
    .await;
    assert_eq!(
        shown(&monthly),
        ["11-16..11-30 none(0)", "12-01..12-31 5(4)", "01-01..01-01 9(1)?"]
    );
}

#[tokio::test]
async fn more_points_than_a_picture_needs_are_thinned_out_and_the_answer_says_so() {
    let server = Server::start().await;
    with_kpi(&server).await;
    for batch in 0..3 {
        let points: Vec<_> = (0..1000)
            .map(|at| batch * 1000 + at)
            .map(|at| (at - 5000, "", if at == 1234 { 99.0 } else { (at % 7) as f64 }))
            .collect();
        record(&server, "nps", &points).await;
    }
    let all = series(&server, "nps", |it| it.points_max = 3000).await;
    assert_eq!(
        (all.points.len(), all.downsampled, all.total_count),
        (3000, false, 3000)
    );
    for (points_max, expected) in [
        (0, 1000),
        (2, 2),
        (10, 10),
        (700, 700),
        (2999, 2999),
        (99_999, 3000),
    ] {
        let some = series(&server, "nps", |it| it.points_max = points_max).await;
        assert_eq!(some.points.len(), expected, "{points_max}");
        assert_eq!((some.downsampled, some.total_count), (expected < 3000, 3000));
        assert_eq!(
            (some.min_value, some.max_value),
            (Some(0.0), Some(99.0)),
            "of all points"
        );
        assert_eq!(
            (some.points.first(), some.points.last()),
            (all.points.first(), all.points.last())
        );
        assert!(
            some.points.iter().all(|point| all.points.contains(point)),
            "none is invented"
        );
        assert!(
            points_max == 2 || some.points.iter().any(|point| point.value == Some(99.0)),
            "the spike is seen"
        );
    }
}

#[tokio::test]
async fn a_series_is_answered_as_it_was_known_at_any_revision_and_any_time() {
    let server = Server::start().await;
    with_kpi(&server).await;
    // What is known after each step: of each second and source the newest value.
    let mut known: BTreeMap<(i64, &str), f64> = BTreeMap::new();
    let mut steps = vec![(server.head().await, 0, known.clone())];
    let moves: [&[(i64, &str, f64)]; 6] = [
        &[(-50, "", 1.0), (-10, "", 2.0)],
        &[(-30, "b", 3.0), (-30, "a", 4.0)],
        &[(-50, "", 5.0)],
        // A correction back to what was.
        &[(-50, "", 1.0), (-40, "", 6.0)],
        &[],
        &[(-90, "", 7.0), (-10, "", 8.0)],
    ];
    for (step, points) in moves.iter().enumerate() {
        let second = 10 * (step as i64 + 1);
        server.clock.advance_to(at(second));
        let revision = match points {
            [] => {
                // Two values are taken back.
                for (second, source) in [(-30, "b"), (-50, "")] {
                    let request = api::RetractMeasurementRequest {
                        parent: acme("kpis/nps"),
                        effective_time: time(second),
                        source_id: source.to_owned(),
                        ..Default::default()
                    };
                    server
                        .kpis()
                        .retract_measurement(request)
                        .await
                        .expect("retracted");
                    known.remove(&(second, source));
                }
                server.head().await
            }
            points => {
                known.extend(
                    points
                        .iter()
                        .map(|(second, source, value)| ((*second, *source), *value)),
                );
                record(&server, "nps", points).await
            }
        };
        steps.push((revision, second, known.clone()));
    }
    let expected = |known: &BTreeMap<(i64, &str), f64>| known.values().copied().map(Some).collect::<Vec<_>>();
    for (revision_then, second, known) in &steps {
        let then = series(&server, "nps", |it| it.as_of = revision(*revision_then)).await;
        assert_eq!((values(&then), then.revision), (expected(known), *revision_then));
        for later in [0, 9] {
            let then = series(&server, "nps", |it| it.as_of = recorded(second + later)).await;
            assert_eq!(
                (values(&then), then.revision),
                (expected(known), *revision_then),
                "{later} s later"
            );
        }
        let listed = api::ListMeasurementsRequest {
            parent: acme("kpis/nps"),
            as_of: recorded(*second),
            ..Default::default()
        };
        let listed = server
            .kpis()
            .list_measurements(listed)
            .await
            .expect("a list")
            .into_inner();
        let found: Vec<_> = listed.measurements.iter().map(|it| it.value).collect();
        assert_eq!((found, listed.revision), (expected(known), *revision_then));
        let sum = series(&server, "nps", |it| {
            (it.bucket, it.aggregation) = (api::Cadence::Annual.into(), api::Aggregation::Sum.into());
            it.as_of = revision(*revision_then);
        })
        .await;
        let total = (!known.is_empty()).then(|| known.values().sum::<f64>());
        assert_eq!(values(&sum), total.map(Some).into_iter().collect::<Vec<_>>());
    }
    // What is still to come is known as it is now.
    let head = server.head().await;
    for as_of in [revision(head + 1000), recorded(1_000_000), revision(head)] {
        let now = series(&server, "nps", |it| it.as_of = as_of).await;
        assert_eq!(
            (values(&now), now.revision),
            (expected(&known), head),
            "{as_of:?}"
        );
    }
    // Before the KPI was there, there is none, and after it was deleted it was there.
    let delete = named!(DeleteKpiRequest, acme("kpis/nps"));
    server.kpis().delete_kpi(delete).await.expect("deleted");
    let then = series(&server, "nps", |it| it.as_of = revision(head)).await;
    assert_eq!(values(&then), expected(&known));
    let ask = |as_of| api::GetSeriesRequest {
        name: acme("kpis/nps"),
        as_of,
        ..Default::default()
    };
    let refusal = server.refusal(server.kpis().get_series(ask(revision(1)))).await;
    assert_eq!(refusal, missing("kpis/nps"));
    // Before the workspace was there, there was not even that.
    let refusal = server.refusal(server.kpis().get_series(ask(recorded(-1)))).await;
    assert_eq!(refusal, refused(Code::NotFound, "NOT_FOUND", &[]));
}

#[tokio::test]
async fn the_pages_of_a_list_as_of_a_moment_belong_to_that_moment() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let then = record(&server, "nps", &[(-5, "", 1.0), (-4, "", 2.0), (-3, "", 3.0)]).await;
    record(&server, "nps", &[(-5, "", 10.0), (-4, "", 20.0), (-1, "", 4.0)]).await;
    let ask = |page_token: &str, as_of| api::ListMeasurementsRequest {
        parent: acme("kpis/nps"),
        page_size: 2,
        page_token: page_token.to_owned(),
        as_of,
        ..Default::default()
    };
    let first = server
        .kpis()
        .list_measurements(ask("", revision(then)))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        first.measurements.iter().map(|it| it.value()).collect::<Vec<_>>(),
        [1.0, 2.0]
    );
    let token = &first.next_page_token;
    let rest = server
        .kpis()
        .list_measurements(ask(token, revision(then)))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        rest.measurements.iter().map(|it| it.value()).collect::<Vec<_>>(),
        [3.0]
    );
    assert_eq!((first.revision, rest.revision), (then, then));
    for as_of in [None, revision(then + 1), recorded(0)] {
        let refusal = server
            .refusal(server.kpis().list_measurements(ask(token, as_of)))
            .await;
        assert_eq!(refusal, invalid(&["page_token"]), "{as_of:?}");
    }
}

#[tokio::test]
async fn the_series_of_many_kpis_show_one_revision_and_the_same_buckets() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server.kpis().create_kpi(new_kpi("csat")).await.expect("a KPI");
    record(&server, "nps", &[(-40 * DAY_S, "", 1.0), (0, "", 2.0)]).await;
    record(&server, "csat", &[(-2 * DAY_S, "", 3.0)]).await;
    let request = api::BatchGetSeriesRequest {
        parent: "workspaces/acme".to_owned(),
        names: vec![acme("kpis/nps"), acme("kpis/csat")],
        bucket: api::Cadence::Monthly.into(),
        ..Default::default()
    };
    let both = server
        .kpis()
        .batch_get_series(request)
        .await
        .expect("series")
        .into_inner();
    assert_eq!(
        both.series.iter().map(|it| it.kpi.as_str()).collect::<Vec<_>>(),
        [acme("kpis/nps"), acme("kpis/csat")]
    );
    assert_eq!(
        shown(&both.series[0]),
        ["11-22..11-30 1(1)", "12-01..12-31 none(0)", "01-01..01-01 2(1)?"]
    );
    assert_eq!(
        shown(&both.series[1]),
        [
            "11-22..11-30 none(0)",
            "12-01..12-31 3(1)",
            "01-01..01-01 none(0)?"
        ]
    );
    let head = server.head().await;
    assert_eq!(
        [both.revision, both.series[0].revision, both.series[1].revision],
        [head; 3]
    );
}

#[tokio::test]
async fn the_largest_answer_fits_into_one_message() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let request = api::BatchGetSeriesRequest {
        parent: "workspaces/acme".to_owned(),
        names: vec![acme("kpis/nps"); 100],
        first_date: date(2023, 4, 8),
        last_date: date(2026, 1, 1),
        bucket: api::Cadence::Daily.into(),
        ..Default::default()
    };
    let points: Vec<_> = (0..1000)
        .map(|day| (-day * DAY_S, "", 0.1 + day as f64))
        .collect();
    record(&server, "nps", &points).await;
    let answer = server
        .kpis()
        .batch_get_series(request)
        .await
        .expect("series")
        .into_inner();
    assert!(answer.series.iter().all(|series| series.points.len() == 1000));
    assert!(
        answer.encoded_len() < 4 * 1024 * 1024,
        "{} bytes",
        answer.encoded_len()
    );
}

#[tokio::test]
async fn a_series_that_cannot_be_is_refused_with_its_field() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut mood = new_kpi("mood");
    mood.kpi.as_mut().expect("a KPI").unit = Some(api::Unit {
        kind: api::unit::Kind::Scale.into(),
        scale_labels: vec!["bad".to_owned(), "good".to_owned()],
        ..Default::default()
    });
    server.kpis().create_kpi(mood).await.expect("a KPI");
    type Change = fn(&mut api::GetSeriesRequest);
    let cases: [(Change, Refused); 21] = [
        (|it| it.name.clear(), invalid(&["name"])),
        (|it| it.name = acme("objectives/win"), invalid(&["name"])),
        (|it| it.name = acme("kpis/x"), missing("kpis/x")),
        (|it| it.min_revision = -1, invalid(&["min_revision"])),
        (
            |it| it.min_revision = 999,
            refused(Code::OutOfRange, "REVISION_IN_FUTURE", &[]),
        ),
        (
            |it| (it.min_revision, it.as_of) = (1, revision(1)),
            invalid(&["as_of"]),
        ),
        (|it| it.as_of = Some(api::AsOf::default()), invalid(&["as_of"])),
        (|it| it.as_of = revision(0), invalid(&["as_of.revision"])),
        (|it| it.points_max = 1, invalid(&["points_max"])),
        (|it| it.points_max = -1, invalid(&["points_max"])),
        (
            |it| (it.start_time, it.end_time) = (time(5), time(5)),
            invalid(&["end_time"]),
        ),
        (
            |it| (it.first_date, it.last_date) = (date(2026, 1, 2), date(2026, 1, 1)),
            invalid(&["last_date"]),
        ),
        (
            |it| (it.start_time, it.first_date) = (time(5), date(2026, 1, 1)),
            invalid(&["first_date"]),
        ),
        (
            |it| (it.start_time, it.last_date) = (time(5), date(2026, 1, 1)),
            invalid(&["last_date"]),
        ),
        (|it| it.first_date = date(2026, 2, 30), invalid(&["first_date"])),
        (
            |it| it.bucket = api::Cadence::Irregular.into(),
            invalid(&["bucket"]),
        ),
        (|it| it.bucket = 99, invalid(&["bucket"])),
        (
            |it| it.aggregation = api::Aggregation::Sum.into(),
            invalid(&["aggregation"]),
        ),
        (
            |it| (it.bucket, it.first_date) = (api::Cadence::Daily.into(), date(1, 1, 1)),
            invalid(&["bucket"]),
        ),
        (
            |it| {
                it.name = acme("kpis/mood");
                (it.bucket, it.aggregation) = (api::Cadence::Daily.into(), api::Aggregation::Mean.into());
            },
            invalid(&["aggregation"]),
        ),
        (
            |it| (it.points_max, it.bucket, it.first_date) = (-5, 77, date(0, 0, 0)),
            invalid(&["first_date", "bucket", "points_max"]),
        ),
    ];
    for (change, expected) in cases {
        let mut request = named!(GetSeriesRequest, acme("kpis/nps"));
        change(&mut request);
        let refusal = server.refusal(server.kpis().get_series(request.clone())).await;
        assert_eq!(refusal, expected, "{request:?}");
    }
    type Many = fn(&mut api::BatchGetSeriesRequest);
    let cases: [(Many, Refused); 7] = [
        (|it| it.parent.clear(), invalid(&["parent"])),
        (|it| it.names.clear(), invalid(&["names"])),
        (|it| it.names = vec![acme("kpis/nps"); 101], invalid(&["names"])),
        (
            |it| it.names = vec![acme("kpis/nps"), String::new()],
            invalid(&["names[1]"]),
        ),
        (
            |it| it.names.push("workspaces/other/kpis/nps".to_owned()),
            invalid(&["names[1]"]),
        ),
        (|it| it.names.push(acme("kpis/x")), missing("kpis/x")),
        (
            |it| (it.names, it.points_max) = (vec![acme("kpis/nps"); 100], 1001),
            invalid(&["points_max"]),
        ),
    ];
    for (change, expected) in cases {
        let mut request = api::BatchGetSeriesRequest {
            parent: "workspaces/acme".to_owned(),
            names: vec![acme("kpis/nps")],
            ..Default::default()
        };
        change(&mut request);
        let refusal = server
            .refusal(server.kpis().batch_get_series(request.clone()))
            .await;
        assert_eq!(refusal, expected, "{request:?}");
    }
}
