//! The commit itself: where it stands, who asked for it and why. Its events are in `event`.
//!
//! Invariant: a commit is read only at the place that it names itself.

use smol_str::SmolStr;

use super::event::{event_from_stored, event_to_stored};
use super::fault::{At, Fault};
use super::scalar::{
    array_from_stored, list_from_stored, required, small_to_stored, stored_enum, timestamp_from_stored,
};
use crate::domain::{Actor, Authentication, Commit, Origin, RequestKey, Revision};
use crate::log::LogId;
use crate::proto::stored;

stored_enum!(authentication_to_stored, authentication_from_stored:
    Authentication = stored::actor::Authentication { None, System, Certificate, Token, ApiKey });

pub(super) fn commit_to_stored(log: LogId, commit: &Commit) -> stored::Commit {
    let Commit {
        revision,
        recorded_time,
        epoch,
        origin,
        events,
    } = commit;
    let Origin {
        actor,
        method,
        request,
        correlation_id,
        causation_id,
        traceparent,
        user_agent,
        peer,
        reason,
    } = origin;
    let (request_id, request_fingerprint) = request_to_stored(request.as_ref());
    stored::Commit {
        log_id: log.0.to_vec(),
        revision: revision.0,
        recorded_time_us: recorded_time.as_micros(),
        epoch: *epoch,
        actor: Some(actor_to_stored(actor)),
        method: small_to_stored(method),
        request_id,
        request_fingerprint,
        correlation_id: small_to_stored(correlation_id),
        causation_id: small_to_stored(causation_id),
        traceparent: small_to_stored(traceparent),
        user_agent: small_to_stored(user_agent),
        peer: small_to_stored(peer),
        reason: small_to_stored(reason),
        events: events.iter().map(event_to_stored).collect(),
    }
}

pub(super) fn commit_from_stored(
    log: LogId,
    expected: Revision,
    stored: stored::Commit,
) -> Result<Commit, Fault> {
    let stored::Commit {
        log_id,
        revision,
        recorded_time_us,
        epoch,
        actor,
        method,
        request_id,
        request_fingerprint,
        correlation_id,
        causation_id,
        traceparent,
        user_agent,
        peer,
        reason,
        events,
    } = stored;
    check_place(log, expected, &log_id, revision)?;
    if epoch == 0 {
        return Err(Fault::damaged("it is missing")).at("epoch");
    }
    let origin = Origin {
        actor: required(actor).and_then(actor_from_stored).at("actor")?,
        method: SmolStr::from(method),
        request: request_from_stored(&request_id, &request_fingerprint)?,
        correlation_id: SmolStr::from(correlation_id),
        causation_id: SmolStr::from(causation_id),
        traceparent: SmolStr::from(traceparent),
        user_agent: SmolStr::from(user_agent),
        peer: SmolStr::from(peer),
        reason: SmolStr::from(reason),
    };
    Ok(Commit {
        revision: expected,
        recorded_time: timestamp_from_stored(recorded_time_us).at("recorded_time_us")?,
        epoch,
        origin,
        events: list_from_stored("events", events, event_from_stored)?,
    })
}

/// Refuses a commit that stands where another one belongs.
fn check_place(log: LogId, expected: Revision, log_id: &[u8], revision: u64) -> Result<(), Fault> {
    let found = LogId(array_from_stored(log_id).at("log_id")?);
    if found != log {
        return Err(Fault::damaged(format!("it belongs to log {found}"))).at("log_id");
    }
    if revision != expected.0 {
        return Err(Fault::damaged(format!("it is revision {revision}"))).at("revision");
    }
    Ok(())
}

fn actor_to_stored(actor: &Actor) -> stored::Actor {
    let Actor {
        principal,
        authentication,
        on_behalf_of,
    } = actor;
    stored::Actor {
        principal: small_to_stored(principal),
        authentication: authentication_to_stored(*authentication),
        on_behalf_of: small_to_stored(on_behalf_of),
    }
}

fn actor_from_stored(stored: stored::Actor) -> Result<Actor, Fault> {
    let stored::Actor {
        principal,
        authentication,
        on_behalf_of,
    } = stored;
    Ok(Actor {
        principal: SmolStr::from(principal),
        authentication: authentication_from_stored(authentication).at("authentication")?,
        on_behalf_of: SmolStr::from(on_behalf_of),
    })
}

fn request_to_stored(request: Option<&RequestKey>) -> (Vec<u8>, Vec<u8>) {
    match request {
        None => (Vec::new(), Vec::new()),
        Some(RequestKey { id, fingerprint }) => (id.to_vec(), fingerprint.to_vec()),
    }
}

fn request_from_stored(id: &[u8], fingerprint: &[u8]) -> Result<Option<RequestKey>, Fault> {
    if id.is_empty() && fingerprint.is_empty() {
        return Ok(None);
    }
    Ok(Some(RequestKey {
        id: array_from_stored(id).at("request_id")?,
        fingerprint: array_from_stored(fingerprint).at("request_fingerprint")?,
    }))
}
