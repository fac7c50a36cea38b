//! KPIs: gauges that never expire, compared with dated targets.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Alert, AlertKind, Authorship, Cadence, Deletion, Etag, Event, Id, Labels, Rejection, ResourceName,
    Series, SetTarget, Targets, Text, Timestamp, Title, Unit, UnitKind, Workspace,
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
        /// What its period values are made into before they are judged; none: they are judged as they are.
        pub transform: Option<Transform>,
    }
}

/// A KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct Kpi {
    /// Its own fields.
    pub fields: Arc<KpiFields>,
    /// Its targets by the date from which they hold.
    pub targets: Targets,
    /// Its measurements as they are known now.
    pub series: Series,
    /// Its alerts, closed ones too, by id.
    pub alerts: OrdMap<Id, Arc<Alert>>,
    /// Which of them are open, by kind.
    pub open_alerts: OrdMap<AlertKind, Id>,
    /// When it was archived.
    pub archived: Option<Timestamp>,
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

/// What period values are made into before they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Transform {
    /// The change from the period before, in percent of its amount: (v − b) ÷ |b| · 100.
    ChangePercent,
}

impl Kpi {
    /// Its open alerts, one a kind at most, in the order of the kinds.
    pub fn open_alerts(&self) -> impl Iterator<Item = (&Id, &Alert)> {
        let found = self.open_alerts.values();
        found.filter_map(|id| Some((id, self.alerts.get(id)?.as_ref())))
    }

    /// Whether an open alert of it has no action plan.
    #[must_use]
    pub fn needs_action(&self) -> bool {
        self.open_alerts().any(|(_, alert)| alert.needs_action())
    }
}

impl KpiFields {
    /// The unit of what is judged: of its values, unless those are counted or compared.
    #[must_use]
    pub fn judged_unit(&self) -> Unit {
        let of_kind = |kind| Unit {
            kind,
            symbol: "".into(),
            decimals: None,
        };
        match (self.transform, self.aggregation) {
            (Some(Transform::ChangePercent), _) => of_kind(UnitKind::Percent),
            // Where each value stands alone, nothing is counted.
            (None, Aggregation::Count) if self.cadence != Cadence::Irregular => of_kind(UnitKind::Count),
            (None, _) => self.unit.clone(),
        }
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
        || after.aggregation != before.aggregation
        || after.transform != before.transform;
    if judged_otherwise && kpi.series.has_begun() {
        return Err(Rejection::KpiHasMeasurements(id.clone()));
    }
    if after.direction != before.direction && !kpi.targets.is_empty() {
        return Err(Rejection::invalid(
            "kpi.direction",
            "the KPI has targets of the old direction: create a successor that replaces it",
        ));
    }
    if judged_otherwise {
        check_linked(workspace, id, &after)?;
        check_targets(kpi, &after)?;
    }
    Ok(vec![Event::KpiUpdated {
        id: id.clone(),
        before: Box::new((**before).clone()),
        after: Box::new(after),
    }])
}

pub(super) fn archive(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi(id)?;
    kpi.authorship.check(etag, || ResourceName::Kpi(id.clone()))?;
    Ok(match kpi.archived {
        Some(_) => Vec::new(),
        None => vec![Event::KpiArchived { id: id.clone() }],
    })
}

pub(super) fn unarchive(workspace: &Workspace, id: &Id, etag: Etag) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi(id)?;
    kpi.authorship.check(etag, || ResourceName::Kpi(id.clone()))?;
    Ok(match kpi.archived {
        None => Vec::new(),
        Some(before) => vec![Event::KpiUnarchived {
            id: id.clone(),
            before,
        }],
    })
}

impl Workspace {
    /// A KPI that is neither deleted nor archived, or a refusal.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted or archived.
    pub(super) fn kpi_in_use(&self, id: &Id) -> Result<&Kpi, Rejection> {
        match self.kpi(id)? {
            kpi if kpi.archived.is_some() => Err(Rejection::KpiArchived(id.clone())),
            kpi => Ok(kpi),
        }
    }
}

/// Key results that are measured by it already have to go its way.
fn check_linked(workspace: &Workspace, id: &Id, fields: &KpiFields) -> Result<(), Rejection> {
    let linked = workspace
        .key_results_of_kpi(id)
        .filter(|key_result| workspace.open_objective(&key_result.objective).is_ok())
        .filter_map(|key_result| Some((key_result, workspace.key_result(key_result).ok()?)));
    for (key_result, linked) in linked {
        linked.fields.fits(key_result, id, fields)?;
    }
    Ok(())
}

/// Targets that were set already have to be labels of a scale that it comes to be judged on.
fn check_targets(kpi: &Kpi, fields: &KpiFields) -> Result<(), Rejection> {
    let fit = |(date, set): (&Date, &SetTarget)| set.target.violations(fields, *date).is_empty();
    match kpi.targets.iter().all(fit) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "kpi.unit",
            "the KPI has targets that are no labels of this scale: delete them first",
        )),
    }
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
    let labels = matches!(fields.unit.kind, UnitKind::Scale(_)) && fields.aggregation != Aggregation::Count;
    if labels && fields.transform.is_some() {
        return Err(Rejection::invalid(
            "kpi.transform",
            "from one label of a scale to another there is no change in percent: leave it out, or use COUNT",
        ));
    }
    Ok(())
}
