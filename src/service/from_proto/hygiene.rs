//! What a report of CheckHygiene is asked about.

use super::findings::Findings;
use super::scalar::unknown;
use crate::domain::{Id, Invalid, Rejection};
use crate::projection::{HygieneScope, Severity};
use crate::proto::api;
use crate::service::moment::Moment;
use crate::service::names;

/// Reads a CheckHygiene request: the workspace, and what of it is looked at.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn hygiene_scope(request: &api::CheckHygieneRequest) -> Result<(Id, HygieneScope), Rejection> {
    let api::CheckHygieneRequest {
        parent,
        min_revision,
        cycle,
        team,
        severity_min,
        as_of,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    // The state of the moment is looked for where it is read; here only whether it is one.
    let moment = findings.keep(Moment::parse(*min_revision, as_of.as_ref()));
    let cycle = findings.field("cycle", names::cycle_reference(workspace.as_ref(), cycle));
    let team = findings.field("team", names::team_reference(workspace.as_ref(), team));
    let severity_min = findings.field("severity_min", severity(*severity_min));
    match (workspace, moment, cycle, team, severity_min) {
        (Some(workspace), Some(_), Some(cycle), Some(team), Some(severity_min)) => Ok((
            workspace,
            HygieneScope {
                cycle,
                team,
                severity_min,
            },
        )),
        _ => Err(findings.refused()),
    }
}

fn severity(number: i32) -> Result<Severity, Invalid> {
    use api::finding::Severity as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Info => Severity::Info,
        Api::Warning => Severity::Warning,
        Api::Error => Severity::Error,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::id;
    use super::*;

    fn request() -> api::CheckHygieneRequest {
        api::CheckHygieneRequest {
            parent: "workspaces/acme".to_owned(),
            ..api::CheckHygieneRequest::default()
        }
    }

    #[test]
    fn a_report_is_about_everything_unless_it_is_narrowed() {
        assert_eq!(
            hygiene_scope(&request()),
            Ok((id("acme"), HygieneScope::default()))
        );
        let narrowed = api::CheckHygieneRequest {
            min_revision: 7,
            cycle: "workspaces/acme/cycles/q3".to_owned(),
            team: "workspaces/acme/teams/sales".to_owned(),
            severity_min: api::finding::Severity::Error.into(),
            ..request()
        };
        let scope = HygieneScope {
            cycle: Some(id("q3")),
            team: Some(id("sales")),
            severity_min: Severity::Error,
        };
        assert_eq!(hygiene_scope(&narrowed), Ok((id("acme"), scope)));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::CheckHygieneRequest {
            min_revision: -1,
            cycle: "workspaces/other/cycles/q3".to_owned(),
            team: "workspaces/acme/cycles/q3".to_owned(),
            severity_min: 9,
            ..request()
        };
        let Err(Rejection::Invalid(violations)) = hygiene_scope(&bad) else {
            panic!("it was taken");
        };
        let fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["min_revision", "cycle", "team", "severity_min"]);
    }
}
