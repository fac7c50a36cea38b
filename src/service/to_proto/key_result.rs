//! Key results and how they go.

use super::scalar::{
    date, kpi_name, member_name, reference, revision, status as write_status, timestamp, unit as write_unit,
};
use crate::domain::{
    Authorship, Baseline, Id, KeyResult, KeyResultFields, KeyResultId, KeyResultKind, KeyResultProgress,
    Metric, ResourceName,
};
use crate::proto::api;
use crate::proto::api::baseline_source::Source;
use crate::proto::api::key_result::Kind;
use crate::service::{etag, names};

/// A key result; `progress` is none while its objective is not ACTIVE.
#[must_use]
pub(crate) fn key_result(
    workspace: &Id,
    id: &KeyResultId,
    key_result: &KeyResult,
    progress: Option<&KeyResultProgress>,
) -> api::KeyResult {
    let confidence = key_result.confidence();
    let KeyResult {
        fields,
        creation_date: _,
        check_ins: _,
        check_in_keys: _,
        authorship,
    } = key_result;
    let KeyResultFields {
        title,
        owner,
        kind,
        unit,
        weight,
        kpi,
        due_date,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::KeyResult {
        name: names::full_name(workspace, &ResourceName::KeyResult(id.clone())),
        title: title.as_str().to_owned(),
        owner: reference(workspace, owner.as_ref(), member_name),
        unit: unit.as_ref().map(write_unit),
        weight: Some(weight.get()),
        kpi: reference(workspace, kpi.as_ref(), kpi_name),
        due_date: due_date.map(date),
        confidence,
        progress: progress.map(key_result_progress),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
        kind: Some(write_kind(kind)),
    }
}

/// How a key result goes.
#[must_use]
pub(crate) fn key_result_progress(of: &KeyResultProgress) -> api::KeyResultProgress {
    let KeyResultProgress {
        current,
        progress,
        score,
        expected,
        status,
        outdated,
        policy_version,
    } = of;
    api::KeyResultProgress {
        current: *current,
        progress: *progress,
        score: *score,
        expected: *expected,
        status: write_status(*status),
        outdated: *outdated,
        policy_version: revision(*policy_version),
    }
}

fn write_kind(kind: &KeyResultKind) -> Kind {
    let KeyResultKind::Metric(Metric { baseline, target }) = kind;
    let source = baseline.map(
        |Baseline {
             value: _,
             kpi_revision,
         }| api::BaselineSource {
            source: Some(match kpi_revision {
                None => Source::Given(true),
                Some(as_of) => Source::KpiRevision(revision(as_of)),
            }),
        },
    );
    Kind::Metric(api::Metric {
        baseline: baseline.map(|baseline| baseline.value.get()),
        target: Some(target.get()),
        baseline_source: source,
    })
}
