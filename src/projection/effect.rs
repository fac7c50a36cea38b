//! What a commit, or everything between two moments, came to: the figures that changed, and where the resources that it is
//! about belonged before and belong after.
//!
//! Invariant: it is a function of the state before and of the commit, so that whoever folds the log later sees what a live
//! reader saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::difference::{different, was_written};
use super::figures::DerivedChange;
use super::scope::{Concern, Concerns, looks_back, moved_along, scope};
use super::state::State;
use crate::domain::{Commit, Event, Id, ResourceName, Workspace};

/// What a commit came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// The figures that changed because of it, from the gauges up, then the alerts.
    pub changes: Vec<DerivedChange>,
    /// Every resource that an event or a change is about, and those that moved along with one.
    pub concerns: Concerns,
}

/// What happened between two moments, as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetEffect {
    /// The figures that are others, and the alerts.
    pub changes: Vec<DerivedChange>,
    /// Every resource that is another, or that a change is about, and whether something of it was written.
    pub concerns: BTreeMap<ResourceName, (Concern, bool)>,
}

impl Effect {
    /// Whether a resource moved.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.concerns
            .iter()
            .any(|(_, concern)| matches!(concern, Concern::Moves(_)))
    }

    /// Of a commit. `before`: the workspace before it, which may be missing when `wants_before` says so.
    pub(super) fn of(
        commit: &Commit,
        before: Option<&Workspace>,
        after: &Workspace,
        mut changes: Vec<DerivedChange>,
    ) -> Self {
        if let Some(before) = before {
            alert_changes(commit, before, after, &mut changes);
        }
        let mut names: Vec<ResourceName> = changes.iter().map(DerivedChange::resource).collect();
        let mut last_kpi = None;
        for event in &commit.events {
            // A commit often has many measurements of one KPI in a row.
            if let Event::MeasurementRecorded(recorded) = event
                && last_kpi.replace(&recorded.kpi) == Some(&recorded.kpi)
            {
                continue;
            }
            names.push(event.resource());
            if before.is_some() {
                moved_along(event, after, &mut names);
            }
        }
        let concerns = Concerns::of(names, |name| match before {
            Some(before) => Some(Concern::between(before, after, name)),
            None => scope(after, name).map(Concern::Stays),
        });
        Self { changes, concerns }
    }

    /// Whether a commit may have moved something.
    pub(super) fn wants_before(commit: &Commit) -> bool {
        commit.events.iter().any(looks_back)
    }
}

impl NetEffect {
    /// Of everything that happened between two states.
    #[must_use]
    pub fn between(before: &State, after: &State) -> Self {
        let changes = before.changes_to(after);
        let (before, after) = (before.workspace(), after.workspace());
        let mut names = different(before, after);
        names.extend(changes.iter().map(DerivedChange::resource));
        let concerns = names.into_iter().map(|name| {
            let written = was_written(before, after, &name);
            let concern = Concern::between(before, after, &name);
            (name, (concern, written))
        });
        Self {
            concerns: concerns.collect(),
            changes,
        }
    }
}

/// The alerts that a commit's events are about, and those that say what they say in other words because of it.
fn alert_changes(commit: &Commit, before: &Workspace, after: &Workspace, changes: &mut Vec<DerivedChange>) {
    let mut alerts: BTreeSet<(&Id, &Id)> = BTreeSet::new();
    for event in &commit.events {
        match event {
            Event::AlertOpened { kpi, id, .. }
            | Event::AlertClosed { kpi, id, .. }
            | Event::AlertAcknowledged { kpi, id, .. }
            | Event::ActionPlanSet { kpi, id, .. }
            | Event::ActionPlanCompleted { kpi, id, .. }
            | Event::ActionPlanOverdue { kpi, id, .. } => {
                alerts.insert((kpi, id));
            }
            Event::KpiUpdated { id: kpi, .. } => {
                let open = after.kpis().get(kpi).map(|held| held.open_alerts.values());
                alerts.extend(open.into_iter().flatten().map(|id| (kpi, id)));
            }
            _ => {}
        }
    }
    changes.extend(
        alerts
            .into_iter()
            .filter_map(|(kpi, id)| alert_change(kpi, id, before, after)),
    );
}

/// One alert before and after; none: it is the same in the same words, or not there.
pub(super) fn alert_change(
    kpi: &Id,
    id: &Id,
    before: &Workspace,
    after: &Workspace,
) -> Option<DerivedChange> {
    let alert = |workspace: &Workspace| {
        let kpi = workspace.kpis().get(kpi)?;
        Some((kpi.alerts.get(id)?.clone(), kpi.fields.clone()))
    };
    let (was, is) = (alert(before), alert(after));
    let is_same = match (&was, &is) {
        (None, None) => true,
        (Some((was, then)), Some((is, now))) => {
            was == is && (Arc::ptr_eq(then, now) || was.summary(then) == is.summary(now))
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    (!is_same).then(|| DerivedChange::Alert {
        kpi: kpi.clone(),
        id: id.clone(),
        before: was,
        after: is,
    })
}
