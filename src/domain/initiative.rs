//! Initiatives: what people do to get there. They never count into a score.

use jiff::civil::Date;
use serde::Serialize;

use super::authored::authored;
use super::{
    Authorship, Deletion, Etag, Event, Id, InitiativeId, KeyResultId, Rejection, ResourceName, Title,
    Workspace,
};

authored! {
    /// An initiative's own fields.
    pub struct InitiativeFields,
    /// A change of an initiative's fields.
    InitiativePatch {
        /// What people call it.
        pub title: Title,
        /// Who does it.
        pub owner: Option<Id>,
        /// Until when.
        pub due_date: Option<Date>,
        /// Where it stands.
        pub state: InitiativeState,
        /// How many are planned.
        pub planned_count: Option<u64>,
        /// How many are done.
        pub done_count: Option<u64>,
        /// The key result of the same objective that it is for.
        pub key_result: Option<Id>,
    }
}

/// An initiative.
#[derive(Clone, Debug, PartialEq)]
pub struct Initiative {
    /// Its own fields.
    pub fields: InitiativeFields,
    /// When it was deleted.
    pub deleted: Option<Deletion>,
    /// When its fields were written.
    pub authorship: Authorship,
}

/// Where an initiative stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InitiativeState {
    /// Not begun.
    Planned,
    /// Under way.
    InProgress,
    /// Finished.
    Done,
    /// Given up.
    Dropped,
}

pub(super) fn create(
    workspace: &Workspace,
    id: &InitiativeId,
    fields: &InitiativeFields,
) -> Result<Vec<Event>, Rejection> {
    workspace.open_objective(&id.objective)?;
    if workspace.initiatives.contains_key(id) {
        return Err(Rejection::AlreadyExists(ResourceName::Initiative(id.clone())));
    }
    check(workspace, id, None, fields)?;
    Ok(vec![Event::InitiativeCreated {
        id: id.clone(),
        fields: Box::new(fields.clone()),
    }])
}

pub(super) fn update(
    workspace: &Workspace,
    id: &InitiativeId,
    patch: &InitiativePatch,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let initiative = workspace.initiative(id)?;
    initiative
        .authorship
        .check(etag, || ResourceName::Initiative(id.clone()))?;
    let after = patch.applied_to(&initiative.fields);
    if after == initiative.fields {
        return Ok(Vec::new());
    }
    check(workspace, id, Some(&initiative.fields), &after)?;
    Ok(vec![Event::InitiativeUpdated {
        id: id.clone(),
        before: Box::new(initiative.fields.clone()),
        after: Box::new(after),
    }])
}

/// What a change names anew has to be there; what it leaves as it was may have been deleted since.
fn check(
    workspace: &Workspace,
    id: &InitiativeId,
    before: Option<&InitiativeFields>,
    fields: &InitiativeFields,
) -> Result<(), Rejection> {
    if let Some(owner) = &fields.owner
        && before.is_none_or(|before| before.owner.as_ref() != Some(owner))
    {
        workspace.member(owner)?;
    }
    if let Some(key_result) = &fields.key_result
        && before.is_none_or(|before| before.key_result.as_ref() != Some(key_result))
    {
        workspace.key_result(&KeyResultId {
            objective: id.objective.clone(),
            id: key_result.clone(),
        })?;
    }
    Ok(())
}
