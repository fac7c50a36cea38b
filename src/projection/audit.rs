//! Of an event: every field that it changed, with before and after, as an auditor reads them.
//!
//! Invariant: a path is the name that the API gives the field. When and by whom is the commit's, and is not said again: a
//! time is a field only where the API has no other that says the same, as with `archive_time`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::domain::{AlertOpening, Event, ObjectiveResult, Timestamp};

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

/// The fields that an event of a commit of that time changed, by path.
#[must_use]
pub fn field_changes(event: &Event, recorded_time: Timestamp) -> Vec<FieldChange> {
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
        Event::CycleCreated { id: _, fields } => between(&Json::Null, fields),
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
            started_from,
        } => {
            let mut changes = between(&Json::Null, fields);
            changes.extend(between(
                &Json::Null,
                &json!({
                    "carried_from": carried_from,
                    "started_from_kpi": started_from.as_ref().map(|from| &from.kpi),
                    "started_from_alert": started_from.as_ref().and_then(|from| from.alert.as_ref()),
                }),
            ));
            changes
        }
        Event::ObjectiveClosed {
            id: _,
            before,
            result,
        } => between(
            &json!({ "state": before }),
            &json!({ "state": "CLOSED", "result": frozen(result) }),
        ),
        Event::ObjectiveReopened {
            id: _,
            before,
            after,
            result,
        } => between(
            &json!({ "state": before, "result": result.as_deref().map(frozen) }),
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
        // There are more of these than of all others together: they are compared without a detour.
        Event::MeasurementRecorded(recorded) => {
            let text = |text| none_if_empty(text).map_or(Json::Null, Json::from);
            different([
                (
                    "measurement.effective_time",
                    Json::Null,
                    json!(recorded.effective_time),
                ),
                ("measurement.note", Json::Null, text(&recorded.note)),
                ("measurement.source_id", Json::Null, text(&recorded.source_id)),
                ("measurement.value", json!(recorded.before), json!(recorded.value)),
            ])
        }
        Event::MeasurementRetracted {
            kpi: _,
            effective_time,
            source_id,
            before,
        } => between(
            &json!({ "measurement": {
                "value": before,
                "effective_time": effective_time,
                "source_id": none_if_empty(source_id),
            } }),
            &Json::Null,
        ),
        Event::TargetDeleted {
            kpi: _,
            date: _,
            before,
        } => between(before, &Json::Null),
        Event::KpiArchived { id: _ } => between(&Json::Null, &json!({ "archive_time": recorded_time })),
        Event::KpiUnarchived { id: _, before } => between(&json!({ "archive_time": before }), &Json::Null),
        Event::AlertOpened {
            kpi: _,
            id: _,
            opening,
        } => between(&Json::Null, &opened(opening)),
        Event::AlertClosed {
            kpi: _,
            id: _,
            reason,
        } => between(
            &json!({ "state": "OPEN" }),
            &json!({ "state": "CLOSED", "close_reason": reason }),
        ),
        Event::AlertAcknowledged {
            kpi: _,
            id: _,
            before,
            note,
        } => between(
            &json!({ "acknowledge_note": before }),
            &json!({
                "acknowledge_note": note,
                "acknowledge_time": before.is_none().then_some(recorded_time),
            }),
        ),
        Event::ActionPlanSet {
            kpi: _,
            id: _,
            before,
            after,
        } => between(
            &json!({ "action_plan": before }),
            &json!({ "action_plan": after }),
        ),
        Event::ActionPlanCompleted { kpi: _, id: _, note } => between(
            &Json::Null,
            &json!({ "action_plan": { "complete_note": note, "complete_time": recorded_time } }),
        ),
        Event::ActionPlanOverdue {
            kpi: _,
            id: _,
            due_date: _,
        } => between(
            &json!({ "action_plan": { "overdue": false } }),
            &json!({ "action_plan": { "overdue": true } }),
        ),
    }
}

/// What an alert opened by, as the API shows it.
fn opened(opening: &AlertOpening) -> Json {
    let AlertOpening {
        kind,
        date,
        period,
        value,
        reference,
        periods,
        newest: _,
    } = opening;
    let period_value = period.map(|period| {
        json!({
            "first_date": period.first,
            "last_date": period.last,
            "value": value,
            "provisional": period.last >= *date,
        })
    });
    json!({
        "kind": kind,
        "state": "OPEN",
        "period_value": period_value,
        "reference_value": reference,
        "period_count": periods,
    })
}

/// A result as the API shows it, and each key result as it was frozen.
fn frozen(result: &ObjectiveResult) -> Json {
    let ObjectiveResult {
        score,
        expected,
        grading,
        postponed: _,
        closing,
        with_cycle,
        date,
        policy_version,
        key_results,
    } = result;
    let grading = match grading {
        Some(grading) => json!(grading),
        None => json!({ "outcome": result.outcome() }),
    };
    json!({
        "score": score,
        "expected": expected,
        "grading": grading,
        "closing": closing,
        "with_cycle": with_cycle,
        "close_date": date,
        "policy_version": policy_version,
        "key_results": key_results,
    })
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
    different(
        sides
            .into_iter()
            .map(|(path, (before, after))| (path, before, after)),
    )
}

/// Those paths at which two values differ.
fn different(sides: impl IntoIterator<Item = (impl Into<String>, Json, Json)>) -> Vec<FieldChange> {
    sides
        .into_iter()
        .filter(|(_, before, after)| before != after && !is_unset(before, after))
        .map(|(path, before, after)| FieldChange {
            path: path.into(),
            before,
            after,
        })
        .collect()
}

/// Between no value and `false` nothing changes: the API does not tell them apart.
fn is_unset(before: &Json, after: &Json) -> bool {
    let unset = |side: &Json| matches!(side, Json::Null | Json::Bool(false));
    unset(before) && unset(after)
}

/// The leaves of a value with their dotted paths. Empty texts and lists are no value where the API does not tell them apart.
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
        // The kind of key result without fields of its own.
        Json::String(kind) if path == KIND && kind == BINARY => found.push((kind, Json::Bool(true))),
        Json::String(text) if text.is_empty() && !path.starts_with("labels.") => {}
        // Of a check-in the empty list says that none is reached, and no list says nothing.
        Json::Array(items) if items.is_empty() && path != "reached_milestones" => {}
        Json::Array(items) if items.iter().any(Json::is_object) => {
            let mut ids = Vec::with_capacity(items.len());
            for item in items {
                let (id, fields) = named(item);
                collect(format!("{path}.{id}"), fields, found);
                ids.push(Json::String(id));
            }
            found.push((path, Json::Array(ids)));
        }
        Json::Object(fields) if path == UNIT_KIND => {
            for (kind, value) in fields {
                collect(unit_field(&kind).to_owned(), value, found);
                found.push((path.clone(), Json::String(kind)));
            }
        }
        Json::Object(fields) => {
            for (name, value) in fields {
                collect(inside(&path, name), value, found);
            }
        }
        leaf => found.push((path, leaf)),
    }
}

/// Where a key result's fields say how it is measured: no level of its own on the wire. An alert's kind is a word.
const KIND: &str = "kind";
const BINARY: &str = "binary";

/// Where a unit says what kind it is: what belongs to the kind stands beside it on the wire.
const UNIT_KIND: &str = "unit.kind";

fn unit_field(kind: &str) -> &'static str {
    if kind == "CURRENCY" {
        "unit.currency_code"
    } else {
        "unit.scale_labels"
    }
}

fn inside(path: &str, name: String) -> String {
    match path {
        "" | KIND => name,
        path => format!("{path}.{name}"),
    }
}

/// The id of an element of a list, and its other fields. Milestones and frozen key results are read as the list of their
/// ids, in order, and each at its id, so that a reader sees what changed of which.
fn named(mut item: Json) -> (String, Json) {
    let id = item.as_object_mut().and_then(|fields| fields.remove("id"));
    let id = id.as_ref().and_then(Json::as_str).unwrap_or_default().to_owned();
    (id, item)
}

#[cfg(test)]
mod tests;
