//! Requests about reviews.

use super::Asked;
use super::findings::Findings;
use super::scalar::{optional_date, references};
use crate::domain::{Command, Id, NewReview, Rejection, Text};
use crate::proto::api;
use crate::service::{ids, names};

/// Reads a CreateReview request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_review(request: &api::CreateReviewRequest) -> Result<Asked, Rejection> {
    let api::CreateReviewRequest {
        parent,
        review_id,
        review,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, cycle) = findings.keep(names::cycle("parent", parent)).unzip();
    let id = findings.keep(ids::chosen("review_id", review_id, 'r', request_id));
    let command = findings.message("review", review.as_ref()).and_then(|message| {
        let review = read(message, workspace.as_ref(), &mut findings)?;
        let command = Command::CreateReview {
            cycle: cycle?,
            id: id?,
            review: Box::new(review),
        };
        Some((workspace.clone()?, command))
    });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Review, workspace: Option<&Id>, findings: &mut Findings) -> Option<NewReview> {
    let api::Review {
        name: _,
        team,
        date,
        attendees,
        achieved,
        learned,
        next,
        principal: _,
        create_time: _,
        revision: _,
    } = message;
    let team = findings.field("review.team", names::team_reference(workspace, team));
    let date = findings.field("review.date", optional_date(date.as_ref()));
    let attendees = references("review.attendees", attendees, findings, |text| {
        names::given(names::member_reference(workspace, text)?)
    });
    let achieved = findings.field("review.achieved", Text::parse(achieved));
    let learned = findings.field("review.learned", Text::parse(learned));
    let next = findings.field("review.next", Text::parse(next));
    Some(NewReview {
        team: team?,
        date: date?,
        attendees: attendees?,
        achieved: achieved?,
        learned: learned?,
        next: next?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;

    fn create(review: api::Review) -> Result<Asked, Rejection> {
        create_review(&api::CreateReviewRequest {
            parent: "workspaces/acme/cycles/q3".to_owned(),
            review_id: "mid-term".to_owned(),
            review: Some(review),
            ..api::CreateReviewRequest::default()
        })
    }

    #[test]
    fn a_review_says_who_met_when_and_what_came_of_it() {
        let review = api::Review {
            date: day(2026, 8, 14),
            attendees: ["rui", "ana"]
                .map(|who| format!("workspaces/acme/members/{who}"))
                .to_vec(),
            learned: "Ask earlier.".to_owned(),
            ..api::Review::default()
        };
        let Command::CreateReview {
            cycle,
            id: created,
            review,
        } = command(create(review))
        else {
            panic!("another command");
        };
        assert_eq!((cycle, created), (id("q3"), id("mid-term")));
        assert_eq!(review.attendees, [id("ana"), id("rui")]);
        assert_eq!(review.date, Some(jiff::civil::date(2026, 8, 14)));
        let bad = api::Review {
            team: "workspaces/other/teams/sales".to_owned(),
            attendees: vec!["maria".to_owned()],
            next: "x".repeat(10_001),
            ..api::Review::default()
        };
        assert_eq!(
            bad_fields(create(bad)),
            ["review.team", "review.attendees[0]", "review.next"]
        );
    }
}
