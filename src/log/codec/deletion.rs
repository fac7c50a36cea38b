//! Deletions and what came back.

use super::fault::{At, Fault};
use super::scalar::{id_from_stored, id_to_stored, required};
use crate::domain::{Event, InitiativeId, KeyResultId, ResourceName, Revision};
use crate::proto::stored;
use crate::proto::stored::resource_reference::Resource;

pub(super) fn deleted_to_stored(name: &ResourceName) -> stored::ResourceDeleted {
    stored::ResourceDeleted {
        resource: reference_to_stored(name),
    }
}

pub(super) fn deleted_from_stored(stored: stored::ResourceDeleted) -> Result<Event, Fault> {
    let stored::ResourceDeleted { resource } = stored;
    Ok(Event::Deleted {
        name: reference_from_stored(resource).at("resource")?,
    })
}

pub(super) fn undeleted_to_stored(name: &ResourceName, deletion: Revision) -> stored::ResourceUndeleted {
    stored::ResourceUndeleted {
        resource: reference_to_stored(name),
        deletion_revision: deletion.0,
    }
}

pub(super) fn undeleted_from_stored(stored: stored::ResourceUndeleted) -> Result<Event, Fault> {
    let stored::ResourceUndeleted {
        resource,
        deletion_revision,
    } = stored;
    Ok(Event::Undeleted {
        name: reference_from_stored(resource).at("resource")?,
        deletion: Revision(deletion_revision),
    })
}

/// None: nothing of the kind is ever deleted, so `decide` makes no such event.
fn reference_to_stored(name: &ResourceName) -> Option<stored::ResourceReference> {
    let resource = match name {
        ResourceName::Workspace => Resource::Workspace(true),
        ResourceName::Team(id) => Resource::Team(id_to_stored(id)),
        ResourceName::Member(id) => Resource::Member(id_to_stored(id)),
        ResourceName::Objective(id) => Resource::Objective(id_to_stored(id)),
        ResourceName::KeyResult(KeyResultId { objective, id }) => {
            Resource::KeyResult(stored::KeyResultReference {
                objective: id_to_stored(objective),
                key_result: id_to_stored(id),
            })
        }
        ResourceName::Initiative(InitiativeId { objective, id }) => {
            Resource::Initiative(stored::InitiativeReference {
                objective: id_to_stored(objective),
                initiative: id_to_stored(id),
            })
        }
        ResourceName::Kpi(id) => Resource::Kpi(id_to_stored(id)),
        ResourceName::ScoringPolicy
        | ResourceName::Cycle(_)
        | ResourceName::Review(..)
        | ResourceName::CheckIn(..)
        | ResourceName::Target(..) => return None,
    };
    Some(stored::ResourceReference {
        resource: Some(resource),
    })
}

fn reference_from_stored(stored: Option<stored::ResourceReference>) -> Result<ResourceName, Fault> {
    let stored::ResourceReference { resource } = required(stored)?;
    let resource = resource.ok_or_else(|| Fault::newer("it is no resource that this release knows"))?;
    Ok(match resource {
        Resource::Workspace(true) => ResourceName::Workspace,
        Resource::Workspace(false) => return Err(Fault::damaged("it is missing")),
        Resource::Team(id) => ResourceName::Team(id_from_stored(&id).at("team")?),
        Resource::Member(id) => ResourceName::Member(id_from_stored(&id).at("member")?),
        Resource::Objective(id) => ResourceName::Objective(id_from_stored(&id).at("objective")?),
        Resource::KeyResult(stored::KeyResultReference {
            objective,
            key_result,
        }) => ResourceName::KeyResult(KeyResultId {
            objective: id_from_stored(&objective).at("objective")?,
            id: id_from_stored(&key_result).at("key_result")?,
        }),
        Resource::Initiative(stored::InitiativeReference {
            objective,
            initiative,
        }) => ResourceName::Initiative(InitiativeId {
            objective: id_from_stored(&objective).at("objective")?,
            id: id_from_stored(&initiative).at("initiative")?,
        }),
        Resource::Kpi(id) => ResourceName::Kpi(id_from_stored(&id).at("kpi")?),
    })
}
