//! Commits and their events, as an auditor reads them.

use prost_types::value::Kind;
use serde_json::Value as Json;
use uuid::Uuid;

use super::scalar::{revision as write_revision, timestamp};
use crate::domain::{Actor, Authentication, Commit, Id, Origin};
use crate::projection::{FieldChange, field_changes};
use crate::proto::api;
use crate::service::names;

/// A commit with its leaf in the workspace's Merkle tree.
#[must_use]
pub(crate) fn commit(commit: &Commit, leaf_hash: [u8; 32]) -> api::Commit {
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
    let Actor {
        principal,
        authentication: how,
        on_behalf_of,
    } = actor;
    api::Commit {
        revision: write_revision(*revision),
        recorded_time: Some(timestamp(*recorded_time)),
        principal: principal.to_string(),
        authentication: authentication(*how).to_owned(),
        on_behalf_of: on_behalf_of.to_string(),
        method: method.to_string(),
        request_id: request
            .map(|request| Uuid::from_bytes(request.id).to_string())
            .unwrap_or_default(),
        correlation_id: correlation_id.to_string(),
        causation_id: causation_id.to_string(),
        traceparent: traceparent.to_string(),
        user_agent: user_agent.to_string(),
        peer: peer.to_string(),
        reason: reason.to_string(),
        epoch: i32::try_from(*epoch).unwrap_or(i32::MAX),
        event_count: i32::try_from(events.len()).unwrap_or(i32::MAX),
        leaf_hash: leaf_hash.to_vec(),
        record: Vec::new(),
    }
}

/// The event of a commit at `index`, if there is one; `shown` is its commit, or none where a message says it once.
#[must_use]
pub(crate) fn event(
    workspace: &Id,
    of: &Commit,
    index: usize,
    shown: Option<api::Commit>,
) -> Option<api::Event> {
    let event = of.events.get(index)?;
    Some(api::Event {
        name: names::event_name(workspace, of.revision, index),
        r#type: event.kind().to_owned(),
        resource: names::full_name(workspace, &event.resource()),
        effective_time: event.effective_time().map(timestamp),
        changes: field_changes(event, of.recorded_time)
            .into_iter()
            .map(field_change)
            .collect(),
        commit: shown,
    })
}

/// One field before and after; a side that is null is absent.
#[must_use]
pub(crate) fn field_change(change: FieldChange) -> api::FieldChange {
    let FieldChange { path, before, after } = change;
    api::FieldChange {
        path,
        before: side(before),
        after: side(after),
    }
}

fn side(json: Json) -> Option<prost_types::Value> {
    (!json.is_null()).then(|| value(json))
}

fn value(json: Json) -> prost_types::Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(bool) => Kind::BoolValue(bool),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(items) => Kind::ListValue(prost_types::ListValue {
            values: items.into_iter().map(value).collect(),
        }),
        Json::Object(fields) => Kind::StructValue(prost_types::Struct {
            fields: fields
                .into_iter()
                .map(|(name, json)| (name, value(json)))
                .collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}

/// How a principal was authenticated, as the API says it.
#[must_use]
pub(crate) fn authentication(authentication: Authentication) -> &'static str {
    match authentication {
        Authentication::None => "none",
        Authentication::System => "system",
        Authentication::Certificate => "certificate",
        Authentication::Token => "token",
        Authentication::ApiKey => "api_key",
    }
}
