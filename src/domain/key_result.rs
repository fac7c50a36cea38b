//! Key results: what says whether an objective was reached.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, CheckIn, Direction, Etag, Event, Id, KeyResultId, ObjectiveState, Rejection, ResourceName,
    Revision, Stamp, TOLERANCE, Timestamp, Title, Unit, Value, Weight, Workspace, newest_period_value,
};

authored! {
    /// A key result's own fields.
    pub struct KeyResultFields,
    /// A change of a key result's fields.
    KeyResultPatch {
        /// What people call it.
        pub title: Title,
        /// The member who answers for it; none: the objective's owner.
        pub owner: Option<Id>,
        /// How it is measured.
        pub kind: KeyResultKind,
        /// Unit of its values; none: the linked KPI's, or a plain number.
        pub unit: Option<Unit>,
        /// Its weight in the objective's score.
        pub weight: Weight,
        /// The KPI that gives its values; none: check-ins do.
        pub kpi: Option<Id>,
        /// When it is to be reached; none: on the cycle's last day.
        pub due_date: Option<Date>,
    }
}

/// How a key result is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyResultKind {
    /// From a baseline to a target, rising or falling.
    Metric(Metric),
}

/// From a baseline to a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// Where it starts.
    pub baseline: Option<Baseline>,
    /// Where it shall be.
    pub target: Value,
}

/// Where a metric starts, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The value.
    pub value: Value,
    /// The revision as of which the linked KPI gave it; none: somebody gave it.
    pub kpi_revision: Option<Revision>,
}

/// A key result.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyResult {
    /// Its own fields.
    pub fields: KeyResultFields,
    /// The local date of its creation.
    pub creation_date: Date,
    /// Its check-ins by effective time, then by the order of recording.
    pub check_ins: OrdMap<(Timestamp, usize), Arc<RecordedCheckIn>>,
    /// Where each check-in stands, by id.
    pub check_in_keys: OrdMap<Id, (Timestamp, usize)>,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// A check-in with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedCheckIn {
    /// Its id.
    pub id: Id,
    /// What was said.
    pub check_in: CheckIn,
    /// Who recorded it, when and at which revision.
    pub stamp: CheckInStamp,
}

/// Who recorded a check-in, when and at which revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInStamp {
    /// Who.
    pub principal: smol_str::SmolStr,
    /// When.
    pub recorded_time: Timestamp,
    /// At which revision.
    pub revision: Revision,
}

impl KeyResult {
    /// Check-ins from the newest to the oldest by effective time.
    pub fn newest_check_ins(&self) -> impl Iterator<Item = &CheckIn> {
        self.check_ins.values().rev().map(|recorded| &recorded.check_in)
    }

    /// The newest confidence that somebody gave, by effective time.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        self.newest_check_ins()
            .find_map(|check_in| check_in.confidence)
            .map(|confidence| confidence.get())
    }
}

pub(super) fn create(
    workspace: &Workspace,
    id: &KeyResultId,
    fields: &KeyResultFields,
) -> Result<Vec<Event>, Rejection> {
    open_objective(workspace, &id.objective)?;
    if workspace.key_results.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::KeyResult(id.clone())));
    }
    let fields = with_baseline_of_kpi(workspace, fields.clone())?;
    check(workspace, id, &fields)?;
    Ok(vec![Event::KeyResultCreated {
        id: id.clone(),
        fields: Box::new(fields),
        date: workspace.today(),
    }])
}

pub(super) fn update(
    workspace: &Workspace,
    id: &KeyResultId,
    patch: &KeyResultPatch,
    etag: Etag,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let key_result = workspace.key_result(id)?;
    key_result
        .authorship
        .check(etag, || ResourceName::KeyResult(id.clone()))?;
    let before = &key_result.fields;
    let mut after = with_baseline_of_kpi(workspace, patch.applied_to(before))?;
    keep_baseline_source(before, &mut after);
    if after == *before {
        return Ok(Vec::new());
    }
    let state = open_objective(workspace, &id.objective)?;
    check(workspace, id, &after)?;
    if state == ObjectiveState::Active && after.kind != before.kind && stamp.reason.is_empty() {
        return Err(Rejection::ReasonMissing(id.clone()));
    }
    Ok(vec![Event::KeyResultUpdated {
        id: id.clone(),
        before: Box::new(before.clone()),
        after: Box::new(after),
    }])
}

/// An objective that still changes, or a refusal.
fn open_objective(workspace: &Workspace, id: &Id) -> Result<ObjectiveState, Rejection> {
    match workspace.objective(id)?.state {
        state @ (ObjectiveState::Draft | ObjectiveState::Active) => Ok(state),
        ObjectiveState::Closed | ObjectiveState::Canceled => Err(Rejection::ObjectiveOver(id.clone())),
    }
}

/// A caller who sends back what was read has not given a new baseline, nor has a KPI that stands where it stood: where
/// the baseline came from stays known.
fn keep_baseline_source(before: &KeyResultFields, after: &mut KeyResultFields) {
    let (KeyResultKind::Metric(before), KeyResultKind::Metric(after)) = (&before.kind, &mut after.kind);
    if let (Some(old), Some(new)) = (before.baseline, &mut after.baseline)
        && old.value == new.value
    {
        new.kpi_revision = old.kpi_revision;
    }
}

/// Without a baseline, a key result starts where its KPI stands now.
fn with_baseline_of_kpi(
    workspace: &Workspace,
    mut fields: KeyResultFields,
) -> Result<KeyResultFields, Rejection> {
    let Some(kpi) = &fields.kpi else { return Ok(fields) };
    let kpi = workspace.kpi(kpi)?;
    let KeyResultKind::Metric(metric) = &mut fields.kind;
    if metric.baseline.is_none() {
        let newest = newest_period_value(kpi, workspace, None);
        metric.baseline = newest
            .and_then(|newest| Value::parse(newest.value).ok())
            .map(|value| Baseline {
                value,
                kpi_revision: Some(workspace.revision()),
            });
    }
    Ok(fields)
}

fn check(workspace: &Workspace, id: &KeyResultId, fields: &KeyResultFields) -> Result<(), Rejection> {
    if let Some(owner) = &fields.owner {
        workspace.member(owner)?;
    }
    let objective = workspace.objective(&id.objective)?;
    let cycle = &workspace.cycle(&objective.fields.cycle)?.fields;
    if fields
        .due_date
        .is_some_and(|due| due < cycle.first_date || due > cycle.last_date)
    {
        let sentence = format!(
            "it lies outside of the cycle, {} to {}",
            cycle.first_date, cycle.last_date
        );
        return Err(Rejection::invalid("key_result.due_date", sentence));
    }
    let KeyResultKind::Metric(Metric { baseline, target }) = &fields.kind;
    let Some(baseline) = baseline.map(|baseline| baseline.value.get()) else {
        return if objective.state == ObjectiveState::Active {
            Err(Rejection::BaselineMissing(id.clone()))
        } else {
            Ok(())
        };
    };
    let target = target.get();
    if (target - baseline).abs() < TOLERANCE {
        return Err(Rejection::TargetIsBaseline { baseline, target });
    }
    let Some(kpi) = &fields.kpi else { return Ok(()) };
    let wrong = match workspace.kpi(kpi)?.fields.direction {
        Direction::HigherIsBetter => target < baseline,
        Direction::LowerIsBetter => target > baseline,
        Direction::InRange => false,
    };
    if wrong {
        Err(Rejection::WrongDirection {
            kpi: kpi.clone(),
            baseline,
            target,
        })
    } else {
        Ok(())
    }
}
