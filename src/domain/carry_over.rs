//! What goes on in another cycle, and what goes on in other teams. Both make drafts: nothing counts before somebody has
//! looked at it and activated it.

use super::{
    Alignment, Baseline, CycleState, Etag, Event, Id, InitiativeId, InitiativeState, KeyResult,
    KeyResultFields, KeyResultId, KeyResultKind, Objective, ObjectiveFields, ObjectiveState, Rejection,
    ResourceName, TOLERANCE, Title, Value, Violation, Workspace, closing, key_result, objective, observe,
};

/// Where an objective is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryOver {
    /// The new objective.
    pub new_id: Id,
    /// Its cycle.
    pub cycle: Id,
}

/// One team that takes an objective further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CascadeTo {
    /// The team.
    pub team: Id,
    /// The new objective.
    pub new_id: Id,
    /// Its title; none: the objective's.
    pub title: Option<Title>,
}

/// Carries an objective over: a new DRAFT that starts where this one stands. What is reached stays behind; METRIC starts
/// from its current value, MILESTONES keep the unreached, MAINTAIN and BINARY stay, sums over the cycle start at 0. Open
/// initiatives come along. A source that is still open closes as POSTPONED.
pub(super) fn carry_over(
    workspace: &Workspace,
    id: &Id,
    CarryOver { new_id, cycle }: &CarryOver,
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let source = workspace.objective(id)?;
    source
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    if source.state == ObjectiveState::Canceled {
        return Err(Rejection::ObjectiveOver(id.clone()));
    }
    if source.fields.cycle == *cycle {
        return Err(Rejection::invalid(
            "cycle",
            "the objective lives there already: name the cycle to carry it into",
        ));
    }
    if workspace.cycle(cycle)?.state == CycleState::Closed {
        return Err(Rejection::CycleClosed(cycle.clone()));
    }
    if let Some(carried) = carried_to(workspace, id, cycle) {
        return Err(Rejection::CarriedOverAlready {
            objective: id.clone(),
            cycle: cycle.clone(),
            carried: carried.clone(),
        });
    }
    if workspace.objectives.contains_key(new_id) {
        return Err(Rejection::AlreadyExists(ResourceName::Objective(new_id.clone())));
    }
    let fields = ObjectiveFields {
        cycle: cycle.clone(),
        aligned_to: carried_alignment(workspace, new_id, source, cycle)?,
        ..source.fields.clone()
    };
    let mut events = vec![Event::ObjectiveCreated {
        id: new_id.clone(),
        fields: Box::new(fields),
        started_from: None,
        carried_from: Some(id.clone()),
    }];
    let mut carried = Vec::new();
    for (key_result_id, key_result) in workspace.key_results_of(id) {
        if let Some(fields) = carried_key_result(workspace, key_result_id, key_result) {
            carried.push(key_result_id.id.clone());
            events.push(Event::KeyResultCreated {
                id: KeyResultId {
                    objective: new_id.clone(),
                    id: key_result_id.id.clone(),
                },
                fields: Box::new(fields),
                date: workspace.today(),
            });
        }
    }
    for (initiative_id, initiative) in workspace.initiatives_of(id) {
        let open = match initiative.fields.state {
            InitiativeState::Planned | InitiativeState::InProgress => true,
            InitiativeState::Done | InitiativeState::Dropped => false,
        };
        if open {
            let mut fields = initiative.fields.clone();
            fields.key_result = fields
                .key_result
                .filter(|key_result| carried.contains(key_result));
            events.push(Event::InitiativeCreated {
                id: InitiativeId {
                    objective: new_id.clone(),
                    id: initiative_id.id.clone(),
                },
                fields: Box::new(fields),
            });
        }
    }
    if matches!(source.state, ObjectiveState::Draft | ObjectiveState::Active) {
        events.push(Event::ObjectiveClosed {
            id: id.clone(),
            before: source.state,
            result: Box::new(closing::postponed(workspace, id, source)),
        });
    }
    Ok(events)
}

/// What an objective was carried over as into a cycle.
fn carried_to<'w>(workspace: &'w Workspace, id: &Id, cycle: &Id) -> Option<&'w Id> {
    workspace.objectives_of_cycle(cycle).find(|candidate| {
        workspace
            .objectives
            .get(*candidate)
            .is_some_and(|objective| objective.carried_from.as_ref() == Some(id))
    })
}

/// Where the parent was carried too and stands, the carried one is meant; a key result that stayed behind leaves its
/// objective. The carried one may have come to lie deeper than its source does.
fn carried_alignment(
    workspace: &Workspace,
    new_id: &Id,
    source: &Objective,
    cycle: &Id,
) -> Result<Option<Alignment>, Rejection> {
    let Some(alignment) = &source.fields.aligned_to else {
        return Ok(None);
    };
    let parent = carried_to(workspace, alignment.objective(), cycle);
    let Some(parent) = parent.filter(|parent| workspace.objective(parent).is_ok()) else {
        return Ok(Some(alignment.clone()));
    };
    let key_result = match alignment {
        Alignment::Objective(_) => None,
        Alignment::KeyResult(key_result) => Some(KeyResultId {
            objective: parent.clone(),
            id: key_result.id.clone(),
        }),
    };
    let carried = match key_result {
        Some(key_result) if workspace.key_result(&key_result).is_ok() => Alignment::KeyResult(key_result),
        _ => Alignment::Objective(parent.clone()),
    };
    objective::check_alignment(workspace, new_id, Some(&carried))?;
    Ok(Some(carried))
}

/// A key result as it starts anew; none: it is reached and stays behind.
fn carried_key_result(
    workspace: &Workspace,
    id: &KeyResultId,
    key_result: &KeyResult,
) -> Option<KeyResultFields> {
    let seen = observe(workspace, id, key_result)?;
    let at_target = match (&key_result.fields.kind, seen.current) {
        (KeyResultKind::Metric(metric), Some(current)) => (metric.target.get() - current).abs() < TOLERANCE,
        _ => false,
    };
    // Where the way was short, a target may be too near to start from before p says that it is reached.
    if seen.progress >= 1.0 - TOLERANCE || at_target {
        return None;
    }
    let sums = key_result::sums_over_cycle(workspace, &key_result.fields);
    let current = seen.current.and_then(|current| Value::parse(current).ok());
    let mut fields = KeyResultFields {
        // It was a day of the old cycle.
        due_date: None,
        ..key_result.fields.clone()
    };
    match &mut fields.kind {
        KeyResultKind::Metric(metric) => {
            metric.relative_target = None;
            if sums {
                metric.reference_value = current.or(metric.reference_value);
            } else if let Some(value) = current {
                let kpi_revision = key_result.fields.kpi.is_some().then(|| workspace.revision());
                metric.baseline = Some(Baseline { value, kpi_revision });
            }
        }
        KeyResultKind::Milestones(milestones) => {
            *milestones = milestones.without(&seen.reached_milestones);
        }
        KeyResultKind::Maintain(_) | KeyResultKind::Binary => {}
    }
    Some(fields)
}

/// From one objective a draft for each team, aligned to it and owned by the team's lead.
pub(super) fn cascade(
    workspace: &Workspace,
    id: &Id,
    teams: &[CascadeTo],
    etag: Etag,
) -> Result<Vec<Event>, Rejection> {
    let parent = workspace.objective(id)?;
    parent
        .authorship
        .check(etag, || ResourceName::Objective(id.clone()))?;
    workspace.open_objective(id)?;
    let mut events: Vec<Event> = Vec::with_capacity(teams.len());
    let mut refused = Vec::new();
    for (index, to) in teams.iter().enumerate() {
        let twice = teams[..index]
            .iter()
            .position(|other| other.team == to.team || other.new_id == to.new_id);
        let decided = match twice {
            Some(first) => Err(Rejection::Invalid(vec![Violation {
                field: "team".to_owned(),
                sentence: format!("the same team or id stands at index {first}: name each once"),
            }])),
            None => cascaded(workspace, id, parent, to),
        };
        match decided {
            Ok(event) => events.push(event),
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    Rejection::unless_empty("teams", refused)?;
    Ok(events)
}

fn cascaded(workspace: &Workspace, id: &Id, parent: &Objective, to: &CascadeTo) -> Result<Event, Rejection> {
    let fields = ObjectiveFields {
        title: to.title.clone().unwrap_or_else(|| parent.fields.title.clone()),
        owner: workspace.team(&to.team)?.fields.lead.clone(),
        team: Some(to.team.clone()),
        contributing_teams: Vec::new(),
        aligned_to: Some(Alignment::Objective(id.clone())),
        // The parent keeps what it served before it was deleted; nobody can be told to name another here.
        serves: parent
            .fields
            .serves
            .iter()
            .filter(|kpi| workspace.kpi(kpi).is_ok())
            .cloned()
            .collect(),
        ..parent.fields.clone()
    };
    objective::created(workspace, &to.new_id, &fields)
}
