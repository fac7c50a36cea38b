//! Who may ask for what: given a company, when somebody asks, then it is allowed or denied.

use super::super::{Ambition, Cadence, CascadeTo, KeyResultId, KpiFromKeyResult, StartObjective, Text};
use super::super::{
    Command, Effective, Etag, Id, KpiPatch, Rejection, ResourceName, Right, Role, Roles, TeamPatch,
    check_command, check_right,
};
use super::*;

/// The company with a team below sales and another beside it, and what belongs to each.
fn furnished(role: Role, teams: &[&str]) -> Given {
    let mut jo = member("jo", "jo@acme", role);
    if let Command::CreateMember { fields, .. } = &mut jo {
        fields.teams = teams.iter().map(|team| id(team)).collect();
    }
    company().and([
        team("field", Some("sales")),
        team("support", None),
        jo,
        kpi("of-field", |f| f.team = Some(id("field"))),
        kpi("of-support", |f| f.team = Some(id("support"))),
        kpi("mine", |f| f.owner = Some(id("jo"))),
        objective("theirs", |f| f.team = Some(id("field"))),
        key_result("theirs/k", |f| f.owner = Some(id("jo"))),
        key_result("theirs/other", |_| {}),
    ])
}

/// What somebody of a role and teams hears; none: they may.
fn hears(role: Role, teams: &[&str], command: &Command) -> Option<&'static str> {
    let given = furnished(role, teams);
    let member = given.workspace.member_of("jo@acme").expect("a member");
    let refused = check_command(&given.workspace, member, command).err();
    refused.map(|refused| refused.reason())
}

fn update(kpi: &str, team: Option<&str>) -> Command {
    Command::UpdateKpi {
        id: id(kpi),
        patch: Box::new(KpiPatch {
            team: Some(team.map(id)),
            ..KpiPatch::default()
        }),
        etag: Etag::Any,
    }
}

fn archive(kpi: &str) -> Command {
    Command::ArchiveKpi {
        id: id(kpi),
        etag: Etag::Any,
    }
}

fn delete(name: &str) -> Command {
    Command::Delete {
        name: ResourceName::parse(name).expect("a name"),
        etag: Etag::Any,
    }
}

#[test]
fn a_role_without_teams_reaches_everywhere_and_one_with_teams_to_them_and_what_is_below() {
    let (outside, missing) = (Some("OUTSIDE_TEAMS"), Some("ROLE_MISSING"));
    for (role, teams, command, heard) in [
        (Role::Manager, &[][..], archive("of-support"), None),
        (Role::Manager, &["sales"], archive("of-field"), None),
        (Role::Manager, &["sales"], archive("of-support"), outside),
        (Role::Manager, &["sales"], archive("nps"), outside),
        (Role::Manager, &["field"], delete("teams/field"), missing),
        (Role::Manager, &["sales"], archive("nowhere"), None),
        (Role::Owner, &["sales"], archive("of-support"), None),
        (Role::Viewer, &[], archive("of-field"), missing),
        (Role::Lead, &[], archive("of-field"), missing),
        (Role::Lead, &["sales"], delete("teams/field"), None),
        (Role::Lead, &["field"], delete("teams/sales"), outside),
        (Role::Lead, &["sales"], delete("objectives/theirs"), None),
        (
            Role::Lead,
            &["support"],
            delete("objectives/theirs/keyResults/k"),
            outside,
        ),
        (Role::Lead, &["sales"], activate_cycle("q1"), outside),
        (Role::Lead, &[], activate_cycle("q1"), None),
        (Role::Lead, &[], delete("members/jo"), missing),
        (Role::Lead, &[], delete(""), missing),
        (Role::Owner, &[], delete(""), None),
        (Role::Ingest, &["sales"], measured("of-field"), None),
        (Role::Ingest, &["sales"], measured("of-support"), outside),
        (Role::Ingest, &[], archive("of-field"), missing),
        (Role::Auditor, &[], measured("of-field"), missing),
    ] {
        assert_eq!(
            hears(role, teams, &command),
            heard,
            "{role:?} of {teams:?}: {command:?}"
        );
    }
}

fn measured(kpi: &str) -> Command {
    Command::RecordMeasurements(vec![measurement(kpi, Effective::Now, 1.0)])
}

#[test]
fn nothing_is_pulled_into_the_teams_of_a_role_and_nothing_pushed_out() {
    let outside = Some("OUTSIDE_TEAMS");
    for (command, heard) in [
        (update("of-field", Some("sales")), None),
        (update("of-field", Some("support")), outside),
        (update("of-field", None), outside),
        (update("of-support", Some("sales")), outside),
    ] {
        assert_eq!(hears(Role::Manager, &["sales"], &command), heard, "{command:?}");
    }
    let moved = |to: Option<&str>| Command::UpdateTeam {
        id: id("field"),
        patch: Box::new(TeamPatch {
            parent_team: Some(to.map(id)),
            ..TeamPatch::default()
        }),
        etag: Etag::Any,
    };
    assert_eq!(hears(Role::Lead, &["sales"], &moved(Some("sales"))), None);
    assert_eq!(hears(Role::Lead, &["sales"], &moved(Some("support"))), outside);
    assert_eq!(hears(Role::Lead, &["sales"], &moved(None)), outside);
    assert_eq!(hears(Role::Lead, &[], &moved(None)), None);
}

#[test]
fn what_is_made_of_something_else_reaches_to_both() {
    let outside = Some("OUTSIDE_TEAMS");
    let started = |kpi: &str, team: Option<&str>| {
        Command::StartObjective(Box::new(StartObjective {
            kpi: id(kpi),
            objective: id("new"),
            key_result: None,
            cycle: id("q1"),
            title: None,
            description: Text::empty(),
            owner: None,
            team: team.map(id),
            ambition: Ambition::Committed,
            alert: None,
        }))
    };
    for (command, heard) in [
        (started("of-field", None), None),
        (started("of-field", Some("sales")), None),
        (started("of-field", Some("support")), outside),
        // Its alert would be given a plan.
        (started("of-support", Some("sales")), outside),
        (started("mine", Some("sales")), outside),
    ] {
        assert_eq!(hears(Role::Manager, &["sales"], &command), heard, "{command:?}");
    }
    let cascaded = |team: &str| Command::CascadeObjective {
        id: id("theirs"),
        teams: vec![CascadeTo {
            team: id(team),
            new_id: id("new"),
            title: None,
        }],
        etag: Etag::Any,
    };
    assert_eq!(hears(Role::Manager, &["sales"], &cascaded("field")), None);
    assert_eq!(hears(Role::Manager, &["sales"], &cascaded("support")), outside);
    let made = Command::CreateKpiFromKeyResult(Box::new(KpiFromKeyResult {
        key_result: KeyResultId {
            objective: id("theirs"),
            id: id("k"),
        },
        kpi: id("new"),
        title: None,
        cadence: Cadence::Daily,
        area: Text::empty(),
        data_source: Text::empty(),
    }));
    assert_eq!(hears(Role::Manager, &["sales"], &made), None);
    assert_eq!(hears(Role::Manager, &["support"], &made), outside);
}

#[test]
fn a_contributor_reaches_what_is_theirs_or_lies_in_what_is_theirs() {
    let other = Some("NOT_OWN");
    for (teams, command, heard) in [
        (&[][..], measured("mine"), None),
        (&[], measured("of-field"), other),
        (&["sales"], measured("mine"), Some("OUTSIDE_TEAMS")),
        (&[], check_in("theirs/k", "c", |_| {}), None),
        (&["sales"], check_in("theirs/k", "c", |_| {}), None),
        (
            &["support"],
            check_in("theirs/k", "c", |_| {}),
            Some("OUTSIDE_TEAMS"),
        ),
        (&[], check_in("theirs/other", "c", |_| {}), other),
        (&[], archive("mine"), Some("ROLE_MISSING")),
    ] {
        assert_eq!(
            hears(Role::Contributor, teams, &command),
            heard,
            "{teams:?}: {command:?}"
        );
    }
}

#[test]
fn several_roles_allow_what_one_of_them_does() {
    let given = furnished(Role::Viewer, &[]);
    let (id, member) = given.workspace.member_of("jo@acme").expect("a member");
    let mut both = member.clone();
    both.fields.roles = Roles::parse(vec![Role::Viewer, Role::Contributor, Role::Lead]).expect("roles");
    let asks =
        |command| check_command(&given.workspace, (id, &both), &command).map_err(|refused| refused.reason());
    assert_eq!(asks(delete("objectives/theirs")), Ok(()));
    assert_eq!(asks(measured("mine")), Ok(()));
    assert_eq!(asks(measured("of-field")), Err("NOT_OWN"));
    assert_eq!(check_right(&both, Right::Read), Ok(()));
    assert_eq!(
        check_right(&both, Right::Audit),
        Err(Rejection::RoleMissing(Right::Audit))
    );
}

#[test]
fn a_principal_is_the_member_who_stands_and_nobody_after_they_are_deleted() {
    let given = furnished(Role::Viewer, &[]);
    let who =
        |given: &Given, principal: &str| given.workspace.member_of(principal).map(|(id, _)| id.to_string());
    assert_eq!(who(&given, "jo@acme").as_deref(), Some("jo"));
    assert_eq!(who(&given, "jo"), None);
    let gone = given.and([delete("members/jo")]);
    assert_eq!(who(&gone, "jo@acme"), None);
    let again = gone.and([member("joana", "jo@acme", Role::Lead)]);
    assert_eq!(who(&again, "jo@acme").as_deref(), Some("joana"));
    let other = Command::UpdateMember {
        id: Id::parse("joana").expect("an id"),
        patch: Box::new(super::super::MemberPatch {
            principal: Some(super::super::Principal::parse("joana@acme").expect("a principal")),
            ..super::super::MemberPatch::default()
        }),
        etag: Etag::Any,
    };
    let renamed = again.and([other]);
    assert_eq!(who(&renamed, "jo@acme"), None);
    assert_eq!(who(&renamed, "joana@acme").as_deref(), Some("joana"));
}
