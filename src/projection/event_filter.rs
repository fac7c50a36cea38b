//! Which events somebody asks for.
//!
//! Invariant: whether an event is one of them is a function of its commit and of the filter alone. How such events are found
//! without looking at all of them only the engine knows.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::domain::{Commit, Event, ResourceName, Timestamp};

/// What an event has to be, all of it at once. The default asks for every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this resource, or of one that lies below it by name; none: of any.
    pub resource: Option<ResourceName>,
    /// By this principal, or on its behalf; none: by anybody.
    pub principal: Option<SmolStr>,
    /// Of one of these kinds; empty: of any.
    pub types: BTreeSet<&'static str>,
    /// Recorded in these moments.
    pub recorded: Moments,
    /// True in these moments; without an effective time an event was true when it was recorded.
    pub effective: Moments,
    /// Of the request with this id; none: of any, or of one without an id.
    pub request_id: Option<[u8; 16]>,
    /// Of the piece of work with this correlation id; none: of any.
    pub correlation_id: Option<SmolStr>,
}

/// The moments from `start` on and before `end`; none: without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the first moment, and the one behind the last")]
pub struct Moments {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

impl Moments {
    /// Whether a moment is one of them.
    #[must_use]
    pub fn contain(&self, moment: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= moment) && self.end.is_none_or(|end| moment < end)
    }
}

impl EventFilter {
    /// Whether an event of a commit is asked for.
    #[must_use]
    pub fn wants(&self, commit: &Commit, event: &Event) -> bool {
        self.wants_of(commit)
            && (self.types.is_empty() || self.types.contains(event.kind()))
            && self.effective.contain(effective_time(commit, event))
            && self
                .resource
                .as_ref()
                .is_none_or(|above| event.resource().is_or_lies_in(above))
    }

    /// Whether a commit is one whose events may be asked for.
    fn wants_of(&self, commit: &Commit) -> bool {
        let actor = &commit.origin.actor;
        let by = |principal: &SmolStr| actor.principal == *principal || actor.on_behalf_of == *principal;
        self.recorded.contain(commit.recorded_time)
            && self.principal.as_ref().is_none_or(by)
            && self
                .request_id
                .is_none_or(|id| commit.origin.request.is_some_and(|request| request.id == id))
            && self
                .correlation_id
                .as_ref()
                .is_none_or(|id| commit.origin.correlation_id == *id)
    }
}

/// When an event was true.
#[must_use]
pub fn effective_time(commit: &Commit, event: &Event) -> Timestamp {
    event.effective_time().unwrap_or(commit.recorded_time)
}
