//! Random commands against the core, as the engine runs it, and what has to hold after every one of them.

mod as_of;
mod commands;
#[path = "../common/mod.rs"]
mod common;
mod differences;
mod invariants;
mod kpi_commands;
mod kpi_invariants;
#[path = "../../src/projection/tests/names.rs"]
mod names;
mod stream_invariants;
mod world;

use std::collections::BTreeSet;

use binnacle::domain::{Commit, Event, ObjectiveState, ResourceName, Revision, RollUp, Timestamp, Workspace};
use binnacle::log::codec;
use binnacle::projection::State;
use proptest::prelude::*;

use commands::{Step, command};
use world::{LOG, World};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (any::<u8>(), any::<u8>(), any::<u8>(), -200i16..200, any::<u8>()),
        1..120,
    )
}

fn ran(steps: &[Step]) -> World {
    let roll_up = match steps.len() % 2 {
        0 => RollUp::Own,
        _ => RollUp::OwnAndAligned,
    };
    let mut world = World::new(roll_up);
    for step in steps {
        let next = command(&world, *step);
        world.run(&next);
        world.now = world.now.plus_seconds(i64::from(step.4 % 64) * 1800);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_commands_every_invariant_holds(steps in steps()) {
        let world = ran(&steps);
        world.invariant_live_state_is_the_refold();
    }

    #[test]
    fn events_in_any_order_are_folded_without_a_panic(
        steps in steps(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
        times in prop::collection::vec(any::<i64>(), 1..8),
    ) {
        let world = ran(&steps);
        let commits: Vec<Commit> = world
            .stored
            .iter()
            .map(|record| codec::decode(LOG, record).expect("a stored commit"))
            .collect();
        let mut state = State::empty();
        for (number, index) in order.iter().enumerate() {
            let mut commit = index.get(&commits).clone();
            commit.revision = Revision(commit.revision.0.wrapping_mul(number as u64));
            commit.recorded_time = Timestamp::from_micros(times[number % times.len()]);
            state.apply(&commit);
            invariants::scores_are_in_range_or_absent(&state);
        }
    }
}

#[test]
fn the_random_commands_reach_what_they_are_to_test() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    let mut scored = BTreeSet::new();
    let (mut rolled_up, mut restated, mut started, mut kept) = (0, 0, 0, 0);
    let (mut objectives_rest, mut teams_rest) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..120 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        let world = ran(&steps);
        for record in &world.stored {
            let commit = codec::decode(LOG, record).expect("a stored commit");
            kinds.extend(commit.events.iter().map(Event::kind));
        }
        let (workspace, figures) = (world.state.workspace(), world.state.figures());
        scored.extend(figures.workspace().map(f64::to_bits));
        started += workspace
            .objectives()
            .values()
            .filter(|it| it.started_from.is_some())
            .count();
        kept += workspace
            .kpis()
            .keys()
            .filter(|id| id.as_str().starts_with('q'))
            .count();
        objectives_rest.extend(
            workspace
                .objectives()
                .keys()
                .map(|id| format!("{:?}", figures.objective_foundation(id))),
        );
        teams_rest.extend(
            workspace
                .teams()
                .keys()
                .map(|id| format!("{:?}", figures.team_foundation(id))),
        );
        for (id, objective) in workspace.objectives() {
            let Some(progress) = figures.objective(id) else {
                continue;
            };
            scored.extend(progress.score.map(f64::to_bits));
            rolled_up += usize::from(
                workspace.policy().roll_up == RollUp::OwnAndAligned
                    && objective.state == ObjectiveState::Active
                    && workspace.counting_below(id).next().is_some(),
            );
            restated += usize::from(
                objective.state == ObjectiveState::Closed && progress.restated_score != progress.score,
            );
        }
    }
    for kind in [
        "DayStarted",
        "TeamCreated",
        "CycleUpdated",
        "ObjectiveCreated",
        "ObjectiveUpdated",
        "ObjectiveActivated",
        "KeyResultCreated",
        "KeyResultUpdated",
        "CheckInRecorded",
        "KpiUpdated",
        "TargetSet",
        "MeasurementRecorded",
        "WorkspaceUpdated",
        "CycleReviewBegun",
        "CycleClosed",
        "CycleReopened",
        "ReviewRecorded",
        "ObjectiveClosed",
        "ObjectiveReopened",
        "ObjectiveCanceled",
        "ObjectiveDeleted",
        "ObjectiveUndeleted",
        "KeyResultDeleted",
        "KpiDeleted",
        "CheckInCorrected",
        "CheckInRetracted",
        "ScoringPolicyUpdated",
        "KpiArchived",
        "KpiUnarchived",
        "TargetDeleted",
        "MeasurementRetracted",
        "AlertOpened",
        "AlertClosed",
        "AlertAcknowledged",
        "ActionPlanSet",
        "ActionPlanCompleted",
        "ActionPlanOverdue",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
    assert!(scored.len() >= 30, "only {} different scores", scored.len());
    assert!(
        rolled_up >= 5,
        "only {rolled_up} objectives with something rolled up into them"
    );
    assert!(
        started >= 5,
        "only {started} objectives started from a KPI in trouble"
    );
    assert!(kept >= 5, "only {kept} KPIs made of a key result");
    assert_eq!(
        (objectives_rest.len(), teams_rest.len()),
        (3, 3),
        "{objectives_rest:?}, {teams_rest:?}"
    );
    assert!(
        restated >= 5,
        "only {restated} closed objectives of which more was learned"
    );
}
