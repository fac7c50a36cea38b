//! Events as a table: a row for each field that an event changed, and one for an event that changed none (RFC 4180).

use super::EventWriter;
use super::moment::utc;
use super::value::cell;
use crate::cli::{Failure, FailureKind};
use crate::proto::api;

/// Writes a table.
pub(super) struct Csv;

const HEADINGS: [&str; 22] = [
    "event",
    "type",
    "resource",
    "recorded_time",
    "effective_time",
    "principal",
    "on_behalf_of",
    "authentication",
    "path",
    "before",
    "after",
    "reason",
    "method",
    "user_agent",
    "peer",
    "request_id",
    "correlation_id",
    "causation_id",
    "traceparent",
    "revision",
    "epoch",
    "leaf_hash",
];

impl EventWriter for Csv {
    fn head(&self) -> Result<String, Failure> {
        rows([HEADINGS.map(ToOwned::to_owned)])
    }

    fn event(&mut self, event: &api::Event) -> Result<String, Failure> {
        let nothing = api::FieldChange::default();
        let changes = match event.changes.as_slice() {
            [] => std::slice::from_ref(&nothing),
            changes => changes,
        };
        rows(changes.iter().map(|change| row(event, change)))
    }
}

fn row(event: &api::Event, change: &api::FieldChange) -> [String; 22] {
    let api::Event {
        name,
        r#type,
        resource,
        effective_time,
        changes: _,
        commit,
    } = event;
    let api::Commit {
        revision,
        recorded_time,
        principal,
        authentication,
        on_behalf_of,
        method,
        request_id,
        correlation_id,
        causation_id,
        traceparent,
        user_agent,
        peer,
        reason,
        epoch,
        event_count: _,
        leaf_hash,
        record: _,
    } = commit.clone().unwrap_or_default();
    let api::FieldChange { path, before, after } = change;
    [
        name.clone(),
        r#type.clone(),
        resource.clone(),
        utc(recorded_time.as_ref()),
        utc(effective_time.as_ref().or(recorded_time.as_ref())),
        principal,
        on_behalf_of,
        authentication,
        path.clone(),
        cell(before.as_ref()),
        cell(after.as_ref()),
        reason,
        method,
        user_agent,
        peer,
        request_id,
        correlation_id,
        causation_id,
        traceparent,
        revision.to_string(),
        epoch.to_string(),
        leaf_hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

fn rows(rows: impl IntoIterator<Item = [String; 22]>) -> Result<String, Failure> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.write_record(row).map_err(|error| broken(&error))?;
    }
    let bytes = table.into_inner().map_err(|error| broken(error.error()))?;
    String::from_utf8(bytes).map_err(|error| broken(&error))
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureKind::Failed, format!("a row cannot be written: {error}"))
}
