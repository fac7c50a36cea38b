//! Requests about alerts and their action plans.

use super::Asked;
use super::findings::Findings;
use super::scalar::optional_date;
use crate::domain::{ActionPlan, Command, Id, Rejection, Text};
use crate::proto::api;
use crate::service::names;

/// Reads an AcknowledgeAlert request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn acknowledge_alert(request: &api::AcknowledgeAlertRequest) -> Result<Asked, Rejection> {
    let api::AcknowledgeAlertRequest {
        name,
        note,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let named = findings.keep(names::alert("name", name));
    let note = findings.field("note", Text::parse(note));
    let command = named.zip(note).map(|((workspace, (kpi, id)), note)| {
        let command = Command::AcknowledgeAlert { kpi, id, note };
        (workspace, command)
    });
    findings.asked(command, request_id, reason)
}

/// Reads a SetActionPlan request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn set_action_plan(request: &api::SetActionPlanRequest) -> Result<Asked, Rejection> {
    let api::SetActionPlanRequest {
        name,
        action_plan,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let named = findings.keep(names::alert("name", name));
    let workspace = named.as_ref().map(|(workspace, _)| workspace.clone());
    let plan = findings
        .message("action_plan", action_plan.as_ref())
        .and_then(|message| read_plan(message, workspace.as_ref(), &mut findings));
    let command = named.zip(plan).map(|((workspace, (kpi, id)), plan)| {
        let plan = Box::new(plan);
        (workspace, Command::SetActionPlan { kpi, id, plan })
    });
    findings.asked(command, request_id, reason)
}

/// Reads a CompleteActionPlan request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn complete_action_plan(request: &api::CompleteActionPlanRequest) -> Result<Asked, Rejection> {
    let api::CompleteActionPlanRequest {
        name,
        note,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let named = findings.keep(names::alert("name", name));
    let note = findings.field("note", Text::parse(note));
    let command = named.zip(note).map(|((workspace, (kpi, id)), note)| {
        let command = Command::CompleteActionPlan { kpi, id, note };
        (workspace, command)
    });
    findings.asked(command, request_id, reason)
}

fn read_plan(
    message: &api::ActionPlan,
    workspace: Option<&Id>,
    findings: &mut Findings,
) -> Option<ActionPlan> {
    let api::ActionPlan {
        cause,
        text,
        owner,
        due_date,
        objective,
        update_time: _,
        update_principal: _,
        complete_time: _,
        complete_note: _,
        overdue: _,
    } = message;
    let cause = findings.field("action_plan.cause", Text::parse(cause));
    let text = findings.field("action_plan.text", Text::parse(text));
    let owner = findings.field("action_plan.owner", names::member_reference(workspace, owner));
    let due_date = findings.field("action_plan.due_date", optional_date(due_date.as_ref()));
    let objective = findings.field(
        "action_plan.objective",
        names::objective_reference(workspace, objective),
    );
    Some(ActionPlan {
        cause: cause?,
        text: text?,
        owner: owner?,
        due_date: due_date?,
        objective: objective?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;

    fn plan(plan: api::ActionPlan) -> Result<Asked, Rejection> {
        set_action_plan(&api::SetActionPlanRequest {
            name: "workspaces/acme/kpis/nps/alerts/breach-42".to_owned(),
            action_plan: Some(plan),
            ..api::SetActionPlanRequest::default()
        })
    }

    #[test]
    fn a_plan_says_why_what_who_and_until_when() {
        let asked = plan(api::ActionPlan {
            cause: "The team is too small.".to_owned(),
            text: "Hire a support manager.".to_owned(),
            owner: "workspaces/acme/members/maria".to_owned(),
            due_date: day(2026, 3, 31),
            ..api::ActionPlan::default()
        });
        let expected = Command::SetActionPlan {
            kpi: id("nps"),
            id: id("breach-42"),
            plan: Box::new(ActionPlan {
                cause: Text::parse("The team is too small.").unwrap(),
                text: Text::parse("Hire a support manager.").unwrap(),
                owner: Some(id("maria")),
                due_date: Some(jiff::civil::date(2026, 3, 31)),
                objective: None,
            }),
        };
        assert_eq!(command(asked), expected);
    }

    #[test]
    fn everything_that_is_wrong_with_a_plan_is_said_at_once() {
        let asked = plan(api::ActionPlan {
            cause: "x".repeat(10_001),
            text: "x".repeat(10_001),
            owner: "maria".to_owned(),
            due_date: day(2026, 2, 30),
            objective: "workspaces/other/objectives/win".to_owned(),
            ..api::ActionPlan::default()
        });
        let expected = ["cause", "text", "owner", "due_date", "objective"];
        assert_eq!(
            bad_fields(asked),
            expected.map(|field| format!("action_plan.{field}"))
        );
    }
}
