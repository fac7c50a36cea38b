//! Alerts: a KPI asks for action, until it is good again. What people do about one: acknowledge it, say what is to be done,
//! say that it is done. When alerts open and close is in `alarm`.
//!
//! An alert belongs to its KPI and is never deleted; an open one without an action plan needs action.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Direction, Event, Id, Kpi, KpiFields, Period, Provenance, Rejection, ResourceName, Revision, Stamp, Text,
    Timestamp, Workspace,
};

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: Id,
    /// What it was opened by.
    pub opening: AlertOpening,
    /// When it was opened and by which commit.
    pub opened: Provenance,
    /// Who has seen it, and what they said.
    pub acknowledged: Option<(Provenance, Text)>,
    /// What is to be done about it.
    pub plan: Option<SetPlan>,
    /// How it closed; none: it is open.
    pub closed: Option<AlertClosing>,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertKind {
    /// So many BREACHED period values in a row.
    Breach,
    /// The value of a period that has ended, and its grace too, is missing.
    Stale,
    /// The newest period value is much worse than the mean of those before it.
    AdverseMove,
}

/// What an alert was opened by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AlertOpening {
    /// What it is about.
    pub kind: AlertKind,
    /// The local date on which it opened.
    pub date: Date,
    /// The newest period with a value, of a BREACH the newest of the row of BREACHED ones; none for a KPI that was never
    /// fed.
    pub period: Option<Period>,
    /// Its value.
    pub value: Option<f64>,
    /// What that was held against: the bound of a BREACH, the mean of an ADVERSE_MOVE.
    pub reference: Option<f64>,
    /// How many period values it took.
    pub periods: u32,
    /// When the newest measurement was true: what is dated later is news.
    pub newest: Option<Timestamp>,
}

/// How an alert closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertClosing {
    /// Why.
    pub reason: CloseReason,
    /// When.
    pub time: Timestamp,
    /// By which commit.
    pub revision: Revision,
}

/// Why an alert closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloseReason {
    /// Newer values are good again.
    Recovered,
    /// What it was opened by was corrected, retracted or filled in.
    Corrected,
    /// What is asked of the KPI changed.
    TargetChanged,
    /// The KPI was archived or deleted.
    Archived,
}

/// What is to be done about an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionPlan {
    /// Why it came to this.
    pub cause: Text,
    /// What is to be done; not empty.
    pub text: Text,
    /// The member who does it.
    pub owner: Option<Id>,
    /// Until when.
    pub due_date: Option<Date>,
    /// The objective that was started for it.
    pub objective: Option<Id>,
}

/// An action plan with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct SetPlan {
    /// The plan.
    pub plan: ActionPlan,
    /// Who said it last, and when.
    pub provenance: Provenance,
    /// When it was done, and what came of it.
    pub completed: Option<(Provenance, Text)>,
    /// Whether a day started after its own before it was done.
    pub overdue: bool,
}

impl Alert {
    /// Whether it still asks.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Whether it is open and nobody has said what is to be done.
    #[must_use]
    pub fn needs_action(&self) -> bool {
        self.is_open() && self.plan.is_none()
    }

    /// What it says, in one sentence.
    #[must_use]
    pub fn summary(&self, kpi: &KpiFields) -> String {
        let title = kpi.title.as_str();
        let unit = kpi.judged_unit();
        let opening = &self.opening;
        // A mean, or a bound on its way, may have more digits than anybody reads.
        let short = |number: f64| unit.short_text(number);
        let text = |number: Option<f64>| number.map_or_else(|| "nothing".to_owned(), short);
        let (value, reference) = (text(opening.value), text(opening.reference));
        match opening.kind {
            AlertKind::Breach => {
                let misses = match (kpi.direction, opening.value > opening.reference) {
                    (Direction::HigherIsBetter, _) | (Direction::InRange, false) => "at least",
                    (Direction::LowerIsBetter, _) | (Direction::InRange, true) => "at most",
                };
                let row = match opening.periods {
                    0 | 1 => String::new(),
                    periods => format!(", and it is the {} time in a row", ordinal(periods)),
                };
                format!("\"{title}\" is {value} and should be {misses} {reference}{row}.")
            }
            AlertKind::Stale => match opening.period {
                Some(period) => format!(
                    "\"{title}\" has no value for the time after {}, and its grace is over.",
                    period.last
                ),
                None => format!("\"{title}\" was never measured, and its grace is over."),
            },
            AlertKind::AdverseMove => format!(
                "\"{title}\" is {value}, much worse than {reference}, the mean of the {} periods before.",
                opening.periods
            ),
        }
    }

    /// The day until which its plan is to be done, as long as that matters.
    #[must_use]
    pub fn due(&self) -> Option<Date> {
        let set = self
            .plan
            .as_ref()
            .filter(|set| self.is_open() && set.completed.is_none())?;
        set.plan.due_date
    }
}

/// 2nd, 3rd, 11th, 21st.
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Breach, Self::Stale, Self::AdverseMove];

    /// The id of the alert of this kind that a commit opens: there is at most one a KPI.
    #[must_use]
    pub fn id(self, revision: Revision) -> Id {
        let kind = match self {
            Self::Breach => "breach",
            Self::Stale => "stale",
            Self::AdverseMove => "adverse-move",
        };
        // It has the shape of an id: letters, "-", and at most 20 digits.
        Id::parse(&format!("{kind}-{}", revision.0)).unwrap_or_else(|_| Id::lowest())
    }
}

impl ActionPlan {
    /// What has to hold of a plan that somebody says; what it leaves as it was may have been deleted since.
    fn check(&self, workspace: &Workspace, before: Option<&Self>) -> Result<(), Rejection> {
        if self.text.as_str().trim().is_empty() {
            return Err(Rejection::invalid(
                "action_plan.text",
                "it is empty: say what is to be done, in 1 to 10,000 characters",
            ));
        }
        if let Some(owner) = &self.owner
            && before.is_none_or(|before| before.owner.as_ref() != Some(owner))
        {
            workspace.member(owner)?;
        }
        if let Some(objective) = &self.objective
            && before.is_none_or(|before| before.objective.as_ref() != Some(objective))
        {
            workspace.objective(objective)?;
        }
        Ok(())
    }
}

pub(super) fn acknowledge(
    workspace: &Workspace,
    kpi: &Id,
    id: &Id,
    note: &Text,
) -> Result<Vec<Event>, Rejection> {
    let alert = workspace.alert(kpi, id)?;
    if !alert.is_open() {
        return Err(Rejection::AlertClosed(kpi.clone(), id.clone()));
    }
    let before = alert.acknowledged.as_ref().map(|(_, said)| said);
    if before == Some(note) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::AlertAcknowledged {
        kpi: kpi.clone(),
        id: id.clone(),
        before: before.cloned(),
        note: note.clone(),
    }])
}

/// A plan may be written down after its alert has closed, too: what was done is worth knowing.
pub(super) fn set_plan(
    workspace: &Workspace,
    kpi: &Id,
    id: &Id,
    plan: &ActionPlan,
) -> Result<Vec<Event>, Rejection> {
    let before = workspace.alert(kpi, id)?.plan.as_ref();
    let said = before.map(|set| &set.plan);
    plan.check(workspace, said)?;
    if before.is_some_and(|set| set.plan == *plan && set.completed.is_none()) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::ActionPlanSet {
        kpi: kpi.clone(),
        id: id.clone(),
        before: said.cloned().map(Box::new),
        after: Box::new(plan.clone()),
    }])
}

pub(super) fn complete_plan(
    workspace: &Workspace,
    kpi: &Id,
    id: &Id,
    note: &Text,
) -> Result<Vec<Event>, Rejection> {
    match &workspace.alert(kpi, id)?.plan {
        None => Err(Rejection::ActionPlanMissing(kpi.clone(), id.clone())),
        Some(set) if set.completed.is_some() => Err(Rejection::ActionPlanCompleted(kpi.clone(), id.clone())),
        Some(_) => Ok(vec![Event::ActionPlanCompleted {
            kpi: kpi.clone(),
            id: id.clone(),
            note: note.clone(),
        }]),
    }
}

impl Workspace {
    /// One alert of a KPI that is not deleted, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that name, or its KPI is deleted.
    pub fn alert(&self, kpi: &Id, id: &Id) -> Result<&Alert, Rejection> {
        let found = self.kpi(kpi)?.alerts.get(id);
        found
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Alert(kpi.clone(), id.clone())))
    }
}

impl Kpi {
    pub(super) fn open_alert(&mut self, id: &Id, opening: &AlertOpening, stamp: &Stamp) {
        let alert = Alert {
            id: id.clone(),
            opening: *opening,
            opened: Provenance::of(stamp),
            acknowledged: None,
            plan: None,
            closed: None,
        };
        self.open_alerts.insert(opening.kind, id.clone());
        self.alerts.insert(id.clone(), Arc::new(alert));
    }

    pub(super) fn close_alert(&mut self, id: &Id, reason: CloseReason, stamp: &Stamp) {
        let Some(alert) = self.alerts.get_mut(id) else {
            return;
        };
        let alert = Arc::make_mut(alert);
        alert.closed = Some(AlertClosing {
            reason,
            time: stamp.recorded_time,
            revision: stamp.revision,
        });
        if self.open_alerts.get(&alert.opening.kind) == Some(id) {
            self.open_alerts.remove(&alert.opening.kind);
        }
    }
}

impl Alert {
    pub(super) fn set_plan(&mut self, plan: &ActionPlan, stamp: &Stamp) {
        self.plan = Some(SetPlan {
            plan: plan.clone(),
            provenance: Provenance::of(stamp),
            completed: None,
            overdue: false,
        });
    }
}
