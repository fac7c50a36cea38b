//! Rules about who owns something: members and teams that are gone.

use super::look::Look;
use super::{Finding, FindingCode};
use crate::domain::{Id, InitiativeState, ResourceName};

/// "owner who is no longer a member": of an open objective, its key results and its initiatives that are not over, and of
/// a KPI.
pub(super) fn gone_members(look: &Look<'_>, found: &mut Vec<Finding>) {
    let mut check = |resource: ResourceName, owner: Option<&Id>, what: &str, title: &str| {
        let gone = owner.filter(|owner| look.workspace.member(owner).is_err());
        found.extend(gone.map(|owner| Finding {
            code: FindingCode::OwnerNotMember,
            resource,
            sentence: format!("The owner of the {what} \"{title}\", members/{owner}, is no longer a member."),
        }));
    };
    for (id, objective) in look.objectives() {
        let (resource, fields) = (ResourceName::Objective((*id).clone()), &objective.fields);
        check(
            resource,
            fields.owner.as_ref(),
            "objective",
            fields.title.as_str(),
        );
        for (id, initiative) in look.workspace.initiatives_of(id) {
            let fields = &initiative.fields;
            if matches!(
                fields.state,
                InitiativeState::Planned | InitiativeState::InProgress
            ) {
                let resource = ResourceName::Initiative(id.clone());
                check(
                    resource,
                    fields.owner.as_ref(),
                    "initiative",
                    fields.title.as_str(),
                );
            }
        }
    }
    for (_, id, key_result) in look.key_results() {
        let (resource, fields) = (ResourceName::KeyResult(id.clone()), &key_result.fields);
        check(
            resource,
            fields.owner.as_ref(),
            "key result",
            fields.title.as_str(),
        );
    }
    for (id, kpi) in look.kpis() {
        let (resource, fields) = (ResourceName::Kpi((*id).clone()), &kpi.fields);
        check(resource, fields.owner.as_ref(), "KPI", fields.title.as_str());
    }
}

/// A team that is deleted and still owns something: an open objective or a KPI.
pub(super) fn gone_teams(look: &Look<'_>, found: &mut Vec<Finding>) {
    let mut check = |resource: ResourceName, team: Option<&Id>, what: &str, title: &str| {
        let gone = team.filter(|team| look.workspace.team(team).is_err());
        found.extend(gone.map(|team| Finding {
            code: FindingCode::TeamDeleted,
            resource,
            sentence: format!("The {what} \"{title}\" belongs to teams/{team}, which is deleted."),
        }));
    };
    for (id, objective) in look.objectives() {
        let (resource, fields) = (ResourceName::Objective((*id).clone()), &objective.fields);
        check(resource, fields.team.as_ref(), "objective", fields.title.as_str());
    }
    for (id, kpi) in look.kpis() {
        let (resource, fields) = (ResourceName::Kpi((*id).clone()), &kpi.fields);
        check(resource, fields.team.as_ref(), "KPI", fields.title.as_str());
    }
}
