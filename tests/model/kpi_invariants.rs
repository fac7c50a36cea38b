//! What has to hold of KPIs and their alerts after every command.

use binnacle::domain::{AlertKind, AlertOpening, Health, Id, Kpi, Workspace, is_stale, judged_values};

/// An alert of the kind BREACH is open exactly if reading the judged period values from the oldest on, one at a time, ends
/// with it open: a second way of saying what the rule says from the newest back.
pub(crate) fn open_breaches_follow_from_the_series(workspace: &Workspace) {
    for (id, kpi) in workspace.kpis() {
        let in_use = kpi.deleted.is_none() && kpi.archived.is_none();
        let expected = in_use && !kpi.targets.is_empty() && breached_in_the_end(kpi, workspace);
        assert_eq!(
            kpi.open_alerts.contains_key(&AlertKind::Breach),
            expected,
            "the BREACH of {id} at {:?}",
            workspace.revision()
        );
    }
}

fn breached_in_the_end(kpi: &Kpi, workspace: &Workspace) -> bool {
    let rules = &workspace.policy().alerts;
    let mut judged: Vec<_> = judged_values(kpi, workspace)
        .map(|judged| judged.health)
        .collect();
    judged.reverse();
    let (mut open, mut breached, mut healthy) = (false, 0, 0);
    for health in judged {
        match health {
            Health::Breached => (breached, healthy) = (breached + 1, 0),
            Health::Healthy => (breached, healthy) = (0, healthy + 1),
            Health::Watch | Health::NoTarget | Health::NoData => (breached, healthy) = (0, 0),
        }
        if breached >= rules.breach_after {
            open = true;
        }
        if healthy >= rules.recover_after {
            open = false;
        }
    }
    open
}

/// What is open is in use, open by its own word, one a kind; STALE only what is stale.
pub(crate) fn open_alerts_are_those_that_are_open(workspace: &Workspace) {
    for (id, kpi) in workspace.kpis() {
        let open: Vec<(AlertKind, &Id)> = kpi
            .alerts
            .iter()
            .filter(|(_, alert)| alert.is_open())
            .map(|(own, alert)| (alert.opening.kind, own))
            .collect();
        let indexed: Vec<(AlertKind, &Id)> = kpi.open_alerts.iter().map(|(kind, own)| (*kind, own)).collect();
        let sorted = {
            let mut sorted = open.clone();
            sorted.sort();
            sorted
        };
        assert_eq!(sorted, indexed, "{id}");
        let in_use = kpi.deleted.is_none() && kpi.archived.is_none();
        assert!(
            in_use || open.is_empty(),
            "{id} is out of use and asks for action"
        );
        if kpi.open_alerts.contains_key(&AlertKind::Stale) {
            assert!(is_stale(kpi, workspace), "{id} is fed and STALE");
        }
        assert_eq!(
            kpi.needs_action(),
            kpi.alerts
                .values()
                .any(|alert| alert.is_open() && alert.plan.is_none()),
            "{id}"
        );
    }
}

/// That an alert was opened, by what and when, is never rewritten.
pub(crate) fn openings_stay(before: &Workspace, after: &Workspace) {
    for (id, kpi) in before.kpis() {
        for (own, alert) in &kpi.alerts {
            let now: AlertOpening = after.kpis()[id].alerts[own].opening;
            assert_eq!(now, alert.opening, "{id}/{own}");
            let reopened = !alert.is_open() && after.kpis()[id].alerts[own].is_open();
            assert!(!reopened, "{id}/{own} was closed and is open");
        }
    }
}
