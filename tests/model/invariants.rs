//! What has to hold after every command, each named as the promise it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use binnacle::domain::{
    Alert, Alignment, Ambition, Band, ClosedObjective, Command, Commit, Event, Health, Id, KpiFields,
    Objective, ObjectiveState, Outcome, Rejection, ResourceName, Revision, RollUp, Scored, Stamp, TeamCycle,
    Workspace, decide, score, weighted_mean,
};
use binnacle::projection::{DerivedChange, Figures, Foundation, Simulated, State};

pub(crate) fn no_gap(state: &State, head: Revision) {
    let workspace = state.workspace();
    assert_eq!(workspace.revision(), head.next());
    let times: Vec<_> = (1..=workspace.revision().0)
        .map(|r| workspace.recorded_time(Revision(r)))
        .collect();
    assert!(times.iter().all(Option::is_some) && times.is_sorted());
}

/// The state that deciding looked at is the one that its events lead to.
pub(crate) fn decided_state_is_the_folded_one(decided: &Workspace, state: &State) {
    assert_eq!(decided, state.workspace());
}

/// The same again changes nothing, or is refused because it was done.
pub(crate) fn retry_is_a_no_op(state: &State, command: &Command, stamp: &Stamp) {
    let Err(refused) = decide(state.workspace(), command, stamp).map(|decision| {
        let repeats = matches!(command, Command::CorrectCheckIn { .. });
        assert!(
            decision.events.is_empty() || repeats,
            "the same again: {command:?}"
        );
    }) else {
        return;
    };
    let first = match &refused {
        Rejection::Elements { list: _, refused } => &refused[0].1,
        one => one,
    };
    assert!(
        matches!(
            first,
            Rejection::AlreadyExists(_)
                | Rejection::CycleNotPlanned(_)
                | Rejection::CycleNotActive(_)
                | Rejection::CycleNotInReview(_)
                | Rejection::CycleNotClosed(_)
                | Rejection::CarriedOverAlready { .. }
                | Rejection::ObjectiveNotDraft(_)
                | Rejection::ObjectiveNotActive(_)
                | Rejection::ObjectiveOver(_)
                | Rejection::ObjectiveNotOver(_)
                | Rejection::Deleted(_)
                | Rejection::NotDeleted(_)
                | Rejection::CheckInRetracted(_)
                | Rejection::MeasurementNotFound { .. }
                | Rejection::NotFound(ResourceName::Target(..))
                | Rejection::ActionPlanCompleted(..)
                | Rejection::KeyResultHasKpi { .. }
        ),
        "what was done cannot be done any more: {refused} ({command:?})"
    );
}

pub(crate) fn figures_are_what_everything_computed_anew_gives(state: &State) {
    let mut anew = state.clone();
    anew.refresh_everything_later();
    assert_eq!(anew.refresh(), [], "a figure was stale");
    assert_eq!(anew.figures(), state.figures());
}

/// Every score above a key result is the weighted mean of what counts in it, by a second way of computing it.
pub(crate) fn a_parent_is_the_weighted_mean_recomputed_from_scratch(state: &State) {
    let (workspace, figures) = (state.workspace(), state.figures());
    for (id, objective) in workspace.objectives() {
        let kept = figures.objective(id).and_then(|progress| progress.score);
        let expected = match objective.state {
            ObjectiveState::Closed => objective.closed.as_ref().and_then(|closed| closed.result.score),
            ObjectiveState::Active => mean_of_what_counts(state, id, objective),
            ObjectiveState::Draft | ObjectiveState::Canceled => None,
        };
        let expected = expected.filter(|_| objective.deleted.is_none());
        assert!(
            close(kept, expected),
            "objective {id}: {kept:?} instead of {expected:?}"
        );
        assert_eq!(
            score(workspace, &Scored::Objective(id.clone())),
            kept,
            "from the workspace alone: {id}"
        );
    }
    let of = |ids: Vec<&Id>| {
        let counting = ids
            .into_iter()
            .filter_map(|id| Some((id, workspace.objectives().get(id)?)))
            .filter(|(_, objective)| objective.counts())
            .map(|(id, objective)| {
                let score = figures.objective(id).and_then(|progress| progress.score);
                (objective.fields.weight.get(), score)
            });
        weighted_mean(counting)
    };
    for cycle in workspace.cycles().keys() {
        assert_eq!(
            figures.cycle(cycle),
            of(workspace.objectives_of_cycle(cycle).collect()),
            "cycle {cycle}"
        );
        for (team, held) in workspace.teams() {
            let expected = of(workspace.objectives_of_team(team, cycle).collect());
            let id = TeamCycle {
                team: team.clone(),
                cycle: cycle.clone(),
            };
            let expected = expected.filter(|_| held.deleted.is_none());
            assert_eq!(self::team(figures, &id), expected, "team {team} in {cycle}");
            assert_eq!(
                score(workspace, &Scored::Team(id)),
                expected,
                "from the workspace alone"
            );
        }
    }
    assert_eq!(score(workspace, &Scored::Workspace), figures.workspace());
}

/// The plain sum of this file rounds at each step, the exact one does not.
fn close(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() < 1e-12,
        (left, right) => left == right,
    }
}

/// Σ wᵢ sᵢ ÷ Σ wᵢ over the key results and, where the policy says so, over what is aligned.
fn mean_of_what_counts(state: &State, id: &Id, objective: &Objective) -> Option<f64> {
    let (workspace, figures) = (state.workspace(), state.figures());
    let (mut sum, mut weights) = (0.0, 0.0);
    for (key_result_id, key_result) in workspace.key_results() {
        if key_result_id.objective == *id && key_result.deleted.is_none() {
            let weight = key_result.fields.weight.get();
            sum += weight * figures.key_result(key_result_id).expect("it counts").score;
            weights += weight;
        }
    }
    if workspace.policy().roll_up == RollUp::OwnAndAligned {
        for (below_id, below) in workspace.objectives() {
            let aligned = match &below.fields.aligned_to {
                Some(Alignment::Objective(above)) => above == id,
                Some(Alignment::KeyResult(above)) => {
                    above.objective == *id && workspace.key_result(above).is_ok()
                }
                None => false,
            };
            let score = figures.objective(below_id).and_then(|progress| progress.score);
            if let (true, true, Some(score)) = (aligned, below.counts(), score) {
                let cut = match (objective.fields.ambition, below.fields.ambition) {
                    (Ambition::Committed, Ambition::Aspirational) => {
                        (score / workspace.policy().aspirational_bar).min(1.0)
                    }
                    _ => score,
                };
                sum += below.fields.weight.get() * cut;
                weights += below.fields.weight.get();
            }
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

pub(crate) fn no_alignment_cycle(workspace: &Workspace) {
    for id in workspace.objectives().keys() {
        let mut above = Some(id);
        let mut levels = 0;
        while let Some(next) = above {
            let alignment = workspace.objectives()[next].fields.aligned_to.as_ref();
            above = alignment.map(Alignment::objective);
            levels += 1;
            assert!(levels <= 16, "objective {id} is aligned in a circle, or too deep");
        }
    }
}

/// Grade, band and outcome follow from one another, by the policy that graded.
pub(crate) fn grade_band_and_outcome_agree(workspace: &Workspace) {
    for (id, objective) in workspace.objectives() {
        let Some(closed) = &objective.closed else { continue };
        let result = &closed.result;
        assert!(
            !(result.postponed && result.grading.is_some()),
            "{id} is postponed and graded"
        );
        let Some(grading) = result.grading else { continue };
        let policy = workspace.policy_at(result.policy_version);
        let grade = grading.grade.get();
        assert_eq!(
            grading.band == Band::Green,
            grade >= policy.achieved_from - 1e-9,
            "{id}"
        );
        assert_eq!(
            grading.band == Band::Red,
            grade < policy.partial_from - 1e-9,
            "{id}"
        );
        match grading.outcome {
            Outcome::Achieved => assert_eq!(grading.band, Band::Green, "{id}"),
            Outcome::Partial => assert_ne!(grading.band, Band::Red, "{id}"),
            Outcome::Missed => assert_eq!(grading.band, Band::Red, "{id}"),
            Outcome::Postponed => panic!("{id} is postponed and graded"),
        }
        if let (Some(score), None) = (result.score, result.closing.grade) {
            assert!(
                grade <= score + 1e-9 && score < grade + 0.1,
                "{id}: {score} is graded {grade}"
            );
        }
        assert!(
            !result.lacks_explanation(),
            "{id} is COMMITTED, below 1.0 and unexplained"
        );
    }
}

/// A closed result never changes, whatever is learned later: only reopening takes it away.
pub(crate) fn a_closed_result_never_changes(
    known: &mut BTreeMap<Id, Arc<ClosedObjective>>,
    workspace: &Workspace,
    commit: &Commit,
) {
    for event in &commit.events {
        if let Event::ObjectiveReopened { id, .. } = event {
            known.remove(id);
        }
    }
    for (id, objective) in workspace.objectives() {
        if let Some(before) = known.get(id) {
            assert_eq!(
                objective.closed.as_ref(),
                Some(before),
                "the result of {id} has changed"
            );
        }
        if let Some(closed) = &objective.closed {
            known.insert(id.clone(), Arc::clone(closed));
        }
    }
}

/// What an objective or a team rests on, by a second way of computing it.
pub(crate) fn a_foundation_is_the_kpis_counted_one_by_one(state: &State) {
    let (workspace, figures) = (state.workspace(), state.figures());
    let of = |kpis: BTreeSet<&Id>| {
        let in_use = kpis
            .into_iter()
            .filter(|id| workspace.kpi(id).is_ok_and(|kpi| kpi.archived.is_none()));
        let healths: Vec<Health> = in_use
            .filter_map(|id| Some(figures.kpi(id)?.health))
            .filter(|health| matches!(health, Health::Healthy | Health::Watch | Health::Breached))
            .collect();
        let breached = healths.iter().filter(|it| **it == Health::Breached).count();
        match healths.len() {
            0 => Foundation::Unknown,
            judged if breached * 2 >= judged => Foundation::Weak,
            _ => Foundation::Solid,
        }
    };
    for id in workspace.teams().keys() {
        let kpis = workspace.team(id).map(|_| workspace.kpis_of_team(id).collect());
        assert_eq!(
            figures.team_foundation(id),
            of(kpis.unwrap_or_default()),
            "team {id}"
        );
    }
    for (id, objective) in workspace.objectives() {
        let mut kpis: BTreeSet<&Id> = BTreeSet::new();
        if objective.deleted.is_none() {
            kpis.extend(&objective.fields.serves);
            kpis.extend(
                objective
                    .fields
                    .team
                    .iter()
                    .flat_map(|team| workspace.kpis_of_team(team)),
            );
        }
        for (_, key_result) in workspace.key_results_of(id) {
            key_result.fields.kpi.iter().for_each(|mended| {
                kpis.remove(mended);
            });
        }
        assert_eq!(figures.objective_foundation(id), of(kpis), "objective {id}");
    }
}

/// Simulate answers what really doing it gives: the same refusal, or the same figures before and after.
pub(crate) fn a_what_if_is_what_really_doing_it_gives(
    foreseen: &Result<Simulated, Vec<(usize, Rejection)>>,
    before: &State,
    after: &State,
) {
    let foreseen = foreseen.as_ref().expect("it was not refused");
    assert_eq!(foreseen.changes, before.changes_to(after));
    assert!(foreseen.event_count > 0);
}

/// Scores in [0, 1] or absent, raw progress finite.
pub(crate) fn scores_are_in_range_or_absent(state: &State) {
    let figures = state.figures();
    let scores = |workspace: &binnacle::domain::Workspace| {
        let mut scores: Vec<f64> = Vec::new();
        scores.extend(figures.workspace());
        scores.extend(workspace.cycles().keys().filter_map(|id| figures.cycle(id)));
        scores.extend(
            workspace
                .teams()
                .keys()
                .flat_map(|id| figures.team(id))
                .map(|(_, score)| score),
        );
        for id in workspace.objectives().keys() {
            let progress = figures.objective(id);
            scores.extend(
                progress
                    .and_then(|p| p.score)
                    .into_iter()
                    .chain(progress.and_then(|p| p.expected))
                    .chain(progress.and_then(|p| p.restated_score)),
            );
        }
        for progress in workspace
            .key_results()
            .keys()
            .filter_map(|id| figures.key_result(id))
        {
            assert!(progress.progress.is_finite());
            scores.extend([progress.score, progress.expected]);
            scores.extend(progress.restated_score);
        }
        scores
    };
    for score in scores(state.workspace()) {
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
}

/// An alert, and what it says.
fn alert(state: &State, kpi: &Id, id: &Id) -> Option<(Arc<Alert>, String)> {
    let kpi = state.workspace().kpis().get(kpi)?;
    let alert = kpi.alerts.get(id)?;
    Some((Arc::clone(alert), alert.summary(&kpi.fields)))
}

fn words(change: &Option<(Arc<Alert>, Arc<KpiFields>)>) -> Option<(Arc<Alert>, String)> {
    let (alert, fields) = change.as_ref()?;
    Some((Arc::clone(alert), alert.summary(fields)))
}

/// Each change begins where the figure stood and ends where it stands, and no figure changed without one.
pub(crate) fn derived_changes_chain(was: &State, state: &State, changes: &[DerivedChange]) {
    let before = was.figures();
    let (after, workspace) = (state.figures(), state.workspace());
    let mut said = BTreeSet::new();
    for change in changes {
        let name = match change {
            DerivedChange::Kpi {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((before.kpi(id), after.kpi(id)), (b.as_deref(), a.as_deref()));
                format!("kpi {id}")
            }
            DerivedChange::KeyResult {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!(
                    (before.key_result(id), after.key_result(id)),
                    (b.as_deref(), a.as_deref())
                );
                format!("key result {id}")
            }
            DerivedChange::Objective {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!(
                    (before.objective(id), after.objective(id)),
                    (b.as_deref(), a.as_deref())
                );
                format!("objective {id}")
            }
            DerivedChange::ObjectiveFoundation {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!(
                    (before.objective_foundation(id), after.objective_foundation(id)),
                    (*b, *a)
                );
                format!("foundation of objective {id}")
            }
            DerivedChange::TeamFoundation {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((before.team_foundation(id), after.team_foundation(id)), (*b, *a));
                format!("foundation of team {id}")
            }
            DerivedChange::Team {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((team(before, id), team(after, id)), (*b, *a));
                format!("team {} in {}", id.team, id.cycle)
            }
            DerivedChange::Cycle {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((before.cycle(id), after.cycle(id)), (*b, *a));
                format!("cycle {id}")
            }
            DerivedChange::Workspace { before: b, after: a } => {
                assert_eq!((before.workspace(), after.workspace()), (*b, *a));
                "workspace".to_owned()
            }
            DerivedChange::Alert {
                kpi,
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((alert(was, kpi, id), alert(state, kpi, id)), (words(b), words(a)));
                format!("alert {id} of {kpi}")
            }
        };
        assert!(said.insert(name), "said twice: {change:?}");
    }
    let mut changed = BTreeSet::new();
    let mut look = |differs: bool, name: String| {
        if differs {
            changed.insert(name);
        }
    };
    for (id, kpi) in workspace.kpis() {
        look(before.kpi(id) != after.kpi(id), format!("kpi {id}"));
        for (of, held) in &kpi.alerts {
            let (before, after) = (alert(was, id, of), alert(state, id, of));
            // What a closed one says is told no more.
            let goes_on = held.is_open() || before.as_ref().map(|it| &it.0) != Some(held);
            look(goes_on && before != after, format!("alert {of} of {id}"));
        }
    }
    for id in workspace.key_results().keys() {
        look(
            before.key_result(id) != after.key_result(id),
            format!("key result {id}"),
        );
    }
    for id in workspace.objectives().keys() {
        look(
            before.objective(id) != after.objective(id),
            format!("objective {id}"),
        );
        look(
            before.objective_foundation(id) != after.objective_foundation(id),
            format!("foundation of objective {id}"),
        );
    }
    for id in workspace.teams().keys() {
        look(
            before.team_foundation(id) != after.team_foundation(id),
            format!("foundation of team {id}"),
        );
    }
    for cycle in workspace.cycles().keys() {
        look(
            before.cycle(cycle) != after.cycle(cycle),
            format!("cycle {cycle}"),
        );
        for id in workspace.teams().keys() {
            let id = binnacle::domain::TeamCycle {
                team: id.clone(),
                cycle: cycle.clone(),
            };
            look(
                team(before, &id) != team(after, &id),
                format!("team {} in {cycle}", id.team),
            );
        }
    }
    look(before.workspace() != after.workspace(), "workspace".to_owned());
    assert_eq!(said, changed);
}

fn team(figures: &Figures, id: &binnacle::domain::TeamCycle) -> Option<f64> {
    figures
        .team(&id.team)
        .find(|(cycle, _)| **cycle == id.cycle)
        .map(|(_, score)| score)
}
