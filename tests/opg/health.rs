//! Period values of the figures, and how they stand against a target of 90 %.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::Health::{Breached, Healthy, NoTarget, Watch};
use jiff::civil::Date;

use crate::common::*;
use crate::figures::{self, ANSWERS, NEWEST, SERVICES, percent, published};
use crate::naive::Bounds;
use crate::world::*;

#[tokio::test]
async fn the_newest_month_is_judged_by_the_target_of_ninety_percent() {
    let server = with_figures().await;
    let published = published();
    let newest = |id: &str| api::PeriodValue {
        first_date: day(NEWEST),
        last_date: day(Date::constant(2026, 6, 30)),
        value: published[id][&NEWEST],
        provisional: false,
    };
    for (id, kpi) in kpis(&server).await {
        let expected = api::KpiHealth {
            health: NoTarget.into(),
            period_value: Some(newest(&id)),
            latest_value: Some(published[&id][&NEWEST]),
            latest_effective_time: start_of(NEWEST),
            stale: false,
            distance_to_target: None,
            target: String::new(),
            measurement_count: published[&id].len() as i64,
            healthy_share: None,
            healthy_share_periods: 0,
        };
        assert_eq!(kpi.health, Some(expected), "{id}");
    }

    let [(lpa, _), (deputies, _)] = SERVICES;
    for (critical, periods, expected) in [
        (
            Some(80.0),
            None,
            [(Healthy, 0.0, 2.0 / 12.0, 12), (Watch, -8.0, 0.0, 12)],
        ),
        (
            None,
            None,
            [(Healthy, 0.0, 2.0 / 12.0, 12), (Breached, -8.0, 0.0, 12)],
        ),
        (
            None,
            Some(64),
            [(Healthy, 0.0, 9.0 / 64.0, 64), (Breached, -8.0, 0.0, 39)],
        ),
        (
            Some(80.0),
            Some(1),
            [(Healthy, 0.0, 1.0, 1), (Watch, -8.0, 0.0, 1)],
        ),
    ] {
        policy(&server, |it| it.healthy_share_periods = periods.or(Some(12))).await;
        let bounds = Bounds {
            at_least: 90.0,
            critical,
        };
        for (service, (judged, distance, share, counted)) in [lpa, deputies].into_iter().zip(expected) {
            let id = percent(service);
            let figures = &published[&id];
            let first = *figures.keys().next().expect("a month");
            ask(&server, &id, first, bounds).await;
            let told = format!("{id} {critical:?} {periods:?}");
            let counting = usize::try_from(periods.unwrap_or(12)).expect("some");
            assert_eq!(bounds.share(figures, counting), (share, counted), "{told}");
            assert_eq!(bounds.judge(figures[&NEWEST]), judged, "{told}");
            let expected = api::KpiHealth {
                health: judged.into(),
                period_value: Some(newest(&id)),
                latest_value: Some(figures[&NEWEST]),
                latest_effective_time: start_of(NEWEST),
                stale: false,
                distance_to_target: Some(distance),
                target: acme(&format!("kpis/{id}/targets/{first}")),
                measurement_count: figures.len() as i64,
                healthy_share: Some(share),
                healthy_share_periods: counted,
            };
            assert_eq!(health(&server, &id).await, expected, "{told}");
        }
    }
}

#[tokio::test]
async fn a_figure_that_does_not_come_makes_a_kpi_stale_when_its_month_is_over() {
    let server = with_figures().await;
    let stale = async |server: &Server| {
        // The first command of a day begins it.
        begin_day(server).await;
        let kpis = kpis(server).await;
        let is_stale = |kpi: &&api::Kpi| kpi.health.as_ref().is_some_and(|health| health.stale);
        let stale = kpis.values().filter(is_stale).count();
        (stale, alerts(server, "state = OPEN AND kind = STALE").await.len())
    };
    assert_eq!(stale(&server).await, (0, 0));
    server.clock.advance_to(noon(Date::constant(2026, 7, 31)));
    assert_eq!(stale(&server).await, (0, 0), "July still runs");
    server.clock.advance_to(noon(Date::constant(2026, 8, 1)));
    assert_eq!(stale(&server).await, (12, 12));
    let july = Date::constant(2026, 7, 1);
    record(&server, vec![measurement(&percent("use-an-lpa"), july, "", 90.0)]).await;
    assert_eq!(stale(&server).await, (11, 11));
}

/// Imports some of the elder service's rows as one KPI.
async fn imported(server: &Server, kpi: &str, figure: &str, created: &str) {
    let (_, file) = SERVICES[0];
    let figure = format!("dataType={figure}");
    let mut args = vec![
        figures::path(file),
        "--kpi".to_owned(),
        kpi.to_owned(),
        "--where".to_owned(),
        figure,
    ];
    args.extend(COLUMNS.map(str::to_owned));
    let flags = "--source-column dataType --create --direction higher";
    args.extend(
        flags
            .split_whitespace()
            .chain(created.split_whitespace())
            .map(str::to_owned),
    );
    let printed = import(server, args).await;
    assert!(
        printed.contains("64 recorded, 0 superseded, 0 unchanged"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_sum_is_judged_when_its_period_is_complete_and_a_mean_meanwhile() {
    let server = server_on(Date::constant(2026, 7, 15)).await;
    // The five answers of a month are five sources of one KPI.
    for answer in ANSWERS {
        for cadence in ["annual", "quarterly"] {
            let created = format!("--cadence {cadence} --aggregation sum --unit count");
            imported(&server, &format!("answers-{cadence}"), answer, &created).await;
        }
    }
    let created = "--cadence annual --aggregation mean --unit percent";
    imported(&server, "percent-annual", "user-satisfaction-percent", created).await;

    let published = published();
    let figures_of = |id: &str, from: Date, through: Date| -> Vec<f64> {
        published[id]
            .range(from..=through)
            .map(|(_, figure)| *figure)
            .collect()
    };
    let answered = |from: Date, through: Date| -> f64 {
        let of = |answer: &&str| figures_of(&format!("use-an-lpa-{answer}"), from, through);
        ANSWERS.iter().flat_map(of).sum()
    };
    let mean = |from: Date, through: Date| {
        let figures = figures_of(&percent("use-an-lpa"), from, through);
        figures.iter().sum::<f64>() / figures.len() as f64
    };
    let date = Date::constant;
    // The fiscal year's first month, the KPI, its newest period, and whether it still runs.
    for (fiscal_first, id, first, last, provisional) in [
        (1, "answers-annual", date(2025, 1, 1), date(2025, 12, 31), false),
        (4, "answers-annual", date(2025, 4, 1), date(2026, 3, 31), false),
        (1, "answers-quarterly", date(2026, 4, 1), date(2026, 6, 30), false),
        (2, "answers-quarterly", date(2026, 2, 1), date(2026, 4, 30), false),
        (1, "percent-annual", date(2026, 1, 1), date(2026, 12, 31), true),
        (4, "percent-annual", date(2026, 4, 1), date(2027, 3, 31), true),
        (7, "percent-annual", date(2025, 7, 1), date(2026, 6, 30), false),
    ] {
        with_fiscal_year(&server, fiscal_first).await;
        let value = match id {
            "percent-annual" => mean(first, last),
            _ => answered(first, last),
        };
        let expected = api::PeriodValue {
            first_date: day(first),
            last_date: day(last),
            value,
            provisional,
        };
        let found = health(&server, id).await;
        assert_eq!(
            found.period_value,
            Some(expected),
            "{id} from month {fiscal_first}"
        );
    }
    let counts: BTreeMap<_, _> = kpis(&server)
        .await
        .into_iter()
        .map(|(id, kpi)| (id, kpi.health.expect("its health").measurement_count))
        .collect();
    let expected = [
        ("answers-annual", 320),
        ("answers-quarterly", 320),
        ("percent-annual", 64),
    ];
    assert_eq!(counts, expected.map(|(id, count)| (id.to_owned(), count)).into());
}
