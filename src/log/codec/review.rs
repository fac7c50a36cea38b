//! A review that was written down.

use super::fault::{At, Fault};
use super::scalar::{
    date_from_stored, date_to_stored, id_from_stored, id_to_stored, ids_from_stored, ids_to_stored,
    optional_id_from_stored, optional_id_to_stored,
};
use crate::domain::{Event, Id, Review, Text};
use crate::proto::stored;

pub(super) fn recorded_to_stored(cycle: &Id, id: &Id, review: &Review) -> stored::ReviewRecorded {
    let Review {
        team,
        date,
        attendees,
        achieved,
        learned,
        next,
    } = review;
    stored::ReviewRecorded {
        cycle: id_to_stored(cycle),
        review: id_to_stored(id),
        team: optional_id_to_stored(team.as_ref()),
        date: date_to_stored(*date),
        attendees: ids_to_stored(attendees),
        achieved: achieved.as_str().to_owned(),
        learned: learned.as_str().to_owned(),
        next: next.as_str().to_owned(),
    }
}

pub(super) fn recorded_from_stored(stored: stored::ReviewRecorded) -> Result<Event, Fault> {
    let stored::ReviewRecorded {
        cycle,
        review,
        team,
        date,
        attendees,
        achieved,
        learned,
        next,
    } = stored;
    let said = Review {
        team: optional_id_from_stored(team.as_deref()).at("team")?,
        date: date_from_stored(date).at("date")?,
        attendees: ids_from_stored(&attendees).at("attendees")?,
        achieved: Text::parse(&achieved).at("achieved")?,
        learned: Text::parse(&learned).at("learned")?,
        next: Text::parse(&next).at("next")?,
    };
    Ok(Event::ReviewRecorded {
        cycle: id_from_stored(&cycle).at("cycle")?,
        id: id_from_stored(&review).at("review")?,
        review: Box::new(said),
    })
}
