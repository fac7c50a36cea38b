//! Deletion and what came back: a name of every kind of resource.

use proptest::prelude::{Just, any};
use proptest::strategy::{BoxedStrategy, Strategy, Union};

use super::{date, id};
use crate::domain::{Event, InitiativeId, KeyResultId, ResourceName, Revision};

/// One strategy for each variant.
pub(super) fn events() -> Vec<BoxedStrategy<Event>> {
    let undeleted = (Union::new(names()), any::<u64>()).prop_map(|(name, deletion)| Event::Undeleted {
        name,
        deletion: Revision(deletion),
    });
    vec![
        Union::new(names())
            .prop_map(|name| Event::Deleted { name })
            .boxed(),
        undeleted.boxed(),
    ]
}

/// One strategy for each kind.
fn names() -> Vec<BoxedStrategy<ResourceName>> {
    vec![
        Just(ResourceName::Workspace).boxed(),
        id().prop_map(ResourceName::Team).boxed(),
        id().prop_map(ResourceName::Member).boxed(),
        Just(ResourceName::ScoringPolicy).boxed(),
        id().prop_map(ResourceName::Cycle).boxed(),
        (id(), id())
            .prop_map(|(cycle, id)| ResourceName::Review(cycle, id))
            .boxed(),
        id().prop_map(ResourceName::Objective).boxed(),
        key_result_id().prop_map(ResourceName::KeyResult).boxed(),
        initiative_id().prop_map(ResourceName::Initiative).boxed(),
        (key_result_id(), id())
            .prop_map(|(key_result, id)| ResourceName::CheckIn(key_result, id))
            .boxed(),
        id().prop_map(ResourceName::Kpi).boxed(),
        (id(), date())
            .prop_map(|(kpi, date)| ResourceName::Target(kpi, date))
            .boxed(),
        (id(), id())
            .prop_map(|(kpi, alert)| ResourceName::Alert(kpi, alert))
            .boxed(),
    ]
}

pub(super) fn key_result_id() -> impl Strategy<Value = KeyResultId> {
    (id(), id()).prop_map(|(objective, id)| KeyResultId { objective, id })
}

pub(super) fn initiative_id() -> impl Strategy<Value = InitiativeId> {
    (id(), id()).prop_map(|(objective, id)| InitiativeId { objective, id })
}
