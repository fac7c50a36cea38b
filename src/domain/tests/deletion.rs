//! Deletion and undeletion: what goes, what stays, what comes back.

use super::super::given::*;
use super::super::{Command, Etag, Revision, Role};
use super::company;

/// The company with teams sales > south > coast, jo, and the ACTIVE objective win with two key results and an initiative.
pub(super) fn large() -> Given {
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
