//! Requests about key results.

use super::Asked;
use super::findings::{Fields, Findings};
use super::scalar::{optional_date, optional_value, required_value, unknown, weight as read_weight};
use super::unit::unit as read_unit;
use crate::domain::{
    Baseline, Command, Id, Invalid, KeyResultId, KeyResultKind, KeyResultPatch, Maintain, MaintainMode,
    Metric, Milestone, Milestones, Rejection, RelativeTarget, TOLERANCE, Title, Value, Violation, Window,
};
use crate::proto::api;
use crate::proto::api::key_result::Kind;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

/// The paths of the kinds.
const KINDS: [&str; 4] = ["metric", "maintain", "milestones", "binary"];

const FIELDS: &[Field<api::KeyResult>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("owner", |m| !m.owner.is_empty()),
    Field::new("metric", |m| matches!(m.kind, Some(Kind::Metric(_)))),
    Field::new("maintain", |m| matches!(m.kind, Some(Kind::Maintain(_)))),
    Field::new("milestones", |m| matches!(m.kind, Some(Kind::Milestones(_)))),
    Field::new("binary", |m| matches!(m.kind, Some(Kind::Binary(_)))),
    Field::new("unit", |m| m.unit.is_some()),
    Field::new("weight", |m| m.weight.is_some()),
    Field::new("kpi", |m| !m.kpi.is_empty()),
    Field::new("due_date", |m| m.due_date.is_some()),
    Field::new("window", |m| m.window != 0),
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
        delete_time: _,
        window,
        state: _,
    } = message;
    let workspace = fields.workspace;
    KeyResultPatch {
        title: fields.read("title", || Title::parse(title)),
        owner: fields.read("owner", || names::member_reference(workspace, owner)),
        kind: read_kind(kind.as_ref(), &mut fields),
        unit: fields.read_parts("unit", |path, findings| match unit {
            None => Some(None),
            Some(unit) => read_unit(path, unit, findings).map(Some),
        }),
        weight: fields.read("weight", || read_weight(*weight)),
        kpi: fields.read("kpi", || names::kpi_reference(workspace, kpi)),
        due_date: fields.read("due_date", || optional_date(due_date.as_ref())),
        window: fields.read("window", || read_window(*window)),
    }
}

/// The kind, if the mask has any: exactly one of them is set, so naming one means the whole of what is sent.
fn read_kind(kind: Option<&Kind>, fields: &mut Fields<'_>) -> Option<KeyResultKind> {
    let sent = match kind {
        None => "metric",
        Some(Kind::Metric(_)) => "metric",
        Some(Kind::Maintain(_)) => "maintain",
        Some(Kind::Milestones(_)) => "milestones",
        Some(Kind::Binary(_)) => "binary",
    };
    let named = KINDS.into_iter().find(|path| fields.has(path))?;
    let path = if fields.has(sent) { sent } else { named };
    fields.read_parts(path, |path, findings| match kind {
        Some(Kind::Metric(metric)) if path.ends_with("metric") => {
            read_metric(path, metric, findings).map(KeyResultKind::Metric)
        }
        Some(Kind::Maintain(maintain)) if path.ends_with("maintain") => {
            read_maintain(path, maintain, findings).map(KeyResultKind::Maintain)
        }
        Some(Kind::Milestones(milestones)) if path.ends_with("milestones") => {
            read_milestones(path, milestones, findings).map(KeyResultKind::Milestones)
        }
        Some(Kind::Binary(api::Binary {})) if path.ends_with("binary") => Some(KeyResultKind::Binary),
        _ => {
            let sentence = "it is missing: say how the key result is measured, for example metric {baseline: 40, target: 65}";
            findings.push(Invalid::new(sentence).at(path));
            None
        }
    })
}

fn read_metric(path: &str, metric: &api::Metric, findings: &mut Findings) -> Option<Metric> {
    let api::Metric {
        baseline,
        target,
        baseline_source: _,
        relative_target,
        reference_value,
    } = metric;
    let at = |field: &str| format!("{path}.{field}");
    let baseline = findings.field(&at("baseline"), optional_value(*baseline));
    let relative = findings.field(&at("relative_target"), read_relative(relative_target.as_ref()));
    let target = match (target, &relative) {
        // The domain resolves it from the baseline.
        (None, Some(Some(_))) => Some(Value::ZERO),
        (target, _) => findings.field(&at("target"), required_value(*target)),
    };
    if let (Some(Some(baseline)), Some(Some(relative)), Some(sent)) = (baseline, relative, metric.target)
        && let Ok(meant) = relative.resolve(baseline)
        && (meant.get() - sent).abs() >= TOLERANCE
    {
        // Whoever changes the one and sends the other back as it was read would find the change ignored.
        let sentence = format!(
            "it is not what relative_target comes to, {}: send one of them",
            meant.get()
        );
        findings.push(Invalid::new(sentence).at(at("target")));
    }
    let reference = findings.field(&at("reference_value"), optional_value(*reference_value));
    Some(Metric {
        baseline: baseline?.map(|value| Baseline {
            value,
            kpi_revision: None,
        }),
        target: target?,
        relative_target: relative?,
        reference_value: reference?,
    })
}

fn read_relative(message: Option<&api::RelativeTarget>) -> Result<Option<RelativeTarget>, Invalid> {
    use api::relative_target::Change;
    match message.map(|message| &message.change) {
        None => Ok(None),
        Some(None) => Err(Invalid::new("it says nothing: send percent or amount")),
        Some(Some(Change::Percent(percent))) => Value::parse(*percent).map(RelativeTarget::Percent).map(Some),
        Some(Some(Change::Amount(amount))) => Value::parse(*amount).map(RelativeTarget::Amount).map(Some),
    }
}

fn read_maintain(path: &str, maintain: &api::Maintain, findings: &mut Findings) -> Option<Maintain> {
    use api::maintain::Mode as Api;
    let api::Maintain {
        at_least,
        at_most,
        mode,
        tolerance,
    } = maintain;
    let at = |field: &str| format!("{path}.{field}");
    let at_least = findings.field(&at("at_least"), optional_value(*at_least));
    let at_most = findings.field(&at("at_most"), optional_value(*at_most));
    let tolerance = findings.field(&at("tolerance"), optional_value(*tolerance));
    let mode = Api::try_from(*mode)
        .map_err(|_| unknown(*mode))
        .map(|mode| match mode {
            Api::Unspecified | Api::Now => MaintainMode::Now,
            Api::Share => MaintainMode::Share,
        });
    let mode = findings.field(&at("mode"), mode);
    let parsed = Maintain::parse(at_least?, at_most?, mode?, tolerance?.unwrap_or(Value::ZERO));
    findings.keep(parsed.map_err(|Violation { field, sentence }| Violation {
        field: at(&field),
        sentence,
    }))
}

fn read_milestones(path: &str, milestones: &api::Milestones, findings: &mut Findings) -> Option<Milestones> {
    let api::Milestones { milestones } = milestones;
    if milestones.len() > Milestones::MAX {
        let sentence = format!("there are {}: send 1 to {}", milestones.len(), Milestones::MAX);
        findings.push(Invalid::new(sentence).at(path));
        return None;
    }
    let mut all = Vec::with_capacity(milestones.len());
    for (index, api::Milestone { id, title, weight }) in milestones.iter().enumerate() {
        let at = |field: &str| format!("{path}.milestones[{index}].{field}");
        let id = findings.field(&at("id"), Id::parse(id));
        let title = findings.field(&at("title"), Title::parse(title));
        let weight = findings.field(&at("weight"), read_weight(*weight));
        if let (Some(id), Some(title), Some(weight)) = (id, title, weight) {
            all.push(Milestone { id, title, weight });
        }
    }
    if all.len() < milestones.len() {
        return None;
    }
    findings.field(path, Milestones::parse(all))
}

fn read_window(number: i32) -> Result<Window, Invalid> {
    use api::key_result::Window as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Newest => Window::Newest,
        Api::Cycle => Window::Cycle,
    })
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
            ..api::Metric::default()
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
        let KeyResultKind::Metric(Metric { baseline, target, .. }) = fields.kind else {
            panic!("another kind");
        };
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

    fn steps(steps: &[(&str, f64)]) -> api::Milestones {
        let milestones = steps.iter().map(|(id, weight)| api::Milestone {
            id: (*id).to_owned(),
            title: (*id).to_owned(),
            weight: Some(*weight),
        });
        api::Milestones {
            milestones: milestones.collect(),
        }
    }

    #[test]
    fn each_kind_is_read_whole_and_every_bad_part_of_it_is_said() {
        let maintain = |at_least, at_most, mode: i32, tolerance| {
            Kind::Maintain(api::Maintain {
                at_least,
                at_most,
                mode,
                tolerance,
            })
        };
        let relative = |change| {
            Kind::Metric(api::Metric {
                baseline: Some(40.0),
                relative_target: Some(api::RelativeTarget { change }),
                ..api::Metric::default()
            })
        };
        use api::relative_target::Change;
        for good in [
            maintain(Some(40.0), None, 0, None),
            maintain(None, Some(3.0), 2, None),
            relative(Some(Change::Percent(10.0))),
            Kind::Milestones(steps(&[("plan", 1.0), ("build", 0.0)])),
            Kind::Binary(api::Binary {}),
        ] {
            assert!(create(Some(good.clone())).is_ok(), "{good:?}");
        }
        for (kind, expected) in [
            (maintain(None, None, 0, None), vec!["maintain.at_least"]),
            (maintain(Some(2.0), Some(1.0), 0, None), vec!["maintain.at_least"]),
            (
                maintain(Some(2.0), None, 0, Some(-1.0)),
                vec!["maintain.tolerance"],
            ),
            (
                maintain(Some(f64::NAN), None, 9, None),
                vec!["maintain.at_least", "maintain.mode"],
            ),
            (relative(None), vec!["metric.relative_target", "metric.target"]),
            (
                relative(Some(Change::Amount(f64::INFINITY))),
                vec!["metric.relative_target", "metric.target"],
            ),
            (Kind::Milestones(steps(&[])), vec!["milestones"]),
            (
                Kind::Milestones(steps(&[("plan", 1.0), ("plan", 1.0)])),
                vec!["milestones"],
            ),
            (
                Kind::Milestones(steps(&[("plan", 1.0), ("Ship", -1.0)])),
                vec!["milestones.milestones[1].id", "milestones.milestones[1].weight"],
            ),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|field| format!("key_result.{field}"))
                .collect();
            assert_eq!(bad_fields(create(Some(kind.clone()))), expected, "{kind:?}");
        }
    }

    #[test]
    fn every_field_can_be_changed_alone() {
        for field in FIELDS {
            let kind = match field.path {
                "maintain" => Kind::Maintain(api::Maintain {
                    at_least: Some(40.0),
                    ..api::Maintain::default()
                }),
                "milestones" => Kind::Milestones(steps(&[("plan", 1.0)])),
                "binary" => Kind::Binary(api::Binary {}),
                _ => metric(Some(40.0), Some(65.0)).expect("a kind"),
            };
            let update = update_key_result(&api::UpdateKeyResultRequest {
                key_result: Some(api::KeyResult {
                    name: "workspaces/acme/objectives/win/keyResults/nps".to_owned(),
                    title: "NPS".to_owned(),
                    kind: Some(kind),
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
