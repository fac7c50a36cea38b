//! Requests that lead from a KPI to an objective and from a key result to a KPI.

use super::Asked;
use super::findings::Findings;
use super::kpi::{read_area, read_cadence};
use super::objective::read_ambition;
use crate::domain::{
    Cadence, Command, Id, Invalid, KpiFromKeyResult, Rejection, StartObjective, Text, Title,
};
use crate::proto::api;
use crate::service::{ids, names};

/// Reads a StartObjectiveFromKpi request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn start_objective_from_kpi(
    request: &api::StartObjectiveFromKpiRequest,
) -> Result<Asked, Rejection> {
    let api::StartObjectiveFromKpiRequest {
        name,
        cycle,
        objective_id,
        key_result_id,
        title,
        description,
        owner,
        team,
        ambition,
        alert,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, kpi) = findings.keep(names::kpi("name", name)).unzip();
    let of = workspace.as_ref();
    let objective = findings.keep(ids::chosen("objective_id", objective_id, 'o', request_id));
    let key_result = findings.field("key_result_id", optional(key_result_id, Id::parse));
    let cycle = findings.field("cycle", names::cycle_reference(of, cycle).and_then(names::given));
    let title = findings.field("title", optional(title, Title::parse));
    let description = findings.field("description", Text::parse(description));
    let owner = findings.field("owner", names::member_reference(of, owner));
    let team = findings.field("team", names::team_reference(of, team));
    let ambition = findings.field("ambition", read_ambition(*ambition));
    let alert = findings.field("alert", alert_of(of, kpi.as_ref(), alert));
    let new = (|| {
        Some(StartObjective {
            kpi: kpi?,
            objective: objective?,
            key_result: key_result?,
            cycle: cycle?,
            title: title?,
            description: description?,
            owner: owner?,
            team: team?,
            ambition: ambition?,
            alert: alert?,
        })
    })();
    let command = workspace
        .zip(new)
        .map(|(workspace, new)| (workspace, Command::StartObjective(Box::new(new))));
    findings.asked(command, request_id, reason)
}

/// Reads a CreateKpiFromKeyResult request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_kpi_from_key_result(
    request: &api::CreateKpiFromKeyResultRequest,
) -> Result<Asked, Rejection> {
    let api::CreateKpiFromKeyResultRequest {
        name,
        kpi_id,
        title,
        cadence,
        area,
        data_source,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, key_result) = findings.keep(names::key_result("name", name)).unzip();
    let kpi = findings.keep(ids::chosen("kpi_id", kpi_id, 'k', request_id));
    let title = findings.field("title", optional(title, Title::parse));
    let cadence = findings.field("cadence", measured(*cadence));
    let area = findings.field("area", read_area(area));
    let data_source = findings.field("data_source", Text::parse(data_source));
    let new = (|| {
        Some(KpiFromKeyResult {
            key_result: key_result?,
            kpi: kpi?,
            title: title?,
            cadence: cadence?,
            area: area?,
            data_source: data_source?,
        })
    })();
    let command = workspace
        .zip(new)
        .map(|(workspace, new)| (workspace, Command::CreateKpiFromKeyResult(Box::new(new))));
    findings.asked(command, request_id, reason)
}

fn optional<T>(text: &str, parse: fn(&str) -> Result<T, Invalid>) -> Result<Option<T>, Invalid> {
    match text {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

fn measured(number: i32) -> Result<Cadence, Invalid> {
    read_cadence(number)?.ok_or_else(|| {
        Invalid::new("it is missing: say how often it is measured, for example WEEKLY or IRREGULAR")
    })
}

/// An alert of the KPI that is named beside it; empty: none.
fn alert_of(workspace: Option<&Id>, kpi: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let (of, (of_kpi, alert)) =
        names::alert("alert", text).map_err(|violation| Invalid::new(violation.sentence))?;
    if workspace.is_some_and(|workspace| *workspace != of) || kpi.is_some_and(|kpi| *kpi != of_kpi) {
        return Err(Invalid::new(
            "it is an alert of another KPI: name one of this KPI's, or leave it out",
        ));
    }
    Ok(Some(alert))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id};
    use super::*;
    use crate::domain::Ambition;

    #[test]
    fn an_objective_is_started_with_little_said() {
        let asked = start_objective_from_kpi(&api::StartObjectiveFromKpiRequest {
            name: "workspaces/acme/kpis/reply-time".to_owned(),
            cycle: "workspaces/acme/cycles/q1".to_owned(),
            objective_id: "better-support".to_owned(),
            ..api::StartObjectiveFromKpiRequest::default()
        });
        let Command::StartObjective(new) = command(asked) else {
            panic!("another command");
        };
        assert_eq!((&new.kpi, &new.cycle), (&id("reply-time"), &id("q1")));
        assert_eq!(new.key_result().id, id("reply-time"), "the KPI's id");
        assert_eq!(
            (new.title, new.alert, new.ambition),
            (None, None, Ambition::Committed)
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let asked = start_objective_from_kpi(&api::StartObjectiveFromKpiRequest {
            name: "workspaces/acme/kpis/reply-time".to_owned(),
            objective_id: "X".to_owned(),
            key_result_id: "Y".to_owned(),
            title: "x".repeat(201),
            description: "x".repeat(10_001),
            owner: "maria".to_owned(),
            team: "sales".to_owned(),
            ambition: 9,
            alert: "workspaces/acme/kpis/nps/alerts/breach-1".to_owned(),
            ..api::StartObjectiveFromKpiRequest::default()
        });
        let expected = [
            "objective_id",
            "key_result_id",
            "cycle",
            "title",
            "description",
            "owner",
            "team",
            "ambition",
            "alert",
        ];
        assert_eq!(bad_fields(asked), expected);
        let asked = create_kpi_from_key_result(&api::CreateKpiFromKeyResultRequest {
            name: "workspaces/acme/kpis/nps".to_owned(),
            kpi_id: "X".to_owned(),
            area: "x".repeat(201),
            ..api::CreateKpiFromKeyResultRequest::default()
        });
        assert_eq!(bad_fields(asked), ["name", "kpi_id", "cadence", "area"]);
    }
}
