//! Scores and status over time, as tables: given, when a day comes, then the figures.

mod closing;
mod deletion;
mod effect;
mod expected;
mod names;
mod observation;
mod roll_up;
mod scores;
mod series;
mod silence;
mod status;
mod windows;

use super::State;
use crate::domain::given::*;
use crate::domain::{
    Ambition, Command, KeyResultProgress, ObjectiveProgress, ResourceName, Scored, Status, TeamCycle,
    Workspace, score,
};

/// The state after everything that happened, each commit by itself. Its figures are those of everything computed at once.
fn state_of(given: &Given) -> State {
    let (mut state, mut at_once) = (State::empty(), State::empty());
    for commit in &given.commits {
        state.apply(commit);
        at_once.fold(commit);
    }
    assert_eq!(state.workspace(), &given.workspace);
    at_once.refresh_everything_later();
    at_once.refresh();
    assert_eq!(state.figures(), at_once.figures(), "a figure is stale");
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

/// Value of deals now.
fn deals(name: &str, number: f64) -> Command {
    saw("win/deals", name, number)
}

/// A key result's figures; none while it does not count.
fn key_result_of(given: &Given, path: &str) -> Option<KeyResultProgress> {
    state_of(given)
        .figures()
        .key_result(&key_result_id(path))
        .cloned()
}

/// Those of win/deals, which count.
fn of_deals(given: &Given) -> KeyResultProgress {
    key_result_of(given, "win/deals").expect("it counts")
}

/// An objective's figures; none while it does not count.
fn objective_of(given: &Given, name: &str) -> Option<ObjectiveProgress> {
    state_of(given).figures().objective(&id(name)).cloned()
}

/// Those of win, which counts.
fn of_win(given: &Given) -> ObjectiveProgress {
    objective_of(given, "win").expect("it counts")
}

/// Score and status of an objective.
fn score_and_status(given: &Given, name: &str) -> Option<(Option<f64>, Status)> {
    objective_of(given, name).map(|progress| (progress.score, progress.status))
}

/// A team's score in a cycle, the same as from the workspace alone.
fn team_of(given: &Given, team: &str, cycle: &str) -> Option<f64> {
    let of = TeamCycle {
        team: id(team),
        cycle: id(cycle),
    };
    let state = state_of(given);
    let found = state
        .figures()
        .team(&of.team)
        .find(|(cycle, _)| **cycle == of.cycle)
        .map(|(_, score)| score);
    assert_eq!(found, score(state.workspace(), &Scored::Team(of)));
    found
}

/// A cycle's score, the same as from the workspace alone.
fn cycle_of(given: &Given, cycle: &str) -> Option<f64> {
    let state = state_of(given);
    let found = state.figures().cycle(&id(cycle));
    assert_eq!(found, score(state.workspace(), &Scored::Cycle(id(cycle))));
    found
}

/// The workspace's score, the same as from the workspace alone.
fn workspace_of(given: &Given) -> Option<f64> {
    let state = state_of(given);
    let found = state.figures().workspace();
    assert_eq!(found, score(state.workspace(), &Scored::Workspace));
    found
}

fn close_to(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

/// Whether two scores are the same but for the last digits.
#[track_caller]
fn assert_close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (Some(a), Some(b)) if close_to(a, b) => {}
        (None, None) => {}
        other => panic!("{other:?}: {what}"),
    }
}
