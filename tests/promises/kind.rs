//! The kinds of subscribers: what each asks for, and which events of the log are for it.

use binnacle::proto::api;
use binnacle::proto::api::SubscriptionFilter;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscription_filter::{ChangeKind, ResourceKind};

/// One kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    filter: fn() -> Option<SubscriptionFilter>,
    begins: Begins,
    /// Whether the events of a resource are for it; none: it hangs on more than the name.
    pub(crate) takes: Option<fn(&str) -> bool>,
    min_interval_ms: Option<i32>,
    /// Whether a view can be folded from its stream.
    pub(crate) folds: bool,
}

/// How its first connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Snapshot,
    FromBeginning,
    /// After the token of a stream that begins now.
    After,
}

const fn kind(name: &'static str, filter: fn() -> Option<SubscriptionFilter>, begins: Begins) -> Kind {
    Kind {
        name,
        filter,
        begins,
        takes: None,
        min_interval_ms: None,
        folds: !matches!(begins, Begins::After),
    }
}

const fn taking(kind: Kind, takes: fn(&str) -> bool) -> Kind {
    Kind {
        takes: Some(takes),
        ..kind
    }
}

const fn coalesced(kind: Kind) -> Kind {
    Kind {
        min_interval_ms: Some(100),
        ..kind
    }
}

const fn unfolded(kind: Kind) -> Kind {
    Kind { folds: false, ..kind }
}

/// Every kind that the faults are tried on.
pub(crate) const KINDS: [Kind; 12] = [
    taking(kind("everything, snapshot", everything, Begins::Snapshot), any),
    taking(
        kind(
            "everything, from the beginning",
            everything,
            Begins::FromBeginning,
        ),
        any,
    ),
    taking(kind("everything, after a token", everything, Begins::After), any),
    taking(
        kind("objectives, snapshot", objectives, Begins::Snapshot),
        is_objective,
    ),
    taking(
        kind(
            "figures' sources, from the beginning",
            sources,
            Begins::FromBeginning,
        ),
        is_source,
    ),
    taking(
        kind("names that begin with o1, snapshot", prefix, Begins::Snapshot),
        begins_with_o1,
    ),
    taking(
        kind("names that begin with o1, after a token", prefix, Begins::After),
        begins_with_o1,
    ),
    kind("team sales, snapshot", team, Begins::Snapshot),
    unfolded(kind("values, from the beginning", values, Begins::FromBeginning)),
    taking(kind("members, snapshot", members, Begins::Snapshot), is_member),
    coalesced(kind(
        "everything, coalesced, snapshot",
        everything,
        Begins::Snapshot,
    )),
    coalesced(kind(
        "objectives, coalesced, from the beginning",
        objectives,
        Begins::FromBeginning,
    )),
];

impl Kind {
    pub(crate) fn of(name: &str) -> Self {
        let found = KINDS.iter().find(|kind| kind.name == name);
        *found.unwrap_or_else(|| panic!("there is no kind {name}"))
    }

    pub(crate) fn is_coalesced(&self) -> bool {
        self.min_interval_ms.is_some()
    }

    /// What a connection asks for that begins there; none: as the kind begins.
    pub(crate) fn request(&self, start: Option<Start>) -> api::SubscribeRequest {
        let start = start.unwrap_or(match self.begins {
            Begins::Snapshot => Start::Snapshot(()),
            Begins::FromBeginning => Start::FromBeginning(()),
            Begins::After => Start::Live(()),
        });
        let milliseconds = |count: i32| prost_types::Duration {
            seconds: 0,
            nanos: count * 1_000_000,
        };
        api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: Some(start),
            checkpoint_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            filter: (self.filter)(),
            min_interval: self.min_interval_ms.map(milliseconds),
        }
    }

    /// What a stream asks for that shows each commit by itself.
    pub(crate) fn request_of_the_whole_log(&self) -> api::SubscribeRequest {
        api::SubscribeRequest {
            min_interval: None,
            ..self.request(Some(Start::FromBeginning(())))
        }
    }

    pub(crate) fn begins_after_a_token(&self) -> bool {
        self.begins == Begins::After
    }
}

fn everything() -> Option<SubscriptionFilter> {
    None
}

fn objectives() -> Option<SubscriptionFilter> {
    kinds(&[ResourceKind::Objective])
}

fn sources() -> Option<SubscriptionFilter> {
    kinds(&[ResourceKind::KeyResult, ResourceKind::Kpi])
}

fn members() -> Option<SubscriptionFilter> {
    kinds(&[ResourceKind::Member])
}

fn kinds(of: &[ResourceKind]) -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        resource_kinds: of.iter().map(|kind| i32::from(*kind)).collect(),
        ..Default::default()
    })
}

fn prefix() -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        names: vec!["workspaces/acme/objectives/o1*".to_owned()],
        ..Default::default()
    })
}

fn team() -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        teams: vec!["workspaces/acme/teams/sales".to_owned()],
        ..Default::default()
    })
}

fn values() -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        change_kinds: vec![ChangeKind::ValueChanged.into()],
        ..Default::default()
    })
}

fn any(_: &str) -> bool {
    true
}

/// The collection that a resource is in.
fn collection(resource: &str) -> &str {
    resource.rsplit('/').nth(1).unwrap_or_default()
}

fn is_objective(resource: &str) -> bool {
    collection(resource) == "objectives"
}

fn is_source(resource: &str) -> bool {
    matches!(collection(resource), "keyResults" | "kpis")
}

fn is_member(resource: &str) -> bool {
    collection(resource) == "members"
}

fn begins_with_o1(resource: &str) -> bool {
    resource.starts_with("workspaces/acme/objectives/o1")
}
