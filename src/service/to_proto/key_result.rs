//! Key results and how they go.

use super::objective::state as write_state;
use super::scalar::{
    date, delete_time, kpi_name, member_name, reference, revision, status as write_status, timestamp,
    unit as write_unit,
};
use crate::domain::{
    Authorship, Baseline, Id, KeyResult, KeyResultFields, KeyResultId, KeyResultKind, KeyResultProgress,
    Maintain, MaintainMode, Metric, Milestone, Milestones, ObjectiveState, RelativeTarget, ResourceName,
    Window,
};
use crate::proto::api;
use crate::proto::api::baseline_source::Source;
use crate::proto::api::key_result::Kind;
use crate::service::{etag, names};

/// A key result; `state` is its objective's, `progress` is none unless that is ACTIVE or CLOSED.
#[must_use]
pub(crate) fn key_result(
    workspace: &Id,
    id: &KeyResultId,
    key_result: &KeyResult,
    state: ObjectiveState,
    progress: Option<&KeyResultProgress>,
) -> api::KeyResult {
    let confidence = key_result.confidence();
    let KeyResult {
        fields,
        creation_date: _,
        check_ins: _,
        check_in_keys: _,
        deleted,
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
        window: which,
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
        delete_time: delete_time(*deleted),
        window: window(*which).into(),
        state: write_state(state).into(),
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
        restated_score,
        expected,
        status,
        outdated,
        provisional,
        source_deleted,
        reached_milestones,
        periods_held,
        periods_with_data,
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
        restated_score: *restated_score,
        provisional: *provisional,
        source_deleted: *source_deleted,
        reached_milestones: reached_milestones.iter().map(Id::to_string).collect(),
        periods_held: count(*periods_held),
        periods_with_data: count(*periods_with_data),
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn window(window: Window) -> api::key_result::Window {
    use api::key_result::Window as Api;
    match window {
        Window::Newest => Api::Newest,
        Window::Cycle => Api::Cycle,
    }
}

fn write_kind(kind: &KeyResultKind) -> Kind {
    match kind {
        KeyResultKind::Metric(it) => Kind::Metric(metric(it)),
        KeyResultKind::Maintain(it) => Kind::Maintain(maintain(it)),
        KeyResultKind::Milestones(it) => Kind::Milestones(milestones(it)),
        KeyResultKind::Binary => Kind::Binary(api::Binary {}),
    }
}

fn maintain(of: &Maintain) -> api::Maintain {
    use api::maintain::Mode as Api;
    let Maintain {
        at_least,
        at_most,
        mode,
        tolerance,
    } = of;
    api::Maintain {
        at_least: at_least.map(|bound| bound.get()),
        at_most: at_most.map(|bound| bound.get()),
        mode: match mode {
            MaintainMode::Now => Api::Now.into(),
            MaintainMode::Share => Api::Share.into(),
        },
        tolerance: (*mode == MaintainMode::Now).then(|| tolerance.get()),
    }
}

fn milestones(of: &Milestones) -> api::Milestones {
    let milestones = of
        .as_slice()
        .iter()
        .map(|Milestone { id, title, weight }| api::Milestone {
            id: id.to_string(),
            title: title.as_str().to_owned(),
            weight: Some(weight.get()),
        });
    api::Milestones {
        milestones: milestones.collect(),
    }
}

fn relative_target(of: RelativeTarget) -> api::RelativeTarget {
    use api::relative_target::Change;
    api::RelativeTarget {
        change: Some(match of {
            RelativeTarget::Percent(percent) => Change::Percent(percent.get()),
            RelativeTarget::Amount(amount) => Change::Amount(amount.get()),
        }),
    }
}

fn metric(of: &Metric) -> api::Metric {
    let Metric {
        baseline,
        target,
        relative_target: relative,
        reference_value,
    } = of;
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
    api::Metric {
        baseline: baseline.map(|baseline| baseline.value.get()),
        target: Some(target.get()),
        baseline_source: source,
        relative_target: relative.map(relative_target),
        reference_value: reference_value.map(|value| value.get()),
    }
}
