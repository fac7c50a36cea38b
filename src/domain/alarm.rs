//! When alerts open and close: by events of the commit that caused them, judged once a commit on the newest period values by
//! effective time.
//!
//! Invariant: whether an alert's condition holds is a function of the series as it is known, the targets, the policy and
//! today, so the order in which values came makes no difference to what is open in the end. That an alert was open is
//! never rewritten. STALE alone is found only as a day starts: until then it is not known that nothing comes.

use std::collections::BTreeMap;

use super::{
    AlertKind, AlertOpening, AlertRules, CloseReason, Direction, Event, Health, Id, JudgedValue, Kpi,
    ResourceName, Stamp, TOLERANCE, Target, Timestamp, UnitKind, Workspace, is_stale, judged_values,
    period_value::LOOK_BACK_MAX,
};

/// How many alert events one commit has before no further KPI is looked at, so that it stays below what a record may hold.
/// What is left over is found as the next day starts, or by asking for the start of the same day again.
pub const ALARMS_PER_COMMIT_MAX: usize = 10_000;

/// The alerts that open and close because of a command's events; `after` is the state that these lead to.
pub(super) fn follow(events: &[Event], after: &Workspace, stamp: &Stamp) -> Vec<Event> {
    Cause::of(events).follow(after, stamp)
}

/// What the start of a day that has begun already left over, because its commit was full.
pub(super) fn left_over(workspace: &Workspace, stamp: &Stamp) -> Vec<Event> {
    let cause = Cause {
        everything: true,
        day_starts: true,
        asked_otherwise: false,
        kpis: BTreeMap::new(),
    };
    cause.follow(workspace, stamp)
}

/// Whether events may open or close alerts at all.
pub(super) fn may_follow(events: &[Event]) -> bool {
    let cause = Cause::of(events);
    cause.everything || !cause.kpis.is_empty()
}

/// What a commit does to the KPIs that it touches.
#[derive(Default)]
struct Cause<'e> {
    everything: bool,
    day_starts: bool,
    /// The policy or the calendar asks something else of every KPI.
    asked_otherwise: bool,
    kpis: BTreeMap<&'e Id, Touch>,
}

/// What a commit does to one KPI.
#[derive(Clone, Copy, Default)]
struct Touch {
    /// Something else is asked of it.
    asked_otherwise: bool,
    /// The latest effective time of what was measured or retracted.
    latest: Option<Timestamp>,
}

impl<'e> Cause<'e> {
    fn of(events: &'e [Event]) -> Self {
        let mut cause = Self::default();
        for event in events {
            cause.mark(event);
        }
        cause.everything |= cause.asked_otherwise;
        cause
    }

    fn mark(&mut self, event: &'e Event) {
        match event {
            Event::MeasurementRecorded(recorded) => self.measured(&recorded.kpi, recorded.effective_time),
            Event::MeasurementRetracted {
                kpi, effective_time, ..
            } => self.measured(kpi, *effective_time),
            Event::TargetSet { kpi: id, .. }
            | Event::TargetDeleted { kpi: id, .. }
            | Event::KpiUpdated { id, .. } => self.kpis.entry(id).or_default().asked_otherwise = true,
            Event::KpiArchived { id }
            | Event::KpiUnarchived { id, .. }
            | Event::Deleted {
                name: ResourceName::Kpi(id),
            }
            | Event::Undeleted {
                name: ResourceName::Kpi(id),
                ..
            } => {
                self.kpis.entry(id).or_default();
            }
            // On a workspace's first day there is nothing yet.
            Event::DayStarted { before: Some(_), .. } => {
                self.everything = true;
                self.day_starts = true;
            }
            Event::WorkspaceUpdated { before, after, rules } => {
                self.asked_otherwise |= rules.is_some()
                    || before.first_weekday != after.first_weekday
                    || before.fiscal_year_first_month != after.fiscal_year_first_month;
            }
            Event::ScoringPolicyUpdated { before, after } => {
                self.asked_otherwise |= before.alerts != after.alerts;
            }
            _ => {}
        }
    }

    fn measured(&mut self, kpi: &'e Id, at: Timestamp) {
        let touch = self.kpis.entry(kpi).or_default();
        touch.latest = touch.latest.max(Some(at));
    }

    fn follow(&self, after: &Workspace, stamp: &Stamp) -> Vec<Event> {
        let mut alarms = Vec::new();
        let mut judge = |id: &Id, kpi: &Kpi| {
            if alarms.len() < ALARMS_PER_COMMIT_MAX {
                self.judge(id, kpi, after, stamp, &mut alarms);
            }
        };
        if self.everything {
            for (id, kpi) in &after.kpis {
                judge(id, kpi);
            }
        } else {
            for id in self.kpis.keys() {
                if let Some(kpi) = after.kpis.get(*id) {
                    judge(id, kpi);
                }
            }
        }
        alarms
    }

    fn judge(&self, id: &Id, kpi: &Kpi, after: &Workspace, stamp: &Stamp, alarms: &mut Vec<Event>) {
        let in_use = kpi.deleted.is_none() && kpi.archived.is_none();
        for kind in AlertKind::ALL {
            let open = kpi.open_alerts.get(&kind);
            let condition = if in_use {
                Condition::of(kind, kpi, after)
            } else {
                Condition::Quiet
            };
            match (open, condition) {
                (Some(alert), Condition::Quiet) => alarms.push(Event::AlertClosed {
                    kpi: id.clone(),
                    id: alert.clone(),
                    reason: self.reason(id, kpi, alert, in_use, after),
                }),
                (None, Condition::Holds(opening)) if kind != AlertKind::Stale || self.day_starts => {
                    alarms.push(Event::AlertOpened {
                        kpi: id.clone(),
                        id: kind.id(stamp.revision),
                        opening: Box::new(opening),
                    });
                }
                _ => {}
            }
        }
        if self.day_starts && in_use {
            overdue_plans(id, kpi, after, alarms);
        }
    }

    /// Why an alert closes: what is dated behind what opened it is news, everything else puts right what was.
    fn reason(&self, id: &Id, kpi: &Kpi, alert: &Id, in_use: bool, after: &Workspace) -> CloseReason {
        let touch = self.kpis.get(id).copied().unwrap_or_default();
        let opening = kpi.alerts.get(alert).map(|alert| alert.opening);
        let is_news = |latest: Timestamp| {
            let period = opening.and_then(|opening| opening.period);
            Some(latest) > opening.and_then(|opening| opening.newest)
                || period.is_some_and(|period| after.rules().date(latest) > period.last)
        };
        match touch.latest {
            _ if !in_use => CloseReason::Archived,
            _ if touch.asked_otherwise => CloseReason::TargetChanged,
            Some(latest) if is_news(latest) => CloseReason::Recovered,
            Some(_) => CloseReason::Corrected,
            // A new zone may be in its next day already, and asks something else all the same.
            None if self.asked_otherwise => CloseReason::TargetChanged,
            // A period has become complete.
            None => CloseReason::Recovered,
        }
    }
}

/// Whether an alert of a kind is to be open.
enum Condition {
    Holds(AlertOpening),
    Quiet,
}

impl Condition {
    fn of(kind: AlertKind, kpi: &Kpi, workspace: &Workspace) -> Self {
        let rules = &workspace.policy().alerts;
        let found = match kind {
            AlertKind::Breach => breach(kpi, workspace, rules),
            AlertKind::Stale => stale(kpi, workspace),
            AlertKind::AdverseMove => adverse_move(kpi, workspace, rules),
        };
        found.map_or(Self::Quiet, Self::Holds)
    }
}

/// Looking back from the newest period value: whether so many BREACHED ones in a row come before so many HEALTHY ones.
/// WATCH breaks both rows. How far one looks back is how long the KPI has been WATCH, or has gone to and fro; after 10,000
/// such values nothing is asked for.
fn breach(kpi: &Kpi, workspace: &Workspace, rules: &AlertRules) -> Option<AlertOpening> {
    if kpi.targets.is_empty() {
        return None;
    }
    let (mut breached, mut healthy) = (0, 0);
    // The newest of the row of BREACHED ones: newer values may be neither.
    let mut newest = None;
    for judged in judged_values(kpi, workspace).take(LOOK_BACK_MAX) {
        match judged.health {
            Health::Breached => {
                newest.get_or_insert(judged);
                (breached, healthy) = (breached + 1, 0);
            }
            Health::Healthy => (newest, breached, healthy) = (None, 0, healthy + 1),
            Health::Watch => (newest, breached, healthy) = (None, 0, 0),
            // Before the first target's date there is none, however far back one looks.
            Health::NoTarget | Health::NoData => return None,
        }
        if healthy >= rules.recover_after {
            return None;
        }
        if breached >= rules.breach_after {
            let bound = newest.and_then(|newest| missed_bound(kpi, &newest));
            return Some(opening(
                AlertKind::Breach,
                kpi,
                workspace,
                newest,
                bound,
                breached,
            ));
        }
    }
    None
}

/// The bound that a BREACHED value misses.
fn missed_bound(kpi: &Kpi, judged: &JudgedValue) -> Option<f64> {
    let (_, target) = judged.target?;
    target
        .nearer_bound(kpi.fields.direction, judged.value.value)
        .map(|bound| bound.get())
}

fn stale(kpi: &Kpi, workspace: &Workspace) -> Option<AlertOpening> {
    is_stale(kpi, workspace).then(|| {
        let newest = judged_values(kpi, workspace).next();
        opening(AlertKind::Stale, kpi, workspace, newest, None, 1)
    })
}

/// Whether the newest period value v is worse than the mean m of the n before it by more than x % of |m|. IN_RANGE has no
/// worse without a target: there, how far outside of its bounds v lies against how far m does.
fn adverse_move(kpi: &Kpi, workspace: &Workspace, rules: &AlertRules) -> Option<AlertOpening> {
    let comparable = !matches!(kpi.fields.judged_unit().kind, UnitKind::Scale(_));
    if rules.adverse_move_percent <= 0.0 || !comparable {
        return None;
    }
    let wanted = rules.adverse_move_periods as usize;
    let mut values = judged_values(kpi, workspace);
    let newest = values.next()?;
    let (count, sum) = values.take(wanted).fold((0, 0.0), |(count, sum), judged| {
        (count + 1, sum + judged.value.value)
    });
    if count < wanted {
        return None;
    }
    let mean = sum / wanted as f64;
    let value = newest.value.value;
    let worse_by = match kpi.fields.direction {
        Direction::HigherIsBetter => mean - value,
        Direction::LowerIsBetter => value - mean,
        Direction::InRange => {
            let (_, target) = newest.target?;
            outside(&target, value) - outside(&target, mean)
        }
    };
    let allowed = rules.adverse_move_percent / 100.0 * mean.abs();
    // Of a mean of nothing there is no share.
    let adverse = mean.abs() >= TOLERANCE && worse_by > allowed + TOLERANCE;
    adverse.then(|| {
        let periods = rules.adverse_move_periods;
        opening(
            AlertKind::AdverseMove,
            kpi,
            workspace,
            Some(newest),
            Some(mean),
            periods,
        )
    })
}

/// How far outside of a target's bounds a value lies; 0 inside.
fn outside(target: &Target, value: f64) -> f64 {
    let below = target.at_least.map_or(0.0, |bound| bound.get() - value);
    let above = target.at_most.map_or(0.0, |bound| value - bound.get());
    below.max(above).max(0.0)
}

fn opening(
    kind: AlertKind,
    kpi: &Kpi,
    workspace: &Workspace,
    newest: Option<JudgedValue>,
    reference: Option<f64>,
    periods: u32,
) -> AlertOpening {
    AlertOpening {
        kind,
        date: workspace.today(),
        period: newest.map(|judged| judged.value.period),
        value: newest.map(|judged| judged.value.value),
        reference,
        periods,
        newest: kpi.series.latest().map(super::Point::effective_time),
    }
}

/// Plans of open alerts whose day has passed, each said once.
fn overdue_plans(id: &Id, kpi: &Kpi, workspace: &Workspace, alarms: &mut Vec<Event>) {
    for (alert_id, alert) in kpi.open_alerts() {
        // What closes with this very day is not asked for any more.
        let closes = |alarm: &Event| matches!(alarm, Event::AlertClosed { kpi, id: of, .. } if kpi == id && of == alert_id);
        if alarms.iter().rev().take(AlertKind::ALL.len()).any(closes) {
            continue;
        }
        let said = alert.plan.as_ref().is_some_and(|set| set.overdue);
        if let Some(due_date) = alert.due().filter(|due| *due < workspace.today() && !said) {
            alarms.push(Event::ActionPlanOverdue {
                kpi: id.clone(),
                id: alert_id.clone(),
                due_date,
            });
        }
    }
}
