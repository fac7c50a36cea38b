//! Requests about objectives.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{labels as read_labels, references, unknown, weight as read_weight};
use crate::domain::{
    Ambition, CarryOver, CascadeTo, Command, Invalid, ObjectivePatch, Rejection, Text, Title,
};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

/// The most teams in one cascade.
const CASCADE_MAX: usize = 100;

const FIELDS: &[Field<api::Objective>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("description", |m| !m.description.is_empty()),
    Field::new("owner", |m| !m.owner.is_empty()),
    Field::new("team", |m| !m.team.is_empty()),
    Field::new("contributing_teams", |m| !m.contributing_teams.is_empty()),
    Field::new("cycle", |m| !m.cycle.is_empty()),
    Field::new("ambition", |m| m.ambition != 0),
    Field::new("aligned_to", |m| !m.aligned_to.is_empty()),
    Field::new("weight", |m| m.weight.is_some()),
    Field::new("labels", |m| !m.labels.is_empty()),
    Field::new("serves", |m| !m.serves.is_empty()),
];

/// Reads a CreateObjective request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_objective(request: &api::CreateObjectiveRequest) -> Result<Asked, Rejection> {
    let api::CreateObjectiveRequest {
        parent,
        objective_id,
        objective,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let id = findings.keep(ids::chosen("objective_id", objective_id, 'o', request_id));
    let command = findings
        .message("objective", objective.as_ref())
        .and_then(|message| {
            let patch = read(
                message,
                findings.fields("objective", &Mask::All, workspace.as_ref()),
            );
            let fields = Box::new(patch.complete()?);
            Some((workspace?, Command::CreateObjective { id: id?, fields }))
        });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateObjective request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_objective(request: &api::UpdateObjectiveRequest) -> Result<Asked, Rejection> {
    let api::UpdateObjectiveRequest {
        objective,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("objective", objective.as_ref())
        .and_then(|message| {
            let name = names::objective("objective.name", &message.name);
            let (workspace, id) = findings.keep(name).unzip();
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let patch = read(message, findings.fields("objective", &mask, workspace.as_ref()));
            let command = Command::UpdateObjective {
                id: id?,
                patch: Box::new(patch),
                etag: etag::read(&message.etag),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

/// Reads a CarryOverObjective request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn carry_over_objective(request: &api::CarryOverObjectiveRequest) -> Result<Asked, Rejection> {
    let api::CarryOverObjectiveRequest {
        name,
        etag,
        request_id,
        reason,
        cycle,
        objective_id,
    } = request;
    let mut findings = Findings::default();
    let (workspace, id) = findings.keep(names::objective("name", name)).unzip();
    let cycle = names::cycle_reference(workspace.as_ref(), cycle).and_then(names::given);
    let cycle = findings.field("cycle", cycle);
    let new_id = findings.keep(ids::chosen("objective_id", objective_id, 'o', request_id));
    let command = || {
        let to = CarryOver {
            new_id: new_id?,
            cycle: cycle?,
        };
        let etag = etag::read(etag);
        Some((workspace?, Command::CarryOverObjective { id: id?, to, etag }))
    };
    findings.asked(command(), request_id, reason)
}

/// Reads a CascadeObjective request.
///
/// # Errors
/// Everything that is wrong with it, each bad team by its index.
pub(crate) fn cascade_objective(request: &api::CascadeObjectiveRequest) -> Result<Asked, Rejection> {
    let api::CascadeObjectiveRequest {
        name,
        etag,
        request_id,
        reason,
        teams,
    } = request;
    let mut findings = Findings::default();
    let (workspace, id) = findings.keep(names::objective("name", name)).unzip();
    if !(1..=CASCADE_MAX).contains(&teams.len()) {
        let sentence = format!("there are {}: send 1 to {CASCADE_MAX}", teams.len());
        findings.push(Invalid::new(sentence).at("teams"));
        return findings.asked(None, request_id, reason);
    }
    let mut all = Vec::with_capacity(teams.len());
    for (index, message) in teams.iter().enumerate() {
        let api::CascadeTeam {
            team,
            objective_id,
            title,
        } = message;
        let at = |field: &str| format!("teams[{index}].{field}");
        let team = names::team_reference(workspace.as_ref(), team).and_then(names::given);
        let team = findings.field(&at("team"), team);
        let new_id = ids::chosen_at(&at("objective_id"), objective_id, 'o', request_id, index);
        let new_id = findings.keep(new_id);
        let title = (!title.is_empty()).then(|| Title::parse(title)).transpose();
        let title = findings.field(&at("title"), title);
        if let (Some(team), Some(new_id), Some(title)) = (team, new_id, title) {
            all.push(CascadeTo { team, new_id, title });
        }
    }
    let command = workspace.zip(id).map(|(workspace, id)| {
        let (teams, etag) = (all, etag::read(etag));
        (workspace, Command::CascadeObjective { id, teams, etag })
    });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Objective, mut fields: Fields<'_>) -> ObjectivePatch {
    let api::Objective {
        name: _,
        title,
        description,
        owner,
        team,
        contributing_teams,
        cycle,
        ambition,
        aligned_to,
        weight,
        labels,
        serves,
        state: _,
        activation_date: _,
        progress: _,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
        carried_from: _,
        result: _,
        foundation: _,
        started_from_kpi: _,
        started_from_alert: _,
    } = message;
    let workspace = fields.workspace;
    ObjectivePatch {
        title: fields.read("title", || Title::parse(title)),
        description: fields.read("description", || Text::parse(description)),
        owner: fields.read("owner", || names::member_reference(workspace, owner)),
        team: fields.read("team", || names::team_reference(workspace, team)),
        contributing_teams: fields.read_parts("contributing_teams", |path, findings| {
            references(path, contributing_teams, findings, |text| {
                names::given(names::team_reference(workspace, text)?)
            })
        }),
        cycle: fields.read("cycle", || {
            names::given(names::cycle_reference(workspace, cycle)?)
        }),
        ambition: fields.read("ambition", || read_ambition(*ambition)),
        aligned_to: fields.read("aligned_to", || names::alignment_reference(workspace, aligned_to)),
        weight: fields.read("weight", || read_weight(*weight)),
        labels: fields.read("labels", || read_labels(labels)),
        serves: fields.read_parts("serves", |path, findings| {
            references(path, serves, findings, |text| {
                names::given(names::kpi_reference(workspace, text)?)
            })
        }),
    }
}

/// An ambition; unspecified: COMMITTED.
///
/// # Errors
/// It has an unknown number.
pub(super) fn read_ambition(number: i32) -> Result<Ambition, Invalid> {
    use api::objective::Ambition as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Committed => Ambition::Committed,
        Api::Aspirational => Ambition::Aspirational,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id, mask};
    use super::*;
    use crate::domain::{Alignment, Weight};

    fn create(objective: api::Objective) -> Result<Asked, Rejection> {
        create_objective(&api::CreateObjectiveRequest {
            parent: "workspaces/acme".to_owned(),
            objective_id: "win".to_owned(),
            objective: Some(objective),
            ..api::CreateObjectiveRequest::default()
        })
    }

    fn minimal() -> api::Objective {
        api::Objective {
            title: "Win".to_owned(),
            cycle: "workspaces/acme/cycles/q3".to_owned(),
            ..api::Objective::default()
        }
    }

    #[test]
    fn what_is_not_said_has_a_default_and_lists_are_sets() {
        let teams = ["sales", "care", "sales"].map(|team| format!("workspaces/acme/teams/{team}"));
        let objective = api::Objective {
            contributing_teams: teams.to_vec(),
            aligned_to: "workspaces/acme/objectives/grow".to_owned(),
            ..minimal()
        };
        let Command::CreateObjective { fields, .. } = command(create(objective)) else {
            panic!("another command");
        };
        assert_eq!(
            (fields.ambition, fields.weight),
            (Ambition::Committed, Weight::ONE)
        );
        assert_eq!(fields.contributing_teams, [id("care"), id("sales")]);
        assert_eq!(fields.aligned_to, Some(Alignment::Objective(id("grow"))));
        assert_eq!((fields.owner, fields.serves), (None, Vec::new()));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let kpi = |name: &str| format!("workspaces/acme/kpis/{name}");
        let bad = api::Objective {
            owner: "maria".to_owned(),
            team: "workspaces/acme/members/maria".to_owned(),
            cycle: String::new(),
            ambition: 3,
            aligned_to: "workspaces/acme/kpis/nps".to_owned(),
            weight: Some(-1.0),
            labels: [(String::new(), "x".to_owned())].into(),
            serves: vec![kpi("nps"), String::new(), kpi("A")],
            contributing_teams: vec!["workspaces/acme/teams/x".to_owned(); 101],
            ..minimal()
        };
        let expected = [
            "owner",
            "team",
            "contributing_teams",
            "cycle",
            "ambition",
            "aligned_to",
            "weight",
            "labels",
            "serves[1]",
            "serves[2]",
        ];
        assert_eq!(
            bad_fields(create(bad)),
            expected.map(|field| format!("objective.{field}"))
        );
    }

    #[test]
    fn every_field_can_be_changed_alone() {
        for field in FIELDS {
            let update = update_objective(&api::UpdateObjectiveRequest {
                objective: Some(api::Objective {
                    name: "workspaces/acme/objectives/win".to_owned(),
                    ..minimal()
                }),
                update_mask: mask(&[field.path]),
                ..api::UpdateObjectiveRequest::default()
            });
            let Command::UpdateObjective { patch, .. } = command(update) else {
                panic!("another command");
            };
            assert_ne!(*patch, ObjectivePatch::default(), "{} is not read", field.path);
            assert_eq!(patch.complete(), None, "{} alone is not all", field.path);
        }
    }

    #[test]
    fn an_activation_names_its_objective() {
        let activate = |name: &str| {
            super::super::activate_objective(&api::ActivateObjectiveRequest {
                name: name.to_owned(),
                ..api::ActivateObjectiveRequest::default()
            })
        };
        let expected = Command::ActivateObjective {
            id: id("win"),
            etag: etag::read(""),
        };
        assert_eq!(command(activate("workspaces/acme/objectives/win")), expected);
        assert_eq!(bad_fields(activate("workspaces/acme/objectives/-")), ["name"]);
    }
}
