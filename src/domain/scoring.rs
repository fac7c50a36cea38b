//! Scores, expected progress and status. Every formula is a pure function of the workspace at one revision.

use jiff::civil::Date;

use super::observation::{days_of, source, within};
use super::status::{Judged, elapsed};
use super::{
    ALIGNMENT_DEPTH_MAX, Ambition, CycleFields, Grade, Grading, Id, KeyResult, KeyResultId, KeyResultKind,
    Objective, ObjectiveState, Revision, RollUp, ScoringPolicy, Status, StatusOverride, Workspace,
    newest_period_value, observe, plus_days, weighted_mean,
};

/// How a key result goes, on the workspace's today.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyResultProgress {
    /// The current value; none before the first observation. MILESTONES: the weight of the reached.
    pub current: Option<f64>,
    /// Raw progress: below 0 is worse than the baseline, above 1 beyond the target.
    pub progress: f64,
    /// Progress cut to 0..1.
    pub score: f64,
    /// Of a CLOSED one: what the score would be with all that was learned since.
    pub restated_score: Option<f64>,
    /// What the score should be today, 0 to 1.
    pub expected: f64,
    /// The score against what is expected, or what the newest check-in said instead.
    pub status: Status,
    /// Whether nothing was heard of it for longer than cadence and grace.
    pub outdated: bool,
    /// Whether the current value is of a period that is still running.
    pub provisional: bool,
    /// Whether the linked KPI is deleted.
    pub source_deleted: bool,
    /// MILESTONES: the reached, in their order.
    pub reached_milestones: Vec<Id>,
    /// MAINTAIN, mode SHARE: periods that held.
    pub periods_held: u32,
    /// MAINTAIN, mode SHARE: periods with data.
    pub periods_with_data: u32,
    /// The revision of the policy that these figures follow.
    pub policy_version: Revision,
}

/// How an objective goes, on the workspace's today.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveProgress {
    /// Weighted mean of the key results' scores; none when none counts. Of a CLOSED one: what was frozen.
    pub score: Option<f64>,
    /// Of a CLOSED one: what the score would be with all that was learned since.
    pub restated_score: Option<f64>,
    /// Weighted mean of what they should be; none with the score.
    pub expected: Option<f64>,
    /// The score against what is expected.
    pub status: Status,
    /// The worst status among the key results; none without any.
    pub worst_status: Option<Status>,
    /// Whether some key result is outdated.
    pub outdated: bool,
    /// What it would be graded if it were closed now; of a CLOSED one, how it was. None without a score.
    pub grading: Option<Grading>,
    /// Whether something was observed of anything that counts in it.
    pub started: bool,
    /// Whether something in it has to be kept to the last day: before, it is not achieved.
    pub maintained: bool,
    /// The revision of the policy that these figures follow.
    pub policy_version: Revision,
}

/// A key result's figures: live while its objective is ACTIVE, frozen once it is CLOSED; none before, nor when canceled or
/// deleted.
#[must_use]
pub fn key_result_progress(
    workspace: &Workspace,
    id: &KeyResultId,
    key_result: &KeyResult,
) -> Option<KeyResultProgress> {
    if key_result.deleted.is_some() {
        return None;
    }
    let objective = workspace.objective(&id.objective).ok()?;
    match objective.state {
        ObjectiveState::Active => live(workspace, id, key_result, objective),
        ObjectiveState::Closed => frozen(workspace, id, key_result, objective),
        ObjectiveState::Draft | ObjectiveState::Canceled => None,
    }
}

fn live(
    workspace: &Workspace,
    id: &KeyResultId,
    key_result: &KeyResult,
    objective: &Objective,
) -> Option<KeyResultProgress> {
    let cycle = &workspace.cycle(&objective.fields.cycle).ok()?.fields;
    let activation = objective.activation_date?;
    let policy = workspace.policy();
    let seen = observe(workspace, id, key_result)?;
    let score = seen.progress.clamp(0.0, 1.0);
    let started = seen.current.is_some();
    let bar = bar(policy, objective.fields.ambition);
    let last = key_result
        .fields
        .due_date
        .map_or(cycle.last_date, |due| due.min(cycle.last_date));
    let first = cycle.first_date.max(activation).max(key_result.creation_date);
    let over = workspace.today() > last;
    let expected = match &key_result.fields.kind {
        KeyResultKind::Metric(_) | KeyResultKind::Milestones(_) => {
            bar * elapsed(first, last, workspace.today())
        }
        KeyResultKind::Binary if over => bar,
        KeyResultKind::Maintain(_) if started => bar,
        KeyResultKind::Binary | KeyResultKind::Maintain(_) => 0.0,
    };
    let outdated = is_outdated(workspace, key_result, cycle, activation);
    let judged = Judged {
        score,
        expected,
        bar,
        started,
        over,
        maintained: matches!(key_result.fields.kind, KeyResultKind::Maintain(_)),
    };
    let said = match outdated {
        true => None,
        false => overridden(workspace, key_result, cycle),
    };
    let status = match said {
        // Whoever says it: after the last day a missed bar is at best BEHIND.
        Some(said) if over && !judged.reached() => said.min(Status::Behind),
        Some(said) => said,
        None => judged.status(policy),
    };
    Some(KeyResultProgress {
        current: seen.current,
        progress: seen.progress,
        score,
        restated_score: None,
        expected,
        status,
        outdated,
        provisional: seen.provisional,
        source_deleted: source(workspace, key_result).is_some_and(|kpi| kpi.deleted.is_some()),
        reached_milestones: seen.reached_milestones,
        periods_held: seen.periods_held,
        periods_with_data: seen.periods_with_data,
        policy_version: workspace.policy_version(),
    })
}

/// What closing froze, with the score restated from all that was learned since.
fn frozen(
    workspace: &Workspace,
    id: &KeyResultId,
    key_result: &KeyResult,
    objective: &Objective,
) -> Option<KeyResultProgress> {
    let result = &objective.closed.as_ref()?.result;
    let frozen = result.key_results.iter().find(|frozen| frozen.id == id.id)?;
    let seen = observe(workspace, id, key_result)?;
    Some(KeyResultProgress {
        current: frozen.current,
        progress: frozen.progress,
        score: frozen.score,
        restated_score: Some(seen.progress.clamp(0.0, 1.0)),
        expected: frozen.expected,
        status: Status::Closed,
        outdated: false,
        provisional: frozen.provisional,
        source_deleted: source(workspace, key_result).is_some_and(|kpi| kpi.deleted.is_some()),
        reached_milestones: frozen.reached_milestones.clone(),
        periods_held: frozen.periods_held,
        periods_with_data: frozen.periods_with_data,
        policy_version: result.policy_version,
    })
}

/// An objective's figures from its key results' and, where the policy rolls up, those of what is aligned to it, both by id;
/// none unless it is ACTIVE or CLOSED. `aligned` are those that count.
#[must_use]
pub fn objective_progress(
    workspace: &Workspace,
    objective: &Objective,
    key_results: &[(&KeyResult, &KeyResultProgress)],
    aligned: &[(&Objective, &ObjectiveProgress)],
) -> Option<ObjectiveProgress> {
    if objective.deleted.is_some() {
        return None;
    }
    let version = match (objective.state, &objective.closed) {
        (ObjectiveState::Active, _) => workspace.policy_version(),
        (ObjectiveState::Closed, Some(closed)) => closed.result.policy_version,
        _ => return None,
    };
    let policy = workspace.policy_at(version);
    let aligned = match policy.roll_up {
        RollUp::Own => &[],
        RollUp::OwnAndAligned => aligned,
    };
    let of_child = |child: &Objective, figure: Option<f64>| {
        let shown = figure.map(|figure| rolled_up(policy, objective, child, figure));
        (child.fields.weight.get(), shown)
    };
    let mean = |own: fn(&KeyResultProgress) -> f64, child: fn(&ObjectiveProgress) -> Option<f64>| {
        let own = key_results
            .iter()
            .map(|(key_result, progress)| (key_result.fields.weight.get(), Some(own(progress))));
        let below = aligned.iter().map(|(of, progress)| of_child(of, child(progress)));
        weighted_mean(own.chain(below))
    };
    let started = key_results.iter().any(|(_, progress)| progress.current.is_some())
        || aligned.iter().any(|(_, progress)| progress.started);
    if let Some(closed) = &objective.closed {
        let restated = mean(
            |progress| progress.restated_score.unwrap_or(progress.score),
            |progress| progress.restated_score.or(progress.score),
        );
        return Some(ObjectiveProgress {
            score: closed.result.score,
            restated_score: restated,
            expected: closed.result.expected,
            status: Status::Closed,
            worst_status: None,
            outdated: false,
            grading: closed.result.grading,
            started,
            maintained: false,
            policy_version: version,
        });
    }
    let maintained = key_results
        .iter()
        .any(|(key_result, _)| matches!(key_result.fields.kind, KeyResultKind::Maintain(_)))
        || aligned.iter().any(|(_, progress)| progress.maintained);
    let score = mean(|progress| progress.score, |progress| progress.score);
    let expected = mean(|progress| progress.expected, |progress| progress.expected);
    let judged = score.zip(expected).map(|(score, expected)| Judged {
        score,
        expected,
        bar: bar(policy, objective.fields.ambition),
        started,
        over: workspace
            .cycle(&objective.fields.cycle)
            .is_ok_and(|cycle| workspace.today() > cycle.fields.last_date),
        maintained,
    });
    Some(ObjectiveProgress {
        score,
        restated_score: None,
        expected,
        status: judged.map_or(Status::Unmeasured, |judged| judged.status(policy)),
        worst_status: key_results.iter().map(|(_, progress)| progress.status).min(),
        outdated: key_results.iter().any(|(_, progress)| progress.outdated),
        grading: score.map(|score| Grade::cut(score).grading(objective.fields.ambition, policy)),
        started,
        maintained,
        policy_version: version,
    })
}

/// An aligned objective counts like one more key result; an aspirational one under a committed parent by how much of its
/// bar it has reached: min(1, s ÷ bar).
fn rolled_up(policy: &ScoringPolicy, parent: &Objective, child: &Objective, figure: f64) -> f64 {
    match (parent.fields.ambition, child.fields.ambition) {
        (Ambition::Committed, Ambition::Aspirational) => (figure / policy.aspirational_bar).min(1.0),
        (Ambition::Committed, Ambition::Committed) | (Ambition::Aspirational, _) => figure,
    }
}

/// An objective's figures from nothing but the workspace. As deep as alignment goes, where the policy rolls up.
#[must_use]
pub fn score_objective(workspace: &Workspace, id: &Id) -> Option<ObjectiveProgress> {
    score_objective_to_depth(workspace, id, ALIGNMENT_DEPTH_MAX)
}

fn score_objective_to_depth(workspace: &Workspace, id: &Id, depth_max: usize) -> Option<ObjectiveProgress> {
    let objective = workspace.objective(id).ok()?;
    let key_results: Vec<(&KeyResult, KeyResultProgress)> = workspace
        .key_results_of(id)
        .filter_map(|(id, of)| Some((of.as_ref(), key_result_progress(workspace, id, of)?)))
        .collect();
    let aligned: Vec<(&Objective, ObjectiveProgress)> = match workspace.rolls_up() && depth_max > 0 {
        false => Vec::new(),
        true => workspace
            .counting_below(id)
            .filter_map(|(id, of)| Some((of, score_objective_to_depth(workspace, id, depth_max - 1)?)))
            .collect(),
    };
    let key_results: Vec<_> = key_results.iter().map(|(of, progress)| (*of, progress)).collect();
    let aligned: Vec<_> = aligned.iter().map(|(of, progress)| (*of, progress)).collect();
    objective_progress(workspace, objective, &key_results, &aligned)
}

/// What the newest check-in of the cycle says of the status.
fn overridden(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields) -> Option<Status> {
    let newest = key_result
        .newest_check_ins()
        .find(|check_in| within(workspace, cycle, check_in.effective_time))?;
    newest.status_override.map(|status| match status {
        StatusOverride::OnTrack => Status::OnTrack,
        StatusOverride::Behind => Status::Behind,
        StatusOverride::AtRisk => Status::AtRisk,
    })
}

/// Silence for longer than cadence and grace, counted from the activation, or from the creation if that was later: what
/// was not there was not silent. After the cycle's last day nobody has to speak any more.
fn is_outdated(workspace: &Workspace, key_result: &KeyResult, cycle: &CycleFields, activation: Date) -> bool {
    let check_in = key_result
        .newest_check_ins()
        .next()
        .map(|c| workspace.rules().date(c.effective_time));
    let period = source(workspace, key_result)
        .and_then(|kpi| newest_period_value(kpi, workspace, Some(days_of(cycle))))
        .map(|newest| newest.period.last.min(workspace.today()));
    let newest = [check_in, period]
        .into_iter()
        .flatten()
        .fold(activation.max(key_result.creation_date), Date::max);
    let policy = workspace.policy();
    let today = workspace.today().min(cycle.last_date);
    today
        > plus_days(
            newest,
            policy
                .check_in_cadence_days
                .saturating_add(policy.check_in_grace_days),
        )
}

fn bar(policy: &ScoringPolicy, ambition: Ambition) -> f64 {
    match ambition {
        Ambition::Committed => policy.committed_bar,
        Ambition::Aspirational => policy.aspirational_bar,
    }
}
