//! What a subscription is about: which resources, and which kinds of changes.
//!
//! Invariant: whether something is taken follows from the filter, the name and the scopes that the commit came with; the same
//! for who is live and who is behind. An empty list takes everything.

use std::collections::BTreeSet;

use prost::Message;
use sha2::{Digest, Sha256};

use super::token::FilterHash;
use crate::domain::{Event, Id, ResourceName};
use crate::projection::{Concern, DerivedChange, Scope};
use crate::proto::api::SubscriptionFilter;
use crate::proto::api::subscription_filter::{ChangeKind, ResourceKind};

#[cfg(test)]
pub(super) mod tests;

/// A filter that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::service) struct Filter {
    pub(in crate::service) resource_kinds: BTreeSet<ResourceKind>,
    pub(in crate::service) names: Vec<NamePattern>,
    pub(in crate::service) teams: BTreeSet<Id>,
    pub(in crate::service) cycles: BTreeSet<Id>,
    pub(in crate::service) change_kinds: BTreeSet<ChangeKind>,
    /// The same, as the API writes it: sorted, and each entry once.
    canonical: SubscriptionFilter,
}

/// Names of resources, within the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service) enum NamePattern {
    /// One.
    Exactly(ResourceName),
    /// Every one that begins so.
    Prefix(String),
}

impl Filter {
    /// Of what was read of `written`.
    pub(in crate::service) fn new(
        written: &SubscriptionFilter,
        names: Vec<NamePattern>,
        (teams, cycles): (BTreeSet<Id>, BTreeSet<Id>),
        (resource_kinds, change_kinds): (BTreeSet<ResourceKind>, BTreeSet<ChangeKind>),
    ) -> Self {
        Self {
            resource_kinds,
            names,
            teams,
            cycles,
            change_kinds,
            canonical: SubscriptionFilter {
                resource_kinds: each_once(&written.resource_kinds),
                names: each_once(&written.names),
                teams: each_once(&written.teams),
                cycles: each_once(&written.cycles),
                change_kinds: each_once(&written.change_kinds),
            },
        }
    }

    /// Whether it takes everything there is.
    pub(super) fn is_everything(&self) -> bool {
        self.canonical == SubscriptionFilter::default()
    }

    /// The same for every way to write the same filter. The filter that takes everything has the hash of nothing.
    pub(super) fn hash(&self) -> FilterHash {
        let mut hash = FilterHash::default();
        let digest = Sha256::digest(self.canonical.encode_to_vec());
        hash.copy_from_slice(&digest[..size_of::<FilterHash>()]);
        hash
    }

    /// Tells it apart from every other filter.
    pub(super) fn key(&self) -> Vec<u8> {
        self.canonical.encode_to_vec()
    }

    /// Whether a snapshot with this filter has a resource of that scope.
    pub(super) fn lists(&self, name: &ResourceName, scope: Option<&Scope>) -> bool {
        scope.is_some_and(|scope| scope.listed && self.takes(name, scope, scope.cycle.as_ref()))
    }

    /// Whether an event is taken: its resource belongs here, before or after it.
    pub(super) fn takes_event(&self, event: &Event, name: &ResourceName, concern: Option<&Concern>) -> bool {
        self.takes_change(change_kind(event)) && self.is_about(name, concern, None)
    }

    /// Whether a derived change is taken.
    pub(super) fn takes_derived(
        &self,
        change: &DerivedChange,
        name: &ResourceName,
        concern: Option<&Concern>,
    ) -> bool {
        // A team's score is that of one cycle.
        let cycle = match change {
            DerivedChange::Team { id, .. } => Some(&id.cycle),
            _ => None,
        };
        self.takes_change(ChangeKind::FigureChanged) && self.is_about(name, concern, cycle)
    }

    fn takes_change(&self, kind: ChangeKind) -> bool {
        self.change_kinds.is_empty() || self.change_kinds.contains(&kind)
    }

    fn is_about(&self, name: &ResourceName, concern: Option<&Concern>, cycle: Option<&Id>) -> bool {
        let takes = |scope: Option<&Scope>| {
            scope.is_some_and(|scope| self.takes(name, scope, cycle.or(scope.cycle.as_ref())))
        };
        match concern {
            Some(concern) => takes(concern.after()) || takes(concern.before()),
            // Of what belongs nowhere any more only its name can be held against the filter.
            None => takes(Some(&Scope::default())),
        }
    }

    fn takes(&self, name: &ResourceName, scope: &Scope, cycle: Option<&Id>) -> bool {
        (self.resource_kinds.is_empty() || self.resource_kinds.contains(&resource_kind(name)))
            && (self.teams.is_empty() || scope.teams.iter().any(|team| self.teams.contains(team)))
            && (self.cycles.is_empty() || cycle.is_some_and(|cycle| self.cycles.contains(cycle)))
            && self.names(name)
    }

    fn names(&self, name: &ResourceName) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let text = name.to_string();
        self.names.iter().any(|pattern| match pattern {
            NamePattern::Exactly(one) => one == name,
            // The workspace has no name within itself.
            NamePattern::Prefix(begins) => *name != ResourceName::Workspace && text.starts_with(begins),
        })
    }
}

fn each_once<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    list.iter()
        .cloned()
        .collect::<BTreeSet<T>>()
        .into_iter()
        .collect()
}

fn resource_kind(name: &ResourceName) -> ResourceKind {
    match name {
        ResourceName::Workspace => ResourceKind::Workspace,
        ResourceName::Team(_) => ResourceKind::Team,
        ResourceName::Member(_) => ResourceKind::Member,
        ResourceName::ScoringPolicy => ResourceKind::ScoringPolicy,
        ResourceName::Cycle(_) => ResourceKind::Cycle,
        ResourceName::Review(..) => ResourceKind::Review,
        ResourceName::Objective(_) => ResourceKind::Objective,
        ResourceName::KeyResult(_) => ResourceKind::KeyResult,
        ResourceName::Initiative(_) => ResourceKind::Initiative,
        ResourceName::CheckIn(..) => ResourceKind::CheckIn,
        ResourceName::Kpi(_) => ResourceKind::Kpi,
        ResourceName::Target(..) => ResourceKind::Target,
        ResourceName::Alert(..) => ResourceKind::Alert,
    }
}

/// What an event does to its resource.
fn change_kind(event: &Event) -> ChangeKind {
    match event {
        Event::WorkspaceCreated(_)
        | Event::TeamCreated { .. }
        | Event::MemberCreated { .. }
        | Event::CycleCreated { .. }
        | Event::ReviewRecorded { .. }
        | Event::ObjectiveCreated { .. }
        | Event::KeyResultCreated { .. }
        | Event::InitiativeCreated { .. }
        | Event::KpiCreated { .. }
        | Event::TargetSet { before: None, .. }
        | Event::AlertOpened { .. }
        | Event::Undeleted { .. } => ChangeKind::Created,
        Event::WorkspaceUpdated { .. }
        | Event::ScoringPolicyUpdated { .. }
        | Event::TeamUpdated { .. }
        | Event::MemberUpdated { .. }
        | Event::CycleUpdated { .. }
        | Event::ObjectiveUpdated { .. }
        | Event::KeyResultUpdated { .. }
        | Event::InitiativeUpdated { .. }
        | Event::KpiUpdated { .. }
        | Event::TargetSet { before: Some(_), .. }
        | Event::AlertAcknowledged { .. }
        | Event::ActionPlanSet { .. } => ChangeKind::Updated,
        Event::Deleted { .. } | Event::TargetDeleted { .. } => ChangeKind::Deleted,
        Event::EpochStarted(_)
        | Event::DayStarted { .. }
        | Event::CycleActivated { .. }
        | Event::CycleReviewBegun { .. }
        | Event::CycleClosed { .. }
        | Event::CycleReopened { .. }
        | Event::ObjectiveActivated { .. }
        | Event::ObjectiveClosed { .. }
        | Event::ObjectiveReopened { .. }
        | Event::ObjectiveCanceled { .. }
        | Event::KpiArchived { .. }
        | Event::KpiUnarchived { .. }
        | Event::AlertClosed { .. }
        | Event::ActionPlanCompleted { .. }
        | Event::ActionPlanOverdue { .. } => ChangeKind::StateChanged,
        Event::CheckInRecorded { .. }
        | Event::CheckInCorrected { .. }
        | Event::CheckInRetracted { .. }
        | Event::MeasurementRecorded(_)
        | Event::MeasurementRetracted { .. } => ChangeKind::ValueChanged,
    }
}
