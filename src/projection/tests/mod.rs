//! Scores and status over time, as tables: given, when a day comes, then the figures.

use jiff::civil::date;

use super::State;
use crate::domain::given::*;
use crate::domain::{Alignment, Ambition, Command, Effective, Status, StatusOverride, TeamCycle, Weight};

fn state_of(given: &Given) -> State {
    let mut state = State::empty();
    for commit in &given.commits {
        state.apply(commit);
    }
    assert_eq!(state.workspace(), &given.workspace);
    state
}

/// Objective win, active since 1 January, with key result deals from 0 to 10.
fn company(ambition: Ambition) -> Given {
    given(q1()).and([
        objective("win", |fields| fields.ambition = ambition),
        key_result("win/deals", |_| {}),
        activate("win"),
    ])
}

fn saw(name: &str, number: f64) -> Command {
    check_in("win/deals", name, |check_in| check_in.value = Some(value(number)))
}

/// Score and status of a key result; none while it does not count.
fn key_result_of(given: &Given, path: &str) -> Option<(f64, Status)> {
    let state = state_of(given);
    state
        .figures()
        .key_result(&key_result_id(path))
        .map(|progress| (progress.score, progress.status))
}

fn objective_of(given: &Given, name: &str) -> Option<(Option<f64>, Status)> {
    state_of(given)
        .figures()
        .objective(&id(name))
        .map(|progress| (progress.score, progress.status))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn a_status_is_the_score_against_what_is_expected_today() {
    use Ambition::{Aspirational, Committed};
    use Status::{Achieved, AtRisk, Behind, NotStarted, OnTrack};
    // The cycle has 90 days: on 15 February half of it has passed, on 1 April all.
    for (ambition, (month, day), seen, expected, status) in [
        (Committed, (1, 1), None, 0.0, NotStarted),
        (Committed, (1, 10), None, 0.1, NotStarted),
        (Committed, (1, 11), None, 1.0 / 9.0, Behind),
        (Committed, (1, 24), None, 23.0 / 90.0, AtRisk),
        (Committed, (2, 15), Some(4.0), 0.5, OnTrack),
        (Committed, (2, 15), Some(3.9), 0.5, Behind),
        (Committed, (2, 15), Some(2.5), 0.5, Behind),
        (Committed, (2, 15), Some(2.4), 0.5, AtRisk),
        (Committed, (2, 15), Some(-3.0), 0.5, AtRisk),
        (Committed, (2, 15), Some(9.9), 0.5, OnTrack),
        (Committed, (2, 15), Some(10.0), 0.5, Achieved),
        (Committed, (2, 15), Some(15.0), 0.5, Achieved),
        (Committed, (4, 1), Some(9.5), 1.0, Behind),
        (Committed, (4, 1), Some(10.0), 1.0, Achieved),
        (Committed, (4, 1), Some(7.4), 1.0, AtRisk),
        (Aspirational, (2, 15), Some(2.5), 0.35, OnTrack),
        (Aspirational, (2, 15), Some(7.0), 0.35, Achieved),
        (Aspirational, (4, 1), Some(6.9), 0.7, Behind),
        (Aspirational, (4, 1), Some(7.0), 0.7, Achieved),
    ] {
        let today = (month, day);
        let said = format!("{ambition:?}, {today:?}, {seen:?}");
        let last_day = today.min((3, 31));
        let given = company(ambition)
            .on(last_day.0, last_day.1)
            .and(seen.map(|number| saw("c", number)))
            .on(month, day);
        let state = state_of(&given);
        let progress = state.figures().key_result(&key_result_id("win/deals")).unwrap();
        assert!(close(progress.expected, expected), "{said}: {progress:?}");
        assert_eq!(progress.status, status, "{said}");
        assert_eq!(progress.current, seen, "{said}");
        assert_eq!(progress.progress, seen.unwrap_or(0.0) / 10.0, "raw: {said}");
        assert_eq!(progress.score, progress.progress.clamp(0.0, 1.0), "{said}");
        let objective = state.figures().objective(&id("win")).unwrap();
        assert_eq!(
            (objective.score, objective.status),
            (Some(progress.score), status),
            "{said}"
        );
        assert_eq!(objective.worst_status, Some(status), "{said}");
    }
}

#[test]
fn expected_progress_runs_from_activation_and_creation_to_the_due_date() {
    let later = given(q1())
        .and([
            objective("win", |_| {}),
            key_result("win/deals", |f| f.due_date = Some(date(2026, 2, 1))),
        ])
        .on(1, 23)
        .and([activate("win")])
        .on(1, 28)
        .and([key_result("win/new", |_| {})]);
    let expected = |given: &Given, path: &str| {
        state_of(given)
            .figures()
            .key_result(&key_result_id(path))
            .unwrap()
            .expected
    };
    assert!(
        close(expected(&later, "win/deals"), 0.5),
        "5 of the 10 days from activation to due date"
    );
    assert_eq!(expected(&later, "win/new"), 0.0, "on the day it was created");
    let over = later.on(2, 2);
    assert_eq!(expected(&over, "win/deals"), 1.0);
    assert_eq!(key_result_of(&over, "win/deals").unwrap().1, Status::AtRisk);
}

#[test]
fn an_override_stands_until_the_next_check_in_or_until_it_is_outdated() {
    let overridden =
        company(Ambition::Committed)
            .on(2, 15)
            .and([check_in("win/deals", "worried", |check_in| {
                check_in.value = Some(value(10.0));
                check_in.status_override = Some(StatusOverride::AtRisk);
            })]);
    let status = |given: &Given| key_result_of(given, "win/deals").unwrap().1;
    assert_eq!(status(&overridden), Status::AtRisk);
    assert_eq!(
        status(&overridden.clone().on(2, 25)),
        Status::AtRisk,
        "a week and three days"
    );
    assert_eq!(
        status(&overridden.clone().on(2, 26)),
        Status::Achieved,
        "outdated"
    );
    let earlier = check_in("win/deals", "late", |check_in| {
        check_in.effective = Effective::At(at(2026, 2, 14, 12));
        check_in.value = Some(value(1.0));
    });
    assert_eq!(
        status(&overridden.clone().and([earlier])),
        Status::AtRisk,
        "the next by effective time"
    );
    assert_eq!(
        status(&overridden.on(2, 16).and([saw("next", 10.0)])),
        Status::Achieved
    );
}

#[test]
fn silence_is_outdated_and_is_counted_from_activation() {
    let outdated = |given: &Given| {
        let state = state_of(given);
        let of_key_result = state
            .figures()
            .key_result(&key_result_id("win/deals"))
            .unwrap()
            .outdated;
        assert_eq!(
            state.figures().objective(&id("win")).unwrap().outdated,
            of_key_result
        );
        of_key_result
    };
    let quiet = company(Ambition::Committed);
    assert!(!outdated(&quiet.clone().on(1, 11)) && outdated(&quiet.clone().on(1, 12)));
    let heard = quiet.on(1, 12).and([saw("c", 1.0)]);
    assert!(!outdated(&heard.clone().on(1, 22)) && outdated(&heard.on(1, 23)));
    let activated_late = given(q1())
        .and([objective("win", |_| {}), key_result("win/deals", |_| {})])
        .on(2, 1)
        .and([activate("win")]);
    assert!(!outdated(&activated_late.clone().on(2, 11)) && outdated(&activated_late.on(2, 12)));
    let heard_to_the_end = company(Ambition::Committed)
        .on(3, 25)
        .and([saw("c", 1.0)])
        .on(6, 1);
    assert!(
        !outdated(&heard_to_the_end),
        "behind the cycle's last day nobody has to check in"
    );
}

#[test]
fn the_newest_check_in_of_the_cycle_counts_by_effective_time() {
    let given = company(Ambition::Committed).on(2, 15).and([saw("now", 5.0)]);
    let dated = |name: &str, when: Effective, number: f64| {
        check_in("win/deals", name, |check_in| {
            check_in.effective = when;
            check_in.value = Some(value(number));
        })
    };
    let score = |given: &Given| key_result_of(given, "win/deals").unwrap().0;
    let backdated = given.and([dated("earlier", Effective::On(date(2026, 2, 1)), 9.0)]);
    assert_eq!(score(&backdated), 0.5);
    let before = company(Ambition::Committed).and([dated("before", Effective::On(date(2025, 12, 31)), 9.0)]);
    assert_eq!(
        key_result_of(&before, "win/deals"),
        Some((0.0, Status::NotStarted)),
        "not of this cycle"
    );
    let behind = company(Ambition::Committed).on(4, 1).and([saw("behind", 9.0)]);
    assert_eq!(score(&behind), 0.0, "not of this cycle either");
    let commented = backdated
        .on(2, 16)
        .and([check_in("win/deals", "words", |check_in| {
            check_in.confidence = Some(crate::domain::Confidence::parse(0.3).unwrap());
        })]);
    assert_eq!(
        score(&commented),
        0.5,
        "a check-in without a value keeps the value before"
    );
}

#[test]
fn a_key_result_follows_its_kpi_also_into_the_past() {
    let given = given(q1()).and([
        kpi("nps", |_| {}),
        objective("win", |_| {}),
        key_result("win/nps", |fields| {
            fields.kpi = Some(id("nps"));
            fields.kind = metric(Some(40.0), 60.0);
        }),
        activate("win"),
        measured("nps", 1, 1, 45.0),
    ]);
    let score = |given: &Given| key_result_of(given, "win/nps").unwrap().0;
    assert_eq!(score(&given), 0.25, "live");
    let given = given.on(1, 5).and([measured("nps", 1, 4, 50.0)]);
    assert_eq!(score(&given), 0.5);
    let backdated = given.clone().and([measured("nps", 1, 2, 60.0)]);
    assert_eq!(score(&backdated), 0.5, "not the newest");
    let corrected = given.clone().and([measured("nps", 1, 4, 55.0)]);
    assert_eq!(
        score(&corrected),
        0.75,
        "the correction of the newest reaches the score"
    );
    assert_eq!(objective_of(&corrected, "win").unwrap().0, Some(0.75));
    let before = given.and([Command::RecordMeasurements(vec![measurement(
        "nps",
        Effective::On(date(2025, 12, 31)),
        60.0,
    )])]);
    assert_eq!(score(&before), 0.5, "not of this cycle");
}

#[test]
fn an_objectives_score_is_the_weighted_mean_of_what_counts() {
    let weighing = |weights: [f64; 2]| {
        let [first, second] = weights.map(|weight| Weight::parse(weight).unwrap());
        given(q1()).and([
            objective("win", |_| {}),
            key_result("win/a", |f| f.weight = first),
            key_result("win/b", |f| f.weight = second),
            activate("win"),
            check_in("win/a", "c", |check_in| check_in.value = Some(value(10.0))),
        ])
    };
    for (weights, score, status) in [
        ([1.0, 1.0], Some(0.5), Status::OnTrack),
        ([3.0, 1.0], Some(0.75), Status::OnTrack),
        ([1.0, 0.0], Some(1.0), Status::Achieved),
        ([0.0, 0.0], None, Status::Unmeasured),
        ([0.0, 1000.0], Some(0.0), Status::OnTrack),
    ] {
        assert_eq!(
            objective_of(&weighing(weights), "win"),
            Some((score, status)),
            "{weights:?}"
        );
    }
    let empty = given(q1()).and([objective("win", |_| {}), activate("win")]);
    assert_eq!(objective_of(&empty, "win"), Some((None, Status::Unmeasured)));
    let draft = given(q1()).and([objective("win", |_| {}), key_result("win/a", |_| {})]);
    assert_eq!(
        (objective_of(&draft, "win"), key_result_of(&draft, "win/a")),
        (None, None)
    );
}

#[test]
fn three_times_seven_tenths_is_the_aspirational_bar() {
    let key_results = ["win/a", "win/b", "win/c"];
    let given = given(q1())
        .and([objective("win", |fields| {
            fields.ambition = Ambition::Aspirational
        })])
        .and(key_results.map(|path| key_result(path, |_| {})))
        .and([activate("win")])
        .and(key_results.map(|path| check_in(path, "c", |check_in| check_in.value = Some(value(7.0)))));
    assert_eq!(objective_of(&given, "win").unwrap().1, Status::Achieved);
}

#[test]
fn scores_go_up_to_team_cycle_and_workspace() {
    let in_cycle = |name: &str, cycle: &'static str, team: Option<&'static str>, weight: f64, score: f64| {
        let path = format!("{name}/k");
        let fields = move |fields: &mut crate::domain::ObjectiveFields| {
            fields.cycle = id(cycle);
            fields.team = team.map(id);
            fields.weight = Weight::parse(weight).unwrap();
        };
        [
            objective(name, fields),
            key_result(&path, |_| {}),
            activate(name),
            check_in(&path, "c", |check_in| check_in.value = Some(value(score * 10.0))),
        ]
    };
    let given = given(q1())
        .and([team("sales", None), team("south", Some("sales"))])
        .and([
            cycle("year", date(2026, 1, 1), date(2026, 12, 31), None),
            activate_cycle("year"),
        ])
        .and([
            cycle("idle", date(2026, 1, 1), date(2026, 12, 31), None),
            activate_cycle("idle"),
        ])
        .and(in_cycle("a", "q1", Some("sales"), 1.0, 0.5))
        .and(in_cycle("b", "q1", Some("south"), 3.0, 0.1))
        .and(in_cycle("c", "q1", None, 4.0, 0.0))
        .and(in_cycle("d", "year", Some("sales"), 1.0, 1.0));
    let state = state_of(&given);
    let figures = state.figures();
    let team = |team: &str, cycle: &str| {
        let of = TeamCycle {
            team: id(team),
            cycle: id(cycle),
        };
        figures
            .team(&of.team)
            .find(|(cycle, _)| **cycle == of.cycle)
            .map(|(_, score)| score)
    };
    assert_eq!(
        team("sales", "q1"),
        Some(0.5),
        "its own objectives, not its sub-team's"
    );
    assert!(close(team("south", "q1").unwrap(), 0.1));
    assert_eq!(team("sales", "year"), Some(1.0));
    assert!(close(figures.cycle(&id("q1")).unwrap(), 0.8 / 8.0), "by weight");
    assert_eq!(figures.cycle(&id("idle")), None);
    assert!(
        close(figures.workspace().unwrap(), (0.1 + 1.0) / 2.0),
        "its active cycles that have a score"
    );
    let moved = given.and([objective("e", |fields| {
        fields.aligned_to = Some(Alignment::Objective(id("a")))
    })]);
    assert_eq!(
        state_of(&moved).figures().cycle(&id("q1")),
        figures.cycle(&id("q1")),
        "aligned is shown, not counted"
    );
}
