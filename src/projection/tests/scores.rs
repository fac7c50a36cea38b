//! Scores: of an objective, a team, a cycle and the workspace, and what counts in them.

use jiff::civil::date;

use super::*;
use crate::domain::{Alignment, ObjectiveFields, Status};

/// "**Objective score** = Σ wᵢ sᵢ ÷ Σ wᵢ over its key results that count. None, or all weights 0: the score is *absent* (not 0, not NaN)
/// and the status `UNMEASURED`."
#[test]
fn an_objectives_score_is_the_weighted_mean_of_what_counts() {
    let weighing = |weights: [f64; 2]| {
        let [first, second] = weights.map(weight);
        given(q1()).and([
            objective("win", |_| {}),
            key_result("win/a", |f| f.weight = first),
            key_result("win/b", |f| f.weight = second),
            activate("win"),
            saw("win/a", "c", 10.0),
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
            score_and_status(&weighing(weights), "win"),
            Some((score, status)),
            "{weights:?}"
        );
    }
    let empty = given(q1()).and([objective("win", |_| {}), activate("win")]);
    assert_eq!(score_and_status(&empty, "win"), Some((None, Status::Unmeasured)));
    let draft = given(q1()).and([objective("win", |_| {}), key_result("win/a", |_| {})]);
    assert_eq!(
        (score_and_status(&draft, "win"), key_result_of(&draft, "win/a")),
        (None, None)
    );
}

/// An ACTIVE objective of a team in a cycle, with a weight and a score.
fn scoring(
    name: &str,
    cycle: &'static str,
    team: Option<&'static str>,
    weighs: f64,
    score: f64,
) -> [Command; 4] {
    let path = format!("{name}/k");
    let fields = move |fields: &mut ObjectiveFields| {
        fields.cycle = id(cycle);
        fields.team = team.map(id);
        fields.weight = weight(weighs);
    };
    [
        objective(name, fields),
        key_result(&path, |_| {}),
        activate(name),
        saw(&path, "c", score * 10.0),
    ]
}

/// "**Team** score: weighted mean over its own objectives of one cycle; sub-teams answered beside it. **Cycle**: its own objectives,
/// nested cycles beside. **Workspace**: its ACTIVE cycles."
#[test]
fn scores_go_up_to_team_cycle_and_workspace() {
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
        .and(scoring("a", "q1", Some("sales"), 1.0, 0.5))
        .and(scoring("b", "q1", Some("south"), 3.0, 0.1))
        .and(scoring("c", "q1", None, 4.0, 0.0))
        .and(scoring("d", "year", Some("sales"), 1.0, 1.0));
    assert_eq!(
        team_of(&given, "sales", "q1"),
        Some(0.5),
        "its own objectives, not its sub-team's"
    );
    assert!(close_to(team_of(&given, "south", "q1").unwrap(), 0.1));
    assert_eq!(team_of(&given, "sales", "year"), Some(1.0));
    assert!(close_to(cycle_of(&given, "q1").unwrap(), 0.8 / 8.0), "by weight");
    assert_eq!(cycle_of(&given, "idle"), None);
    assert!(
        close_to(workspace_of(&given).unwrap(), (0.1 + 1.0) / 2.0),
        "its active cycles that have a score"
    );
    let aligned = given.clone().and([objective("e", |fields| {
        fields.aligned_to = Some(Alignment::Objective(id("a")));
    })]);
    assert_eq!(
        cycle_of(&aligned, "q1"),
        cycle_of(&given, "q1"),
        "aligned is shown, not counted"
    );
}

/// "**Cycle**: its own objectives, nested cycles beside. **Workspace**: its ACTIVE cycles."
#[test]
fn a_nested_cycle_has_a_score_beside_its_parents_and_only_active_ones_make_the_workspaces() {
    let year = (date(2026, 1, 1), date(2026, 12, 31));
    let given = given([
        cycle("year", year.0, year.1, None),
        cycle("q1", year.0, date(2026, 3, 31), Some("year")),
        activate_cycle("year"),
        activate_cycle("q1"),
    ])
    .and(scoring("far", "year", None, 1.0, 0.2))
    .and(scoring("near", "q1", None, 1.0, 1.0))
    .because("it was too early");
    assert_close(cycle_of(&given, "year"), Some(0.2), "its own");
    assert_close(cycle_of(&given, "q1"), Some(1.0), "its own");
    assert_close(workspace_of(&given), Some(0.6), "both");
    let in_review = given.and([begin_review("q1")]);
    assert_close(workspace_of(&in_review), Some(0.2), "what is reviewed is over");
    assert_close(cycle_of(&in_review, "q1"), Some(1.0), "and keeps its score");
    let closed = in_review.and([close_cycle("q1", vec![])]);
    assert_close(workspace_of(&closed), Some(0.2), "closed");
    let reopened = closed.and([reopen_cycle("q1")]);
    assert_close(workspace_of(&reopened), Some(0.2), "in review again");
    let none = reopened.and([begin_review("year")]);
    assert_close(workspace_of(&none), None, "no ACTIVE cycle");
}

/// "**What counts**: ACTIVE with its live score, CLOSED with its frozen one; DRAFT, CANCELED, POSTPONED and deleted nowhere."
#[test]
fn what_counts_is_active_or_closed_and_nothing_else() {
    let given = given(q1())
        .and([
            cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
            team("sales", None),
        ])
        .and(scoring("one", "q1", Some("sales"), 1.0, 0.2))
        .and(scoring("other", "q1", Some("sales"), 3.0, 1.0));
    for (commands, score) in [
        (vec![], Some(0.8)),
        (vec![close("other", explained())], Some(0.8)),
        (vec![close("one", explained())], Some(0.8)),
        (vec![cancel("other")], Some(0.2)),
        (vec![delete("objectives/other")], Some(0.2)),
        (vec![delete("keyResults/other/k")], Some(0.2)),
        (vec![carry_over("other", "on", "q2")], Some(0.2)),
        (
            vec![close("other", explained()), delete("objectives/other")],
            Some(0.2),
        ),
        (
            vec![close("other", explained()), carry_over("other", "on", "q2")],
            Some(0.8),
        ),
        (
            vec![objective("draft", |_| {}), key_result("draft/k", |_| {})],
            Some(0.8),
        ),
        (vec![objective("empty", |_| {}), activate("empty")], Some(0.8)),
        (vec![cancel("one"), cancel("other")], None),
        (
            vec![update_objective("other", |p| p.weight = Some(weight(0.0)))],
            Some(0.2),
        ),
        (
            vec![
                update_objective("one", |p| p.weight = Some(weight(0.0))),
                update_objective("other", |p| p.weight = Some(weight(0.0))),
            ],
            None,
        ),
    ] {
        let said = format!("{commands:?}");
        let given = given.clone().and(commands);
        assert_close(team_of(&given, "sales", "q1"), score, &said);
        assert_close(cycle_of(&given, "q1"), score, &said);
        assert_close(workspace_of(&given), score, &said);
        assert_close(cycle_of(&given, "q2"), None, &said);
    }
    let again = given.because("not yet").and([cancel("other"), reopen("other")]);
    assert_close(cycle_of(&again, "q1"), Some(0.8), "reopened, it counts again");
    let given = again.and([
        close("other", explained()),
        reopen("other"),
        saw("other/k", "d", 2.0),
    ]);
    assert_close(cycle_of(&given, "q1"), Some(0.2), "and live");
}

/// "weighted mean over its own objectives of one cycle": whoever they belong to now.
#[test]
fn an_objective_that_moves_takes_its_score_along() {
    let given = given(q1())
        .and([
            team("sales", None),
            team("support", None),
            cycle("year", date(2026, 1, 1), date(2026, 12, 31), None),
            activate_cycle("year"),
        ])
        .and(scoring("one", "q1", Some("sales"), 1.0, 0.2))
        .and(scoring("other", "q1", Some("support"), 1.0, 1.0));
    let team = |to: Option<&'static str>| update_objective("one", move |p| p.team = Some(to.map(id)));
    for (to, sales, support) in [
        (Some("sales"), Some(0.2), Some(1.0)),
        (Some("support"), None, Some(0.6)),
        (None, None, Some(1.0)),
    ] {
        let given = given.clone().and([team(to)]);
        assert_close(team_of(&given, "sales", "q1"), sales, &format!("{to:?}"));
        assert_close(team_of(&given, "support", "q1"), support, &format!("{to:?}"));
        assert_close(cycle_of(&given, "q1"), Some(0.6), &format!("{to:?}"));
    }
    let helping = update_objective("one", |p| p.contributing_teams = Some(vec![id("support")]));
    let helped = given.and([helping]);
    assert_close(
        team_of(&helped, "support", "q1"),
        Some(1.0),
        "to help is not to own",
    );
    let draft = helped.and([
        objective("late", |f| f.team = Some(id("sales"))),
        key_result("late/k", |_| {}),
        update_objective("late", |p| p.cycle = Some(id("year"))),
        activate("late"),
        saw("late/k", "c", 5.0),
    ]);
    assert_close(team_of(&draft, "sales", "year"), Some(0.5), "in its new cycle");
    assert_close(
        team_of(&draft, "sales", "q1"),
        Some(0.2),
        "and not in its old one",
    );
}
