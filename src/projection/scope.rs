//! Where a resource belongs, in which team and in which cycle, and whether a snapshot of the workspace lists it: what
//! decides which subscriptions it concerns.
//!
//! Invariant: a scope is a function of the workspace and the name alone, so that a reader who is live and one who is behind
//! come to the same. It knows no filter.

use crate::domain::{Deletion, Event, Id, ResourceName, Workspace};

/// Where a resource belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The team that owns it, then the teams above that one; empty: it is nobody's.
    pub teams: Vec<Id>,
    /// The cycle that it is, or lies in.
    pub cycle: Option<Id>,
    /// Whether a snapshot lists it: it is not deleted, and an alert is open.
    pub listed: bool,
}

/// Where a resource that a commit is about belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Before the commit and after it.
    Stays(Scope),
    /// It moved: it was created, deleted, given to another team, …
    Moves(Box<Move>),
}

/// Before and after; none: there is no such resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "before and after")]
pub struct Move {
    pub before: Option<Scope>,
    pub after: Option<Scope>,
}

/// Concerns by name, each name once. Almost every commit has one or two: a sorted list is a tenth of a map of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concerns(Box<[(ResourceName, Concern)]>);

impl Concerns {
    /// `concern_of` is asked about each name once; none: there never was one of that name.
    pub(super) fn of(
        mut names: Vec<ResourceName>,
        concern_of: impl Fn(&ResourceName) -> Option<Concern>,
    ) -> Self {
        names.sort_unstable();
        names.dedup();
        let concerns = names.into_iter().filter_map(|name| {
            let concern = concern_of(&name)?;
            Some((name, concern))
        });
        Self(concerns.collect())
    }

    /// That of a resource.
    #[must_use]
    pub fn get(&self, name: &ResourceName) -> Option<&Concern> {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(name)).ok()?;
        self.0.get(at).map(|(_, concern)| concern)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, &Concern)> {
        self.0.iter().map(|(name, concern)| (name, concern))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Concern {
    /// Where the resource belonged before.
    #[must_use]
    pub fn before(&self) -> Option<&Scope> {
        match self {
            Self::Stays(scope) => Some(scope),
            Self::Moves(moved) => moved.before.as_ref(),
        }
    }

    /// Where it belongs after.
    #[must_use]
    pub fn after(&self) -> Option<&Scope> {
        match self {
            Self::Stays(scope) => Some(scope),
            Self::Moves(moved) => moved.after.as_ref(),
        }
    }

    /// Of a resource between two moments.
    pub(super) fn between(before: &Workspace, after: &Workspace, name: &ResourceName) -> Self {
        let (before, after) = (scope(before, name), scope(after, name));
        match after {
            Some(after) if before.as_ref() == Some(&after) => Self::Stays(after),
            after => Self::Moves(Box::new(Move { before, after })),
        }
    }
}

/// Where a resource belongs; none: there never was one of that name.
#[must_use]
pub fn scope(workspace: &Workspace, name: &ResourceName) -> Option<Scope> {
    let of_nobody = |listed| Scope {
        listed,
        ..Scope::default()
    };
    match name {
        ResourceName::Workspace => {
            workspace.id()?;
            Some(of_nobody(workspace.deleted().is_none()))
        }
        ResourceName::ScoringPolicy => workspace.policies().get_max().map(|_| of_nobody(true)),
        ResourceName::Member(id) => Some(of_nobody(stands(workspace.members().get(id)?.deleted))),
        ResourceName::Team(id) => Some(Scope {
            teams: and_above(workspace, Some(id)),
            cycle: None,
            listed: stands(workspace.teams().get(id)?.deleted),
        }),
        ResourceName::Cycle(id) => workspace.cycles().get(id).map(|_| in_cycle(id)),
        ResourceName::Review(cycle, id) => {
            let key = (cycle.clone(), id.clone());
            workspace.reviews().get(&key).map(|_| in_cycle(cycle))
        }
        ResourceName::Objective(id) => {
            let deleted = workspace.objectives().get(id)?.deleted;
            in_objective(workspace, id, stands(deleted))
        }
        ResourceName::KeyResult(id) => {
            let deleted = workspace.key_results().get(id)?.deleted;
            in_objective(workspace, &id.objective, stands(deleted))
        }
        ResourceName::Initiative(id) => {
            let deleted = workspace.initiatives().get(id)?.deleted;
            in_objective(workspace, &id.objective, stands(deleted))
        }
        // They are no part of a snapshot.
        ResourceName::CheckIn(key_result, _) => in_objective(workspace, &key_result.objective, false),
        ResourceName::Kpi(id) => in_kpi(workspace, id, true),
        ResourceName::Target(id, date) => {
            let there = workspace.kpis().get(id)?.targets.contains_key(date);
            in_kpi(workspace, id, there)
        }
        ResourceName::Alert(id, alert) => {
            let held = workspace.kpis().get(id)?.alerts.get(alert)?;
            in_kpi(workspace, id, held.closed.is_none())
        }
    }
}

fn stands(deleted: Option<Deletion>) -> bool {
    deleted.is_none()
}

fn in_cycle(id: &Id) -> Scope {
    Scope {
        teams: Vec::new(),
        cycle: Some(id.clone()),
        listed: true,
    }
}

fn in_objective(workspace: &Workspace, id: &Id, listed: bool) -> Option<Scope> {
    let fields = &workspace.objectives().get(id)?.fields;
    Some(Scope {
        teams: and_above(workspace, fields.team.as_ref()),
        cycle: Some(fields.cycle.clone()),
        listed,
    })
}

/// A KPI, or what lies in it.
fn in_kpi(workspace: &Workspace, id: &Id, listed: bool) -> Option<Scope> {
    let kpi = workspace.kpis().get(id)?;
    Some(Scope {
        teams: and_above(workspace, kpi.fields.team.as_ref()),
        cycle: None,
        listed: listed && stands(kpi.deleted),
    })
}

/// A team and the teams above it.
fn and_above(workspace: &Workspace, team: Option<&Id>) -> Vec<Id> {
    let teams = workspace.teams();
    std::iter::successors(team, |team| teams.get(*team)?.fields.parent_team.as_ref())
        // No team lies below itself; a walk ends all the same.
        .take(teams.len().max(1))
        .cloned()
        .collect()
}

/// Whether an event may move a resource, or may do something to an alert: then the state before it is wanted.
pub(super) fn looks_back(event: &Event) -> bool {
    match event {
        Event::EpochStarted(_)
        | Event::WorkspaceUpdated { .. }
        | Event::DayStarted { .. }
        | Event::ScoringPolicyUpdated { .. }
        | Event::MemberUpdated { .. }
        | Event::CycleUpdated { .. }
        | Event::CycleActivated { .. }
        | Event::CycleReviewBegun { .. }
        | Event::CycleClosed { .. }
        | Event::CycleReopened { .. }
        | Event::ObjectiveActivated { .. }
        | Event::ObjectiveClosed { .. }
        | Event::ObjectiveReopened { .. }
        | Event::ObjectiveCanceled { .. }
        | Event::KeyResultUpdated { .. }
        | Event::InitiativeUpdated { .. }
        | Event::CheckInRecorded { .. }
        | Event::CheckInCorrected { .. }
        | Event::CheckInRetracted { .. }
        | Event::MeasurementRecorded(_)
        | Event::MeasurementRetracted { .. }
        | Event::KpiArchived { .. }
        | Event::KpiUnarchived { .. } => false,
        Event::WorkspaceCreated(_)
        | Event::Deleted { .. }
        | Event::Undeleted { .. }
        | Event::TeamCreated { .. }
        | Event::TeamUpdated { .. }
        | Event::MemberCreated { .. }
        | Event::CycleCreated { .. }
        | Event::ReviewRecorded { .. }
        | Event::ObjectiveCreated { .. }
        | Event::ObjectiveUpdated { .. }
        | Event::KeyResultCreated { .. }
        | Event::InitiativeCreated { .. }
        | Event::KpiCreated { .. }
        | Event::KpiUpdated { .. }
        | Event::TargetSet { .. }
        | Event::TargetDeleted { .. }
        | Event::AlertOpened { .. }
        | Event::AlertClosed { .. }
        | Event::AlertAcknowledged { .. }
        | Event::ActionPlanSet { .. }
        | Event::ActionPlanCompleted { .. }
        | Event::ActionPlanOverdue { .. } => true,
    }
}

/// The resources that move along with the one that an event is about.
pub(super) fn moved_along(event: &Event, after: &Workspace, found: &mut impl Extend<ResourceName>) {
    match event {
        Event::Deleted { name } | Event::Undeleted { name, .. } => below(after, name, found),
        Event::TeamUpdated {
            id,
            before,
            after: now,
        } if before.parent_team != now.parent_team => {
            for team in after.team_and_below(id) {
                owned_by(after, &team, found);
            }
        }
        Event::ObjectiveUpdated {
            id,
            before,
            after: now,
        } if before.team != now.team || before.cycle != now.cycle => {
            below(after, &ResourceName::Objective(id.clone()), found);
        }
        Event::KpiUpdated {
            id,
            before,
            after: now,
        } if before.team != now.team => {
            below(after, &ResourceName::Kpi(id.clone()), found);
        }
        Event::WorkspaceCreated(_) => {
            found.extend([ResourceName::ScoringPolicy]);
        }
        _ => {}
    }
}

/// What lies in a resource and is listed with it; deleted ones too.
pub(super) fn below(workspace: &Workspace, name: &ResourceName, found: &mut impl Extend<ResourceName>) {
    match name {
        // What they own stays where it is.
        ResourceName::Team(id) => {
            found.extend(workspace.team_and_below(id).into_iter().map(ResourceName::Team))
        }
        ResourceName::Objective(id) => {
            found.extend(
                workspace
                    .all_key_results_of(id)
                    .map(|(id, _)| ResourceName::KeyResult(id.clone())),
            );
            found.extend(
                workspace
                    .all_initiatives_of(id)
                    .map(|(id, _)| ResourceName::Initiative(id.clone())),
            );
        }
        ResourceName::Kpi(id) => {
            let Some(kpi) = workspace.kpis().get(id) else {
                return;
            };
            found.extend(
                kpi.targets
                    .keys()
                    .map(|date| ResourceName::Target(id.clone(), *date)),
            );
            found.extend(
                kpi.open_alerts
                    .values()
                    .map(|alert| ResourceName::Alert(id.clone(), alert.clone())),
            );
        }
        _ => {}
    }
}

/// A team, what it owns, and what lies in that.
pub(super) fn owned_by(workspace: &Workspace, team: &Id, found: &mut impl Extend<ResourceName>) {
    found.extend([ResourceName::Team(team.clone())]);
    let objectives = workspace
        .cycles()
        .keys()
        .flat_map(|cycle| workspace.objectives_of_team(team, cycle))
        .map(|id| ResourceName::Objective(id.clone()));
    let kpis = workspace
        .kpis_of_team(team)
        .map(|id| ResourceName::Kpi(id.clone()));
    for name in objectives.chain(kpis) {
        below(workspace, &name, found);
        found.extend([name]);
    }
}
