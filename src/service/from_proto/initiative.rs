//! Requests about initiatives.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{count, optional_date, unknown};
use crate::domain::{Command, Id, InitiativeId, InitiativePatch, InitiativeState, Invalid, Rejection, Title};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const FIELDS: &[Field<api::Initiative>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("owner", |m| !m.owner.is_empty()),
    Field::new("due_date", |m| m.due_date.is_some()),
    Field::new("state", |m| m.state != 0),
    Field::new("planned_count", |m| m.planned_count.is_some()),
    Field::new("done_count", |m| m.done_count.is_some()),
    Field::new("key_result", |m| !m.key_result.is_empty()),
];

/// Reads a CreateInitiative request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_initiative(request: &api::CreateInitiativeRequest) -> Result<Asked, Rejection> {
    let api::CreateInitiativeRequest {
        parent,
        initiative_id,
        initiative,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, objective) = findings.keep(names::objective("parent", parent)).unzip();
    let id = findings.keep(ids::chosen("initiative_id", initiative_id, 'i', request_id));
    let command = findings
        .message("initiative", initiative.as_ref())
        .and_then(|message| {
            let fields = findings.fields("initiative", &Mask::All, workspace.as_ref());
            let patch = read(message, objective.as_ref(), fields);
            let (objective, id) = (objective?, id?);
            let command = Command::CreateInitiative {
                id: InitiativeId { objective, id },
                fields: Box::new(patch.complete()?),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateInitiative request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_initiative(request: &api::UpdateInitiativeRequest) -> Result<Asked, Rejection> {
    let api::UpdateInitiativeRequest {
        initiative,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("initiative", initiative.as_ref())
        .and_then(|message| {
            let name = names::initiative("initiative.name", &message.name);
            let (workspace, id) = findings.keep(name).unzip();
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let fields = findings.fields("initiative", &mask, workspace.as_ref());
            let patch = read(message, id.as_ref().map(|id| &id.objective), fields);
            let command = Command::UpdateInitiative {
                id: id?,
                patch: Box::new(patch),
                etag: etag::read(&message.etag),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Initiative, objective: Option<&Id>, mut fields: Fields<'_>) -> InitiativePatch {
    let api::Initiative {
        name: _,
        title,
        owner,
        due_date,
        state,
        planned_count,
        done_count,
        key_result,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
    } = message;
    let workspace = fields.workspace;
    InitiativePatch {
        title: fields.read("title", || Title::parse(title)),
        owner: fields.read("owner", || names::member_reference(workspace, owner)),
        due_date: fields.read("due_date", || optional_date(due_date.as_ref())),
        state: fields.read("state", || read_state(*state)),
        planned_count: fields.read("planned_count", || count(*planned_count)),
        done_count: fields.read("done_count", || count(*done_count)),
        key_result: fields.read("key_result", || read_key_result(workspace, objective, key_result)),
    }
}

/// A key result of the same objective.
fn read_key_result(
    workspace: Option<&Id>,
    objective: Option<&Id>,
    text: &str,
) -> Result<Option<Id>, Invalid> {
    let Some(key_result) = names::key_result_reference(workspace, text)? else {
        return Ok(None);
    };
    match objective {
        Some(objective) if *objective != key_result.objective => Err(Invalid::new(format!(
            "{key_result} is of another objective: name a key result of objectives/{objective}"
        ))),
        _ => Ok(Some(key_result.id)),
    }
}

fn read_state(number: i32) -> Result<InitiativeState, Invalid> {
    use api::initiative::State as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Planned => InitiativeState::Planned,
        Api::InProgress => InitiativeState::InProgress,
        Api::Done => InitiativeState::Done,
        Api::Dropped => InitiativeState::Dropped,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id, mask};
    use super::*;

    fn create(initiative: api::Initiative) -> Result<Asked, Rejection> {
        create_initiative(&api::CreateInitiativeRequest {
            parent: "workspaces/acme/objectives/win".to_owned(),
            initiative_id: "demos".to_owned(),
            initiative: Some(initiative),
            ..api::CreateInitiativeRequest::default()
        })
    }

    fn for_key_result(key_result: &str) -> api::Initiative {
        api::Initiative {
            title: "Demos".to_owned(),
            key_result: key_result.to_owned(),
            ..api::Initiative::default()
        }
    }

    #[test]
    fn an_initiative_is_for_a_key_result_of_its_objective() {
        let own = for_key_result("workspaces/acme/objectives/win/keyResults/nps");
        let Command::CreateInitiative { fields, .. } = command(create(own)) else {
            panic!("another command");
        };
        assert_eq!(
            (fields.key_result, fields.state),
            (Some(id("nps")), InitiativeState::Planned)
        );
        for bad in [
            "workspaces/acme/objectives/grow/keyResults/nps",
            "workspaces/acme/objectives/win",
            "nps",
        ] {
            assert_eq!(
                bad_fields(create(for_key_result(bad))),
                ["initiative.key_result"],
                "{bad}"
            );
        }
    }

    #[test]
    fn counts_are_not_negative_and_states_are_known() {
        let bad = api::Initiative {
            planned_count: Some(-1),
            done_count: Some(i64::MIN),
            state: 5,
            ..for_key_result("")
        };
        let expected = [
            "initiative.state",
            "initiative.planned_count",
            "initiative.done_count",
        ];
        assert_eq!(bad_fields(create(bad)), expected);
    }

    #[test]
    fn every_field_can_be_changed_alone() {
        for field in FIELDS {
            let update = update_initiative(&api::UpdateInitiativeRequest {
                initiative: Some(api::Initiative {
                    name: "workspaces/acme/objectives/win/initiatives/demos".to_owned(),
                    ..for_key_result("")
                }),
                update_mask: mask(&[field.path]),
                ..api::UpdateInitiativeRequest::default()
            });
            let Command::UpdateInitiative { patch, .. } = command(update) else {
                panic!("another command");
            };
            assert_ne!(*patch, InitiativePatch::default(), "{} is not read", field.path);
            assert_eq!(patch.complete(), None, "{} alone is not all", field.path);
        }
    }
}
