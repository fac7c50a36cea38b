//! Alerts and their action plans.

use super::kpi::period_value;
use super::scalar::{date, member_name, reference, revision as write_revision, timestamp};
use crate::domain::{
    ActionPlan, Alert, AlertClosing, AlertKind, AlertOpening, CloseReason, Id, KpiFields, PeriodValue,
    Provenance, ResourceName, SetPlan,
};
use crate::proto::api;
use crate::service::names;

/// An alert of a KPI.
#[must_use]
pub(crate) fn alert(workspace: &Id, kpi: &Id, of: &KpiFields, alert: &Alert) -> api::Alert {
    let Alert {
        id,
        opening,
        opened,
        acknowledged,
        plan,
        closed,
    } = alert;
    let AlertOpening {
        kind,
        date: _,
        period,
        value,
        reference,
        periods,
        newest: _,
    } = *opening;
    let Provenance {
        principal: _,
        recorded_time,
        revision,
    } = opened;
    let (seen, said) = acknowledged
        .as_ref()
        .map(|(by, note)| (by, note.as_str()))
        .unzip();
    let state = match closed {
        None => api::alert::State::Open,
        Some(_) => api::alert::State::Closed,
    };
    api::Alert {
        name: names::full_name(workspace, &ResourceName::Alert(kpi.clone(), id.clone())),
        kind: alert_kind(kind).into(),
        state: state.into(),
        summary: alert.summary(of),
        open_time: Some(timestamp(*recorded_time)),
        open_revision: write_revision(*revision),
        period_value: period.zip(value).map(|(period, value)| {
            period_value(PeriodValue {
                period,
                value,
                provisional: period.last >= opening.date,
            })
        }),
        reference_value: reference,
        // At most 100.
        period_count: i32::try_from(periods).unwrap_or(i32::MAX),
        needs_action: alert.needs_action(),
        acknowledge_time: seen.map(|by| timestamp(by.recorded_time)),
        acknowledge_principal: seen.map(|by| by.principal.to_string()).unwrap_or_default(),
        acknowledge_note: said.unwrap_or_default().to_owned(),
        action_plan: plan.as_ref().map(|set| action_plan(workspace, set)),
        close_time: closed.map(|closing| timestamp(closing.time)),
        close_revision: closed
            .map(|closing| write_revision(closing.revision))
            .unwrap_or_default(),
        close_reason: closed.map(close_reason).unwrap_or_default(),
    }
}

fn action_plan(workspace: &Id, set: &SetPlan) -> api::ActionPlan {
    let SetPlan {
        plan,
        provenance,
        completed,
        overdue,
    } = set;
    let ActionPlan {
        cause,
        text,
        owner,
        due_date,
        objective,
    } = plan;
    let (done, came_of_it) = completed.as_ref().map(|(by, note)| (by, note.as_str())).unzip();
    let objective_name =
        |workspace: &Id, id: &Id| names::full_name(workspace, &ResourceName::Objective(id.clone()));
    api::ActionPlan {
        cause: cause.as_str().to_owned(),
        text: text.as_str().to_owned(),
        owner: reference(workspace, owner.as_ref(), member_name),
        due_date: due_date.map(date),
        objective: reference(workspace, objective.as_ref(), objective_name),
        update_time: Some(timestamp(provenance.recorded_time)),
        update_principal: provenance.principal.to_string(),
        complete_time: done.map(|by| timestamp(by.recorded_time)),
        complete_note: came_of_it.unwrap_or_default().to_owned(),
        overdue: *overdue,
    }
}

fn alert_kind(kind: AlertKind) -> api::alert::Kind {
    match kind {
        AlertKind::Breach => api::alert::Kind::Breach,
        AlertKind::Stale => api::alert::Kind::Stale,
        AlertKind::AdverseMove => api::alert::Kind::AdverseMove,
    }
}

fn close_reason(closing: AlertClosing) -> i32 {
    let AlertClosing {
        reason,
        time: _,
        revision: _,
    } = closing;
    match reason {
        CloseReason::Recovered => api::alert::CloseReason::Recovered,
        CloseReason::Corrected => api::alert::CloseReason::Corrected,
        CloseReason::TargetChanged => api::alert::CloseReason::TargetChanged,
        CloseReason::Archived => api::alert::CloseReason::Archived,
    }
    .into()
}
