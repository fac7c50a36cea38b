//! Objectives and their initiatives.

use jiff::civil::date;

use super::super::given::*;
use super::super::{Alignment, Command, Etag, InitiativePatch, Revision};
use super::company;

/// "**Objective**: title, description, owner …, team (none: company level), contributing teams, cycle, …, alignment to one
/// parent (an objective or a key result …), …, the KPIs it *serves*".
#[test]
fn an_objective_names_what_exists() {
    let given = company();
    for (command, outcome) in [
        (objective("new", |_| {}), Ok(vec!["ObjectiveCreated"])),
        (objective("win", |_| {}), Err("ALREADY_EXISTS")),
        (objective("new", |f| f.cycle = id("q9")), Err("NOT_FOUND")),
        (objective("new", |f| f.owner = Some(id("jo"))), Err("NOT_FOUND")),
        (objective("new", |f| f.team = Some(id("x"))), Err("NOT_FOUND")),
        (
            objective("new", |f| f.contributing_teams = vec![id("sales"), id("x")]),
            Err("NOT_FOUND"),
        ),
        (
            objective("new", |f| f.serves = vec![id("nps"), id("x")]),
            Err("NOT_FOUND"),
        ),
        (
            objective("new", |f| {
                f.aligned_to = Some(Alignment::KeyResult(key_result_id("win/deals")))
            }),
            Ok(vec!["ObjectiveCreated"]),
        ),
        (
            objective("new", |f| {
                f.aligned_to = Some(Alignment::KeyResult(key_result_id("win/x")))
            }),
            Err("NOT_FOUND"),
        ),
        (align("win", "x"), Err("NOT_FOUND")),
        (update_objective("x", |_| {}), Err("NOT_FOUND")),
        (update_objective("win", |_| {}), Ok(vec![])),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

/// "alignment to one parent (an objective or a key result; no cycle, depth ≤ 16)".
#[test]
fn an_alignment_forms_no_cycle_and_is_at_most_16_deep() {
    let chain = (1..16).map(|n| {
        objective(&format!("o{n}"), move |fields| {
            fields.aligned_to = Some(Alignment::Objective(id(&format!("o{}", n - 1))));
        })
    });
    let given = given(q1())
        .and([objective("o0", |_| {}), objective("top", |_| {})])
        .and(chain);
    assert_eq!(given.when(align("o0", "o15")), Err("ALIGNMENT_CYCLE"));
    assert_eq!(given.when(align("o0", "o0")), Err("ALIGNMENT_CYCLE"));
    assert_eq!(given.when(align("o3", "o9")), Err("ALIGNMENT_CYCLE"));
    let below = |name: &str, to: &'static str| {
        objective(name, move |f| f.aligned_to = Some(Alignment::Objective(id(to))))
    };
    assert_eq!(
        given.when(below("x", "o14")),
        Ok(vec!["ObjectiveCreated"]),
        "the 16th"
    );
    assert_eq!(
        given.when(below("x", "o15")),
        Err("ALIGNMENT_TOO_DEEP"),
        "the 17th"
    );
    assert_eq!(
        given.when(align("o0", "top")),
        Err("ALIGNMENT_TOO_DEEP"),
        "what lies below counts too"
    );
    assert_eq!(given.when(align("o1", "top")), Ok(vec!["ObjectiveUpdated"]));
}

/// "owner (exactly one, needed to activate)"; the baseline "is needed to activate a METRIC".
#[test]
fn an_objective_needs_an_owner_baselines_and_an_active_cycle_to_be_activated() {
    let given = company().and([
        cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
        objective("ownerless", |f| f.owner = None),
        objective("later", |f| f.cycle = id("q2")),
        objective("open", |_| {}),
        key_result("open/unknown", |f| f.kind = metric(None, 5.0)),
    ]);
    for (name, outcome) in [
        ("win", Ok(vec!["ObjectiveActivated"])),
        ("ownerless", Err("OWNER_MISSING")),
        ("later", Err("CYCLE_NOT_ACTIVE")),
        ("open", Err("BASELINE_MISSING")),
        ("x", Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(activate(name)), outcome, "{name}");
    }
    let active = given.and([activate("win")]);
    for (command, outcome) in [
        (activate("win"), Err("OBJECTIVE_NOT_DRAFT")),
        (
            update_objective("win", |p| p.cycle = Some(id("q2"))),
            Err("OBJECTIVE_NOT_DRAFT"),
        ),
        (
            update_objective("win", |p| p.owner = Some(None)),
            Err("OWNER_MISSING"),
        ),
        (
            update_objective("win", |p| p.title = Some(title("Win more"))),
            Ok(vec!["ObjectiveUpdated"]),
        ),
        (
            key_result("win/new", |f| f.kind = metric(None, 5.0)),
            Err("BASELINE_MISSING"),
        ),
    ] {
        assert_eq!(active.when(command.clone()), outcome, "{command:?}");
    }
    let left = active.clone().and([
        member("jo", "jo@acme", super::super::Role::Lead),
        objective("left", |f| f.owner = Some(id("jo"))),
        delete("members/jo"),
    ]);
    assert_eq!(
        left.when(activate("left")),
        Err("DELETED"),
        "who has left answers for nothing"
    );
    let old = Command::ActivateObjective {
        id: id("later"),
        etag: Etag::Exactly(Revision(1)),
    };
    assert_eq!(active.when(old), Err("ETAG_MISMATCH"));
}

/// "state `DRAFT → ACTIVE → CLOSED` or `CANCELED`".
#[test]
fn what_is_over_changes_no_more() {
    let active = company().and([initiative("win/demos", |_| {}), activate("win")]);
    let closed = active.clone().and([close("win", explained())]);
    let canceled = active.and([cancel("win")]);
    for given in [&closed, &canceled] {
        for (command, reason) in [
            (retitle("win"), "OBJECTIVE_OVER"),
            (key_result("win/new", |_| {}), "OBJECTIVE_OVER"),
            (
                update_key_result("win/deals", |p| p.title = Some(title("x"))),
                "OBJECTIVE_OVER",
            ),
            (initiative("win/new", |_| {}), "OBJECTIVE_OVER"),
            (activate("win"), "OBJECTIVE_NOT_DRAFT"),
            (close("win", explained()), "OBJECTIVE_NOT_ACTIVE"),
            (cancel("win"), "OBJECTIVE_OVER"),
            (cascade("win", &[("sales", "new")]), "OBJECTIVE_OVER"),
            (delete("keyResults/win/deals"), "OBJECTIVE_OVER"),
            (delete("initiatives/win/demos"), "OBJECTIVE_OVER"),
            (saw("win/deals", "c", 1.0), "OBJECTIVE_NOT_ACTIVE"),
        ] {
            let state = given.workspace.objective(&id("win")).unwrap().state;
            assert_eq!(given.when(command.clone()), Err(reason), "{state:?}: {command:?}");
        }
    }
    let over = canceled.and([begin_review("q1"), close_cycle("q1", vec![])]);
    assert_eq!(over.when(objective("new", |_| {})), Err("CYCLE_CLOSED"));
}

/// "**Initiative**: title, owner, due date, …, optional planned and done count ("100 demos"), under an objective, optionally
/// for one of its key results."
#[test]
fn an_initiative_belongs_to_its_objective() {
    let given = company().and([initiative("win/demos", |_| {})]);
    let update = |change: fn(&mut InitiativePatch)| {
        let mut patch = InitiativePatch::default();
        change(&mut patch);
        let Command::CreateInitiative { id, .. } = initiative("win/demos", |_| {}) else {
            unreachable!()
        };
        Command::UpdateInitiative {
            id,
            patch: Box::new(patch),
            etag: Etag::Any,
        }
    };
    for (command, outcome) in [
        (
            initiative("win/new", |f| f.key_result = Some(id("deals"))),
            Ok(vec!["InitiativeCreated"]),
        ),
        (initiative("win/demos", |_| {}), Err("ALREADY_EXISTS")),
        (
            initiative("win/new", |f| f.key_result = Some(id("x"))),
            Err("NOT_FOUND"),
        ),
        (
            initiative("win/new", |f| f.owner = Some(id("x"))),
            Err("NOT_FOUND"),
        ),
        (initiative("x/new", |_| {}), Err("NOT_FOUND")),
        (
            update(|p| p.done_count = Some(Some(0))),
            Ok(vec!["InitiativeUpdated"]),
        ),
        (update(|p| p.done_count = Some(None)), Ok(vec![])),
        (update(|p| p.key_result = Some(Some(id("x")))), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}
