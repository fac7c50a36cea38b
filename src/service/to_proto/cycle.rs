//! Cycles.

use super::scalar::{cycle_name, date, reference, timestamp};
use crate::domain::{Authorship, Cycle, CycleFields, CycleState, Id};
use crate::proto::api;
use crate::service::etag;

/// A cycle with its score.
#[must_use]
pub(crate) fn cycle(workspace: &Id, id: &Id, cycle: &Cycle, score: Option<f64>) -> api::Cycle {
    let Cycle {
        fields,
        state: stands,
        authorship,
    } = cycle;
    let CycleFields {
        title,
        first_date,
        last_date,
        review_date,
        parent_cycle,
    } = fields;
    let Authorship {
        created,
        updated,
        revision,
    } = *authorship;
    api::Cycle {
        name: cycle_name(workspace, id),
        title: title.as_str().to_owned(),
        first_date: Some(date(*first_date)),
        last_date: Some(date(*last_date)),
        review_date: review_date.map(date),
        parent_cycle: reference(workspace, parent_cycle.as_ref(), cycle_name),
        state: state(*stands).into(),
        score,
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(revision),
    }
}

fn state(state: CycleState) -> api::cycle::State {
    use api::cycle::State as Api;
    match state {
        CycleState::Planned => Api::Planned,
        CycleState::Active => Api::Active,
        CycleState::Review => Api::Review,
        CycleState::Closed => Api::Closed,
    }
}
