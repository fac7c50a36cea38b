//! Every kind of subscriber that the faults are tried on.

use binnacle::proto::api::SubscriptionFilter;
use binnacle::proto::api::subscription_filter::{ChangeKind, ResourceKind};

use crate::subscriber::kind::{Begins, EVERYTHING, Kind, Scope, is_in, of_kinds, of_names};

const OBJECTIVES: Scope = Scope {
    name: "objectives",
    filter: || of_kinds(&[ResourceKind::Objective]),
    takes: Some(|resource| is_in(&["objectives"], resource)),
    ..EVERYTHING
};
const SOURCES: Scope = Scope {
    name: "figures' sources",
    filter: || of_kinds(&[ResourceKind::KeyResult, ResourceKind::Kpi]),
    takes: Some(|resource| is_in(&["keyResults", "kpis"], resource)),
    ..EVERYTHING
};
const PREFIX: Scope = Scope {
    name: "names that begin with o1",
    filter: || of_names("workspaces/acme/objectives/o1*"),
    takes: Some(|resource| resource.starts_with("workspaces/acme/objectives/o1")),
    ..EVERYTHING
};
const TEAM: Scope = Scope {
    name: "team sales",
    filter: || {
        Some(SubscriptionFilter {
            teams: vec!["workspaces/acme/teams/sales".to_owned()],
            ..Default::default()
        })
    },
    takes: None,
    ..EVERYTHING
};
const VALUES: Scope = Scope {
    name: "values",
    filter: || {
        Some(SubscriptionFilter {
            change_kinds: vec![ChangeKind::ValueChanged.into()],
            ..Default::default()
        })
    },
    takes: None,
    is_folded: false,
};
const MEMBERS: Scope = Scope {
    name: "members",
    filter: || of_kinds(&[ResourceKind::Member]),
    takes: Some(|resource| is_in(&["members"], resource)),
    ..EVERYTHING
};

pub(crate) const KINDS: [Kind; 12] = [
    EVERYTHING.told(Begins::Snapshot),
    EVERYTHING.told(Begins::FromBeginning),
    EVERYTHING.told(Begins::After),
    OBJECTIVES.told(Begins::Snapshot),
    SOURCES.told(Begins::FromBeginning),
    PREFIX.told(Begins::Snapshot),
    PREFIX.told(Begins::After),
    TEAM.told(Begins::Snapshot),
    VALUES.told(Begins::FromBeginning),
    MEMBERS.told(Begins::Snapshot),
    EVERYTHING.told(Begins::Snapshot).every_ms(100),
    OBJECTIVES.told(Begins::FromBeginning).every_ms(100),
];

/// The kind that is called so.
pub(crate) fn named(name: &str) -> Kind {
    let found = KINDS.iter().find(|kind| kind.to_string() == name);
    *found.unwrap_or_else(|| panic!("there is no kind {name}"))
}
