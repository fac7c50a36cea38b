//! All that one command decided, with the facts that the engine stamped on it.

use smol_str::SmolStr;

use super::{Event, Revision, Timestamp};

/// One commit: one dense revision, its facts once, its events in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Its place in the workspace's log.
    pub revision: Revision,
    /// When the log learned it; never before the commit in front of it.
    pub recorded_time: Timestamp,
    /// The log's epoch, from 1.
    pub epoch: u32,
    /// Who asked, how, from where and why.
    pub origin: Origin,
    /// What happened. None: a request with an id that changed nothing.
    pub events: Vec<Event>,
}

/// Who asked for a commit, how, from where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// The call, for example `binnacle.v1.KpiService/RecordMeasurement`.
    pub method: SmolStr,
    /// The request's id and fingerprint, if it had an id.
    pub request: Option<RequestKey>,
    /// Ties the commits of one piece of work together; empty: none.
    pub correlation_id: SmolStr,
    /// What made the caller ask; empty: none.
    pub causation_id: SmolStr,
    /// W3C trace context; empty: none.
    pub traceparent: SmolStr,
    /// The client's user agent; empty: none.
    pub user_agent: SmolStr,
    /// The client's address; empty unless the server is told to keep it.
    pub peer: SmolStr,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
}

/// Who asked for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The principal.
    pub principal: SmolStr,
    /// How it was authenticated.
    pub authentication: Authentication,
    /// On whose behalf; empty: its own.
    pub on_behalf_of: SmolStr,
}

/// How a principal was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Not at all: said by the client, or by nobody.
    None,
    /// The server itself.
    System,
    /// By a client certificate.
    Certificate,
    /// By a JSON web token.
    Token,
    /// By an API key.
    ApiKey,
}

/// What makes a retry recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's UUID.
    pub id: [u8; 16],
    /// SHA-256 of the request without its id.
    pub fingerprint: [u8; 32],
}

/// What the engine knows and the core must be told: where the commit will stand, when, who asked and why.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The revision that the commit will have.
    pub revision: Revision,
    /// Its recorded time.
    pub recorded_time: Timestamp,
    /// Who asked.
    pub principal: SmolStr,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
}

impl Actor {
    /// The server itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            principal: SmolStr::new_static("binnacle"),
            authentication: Authentication::System,
            on_behalf_of: SmolStr::default(),
        }
    }
}

impl Origin {
    /// Of what the server does by itself.
    #[must_use]
    pub fn system(method: &'static str) -> Self {
        Self {
            actor: Actor::system(),
            method: SmolStr::new_static(method),
            request: None,
            correlation_id: SmolStr::default(),
            causation_id: SmolStr::default(),
            traceparent: SmolStr::default(),
            user_agent: SmolStr::default(),
            peer: SmolStr::default(),
            reason: SmolStr::default(),
        }
    }
}

impl Commit {
    /// What the fold is told about it.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp {
            revision: self.revision,
            recorded_time: self.recorded_time,
            principal: self.origin.actor.principal.clone(),
            reason: self.origin.reason.clone(),
        }
    }
}
