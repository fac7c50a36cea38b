//! Requests about cycles.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{optional_date, required_date};
use crate::domain::{Command, CyclePatch, Rejection, Title};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const FIELDS: &[Field<api::Cycle>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("first_date", |m| m.first_date.is_some()),
    Field::new("last_date", |m| m.last_date.is_some()),
    Field::new("review_date", |m| m.review_date.is_some()),
    Field::new("parent_cycle", |m| !m.parent_cycle.is_empty()),
];

/// Reads a CreateCycle request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_cycle(request: &api::CreateCycleRequest) -> Result<Asked, Rejection> {
    let api::CreateCycleRequest {
        parent,
        cycle_id,
        cycle,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let id = findings.keep(ids::chosen("cycle_id", cycle_id, 'c', request_id));
    let command = findings.message("cycle", cycle.as_ref()).and_then(|message| {
        let patch = read(message, findings.fields("cycle", &Mask::All, workspace.as_ref()));
        let fields = Box::new(patch.complete()?);
        Some((workspace?, Command::CreateCycle { id: id?, fields }))
    });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateCycle request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_cycle(request: &api::UpdateCycleRequest) -> Result<Asked, Rejection> {
    let api::UpdateCycleRequest {
        cycle,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings.message("cycle", cycle.as_ref()).and_then(|message| {
        let (workspace, id) = findings.keep(names::cycle("cycle.name", &message.name)).unzip();
        let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
        let patch = read(message, findings.fields("cycle", &mask, workspace.as_ref()));
        let command = Command::UpdateCycle {
            id: id?,
            patch: Box::new(patch),
            etag: etag::read(&message.etag),
        };
        Some((workspace?, command))
    });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Cycle, mut fields: Fields<'_>) -> CyclePatch {
    let api::Cycle {
        name: _,
        title,
        first_date,
        last_date,
        review_date,
        parent_cycle,
        state: _,
        score: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = message;
    let workspace = fields.workspace;
    CyclePatch {
        title: fields.read("title", || Title::parse(title)),
        first_date: fields.read("first_date", || required_date(first_date.as_ref())),
        last_date: fields.read("last_date", || required_date(last_date.as_ref())),
        review_date: fields.read("review_date", || optional_date(review_date.as_ref())),
        parent_cycle: fields.read("parent_cycle", || names::cycle_reference(workspace, parent_cycle)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id, mask};
    use super::*;

    fn create(cycle: api::Cycle) -> Result<Asked, Rejection> {
        create_cycle(&api::CreateCycleRequest {
            parent: "workspaces/acme".to_owned(),
            cycle_id: "q3".to_owned(),
            cycle: Some(cycle),
            ..api::CreateCycleRequest::default()
        })
    }

    #[test]
    fn a_cycle_has_whole_dates() {
        let cycle = api::Cycle {
            title: "Q3".to_owned(),
            first_date: day(2026, 7, 1),
            last_date: day(2026, 9, 30),
            parent_cycle: "workspaces/acme/cycles/y2026".to_owned(),
            ..api::Cycle::default()
        };
        let Command::CreateCycle { id: created, fields } = command(create(cycle.clone())) else {
            panic!("another command");
        };
        assert_eq!((created, fields.review_date), (id("q3"), None));
        assert_eq!(fields.first_date, jiff::civil::date(2026, 7, 1));
        assert_eq!(fields.parent_cycle, Some(id("y2026")));
        let bad = api::Cycle {
            first_date: None,
            last_date: day(2026, 9, 31),
            review_date: day(2026, 9, 0),
            ..cycle
        };
        let expected = ["cycle.first_date", "cycle.last_date", "cycle.review_date"];
        assert_eq!(bad_fields(create(bad)), expected);
    }

    #[test]
    fn an_update_may_clear_a_date_and_an_activation_has_an_etag() {
        let update = update_cycle(&api::UpdateCycleRequest {
            cycle: Some(api::Cycle {
                name: "workspaces/acme/cycles/q3".to_owned(),
                ..api::Cycle::default()
            }),
            update_mask: mask(&["review_date"]),
            ..api::UpdateCycleRequest::default()
        });
        let Command::UpdateCycle { patch, .. } = command(update) else {
            panic!("another command");
        };
        let expected = CyclePatch {
            review_date: Some(None),
            ..CyclePatch::default()
        };
        assert_eq!(*patch, expected);
        let activate = |name: &str| {
            super::super::activate_cycle(&api::ActivateCycleRequest {
                name: name.to_owned(),
                etag: "r9".to_owned(),
                ..api::ActivateCycleRequest::default()
            })
        };
        let expected = Command::ActivateCycle {
            id: id("q3"),
            etag: etag::read("r9"),
        };
        assert_eq!(command(activate("workspaces/acme/cycles/q3")), expected);
        assert_eq!(bad_fields(activate("workspaces/acme/teams/q3")), ["name"]);
    }
}
