//! Alerts of the figures: had they come month by month, and when a whole file is loaded at once.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::alert::{CloseReason, Kind, State};
use jiff::civil::Date;

use crate::common::*;
use crate::figures::{ANSWERS, Months, NEWEST, SERVICES, later, lower_is_better, name, percent, published};
use crate::naive::{Bounds, Rules, Spell, adverse_moves, breaches, rules, stale_days};
use crate::world::*;

/// What is asked of the percents: the last part of a KPI's id, and its target.
const ASKED: [(&str, Bounds); 5] = [
    ("90-bare", bounds(90.0, None)),
    ("90-crit-80", bounds(90.0, Some(80.0))),
    ("90-crit-85", bounds(90.0, Some(85.0))),
    ("81-bare", bounds(81.0, None)),
    ("81-crit-80", bounds(81.0, Some(80.0))),
];
const HELD: Bounds = bounds(0.0, None);
const RULES: [Rules; 3] = [rules(1, 1), rules(2, 2), rules(1, 3)];

const fn bounds(at_least: f64, critical: Option<f64>) -> Bounds {
    Bounds { at_least, critical }
}

/// A KPI as it is told of: its figures, what is asked of it, and how many days of grace it has.
struct Gauge {
    id: String,
    months: Months,
    bounds: Option<Bounds>,
    grace_days: i32,
}

impl Gauge {
    fn first(&self) -> Date {
        *self.months.keys().next().expect("a month")
    }

    /// The alerts that it has had when its newest figure has come.
    fn expected(&self, rules: Rules) -> Vec<Spell> {
        let mut spells = adverse_moves(&self.months, lower_is_better(&self.id));
        if let Some(bounds) = self.bounds {
            spells.extend(breaches(&self.months, bounds, rules));
        }
        if self.grace_days == 0 {
            spells.extend(stale_days(&self.months));
        }
        spells
    }
}

/// Of each service the percent, once for each target and once without grace, and the five answers.
fn gauges() -> Vec<Gauge> {
    let published = published();
    let mut gauges = Vec::new();
    for (service, _) in SERVICES {
        let gauge = |id: String, figure: &str, bounds, grace_days| Gauge {
            id,
            months: published[figure].clone(),
            bounds,
            grace_days,
        };
        let percent = percent(service);
        for (suffix, bounds) in ASKED {
            gauges.push(gauge(format!("{service}-{suffix}"), &percent, Some(bounds), 5));
        }
        gauges.push(gauge(format!("{service}-late"), &percent, None, 0));
        for answer in ANSWERS {
            let id = format!("{service}-{answer}");
            gauges.push(gauge(id.clone(), &id, None, 5));
        }
    }
    gauges
}

/// The second day of the month that follows, when a month's figures come.
fn comes(month: Date) -> Date {
    later(month, 1).with().day(2).build().expect("a day")
}

/// An alert as it is compared: in the order of its opening.
#[derive(Debug, PartialEq)]
struct Told {
    opened: String,
    kpi: String,
    kind: Kind,
    first_date: String,
    value: f64,
    reference: Option<f64>,
    periods: i32,
    state: State,
    closed: Option<String>,
    reason: CloseReason,
}

impl Told {
    fn expected(kpi: &str, spell: &Spell) -> Self {
        let (newest, value) = spell.newest;
        let (state, reason) = match spell.closed {
            Some(_) => (State::Closed, CloseReason::Recovered),
            None => (State::Open, CloseReason::Unspecified),
        };
        Self {
            opened: noon(comes(spell.opened)).to_string(),
            kpi: kpi.to_owned(),
            kind: spell.kind,
            first_date: newest.to_string(),
            value,
            reference: spell.reference,
            periods: spell.periods,
            state,
            closed: spell.closed.map(|month| noon(comes(month)).to_string()),
            reason,
        }
    }

    fn found(alert: &api::Alert) -> Self {
        let time = |time: &prost_types::Timestamp| {
            binnacle::domain::Timestamp::from_micros(time.seconds * 1_000_000).to_string()
        };
        let value = alert.period_value.as_ref().expect("a value");
        assert!(!value.provisional);
        assert_eq!(alert.needs_action, alert.state() == State::Open);
        Self {
            opened: alert.open_time.as_ref().map(time).expect("a time"),
            kpi: id_of(&alert.name),
            kind: alert.kind(),
            first_date: shown(value.first_date.as_ref()),
            value: value.value,
            reference: alert.reference_value,
            periods: alert.period_count,
            state: alert.state(),
            closed: alert.close_time.as_ref().map(time),
            reason: alert.close_reason(),
        }
    }
}

/// Each KPI is created when its first figure comes, and every month is recorded on the second day of the next one.
async fn lived(gauges: &[Gauge], rules: Rules) -> Server {
    let mut month = gauges.iter().map(Gauge::first).min().expect("a month");
    let server = server_on(comes(month)).await;
    with_rules(&server, rules).await;
    while month <= NEWEST {
        server.clock.advance_to(noon(comes(month)));
        for gauge in gauges.iter().filter(|gauge| gauge.first() == month) {
            with_gauge(&server, &gauge.id, |it| it.grace_days = gauge.grace_days).await;
            if let Some(bounds) = gauge.bounds {
                ask(&server, &gauge.id, month, bounds).await;
            }
        }
        let measured = gauges.iter().filter_map(|gauge| {
            let figure = gauge.months.get(&month)?;
            Some(measurement(&gauge.id, month, "", *figure))
        });
        record(&server, measured.collect()).await;
        stands(&server, gauges, month).await;
        month = later(month, 1);
    }
    server
}

/// How every KPI stands when a month's figures have come.
async fn stands(server: &Server, gauges: &[Gauge], month: Date) {
    let kpis = kpis(server).await;
    for gauge in gauges.iter().filter(|gauge| gauge.first() <= month) {
        let figure = gauge.months[&month];
        let known: Months = gauge
            .months
            .range(..=month)
            .map(|(month, it)| (*month, *it))
            .collect();
        let share = gauge.bounds.map(|bounds| bounds.share(&known, 12));
        let expected = api::KpiHealth {
            health: gauge
                .bounds
                .map_or(api::Health::NoTarget, |bounds| bounds.judge(figure))
                .into(),
            period_value: Some(api::PeriodValue {
                first_date: day(month),
                last_date: day(month.last_of_month()),
                value: figure,
                provisional: false,
            }),
            latest_value: Some(figure),
            latest_effective_time: start_of(month),
            stale: false,
            distance_to_target: gauge.bounds.map(|bounds| figure - bounds.at_least),
            target: gauge.bounds.map_or(String::new(), |_| {
                acme(&format!("kpis/{}/targets/{}", gauge.id, gauge.first()))
            }),
            measurement_count: known.len() as i64,
            healthy_share: share.map(|(share, _)| share),
            healthy_share_periods: share.map_or(0, |(_, counted)| counted),
        };
        let found = kpis[&gauge.id].health.as_ref();
        assert_eq!(found, Some(&expected), "{} in {}", gauge.id, name(month));
    }
}

#[tokio::test]
async fn figures_that_come_month_by_month_open_and_close_the_alerts_that_follow_from_them() {
    let gauges = gauges();
    for rules in RULES {
        let server = lived(&gauges, rules).await;
        let mut expected: Vec<(Date, &str, &str, Told)> = Vec::new();
        for gauge in &gauges {
            expected.extend(gauge.expected(rules).iter().map(|spell| {
                let told = Told::expected(&gauge.id, spell);
                (spell.opened, gauge.id.as_str(), spell.kind.as_str_name(), told)
            }));
        }
        // In the order of opening; of one moment by name.
        expected.sort_by_key(|(opened, kpi, kind, _)| (*opened, *kpi, *kind));
        let expected: Vec<Told> = expected.into_iter().map(|(.., told)| told).collect();
        let found: Vec<Told> = alerts(&server, "").await.iter().map(Told::found).collect();
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "alert {at} of {rules:?}");
        }
        assert_eq!(found.len(), expected.len(), "{rules:?}");
        let count = |kind: Kind| found.iter().filter(|told| told.kind == kind).count();
        assert!(count(Kind::Breach) > 0 && count(Kind::AdverseMove) > 0);
        assert_eq!(count(Kind::Stale), 63 + 38);
    }
}

#[tokio::test]
async fn ninety_percent_was_missed_when_the_published_figures_say_so() {
    let told = |months: &Months, bounds: Bounds, rules: Rules| -> Vec<(String, String)> {
        let spells = breaches(months, bounds, rules);
        let closed = |spell: &Spell| spell.closed.map_or("open".to_owned(), name);
        spells
            .iter()
            .map(|spell| (name(spell.opened), closed(spell)))
            .collect()
    };
    let gauges = gauges();
    // As a person reads it from the files: the months that opened and closed the alerts.
    for (id, rules, expected) in [
        (
            "use-an-lpa-90-bare",
            rules(1, 1),
            &[
                ("2021-07", "2023-04"),
                ("2023-05", "2023-06"),
                ("2023-07", "2023-09"),
                ("2023-10", "2026-05"),
            ][..],
        ),
        ("use-an-lpa-90-bare", rules(2, 2), &[("2021-08", "2026-06")]),
        ("use-an-lpa-90-crit-80", rules(1, 1), &[]),
        ("deputy-reporting-90-bare", rules(1, 1), &[("2023-04", "open")]),
        ("deputy-reporting-90-bare", rules(2, 2), &[("2023-05", "open")]),
        ("deputy-reporting-90-crit-80", rules(1, 1), &[("2023-07", "open")]),
        ("deputy-reporting-90-crit-80", rules(2, 2), &[]),
    ] {
        let gauge = gauges.iter().find(|gauge| gauge.id == id).expect("a KPI");
        let found = told(&gauge.months, gauge.bounds.expect("a target"), rules);
        let expected: Vec<_> = expected
            .iter()
            .map(|(opened, closed)| ((*opened).to_owned(), (*closed).to_owned()))
            .collect();
        assert_eq!(found, expected, "{id} {rules:?}");
    }
}

/// The last month of the newest row of BREACHED months that is long enough: what is at the root of an alert that opens late.
fn newest_row(months: &Months, bounds: Bounds, rules: Rules) -> Date {
    let (mut length, mut found) = (0, None);
    for (month, figure) in months {
        length = match bounds.judge(*figure) {
            api::Health::Breached => length + 1,
            _ => 0,
        };
        if length >= rules.breach_after {
            found = Some(*month);
        }
    }
    found.expect("a row")
}

#[tokio::test]
async fn a_file_that_is_loaded_at_once_leaves_open_what_would_be_open() {
    let server = with_figures().await;
    let published = published();
    let mut open = BTreeMap::new();
    for rules in RULES {
        with_rules(&server, rules).await;
        for (_, bounds) in ASKED {
            let mut expected = BTreeMap::new();
            for (id, months) in published {
                let mut spells = adverse_moves(months, lower_is_better(id));
                if id.ends_with("percent") {
                    let first = *months.keys().next().expect("a month");
                    // What every month holds is asked in between, so that each alert opens anew.
                    ask(&server, id, first, HELD).await;
                    ask(&server, id, first, bounds).await;
                    spells.extend(breaches(months, bounds, rules));
                }
                for spell in spells.iter().filter(|spell| spell.closed.is_none()) {
                    let month = match spell.kind {
                        Kind::Breach => newest_row(months, bounds, rules),
                        _ => NEWEST,
                    };
                    let newest = (month.to_string(), months[&month]);
                    expected.insert((id.clone(), spell.kind.as_str_name()), newest);
                }
            }
            let found: BTreeMap<_, _> = alerts(&server, "state = OPEN")
                .await
                .iter()
                .map(|alert| {
                    let value = alert.period_value.as_ref().expect("a value");
                    let newest = (shown(value.first_date.as_ref()), value.value);
                    ((id_of(&alert.name), alert.kind().as_str_name()), newest)
                })
                .collect();
            assert_eq!(found, expected, "{rules:?} {bounds:?}");
            *open.entry(found.len()).or_insert(0) += 1;
        }
    }
    assert!(open.len() > 1, "never the same alerts are open: {open:?}");
    // What closed did so as something else was asked; no news came.
    let closed = alerts(&server, "state = CLOSED").await;
    assert!(!closed.is_empty());
    for alert in closed {
        assert_eq!(alert.close_reason(), CloseReason::TargetChanged, "{}", alert.name);
    }
}
