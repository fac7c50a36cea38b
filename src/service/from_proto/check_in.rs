//! Requests about check-ins.

use super::Asked;
use super::findings::Findings;
use super::scalar::{effective, optional_value, unknown};
use crate::domain::{Command, Confidence, Invalid, NewCheckIn, Rejection, StatusOverride, Text};
use crate::proto::api;
use crate::service::{ids, names};

/// Reads a CreateCheckIn request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_check_in(request: &api::CreateCheckInRequest) -> Result<Asked, Rejection> {
    let api::CreateCheckInRequest {
        parent,
        check_in_id,
        check_in,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let parent = findings.keep(names::key_result("parent", parent));
    let id = findings.keep(ids::chosen("check_in_id", check_in_id, 'c', request_id));
    let command = findings
        .message("check_in", check_in.as_ref())
        .and_then(|message| {
            let check_in = read(message, &mut findings);
            let (workspace, key_result) = parent?;
            let command = Command::CreateCheckIn {
                key_result,
                id: id?,
                check_in: Box::new(check_in?),
            };
            Some((workspace, command))
        });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::CheckIn, findings: &mut Findings) -> Option<NewCheckIn> {
    let api::CheckIn {
        name: _,
        value,
        confidence,
        comment,
        status_override,
        effective_time,
        effective_date,
        principal: _,
        recorded_time: _,
        revision: _,
    } = message;
    let value = findings.field("check_in.value", optional_value(*value));
    let confidence = confidence.map(Confidence::parse).transpose();
    let confidence = findings.field("check_in.confidence", confidence);
    let comment = findings.field("check_in.comment", Text::parse(comment));
    let status_override = findings.field("check_in.status_override", read_override(*status_override));
    let effective = effective(effective_time.as_ref(), effective_date.as_ref())
        .map_err(|(field, invalid)| invalid.at(format!("check_in.{field}")));
    Some(NewCheckIn {
        effective: findings.keep(effective)?,
        value: value?,
        confidence: confidence?,
        comment: comment?,
        status_override: status_override?,
    })
}

fn read_override(number: i32) -> Result<Option<StatusOverride>, Invalid> {
    use api::Status as Api;
    match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => Ok(None),
        Api::OnTrack => Ok(Some(StatusOverride::OnTrack)),
        Api::Behind => Ok(Some(StatusOverride::Behind)),
        Api::AtRisk => Ok(Some(StatusOverride::AtRisk)),
        Api::Unmeasured | Api::NotStarted | Api::Achieved | Api::Closed => Err(Invalid::new(
            "nobody says this, it follows from the score: use ON_TRACK, BEHIND or AT_RISK",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;
    use crate::domain::Effective;

    fn create(check_in: api::CheckIn) -> Result<Asked, Rejection> {
        create_check_in(&api::CreateCheckInRequest {
            parent: "workspaces/acme/objectives/win/keyResults/nps".to_owned(),
            check_in_id: "c1".to_owned(),
            check_in: Some(check_in),
            ..api::CreateCheckInRequest::default()
        })
    }

    #[test]
    fn a_check_in_says_what_was_seen_and_when() {
        let seen = api::CheckIn {
            value: Some(0.0),
            status_override: api::Status::AtRisk.into(),
            effective_date: day(2026, 7, 1),
            ..api::CheckIn::default()
        };
        let Command::CreateCheckIn {
            key_result,
            id: created,
            check_in,
        } = command(create(seen))
        else {
            panic!("another command");
        };
        assert_eq!((key_result.id, created), (id("nps"), id("c1")));
        assert_eq!(check_in.value.map(|value| value.get()), Some(0.0));
        assert_eq!(check_in.confidence, None);
        assert_eq!(check_in.status_override, Some(StatusOverride::AtRisk));
        assert_eq!(check_in.effective, Effective::On(jiff::civil::date(2026, 7, 1)));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::CheckIn {
            value: Some(f64::INFINITY),
            confidence: Some(1.1),
            comment: "x".repeat(10_001),
            status_override: api::Status::Achieved.into(),
            effective_time: Some(prost_types::Timestamp::default()),
            effective_date: day(2026, 7, 1),
            ..api::CheckIn::default()
        };
        let expected = [
            "value",
            "confidence",
            "comment",
            "status_override",
            "effective_date",
        ];
        assert_eq!(
            bad_fields(create(bad)),
            expected.map(|field| format!("check_in.{field}"))
        );
        let unknown = api::CheckIn {
            status_override: 42,
            ..api::CheckIn::default()
        };
        assert_eq!(bad_fields(create(unknown)), ["check_in.status_override"]);
    }
}
