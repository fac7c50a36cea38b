//! Of an event: every field that it changed, with before and after, as an auditor reads them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::domain::Event;

/// One field before and after; `Json::Null`: it had no value.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The field's path in the resource, for example `metric.target`.
    pub path: String,
    /// Before.
    pub before: Json,
    /// After.
    pub after: Json,
}

/// The fields that an event changed, by path.
#[must_use]
pub fn field_changes(event: &Event) -> Vec<FieldChange> {
    match event {
        Event::EpochStarted(started) => {
            let root: String = started
                .restored_root
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let after = json!({
                "restored_revision": started.restored_revision,
                "restored_root": root,
                "reason": started.reason,
            });
            between(&Json::Null, &after)
        }
        Event::WorkspaceCreated(created) => {
            let mut changes = between(&Json::Null, &created.fields);
            changes.extend(between(
                &Json::Null,
                &json!({ "preset": created.preset, "scoring_policy": created.policy }),
            ));
            changes
        }
        Event::WorkspaceUpdated {
            before,
            after,
            rules: _,
        } => between(before, after),
        Event::DayStarted { before, date } => between(&json!({ "today": before }), &json!({ "today": date })),
        Event::ScoringPolicyUpdated { before, after } => between(before, after),
        Event::Deleted { name: _ } => between(&json!({ "deleted": false }), &json!({ "deleted": true })),
        Event::Undeleted { name: _, deletion } => between(
            &json!({ "deleted": true, "deletion_revision": deletion }),
            &json!({ "deleted": false }),
        ),
        Event::TeamCreated { id: _, fields } => between(&Json::Null, fields),
        Event::TeamUpdated { id: _, before, after } => between(before, after),
        Event::MemberCreated { id: _, fields } => between(&Json::Null, fields),
        Event::MemberUpdated { id: _, before, after } => between(before, after),
        Event::CycleCreated { id: _, fields } => between(&json!({}), fields),
        Event::CycleUpdated { id: _, before, after } => between(before, after),
        Event::CycleActivated { id: _, before } => {
            between(&json!({ "state": before }), &json!({ "state": "ACTIVE" }))
        }
        Event::CycleReviewBegun { id: _, before } | Event::CycleReopened { id: _, before } => {
            between(&json!({ "state": before }), &json!({ "state": "REVIEW" }))
        }
        Event::CycleClosed { id: _, before } => {
            between(&json!({ "state": before }), &json!({ "state": "CLOSED" }))
        }
        Event::ReviewRecorded {
            cycle: _,
            id: _,
            review,
        } => between(&Json::Null, review),
        Event::ObjectiveCreated {
            id: _,
            fields,
            carried_from,
        } => {
            let mut changes = between(&Json::Null, fields);
            changes.extend(between(&Json::Null, &json!({ "carried_from": carried_from })));
            changes
        }
        Event::ObjectiveClosed {
            id: _,
            before,
            result,
        } => between(
            &json!({ "state": before }),
            &json!({ "state": "CLOSED", "result": result }),
        ),
        Event::ObjectiveReopened {
            id: _,
            before,
            after,
            result,
        } => between(
            &json!({ "state": before, "result": result }),
            &json!({ "state": after }),
        ),
        Event::ObjectiveCanceled { id: _, before } => {
            between(&json!({ "state": before }), &json!({ "state": "CANCELED" }))
        }
        Event::ObjectiveUpdated { id: _, before, after } => between(before, after),
        Event::ObjectiveActivated { id: _, before, date } => between(
            &json!({ "state": before }),
            &json!({ "state": "ACTIVE", "activation_date": date }),
        ),
        Event::KeyResultCreated {
            id: _,
            fields,
            date: _,
        } => between(&Json::Null, fields),
        Event::KeyResultUpdated { id: _, before, after } => between(before, after),
        Event::InitiativeCreated { id: _, fields } => between(&Json::Null, fields),
        Event::InitiativeUpdated { id: _, before, after } => between(before, after),
        Event::CheckInRecorded {
            key_result: _,
            id: _,
            check_in,
        } => between(&Json::Null, check_in),
        Event::CheckInCorrected {
            key_result: _,
            id: _,
            before,
            after,
        } => between(before, after),
        Event::CheckInRetracted {
            key_result: _,
            id: _,
            before,
        } => between(before, &Json::Null),
        Event::KpiCreated { id: _, fields } => between(&Json::Null, fields),
        Event::KpiUpdated { id: _, before, after } => between(before, after),
        Event::TargetSet {
            kpi: _,
            date: _,
            before,
            after,
        } => between(before, after),
        Event::MeasurementRecorded(recorded) => between(
            &json!({ "measurement": { "value": recorded.before } }),
            &json!({ "measurement": {
                "value": recorded.value,
                "effective_time": recorded.effective_time,
                "source_id": none_if_empty(&recorded.source_id),
                "note": none_if_empty(&recorded.note),
            } }),
        ),
    }
}

fn none_if_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn between(before: &impl Serialize, after: &impl Serialize) -> Vec<FieldChange> {
    let mut sides: BTreeMap<String, (Json, Json)> = BTreeMap::new();
    for (path, value) in leaves(before) {
        sides.entry(path).or_default().0 = value;
    }
    for (path, value) in leaves(after) {
        sides.entry(path).or_default().1 = value;
    }
    sides
        .into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(path, (before, after))| FieldChange { path, before, after })
        .collect()
}

/// The leaves of a value with their dotted paths. Empty texts and lists are no value: the API does not tell them apart.
fn leaves(value: &impl Serialize) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    // What the domain writes has text keys only, so it is always representable.
    collect(
        String::new(),
        serde_json::to_value(value).unwrap_or_default(),
        &mut found,
    );
    found
}

fn collect(path: String, value: Json, found: &mut Vec<(String, Json)>) {
    match value {
        Json::Null => {}
        Json::String(text) if text.is_empty() => {}
        Json::Array(items) if items.is_empty() => {}
        Json::Object(fields) => {
            for (name, value) in fields {
                // A key result's kind is no level of its own on the wire.
                let inner = match path.as_str() {
                    "" | "kind" => name,
                    path => format!("{path}.{name}"),
                };
                collect(inner, value, found);
            }
        }
        leaf => found.push((path, leaf)),
    }
}
