//! Starting an objective from a KPI in trouble.

use super::super::given::*;
use super::super::{
    AlertKind, Ambition, Direction, KeyResultKind, Metric, ObjectiveState, Status, Target, Transform, Window,
    key_result_progress, score_objective,
};

/// KPI `k` of jo in team sales, with a target, measured on 5 January 2026, in a workspace with q1.
fn in_trouble(target: Target, direction: Direction, number: f64) -> Given {
    let owned = move |f: &mut super::super::KpiFields| {
        (f.owner, f.team, f.direction) = (Some(id("jo")), Some(id("sales")), direction);
        f.grace_days = 300;
    };
    given(q1())
        .and([
            team("sales", None),
            member("jo", "jo@acme", super::super::Role::Lead),
        ])
        .and(aimed("k", target, owned))
        .on(1, 5)
        .and([measured("k", 1, 5, number)])
}

fn metric_of(given: &Given, path: &str) -> Metric {
    match &given
        .workspace
        .key_result(&key_result_id(path))
        .unwrap()
        .fields
        .kind
    {
        KeyResultKind::Metric(metric) => metric.clone(),
        other => panic!("no METRIC: {other:?}"),
    }
}

const STARTED: [&str; 2] = ["ObjectiveCreated", "KeyResultCreated"];
const STARTED_AND_PLANNED: [&str; 3] = ["ObjectiveCreated", "KeyResultCreated", "ActionPlanSet"];

/// "creates, in one command, an objective with a key result from the current value to the target (IN_RANGE: the nearer
/// bound)": the bound of the day that the value is judged by.
#[test]
fn the_key_result_leads_from_the_current_value_to_the_bound_that_it_misses() {
    use Direction::{HigherIsBetter, InRange, LowerIsBetter};
    let ramped = Target {
        ramp: Some(ramp(day(1, 9), |r| r.at_least = Some(value(58.0)))),
        ..at_least(50.0)
    };
    let watched = Target {
        critical_at_least: Some(value(0.0)),
        critical_at_most: Some(value(100.0)),
        ..within(10.0, 20.0)
    };
    for (target, direction, number, events, bound) in [
        (
            at_least(50.0),
            HigherIsBetter,
            45.0,
            STARTED_AND_PLANNED.to_vec(),
            50.0,
        ),
        (
            at_least(-50.0),
            HigherIsBetter,
            -70.0,
            STARTED_AND_PLANNED.to_vec(),
            -50.0,
        ),
        (
            at_most(30.0),
            LowerIsBetter,
            45.0,
            STARTED_AND_PLANNED.to_vec(),
            30.0,
        ),
        (
            within(10.0, 20.0),
            InRange,
            7.0,
            STARTED_AND_PLANNED.to_vec(),
            10.0,
        ),
        (
            within(10.0, 20.0),
            InRange,
            29.0,
            STARTED_AND_PLANNED.to_vec(),
            20.0,
        ),
        (watched, InRange, 21.0, STARTED.to_vec(), 20.0),
        (ramped, HigherIsBetter, 53.0, STARTED_AND_PLANNED.to_vec(), 54.0),
        (
            at_least_or_watch(50.0, 40.0),
            HigherIsBetter,
            45.0,
            STARTED.to_vec(),
            50.0,
        ),
    ] {
        let given = in_trouble(target, direction, number);
        let before = given.workspace.revision();
        assert_eq!(
            given.when(start_objective("k", "better", |_| {})),
            Ok(events),
            "{number}"
        );
        let given = given.and([start_objective("k", "better", |_| {})]);
        let metric = metric_of(&given, "better/k");
        let baseline = metric.baseline.unwrap();
        assert_eq!((baseline.value.get(), metric.target.get()), (number, bound));
        assert_eq!(baseline.kpi_revision, Some(before), "as the KPI was known");
        let key_result = &given
            .workspace
            .key_result(&key_result_id("better/k"))
            .unwrap()
            .fields;
        assert_eq!(
            (&key_result.kpi, key_result.window),
            (&Some(id("k")), Window::Newest)
        );
    }
}

/// "linked to the KPI, the alert and its plan": who answers for the KPI answers for the objective, and the plan names it.
#[test]
fn the_objective_is_the_kpis_and_its_alerts_plan() {
    let given = in_trouble(at_least(50.0), Direction::HigherIsBetter, 45.0);
    let alert = given.alert_id("k", AlertKind::Breach);
    let started = given.clone().and([start_objective("k", "better", |_| {})]);
    let objective = started.workspace.objective(&id("better")).unwrap();
    assert_eq!(objective.state, ObjectiveState::Draft);
    let fields = &objective.fields;
    assert_eq!(fields.title.as_str(), "Bring \"k\" back to target");
    assert_eq!(
        (&fields.owner, &fields.team),
        (&Some(id("jo")), &Some(id("sales")))
    );
    assert_eq!(
        (&fields.serves, fields.ambition),
        (&vec![id("k")], Ambition::Committed)
    );
    let from = objective.started_from.clone().unwrap();
    assert_eq!((from.kpi, from.alert), (id("k"), Some(id(&alert))));
    let set = started.alert("k", AlertKind::Breach).plan.clone().unwrap().plan;
    assert_eq!(set.text.as_str(), "Bring \"k\" back to target");
    assert_eq!(
        (set.owner, set.due_date, set.objective),
        (Some(id("jo")), Some(day(3, 31)), Some(id("better")))
    );
    assert!(!started.workspace.kpi(&id("k")).unwrap().needs_action());

    let planned = given
        .clone()
        .and([set_plan("k", &alert, |plan| plan.due_date = Some(day(2, 1)))]);
    let started = planned.and([start_objective("k", "better", |_| {})]);
    let set = started.alert("k", AlertKind::Breach).plan.clone().unwrap().plan;
    let said = plan(|plan| (plan.due_date, plan.objective) = (Some(day(2, 1)), Some(id("better"))));
    assert_eq!(set, said, "what was planned stays");
    let done = given.clone().and([
        set_plan("k", &alert, |plan| plan.due_date = Some(day(2, 1))),
        complete_plan("k", &alert),
        start_objective("k", "better", |_| {}),
    ]);
    let set = done.alert("k", AlertKind::Breach).plan.clone().unwrap();
    assert_eq!(
        (set.plan.due_date, set.plan.objective, set.completed),
        (Some(day(3, 31)), Some(id("better")), None),
        "what is completed has done its part"
    );

    let told = given.and([start_objective("k", "better", |new| {
        (new.title, new.owner, new.team) = (Some(title("Up")), Some(id("maria")), None);
        (new.key_result, new.ambition) = (Some(id("reach")), Ambition::Aspirational);
    })]);
    let fields = &told.workspace.objective(&id("better")).unwrap().fields;
    assert_eq!((fields.title.as_str(), &fields.owner), ("Up", &Some(id("maria"))));
    assert_eq!(fields.ambition, Ambition::Aspirational);
    assert!(told.workspace.key_result(&key_result_id("better/reach")).is_ok());
}

/// A WATCH has no alert and needs none; an alert is named, or is the open BREACH; a closed one asks for nothing.
#[test]
fn an_objective_is_started_from_an_open_alert_or_from_none() {
    let breached = in_trouble(at_least(50.0), Direction::HigherIsBetter, 45.0);
    let alert = breached.alert_id("k", AlertKind::Breach);
    let watch = in_trouble(at_least_or_watch(50.0, 40.0), Direction::HigherIsBetter, 30.0)
        .and([correct_measured("k", 1, 5, 45.0)]);
    let closed = watch.alert_id("k", AlertKind::Breach);
    let stale = in_trouble(at_least(50.0), Direction::HigherIsBetter, 45.0)
        .and([update_kpi("k", |p| p.grace_days = Some(0))])
        .on(2, 1);
    let stale_alert = stale.alert_id("k", AlertKind::Stale);
    let with = |alert: &str| {
        let alert = id(alert);
        start_objective("k", "better", |new| new.alert = Some(alert))
    };
    for (case, given, command, outcome) in [
        ("named", &breached, with(&alert), Ok(STARTED_AND_PLANNED.to_vec())),
        ("not there", &breached, with("breach-999"), Err("NOT_FOUND")),
        ("closed", &watch, with(&closed), Err("ALERT_CLOSED")),
        (
            "none",
            &watch,
            start_objective("k", "better", |_| {}),
            Ok(STARTED.to_vec()),
        ),
        (
            "another kind",
            &stale,
            with(&stale_alert),
            Ok(STARTED_AND_PLANNED.to_vec()),
        ),
    ] {
        assert_eq!(given.when(command), outcome, "{case}");
    }
    let started = watch.and([start_objective("k", "better", |_| {})]);
    let from = started
        .workspace
        .objective(&id("better"))
        .unwrap()
        .started_from
        .clone();
    assert_eq!(from.map(|from| from.alert), Some(None));
}

/// "(WATCH or BREACHED)": a KPI that is not in trouble starts nothing, nor does what is not there or is taken.
#[test]
fn what_is_not_in_trouble_starts_nothing() {
    let given = in_trouble(at_least(50.0), Direction::HigherIsBetter, 45.0);
    let start = || start_objective("k", "better", |_| {});
    let healthy = given.clone().on(1, 6).and([measured("k", 1, 6, 50.0)]);
    let aimless = given.clone().and([aim_no_more("k", day(1, 1))]);
    let unfed = given.clone().and([retract_measured("k", 1, 5)]);
    let closed = given.clone().and([begin_review("q1"), close_cycle("q1", vec![])]);
    let taken = given.clone().and([objective("better", |_| {})]);
    let deleted = taken.clone().and([delete("objectives/better")]);
    let nobody = |new: &mut super::super::StartObjective| new.owner = Some(id("x"));
    for (case, given, command, outcome) in [
        ("healthy", &healthy, start(), "KPI_NOT_IN_TROUBLE"),
        ("without a target", &aimless, start(), "KPI_NOT_IN_TROUBLE"),
        ("without a value", &unfed, start(), "KPI_NOT_IN_TROUBLE"),
        (
            "archived",
            &given.clone().and([archive("k")]),
            start(),
            "KPI_ARCHIVED",
        ),
        (
            "deleted",
            &given.clone().and([delete("kpis/k")]),
            start(),
            "DELETED",
        ),
        (
            "not there",
            &given,
            start_objective("x", "better", |_| {}),
            "NOT_FOUND",
        ),
        ("cycle closed", &closed, start(), "CYCLE_CLOSED"),
        (
            "no such cycle",
            &given,
            start_objective("k", "better", |new| new.cycle = id("x")),
            "NOT_FOUND",
        ),
        (
            "no such owner",
            &given,
            start_objective("k", "better", nobody),
            "NOT_FOUND",
        ),
        (
            "no such team",
            &given,
            start_objective("k", "better", |new| new.team = Some(id("x"))),
            "NOT_FOUND",
        ),
        ("objective taken", &taken, start(), "ALREADY_EXISTS"),
        ("a deleted name stays taken", &deleted, start(), "ALREADY_EXISTS"),
    ] {
        assert_eq!(given.when(command), Err(outcome), "{case}");
    }
}

/// Who has left, and a team that is gone, are left out: the objective waits for an owner.
#[test]
fn an_owner_who_left_is_not_taken_over() {
    let given = in_trouble(at_least(50.0), Direction::HigherIsBetter, 45.0)
        .and([delete("members/jo"), delete("teams/sales")])
        .and([start_objective("k", "better", |_| {})]);
    let fields = &given.workspace.objective(&id("better")).unwrap().fields;
    assert_eq!((&fields.owner, &fields.team), (&None, &None));
    assert_eq!(
        given
            .alert("k", AlertKind::Breach)
            .plan
            .clone()
            .unwrap()
            .plan
            .owner,
        None
    );
    assert_eq!(given.when(activate("better")), Err("OWNER_MISSING"));
}

/// It is activated as it is, begins at 0, and rises with the KPI.
#[test]
fn a_started_objective_is_activated_and_rises_with_its_kpi() {
    let cases = [
        (at_least(50.0), Direction::HigherIsBetter, 40.0, 45.0, 50.0),
        (at_most(20.0), Direction::LowerIsBetter, 40.0, 30.0, 20.0),
        (within(10.0, 20.0), Direction::InRange, 40.0, 30.0, 20.0),
        (within(10.0, 20.0), Direction::InRange, 2.0, 6.0, 10.0),
    ];
    for (target, direction, begins, half, reached) in cases {
        let given = in_trouble(target, direction, begins)
            .and([start_objective("k", "better", |_| {}), activate("better")]);
        let path = key_result_id("better/k");
        let score = |given: &Given| {
            let key_result = given.workspace.key_result(&path).unwrap();
            let found = key_result_progress(&given.workspace, &path, key_result).unwrap();
            let objective = score_objective(&given.workspace, &id("better")).unwrap();
            assert_eq!(objective.score, Some(found.score));
            (found.score, found.current)
        };
        assert_eq!(score(&given), (0.0, Some(begins)));
        let given = given.on(1, 6).and([measured("k", 1, 6, half)]);
        assert_eq!(score(&given), (0.5, Some(half)));
        let given = given.on(1, 7).and([measured("k", 1, 7, reached)]);
        assert_eq!(score(&given), (1.0, Some(reached)));
        assert!(
            given.open("k").iter().all(|kind| *kind != AlertKind::Breach),
            "and the alert has closed"
        );
        assert_eq!(
            score_objective(&given.workspace, &id("better")).unwrap().status,
            Status::Achieved
        );
    }
    // What is judged is a change in percent: so is the key result.
    let changing = |f: &mut super::super::KpiFields| f.transform = Some(Transform::ChangePercent);
    let given = given(q1())
        .and(aimed("k", at_least(10.0), changing))
        .on(1, 5)
        .and([measured("k", 1, 4, 100.0), measured("k", 1, 5, 105.0)])
        .and([start_objective("k", "better", |new| {
            new.owner = Some(id("maria"))
        })]);
    let metric = metric_of(&given, "better/k");
    assert_eq!(
        (metric.baseline.unwrap().value.get(), metric.target.get()),
        (5.0, 10.0)
    );
}
