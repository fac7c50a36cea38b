//! KPIs: gauges that never expire, compared with dated targets.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, Cadence, Deletion, Etag, Event, Id, Labels, Rejection, ResourceName, Revision, Series, Text,
    Timestamp, Title, Unit, UnitKind, Value, Violation, Workspace,
};

authored! {
    /// A KPI's own fields.
    pub struct KpiFields,
    /// A change of a KPI's fields.
    KpiPatch {
        /// What people call it.
        pub title: Title,
        /// More about it.
        pub description: Text,
        /// The member who answers for it.
        pub owner: Option<Id>,
        /// Whose it is; none: the company's.
        pub team: Option<Id>,
        /// For example "sales"; at most 200 characters.
        pub area: Text,
        /// What it is about.
        pub category: Category,
        /// Unit of its values.
        pub unit: Unit,
        /// Which way it should go.
        pub direction: Direction,
        /// How often it is measured.
        pub cadence: Cadence,
        /// Days after a period's end until its value is overdue, 0 to 366.
        pub grace_days: u32,
        /// How often it is reviewed.
        pub review_cadence: Option<Cadence>,
        /// How a period's values become one.
        pub aggregation: Aggregation,
        /// Where the values come from.
        pub data_source: Text,
        /// The KPI whose successor it is.
        pub replaces: Option<Id>,
        /// Labels.
        pub labels: Labels,
    }
}

/// A KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct Kpi {
    /// Its own fields.
    pub fields: Arc<KpiFields>,
    /// Its targets by the date from which they hold.
    pub targets: OrdMap<Date, SetTarget>,
    /// Its measurements as they are known now.
    pub series: Series,
    /// When it was deleted.
    pub deleted: Option<Deletion>,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// What a KPI is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the proto says what each is")]
pub enum Category {
    Strategic,
    Operational,
    Financial,
}

/// Which way a KPI should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the proto says what each is")]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
    InRange,
}

/// How the values inside one period become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the proto says what each is")]
pub enum Aggregation {
    Last,
    Sum,
    Mean,
    Min,
    Max,
    Count,
}

/// What a KPI should be. The bounds follow the direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Target {
    /// Healthy from here up.
    pub at_least: Option<Value>,
    /// Healthy from here down.
    pub at_most: Option<Value>,
    /// Below this it is BREACHED, from here to `at_least` WATCH.
    pub critical_at_least: Option<Value>,
    /// Above this it is BREACHED, from `at_most` to here WATCH.
    pub critical_at_most: Option<Value>,
    /// What would be splendid; never judged.
    pub stretch: Option<Value>,
}

/// A target with what the log says about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetTarget {
    /// The bounds.
    pub target: Target,
    /// When it was set.
    pub recorded_time: Timestamp,
    /// The revision that set it.
    pub revision: Revision,
}

impl Kpi {
    /// The target in force on a day: the newest whose date has come.
    #[must_use]
    pub fn target_on(&self, date: Date) -> Option<(Date, &SetTarget)> {
        self.targets.get_prev(&date).map(|(from, target)| (*from, target))
    }
}

impl Target {
    /// Checks the bounds against a direction and each other.
    fn violations(&self, direction: Direction) -> Vec<Violation> {
        let mut bad = Vec::new();
        let mut check = |wrong: bool, field: &str, sentence: &str| {
            if wrong {
                bad.push(Violation {
                    field: format!("target.{field}"),
                    sentence: sentence.to_owned(),
                });
            }
        };
        let above = |a: Option<Value>, b: Option<Value>| matches!((a, b), (Some(a), Some(b)) if a > b);
        let needs_least = direction != Direction::LowerIsBetter;
        let needs_most = direction != Direction::HigherIsBetter;
        check(
            needs_least && self.at_least.is_none(),
            "at_least",
            "it is missing: this KPI should not go lower",
        );
        check(
            needs_most && self.at_most.is_none(),
            "at_most",
            "it is missing: this KPI should not go higher",
        );
        check(
            !needs_least && (self.at_least.is_some() || self.critical_at_least.is_some()),
            "at_least",
            "lower is better for this KPI: use at_most and critical_at_most",
        );
        check(
            !needs_most && (self.at_most.is_some() || self.critical_at_most.is_some()),
            "at_most",
            "higher is better for this KPI: use at_least and critical_at_least",
        );
        check(
            above(self.at_least, self.at_most),
            "at_least",
            "it is above at_most: swap them",
        );
        check(
            above(self.critical_at_least, self.at_least),
            "critical_at_least",
            "it is above at_least: the critical bound is the worse one",
        );
        check(
            above(self.at_most, self.critical_at_most),
            "critical_at_most",
            "it is below at_most: the critical bound is the worse one",
        );
        let worse = match direction {
            Direction::HigherIsBetter => above(self.at_least, self.stretch),
            Direction::LowerIsBetter => above(self.stretch, self.at_most),
            Direction::InRange => above(self.at_least, self.stretch) || above(self.stretch, self.at_most),
        };
        check(
            worse,
            "stretch",
            "it is worse than the target: a stretch is better than the target",
        );
        bad
    }
}

pub(super) fn create(workspace: &Workspace, id: &Id, fields: &KpiFields) -> Result<Vec<Event>, Rejection> {
    if workspace.kpis.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Kpi(id.clone())));
    }
    check(workspace, id, None, fields)?;
    Ok(vec![Event::KpiCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
}

pub(super) fn update(
    workspace: &Workspace,
    id: &Id,
    patch: &KpiPatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi(id)?;
    kpi.authorship.check(etag, || ResourceName::Kpi(id.clone()))?;
    let before = &kpi.fields;
    let after = patch.applied_to(before);
    if after == **before {
        return Ok(Vec::new());
    }
    check(workspace, id, Some(before), &after)?;
    let judged_otherwise = after.unit != before.unit
        || after.direction != before.direction
        || after.cadence != before.cadence
        || after.aggregation != before.aggregation;
    if judged_otherwise && !kpi.series.is_empty() {
        return Err(Rejection::KpiHasMeasurements(id.clone()));
    }
    if after.direction != before.direction && !kpi.targets.is_empty() {
        return Err(Rejection::invalid(
            "kpi.direction",
            "the KPI has targets of the old direction: create a successor that replaces it",
        ));
    }
    Ok(vec![Event::KpiUpdated {
        id: id.clone(),
        before: Box::new((**before).clone()),
        after: Box::new(after),
    }])
}

pub(super) fn set_target(
    workspace: &Workspace,
    id: &Id,
    date: Date,
    target: &Target,
) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi(id)?;
    let violations = target.violations(kpi.fields.direction);
    if !violations.is_empty() {
        return Err(Rejection::Invalid(violations));
    }
    let before = kpi.targets.get(&date).map(|set| set.target);
    if before == Some(*target) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::TargetSet {
        kpi: id.clone(),
        date,
        before,
        after: *target,
    }])
}

/// What a change names anew has to be there; what it leaves as it was may have been deleted since.
fn check(
    workspace: &Workspace,
    id: &Id,
    before: Option<&KpiFields>,
    fields: &KpiFields,
) -> Result<(), Rejection> {
    if let Some(owner) = &fields.owner
        && before.is_none_or(|before| before.owner.as_ref() != Some(owner))
    {
        workspace.member(owner)?;
    }
    if let Some(team) = &fields.team
        && before.is_none_or(|before| before.team.as_ref() != Some(team))
    {
        workspace.team(team)?;
    }
    if let Some(replaced) = &fields.replaces
        && before.is_none_or(|before| before.replaces.as_ref() != Some(replaced))
    {
        if replaced == id {
            return Err(Rejection::invalid(
                "kpi.replaces",
                "a KPI cannot replace itself: name its predecessor",
            ));
        }
        workspace.kpi(replaced)?;
    }
    let averaged = matches!(fields.aggregation, Aggregation::Sum | Aggregation::Mean);
    if averaged && matches!(fields.unit.kind, UnitKind::Scale(_)) {
        return Err(Rejection::invalid(
            "kpi.aggregation",
            "labels of a scale are neither summed nor averaged: use LAST, MIN, MAX or COUNT",
        ));
    }
    Ok(())
}
