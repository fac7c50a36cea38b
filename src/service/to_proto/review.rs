//! Reviews.

use super::scalar::{
    date as write_date, member_name, reference, revision as write_revision, team_name, timestamp,
};
use crate::domain::{Id, Provenance, RecordedReview, ResourceName, Review};
use crate::proto::api;
use crate::service::names;

/// A review of a cycle.
#[must_use]
pub(crate) fn review(workspace: &Id, cycle: &Id, id: &Id, recorded: &RecordedReview) -> api::Review {
    let RecordedReview { review, provenance } = recorded;
    let Review {
        team,
        date,
        attendees,
        achieved,
        learned,
        next,
    } = review;
    let Provenance {
        principal,
        recorded_time,
        revision,
    } = provenance;
    api::Review {
        name: names::full_name(workspace, &ResourceName::Review(cycle.clone(), id.clone())),
        team: reference(workspace, team.as_ref(), team_name),
        date: Some(write_date(*date)),
        attendees: attendees
            .iter()
            .map(|attendee| member_name(workspace, attendee))
            .collect(),
        achieved: achieved.as_str().to_owned(),
        learned: learned.as_str().to_owned(),
        next: next.as_str().to_owned(),
        principal: principal.to_string(),
        create_time: Some(timestamp(*recorded_time)),
        revision: write_revision(*revision),
    }
}
