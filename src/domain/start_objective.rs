//! A KPI in trouble is where an objective starts: in one command a draft objective that serves the KPI, with a key result
//! from where the KPI stands to where it should be, tied to the KPI's alert and to the alert's plan.

use super::{
    ActionPlan, AlertKind, Ambition, Event, Health, Id, KeyResultFields, KeyResultId, KeyResultKind, Kpi,
    Labels, Metric, ObjectiveFields, Rejection, Stamp, Text, Title, Value, Weight, Window, Workspace,
    judged_values, key_result, objective,
};

/// An objective to start from a KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct StartObjective {
    /// The KPI.
    pub kpi: Id,
    /// The new objective's id.
    pub objective: Id,
    /// The new key result's id; none: the KPI's.
    pub key_result: Option<Id>,
    /// The cycle that it lives in.
    pub cycle: Id,
    /// What people call it; none: made of the KPI's title.
    pub title: Option<Title>,
    /// More about it.
    pub description: Text,
    /// Who answers for it; none: the KPI's owner.
    pub owner: Option<Id>,
    /// Whose it is; none: the KPI's team.
    pub team: Option<Id>,
    /// How high it aims.
    pub ambition: Ambition,
    /// The alert that it is started from; none: the KPI's open BREACH, if there is one.
    pub alert: Option<Id>,
}

/// What an objective was started from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StartedFrom {
    /// The KPI in trouble.
    pub kpi: Id,
    /// Its alert.
    pub alert: Option<Id>,
}

impl StartObjective {
    /// The new key result.
    #[must_use]
    pub fn key_result(&self) -> KeyResultId {
        KeyResultId {
            objective: self.objective.clone(),
            id: self.key_result.as_ref().unwrap_or(&self.kpi).clone(),
        }
    }

    fn fields(&self, workspace: &Workspace, kpi: &Kpi) -> ObjectiveFields {
        // Who answers for the KPI, and whose it is, as far as they are still there.
        let owner = kpi.fields.owner.clone();
        let team = kpi.fields.team.clone();
        ObjectiveFields {
            title: self.title.clone().unwrap_or_else(|| {
                let wanted = format!("Bring \"{}\" back to target", kpi.fields.title.as_str());
                Title::parse(&wanted).unwrap_or_else(|_| kpi.fields.title.clone())
            }),
            description: self.description.clone(),
            owner: self
                .owner
                .clone()
                .or(owner.filter(|owner| workspace.member(owner).is_ok())),
            team: self
                .team
                .clone()
                .or(team.filter(|team| workspace.team(team).is_ok())),
            contributing_teams: Vec::new(),
            cycle: self.cycle.clone(),
            ambition: self.ambition,
            aligned_to: None,
            weight: Weight::ONE,
            labels: Labels::default(),
            serves: vec![self.kpi.clone()],
        }
    }
}

pub(super) fn start(
    workspace: &Workspace,
    new: &StartObjective,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi_in_use(&new.kpi)?;
    let target = missed(new, kpi, workspace)?;
    let alert = match &new.alert {
        Some(alert) if workspace.alert(&new.kpi, alert)?.is_open() => Some(alert),
        Some(alert) => return Err(Rejection::AlertClosed(new.kpi.clone(), alert.clone())),
        None => kpi.open_alerts.get(&AlertKind::Breach),
    };
    let fields = new.fields(workspace, kpi);
    let mut objective = objective::created(workspace, &new.objective, &fields)?;
    if let Event::ObjectiveCreated { started_from, .. } = &mut objective {
        *started_from = Some(StartedFrom {
            kpi: new.kpi.clone(),
            alert: alert.cloned(),
        });
    }
    let mut after = workspace.clone();
    after.evolve(&objective, stamp);
    let key_result = key_result::create(&after, &new.key_result(), &measured_by(new, kpi, target))?;
    let plan = alert
        .map(|alert| planned(workspace, new, alert, &fields))
        .transpose()?;
    Ok(std::iter::once(objective).chain(key_result).chain(plan).collect())
}

/// The bound that the KPI's newest value misses.
fn missed(new: &StartObjective, kpi: &Kpi, workspace: &Workspace) -> Result<Value, Rejection> {
    let newest = judged_values(kpi, workspace)
        .next()
        .filter(|judged| matches!(judged.health, Health::Watch | Health::Breached));
    newest
        .and_then(|judged| {
            let (_, target) = judged.target?;
            target.nearer_bound(kpi.fields.direction, judged.value.value)
        })
        .ok_or_else(|| Rejection::KpiNotInTrouble(new.kpi.clone()))
}

/// From where the KPI stands, which is taken as its baseline when it is created, to the bound.
fn measured_by(new: &StartObjective, kpi: &Kpi, target: Value) -> KeyResultFields {
    KeyResultFields {
        title: kpi.fields.title.clone(),
        owner: None,
        kind: KeyResultKind::Metric(Metric {
            baseline: None,
            target,
            relative_target: None,
            reference_value: None,
        }),
        unit: None,
        weight: Weight::ONE,
        kpi: Some(new.kpi.clone()),
        due_date: None,
        window: Window::Newest,
    }
}

/// The alert's plan names the objective; without a plan, the objective is the plan.
fn planned(
    workspace: &Workspace,
    new: &StartObjective,
    alert: &Id,
    fields: &ObjectiveFields,
) -> Result<Event, Rejection> {
    let set = workspace.alert(&new.kpi, alert)?.plan.as_ref();
    let before = set.map(|set| &set.plan);
    // What is completed has done its part: the objective is a new plan.
    let open = set.filter(|set| set.completed.is_none()).map(|set| &set.plan);
    let after = match open {
        Some(plan) => ActionPlan {
            objective: Some(new.objective.clone()),
            ..plan.clone()
        },
        None => ActionPlan {
            cause: Text::empty(),
            text: Text::parse(fields.title.as_str()).unwrap_or_else(|_| Text::empty()),
            owner: fields.owner.clone(),
            due_date: Some(workspace.cycle(&new.cycle)?.fields.last_date),
            objective: Some(new.objective.clone()),
        },
    };
    Ok(Event::ActionPlanSet {
        kpi: new.kpi.clone(),
        id: alert.clone(),
        before: before.cloned().map(Box::new),
        after: Box::new(after),
    })
}
