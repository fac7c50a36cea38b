//! Requests about key results.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{optional_date, optional_value, required_value, weight as read_weight};
use super::unit::unit as read_unit;
use crate::domain::{
    Baseline, Command, Invalid, KeyResultId, KeyResultKind, KeyResultPatch, Metric, Rejection, Title,
};
use crate::proto::api;
use crate::proto::api::key_result::Kind;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const FIELDS: &[Field<api::KeyResult>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("owner", |m| !m.owner.is_empty()),
    Field::new("metric", |m| m.kind.is_some()),
    Field::new("unit", |m| m.unit.is_some()),
    Field::new("weight", |m| m.weight.is_some()),
    Field::new("kpi", |m| !m.kpi.is_empty()),
    Field::new("due_date", |m| m.due_date.is_some()),
];

/// Reads a CreateKeyResult request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_key_result(request: &api::CreateKeyResultRequest) -> Result<Asked, Rejection> {
    let api::CreateKeyResultRequest {
        parent,
        key_result_id,
        key_result,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, objective) = findings.keep(names::objective("parent", parent)).unzip();
    let id = findings.keep(ids::chosen("key_result_id", key_result_id, 'k', request_id));
    let command = findings
        .message("key_result", key_result.as_ref())
        .and_then(|message| {
            let patch = read(
                message,
                findings.fields("key_result", &Mask::All, workspace.as_ref()),
            );
            let (objective, id) = (objective?, id?);
            let command = Command::CreateKeyResult {
                id: KeyResultId { objective, id },
                fields: Box::new(patch.complete()?),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

/// Reads an UpdateKeyResult request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_key_result(request: &api::UpdateKeyResultRequest) -> Result<Asked, Rejection> {
    let api::UpdateKeyResultRequest {
        key_result,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("key_result", key_result.as_ref())
        .and_then(|message| {
            let name = names::key_result("key_result.name", &message.name);
            let (workspace, id) = findings.keep(name).unzip();
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let patch = read(message, findings.fields("key_result", &mask, workspace.as_ref()));
            let command = Command::UpdateKeyResult {
                id: id?,
                patch: Box::new(patch),
                etag: etag::read(&message.etag),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::KeyResult, mut fields: Fields<'_>) -> KeyResultPatch {
    let api::KeyResult {
        name: _,
        title,
        owner,
        kind,
        unit,
        weight,
        kpi,
        due_date,
        confidence: _,
        progress: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = message;
    let workspace = fields.workspace;
    KeyResultPatch {
        title: fields.read("title", || Title::parse(title)),
        owner: fields.read("owner", || names::member_reference(workspace, owner)),
        kind: fields.read_parts("metric", |path, findings| {
            read_kind(path, kind.as_ref(), findings)
        }),
        unit: fields.read_parts("unit", |path, findings| match unit {
            None => Some(None),
            Some(unit) => read_unit(path, unit, findings).map(Some),
        }),
        weight: fields.read("weight", || read_weight(*weight)),
        kpi: fields.read("kpi", || names::kpi_reference(workspace, kpi)),
        due_date: fields.read("due_date", || optional_date(due_date.as_ref())),
    }
}

fn read_kind(path: &str, kind: Option<&Kind>, findings: &mut Findings) -> Option<KeyResultKind> {
    let Some(Kind::Metric(metric)) = kind else {
        let sentence =
            "it is missing: say where the key result shall be, for example {baseline: 40, target: 65}";
        findings.push(Invalid::new(sentence).at(path));
        return None;
    };
    let api::Metric {
        baseline,
        target,
        baseline_source: _,
    } = metric;
    let baseline = findings.field(&format!("{path}.baseline"), optional_value(*baseline));
    let target = findings.field(&format!("{path}.target"), required_value(*target));
    Some(KeyResultKind::Metric(Metric {
        baseline: baseline?.map(|value| Baseline {
            value,
            kpi_revision: None,
        }),
        target: target?,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id, mask};
    use super::*;
    use crate::domain::Weight;

    fn metric(baseline: Option<f64>, target: Option<f64>) -> Option<Kind> {
        Some(Kind::Metric(api::Metric {
            baseline,
            target,
            baseline_source: None,
        }))
    }

    fn create(kind: Option<Kind>) -> Result<Asked, Rejection> {
        create_key_result(&api::CreateKeyResultRequest {
            parent: "workspaces/acme/objectives/win".to_owned(),
            key_result_id: "nps".to_owned(),
            key_result: Some(api::KeyResult {
                title: "NPS".to_owned(),
                kind,
                ..api::KeyResult::default()
            }),
            ..api::CreateKeyResultRequest::default()
        })
    }

    #[test]
    fn a_metric_has_a_target_even_if_it_is_0() {
        let Command::CreateKeyResult { id: created, fields } = command(create(metric(None, Some(0.0))))
        else {
            panic!("another command");
        };
        assert_eq!((created.objective, created.id), (id("win"), id("nps")));
        let KeyResultKind::Metric(Metric { baseline, target }) = fields.kind;
        assert_eq!((baseline, target.get()), (None, 0.0));
        assert_eq!((fields.weight, fields.unit), (Weight::ONE, None));
        for (kind, expected) in [
            (None, vec!["key_result.metric"]),
            (metric(Some(1.0), None), vec!["key_result.metric.target"]),
            (
                metric(Some(f64::NAN), Some(2e15)),
                vec!["key_result.metric.baseline", "key_result.metric.target"],
            ),
        ] {
            assert_eq!(bad_fields(create(kind)), expected);
        }
    }

    #[test]
    fn every_field_can_be_changed_alone() {
        for field in FIELDS {
            let update = update_key_result(&api::UpdateKeyResultRequest {
                key_result: Some(api::KeyResult {
                    name: "workspaces/acme/objectives/win/keyResults/nps".to_owned(),
                    title: "NPS".to_owned(),
                    kind: metric(Some(40.0), Some(65.0)),
                    ..api::KeyResult::default()
                }),
                update_mask: mask(&[field.path]),
                ..api::UpdateKeyResultRequest::default()
            });
            let Command::UpdateKeyResult { patch, .. } = command(update) else {
                panic!("another command");
            };
            assert_ne!(*patch, KeyResultPatch::default(), "{} is not read", field.path);
            assert_eq!(patch.complete(), None, "{} alone is not all", field.path);
        }
    }
}
