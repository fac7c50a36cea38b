//! Key results: what says whether an objective was reached. How each kind is measured stands in `kind`, what was seen of
//! it in `observation`.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::civil::Date;

use super::authored::authored;
use super::{
    Aggregation, Authorship, Baseline, CheckIn, Deletion, Direction, Etag, Event, Id, KeyResultId,
    KeyResultKind, KpiFields, Maintain, MaintainMode, Metric, ObjectiveState, Provenance, Rejection,
    ResourceName, Stamp, TOLERANCE, Timestamp, Title, Unit, Value, Weight, Window, Workspace,
    newest_period_value,
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
        /// Which of the linked KPI's values count.
        pub window: Window,
    }
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
    /// When it was deleted.
    pub deleted: Option<Deletion>,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// A check-in with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedCheckIn {
    /// Its id.
    pub id: Id,
    /// What is believed of it now.
    pub check_in: CheckIn,
    /// Who recorded it, when and at which revision.
    pub provenance: Provenance,
    /// When it was corrected last.
    pub corrected: Option<Timestamp>,
    /// When it was retracted.
    pub retracted: Option<Timestamp>,
}

impl KeyResult {
    /// Check-ins from the newest to the oldest by effective time; no retracted one.
    pub fn newest_check_ins(&self) -> impl Iterator<Item = &CheckIn> {
        self.check_ins
            .values()
            .rev()
            .filter(|recorded| recorded.retracted.is_none())
            .map(|recorded| &recorded.check_in)
    }

    /// One of its check-ins, retracted or not.
    #[must_use]
    pub fn check_in(&self, id: &Id) -> Option<&RecordedCheckIn> {
        let key = self.check_in_keys.get(id)?;
        self.check_ins.get(key).map(Arc::as_ref)
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
    workspace.open_objective(&id.objective)?;
    if workspace.key_results.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::KeyResult(id.clone())));
    }
    let fields = resolved(workspace, id, None, fields.clone())?;
    check(workspace, id, None, &fields)?;
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
    let after = resolved(workspace, id, Some(before), patch.applied_to(before))?;
    if after == *before {
        return Ok(Vec::new());
    }
    let state = workspace.open_objective(&id.objective)?;
    check(workspace, id, Some(before), &after)?;
    let scored_otherwise = after.kind != before.kind || after.window != before.window;
    if state == ObjectiveState::Active && scored_otherwise && stamp.reason.is_empty() {
        return Err(Rejection::ReasonMissing(id.clone()));
    }
    Ok(vec![Event::KeyResultUpdated {
        id: id.clone(),
        before: Box::new(before.clone()),
        after: Box::new(after),
    }])
}

/// Whether its value is a sum or a count over the cycle, which begins at 0.
pub(super) fn sums_over_cycle(workspace: &Workspace, fields: &KeyResultFields) -> bool {
    let kpi = fields.kpi.as_ref().and_then(|kpi| workspace.kpis.get(kpi));
    fields.window == Window::Cycle
        && kpi.is_some_and(|kpi| matches!(kpi.fields.aggregation, Aggregation::Sum | Aggregation::Count))
}

/// A metric's baseline and target as numbers: without a baseline it starts where its KPI stands now, sums at 0, and a
/// relative target is a number from here on.
fn resolved(
    workspace: &Workspace,
    id: &KeyResultId,
    before: Option<&KeyResultFields>,
    mut fields: KeyResultFields,
) -> Result<KeyResultFields, Rejection> {
    let sums = sums_over_cycle(workspace, &fields);
    let linked = fields.kpi.clone();
    let KeyResultKind::Metric(metric) = &mut fields.kind else {
        return Ok(fields);
    };
    let old = before.and_then(|before| match &before.kind {
        KeyResultKind::Metric(metric) => metric.baseline,
        KeyResultKind::Maintain(_) | KeyResultKind::Milestones(_) | KeyResultKind::Binary => None,
    });
    match (metric.baseline, &linked) {
        (None, _) if sums => metric.baseline = Some(Baseline::ZERO),
        (Some(baseline), _) if sums && baseline.value.get() != 0.0 => {
            return Err(Rejection::BaselineNotZero(baseline.value.get()));
        }
        (None, Some(kpi)) => {
            let kpi = match workspace.kpis.get(kpi) {
                Some(kpi) if before.is_some() => kpi,
                _ => workspace.kpi(kpi)?,
            };
            let newest = newest_period_value(kpi, workspace, None);
            metric.baseline = newest
                .and_then(|newest| Value::parse(newest.value).ok())
                .map(|value| Baseline {
                    value,
                    kpi_revision: Some(workspace.revision()),
                });
        }
        _ => {}
    }
    let same_source = before.is_none_or(|before| before.kpi == linked);
    match (old, &mut metric.baseline) {
        // A caller who sends back what was read has not given a new baseline, nor has a KPI that stands where it stood:
        // where the baseline came from stays known.
        (Some(old), Some(new)) if same_source && old.value == new.value => {
            new.kpi_revision = old.kpi_revision
        }
        // What another KPI gave is, from here on, given.
        (Some(old), Some(new)) if *new == old => new.kpi_revision = None,
        _ => {}
    }
    if let Some(relative) = metric.relative_target {
        let baseline = metric
            .baseline
            .ok_or_else(|| Rejection::BaselineMissing(id.clone()))?;
        metric.target = relative.resolve(baseline.value)?;
    }
    Ok(fields)
}

/// What a change names anew has to be there; what it leaves as it was may have been deleted since.
fn check(
    workspace: &Workspace,
    id: &KeyResultId,
    before: Option<&KeyResultFields>,
    fields: &KeyResultFields,
) -> Result<(), Rejection> {
    if let Some(owner) = &fields.owner
        && before.is_none_or(|before| before.owner.as_ref() != Some(owner))
    {
        workspace.member(owner)?;
    }
    if let Some(kpi) = &fields.kpi
        && before.is_none_or(|before| before.kpi.as_ref() != Some(kpi))
    {
        workspace.kpi_in_use(kpi)?;
    }
    let objective = workspace.objective(&id.objective)?;
    let cycle = &workspace.cycle(&objective.fields.cycle)?.fields;
    let due_changed = before.is_none_or(|before| before.due_date != fields.due_date);
    if fields
        .due_date
        .is_some_and(|due| due_changed && (due < cycle.first_date || due > cycle.last_date))
    {
        let sentence = format!(
            "it lies outside of the cycle, {} to {}",
            cycle.first_date, cycle.last_date
        );
        return Err(Rejection::invalid("key_result.due_date", sentence));
    }
    check_source(fields)?;
    if let KeyResultKind::Metric(metric) = &fields.kind {
        check_metric(id, objective.state, metric)?;
    }
    match fields
        .kpi
        .as_ref()
        .and_then(|kpi| Some((kpi, workspace.kpis.get(kpi)?)))
    {
        Some((kpi, linked)) => fields.fits(id, kpi, &linked.fields),
        None => Ok(()),
    }
}

/// Which kinds take their value from a KPI, and over which window.
fn check_source(fields: &KeyResultFields) -> Result<(), Rejection> {
    if fields.kpi.is_some() && matches!(fields.kind, KeyResultKind::Milestones(_) | KeyResultKind::Binary) {
        return Err(Rejection::invalid(
            "key_result.kpi",
            "MILESTONES and BINARY take no value from a KPI: use METRIC or MAINTAIN, or leave the KPI out",
        ));
    }
    if fields.window == Window::Cycle {
        if fields.kpi.is_none() {
            return Err(Rejection::invalid(
                "key_result.window",
                "CYCLE aggregates the values of a KPI: link one, or leave the window out",
            ));
        }
        if let KeyResultKind::Maintain(Maintain {
            mode: MaintainMode::Share,
            ..
        }) = fields.kind
        {
            return Err(Rejection::invalid(
                "key_result.window",
                "SHARE judges every period of the cycle by itself: leave the window out, or use mode NOW",
            ));
        }
    }
    Ok(())
}

fn check_metric(id: &KeyResultId, state: ObjectiveState, metric: &Metric) -> Result<(), Rejection> {
    let Some(baseline) = metric.baseline.map(|baseline| baseline.value.get()) else {
        return if state == ObjectiveState::Active {
            Err(Rejection::BaselineMissing(id.clone()))
        } else {
            Ok(())
        };
    };
    let target = metric.target.get();
    if (target - baseline).abs() < TOLERANCE {
        return Err(Rejection::TargetIsBaseline { baseline, target });
    }
    Ok(())
}

impl KeyResultFields {
    /// Whether a KPI of these fields can give its values.
    ///
    /// # Errors
    /// The KPI goes the other way, or its changes from period to period are to be summed over a cycle.
    pub(super) fn fits(&self, id: &KeyResultId, kpi: &Id, of: &KpiFields) -> Result<(), Rejection> {
        if self.window == Window::Cycle && of.transform.is_some() {
            return Err(Rejection::WindowOverChanges {
                key_result: id.clone(),
                kpi: kpi.clone(),
            });
        }
        let KeyResultKind::Metric(metric) = &self.kind else {
            return Ok(());
        };
        let Some(baseline) = metric.baseline.map(|baseline| baseline.value.get()) else {
            return Ok(());
        };
        let target = metric.target.get();
        let wrong = match of.direction {
            Direction::HigherIsBetter => target < baseline,
            Direction::LowerIsBetter => target > baseline,
            Direction::InRange => false,
        };
        match wrong {
            true => Err(Rejection::WrongDirection {
                kpi: kpi.clone(),
                baseline,
                target,
            }),
            false => Ok(()),
        }
    }
}
