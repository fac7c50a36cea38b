//! KPIs: what is asked of them, what they are found to be, and what is said when they are in trouble.

use jiff::civil::Date;

use super::{Given, at, id, key_result_id, value};
use crate::domain::time::tests::zone;
use crate::domain::{
    ActionPlan, Alert, AlertKind, AlertRules, Ambition, Cadence, Command, Effective, Etag, Event, KpiFields,
    KpiFromKeyResult, KpiPatch, MeasurementIdentity, NewMeasurement, Ramp, StartObjective, Target, Text,
    Timestamp, WorkspacePatch, judged_values, period_values_back,
};

/// A day of 2026.
pub(crate) fn day(month: i8, day: i8) -> Date {
    jiff::civil::date(2026, month, day)
}

pub(crate) fn at_least(least: f64) -> Target {
    Target {
        at_least: Some(value(least)),
        ..Target::default()
    }
}

pub(crate) fn at_most(most: f64) -> Target {
    Target {
        at_most: Some(value(most)),
        ..Target::default()
    }
}

pub(crate) fn within(least: f64, most: f64) -> Target {
    Target {
        at_most: Some(value(most)),
        ..at_least(least)
    }
}

/// HEALTHY from `least` up, WATCH from `critical` up.
pub(crate) fn at_least_or_watch(least: f64, critical: f64) -> Target {
    Target {
        critical_at_least: Some(value(critical)),
        ..at_least(least)
    }
}

/// A ramp that leads nowhere yet.
pub(crate) fn ramp(date: Date, change: impl FnOnce(&mut Ramp)) -> Ramp {
    let mut ramp = Ramp {
        date,
        at_least: None,
        at_most: None,
        critical_at_least: None,
        critical_at_most: None,
    };
    change(&mut ramp);
    ramp
}

pub(crate) fn aim(kpi: &str, date: Date, target: Target) -> Command {
    Command::SetTarget {
        kpi: id(kpi),
        date,
        target,
    }
}

pub(crate) fn aim_no_more(kpi: &str, date: Date) -> Command {
    Command::DeleteTarget { kpi: id(kpi), date }
}

pub(crate) fn update_kpi(name: &str, change: impl FnOnce(&mut KpiPatch)) -> Command {
    let mut patch = KpiPatch::default();
    change(&mut patch);
    Command::UpdateKpi {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

pub(crate) fn archive(name: &str) -> Command {
    Command::ArchiveKpi {
        id: id(name),
        etag: Etag::Any,
    }
}

pub(crate) fn unarchive(name: &str) -> Command {
    Command::UnarchiveKpi {
        id: id(name),
        etag: Etag::Any,
    }
}

/// A value at noon of a day of 2026, in UTC, from a source.
pub(crate) fn from_source(kpi: &str, (month, day): (i8, i8), source: &str, number: f64) -> NewMeasurement {
    NewMeasurement {
        source_id: source.into(),
        ..super::measurement(kpi, Effective::At(at(2026, month, day, 12)), number)
    }
}

pub(crate) fn measured_at(kpi: &str, time: Timestamp, number: f64) -> Command {
    Command::RecordMeasurements(vec![super::measurement(kpi, Effective::At(time), number)])
}

pub(crate) fn correct_measured(kpi: &str, month: i8, day: i8, number: f64) -> Command {
    Command::CorrectMeasurement(Box::new(from_source(kpi, (month, day), "", number)))
}

pub(crate) fn retract_measured(kpi: &str, month: i8, day: i8) -> Command {
    retract_at(kpi, at(2026, month, day, 12), "")
}

pub(crate) fn retract_at(kpi: &str, time: Timestamp, source: &str) -> Command {
    Command::RetractMeasurement(Box::new(MeasurementIdentity {
        kpi: id(kpi),
        effective: Effective::At(time),
        source_id: source.into(),
    }))
}

/// Other rules for alerts than a new workspace has.
pub(crate) fn alert_rules(change: impl FnOnce(&mut AlertRules)) -> Command {
    let mut rules = AlertRules::default();
    change(&mut rules);
    super::update_policy(|patch| patch.alerts = Some(rules))
}

/// Another calendar.
pub(crate) fn update_workspace(time_zone: Option<&str>, change: impl FnOnce(&mut WorkspacePatch)) -> Command {
    let mut patch = WorkspacePatch {
        time_zone: time_zone.map(|name| Text::parse(name).unwrap()),
        ..WorkspacePatch::default()
    };
    change(&mut patch);
    Command::UpdateWorkspace {
        patch: Box::new(patch),
        rules: time_zone.map(zone),
        etag: Etag::Any,
    }
}

pub(crate) fn plan(change: impl FnOnce(&mut ActionPlan)) -> ActionPlan {
    let mut plan = ActionPlan {
        cause: Text::empty(),
        text: Text::parse("call every customer").unwrap(),
        owner: None,
        due_date: None,
        objective: None,
    };
    change(&mut plan);
    plan
}

pub(crate) fn set_plan(kpi: &str, alert: &str, change: impl FnOnce(&mut ActionPlan)) -> Command {
    Command::SetActionPlan {
        kpi: id(kpi),
        id: id(alert),
        plan: Box::new(plan(change)),
    }
}

pub(crate) fn complete_plan(kpi: &str, alert: &str) -> Command {
    Command::CompleteActionPlan {
        kpi: id(kpi),
        id: id(alert),
        note: Text::parse("all called").unwrap(),
    }
}

pub(crate) fn acknowledge(kpi: &str, alert: &str, note: &str) -> Command {
    Command::AcknowledgeAlert {
        kpi: id(kpi),
        id: id(alert),
        note: Text::parse(note).unwrap(),
    }
}

/// Into cycle q1.
pub(crate) fn start_objective(
    kpi: &str,
    objective: &str,
    change: impl FnOnce(&mut StartObjective),
) -> Command {
    let mut new = StartObjective {
        kpi: id(kpi),
        objective: id(objective),
        key_result: None,
        cycle: id("q1"),
        title: None,
        description: Text::empty(),
        owner: None,
        team: None,
        ambition: Ambition::Committed,
        alert: None,
    };
    change(&mut new);
    Command::StartObjective(Box::new(new))
}

/// A KPI made of a key result.
pub(crate) fn keep(path: &str, kpi: &str, cadence: Cadence) -> Command {
    Command::CreateKpiFromKeyResult(Box::new(KpiFromKeyResult {
        key_result: key_result_id(path),
        kpi: id(kpi),
        title: None,
        cadence,
        area: Text::empty(),
        data_source: Text::empty(),
    }))
}

/// A KPI with a target from the beginning of 2026 on.
pub(crate) fn aimed(name: &str, target: Target, change: impl FnOnce(&mut KpiFields)) -> [Command; 2] {
    [super::kpi(name, change), aim(name, day(1, 1), target)]
}

/// As it is written on the wire.
fn name(of: impl serde::Serialize) -> String {
    serde_json::to_string(&of).unwrap().replace('"', "")
}

impl Given {
    /// Time passes until noon of a date, in UTC.
    pub(crate) fn on_date(mut self, date: Date) -> Self {
        self.now = at(date.year(), date.month(), date.day(), 12);
        let date = self.workspace.rules().date(self.now);
        self.and([Command::StartDay { date }])
    }

    /// What the last commit says of alerts: `BREACH opened`, `BREACH closed: RECOVERED`, `plan overdue`.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let mut said = Vec::new();
        for event in &self.commits.last().unwrap().events {
            match event {
                Event::AlertOpened { opening, .. } => said.push(format!("{} opened", name(opening.kind))),
                Event::AlertClosed { kpi, id, reason } => {
                    let kind = self.workspace.kpis[kpi].alerts[id].opening.kind;
                    said.push(format!("{} closed: {}", name(kind), name(*reason)));
                }
                Event::ActionPlanOverdue { .. } => said.push("plan overdue".to_owned()),
                _ => {}
            }
        }
        said
    }

    /// Which alerts of a KPI are open.
    pub(crate) fn open(&self, kpi: &str) -> Vec<AlertKind> {
        self.workspace.kpis[&id(kpi)]
            .open_alerts
            .keys()
            .copied()
            .collect()
    }

    /// The newest alert of a kind.
    pub(crate) fn alert(&self, kpi: &str, kind: AlertKind) -> &Alert {
        let alerts = self.workspace.kpis[&id(kpi)].alerts.values();
        let of_kind = alerts.filter(|alert| alert.opening.kind == kind);
        of_kind.max_by_key(|alert| alert.opened.revision).unwrap()
    }

    /// The id of the newest alert of a kind.
    pub(crate) fn alert_id(&self, kpi: &str, kind: AlertKind) -> String {
        self.alert(kpi, kind).id.to_string()
    }

    /// The period values of a KPI, the oldest first: first and last day, value, whether it is provisional.
    pub(crate) fn values(&self, kpi: &str) -> Vec<(Date, Date, f64, bool)> {
        let kpi = self.workspace.kpi(&id(kpi)).unwrap();
        let mut values: Vec<_> = period_values_back(kpi, &self.workspace, None)
            .map(|found| {
                (
                    found.period.first,
                    found.period.last,
                    found.value,
                    found.provisional,
                )
            })
            .collect();
        values.reverse();
        values
    }

    /// How its period values are judged, the oldest first: H, W, B, or ? without a target.
    pub(crate) fn judged(&self, kpi: &str) -> String {
        use crate::domain::Health::{Breached, Healthy, NoData, NoTarget, Watch};
        let kpi = self.workspace.kpi(&id(kpi)).unwrap();
        let mut letters: Vec<char> = judged_values(kpi, &self.workspace)
            .map(|judged| match judged.health {
                Healthy => 'H',
                Watch => 'W',
                Breached => 'B',
                NoTarget | NoData => '?',
            })
            .collect();
        letters.reverse();
        letters.into_iter().collect()
    }

    /// What is known of a KPI from some sources: moment, source and value, in order.
    pub(crate) fn points<'s>(&self, kpi: &str, sources: &[&'s str]) -> Vec<(Timestamp, &'s str, f64)> {
        let series = &self.workspace.kpi(&id(kpi)).unwrap().series;
        let mut moments: Vec<Timestamp> = series
            .range_from(Timestamp::MIN, Timestamp::MAX)
            .map(|point| point.effective_time())
            .collect();
        moments.dedup();
        let mut known = Vec::new();
        for moment in moments {
            for source in sources {
                known.extend(
                    series
                        .get(moment, source)
                        .map(|point| (moment, *source, point.value())),
                );
            }
        }
        known
    }
}
