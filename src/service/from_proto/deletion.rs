//! Requests that delete and bring back: one shape for every kind of resource.

use super::Asked;
use super::transition::asked;
use crate::domain::{Command, Id, Rejection, ResourceName, Violation};
use crate::proto::api;
use crate::service::{etag, names};

/// Declares the two readers of a kind of resource.
macro_rules! deletions {
    ($($Delete:ident => $delete:ident, $Undelete:ident => $undelete:ident: $read:expr;)*) => {
        $(
            /// Reads such a request.
            ///
            /// # Errors
            /// Everything that is wrong with it.
            pub(crate) fn $delete(request: &api::$Delete) -> Result<Asked, Rejection> {
                let api::$Delete { name, etag, request_id, reason } = request;
                asked($read(name), request_id, reason, |name| Command::Delete {
                    name,
                    etag: etag::read(etag),
                })
            }

            /// Reads such a request.
            ///
            /// # Errors
            /// Everything that is wrong with it.
            pub(crate) fn $undelete(request: &api::$Undelete) -> Result<Asked, Rejection> {
                let api::$Undelete { name, etag, request_id, reason } = request;
                asked($read(name), request_id, reason, |name| Command::Undelete {
                    name,
                    etag: etag::read(etag),
                })
            }
        )*
    };
}

deletions! {
    DeleteWorkspaceRequest => delete_workspace, UndeleteWorkspaceRequest => undelete_workspace:
        |name: &str| names::workspace("name", name).map(|workspace| (workspace, ResourceName::Workspace));
    DeleteTeamRequest => delete_team, UndeleteTeamRequest => undelete_team:
        |name: &str| named(names::team("name", name), ResourceName::Team);
    DeleteMemberRequest => delete_member, UndeleteMemberRequest => undelete_member:
        |name: &str| named(names::member("name", name), ResourceName::Member);
    DeleteObjectiveRequest => delete_objective, UndeleteObjectiveRequest => undelete_objective:
        |name: &str| named(names::objective("name", name), ResourceName::Objective);
    DeleteKeyResultRequest => delete_key_result, UndeleteKeyResultRequest => undelete_key_result:
        |name: &str| named(names::key_result("name", name), ResourceName::KeyResult);
    DeleteInitiativeRequest => delete_initiative, UndeleteInitiativeRequest => undelete_initiative:
        |name: &str| named(names::initiative("name", name), ResourceName::Initiative);
    DeleteKpiRequest => delete_kpi, UndeleteKpiRequest => undelete_kpi:
        |name: &str| named(names::kpi("name", name), ResourceName::Kpi);
}

fn named<T>(
    read: Result<(Id, T), Violation>,
    name: impl FnOnce(T) -> ResourceName,
) -> Result<(Id, ResourceName), Violation> {
    read.map(|(workspace, id)| (workspace, name(id)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id};
    use super::*;
    use crate::domain::Etag;

    #[test]
    fn a_deletion_names_one_resource_of_its_kind() {
        let delete = |name: &str| {
            delete_team(&api::DeleteTeamRequest {
                name: name.to_owned(),
                ..api::DeleteTeamRequest::default()
            })
        };
        let expected = Command::Delete {
            name: ResourceName::Team(id("sales")),
            etag: Etag::Any,
        };
        assert_eq!(command(delete("workspaces/acme/teams/sales")), expected);
        assert_eq!(bad_fields(delete("workspaces/acme/kpis/nps")), ["name"]);
        let undelete = undelete_workspace(&api::UndeleteWorkspaceRequest {
            name: "workspaces/acme".to_owned(),
            etag: "nonsense".to_owned(),
            ..api::UndeleteWorkspaceRequest::default()
        });
        let expected = Command::Undelete {
            name: ResourceName::Workspace,
            etag: Etag::Unknown,
        };
        assert_eq!(command(undelete), expected);
    }
}
