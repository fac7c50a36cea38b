//! Deletions and what came back.
//!
//! Invariant: every name can be written, whether or not anything of its kind is ever deleted: what is made durable has to
//! be readable, and no other file should have to know which names `decide` lets through.

use super::fault::{At, Fault};
use super::scalar::{date_from_stored, date_to_stored, id_from_stored, id_to_stored, required};
use crate::domain::{Event, InitiativeId, KeyResultId, ResourceName, Revision};
use crate::proto::stored;
use crate::proto::stored::resource_reference::Resource;

pub(super) fn deleted_to_stored(name: &ResourceName) -> stored::ResourceDeleted {
    stored::ResourceDeleted {
        resource: Some(reference_to_stored(name)),
    }
}

pub(super) fn deleted_from_stored(stored: stored::ResourceDeleted) -> Result<Event, Fault> {
    let stored::ResourceDeleted { resource } = stored;
    Ok(Event::Deleted {
        name: required(resource)
            .and_then(reference_from_stored)
            .at("resource")?,
    })
}

pub(super) fn undeleted_to_stored(name: &ResourceName, deletion: Revision) -> stored::ResourceUndeleted {
    stored::ResourceUndeleted {
        resource: Some(reference_to_stored(name)),
        deletion_revision: deletion.0,
    }
}

pub(super) fn undeleted_from_stored(stored: stored::ResourceUndeleted) -> Result<Event, Fault> {
    let stored::ResourceUndeleted {
        resource,
        deletion_revision,
    } = stored;
    Ok(Event::Undeleted {
        name: required(resource)
            .and_then(reference_from_stored)
            .at("resource")?,
        deletion: Revision(deletion_revision),
    })
}

fn reference_to_stored(name: &ResourceName) -> stored::ResourceReference {
    let resource = match name {
        ResourceName::Workspace => Resource::Workspace(true),
        ResourceName::Team(id) => Resource::Team(id_to_stored(id)),
        ResourceName::Member(id) => Resource::Member(id_to_stored(id)),
        ResourceName::ScoringPolicy => Resource::ScoringPolicy(true),
        ResourceName::Cycle(id) => Resource::Cycle(id_to_stored(id)),
        ResourceName::Review(cycle, id) => Resource::Review(stored::ReviewReference {
            cycle: id_to_stored(cycle),
            review: id_to_stored(id),
        }),
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
        ResourceName::CheckIn(key_result, id) => Resource::CheckIn(stored::CheckInReference {
            objective: id_to_stored(&key_result.objective),
            key_result: id_to_stored(&key_result.id),
            check_in: id_to_stored(id),
        }),
        ResourceName::Kpi(id) => Resource::Kpi(id_to_stored(id)),
        ResourceName::Target(kpi, date) => Resource::Target(stored::TargetReference {
            kpi: id_to_stored(kpi),
            date: date_to_stored(*date),
        }),
        ResourceName::Alert(kpi, alert) => Resource::Alert(stored::AlertReference {
            kpi: id_to_stored(kpi),
            alert: id_to_stored(alert),
        }),
    };
    stored::ResourceReference {
        resource: Some(resource),
    }
}

fn reference_from_stored(stored: stored::ResourceReference) -> Result<ResourceName, Fault> {
    let stored::ResourceReference { resource } = stored;
    let resource = resource.ok_or_else(|| Fault::newer("it is no resource that this release knows"))?;
    Ok(match resource {
        Resource::Workspace(true) => ResourceName::Workspace,
        Resource::ScoringPolicy(true) => ResourceName::ScoringPolicy,
        Resource::Workspace(false) => return Err(Fault::damaged("it is false")).at("workspace"),
        Resource::ScoringPolicy(false) => return Err(Fault::damaged("it is false")).at("scoring_policy"),
        Resource::Team(id) => ResourceName::Team(id_from_stored(&id).at("team")?),
        Resource::Member(id) => ResourceName::Member(id_from_stored(&id).at("member")?),
        Resource::Cycle(id) => ResourceName::Cycle(id_from_stored(&id).at("cycle")?),
        Resource::Review(review) => review_from_stored(&review).at("review")?,
        Resource::Objective(id) => ResourceName::Objective(id_from_stored(&id).at("objective")?),
        Resource::KeyResult(key_result) => key_result_from_stored(&key_result).at("key_result")?,
        Resource::Initiative(initiative) => initiative_from_stored(&initiative).at("initiative")?,
        Resource::CheckIn(check_in) => check_in_from_stored(&check_in).at("check_in")?,
        Resource::Kpi(id) => ResourceName::Kpi(id_from_stored(&id).at("kpi")?),
        Resource::Target(target) => target_from_stored(&target).at("target")?,
        Resource::Alert(alert) => alert_from_stored(&alert).at("alert")?,
    })
}

fn review_from_stored(stored: &stored::ReviewReference) -> Result<ResourceName, Fault> {
    let stored::ReviewReference { cycle, review } = stored;
    Ok(ResourceName::Review(
        id_from_stored(cycle).at("cycle")?,
        id_from_stored(review).at("review")?,
    ))
}

fn key_result_from_stored(stored: &stored::KeyResultReference) -> Result<ResourceName, Fault> {
    let stored::KeyResultReference {
        objective,
        key_result,
    } = stored;
    Ok(ResourceName::KeyResult(KeyResultId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(key_result).at("key_result")?,
    }))
}

fn initiative_from_stored(stored: &stored::InitiativeReference) -> Result<ResourceName, Fault> {
    let stored::InitiativeReference {
        objective,
        initiative,
    } = stored;
    Ok(ResourceName::Initiative(InitiativeId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(initiative).at("initiative")?,
    }))
}

fn check_in_from_stored(stored: &stored::CheckInReference) -> Result<ResourceName, Fault> {
    let stored::CheckInReference {
        objective,
        key_result,
        check_in,
    } = stored;
    let key_result = KeyResultId {
        objective: id_from_stored(objective).at("objective")?,
        id: id_from_stored(key_result).at("key_result")?,
    };
    Ok(ResourceName::CheckIn(
        key_result,
        id_from_stored(check_in).at("check_in")?,
    ))
}

fn target_from_stored(stored: &stored::TargetReference) -> Result<ResourceName, Fault> {
    let stored::TargetReference { kpi, date } = stored;
    Ok(ResourceName::Target(
        id_from_stored(kpi).at("kpi")?,
        date_from_stored(*date).at("date")?,
    ))
}

fn alert_from_stored(stored: &stored::AlertReference) -> Result<ResourceName, Fault> {
    let stored::AlertReference { kpi, alert } = stored;
    Ok(ResourceName::Alert(
        id_from_stored(kpi).at("kpi")?,
        id_from_stored(alert).at("alert")?,
    ))
}
