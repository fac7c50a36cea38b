//! Objectives, key results, initiatives and check-ins.

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Alignment, Command, Confidence, Direction, Effective, Etag, InitiativePatch, KeyResultKind, Revision,
    Text, Timestamp, Unit, UnitKind,
};

fn company() -> Given {
    given(q1()).and([
        team("sales", None),
        kpi("nps", |_| {}),
        objective("win", |_| {}),
        key_result("win/deals", |_| {}),
    ])
}

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
    let old = Command::ActivateObjective {
        id: id("later"),
        etag: Etag::Exactly(Revision(1)),
    };
    assert_eq!(active.when(old), Err("ETAG_MISMATCH"));
}

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

#[test]
fn a_key_result_goes_somewhere_and_not_against_its_kpi() {
    let given = company().and([
        kpi("churn", |f| f.direction = Direction::LowerIsBetter),
        kpi("ph", |f| f.direction = Direction::InRange),
        kpi("empty", |_| {}),
        measured("nps", 1, 1, 40.0),
        measured("churn", 1, 1, 9.0),
    ]);
    let of = |kpi: &'static str, baseline: Option<f64>, target: f64| {
        key_result("win/new", move |fields| {
            fields.kpi = Some(id(kpi));
            fields.kind = metric(baseline, target);
        })
    };
    for (command, outcome) in [
        (key_result("win/new", |_| {}), Ok(vec!["KeyResultCreated"])),
        (key_result("win/deals", |_| {}), Err("ALREADY_EXISTS")),
        (key_result("x/new", |_| {}), Err("NOT_FOUND")),
        (
            key_result("win/new", |f| f.owner = Some(id("jo"))),
            Err("NOT_FOUND"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 5.0)),
            Err("TARGET_IS_BASELINE"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 5.0 + 5e-10)),
            Err("TARGET_IS_BASELINE"),
        ),
        (
            key_result("win/new", |f| f.kind = metric(Some(5.0), 4.0)),
            Ok(vec!["KeyResultCreated"]),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2026, 3, 31))),
            Ok(vec!["KeyResultCreated"]),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2026, 4, 1))),
            Err("INVALID_FIELD"),
        ),
        (
            key_result("win/new", |f| f.due_date = Some(date(2025, 12, 31))),
            Err("INVALID_FIELD"),
        ),
        (of("nps", None, 50.0), Ok(vec!["KeyResultCreated"])),
        (of("nps", None, 30.0), Err("WRONG_DIRECTION")),
        (of("nps", None, 40.0), Err("TARGET_IS_BASELINE")),
        (of("churn", None, 5.0), Ok(vec!["KeyResultCreated"])),
        (of("churn", Some(1.0), 5.0), Err("WRONG_DIRECTION")),
        (of("ph", Some(1.0), 5.0), Ok(vec!["KeyResultCreated"])),
        (of("ph", Some(5.0), 1.0), Ok(vec!["KeyResultCreated"])),
        (of("empty", None, 5.0), Ok(vec!["KeyResultCreated"])),
        (of("none", None, 5.0), Err("NOT_FOUND")),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

#[test]
fn a_baseline_comes_from_the_kpi_and_never_moves_by_itself() {
    let linked = key_result("win/nps", |fields| {
        fields.kpi = Some(id("nps"));
        fields.kind = metric(None, 65.0);
    });
    let given = company().and([measured("nps", 1, 1, 40.0), linked]);
    let baseline = |given: &Given| {
        let key_result = given.workspace.key_result(&key_result_id("win/nps")).unwrap();
        let KeyResultKind::Metric(metric) = &key_result.fields.kind else {
            panic!("another kind");
        };
        metric
            .baseline
            .map(|baseline| (baseline.value.get(), baseline.kpi_revision.is_some()))
    };
    assert_eq!(baseline(&given), Some((40.0, true)));
    let later = given.on(1, 9).and([measured("nps", 1, 9, 50.0)]);
    assert_eq!(
        baseline(&later),
        Some((40.0, true)),
        "the KPI moves, the baseline does not"
    );
    let sent_back = update_key_result("win/nps", |p| p.kind = Some(metric(Some(40.0), 65.0)));
    assert_eq!(
        later.when(sent_back),
        Ok(vec![]),
        "what was read and is sent back changes nothing"
    );
    let given_anew = later.and([update_key_result("win/nps", |p| {
        p.kind = Some(metric(Some(41.0), 65.0))
    })]);
    assert_eq!(baseline(&given_anew), Some((41.0, false)));
}

#[test]
fn changing_an_active_key_results_metric_needs_a_reason() {
    let draft = company();
    let change = || update_key_result("win/deals", |p| p.kind = Some(metric(Some(0.0), 20.0)));
    assert_eq!(draft.when(change()), Ok(vec!["KeyResultUpdated"]));
    let active = draft.and([activate("win")]);
    assert_eq!(active.when(change()), Err("REASON_MISSING"));
    assert_eq!(
        active.when(update_key_result("win/deals", |p| p.title = Some(title("x")))),
        Ok(vec!["KeyResultUpdated"])
    );
    assert_eq!(
        active.because("we aimed too low").when(change()),
        Ok(vec!["KeyResultUpdated"])
    );
}

#[test]
fn a_check_in_says_something_that_has_happened_and_that_no_kpi_says() {
    let count = Unit::parse(UnitKind::Count, "", None).unwrap();
    let given = company().and([
        key_result("win/nps", |fields| {
            fields.kpi = Some(id("nps"));
            fields.kind = metric(Some(1.0), 2.0);
        }),
        key_result("win/counted", |f| f.unit = Some(count)),
    ]);
    let saying = |path: &str, number: f64| check_in(path, "c", |c| c.value = Some(value(number)));
    assert_eq!(given.when(saying("win/deals", 1.0)), Err("OBJECTIVE_NOT_ACTIVE"));
    let given = given.and([
        activate("win"),
        check_in("win/deals", "first", |c| c.value = Some(value(1.0))),
    ]);
    let at = |effective: Effective| {
        check_in("win/deals", "c", move |c| {
            c.effective = effective;
            c.value = Some(value(2.0));
        })
    };
    let soon = |seconds: i64| Effective::At(super::super::given::at(2026, 1, 1, 12).plus_seconds(seconds));
    for (command, outcome) in [
        (saying("win/deals", 1.0), Ok(vec!["CheckInRecorded"])),
        (saying("win/x", 1.0), Err("NOT_FOUND")),
        (
            check_in("win/deals", "first", |c| c.value = Some(value(1.0))),
            Err("ALREADY_EXISTS"),
        ),
        (check_in("win/deals", "c", |_| {}), Err("INVALID_FIELD")),
        (saying("win/counted", 1.5), Err("INVALID_FIELD")),
        (saying("win/nps", 1.0), Err("VALUE_COMES_FROM_KPI")),
        (
            check_in("win/nps", "c", |c| {
                c.confidence = Some(Confidence::parse(0.5).unwrap())
            }),
            Ok(vec!["CheckInRecorded"]),
        ),
        (
            check_in("win/nps", "c", |c| c.comment = Text::parse("well").unwrap()),
            Ok(vec!["CheckInRecorded"]),
        ),
        (at(soon(300)), Ok(vec!["CheckInRecorded"])),
        (at(soon(301)), Err("EFFECTIVE_TIME_IN_FUTURE")),
        (at(Effective::At(Timestamp::MAX)), Err("EFFECTIVE_TIME_IN_FUTURE")),
        (at(Effective::At(Timestamp::MIN)), Ok(vec!["CheckInRecorded"])),
        (at(Effective::On(date(2026, 1, 1))), Ok(vec!["CheckInRecorded"])),
        (
            at(Effective::On(date(2026, 1, 2))),
            Err("EFFECTIVE_TIME_IN_FUTURE"),
        ),
    ] {
        assert_eq!(given.when(command.clone()), outcome, "{command:?}");
    }
}

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
