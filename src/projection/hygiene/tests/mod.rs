//! The rules as tables: what is given, and whether it is found. A test quotes the words of the design that it holds.

mod cycles;
mod docs;
mod key_results;
mod kpis;
mod objectives;
mod presets;
mod report;
mod targets;

use super::{Finding, FindingCode, HygieneScope, check_hygiene};
use crate::domain::given::*;
use crate::domain::{Ambition, Command, HygieneLimits, Preset, StartObjective, Text};
use crate::projection::State;

pub(super) fn state_of(given: &Given) -> State {
    let mut state = State::empty();
    for commit in &given.commits {
        state.apply(commit);
    }
    state
}

/// All that is found.
pub(super) fn report(given: &Given) -> Vec<Finding> {
    report_about(given, &HygieneScope::default())
}

pub(super) fn report_about(given: &Given, scope: &HygieneScope) -> Vec<Finding> {
    let state = state_of(given);
    check_hygiene(state.workspace(), state.figures(), scope).unwrap()
}

/// What a rule found it in, by name.
pub(super) fn found(given: &Given, code: FindingCode) -> Vec<String> {
    found_about(given, code, &HygieneScope::default())
}

pub(super) fn found_about(given: &Given, code: FindingCode, scope: &HygieneScope) -> Vec<String> {
    report_about(given, scope)
        .into_iter()
        .filter(|finding| finding.code == code)
        .map(|finding| finding.resource.to_string())
        .collect()
}

/// One row of a table: what is given, and what a rule finds it in.
pub(super) type Row = (&'static str, Given, &'static [&'static str]);

/// Holds a rule against its table.
pub(super) fn check(code: FindingCode, rows: impl IntoIterator<Item = Row>) {
    for (what, given, expected) in rows {
        assert_eq!(found(&given, code), expected, "{}: {what}", code.as_str());
    }
}

/// cycles/q1 in a workspace of a kind.
pub(super) fn running(preset: Preset) -> Given {
    given_for(preset, q1())
}

/// Another limit.
pub(super) fn limit(change: impl FnOnce(&mut HygieneLimits)) -> Command {
    let mut limits = HygieneLimits::default();
    change(&mut limits);
    update_policy(|patch| patch.hygiene = Some(limits))
}

/// Closes a cycle in which nothing is to be explained.
pub(super) fn closed(name: &str) -> [Command; 2] {
    [begin_review(name), close_cycle(name, Vec::new())]
}

/// An objective in cycles/q1 from a KPI in trouble.
pub(super) fn start_objective(kpi: &str, name: &str) -> Command {
    Command::StartObjective(Box::new(StartObjective {
        kpi: id(kpi),
        objective: id(name),
        key_result: None,
        cycle: id("q1"),
        title: None,
        description: Text::empty(),
        owner: Some(id("maria")),
        team: None,
        ambition: Ambition::Committed,
        alert: None,
    }))
}
