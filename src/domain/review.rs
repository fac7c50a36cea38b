//! Reviews: what people said when they looked back on a cycle. Written down once.

use jiff::civil::Date;
use serde::Serialize;

use super::{Event, Id, Provenance, Rejection, ResourceName, Text, Workspace};

/// A review as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// Whose review it was; none: the company's.
    pub team: Option<Id>,
    /// The local date on which it was held.
    pub date: Date,
    /// The members who were there, in order.
    pub attendees: Vec<Id>,
    /// What was achieved.
    pub achieved: Text,
    /// What was learned.
    pub learned: Text,
    /// What comes next.
    pub next: Text,
}

/// A review as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReview {
    /// Whose review it was.
    pub team: Option<Id>,
    /// When it was held; none: today.
    pub date: Option<Date>,
    /// Who was there, in order.
    pub attendees: Vec<Id>,
    /// What was achieved.
    pub achieved: Text,
    /// What was learned.
    pub learned: Text,
    /// What comes next.
    pub next: Text,
}

/// A review with what the log says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedReview {
    /// What was said.
    pub review: Review,
    /// Who recorded it, when and at which revision.
    pub provenance: Provenance,
}

pub(super) fn create(
    workspace: &Workspace,
    cycle: &Id,
    id: &Id,
    new: &NewReview,
) -> Result<Vec<Event>, Rejection> {
    let first_date = workspace.cycle(cycle)?.fields.first_date;
    if workspace.reviews.contains_key(&(cycle.clone(), id.clone())) {
        return Err(Rejection::AlreadyExists(ResourceName::Review(
            cycle.clone(),
            id.clone(),
        )));
    }
    if let Some(team) = &new.team {
        workspace.team(team)?;
    }
    for attendee in &new.attendees {
        workspace.member(attendee)?;
    }
    let date = new.date.unwrap_or(workspace.today());
    if date > workspace.today() {
        return Err(Rejection::invalid(
            "review.date",
            format!(
                "it is after today, {}: write down what has been held",
                workspace.today()
            ),
        ));
    }
    if date < first_date {
        return Err(Rejection::invalid(
            "review.date",
            format!("it is before the cycle's first day, {first_date}"),
        ));
    }
    Ok(vec![Event::ReviewRecorded {
        cycle: cycle.clone(),
        id: id.clone(),
        review: Box::new(Review {
            team: new.team.clone(),
            date,
            attendees: new.attendees.clone(),
            achieved: new.achieved.clone(),
            learned: new.learned.clone(),
            next: new.next.clone(),
        }),
    }])
}
