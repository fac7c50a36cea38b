//! The kinds of subscribers: what each asks for, and which events of the log are for it.

use std::fmt::{self, Display, Formatter};

use binnacle::proto::api;
use binnacle::proto::api::SubscriptionFilter;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscription_filter::ResourceKind;

/// What a subscriber wants to hear of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) filter: fn() -> Option<SubscriptionFilter>,
    /// Whether the events of a resource are for it; none: it hangs on more than the name.
    pub(crate) takes: Option<fn(&str) -> bool>,
    /// Whether its stream is all that a picture is folded from.
    pub(crate) is_folded: bool,
}

/// A scope, and how it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) scope: Scope,
    pub(crate) begins: Begins,
    /// One net change in so many milliseconds; none: each commit by itself.
    pub(crate) min_interval_ms: Option<i32>,
}

/// How its first connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    Snapshot,
    FromBeginning,
    Live,
    /// After the token of a stream that begins now.
    After,
}

/// The whole workspace.
pub(crate) const EVERYTHING: Scope = Scope {
    name: "everything",
    filter: || None,
    takes: Some(|_| true),
    is_folded: true,
};

impl Scope {
    pub(crate) const fn told(self, begins: Begins) -> Kind {
        Kind {
            scope: self,
            begins,
            min_interval_ms: None,
        }
    }
}

impl Kind {
    pub(crate) const fn every_ms(self, milliseconds: i32) -> Self {
        Self {
            min_interval_ms: Some(milliseconds),
            ..self
        }
    }

    pub(crate) fn is_coalesced(&self) -> bool {
        self.min_interval_ms.is_some()
    }

    /// Whether it has a picture from its beginning on.
    pub(crate) fn is_folded(&self) -> bool {
        self.scope.is_folded && matches!(self.begins, Begins::Snapshot | Begins::FromBeginning)
    }

    /// What a connection asks for that goes on behind a token; none: that begins as the kind begins.
    pub(crate) fn request(&self, token: Option<&str>) -> api::SubscribeRequest {
        let start = match (token, self.begins) {
            (Some(token), _) => Start::After(token.to_owned()),
            (None, Begins::Snapshot) => Start::Snapshot(()),
            (None, Begins::FromBeginning) => Start::FromBeginning(()),
            (None, Begins::Live | Begins::After) => Start::Live(()),
        };
        let milliseconds = |count: i32| prost_types::Duration {
            seconds: 0,
            nanos: count * 1_000_000,
        };
        api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: Some(start),
            checkpoint_interval: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            filter: (self.scope.filter)(),
            min_interval: self.min_interval_ms.map(milliseconds),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let coalesced = if self.is_coalesced() { ", coalesced" } else { "" };
        let begins = match self.begins {
            Begins::Snapshot => "snapshot",
            Begins::FromBeginning => "from the beginning",
            Begins::Live => "live",
            Begins::After => "after a token",
        };
        write!(f, "{}{coalesced}, {begins}", self.scope.name)
    }
}

/// A filter of these kinds of resources.
pub(crate) fn of_kinds(kinds: &[ResourceKind]) -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        resource_kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        ..Default::default()
    })
}

/// A filter of what is named so.
pub(crate) fn of_names(pattern: &str) -> Option<SubscriptionFilter> {
    Some(SubscriptionFilter {
        names: vec![pattern.to_owned()],
        ..Default::default()
    })
}

/// Whether a resource is in one of these collections.
pub(crate) fn is_in(collections: &[&str], resource: &str) -> bool {
    let collection = resource.rsplit('/').nth(1).unwrap_or_default();
    collections.contains(&collection)
}
