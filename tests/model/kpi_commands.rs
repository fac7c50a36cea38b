//! The commands of a step that are about KPIs alone: alerts and their plans, what is put right, and the two bridges.

use binnacle::domain::{
    ActionPlan, AlertRules, Ambition, Cadence, Command, Effective, Etag, Health, Id, KpiFromKeyResult,
    MeasurementIdentity, NewMeasurement, Ramp, ScoringPolicyPatch, StartObjective, Target, Text, Timestamp,
};

use crate::commands::{Step, existing};
use crate::world::{World, day, id, value};

/// One of eleven kinds.
pub(crate) fn command(world: &World, (kind, a, b, number, hours): Step, back: Timestamp) -> Command {
    let kpi = id("p", a, 3);
    match kind % 11 {
        0 => {
            let name = Etag::Any;
            match b % 5 {
                0 => Command::ArchiveKpi { id: kpi, etag: name },
                _ => Command::UnarchiveKpi { id: kpi, etag: name },
            }
        }
        1 => {
            let targets = world.state.workspace().kpis().get(&kpi).map(|kpi| &kpi.targets);
            let dates: Vec<_> = targets
                .into_iter()
                .flat_map(|targets| targets.keys().copied())
                .collect();
            let date = dates.get(usize::from(b) % dates.len().max(1)).copied();
            Command::DeleteTarget {
                kpi,
                date: date.unwrap_or_else(|| day(b)),
            }
        }
        2 => Command::SetTarget {
            kpi,
            date: day(b),
            target: ramped(a, number, day(b.saturating_add(hours % 40))),
        },
        3 | 4 => match known(world, &kpi, b) {
            Some((at, source)) if hours % 2 == 0 => {
                Command::RetractMeasurement(Box::new(MeasurementIdentity {
                    kpi,
                    effective: Effective::At(at),
                    source_id: source.as_str().into(),
                }))
            }
            Some((at, source)) => Command::CorrectMeasurement(Box::new(NewMeasurement {
                kpi,
                effective: Effective::At(at),
                value: value(number),
                source_id: source.as_str().into(),
                note: "".into(),
            })),
            None => Command::RecordMeasurements(vec![NewMeasurement {
                kpi,
                effective: Effective::At(back),
                value: value(number),
                source_id: "".into(),
                note: "".into(),
            }]),
        },
        5 => {
            let (kpi, alert) = alert(world, b, kpi);
            Command::AcknowledgeAlert {
                kpi,
                id: alert,
                note: text("seen"),
            }
        }
        6 | 7 => {
            let (kpi, alert) = alert(world, b, kpi);
            Command::SetActionPlan {
                kpi,
                id: alert,
                plan: Box::new(ActionPlan {
                    cause: Text::empty(),
                    text: text("work harder"),
                    owner: Some(Id::parse("maria").expect("an id")),
                    due_date: Some(day(hours / 2)),
                    objective: None,
                }),
            }
        }
        8 => {
            let (kpi, alert) = alert(world, b, kpi);
            Command::CompleteActionPlan {
                kpi,
                id: alert,
                note: text("done"),
            }
        }
        9 => Command::UpdateScoringPolicy {
            patch: Box::new(ScoringPolicyPatch {
                alerts: Some(AlertRules {
                    breach_after: u32::from(a % 3 + 1),
                    recover_after: u32::from(b % 3 + 1),
                    adverse_move_periods: u32::from(hours % 3 + 1),
                    adverse_move_percent: f64::from(b % 4) * 20.0,
                    healthy_share_periods: 6,
                }),
                ..ScoringPolicyPatch::default()
            }),
            etag: Etag::Any,
        },
        _ if b.is_multiple_of(2) => Command::StartObjective(Box::new(StartObjective {
            kpi: in_trouble(world, a).unwrap_or(kpi),
            objective: id("s", b, 6),
            key_result: None,
            cycle: id("c", hours, 3),
            title: None,
            description: Text::empty(),
            owner: Some(Id::parse("maria").expect("an id")),
            team: None,
            ambition: Ambition::Committed,
            alert: None,
        })),
        _ => Command::CreateKpiFromKeyResult(Box::new(KpiFromKeyResult {
            key_result: existing(world, a),
            kpi: id("q", b, 8),
            title: None,
            cadence: Cadence::Daily,
            area: Text::empty(),
            data_source: Text::empty(),
        })),
    }
}

/// One of the KPIs that miss their targets.
fn in_trouble(world: &World, number: u8) -> Option<Id> {
    let misses = |id: &&Id| {
        let health = world.state.figures().kpi(id).map(|figure| figure.health);
        matches!(health, Some(Health::Watch | Health::Breached))
    };
    let all: Vec<_> = world.state.workspace().kpis().keys().filter(misses).collect();
    all.get(usize::from(number) % all.len().max(1))
        .map(|id| (*id).clone())
}

/// Bounds of the KPI's direction that move.
fn ramped(a: u8, number: i16, date: jiff::civil::Date) -> Target {
    let at_least = (a % 3 != 1).then(|| value(number));
    let at_most = (!a.is_multiple_of(3)).then(|| value(number.saturating_add(20)));
    Target {
        at_least,
        at_most,
        critical_at_least: at_least.map(|_| value(number.saturating_sub(10))),
        critical_at_most: at_most.map(|_| value(number.saturating_add(30))),
        ramp: Some(Ramp {
            date,
            at_least: at_least.map(|_| value(number.saturating_add(5))),
            at_most: at_most.map(|_| value(number.saturating_add(15))),
            critical_at_least: None,
            critical_at_most: None,
        }),
        ..Target::default()
    }
}

/// One of the measurements that are known of a KPI.
fn known(world: &World, kpi: &Id, number: u8) -> Option<(Timestamp, String)> {
    let series = &world.state.workspace().kpis().get(kpi)?.series;
    let nth = usize::from(number) % series.len().max(1);
    let point = series.range_from(Timestamp::MIN, Timestamp::MAX).nth(nth)?;
    Some((point.effective_time(), series.source_id(point).to_owned()))
}

/// One of the alerts that there are, open or not; without any, one that is not there.
fn alert(world: &World, number: u8, otherwise: Id) -> (Id, Id) {
    let all: Vec<_> = world
        .state
        .workspace()
        .kpis()
        .iter()
        .flat_map(|(kpi, held)| held.alerts.keys().map(move |alert| (kpi.clone(), alert.clone())))
        .collect();
    let nth = usize::from(number) % all.len().max(1);
    let nothing = || (otherwise, Id::parse("breach-0").expect("an id"));
    all.get(nth).cloned().unwrap_or_else(nothing)
}

fn text(words: &str) -> Text {
    Text::parse(words).expect("a text")
}
